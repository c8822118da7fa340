/* SPDX-License-Identifier: Apache-2.0
 * The optimizer's update of parameters where they lie. */
#ifndef MTLF_KERNELS_OPTIMIZER_H
#define MTLF_KERNELS_OPTIMIZER_H

#include "../simd/kernels.h"
#include "mtlf/optimizer.h"

/* An optimizer's step: what every parameter is updated with. */
typedef struct {
  mtlf_optimizer_kind kind;
  mtlf_update_scalars scalars, without_decay;
} mtlf_update;

mtlf_update mtlf_adam_update(const mtlf_adam *adam, int64_t step);
mtlf_update mtlf_sgd_update(const mtlf_sgd *sgd);

/* Values in any layout, and the optimizer's state in the same one: Adam m and v; SGD velocity, NULL. */
typedef struct {
  float *values, *slot[2];
  int decays; /* 0: has no weight decay */
} mtlf_parameter;

/* n values from the one at `at` on, by their gradient [n]. Not 0: a gradient is NaN or infinite. */
int mtlf_update_values(const mtlf_kernels *kernels, const mtlf_update *update, const mtlf_parameter *parameter,
                       size_t at, const float *gradient, size_t n);
/* The same by the sum of `copies` gradients, `stride` floats apart, times a factor. */
int mtlf_update_values_by_sum(const mtlf_kernels *kernels, const mtlf_update *update, const mtlf_parameter *parameter,
                              size_t at, const float *gradient, size_t stride, int copies, float factor, size_t n);

/* Sums the copies of a gradient into the first one. */
void mtlf_sum_copies(const mtlf_kernels *kernels, float *gradient, size_t stride, int copies, size_t n);
double mtlf_square_sum(const float *gradient, size_t n);
/* What gradients of a 2-norm are multiplied by to keep it to a limit: limit / norm, or 1. */
float mtlf_clip_factor(float limit, double norm);

#endif
