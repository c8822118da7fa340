/* SPDX-License-Identifier: Apache-2.0
 * Dense layers and matrix products of plain tensors: checks, packs, and calls the passes of dense.c. */
#include <string.h>

#include "../base/arithmetic.h"
#include "../base/context.h"
#include "../base/parallel.h"
#include "dense.h"

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
  mtlf_dense_term term;
  const float *input, *d_output, *bias;
  float *output;        /* or d_input */
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
  return MTLF_OK;
}

static mtlf_view vectors(const float *data, int32_t channels) { return mtlf_plain_view(data, 1, 1, channels); }

static void forward_unit(void *argument, int64_t unit, int thread) {
  const call *k = argument;
  const mtlf_view input = vectors(k->input, k->dense.inputs), output = vectors(k->output, k->dense.units);
  (void)thread;
  mtlf_dense_f32.forward_unit(k->context.kernels, k->dense.batch, &input, k->kernel, k->bias, k->relu, &output, unit);
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
    k.bias = k.rest;
  }
  mtlf_run_units(&k.context, mtlf_dense_forward_unit_count(k.context.kernels, dense->batch, dense->units), forward_unit,
                 &k);
  return MTLF_OK;
}

static void d_input_unit(void *argument, int64_t unit, int thread) {
  const call *k = argument;
  const mtlf_view d_input = vectors(k->output, k->dense.inputs);
  (void)thread;
  mtlf_dense_f32.d_input_unit(k->context.kernels, k->dense.batch, &k->term, 1, NULL, &d_input, NULL, unit);
}

mtlf_status mtlf_dense_d_input_f32(const mtlf_dense *dense, const float *kernel, const float *d_output, float *d_input,
                                   void *workspace, size_t workspace_bytes, const mtlf_context *context) {
  call k = {.output = d_input};
  if (!kernel || !d_output || !d_input) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = prepare(&k, dense, workspace, workspace_bytes, context);
  if (status != MTLF_OK) return status;
  mtlf_pack_f32(dense->inputs, dense->units, kernel, k.kernel, &k.context);
  const mtlf_view rows = vectors(d_output, dense->units);
  mtlf_pack_samples(k.context.kernels, &rows, 0, dense->batch, k.rest);
  k.term =
      (mtlf_dense_term){.kernel = k.kernel, .inputs = dense->inputs, .units = dense->units, .d_output_packed = k.rest};
  mtlf_run_units(&k.context, mtlf_dense_d_input_unit_count(dense->inputs), d_input_unit, &k);
  return MTLF_OK;
}

static void d_kernel_unit(void *argument, int64_t unit, int thread) {
  const call *k = argument;
  const mtlf_view input = vectors(k->input, k->dense.inputs), d_output = vectors(k->d_output, k->dense.units);
  (void)thread;
  mtlf_dense_f32.d_kernel_unit(k->context.kernels, k->dense.batch, &input, &d_output, k->kernel, k->d_bias, unit);
}

mtlf_status mtlf_dense_d_kernel_f32(const mtlf_dense *dense, const float *input, const float *d_output, float *d_kernel,
                                    float *d_bias, void *workspace, size_t workspace_bytes,
                                    const mtlf_context *context) {
  call k = {.input = input, .d_output = d_output, .d_bias = d_bias};
  if (!input || !d_output || !d_kernel) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = prepare(&k, dense, workspace, workspace_bytes, context);
  if (status != MTLF_OK) return status;
  mtlf_run_units(&k.context, mtlf_dense_d_kernel_unit_count(k.context.kernels, dense->inputs, dense->units),
                 d_kernel_unit, &k);
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
  mtlf_run_units(&c.context, mtlf_dense_forward_unit_count(c.context.kernels, (int32_t)m, (int32_t)n), forward_unit,
                 &c);
  return MTLF_OK;
}
