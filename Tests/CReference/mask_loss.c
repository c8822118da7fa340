/* SPDX-License-Identifier: Apache-2.0
 * Binary cross-entropy and Dice over masks in double precision. */
#include <math.h>

#include "creference.h"

/* A sample's cross-entropy; its gradient is added. */
static double cross_entropy(int64_t n, const double *x, const uint8_t *mask, const double *class_weights,
                            double smoothing, double scale, double *d) {
  double weight_sum = 0.0, loss = 0.0;
  for (int64_t i = 0; i < n; i++) {
    if (mask[i] != MTLF_IGNORED) weight_sum += class_weights ? class_weights[mask[i]] : 1.0;
  }
  if (!(weight_sum > 0.0)) return 0.0;
  for (int64_t i = 0; i < n; i++) {
    if (mask[i] == MTLF_IGNORED) continue;
    const double share = (class_weights ? class_weights[mask[i]] : 1.0) / weight_sum;
    const double target = mask[i] * (1.0 - smoothing) + smoothing / 2.0;
    loss += share * (fmax(x[i], 0.0) - x[i] * target + log1p(exp(-fabs(x[i]))));
    if (d) d[i] += scale * share * (1.0 / (1.0 + exp(-x[i])) - target);
  }
  return loss;
}

static double dice(int32_t pixels, int32_t channels, const double *p, const uint8_t *mask, double scale, double *d) {
  double loss = 0.0;
  int32_t present = 0;
  for (int32_t c = 0; c < channels; c++) {
    for (int32_t i = 0; i < pixels; i++) {
      if (mask[i * channels + c] == MTLF_IGNORED) continue;
      present++;
      break;
    }
  }
  for (int32_t c = 0; c < channels; c++) {
    double both = 0.0, sum = 0.0;
    int has_any = 0;
    for (int32_t i = c; i < pixels * channels; i += channels) {
      if (mask[i] == MTLF_IGNORED) continue;
      has_any = 1;
      both += p[i] * mask[i];
      sum += p[i] + mask[i];
    }
    if (!has_any) continue;
    loss += (1.0 - (2.0 * both + 1.0) / (sum + 1.0)) / present;
    for (int32_t i = c; d && i < pixels * channels; i += channels) {
      if (mask[i] == MTLF_IGNORED) continue;
      const double d_p = -(2.0 * mask[i] * (sum + 1.0) - (2.0 * both + 1.0)) / ((sum + 1.0) * (sum + 1.0));
      d[i] += scale / present * d_p * p[i] * (1.0 - p[i]);
    }
  }
  return loss;
}

void reference_mask_loss(mtlf_loss loss, int32_t batch, int32_t pixels, int32_t channels, const double *logits,
                         const uint8_t *mask, const double *class_weights, double label_smoothing, double scale,
                         double *probabilities, double *d_logits, int64_t *counts, mtlf_loss_sum *result) {
  const int64_t elements = (int64_t)pixels * channels;
  *result = (mtlf_loss_sum){0};
  for (int32_t n = 0; n < batch; n++) {
    const double *x = logits + n * elements;
    const uint8_t *label = mask + n * elements;
    double *p = probabilities + n * elements, *d = d_logits ? d_logits + n * elements : NULL;
    int has_any = 0;
    for (int64_t i = 0; i < elements; i++) {
      p[i] = 1.0 / (1.0 + exp(-x[i]));
      if (label[i] == MTLF_IGNORED) continue;
      has_any = 1;
      if (counts) counts[i % channels * 4 + label[i] * 2 + (x[i] > 0.0)]++;
    }
    if (!has_any) continue;
    result->present++;
    if (loss != MTLF_LOSS_DICE) {
      result->loss_sum += cross_entropy(elements, x, label, class_weights, label_smoothing, scale, d);
    }
    if (loss != MTLF_LOSS_BINARY_CROSS_ENTROPY) result->loss_sum += dice(pixels, channels, p, label, scale, d);
  }
}
