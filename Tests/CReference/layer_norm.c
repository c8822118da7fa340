/* SPDX-License-Identifier: Apache-2.0
 * Layer normalisation in double precision. */
#include <math.h>

#include "creference.h"

static void statistics(const mtlf_layer_norm *norm, const double *row, double *mean, double *inverse) {
  double variance = 0.0;
  *mean = 0.0;
  for (int32_t c = 0; c < norm->channels; c++) *mean += row[c] / norm->channels;
  for (int32_t c = 0; c < norm->channels; c++) variance += (row[c] - *mean) * (row[c] - *mean) / norm->channels;
  *inverse = 1.0 / sqrt(variance + norm->epsilon);
}

void reference_layer_norm_forward(const mtlf_layer_norm *norm, const double *input, const double *gamma,
                                  const double *beta, double *output, double *mean, double *inverse_deviation) {
  for (int64_t i = 0; i < norm->rows; i++) {
    const int64_t row = i * norm->channels;
    statistics(norm, input + row, &mean[i], &inverse_deviation[i]);
    for (int32_t c = 0; c < norm->channels; c++) {
      output[row + c] = gamma[c] * (input[row + c] - mean[i]) * inverse_deviation[i] + beta[c];
    }
  }
}

void reference_layer_norm_backward(const mtlf_layer_norm *norm, const double *input, const double *gamma,
                                   const double *d_output, double *d_input, double *d_gamma, double *d_beta) {
  for (int32_t c = 0; c < norm->channels; c++) d_gamma[c] = d_beta[c] = 0.0;
  for (int64_t i = 0; i < norm->rows; i++) {
    const double *x = input + i * norm->channels, *d = d_output + i * norm->channels;
    double mean, inverse, sum = 0.0, projection = 0.0;
    statistics(norm, x, &mean, &inverse);
    for (int32_t c = 0; c < norm->channels; c++) {
      const double normal = (x[c] - mean) * inverse;
      d_gamma[c] += d[c] * normal;
      d_beta[c] += d[c];
      sum += gamma[c] * d[c] / norm->channels;
      projection += gamma[c] * d[c] * normal / norm->channels;
    }
    for (int32_t c = 0; c < norm->channels; c++) {
      d_input[i * norm->channels + c] = inverse * (gamma[c] * d[c] - sum - (x[c] - mean) * inverse * projection);
    }
  }
}
