/* SPDX-License-Identifier: Apache-2.0
 * Mean squared, mean absolute and Huber error of a sample's outputs, where targets may be missing. */
#include "regression_loss.h"

#include "../base/context.h"

/* NaN gives NaN. */
static double error_loss(mtlf_loss loss, double delta, double e) {
  const double size = e < 0 ? -e : e;
  if (loss == MTLF_LOSS_MEAN_SQUARED_ERROR) return e * e;
  if (loss == MTLF_LOSS_MEAN_ABSOLUTE_ERROR) return size;
  return size > delta ? delta * (size - delta / 2) : size * size / 2;
}

static float error_gradient(mtlf_loss loss, float delta, float e) {
  if (loss == MTLF_LOSS_MEAN_SQUARED_ERROR) return 2 * e;
  const float limit = loss == MTLF_LOSS_MEAN_ABSOLUTE_ERROR ? 0.0f : delta;
  const float beyond = loss == MTLF_LOSS_MEAN_ABSOLUTE_ERROR ? 1.0f : delta;
  return e > limit ? beyond : e < -limit ? -beyond : e;
}

mtlf_sample_loss mtlf_regression_sample(const mtlf_kernels *kernels, mtlf_loss loss, float delta, int32_t n,
                                        const float *outputs, const float *targets, float scale, float *d_outputs,
                                        double *sums, int32_t sum_size) {
  double loss_sum = 0;
  int32_t present = 0;
  (void)kernels; /* a handful of numbers a sample */
  for (int32_t i = 0; i < n; i++) {
    if (targets[i] != targets[i]) continue;
    const double t = (double)targets[i], e = (double)(outputs[i] - targets[i]);
    present++;
    loss_sum += error_loss(loss, (double)delta, e);
    if (!sums) continue;
    double *sum = sums + (sum_size == MTLF_REGRESSION_SUMS ? 0 : i * MTLF_REGRESSION_SUMS);
    sum[0] += 1;
    sum[1] += e < 0 ? -e : e;
    sum[2] += e * e;
    sum[3] += t;
    sum[4] += t * t;
  }
  if (present == 0) return (mtlf_sample_loss){0};
  const float factor = scale / (float)present;
  for (int32_t i = 0; d_outputs && i < n; i++) {
    if (targets[i] == targets[i]) d_outputs[i] += factor * error_gradient(loss, delta, outputs[i] - targets[i]);
  }
  return (mtlf_sample_loss){.loss = (float)(loss_sum / present), .present = present};
}

/* ---- over a batch ---- */

typedef struct {
  mtlf_loss loss;
  float delta;
  int32_t n;
  const float *outputs, *targets;
  float scale;
  float *d_outputs;
} call;

static mtlf_sample_loss run_sample(const void *argument, const mtlf_kernels *kernels, int64_t sample) {
  const call *k = argument;
  const size_t at = (size_t)sample * (size_t)k->n;
  return mtlf_regression_sample(kernels, k->loss, k->delta, k->n, k->outputs + at, k->targets + at, k->scale,
                                k->d_outputs ? k->d_outputs + at : NULL, NULL, 0);
}

mtlf_status mtlf_regression_loss_f32(mtlf_loss loss, float huber_delta, int32_t batch, int32_t k, const float *outputs,
                                     const float *targets, float scale, float *d_outputs, mtlf_loss_sum *result,
                                     const mtlf_context *context) {
  mtlf_context resolved;
  if (!outputs || !targets || !result) return MTLF_ERR_NULL_POINTER;
  if (!mtlf_elements_fit(batch, k, 1)) return MTLF_ERR_BAD_SHAPE;
  const int is_huber = loss == MTLF_LOSS_HUBER;
  if (!is_huber && loss != MTLF_LOSS_MEAN_SQUARED_ERROR && loss != MTLF_LOSS_MEAN_ABSOLUTE_ERROR) {
    return MTLF_ERR_BAD_VALUE;
  }
  if (is_huber && (!(huber_delta > 0) || huber_delta - huber_delta != 0)) return MTLF_ERR_BAD_VALUE;
  const mtlf_status status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  const call arguments = {.loss = loss,
                          .delta = huber_delta,
                          .n = k,
                          .outputs = outputs,
                          .targets = targets,
                          .scale = scale,
                          .d_outputs = d_outputs};
  *result = mtlf_sum_losses(&resolved, batch, run_sample, &arguments);
  return MTLF_OK;
}
