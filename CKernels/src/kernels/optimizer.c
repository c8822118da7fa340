/* SPDX-License-Identifier: Apache-2.0
 * Adam and SGD with momentum: over flat buffers, and over parameters whose gradient lies in copies. */
#include "optimizer.h"

#include "../base/arithmetic.h"
#include "../base/context.h"
#include "../base/parallel.h"

static float bias_correction(float beta, int64_t step) {
  /* beta^step by squaring, in double: needs no libm and is the same everywhere. */
  double power = 1.0, factor = beta;
  for (; step > 0; step >>= 1, factor *= factor) {
    if (step & 1) power *= factor;
  }
  return (float)(1.0 / (1.0 - power));
}

static mtlf_update update_of(mtlf_optimizer_kind kind, mtlf_update_scalars scalars) {
  mtlf_update update = {.kind = kind, .scalars = scalars, .without_decay = scalars};
  update.without_decay.weight_decay = 0.0f;
  return update;
}

mtlf_update mtlf_adam_update(const mtlf_adam *adam, int64_t step) {
  return update_of(MTLF_OPTIMIZER_ADAM, (mtlf_update_scalars){.learning_rate = adam->learning_rate,
                                                              .beta1 = adam->beta1,
                                                              .beta2 = adam->beta2,
                                                              .epsilon = adam->epsilon,
                                                              .correction1 = bias_correction(adam->beta1, step),
                                                              .correction2 = bias_correction(adam->beta2, step),
                                                              .weight_decay = adam->weight_decay});
}

mtlf_update mtlf_sgd_update(const mtlf_sgd *sgd) {
  return update_of(MTLF_OPTIMIZER_SGD, (mtlf_update_scalars){.learning_rate = sgd->learning_rate,
                                                             .momentum = sgd->momentum,
                                                             .weight_decay = sgd->weight_decay});
}

int mtlf_update_values(const mtlf_kernels *kernels, const mtlf_update *update, const mtlf_parameter *parameter,
                       size_t at, const float *gradient, size_t n) {
  const mtlf_update_scalars *scalars = parameter->decays ? &update->scalars : &update->without_decay;
  float *values = parameter->values + at, *slot = parameter->slot[0] + at;
  if (update->kind == MTLF_OPTIMIZER_SGD) return kernels->sgd(values, slot, gradient, n, scalars);
  return kernels->adam(values, slot, parameter->slot[1] + at, gradient, n, scalars);
}

int mtlf_update_values_by_sum(const mtlf_kernels *kernels, const mtlf_update *update, const mtlf_parameter *parameter,
                              size_t at, const float *gradient, size_t stride, int copies, float factor, size_t n) {
  enum { PIECE = 2048 };
  _Alignas(MTLF_ALIGNMENT) float sum[PIECE];
  int is_bad = 0;
  for (size_t done = 0; done < n; done += PIECE) {
    const size_t count = n - done < PIECE ? n - done : PIECE;
    kernels->sum_copies(gradient + done, stride, copies, sum, count);
    if (factor != 1.0f) kernels->scale_floats(sum, sum, count, factor);
    is_bad |= mtlf_update_values(kernels, update, parameter, at + done, sum, count);
  }
  return is_bad;
}

/* ---- the norm of all gradients ---- */

void mtlf_sum_copies(const mtlf_kernels *kernels, float *gradient, size_t stride, int copies, size_t n) {
  /* In place: each vector of the copies is read before it is written. */
  if (copies > 1) kernels->sum_copies(gradient, stride, copies, gradient, n);
}

double mtlf_square_sum(const float *gradient, size_t n) {
  enum { LANES = 4 };
  double sums[LANES] = {0};
  for (size_t i = 0; i < n; i++) sums[i % LANES] += (double)gradient[i] * (double)gradient[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

float mtlf_clip_factor(float limit, double norm) { return norm > (double)limit ? (float)((double)limit / norm) : 1.0f; }

/* ---- over flat buffers, by blocks ---- */

enum { FLAT_BLOCK = 1 << 15 };

typedef struct {
  const mtlf_kernels *kernels;
  mtlf_update update;
  mtlf_parameter parameter;
  int64_t n;
  const float *g;
} flat_call;

static void update_block(void *argument, int64_t unit, int thread) {
  const flat_call *call = argument;
  const size_t at = (size_t)unit * FLAT_BLOCK, n = (size_t)mtlf_least(FLAT_BLOCK, call->n - (int64_t)at);
  (void)thread;
  mtlf_update_values(call->kernels, &call->update, &call->parameter, at, call->g + at, n);
}

static mtlf_status update_flat(flat_call *call, const mtlf_context *context) {
  mtlf_context resolved;
  const mtlf_status status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  call->kernels = resolved.kernels;
  mtlf_run_units(&resolved, mtlf_divide_up(call->n, FLAT_BLOCK), update_block, call);
  return MTLF_OK;
}

static int is_finite(float x) { return x - x == 0.0f; }
static int is_decay(float x) { return x >= 0.0f && is_finite(x); }

mtlf_status mtlf_adam_f32(const mtlf_adam *adam, int64_t step, int64_t n, float *w, float *m, float *v, const float *g,
                          const mtlf_context *context) {
  if (!adam || !w || !m || !v || !g) return MTLF_ERR_NULL_POINTER;
  if (n < 1) return MTLF_ERR_BAD_SHAPE;
  if (step < 1 || !is_finite(adam->learning_rate) || !(adam->beta1 >= 0 && adam->beta1 < 1) ||
      !(adam->beta2 >= 0 && adam->beta2 < 1) || !(adam->epsilon > 0) || !is_finite(adam->epsilon) ||
      !is_decay(adam->weight_decay)) {
    return MTLF_ERR_BAD_VALUE;
  }
  flat_call call = {
      .update = mtlf_adam_update(adam, step), .parameter = {.values = w, .slot = {m, v}, .decays = 1}, .n = n, .g = g};
  return update_flat(&call, context);
}

mtlf_status mtlf_sgd_f32(const mtlf_sgd *sgd, int64_t n, float *w, float *velocity, const float *g,
                         const mtlf_context *context) {
  if (!sgd || !w || !velocity || !g) return MTLF_ERR_NULL_POINTER;
  if (n < 1) return MTLF_ERR_BAD_SHAPE;
  if (!is_finite(sgd->learning_rate) || !(sgd->momentum >= 0 && sgd->momentum < 1) || !is_decay(sgd->weight_decay)) {
    return MTLF_ERR_BAD_VALUE;
  }
  flat_call call = {.update = mtlf_sgd_update(sgd),
                    .parameter = {.values = w, .slot = {velocity, NULL}, .decays = 1},
                    .n = n,
                    .g = g};
  return update_flat(&call, context);
}
