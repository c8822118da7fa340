/* SPDX-License-Identifier: Apache-2.0
 * What a convolution's passes must give, by the double-precision reference of the tests. */
#include <stdlib.h>
#include <string.h>

#include "conv_run.h"
#include "creference.h"

enum { KEPT = 4 };

typedef struct {
  const layer *layer;
  int32_t samples;
  int is_fused;
  conv_expected values;
} kept_values;

static kept_values kept[KEPT];
static int kept_count;

static double *widened(size_t n, const float *values) {
  double *doubles = malloc((n + 1) * sizeof *doubles);
  if (!doubles) exit(71);
  reference_widen((int64_t)n, values, doubles);
  return doubles;
}

static double *zeros(size_t n) {
  double *doubles = calloc(n + 1, sizeof *doubles);
  if (!doubles) exit(71);
  return doubles;
}

static void forget(void) {
  for (int i = 0; i < kept_count; i++) {
    free(kept[i].values.output);
    free(kept[i].values.d_input);
    free(kept[i].values.d_filter);
    free(kept[i].values.d_bias);
    free(kept[i].values.gate);
  }
  kept_count = 0;
}

static void count_shard(void *times, int32_t first, int32_t count) {
  (void)first;
  ((int32_t *)times)[count]++;
}

/* d_filter and d_bias of the step's shards, which all hold the first samples of the same buffer. */
static void expect_d_filter(const conv_run *r, const double *input, const double *d_unpooled, conv_expected *e) {
  const size_t filter_size = r->taps * (size_t)r->conv.channels_out, units = (size_t)r->conv.channels_out;
  double *d_filter = zeros(filter_size), *d_bias = zeros(units);
  int32_t *times = calloc((size_t)r->samples + 1, sizeof *times);
  if (!times) exit(71);
  if (r->form.shard == 0) {
    times[r->samples] = 1;
  } else {
    for_each_shard(r, count_shard, times);
  }
  for (int32_t count = 1; count <= r->samples; count++) {
    if (times[count] == 0) continue;
    mtlf_conv2d conv = r->conv;
    conv.batch = count;
    reference_conv2d_d_filter(&conv, input, d_unpooled, d_filter, d_bias);
    for (size_t i = 0; i < filter_size; i++) e->d_filter[i] += times[count] * d_filter[i];
    for (size_t i = 0; i < units; i++) e->d_bias[i] += times[count] * d_bias[i];
  }
  free(times);
  free(d_filter);
  free(d_bias);
}

static conv_expected compute(const conv_run *r) {
  const mtlf_conv2d *c = &r->conv;
  const size_t units = (size_t)c->channels_out, samples = (size_t)r->samples;
  const size_t input_size = samples * (size_t)c->height * (size_t)c->width * (size_t)c->channels_in;
  const size_t unpooled_size =
      samples * (size_t)mtlf_conv2d_output_height(c) * (size_t)mtlf_conv2d_output_width(c) * units;
  const size_t output_size = samples * (size_t)r->output_h * (size_t)r->output_w * units;
  double *input = widened(input_size, r->input), *filter = widened(r->taps * units, r->filter);
  double *bias = widened(units, r->bias), *d_output = widened(output_size, r->d_output);
  conv_expected e = {.output = zeros(output_size),
                     .d_input = zeros(input_size),
                     .d_filter = zeros(r->taps * units),
                     .d_bias = zeros(units),
                     .gate = calloc(output_size + 1, 1)};
  double *d_unpooled = d_output;
  if (!e.gate) exit(71);
  if (r->form.is_fused) {
    double *unpooled = zeros(unpooled_size);
    reference_conv2d_forward(c, input, filter, bias, 0, unpooled);
    reference_conv2d_max_pool2d_forward(c, unpooled, 1, e.output, e.gate);
    d_unpooled = unpooled;
    reference_conv2d_max_pool2d_backward(c, d_output, e.gate, d_unpooled);
    free(d_output);
  } else {
    reference_conv2d_forward(c, input, filter, bias, 1, e.output);
  }
  if (!r->layer->is_first) reference_conv2d_d_input(c, filter, d_unpooled, e.d_input);
  expect_d_filter(r, input, d_unpooled, &e);
  free(d_unpooled);
  free(input);
  free(filter);
  free(bias);
  return e;
}

const conv_expected *expected_of(const conv_run *r) {
  if (kept_count > 0 && kept[0].layer != r->layer) forget();
  for (int i = 0; i < kept_count; i++) {
    if (kept[i].samples == r->samples && kept[i].is_fused == r->form.is_fused) return &kept[i].values;
  }
  if (kept_count == KEPT) forget();
  kept[kept_count] = (kept_values){r->layer, r->samples, r->form.is_fused, compute(r)};
  return &kept[kept_count++].values;
}
