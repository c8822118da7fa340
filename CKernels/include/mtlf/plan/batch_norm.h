/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/batch_norm.h - operations: batch normalisation. */
#ifndef MTLF_PLAN_BATCH_NORM_H
#define MTLF_PLAN_BATCH_NORM_H

#include "../batch_norm.h"
#include "op.h"
#include "weight.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of input (and d_output), into norm's sums (d_sums) of the group. */
typedef struct mtlf_batch_norm_sums_op {
  const mtlf_batch_norm *norm;
  mtlf_tensor input, d_output;
} mtlf_batch_norm_sums_op;
MTLF_SHARD_OP(batch_norm_sums);
MTLF_SHARD_OP(batch_norm_d_sums);

/* batch_norm: output = norm's scale * input + shift. batch_norm_d_input: output = d_input, from input and d_output. */
typedef struct mtlf_batch_norm_op {
  const mtlf_batch_norm *norm;
  mtlf_tensor input, d_output, output;
} mtlf_batch_norm_op;
MTLF_SHARD_OP(batch_norm);
MTLF_SHARD_OP(batch_norm_d_input);

/* finish: the step's statistics from norm's sums over `pixels` of each sample, and the running ones; scale and shift of the
 * running ones where `uses_running`. d_finish: the step's means of gradients, and the gradient of weight by group. */
typedef struct mtlf_batch_norm_finish_op {
  const mtlf_batch_norm *norm;
  const mtlf_weight *weight; /* gamma and beta */
  int64_t pixels;
  int32_t uses_running;
} mtlf_batch_norm_finish_op;
MTLF_BLOCK_OP(batch_norm_finish);
MTLF_BLOCK_OP(batch_norm_d_finish);

#ifdef __cplusplus
}
#endif

#endif
