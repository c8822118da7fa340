/* SPDX-License-Identifier: Apache-2.0
 * Forms of a convolution: their buffers as training lays them out, their check, their passes.
 *
 * Over a shard each thread has one copy of every tensor, which all shards of the batch use in turn: as in training,
 * where a shard's tensors stay in cache. Over the batch each sample has its own place in memory. Gradients of filters
 * are private to the groups of a plan in both. */
#include <stdio.h>
#include <string.h>

#include "conv_run.h"
#include "creference.h"

double conv_flops(const mtlf_conv2d *c, int is_fused) {
  const int32_t step = is_fused ? 2 : 1;
  const int32_t high = mtlf_conv2d_output_height(c) / step * step, wide = mtlf_conv2d_output_width(c) / step * step;
  int64_t rows = 0, columns = 0;
  for (int32_t oh = 0; oh < high; oh++) {
    for (int32_t r = 0; r < c->kernel_h; r++) {
      const int32_t h = oh * c->stride_h + r - c->pad_top;
      rows += h >= 0 && h < c->height;
    }
  }
  for (int32_t ow = 0; ow < wide; ow++) {
    for (int32_t s = 0; s < c->kernel_w; s++) {
      const int32_t w = ow * c->stride_w + s - c->pad_left;
      columns += w >= 0 && w < c->width;
    }
  }
  return 2.0 * c->batch * (double)rows * (double)columns * c->channels_in * c->channels_out;
}

void for_each_shard(const conv_run *r, void (*body)(void *argument, int32_t first, int32_t count), void *argument) {
  const int32_t shard = r->form.shard ? r->form.shard : r->batch;
  const int32_t groups = r->batch < MTLF_MAX_GROUPS ? r->batch : MTLF_MAX_GROUPS;
  for (int64_t g = 0; g < groups; g++) {
    const int32_t end = (int32_t)(r->batch * (g + 1) / groups);
    for (int32_t first = (int32_t)(r->batch * g / groups); first < end; first += shard) {
      body(argument, first, shard < end - first ? shard : end - first);
    }
  }
}

/* ---- tensors ---- */

static mtlf_tensor new_images(const conv_run *r, int32_t height, int32_t width, int32_t channels, int has_halo) {
  const mtlf_conv2d none = {0}, *c = has_halo ? &r->conv : &none;
  const size_t row = (size_t)(width + c->pad_left + c->pad_right) * (size_t)channels;
  const size_t sample = row * (size_t)(height + c->pad_top + c->pad_bottom);
  const size_t copy = (sample * (size_t)r->samples + 63) / 64 * 64;
  float *base = new_floats(copy * (size_t)r->copies);
  return (mtlf_tensor){.view = {.data = base + (size_t)c->pad_top * row + (size_t)c->pad_left * (size_t)channels,
                                .element = MTLF_F32,
                                .height = height,
                                .width = width,
                                .channels = channels,
                                .sample_stride = (ptrdiff_t)sample,
                                .row_stride = (ptrdiff_t)row},
                       .thread_stride = r->form.shard ? (ptrdiff_t)copy : 0};
}

/* Copies plain images into every thread's copy, or the first copy out. */
static void copy_images(const conv_run *r, const mtlf_tensor *t, float *plain, int is_out) {
  const mtlf_view *view = &t->view;
  const size_t row = (size_t)view->width * (size_t)view->channels;
  for (int32_t thread = 0; thread < (is_out ? 1 : r->copies); thread++) {
    float *at = plain;
    for (int32_t n = 0; n < r->samples; n++) {
      for (int32_t h = 0; h < view->height; h++, at += row) {
        float *image = (float *)view->data + thread * t->thread_stride + n * view->sample_stride + h * view->row_stride;
        memcpy(is_out ? at : image, is_out ? image : at, row * sizeof(float));
      }
    }
  }
}

static size_t floats_of(const conv_run *r, const mtlf_tensor *t) {
  return (size_t)r->samples * (size_t)t->view.height * (size_t)t->view.width * (size_t)t->view.channels;
}

static void take_values(conv_run *r) {
  copy_images(r, &r->input_images, r->input, 0);
  copy_images(r, &r->d_output_images, r->d_output, 0);
  const int32_t units = r->conv.channels_out;
  check_status(mtlf_pack_f32((int64_t)r->taps, units, r->filter, r->weight.kernel, &r->context));
  memcpy(r->weight.bias, r->bias, (size_t)units * sizeof(float));
  check_status(mtlf_plan_refresh(&r->weight, &r->context));
}

static void fill(conv_run *r, void (*values)(int64_t n, uint64_t seed, float *to)) {
  values((int64_t)floats_of(r, &r->input_images), 1, r->input);
  values((int64_t)(r->taps * (size_t)r->conv.channels_out), 2, r->filter);
  values(r->conv.channels_out, 3, r->bias);
  values((int64_t)floats_of(r, &r->d_output_images), 4, r->d_output);
  take_values(r);
}

static void small_integers(int64_t n, uint64_t seed, float *to) { reference_fill_integers(n, seed, 2, to); }

static void prepare(conv_run *r) {
  const mtlf_conv2d *c = &r->conv;
  const size_t units = (size_t)c->channels_out, gate = (size_t)r->output_h * (size_t)r->output_w * units;
  r->input_images = new_images(r, c->height, c->width, c->channels_in, 1);
  r->d_input_images = new_images(r, c->height, c->width, c->channels_in, 1);
  r->output_images = new_images(r, r->output_h, r->output_w, c->channels_out, 0);
  r->d_output_images = new_images(r, r->output_h, r->output_w, c->channels_out, 0);
  if (r->form.is_fused) r->gate = (uint8_t *)new_floats(gate * (size_t)r->batch / sizeof(float) + 1);
  r->input = new_floats(floats_of(r, &r->input_images));
  r->d_output = new_floats(floats_of(r, &r->d_output_images));
  r->filter = new_floats(r->taps * units);
  r->bias = new_floats(units);

  const size_t window = (size_t)c->kernel_w * (size_t)c->channels_in, panel = (size_t)mtlf_panel_columns(&r->context);
  const size_t kernel = mtlf_packed_floats((int64_t)r->taps, c->channels_out, &r->context);
  const size_t stride = (kernel + 15) / 16 * 16 + (units + panel - 1) / panel * panel;
  float *transposed =
      new_floats(mtlf_plan_transposed_floats((int64_t)r->taps, c->channels_out, (int64_t)window, &r->context));
  r->weight = (mtlf_weight){.inputs = (int32_t)r->taps,
                            .units = c->channels_out,
                            .window = (int32_t)window,
                            .kernel = new_floats(kernel),
                            .bias = new_floats((units + panel - 1) / panel * panel),
                            .forms = {{MTLF_LAYOUT_TRANSPOSED, MTLF_F32, transposed}},
                            .form_count = 1,
                            .gradient_copies = MTLF_MAX_GROUPS,
                            .gradient = new_floats(stride * MTLF_MAX_GROUPS),
                            .gradient_stride = stride};
}

/* ---- passes ---- */

static void begin_pass(const conv_run *r, plan_pass *p) {
  const size_t copied = r->form.path == FORM_IM2COL ? r->taps : 0;
  init_plan_pass(p, &r->context, r->batch, r->form.shard ? r->form.shard : r->batch);
  p->plan.workspace_floats = mtlf_plan_workspace_floats((int64_t)(copied + (size_t)r->conv.channels_out));
  p->plan.workspace = new_floats(p->plan.workspace_floats * (size_t)r->context.threads);
}

static void prepare_plans(conv_run *r) {
  const mtlf_conv2d *c = &r->conv;
  const mtlf_window window = {.kernel_h = c->kernel_h,
                              .kernel_w = c->kernel_w,
                              .stride_h = c->stride_h,
                              .stride_w = c->stride_w,
                              .pad_top = c->pad_top,
                              .pad_left = c->pad_left};
  r->forward_op = (mtlf_conv2d_op){.window = window,
                                   .weight = &r->weight,
                                   .relu = 1,
                                   .input = r->input_images,
                                   .output = r->output_images,
                                   .gate = r->gate};
  begin_pass(r, &r->forward);
  add_shard_op(&r->forward, mtlf_conv2d_shard, &r->forward_op);

  r->zero_op =
      (mtlf_zero_op){.values = r->d_input_images,
                     .halo = c->pad_top * r->d_input_images.view.row_stride + (ptrdiff_t)c->pad_left * c->channels_in};
  r->d_input_op = (mtlf_conv2d_d_input_op){.window = window,
                                           .weight = &r->weight,
                                           .transposed = r->weight.forms[0].values,
                                           .d_output = r->d_output_images,
                                           .d_input = r->d_input_images,
                                           .gate = r->gate};
  begin_pass(r, &r->d_input);
  add_shard_op(&r->d_input, mtlf_zero_shard, &r->zero_op);
  add_shard_op(&r->d_input, mtlf_conv2d_d_input_shard, &r->d_input_op);

  r->d_filter_op = (mtlf_conv2d_d_filter_op){.window = window,
                                             .weight = &r->weight,
                                             .input = r->input_images,
                                             .d_output = r->d_output_images,
                                             .gate = r->gate};
  begin_pass(r, &r->d_filter);
  add_shard_op(&r->d_filter, mtlf_conv2d_d_filter_shard, &r->d_filter_op);
}

static void list_passes(conv_run *r, pass passes[MAX_PASSES]) {
  mtlf_conv2d whole = r->conv;
  whole.batch = r->batch;
  const double flops = conv_flops(&whole, r->form.is_fused);
  const pass none = {NULL, NULL, 0};
  if (r->form.path == FORM_OPENBLAS) {
    passes[0] = (pass){openblas_conv_forward, r, flops};
    passes[1] = (pass){openblas_conv_d_input, r, flops};
    passes[2] = (pass){openblas_conv_d_filter, r, flops};
  } else {
    passes[0] = (pass){run_plan_pass, &r->forward, flops};
    passes[1] = (pass){run_plan_pass, &r->d_input, flops};
    passes[2] = (pass){run_plan_pass, &r->d_filter, flops};
  }
  passes[3] = none;
  if (r->layer->is_first) passes[1] = none;
}

/* ---- check ---- */

/* The groups' private gradients, summed and unpacked: whole numbers, so the order doesn't matter. */
static void sum_gradients(const conv_run *r, float *d_filter, float *d_bias) {
  const size_t units = (size_t)r->conv.channels_out, size = r->taps * units;
  const size_t kernel = mtlf_packed_floats((int64_t)r->taps, r->conv.channels_out, &r->context);
  const int32_t groups = r->batch < MTLF_MAX_GROUPS ? r->batch : MTLF_MAX_GROUPS;
  float *one = new_floats(size);
  memset(d_filter, 0, size * sizeof(float));
  memset(d_bias, 0, units * sizeof(float));
  for (int32_t g = 0; g < groups; g++) {
    const float *gradient = r->weight.gradient + (size_t)g * r->weight.gradient_stride;
    check_status(mtlf_unpack_f32((int64_t)r->taps, (int64_t)units, gradient, one, &r->context));
    for (size_t i = 0; i < size; i++) d_filter[i] += one[i];
    for (size_t i = 0; i < units; i++) d_bias[i] += gradient[kernel + i];
  }
}

typedef struct {
  const conv_run *run;
  const uint8_t *expected;
  int differing;
} gate_check;

/* The gate holds the whole minibatch; each shard had the same images where the tensors hold one shard. */
static void compare_gate(void *argument, int32_t first, int32_t count) {
  gate_check *g = argument;
  const conv_run *r = g->run;
  const size_t sample = (size_t)r->output_h * (size_t)r->output_w * (size_t)r->conv.channels_out;
  const uint8_t *expected = g->expected + (r->form.shard ? 0 : (size_t)first * sample);
  g->differing += memcmp(r->gate + (size_t)first * sample, expected, (size_t)count * sample) != 0;
}

static void check(conv_run *r, const pass passes[MAX_PASSES], const char *name) {
  const size_t units = (size_t)r->conv.channels_out;
  const size_t outputs = floats_of(r, &r->output_images), inputs = floats_of(r, &r->input_images);
  fill(r, small_integers);
  const conv_expected *e = expected_of(r);
  for (int i = 0; i < MAX_PASSES; i++) {
    if (passes[i].run) passes[i].run(passes[i].argument);
  }
  float *output = new_floats(outputs), *d_input = new_floats(inputs);
  copy_images(r, &r->output_images, output, 1);
  check_values(name, "forward", outputs, output, e->output);
  if (r->gate) {
    gate_check gates = {.run = r, .expected = e->gate};
    for_each_shard(r, compare_gate, &gates);
    check_that(gates.differing == 0, name, "the gate");
  }
  if (!r->layer->is_first) {
    copy_images(r, &r->d_input_images, d_input, 1);
    check_values(name, "d_input", inputs, d_input, e->d_input);
  }
  float *d_filter = r->d_filter_plain, *d_bias = r->d_bias_plain;
  if (r->form.path != FORM_OPENBLAS) {
    d_filter = new_floats(r->taps * units);
    d_bias = new_floats(units);
    sum_gradients(r, d_filter, d_bias);
  }
  check_values(name, "d_filter", r->taps * units, d_filter, e->d_filter);
  check_values(name, "d_bias", units, d_bias, e->d_bias);
}

static void find_largest(void *largest, int32_t first, int32_t count) {
  (void)first;
  if (count > *(int32_t *)largest) *(int32_t *)largest = count;
}

rates run_conv_form(const layer *l, const conv_form *form, int32_t batch, const mtlf_context *context) {
  static const char *const names[] = {"direct", "im2col", "im2col + OpenBLAS"};
  conv_run r = {.layer = l, .form = *form, .context = *context, .conv = l->conv, .batch = batch};
  pass passes[MAX_PASSES];
  /* A check runs on one thread: which copy a shard used is known then. */
  const mtlf_context one_thread = {.kernels = context->kernels,
                                   .threads = 1,
                                   .conv_path = form->path == FORM_IM2COL ? MTLF_CONV_IM2COL : MTLF_CONV_DIRECT};
  char name[128];
  snprintf(name, sizeof name, "conv %dx%dx%d -> %d @%d, %s%s, %s", l->conv.height, l->conv.width, l->conv.channels_in,
           l->conv.channels_out, l->conv.kernel_h, names[form->path], form->is_fused ? " with ReLU and pool" : "",
           form->shard ? "shard" : "batch");
  r.context.conv_path = one_thread.conv_path;
  if (form->shard) {
    for_each_shard(&r, find_largest, &r.samples);
  } else {
    r.samples = batch;
  }
  r.copies = form->shard ? context->threads : 1;
  r.conv.batch = r.samples;
  r.taps = (size_t)l->conv.kernel_h * (size_t)l->conv.kernel_w * (size_t)l->conv.channels_in;
  r.output_h = mtlf_conv2d_output_height(&l->conv) / (form->is_fused ? 2 : 1);
  r.output_w = mtlf_conv2d_output_width(&l->conv) / (form->is_fused ? 2 : 1);
  prepare(&r);
  if (form->path == FORM_OPENBLAS) {
    prepare_openblas_conv(&r);
  } else {
    prepare_plans(&r);
  }
  list_passes(&r, passes);
  r.forward.context = r.d_input.context = r.d_filter.context = &one_thread;
  check(&r, passes, name);
  r.forward.context = r.d_input.context = r.d_filter.context = &r.context;
  fill(&r, reference_fill_reals);
  const mtlf_context calibration = form->path == FORM_OPENBLAS ? openblas_calibration(context) : *context;
  const rates result = measure(passes, &calibration);
  free_memory();
  return result;
}
