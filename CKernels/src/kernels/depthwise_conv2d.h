/* SPDX-License-Identifier: Apache-2.0
 * The three passes of a depthwise convolution over buffers that hold every window. */
#ifndef MTLF_KERNELS_DEPTHWISE_CONV2D_H
#define MTLF_KERNELS_DEPTHWISE_CONV2D_H

#include "../base/view.h"
#include "../simd/kernels.h"

/* The passes over `samples` images of floats.
 *
 *   input, d_input     inside halos that hold every window
 *   output, d_output   rows may lie apart
 *   kernel             packed [KH*KW, C]; bias [C], or NULL
 *   gradient           packed [KH*KW, C]; bias_gradient [C], or NULL: overwritten unless `accumulate`
 *
 * Each sample's results depend on that sample alone; gradients are summed row by row and sample by sample, so that a batch
 * may be cut into calls. */
void mtlf_depthwise_forward(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples,
                            const mtlf_view *input, const float *kernel, const float *bias, int relu,
                            const mtlf_view *output);
/* Adds to d_input. */
void mtlf_depthwise_d_input(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples,
                            const mtlf_view *d_output, const float *kernel, const mtlf_view *d_input);
void mtlf_depthwise_d_filter(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples,
                             const mtlf_view *input, const mtlf_view *d_output, float *gradient, float *bias_gradient,
                             int accumulate);

#endif
