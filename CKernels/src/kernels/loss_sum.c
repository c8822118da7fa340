/* SPDX-License-Identifier: Apache-2.0
 * Sums the losses of a batch's samples: by groups that depend on the batch alone, so that threads change no bit. */
#include "loss_sum.h"

#include "../base/arithmetic.h"
#include "../base/parallel.h"

typedef struct {
  const mtlf_kernels *kernels;
  int32_t batch, groups;
  mtlf_sample_body body;
  const void *argument;
  mtlf_loss_sum sums[MTLF_MAX_GROUPS];
} call;

static void run_group(void *argument, int64_t group, int thread) {
  call *k = argument;
  mtlf_loss_sum sum = {0};
  (void)thread;
  for (int64_t n = k->batch * group / k->groups; n < k->batch * (group + 1) / k->groups; n++) {
    const mtlf_sample_loss sample = k->body(k->argument, k->kernels, n);
    if (sample.present == 0) continue;
    sum.loss_sum += (double)sample.loss;
    sum.present++;
  }
  k->sums[group] = sum;
}

mtlf_loss_sum mtlf_sum_losses(const mtlf_context *context, int32_t batch, mtlf_sample_body body, const void *argument) {
  call k = {.kernels = context->kernels,
            .batch = batch,
            .groups = (int32_t)mtlf_least(MTLF_MAX_GROUPS, batch),
            .body = body,
            .argument = argument};
  mtlf_run_units(context, k.groups, run_group, &k);
  mtlf_loss_sum total = {0};
  for (int32_t g = 0; g < k.groups; g++) {
    total.loss_sum += k.sums[g].loss_sum;
    total.present += k.sums[g].present;
  }
  return total;
}

int mtlf_elements_fit(int32_t batch, int32_t rows, int32_t columns) {
  if (batch < 1 || rows < 1 || columns < 1) return 0;
  int64_t elements = (int64_t)rows * columns;
  return elements <= INT32_MAX && !__builtin_mul_overflow(elements, batch, &elements) && elements <= INT64_MAX / 64;
}

int mtlf_weights_are_right(int32_t n, const float *weights) {
  for (int32_t i = 0; weights && i < n; i++) {
    if (!(weights[i] >= 0.0f) || weights[i] - weights[i] != 0.0f) return 0;
  }
  return 1;
}
