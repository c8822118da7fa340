/* SPDX-License-Identifier: Apache-2.0
 * Operations: dense layers by blocks of the whole minibatch. */
#include "../kernels/dense.h"

#include "mtlf/plan/dense.h"
#include "parameters.h"
#include "run.h"

static const mtlf_view *view_or_null(const mtlf_tensor *t) { return t->view.data ? &t->view : NULL; }

MTLF_BLOCK_UNITS(dense) {
  const mtlf_dense_op *op = payload;
  return mtlf_dense_forward_unit_count(run->context->kernels, run->step->sample_count, op->weight->units);
}

MTLF_BLOCK_OP(dense) {
  const mtlf_dense_op *op = payload;
  (void)thread;
  mtlf_dense_passes_of(op->input.view.element)
      ->forward_unit(run->context->kernels, run->step->sample_count, &op->input.view, op->kernel, op->weight->bias,
                     op->relu, &op->output.view, unit);
  return 0;
}

MTLF_BLOCK_UNITS(dense_d_input) {
  const mtlf_dense_d_input_op *op = payload;
  (void)run;
  return mtlf_dense_d_input_unit_count(op->d_input.view.channels);
}

MTLF_BLOCK_OP(dense_d_input) {
  const mtlf_dense_d_input_op *op = payload;
  const mtlf_element element = op->terms[0].d_output_packed ? MTLF_F32 : op->terms[0].d_output.element;
  (void)thread;
  mtlf_dense_passes_of(element)->d_input_unit(run->context->kernels, run->step->sample_count, op->terms, op->term_count,
                                              view_or_null(&op->mask), &op->d_input.view, op->packed, unit);
  return 0;
}

MTLF_BLOCK_UNITS(dense_d_kernel) {
  const mtlf_dense_d_kernel_op *op = payload;
  return mtlf_dense_d_kernel_unit_count(run->context->kernels, op->weight->inputs, op->weight->units);
}

MTLF_BLOCK_OP(dense_d_kernel) {
  const mtlf_dense_d_kernel_op *op = payload;
  const mtlf_kernels *kernels = run->context->kernels;
  const mtlf_weight *weight = op->weight;
  const mtlf_dense_passes *passes = mtlf_dense_passes_of(op->d_output.view.element);
  const int32_t batch = run->step->sample_count;
  (void)thread;
  if (weight->gradient_copies > 0) {
    passes->d_kernel_unit(kernels, batch, &op->input.view, &op->d_output.view, weight->gradient,
                          weight->gradient + mtlf_kernel_floats(kernels, weight), unit);
    return 0;
  }
  const mtlf_parameter kernel = mtlf_kernel_of(weight), bias = mtlf_bias_of(weight);
  const int is_bad =
      passes->update_unit(kernels, batch, &op->input.view, &op->d_output.view, &run->update, &kernel, &bias, unit);
  if (weight->form_count > 0) {
    const mtlf_dense_rows rows = mtlf_dense_rows_of(kernels, weight->inputs, weight->units, unit);
    mtlf_refresh_rows(kernels, weight, rows.column / kernels->panel, rows.first, rows.end - rows.first);
  }
  return is_bad;
}
