/* SPDX-License-Identifier: Apache-2.0
 * Normalisations. */
#include "check.h"

static void check_batch_norm(int32_t channels, const mtlf_context *context) {
  const mtlf_normalization norm = {.pixels = 40, .channels = channels, .momentum = 0.75f, .epsilon = 1e-3f};
  const int64_t n = norm.pixels * channels;
  const float *input = reals(n, 1), *gamma = reals(channels, 2), *beta = reals(channels, 3), *d_output = reals(n, 4);
  float *running_mean = reals(channels, 5), *running_variance = reals(channels, 6);
  double *expected_mean = wide(channels, running_mean), *expected_variance = wide(channels, running_variance);
  float *output = floats(n), *mean = floats(channels), *inverse = floats(channels), *d_input = floats(n);
  float *d_gamma = floats(channels), *d_beta = floats(channels);
  double *expected = doubles(n), *expected_d_gamma = doubles(channels), *expected_d_beta = doubles(channels);
  const double *wide_input = wide(n, input), *wide_gamma = wide(channels, gamma);
  const size_t bytes = mtlf_batch_norm_workspace_bytes(channels);
  void *workspace = allocate(bytes);
  expect_ok(mtlf_batch_norm_training_forward_f32(&norm, input, gamma, beta, running_mean, running_variance, output,
                                                 mean, inverse, workspace, bytes, context),
            "batch_norm forward");
  reference_batch_norm_training_forward(&norm, wide_input, wide_gamma, wide(channels, beta), expected_mean,
                                        expected_variance, expected);
  expect_near(n, output, expected, 16 * 0x1p-23, "batch_norm output");
  expect_near(channels, running_mean, expected_mean, 2 * 0x1p-23, "running mean");
  expect_near(channels, running_variance, expected_variance, 2 * 0x1p-23, "running variance");
  expect_ok(mtlf_batch_norm_backward_f32(&norm, input, gamma, mean, inverse, d_output, d_input, d_gamma, d_beta,
                                         workspace, bytes, context),
            "batch_norm backward");
  reference_batch_norm_backward(&norm, wide_input, wide_gamma, wide(n, d_output), expected, expected_d_gamma,
                                expected_d_beta);
  expect_near(n, d_input, expected, 32 * 0x1p-23, "batch_norm d_input");
  expect_near(channels, d_gamma, expected_d_gamma, 64 * 0x1p-23, "d_gamma");
  expect_near(channels, d_beta, expected_d_beta, 16 * 0x1p-23, "d_beta");
}

static void check_layer_norm(int32_t channels, const mtlf_context *context) {
  const mtlf_layer_norm norm = {.rows = 40, .channels = channels, .epsilon = 1e-3f};
  const int64_t n = norm.rows * channels;
  const float *input = reals(n, 1), *gamma = reals(channels, 2), *beta = reals(channels, 3), *d_output = reals(n, 4);
  float *output = floats(n), *mean = floats(norm.rows), *inverse = floats(norm.rows), *d_input = floats(n);
  float *d_gamma = floats(channels), *d_beta = floats(channels);
  double *expected = doubles(n), *expected_mean = doubles(norm.rows), *expected_inverse = doubles(norm.rows);
  double *expected_d_gamma = doubles(channels), *expected_d_beta = doubles(channels);
  const double *wide_input = wide(n, input), *wide_gamma = wide(channels, gamma);
  const size_t bytes = mtlf_layer_norm_workspace_bytes(channels);
  void *workspace = allocate(bytes);
  expect_ok(mtlf_layer_norm_forward_f32(&norm, input, gamma, beta, output, mean, inverse, context),
            "layer_norm forward");
  reference_layer_norm_forward(&norm, wide_input, wide_gamma, wide(channels, beta), expected, expected_mean,
                               expected_inverse);
  expect_near(n, output, expected, 64 * 0x1p-23, "layer_norm output");
  expect_near(norm.rows, mean, expected_mean, 2 * 0x1p-23, "mean");
  expect_ok(mtlf_layer_norm_backward_f32(&norm, input, gamma, mean, inverse, d_output, d_input, d_gamma, d_beta,
                                         workspace, bytes, context),
            "layer_norm backward");
  reference_layer_norm_backward(&norm, wide_input, wide_gamma, wide(n, d_output), expected, expected_d_gamma,
                                expected_d_beta);
  expect_near(n, d_input, expected, 512 * 0x1p-23, "layer_norm d_input");
  expect_near(channels, d_gamma, expected_d_gamma, 64 * 0x1p-23, "d_gamma");
  expect_near(channels, d_beta, expected_d_beta, 16 * 0x1p-23, "d_beta");
}

void check_norms(int32_t n, const mtlf_context *context) {
  name_place(context, "norms of", n);
  check_batch_norm(n, context);
  free_all();
  check_layer_norm(n, context);
  free_all();
}
