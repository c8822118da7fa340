/* SPDX-License-Identifier: Apache-2.0
 * mtlf/batch_norm.h - batch normalisation. */
#ifndef MTLF_BATCH_NORM_H
#define MTLF_BATCH_NORM_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Normalisation of each channel over a minibatch (Ioffe and Szegedy, Batch Normalization, 2015). An input of `pixels` rows
 * of `channels` values: images [N, H, W, C] with pixels = N*H*W, or vectors [N, C] with pixels = N. */
typedef struct mtlf_normalization {
  int64_t pixels;
  int32_t channels;
  float momentum; /* 0...1: the share of the old running statistics that is kept */
  float epsilon;  /* above 0, added to the variance */
} mtlf_normalization;

/* Bytes of workspace for any of the three passes; they don't depend on `pixels`. 0 where `channels` is not in 1...2^20. */
size_t mtlf_batch_norm_workspace_bytes(int32_t channels);

/* mtlf_batch_norm_training_forward_f32 - normalises by the batch's statistics and updates the running ones.
 *
 *   mean[c] = sum of input[i,c] / pixels;  variance[c] = sum of input[i,c]^2 / pixels - mean[c]^2, not below 0
 *   inverse_deviation[c] = 1 / sqrt(variance[c] + epsilon)
 *   output[i,c] = gamma[c] * (input[i,c] - mean[c]) * inverse_deviation[c] + beta[c]
 *   running_... = momentum * running_... + (1 - momentum) * that of the batch (the biased variance)
 *
 *   input              [pixels, C]
 *   gamma, beta        [C]
 *   running_mean       [C]            read and written; so is running_variance [C]
 *   output             [pixels, C]    may be the input
 *   mean               [C]            for the backward pass; so is inverse_deviation [C]
 *
 * Numerics   Sums in double. The output is computed as scale * input + shift, with shift = beta - mean * scale.
 * Threads    Sums are made in up to 16 groups of rows and added up in order: the same bits for any number of threads, and
 *            for every instruction set.
 *
 * Returns MTLF_ERR_NULL_POINTER, MTLF_ERR_BAD_SHAPE, MTLF_ERR_BAD_VALUE (momentum, epsilon), MTLF_ERR_MISALIGNED or
 * MTLF_ERR_WORKSPACE_TOO_SMALL. */
mtlf_status mtlf_batch_norm_training_forward_f32(const mtlf_normalization *norm, const float *input, const float *gamma,
                                                 const float *beta, float *running_mean, float *running_variance,
                                                 float *output, float *mean, float *inverse_deviation, void *workspace,
                                                 size_t workspace_bytes, const mtlf_context *context);
/* The same with the running statistics in place of the batch's, which stay as they are. Sums nothing. */
mtlf_status mtlf_batch_norm_inference_forward_f32(const mtlf_normalization *norm, const float *input,
                                                  const float *gamma, const float *beta, const float *running_mean,
                                                  const float *running_variance, float *output, void *workspace,
                                                  size_t workspace_bytes, const mtlf_context *context);
/* mtlf_batch_norm_backward_f32 - gradients through the batch's statistics. With n = (input - mean) * inverse_deviation:
 *
 *   d_beta[c] = sum over i of d_output[i,c];  d_gamma[c] = sum over i of d_output[i,c] * n[i,c]
 *   d_input[i,c] = gamma[c] * inverse_deviation[c] * (d_output[i,c] - (d_beta[c] + n[i,c] * d_gamma[c]) / pixels)
 *
 *   input              [pixels, C]    of the forward pass
 *   mean               [C]            from the forward pass; so is inverse_deviation [C]
 *   d_output           [pixels, C]
 *   d_input            [pixels, C]    may be d_output
 *   d_gamma, d_beta    [C] */
mtlf_status mtlf_batch_norm_backward_f32(const mtlf_normalization *norm, const float *input, const float *gamma,
                                         const float *mean, const float *inverse_deviation, const float *d_output,
                                         float *d_input, float *d_gamma, float *d_beta, void *workspace,
                                         size_t workspace_bytes, const mtlf_context *context);

/* A normalisation over a minibatch, in parts: the step's statistics and the running ones. All [channels] unless said
 * otherwise. */
typedef struct mtlf_batch_norm {
  int32_t channels;
  float momentum, epsilon;
  float *running_mean, *running_variance;
  float *mean, *inverse_deviation; /* of this step */
  float *scale, *shift;            /* of this step: gamma / deviation, beta - mean * scale */
  float *d_mean, *d_projection;    /* of this step: the means of d and of d * normalised x */
  double *sums, *d_sums;           /* [MTLF_MAX_GROUPS][2][channels] */
} mtlf_batch_norm;

#ifdef __cplusplus
}
#endif

#endif
