/* SPDX-License-Identifier: Apache-2.0
 * One form of a convolution with its buffers, as conv.c, conv_expected.c and conv_openblas.c see it. */
#ifndef MTLF_BENCH_CONV_RUN_H
#define MTLF_BENCH_CONV_RUN_H

#include "bench.h"

typedef struct {
  const layer *layer;
  conv_form form;
  mtlf_context context;
  mtlf_conv2d conv; /* batch: `samples` */
  int32_t batch;    /* of a step */
  int32_t samples;  /* that the tensors hold: the batch, or one shard (a copy for each thread) */
  int32_t copies;
  size_t taps;                /* KH*KW*C_in */
  int32_t output_h, output_w; /* after the pool, where it is fused */

  /* Plain tensors: what the reference and OpenBLAS read. */
  float *input, *filter, *bias, *d_output;
  /* What is timed. Images lie in their halo. */
  mtlf_tensor input_images, output_images, d_output_images, d_input_images;
  uint8_t *gate; /* [batch][OH/2][OW/2][C_out] */
  mtlf_weight weight;
  mtlf_conv2d_op forward_op;
  mtlf_zero_op zero_op;
  mtlf_conv2d_d_input_op d_input_op;
  mtlf_conv2d_d_filter_op d_filter_op;
  plan_pass forward, d_input, d_filter;
  /* OpenBLAS */
  float *columns; /* [samples*OH*OW, taps] */
  float *d_filter_plain, *d_bias_plain;
} conv_run;

/* Calls body with the first sample and the size of each shard, in order, as a plan cuts the batch. */
void for_each_shard(const conv_run *r, void (*body)(void *argument, int32_t first, int32_t count), void *argument);

/* ---- conv_expected.c ---- */

typedef struct {
  double *output, *d_input, *d_filter, *d_bias;
  uint8_t *gate;
} conv_expected;

/* What a form must compute from its plain tensors; kept for the next form of the same layer on the same samples. */
const conv_expected *expected_of(const conv_run *r);

/* ---- conv_openblas.c: passes of a conv_run ---- */

void prepare_openblas_conv(conv_run *r);
void openblas_conv_forward(void *run);
void openblas_conv_d_input(void *run);
void openblas_conv_d_filter(void *run);

#endif
