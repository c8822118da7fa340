/* SPDX-License-Identifier: Apache-2.0
 * Softmax and cross-entropy with integer labels in double precision. */
#include <math.h>

#include "creference.h"

void reference_softmax_cross_entropy(int32_t batch, int32_t classes, const double *logits, const int32_t *labels,
                                     const double *row_weights, double scale, double *probabilities, double *d_logits,
                                     mtlf_cross_entropy *result) {
  *result = (mtlf_cross_entropy){0};
  for (int32_t n = 0; n < batch; n++) {
    const double *x = logits + (int64_t)n * classes, weight = row_weights ? row_weights[n] : 1.0;
    double *p = probabilities + (int64_t)n * classes, sum = 0.0;
    int32_t best = 0;
    for (int32_t c = 1; c < classes; c++) {
      if (x[c] > x[best]) best = c;
    }
    for (int32_t c = 0; c < classes; c++) sum += exp(x[c] - x[best]);
    for (int32_t c = 0; c < classes; c++) p[c] = exp(x[c] - x[best]) / sum;
    if (labels[n] < 0) continue;
    for (int32_t c = 0; d_logits && c < classes; c++) {
      d_logits[(int64_t)n * classes + c] += scale * weight * (p[c] - (c == labels[n]));
    }
    result->loss_sum += weight * (log(sum) + x[best] - x[labels[n]]);
    result->weight_sum += weight;
    result->present++;
    result->correct += best == labels[n];
  }
}
