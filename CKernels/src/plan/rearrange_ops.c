/* SPDX-License-Identifier: Apache-2.0
 * Operations: elements put elsewhere, once or several times. */
#include "../kernels/dense.h"
#include "../kernels/rearrange.h"
#include "../kernels/upsample2d.h"
#include "mtlf/plan/elementwise.h"
#include "mtlf/plan/rearrange.h"
#include "run.h"

MTLF_SHARD_OP(copy) {
  const mtlf_copy_op *op = payload;
  const mtlf_view from = mtlf_shard_view(&op->from, shard), to = mtlf_shard_view(&op->to, shard);
  mtlf_copy(shard->count, &from, &to);
}

MTLF_SHARD_OP(zero) {
  const mtlf_zero_op *op = payload;
  const mtlf_view values = mtlf_shard_view(&op->values, shard);
  mtlf_zero(shard->count, &values, op->halo);
}

MTLF_SHARD_OP(concatenate) {
  const mtlf_channels_op *op = payload;
  const mtlf_view part = mtlf_shard_view(&op->part, shard), whole = mtlf_shard_view(&op->whole, shard);
  mtlf_concatenate(shard->count, &part, &whole, op->offset);
}

MTLF_SHARD_OP(slice) {
  const mtlf_channels_op *op = payload;
  const mtlf_view part = mtlf_shard_view(&op->part, shard), whole = mtlf_shard_view(&op->whole, shard);
  mtlf_slice(shard->count, &whole, op->offset, &part);
}

MTLF_SHARD_OP(upsample2d) {
  const mtlf_upsample2d_op *op = payload;
  const mtlf_view small = mtlf_shard_view(&op->small, shard), large = mtlf_shard_view(&op->large, shard);
  mtlf_upsample(op->scale_h, op->scale_w, shard->count, &small, &large);
}

MTLF_SHARD_OP(upsample2d_backward) {
  const mtlf_upsample2d_op *op = payload;
  const mtlf_view d_small = mtlf_shard_view(&op->small, shard), d_large = mtlf_shard_view(&op->large, shard);
  mtlf_upsample_backward(mtlf_shard_kernels(shard), op->scale_h, op->scale_w, shard->count, &d_large, &d_small);
}

MTLF_SHARD_OP(pack_samples) {
  const mtlf_pack_samples_op *op = payload;
  const mtlf_view rows = mtlf_shard_view(&op->rows, shard);
  mtlf_pack_samples(mtlf_shard_kernels(shard), &rows, shard->first, shard->count, op->packed);
}
