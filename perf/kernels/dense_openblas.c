/* SPDX-License-Identifier: Apache-2.0
 * A dense layer by OpenBLAS's sgemm: the baseline. Bias, ReLU and Adam's flat update are part of its passes. */
#include <string.h>

#include "dense_run.h"

#if defined(MTLF_WITH_OPENBLAS)
#include <cblas.h>

static void forward(void *run) {
  dense_run *r = run;
  const int batch = r->dense.batch, inputs = r->dense.inputs, units = r->dense.units;
  float *output = r->outputs.view.data;
  for (int n = 0; n < batch; n++) memcpy(output + (size_t)n * (size_t)units, r->bias, (size_t)units * sizeof(float));
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, batch, units, inputs, 1, r->inputs.view.data, inputs,
              r->kernel, units, 1, output, units);
  check_status(mtlf_relu_forward_f32((int64_t)batch * units, output, output, &r->context));
}

static void d_input(void *run) {
  dense_run *r = run;
  const int batch = r->dense.batch, inputs = r->dense.inputs, units = r->dense.units;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, batch, inputs, units, 1, r->d_outputs.view.data, units,
              r->kernel, units, 0, r->d_inputs.view.data, inputs);
}

static void d_kernel(void *run) {
  dense_run *r = run;
  const int batch = r->dense.batch, inputs = r->dense.inputs, units = r->dense.units;
  const float *d = r->d_outputs.view.data;
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, inputs, units, batch, 1, r->inputs.view.data, inputs, d, units,
              0, r->d_kernel, units);
  memset(r->d_bias, 0, (size_t)units * sizeof(float));
  for (int n = 0; n < batch; n++, d += units) {
    for (int k = 0; k < units; k++) r->d_bias[k] += d[k];
  }
}

static void d_kernel_and_update(void *run) {
  dense_run *r = run;
  d_kernel(r);
  check_status(mtlf_adam_f32(&bench_adam, 1, (int64_t)r->dense.inputs * r->dense.units, r->kernel, r->slots[0],
                             r->slots[1], r->d_kernel, &r->context));
}

void prepare_openblas_dense(dense_run *r, pass passes[MAX_PASSES], double flops) {
  const size_t kernel = (size_t)r->dense.inputs * (size_t)r->dense.units;
  r->d_kernel = new_floats(kernel);
  r->d_bias = new_floats((size_t)r->dense.units);
  for (int i = 0; i < 2; i++) r->slots[i] = new_floats(kernel);
  passes[0] = (pass){forward, r, flops};
  passes[1] = (pass){d_input, r, flops};
  passes[2] = (pass){d_kernel, r, flops};
  passes[3] = (pass){d_kernel_and_update, r, flops};
}

#else

void prepare_openblas_dense(dense_run *r, pass passes[MAX_PASSES], double flops) {
  (void)r, (void)flops;
  memset(passes, 0, MAX_PASSES * sizeof *passes);
}

#endif
