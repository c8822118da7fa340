/* SPDX-License-Identifier: Apache-2.0
 * A layer's parameters in a plan: their update by units, from gradients that lie in groups. */
#ifndef MTLF_PLAN_PARAMETERS_H
#define MTLF_PLAN_PARAMETERS_H

#include "../kernels/optimizer.h"
#include "mtlf_plan.h"

mtlf_update mtlf_update_of(const mtlf_step *step);
mtlf_parameter mtlf_kernel_of(const mtlf_weight *weight);
mtlf_parameter mtlf_bias_of(const mtlf_weight *weight);

int64_t mtlf_weight_update_units(const mtlf_kernels *kernels, int64_t inputs, int64_t units);
/* From the sum of the groups' gradients, times clip's factor unless clip is NULL. Not 0: a gradient isn't finite. */
int mtlf_weight_update_unit(const mtlf_kernels *kernels, const mtlf_weight *weight, int groups,
                            const mtlf_update *update, const mtlf_clip *clip, int64_t unit);
/* Sums the groups' gradients of a unit into the first one and returns the sum of its squares. */
double mtlf_weight_square_sum_unit(const mtlf_kernels *kernels, const mtlf_weight *weight, int groups, int64_t unit);
/* Norm and factor from the squares. */
void mtlf_clip_finish(mtlf_clip *clip);

#endif
