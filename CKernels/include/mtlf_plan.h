/* SPDX-License-Identifier: Apache-2.0
 * mtlf_plan.h - a compiled training or prediction step as plain structs, and the function that runs it.
 *
 * A plan is a list of stages with a barrier after each. A stage holds jobs, which its threads share:
 *   - shards: the minibatch is cut into at most MTLF_MAX_GROUPS groups of neighbouring samples and each group into shards
 *     of `shard_size`; a shard runs the job's operations one after the other while its activations are in cache;
 *   - blocks: one operation over the whole minibatch, cut by output block.
 * Units of work are claimed from a counter, but what a unit computes and where it sums never depends on who claims it:
 * gradients are summed per group and the groups in a fixed tree. So the number of threads doesn't change a bit.
 *
 * Whoever builds a plan answers for its pointers: nothing here is checked again in a step. */
#ifndef MTLF_PLAN_H
#define MTLF_PLAN_H

#include "mtlf.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MTLF_MAX_STAGES = 256, MTLF_MAX_HEADS = 256 };

/* Activations or gradients of a batch: images [H, W, C] (in a halo, perhaps) or vectors [C] with H = W = 1. */
typedef struct mtlf_tensor {
  float *data;             /* element (0, 0, 0) of the first sample, inside the halo */
  ptrdiff_t sample_stride; /* floats between samples */
  ptrdiff_t row_stride;    /* floats between image rows */
  ptrdiff_t thread_stride; /* 0: holds the minibatch. Otherwise floats between the threads' copies, each of one shard */
  int32_t height, width, channels;
} mtlf_tensor;

/* A layer's parameters, as training keeps them: packed panels and what goes with them. `kernel` is the [K, N] matrix. */
typedef struct mtlf_weight {
  int32_t inputs, units; /* K, N */
  int32_t window;        /* contiguous inputs of one filter row: KW * C_in; K for dense layers */
  int32_t no_decay;      /* not 0: `kernel` has no weight decay; `bias` never has */
  float *kernel;         /* packed */
  float *bias;           /* [N], padded to whole panels */
  float *transposed;     /* [K / window][ceil(window / panel)][N][panel], for d_input in shards; or NULL */
  float
      *gradient; /* groups x gradient_stride: packed kernel, then bias; NULL where d_kernel is fused with its update */
  size_t gradient_stride;               /* 0: one gradient instead of one for each group */
  float *kernel_slot[2], *bias_slot[2]; /* the optimizer's, same layout: Adam m and v; SGD velocity, NULL */
} mtlf_weight;

typedef enum mtlf_op_kind {
  /* shards, forward */
  MTLF_OP_INPUT,      /* output = scale * rows of step->inputs[slot] */
  MTLF_OP_CONV2D,     /* output = act(conv(input)); with a gate: and 2x2 max-pool. Dense layers as 1x1 on 1x1 images */
  MTLF_OP_MAX_POOL2D, /* argmax as int32 h * width + w in gate's place */
  MTLF_OP_AVG_POOL2D,
  MTLF_OP_COPY, /* output = input, whatever their halos */
  MTLF_OP_RELU,
  MTLF_OP_SIGMOID,
  MTLF_OP_DROPOUT,         /* output = input * mask / (1 - rate); drawn again in the backward pass; no halo */
  MTLF_OP_CONCATENATE,     /* output's channels from `offset` on = input */
  MTLF_OP_UPSAMPLE2D,      /* nearest neighbour; the scale is kernel_h, kernel_w */
  MTLF_OP_BATCH_NORM_SUMS, /* of input, into norm's sums of the group */
  MTLF_OP_BATCH_NORM,      /* output = norm's scale * input + shift */
  MTLF_OP_SOFTMAX,         /* output = softmax over the channels of input */
  MTLF_OP_MASK,            /* gate (uint8) = the masks of step->heads[slot], moved as images are by inputs[source] */
  MTLF_OP_LOSS, /* of input (logits) with step->heads[slot]; output: probabilities; adds to d_input unless NULL; gate: from
                   MTLF_OP_MASK, or NULL */
  /* shards, backward */
  MTLF_OP_CONV2D_D_INPUT, /* adds to d_input, which MTLF_OP_ZERO cleared; d_output has no halo, or is pooled with a gate */
  MTLF_OP_CONV2D_D_FILTER,     /* of input and d_output, into the group's gradient */
  MTLF_OP_MAX_POOL2D_BACKWARD, /* adds */
  MTLF_OP_AVG_POOL2D_BACKWARD, /* adds */
  MTLF_OP_RELU_BACKWARD,       /* d_input = output > 0 ? d_output : 0; output and d_output may have halos */
  MTLF_OP_SIGMOID_BACKWARD,
  MTLF_OP_DROPOUT_BACKWARD,
  MTLF_OP_ADD,                 /* d_input += d_output, whatever their halos */
  MTLF_OP_SLICE,               /* d_input = d_output's channels from `offset` on */
  MTLF_OP_UPSAMPLE2D_BACKWARD, /* adds */
  MTLF_OP_BATCH_NORM_D_SUMS,   /* of input and d_output, into norm's d_sums of the group */
  MTLF_OP_BATCH_NORM_D_INPUT,  /* of input and d_output */
  MTLF_OP_ZERO,                /* d_input = 0, halo included (whole sample_stride, from data - halo_floats) */
  MTLF_OP_PACK_SAMPLES,        /* packed = d_output as [ceil(N / panel)][units][panel]: samples as columns */
  /* blocks */
  MTLF_OP_DENSE,         /* output = act(input * kernel + bias) */
  MTLF_OP_DENSE_D_INPUT, /* d_input = sum over terms of d_output_t * kernel^T, through the mask; packed as well if not NULL */
  MTLF_OP_DENSE_D_KERNEL,      /* of input and d_output, and the update of weight in the same pass unless `clip` */
  MTLF_OP_BATCH_NORM_FINISH,   /* the step's statistics from norm's sums over input; the running ones where `running` */
  MTLF_OP_BATCH_NORM_D_FINISH, /* the step's means of gradients over input, and the gradient of weight */
  MTLF_OP_SQUARE_SUMS,         /* the groups' gradients of weight become one; its squares, by unit, into `squares` */
  MTLF_OP_CLIP,                /* clip's norm and factor from all squares */
  MTLF_OP_UPDATE /* weight from the sum of its groups' gradients, times clip's factor; refreshes transposed */
} mtlf_op_kind;

/* What a step's time is put down to. */
typedef enum mtlf_account {
  MTLF_ACCOUNT_CONV,
  MTLF_ACCOUNT_DENSE,
  MTLF_ACCOUNT_HEADS,
  MTLF_ACCOUNT_OPTIMIZER,
  MTLF_ACCOUNT_LOADER,
  MTLF_ACCOUNT_WAITING, /* for other threads at the end of a stage */
  MTLF_ACCOUNT_OTHER,
  MTLF_ACCOUNT_COUNT
} mtlf_account;

/* The 2-norm of all gradients of a step together, and what each is multiplied by to keep it to a limit. */
typedef struct mtlf_clip {
  float limit;
  float factor;    /* of this step: limit / norm where the norm is above the limit, otherwise 1 */
  double norm;     /* of this step */
  double *squares; /* [count]: sums of squares, by unit of every MTLF_OP_SQUARE_SUMS */
  int64_t count;
} mtlf_clip;

typedef struct mtlf_op {
  mtlf_op_kind kind;
  mtlf_account account;
  int32_t slot;
  int32_t relu;
  int32_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left; /* of convolutions and pools */
  mtlf_tensor input, output, d_output, d_input;
  const mtlf_weight *weight;
  void *gate;                   /* uint8 [N, OH/2, OW/2, C] or int32 [N, OH, OW, C], whole minibatch */
  const mtlf_dense_term *terms; /* packed by MTLF_OP_PACK_SAMPLES or another DENSE_D_INPUT */
  int32_t term_count;
  int32_t mask; /* DENSE_D_INPUT: only where `output`, the forward value, is positive */
  float *packed;
  ptrdiff_t halo_floats; /* ZERO: floats from the sample's start to its element (0, 0, 0) */
  int32_t offset;        /* CONCATENATE, SLICE: channels */
  int32_t source;        /* MASK, DROPOUT: the input whose rows the draws are keyed by */
  int32_t running;       /* BATCH_NORM_FINISH: not 0: scale and shift are those of the running statistics */
  const mtlf_batch_norm *norm;
  mtlf_clip *clip; /* DENSE_D_KERNEL, CLIP, UPDATE: or NULL where nothing is clipped */
  double *squares; /* SQUARE_SUMS: of this weight, [mtlf_plan_update_units] */
  float rate;      /* DROPOUT */
  uint64_t key;    /* DROPOUT: of (seed, node) */
} mtlf_op;

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

/* The samples of an input in memory, [count][sample_floats], of which a step takes rows by index. */
typedef struct mtlf_step_input {
  const void *data;
  int32_t is_bytes;                      /* uint8, otherwise float */
  int32_t stream;                        /* of step->indices */
  float scale;                           /* of every value, where factors is NULL */
  const float *factors, *offsets;        /* [width * channels]: factors[i] * x + offsets[i] along each row; or NULL */
  const mtlf_augmentation *augmentation; /* of images, or NULL */
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
  /* results */
  double loss_sum, weight_sum; /* over present samples, by their class's weight, without the head's */
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
   * nearest to a loss; -1: none. A loss that isn't finite ends the step before the next stage, while weights are whole. */
  int32_t non_finite_op;
} mtlf_step;

/* Floats of a weight's transposed form. */
size_t mtlf_plan_transposed_floats(int64_t inputs, int64_t units, int64_t window, const mtlf_context *context);
/* Makes the transposed form anew after somebody wrote the packed kernel. */
mtlf_status mtlf_plan_refresh(const mtlf_weight *weight, const mtlf_context *context);

/* The units that a weight's update is made of. */
int64_t mtlf_plan_update_units(int64_t inputs, int64_t units, const mtlf_context *context);

/* Floats of workspace that each thread needs for a convolution: `floats` is its units, and KH*KW*C_in more on the im2col
 * path. */
size_t mtlf_plan_workspace_floats(int64_t floats);

/* Runs one step on context->threads threads, at most plan->thread_capacity.
 * Returns MTLF_ERR_NULL_POINTER or MTLF_ERR_BAD_VALUE (sample_count, too many stages or heads), or
 * MTLF_ERR_BAD_VALUE after all stages where a label was out of range. */
mtlf_status mtlf_plan_run(const mtlf_plan *plan, mtlf_step *step, const mtlf_context *context);

#ifdef __cplusplus
}
#endif

#endif
