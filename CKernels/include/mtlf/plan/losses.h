/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/losses.h - operations: losses. */
#ifndef MTLF_PLAN_LOSSES_H
#define MTLF_PLAN_LOSSES_H

#include "elementwise.h"

#ifdef __cplusplus
extern "C" {
#endif

/* output = softmax over the channels of input */
MTLF_SHARD_OP(softmax); /* mtlf_copy_op */

/* Loss of the step's head `slot`: of logits; writes probabilities of class labels; adds to d_logits unless it isn't there. */
typedef struct mtlf_loss_op {
  int32_t slot;
  mtlf_tensor logits, probabilities, d_logits;
  const uint8_t *masks; /* by mtlf_move_masks_op, or NULL: the head's own */
} mtlf_loss_op;
MTLF_SHARD_OP(loss);

#ifdef __cplusplus
}
#endif

#endif
