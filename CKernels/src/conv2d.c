/* SPDX-License-Identifier: Apache-2.0
 * The three passes of a convolution over buffers that hold every window (halo included).
 *
 * In NHWC the taps of one filter row are KW*C_in neighbouring floats, so that a convolution is a sum over KH of matrix
 * products whose rows overlap in memory. Pixels are worked on in strips of MTLF_STRIP, which may run over several images;
 * a strip's pixels are a list of offsets, from which the register tiles take as many rows as they have.
 *
 *   forward   rows of pixels, k over the window, columns of units
 *   d_input   rows of pixels of d_output, k over units, columns of the window: added to d_input where the window lies, so
 *             that no tap outside an image is ever computed
 *   d_filter  outer products of windows and d_output, summed over the pixels of a strip in registers
 *
 * Behind a fused pool d_output is the pooled gradient and its gate; a strip of it is spread out in the workspace (MTLF_STRIP
 * x units floats), so that the gradient before the pool, of which three quarters are zero, never reaches memory.
 * On the im2col path the windows of a strip are copied into rows first (in the workspace too, MTLF_STRIP x KH*KW*C_in
 * floats); forward and d_filter sum in the same order. */
#include <string.h>

#include "impl.h"

/* Offsets of pixels first...first+count of a batch, with these steps between samples, image rows and pixels. */
static void list_pixels(const mtlf_conv_shape *s, int64_t first, int32_t count, ptrdiff_t sample_step,
                        ptrdiff_t row_step, ptrdiff_t pixel_step, ptrdiff_t *offset) {
  const int32_t group = s->windows ? 4 : 1, span = s->windows ? 2 : 1;
  const int32_t high = s->output_h / span, wide = s->output_w / span;
  const int64_t index = first / group, per_sample = (int64_t)high * wide;
  ptrdiff_t sample = (ptrdiff_t)(index / per_sample);
  int32_t y = (int32_t)(index % per_sample) / wide, x = (int32_t)(index % per_sample) % wide;
  for (int32_t i = 0; i < count; i += group) {
    const ptrdiff_t at = sample * sample_step + y * span * row_step + x * span * pixel_step;
    offset[i] = at;
    if (s->windows) {
      offset[i + 1] = at + pixel_step;
      offset[i + 2] = at + row_step;
      offset[i + 3] = at + row_step + pixel_step;
    }
    if (++x == wide) {
      x = 0;
      if (++y == high) {
        y = 0;
        sample++;
      }
    }
  }
}

static void list_input_pixels(const mtlf_conv_shape *s, mtlf_images input, int64_t first, int32_t count,
                              ptrdiff_t *offset) {
  list_pixels(s, first, count, input.sample_stride, input.row_stride * s->stride_h,
              (ptrdiff_t)s->stride_w * s->channels_in, offset);
}

/* Copies the windows of a strip into rows of kernel_h * window floats and points the offsets at them. */
static void gather_windows(const mtlf_conv_shape *s, mtlf_images input, int32_t count, ptrdiff_t *offset, float *rows) {
  const size_t bytes = (size_t)s->window * sizeof(float);
  float *to = rows;
  for (int32_t i = 0; i < count; i++) {
    const float *from = input.data + offset[i];
    offset[i] = to - rows;
    for (int32_t r = 0; r < s->kernel_h; r++, from += input.row_stride, to += s->window) memcpy(to, from, bytes);
  }
}

/* The strip's part of d_output as [count][units]. */
static const float *spread_d_output(const mtlf_kernels *kernels, const mtlf_conv_shape *s, mtlf_d_output d,
                                    int64_t first, int32_t count, float *spread) {
  if (!d.gate) return d.images.data + (size_t)first * (size_t)s->units;
  const mtlf_conv_shape pooled = {.output_h = s->output_h / 2, .output_w = s->output_w / 2};
  ptrdiff_t from[MTLF_STRIP / 4], gate[MTLF_STRIP / 4];
  list_pixels(&pooled, first / 4, count / 4, d.images.sample_stride, d.images.row_stride, s->units, from);
  list_pixels(&pooled, first / 4, count / 4, d.gate_stride, (ptrdiff_t)pooled.output_w * s->units, s->units, gate);
  for (int32_t i = 0; i < count / 4; i++) {
    kernels->unpool(d.images.data + from[i], d.gate + gate[i], spread + (size_t)(4 * i) * (size_t)s->units,
                    (size_t)s->units);
  }
  return spread;
}

static int64_t pixel_count(const mtlf_conv_shape *s, int32_t samples) {
  return (int64_t)samples * s->output_h * s->output_w;
}

void mtlf_conv_forward(const mtlf_kernels *kernels, const mtlf_conv_shape *s, int32_t samples, mtlf_images input,
                       const float *kernel, const float *bias, int relu, mtlf_images output, uint8_t *gate,
                       ptrdiff_t gate_stride, float *workspace) {
  const int64_t pixels = pixel_count(s, samples);
  const int32_t inputs = s->kernel_h * s->window, panel = kernels->panel;
  const int32_t rows = gate ? kernels->pool_rows : kernels->tile_rows, group = gate ? 4 : 1;
  const mtlf_conv_shape pooled = {.output_h = s->output_h / 2, .output_w = s->output_w / 2};
  ptrdiff_t from[MTLF_STRIP], to[MTLF_STRIP], gate_to[MTLF_STRIP / 4];
  mtlf_gemm_tile tile = {.k = (size_t)s->window,
                         .segments = (size_t)s->kernel_h,
                         .segment_stride = input.row_stride,
                         .mode = gate ? MTLF_TILE_POOL : MTLF_TILE_STORE,
                         .relu = relu};
  if (s->path == MTLF_CONV_IM2COL) {
    tile.k = (size_t)inputs;
    tile.segments = 1;
  }
  for (int64_t first = 0; first < pixels; first += MTLF_STRIP) {
    const int32_t count = (int32_t)mtlf_least(MTLF_STRIP, pixels - first);
    const float *base = input.data;
    list_input_pixels(s, input, first, count, from);
    if (s->path == MTLF_CONV_IM2COL) {
      gather_windows(s, input, count, from, workspace);
      base = workspace;
    }
    const mtlf_conv_shape *target = gate ? &pooled : s;
    list_pixels(target, first / group, count / group, output.sample_stride, output.row_stride, s->units, to);
    if (gate) {
      list_pixels(target, first / 4, count / 4, gate_stride, (ptrdiff_t)pooled.output_w * s->units, s->units, gate_to);
    }
    for (int32_t unit = 0; unit < s->units; unit += panel) {
      tile.b = kernel + (size_t)unit * (size_t)inputs;
      tile.bias = bias ? bias + unit : NULL;
      tile.columns = (int)mtlf_least(panel, s->units - unit);
      for (int32_t p = 0; p < count; p += rows) {
        tile.rows = (int)mtlf_least(rows, count - p);
        for (int i = 0; i < tile.rows; i++) tile.a[i] = base + from[p + i];
        for (int i = 0; i < tile.rows / group; i++) {
          tile.c[i] = output.data + to[p / group + i] + unit;
          if (gate) tile.gate[i] = gate + gate_to[p / group + i] + unit;
        }
        kernels->gemm_tile(&tile);
      }
    }
  }
}

/* Adds the tile rows in `rows` ([count][kernel_h * window]) to their windows: the transpose of gather_windows. */
static void scatter_windows(const mtlf_kernels *kernels, const mtlf_conv_shape *s, mtlf_images d_input, int32_t count,
                            const ptrdiff_t *offset, const float *rows) {
  for (int32_t i = 0; i < count; i++) {
    for (int32_t r = 0; r < s->kernel_h; r++, rows += s->window) {
      kernels->add(rows, d_input.data + offset[i] + r * d_input.row_stride, (size_t)s->window);
    }
  }
}

void mtlf_conv_d_input(const mtlf_kernels *kernels, const mtlf_conv_shape *s, int32_t samples, mtlf_d_output d_output,
                       const float *transposed, mtlf_images d_input, float *workspace) {
  const int64_t pixels = pixel_count(s, samples);
  const int32_t inputs = s->kernel_h * s->window, panel = kernels->panel, rows = kernels->tile_rows;
  const int im2col = s->path == MTLF_CONV_IM2COL;
  float *spread = workspace + (im2col ? (size_t)MTLF_STRIP * (size_t)inputs : 0);
  ptrdiff_t to[MTLF_STRIP];
  mtlf_gemm_tile tile = {.k = (size_t)s->units, .segments = 1, .mode = im2col ? MTLF_TILE_STORE : MTLF_TILE_ADD};
  for (int64_t first = 0; first < pixels; first += MTLF_STRIP) {
    const int32_t count = (int32_t)mtlf_least(MTLF_STRIP, pixels - first);
    const float *from = spread_d_output(kernels, s, d_output, first, count, spread);
    list_input_pixels(s, d_input, first, count, to);
    tile.b = transposed;
    for (int32_t r = 0; r < s->kernel_h; r++) {
      for (int32_t column = 0; column < s->window; column += panel, tile.b += (size_t)s->units * (size_t)panel) {
        tile.columns = (int)mtlf_least(panel, s->window - column);
        for (int32_t p = 0; p < count; p += rows) {
          tile.rows = (int)mtlf_least(rows, count - p);
          for (int i = 0; i < tile.rows; i++) {
            tile.a[i] = from + (size_t)(p + i) * (size_t)s->units;
            tile.c[i] = im2col ? workspace + (size_t)(p + i) * (size_t)inputs + r * s->window + column
                               : d_input.data + to[p + i] + r * d_input.row_stride + column;
          }
          kernels->gemm_tile(&tile);
        }
      }
    }
    if (im2col) scatter_windows(kernels, s, d_input, count, to, workspace);
  }
}

void mtlf_conv_d_filter(const mtlf_kernels *kernels, const mtlf_conv_shape *s, int32_t samples, mtlf_images input,
                        mtlf_d_output d_output, float *gradient, float *bias_gradient, int accumulate,
                        float *workspace) {
  const int64_t pixels = pixel_count(s, samples);
  const int32_t inputs = s->kernel_h * s->window, panel = kernels->panel;
  /* After im2col a row of the strip holds all taps, so that tiles run across filter rows. */
  const int im2col = s->path == MTLF_CONV_IM2COL;
  const int32_t segments = im2col ? 1 : s->kernel_h, segment = im2col ? inputs : s->window;
  float *spread = workspace + (im2col ? (size_t)MTLF_STRIP * (size_t)inputs : 0);
  ptrdiff_t from[MTLF_STRIP];
  if (!accumulate) memset(bias_gradient, 0, (size_t)s->units * sizeof(float));
  for (int64_t first = 0; first < pixels; first += MTLF_STRIP) {
    const int32_t count = (int32_t)mtlf_least(MTLF_STRIP, pixels - first);
    const float *base = input.data, *d = spread_d_output(kernels, s, d_output, first, count, spread);
    list_input_pixels(s, input, first, count, from);
    if (im2col) {
      gather_windows(s, input, count, from, workspace);
      base = workspace;
    }
    mtlf_outer_tile tile = {
        .offset = from, .d_stride = s->units, .count = (size_t)count, .accumulate = accumulate || first > 0};
    for (int32_t unit = 0; unit < s->units; unit += panel) {
      float *to = gradient + (size_t)unit * (size_t)inputs;
      tile.d = d + unit;
      tile.columns = (int)mtlf_least(panel, s->units - unit);
      for (int32_t r = 0; r < segments; r++) {
        for (int32_t i = 0; i < segment; i += kernels->tile_rows) {
          tile.rows = (int)mtlf_least(kernels->tile_rows, segment - i);
          tile.a = base + r * input.row_stride + i;
          tile.c = to + (size_t)(r * segment + i) * (size_t)panel;
          kernels->outer_tile(&tile);
        }
      }
    }
    kernels->column_sums(d, s->units, (size_t)count, bias_gradient, (size_t)s->units);
  }
}

size_t mtlf_transposed_floats(const mtlf_kernels *kernels, int64_t inputs, int64_t units, int64_t window) {
  return (size_t)(inputs / window * mtlf_round_up(window, kernels->panel) * units);
}

void mtlf_transpose_rows(const mtlf_kernels *kernels, int32_t window, int32_t units, const float *from, int32_t first,
                         int32_t rows, int32_t panel, float *transposed) {
  const int32_t wide = kernels->panel, unit = panel * wide;
  const int32_t columns = (int32_t)mtlf_least(wide, units - unit);
  const size_t row_panels = (size_t)mtlf_divide_up(window, wide), block = (size_t)units * (size_t)wide;
  while (rows > 0) {
    /* As many rows as lie in one filter row and one panel of the transposed form. */
    const int32_t r = first / window, in_row = first % window, lane = in_row % wide;
    int32_t count = (int32_t)mtlf_least(rows, wide - lane);
    count = (int32_t)mtlf_least(count, window - in_row);
    float *to =
        transposed + ((size_t)r * row_panels + (size_t)(in_row / wide)) * block + (size_t)unit * (size_t)wide + lane;
    kernels->transpose(from, wide, count, columns, to, wide, NULL, 0);
    from += (size_t)count * (size_t)wide;
    first += count;
    rows -= count;
  }
}
