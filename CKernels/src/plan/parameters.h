/* SPDX-License-Identifier: Apache-2.0
 * A layer's parameters in a plan: where their units lie, and their other forms. */
#ifndef MTLF_PLAN_PARAMETERS_H
#define MTLF_PLAN_PARAMETERS_H

#include "../kernels/optimizer.h"
#include "mtlf/plan/weight.h"

mtlf_parameter mtlf_kernel_of(const mtlf_weight *weight);
mtlf_parameter mtlf_bias_of(const mtlf_weight *weight);

/* Floats of a packed kernel: in a copy of a gradient the bias's follows. */
size_t mtlf_kernel_floats(const mtlf_kernels *kernels, const mtlf_weight *weight);
/* A group's copy of the gradient. */
float *mtlf_gradient_of(const mtlf_weight *weight, int group);
/* The copies that the groups' sums lie in. */
int mtlf_gradient_groups(const mtlf_weight *weight, int is_summed, int groups);

/* A unit of an update: rows of one panel of the kernel, or the whole bias. */
typedef struct {
  int is_bias;
  int32_t panel, first, rows;
  size_t at, n; /* floats, in the gradient; those of the kernel lie alike, those of the bias begin at 0 */
} mtlf_unit_place;

int64_t mtlf_update_unit_count(const mtlf_kernels *kernels, int64_t inputs, int64_t units);
mtlf_unit_place mtlf_unit_place_of(const mtlf_kernels *kernels, const mtlf_weight *weight, int64_t unit);

/* Makes the forms of rows of a panel anew from the kernel. */
void mtlf_refresh_rows(const mtlf_kernels *kernels, const mtlf_weight *weight, int32_t panel, int32_t first,
                       int32_t rows);

#endif
