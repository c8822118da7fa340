/* SPDX-License-Identifier: Apache-2.0
 * Operations: activation functions, dropout, sums, products. */
#include "../kernels/dropout.h"
#include "../kernels/elementwise.h"
#include "mtlf/plan/elementwise.h"
#include "run.h"

MTLF_SHARD_OP(activation) {
  const mtlf_activation_op *op = payload;
  const mtlf_view input = mtlf_shard_view(&op->input, shard), output = mtlf_shard_view(&op->output, shard);
  mtlf_activate(mtlf_shard_kernels(shard), op->function, shard->count, &input, &output);
}

MTLF_SHARD_OP(activation_backward) {
  const mtlf_activation_backward_op *op = payload;
  const mtlf_view value = mtlf_shard_view(&op->value, shard), d_output = mtlf_shard_view(&op->d_output, shard);
  const mtlf_view d_input = mtlf_shard_view(&op->d_input, shard);
  mtlf_activate_backward(mtlf_shard_kernels(shard), op->function, shard->count, &value, &d_output, &d_input);
}

MTLF_SHARD_OP(dropout) {
  const mtlf_dropout_op *op = payload;
  const mtlf_step *step = shard->run->step;
  const mtlf_view from = mtlf_shard_view(&op->from, shard), to = mtlf_shard_view(&op->to, shard);
  const int32_t *rows = mtlf_shard_rows(shard, step->inputs[op->source].stream);
  for (int32_t n = 0; n < shard->count; n++) {
    mtlf_dropout(op->key, step->epoch << 32 | (uint32_t)rows[n], op->rate, mtlf_floats(&from) + n * from.sample_stride,
                 mtlf_floats(&to) + n * to.sample_stride, mtlf_sample_elements(&from));
  }
}

MTLF_SHARD_OP(add) {
  const mtlf_copy_op *op = payload;
  const mtlf_view from = mtlf_shard_view(&op->from, shard), to = mtlf_shard_view(&op->to, shard);
  mtlf_add(mtlf_shard_kernels(shard), shard->count, &from, &to);
}

MTLF_SHARD_OP(multiply) {
  const mtlf_multiply_op *op = payload;
  const mtlf_view a = mtlf_shard_view(&op->a, shard), b = mtlf_shard_view(&op->b, shard);
  const mtlf_view to = mtlf_shard_view(&op->to, shard);
  mtlf_multiply(mtlf_shard_kernels(shard), shard->count, &a, &b, &to);
}
