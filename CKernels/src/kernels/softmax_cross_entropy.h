/* SPDX-License-Identifier: Apache-2.0
 * Softmax and cross-entropy of one row. */
#ifndef MTLF_KERNELS_SOFTMAX_CROSS_ENTROPY_H
#define MTLF_KERNELS_SOFTMAX_CROSS_ENTROPY_H

#include "../simd/kernels.h"

void mtlf_softmax_row(const mtlf_kernels *kernels, int32_t classes, const float *logits, float *probabilities);
/* One row; label in 0...classes-1. The target is 1 - smoothing on the label plus smoothing / classes on every class.
 * probabilities is written; d_logits += scale * (probabilities - target), unless NULL. predicted is the largest logit's
 * class, the first of equals; rank the number of classes that stand before the label in that order (0: correct).
 * Returns the row's loss. */
float mtlf_cross_entropy_row(const mtlf_kernels *kernels, int32_t classes, const float *logits, int32_t label,
                             float smoothing, float scale, float *probabilities, float *d_logits, int32_t *predicted,
                             int32_t *rank);

#endif
