/* SPDX-License-Identifier: Apache-2.0
 * Softmax and cross-entropy with integer labels, fused: a row at a time. */
#include "softmax_cross_entropy.h"

#include <string.h>

#include "../base/context.h"
#include "../base/parallel.h"
#include "mtlf/losses.h"

/* log of a positive, normal number: exponent and polynomial of the rest, in double, rounded once. Error below 1 ULP. */
static float log_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  int exponent = (int)(bits >> 23) - 127;
  bits = (bits & 0x7fffffu) | 0x3f800000u;
  float mantissa;
  memcpy(&mantissa, &bits, sizeof mantissa);
  double m = mantissa;
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent++;
  }
  /* log m = 2 atanh((m - 1) / (m + 1)), |z| < 0.1716: the series to z^13 is good to 1e-12. */
  const double z = (m - 1.0) / (m + 1.0), s = z * z;
  const double series =
      1.0 + s * (1.0 / 3 + s * (1.0 / 5 + s * (1.0 / 7 + s * (1.0 / 9 + s * (1.0 / 11 + s * (1.0 / 13))))));
  return (float)(exponent * 0.6931471805599453 + 2.0 * z * series);
}

/* The largest of a row; NaN where there is one. */
static float largest(const float *x, int32_t n, int32_t *index) {
  int32_t best = 0;
  for (int32_t i = 1; i < n; i++) {
    if (x[i] > x[best] || (x[i] != x[i] && x[best] == x[best])) best = i;
  }
  *index = best;
  return x[best];
}

/* The classes before the label in the order of `largest`: greater, or equal and earlier; NaN before all numbers. */
static int32_t rank_of(int32_t classes, const float *x, int32_t label) {
  const float own = x[label];
  int32_t rank = 0;
  if (own != own) {
    for (int32_t c = 0; c < label; c++) rank += x[c] != x[c];
    return rank;
  }
  for (int32_t c = 0; c < label; c++) rank += !(x[c] < own);
  for (int32_t c = label + 1; c < classes; c++) rank += !(x[c] <= own);
  return rank;
}

void mtlf_softmax_row(const mtlf_kernels *kernels, int32_t classes, const float *logits, float *probabilities) {
  int32_t best;
  const float max = largest(logits, classes, &best);
  const float sum = kernels->exp_sum(logits, max, probabilities, (size_t)classes);
  kernels->scale_floats(probabilities, probabilities, (size_t)classes, 1.0f / sum);
}

float mtlf_cross_entropy_row(const mtlf_kernels *kernels, int32_t classes, const float *logits, int32_t label,
                             float smoothing, float scale, float *probabilities, float *d_logits, int32_t *predicted,
                             int32_t *rank) {
  const float max = largest(logits, classes, predicted), target = logits[label];
  const float sum = kernels->exp_sum(logits, max, probabilities, (size_t)classes);
  const float inverse = 1.0f / sum;
  kernels->scale_floats(probabilities, probabilities, (size_t)classes, inverse);
  if (d_logits) {
    const float share = smoothing / (float)classes, whole = 1.0f - smoothing + share;
    for (int32_t c = 0; c < classes; c++) d_logits[c] += scale * (probabilities[c] - (c == label ? whole : share));
  }
  *rank = rank_of(classes, logits, label);
  if (sum != sum) return sum;
  const float distance = max - target;
  if (!(smoothing > 0)) return log_of(sum) + distance;
  double distances = 0;
  for (int32_t c = 0; c < classes; c++) distances += (double)(max - logits[c]);
  return log_of(sum) + ((1.0f - smoothing) * distance + smoothing * (float)(distances / classes));
}

/* Rows are long only where there are many classes; their exponentials need a place where the caller gives none. */
enum { LONGEST_ROW = 1024 };

typedef struct {
  const mtlf_kernels *kernels;
  int32_t batch, classes;
  const float *logits;
  const int32_t *labels;
  const float *row_weights;
  float scale;
  float *probabilities, *d_logits;
  mtlf_cross_entropy *result;
} call;

static void all_rows(void *argument, int64_t unit, int thread) {
  const call *k = argument;
  mtlf_cross_entropy *result = k->result;
  float row[LONGEST_ROW];
  (void)unit, (void)thread;
  *result = (mtlf_cross_entropy){0};
  for (int32_t n = 0; n < k->batch; n++) {
    const size_t at = (size_t)n * (size_t)k->classes;
    float *p = k->probabilities ? k->probabilities + at : row;
    if (k->labels[n] < 0) {
      mtlf_softmax_row(k->kernels, k->classes, k->logits + at, p);
      continue;
    }
    const float weight = k->row_weights ? k->row_weights[n] : 1.0f;
    int32_t predicted, rank;
    const float loss =
        mtlf_cross_entropy_row(k->kernels, k->classes, k->logits + at, k->labels[n], 0.0f, k->scale * weight, p,
                               k->d_logits ? k->d_logits + at : NULL, &predicted, &rank);
    result->loss_sum += (double)weight * (double)loss;
    result->weight_sum += weight;
    result->present++;
    result->correct += rank == 0;
  }
}

mtlf_status mtlf_softmax_cross_entropy_f32(int32_t batch, int32_t classes, const float *logits, const int32_t *labels,
                                           const float *row_weights, float scale, float *probabilities, float *d_logits,
                                           mtlf_cross_entropy *result, const mtlf_context *context) {
  mtlf_context resolved;
  if (!logits || !labels || !result) return MTLF_ERR_NULL_POINTER;
  if (batch < 1 || classes < 1) return MTLF_ERR_BAD_SHAPE;
  if (!probabilities && classes > LONGEST_ROW) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  for (int32_t n = 0; n < batch; n++) {
    if (labels[n] < -1 || labels[n] >= classes) return MTLF_ERR_BAD_VALUE;
  }
  call k = {.kernels = resolved.kernels,
            .batch = batch,
            .classes = classes,
            .logits = logits,
            .labels = labels,
            .row_weights = row_weights,
            .scale = scale,
            .probabilities = probabilities,
            .d_logits = d_logits,
            .result = result};
  mtlf_run_units(&resolved, 1, all_rows, &k);
  return MTLF_OK;
}
