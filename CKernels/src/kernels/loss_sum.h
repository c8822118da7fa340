/* SPDX-License-Identifier: Apache-2.0
 * What the losses share: the part of a sample, and sums over a batch. */
#ifndef MTLF_KERNELS_LOSS_SUM_H
#define MTLF_KERNELS_LOSS_SUM_H

#include "../simd/kernels.h"
#include "mtlf/losses.h"

/* What a sample adds to its head's sums. */
typedef struct {
  float loss;      /* mean over the present elements, weighted where there are class weights */
  int32_t present; /* elements that have a target; where 0, nothing was added anywhere */
} mtlf_sample_loss;

/* Calls body for every sample of a batch, on a team. */
typedef mtlf_sample_loss (*mtlf_sample_body)(const void *argument, const mtlf_kernels *kernels, int64_t sample);
mtlf_loss_sum mtlf_sum_losses(const mtlf_context *context, int32_t batch, mtlf_sample_body body, const void *argument);
/* Whether [batch][rows][columns] is a shape, and a sample's elements can be counted. */
int mtlf_elements_fit(int32_t batch, int32_t rows, int32_t columns);
/* Whether weights [n] are finite and not negative; NULL is right. */
int mtlf_weights_are_right(int32_t n, const float *weights);

#endif
