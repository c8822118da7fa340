/* SPDX-License-Identifier: Apache-2.0
 * Batch normalisation in double precision, with the variance as the mean of squared distances. */
#include <math.h>

#include "creference.h"

static void statistics(const mtlf_normalization *norm, const double *input, int32_t c, double *mean, double *variance) {
  *mean = *variance = 0.0;
  for (int64_t i = 0; i < norm->pixels; i++) *mean += input[i * norm->channels + c] / (double)norm->pixels;
  for (int64_t i = 0; i < norm->pixels; i++) {
    const double distance = input[i * norm->channels + c] - *mean;
    *variance += distance * distance / (double)norm->pixels;
  }
}

static void normalize(const mtlf_normalization *norm, const double *input, int32_t c, double mean, double variance,
                      double gamma, double beta, double *output) {
  for (int64_t i = 0; i < norm->pixels; i++) {
    const int64_t at = i * norm->channels + c;
    output[at] = gamma * (input[at] - mean) / sqrt(variance + norm->epsilon) + beta;
  }
}

void reference_batch_norm_training_forward(const mtlf_normalization *norm, const double *input, const double *gamma,
                                           const double *beta, double *running_mean, double *running_variance,
                                           double *output) {
  const double kept = norm->momentum;
  for (int32_t c = 0; c < norm->channels; c++) {
    double mean, variance;
    statistics(norm, input, c, &mean, &variance);
    running_mean[c] = kept * running_mean[c] + (1.0 - kept) * mean;
    running_variance[c] = kept * running_variance[c] + (1.0 - kept) * variance;
    normalize(norm, input, c, mean, variance, gamma[c], beta[c], output);
  }
}

void reference_batch_norm_inference_forward(const mtlf_normalization *norm, const double *input, const double *gamma,
                                            const double *beta, const double *running_mean,
                                            const double *running_variance, double *output) {
  for (int32_t c = 0; c < norm->channels; c++) {
    normalize(norm, input, c, running_mean[c], running_variance[c], gamma[c], beta[c], output);
  }
}

void reference_batch_norm_backward(const mtlf_normalization *norm, const double *input, const double *gamma,
                                   const double *d_output, double *d_input, double *d_gamma, double *d_beta) {
  for (int32_t c = 0; c < norm->channels; c++) {
    double mean, variance;
    statistics(norm, input, c, &mean, &variance);
    const double inverse = 1.0 / sqrt(variance + norm->epsilon);
    d_gamma[c] = d_beta[c] = 0.0;
    for (int64_t i = c; i < norm->pixels * norm->channels; i += norm->channels) {
      d_beta[c] += d_output[i];
      d_gamma[c] += d_output[i] * (input[i] - mean) * inverse;
    }
    for (int64_t i = c; i < norm->pixels * norm->channels; i += norm->channels) {
      const double normalized = (input[i] - mean) * inverse;
      d_input[i] = gamma[c] * inverse * (d_output[i] - (d_beta[c] + normalized * d_gamma[c]) / (double)norm->pixels);
    }
  }
}
