/* SPDX-License-Identifier: Apache-2.0
 * Operations: from the groups' gradients to new parameters. */
#include <math.h>

#include "mtlf/plan/update.h"
#include "parameters.h"
#include "run.h"

MTLF_BLOCK_UNITS(sum_gradient) {
  const mtlf_sum_gradient_op *op = payload;
  return mtlf_update_unit_count(run->context->kernels, op->weight->inputs, op->weight->units);
}

MTLF_BLOCK_OP(sum_gradient) {
  const mtlf_sum_gradient_op *op = payload;
  const mtlf_kernels *kernels = run->context->kernels;
  const mtlf_weight *weight = op->weight;
  const mtlf_unit_place place = mtlf_unit_place_of(kernels, weight, unit);
  const int copies = mtlf_gradient_groups(weight, op->is_summed, run->groups);
  (void)thread;
  mtlf_sum_copies(kernels, weight->gradient + place.at, weight->gradient_stride, copies, place.n);
  if (op->squares) op->squares[unit] = mtlf_square_sum(weight->gradient + place.at, place.n);
  return 0;
}

MTLF_BLOCK_OP(clip) {
  mtlf_clip *clip = ((const mtlf_clip_op *)payload)->clip;
  double sum = 0;
  (void)run, (void)unit, (void)thread;
  for (int64_t i = 0; i < clip->count; i++) sum += clip->squares[i];
  clip->norm = sqrt(sum);
  clip->factor = mtlf_clip_factor(clip->limit, clip->norm);
  return 0;
}

MTLF_BLOCK_UNITS(update) {
  const mtlf_update_op *op = payload;
  return mtlf_update_unit_count(run->context->kernels, op->weight->inputs, op->weight->units);
}

MTLF_BLOCK_OP(update) {
  const mtlf_update_op *op = payload;
  const mtlf_kernels *kernels = run->context->kernels;
  const mtlf_weight *weight = op->weight;
  const mtlf_unit_place place = mtlf_unit_place_of(kernels, weight, unit);
  const mtlf_parameter parameter = place.is_bias ? mtlf_bias_of(weight) : mtlf_kernel_of(weight);
  (void)thread;
  const int is_bad = mtlf_update_values_by_sum(kernels, &run->update, &parameter, place.is_bias ? 0 : place.at,
                                               weight->gradient + place.at, weight->gradient_stride,
                                               mtlf_gradient_groups(weight, op->is_summed, run->groups),
                                               op->clip ? op->clip->factor : 1.0f, place.n);
  if (!place.is_bias) mtlf_refresh_rows(kernels, weight, place.panel, place.first, place.rows);
  return is_bad;
}
