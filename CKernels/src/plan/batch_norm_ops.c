/* SPDX-License-Identifier: Apache-2.0
 * Operations: batch normalisation, its sums by group and what is made of them. */
#include <string.h>

#include "../base/arithmetic.h"
#include "../kernels/batch_norm.h"
#include "mtlf/plan/batch_norm.h"
#include "parameters.h"
#include "run.h"

/* Calls the body for every row of a shard's images: rows lie apart where there is a halo. */
#define FOR_EACH_ROW(shape, count, ...)                   \
  for (int32_t n = 0; n < (count); n++) {                 \
    for (int32_t row = 0; row < (shape)->height; row++) { \
      __VA_ARGS__                                         \
    }                                                     \
  }
#define AT(view) (mtlf_floats(view) + n * (view)->sample_stride + row * (view)->row_stride)

/* Clears a group's sums where the shard is its first. */
static void begin_sums(const mtlf_batch_norm *norm, double *sums, const mtlf_shard *s) {
  const size_t count = 2 * (size_t)norm->channels;
  if (s->is_first) memset(sums + (size_t)s->group * count, 0, count * sizeof *sums);
}

MTLF_SHARD_OP(batch_norm_sums) {
  const mtlf_batch_norm_sums_op *op = payload;
  const mtlf_view x = mtlf_shard_view(&op->input, shard);
  begin_sums(op->norm, op->norm->sums, shard);
  FOR_EACH_ROW(&x, shard->count, mtlf_batch_norm_sums(op->norm, shard->group, (size_t)x.width, AT(&x));)
}

MTLF_SHARD_OP(batch_norm_d_sums) {
  const mtlf_batch_norm_sums_op *op = payload;
  const mtlf_view x = mtlf_shard_view(&op->input, shard), d = mtlf_shard_view(&op->d_output, shard);
  begin_sums(op->norm, op->norm->d_sums, shard);
  FOR_EACH_ROW(&x, shard->count, mtlf_batch_norm_d_sums(op->norm, shard->group, (size_t)x.width, AT(&x), AT(&d));)
}

MTLF_SHARD_OP(batch_norm) {
  const mtlf_batch_norm_op *op = payload;
  const mtlf_view x = mtlf_shard_view(&op->input, shard), y = mtlf_shard_view(&op->output, shard);
  FOR_EACH_ROW(&x, shard->count, mtlf_batch_norm_apply(op->norm, (size_t)x.width, AT(&x), AT(&y));)
}

MTLF_SHARD_OP(batch_norm_d_input) {
  const mtlf_batch_norm_op *op = payload;
  const mtlf_view x = mtlf_shard_view(&op->input, shard), d = mtlf_shard_view(&op->d_output, shard);
  const mtlf_view d_x = mtlf_shard_view(&op->output, shard);
  FOR_EACH_ROW(&x, shard->count, mtlf_batch_norm_d_input(op->norm, (size_t)x.width, AT(&x), AT(&d), AT(&d_x));)
}

MTLF_BLOCK_OP(batch_norm_finish) {
  const mtlf_batch_norm_finish_op *op = payload;
  (void)unit, (void)thread;
  mtlf_batch_norm_finish(op->norm, op->weight->kernel, op->weight->bias, run->groups,
                         op->uses_running ? 0 : run->step->sample_count * op->pixels);
  return 0;
}

MTLF_BLOCK_OP(batch_norm_d_finish) {
  const mtlf_batch_norm_finish_op *op = payload;
  const mtlf_weight *weight = op->weight;
  (void)unit, (void)thread;
  mtlf_batch_norm_d_finish(op->norm, run->groups, run->step->sample_count * op->pixels, weight->gradient,
                           weight->gradient + mtlf_kernel_floats(run->context->kernels, weight),
                           weight->gradient_stride);
  return 0;
}
