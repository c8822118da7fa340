/* SPDX-License-Identifier: Apache-2.0
 * Operations: convolutions. */
#include "../base/arithmetic.h"
#include "../kernels/conv2d.h"
#include "mtlf/plan/conv2d.h"
#include "parameters.h"
#include "run.h"

static const mtlf_conv_passes *passes_of(const mtlf_shard *s) {
  return mtlf_conv_passes_of(s->run->context->conv_path);
}

static float *workspace_of(const mtlf_shard *s) {
  const mtlf_plan *plan = s->run->plan;
  return plan->workspace + (size_t)s->thread * plan->workspace_floats;
}

/* The gates of a pooled tensor before those of the shard. */
static size_t gates_before(const mtlf_tensor *pooled, const mtlf_shard *s) {
  return (size_t)s->first * mtlf_sample_elements(&pooled->view);
}

MTLF_SHARD_OP(conv2d) {
  const mtlf_conv2d_op *op = payload;
  const mtlf_view input = mtlf_shard_view(&op->input, shard), output = mtlf_shard_view(&op->output, shard);
  passes_of(shard)->forward(mtlf_shard_kernels(shard), &op->window, shard->count, &input, op->weight->kernel,
                            op->weight->bias, op->relu, &output,
                            op->gate ? op->gate + gates_before(&op->output, shard) : NULL, workspace_of(shard));
}

MTLF_SHARD_OP(conv2d_d_input) {
  const mtlf_conv2d_d_input_op *op = payload;
  const mtlf_view d_output = mtlf_shard_view(&op->d_output, shard), d_input = mtlf_shard_view(&op->d_input, shard);
  passes_of(shard)->d_input(mtlf_shard_kernels(shard), &op->window, shard->count, &d_output,
                            op->gate ? op->gate + gates_before(&op->d_output, shard) : NULL, op->transposed, &d_input,
                            workspace_of(shard));
}

MTLF_SHARD_OP(conv2d_d_filter) {
  const mtlf_conv2d_d_filter_op *op = payload;
  const mtlf_kernels *kernels = mtlf_shard_kernels(shard);
  const mtlf_view input = mtlf_shard_view(&op->input, shard), d_output = mtlf_shard_view(&op->d_output, shard);
  float *gradient = mtlf_gradient_of(op->weight, shard->group);
  passes_of(shard)->d_filter(kernels, &op->window, shard->count, &input, &d_output,
                             op->gate ? op->gate + gates_before(&op->d_output, shard) : NULL, gradient,
                             gradient + mtlf_kernel_floats(kernels, op->weight), !shard->is_first, workspace_of(shard));
}

size_t mtlf_plan_workspace_floats(int64_t floats) { return (size_t)MTLF_STRIP * (size_t)floats; }
