/* SPDX-License-Identifier: Apache-2.0
 * mtlf/elementwise.h - ReLU, sigmoid and exp of n values. */
#ifndef MTLF_ELEMENTWISE_H
#define MTLF_ELEMENTWISE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Functions of one value. */
typedef enum mtlf_activation {
  MTLF_ACTIVATION_RELU,    /* its derivative is taken from its value */
  MTLF_ACTIVATION_SIGMOID, /* from its value */
  MTLF_ACTIVATION_COUNT
} mtlf_activation;

/* y = max(0, x); may be in place. */
mtlf_status mtlf_relu_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context);
/* d_input = y > 0 ? d_output : 0; may be in place. */
mtlf_status mtlf_relu_backward_f32(int64_t n, const float *y, const float *d_output, float *d_input,
                                   const mtlf_context *context);
/* y = 1 / (1 + exp(-x)), error below 4 ULP for |x| <= 87, below 2e-38 beyond; may be in place. */
mtlf_status mtlf_sigmoid_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context);
/* d_input = d_output * y * (1 - y); may be in place. */
mtlf_status mtlf_sigmoid_backward_f32(int64_t n, const float *y, const float *d_output, float *d_input,
                                      const mtlf_context *context);
/* exp(x), error below 2 ULP for |x| <= 87; clamped beyond. */
mtlf_status mtlf_exp_f32(int64_t n, const float *x, float *y, const mtlf_context *context);

#ifdef __cplusplus
}
#endif

#endif
