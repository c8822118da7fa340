/* SPDX-License-Identifier: Apache-2.0
 * Parameters of a plan: where their units lie, and how each is updated. */
#include "parameters.h"

#include "../base/arithmetic.h"
#include "../base/context.h"
#include "../kernels/conv2d.h"

mtlf_update mtlf_update_of(const mtlf_step *step) {
  return step->optimizer == MTLF_OPTIMIZER_SGD ? mtlf_sgd_update(&step->sgd)
                                               : mtlf_adam_update(&step->adam, step->optimizer_step);
}

mtlf_parameter mtlf_kernel_of(const mtlf_weight *weight) {
  return (mtlf_parameter){
      .values = weight->kernel, .slot = {weight->kernel_slot[0], weight->kernel_slot[1]}, .decays = !weight->no_decay};
}

mtlf_parameter mtlf_bias_of(const mtlf_weight *weight) {
  return (mtlf_parameter){.values = weight->bias, .slot = {weight->bias_slot[0], weight->bias_slot[1]}};
}

/* A unit of a weight's update: this many rows of one panel; the last unit is the bias. */
enum { UPDATE_ROWS = 64 };

int64_t mtlf_weight_update_units(const mtlf_kernels *kernels, int64_t inputs, int64_t units) {
  return mtlf_divide_up(inputs, UPDATE_ROWS) * mtlf_divide_up(units, kernels->panel) + 1;
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

int mtlf_weight_update_unit(const mtlf_kernels *kernels, const mtlf_weight *weight, int groups,
                            const mtlf_update *update, const mtlf_clip *clip, int64_t unit) {
  const unit_place place = place_of(kernels, weight, unit);
  const mtlf_parameter parameter = place.is_bias ? mtlf_bias_of(weight) : mtlf_kernel_of(weight);
  /* The values of a bias begin at 0, its gradient behind that of the kernel. A clipped gradient is one already. */
  const int is_bad =
      mtlf_update_values_by_sum(kernels, update, &parameter, place.is_bias ? 0 : place.at, weight->gradient + place.at,
                                weight->gradient_stride, clip ? 1 : groups, clip ? clip->factor : 1.0f, place.n);
  if (!place.is_bias && weight->transposed) {
    mtlf_transpose_rows(kernels, weight->window, weight->units, weight->kernel + place.at, place.first, place.rows,
                        place.column, weight->transposed);
  }
  return is_bad;
}

double mtlf_weight_square_sum_unit(const mtlf_kernels *kernels, const mtlf_weight *weight, int groups, int64_t unit) {
  const unit_place place = place_of(kernels, weight, unit);
  return mtlf_square_sum(kernels, weight->gradient + place.at, weight->gradient_stride, groups, place.n);
}

void mtlf_clip_finish(mtlf_clip *clip) {
  double sum = 0;
  for (int64_t i = 0; i < clip->count; i++) sum += clip->squares[i];
  clip->norm = __builtin_sqrt(sum);
  clip->factor = mtlf_clip_factor(clip->limit, clip->norm);
}

/* ---- the calls that those who fill parameters make ---- */

size_t mtlf_plan_transposed_floats(int64_t inputs, int64_t units, int64_t window, const mtlf_context *context) {
  mtlf_context resolved;
  return mtlf_resolve(context, &resolved) == MTLF_OK ? mtlf_transposed_floats(resolved.kernels, inputs, units, window)
                                                     : 0;
}

mtlf_status mtlf_plan_refresh(const mtlf_weight *weight, const mtlf_context *context) {
  mtlf_context resolved;
  if (!weight || !weight->kernel) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK || !weight->transposed) return status;
  const int32_t panel = resolved.kernels->panel;
  for (int32_t p = 0; p * panel < weight->units; p++) {
    mtlf_transpose_rows(resolved.kernels, weight->window, weight->units,
                        weight->kernel + (size_t)p * (size_t)panel * (size_t)weight->inputs, 0, weight->inputs, p,
                        weight->transposed);
  }
  return MTLF_OK;
}

int64_t mtlf_plan_update_units(int64_t inputs, int64_t units, const mtlf_context *context) {
  mtlf_context resolved;
  return mtlf_resolve(context, &resolved) == MTLF_OK ? mtlf_weight_update_units(resolved.kernels, inputs, units) : 0;
}
