/* SPDX-License-Identifier: Apache-2.0
 * Dense layers and their gradients as plain loops in double precision. */
#include <math.h>

#include "creference.h"

void reference_dense_forward(const mtlf_dense *dense, const double *input, const double *kernel, const double *bias,
                             int relu, double *output) {
  const int64_t inputs = dense->inputs, units = dense->units;
  for (int64_t n = 0; n < dense->batch; n++) {
    for (int64_t j = 0; j < units; j++) output[n * units + j] = bias ? bias[j] : 0.0;
    for (int64_t i = 0; i < inputs; i++) {
      for (int64_t j = 0; j < units; j++) output[n * units + j] += input[n * inputs + i] * kernel[i * units + j];
    }
  }
  if (relu) reference_relu_forward(dense->batch * units, output, output);
}

void reference_dense_d_input(const mtlf_dense *dense, const double *kernel, const double *d_output, double *d_input) {
  const int64_t inputs = dense->inputs, units = dense->units;
  for (int64_t n = 0; n < dense->batch; n++) {
    for (int64_t i = 0; i < inputs; i++) {
      double sum = 0.0;
      for (int64_t j = 0; j < units; j++) sum += d_output[n * units + j] * kernel[i * units + j];
      d_input[n * inputs + i] = sum;
    }
  }
}

void reference_dense_d_kernel(const mtlf_dense *dense, const double *input, const double *d_output, double *d_kernel,
                              double *d_bias) {
  const int64_t inputs = dense->inputs, units = dense->units;
  for (int64_t i = 0; i < inputs * units; i++) d_kernel[i] = 0.0;
  for (int64_t j = 0; d_bias && j < units; j++) d_bias[j] = 0.0;
  for (int64_t n = 0; n < dense->batch; n++) {
    for (int64_t i = 0; i < inputs; i++) {
      for (int64_t j = 0; j < units; j++) d_kernel[i * units + j] += input[n * inputs + i] * d_output[n * units + j];
    }
    for (int64_t j = 0; d_bias && j < units; j++) d_bias[j] += d_output[n * units + j];
  }
}

float reference_dot_in_order(int64_t k, const float *a, ptrdiff_t a_step, const float *b, ptrdiff_t b_step, float start,
                             int is_fused) {
  float sum = start;
  for (int64_t i = 0; i < k; i++) {
    const float x = a[i * a_step], y = b[i * b_step];
    sum = is_fused ? fmaf(x, y, sum) : sum + x * y;
  }
  return sum;
}
