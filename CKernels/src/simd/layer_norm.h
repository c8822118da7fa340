/* SPDX-License-Identifier: Apache-2.0
 * What layer normalisation asks of an instruction set: rows of `channels` values, one after the other. */
#ifndef MTLF_SIMD_LAYER_NORM_H
#define MTLF_SIMD_LAYER_NORM_H

#include "kernels.h"

typedef struct {
  size_t rows;
  int32_t channels;
  float epsilon;
  const float *x;                  /* [rows][channels] */
  const float *gamma, *beta;       /* [channels] */
  float *y;                        /* may be x */
  float *mean, *inverse_deviation; /* of a row, or both NULL */
  ptrdiff_t row_statistics;        /* floats from a row's mean, or inverse deviation, to the next row's */
} mtlf_layer_norm_run;

typedef struct {
  size_t rows;
  int32_t channels;
  const float *x, *gamma, *mean, *inverse_deviation; /* of the forward pass */
  ptrdiff_t row_statistics;
  const float *d_output;   /* [rows][channels] */
  float *d_input;          /* may be d_output; or NULL */
  float *d_gamma, *d_beta; /* [channels], added to, row by row; or both NULL */
} mtlf_layer_norm_backward_run;

typedef struct {
  void (*forward)(const mtlf_layer_norm_run *run);
  void (*backward)(const mtlf_layer_norm_backward_run *run);
} mtlf_layer_norm_kernels;
MTLF_FAMILY(mtlf_layer_norm_kernels, mtlf_layer_norm)

#endif
