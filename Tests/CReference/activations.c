/* SPDX-License-Identifier: Apache-2.0
 * GELU, SiLU, tanh and leaky ReLU in double precision. */
#include <math.h>

#include "creference.h"

/* The normal distribution function: as erfc, which loses nothing where it is small. */
static double distribution(double x) { return 0.5 * erfc(-x * sqrt(0.5)); }
static double density(double x) { return exp(-0.5 * x * x) * 0.39894228040143267794; }

void reference_gelu_forward(int64_t n, const double *x, double *y) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] * distribution(x[i]);
}

void reference_gelu_backward(int64_t n, const double *x, const double *d_output, double *d_input) {
  for (int64_t i = 0; i < n; i++) d_input[i] = d_output[i] * (distribution(x[i]) + x[i] * density(x[i]));
}

void reference_silu_forward(int64_t n, const double *x, double *y) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] / (1.0 + exp(-x[i]));
}

void reference_silu_backward(int64_t n, const double *x, const double *d_output, double *d_input) {
  for (int64_t i = 0; i < n; i++) {
    const double s = 1.0 / (1.0 + exp(-x[i])), other = 1.0 / (1.0 + exp(x[i]));
    d_input[i] = d_output[i] * (s + x[i] * s * other);
  }
}

void reference_tanh_forward(int64_t n, const double *x, double *y) {
  for (int64_t i = 0; i < n; i++) y[i] = tanh(x[i]);
}

void reference_tanh_backward(int64_t n, const double *y, const double *d_output, double *d_input) {
  for (int64_t i = 0; i < n; i++) d_input[i] = d_output[i] * (1.0 - y[i] * y[i]);
}

void reference_leaky_relu_forward(int64_t n, const double *x, double *y) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0.0 ? x[i] : MTLF_LEAKY_RELU_SLOPE * x[i];
}

void reference_leaky_relu_backward(int64_t n, const double *y, const double *d_output, double *d_input) {
  for (int64_t i = 0; i < n; i++) d_input[i] = y[i] > 0.0 ? d_output[i] : MTLF_LEAKY_RELU_SLOPE * d_output[i];
}
