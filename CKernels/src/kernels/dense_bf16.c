/* SPDX-License-Identifier: Apache-2.0
 * The passes of dense.c on bfloat16, in plain C on every instruction set.
 *
 * A product of two bfloat16 is exact in fp32; sums run in fp32 in the order of dense.c, and what is stored as bfloat16 is
 * rounded once, from the whole sum. Kernels are packed panels whose elements are bfloat16. */
#include <string.h>

#include "../base/arithmetic.h"
#include "dense.h"

static float value_at(const mtlf_view *view, ptrdiff_t at) {
  float value;
  return *mtlf_read(view, at, 1, &value);
}

/* sums[j] += x * row[j], j < n */
static void add_scaled(float x, const uint16_t *row, float *sums, int32_t n) {
  for (int32_t j = 0; j < n; j++) sums[j] += x * mtlf_f32_of_bf16(row[j]);
}

static void store(const mtlf_view *view, ptrdiff_t at, const float *sums, int32_t n) {
  if (view->element == MTLF_F32) {
    memcpy(mtlf_floats(view) + at, sums, (size_t)n * sizeof *sums);
  } else {
    mtlf_put(view, at, (size_t)n, sums);
  }
}

static void forward_unit(const mtlf_kernels *kernels, int32_t batch, const mtlf_view *input, const void *kernel,
                         const float *bias, int relu, const mtlf_view *output, int64_t unit) {
  const int32_t inputs = input->channels, units = output->channels;
  const int32_t panel = kernels->panel, panels = (int32_t)mtlf_divide_up(units, panel);
  const int32_t block = mtlf_dense_row_block(kernels, batch), column = (int32_t)(unit % panels) * panel;
  const int32_t first = (int32_t)(unit / panels) * block, end = (int32_t)mtlf_least(batch, first + block);
  const int32_t columns = (int32_t)mtlf_least(panel, units - column);
  const uint16_t *rows = (const uint16_t *)kernel + (size_t)column * (size_t)inputs;
  float sums[MTLF_MAX_PANEL];
  for (int32_t n = first; n < end; n++) {
    for (int32_t j = 0; j < columns; j++) sums[j] = bias ? bias[column + j] : 0.0f;
    for (int32_t k = 0; k < inputs; k++) {
      add_scaled(value_at(input, n * input->sample_stride + k), rows + (size_t)k * (size_t)panel, sums, columns);
    }
    /* NaN stays. */
    for (int32_t j = 0; relu && j < columns; j++) sums[j] = sums[j] < 0.0f ? 0.0f : sums[j];
    store(output, n * output->sample_stride + column, sums, columns);
  }
}

/* One element of d_output * kernel^T. */
static float product(const mtlf_dense_term *term, int32_t panel, int32_t sample, int32_t row) {
  const uint16_t *kernel = (const uint16_t *)term->kernel + (size_t)row * (size_t)panel;
  const size_t panel_elements = (size_t)term->inputs * (size_t)panel;
  float sum = 0;
  for (int32_t u = 0; u < term->units; u++) {
    const float w = mtlf_f32_of_bf16(kernel[(size_t)(u / panel) * panel_elements + (size_t)(u % panel)]);
    sum += value_at(&term->d_output, sample * term->d_output.sample_stride + u) * w;
  }
  return sum;
}

static void d_input_unit(const mtlf_kernels *kernels, int32_t batch, const mtlf_dense_term *terms, int32_t term_count,
                         const mtlf_view *mask, const mtlf_view *d_input, float *packed, int64_t unit) {
  const int32_t panel = kernels->panel, inputs = d_input->channels;
  const int32_t first = (int32_t)unit * MTLF_BLOCK_ROWS, end = (int32_t)mtlf_least(inputs, first + MTLF_BLOCK_ROWS);
  float sums[MTLF_BLOCK_ROWS];
  for (int32_t sample = 0; sample < batch; sample++) {
    for (int32_t row = first; row < end; row++) {
      float sum = 0;
      for (int32_t t = 0; t < term_count; t++) sum += product(terms + t, panel, sample, row);
      if (mask && !(value_at(mask, sample * mask->sample_stride + row) > 0)) sum = 0;
      sums[row - first] = sum;
    }
    store(d_input, sample * d_input->sample_stride + first, sums, end - first);
    if (!packed) continue;
    float *to = packed + (size_t)(sample / panel) * (size_t)inputs * (size_t)panel + sample % panel;
    for (int32_t row = first; row < end; row++) {
      to[(size_t)row * (size_t)panel] = value_at(d_input, sample * d_input->sample_stride + row);
    }
  }
}

/* sums [panel] = the gradient of one input's row of a panel. */
static void sum_row(int32_t batch, const mtlf_view *input, const mtlf_view *d_output, const mtlf_dense_rows *b,
                    int32_t row, float *sums, int32_t panel) {
  memset(sums, 0, (size_t)panel * sizeof *sums);
  for (int32_t n = 0; n < batch; n++) {
    const float x = value_at(input, n * input->sample_stride + row);
    const ptrdiff_t at = n * d_output->sample_stride + b->column;
    for (int j = 0; j < b->columns; j++) sums[j] += x * value_at(d_output, at + j);
  }
}

static void sum_bias(int32_t batch, const mtlf_view *d_output, const mtlf_dense_rows *b, float *sums, int32_t panel) {
  memset(sums, 0, (size_t)panel * sizeof *sums);
  for (int32_t n = 0; n < batch; n++) {
    const ptrdiff_t at = n * d_output->sample_stride + b->column;
    for (int j = 0; j < b->columns; j++) sums[j] += value_at(d_output, at + j);
  }
}

static void d_kernel_unit(const mtlf_kernels *kernels, int32_t batch, const mtlf_view *input, const mtlf_view *d_output,
                          float *d_kernel, float *d_bias, int64_t unit) {
  const int32_t inputs = input->channels, panel = kernels->panel;
  const mtlf_dense_rows b = mtlf_dense_rows_of(kernels, inputs, d_output->channels, unit);
  float sums[MTLF_MAX_PANEL];
  for (int32_t row = b.first; row < b.end; row++) {
    sum_row(batch, input, d_output, &b, row, d_kernel + (size_t)b.column * (size_t)inputs + (size_t)row * (size_t)panel,
            panel);
  }
  if (b.first > 0 || !d_bias) return;
  sum_bias(batch, d_output, &b, sums, panel);
  memcpy(d_bias + b.column, sums, (size_t)b.columns * sizeof *sums);
}

static int update_unit(const mtlf_kernels *kernels, int32_t batch, const mtlf_view *input, const mtlf_view *d_output,
                       const mtlf_update *update, const mtlf_parameter *kernel, const mtlf_parameter *bias,
                       int64_t unit) {
  const int32_t inputs = input->channels, panel = kernels->panel;
  const mtlf_dense_rows b = mtlf_dense_rows_of(kernels, inputs, d_output->channels, unit);
  float sums[MTLF_MAX_PANEL];
  int is_bad = 0;
  for (int32_t row = b.first; row < b.end; row++) {
    sum_row(batch, input, d_output, &b, row, sums, panel);
    is_bad |= mtlf_update_values(kernels, update, kernel,
                                 (size_t)b.column * (size_t)inputs + (size_t)row * (size_t)panel, sums, (size_t)panel);
  }
  if (b.first > 0) return is_bad;
  sum_bias(batch, d_output, &b, sums, panel);
  return is_bad | mtlf_update_values(kernels, update, bias, (size_t)b.column, sums, (size_t)panel);
}

const mtlf_dense_passes mtlf_dense_bf16 = {
    .forward_unit = forward_unit,
    .d_input_unit = d_input_unit,
    .d_kernel_unit = d_kernel_unit,
    .update_unit = update_unit,
};
