/* SPDX-License-Identifier: Apache-2.0
 * Losses. */
#include <math.h>
#include <string.h>

#include "check.h"

static void check_softmax(int32_t batch, int32_t classes, const mtlf_context *context) {
  const int64_t n = (int64_t)batch * classes;
  float *logits = reals(n, 1), *probabilities = floats(n), *d_logits = floats(n);
  double *expected = doubles(n), *expected_d_logits = doubles(n);
  int32_t *labels = allocate((size_t)batch * sizeof *labels);
  mtlf_cross_entropy result, expected_result;
  for (int64_t i = 0; i < n; i++) {
    logits[i] *= 8;
    d_logits[i] = 1;
    expected_d_logits[i] = 1;
  }
  for (int32_t i = 0; i < batch; i++) labels[i] = i % 5 == 4 ? -1 : i % classes;
  const double *wide_logits = wide(n, logits);
  expect_ok(mtlf_softmax_cross_entropy_f32(batch, classes, logits, labels, NULL, 0.5f, probabilities, d_logits, &result,
                                           context),
            "softmax");
  reference_softmax_cross_entropy(batch, classes, wide_logits, labels, NULL, 0.5, expected, expected_d_logits,
                                  &expected_result);
  expect_near(n, probabilities, expected, 8 * 0x1p-23, "probabilities");
  expect_near(n, d_logits, expected_d_logits, 4 * 0x1p-23, "d_logits");
  expect(fabs(result.loss_sum - expected_result.loss_sum) <= 8 * 0x1p-23 * (1 + expected_result.loss_sum), "loss_sum");
  expect(result.present == expected_result.present && result.correct == expected_result.correct, "present and correct");
}

/* Labels of a mask: 0...classes-1, every seventh missing. */
static uint8_t *labels_of(int64_t n, int32_t classes) {
  uint8_t *mask = allocate((size_t)n);
  for (int64_t i = 0; i < n; i++) mask[i] = i % 7 == 5 ? MTLF_IGNORED : (uint8_t)(i * 5 / 3 % classes);
  return mask;
}

static void expect_loss(const mtlf_loss_sum *actual, const mtlf_loss_sum *expected, const char *what) {
  const double bound = 4 * 0x1p-23 * (expected->present + expected->loss_sum);
  expect(fabs(actual->loss_sum - expected->loss_sum) <= bound && actual->present == expected->present, what);
}

static void check_pixel_losses(int32_t pixels, int32_t channels, const mtlf_context *context) {
  const int32_t batch = 3;
  const int64_t n = (int64_t)batch * pixels * channels;
  float *logits = reals(n, 1), *probabilities = floats(n);
  double *expected = doubles(n), *expected_d = doubles(n);
  mtlf_loss_sum result, expected_result;
  for (int64_t i = 0; i < n; i++) logits[i] *= 6;
  const double *wide_logits = wide(n, logits);
  for (int which = 0; which < 4; which++) {
    const mtlf_loss losses[] = {MTLF_LOSS_SOFTMAX_CROSS_ENTROPY, MTLF_LOSS_BINARY_CROSS_ENTROPY, MTLF_LOSS_DICE,
                                MTLF_LOSS_BINARY_CROSS_ENTROPY_DICE};
    float *d_logits = reals(n, 2);
    const int64_t cells = which == 0 ? (int64_t)channels * channels : 4 * (int64_t)channels;
    int64_t *counts = allocate((size_t)cells * sizeof *counts);
    int64_t *expected_counts = allocate((size_t)cells * sizeof *counts);
    for (int64_t i = 0; i < cells; i++) counts[i] = expected_counts[i] = 0;
    reference_widen(n, d_logits, expected_d);
    if (which == 0) {
      const uint8_t *mask = labels_of((int64_t)batch * pixels, channels);
      expect_ok(mtlf_pixel_cross_entropy_f32(batch, pixels, channels, logits, mask, NULL, 0.125f, 0.5f, probabilities,
                                             d_logits, counts, &result, context),
                "pixel cross-entropy");
      reference_pixel_cross_entropy(batch, pixels, channels, wide_logits, mask, NULL, 0.125, 0.5, expected, expected_d,
                                    expected_counts, &expected_result);
    } else {
      const uint8_t *mask = labels_of(n, 2);
      expect_ok(mtlf_mask_loss_f32(losses[which], batch, pixels, channels, logits, mask, NULL, 0.125f, 0.5f,
                                   probabilities, d_logits, counts, &result, context),
                "mask loss");
      reference_mask_loss(losses[which], batch, pixels, channels, wide_logits, mask, NULL, 0.125, 0.5, expected,
                          expected_d, expected_counts, &expected_result);
    }
    expect_near(n, probabilities, expected, 6 * 0x1p-23, "probabilities");
    expect_near(n, d_logits, expected_d, 4 * 0x1p-23, "d_logits");
    expect_loss(&result, &expected_result, "loss_sum and present");
    expect(memcmp(counts, expected_counts, (size_t)cells * sizeof *counts) == 0, "counts");
  }
}

static void check_regression(int32_t k, const mtlf_context *context) {
  const int32_t batch = 5;
  const int64_t n = (int64_t)batch * k;
  const float *outputs = reals(n, 1), *targets = reals(n, 2);
  const double *wide_outputs = wide(n, outputs), *wide_targets = wide(n, targets);
  const mtlf_loss losses[] = {MTLF_LOSS_MEAN_SQUARED_ERROR, MTLF_LOSS_MEAN_ABSOLUTE_ERROR, MTLF_LOSS_HUBER};
  for (int which = 0; which < 3; which++) {
    float *d_outputs = reals(n, 3);
    double *expected = wide(n, d_outputs);
    mtlf_loss_sum result, expected_result;
    expect_ok(
        mtlf_regression_loss_f32(losses[which], 0.5f, batch, k, outputs, targets, 0.5f, d_outputs, &result, context),
        "regression");
    reference_regression_loss(losses[which], 0.5, batch, k, wide_outputs, wide_targets, 0.5, expected,
                              &expected_result);
    expect_near(n, d_outputs, expected, 4 * 0x1p-23, "d_outputs");
    expect_loss(&result, &expected_result, "loss_sum and present");
  }
}

void check_losses(int32_t n, const mtlf_context *context) {
  name_place(context, "losses of", n);
  check_softmax(n, n, context);
  free_all();
  check_pixel_losses(n, 1 + n % 13, context);
  free_all();
  check_pixel_losses(13, n, context);
  free_all();
  check_regression(n, context);
  free_all();
}
