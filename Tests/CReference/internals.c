/* SPDX-License-Identifier: Apache-2.0
 * Ways for the tests to what plans alone call. */
#include "../../CKernels/src/base/element.h"
#include "../../CKernels/src/kernels/dense.h"
#include "../../CKernels/src/kernels/input.h"
#include "../../CKernels/src/kernels/regression_loss.h"
#include "../../CKernels/src/kernels/softmax_cross_entropy.h"
#include "../../CKernels/src/plan/parameters.h"
#include "creference.h"

float internal_cross_entropy_row(const mtlf_context *context, int32_t classes, const float *logits, int32_t label,
                                 float smoothing, float scale, float *probabilities, float *d_logits,
                                 int32_t *predicted, int32_t *rank) {
  return mtlf_cross_entropy_row(context->kernels, classes, logits, label, smoothing, scale, probabilities, d_logits,
                                predicted, rank);
}

void internal_load_sample(const mtlf_context *context, const mtlf_input_rows *input, int64_t row, uint64_t epoch,
                          const mtlf_view *output) {
  mtlf_load_sample(context->kernels, input, row, epoch, output);
}

void internal_augment_mask(const mtlf_augmentation *augmentation, int32_t height, int32_t width, int32_t channels,
                           const uint8_t *mask, int64_t row, uint64_t epoch, uint8_t *output) {
  mtlf_augment_mask(augmentation, height, width, channels, mask, row, epoch, output);
}

float internal_regression_sums(const mtlf_context *context, mtlf_loss loss, float delta, int32_t n,
                               const float *outputs, const float *targets, double *sums, int32_t sum_size) {
  return mtlf_regression_sample(context->kernels, loss, delta, n, outputs, targets, 1.0f, NULL, sums, sum_size).loss;
}

void internal_weight_update(const mtlf_context *context, const mtlf_weight *weight, int groups, const mtlf_step *step) {
  const mtlf_update update = mtlf_update_of(step);
  const int64_t units = mtlf_weight_update_units(context->kernels, weight->inputs, weight->units);
  for (int64_t unit = 0; unit < units; unit++) {
    mtlf_weight_update_unit(context->kernels, weight, groups, &update, NULL, unit);
  }
}

void internal_dense_d_kernel_update(const mtlf_context *context, int32_t batch, const float *input,
                                    const float *d_output, const mtlf_weight *weight, const mtlf_step *step) {
  const mtlf_update update = mtlf_update_of(step);
  const mtlf_parameter kernel = mtlf_kernel_of(weight), bias = mtlf_bias_of(weight);
  const mtlf_view inputs = mtlf_plain_view(input, 1, 1, weight->inputs);
  const mtlf_view d_outputs = mtlf_plain_view(d_output, 1, 1, weight->units);
  const int64_t units = mtlf_dense_d_kernel_units(context->kernels, weight->inputs, weight->units);
  for (int64_t unit = 0; unit < units; unit++) {
    mtlf_dense_update_unit(context->kernels, batch, &inputs, &d_outputs, &update, &kernel, &bias, unit);
  }
}

uint16_t internal_bf16_of_f32(float x) { return mtlf_bf16_of_f32(x); }
float internal_f32_of_bf16(uint16_t x) { return mtlf_f32_of_bf16(x); }
