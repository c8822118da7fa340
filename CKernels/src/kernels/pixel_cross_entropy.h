/* SPDX-License-Identifier: Apache-2.0
 * Softmax cross-entropy of each pixel of one sample. */
#ifndef MTLF_KERNELS_PIXEL_CROSS_ENTROPY_H
#define MTLF_KERNELS_PIXEL_CROSS_ENTROPY_H

#include "loss_sum.h"

/* Softmax cross-entropy of each pixel: logits, probabilities, d_logits [pixels][classes], mask [pixels] of classes or
 * MTLF_IGNORED (anything else outside 0...classes-1 is ignored too). probabilities is written for every pixel (NULL:
 * unwanted); d_logits (or NULL) += scale * gradient of the sample's loss. class_weights [classes] or NULL.
 * confusion [classes][classes], true x predicted, is added to unless NULL. classes: at most MTLF_MAX_PIXEL_CLASSES. */
mtlf_sample_loss mtlf_pixel_cross_entropy_sample(const mtlf_kernels *kernels, int32_t pixels, int32_t classes,
                                                 const float *logits, const uint8_t *mask, const float *class_weights,
                                                 float smoothing, float scale, float *probabilities, float *d_logits,
                                                 int64_t *confusion);

#endif
