/* SPDX-License-Identifier: Apache-2.0
 * Nearest-neighbour upsampling in double precision. */
#include "creference.h"

static int64_t source_of(const mtlf_upsample2d *u, int64_t i) {
  const int64_t c = i % u->channels, pixel = i / u->channels;
  const int64_t width = (int64_t)u->width * u->scale_w, height = (int64_t)u->height * u->scale_h;
  const int64_t x = pixel % width, y = pixel / width % height, n = pixel / width / height;
  return ((n * u->height + y / u->scale_h) * u->width + x / u->scale_w) * u->channels + c;
}

static int64_t output_elements(const mtlf_upsample2d *u) {
  return (int64_t)u->batch * u->height * u->width * u->channels * u->scale_h * u->scale_w;
}

void reference_upsample2d_forward(const mtlf_upsample2d *upsample, const double *input, double *output) {
  for (int64_t i = 0; i < output_elements(upsample); i++) output[i] = input[source_of(upsample, i)];
}

void reference_upsample2d_backward(const mtlf_upsample2d *upsample, const double *d_output, double *d_input) {
  const int64_t elements = output_elements(upsample);
  for (int64_t i = 0; i < elements / upsample->scale_h / upsample->scale_w; i++) d_input[i] = 0.0;
  for (int64_t i = 0; i < elements; i++) d_input[source_of(upsample, i)] += d_output[i];
}
