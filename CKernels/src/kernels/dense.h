/* SPDX-License-Identifier: Apache-2.0
 * The three passes of a dense layer by units: blocks of the output over the whole minibatch.
 *
 * Views are of vectors: [batch] of `channels` floats, sample_stride apart. */
#ifndef MTLF_KERNELS_DENSE_H
#define MTLF_KERNELS_DENSE_H

#include "../base/view.h"
#include "../simd/kernels.h"
#include "mtlf/dense.h"
#include "optimizer.h"

enum {
  /* Rows (samples, or inputs of a weight) of one block of a dense pass: a multiple of every tile_rows. */
  MTLF_BLOCK_ROWS = 96
};

/* Units of the passes. */
int64_t mtlf_dense_forward_unit_count(const mtlf_kernels *kernels, int32_t batch, int32_t units);
int64_t mtlf_dense_d_input_unit_count(int32_t inputs);
int64_t mtlf_dense_d_kernel_unit_count(const mtlf_kernels *kernels, int32_t inputs, int32_t units);

/* Rows first...end of the panel that begins at a column: what a unit of d_kernel works on. */
typedef struct {
  int32_t column, first, end;
  int columns;
} mtlf_dense_rows;

mtlf_dense_rows mtlf_dense_rows_of(const mtlf_kernels *kernels, int32_t inputs, int32_t units, int64_t unit);

typedef struct {
  /* output = act(input * kernel + bias); kernel packed; bias padded to whole panels, or NULL. */
  void (*forward_unit)(const mtlf_kernels *kernels, int32_t batch, const mtlf_view *input, const void *kernel,
                       const float *bias, int relu, const mtlf_view *output, int64_t unit);
  /* d_input = sum over terms of d_output * kernel^T; where `mask` isn't NULL, only where it is positive; also as
   * [ceil(batch / panel)][inputs][panel] at `packed`, unless NULL. */
  void (*d_input_unit)(const mtlf_kernels *kernels, int32_t batch, const mtlf_dense_term *terms, int32_t term_count,
                       const mtlf_view *mask, const mtlf_view *d_input, float *packed, int64_t unit);
  /* d_kernel (packed) = input^T * d_output; d_bias [units] = sums of d_output, or NULL. */
  void (*d_kernel_unit)(const mtlf_kernels *kernels, int32_t batch, const mtlf_view *input, const mtlf_view *d_output,
                        float *d_kernel, float *d_bias, int64_t unit);
  /* The same units with the optimizer's update in d_kernel's place: kernel packed, bias padded to whole panels. Not 0: a
   * gradient isn't finite. */
  int (*update_unit)(const mtlf_kernels *kernels, int32_t batch, const mtlf_view *input, const mtlf_view *d_output,
                     const mtlf_update *update, const mtlf_parameter *kernel, const mtlf_parameter *bias, int64_t unit);
} mtlf_dense_passes;

extern const mtlf_dense_passes mtlf_dense_f32;  /* dense.c */
extern const mtlf_dense_passes mtlf_dense_bf16; /* dense_bf16.c: input, kernel and d_output of MTLF_BF16 */

static inline const mtlf_dense_passes *mtlf_dense_passes_of(mtlf_element element) {
  return element == MTLF_BF16 ? &mtlf_dense_bf16 : &mtlf_dense_f32;
}

/* Blocks of about MTLF_BLOCK_ROWS samples, equally long to a tile. */
int32_t mtlf_dense_row_block(const mtlf_kernels *kernels, int32_t batch);

/* packed[sample / panel][unit][sample % panel] = rows[sample][unit] for samples first...first+samples, the first of which
 * is at `rows`. */
void mtlf_pack_samples(const mtlf_kernels *kernels, const mtlf_view *rows, int32_t first, int32_t samples,
                       float *packed);

#endif
