/* SPDX-License-Identifier: Apache-2.0
 * Rows of a data set on their way into the first layer. */
#ifndef MTLF_KERNELS_INPUT_H
#define MTLF_KERNELS_INPUT_H

#include "../base/view.h"
#include "../simd/kernels.h"
#include "mtlf/input.h"

/* Writes one sample into the output's first: scaled or normalised, augmented where the input says so. `row` of -1 writes
 * zeros. */
void mtlf_load_sample(const mtlf_kernels *kernels, const mtlf_input_rows *input, int64_t row, uint64_t epoch,
                      const mtlf_view *output);
/* Moves a mask [height][width][channels] as its image is moved; what comes from outside is MTLF_IGNORED. */
void mtlf_augment_mask(const mtlf_augmentation *augmentation, int32_t height, int32_t width, int32_t channels,
                       const uint8_t *mask, int64_t row, uint64_t epoch, uint8_t *output);

#endif
