/* SPDX-License-Identifier: Apache-2.0
 * Trains a small network with the kernels alone: 8x8 images of a bright row or a bright column, told apart. */
#include <stdio.h>
#include <stdlib.h>

#include "mtlf.h"

enum { N = 64, SIZE = 8, CHANNELS = 8, PIXELS = 6 * 6, FEATURES = PIXELS * CHANNELS, CLASSES = 2, STEPS = 60 };

/* All parameters lie in one buffer, so that one call updates them; gradients and Adam's m and v lie alike. */
typedef struct {
  float filter[3 * 3 * 1 * CHANNELS], bias[CHANNELS], kernel[FEATURES * CLASSES], output_bias[CLASSES];
} parameters;

static float images[N * SIZE * SIZE]; /* [N, 8, 8, 1] */
static int32_t labels[N];             /* 0 row, 1 column */
static parameters w, d_w, m, v;
static float features[N * FEATURES], d_features[N * FEATURES]; /* [N, 6, 6, CHANNELS] */
static float logits[N * CLASSES], d_logits[N * CLASSES];

/* Stops at the first error: each call says what is wrong. */
static void check(mtlf_status status) {
  if (status == MTLF_OK) return;
  fprintf(stderr, "%s\n", mtlf_status_text(status));
  exit(1);
}

static void draw_images(void) {
  mtlf_random_uniform_f32(1, 0, 0, N * SIZE * SIZE, 0.0f, 0.5f, images);
  for (int n = 0; n < N; n++) {
    const int position = n / 2 % SIZE;
    labels[n] = n % 2;
    for (int i = 0; i < SIZE; i++) {
      images[n * SIZE * SIZE + (labels[n] ? i * SIZE + position : position * SIZE + i)] += 0.5f;
    }
  }
}

int main(void) {
  const mtlf_conv2d conv = {.batch = N,
                            .height = SIZE,
                            .width = SIZE,
                            .channels_in = 1,
                            .channels_out = CHANNELS,
                            .kernel_h = 3,
                            .kernel_w = 3,
                            .stride_h = 1,
                            .stride_w = 1};
  const mtlf_dense dense = {.batch = N, .inputs = FEATURES, .units = CLASSES};
  const mtlf_adam adam = {.learning_rate = 0.01f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-7f};
  mtlf_context context;
  check(mtlf_context_init(&context, MTLF_ISA_BEST, 0)); /* the best instruction set, all threads */

  /* One workspace for both layers; sizes are multiples of MTLF_ALIGNMENT. */
  const size_t conv_bytes = mtlf_conv2d_workspace_bytes(&conv, &context);
  const size_t dense_bytes = mtlf_dense_workspace_bytes(&dense, &context);
  const size_t bytes = conv_bytes > dense_bytes ? conv_bytes : dense_bytes;
  void *workspace = aligned_alloc(MTLF_ALIGNMENT, bytes);
  if (!workspace) return 1;

  draw_images();
  mtlf_random_uniform_f32(2, 0, 0, sizeof w.filter / sizeof(float), -0.5f, 0.5f, w.filter);
  mtlf_random_uniform_f32(2, 1, 0, sizeof w.kernel / sizeof(float), -0.1f, 0.1f, w.kernel);

  mtlf_cross_entropy result;
  for (int step = 1; step <= STEPS; step++) {
    /* Forward: convolution with ReLU, dense, loss. The loss adds to d_logits, so they start at zero. */
    check(mtlf_conv2d_forward_f32(&conv, images, w.filter, w.bias, 1, features, workspace, bytes, &context));
    check(mtlf_dense_forward_f32(&dense, features, w.kernel, w.output_bias, 0, logits, workspace, bytes, &context));
    for (int i = 0; i < N * CLASSES; i++) d_logits[i] = 0;
    check(
        mtlf_softmax_cross_entropy_f32(N, CLASSES, logits, labels, NULL, 1.0f / N, NULL, d_logits, &result, &context));
    if (step == 1 || step % 20 == 0) {
      printf("step %2d  loss %.4f  correct %d of %d\n", step, result.loss_sum / N, result.correct, N);
    }
    /* Backward, in reverse; then one update of everything. */
    check(mtlf_dense_d_kernel_f32(&dense, features, d_logits, d_w.kernel, d_w.output_bias, workspace, bytes, &context));
    check(mtlf_dense_d_input_f32(&dense, w.kernel, d_logits, d_features, workspace, bytes, &context));
    check(mtlf_relu_backward_f32(N * FEATURES, features, d_features, d_features, &context));
    check(mtlf_conv2d_d_filter_f32(&conv, images, d_features, d_w.filter, d_w.bias, workspace, bytes, &context));
    check(mtlf_adam_f32(&adam, step, sizeof w / sizeof(float), (float *)&w, (float *)&m, (float *)&v,
                        (const float *)&d_w, &context));
  }
  free(workspace);

  const int has_learnt = result.correct == N && result.loss_sum / N < 0.05;
  printf("%s on %s with %d threads\n", has_learnt ? "learnt" : "NOT learnt", mtlf_context_isa_name(&context),
         (int)context.threads);
  return has_learnt ? 0 : 1;
}
