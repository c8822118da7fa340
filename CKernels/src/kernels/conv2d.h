/* SPDX-License-Identifier: Apache-2.0
 * The three passes of a convolution over buffers that hold every window, in two ways. */
#ifndef MTLF_KERNELS_CONV2D_H
#define MTLF_KERNELS_CONV2D_H

#include "../base/view.h"
#include "../simd/kernels.h"

enum {
  /* Output pixels that one pass works on while their inputs are in L1: a multiple of every tile_rows and pool_rows. */
  MTLF_STRIP = 120
};

/* The passes over `samples` images.
 *
 *   input, d_input   images of floats inside halos that hold every window
 *   output           images of floats; with a gate [samples][OH/2][OW/2][units] the result of a 2x2 max-pool
 *   d_output         without a gate [samples][OH][OW][units], no gaps; with one, the pooled gradient
 *   kernel           packed [KH*KW*C_in, units]; bias [units], padded to whole panels, or NULL
 *   transposed       the kernel by mtlf_transpose_rows
 *   gradient         packed kernel; bias_gradient [units]: overwritten unless `accumulate`
 *   workspace        MTLF_STRIP x (units, and KH*KW*C_in with im2col) floats */
typedef struct {
  void (*forward)(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples, const mtlf_view *input,
                  const float *kernel, const float *bias, int relu, const mtlf_view *output, uint8_t *gate,
                  float *workspace);
  /* Adds to d_input. */
  void (*d_input)(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples, const mtlf_view *d_output,
                  const uint8_t *gate, const float *transposed, const mtlf_view *d_input, float *workspace);
  void (*d_filter)(const mtlf_kernels *kernels, const mtlf_window *window, int32_t samples, const mtlf_view *input,
                   const mtlf_view *d_output, const uint8_t *gate, float *gradient, float *bias_gradient,
                   int accumulate, float *workspace);
} mtlf_conv_passes;

extern const mtlf_conv_passes mtlf_conv_direct; /* conv2d.c */
extern const mtlf_conv_passes mtlf_conv_im2col; /* conv2d_im2col.c */

static inline const mtlf_conv_passes *mtlf_conv_passes_of(mtlf_conv_path path) {
  return path == MTLF_CONV_IM2COL ? &mtlf_conv_im2col : &mtlf_conv_direct;
}

/* Floats of the transposed form of a packed [inputs, units] kernel: [inputs / window][ceil(window / panel)][units][panel],
 * where `window` is the contiguous inputs of one filter row. */
size_t mtlf_transposed_floats(const mtlf_kernels *kernels, int64_t inputs, int64_t units, int64_t window);
/* Rows first...first+rows of a packed panel of `columns` units, at `from`, into the transposed form. */
void mtlf_transpose_rows(const mtlf_kernels *kernels, int32_t window, int32_t units, const float *from, int32_t first,
                         int32_t rows, int32_t panel, float *transposed);

#endif
