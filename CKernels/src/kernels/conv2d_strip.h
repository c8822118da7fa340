/* SPDX-License-Identifier: Apache-2.0
 * Convolutions by strips of pixels: what the direct path and the one by im2col share. conv2d.c defines it. */
#ifndef MTLF_KERNELS_CONV2D_STRIP_H
#define MTLF_KERNELS_CONV2D_STRIP_H

#include "conv2d.h"

typedef struct {
  int32_t output_h, output_w; /* pixels computed; with `windows` both even */
  int32_t kernel_h, window;   /* window = KW * C_in floats, contiguous in the input */
  int32_t channels_in, units;
  int32_t stride_h, stride_w;
  int32_t windows; /* pixels are taken by 2x2 pool windows, four neighbours one after the other */
  int64_t pixels;  /* of all samples */
} mtlf_conv_shape;

/* images: input or d_input; outputs: output or d_output, pooled with a gate. */
mtlf_conv_shape mtlf_conv_shape_of(const mtlf_window *window, int32_t samples, const mtlf_view *images,
                                   const mtlf_view *outputs, int is_pooled);
/* The first tap of the first window. */
float *mtlf_conv_first_tap(const mtlf_window *window, const mtlf_view *images);

/* Offsets, from the first tap, of the windows of pixels first...first+count. */
void mtlf_conv_list_windows(const mtlf_conv_shape *s, const mtlf_view *images, int64_t first, int32_t count,
                            ptrdiff_t *offset);
/* The strip's part of d_output as [count][units], spread out at `spread` where it is pooled. */
const float *mtlf_conv_spread_d_output(const mtlf_kernels *kernels, const mtlf_conv_shape *s, const mtlf_view *d_output,
                                       const uint8_t *gate, int64_t first, int32_t count, float *spread);

/* Where a strip's windows are: window i is `segments` runs of `segment` floats, the first at base + offset[i]. */
typedef struct {
  float *base;
  ptrdiff_t offset[MTLF_STRIP];
  int32_t segments, segment;
  ptrdiff_t segment_stride;
} mtlf_conv_windows;

void mtlf_conv_forward_strip(const mtlf_kernels *kernels, const mtlf_conv_shape *s, const mtlf_conv_windows *windows,
                             int64_t first, int32_t count, const float *kernel, const float *bias, int relu,
                             const mtlf_view *output, uint8_t *gate);
/* The products of d [count][units] and the transposed kernel, stored as windows or added to them. */
void mtlf_conv_d_input_strip(const mtlf_kernels *kernels, const mtlf_conv_shape *s, const float *d, int32_t count,
                             const float *transposed, mtlf_tile_mode mode, const mtlf_conv_windows *windows);
void mtlf_conv_d_filter_strip(const mtlf_kernels *kernels, const mtlf_conv_shape *s, const mtlf_conv_windows *windows,
                              const float *d, int32_t count, float *gradient, float *bias_gradient, int accumulate);

#endif
