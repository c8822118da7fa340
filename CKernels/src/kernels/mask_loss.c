/* SPDX-License-Identifier: Apache-2.0
 * Losses of binary masks: binary cross-entropy, Dice, and both, over the interleaved channels of a sample.
 *
 * One pass sums up, one writes gradients, as those need the sums (of weights; and Dice of everything). Vectors run through
 * the interleaved channels as they lie: a sum for each of lcm(channels, 16) neighbouring elements, which have the same
 * channel again after that many. */
#include "mask_loss.h"

#include <string.h>

#include "../base/arithmetic.h"
#include "../base/context.h"

enum {
  COLUMNS = 512,      /* the longest period */
  RUN_ELEMENTS = 4096 /* summed in fp32 before the sums are added up in double */
};

typedef struct {
  double sum[MTLF_MASK_SUMS][MTLF_MAX_MASKS];
} channel_sums;

/* Where channels come round after a period of at most COLUMNS elements, a run holds many pixels; otherwise one. */
static size_t period_of(int32_t channels, int32_t *run_elements) {
  size_t period = (size_t)channels;
  while (period % 16) period += (size_t)channels;
  if (period > COLUMNS) {
    *run_elements = channels;
    return COLUMNS;
  }
  *run_elements = (int32_t)(RUN_ELEMENTS / period * period);
  return period;
}

/* Sums of [MTLF_MASK_SUMS][period] columns, the first `used` of each, by channel; and zeroes them. */
static void fold(float *columns, size_t period, size_t used, int32_t channels, channel_sums *to) {
  for (int s = 0; s < MTLF_MASK_SUMS; s++) {
    int32_t c = 0;
    for (size_t i = 0; i < used; i++) {
      to->sum[s][c] += (double)columns[(size_t)s * period + i];
      if (++c == channels) c = 0;
    }
    memset(columns + (size_t)s * period, 0, used * sizeof *columns);
  }
}

/* The loss's mean over channels, and what its gradient multiplies p (1 - p) with, for either label. */
static double dice(const channel_sums *sums, int32_t channels, double scale, float *slope0, float *slope1) {
  double loss = 0;
  int32_t present = 0;
  for (int32_t c = 0; c < channels; c++) present += sums->sum[MTLF_MASK_ZEROS][c] + sums->sum[MTLF_MASK_ONES][c] > 0;
  for (int32_t c = 0; c < channels; c++) {
    const double ones = sums->sum[MTLF_MASK_ONES][c], product = sums->sum[MTLF_MASK_P_OF_ONES][c];
    slope0[c] = slope1[c] = 0.0f;
    if (!(sums->sum[MTLF_MASK_ZEROS][c] + ones > 0)) continue;
    const double above = 2 * product + 1, below = product + sums->sum[MTLF_MASK_P_OF_ZEROS][c] + ones + 1;
    const double slope = scale / present * above / (below * below);
    loss += 1 - above / below;
    slope0[c] = (float)slope;
    slope1[c] = (float)(slope - scale / present * 2 / below);
  }
  return loss / present;
}

mtlf_sample_loss mtlf_mask_sample(const mtlf_kernels *kernels, mtlf_loss loss, int32_t pixels, int32_t channels,
                                  const float *logits, const uint8_t *mask, const float *class_weights, float smoothing,
                                  float scale, float *probabilities, float *d_logits, int64_t *counts) {
  _Alignas(MTLF_ALIGNMENT) float columns[MTLF_MASK_SUMS * COLUMNS], buffer[RUN_ELEMENTS];
  _Alignas(MTLF_ALIGNMENT) float slope0[COLUMNS], slope1[COLUMNS];
  channel_sums sums;
  const int has_entropy = loss != MTLF_LOSS_DICE, has_dice = loss != MTLF_LOSS_BINARY_CROSS_ENTROPY;
  const float weight[2] = {!has_entropy    ? 0.0f
                           : class_weights ? class_weights[0]
                                           : 1.0f,
                           !has_entropy    ? 0.0f
                           : class_weights ? class_weights[1]
                                           : 1.0f};
  const int32_t elements = pixels * channels;
  int32_t step;
  mtlf_mask_run run = {.period = period_of(channels, &step),
                       .weight = {weight[0], weight[1]},
                       .target = {smoothing / 2, 1 - smoothing / 2},
                       .sums = columns,
                       .slopes = {slope0, slope1}};
  const size_t used = (size_t)mtlf_least(step < (int32_t)run.period ? step : (int32_t)run.period, elements);
  memset(columns, 0, (size_t)MTLF_MASK_SUMS * run.period * sizeof *columns);
  for (int s = 0; s < MTLF_MASK_SUMS; s++) memset(sums.sum[s], 0, (size_t)channels * sizeof *sums.sum[s]);
  for (int32_t at = 0; at < elements; at += step) {
    run.n = (size_t)mtlf_least(step, elements - at);
    run.logits = logits + at;
    run.mask = mask + at;
    run.probabilities = probabilities ? probabilities + at : buffer;
    kernels->mask_forward(&run);
    fold(columns, run.period, used, channels, &sums);
  }
  double loss_sum = 0, zeros = 0, ones = 0;
  for (int32_t c = 0; c < channels; c++) {
    loss_sum += sums.sum[MTLF_MASK_LOSS][c];
    zeros += sums.sum[MTLF_MASK_ZEROS][c];
    ones += sums.sum[MTLF_MASK_ONES][c];
  }
  mtlf_sample_loss result = {.present = (int32_t)(zeros + ones)};
  if (result.present == 0) return result;
  for (int32_t c = 0; counts && c < channels; c++) {
    const int64_t false_positives = (int64_t)sums.sum[MTLF_MASK_POSITIVE_ZEROS][c];
    const int64_t true_positives = (int64_t)sums.sum[MTLF_MASK_POSITIVE_ONES][c];
    counts[4 * c + 0] += (int64_t)sums.sum[MTLF_MASK_ZEROS][c] - false_positives;
    counts[4 * c + 1] += false_positives;
    counts[4 * c + 2] += (int64_t)sums.sum[MTLF_MASK_ONES][c] - true_positives;
    counts[4 * c + 3] += true_positives;
  }
  const double weight_sum = (double)weight[0] * zeros + (double)weight[1] * ones;
  double total = weight_sum > 0 ? loss_sum / weight_sum : 0;
  memset(slope0, 0, run.period * sizeof *slope0);
  memset(slope1, 0, run.period * sizeof *slope1);
  if (has_dice) total += dice(&sums, channels, (double)scale, slope0, slope1);
  result.loss = (float)total;
  if (!d_logits) return result;
  for (size_t i = (size_t)channels; i < used; i++) {
    slope0[i] = slope0[i - (size_t)channels];
    slope1[i] = slope1[i - (size_t)channels];
  }
  const int is_one_run = elements <= step;
  for (int32_t at = 0; at < elements; at += step) {
    run.n = (size_t)mtlf_least(step, elements - at);
    run.logits = logits + at;
    run.mask = mask + at;
    run.probabilities = probabilities ? probabilities + at : buffer;
    run.d_logits = d_logits + at;
    run.weight[0] = weight[0], run.weight[1] = weight[1];
    /* A buffer holds the probabilities of the last run alone. The sums that are made again are not read. */
    if (!probabilities && !is_one_run) kernels->mask_forward(&run);
    run.weight[0] = weight_sum > 0 ? (float)((double)scale * (double)weight[0] / weight_sum) : 0.0f;
    run.weight[1] = weight_sum > 0 ? (float)((double)scale * (double)weight[1] / weight_sum) : 0.0f;
    kernels->mask_backward(&run);
  }
  return result;
}

/* ---- over a batch ---- */

typedef struct {
  mtlf_loss loss;
  int32_t pixels, channels;
  const float *logits;
  const uint8_t *mask;
  const float *class_weights;
  float smoothing, scale;
  float *probabilities, *d_logits;
  int64_t *counts;
} call;

static mtlf_sample_loss run_sample(const void *argument, const mtlf_kernels *kernels, int64_t n) {
  const call *k = argument;
  const size_t at = (size_t)n * (size_t)k->pixels * (size_t)k->channels;
  return mtlf_mask_sample(kernels, k->loss, k->pixels, k->channels, k->logits + at, k->mask + at, k->class_weights,
                          k->smoothing, k->scale, k->probabilities ? k->probabilities + at : NULL,
                          k->d_logits ? k->d_logits + at : NULL, k->counts);
}

mtlf_status mtlf_mask_loss_f32(mtlf_loss loss, int32_t batch, int32_t pixels, int32_t channels, const float *logits,
                               const uint8_t *mask, const float *class_weights, float label_smoothing, float scale,
                               float *probabilities, float *d_logits, int64_t *counts, mtlf_loss_sum *result,
                               const mtlf_context *context) {
  mtlf_context resolved;
  if (!logits || !mask || !result) return MTLF_ERR_NULL_POINTER;
  if (channels > MTLF_MAX_MASKS || !mtlf_elements_fit(batch, pixels, channels)) return MTLF_ERR_BAD_SHAPE;
  if (loss != MTLF_LOSS_BINARY_CROSS_ENTROPY && loss != MTLF_LOSS_DICE && loss != MTLF_LOSS_BINARY_CROSS_ENTROPY_DICE) {
    return MTLF_ERR_BAD_VALUE;
  }
  if (!(label_smoothing >= 0 && label_smoothing < 1) || !mtlf_weights_are_right(2, class_weights)) {
    return MTLF_ERR_BAD_VALUE;
  }
  const mtlf_status status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  for (int64_t i = 0; i < (int64_t)batch * pixels * channels; i++) {
    if (mask[i] > 1 && mask[i] != MTLF_IGNORED) return MTLF_ERR_BAD_VALUE;
  }
  /* Whole numbers, but no two threads may add to one of them. */
  if (counts) resolved.threads = 1;
  const call k = {.loss = loss,
                  .pixels = pixels,
                  .channels = channels,
                  .logits = logits,
                  .mask = mask,
                  .class_weights = class_weights,
                  .smoothing = label_smoothing,
                  .scale = scale,
                  .probabilities = probabilities,
                  .d_logits = d_logits,
                  .counts = counts};
  *result = mtlf_sum_losses(&resolved, batch, run_sample, &k);
  return MTLF_OK;
}
