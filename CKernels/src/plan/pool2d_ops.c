/* SPDX-License-Identifier: Apache-2.0
 * Operations: pools. */
#include "../kernels/pool2d.h"
#include "mtlf/plan/pool2d.h"
#include "run.h"

static int32_t *argmax_of(const mtlf_pool2d_op *op, const mtlf_shard *s) {
  return op->argmax ? op->argmax + (size_t)s->first * mtlf_sample_elements(&op->pooled.view) : NULL;
}

MTLF_SHARD_OP(max_pool2d) {
  const mtlf_pool2d_op *op = payload;
  const mtlf_view image = mtlf_shard_view(&op->image, shard), pooled = mtlf_shard_view(&op->pooled, shard);
  mtlf_max_pool(&op->window, shard->count, &image, &pooled, argmax_of(op, shard));
}

MTLF_SHARD_OP(max_pool2d_backward) {
  const mtlf_pool2d_op *op = payload;
  const mtlf_view d_image = mtlf_shard_view(&op->image, shard), d_pooled = mtlf_shard_view(&op->pooled, shard);
  mtlf_max_pool_backward(shard->count, &d_pooled, argmax_of(op, shard), &d_image);
}

MTLF_SHARD_OP(avg_pool2d) {
  const mtlf_pool2d_op *op = payload;
  const mtlf_view image = mtlf_shard_view(&op->image, shard), pooled = mtlf_shard_view(&op->pooled, shard);
  mtlf_avg_pool(&op->window, shard->count, &image, &pooled);
}

MTLF_SHARD_OP(avg_pool2d_backward) {
  const mtlf_pool2d_op *op = payload;
  const mtlf_view d_image = mtlf_shard_view(&op->image, shard), d_pooled = mtlf_shard_view(&op->pooled, shard);
  mtlf_avg_pool_backward(&op->window, shard->count, &d_pooled, &d_image);
}
