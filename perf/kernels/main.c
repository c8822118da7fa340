/* SPDX-License-Identifier: Apache-2.0
 * The kernel benchmark: GFLOP/s and share of the calibrated peak, by layer shape, form and pass. perf/README.md says
 * how to read it.
 *
 *   mtlf-bench peak             the peak of MTLF_THREADS threads, in GFLOP/s
 *   mtlf-bench kernels FILE...  the layers of shape files */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static int bars, bars_reached, impossible;

static void print_cell(double rate, double peak, double bar) {
  if (rate == 0) {
    printf(" %20s", "");
    return;
  }
  const double share = 100 * rate / peak;
  const char *mark = "";
  if (bar > 0) {
    bars++;
    bars_reached += share >= bar;
    mark = share >= bar ? "pass" : "MISS";
  }
  printf(" %8.1f %5.1f%% %-4s", rate, share, mark);
}

/* `columns` passes, the first three of which may have bars. */
static void print_line(const char *form, const char *extent, const rates *r, int columns, const double *line_bars) {
  printf("  %-17s %-10s", form, extent);
  for (int i = 0; i < columns; i++) print_cell(r->rate[i], r->peak, line_bars && i < 3 ? line_bars[i] : 0);
  printf(" %8.1f\n", r->peak);
  fflush(stdout);
  if (is_above_peak(r)) {
    impossible++;
    printf("  ^ above the peak: this can't be\n");
  }
}

static void print_titles(const char *const passes[], int columns) {
  printf("  %-28s", "GFLOP/s, share of the peak");
  for (int i = 0; i < columns; i++) printf(" %15s     ", passes[i]);
  printf(" %8s\n", "peak");
}

static void print_bars(const layer *l) {
  if (l->bars[0] > 0) printf(", bars %.0f / %.0f / %.0f %%", l->bars[0], l->bars[1], l->bars[2]);
}

static void run_conv(const layer *l, const net *n, const mtlf_context *context) {
  static const struct {
    const char *name;
    form_path path;
    int is_fused;
  } forms[] = {{"direct", FORM_DIRECT, 0},
               {"im2col", FORM_IM2COL, 0},
               {"im2col + OpenBLAS", FORM_OPENBLAS, 0},
               {"direct + pool", FORM_DIRECT, 1},
               {"im2col + pool", FORM_IM2COL, 1}};
  const mtlf_conv2d *c = &l->conv;
  static const char *const passes[] = {"forward", "d_input", "d_filter"};
  char batch[24], shard[24];
  printf("\nconv %dx%dx%d -> %d @%d", c->height, c->width, c->channels_in, c->channels_out, c->kernel_h);
  if (c->stride_h > 1) printf(", stride %d", c->stride_h);
  if (c->pad_bottom > 0) printf(", same");
  printf(": %.3g MFLOP a sample and pass", conv_flops(c, 0) / c->batch * 1e-6);
  if (l->has_pool) printf(", %.3g with its pool", conv_flops(c, 1) / c->batch * 1e-6);
  print_bars(l);
  printf("\n");
  print_titles(passes, 3);
  snprintf(batch, sizeof batch, "batch %d", n->batch);
  snprintf(shard, sizeof shard, "shard %d", n->shard);
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    if (forms[i].path == FORM_OPENBLAS && !has_openblas()) continue;
    if (forms[i].is_fused && !l->has_pool) continue;
    for (int is_shard = 0; is_shard < 2; is_shard++) {
      const conv_form form = {forms[i].path, forms[i].is_fused, is_shard ? n->shard : 0};
      const rates r = run_conv_form(l, &form, n->batch, context);
      print_line(forms[i].name, is_shard ? shard : batch, &r, 3, is_shard && form.path == FORM_DIRECT ? l->bars : NULL);
    }
  }
}

static void run_dense(const layer *l, const net *n, const mtlf_context *context) {
  static const char *const passes[] = {"forward", "d_input", "d_kernel", "d_kernel + Adam"};
  char batch[24];
  printf("\ndense %d -> %d: %.3g MFLOP a sample and pass", l->dense.inputs, l->dense.units,
         2e-6 * l->dense.inputs * l->dense.units);
  print_bars(l);
  printf("\n");
  print_titles(passes, 4);
  snprintf(batch, sizeof batch, "batch %d", n->batch);
  const rates ours = run_dense_form(l, FORM_DIRECT, context);
  print_line("ours", batch, &ours, 4, l->bars);
  if (!has_openblas()) return;
  const rates theirs = run_dense_form(l, FORM_OPENBLAS, context);
  print_line("OpenBLAS", batch, &theirs, 4, NULL);
}

static void run_net(const char *path, int shard, const mtlf_context *context) {
  net n = read_net(path);
  if (shard > 0) n.shard = shard;
  const char *slash = strrchr(path, '/');
  printf("\n%s: batch %d, shards of %d\n", slash ? slash + 1 : path, n.batch, n.shard);
  for (int i = 0; i < n.layer_count; i++) (n.layers[i].is_dense ? run_dense : run_conv)(n.layers + i, &n, context);
}

static int print_peak(const mtlf_context *context) {
  double peak = 0;
  for (int i = 0; i < TRIALS; i++) {
    const double trial = peak_trial(context);
    if (trial > peak) peak = trial;
  }
  printf("%.1f\n", peak);
  return 0;
}

/* An environment variable's number, or the other value where it isn't set. */
static int setting(const char *name, int otherwise) {
  const char *text = getenv(name);
  char *end;
  if (!text || !*text) return otherwise;
  const long value = strtol(text, &end, 10);
  if (*end || value < 1 || value > 1024) {
    fprintf(stderr, "%s must be a whole number from 1 to 1024. Received: %s\n", name, text);
    exit(64);
  }
  return (int)value;
}

int main(int count, char **arguments) {
  mtlf_context context;
  /* 0: the shape file's. */
  const int threads = setting("MTLF_THREADS", 1), shard = setting("MTLF_SHARD", 0);
  const mtlf_status status = mtlf_context_init(&context, MTLF_ISA_BEST, threads);
  if (status != MTLF_OK) {
    fprintf(stderr, "%s\n", mtlf_status_text(status));
    return 64;
  }
  if (count == 2 && strcmp(arguments[1], "peak") == 0) return print_peak(&context);
  if (count < 3 || strcmp(arguments[1], "kernels") != 0) {
    fprintf(stderr, "usage: mtlf-bench peak | kernels FILE...\n");
    return 64;
  }
  set_openblas_threads(threads);
  printf("isa %s, %d thread%s | OpenBLAS %s | best of %d trials, each next to a calibration of the peak\n",
         mtlf_context_isa_name(&context), threads, threads == 1 ? "" : "s", openblas_name(), TRIALS);
  for (int i = 2; i < count; i++) run_net(arguments[i], shard, &context);
  const peak_range peaks = measured_peaks();
  printf("\n%d results equal the double-precision reference. Peak of the lines: %.1f to %.1f GFLOP/s.\n",
         checks_passed(), peaks.lowest, peaks.highest);
  if (bars > 0) printf("%d of %d bars reached.\n", bars_reached, bars);
  if (impossible > 0) printf("FAILED: %d lines are above the peak.\n", impossible);
  return impossible > 0;
}
