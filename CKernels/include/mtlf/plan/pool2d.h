/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/pool2d.h - operations: pools. */
#ifndef MTLF_PLAN_POOL2D_H
#define MTLF_PLAN_POOL2D_H

#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Max-pool: image -> pooled, or backward d_pooled -> d_image, which is added to. argmax: int32 h * width + w, or NULL in
 * a forward pass that nothing follows. Average pool without argmax. */
typedef struct mtlf_pool2d_op {
  mtlf_window window;
  mtlf_tensor image, pooled;
  int32_t *argmax; /* [minibatch][OH][OW][C] */
} mtlf_pool2d_op;
MTLF_SHARD_OP(max_pool2d);
MTLF_SHARD_OP(max_pool2d_backward);
MTLF_SHARD_OP(avg_pool2d);
MTLF_SHARD_OP(avg_pool2d_backward);

#ifdef __cplusplus
}
#endif

#endif
