/* SPDX-License-Identifier: Apache-2.0
 * What a running plan is to its stages (plan.c) and to the operations of its shards (plan_ops.c). */
#ifndef MTLF_PLAN_PLAN_RUN_H
#define MTLF_PLAN_PLAN_RUN_H

#include <stdatomic.h>

#include "../base/view.h"
#include "parameters.h"

typedef struct {
  const mtlf_plan *plan;
  mtlf_step *step;
  const mtlf_context *context;
  mtlf_update update;
  int32_t groups; /* of this minibatch */
  atomic_int bad_label;
  /* The stage after which the team stops, since a loss isn't finite. A thread that runs ahead only sets a later stage than
   * the one whose end others are looking at, so that all of them stop at the same barrier. */
  atomic_int stop_after;
  atomic_int non_finite_op; /* the first, or INT32_MAX */
  _Atomic int64_t next[MTLF_MAX_STAGES];
  /* Sums of each group, so that their order is that of the groups. */
  double loss[MTLF_MAX_GROUPS][MTLF_MAX_HEADS], weight[MTLF_MAX_GROUPS][MTLF_MAX_HEADS];
  int32_t present[MTLF_MAX_GROUPS][MTLF_MAX_HEADS];
} mtlf_plan_state;

/* One shard of a group, on one thread. */
typedef struct {
  int32_t first, count, group, thread, stage;
  int is_first; /* of its group */
} mtlf_shard;

/* A tensor of the whole minibatch. */
static inline mtlf_view mtlf_tensor_view(const mtlf_tensor *t) {
  return (mtlf_view){.data = t->data,
                     .element = MTLF_F32,
                     .height = t->height,
                     .width = t->width,
                     .channels = t->channels,
                     .sample_stride = t->sample_stride,
                     .row_stride = t->row_stride};
}

/* One operation on one shard. */
void mtlf_run_shard_op(mtlf_plan_state *run, const mtlf_op *op, const mtlf_shard *s);

#endif
