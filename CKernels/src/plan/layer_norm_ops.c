/* SPDX-License-Identifier: Apache-2.0
 * Operations: layer normalisation. */
#include "../kernels/layer_norm.h"

#include <string.h>

#include "mtlf/plan/layer_norm.h"
#include "parameters.h"
#include "run.h"

/* NULL for a tensor that isn't there. */
static const mtlf_view *view_of(const mtlf_tensor *tensor, const mtlf_shard *shard, mtlf_view *view) {
  if (!tensor->view.data) return NULL;
  *view = mtlf_shard_view(tensor, shard);
  return view;
}

MTLF_SHARD_OP(layer_norm) {
  const mtlf_layer_norm_op *op = payload;
  const mtlf_view input = mtlf_shard_view(&op->input, shard), output = mtlf_shard_view(&op->output, shard);
  mtlf_view statistics;
  mtlf_layer_norm_forward(mtlf_shard_kernels(shard), op->epsilon, shard->count, &input, op->weight->kernel,
                          op->weight->bias, &output, view_of(&op->statistics, shard, &statistics));
}

MTLF_SHARD_OP(layer_norm_backward) {
  const mtlf_layer_norm_backward_op *op = payload;
  const mtlf_kernels *kernels = mtlf_shard_kernels(shard);
  const mtlf_view input = mtlf_shard_view(&op->input, shard), d_output = mtlf_shard_view(&op->d_output, shard);
  const mtlf_view statistics = mtlf_shard_view(&op->statistics, shard);
  mtlf_view d_input;
  float *d_gamma = NULL, *d_beta = NULL;
  if (!op->keeps_weight) {
    const size_t kernel = mtlf_kernel_floats(kernels, op->weight);
    d_gamma = mtlf_gradient_of(op->weight, shard->group);
    d_beta = d_gamma + kernel;
    if (shard->is_first) memset(d_gamma, 0, (kernel + (size_t)op->weight->units) * sizeof *d_gamma);
  }
  mtlf_layer_norm_backward(kernels, shard->count, &input, op->weight->kernel, &d_output, &statistics,
                           view_of(&op->d_input, shard, &d_input), d_gamma, d_beta);
}
