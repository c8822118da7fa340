/* SPDX-License-Identifier: Apache-2.0
 * The three passes of a dense layer, by block of the output over the whole minibatch.
 *
 *   forward   rows of samples, k over the inputs, columns of units
 *   d_input   rows of inputs, k over the units (read from the packed kernel as it lies, panel by panel), columns of samples;
 *             the result is transposed on its way out, and nothing of the kernel ever is
 *   d_kernel  outer products of inputs and d_output, summed over the samples in registers; the optimizer's update follows
 *             while the block is in L1, so that no gradient reaches memory
 *
 * Every element is summed over the minibatch (or the inputs, or the units) in order by one thread: nothing is reduced. */
#include "dense.h"

#include <string.h>

#include "../base/arithmetic.h"

int32_t mtlf_dense_row_block(const mtlf_kernels *kernels, int32_t batch) {
  const int64_t blocks = (batch + MTLF_BLOCK_ROWS / 2) / MTLF_BLOCK_ROWS;
  return (int32_t)mtlf_round_up(mtlf_divide_up(batch, blocks < 1 ? 1 : blocks), kernels->tile_rows);
}

int64_t mtlf_dense_forward_unit_count(const mtlf_kernels *kernels, int32_t batch, int32_t units) {
  return mtlf_divide_up(batch, mtlf_dense_row_block(kernels, batch)) * mtlf_divide_up(units, kernels->panel);
}

static void forward_unit(const mtlf_kernels *kernels, int32_t batch, const mtlf_view *input, const void *kernel,
                         const float *bias, int relu, const mtlf_view *output, int64_t unit) {
  const int32_t inputs = input->channels, units = output->channels;
  const int32_t panel = kernels->panel, panels = (int32_t)mtlf_divide_up(units, panel);
  const int32_t block = mtlf_dense_row_block(kernels, batch), column = (int32_t)(unit % panels) * panel;
  const int32_t first = (int32_t)(unit / panels) * block, end = (int32_t)mtlf_least(batch, first + block);
  mtlf_gemm_tile tile = {.b = (const float *)kernel + (size_t)column * (size_t)inputs,
                         .bias = bias ? bias + column : NULL,
                         .k = (size_t)inputs,
                         .segments = 1,
                         .columns = (int)mtlf_least(panel, units - column),
                         .mode = MTLF_TILE_STORE,
                         .relu = relu};
  for (int32_t n = first; n < end; n += kernels->tile_rows) {
    tile.rows = (int)mtlf_least(kernels->tile_rows, end - n);
    for (int i = 0; i < tile.rows; i++) {
      tile.a[i] = mtlf_floats(input) + (n + i) * input->sample_stride;
      tile.c[i] = mtlf_floats(output) + (n + i) * output->sample_stride + column;
    }
    kernels->gemm_tile(&tile);
  }
}

int64_t mtlf_dense_d_input_unit_count(int32_t inputs) { return mtlf_divide_up(inputs, MTLF_BLOCK_ROWS); }

/* sums [rows][panel] = kernel rows * d_output^T of one term. */
static void add_term(const mtlf_kernels *kernels, const mtlf_dense_term *term, int is_first, int32_t row, int32_t rows,
                     int32_t sample, int32_t samples, float *sums) {
  const int32_t panel = kernels->panel, units = term->units, whole = units / panel, rest = units % panel;
  const ptrdiff_t panel_floats = (ptrdiff_t)term->inputs * panel;
  mtlf_gemm_tile tile = {.b = term->d_output_packed + (size_t)sample * (size_t)units,
                         .k = (size_t)panel,
                         .segments = (size_t)whole,
                         .segment_stride = panel_floats,
                         .is_scattered = 1,
                         .rows = (int)rows,
                         .columns = (int)samples,
                         .mode = is_first ? MTLF_TILE_STORE : MTLF_TILE_ADD};
  for (int32_t i = 0; i < rows; i++) {
    tile.a[i] = (const float *)term->kernel + (ptrdiff_t)(row + i) * panel;
    tile.c[i] = sums + i * panel;
  }
  if (whole > 0) {
    kernels->gemm_tile(&tile);
    tile.mode = MTLF_TILE_ADD;
  }
  if (rest > 0) {
    for (int32_t i = 0; i < rows; i++) tile.a[i] += whole * panel_floats;
    tile.b += (size_t)whole * (size_t)panel * (size_t)panel;
    tile.k = (size_t)rest;
    tile.segments = 1;
    kernels->gemm_tile(&tile);
  }
}

static void d_input_unit(const mtlf_kernels *kernels, int32_t batch, const mtlf_dense_term *terms, int32_t term_count,
                         const mtlf_view *mask, const mtlf_view *d_input, float *packed, int64_t unit) {
  const int32_t panel = kernels->panel, inputs = d_input->channels;
  const int32_t first = (int32_t)unit * MTLF_BLOCK_ROWS, end = (int32_t)mtlf_least(inputs, first + MTLF_BLOCK_ROWS);
  const ptrdiff_t stride = d_input->sample_stride, mask_stride = mask ? mask->sample_stride : 0;
  _Alignas(MTLF_ALIGNMENT) float sums[MTLF_MAX_TILE_ROWS * MTLF_MAX_PANEL];
  for (int32_t sample = 0; sample < batch; sample += panel) {
    const int32_t samples = (int32_t)mtlf_least(panel, batch - sample);
    float *to = mtlf_floats(d_input) + sample * stride;
    const float *lets = mask ? mtlf_floats(mask) + sample * mask_stride : NULL;
    for (int32_t row = first; row < end; row += kernels->tile_rows) {
      const int32_t rows = (int32_t)mtlf_least(kernels->tile_rows, end - row);
      for (int32_t t = 0; t < term_count; t++) {
        add_term(kernels, terms + t, t == 0, row, rows, sample, samples, sums);
      }
      kernels->transpose(sums, panel, rows, samples, to + row, stride, lets ? lets + row : NULL, mask_stride);
    }
    if (packed) {
      float *copy = packed + (size_t)sample * (size_t)inputs + (size_t)first * (size_t)panel;
      kernels->transpose(to + first, stride, samples, end - first, copy, panel, NULL, 0);
    }
  }
}

int64_t mtlf_dense_d_kernel_unit_count(const mtlf_kernels *kernels, int32_t inputs, int32_t units) {
  return mtlf_divide_up(inputs, MTLF_BLOCK_ROWS) * mtlf_divide_up(units, kernels->panel);
}

mtlf_dense_rows mtlf_dense_rows_of(const mtlf_kernels *kernels, int32_t inputs, int32_t units, int64_t unit) {
  const int32_t panel = kernels->panel, panels = (int32_t)mtlf_divide_up(units, panel);
  mtlf_dense_rows b = {.column = (int32_t)(unit % panels) * panel, .first = (int32_t)(unit / panels) * MTLF_BLOCK_ROWS};
  b.end = (int32_t)mtlf_least(inputs, b.first + MTLF_BLOCK_ROWS);
  b.columns = (int)mtlf_least(panel, units - b.column);
  return b;
}

/* sums [rows][panel] = the gradient of a tile of rows of a block. */
static void sum_rows(const mtlf_kernels *kernels, int32_t batch, const mtlf_view *input, const mtlf_view *d_output,
                     const mtlf_dense_rows *b, int32_t row, int32_t rows, float *sums) {
  enum { SAMPLES = 256 };
  ptrdiff_t offset[SAMPLES];
  mtlf_outer_tile tile = {
      .offset = offset, .d_stride = d_output->sample_stride, .c = sums, .rows = (int)rows, .columns = b->columns};
  for (int32_t n = 0; n < batch; n += SAMPLES) {
    tile.count = (size_t)mtlf_least(SAMPLES, batch - n);
    for (size_t i = 0; i < tile.count; i++) offset[i] = (ptrdiff_t)i * input->sample_stride;
    tile.a = mtlf_floats(input) + n * input->sample_stride + row;
    tile.d = mtlf_floats(d_output) + n * d_output->sample_stride + b->column;
    tile.accumulate = n > 0;
    kernels->outer_tile(&tile);
  }
}

/* sums [panel] = the gradient of a block's bias, zero beyond its columns. */
static void sum_bias(const mtlf_kernels *kernels, int32_t batch, const mtlf_view *d_output, const mtlf_dense_rows *b,
                     float *sums) {
  memset(sums, 0, (size_t)kernels->panel * sizeof *sums);
  kernels->column_sums(mtlf_floats(d_output) + b->column, d_output->sample_stride, (size_t)batch, sums,
                       (size_t)b->columns);
}

static void d_kernel_unit(const mtlf_kernels *kernels, int32_t batch, const mtlf_view *input, const mtlf_view *d_output,
                          float *d_kernel, float *d_bias, int64_t unit) {
  const int32_t inputs = input->channels, panel = kernels->panel;
  const mtlf_dense_rows b = mtlf_dense_rows_of(kernels, inputs, d_output->channels, unit);
  _Alignas(MTLF_ALIGNMENT) float sums[MTLF_MAX_PANEL];
  for (int32_t row = b.first; row < b.end; row += kernels->tile_rows) {
    sum_rows(kernels, batch, input, d_output, &b, row, (int32_t)mtlf_least(kernels->tile_rows, b.end - row),
             d_kernel + (size_t)b.column * (size_t)inputs + (size_t)row * (size_t)panel);
  }
  if (b.first > 0 || !d_bias) return;
  sum_bias(kernels, batch, d_output, &b, sums);
  memcpy(d_bias + b.column, sums, (size_t)b.columns * sizeof *sums);
}

/* Asks for values and their slots, which the update will want when their gradient is summed up. */
static void prefetch(const mtlf_parameter *parameter, size_t at, size_t floats) {
  const float *parts[] = {parameter->values, parameter->slot[0], parameter->slot[1]};
  for (int i = 0; i < 3; i++) {
    if (!parts[i]) continue;
    for (size_t f = 0; f < floats; f += 16) __builtin_prefetch(parts[i] + at + f, 1, 3);
  }
}

static int update_unit(const mtlf_kernels *kernels, int32_t batch, const mtlf_view *input, const mtlf_view *d_output,
                       const mtlf_update *update, const mtlf_parameter *kernel, const mtlf_parameter *bias,
                       int64_t unit) {
  const int32_t inputs = input->channels, panel = kernels->panel;
  const mtlf_dense_rows b = mtlf_dense_rows_of(kernels, inputs, d_output->channels, unit);
  _Alignas(MTLF_ALIGNMENT) float sums[MTLF_MAX_TILE_ROWS * MTLF_MAX_PANEL];
  int is_bad = 0;
  for (int32_t row = b.first; row < b.end; row += kernels->tile_rows) {
    const size_t at = (size_t)b.column * (size_t)inputs + (size_t)row * (size_t)panel;
    const int32_t rows = (int32_t)mtlf_least(kernels->tile_rows, b.end - row);
    prefetch(kernel, at, (size_t)(rows * panel));
    sum_rows(kernels, batch, input, d_output, &b, row, rows, sums);
    is_bad |= mtlf_update_values(kernels, update, kernel, at, sums, (size_t)(rows * panel));
  }
  if (b.first > 0) return is_bad;
  sum_bias(kernels, batch, d_output, &b, sums);
  return is_bad | mtlf_update_values(kernels, update, bias, (size_t)b.column, sums, (size_t)panel);
}

void mtlf_pack_samples(const mtlf_kernels *kernels, const mtlf_view *rows, int32_t first, int32_t samples,
                       float *packed) {
  const int32_t panel = kernels->panel, units = rows->channels;
  for (int32_t done = 0; done < samples;) {
    const int32_t lane = (first + done) % panel, start = first + done - lane;
    const int32_t count = (int32_t)mtlf_least(samples - done, panel - lane);
    kernels->transpose(mtlf_floats(rows) + done * rows->sample_stride, rows->sample_stride, count, units,
                       packed + (size_t)start * (size_t)units + lane, panel, NULL, 0);
    done += count;
  }
}

const mtlf_dense_passes mtlf_dense_f32 = {
    .forward_unit = forward_unit,
    .d_input_unit = d_input_unit,
    .d_kernel_unit = d_kernel_unit,
    .update_unit = update_unit,
};
