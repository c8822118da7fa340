/* SPDX-License-Identifier: Apache-2.0
 * Errors of the numbers of one sample. */
#ifndef MTLF_KERNELS_REGRESSION_LOSS_H
#define MTLF_KERNELS_REGRESSION_LOSS_H

#include "loss_sum.h"

/* Mean squared, mean absolute or Huber error of n outputs; a NaN target is missing. Huber: e^2 / 2 for |e| <= delta,
 * delta (|e| - delta / 2) beyond. sums [n or 1][MTLF_REGRESSION_SUMS] (of each output, or of all where sum_size is
 * MTLF_REGRESSION_SUMS) = count, sum |e|, sum e^2, sum t, sum t^2; added to unless NULL. */
mtlf_sample_loss mtlf_regression_sample(const mtlf_kernels *kernels, mtlf_loss loss, float delta, int32_t n,
                                        const float *outputs, const float *targets, float scale, float *d_outputs,
                                        double *sums, int32_t sum_size);

#endif
