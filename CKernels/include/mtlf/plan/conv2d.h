/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/conv2d.h - operations: convolutions. */
#ifndef MTLF_PLAN_CONV2D_H
#define MTLF_PLAN_CONV2D_H

#include "op.h"
#include "weight.h"

#ifdef __cplusplus
extern "C" {
#endif

/* output = act(conv(input)); with a gate: and 2x2 max-pool. Small dense layers are 1x1 convolutions of 1x1 images. */
typedef struct mtlf_conv2d_op {
  mtlf_window window;
  const mtlf_weight *weight;
  int32_t relu;
  mtlf_tensor input, output;
  uint8_t *gate; /* [minibatch][OH/2][OW/2][C], or NULL */
} mtlf_conv2d_op;
MTLF_SHARD_OP(conv2d);

/* Adds to d_input, halo included. d_output has no halo, or is pooled with a gate. */
typedef struct mtlf_conv2d_d_input_op {
  mtlf_window window;
  const mtlf_weight *weight;
  const float *transposed; /* the weight's transposed form */
  mtlf_tensor d_output, d_input;
  const uint8_t *gate;
} mtlf_conv2d_d_input_op;
MTLF_SHARD_OP(conv2d_d_input);

/* Of input and d_output, into the group's copy of the weight's gradient. */
typedef struct mtlf_conv2d_d_filter_op {
  mtlf_window window;
  const mtlf_weight *weight;
  mtlf_tensor input, d_output;
  const uint8_t *gate;
} mtlf_conv2d_d_filter_op;
MTLF_SHARD_OP(conv2d_d_filter);

#ifdef __cplusplus
}
#endif

#endif
