/* SPDX-License-Identifier: Apache-2.0
 * mtlf/pool2d.h - max and average pooling. */
#ifndef MTLF_POOL2D_H
#define MTLF_POOL2D_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A pooling window. OH and OW as for convolutions. */
typedef struct mtlf_pool2d {
  int32_t batch, height, width, channels;
  int32_t pool_h, pool_w, stride_h, stride_w;
  int32_t pad_top, pad_bottom, pad_left, pad_right; /* each 0 or more and smaller than the window */
} mtlf_pool2d;

/* 0 where the descriptor is wrong. */
int32_t mtlf_pool2d_output_height(const mtlf_pool2d *pool);
int32_t mtlf_pool2d_output_width(const mtlf_pool2d *pool);

/* Max pooling. input [N, H, W, C]; output [N, OH, OW, C]; argmax [N, OH, OW, C], the index h*W + w in the image of the
 * first maximum in row-major order; NaN propagates. argmax may be NULL where no gradient is wanted. */
mtlf_status mtlf_max_pool2d_forward_f32(const mtlf_pool2d *pool, const float *input, float *output, int32_t *argmax,
                                        const mtlf_context *context);
/* d_input [N, H, W, C], every element is written: each d_output element is added where argmax points. */
mtlf_status mtlf_max_pool2d_backward_f32(const mtlf_pool2d *pool, const float *d_output, const int32_t *argmax,
                                         float *d_input, const mtlf_context *context);
/* Average pooling: the mean over the window's elements inside the image. input [N, H, W, C]; output [N, OH, OW, C]. */
mtlf_status mtlf_avg_pool2d_forward_f32(const mtlf_pool2d *pool, const float *input, float *output,
                                        const mtlf_context *context);
mtlf_status mtlf_avg_pool2d_backward_f32(const mtlf_pool2d *pool, const float *d_output, float *d_input,
                                         const mtlf_context *context);

#ifdef __cplusplus
}
#endif

#endif
