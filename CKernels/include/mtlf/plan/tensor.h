/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/tensor.h - activations and gradients as plans hold them. */
#ifndef MTLF_PLAN_TENSOR_H
#define MTLF_PLAN_TENSOR_H

#include "../base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Activations or gradients of a minibatch. */
typedef struct mtlf_tensor {
  mtlf_view view; /* of the first sample; data is NULL for a tensor that isn't there */
  ptrdiff_t
      thread_stride; /* 0: holds the minibatch. Otherwise elements between the threads' copies, each of one shard */
} mtlf_tensor;

#ifdef __cplusplus
}
#endif

#endif
