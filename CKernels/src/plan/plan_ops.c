/* SPDX-License-Identifier: Apache-2.0
 * The operations of a plan that run on one shard of the minibatch: inputs, layers on images, losses, and their backward
 * passes. */
#include <string.h>

#include "../base/arithmetic.h"
#include "../kernels/batch_norm.h"
#include "../kernels/conv2d.h"
#include "../kernels/dense.h"
#include "../kernels/dropout.h"
#include "../kernels/input.h"
#include "../kernels/mask_loss.h"
#include "../kernels/pixel_cross_entropy.h"
#include "../kernels/pool2d.h"
#include "../kernels/regression_loss.h"
#include "../kernels/softmax_cross_entropy.h"
#include "../kernels/upsample2d.h"
#include "plan_run.h"

/* The shard's first sample in a tensor. */
static float *samples_of(const mtlf_tensor *t, const mtlf_shard *s) {
  return t->thread_stride ? t->data + s->thread * t->thread_stride : t->data + s->first * t->sample_stride;
}

static mtlf_view view_of(const mtlf_tensor *t, const mtlf_shard *s) {
  mtlf_view view = mtlf_tensor_view(t);
  view.data = samples_of(t, s);
  return view;
}

static size_t sample_floats(const mtlf_tensor *t) { return (size_t)t->height * (size_t)t->width * (size_t)t->channels; }

/* Calls body for every image row of a shard: rows lie apart where there is a halo. */
#define FOR_EACH_RUN(shape, s, ...)                                          \
  for (int32_t n = 0; n < (s)->count; n++) {                                 \
    for (int32_t row = 0; row < (shape)->height; row++) {                    \
      const size_t run = (size_t)(shape)->width * (size_t)(shape)->channels; \
      (void)run;                                                             \
      __VA_ARGS__                                                            \
    }                                                                        \
  }
#define AT(base, tensor) ((base) + n * (tensor)->sample_stride + row * (tensor)->row_stride)

static void load_input(const mtlf_kernels *kernels, const mtlf_op *op, const mtlf_step *step, const mtlf_shard *s) {
  const mtlf_step_input *from = step->inputs + op->slot;
  const mtlf_input_rows input = {.data = from->data,
                                 .is_bytes = from->is_bytes,
                                 .scale = from->scale,
                                 .factors = from->factors,
                                 .offsets = from->offsets,
                                 .augmentation = from->augmentation};
  const int32_t *rows = step->indices[from->stream] + s->first;
  const mtlf_view output = view_of(&op->output, s);
  for (int32_t n = 0; n < s->count; n++) {
    const mtlf_view sample = mtlf_view_from(output, n);
    mtlf_load_sample(kernels, &input, rows[n], step->epoch, &sample);
  }
}

/* A mask is moved as its image is, by the draw of the same row. */
static void load_mask(const mtlf_op *op, const mtlf_step *step, const mtlf_shard *s) {
  const mtlf_step_head *head = step->heads + op->slot;
  const mtlf_step_input *source = step->inputs + op->source;
  const int32_t *rows = step->indices[head->stream] + s->first;
  const size_t elements = sample_floats(&op->input);
  uint8_t *output = (uint8_t *)op->gate + (size_t)s->first * elements;
  for (int32_t n = 0; n < s->count; n++, output += elements) {
    if (rows[n] < 0 || !head->targets) {
      memset(output, MTLF_IGNORED, elements);
    } else if (!source->augmentation) {
      memcpy(output, (const uint8_t *)head->targets + (size_t)rows[n] * elements, elements);
    } else {
      mtlf_augment_mask(source->augmentation, op->input.height, op->input.width, op->input.channels,
                        (const uint8_t *)head->targets + (size_t)rows[n] * elements, rows[n], step->epoch, output);
    }
  }
}

static mtlf_window window_of(const mtlf_op *op) {
  return (mtlf_window){.kernel_h = op->kernel_h,
                       .kernel_w = op->kernel_w,
                       .stride_h = op->stride_h,
                       .stride_w = op->stride_w,
                       .pad_top = op->pad_top,
                       .pad_left = op->pad_left};
}

static void run_conv(const mtlf_plan_state *run, const mtlf_op *op, const mtlf_shard *s, float *workspace) {
  const mtlf_kernels *kernels = run->context->kernels;
  const mtlf_conv_passes *passes = mtlf_conv_passes_of(run->context->conv_path);
  const mtlf_weight *w = op->weight;
  const mtlf_window window = window_of(op);
  const mtlf_tensor *outputs = op->kind == MTLF_OP_CONV2D ? &op->output : &op->d_output;
  uint8_t *gate = op->gate ? (uint8_t *)op->gate + (size_t)s->first * sample_floats(outputs) : NULL;
  const mtlf_view output = view_of(outputs, s);
  if (op->kind == MTLF_OP_CONV2D) {
    const mtlf_view input = view_of(&op->input, s);
    passes->forward(kernels, &window, s->count, &input, w->kernel, w->bias, op->relu, &output, gate, workspace);
  } else if (op->kind == MTLF_OP_CONV2D_D_INPUT) {
    const mtlf_view d_input = view_of(&op->d_input, s);
    passes->d_input(kernels, &window, s->count, &output, gate, w->transposed, &d_input, workspace);
  } else {
    const mtlf_view input = view_of(&op->input, s);
    float *gradient = w->gradient + (size_t)s->group * w->gradient_stride;
    const size_t kernel_floats = (size_t)mtlf_round_up(w->units, kernels->panel) * (size_t)w->inputs;
    passes->d_filter(kernels, &window, s->count, &input, &output, gate, gradient, gradient + kernel_floats,
                     !s->is_first, workspace);
  }
}

static void run_pool(const mtlf_op *op, const mtlf_shard *s) {
  const int is_backward = op->kind == MTLF_OP_MAX_POOL2D_BACKWARD || op->kind == MTLF_OP_AVG_POOL2D_BACKWARD;
  const mtlf_tensor *in = is_backward ? &op->d_input : &op->input, *out = is_backward ? &op->d_output : &op->output;
  const mtlf_window window = window_of(op);
  const mtlf_view x = view_of(in, s), y = view_of(out, s);
  int32_t *argmax = op->gate ? (int32_t *)op->gate + (size_t)s->first * sample_floats(out) : NULL;
  if (op->kind == MTLF_OP_MAX_POOL2D) {
    mtlf_max_pool(&window, s->count, &x, &y, argmax);
  } else if (op->kind == MTLF_OP_AVG_POOL2D) {
    mtlf_avg_pool(&window, s->count, &x, &y);
  } else if (op->kind == MTLF_OP_MAX_POOL2D_BACKWARD) {
    mtlf_max_pool_backward(s->count, &y, argmax, &x);
  } else {
    mtlf_avg_pool_backward(&window, s->count, &y, &x);
  }
}

static void run_softmax(const mtlf_kernels *kernels, const mtlf_op *op, const mtlf_shard *s) {
  const mtlf_tensor *in = &op->input, *out = &op->output;
  const float *x = samples_of(in, s);
  float *y = samples_of(out, s);
  FOR_EACH_RUN(in, s, {
    for (size_t at = 0; at < run; at += (size_t)in->channels) {
      mtlf_softmax_row(kernels, in->channels, AT(x, in) + at, AT(y, out) + at);
    }
  });
}

/* One sample's class label: its loss goes by the class's weight, which the head's denominator counted. */
static void run_class_loss(mtlf_plan_state *run, const mtlf_op *op, const mtlf_shard *s, int32_t n, int32_t row,
                           const float *logits, float *probabilities, float *d_logits) {
  const mtlf_kernels *kernels = run->context->kernels;
  const mtlf_step_head *head = run->step->heads + op->slot;
  const int is_binary = head->loss == MTLF_LOSS_BINARY_CROSS_ENTROPY;
  const int32_t classes = is_binary ? 2 : op->input.channels;
  int32_t label = row < 0 || !head->targets ? -1 : ((const int32_t *)head->targets)[row];
  if (label < -1 || label >= classes) {
    atomic_store_explicit(&run->bad_label, 1, memory_order_relaxed);
    label = -1;
  }
  int32_t predicted, rank = -1;
  if (is_binary) {
    predicted = logits[0] > 0.0f;
    if (label >= 0) rank = predicted != label;
  } else if (label < 0) {
    mtlf_cross_entropy_row(kernels, classes, logits, 0, 0.0f, 0.0f, probabilities, NULL, &predicted, &rank);
    rank = -1;
  }
  if (label >= 0) {
    const float weight = head->class_weights ? head->class_weights[label] : 1.0f, scale = head->scale * weight;
    float loss;
    if (is_binary) {
      const uint8_t target = (uint8_t)label;
      loss = mtlf_mask_sample(kernels, head->loss, 1, 1, logits, &target, NULL, head->label_smoothing, scale,
                              probabilities, d_logits, NULL)
                 .loss;
    } else {
      loss = mtlf_cross_entropy_row(kernels, classes, logits, label, head->label_smoothing, scale, probabilities,
                                    d_logits, &predicted, &rank);
    }
    run->loss[s->group][op->slot] += (double)weight * (double)loss;
    run->weight[s->group][op->slot] += (double)weight;
    run->present[s->group][op->slot]++;
  }
  if (head->predicted) head->predicted[s->first + n] = predicted;
  if (head->rank) head->rank[s->first + n] = rank;
}

/* Stops a training step after this stage where the group's loss is no number any more. An evaluation goes on. */
static void end_loss(mtlf_plan_state *run, const mtlf_op *op, const mtlf_shard *s) {
  if (!op->d_input.data) return;
  const double loss = run->loss[s->group][op->slot];
  if (loss - loss != 0.0) atomic_store(&run->stop_after, s->stage);
}

static void run_loss(mtlf_plan_state *run, const mtlf_op *op, const mtlf_shard *s) {
  const mtlf_kernels *kernels = run->context->kernels;
  const mtlf_step_head *head = run->step->heads + op->slot;
  const int32_t *rows = run->step->indices[head->stream] + s->first;
  const size_t elements = sample_floats(&op->input);
  const int32_t pixels = op->input.height * op->input.width, channels = op->input.channels;
  const int is_pixel_classes = head->loss == MTLF_LOSS_SOFTMAX_CROSS_ENTROPY;
  const size_t mask_bytes = is_pixel_classes ? (size_t)pixels : elements;
  float *logits = samples_of(&op->input, s), *p = samples_of(&op->output, s);
  float *d = op->d_input.data ? samples_of(&op->d_input, s) : NULL;
  int64_t *counts = head->counts ? head->counts + (size_t)s->group * (size_t)head->count_size : NULL;
  double *sums = head->sums ? head->sums + (size_t)s->group * (size_t)head->sum_size : NULL;
  if (s->is_first && counts) memset(counts, 0, (size_t)head->count_size * sizeof *counts);
  if (s->is_first && sums) memset(sums, 0, (size_t)head->sum_size * sizeof *sums);
  for (int32_t n = 0; n < s->count; n++) {
    const float *x = logits + n * op->input.sample_stride;
    float *probabilities = p + n * op->output.sample_stride, *d_x = d ? d + n * op->d_input.sample_stride : NULL;
    if (head->target == MTLF_TARGET_CLASS) {
      run_class_loss(run, op, s, n, rows[n], x, probabilities, d_x);
      continue;
    }
    if (rows[n] < 0 || !head->targets) continue;
    mtlf_sample_loss sample;
    if (head->target == MTLF_TARGET_VALUES) {
      sample = mtlf_regression_sample(kernels, head->loss, head->huber_delta, (int32_t)elements, x,
                                      (const float *)head->targets + (size_t)rows[n] * elements, head->scale, d_x, sums,
                                      head->sum_size);
    } else {
      const uint8_t *mask = op->gate ? (const uint8_t *)op->gate + (size_t)(s->first + n) * mask_bytes
                                     : (const uint8_t *)head->targets + (size_t)rows[n] * mask_bytes;
      sample = is_pixel_classes
                   ? mtlf_pixel_cross_entropy_sample(kernels, pixels, channels, x, mask, head->class_weights,
                                                     head->label_smoothing, head->scale, NULL, d_x, counts)
                   : mtlf_mask_sample(kernels, head->loss, pixels, channels, x, mask, head->class_weights,
                                      head->label_smoothing, head->scale, NULL, d_x, counts);
    }
    if (sample.present == 0) continue;
    run->loss[s->group][op->slot] += (double)sample.loss;
    run->weight[s->group][op->slot] += 1.0;
    run->present[s->group][op->slot]++;
  }
  end_loss(run, op, s);
}

static void run_batch_norm(const mtlf_op *op, const mtlf_shard *s) {
  const mtlf_batch_norm *norm = op->norm;
  const mtlf_tensor *in = &op->input, *out = &op->output, *d_out = &op->d_output, *d_in = &op->d_input;
  const size_t pixels = (size_t)in->width;
  const float *x = samples_of(in, s);
  if (s->is_first && (op->kind == MTLF_OP_BATCH_NORM_SUMS || op->kind == MTLF_OP_BATCH_NORM_D_SUMS)) {
    const size_t sums = 2 * (size_t)norm->channels;
    memset((op->kind == MTLF_OP_BATCH_NORM_SUMS ? norm->sums : norm->d_sums) + (size_t)s->group * sums, 0,
           sums * sizeof(double));
  }
  if (op->kind == MTLF_OP_BATCH_NORM_SUMS) {
    FOR_EACH_RUN(in, s, { mtlf_batch_norm_sums(norm, s->group, pixels, AT(x, in)); });
  } else if (op->kind == MTLF_OP_BATCH_NORM) {
    float *y = samples_of(out, s);
    FOR_EACH_RUN(in, s, { mtlf_batch_norm_apply(norm, pixels, AT(x, in), AT(y, out)); });
  } else {
    const float *d = samples_of(d_out, s);
    if (op->kind == MTLF_OP_BATCH_NORM_D_SUMS) {
      FOR_EACH_RUN(in, s, { mtlf_batch_norm_d_sums(norm, s->group, pixels, AT(x, in), AT(d, d_out)); });
    } else {
      float *to = samples_of(d_in, s);
      FOR_EACH_RUN(in, s, { mtlf_batch_norm_d_input(norm, pixels, AT(x, in), AT(d, d_out), AT(to, d_in)); });
    }
  }
}

/* Copies a tensor into the channels of a wider one, or out of them. */
static void run_channels(const mtlf_op *op, const mtlf_shard *s) {
  const int is_slice = op->kind == MTLF_OP_SLICE;
  const mtlf_tensor *narrow = is_slice ? &op->d_input : &op->input, *wide = is_slice ? &op->d_output : &op->output;
  float *inner = samples_of(narrow, s), *outer = samples_of(wide, s) + op->offset;
  const size_t bytes = (size_t)narrow->channels * sizeof(float);
  FOR_EACH_RUN(narrow, s, {
    for (size_t at = 0; at < run / (size_t)narrow->channels; at++) {
      float *a = AT(inner, narrow) + at * (size_t)narrow->channels, *b = AT(outer, wide) + at * (size_t)wide->channels;
      memcpy(is_slice ? a : b, is_slice ? b : a, bytes);
    }
  });
}

static void run_upsample(const mtlf_kernels *kernels, const mtlf_op *op, const mtlf_shard *s) {
  const int is_backward = op->kind == MTLF_OP_UPSAMPLE2D_BACKWARD;
  const mtlf_view x = view_of(is_backward ? &op->d_input : &op->input, s);
  const mtlf_view y = view_of(is_backward ? &op->d_output : &op->output, s);
  if (is_backward) {
    mtlf_upsample_backward(kernels, op->kernel_h, op->kernel_w, s->count, &y, &x);
  } else {
    mtlf_upsample(op->kernel_h, op->kernel_w, s->count, &x, &y);
  }
}

static void run_elementwise(const mtlf_plan_state *run, const mtlf_op *op, const mtlf_shard *s) {
  const mtlf_kernels *kernels = run->context->kernels;
  const mtlf_tensor *in = &op->input, *out = &op->output, *d_out = &op->d_output, *d_in = &op->d_input;
  const float *x = in->data ? samples_of(in, s) : NULL, *d = d_out->data ? samples_of(d_out, s) : NULL;
  float *y = out->data ? samples_of(out, s) : NULL, *to = d_in->data ? samples_of(d_in, s) : NULL;
  switch (op->kind) {
  case MTLF_OP_COPY: FOR_EACH_RUN(in, s, { memcpy(AT(y, out), AT(x, in), run * sizeof(float)); }); break;
  case MTLF_OP_RELU: FOR_EACH_RUN(in, s, { kernels->relu(AT(x, in), AT(y, out), run); }); break;
  case MTLF_OP_SIGMOID: FOR_EACH_RUN(in, s, { kernels->sigmoid(AT(x, in), AT(y, out), run); }); break;
  case MTLF_OP_RELU_BACKWARD:
    FOR_EACH_RUN(out, s, { kernels->relu_backward(AT(y, out), AT(d, d_out), AT(to, d_in), run); });
    break;
  case MTLF_OP_SIGMOID_BACKWARD:
    FOR_EACH_RUN(out, s, { kernels->sigmoid_backward(AT(y, out), AT(d, d_out), AT(to, d_in), run); });
    break;
  case MTLF_OP_ADD: FOR_EACH_RUN(d_out, s, { kernels->add(AT(d, d_out), AT(to, d_in), run); }); break;
  case MTLF_OP_DROPOUT:
  case MTLF_OP_DROPOUT_BACKWARD: {
    const int is_forward = op->kind == MTLF_OP_DROPOUT;
    const mtlf_tensor *from = is_forward ? in : d_out, *target = is_forward ? out : d_in;
    for (int32_t n = 0; n < s->count; n++) {
      const uint64_t stream =
          run->step->epoch << 32 | (uint32_t)run->step->indices[run->step->inputs[op->source].stream][s->first + n];
      mtlf_dropout(op->key, stream, op->rate, (is_forward ? x : d) + n * from->sample_stride,
                   (is_forward ? y : to) + n * target->sample_stride, sample_floats(from));
    }
    break;
  }
  case MTLF_OP_ZERO:
    memset(to - op->halo_floats, 0, (size_t)s->count * (size_t)d_in->sample_stride * sizeof(float));
    break;
  default: {
    const mtlf_view rows = view_of(d_out, s);
    mtlf_pack_samples(kernels, &rows, s->first, s->count, op->packed);
  }
  }
}

void mtlf_run_shard_op(mtlf_plan_state *run, const mtlf_op *op, const mtlf_shard *s) {
  switch (op->kind) {
  case MTLF_OP_INPUT: load_input(run->context->kernels, op, run->step, s); break;
  case MTLF_OP_CONV2D:
  case MTLF_OP_CONV2D_D_INPUT:
  case MTLF_OP_CONV2D_D_FILTER:
    run_conv(run, op, s, run->plan->workspace + (size_t)s->thread * run->plan->workspace_floats);
    break;
  case MTLF_OP_MAX_POOL2D:
  case MTLF_OP_AVG_POOL2D:
  case MTLF_OP_MAX_POOL2D_BACKWARD:
  case MTLF_OP_AVG_POOL2D_BACKWARD: run_pool(op, s); break;
  case MTLF_OP_CONCATENATE:
  case MTLF_OP_SLICE: run_channels(op, s); break;
  case MTLF_OP_UPSAMPLE2D:
  case MTLF_OP_UPSAMPLE2D_BACKWARD: run_upsample(run->context->kernels, op, s); break;
  case MTLF_OP_BATCH_NORM_SUMS:
  case MTLF_OP_BATCH_NORM:
  case MTLF_OP_BATCH_NORM_D_SUMS:
  case MTLF_OP_BATCH_NORM_D_INPUT: run_batch_norm(op, s); break;
  case MTLF_OP_SOFTMAX: run_softmax(run->context->kernels, op, s); break;
  case MTLF_OP_MASK: load_mask(op, run->step, s); break;
  case MTLF_OP_LOSS: run_loss(run, op, s); break;
  default: run_elementwise(run, op, s);
  }
}
