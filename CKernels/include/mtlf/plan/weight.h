/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/weight.h - parameters as plans hold them. */
#ifndef MTLF_PLAN_WEIGHT_H
#define MTLF_PLAN_WEIGHT_H

#include "../base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the values of a weight lie. */
typedef enum mtlf_layout {
  MTLF_LAYOUT_PACKED,    /* panels of the [K, N] matrix, as mtlf_pack_f32 writes them */
  MTLF_LAYOUT_TRANSPOSED /* [K / window][ceil(window / panel)][N][panel], for d_input in shards */
} mtlf_layout;

/* The values of a weight once more, every update writes them anew: MTLF_LAYOUT_TRANSPOSED of MTLF_F32, or
 * MTLF_LAYOUT_PACKED of MTLF_BF16, each value rounded. */
typedef struct mtlf_weight_form {
  mtlf_layout layout;
  mtlf_element element;
  void *values;
} mtlf_weight_form;

enum { MTLF_MAX_FORMS = 4 };

/* A layer's parameters: the masters (fp32, packed), their other forms, gradients and optimizer slots. */
typedef struct mtlf_weight {
  int32_t inputs, units; /* K, N */
  int32_t window;        /* contiguous inputs of one filter row: KW * C_in; K for dense layers */
  int32_t no_decay;      /* not 0: `kernel` has no weight decay; `bias` never has */
  float *kernel;         /* packed */
  float *bias;           /* [N], padded to whole panels */
  mtlf_weight_form forms[MTLF_MAX_FORMS];
  int32_t form_count;
  int32_t gradient_copies; /* 0: made and used in the registers of the update; 1: whole; MTLF_MAX_GROUPS: by group */
  float *gradient;         /* [gradient_copies][gradient_stride]: packed kernel, then bias; or NULL */
  size_t gradient_stride;  /* floats */
  float *kernel_slot[2], *bias_slot[2]; /* the optimizer's, as kernel and bias lie: Adam m and v; SGD velocity, NULL */
} mtlf_weight;

/* Floats of a weight's transposed form. */
size_t mtlf_plan_transposed_floats(int64_t inputs, int64_t units, int64_t window, const mtlf_context *context);
/* Makes a weight's forms anew after somebody wrote the packed kernel. */
mtlf_status mtlf_plan_refresh(const mtlf_weight *weight, const mtlf_context *context);

/* The units that a weight's update is made of. */
int64_t mtlf_plan_update_units(int64_t inputs, int64_t units, const mtlf_context *context);

#ifdef __cplusplus
}
#endif

#endif
