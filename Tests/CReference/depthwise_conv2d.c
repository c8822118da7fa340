/* SPDX-License-Identifier: Apache-2.0
 * Depthwise 2-D convolution and its gradients as plain loops in double precision. */
#include <string.h>

#include "creference.h"

/* Runs BODY for each output pixel, tap inside the image and channel: `out`, `in` and `at` are the indices of the output,
 * the input and the filter. */
#define FOR_EACH_TAP(conv, BODY)                                                                     \
  do {                                                                                               \
    const int32_t oh_end = mtlf_conv2d_output_height(conv), ow_end = mtlf_conv2d_output_width(conv); \
    const int32_t channels = (conv)->channels_in;                                                    \
    for (int64_t pixel = 0; pixel < (int64_t)(conv)->batch * oh_end * ow_end; pixel++) {             \
      const int64_t n = pixel / ow_end / oh_end, oh = pixel / ow_end % oh_end, ow = pixel % ow_end;  \
      for (int32_t r = 0; r < (conv)->kernel_h; r++) {                                               \
        for (int32_t s = 0; s < (conv)->kernel_w; s++) {                                             \
          const int64_t h = oh * (conv)->stride_h + r - (conv)->pad_top;                             \
          const int64_t w = ow * (conv)->stride_w + s - (conv)->pad_left;                            \
          if (h < 0 || h >= (conv)->height || w < 0 || w >= (conv)->width) continue;                 \
          for (int32_t c = 0; c < channels; c++) {                                                   \
            const int64_t out = pixel * channels + c;                                                \
            const int64_t in = ((n * (conv)->height + h) * (conv)->width + w) * channels + c;        \
            const int64_t at = ((int64_t)r * (conv)->kernel_w + s) * channels + c;                   \
            BODY                                                                                     \
          }                                                                                          \
        }                                                                                            \
      }                                                                                              \
    }                                                                                                \
  } while (0)

static int64_t outputs(const mtlf_conv2d *conv) {
  return (int64_t)conv->batch * mtlf_conv2d_output_height(conv) * mtlf_conv2d_output_width(conv) * conv->channels_in;
}

void reference_depthwise_conv2d_forward(const mtlf_conv2d *conv, const double *input, const double *filter,
                                        const double *bias, int relu, double *output) {
  for (int64_t i = 0; i < outputs(conv); i++) output[i] = bias ? bias[i % conv->channels_in] : 0.0;
  FOR_EACH_TAP(conv, output[out] += input[in] * filter[at];);
  if (relu) reference_relu_forward(outputs(conv), output, output);
}

void reference_depthwise_conv2d_d_input(const mtlf_conv2d *conv, const double *filter, const double *d_output,
                                        double *d_input) {
  memset(d_input, 0,
         (size_t)conv->batch * (size_t)conv->height * (size_t)conv->width * (size_t)conv->channels_in *
             sizeof *d_input);
  FOR_EACH_TAP(conv, d_input[in] += d_output[out] * filter[at];);
}

void reference_depthwise_conv2d_d_filter(const mtlf_conv2d *conv, const double *input, const double *d_output,
                                         double *d_filter, double *d_bias) {
  memset(d_filter, 0, (size_t)conv->kernel_h * (size_t)conv->kernel_w * (size_t)conv->channels_in * sizeof *d_filter);
  FOR_EACH_TAP(conv, d_filter[at] += input[in] * d_output[out];);
  if (!d_bias) return;
  memset(d_bias, 0, (size_t)conv->channels_in * sizeof *d_bias);
  for (int64_t i = 0; i < outputs(conv); i++) d_bias[i % conv->channels_in] += d_output[i];
}
