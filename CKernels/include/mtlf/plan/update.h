/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/update.h - operations: from gradients to new parameters. */
#ifndef MTLF_PLAN_UPDATE_H
#define MTLF_PLAN_UPDATE_H

#include "op.h"
#include "weight.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The 2-norm of all gradients of a step together, and what each is multiplied by to keep it to a limit. */
typedef struct mtlf_clip {
  float limit;
  float factor;    /* of this step: limit / norm where the norm is above the limit, otherwise 1 */
  double norm;     /* of this step */
  double *squares; /* [count]: sums of squares, by unit of every mtlf_sum_gradient_op */
  int64_t count;
} mtlf_clip;

/* The groups' gradients of weight become one, the first; the sums of its squares, by unit, into squares unless NULL. */
typedef struct mtlf_sum_gradient_op {
  const mtlf_weight *weight;
  int32_t is_summed; /* not 0: the groups' gradients are one already, only the squares are wanted */
  double *squares;   /* [mtlf_plan_update_units] */
} mtlf_sum_gradient_op;
MTLF_BLOCK_OP(sum_gradient);
MTLF_BLOCK_UNITS(sum_gradient);

/* Norm and factor from all squares. */
typedef struct mtlf_clip_op {
  mtlf_clip *clip;
} mtlf_clip_op;
MTLF_BLOCK_OP(clip);

/* weight from its gradient (the sum of its groups', unless sum_gradient has made them one), times clip's factor unless
 * clip is NULL; refreshes the weight's forms. */
typedef struct mtlf_update_op {
  const mtlf_weight *weight;
  int32_t is_summed;
  const mtlf_clip *clip;
} mtlf_update_op;
MTLF_BLOCK_OP(update);
MTLF_BLOCK_UNITS(update);

#ifdef __cplusplus
}
#endif

#endif
