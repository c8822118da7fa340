/* SPDX-License-Identifier: Apache-2.0
 * Operations: losses and metrics of a head, softmax. */
#include <string.h>

#include "../kernels/mask_loss.h"
#include "../kernels/pixel_cross_entropy.h"
#include "../kernels/regression_loss.h"
#include "../kernels/softmax_cross_entropy.h"
#include "mtlf/plan/losses.h"
#include "run.h"

MTLF_SHARD_OP(softmax) {
  const mtlf_copy_op *op = payload;
  const mtlf_view from = mtlf_shard_view(&op->from, shard), to = mtlf_shard_view(&op->to, shard);
  for (int32_t n = 0; n < shard->count; n++) {
    for (int32_t row = 0; row < from.height; row++) {
      const float *x = mtlf_floats(&from) + n * from.sample_stride + row * from.row_stride;
      float *y = mtlf_floats(&to) + n * to.sample_stride + row * to.row_stride;
      for (int32_t w = 0; w < from.width; w++, x += from.channels, y += from.channels) {
        mtlf_softmax_row(mtlf_shard_kernels(shard), from.channels, x, y);
      }
    }
  }
}

/* A head's sums over the samples of a group so far. */
typedef struct {
  double loss, weight;
  int32_t present;
} group_sums;

static void add_loss(group_sums *sums, double weight, double loss) {
  sums->loss += weight * loss;
  sums->weight += weight;
  sums->present++;
}

/* One sample on its way through its head's loss: d_logits is NULL where none is wanted. */
typedef struct {
  int32_t row, place; /* in the data set, -1: none; in the minibatch */
  const float *logits;
  float *probabilities, *d_logits;
} sample;

/* One sample's class label: its loss goes by the class's weight, which the head's denominator counted. */
static void class_loss(const mtlf_shard *shard, const mtlf_step_head *head, int32_t channels, const sample *x,
                       group_sums *sums) {
  const mtlf_kernels *kernels = mtlf_shard_kernels(shard);
  const int is_binary = head->loss == MTLF_LOSS_BINARY_CROSS_ENTROPY;
  const int32_t classes = is_binary ? 2 : channels;
  int32_t label = x->row < 0 || !head->targets ? -1 : ((const int32_t *)head->targets)[x->row];
  if (label < -1 || label >= classes) {
    atomic_store_explicit(&shard->run->marks->bad_label, 1, memory_order_relaxed);
    label = -1;
  }
  int32_t predicted, rank = -1;
  if (is_binary) {
    predicted = x->logits[0] > 0.0f;
    if (label >= 0) rank = predicted != label;
  } else if (label < 0) {
    mtlf_cross_entropy_row(kernels, classes, x->logits, 0, 0.0f, 0.0f, x->probabilities, NULL, &predicted, &rank);
    rank = -1;
  }
  if (label >= 0) {
    const float weight = head->class_weights ? head->class_weights[label] : 1.0f, scale = head->scale * weight;
    float loss;
    if (is_binary) {
      const uint8_t target = (uint8_t)label;
      loss = mtlf_mask_sample(kernels, head->loss, 1, 1, x->logits, &target, NULL, head->label_smoothing, scale,
                              x->probabilities, x->d_logits, NULL)
                 .loss;
    } else {
      loss = mtlf_cross_entropy_row(kernels, classes, x->logits, label, head->label_smoothing, scale, x->probabilities,
                                    x->d_logits, &predicted, &rank);
    }
    add_loss(sums, (double)weight, (double)loss);
  }
  if (head->predicted) head->predicted[x->place] = predicted;
  if (head->rank) head->rank[x->place] = rank;
}

/* One sample with many elements: a mask of classes, binary masks, or numbers. */
static mtlf_sample_loss elements_loss(const mtlf_shard *shard, const mtlf_step_head *head, const mtlf_loss_op *op,
                                      const sample *x) {
  const mtlf_kernels *kernels = mtlf_shard_kernels(shard);
  const mtlf_view *shape = &op->logits.view;
  const int32_t pixels = shape->height * shape->width, channels = shape->channels;
  const size_t elements = mtlf_sample_elements(shape), row = (size_t)x->row;
  int64_t *counts = head->counts ? head->counts + (size_t)shard->group * (size_t)head->count_size : NULL;
  double *sums = head->sums ? head->sums + (size_t)shard->group * (size_t)head->sum_size : NULL;
  if (head->target == MTLF_TARGET_VALUES) {
    return mtlf_regression_sample(kernels, head->loss, head->huber_delta, (int32_t)elements, x->logits,
                                  (const float *)head->targets + row * elements, head->scale, x->d_logits, sums,
                                  head->sum_size);
  }
  const int is_pixel_classes = head->loss == MTLF_LOSS_SOFTMAX_CROSS_ENTROPY;
  const size_t bytes = is_pixel_classes ? (size_t)pixels : elements;
  const uint8_t *mask = op->masks ? op->masks + (size_t)x->place * bytes : (const uint8_t *)head->targets + row * bytes;
  return is_pixel_classes
             ? mtlf_pixel_cross_entropy_sample(kernels, pixels, channels, x->logits, mask, head->class_weights,
                                               head->label_smoothing, head->scale, NULL, x->d_logits, counts)
             : mtlf_mask_sample(kernels, head->loss, pixels, channels, x->logits, mask, head->class_weights,
                                head->label_smoothing, head->scale, NULL, x->d_logits, counts);
}

/* Begins a group's counts and sums anew. */
static void clear_metrics(const mtlf_step_head *head, int32_t group) {
  const size_t counts = (size_t)head->count_size, sums = (size_t)head->sum_size;
  if (head->counts) memset(head->counts + (size_t)group * counts, 0, counts * sizeof *head->counts);
  if (head->sums) memset(head->sums + (size_t)group * sums, 0, sums * sizeof *head->sums);
}

MTLF_SHARD_OP(loss) {
  const mtlf_loss_op *op = payload;
  mtlf_step_head *head = shard->run->step->heads + op->slot;
  const int32_t *rows = mtlf_shard_rows(shard, head->stream), group = shard->group;
  const mtlf_view logits = mtlf_shard_view(&op->logits, shard);
  const int has_probabilities = op->probabilities.view.data != NULL;
  const mtlf_view probabilities =
      has_probabilities ? mtlf_shard_view(&op->probabilities, shard) : op->probabilities.view;
  const int has_gradient = op->d_logits.view.data != NULL;
  const mtlf_view d_logits = has_gradient ? mtlf_shard_view(&op->d_logits, shard) : op->d_logits.view;
  /* In registers until the shard ends: threads that add to neighbouring groups would wait for each other's cache lines. */
  group_sums sums = {0};
  if (shard->is_first) {
    clear_metrics(head, group);
  } else {
    sums = (group_sums){head->group_loss[group], head->group_weight[group], head->group_present[group]};
  }
  for (int32_t n = 0; n < shard->count; n++) {
    const sample x = {.row = rows[n],
                      .place = shard->first + n,
                      .logits = mtlf_floats(&logits) + n * logits.sample_stride,
                      .probabilities =
                          has_probabilities ? mtlf_floats(&probabilities) + n * probabilities.sample_stride : NULL,
                      .d_logits = has_gradient ? mtlf_floats(&d_logits) + n * d_logits.sample_stride : NULL};
    if (head->target == MTLF_TARGET_CLASS) {
      class_loss(shard, head, logits.channels, &x, &sums);
    } else if (x.row >= 0 && head->targets) {
      const mtlf_sample_loss result = elements_loss(shard, head, op, &x);
      if (result.present > 0) add_loss(&sums, 1.0, (double)result.loss);
    }
  }
  head->group_loss[group] = sums.loss;
  head->group_weight[group] = sums.weight;
  head->group_present[group] = sums.present;
  /* Training stops after this stage where the group's loss is no number any more. An evaluation goes on. */
  if (has_gradient && sums.loss - sums.loss != 0.0) atomic_store(&shard->run->marks->stop_after, shard->stage);
}
