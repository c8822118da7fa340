/* SPDX-License-Identifier: Apache-2.0
 * Inputs, functions of single values, optimizers. */
#include "check.h"

/* Normalised rows as the first layer gets them: a product and a sum, both rounded, on every instruction set. */
static void check_input(int32_t width, const mtlf_context *context) {
  float *data = integers(width, 1), *output = floats(width);
  uint8_t *bytes = allocate((size_t)width);
  const float *factors = reals(width, 2), *offsets = reals(width, 3);
  for (int32_t i = 0; i < width; i++) bytes[i] = (uint8_t)(i * 7);
  for (int is_bytes = 0; is_bytes < 2; is_bytes++) {
    const mtlf_input_rows input = {
        .data = is_bytes ? (const void *)bytes : data, .is_bytes = is_bytes, .factors = factors, .offsets = offsets};
    const mtlf_view view = {.data = output, .height = 1, .width = width, .channels = 1, .row_stride = width};
    internal_load_sample(context, &input, 0, 0, &view);
    int is_right = 1;
    for (int32_t i = 0; i < width; i++) {
      const float product = factors[i] * (is_bytes ? (float)bytes[i] : data[i]);
      is_right &= output[i] == product + offsets[i];
    }
    expect(is_right, "normalised input");
  }
}

static void check_elementwise(int64_t n, const mtlf_context *context) {
  float *x = reals(n, 1), *d = reals(n, 2), *y = floats(n);
  double *expected = doubles(n), error;
  expect_ok(mtlf_relu_forward_f32(n, x, y, context), "relu");
  const double *wide_x = wide(n, x), *wide_d = wide(n, d);
  reference_relu_forward(n, wide_x, expected);
  expect_near(n, y, expected, 0, "relu");
  expect_ok(mtlf_relu_backward_f32(n, x, d, y, context), "relu backward");
  reference_relu_backward(n, wide_x, wide_d, expected);
  expect_equal(n, y, expected, "relu d_input");
  for (int64_t i = 0; i < n; i++) x[i] *= 80;
  wide_x = wide(n, x);
  expect_ok(mtlf_exp_f32(n, x, y, context), "exp");
  reference_exp(n, wide_x, expected);
  reference_worst_ulp(n, y, expected, &error);
  expect(error < 2, "exp within 2 ULP");
  expect_ok(mtlf_sigmoid_forward_f32(n, x, y, context), "sigmoid");
  reference_sigmoid_forward(n, wide_x, expected);
  reference_worst_ulp(n, y, expected, &error);
  expect(error < 4, "sigmoid within 4 ULP");
}

/* A function of one value, its error in units in the last place and its gradient's. The gradient is taken from what
 * mtlf_activation says. */
typedef struct {
  const char *name;
  mtlf_status (*forward)(int64_t n, const float *x, float *y, const mtlf_context *context);
  mtlf_status (*backward)(int64_t n, const float *value, const float *d_output, float *d_input,
                          const mtlf_context *context);
  void (*reference_forward)(int64_t n, const double *x, double *y);
  void (*reference_backward)(int64_t n, const double *value, const double *d_output, double *d_input);
  int from_input;
  double ulp;
} activation;

static void check_activation(const activation *a, int64_t n, const float *x, const float *d,
                             const mtlf_context *context) {
  float *y = floats(n), *d_input = floats(n);
  double *expected = doubles(n), error;
  expect_ok(a->forward(n, x, y, context), a->name);
  a->reference_forward(n, wide(n, x), expected);
  reference_worst_ulp(n, y, expected, &error);
  expect(error < a->ulp, a->name);
  const float *value = a->from_input ? x : y;
  expect_ok(a->backward(n, value, d, d_input, context), a->name);
  a->reference_backward(n, wide(n, value), wide(n, d), expected);
  expect_near(n, d_input, expected, 7 * 0x1p-23, a->name);
}

static void check_activations(int64_t n, const mtlf_context *context) {
#define ACTIVATION(name, from_input, ulp) \
  {#name,                                 \
   mtlf_##name##_forward_f32,             \
   mtlf_##name##_backward_f32,            \
   reference_##name##_forward,            \
   reference_##name##_backward,           \
   from_input,                            \
   ulp}
  static const activation activations[] = {ACTIVATION(gelu, 1, 6), ACTIVATION(silu, 1, 4), ACTIVATION(tanh, 0, 2),
                                           ACTIVATION(leaky_relu, 0, 1)};
#undef ACTIVATION
  float *x = reals(n, 3), *d = reals(n, 4);
  for (int64_t i = 0; i < n; i++) x[i] *= 12;
  for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) {
    check_activation(activations + i, n, x, d, context);
  }
}

static void check_multiply(int64_t n, const mtlf_context *context) {
  const float *a = reals(n, 1), *b = reals(n, 2), *d = reals(n, 3);
  const double *wide_a = wide(n, a), *wide_b = wide(n, b);
  float *y = floats(n), *d_a = floats(n), *d_b = floats(n);
  double *expected = doubles(n), *expected_a = doubles(n), *expected_b = doubles(n);
  expect_ok(mtlf_multiply_forward_f32(n, a, b, y, context), "multiply");
  reference_multiply_forward(n, wide_a, wide_b, expected);
  expect_equal(n, y, expected, "product");
  expect_ok(mtlf_multiply_backward_f32(n, a, b, d, d_a, d_b, context), "multiply backward");
  reference_multiply_backward(n, wide_a, wide_b, wide(n, d), expected_a, expected_b);
  expect_equal(n, d_a, expected_a, "d_a");
  expect_equal(n, d_b, expected_b, "d_b");
}

static void check_optimizers(int64_t n, const mtlf_context *context) {
  const mtlf_adam adam = {
      .learning_rate = 1e-2f, .beta1 = 0.5f, .beta2 = 0.999f, .epsilon = 1e-7f, .weight_decay = n % 2 ? 0.05f : 0.0f};
  const mtlf_sgd sgd = {.learning_rate = 1e-2f, .momentum = 0.9f, .weight_decay = n % 2 ? 0.05f : 0.0f};
  float *w = reals(n, 1), *m = floats(n), *v = floats(n);
  double *expected = wide(n, w), *expected_m = doubles(n), *expected_v = doubles(n);
  for (int64_t i = 0; i < n; i++) {
    m[i] = v[i] = 0;
    expected_m[i] = expected_v[i] = 0;
  }
  for (int64_t step = 1; step <= 3; step++) {
    const float *g = reals(n, (uint64_t)step + 10);
    expect_ok(mtlf_adam_f32(&adam, step, n, w, m, v, g, context), "adam");
    reference_adam(&adam, step, n, expected, expected_m, expected_v, wide(n, g));
  }
  expect_near(n, w, expected, 4 * 0x1p-23, "adam w");
  expect_near(n, m, expected_m, 2 * 0x1p-23, "adam m");
  expect_near(n, v, expected_v, 2 * 0x1p-23, "adam v");
  for (int64_t i = 0; i < n; i++) m[i] = 0, expected_m[i] = 0;
  for (int64_t step = 1; step <= 3; step++) {
    const float *g = reals(n, (uint64_t)step + 20);
    expect_ok(mtlf_sgd_f32(&sgd, n, w, m, g, context), "sgd");
    reference_sgd(&sgd, n, expected, expected_m, wide(n, g));
  }
  expect_near(n, w, expected, 4 * 0x1p-23, "sgd w");
}

void check_values(int32_t n, const mtlf_context *context) {
  name_place(context, "values", n);
  check_input(n, context);
  check_elementwise(n, context);
  free_all();
  check_activations(n, context);
  free_all();
  check_multiply(n, context);
  free_all();
  check_optimizers(n, context);
  free_all();
}
