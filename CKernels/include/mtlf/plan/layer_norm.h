/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/layer_norm.h - operations: layer normalisation.
 *
 * The weight has one input and C units: gamma is its kernel, beta its bias. All tensors may have halos. `statistics` holds
 * each pixel's mean and then each pixel's inverse deviation: height 2, width = pixels of a sample, channels 1. */
#ifndef MTLF_PLAN_LAYER_NORM_H
#define MTLF_PLAN_LAYER_NORM_H

#include "op.h"
#include "weight.h"

#ifdef __cplusplus
extern "C" {
#endif

/* output = gamma * (input - mean) / deviation + beta, of each pixel over its channels. Statistics are written where they
 * are there. */
typedef struct mtlf_layer_norm_op {
  const mtlf_weight *weight;
  float epsilon;
  mtlf_tensor input, output, statistics;
} mtlf_layer_norm_op;
MTLF_SHARD_OP(layer_norm);

/* Writes d_input where it is there; it may be d_output. Unless keeps_weight is set, gamma's and beta's gradients go into
 * the group's copy. */
typedef struct mtlf_layer_norm_backward_op {
  const mtlf_weight *weight;
  mtlf_tensor input, d_output, d_input, statistics;
  int32_t keeps_weight;
} mtlf_layer_norm_backward_op;
MTLF_SHARD_OP(layer_norm_backward);

#ifdef __cplusplus
}
#endif

#endif
