/* SPDX-License-Identifier: Apache-2.0
 * Plans of one operation, so that a pass is timed exactly as training runs it: groups, shards, packed weights. */
#include "bench.h"

const mtlf_adam bench_adam = {.learning_rate = 1e-6f, .beta1 = 0.5f, .beta2 = 0.999f, .epsilon = 1e-8f};

void init_plan_pass(plan_pass *p, const mtlf_context *context, int32_t batch, int32_t shard) {
  int32_t *indices = (int32_t *)new_floats((size_t)batch);
  for (int32_t i = 0; i < batch; i++) indices[i] = i;
  *p = (plan_pass){.context = context,
                   .plan = {.batch_capacity = batch, .shard_size = shard, .thread_capacity = context->threads},
                   .step = {.sample_count = batch, .optimizer_step = 1, .adam = bench_adam},
                   .indices = indices};
}

static void add_op(plan_pass *p, const mtlf_op *op) {
  const int is_shards = op->shard != NULL;
  const int32_t last = p->plan.stage_count - 1;
  const int32_t place = last < 0 ? 0 : p->jobs[last].first_op + p->jobs[last].op_count;
  if (is_shards && last >= 0 && p->jobs[last].is_shards) {
    p->jobs[last].op_count++;
  } else {
    p->jobs[last + 1] = (mtlf_job){.is_shards = is_shards, .first_op = place, .op_count = 1};
    p->stages[last + 1] = (mtlf_stage){.first_job = last + 1, .job_count = 1};
    p->plan.stage_count++;
  }
  p->ops[place] = *op;
}

void add_shard_op(plan_pass *p, mtlf_shard_function shard, const void *payload) {
  add_op(p, &(mtlf_op){.shard = shard, .payload = payload});
}

void add_block_op(plan_pass *p, mtlf_units_function units, mtlf_block_function block, const void *payload) {
  add_op(p, &(mtlf_op){.units = units, .block = block, .payload = payload});
}

void run_plan_pass(void *plan_pass_pointer) {
  plan_pass *p = plan_pass_pointer;
  p->plan.ops = p->ops;
  p->plan.jobs = p->jobs;
  p->plan.stages = p->stages;
  const int32_t *streams[] = {p->indices};
  p->step.indices = streams;
  check_status(mtlf_plan_run(&p->plan, 0, p->plan.stage_count, &p->step, p->context));
}
