/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/rearrange.h - operations: zeros, channels put side by side, upsampling, samples as columns. */
#ifndef MTLF_PLAN_REARRANGE_H
#define MTLF_PLAN_REARRANGE_H

#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* values = 0, halo included. */
typedef struct mtlf_zero_op {
  mtlf_tensor values;
  ptrdiff_t halo; /* elements from the sample's start to its element (0, 0, 0) */
} mtlf_zero_op;
MTLF_SHARD_OP(zero);

/* concatenate: whole's channels from `offset` on = part; slice: the other way. */
typedef struct mtlf_channels_op {
  mtlf_tensor part, whole;
  int32_t offset;
} mtlf_channels_op;
MTLF_SHARD_OP(concatenate);
MTLF_SHARD_OP(slice);

/* Nearest neighbour: small -> large, or backward d_large -> d_small, which is added to. */
typedef struct mtlf_upsample2d_op {
  int32_t scale_h, scale_w;
  mtlf_tensor small, large;
} mtlf_upsample2d_op;
MTLF_SHARD_OP(upsample2d);
MTLF_SHARD_OP(upsample2d_backward);

/* packed = rows as [ceil(N / panel)][units][panel]: samples as columns */
typedef struct mtlf_pack_samples_op {
  mtlf_tensor rows;
  float *packed;
} mtlf_pack_samples_op;
MTLF_SHARD_OP(pack_samples);

#ifdef __cplusplus
}
#endif

#endif
