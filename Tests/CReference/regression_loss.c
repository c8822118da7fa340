/* SPDX-License-Identifier: Apache-2.0
 * Mean squared, mean absolute and Huber error in double precision. */
#include <math.h>

#include "creference.h"

void reference_regression_loss(mtlf_loss loss, double huber_delta, int32_t batch, int32_t k, const double *outputs,
                               const double *targets, double scale, double *d_outputs, mtlf_loss_sum *result) {
  *result = (mtlf_loss_sum){0};
  for (int32_t n = 0; n < batch; n++) {
    const double *x = outputs + (int64_t)n * k, *t = targets + (int64_t)n * k;
    double sum = 0.0;
    int32_t present = 0;
    for (int32_t i = 0; i < k; i++) present += t[i] == t[i];
    if (present == 0) continue;
    for (int32_t i = 0; i < k; i++) {
      if (t[i] != t[i]) continue;
      const double e = x[i] - t[i], sign = (e > 0.0) - (e < 0.0);
      double value = fabs(e), slope = sign;
      if (loss == MTLF_LOSS_MEAN_SQUARED_ERROR) {
        value = e * e;
        slope = 2.0 * e;
      } else if (loss == MTLF_LOSS_HUBER) {
        const int is_near = fabs(e) <= huber_delta;
        value = is_near ? e * e / 2.0 : huber_delta * (fabs(e) - huber_delta / 2.0);
        slope = is_near ? e : huber_delta * sign;
      }
      sum += value;
      if (d_outputs) d_outputs[(int64_t)n * k + i] += scale / present * slope;
    }
    result->loss_sum += sum / present;
    result->present++;
  }
}
