/* SPDX-License-Identifier: Apache-2.0
 * Layer normalisation over views, and over a batch: blocks of rows forward, and groups of rows backward, whose sums are
 * added in a fixed tree (Ba, Kiros and Hinton, Layer Normalization, 2016). */
#include "layer_norm.h"

#include <string.h>

#include "../base/arithmetic.h"
#include "../base/context.h"
#include "../base/parallel.h"
#include "../simd/layer_norm.h"
#include "mtlf/layer_norm.h"

/* ---- over views ---- */

/* Pixels that lie one after the other in every view are one run: of a row, of an image, or of a batch of vectors. */
typedef struct {
  int32_t samples, rows;
  size_t pixels;
  ptrdiff_t pixel_statistics; /* from a pixel's statistics to the next one's */
} runs;

static void join(runs *r, int32_t samples, const mtlf_view *const views[3], const mtlf_view *statistics) {
  const mtlf_view *v = views[0];
  int rows_touch = 1, vectors_touch = v->height == 1 && v->width == 1;
  for (int i = 0; i < 3; i++) {
    if (!views[i]) continue;
    rows_touch &= v->height == 1 || views[i]->row_stride == (ptrdiff_t)v->width * v->channels;
    vectors_touch &= views[i]->sample_stride == v->channels;
  }
  *r = (runs){.samples = samples, .rows = v->height, .pixels = (size_t)v->width, .pixel_statistics = 1};
  if (vectors_touch) {
    *r = (runs){.samples = 1, .rows = 1, .pixels = (size_t)samples};
    if (statistics) r->pixel_statistics = statistics->sample_stride;
  } else if (rows_touch) {
    r->rows = 1;
    r->pixels *= (size_t)v->height;
  }
}

#define FOR_EACH_RUN(r, ...)                       \
  for (int32_t n = 0; n < (r).samples; n++) {      \
    for (int32_t row = 0; row < (r).rows; row++) { \
      __VA_ARGS__                                  \
    }                                              \
  }
#define AT(view) (mtlf_floats(view) + n * (view)->sample_stride + row * (view)->row_stride)
/* The mean of the run's first pixel. */
#define MEAN_AT(view) (mtlf_floats(view) + n * (view)->sample_stride + row * (ptrdiff_t)all.pixels)

void mtlf_layer_norm_forward(const mtlf_kernels *kernels, float epsilon, int32_t samples, const mtlf_view *input,
                             const float *gamma, const float *beta, const mtlf_view *output,
                             const mtlf_view *statistics) {
  runs all;
  join(&all, samples, (const mtlf_view *const[3]){input, output}, statistics);
  mtlf_layer_norm_run run = {.rows = all.pixels,
                             .channels = input->channels,
                             .epsilon = epsilon,
                             .gamma = gamma,
                             .beta = beta,
                             .row_statistics = all.pixel_statistics};
  FOR_EACH_RUN(all, {
    run.x = AT(input);
    run.y = AT(output);
    if (statistics) {
      run.mean = MEAN_AT(statistics);
      run.inverse_deviation = run.mean + statistics->row_stride;
    }
    mtlf_layer_norm_of(kernels)->forward(&run);
  })
}

void mtlf_layer_norm_backward(const mtlf_kernels *kernels, int32_t samples, const mtlf_view *input, const float *gamma,
                              const mtlf_view *d_output, const mtlf_view *statistics, const mtlf_view *d_input,
                              float *d_gamma, float *d_beta) {
  runs all;
  join(&all, samples, (const mtlf_view *const[3]){input, d_output, d_input}, statistics);
  mtlf_layer_norm_backward_run run = {.rows = all.pixels,
                                      .channels = input->channels,
                                      .gamma = gamma,
                                      .row_statistics = all.pixel_statistics,
                                      .d_gamma = d_gamma,
                                      .d_beta = d_beta};
  FOR_EACH_RUN(all, {
    run.x = AT(input);
    run.d_output = AT(d_output);
    run.mean = MEAN_AT(statistics);
    run.inverse_deviation = run.mean + statistics->row_stride;
    if (d_input) run.d_input = AT(d_input);
    mtlf_layer_norm_of(kernels)->backward(&run);
  })
}

/* ---- over a batch ---- */

enum {
  LARGEST = 1 << 20,
  BLOCK_ROWS = 64 /* a multiple of every vector length, so that blocks are whole vectors of rows */
};

size_t mtlf_layer_norm_workspace_bytes(int32_t channels) {
  if (channels < 1 || channels > LARGEST) return 0;
  const size_t bytes = (size_t)channels * 2 * MTLF_MAX_GROUPS * sizeof(float);
  return (bytes + MTLF_ALIGNMENT - 1) / MTLF_ALIGNMENT * MTLF_ALIGNMENT;
}

static mtlf_status check(const mtlf_layer_norm *norm) {
  int64_t floats;
  if (!norm) return MTLF_ERR_NULL_POINTER;
  if (norm->rows < 1 || norm->channels < 1 || norm->channels > LARGEST ||
      __builtin_mul_overflow(norm->rows, norm->channels, &floats) || floats > INT64_MAX / 64) {
    return MTLF_ERR_BAD_SHAPE;
  }
  return norm->epsilon > 0 && norm->epsilon - norm->epsilon == 0 ? MTLF_OK : MTLF_ERR_BAD_VALUE;
}

typedef struct {
  const mtlf_kernels *kernels;
  mtlf_layer_norm_run run;
} forward_call;

static void forward_block(void *argument, int64_t block, int thread) {
  const forward_call *k = argument;
  const size_t first = (size_t)block * BLOCK_ROWS, at = first * (size_t)k->run.channels;
  mtlf_layer_norm_run run = k->run;
  (void)thread;
  run.rows = (size_t)mtlf_least(BLOCK_ROWS, (int64_t)(k->run.rows - first));
  run.x += at;
  run.y += at;
  if (run.mean) {
    run.mean += first;
    run.inverse_deviation += first;
  }
  mtlf_layer_norm_of(k->kernels)->forward(&run);
}

mtlf_status mtlf_layer_norm_forward_f32(const mtlf_layer_norm *norm, const float *input, const float *gamma,
                                        const float *beta, float *output, float *mean, float *inverse_deviation,
                                        const mtlf_context *context) {
  mtlf_context resolved;
  if (!input || !gamma || !beta || !output || !mean != !inverse_deviation) return MTLF_ERR_NULL_POINTER;
  mtlf_status status = check(norm);
  if (status == MTLF_OK) status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  forward_call k = {.kernels = resolved.kernels,
                    .run = {.rows = (size_t)norm->rows,
                            .channels = norm->channels,
                            .epsilon = norm->epsilon,
                            .x = input,
                            .gamma = gamma,
                            .beta = beta,
                            .y = output,
                            .mean = mean,
                            .inverse_deviation = inverse_deviation,
                            .row_statistics = 1}};
  mtlf_run_units(&resolved, mtlf_divide_up(norm->rows, BLOCK_ROWS), forward_block, &k);
  return MTLF_OK;
}

typedef struct {
  const mtlf_kernels *kernels;
  int64_t rows;
  int32_t groups;
  float *sums; /* [groups][d_gamma, d_beta] */
  float *d_gamma, *d_beta;
  mtlf_layer_norm_backward_run run;
} backward_call;

static void backward_group(void *argument, int64_t group, int thread) {
  const backward_call *k = argument;
  const int64_t share = k->rows / k->groups, longer = k->rows % k->groups;
  const size_t first = (size_t)(share * group + mtlf_least(group, longer)), channels = (size_t)k->run.channels;
  mtlf_layer_norm_backward_run run = k->run;
  (void)thread;
  run.rows = (size_t)(share + (group < longer));
  run.x += first * channels;
  run.mean += first;
  run.inverse_deviation += first;
  run.d_output += first * channels;
  if (run.d_input) run.d_input += first * channels;
  run.d_gamma = k->sums + (size_t)group * 2 * channels;
  run.d_beta = run.d_gamma + channels;
  memset(run.d_gamma, 0, 2 * channels * sizeof(float));
  mtlf_layer_norm_of(k->kernels)->backward(&run);
}

static void sum_groups(void *argument, int64_t unit, int thread) {
  const backward_call *k = argument;
  const size_t channels = (size_t)k->run.channels;
  (void)unit, (void)thread;
  k->kernels->sum_copies(k->sums, 2 * channels, k->groups, k->d_gamma, channels);
  k->kernels->sum_copies(k->sums + channels, 2 * channels, k->groups, k->d_beta, channels);
}

mtlf_status mtlf_layer_norm_backward_f32(const mtlf_layer_norm *norm, const float *input, const float *gamma,
                                         const float *mean, const float *inverse_deviation, const float *d_output,
                                         float *d_input, float *d_gamma, float *d_beta, void *workspace,
                                         size_t workspace_bytes, const mtlf_context *context) {
  mtlf_context resolved;
  if (!input || !gamma || !mean || !inverse_deviation || !d_output || !d_gamma || !d_beta || !workspace) {
    return MTLF_ERR_NULL_POINTER;
  }
  mtlf_status status = check(norm);
  if (status == MTLF_OK) status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  if ((uintptr_t)workspace % MTLF_ALIGNMENT) return MTLF_ERR_MISALIGNED;
  if (workspace_bytes < mtlf_layer_norm_workspace_bytes(norm->channels)) return MTLF_ERR_WORKSPACE_TOO_SMALL;
  backward_call k = {.kernels = resolved.kernels,
                     .rows = norm->rows,
                     .groups = (int32_t)mtlf_least(MTLF_MAX_GROUPS, norm->rows),
                     .sums = workspace,
                     .d_gamma = d_gamma,
                     .d_beta = d_beta,
                     .run = {.channels = norm->channels,
                             .x = input,
                             .gamma = gamma,
                             .mean = mean,
                             .inverse_deviation = inverse_deviation,
                             .row_statistics = 1,
                             .d_output = d_output,
                             .d_input = d_input}};
  mtlf_run_units(&resolved, k.groups, backward_group, &k);
  mtlf_run_units(&resolved, 1, sum_groups, &k);
  return MTLF_OK;
}
