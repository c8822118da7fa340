/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/elementwise.h - operations: activation functions, dropout, copies, sums and products. */
#ifndef MTLF_PLAN_ELEMENTWISE_H
#define MTLF_PLAN_ELEMENTWISE_H

#include "../elementwise.h"
#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* copy: to = from; add: to += from; whatever their halos. */
typedef struct mtlf_copy_op {
  mtlf_tensor from, to;
} mtlf_copy_op;
MTLF_SHARD_OP(copy);
MTLF_SHARD_OP(add);

/* to = a * b, whatever their halos; `to` may be either. The gradient of one is the product of d_output and the other. */
typedef struct mtlf_multiply_op {
  mtlf_tensor a, b, to;
} mtlf_multiply_op;
MTLF_SHARD_OP(multiply);

/* output = f(input) */
typedef struct mtlf_activation_op {
  mtlf_activation function;
  mtlf_tensor input, output;
} mtlf_activation_op;
MTLF_SHARD_OP(activation);

/* d_input = d_output * f'; `value` is what the derivative is taken from: the output, or the input (mtlf_activation). All of
 * them may have halos. */
typedef struct mtlf_activation_backward_op {
  mtlf_activation function;
  mtlf_tensor value, d_output, d_input;
} mtlf_activation_backward_op;
MTLF_SHARD_OP(activation_backward);

/* to = from * mask / (1 - rate); the backward pass is the same with gradients: the mask is drawn again. No halo. */
typedef struct mtlf_dropout_op {
  float rate;
  uint64_t key;   /* of (seed, node) */
  int32_t source; /* the input whose rows the draws are keyed by */
  mtlf_tensor from, to;
} mtlf_dropout_op;
MTLF_SHARD_OP(dropout);

#ifdef __cplusplus
}
#endif

#endif
