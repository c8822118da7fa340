/* SPDX-License-Identifier: Apache-2.0
 * Activation functions, exp, sums and products: over views by rows, over n values by blocks. */
#include "elementwise.h"

#include "../base/arithmetic.h"
#include "../base/context.h"
#include "../base/parallel.h"

/* ---- over views ---- */

/* Rows of bfloat16 go through floats, so many at a time. */
enum { PIECE = 512 };

/* A place in a row of floats is the row itself: it is taken in one piece. */
static size_t piece_of(int is_plain, size_t n) { return is_plain ? n : PIECE; }

/* Calls the body for pieces of every row, with `n` elements from sample s, row y, element `at` on. */
#define FOR_EACH_PIECE(shape, samples, is_plain, ...)                               \
  do {                                                                              \
    const size_t run = (size_t)(shape)->width * (size_t)(shape)->channels;          \
    const size_t piece = piece_of(is_plain, run);                                   \
    for (int32_t s = 0; s < (samples); s++) {                                       \
      for (int32_t y = 0; y < (shape)->height; y++) {                               \
        for (size_t at = 0; at < run; at += piece) {                                \
          const size_t n = (size_t)mtlf_least((int64_t)piece, (int64_t)(run - at)); \
          __VA_ARGS__                                                               \
        }                                                                           \
      }                                                                             \
    }                                                                               \
  } while (0)
#define AT(view) (s * (view)->sample_stride + y * (view)->row_stride + (ptrdiff_t)at)

void mtlf_activate(const mtlf_kernels *kernels, mtlf_activation function, int32_t samples, const mtlf_view *input,
                   const mtlf_view *output) {
  const int is_plain = input->element == MTLF_F32 && output->element == MTLF_F32;
  float x[PIECE], y_piece[PIECE];
  FOR_EACH_PIECE(input, samples, is_plain, {
    kernels->activation_forward[function](mtlf_read(input, AT(input), n, x), mtlf_place(output, AT(output), y_piece),
                                          n);
    mtlf_put(output, AT(output), n, y_piece);
  });
}

void mtlf_activate_backward(const mtlf_kernels *kernels, mtlf_activation function, int32_t samples,
                            const mtlf_view *value, const mtlf_view *d_output, const mtlf_view *d_input) {
  const int is_plain = value->element == MTLF_F32 && d_output->element == MTLF_F32 && d_input->element == MTLF_F32;
  float values[PIECE], d[PIECE], to[PIECE];
  FOR_EACH_PIECE(value, samples, is_plain, {
    kernels->activation_backward[function](mtlf_read(value, AT(value), n, values),
                                           mtlf_read(d_output, AT(d_output), n, d),
                                           mtlf_place(d_input, AT(d_input), to), n);
    mtlf_put(d_input, AT(d_input), n, to);
  });
}

void mtlf_add(const mtlf_kernels *kernels, int32_t samples, const mtlf_view *from, const mtlf_view *to) {
  const int is_plain = from->element == MTLF_F32 && to->element == MTLF_F32;
  float x[PIECE], sum[PIECE];
  FOR_EACH_PIECE(from, samples, is_plain, {
    float *target = mtlf_place(to, AT(to), sum);
    if (to->element == MTLF_BF16) mtlf_read(to, AT(to), n, sum);
    kernels->add(mtlf_read(from, AT(from), n, x), target, n);
    mtlf_put(to, AT(to), n, sum);
  });
}

void mtlf_multiply(const mtlf_kernels *kernels, int32_t samples, const mtlf_view *a, const mtlf_view *b,
                   const mtlf_view *to) {
  const int is_plain = a->element == MTLF_F32 && b->element == MTLF_F32 && to->element == MTLF_F32;
  float left[PIECE], right[PIECE], result[PIECE];
  FOR_EACH_PIECE(a, samples, is_plain, {
    kernels->multiply(mtlf_read(a, AT(a), n, left), mtlf_read(b, AT(b), n, right), mtlf_place(to, AT(to), result), n);
    mtlf_put(to, AT(to), n, result);
  });
}

/* ---- over n values ---- */

enum { BLOCK = 1 << 15 };

typedef struct {
  const mtlf_kernels *kernels;
  mtlf_activation function;
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

BODY(forward, k->kernels->activation_forward[k->function](k->x + FIRST, k->y + FIRST, COUNT))
BODY(backward, k->kernels->activation_backward[k->function](k->x + FIRST, k->d_output + FIRST, k->y + FIRST, COUNT))
BODY(product, k->kernels->multiply(k->x + FIRST, k->d_output + FIRST, k->y + FIRST, COUNT))
BODY(exponential, (void)k->kernels->exp_sum(k->x + FIRST, 0.0f, k->y + FIRST, COUNT))

static mtlf_status run(mtlf_unit_body body, mtlf_activation function, int64_t n, const float *x, const float *d_output,
                       float *y, const mtlf_context *context) {
  mtlf_context resolved;
  if (!x || !d_output || !y) return MTLF_ERR_NULL_POINTER;
  if (n < 1) return MTLF_ERR_BAD_SHAPE;
  const mtlf_status status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  call k = {.kernels = resolved.kernels, .function = function, .n = n, .x = x, .d_output = d_output, .y = y};
  mtlf_run_units(&resolved, mtlf_divide_up(n, BLOCK), body, &k);
  return MTLF_OK;
}

mtlf_status mtlf_relu_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context) {
  return run(forward, MTLF_ACTIVATION_RELU, n, x, x, y, context);
}

mtlf_status mtlf_relu_backward_f32(int64_t n, const float *y, const float *d_output, float *d_input,
                                   const mtlf_context *context) {
  return run(backward, MTLF_ACTIVATION_RELU, n, y, d_output, d_input, context);
}

mtlf_status mtlf_sigmoid_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context) {
  return run(forward, MTLF_ACTIVATION_SIGMOID, n, x, x, y, context);
}

mtlf_status mtlf_sigmoid_backward_f32(int64_t n, const float *y, const float *d_output, float *d_input,
                                      const mtlf_context *context) {
  return run(backward, MTLF_ACTIVATION_SIGMOID, n, y, d_output, d_input, context);
}

mtlf_status mtlf_gelu_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context) {
  return run(forward, MTLF_ACTIVATION_GELU, n, x, x, y, context);
}

mtlf_status mtlf_gelu_backward_f32(int64_t n, const float *x, const float *d_output, float *d_input,
                                   const mtlf_context *context) {
  return run(backward, MTLF_ACTIVATION_GELU, n, x, d_output, d_input, context);
}

mtlf_status mtlf_silu_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context) {
  return run(forward, MTLF_ACTIVATION_SILU, n, x, x, y, context);
}

mtlf_status mtlf_silu_backward_f32(int64_t n, const float *x, const float *d_output, float *d_input,
                                   const mtlf_context *context) {
  return run(backward, MTLF_ACTIVATION_SILU, n, x, d_output, d_input, context);
}

mtlf_status mtlf_tanh_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context) {
  return run(forward, MTLF_ACTIVATION_TANH, n, x, x, y, context);
}

mtlf_status mtlf_tanh_backward_f32(int64_t n, const float *y, const float *d_output, float *d_input,
                                   const mtlf_context *context) {
  return run(backward, MTLF_ACTIVATION_TANH, n, y, d_output, d_input, context);
}

mtlf_status mtlf_leaky_relu_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context) {
  return run(forward, MTLF_ACTIVATION_LEAKY_RELU, n, x, x, y, context);
}

mtlf_status mtlf_leaky_relu_backward_f32(int64_t n, const float *y, const float *d_output, float *d_input,
                                         const mtlf_context *context) {
  return run(backward, MTLF_ACTIVATION_LEAKY_RELU, n, y, d_output, d_input, context);
}

mtlf_status mtlf_exp_f32(int64_t n, const float *x, float *y, const mtlf_context *context) {
  return run(exponential, MTLF_ACTIVATION_COUNT, n, x, x, y, context);
}

static mtlf_status multiply(int64_t n, const float *a, const float *b, float *y, const mtlf_context *context) {
  return run(product, MTLF_ACTIVATION_COUNT, n, a, b, y, context);
}

mtlf_status mtlf_multiply_forward_f32(int64_t n, const float *a, const float *b, float *y,
                                      const mtlf_context *context) {
  return multiply(n, a, b, y, context);
}

mtlf_status mtlf_multiply_backward_f32(int64_t n, const float *a, const float *b, const float *d_output, float *d_a,
                                       float *d_b, const mtlf_context *context) {
  if (!a || !b || !d_output || !d_a || !d_b) return MTLF_ERR_NULL_POINTER;
  /* What takes d_output's place comes last. */
  const int a_first = d_b == d_output;
  const mtlf_status status = a_first ? multiply(n, b, d_output, d_a, context) : multiply(n, a, d_output, d_b, context);
  if (status != MTLF_OK) return status;
  return a_first ? multiply(n, a, d_output, d_b, context) : multiply(n, b, d_output, d_a, context);
}
