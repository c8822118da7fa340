/* SPDX-License-Identifier: Apache-2.0
 * One form of a dense layer with its buffers, as dense.c and dense_openblas.c see it. */
#ifndef MTLF_BENCH_DENSE_RUN_H
#define MTLF_BENCH_DENSE_RUN_H

#include "bench.h"

typedef struct {
  mtlf_dense dense;
  form_path path;
  mtlf_context context;
  float *input, *kernel, *bias, *d_output;          /* plain */
  mtlf_tensor inputs, outputs, d_inputs, d_outputs; /* vectors of the whole minibatch */
  float *d_kernel, *d_bias;                         /* packed in ours, plain in OpenBLAS's */
  float *slots[2];                                  /* OpenBLAS's: Adam's m and v, plain */
  mtlf_weight weight;
  mtlf_dense_term term;
  mtlf_dense_op forward_op;
  mtlf_pack_samples_op pack_op;
  mtlf_dense_d_input_op d_input_op;
  mtlf_dense_d_kernel_op update_op;
  float *packed;
  plan_pass forward, d_input, update;
} dense_run;

void prepare_openblas_dense(dense_run *r, pass passes[MAX_PASSES], double flops);

#endif
