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
#include <string.h>

#include "impl.h"

/* Blocks of about MTLF_BLOCK_ROWS samples, equally long to a tile. */
int32_t mtlf_dense_row_block(const mtlf_kernels *kernels, int32_t batch) {
  const int64_t blocks = (batch + MTLF_BLOCK_ROWS / 2) / MTLF_BLOCK_ROWS;
  return (int32_t)mtlf_round_up(mtlf_divide_up(batch, blocks < 1 ? 1 : blocks), kernels->tile_rows);
}

int64_t mtlf_dense_forward_units(const mtlf_kernels *kernels, int32_t batch, int32_t units) {
  return mtlf_divide_up(batch, mtlf_dense_row_block(kernels, batch)) * mtlf_divide_up(units, kernels->panel);
}

void mtlf_dense_forward_unit(const mtlf_kernels *kernels, int32_t batch, int32_t inputs, int32_t units,
                             const float *input, ptrdiff_t input_stride, const float *kernel, const float *bias,
                             int relu, float *output, ptrdiff_t output_stride, int64_t unit) {
  const int32_t panel = kernels->panel, panels = (int32_t)mtlf_divide_up(units, panel);
  const int32_t block = mtlf_dense_row_block(kernels, batch), column = (int32_t)(unit % panels) * panel;
  const int32_t first = (int32_t)(unit / panels) * block, end = (int32_t)mtlf_least(batch, first + block);
  mtlf_gemm_tile tile = {.b = kernel + (size_t)column * (size_t)inputs,
                         .bias = bias ? bias + column : NULL,
                         .k = (size_t)inputs,
                         .segments = 1,
                         .columns = (int)mtlf_least(panel, units - column),
                         .mode = MTLF_TILE_STORE,
                         .relu = relu};
  for (int32_t n = first; n < end; n += kernels->tile_rows) {
    tile.rows = (int)mtlf_least(kernels->tile_rows, end - n);
    for (int i = 0; i < tile.rows; i++) {
      tile.a[i] = input + (n + i) * input_stride;
      tile.c[i] = output + (n + i) * output_stride + column;
    }
    kernels->gemm_tile(&tile);
  }
}

int64_t mtlf_dense_d_input_units(int32_t inputs) { return mtlf_divide_up(inputs, MTLF_BLOCK_ROWS); }

/* sums [rows][panel] = kernel rows * d_output^T of one term. */
static void add_term(const mtlf_kernels *kernels, const mtlf_dense_term *term, int is_first, int32_t row, int32_t rows,
                     int32_t sample, int32_t samples, float *sums) {
  const int32_t panel = kernels->panel, units = term->weight->units, whole = units / panel, rest = units % panel;
  const ptrdiff_t panel_floats = (ptrdiff_t)term->weight->inputs * panel;
  mtlf_gemm_tile tile = {.b = term->d_output_packed + (size_t)sample * (size_t)units,
                         .k = (size_t)panel,
                         .segments = (size_t)whole,
                         .segment_stride = panel_floats,
                         .is_scattered = 1,
                         .rows = (int)rows,
                         .columns = (int)samples,
                         .mode = is_first ? MTLF_TILE_STORE : MTLF_TILE_ADD};
  for (int32_t i = 0; i < rows; i++) {
    tile.a[i] = term->weight->kernel + (ptrdiff_t)(row + i) * panel;
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

void mtlf_dense_d_input_unit(const mtlf_kernels *kernels, int32_t batch, int32_t inputs, const mtlf_dense_term *terms,
                             int32_t term_count, const float *mask, ptrdiff_t mask_stride, float *d_input,
                             ptrdiff_t d_input_stride, float *packed, int64_t unit) {
  const int32_t panel = kernels->panel;
  const int32_t first = (int32_t)unit * MTLF_BLOCK_ROWS, end = (int32_t)mtlf_least(inputs, first + MTLF_BLOCK_ROWS);
  _Alignas(MTLF_ALIGNMENT) float sums[MTLF_MAX_TILE_ROWS * MTLF_MAX_PANEL];
  for (int32_t sample = 0; sample < batch; sample += panel) {
    const int32_t samples = (int32_t)mtlf_least(panel, batch - sample);
    for (int32_t row = first; row < end; row += kernels->tile_rows) {
      const int32_t rows = (int32_t)mtlf_least(kernels->tile_rows, end - row);
      for (int32_t t = 0; t < term_count; t++) {
        add_term(kernels, terms + t, t == 0, row, rows, sample, samples, sums);
      }
      kernels->transpose(sums, panel, rows, samples, d_input + sample * d_input_stride + row, d_input_stride,
                         mask ? mask + sample * mask_stride + row : NULL, mask_stride);
    }
    if (packed) {
      float *to = packed + (size_t)sample * (size_t)inputs + (size_t)first * (size_t)panel;
      kernels->transpose(d_input + sample * d_input_stride + first, d_input_stride, samples, end - first, to, panel,
                         NULL, 0);
    }
  }
}

/* Asks for a block of a weight and its slots, which the update will want when the block's gradient is summed up. */
static void prefetch_weight(const mtlf_weight *weight, size_t at, size_t floats) {
  const float *parts[] = {weight->kernel, weight->kernel_slot[0], weight->kernel_slot[1]};
  for (int i = 0; i < 3; i++) {
    if (!parts[i]) continue;
    for (size_t f = 0; f < floats; f += 16) __builtin_prefetch(parts[i] + at + f, 1, 3);
  }
}

int64_t mtlf_dense_d_kernel_units(const mtlf_kernels *kernels, int32_t inputs, int32_t units) {
  return mtlf_divide_up(inputs, MTLF_BLOCK_ROWS) * mtlf_divide_up(units, kernels->panel);
}

int mtlf_dense_d_kernel_unit(const mtlf_kernels *kernels, int32_t batch, int32_t inputs, int32_t units,
                             const float *input, ptrdiff_t input_stride, const float *d_output,
                             ptrdiff_t d_output_stride, float *d_kernel, float *d_bias, const mtlf_weight *weight,
                             const mtlf_step *step, const mtlf_update_scalars *update, int64_t unit) {
  enum { SAMPLES = 256 };
  const int32_t panel = kernels->panel, panels = (int32_t)mtlf_divide_up(units, panel);
  const int32_t column = (int32_t)(unit % panels) * panel;
  const int32_t first = (int32_t)(unit / panels) * MTLF_BLOCK_ROWS;
  const int32_t end = (int32_t)mtlf_least(inputs, first + MTLF_BLOCK_ROWS);
  const int columns = (int)mtlf_least(panel, units - column);
  _Alignas(MTLF_ALIGNMENT) float gradient[MTLF_MAX_TILE_ROWS * MTLF_MAX_PANEL];
  ptrdiff_t offset[SAMPLES];
  int is_bad = 0;
  const mtlf_update_scalars without_decay = update ? mtlf_without_decay(update) : (mtlf_update_scalars){0};
  for (int32_t row = first; row < end; row += kernels->tile_rows) {
    const size_t at = (size_t)column * (size_t)inputs + (size_t)row * (size_t)panel;
    mtlf_outer_tile tile = {.offset = offset,
                            .d_stride = d_output_stride,
                            .c = update ? gradient : d_kernel + at,
                            .rows = (int)mtlf_least(kernels->tile_rows, end - row),
                            .columns = columns};
    if (update) prefetch_weight(weight, at, (size_t)(tile.rows * panel));
    for (int32_t n = 0; n < batch; n += SAMPLES) {
      tile.count = (size_t)mtlf_least(SAMPLES, batch - n);
      for (size_t i = 0; i < tile.count; i++) offset[i] = (ptrdiff_t)i * input_stride;
      tile.a = input + n * input_stride + row;
      tile.d = d_output + n * d_output_stride + column;
      tile.accumulate = n > 0;
      kernels->outer_tile(&tile);
    }
    if (update) {
      is_bad |= mtlf_update(kernels, step, weight->no_decay ? &without_decay : update, weight->kernel + at,
                            weight->kernel_slot[0] + at, weight->kernel_slot[1] ? weight->kernel_slot[1] + at : NULL,
                            gradient, (size_t)(tile.rows * panel));
    }
  }
  if (first > 0 || (!update && !d_bias)) return is_bad;
  memset(gradient, 0, (size_t)panel * sizeof *gradient);
  kernels->column_sums(d_output + column, d_output_stride, (size_t)batch, gradient, (size_t)columns);
  if (update) {
    is_bad |= mtlf_update(kernels, step, &without_decay, weight->bias + column, weight->bias_slot[0] + column,
                          weight->bias_slot[1] ? weight->bias_slot[1] + column : NULL, gradient, (size_t)panel);
  } else {
    memcpy(d_bias + column, gradient, (size_t)columns * sizeof *gradient);
  }
  return is_bad;
}

void mtlf_pack_samples(const mtlf_kernels *kernels, int32_t units, const float *rows, ptrdiff_t row_stride,
                       int32_t first, int32_t samples, float *packed) {
  const int32_t panel = kernels->panel;
  for (int32_t done = 0; done < samples;) {
    const int32_t lane = (first + done) % panel, start = first + done - lane;
    const int32_t count = (int32_t)mtlf_least(samples - done, panel - lane);
    kernels->transpose(rows + done * row_stride, row_stride, count, units,
                       packed + (size_t)start * (size_t)units + lane, panel, NULL, 0);
    done += count;
  }
}
