/* SPDX-License-Identifier: Apache-2.0
 * The three passes of depthwise convolutions over images that hold every window: rows of pixels for the kernels.
 *
 * The passes know no borders: a halo of zeros lies around the input, and d_input takes only those taps of d_output that
 * exist. d_output needs no halo. */
#include "depthwise_conv2d.h"

#include "../simd/depthwise.h"

#include <string.h>

#include "../base/arithmetic.h"

/* The first tap of the first window. */
static float *first_tap(const mtlf_window *window, const mtlf_view *images) {
  return mtlf_floats(images) - window->pad_top * images->row_stride - (ptrdiff_t)window->pad_left * images->channels;
}

static ptrdiff_t panel_floats(const mtlf_kernels *kernels, const mtlf_window *window) {
  return (ptrdiff_t)window->kernel_h * window->kernel_w * kernels->panel;
}

void mtlf_depthwise_forward(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples,
                            const mtlf_view *input, const float *kernel, const float *bias, int relu,
                            const mtlf_view *output) {
  const float *from = first_tap(window, input);
  mtlf_depthwise_run run = {.filter = kernel,
                            .bias = bias,
                            .pixels = output->width,
                            .channels = output->channels,
                            .rows = window->kernel_h,
                            .taps = window->kernel_w,
                            .input_pixel = (ptrdiff_t)window->stride_w * input->channels,
                            .input_row = input->row_stride,
                            .input_tap = input->channels,
                            .filter_panel = panel_floats(kernels, window),
                            .filter_row = (ptrdiff_t)window->kernel_w * kernels->panel,
                            .filter_tap = kernels->panel,
                            .output_pixel = output->channels,
                            .relu = relu};
  for (int32_t n = 0; n < samples; n++) {
    for (int32_t y = 0; y < output->height; y++) {
      run.input = from + n * input->sample_stride + (ptrdiff_t)y * window->stride_h * input->row_stride;
      run.output = mtlf_floats(output) + n * output->sample_stride + y * output->row_stride;
      mtlf_depthwise_of(kernels)->run(&run);
    }
  }
}

/* The filter rows that reach input row `at`: first, first + stride, ..., `count` of them, from output row
 * `from` upwards. */
typedef struct {
  int32_t first, count, from;
} taps;

static taps taps_at(int32_t at, int32_t kernel, int32_t stride, int32_t outputs) {
  /* The tap of output o is at - o * stride: the last output that isn't beyond `at` or the image has the first tap. */
  const int32_t from = (int32_t)mtlf_least(at / stride, outputs - 1), first = at - from * stride;
  if (first >= kernel) return (taps){0};
  const int32_t count = (int32_t)mtlf_least((kernel - 1 - first) / stride, from) + 1;
  return (taps){.first = first, .count = count, .from = from};
}

/* One row of d_input: pixels that lie stride_w apart have the same taps, stride_w apart, and make a run. */
static void d_input_row(const mtlf_kernels *kernels, const mtlf_window *window, mtlf_depthwise_run *run,
                        const float *filter_row, float *to) {
  for (int32_t phase = 0; phase < window->stride_w && phase < window->kernel_w; phase++) {
    run->filter = filter_row + (ptrdiff_t)phase * kernels->panel;
    run->output = to + (ptrdiff_t)phase * run->channels;
    run->taps = (window->kernel_w - 1 - phase) / window->stride_w + 1;
    run->pixels = run->clip + run->taps - 1;
    mtlf_depthwise_of(kernels)->run(run);
  }
}

void mtlf_depthwise_d_input(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples,
                            const mtlf_view *d_output, const float *kernel, const mtlf_view *d_input) {
  const ptrdiff_t channels = d_input->channels, filter_row = (ptrdiff_t)window->kernel_w * kernels->panel;
  const int32_t height = (d_output->height - 1) * window->stride_h + window->kernel_h;
  float *to = first_tap(window, d_input);
  mtlf_depthwise_run run = {.channels = d_input->channels,
                            .input_pixel = channels,
                            .input_row = -d_output->row_stride,
                            .input_tap = -channels,
                            .filter_panel = panel_floats(kernels, window),
                            .filter_row = window->stride_h * filter_row,
                            .filter_tap = (ptrdiff_t)window->stride_w * kernels->panel,
                            .output_pixel = window->stride_w * channels,
                            .clip = d_output->width,
                            .adds = 1};
  for (int32_t n = 0; n < samples; n++) {
    for (int32_t y = 0; y < height; y++) {
      const taps rows = taps_at(y, window->kernel_h, window->stride_h, d_output->height);
      run.rows = rows.count;
      if (rows.count == 0) continue;
      run.input = mtlf_floats(d_output) + n * d_output->sample_stride + rows.from * d_output->row_stride;
      d_input_row(kernels, window, &run, kernel + rows.first * filter_row,
                  to + n * d_input->sample_stride + y * d_input->row_stride);
    }
  }
}

void mtlf_depthwise_d_filter(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples,
                             const mtlf_view *input, const mtlf_view *d_output, float *gradient, float *bias_gradient,
                             int accumulate) {
  /* Floats of the input rows that a run covers for all its taps and channels: so many stay in L1. */
  enum { RUN_FLOATS = 4096 };
  const size_t channels = (size_t)input->channels;
  const ptrdiff_t step = (ptrdiff_t)window->stride_h * input->row_stride, panel = panel_floats(kernels, window);
  const int32_t rows = step < RUN_FLOATS ? (int32_t)(RUN_FLOATS / step) : 1;
  const float *from = first_tap(window, input);
  mtlf_depthwise_d_filter_run run = {.d_filter = gradient,
                                     .pixels = d_output->width,
                                     .channels = input->channels,
                                     .kernel_h = window->kernel_h,
                                     .kernel_w = window->kernel_w,
                                     .input_step = step,
                                     .input_row = input->row_stride,
                                     .input_pixel = (ptrdiff_t)window->stride_w * input->channels,
                                     .filter_panel = panel,
                                     .d_row = d_output->row_stride};
  if (!accumulate) {
    memset(gradient, 0, (size_t)(mtlf_divide_up(input->channels, kernels->panel) * panel) * sizeof *gradient);
    if (bias_gradient) memset(bias_gradient, 0, channels * sizeof *bias_gradient);
  }
  for (int32_t n = 0; n < samples; n++) {
    for (int32_t y = 0; y < d_output->height; y += rows) {
      run.rows = (int32_t)mtlf_least(rows, d_output->height - y);
      run.input = from + n * input->sample_stride + y * step;
      run.d_output = mtlf_floats(d_output) + n * d_output->sample_stride + y * d_output->row_stride;
      mtlf_depthwise_of(kernels)->d_filter(&run);
      for (int32_t r = 0; bias_gradient && r < run.rows; r++) {
        kernels->column_sums(run.d_output + r * d_output->row_stride, input->channels, (size_t)d_output->width,
                             bias_gradient, channels);
      }
    }
  }
}
