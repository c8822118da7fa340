/* SPDX-License-Identifier: Apache-2.0
 * Sigmoid losses of the binary masks of one sample. */
#ifndef MTLF_KERNELS_MASK_LOSS_H
#define MTLF_KERNELS_MASK_LOSS_H

#include "loss_sum.h"

/* Sigmoid losses of `channels` independent masks: logits, probabilities, d_logits, mask [pixels][channels]; mask 0, 1 or
 * MTLF_IGNORED. loss: MTLF_LOSS_BINARY_CROSS_ENTROPY, MTLF_LOSS_DICE (1 - (2 sum pt + 1) / (sum p + sum t + 1) of each
 * channel's present pixels, mean over the channels that have any; Milletari et al., V-Net, 2016), or their sum.
 * class_weights [2] (of 0 and of 1, of the cross-entropy alone) or NULL; smoothing s: target t (1 - s) + s / 2 (same).
 * counts [channels][4] = true negatives, false positives, false negatives, true positives (p > 1/2), added to unless
 * NULL. channels: at most MTLF_MAX_MASKS. */
mtlf_sample_loss mtlf_mask_sample(const mtlf_kernels *kernels, mtlf_loss loss, int32_t pixels, int32_t channels,
                                  const float *logits, const uint8_t *mask, const float *class_weights, float smoothing,
                                  float scale, float *probabilities, float *d_logits, int64_t *counts);

#endif
