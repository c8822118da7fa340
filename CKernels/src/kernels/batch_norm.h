/* SPDX-License-Identifier: Apache-2.0
 * Batch normalisation over runs of pixels [pixels][channels], sums by group (Ioffe and Szegedy, 2015). */
#ifndef MTLF_KERNELS_BATCH_NORM_H
#define MTLF_KERNELS_BATCH_NORM_H

#include "mtlf/batch_norm.h"

/* sums[group] += sum x, sum x^2, in double. */
void mtlf_batch_norm_sums(const mtlf_batch_norm *norm, int group, size_t pixels, const float *x);
/* Of all groups, in their order: mean, biased variance, scale and shift of this step from gamma and beta, and the running
 * statistics; or, where count is 0, scale and shift from the running statistics. Clears nothing. */
void mtlf_batch_norm_finish(const mtlf_batch_norm *norm, const float *gamma, const float *beta, int groups,
                            int64_t count);
/* y = scale * x + shift */
void mtlf_batch_norm_apply(const mtlf_batch_norm *norm, size_t pixels, const float *x, float *y);
/* d_sums[group] += sum d, sum d * normalised x, in double. */
void mtlf_batch_norm_d_sums(const mtlf_batch_norm *norm, int group, size_t pixels, const float *x, const float *d);
/* The batch's means of both; and each group's share as gradient of gamma and beta. */
void mtlf_batch_norm_d_finish(const mtlf_batch_norm *norm, int groups, int64_t count, float *gamma_gradient,
                              float *beta_gradient, size_t gradient_stride);
/* d_x = scale * (d - mean d - normalised x * mean (d * normalised x)); d_x may be d */
void mtlf_batch_norm_d_input(const mtlf_batch_norm *norm, size_t pixels, const float *x, const float *d, float *d_x);

#endif
