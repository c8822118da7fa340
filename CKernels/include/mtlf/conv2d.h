/* SPDX-License-Identifier: Apache-2.0
 * mtlf/conv2d.h - 2-D convolutions: forward, with max-pool, gradients, and windows as rows. */
#ifndef MTLF_CONV2D_H
#define MTLF_CONV2D_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A 2-D convolution. OH = (height + pad_top + pad_bottom - kernel_h) / stride_h + 1, OW likewise. */
typedef struct mtlf_conv2d {
  int32_t batch, height, width, channels_in, channels_out;
  int32_t kernel_h, kernel_w, stride_h, stride_w;
  int32_t pad_top, pad_bottom, pad_left, pad_right; /* each 0 or more and smaller than the kernel */
} mtlf_conv2d;

/* 0 where the descriptor is wrong. */
int32_t mtlf_conv2d_output_height(const mtlf_conv2d *conv);
int32_t mtlf_conv2d_output_width(const mtlf_conv2d *conv);

/* Bytes of workspace for any of the three passes; it grows with the number of threads, and with the
 * batch up to 16 images. 0 where the descriptor is wrong. */
size_t mtlf_conv2d_workspace_bytes(const mtlf_conv2d *conv, const mtlf_context *context);

/* mtlf_conv2d_forward_f32 - 2-D convolution with bias and optional ReLU.
 *
 *   output[n,oh,ow,k] = act(bias[k] + sum over (r,s,c) of
 *       input[n, oh*stride_h + r - pad_top, ow*stride_w + s - pad_left, c] * filter[r,s,c,k])
 *
 *   input      [N, H, W, C_in]         zero outside its bounds
 *   filter     [KH, KW, C_in, C_out]
 *   bias       [C_out], or NULL
 *   relu       0 or 1; NaN propagates
 *   output     [N, OH, OW, C_out]      may not overlap the inputs
 *
 * Cost       2*N*OH*OW*KH*KW*C_in*C_out flop.
 * Numerics   fp32; each element's sum starts at the bias and runs over (r,s,c) in order, fused multiply-add where the
 *            instruction set has it. */
mtlf_status mtlf_conv2d_forward_f32(const mtlf_conv2d *conv, const float *input, const float *filter, const float *bias,
                                    int32_t relu, float *output, void *workspace, size_t workspace_bytes,
                                    const mtlf_context *context);

/* mtlf_conv2d_max_pool2d_forward_f32 - convolution, bias, optional ReLU and 2x2 max-pool with stride 2 in one pass.
 *
 *   output     [N, OH/2, OW/2, C_out]  an odd last row or column is dropped
 *   gate       [N, OH/2, OW/2, C_out]  0...3: row-major position of the maximum (the first of equals);
 *                                      4: ReLU cut it, no gradient passes
 * The other arguments are those of mtlf_conv2d_forward_f32. */
mtlf_status mtlf_conv2d_max_pool2d_forward_f32(const mtlf_conv2d *conv, const float *input, const float *filter,
                                               const float *bias, int32_t relu, float *output, uint8_t *gate,
                                               void *workspace, size_t workspace_bytes, const mtlf_context *context);

/* mtlf_conv2d_max_pool2d_backward_f32 - the way back through pool and ReLU, to what d_input and d_filter take.
 *
 *   d_output   [N, OH/2, OW/2, C_out]
 *   gate       [N, OH/2, OW/2, C_out]  from the forward pass
 *   d_unpooled [N, OH, OW, C_out]      every element is written, most of them with zero */
mtlf_status mtlf_conv2d_max_pool2d_backward_f32(const mtlf_conv2d *conv, const float *d_output, const uint8_t *gate,
                                                float *d_unpooled, const mtlf_context *context);

/* mtlf_conv2d_d_input_f32 - gradient of the input.
 *
 *   filter     [KH, KW, C_in, C_out]
 *   d_output   [N, OH, OW, C_out]      before the activation
 *   d_input    [N, H, W, C_in]         every element is written */
mtlf_status mtlf_conv2d_d_input_f32(const mtlf_conv2d *conv, const float *filter, const float *d_output, float *d_input,
                                    void *workspace, size_t workspace_bytes, const mtlf_context *context);

/* mtlf_conv2d_d_filter_f32 - gradients of filter and bias, summed over the batch.
 *
 *   input      [N, H, W, C_in]
 *   d_output   [N, OH, OW, C_out]
 *   d_filter   [KH, KW, C_in, C_out]
 *   d_bias     [C_out], or NULL */
mtlf_status mtlf_conv2d_d_filter_f32(const mtlf_conv2d *conv, const float *input, const float *d_output,
                                     float *d_filter, float *d_bias, void *workspace, size_t workspace_bytes,
                                     const mtlf_context *context);

/* mtlf_im2col_f32 - one image's windows as rows.
 *
 *   image      [H, W, C_in]
 *   columns    [OH*OW, KH*KW*C_in]     zero where a window reaches beyond the image
 *
 * `conv->batch` and `conv->channels_out` are not read, but checked. */
mtlf_status mtlf_im2col_f32(const mtlf_conv2d *conv, const float *image, float *columns);
/* mtlf_col2im_f32 - the transpose of im2col: adds each row of columns to its window of the image, [H, W, C_in]. */
mtlf_status mtlf_col2im_f32(const mtlf_conv2d *conv, const float *columns, float *image);

#ifdef __cplusplus
}
#endif

#endif
