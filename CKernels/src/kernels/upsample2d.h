/* SPDX-License-Identifier: Apache-2.0
 * Nearest-neighbour upsampling, over floats. */
#ifndef MTLF_KERNELS_UPSAMPLE2D_H
#define MTLF_KERNELS_UPSAMPLE2D_H

#include "../base/view.h"
#include "../simd/kernels.h"

/* output: scale_h x scale_w times the input's pixels, whatever their halos. */
void mtlf_upsample(int32_t scale_h, int32_t scale_w, int32_t samples, const mtlf_view *input, const mtlf_view *output);
/* Adds to d_input. */
void mtlf_upsample_backward(const mtlf_kernels *kernels, int32_t scale_h, int32_t scale_w, int32_t samples,
                            const mtlf_view *d_output, const mtlf_view *d_input);

#endif
