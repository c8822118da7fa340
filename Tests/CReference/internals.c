/* SPDX-License-Identifier: Apache-2.0
 * Ways for the tests to what plans alone call. */
#include "../../CKernels/src/impl.h"

#include "creference.h"

float internal_cross_entropy_row(const mtlf_context *context, int32_t classes, const float *logits, int32_t label,
                                 float smoothing, float scale, float *probabilities, float *d_logits,
                                 int32_t *predicted, int32_t *rank) {
  return mtlf_cross_entropy_row(context->kernels, classes, logits, label, smoothing, scale, probabilities, d_logits,
                                predicted, rank);
}

void internal_load_sample(const mtlf_context *context, const mtlf_step_input *input, int32_t height, int32_t width,
                          int32_t channels, int64_t row, uint64_t epoch, float *output, ptrdiff_t row_stride) {
  mtlf_load_sample(context->kernels, input, height, width, channels, row, epoch, output, row_stride);
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
  const mtlf_update_scalars scalars = mtlf_update_scalars_of(step);
  for (int64_t unit = 0; unit < mtlf_weight_update_units(context->kernels, weight); unit++) {
    mtlf_weight_update_unit(context->kernels, weight, groups, step, &scalars, NULL, unit);
  }
}

void internal_dense_d_kernel_update(const mtlf_context *context, int32_t batch, const float *input,
                                    const float *d_output, const mtlf_weight *weight, const mtlf_step *step) {
  const mtlf_update_scalars scalars = mtlf_update_scalars_of(step);
  const int64_t units = mtlf_dense_d_kernel_units(context->kernels, weight->inputs, weight->units);
  for (int64_t unit = 0; unit < units; unit++) {
    mtlf_dense_d_kernel_unit(context->kernels, batch, weight->inputs, weight->units, input, weight->inputs, d_output,
                             weight->units, NULL, NULL, weight, step, &scalars, unit);
  }
}
