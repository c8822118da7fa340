/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/input.h - operations: from rows of a data set to the first layer. */
#ifndef MTLF_PLAN_INPUT_H
#define MTLF_PLAN_INPUT_H

#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rows of the step's input `slot`. */
typedef struct mtlf_input_op {
  int32_t slot;
  mtlf_tensor output;
} mtlf_input_op;
MTLF_SHARD_OP(input);

/* The masks of the step's head `slot`, moved as images are by the draws of input `source`. */
typedef struct mtlf_move_masks_op {
  int32_t slot, source;
  int32_t height, width, channels;
  uint8_t *masks; /* [minibatch][height][width][channels] */
} mtlf_move_masks_op;
MTLF_SHARD_OP(move_masks);

#ifdef __cplusplus
}
#endif

#endif
