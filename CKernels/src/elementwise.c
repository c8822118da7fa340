/* SPDX-License-Identifier: Apache-2.0
 * ReLU, sigmoid and exp over n values. */
#include "impl.h"

#define CHECK(condition)                                          \
  mtlf_context resolved;                                          \
  if (!(condition)) return MTLF_ERR_NULL_POINTER;                 \
  if (n < 1) return MTLF_ERR_BAD_SHAPE;                           \
  const mtlf_status status = mtlf_resolve(context, &resolved);    \
  if (status != MTLF_OK) return status

mtlf_status mtlf_relu_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context) {
  CHECK(x && y);
  resolved.kernels->relu(x, y, (size_t)n);
  return MTLF_OK;
}

mtlf_status mtlf_relu_backward_f32(int64_t n, const float *y, const float *d_output, float *d_input,
                                   const mtlf_context *context) {
  CHECK(y && d_output && d_input);
  resolved.kernels->relu_backward(y, d_output, d_input, (size_t)n);
  return MTLF_OK;
}

mtlf_status mtlf_sigmoid_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context) {
  CHECK(x && y);
  resolved.kernels->sigmoid(x, y, (size_t)n);
  return MTLF_OK;
}

mtlf_status mtlf_sigmoid_backward_f32(int64_t n, const float *y, const float *d_output, float *d_input,
                                      const mtlf_context *context) {
  CHECK(y && d_output && d_input);
  resolved.kernels->sigmoid_backward(y, d_output, d_input, (size_t)n);
  return MTLF_OK;
}

mtlf_status mtlf_exp_f32(int64_t n, const float *x, float *y, const mtlf_context *context) {
  CHECK(x && y);
  (void)resolved.kernels->exp_sum(x, 0.0f, y, (size_t)n);
  return MTLF_OK;
}
