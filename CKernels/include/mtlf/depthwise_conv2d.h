/* SPDX-License-Identifier: Apache-2.0
 * mtlf/depthwise_conv2d.h - depthwise 2-D convolutions: forward and gradients. */
#ifndef MTLF_DEPTHWISE_CONV2D_H
#define MTLF_DEPTHWISE_CONV2D_H

#include "conv2d.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Described by an mtlf_conv2d with channels_in = channels_out = C; each channel has a filter of its own.
 *
 * Bytes of workspace for any of the three passes. 0 where the descriptor is wrong. */
size_t mtlf_depthwise_conv2d_workspace_bytes(const mtlf_conv2d *conv, const mtlf_context *context);

/* mtlf_depthwise_conv2d_forward_f32 - 2-D convolution of each channel with its own filter, bias and optional ReLU.
 *
 *   output[n,oh,ow,c] = act(bias[c] + sum over (r,s) of
 *       input[n, oh*stride_h + r - pad_top, ow*stride_w + s - pad_left, c] * filter[r,s,c])
 *
 *   input      [N, H, W, C]            zero outside its bounds
 *   filter     [KH, KW, C]
 *   bias       [C], or NULL
 *   relu       0 or 1; NaN propagates
 *   output     [N, OH, OW, C]          may not overlap the inputs
 *
 * Cost       2*N*OH*OW*KH*KW*C flop.
 * Numerics   fp32; each element's sum starts at the bias and runs over (r,s) in order, fused multiply-add where the
 *            instruction set has it.
 *
 * Returns MTLF_ERR_NULL_POINTER, MTLF_ERR_BAD_SHAPE, MTLF_ERR_BAD_VALUE (relu), MTLF_ERR_MISALIGNED or
 * MTLF_ERR_WORKSPACE_TOO_SMALL. */
mtlf_status mtlf_depthwise_conv2d_forward_f32(const mtlf_conv2d *conv, const float *input, const float *filter,
                                              const float *bias, int32_t relu, float *output, void *workspace,
                                              size_t workspace_bytes, const mtlf_context *context);
/* mtlf_depthwise_conv2d_d_input_f32 - gradient of the input.
 *
 *   filter     [KH, KW, C]
 *   d_output   [N, OH, OW, C]          before the activation
 *   d_input    [N, H, W, C]            every element is written */
mtlf_status mtlf_depthwise_conv2d_d_input_f32(const mtlf_conv2d *conv, const float *filter, const float *d_output,
                                              float *d_input, void *workspace, size_t workspace_bytes,
                                              const mtlf_context *context);
/* mtlf_depthwise_conv2d_d_filter_f32 - gradients of filter and bias, summed over the batch.
 *
 *   input      [N, H, W, C]
 *   d_output   [N, OH, OW, C]
 *   d_filter   [KH, KW, C]
 *   d_bias     [C], or NULL */
mtlf_status mtlf_depthwise_conv2d_d_filter_f32(const mtlf_conv2d *conv, const float *input, const float *d_output,
                                               float *d_filter, float *d_bias, void *workspace, size_t workspace_bytes,
                                               const mtlf_context *context);

#ifdef __cplusplus
}
#endif

#endif
