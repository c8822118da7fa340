/* SPDX-License-Identifier: Apache-2.0
 * What a running plan is to its operations.
 *
 * An operation is a function in one of the *_ops.c files; its payload and its name stand in include/mtlf/plan/. */
#ifndef MTLF_PLAN_RUN_H
#define MTLF_PLAN_RUN_H

#include <stdatomic.h>

#include "../base/view.h"
#include "../kernels/optimizer.h"
#include "mtlf_plan.h"

/* What any thread may find out about a step while it runs. */
typedef struct {
  atomic_int bad_label;
  /* The stage after which the team stops, since a loss isn't finite. A thread that runs ahead only sets a later stage than
   * the one whose end others are looking at, so that all of them stop at the same barrier. */
  atomic_int stop_after;
  atomic_int non_finite_op; /* the first, or INT32_MAX */
} mtlf_run_marks;

typedef struct mtlf_run {
  const mtlf_plan *plan;
  mtlf_step *step;
  const mtlf_context *context;
  mtlf_update update; /* of every parameter in this step */
  int32_t groups;     /* of this minibatch */
  mtlf_run_marks *marks;
} mtlf_run;

typedef struct mtlf_shard {
  const mtlf_run *run;
  int32_t first, count, group, thread, stage;
  int is_first; /* of its group */
} mtlf_shard;

static inline const mtlf_kernels *mtlf_shard_kernels(const mtlf_shard *s) { return s->run->context->kernels; }

/* The shard's samples of a tensor. */
static inline mtlf_view mtlf_shard_view(const mtlf_tensor *t, const mtlf_shard *s) {
  mtlf_view view = t->view;
  view.data =
      mtlf_element_at(&t->view, t->thread_stride ? s->thread * t->thread_stride : s->first * t->view.sample_stride);
  return view;
}

/* The shard's rows of a stream: indices of the data set, -1 where there is none. */
static inline const int32_t *mtlf_shard_rows(const mtlf_shard *s, int32_t stream) {
  return s->run->step->indices[stream] + s->first;
}

#endif
