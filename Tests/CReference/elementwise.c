/* SPDX-License-Identifier: Apache-2.0
 * ReLU, sigmoid, exp and products in double precision. */
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

void reference_multiply_forward(int64_t n, const double *a, const double *b, double *y) {
  for (int64_t i = 0; i < n; i++) y[i] = a[i] * b[i];
}

void reference_multiply_backward(int64_t n, const double *a, const double *b, const double *d_output, double *d_a,
                                 double *d_b) {
  for (int64_t i = 0; i < n; i++) {
    d_a[i] = d_output[i] * b[i];
    d_b[i] = d_output[i] * a[i];
  }
}
