/* SPDX-License-Identifier: Apache-2.0
 * ReLU, sigmoid and exp over n values, by blocks. */
#include "mtlf/elementwise.h"
#include "../base/arithmetic.h"
#include "../base/context.h"
#include "../base/parallel.h"
#include "../simd/kernels.h"

enum { BLOCK = 1 << 15 };

typedef struct {
  const mtlf_kernels *kernels;
  int64_t n;
  const float *x, *d_output;
  float *y;
} call;

#define FIRST ((size_t)unit * BLOCK)
#define COUNT ((size_t)mtlf_least(BLOCK, k->n - (int64_t)FIRST))
#define BODY(name, CALL)                                       \
  static void name(void *argument, int64_t unit, int thread) { \
    const call *k = argument;                                  \
    (void)thread;                                              \
    CALL;                                                      \
  }

BODY(relu, k->kernels->relu(k->x + FIRST, k->y + FIRST, COUNT))
BODY(relu_backward, k->kernels->relu_backward(k->x + FIRST, k->d_output + FIRST, k->y + FIRST, COUNT))
BODY(sigmoid, k->kernels->sigmoid(k->x + FIRST, k->y + FIRST, COUNT))
BODY(sigmoid_backward, k->kernels->sigmoid_backward(k->x + FIRST, k->d_output + FIRST, k->y + FIRST, COUNT))
BODY(exponential, (void)k->kernels->exp_sum(k->x + FIRST, 0.0f, k->y + FIRST, COUNT))

static mtlf_status run(mtlf_unit_body body, int64_t n, const float *x, const float *d_output, float *y,
                       const mtlf_context *context) {
  mtlf_context resolved;
  if (!x || !d_output || !y) return MTLF_ERR_NULL_POINTER;
  if (n < 1) return MTLF_ERR_BAD_SHAPE;
  const mtlf_status status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  call k = {.kernels = resolved.kernels, .n = n, .x = x, .d_output = d_output, .y = y};
  mtlf_run_units(&resolved, mtlf_divide_up(n, BLOCK), body, &k);
  return MTLF_OK;
}

mtlf_status mtlf_relu_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context) {
  return run(relu, n, x, x, y, context);
}

mtlf_status mtlf_relu_backward_f32(int64_t n, const float *y, const float *d_output, float *d_input,
                                   const mtlf_context *context) {
  return run(relu_backward, n, y, d_output, d_input, context);
}

mtlf_status mtlf_sigmoid_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context) {
  return run(sigmoid, n, x, x, y, context);
}

mtlf_status mtlf_sigmoid_backward_f32(int64_t n, const float *y, const float *d_output, float *d_input,
                                      const mtlf_context *context) {
  return run(sigmoid_backward, n, y, d_output, d_input, context);
}

mtlf_status mtlf_exp_f32(int64_t n, const float *x, float *y, const mtlf_context *context) {
  return run(exponential, n, x, x, y, context);
}
