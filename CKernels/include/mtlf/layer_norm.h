/* SPDX-License-Identifier: Apache-2.0
 * mtlf/layer_norm.h - layer normalisation. */
#ifndef MTLF_LAYER_NORM_H
#define MTLF_LAYER_NORM_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Normalisation of each row over its channels (Ba, Kiros and Hinton, Layer Normalization, 2016). An input of `rows` rows of
 * `channels` values: images [N, H, W, C] with rows = N*H*W, or vectors [N, C] with rows = N. */
typedef struct mtlf_layer_norm {
  int64_t rows;
  int32_t channels;
  float epsilon; /* above 0, added to the variance */
} mtlf_layer_norm;

/* Bytes of workspace for the backward pass; they don't depend on `rows`. 0 where `channels` is not in 1...2^20. */
size_t mtlf_layer_norm_workspace_bytes(int32_t channels);

/* mtlf_layer_norm_forward_f32 - normalises each row.
 *
 *   mean[i] = sum over c of input[i,c] / C;  variance[i] = sum over c of (input[i,c] - mean[i])^2 / C
 *   inverse_deviation[i] = 1 / sqrt(variance[i] + epsilon)
 *   output[i,c] = gamma[c] * (input[i,c] - mean[i]) * inverse_deviation[i] + beta[c]
 *
 *   input              [rows, C]
 *   gamma, beta        [C]
 *   output             [rows, C]    may be the input, where no gradient is wanted
 *   mean               [rows], for the backward pass; so is inverse_deviation [rows]; or both NULL
 *
 * Numerics   fp32, in two passes: mean, then squared distances, which also correct the mean.
 *
 * Returns MTLF_ERR_NULL_POINTER, MTLF_ERR_BAD_SHAPE or MTLF_ERR_BAD_VALUE (epsilon). */
mtlf_status mtlf_layer_norm_forward_f32(const mtlf_layer_norm *norm, const float *input, const float *gamma,
                                        const float *beta, float *output, float *mean, float *inverse_deviation,
                                        const mtlf_context *context);
/* mtlf_layer_norm_backward_f32 - gradients of input, gamma and beta. With n = (input - mean) * inverse_deviation and
 * g = gamma * d_output:
 *
 *   d_beta[c] = sum over i of d_output[i,c];  d_gamma[c] = sum over i of d_output[i,c] * n[i,c]
 *   d_input[i,c] = inverse_deviation[i] * (g[i,c] - sum over c of g[i,c] / C - n[i,c] * sum over c of g[i,c] n[i,c] / C)
 *
 *   input              [rows, C]    of the forward pass
 *   mean               [rows]       from the forward pass; so is inverse_deviation [rows]
 *   d_output           [rows, C]
 *   d_input            [rows, C]    may be d_output; or NULL where it is unwanted
 *   d_gamma, d_beta    [C]
 *
 * Threads    d_gamma and d_beta are summed in up to 16 groups of rows, in order, and the groups in a fixed tree.
 *
 * Returns what the forward pass does, and MTLF_ERR_MISALIGNED or MTLF_ERR_WORKSPACE_TOO_SMALL. */
mtlf_status mtlf_layer_norm_backward_f32(const mtlf_layer_norm *norm, const float *input, const float *gamma,
                                         const float *mean, const float *inverse_deviation, const float *d_output,
                                         float *d_input, float *d_gamma, float *d_beta, void *workspace,
                                         size_t workspace_bytes, const mtlf_context *context);

#ifdef __cplusplus
}
#endif

#endif
