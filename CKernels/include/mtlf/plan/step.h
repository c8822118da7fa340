/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/step.h - what changes from step to step, and what comes out of it. */
#ifndef MTLF_PLAN_STEP_H
#define MTLF_PLAN_STEP_H

#include "../input.h"
#include "../losses.h"
#include "../optimizer.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MTLF_MAX_HEADS = 256 };

/* The samples of an input, of which a step takes rows by index. */
typedef struct mtlf_step_input {
  int32_t stream; /* of step->indices */
  mtlf_input_rows rows;
} mtlf_step_input;

typedef enum mtlf_target {
  MTLF_TARGET_CLASS, /* int32, one a sample; -1 where missing */
  MTLF_TARGET_MASK,  /* uint8 [elements], MTLF_IGNORED where missing */
  MTLF_TARGET_VALUES /* float [elements], NaN where missing */
} mtlf_target;

typedef struct mtlf_step_head {
  mtlf_loss loss;
  mtlf_target target;
  const void *targets; /* of every sample, taken by index; NULL where there are none */
  int32_t stream;      /* of step->indices */
  float scale;         /* weight / sum of the weights of the minibatch's present samples; 0 where there is none */
  const float *class_weights; /* [classes], or NULL */
  float label_smoothing, huber_delta;
  /* Metrics of the minibatch, all overwritten, each NULL where unwanted: the predicted class of every sample and the
   * label's rank in the order of the logits (0: correct; -1: missing); counts and sums by group as the loss says. */
  int32_t *predicted, *rank; /* [sample_count] */
  int64_t *counts;           /* [MTLF_MAX_GROUPS][count_size] */
  double *sums;              /* [MTLF_MAX_GROUPS][sum_size] */
  int32_t count_size, sum_size;
  /* Results: over present samples, by their class's weight, without the head's; of each group, so that their order is that
   * of the groups, and of all. */
  double group_loss[MTLF_MAX_GROUPS], group_weight[MTLF_MAX_GROUPS];
  int32_t group_present[MTLF_MAX_GROUPS];
  double loss_sum, weight_sum;
  int32_t present;
} mtlf_step_head;

/* What changes from step to step. */
typedef struct mtlf_step {
  int32_t sample_count;          /* 1...batch_capacity */
  const int32_t *const *indices; /* [stream][sample_count]: rows, also the key of a sample's draws; -1: not there */
  const mtlf_step_input *inputs;
  mtlf_step_head *heads; /* results are written here */
  int32_t head_count;
  uint64_t epoch; /* key of dropout and augmentation */
  mtlf_optimizer_kind optimizer;
  mtlf_adam adam;
  mtlf_sgd sgd;
  int64_t optimizer_step;  /* from 1 */
  int32_t group_count;     /* result: the groups that counts and sums of heads are of */
  double *account_seconds; /* [threads][MTLF_ACCOUNT_COUNT], added to; or NULL: no clock is read */
  int32_t team_size;       /* result: the threads that ran */
  /* Result: the operation, by its place in the plan, whose gradient was not finite; of several the first, which is the
   * nearest to a loss; -1: none. A loss that isn't finite ends the step before the next stage;
   * has_stopped is then not 0. */
  int32_t non_finite_op, has_stopped;
} mtlf_step;

#ifdef __cplusplus
}
#endif

#endif
