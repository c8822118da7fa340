/* SPDX-License-Identifier: Apache-2.0
 * Layer normalisation over views of floats, whatever their halos. */
#ifndef MTLF_KERNELS_LAYER_NORM_H
#define MTLF_KERNELS_LAYER_NORM_H

#include "../base/view.h"
#include "../simd/kernels.h"

/* gamma, beta [C]; statistics: each pixel's mean, then each pixel's inverse deviation, [2][pixels] of a sample; or NULL. */
void mtlf_layer_norm_forward(const mtlf_kernels *kernels, float epsilon, int32_t samples, const mtlf_view *input,
                             const float *gamma, const float *beta, const mtlf_view *output,
                             const mtlf_view *statistics);
/* d_input may be d_output, or NULL. d_gamma, d_beta [C], or both NULL: added to, pixel by pixel. */
void mtlf_layer_norm_backward(const mtlf_kernels *kernels, int32_t samples, const mtlf_view *input, const float *gamma,
                              const mtlf_view *d_output, const mtlf_view *statistics, const mtlf_view *d_input,
                              float *d_gamma, float *d_beta);

#endif
