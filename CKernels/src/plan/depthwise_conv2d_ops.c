/* SPDX-License-Identifier: Apache-2.0
 * Operations: depthwise convolutions. */
#include "../kernels/depthwise_conv2d.h"
#include "mtlf/plan/depthwise_conv2d.h"
#include "parameters.h"
#include "run.h"

MTLF_SHARD_OP(depthwise_conv2d) {
  const mtlf_depthwise_conv2d_op *op = payload;
  const mtlf_view input = mtlf_shard_view(&op->input, shard), output = mtlf_shard_view(&op->output, shard);
  mtlf_depthwise_forward(mtlf_shard_kernels(shard), &op->window, shard->count, &input, op->weight->kernel,
                         op->weight->bias, op->relu, &output);
}

MTLF_SHARD_OP(depthwise_conv2d_d_input) {
  const mtlf_depthwise_conv2d_d_input_op *op = payload;
  const mtlf_view d_output = mtlf_shard_view(&op->d_output, shard), d_input = mtlf_shard_view(&op->d_input, shard);
  mtlf_depthwise_d_input(mtlf_shard_kernels(shard), &op->window, shard->count, &d_output, op->weight->kernel, &d_input);
}

MTLF_SHARD_OP(depthwise_conv2d_d_filter) {
  const mtlf_depthwise_conv2d_d_filter_op *op = payload;
  const mtlf_kernels *kernels = mtlf_shard_kernels(shard);
  const mtlf_view input = mtlf_shard_view(&op->input, shard), d_output = mtlf_shard_view(&op->d_output, shard);
  float *gradient = mtlf_gradient_of(op->weight, shard->group);
  mtlf_depthwise_d_filter(kernels, &op->window, shard->count, &input, &d_output, gradient,
                          gradient + mtlf_kernel_floats(kernels, op->weight), !shard->is_first);
}
