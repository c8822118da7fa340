/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/dense.h - operations: dense layers by blocks. */
#ifndef MTLF_PLAN_DENSE_H
#define MTLF_PLAN_DENSE_H

#include "../dense.h"
#include "op.h"
#include "weight.h"

#ifdef __cplusplus
extern "C" {
#endif

/* output = act(input * kernel + bias) */
typedef struct mtlf_dense_op {
  const mtlf_weight *weight;
  const void *kernel; /* packed, of input's element type */
  int32_t relu;
  mtlf_tensor input, output;
} mtlf_dense_op;
MTLF_BLOCK_OP(dense);
MTLF_BLOCK_UNITS(dense);

/* d_input = sum over terms of d_output_t * kernel_t^T, where `mask` (the forward value, if it is there) is positive; and
 * packed samples of it unless NULL. */
typedef struct mtlf_dense_d_input_op {
  const mtlf_dense_term *terms;
  int32_t term_count;
  mtlf_tensor d_input, mask;
  float *packed;
} mtlf_dense_d_input_op;
MTLF_BLOCK_OP(dense_d_input);
MTLF_BLOCK_UNITS(dense_d_input);

/* Of input and d_output: the gradient of weight; or, where the weight keeps none (gradient_copies 0), its update. */
typedef struct mtlf_dense_d_kernel_op {
  const mtlf_weight *weight;
  mtlf_tensor input, d_output;
} mtlf_dense_d_kernel_op;
MTLF_BLOCK_OP(dense_d_kernel);
MTLF_BLOCK_UNITS(dense_d_kernel);

#ifdef __cplusplus
}
#endif

#endif
