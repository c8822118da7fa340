/* SPDX-License-Identifier: Apache-2.0
 * What depthwise convolutions ask of an instruction set.
 *
 * The filter is the packed matrix [KH*KW, C]: [ceil(C / panel)][KH*KW][panel]. Strides are in floats. */
#ifndef MTLF_SIMD_DEPTHWISE_H
#define MTLF_SIMD_DEPTHWISE_H

#include "kernels.h"

/* For x < pixels and c < channels:
 *
 *   output[x * output_pixel + c] = act(start + sum over r < rows, s < taps, in order, of
 *       input[x * input_pixel + r * input_row + s * input_tap + c] *
 *       filter[c / panel * filter_panel + r * filter_row + s * filter_tap + c % panel])
 *
 * where start is the output itself with `adds`, otherwise the bias. With clip > 0 a row of input has `clip` pixels, and
 * only the taps 0 <= x - s < clip count. A pixel's result doesn't depend on the others. */
typedef struct {
  const float *input, *filter;
  const float *bias; /* [channels], or NULL */
  float *output;
  int32_t pixels, channels, rows, taps;
  ptrdiff_t input_pixel, input_row, input_tap, filter_panel, filter_row, filter_tap, output_pixel;
  int32_t clip;
  int adds, relu;
} mtlf_depthwise_run;

/* d_filter[c / panel * filter_panel + (r * kernel_w + s) * panel + c % panel] += sum over y < rows, x < pixels, in order, of
 *     input[y * input_step + r * input_row + x * input_pixel + s * channels + c] * d_output[y * d_row + x * channels + c] */
typedef struct {
  const float *input, *d_output;
  float *d_filter;
  int32_t rows, pixels, channels, kernel_h, kernel_w;
  ptrdiff_t input_step, input_row, input_pixel, filter_panel, d_row;
} mtlf_depthwise_d_filter_run;

typedef struct {
  void (*run)(const mtlf_depthwise_run *run);
  void (*d_filter)(const mtlf_depthwise_d_filter_run *run);
} mtlf_depthwise_kernels;
MTLF_FAMILY(mtlf_depthwise_kernels, mtlf_depthwise)

#endif
