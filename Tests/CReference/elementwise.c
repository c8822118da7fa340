/* SPDX-License-Identifier: Apache-2.0
 * ReLU, sigmoid and exp in double precision. */
#include <math.h>

#include "creference.h"

void reference_relu_forward(int64_t n, const double *x, double *y) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0.0 || x[i] != x[i] ? x[i] : 0.0;
}

void reference_relu_backward(int64_t n, const double *y, const double *d_output, double *d_input) {
  for (int64_t i = 0; i < n; i++) d_input[i] = y[i] > 0.0 ? d_output[i] : 0.0;
}

void reference_sigmoid_forward(int64_t n, const double *x, double *y) {
  for (int64_t i = 0; i < n; i++) y[i] = 1.0 / (1.0 + exp(-x[i]));
}

void reference_sigmoid_backward(int64_t n, const double *y, const double *d_output, double *d_input) {
  for (int64_t i = 0; i < n; i++) d_input[i] = d_output[i] * y[i] * (1.0 - y[i]);
}

void reference_exp(int64_t n, const double *x, double *y) {
  for (int64_t i = 0; i < n; i++) y[i] = exp(x[i]);
}
