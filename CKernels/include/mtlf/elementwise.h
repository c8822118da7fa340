/* SPDX-License-Identifier: Apache-2.0
 * mtlf/elementwise.h - activation functions, exp and products of n values. */
#ifndef MTLF_ELEMENTWISE_H
#define MTLF_ELEMENTWISE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The slope of leaky ReLU where x is not above 0. */
#define MTLF_LEAKY_RELU_SLOPE 0.01f

/* Functions of one value. */
typedef enum mtlf_activation {
  MTLF_ACTIVATION_RELU,       /* its derivative is taken from its value */
  MTLF_ACTIVATION_SIGMOID,    /* from its value */
  MTLF_ACTIVATION_GELU,       /* from its input */
  MTLF_ACTIVATION_SILU,       /* from its input */
  MTLF_ACTIVATION_TANH,       /* from its value */
  MTLF_ACTIVATION_LEAKY_RELU, /* from its value */
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
/* y = x times the normal distribution function, x / 2 * (1 + erf(x / sqrt 2)) (Hendrycks and Gimpel, Gaussian Error Linear
 * Units, 2016), error below 6 ULP, below 1.2e-38 where x < -13; may be in place. */
mtlf_status mtlf_gelu_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context);
/* d_input = d_output * gelu'(x), x from before the activation; may be in place of d_output or x. */
mtlf_status mtlf_gelu_backward_f32(int64_t n, const float *x, const float *d_output, float *d_input,
                                   const mtlf_context *context);
/* y = x / (1 + exp(-x)), error below 4 ULP for x > -87, below 1.1e-36 beyond; may be in place. */
mtlf_status mtlf_silu_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context);
/* d_input = d_output * silu'(x), x from before the activation; may be in place of d_output or x. */
mtlf_status mtlf_silu_backward_f32(int64_t n, const float *x, const float *d_output, float *d_input,
                                   const mtlf_context *context);
/* y = tanh(x), error below 2 ULP; may be in place. */
mtlf_status mtlf_tanh_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context);
/* d_input = d_output * (1 - y^2); may be in place. */
mtlf_status mtlf_tanh_backward_f32(int64_t n, const float *y, const float *d_output, float *d_input,
                                   const mtlf_context *context);
/* y = x > 0 ? x : MTLF_LEAKY_RELU_SLOPE * x; may be in place. */
mtlf_status mtlf_leaky_relu_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context);
/* d_input = y > 0 ? d_output : MTLF_LEAKY_RELU_SLOPE * d_output; may be in place. */
mtlf_status mtlf_leaky_relu_backward_f32(int64_t n, const float *y, const float *d_output, float *d_input,
                                         const mtlf_context *context);
/* exp(x), error below 2 ULP for |x| <= 87; clamped beyond. */
mtlf_status mtlf_exp_f32(int64_t n, const float *x, float *y, const mtlf_context *context);

/* y = a * b; may be in place of either. */
mtlf_status mtlf_multiply_forward_f32(int64_t n, const float *a, const float *b, float *y, const mtlf_context *context);
/* d_a = d_output * b, d_b = d_output * a; one of them may be in place of d_output, neither of a or b. */
mtlf_status mtlf_multiply_backward_f32(int64_t n, const float *a, const float *b, const float *d_output, float *d_a,
                                       float *d_b, const mtlf_context *context);

#ifdef __cplusplus
}
#endif

#endif
