/* SPDX-License-Identifier: Apache-2.0
 * Softmax cross-entropy of each pixel: pixels are taken by blocks and turned, so that vectors run over pixels and not over
 * their few classes. */
#include "pixel_cross_entropy.h"

#include "../base/arithmetic.h"
#include "../base/context.h"

enum {
  BLOCK_FLOATS = 4096,
  LONGEST_BLOCK = 256 /* pixels */
};

/* Pixels with a label, and the sum of their classes' weights. */
static int32_t present_pixels(int32_t pixels, int32_t classes, const uint8_t *mask, const float *class_weights,
                              double *weight_sum) {
  int32_t present = 0;
  if (!class_weights) {
    for (int32_t i = 0; i < pixels; i++) present += mask[i] < classes;
    *weight_sum = present;
    return present;
  }
  /* Neighbours are often of one class: four counters, so that none waits for the one before. */
  int32_t count[4][256] = {{0}};
  int32_t i = 0;
  for (; i + 4 <= pixels; i += 4) {
    for (int k = 0; k < 4; k++) count[k][mask[i + k]]++;
  }
  for (; i < pixels; i++) count[0][mask[i]]++;
  *weight_sum = 0;
  for (int32_t c = 0; c < classes; c++) {
    const int32_t n = count[0][c] + count[1][c] + count[2][c] + count[3][c];
    present += n;
    *weight_sum += (double)class_weights[c] * n;
  }
  return present;
}

/* In eight columns: the order of the sum is the same everywhere, and no addition waits for the one before. */
static double sum_of(const float *x, size_t n) {
  double column[8] = {0}, sum = 0;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int k = 0; k < 8; k++) column[k] += (double)x[i + (size_t)k];
  }
  for (int k = 0; i < n; i++, k++) column[k] += (double)x[i];
  for (int k = 0; k < 8; k++) sum += column[k];
  return sum;
}

mtlf_sample_loss mtlf_pixel_cross_entropy_sample(const mtlf_kernels *kernels, int32_t pixels, int32_t classes,
                                                 const float *logits, const uint8_t *mask, const float *class_weights,
                                                 float smoothing, float scale, float *probabilities, float *d_logits,
                                                 int64_t *confusion) {
  _Alignas(MTLF_ALIGNMENT) float values[BLOCK_FLOATS], gradient[BLOCK_FLOATS], rows[BLOCK_FLOATS];
  _Alignas(MTLF_ALIGNMENT) float labels[LONGEST_BLOCK], weights[LONGEST_BLOCK], losses[LONGEST_BLOCK],
      predicted[LONGEST_BLOCK];
  double weight_sum, loss_sum = 0;
  const int32_t present = present_pixels(pixels, classes, mask, class_weights, &weight_sum);
  if (present == 0 && !probabilities) return (mtlf_sample_loss){0};
  /* A multiple of every vector's length, 16 or more, as there are at most 255 classes. */
  const int32_t block = (int32_t)mtlf_least(LONGEST_BLOCK, BLOCK_FLOATS / classes / 16 * 16);
  mtlf_softmax_columns columns = {.classes = classes,
                                  .stride = block,
                                  .values = values,
                                  .gradient = d_logits && weight_sum > 0 ? gradient : NULL,
                                  .labels = labels,
                                  .weights = weights,
                                  .smoothing = smoothing,
                                  .scale = weight_sum > 0 ? (float)((double)scale / weight_sum) : 0.0f,
                                  .loss = losses,
                                  .predicted = predicted};
  for (int32_t first = 0; first < pixels; first += block) {
    const int32_t n = (int32_t)mtlf_least(block, pixels - first);
    const size_t at = (size_t)first * (size_t)classes, floats = (size_t)n * (size_t)classes;
    const uint8_t *label = mask + first;
    for (int32_t i = 0; i < n; i++) {
      labels[i] = label[i];
      weights[i] = label[i] >= classes ? 0.0f : class_weights ? class_weights[label[i]] : 1.0f;
    }
    columns.n = (size_t)n;
    kernels->transpose(logits + at, classes, n, classes, values, block, NULL, 0);
    kernels->softmax_columns(&columns);
    if (probabilities) kernels->transpose(values, block, classes, n, probabilities + at, classes, NULL, 0);
    if (columns.gradient) {
      kernels->transpose(gradient, block, classes, n, rows, classes, NULL, 0);
      kernels->add(rows, d_logits + at, floats);
    }
    loss_sum += sum_of(losses, (size_t)n);
    for (int32_t i = 0; confusion && i < n; i++) {
      if (label[i] < classes) confusion[label[i] * classes + (int32_t)predicted[i]]++;
    }
  }
  return (mtlf_sample_loss){.loss = weight_sum > 0 ? (float)(loss_sum / weight_sum) : 0.0f, .present = present};
}

/* ---- over a batch ---- */

typedef struct {
  int32_t pixels, classes;
  const float *logits;
  const uint8_t *mask;
  const float *class_weights;
  float smoothing, scale;
  float *probabilities, *d_logits;
  int64_t *confusion;
} call;

static mtlf_sample_loss run_sample(const void *argument, const mtlf_kernels *kernels, int64_t n) {
  const call *k = argument;
  const size_t pixel = (size_t)n * (size_t)k->pixels, at = pixel * (size_t)k->classes;
  return mtlf_pixel_cross_entropy_sample(
      kernels, k->pixels, k->classes, k->logits + at, k->mask + pixel, k->class_weights, k->smoothing, k->scale,
      k->probabilities ? k->probabilities + at : NULL, k->d_logits ? k->d_logits + at : NULL, k->confusion);
}

mtlf_status mtlf_pixel_cross_entropy_f32(int32_t batch, int32_t pixels, int32_t classes, const float *logits,
                                         const uint8_t *mask, const float *class_weights, float label_smoothing,
                                         float scale, float *probabilities, float *d_logits, int64_t *confusion,
                                         mtlf_loss_sum *result, const mtlf_context *context) {
  mtlf_context resolved;
  if (!logits || !mask || !result) return MTLF_ERR_NULL_POINTER;
  if (classes > MTLF_MAX_PIXEL_CLASSES || !mtlf_elements_fit(batch, pixels, classes)) return MTLF_ERR_BAD_SHAPE;
  if (!(label_smoothing >= 0 && label_smoothing < 1) || !mtlf_weights_are_right(classes, class_weights)) {
    return MTLF_ERR_BAD_VALUE;
  }
  const mtlf_status status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  for (int64_t i = 0; i < (int64_t)batch * pixels; i++) {
    if (mask[i] >= classes && mask[i] != MTLF_IGNORED) return MTLF_ERR_BAD_VALUE;
  }
  /* Whole numbers, but no two threads may add to one of them. */
  if (confusion) resolved.threads = 1;
  const call k = {.pixels = pixels,
                  .classes = classes,
                  .logits = logits,
                  .mask = mask,
                  .class_weights = class_weights,
                  .smoothing = label_smoothing,
                  .scale = scale,
                  .probabilities = probabilities,
                  .d_logits = d_logits,
                  .confusion = confusion};
  *result = mtlf_sum_losses(&resolved, batch, run_sample, &k);
  return MTLF_OK;
}
