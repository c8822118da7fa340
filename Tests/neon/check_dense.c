/* SPDX-License-Identifier: Apache-2.0
 * Dense layers. */
#include <string.h>

#include "check.h"

static void check_dense(const mtlf_dense *d, const mtlf_context *context) {
  const int64_t in = (int64_t)d->batch * d->inputs, weights = (int64_t)d->inputs * d->units;
  const int64_t out = (int64_t)d->batch * d->units;
  const float *input = integers(in, 1), *kernel = integers(weights, 2), *bias = integers(d->units, 3);
  const float *d_output = integers(out, 4);
  const double *wide_input = wide(in, input), *wide_kernel = wide(weights, kernel), *wide_bias = wide(d->units, bias);
  const double *wide_d_output = wide(out, d_output);
  const size_t bytes = mtlf_dense_workspace_bytes(d, context);
  void *workspace = allocate(bytes);
  double *expected = doubles(out), *expected_d_input = doubles(in), *expected_d_kernel = doubles(weights);
  double *expected_d_bias = doubles(d->units);
  float *output = floats(out), *d_input = floats(in), *d_kernel = floats(weights), *d_bias = floats(d->units);
  for (int relu = 0; relu < 2; relu++) {
    expect_ok(mtlf_dense_forward_f32(d, input, kernel, relu ? NULL : bias, relu, output, workspace, bytes, context),
              "dense forward");
    reference_dense_forward(d, wide_input, wide_kernel, relu ? NULL : wide_bias, relu, expected);
    expect_equal(out, output, expected, "dense output");
  }
  memset(workspace, 0xff, bytes);
  expect_ok(mtlf_dense_d_input_f32(d, kernel, d_output, d_input, workspace, bytes, context), "dense d_input");
  reference_dense_d_input(d, wide_kernel, wide_d_output, expected_d_input);
  expect_equal(in, d_input, expected_d_input, "dense d_input");
  memset(workspace, 0xff, bytes);
  expect_ok(mtlf_dense_d_kernel_f32(d, input, d_output, d_kernel, d_bias, workspace, bytes, context), "dense d_kernel");
  reference_dense_d_kernel(d, wide_input, wide_d_output, expected_d_kernel, expected_d_bias);
  expect_equal(weights, d_kernel, expected_d_kernel, "dense d_kernel");
  expect_equal(d->units, d_bias, expected_d_bias, "dense d_bias");
}

static const mtlf_dense denses[] = {{1, 1, 1},      {1, 7, 3},    {3, 8, 8},     {4, 9, 9},    {5, 16, 10},
                                    {7, 17, 20},    {8, 31, 31},  {9, 33, 33},   {12, 95, 16}, {13, 97, 50},
                                    {33, 100, 100}, {97, 65, 17}, {200, 40, 10}, {257, 13, 5}, {300, 20, 64}};

void check_dense_layers(const mtlf_context *context) {
  for (size_t i = 0; i < sizeof denses / sizeof *denses; i++) {
    name_place(context, "dense", (int64_t)i);
    check_dense(denses + i, context);
    free_all();
  }
}
