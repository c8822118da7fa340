/* SPDX-License-Identifier: Apache-2.0
 * Runs a compiled plan: stages of shards and blocks in one team of threads, with a barrier after each stage. */
#define _POSIX_C_SOURCE 199309L
#include <time.h>

#include "../base/arithmetic.h"
#include "../base/context.h"
#include "../base/parallel.h"
#include "run.h"

/* A run with what its threads share. */
typedef struct {
  mtlf_run run;
  mtlf_run_marks marks;
  int32_t first_stage, end_stage;
  _Atomic int64_t next[MTLF_MAX_STAGES]; /* the unit that nobody has claimed yet */
} team_run;

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void account(const mtlf_run *run, int thread, mtlf_account account, double *since) {
  if (!run->step->account_seconds) return;
  const double now = seconds();
  run->step->account_seconds[thread * MTLF_ACCOUNT_COUNT + (int)account] += now - *since;
  *since = now;
}

static void run_group(const mtlf_run *run, const mtlf_job *job, int32_t stage, int32_t group, int thread,
                      double *since) {
  const mtlf_plan *plan = run->plan;
  const int64_t samples = run->step->sample_count;
  const int32_t first = (int32_t)(samples * group / run->groups), end = (int32_t)(samples * (group + 1) / run->groups);
  for (int32_t n = first; n < end; n += plan->shard_size) {
    const mtlf_shard shard = {.run = run,
                              .first = n,
                              .count = (int32_t)mtlf_least(plan->shard_size, end - n),
                              .group = group,
                              .thread = thread,
                              .stage = stage,
                              .is_first = n == first};
    for (int32_t i = 0; i < job->op_count; i++) {
      const mtlf_op *op = plan->ops + job->first_op + i;
      op->shard(op->payload, &shard);
      account(run, thread, op->account, since);
    }
  }
}

static void note_non_finite(const mtlf_run *run, const mtlf_op *op) {
  const int place = (int)(op - run->plan->ops);
  int known = atomic_load_explicit(&run->marks->non_finite_op, memory_order_relaxed);
  while (place < known && !atomic_compare_exchange_weak(&run->marks->non_finite_op, &known, place)) {
  }
}

static void run_block(const mtlf_run *run, const mtlf_op *op, int64_t unit, int thread, double *since) {
  if (op->block(op->payload, run, unit, thread)) note_non_finite(run, op);
  account(run, thread, op->account, since);
}

static int64_t job_units(const mtlf_run *run, const mtlf_job *job) {
  if (job->is_shards) return run->groups;
  const mtlf_op *op = run->plan->ops + job->first_op;
  return op->units ? op->units(op->payload, run) : 1;
}

static void run_thread(void *argument, int thread, int team_size) {
  team_run *team = argument;
  const mtlf_run *run = &team->run;
  const mtlf_plan *plan = run->plan;
  double since = run->step->account_seconds ? seconds() : 0;
  if (thread == 0) run->step->team_size = team_size;
  for (int32_t stage = team->first_stage; stage < team->end_stage; stage++) {
    int64_t before = 0;
    int32_t job = plan->stages[stage].first_job;
    const int32_t end = job + plan->stages[stage].job_count;
    while (job < end) {
      /* Claimed units only grow, so the job that a unit belongs to is found by walking on. */
      const int64_t claimed = atomic_fetch_add_explicit(&team->next[stage], 1, memory_order_relaxed);
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
        run_block(run, plan->ops + work->first_op, claimed - before, thread, &since);
      }
    }
    /* A team of one has no region of its own: the barrier would be that of the caller's. */
    if (team_size > 1) mtlf_team_barrier();
    account(run, thread, MTLF_ACCOUNT_WAITING, &since);
    if (atomic_load(&team->marks.stop_after) <= stage) break;
  }
}

/* What a run has found out, for the caller: groups in their order. */
static void write_results(const team_run *team, mtlf_step *step) {
  const int non_finite = atomic_load(&team->marks.non_finite_op);
  step->group_count = team->run.groups;
  if (non_finite != INT32_MAX && (step->non_finite_op < 0 || non_finite < step->non_finite_op)) {
    step->non_finite_op = non_finite;
  }
  if (atomic_load(&team->marks.stop_after) != INT32_MAX) step->has_stopped = 1;
  for (int32_t h = 0; h < step->head_count; h++) {
    mtlf_step_head *head = step->heads + h;
    head->loss_sum = head->weight_sum = 0;
    head->present = 0;
    for (int32_t g = 0; g < team->run.groups; g++) {
      head->loss_sum += head->group_loss[g];
      head->weight_sum += head->group_weight[g];
      head->present += head->group_present[g];
    }
  }
}

/* A step's results as they are before anything has run. */
static void clear_results(mtlf_step *step) {
  step->non_finite_op = -1;
  step->has_stopped = 0;
  for (int32_t h = 0; h < step->head_count; h++) {
    for (int g = 0; g < MTLF_MAX_GROUPS; g++) {
      step->heads[h].group_loss[g] = step->heads[h].group_weight[g] = 0;
      step->heads[h].group_present[g] = 0;
    }
  }
}

static mtlf_update update_of(const mtlf_step *step) {
  return step->optimizer == MTLF_OPTIMIZER_SGD ? mtlf_sgd_update(&step->sgd)
                                               : mtlf_adam_update(&step->adam, step->optimizer_step);
}

mtlf_status mtlf_plan_run(const mtlf_plan *plan, int32_t first_stage, int32_t end_stage, mtlf_step *step,
                          const mtlf_context *context) {
  mtlf_context resolved;
  if (!plan || !step || !step->indices || !step->indices[0] || (step->head_count > 0 && !step->heads))
    return MTLF_ERR_NULL_POINTER;
  if (step->sample_count < 1 || step->sample_count > plan->batch_capacity || plan->shard_size < 1 ||
      plan->stage_count > MTLF_MAX_STAGES || step->head_count > MTLF_MAX_HEADS || first_stage < 0 ||
      first_stage > end_stage || end_stage > plan->stage_count) {
    return MTLF_ERR_BAD_VALUE;
  }
  const mtlf_status status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  if (first_stage == 0) clear_results(step);
  if (step->has_stopped) return MTLF_OK;
  team_run team;
  team.run = (mtlf_run){.plan = plan,
                        .step = step,
                        .context = &resolved,
                        .update = update_of(step),
                        .groups = (int32_t)mtlf_least(MTLF_MAX_GROUPS, step->sample_count),
                        .marks = &team.marks};
  team.first_stage = first_stage;
  team.end_stage = end_stage;
  atomic_init(&team.marks.bad_label, 0);
  atomic_init(&team.marks.stop_after, INT32_MAX);
  atomic_init(&team.marks.non_finite_op, INT32_MAX);
  for (int32_t i = first_stage; i < end_stage; i++) atomic_init(&team.next[i], 0);
  mtlf_run_team((int)mtlf_least(resolved.threads, plan->thread_capacity), resolved.keep_denormals, run_thread, &team);
  write_results(&team, step);
  return atomic_load(&team.marks.bad_label) ? MTLF_ERR_BAD_VALUE : MTLF_OK;
}
