/* SPDX-License-Identifier: Apache-2.0
 * Runs a compiled plan: stages of shards and blocks in one team of threads, with a barrier after each stage. */
#define _POSIX_C_SOURCE 199309L
#include <time.h>

#include "../base/arithmetic.h"
#include "../base/context.h"
#include "../base/parallel.h"
#include "../kernels/batch_norm.h"
#include "../kernels/conv2d.h"
#include "../kernels/dense.h"
#include "plan_run.h"

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

size_t mtlf_plan_workspace_floats(int64_t floats) { return (size_t)MTLF_STRIP * (size_t)floats; }

static void account(mtlf_plan_state *run, int thread, mtlf_account account, double *since) {
  if (!run->step->account_seconds) return;
  const double now = seconds();
  run->step->account_seconds[thread * MTLF_ACCOUNT_COUNT + (int)account] += now - *since;
  *since = now;
}

static void run_group(mtlf_plan_state *run, const mtlf_job *job, int32_t stage, int32_t group, int thread,
                      double *since) {
  const mtlf_plan *plan = run->plan;
  const int64_t samples = run->step->sample_count;
  const int32_t first = (int32_t)(samples * group / run->groups), end = (int32_t)(samples * (group + 1) / run->groups);
  for (int32_t n = first; n < end; n += plan->shard_size) {
    const mtlf_shard s = {.first = n,
                          .count = (int32_t)mtlf_least(plan->shard_size, end - n),
                          .group = group,
                          .thread = thread,
                          .stage = stage,
                          .is_first = n == first};
    for (int32_t i = 0; i < job->op_count; i++) {
      const mtlf_op *op = plan->ops + job->first_op + i;
      mtlf_run_shard_op(run, op, &s);
      account(run, thread, op->account, since);
    }
  }
}

static int64_t block_units(const mtlf_plan_state *run, const mtlf_op *op) {
  const mtlf_kernels *kernels = run->context->kernels;
  const int32_t batch = run->step->sample_count;
  switch (op->kind) {
  case MTLF_OP_DENSE: return mtlf_dense_forward_units(kernels, batch, op->weight->units);
  case MTLF_OP_DENSE_D_INPUT: return mtlf_dense_d_input_units(op->d_input.channels);
  case MTLF_OP_DENSE_D_KERNEL: return mtlf_dense_d_kernel_units(kernels, op->weight->inputs, op->weight->units);
  case MTLF_OP_BATCH_NORM_FINISH:
  case MTLF_OP_BATCH_NORM_D_FINISH:
  case MTLF_OP_CLIP: return 1;
  default: return mtlf_weight_update_units(kernels, op->weight->inputs, op->weight->units);
  }
}

static void note_non_finite(mtlf_plan_state *run, const mtlf_op *op) {
  const int place = (int)(op - run->plan->ops);
  int known = atomic_load_explicit(&run->non_finite_op, memory_order_relaxed);
  while (place < known && !atomic_compare_exchange_weak(&run->non_finite_op, &known, place)) {
  }
}

static void run_block(mtlf_plan_state *run, const mtlf_op *op, int64_t unit) {
  const mtlf_kernels *kernels = run->context->kernels;
  const int32_t batch = run->step->sample_count;
  const mtlf_weight *w = op->weight;
  const mtlf_view input = mtlf_tensor_view(&op->input), output = mtlf_tensor_view(&op->output);
  const mtlf_view d_output = mtlf_tensor_view(&op->d_output), d_input = mtlf_tensor_view(&op->d_input);
  int is_bad = 0;
  switch (op->kind) {
  case MTLF_OP_DENSE:
    mtlf_dense_forward_unit(kernels, batch, &input, w->kernel, w->bias, op->relu, &output, unit);
    break;
  case MTLF_OP_DENSE_D_INPUT:
    mtlf_dense_d_input_unit(kernels, batch, op->terms, op->term_count, op->mask ? &output : NULL, &d_input, op->packed,
                            unit);
    break;
  case MTLF_OP_DENSE_D_KERNEL:
    if (op->clip) {
      mtlf_dense_d_kernel_unit(kernels, batch, &input, &d_output, w->gradient,
                               w->gradient + mtlf_round_up(w->units, kernels->panel) * (size_t)w->inputs, unit);
    } else {
      const mtlf_parameter kernel = mtlf_kernel_of(w), bias = mtlf_bias_of(w);
      is_bad = mtlf_dense_update_unit(kernels, batch, &input, &d_output, &run->update, &kernel, &bias, unit);
    }
    break;
  case MTLF_OP_BATCH_NORM_FINISH:
    mtlf_batch_norm_finish(op->norm, w->kernel, w->bias, run->groups,
                           op->running ? 0 : (int64_t)batch * op->input.height * op->input.width);
    break;
  case MTLF_OP_BATCH_NORM_D_FINISH:
    mtlf_batch_norm_d_finish(op->norm, run->groups, (int64_t)batch * op->input.height * op->input.width, w->gradient,
                             w->gradient + mtlf_round_up(w->units, kernels->panel), w->gradient_stride);
    break;
  case MTLF_OP_SQUARE_SUMS:
    op->squares[unit] = mtlf_weight_square_sum_unit(kernels, w, w->gradient_stride ? run->groups : 1, unit);
    break;
  case MTLF_OP_CLIP: mtlf_clip_finish(op->clip); break;
  default: is_bad = mtlf_weight_update_unit(kernels, w, run->groups, &run->update, op->clip, unit);
  }
  if (is_bad) note_non_finite(run, op);
}

static int64_t job_units(const mtlf_plan_state *run, const mtlf_job *job) {
  return job->is_shards ? run->groups : block_units(run, run->plan->ops + job->first_op);
}

static void run_thread(void *argument, int thread, int team_size) {
  mtlf_plan_state *run = argument;
  const mtlf_plan *plan = run->plan;
  double since = run->step->account_seconds ? seconds() : 0;
  if (thread == 0) run->step->team_size = team_size;
  for (int32_t stage = 0; stage < plan->stage_count; stage++) {
    int64_t before = 0;
    int32_t job = plan->stages[stage].first_job;
    const int32_t end = job + plan->stages[stage].job_count;
    while (job < end) {
      /* Claimed units only grow, so the job that a unit belongs to is found by walking on. */
      const int64_t claimed = atomic_fetch_add_explicit(&run->next[stage], 1, memory_order_relaxed);
      int64_t units = job_units(run, plan->jobs + job);
      while (job < end && claimed - before >= units) {
        before += units;
        job++;
        if (job < end) units = job_units(run, plan->jobs + job);
      }
      if (job == end) break;
      const mtlf_job *work = plan->jobs + job;
      if (work->is_shards) {
        run_group(run, work, stage, (int32_t)(claimed - before), thread, &since);
      } else {
        run_block(run, plan->ops + work->first_op, claimed - before);
        account(run, thread, plan->ops[work->first_op].account, &since);
      }
    }
    /* A team of one has no region of its own: the barrier would be that of the caller's. */
    if (team_size > 1) mtlf_team_barrier();
    account(run, thread, MTLF_ACCOUNT_WAITING, &since);
    if (atomic_load(&run->stop_after) <= stage) break;
  }
}

mtlf_status mtlf_plan_run(const mtlf_plan *plan, mtlf_step *step, const mtlf_context *context) {
  mtlf_context resolved;
  if (!plan || !step || !step->indices || !step->indices[0] || (step->head_count > 0 && !step->heads))
    return MTLF_ERR_NULL_POINTER;
  if (step->sample_count < 1 || step->sample_count > plan->batch_capacity || plan->shard_size < 1 ||
      plan->stage_count > MTLF_MAX_STAGES || step->head_count > MTLF_MAX_HEADS) {
    return MTLF_ERR_BAD_VALUE;
  }
  const mtlf_status status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  mtlf_plan_state run;
  run.plan = plan;
  run.step = step;
  run.context = &resolved;
  run.groups = (int32_t)mtlf_least(MTLF_MAX_GROUPS, step->sample_count);
  run.update = mtlf_update_of(step);
  atomic_init(&run.bad_label, 0);
  atomic_init(&run.stop_after, INT32_MAX);
  atomic_init(&run.non_finite_op, INT32_MAX);
  for (int32_t i = 0; i < plan->stage_count; i++) atomic_init(&run.next[i], 0);
  for (int32_t g = 0; g < run.groups; g++) {
    for (int32_t h = 0; h < step->head_count; h++) {
      run.loss[g][h] = run.weight[g][h] = 0;
      run.present[g][h] = 0;
    }
  }
  mtlf_run_team((int)mtlf_least(resolved.threads, plan->thread_capacity), resolved.keep_denormals, run_thread, &run);
  step->group_count = run.groups;
  const int bad = atomic_load(&run.non_finite_op);
  step->non_finite_op = bad == INT32_MAX ? -1 : bad;
  for (int32_t h = 0; h < step->head_count; h++) {
    mtlf_step_head *head = step->heads + h;
    head->loss_sum = head->weight_sum = 0;
    head->present = 0;
    for (int32_t g = 0; g < run.groups; g++) {
      head->loss_sum += run.loss[g][h];
      head->weight_sum += run.weight[g][h];
      head->present += run.present[g][h];
    }
  }
  return atomic_load(&run.bad_label) ? MTLF_ERR_BAD_VALUE : MTLF_OK;
}
