/* SPDX-License-Identifier: Apache-2.0
 * Dense layers and matrix products of plain tensors: checks, packs, and calls the passes of dense.c. */
#include <string.h>

#include "impl.h"

static size_t padded_floats(const mtlf_kernels *kernels, int64_t n) {
  return (size_t)mtlf_round_up(mtlf_round_up(n, kernels->panel), MTLF_ALIGNMENT / (int64_t)sizeof(float));
}

static int is_valid(const mtlf_dense *d) {
  return d->batch > 0 && d->inputs > 0 && d->units > 0 && d->batch < INT32_MAX - MTLF_BLOCK_ROWS &&
         d->inputs < INT32_MAX - MTLF_BLOCK_ROWS && d->units < INT32_MAX - MTLF_BLOCK_ROWS;
}

/* The packed kernel or its gradient, then the padded bias or the packed samples. 0 on overflow. */
static size_t workspace_floats(const mtlf_dense *d, const mtlf_kernels *kernels) {
  const size_t inputs = (size_t)d->inputs, kernel = padded_floats(kernels, d->units) * inputs;
  const size_t samples = padded_floats(kernels, d->batch) * (size_t)d->units;
  const size_t limit = SIZE_MAX / 64;
  if (padded_floats(kernels, d->units) > limit / inputs ||
      padded_floats(kernels, d->batch) > limit / (size_t)d->units) {
    return 0;
  }
  return kernel + samples + padded_floats(kernels, d->units);
}

size_t mtlf_dense_workspace_bytes(const mtlf_dense *dense, const mtlf_context *context) {
  mtlf_context resolved;
  if (!dense || !is_valid(dense) || mtlf_resolve(context, &resolved) != MTLF_OK) return 0;
  return workspace_floats(dense, resolved.kernels) * sizeof(float);
}

typedef struct {
  mtlf_dense dense;
  mtlf_context context;
  mtlf_weight weight;
  mtlf_dense_term term;
  const float *input, *d_output;
  float *output;
  float *kernel, *rest; /* parts of the workspace */
  float *d_bias;
  int relu;
} call;

static mtlf_status prepare(call *k, const mtlf_dense *dense, void *workspace, size_t workspace_bytes,
                           const mtlf_context *context) {
  if (!dense || !workspace) return MTLF_ERR_NULL_POINTER;
  if (!is_valid(dense)) return MTLF_ERR_BAD_SHAPE;
  const mtlf_status status = mtlf_resolve(context, &k->context);
  if (status != MTLF_OK) return status;
  const size_t floats = workspace_floats(dense, k->context.kernels);
  if (floats == 0) return MTLF_ERR_BAD_SHAPE;
  if ((uintptr_t)workspace % MTLF_ALIGNMENT) return MTLF_ERR_MISALIGNED;
  if (workspace_bytes < floats * sizeof(float)) return MTLF_ERR_WORKSPACE_TOO_SMALL;
  k->dense = *dense;
  k->kernel = workspace;
  k->rest = k->kernel + padded_floats(k->context.kernels, dense->units) * (size_t)dense->inputs;
  k->weight =
      (mtlf_weight){.inputs = dense->inputs, .units = dense->units, .window = dense->inputs, .kernel = k->kernel};
  return MTLF_OK;
}

static void forward_unit(void *argument, int64_t unit, int thread) {
  const call *k = argument;
  (void)thread;
  mtlf_dense_forward_unit(k->context.kernels, k->dense.batch, k->dense.inputs, k->dense.units, k->input,
                          k->dense.inputs, k->kernel, k->weight.bias, k->relu, k->output, k->dense.units, unit);
}

mtlf_status mtlf_dense_forward_f32(const mtlf_dense *dense, const float *input, const float *kernel, const float *bias,
                                   int32_t relu, float *output, void *workspace, size_t workspace_bytes,
                                   const mtlf_context *context) {
  call k = {.input = input, .output = output, .relu = relu};
  if (!input || !kernel || !output) return MTLF_ERR_NULL_POINTER;
  if (relu != 0 && relu != 1) return MTLF_ERR_BAD_VALUE;
  const mtlf_status status = prepare(&k, dense, workspace, workspace_bytes, context);
  if (status != MTLF_OK) return status;
  mtlf_pack_f32(dense->inputs, dense->units, kernel, k.kernel, &k.context);
  if (bias) {
    memset(k.rest, 0, padded_floats(k.context.kernels, dense->units) * sizeof(float));
    memcpy(k.rest, bias, (size_t)dense->units * sizeof(float));
    k.weight.bias = k.rest;
  }
  mtlf_run_units(&k.context, mtlf_dense_forward_units(k.context.kernels, dense->batch, dense->units), forward_unit, &k);
  return MTLF_OK;
}

static void d_input_unit(void *argument, int64_t unit, int thread) {
  const call *k = argument;
  (void)thread;
  mtlf_dense_d_input_unit(k->context.kernels, k->dense.batch, k->dense.inputs, &k->term, 1, NULL, 0, k->output,
                          k->dense.inputs, NULL, unit);
}

mtlf_status mtlf_dense_d_input_f32(const mtlf_dense *dense, const float *kernel, const float *d_output, float *d_input,
                                   void *workspace, size_t workspace_bytes, const mtlf_context *context) {
  call k = {.output = d_input};
  if (!kernel || !d_output || !d_input) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = prepare(&k, dense, workspace, workspace_bytes, context);
  if (status != MTLF_OK) return status;
  mtlf_pack_f32(dense->inputs, dense->units, kernel, k.kernel, &k.context);
  mtlf_pack_samples(k.context.kernels, dense->units, d_output, dense->units, 0, dense->batch, k.rest);
  k.term = (mtlf_dense_term){.weight = &k.weight, .d_output_packed = k.rest};
  mtlf_run_units(&k.context, mtlf_dense_d_input_units(dense->inputs), d_input_unit, &k);
  return MTLF_OK;
}

static void d_kernel_unit(void *argument, int64_t unit, int thread) {
  const call *k = argument;
  (void)thread;
  mtlf_dense_d_kernel_unit(k->context.kernels, k->dense.batch, k->dense.inputs, k->dense.units, k->input,
                           k->dense.inputs, k->d_output, k->dense.units, k->kernel, k->d_bias, NULL, NULL, NULL, unit);
}

mtlf_status mtlf_dense_d_kernel_f32(const mtlf_dense *dense, const float *input, const float *d_output, float *d_kernel,
                                    float *d_bias, void *workspace, size_t workspace_bytes,
                                    const mtlf_context *context) {
  call k = {.input = input, .d_output = d_output, .d_bias = d_bias};
  if (!input || !d_output || !d_kernel) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = prepare(&k, dense, workspace, workspace_bytes, context);
  if (status != MTLF_OK) return status;
  mtlf_run_units(&k.context, mtlf_dense_d_kernel_units(k.context.kernels, dense->inputs, dense->units), d_kernel_unit,
                 &k);
  return mtlf_unpack_f32(dense->inputs, dense->units, k.kernel, d_kernel, &k.context);
}

size_t mtlf_gemm_workspace_bytes(int64_t k, int64_t n, const mtlf_context *context) {
  const mtlf_dense dense = {.batch = 1, .inputs = (int32_t)k, .units = (int32_t)n};
  if (k < 1 || n < 1 || k > INT32_MAX || n > INT32_MAX) return 0;
  return mtlf_dense_workspace_bytes(&dense, context);
}

mtlf_status mtlf_gemm_f32(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *output,
                          void *workspace, size_t workspace_bytes, const mtlf_context *context) {
  call c = {.input = a, .output = output};
  if (!a || !b || !output) return MTLF_ERR_NULL_POINTER;
  if (m < 1 || n < 1 || k < 1 || m > INT32_MAX - MTLF_BLOCK_ROWS || n > INT32_MAX || k > INT32_MAX)
    return MTLF_ERR_BAD_SHAPE;
  const mtlf_dense dense = {.batch = 1, .inputs = (int32_t)k, .units = (int32_t)n};
  const mtlf_status status = prepare(&c, &dense, workspace, workspace_bytes, context);
  if (status != MTLF_OK) return status;
  c.dense.batch = (int32_t)m;
  mtlf_pack_f32(k, n, b, c.kernel, &c.context);
  mtlf_run_units(&c.context, mtlf_dense_forward_units(c.context.kernels, (int32_t)m, (int32_t)n), forward_unit, &c);
  return MTLF_OK;
}
