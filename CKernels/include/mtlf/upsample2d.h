/* SPDX-License-Identifier: Apache-2.0
 * mtlf/upsample2d.h - nearest-neighbour upsampling. */
#ifndef MTLF_UPSAMPLE2D_H
#define MTLF_UPSAMPLE2D_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Nearest-neighbour upsampling: each pixel becomes scale_h x scale_w pixels. */
typedef struct mtlf_upsample2d {
  int32_t batch, height, width, channels, scale_h, scale_w;
} mtlf_upsample2d;

/* output[n,y,x,c] = input[n, y / scale_h, x / scale_w, c].
 * input [N, H, W, C]; output [N, H*scale_h, W*scale_w, C], may not overlap the input.
 * Returns MTLF_ERR_BAD_SHAPE where a size is not positive or above 2^20, or the product overflows. */
mtlf_status mtlf_upsample2d_forward_f32(const mtlf_upsample2d *upsample, const float *input, float *output,
                                        const mtlf_context *context);
/* d_input [N, H, W, C], every element is written: the sum of its scale_h * scale_w pixels of d_output, row by row. */
mtlf_status mtlf_upsample2d_backward_f32(const mtlf_upsample2d *upsample, const float *d_output, float *d_input,
                                         const mtlf_context *context);

#ifdef __cplusplus
}
#endif

#endif
