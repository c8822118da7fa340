/* SPDX-License-Identifier: Apache-2.0
 * Softmax cross-entropy of each pixel in double precision. */
#include <math.h>

#include "creference.h"

void reference_pixel_cross_entropy(int32_t batch, int32_t pixels, int32_t classes, const double *logits,
                                   const uint8_t *mask, const double *class_weights, double label_smoothing,
                                   double scale, double *probabilities, double *d_logits, int64_t *confusion,
                                   mtlf_loss_sum *result) {
  *result = (mtlf_loss_sum){0};
  for (int32_t n = 0; n < batch; n++) {
    const uint8_t *label = mask + (int64_t)n * pixels;
    double weight_sum = 0.0, loss = 0.0;
    int32_t present = 0;
    for (int32_t i = 0; i < pixels; i++) {
      if (label[i] == MTLF_IGNORED) continue;
      present++;
      weight_sum += class_weights ? class_weights[label[i]] : 1.0;
    }
    for (int32_t i = 0; i < pixels; i++) {
      const int64_t at = ((int64_t)n * pixels + i) * classes;
      const double *x = logits + at;
      double sum = 0.0;
      int32_t best = 0;
      for (int32_t c = 1; c < classes; c++) {
        if (x[c] > x[best]) best = c;
      }
      for (int32_t c = 0; c < classes; c++) sum += exp(x[c] - x[best]);
      for (int32_t c = 0; c < classes; c++) probabilities[at + c] = exp(x[c] - x[best]) / sum;
      if (label[i] == MTLF_IGNORED) continue;
      if (confusion) confusion[label[i] * classes + best]++;
      const double share = weight_sum > 0.0 ? (class_weights ? class_weights[label[i]] : 1.0) / weight_sum : 0.0;
      for (int32_t c = 0; c < classes; c++) {
        const double target = (c == label[i] ? 1.0 - label_smoothing : 0.0) + label_smoothing / classes;
        loss += share * target * (log(sum) + x[best] - x[c]);
        if (d_logits) d_logits[at + c] += scale * share * (probabilities[at + c] - target);
      }
    }
    if (present == 0) continue;
    result->loss_sum += loss;
    result->present++;
  }
}
