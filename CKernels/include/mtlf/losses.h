/* SPDX-License-Identifier: Apache-2.0
 * mtlf/losses.h - losses with their gradients: classes, pixels, masks, numbers. */
#ifndef MTLF_LOSSES_H
#define MTLF_LOSSES_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mtlf_loss {
  MTLF_LOSS_SOFTMAX_CROSS_ENTROPY,
  MTLF_LOSS_BINARY_CROSS_ENTROPY,
  MTLF_LOSS_DICE,
  MTLF_LOSS_BINARY_CROSS_ENTROPY_DICE, /* their sum */
  MTLF_LOSS_MEAN_SQUARED_ERROR,
  MTLF_LOSS_MEAN_ABSOLUTE_ERROR,
  MTLF_LOSS_HUBER
} mtlf_loss;

enum {
  MTLF_IGNORED = 255,           /* the element of a mask that has no target */
  MTLF_MAX_PIXEL_CLASSES = 255, /* of a mask of classes */
  MTLF_MAX_MASKS = 512,         /* channels of a binary mask */
  MTLF_REGRESSION_SUMS = 5      /* of a regression: count, sum |e|, sum e^2, sum t, sum t^2 */
};

/* mtlf_softmax_cross_entropy_f32 - softmax and cross-entropy with integer labels, fused, over a batch.
 *
 *   loss_sum = sum over present rows of row_weights[n] * -log(softmax(logits[n])[labels[n]])
 *   d_logits[n,c] += scale * row_weights[n] * (softmax(logits[n])[c] - (c == labels[n]))
 *
 *   logits         [N, classes]     finite up to +-1e4 and beyond: the maximum is subtracted first
 *   labels         [N]              0...classes-1, or -1: missing, adds nothing
 *   row_weights    [N], or NULL     1 for every row
 *   probabilities  [N, classes]     softmax of every row, present or not; may be NULL up to 1024 classes
 *   d_logits       [N, classes]     added into; may be NULL
 *   result         sums over the present rows
 *
 * Returns MTLF_ERR_BAD_VALUE where a label is outside -1...classes-1. Threads: one. */
typedef struct mtlf_cross_entropy {
  double loss_sum;   /* weighted */
  double weight_sum; /* of the present rows: the denominator of the mean */
  int32_t present;
  int32_t correct; /* present rows whose first largest logit is the label's */
} mtlf_cross_entropy;

mtlf_status mtlf_softmax_cross_entropy_f32(int32_t batch, int32_t classes, const float *logits, const int32_t *labels,
                                           const float *row_weights, float scale, float *probabilities, float *d_logits,
                                           mtlf_cross_entropy *result, const mtlf_context *context);

/* A batch's loss: each sample's is a mean over its elements that have a target. Samples without any add nothing. */
typedef struct mtlf_loss_sum {
  double loss_sum; /* of the samples' losses */
  int32_t present; /* samples that have a target; the denominator of the mean */
} mtlf_loss_sum;

/* mtlf_pixel_cross_entropy_f32 - softmax cross-entropy of each pixel of images, for semantic segmentation.
 *
 *   loss[n] = sum over pixels with a label of w[label] * -sum over c of target[c] * log(softmax(logits[n,pixel])[c])
 *             / sum over them of w[label]
 *   target[c] = (c == label ? 1 - label_smoothing : 0) + label_smoothing / classes
 *   d_logits += scale * gradient of loss[n]
 *
 *   pixels          H*W of a sample
 *   classes         1...MTLF_MAX_PIXEL_CLASSES
 *   logits          [N, pixels, classes]
 *   mask            [N, pixels]            0...classes-1, or MTLF_IGNORED: adds nothing
 *   class_weights   [classes], or NULL     w: 0 or more; 1 where NULL
 *   label_smoothing 0...1, below 1
 *   probabilities   [N, pixels, classes]   softmax of every pixel, labelled or not; may be NULL
 *   d_logits        [N, pixels, classes]   added into; may be NULL
 *   confusion       [classes, classes]     true x predicted (the first of the largest), added into; may be NULL
 *
 * Returns MTLF_ERR_NULL_POINTER, MTLF_ERR_BAD_SHAPE, or MTLF_ERR_BAD_VALUE for a label, a weight or a smoothing outside its
 * range. Threads: one where a confusion matrix is wanted. */
mtlf_status mtlf_pixel_cross_entropy_f32(int32_t batch, int32_t pixels, int32_t classes, const float *logits,
                                         const uint8_t *mask, const float *class_weights, float label_smoothing,
                                         float scale, float *probabilities, float *d_logits, int64_t *confusion,
                                         mtlf_loss_sum *result, const mtlf_context *context);

/* mtlf_mask_loss_f32 - sigmoid losses of binary masks, `channels` independent ones for each image.
 *
 *   p = 1 / (1 + exp(-logits)), t = mask
 *   binary cross-entropy   sum over elements of w[t] * -(s[t] * log p + (1 - s[t]) * log(1 - p)) / sum over them of w[t],
 *                          with s[t] = t * (1 - label_smoothing) + label_smoothing / 2
 *   Dice                   mean over channels of 1 - (2 * sum of p t + 1) / (sum of p + sum of t + 1)
 *                          (Milletari, Navab and Ahmadi, V-Net, 2016, without squares)
 *
 *   loss            MTLF_LOSS_BINARY_CROSS_ENTROPY, MTLF_LOSS_DICE or MTLF_LOSS_BINARY_CROSS_ENTROPY_DICE
 *   pixels          H*W of a sample
 *   channels        1...MTLF_MAX_MASKS
 *   logits          [N, pixels, channels]
 *   mask            [N, pixels, channels]  0, 1 or MTLF_IGNORED: adds nothing; a channel without any target is no channel
 *   class_weights   [2], or NULL           w: 0 or more; 1 where NULL. Of the cross-entropy alone, like label_smoothing
 *   label_smoothing 0...1, below 1
 *   probabilities   [N, pixels, channels]  p of every element; may be NULL
 *   d_logits        [N, pixels, channels]  += scale * gradient of the sample's loss; may be NULL
 *   counts          [channels, 4]          true negatives, false positives, false negatives, true positives, where a
 *                                          logit above 0 is a positive; added into; may be NULL
 *
 * Numerics   An element's cross-entropy and its p are within 4 ULP. Sums run in fp32 in 16 or more columns over some
 *            thousands of elements, then in double.
 * Returns MTLF_ERR_NULL_POINTER, MTLF_ERR_BAD_SHAPE, or MTLF_ERR_BAD_VALUE for a loss, a label, a weight or a smoothing
 * outside its range. Threads: one where counts are wanted. */
mtlf_status mtlf_mask_loss_f32(mtlf_loss loss, int32_t batch, int32_t pixels, int32_t channels, const float *logits,
                               const uint8_t *mask, const float *class_weights, float label_smoothing, float scale,
                               float *probabilities, float *d_logits, int64_t *counts, mtlf_loss_sum *result,
                               const mtlf_context *context);

/* mtlf_regression_loss_f32 - mean squared, mean absolute or Huber error of rows of numbers.
 *
 *   e = output - target;  loss[n] = mean over the targets that are there of
 *     e^2 (MTLF_LOSS_MEAN_SQUARED_ERROR), |e| (MTLF_LOSS_MEAN_ABSOLUTE_ERROR, gradient 0 where e is), or (MTLF_LOSS_HUBER)
 *     e^2 / 2 where |e| <= huber_delta, otherwise huber_delta * (|e| - huber_delta / 2)
 *   (Huber, Robust Estimation of a Location Parameter, 1964)
 *
 *   outputs         [N, K]
 *   targets         [N, K]     NaN where missing: adds nothing
 *   huber_delta     above 0; read for MTLF_LOSS_HUBER alone
 *   d_outputs       [N, K]     += scale * gradient of loss[n]; may be NULL
 *
 * Returns MTLF_ERR_NULL_POINTER, MTLF_ERR_BAD_SHAPE, or MTLF_ERR_BAD_VALUE for another loss or a wrong huber_delta. */
mtlf_status mtlf_regression_loss_f32(mtlf_loss loss, float huber_delta, int32_t batch, int32_t k, const float *outputs,
                                     const float *targets, float scale, float *d_outputs, mtlf_loss_sum *result,
                                     const mtlf_context *context);

#ifdef __cplusplus
}
#endif

#endif
