/* SPDX-License-Identifier: Apache-2.0
 * Adam and SGD with momentum: over flat buffers, and over a weight whose gradient lies in groups. */

#include "impl.h"

static float bias_correction(float beta, int64_t step) {
  /* beta^step by squaring, in double: needs no libm and is the same everywhere. */
  double power = 1.0, factor = beta;
  for (; step > 0; step >>= 1, factor *= factor) {
    if (step & 1) power *= factor;
  }
  return (float)(1.0 / (1.0 - power));
}

mtlf_update_scalars mtlf_update_scalars_of(const mtlf_step *step) {
  if (step->optimizer == MTLF_OPTIMIZER_SGD) {
    return (mtlf_update_scalars){.learning_rate = step->sgd.learning_rate,
                                 .momentum = step->sgd.momentum,
                                 .weight_decay = step->sgd.weight_decay};
  }
  return (mtlf_update_scalars){.learning_rate = step->adam.learning_rate,
                               .beta1 = step->adam.beta1,
                               .beta2 = step->adam.beta2,
                               .epsilon = step->adam.epsilon,
                               .correction1 = bias_correction(step->adam.beta1, step->optimizer_step),
                               .correction2 = bias_correction(step->adam.beta2, step->optimizer_step),
                               .weight_decay = step->adam.weight_decay};
}

mtlf_update_scalars mtlf_without_decay(const mtlf_update_scalars *scalars) {
  mtlf_update_scalars without = *scalars;
  without.weight_decay = 0.0f;
  return without;
}

void mtlf_update(const mtlf_kernels *kernels, const mtlf_step *step, const mtlf_update_scalars *scalars, float *values,
                 float *slot0, float *slot1, const float *gradient, size_t n) {
  if (step->optimizer == MTLF_OPTIMIZER_SGD) {
    kernels->sgd(values, slot0, gradient, n, scalars);
  } else {
    kernels->adam(values, slot0, slot1, gradient, n, scalars);
  }
}

/* A unit of a weight's update: this many rows of one panel; the last unit is the bias. */
enum { UPDATE_ROWS = 64 };

int64_t mtlf_weight_update_units(const mtlf_kernels *kernels, const mtlf_weight *weight) {
  return mtlf_divide_up(weight->inputs, UPDATE_ROWS) * mtlf_divide_up(weight->units, kernels->panel) + 1;
}

void mtlf_weight_update_unit(const mtlf_kernels *kernels, const mtlf_weight *weight, int groups, const mtlf_step *step,
                             const mtlf_update_scalars *scalars, int64_t unit) {
  _Alignas(MTLF_ALIGNMENT) float sum[UPDATE_ROWS * MTLF_MAX_PANEL];
  const int32_t panel = kernels->panel, panels = (int32_t)mtlf_divide_up(weight->units, panel);
  const size_t kernel_floats = (size_t)panels * (size_t)panel * (size_t)weight->inputs;
  const int64_t blocks = mtlf_divide_up(weight->inputs, UPDATE_ROWS);
  const mtlf_update_scalars without_decay = mtlf_without_decay(scalars);
  if (unit == blocks * panels) {
    for (size_t at = 0; at < (size_t)weight->units; at += UPDATE_ROWS) {
      const size_t n = (size_t)mtlf_least(UPDATE_ROWS, (int64_t)weight->units - (int64_t)at);
      kernels->sum_copies(weight->gradient + kernel_floats + at, weight->gradient_stride, groups, sum, n);
      mtlf_update(kernels, step, &without_decay, weight->bias + at, weight->bias_slot[0] + at,
                  weight->bias_slot[1] ? weight->bias_slot[1] + at : NULL, sum, n);
    }
    return;
  }
  const int32_t column = (int32_t)(unit / blocks), first = (int32_t)(unit % blocks) * UPDATE_ROWS;
  const int32_t rows = (int32_t)mtlf_least(UPDATE_ROWS, weight->inputs - first);
  const size_t at = ((size_t)column * (size_t)weight->inputs + (size_t)first) * (size_t)panel;
  const size_t n = (size_t)rows * (size_t)panel;
  kernels->sum_copies(weight->gradient + at, weight->gradient_stride, groups, sum, n);
  mtlf_update(kernels, step, weight->no_decay ? &without_decay : scalars, weight->kernel + at,
              weight->kernel_slot[0] + at, weight->kernel_slot[1] ? weight->kernel_slot[1] + at : NULL, sum, n);
  if (weight->transposed) {
    mtlf_transpose_rows(kernels, weight->window, weight->units, weight->kernel + at, first, rows, column,
                        weight->transposed);
  }
}

/* ---- over flat buffers, by blocks ---- */

enum { FLAT_BLOCK = 1 << 15 };

typedef struct {
  const mtlf_kernels *kernels;
  mtlf_step step;
  mtlf_update_scalars scalars;
  int64_t n;
  float *w, *slot0, *slot1;
  const float *g;
} flat_call;

static void update_block(void *argument, int64_t unit, int thread) {
  const flat_call *call = argument;
  const size_t at = (size_t)unit * FLAT_BLOCK, n = (size_t)mtlf_least(FLAT_BLOCK, call->n - (int64_t)at);
  (void)thread;
  mtlf_update(call->kernels, &call->step, &call->scalars, call->w + at, call->slot0 + at,
              call->slot1 ? call->slot1 + at : NULL, call->g + at, n);
}

static mtlf_status update_flat(flat_call *call, const mtlf_context *context) {
  mtlf_context resolved;
  const mtlf_status status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  call->kernels = resolved.kernels;
  call->scalars = mtlf_update_scalars_of(&call->step);
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
  flat_call call = {.step = {.optimizer = MTLF_OPTIMIZER_ADAM, .adam = *adam, .optimizer_step = step},
                    .n = n,
                    .w = w,
                    .slot0 = m,
                    .slot1 = v,
                    .g = g};
  return update_flat(&call, context);
}

mtlf_status mtlf_sgd_f32(const mtlf_sgd *sgd, int64_t n, float *w, float *velocity, const float *g,
                         const mtlf_context *context) {
  if (!sgd || !w || !velocity || !g) return MTLF_ERR_NULL_POINTER;
  if (n < 1) return MTLF_ERR_BAD_SHAPE;
  if (!is_finite(sgd->learning_rate) || !(sgd->momentum >= 0 && sgd->momentum < 1) || !is_decay(sgd->weight_decay)) {
    return MTLF_ERR_BAD_VALUE;
  }
  flat_call call = {.step = {.optimizer = MTLF_OPTIMIZER_SGD, .sgd = *sgd}, .n = n, .w = w, .slot0 = velocity, .g = g};
  return update_flat(&call, context);
}
