/* SPDX-License-Identifier: Apache-2.0
 * Ways for the tests to what plans alone call. */
#include "../../CKernels/src/base/view.h"
#include "../../CKernels/src/kernels/input.h"
#include "../../CKernels/src/kernels/regression_loss.h"
#include "../../CKernels/src/kernels/softmax_cross_entropy.h"
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

/* Runs a plan of one operation in blocks. */
static void run_block(const mtlf_context *context, mtlf_units_function units, mtlf_block_function block,
                      const void *payload, int32_t batch, const mtlf_step *settings) {
  const mtlf_op op = {.units = units, .block = block, .payload = payload};
  const mtlf_job job = {.op_count = 1};
  const mtlf_stage stage = {.job_count = 1};
  const mtlf_plan plan = {.ops = &op,
                          .jobs = &job,
                          .stages = &stage,
                          .stage_count = 1,
                          .batch_capacity = batch,
                          .shard_size = 1,
                          .thread_capacity = context->threads};
  const int32_t none = 0, *indices[] = {&none};
  mtlf_step step = *settings;
  step.sample_count = batch;
  step.indices = indices;
  mtlf_plan_run(&plan, 0, 1, &step, context);
}

void internal_weight_update(const mtlf_context *context, const mtlf_weight *weight, int32_t groups,
                            const mtlf_step *step) {
  const mtlf_update_op op = {.weight = weight};
  run_block(context, mtlf_update_units, mtlf_update_block, &op, groups, step);
}

void internal_dense_d_kernel_update(const mtlf_context *context, int32_t batch, const float *input,
                                    const float *d_output, const mtlf_weight *weight, const mtlf_step *step) {
  const mtlf_dense_d_kernel_op op = {.weight = weight,
                                     .input = {.view = mtlf_plain_view(input, 1, 1, weight->inputs)},
                                     .d_output = {.view = mtlf_plain_view(d_output, 1, 1, weight->units)}};
  run_block(context, mtlf_dense_d_kernel_units, mtlf_dense_d_kernel_block, &op, batch, step);
}

uint16_t internal_bf16_of_f32(float x) { return mtlf_bf16_of_f32(x); }
float internal_f32_of_bf16(uint16_t x) { return mtlf_f32_of_bf16(x); }
