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

int mtlf_update(const mtlf_kernels *kernels, const mtlf_step *step, const mtlf_update_scalars *scalars, float *values,
                float *slot0, float *slot1, const float *gradient, size_t n) {
  if (step->optimizer == MTLF_OPTIMIZER_SGD) return kernels->sgd(values, slot0, gradient, n, scalars);
  return kernels->adam(values, slot0, slot1, gradient, n, scalars);
}

/* A unit of a weight's update: this many rows of one panel; the last unit is the bias. */
enum { UPDATE_ROWS = 64 };

int64_t mtlf_weight_update_units(const mtlf_kernels *kernels, const mtlf_weight *weight) {
  return mtlf_divide_up(weight->inputs, UPDATE_ROWS) * mtlf_divide_up(weight->units, kernels->panel) + 1;
}

/* Where a unit lies in the packed kernel; or, of the last one, that it is the bias. */
typedef struct {
  int is_bias;
  int32_t column, first, rows; /* panel, and rows of it */
  size_t at, n;                /* floats */
} unit_place;

static unit_place place_of(const mtlf_kernels *kernels, const mtlf_weight *weight, int64_t unit) {
  const int32_t panel = kernels->panel, panels = (int32_t)mtlf_divide_up(weight->units, panel);
  const int64_t blocks = mtlf_divide_up(weight->inputs, UPDATE_ROWS);
  if (unit == blocks * panels) {
    return (unit_place){
        .is_bias = 1, .at = (size_t)panels * (size_t)panel * (size_t)weight->inputs, .n = (size_t)weight->units};
  }
  unit_place place = {.column = (int32_t)(unit / blocks), .first = (int32_t)(unit % blocks) * UPDATE_ROWS};
  place.rows = (int32_t)mtlf_least(UPDATE_ROWS, weight->inputs - place.first);
  place.at = ((size_t)place.column * (size_t)weight->inputs + (size_t)place.first) * (size_t)panel;
  place.n = (size_t)place.rows * (size_t)panel;
  return place;
}

int mtlf_weight_update_unit(const mtlf_kernels *kernels, const mtlf_weight *weight, int groups, const mtlf_step *step,
                            const mtlf_update_scalars *scalars, const mtlf_clip *clip, int64_t unit) {
  enum { PIECE = UPDATE_ROWS * MTLF_MAX_PANEL };
  _Alignas(MTLF_ALIGNMENT) float sum[PIECE];
  const unit_place place = place_of(kernels, weight, unit);
  const mtlf_update_scalars without_decay = mtlf_without_decay(scalars);
  const mtlf_update_scalars *decay = place.is_bias || weight->no_decay ? &without_decay : scalars;
  /* The bias may have more than a unit of rows. Its values begin at 0, its gradient behind that of the kernel. */
  float *values = place.is_bias ? weight->bias : weight->kernel + place.at;
  float *slot[2];
  for (int i = 0; i < 2; i++) {
    slot[i] = place.is_bias ? weight->bias_slot[i] : weight->kernel_slot[i];
    if (slot[i] && !place.is_bias) slot[i] += place.at;
  }
  int is_bad = 0;
  for (size_t done = 0; done < place.n; done += PIECE) {
    const size_t n = place.n - done < PIECE ? place.n - done : PIECE;
    kernels->sum_copies(weight->gradient + place.at + done, weight->gradient_stride, clip ? 1 : groups, sum, n);
    if (clip && clip->factor != 1.0f) kernels->scale_floats(sum, sum, n, clip->factor);
    is_bad |= mtlf_update(kernels, step, decay, values + done, slot[0] + done, slot[1] ? slot[1] + done : NULL, sum, n);
  }
  if (!place.is_bias && weight->transposed) {
    mtlf_transpose_rows(kernels, weight->window, weight->units, weight->kernel + place.at, place.first, place.rows,
                        place.column, weight->transposed);
  }
  return is_bad;
}

/* ---- the norm of all gradients ---- */

double mtlf_weight_square_sum_unit(const mtlf_kernels *kernels, const mtlf_weight *weight, int groups, int64_t unit) {
  enum { LANES = 4 };
  const unit_place place = place_of(kernels, weight, unit);
  float *gradient = weight->gradient + place.at;
  /* In place: each vector of the copies is read before it is written. */
  if (groups > 1) kernels->sum_copies(gradient, weight->gradient_stride, groups, gradient, place.n);
  double sums[LANES] = {0};
  for (size_t i = 0; i < place.n; i++) sums[i % LANES] += (double)gradient[i] * (double)gradient[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void mtlf_clip_finish(mtlf_clip *clip) {
  double sum = 0;
  for (int64_t i = 0; i < clip->count; i++) sum += clip->squares[i];
  clip->norm = __builtin_sqrt(sum);
  clip->factor = clip->norm > (double)clip->limit ? (float)((double)clip->limit / clip->norm) : 1.0f;
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
