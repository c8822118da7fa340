/* SPDX-License-Identifier: Apache-2.0
 * The three passes of a convolution by im2col: the windows of a strip are copied into rows first (in the workspace,
 * MTLF_STRIP x KH*KW*C_in floats), and the strip's product runs over whole rows. Forward and d_filter sum in the same order
 * as the direct path. */
#include <string.h>

#include "../base/arithmetic.h"
#include "conv2d_strip.h"

/* Rows of the workspace as windows of one segment each. */
static void list_rows(const mtlf_conv_shape *s, int32_t count, mtlf_conv_windows *rows) {
  for (int32_t i = 0; i < count; i++) rows->offset[i] = (ptrdiff_t)i * s->kernel_h * s->window;
}

/* Copies the windows of a strip into rows of KH*KW*C_in floats. */
static void gather_windows(const mtlf_conv_shape *s, const mtlf_window *window, const mtlf_view *input, int64_t first,
                           int32_t count, mtlf_conv_windows *rows) {
  const size_t bytes = (size_t)s->window * sizeof(float);
  const float *base = mtlf_conv_first_tap(window, input);
  float *to = rows->base;
  mtlf_conv_list_windows(s, input, first, count, rows->offset);
  for (int32_t i = 0; i < count; i++) {
    const float *from = base + rows->offset[i];
    for (int32_t r = 0; r < s->kernel_h; r++, from += input->row_stride, to += s->window) memcpy(to, from, bytes);
  }
  list_rows(s, count, rows);
}

static void forward(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples, const mtlf_view *input,
                    const float *kernel, const float *bias, int relu, const mtlf_view *output, uint8_t *gate,
                    float *workspace) {
  const mtlf_conv_shape s = mtlf_conv_shape_of(window, samples, input, output, gate != NULL);
  mtlf_conv_windows rows = {.base = workspace, .segments = 1, .segment = s.kernel_h * s.window};
  for (int64_t first = 0; first < s.pixels; first += MTLF_STRIP) {
    const int32_t count = (int32_t)mtlf_least(MTLF_STRIP, s.pixels - first);
    gather_windows(&s, window, input, first, count, &rows);
    mtlf_conv_forward_strip(kernels, &s, &rows, first, count, kernel, bias, relu, output, gate);
  }
}

/* Adds the rows to their windows: the transpose of gather_windows. */
static void scatter_windows(const mtlf_kernels *kernels, const mtlf_conv_shape *s, const mtlf_window *window,
                            const mtlf_view *d_input, int64_t first, int32_t count, const float *rows) {
  ptrdiff_t offset[MTLF_STRIP];
  float *base = mtlf_conv_first_tap(window, d_input);
  mtlf_conv_list_windows(s, d_input, first, count, offset);
  for (int32_t i = 0; i < count; i++) {
    for (int32_t r = 0; r < s->kernel_h; r++, rows += s->window) {
      kernels->add(rows, base + offset[i] + r * d_input->row_stride, (size_t)s->window);
    }
  }
}

static void backward_to_input(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples,
                              const mtlf_view *d_output, const uint8_t *gate, const float *transposed,
                              const mtlf_view *d_input, float *workspace) {
  const mtlf_conv_shape s = mtlf_conv_shape_of(window, samples, d_input, d_output, gate != NULL);
  mtlf_conv_windows rows = {.base = workspace, .segment_stride = s.window};
  float *spread = workspace + (size_t)MTLF_STRIP * (size_t)(s.kernel_h * s.window);
  for (int64_t first = 0; first < s.pixels; first += MTLF_STRIP) {
    const int32_t count = (int32_t)mtlf_least(MTLF_STRIP, s.pixels - first);
    const float *d = mtlf_conv_spread_d_output(kernels, &s, d_output, gate, first, count, spread);
    list_rows(&s, count, &rows);
    mtlf_conv_d_input_strip(kernels, &s, d, count, transposed, MTLF_TILE_STORE, &rows);
    scatter_windows(kernels, &s, window, d_input, first, count, workspace);
  }
}

static void d_filter(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples, const mtlf_view *input,
                     const mtlf_view *d_output, const uint8_t *gate, float *gradient, float *bias_gradient,
                     int accumulate, float *workspace) {
  const mtlf_conv_shape s = mtlf_conv_shape_of(window, samples, input, d_output, gate != NULL);
  /* A row holds all taps, so that tiles run across filter rows. */
  mtlf_conv_windows rows = {.base = workspace, .segments = 1, .segment = s.kernel_h * s.window};
  float *spread = workspace + (size_t)MTLF_STRIP * (size_t)(s.kernel_h * s.window);
  if (!accumulate) memset(bias_gradient, 0, (size_t)s.units * sizeof(float));
  for (int64_t first = 0; first < s.pixels; first += MTLF_STRIP) {
    const int32_t count = (int32_t)mtlf_least(MTLF_STRIP, s.pixels - first);
    const float *d = mtlf_conv_spread_d_output(kernels, &s, d_output, gate, first, count, spread);
    gather_windows(&s, window, input, first, count, &rows);
    mtlf_conv_d_filter_strip(kernels, &s, &rows, d, count, gradient, bias_gradient, accumulate || first > 0);
  }
}

const mtlf_conv_passes mtlf_conv_im2col = {.forward = forward, .d_input = backward_to_input, .d_filter = d_filter};
