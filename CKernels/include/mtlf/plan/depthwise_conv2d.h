/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/depthwise_conv2d.h - operations: depthwise convolutions.
 *
 * The weight's kernel is the packed matrix [KH*KW, C]: inputs = KH*KW, units = C. */
#ifndef MTLF_PLAN_DEPTHWISE_CONV2D_H
#define MTLF_PLAN_DEPTHWISE_CONV2D_H

#include "op.h"
#include "weight.h"

#ifdef __cplusplus
extern "C" {
#endif

/* output = act(conv(input)), each channel with its own filter. The input's halo holds every window. */
typedef struct mtlf_depthwise_conv2d_op {
  mtlf_window window;
  const mtlf_weight *weight;
  int32_t relu;
  mtlf_tensor input, output;
} mtlf_depthwise_conv2d_op;
MTLF_SHARD_OP(depthwise_conv2d);

/* Adds to d_input, halo included. Both may have halos. */
typedef struct mtlf_depthwise_conv2d_d_input_op {
  mtlf_window window;
  const mtlf_weight *weight;
  mtlf_tensor d_output, d_input;
} mtlf_depthwise_conv2d_d_input_op;
MTLF_SHARD_OP(depthwise_conv2d_d_input);

/* Of input and d_output, into the group's copy of the weight's gradient. */
typedef struct mtlf_depthwise_conv2d_d_filter_op {
  mtlf_window window;
  const mtlf_weight *weight;
  mtlf_tensor input, d_output;
} mtlf_depthwise_conv2d_d_filter_op;
MTLF_SHARD_OP(depthwise_conv2d_d_filter);

#ifdef __cplusplus
}
#endif

#endif
