/* SPDX-License-Identifier: Apache-2.0
 * Batch normalisation over runs of pixels [pixels][channels]: sums in double by group, then one factor and one summand for
 * each channel (Ioffe and Szegedy, Batch Normalization, 2015). */
#include "batch_norm.h"

#include <math.h>
#include <string.h>

#include "../base/arithmetic.h"
#include "../base/context.h"
#include "../base/parallel.h"

static double *group_sums(double *sums, int group, int32_t channels) {
  return sums + (size_t)group * 2 * (size_t)channels;
}

void mtlf_batch_norm_sums(const mtlf_batch_norm *norm, int group, size_t pixels, const float *x) {
  const size_t channels = (size_t)norm->channels;
  double *restrict sum = group_sums(norm->sums, group, norm->channels), *restrict square = sum + channels;
  for (size_t i = 0; i < pixels; i++, x += channels) {
    for (size_t c = 0; c < channels; c++) {
      const double value = (double)x[c];
      sum[c] += value;
      square[c] += value * value;
    }
  }
}

/* Of all groups, in their order. */
static double total(const double *sums, int groups, int32_t channels, size_t at) {
  double sum = 0;
  for (int g = 0; g < groups; g++) sum += sums[(size_t)g * 2 * (size_t)channels + at];
  return sum;
}

static float running(float momentum, float before, double now) {
  return (float)((double)momentum * (double)before + (1.0 - (double)momentum) * now);
}

void mtlf_batch_norm_finish(const mtlf_batch_norm *norm, const float *gamma, const float *beta, int groups,
                            int64_t count) {
  const size_t channels = (size_t)norm->channels;
  for (size_t c = 0; c < channels; c++) {
    double mean, variance;
    if (count > 0) {
      mean = total(norm->sums, groups, norm->channels, c) / (double)count;
      variance = total(norm->sums, groups, norm->channels, channels + c) / (double)count - mean * mean;
      if (variance < 0) variance = 0; /* rounding, where all values are alike */
      norm->running_mean[c] = running(norm->momentum, norm->running_mean[c], mean);
      norm->running_variance[c] = running(norm->momentum, norm->running_variance[c], variance);
    } else {
      mean = (double)norm->running_mean[c];
      variance = (double)norm->running_variance[c];
    }
    const double inverse = 1.0 / sqrt(variance + (double)norm->epsilon), scale = (double)gamma[c] * inverse;
    if (count > 0) {
      norm->mean[c] = (float)mean;
      norm->inverse_deviation[c] = (float)inverse;
    }
    norm->scale[c] = (float)scale;
    norm->shift[c] = (float)((double)beta[c] - mean * scale);
  }
}

void mtlf_batch_norm_apply(const mtlf_batch_norm *norm, size_t pixels, const float *x, float *y) {
  const size_t channels = (size_t)norm->channels;
  const float *scale = norm->scale, *shift = norm->shift;
  for (size_t i = 0; i < pixels; i++, x += channels, y += channels) {
    for (size_t c = 0; c < channels; c++) y[c] = scale[c] * x[c] + shift[c];
  }
}

void mtlf_batch_norm_d_sums(const mtlf_batch_norm *norm, int group, size_t pixels, const float *x, const float *d) {
  const size_t channels = (size_t)norm->channels;
  const float *mean = norm->mean, *inverse = norm->inverse_deviation;
  double *restrict sum = group_sums(norm->d_sums, group, norm->channels), *restrict product = sum + channels;
  for (size_t i = 0; i < pixels; i++, x += channels, d += channels) {
    for (size_t c = 0; c < channels; c++) {
      sum[c] += (double)d[c];
      product[c] += (double)(d[c] * ((x[c] - mean[c]) * inverse[c]));
    }
  }
}

void mtlf_batch_norm_d_finish(const mtlf_batch_norm *norm, int groups, int64_t count, float *gamma_gradient,
                              float *beta_gradient, size_t gradient_stride) {
  const size_t channels = (size_t)norm->channels;
  for (size_t c = 0; c < channels; c++) {
    norm->d_mean[c] = (float)(total(norm->d_sums, groups, norm->channels, c) / (double)count);
    norm->d_projection[c] = (float)(total(norm->d_sums, groups, norm->channels, channels + c) / (double)count);
  }
  for (int g = 0; g < groups; g++) {
    const double *sum = group_sums(norm->d_sums, g, norm->channels);
    for (size_t c = 0; c < channels; c++) {
      beta_gradient[(size_t)g * gradient_stride + c] = (float)sum[c];
      gamma_gradient[(size_t)g * gradient_stride + c] = (float)sum[channels + c];
    }
  }
}

void mtlf_batch_norm_d_input(const mtlf_batch_norm *norm, size_t pixels, const float *x, const float *d, float *d_x) {
  const size_t channels = (size_t)norm->channels;
  const float *mean = norm->mean, *inverse = norm->inverse_deviation, *scale = norm->scale;
  const float *d_mean = norm->d_mean, *projection = norm->d_projection;
  enum { BLOCK = 64 };
  for (size_t i = 0; i < pixels; i++, x += channels, d += channels, d_x += channels) {
    for (size_t first = 0; first < channels; first += BLOCK) {
      /* By way of a block, as the compiler doesn't know that d_x is d or lies apart from it. */
      float block[BLOCK];
      const size_t n = channels - first < BLOCK ? channels - first : BLOCK;
      for (size_t k = 0; k < n; k++) {
        const size_t c = first + k;
        block[k] = scale[c] * (d[c] - d_mean[c] - (x[c] - mean[c]) * inverse[c] * projection[c]);
      }
      memcpy(d_x + first, block, n * sizeof *block);
    }
  }
}

/* ---- over a batch ---- */

enum { LARGEST = 1 << 20, WORK_VECTORS = 4 };

size_t mtlf_batch_norm_workspace_bytes(int32_t channels) {
  if (channels < 1 || channels > LARGEST) return 0;
  const size_t bytes = (size_t)channels * (2 * MTLF_MAX_GROUPS * sizeof(double) + (size_t)WORK_VECTORS * sizeof(float));
  return (bytes + MTLF_ALIGNMENT - 1) / MTLF_ALIGNMENT * MTLF_ALIGNMENT;
}

typedef struct {
  mtlf_batch_norm norm;
  mtlf_context context;
  int64_t pixels;
  int32_t groups;
  const float *x, *d;
  float *y;
} call;

static mtlf_status prepare(call *k, const mtlf_normalization *norm, void *workspace, size_t workspace_bytes,
                           const mtlf_context *context) {
  if (!norm || !workspace) return MTLF_ERR_NULL_POINTER;
  int64_t floats;
  if (norm->channels < 1 || norm->channels > LARGEST || norm->pixels < 1 ||
      __builtin_mul_overflow(norm->pixels, norm->channels, &floats) || floats > INT64_MAX / 64) {
    return MTLF_ERR_BAD_SHAPE;
  }
  if (!(norm->momentum >= 0 && norm->momentum <= 1) || !(norm->epsilon > 0) || norm->epsilon - norm->epsilon != 0) {
    return MTLF_ERR_BAD_VALUE;
  }
  const mtlf_status status = mtlf_resolve(context, &k->context);
  if (status != MTLF_OK) return status;
  if ((uintptr_t)workspace % MTLF_ALIGNMENT) return MTLF_ERR_MISALIGNED;
  if (workspace_bytes < mtlf_batch_norm_workspace_bytes(norm->channels)) return MTLF_ERR_WORKSPACE_TOO_SMALL;
  const size_t channels = (size_t)norm->channels, doubles = 2 * MTLF_MAX_GROUPS * channels;
  float *vectors = (float *)((double *)workspace + doubles);
  k->pixels = norm->pixels;
  k->groups = (int32_t)mtlf_least(MTLF_MAX_GROUPS, norm->pixels);
  k->norm = (mtlf_batch_norm){.channels = norm->channels,
                              .momentum = norm->momentum,
                              .epsilon = norm->epsilon,
                              .scale = vectors,
                              .shift = vectors + channels,
                              .d_mean = vectors + 2 * channels,
                              .d_projection = vectors + 3 * channels,
                              .sums = workspace,
                              .d_sums = workspace};
  memset(workspace, 0, doubles * sizeof(double));
  return MTLF_OK;
}

#define FIRST ((size_t)(k->pixels / k->groups * unit + mtlf_least(unit, k->pixels % k->groups)))
#define COUNT ((size_t)(k->pixels / k->groups + (unit < k->pixels % k->groups)))
#define AT (FIRST * (size_t)k->norm.channels)
#define BODY(name, CALL)                                       \
  static void name(void *argument, int64_t unit, int thread) { \
    const call *k = argument;                                  \
    (void)thread;                                              \
    CALL;                                                      \
  }

BODY(sums, mtlf_batch_norm_sums(&k->norm, (int)unit, COUNT, k->x + AT))
BODY(apply, mtlf_batch_norm_apply(&k->norm, COUNT, k->x + AT, k->y + AT))
BODY(d_sums, mtlf_batch_norm_d_sums(&k->norm, (int)unit, COUNT, k->x + AT, k->d + AT))
BODY(d_input, mtlf_batch_norm_d_input(&k->norm, COUNT, k->x + AT, k->d + AT, k->y + AT))

mtlf_status mtlf_batch_norm_training_forward_f32(const mtlf_normalization *norm, const float *input, const float *gamma,
                                                 const float *beta, float *running_mean, float *running_variance,
                                                 float *output, float *mean, float *inverse_deviation, void *workspace,
                                                 size_t workspace_bytes, const mtlf_context *context) {
  call k = {.x = input, .y = output};
  if (!input || !gamma || !beta || !running_mean || !running_variance || !output || !mean || !inverse_deviation) {
    return MTLF_ERR_NULL_POINTER;
  }
  const mtlf_status status = prepare(&k, norm, workspace, workspace_bytes, context);
  if (status != MTLF_OK) return status;
  k.norm.running_mean = running_mean;
  k.norm.running_variance = running_variance;
  k.norm.mean = mean;
  k.norm.inverse_deviation = inverse_deviation;
  mtlf_run_units(&k.context, k.groups, sums, &k);
  mtlf_batch_norm_finish(&k.norm, gamma, beta, k.groups, k.pixels);
  mtlf_run_units(&k.context, k.groups, apply, &k);
  return MTLF_OK;
}

mtlf_status mtlf_batch_norm_inference_forward_f32(const mtlf_normalization *norm, const float *input,
                                                  const float *gamma, const float *beta, const float *running_mean,
                                                  const float *running_variance, float *output, void *workspace,
                                                  size_t workspace_bytes, const mtlf_context *context) {
  call k = {.x = input, .y = output};
  if (!input || !gamma || !beta || !running_mean || !running_variance || !output) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = prepare(&k, norm, workspace, workspace_bytes, context);
  if (status != MTLF_OK) return status;
  /* Without a count the statistics are only read. */
  k.norm.running_mean = (float *)(uintptr_t)running_mean;
  k.norm.running_variance = (float *)(uintptr_t)running_variance;
  mtlf_batch_norm_finish(&k.norm, gamma, beta, k.groups, 0);
  mtlf_run_units(&k.context, k.groups, apply, &k);
  return MTLF_OK;
}

mtlf_status mtlf_batch_norm_backward_f32(const mtlf_normalization *norm, const float *input, const float *gamma,
                                         const float *mean, const float *inverse_deviation, const float *d_output,
                                         float *d_input_to, float *d_gamma, float *d_beta, void *workspace,
                                         size_t workspace_bytes, const mtlf_context *context) {
  call k = {.x = input, .d = d_output, .y = d_input_to};
  if (!input || !gamma || !mean || !inverse_deviation || !d_output || !d_input_to || !d_gamma || !d_beta) {
    return MTLF_ERR_NULL_POINTER;
  }
  const mtlf_status status = prepare(&k, norm, workspace, workspace_bytes, context);
  if (status != MTLF_OK) return status;
  k.norm.mean = (float *)(uintptr_t)mean;
  k.norm.inverse_deviation = (float *)(uintptr_t)inverse_deviation;
  mtlf_run_units(&k.context, k.groups, d_sums, &k);
  for (int32_t c = 0; c < norm->channels; c++) k.norm.scale[c] = gamma[c] * inverse_deviation[c];
  /* One group's worth of sums, all groups added up, so that gamma and beta have one gradient each. */
  double *first = k.norm.d_sums;
  for (int32_t i = 0; i < 2 * norm->channels; i++) first[i] = total(first, k.groups, norm->channels, (size_t)i);
  mtlf_batch_norm_d_finish(&k.norm, 1, k.pixels, d_gamma, d_beta, 0);
  mtlf_run_units(&k.context, k.groups, d_input, &k);
  return MTLF_OK;
}
