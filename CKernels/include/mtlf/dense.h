/* SPDX-License-Identifier: Apache-2.0
 * mtlf/dense.h - fully connected layers and matrix products. */
#ifndef MTLF_DENSE_H
#define MTLF_DENSE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A fully connected layer: `batch` rows of `inputs` values to `units` values. */
typedef struct mtlf_dense {
  int32_t batch, inputs, units;
} mtlf_dense;

/* Bytes of workspace for any of the three passes. */
size_t mtlf_dense_workspace_bytes(const mtlf_dense *dense, const mtlf_context *context);

/* output = act(input * kernel + bias). input [N, K]; kernel [K, units]; bias [units] or NULL; output [N, units]. */
mtlf_status mtlf_dense_forward_f32(const mtlf_dense *dense, const float *input, const float *kernel, const float *bias,
                                   int32_t relu, float *output, void *workspace, size_t workspace_bytes,
                                   const mtlf_context *context);
/* d_input = d_output * kernel^T. d_output [N, units], before the activation; d_input [N, K]. */
mtlf_status mtlf_dense_d_input_f32(const mtlf_dense *dense, const float *kernel, const float *d_output, float *d_input,
                                   void *workspace, size_t workspace_bytes, const mtlf_context *context);
/* d_kernel = input^T * d_output, d_bias = column sums of d_output, over the batch in order. d_bias may be NULL. */
mtlf_status mtlf_dense_d_kernel_f32(const mtlf_dense *dense, const float *input, const float *d_output, float *d_kernel,
                                    float *d_bias, void *workspace, size_t workspace_bytes,
                                    const mtlf_context *context);

/* A layer that reads a vector, as a term of that vector's gradient: d_input = sum over terms of d_output * kernel^T.
 * In fp32 d_output is packed as [ceil(N / panel)][units][panel], samples as columns; in bf16 it is `d_output`, whose
 * element is MTLF_BF16 then. */
typedef struct mtlf_dense_term {
  const void *kernel; /* [inputs, units], packed; of the element type of d_output */
  int32_t inputs, units;
  const float *d_output_packed;
  mtlf_view d_output;
} mtlf_dense_term;

/* ---- matrix product ---- */

/* mtlf_gemm_f32 - output = A * B.
 *
 *   a          [M, K]
 *   b          [K, N]
 *   output     [M, N]     may not overlap the inputs
 *   workspace  mtlf_gemm_workspace_bytes(k, n, context): B, packed
 *
 * Cost 2*M*N*K flop. Each element's sum runs over k in order. */
size_t mtlf_gemm_workspace_bytes(int64_t k, int64_t n, const mtlf_context *context);
mtlf_status mtlf_gemm_f32(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *output,
                          void *workspace, size_t workspace_bytes, const mtlf_context *context);

#ifdef __cplusplus
}
#endif

#endif
