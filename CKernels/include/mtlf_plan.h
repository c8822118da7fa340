/* SPDX-License-Identifier: Apache-2.0
 * mtlf_plan.h - a compiled training or prediction step as plain structs, and the function that runs it.
 *
 * A plan is a list of stages with a barrier after each. A stage holds jobs, which its threads share:
 *   - shards: the minibatch is cut into at most MTLF_MAX_GROUPS groups of neighbouring samples and each group into shards
 *     of `shard_size`; a shard runs the job's operations one after the other while its activations are in cache;
 *   - blocks: one operation over the whole minibatch, cut by output block (or in one piece, which one thread runs).
 * Units of work are claimed from a counter, but what a unit computes and where it sums never depends on who claims it:
 * gradients are summed per group and the groups in a fixed tree. So the number of threads doesn't change a bit.
 *
 * An operation is a function with its payload, in mtlf/plan/<family>.h: mtlf_<name>_op is the payload of the functions behind
 * it. Whoever builds a plan answers for its pointers: nothing is checked again in a step. */
#ifndef MTLF_PLAN_H
#define MTLF_PLAN_H

#include "mtlf.h"
#include "mtlf/plan/op.h"
#include "mtlf/plan/step.h"
#include "mtlf/plan/tensor.h"
#include "mtlf/plan/weight.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MTLF_MAX_STAGES = 256 };

typedef struct mtlf_job {
  int32_t is_shards;
  int32_t first_op, op_count; /* blocks have one operation */
} mtlf_job;

typedef struct mtlf_stage {
  int32_t first_job, job_count;
} mtlf_stage;

typedef struct mtlf_plan {
  const mtlf_op *ops;
  const mtlf_job *jobs;
  const mtlf_stage *stages;
  int32_t stage_count;
  int32_t batch_capacity; /* the largest minibatch that the tensors hold */
  int32_t shard_size;     /* samples; a group's last shard may be smaller */
  float *workspace;       /* of workspace_floats for each thread, for convolutions */
  size_t workspace_floats;
  int32_t thread_capacity; /* the threads that the thread-local tensors and the workspace were made for */
} mtlf_plan;

/* Floats of workspace that each thread needs for a convolution: `floats` is its units, and KH*KW*C_in more on the im2col
 * path. */
size_t mtlf_plan_workspace_floats(int64_t floats);

/* Runs stages first_stage...end_stage-1 of a step on context->threads threads, at most plan->thread_capacity. A step may be
 * run in parts, one after the other, of which the one from stage 0 on begins it: it clears the results. What a part doesn't
 * compute stays as it was, and after a part that has stopped the step the others do nothing.
 * Returns MTLF_ERR_NULL_POINTER or MTLF_ERR_BAD_VALUE (sample_count, stages, too many stages or heads), or
 * MTLF_ERR_BAD_VALUE after all stages where a label was out of range. */
mtlf_status mtlf_plan_run(const mtlf_plan *plan, int32_t first_stage, int32_t end_stage, mtlf_step *step,
                          const mtlf_context *context);

#ifdef __cplusplus
}
#endif

#endif
