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
 * x units floats), so that the gradient before the pool, of which three quarters are zero, never reaches memory. */
#include <string.h>

#include "../base/arithmetic.h"
#include "conv2d_strip.h"

mtlf_conv_shape mtlf_conv_shape_of(const mtlf_window *window, int32_t samples, const mtlf_view *images,
                                   const mtlf_view *outputs, int is_pooled) {
  const int32_t scale = is_pooled ? 2 : 1;
  return (mtlf_conv_shape){.output_h = scale * outputs->height,
                           .output_w = scale * outputs->width,
                           .kernel_h = window->kernel_h,
                           .window = window->kernel_w * images->channels,
                           .channels_in = images->channels,
                           .units = outputs->channels,
                           .stride_h = window->stride_h,
                           .stride_w = window->stride_w,
                           .windows = is_pooled,
                           .pixels = (int64_t)samples * scale * outputs->height * scale * outputs->width};
}

float *mtlf_conv_first_tap(const mtlf_window *window, const mtlf_view *images) {
  return mtlf_floats(images) - window->pad_top * images->row_stride - (ptrdiff_t)window->pad_left * images->channels;
}

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

void mtlf_conv_list_windows(const mtlf_conv_shape *s, const mtlf_view *images, int64_t first, int32_t count,
                            ptrdiff_t *offset) {
  list_pixels(s, first, count, images->sample_stride, images->row_stride * s->stride_h,
              (ptrdiff_t)s->stride_w * s->channels_in, offset);
}

/* Offsets in a pooled output or d_output, and in its gate, which has no gaps. */
static void list_pooled(const mtlf_conv_shape *s, const mtlf_view *outputs, int64_t first, int32_t count,
                        ptrdiff_t *offset, ptrdiff_t *gate) {
  const mtlf_conv_shape pooled = {.output_h = outputs->height, .output_w = outputs->width};
  const ptrdiff_t row = (ptrdiff_t)outputs->width * s->units;
  list_pixels(&pooled, first / 4, count / 4, outputs->sample_stride, outputs->row_stride, s->units, offset);
  list_pixels(&pooled, first / 4, count / 4, outputs->height * row, row, s->units, gate);
}

const float *mtlf_conv_spread_d_output(const mtlf_kernels *kernels, const mtlf_conv_shape *s, const mtlf_view *d_output,
                                       const uint8_t *gate, int64_t first, int32_t count, float *spread) {
  const float *d = mtlf_floats(d_output);
  if (!gate) return d + (size_t)first * (size_t)s->units;
  ptrdiff_t from[MTLF_STRIP / 4], gate_from[MTLF_STRIP / 4];
  list_pooled(s, d_output, first, count, from, gate_from);
  for (int32_t i = 0; i < count / 4; i++) {
    kernels->unpool(d + from[i], gate + gate_from[i], spread + (size_t)(4 * i) * (size_t)s->units, (size_t)s->units);
  }
  return spread;
}

/* ---- forward ---- */

void mtlf_conv_forward_strip(const mtlf_kernels *kernels, const mtlf_conv_shape *s, const mtlf_conv_windows *windows,
                             int64_t first, int32_t count, const float *kernel, const float *bias, int relu,
                             const mtlf_view *output, uint8_t *gate) {
  const int32_t inputs = s->kernel_h * s->window, panel = kernels->panel;
  const int32_t rows = gate ? kernels->pool_rows : kernels->tile_rows, group = gate ? 4 : 1;
  const float *base = windows->base;
  const ptrdiff_t *from = windows->offset;
  float *to_base = mtlf_floats(output);
  ptrdiff_t to[MTLF_STRIP], gate_to[MTLF_STRIP / 4];
  mtlf_gemm_tile tile = {.k = (size_t)windows->segment,
                         .segments = (size_t)windows->segments,
                         .segment_stride = windows->segment_stride,
                         .mode = gate ? MTLF_TILE_POOL : MTLF_TILE_STORE,
                         .relu = relu};
  if (gate) {
    list_pooled(s, output, first, count, to, gate_to);
  } else {
    list_pixels(s, first, count, output->sample_stride, output->row_stride, s->units, to);
  }
  for (int32_t unit = 0; unit < s->units; unit += panel) {
    tile.b = kernel + (size_t)unit * (size_t)inputs;
    tile.bias = bias ? bias + unit : NULL;
    tile.columns = (int)mtlf_least(panel, s->units - unit);
    for (int32_t p = 0; p < count; p += rows) {
      tile.rows = (int)mtlf_least(rows, count - p);
      for (int i = 0; i < tile.rows; i++) tile.a[i] = base + from[p + i];
      for (int i = 0; i < tile.rows / group; i++) {
        tile.c[i] = to_base + to[p / group + i] + unit;
        if (gate) tile.gate[i] = gate + gate_to[p / group + i] + unit;
      }
      kernels->gemm_tile(&tile);
    }
  }
}

static void forward(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples, const mtlf_view *input,
                    const float *kernel, const float *bias, int relu, const mtlf_view *output, uint8_t *gate,
                    float *workspace) {
  const mtlf_conv_shape s = mtlf_conv_shape_of(window, samples, input, output, gate != NULL);
  mtlf_conv_windows windows = {.base = mtlf_conv_first_tap(window, input),
                               .segments = s.kernel_h,
                               .segment = s.window,
                               .segment_stride = input->row_stride};
  (void)workspace;
  for (int64_t first = 0; first < s.pixels; first += MTLF_STRIP) {
    const int32_t count = (int32_t)mtlf_least(MTLF_STRIP, s.pixels - first);
    mtlf_conv_list_windows(&s, input, first, count, windows.offset);
    mtlf_conv_forward_strip(kernels, &s, &windows, first, count, kernel, bias, relu, output, gate);
  }
}

/* ---- d_input ---- */

void mtlf_conv_d_input_strip(const mtlf_kernels *kernels, const mtlf_conv_shape *s, const float *d, int32_t count,
                             const float *transposed, mtlf_tile_mode mode, const mtlf_conv_windows *windows) {
  const int32_t panel = kernels->panel, rows = kernels->tile_rows;
  mtlf_gemm_tile tile = {.b = transposed, .k = (size_t)s->units, .segments = 1, .mode = mode};
  for (int32_t r = 0; r < s->kernel_h; r++) {
    float *row = windows->base + r * windows->segment_stride;
    for (int32_t column = 0; column < s->window; column += panel, tile.b += (size_t)s->units * (size_t)panel) {
      tile.columns = (int)mtlf_least(panel, s->window - column);
      for (int32_t p = 0; p < count; p += rows) {
        tile.rows = (int)mtlf_least(rows, count - p);
        for (int i = 0; i < tile.rows; i++) {
          tile.a[i] = d + (size_t)(p + i) * (size_t)s->units;
          tile.c[i] = row + windows->offset[p + i] + column;
        }
        kernels->gemm_tile(&tile);
      }
    }
  }
}

static void backward_to_input(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples,
                              const mtlf_view *d_output, const uint8_t *gate, const float *transposed,
                              const mtlf_view *d_input, float *workspace) {
  const mtlf_conv_shape s = mtlf_conv_shape_of(window, samples, d_input, d_output, gate != NULL);
  mtlf_conv_windows windows = {.base = mtlf_conv_first_tap(window, d_input), .segment_stride = d_input->row_stride};
  for (int64_t first = 0; first < s.pixels; first += MTLF_STRIP) {
    const int32_t count = (int32_t)mtlf_least(MTLF_STRIP, s.pixels - first);
    const float *d = mtlf_conv_spread_d_output(kernels, &s, d_output, gate, first, count, workspace);
    mtlf_conv_list_windows(&s, d_input, first, count, windows.offset);
    mtlf_conv_d_input_strip(kernels, &s, d, count, transposed, MTLF_TILE_ADD, &windows);
  }
}

/* ---- d_filter ---- */

void mtlf_conv_d_filter_strip(const mtlf_kernels *kernels, const mtlf_conv_shape *s, const mtlf_conv_windows *windows,
                              const float *d, int32_t count, float *gradient, float *bias_gradient, int accumulate) {
  const int32_t inputs = s->kernel_h * s->window, panel = kernels->panel, segment = windows->segment;
  mtlf_outer_tile tile = {
      .offset = windows->offset, .d_stride = s->units, .count = (size_t)count, .accumulate = accumulate};
  for (int32_t unit = 0; unit < s->units; unit += panel) {
    float *to = gradient + (size_t)unit * (size_t)inputs;
    tile.d = d + unit;
    tile.columns = (int)mtlf_least(panel, s->units - unit);
    for (int32_t r = 0; r < windows->segments; r++) {
      for (int32_t i = 0; i < segment; i += kernels->tile_rows) {
        tile.rows = (int)mtlf_least(kernels->tile_rows, segment - i);
        tile.a = windows->base + r * windows->segment_stride + i;
        tile.c = to + (size_t)(r * segment + i) * (size_t)panel;
        kernels->outer_tile(&tile);
      }
    }
  }
  kernels->column_sums(d, s->units, (size_t)count, bias_gradient, (size_t)s->units);
}

static void d_filter(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples, const mtlf_view *input,
                     const mtlf_view *d_output, const uint8_t *gate, float *gradient, float *bias_gradient,
                     int accumulate, float *workspace) {
  const mtlf_conv_shape s = mtlf_conv_shape_of(window, samples, input, d_output, gate != NULL);
  mtlf_conv_windows windows = {.base = mtlf_conv_first_tap(window, input),
                               .segments = s.kernel_h,
                               .segment = s.window,
                               .segment_stride = input->row_stride};
  if (!accumulate) memset(bias_gradient, 0, (size_t)s.units * sizeof(float));
  for (int64_t first = 0; first < s.pixels; first += MTLF_STRIP) {
    const int32_t count = (int32_t)mtlf_least(MTLF_STRIP, s.pixels - first);
    const float *d = mtlf_conv_spread_d_output(kernels, &s, d_output, gate, first, count, workspace);
    mtlf_conv_list_windows(&s, input, first, count, windows.offset);
    mtlf_conv_d_filter_strip(kernels, &s, &windows, d, count, gradient, bias_gradient, accumulate || first > 0);
  }
}

const mtlf_conv_passes mtlf_conv_direct = {.forward = forward, .d_input = backward_to_input, .d_filter = d_filter};

/* ---- the transposed kernel ---- */

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
