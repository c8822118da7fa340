/* SPDX-License-Identifier: Apache-2.0
 * Dropout, whose mask is drawn again wherever it is needed. */
#ifndef MTLF_KERNELS_DROPOUT_H
#define MTLF_KERNELS_DROPOUT_H

#include <stddef.h>
#include <stdint.h>

/* y = x * mask / (1 - rate), the mask of element i drawn from (key, stream, i). */
void mtlf_dropout(uint64_t key, uint64_t stream, float rate, const float *x, float *y, size_t n);

#endif
