/* SPDX-License-Identifier: Apache-2.0
 * creference.h - the oracle of the kernels' tests: every operation of mtlf.h in double precision, as plain loops.
 *
 * Descriptors and layouts are those of mtlf.h. Nothing is checked, nothing is fast: each function is the formula that
 * stands in mtlf.h, and the finite differences of the tests check the gradients on these functions themselves. */
#ifndef CREFERENCE_H
#define CREFERENCE_H

#include <stddef.h>
#include <stdint.h>

#include "mtlf.h"
#include "mtlf/plan/batch_norm.h"
#include "mtlf/plan/conv2d.h"
#include "mtlf/plan/dense.h"
#include "mtlf/plan/elementwise.h"
#include "mtlf/plan/input.h"
#include "mtlf/plan/losses.h"
#include "mtlf/plan/pool2d.h"
#include "mtlf/plan/rearrange.h"
#include "mtlf/plan/update.h"
#include "mtlf_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- conv2d.c ---- */

/* input [N, H, W, C_in]; filter [KH, KW, C_in, C_out]; bias [C_out] or NULL; output [N, OH, OW, C_out]. */
void reference_conv2d_forward(const mtlf_conv2d *conv, const double *input, const double *filter, const double *bias,
                              int relu, double *output);
/* d_output [N, OH, OW, C_out]; d_input [N, H, W, C_in]. */
void reference_conv2d_d_input(const mtlf_conv2d *conv, const double *filter, const double *d_output, double *d_input);
/* d_filter [KH, KW, C_in, C_out]; d_bias [C_out] or NULL. */
void reference_conv2d_d_filter(const mtlf_conv2d *conv, const double *input, const double *d_output, double *d_filter,
                               double *d_bias);
/* unpooled [N, OH, OW, C_out], the convolution's output before ReLU; output and gate [N, OH/2, OW/2, C_out]. */
void reference_conv2d_max_pool2d_forward(const mtlf_conv2d *conv, const double *unpooled, int relu, double *output,
                                         uint8_t *gate);
/* d_output and gate [N, OH/2, OW/2, C_out]; d_unpooled [N, OH, OW, C_out], zero in a dropped last row or column. */
void reference_conv2d_max_pool2d_backward(const mtlf_conv2d *conv, const double *d_output, const uint8_t *gate,
                                          double *d_unpooled);

/* ---- depthwise_conv2d.c ---- */

/* input [N, H, W, C]; filter [KH, KW, C]; bias [C] or NULL; output [N, OH, OW, C]. */
void reference_depthwise_conv2d_forward(const mtlf_conv2d *conv, const double *input, const double *filter,
                                        const double *bias, int relu, double *output);
/* d_output [N, OH, OW, C]; d_input [N, H, W, C]. */
void reference_depthwise_conv2d_d_input(const mtlf_conv2d *conv, const double *filter, const double *d_output,
                                        double *d_input);
/* d_filter [KH, KW, C]; d_bias [C] or NULL. */
void reference_depthwise_conv2d_d_filter(const mtlf_conv2d *conv, const double *input, const double *d_output,
                                         double *d_filter, double *d_bias);

/* ---- im2col.c ---- */

/* image [H, W, C_in]; columns [OH*OW, KH*KW*C_in]. */
void reference_im2col(const mtlf_conv2d *conv, const double *image, double *columns);
/* Adds to image [H, W, C_in]. */
void reference_col2im(const mtlf_conv2d *conv, const double *columns, double *image);

/* ---- pool2d.c ---- */

/* input [N, H, W, C]; output and argmax [N, OH, OW, C]. */
void reference_max_pool2d_forward(const mtlf_pool2d *pool, const double *input, double *output, int32_t *argmax);
void reference_max_pool2d_backward(const mtlf_pool2d *pool, const double *d_output, const int32_t *argmax,
                                   double *d_input);
void reference_avg_pool2d_forward(const mtlf_pool2d *pool, const double *input, double *output);
void reference_avg_pool2d_backward(const mtlf_pool2d *pool, const double *d_output, double *d_input);

/* ---- dense.c ---- */

/* input [N, K]; kernel [K, units]; bias [units] or NULL; output [N, units]. Also a matrix product. */
void reference_dense_forward(const mtlf_dense *dense, const double *input, const double *kernel, const double *bias,
                             int relu, double *output);
void reference_dense_d_input(const mtlf_dense *dense, const double *kernel, const double *d_output, double *d_input);
void reference_dense_d_kernel(const mtlf_dense *dense, const double *input, const double *d_output, double *d_kernel,
                              double *d_bias);

/* start + sum over i < k of a[i * a_step] * b[i * b_step] in fp32 and in order; is_fused: one rounding a step. */
float reference_dot_in_order(int64_t k, const float *a, ptrdiff_t a_step, const float *b, ptrdiff_t b_step, float start,
                             int is_fused);

/* ---- elementwise.c ---- */

void reference_relu_forward(int64_t n, const double *x, double *y);
void reference_relu_backward(int64_t n, const double *y, const double *d_output, double *d_input);
void reference_sigmoid_forward(int64_t n, const double *x, double *y);
void reference_sigmoid_backward(int64_t n, const double *y, const double *d_output, double *d_input);
void reference_exp(int64_t n, const double *x, double *y);
void reference_multiply_forward(int64_t n, const double *a, const double *b, double *y);
void reference_multiply_backward(int64_t n, const double *a, const double *b, const double *d_output, double *d_a,
                                 double *d_b);

/* ---- activations.c ---- */

void reference_gelu_forward(int64_t n, const double *x, double *y);
void reference_gelu_backward(int64_t n, const double *x, const double *d_output, double *d_input);
void reference_silu_forward(int64_t n, const double *x, double *y);
void reference_silu_backward(int64_t n, const double *x, const double *d_output, double *d_input);
void reference_tanh_forward(int64_t n, const double *x, double *y);
void reference_tanh_backward(int64_t n, const double *y, const double *d_output, double *d_input);
void reference_leaky_relu_forward(int64_t n, const double *x, double *y);
void reference_leaky_relu_backward(int64_t n, const double *y, const double *d_output, double *d_input);

/* ---- softmax_cross_entropy.c ---- */

/* logits, probabilities, d_logits [N, classes]; labels [N]; row_weights [N] or NULL. d_logits is added to. */
void reference_softmax_cross_entropy(int32_t batch, int32_t classes, const double *logits, const int32_t *labels,
                                     const double *row_weights, double scale, double *probabilities, double *d_logits,
                                     mtlf_cross_entropy *result);

/* ---- pixel_cross_entropy.c ---- */

/* logits, probabilities, d_logits [N, pixels, classes]; mask [N, pixels]; class_weights [classes] or NULL; confusion
 * [classes, classes]. d_logits and confusion, either NULL where unwanted, are added to. */
void reference_pixel_cross_entropy(int32_t batch, int32_t pixels, int32_t classes, const double *logits,
                                   const uint8_t *mask, const double *class_weights, double label_smoothing,
                                   double scale, double *probabilities, double *d_logits, int64_t *confusion,
                                   mtlf_loss_sum *result);

/* ---- mask_loss.c ---- */

/* logits, probabilities, d_logits, mask [N, pixels, channels]; class_weights [2] or NULL; counts [channels, 4]. d_logits
 * and counts, either NULL where unwanted, are added to. */
void reference_mask_loss(mtlf_loss loss, int32_t batch, int32_t pixels, int32_t channels, const double *logits,
                         const uint8_t *mask, const double *class_weights, double label_smoothing, double scale,
                         double *probabilities, double *d_logits, int64_t *counts, mtlf_loss_sum *result);

/* ---- regression_loss.c ---- */

/* outputs, targets, d_outputs [N, K]; d_outputs, or NULL, is added to. */
void reference_regression_loss(mtlf_loss loss, double huber_delta, int32_t batch, int32_t k, const double *outputs,
                               const double *targets, double scale, double *d_outputs, mtlf_loss_sum *result);

/* ---- upsample2d.c ---- */

void reference_upsample2d_forward(const mtlf_upsample2d *upsample, const double *input, double *output);
void reference_upsample2d_backward(const mtlf_upsample2d *upsample, const double *d_output, double *d_input);

/* ---- batch_norm.c ---- */

/* input, output [pixels, C]; all others [C]. */
void reference_batch_norm_training_forward(const mtlf_normalization *norm, const double *input, const double *gamma,
                                           const double *beta, double *running_mean, double *running_variance,
                                           double *output);
void reference_batch_norm_inference_forward(const mtlf_normalization *norm, const double *input, const double *gamma,
                                            const double *beta, const double *running_mean,
                                            const double *running_variance, double *output);
/* input, d_output, d_input [pixels, C]; all others [C]. */
void reference_batch_norm_backward(const mtlf_normalization *norm, const double *input, const double *gamma,
                                   const double *d_output, double *d_input, double *d_gamma, double *d_beta);

/* ---- layer_norm.c ---- */

/* input, output [rows, C]; gamma, beta [C]; mean, inverse_deviation [rows]. */
void reference_layer_norm_forward(const mtlf_layer_norm *norm, const double *input, const double *gamma,
                                  const double *beta, double *output, double *mean, double *inverse_deviation);
/* input, d_output, d_input [rows, C]; all others [C]. */
void reference_layer_norm_backward(const mtlf_layer_norm *norm, const double *input, const double *gamma,
                                   const double *d_output, double *d_input, double *d_gamma, double *d_beta);

/* ---- optimizer.c ---- */

void reference_adam(const mtlf_adam *adam, int64_t step, int64_t n, double *w, double *m, double *v, const double *g);
void reference_sgd(const mtlf_sgd *sgd, int64_t n, double *w, double *velocity, const double *g);

/* ---- random.c ---- */

/* One block of Philox 4x32-10. */
void reference_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4]);
/* Element `index` of a stream as mtlf_random_u32 numbers them: word index % 4 of the counter (index / 4, stream). */
uint32_t reference_random_u32(uint64_t key, uint64_t stream, uint64_t index);

/* ---- internals.c: what the headers of CKernels/src declare and only plans call, on the kernels of a context ---- */

/* logits, probabilities, d_logits [classes]; returns the loss. */
float internal_cross_entropy_row(const mtlf_context *context, int32_t classes, const float *logits, int32_t label,
                                 float smoothing, float scale, float *probabilities, float *d_logits,
                                 int32_t *predicted, int32_t *rank);
/* Into the view's first sample. */
void internal_load_sample(const mtlf_context *context, const mtlf_input_rows *input, int64_t row, uint64_t epoch,
                          const mtlf_view *output);
/* mask, output [height][width][channels]. */
void internal_augment_mask(const mtlf_augmentation *augmentation, int32_t height, int32_t width, int32_t channels,
                           const uint8_t *mask, int64_t row, uint64_t epoch, uint8_t *output);
/* outputs, targets [n]; sums [n or 1][5]. */
float internal_regression_sums(const mtlf_context *context, mtlf_loss loss, float delta, int32_t n,
                               const float *outputs, const float *targets, double *sums, int32_t sum_size);
/* The weight from its groups' gradients. */
void internal_weight_update(const mtlf_context *context, const mtlf_weight *weight, int32_t groups,
                            const mtlf_step *step);
/* The weight from input [N, K] and d_output [N, units], in one pass. */
void internal_dense_d_kernel_update(const mtlf_context *context, int32_t batch, const float *input,
                                    const float *d_output, const mtlf_weight *weight, const mtlf_step *step);

/* bfloat16, as the kernels round to it and widen it. */
uint16_t internal_bf16_of_f32(float x);
float internal_f32_of_bf16(uint16_t x);

/* ---- values.c: inputs of tests and comparisons ---- */

/* Whole numbers from -limit to limit; the same for the same seed. */
void reference_fill_integers(int64_t n, uint64_t seed, int32_t limit, float *values);
/* From -1 to 1, evenly. */
void reference_fill_reals(int64_t n, uint64_t seed, float *values);
void reference_widen(int64_t n, const float *values, double *doubles);
double reference_largest_magnitude(int64_t n, const double *values);
/* The first index where actual isn't the float nearest to expected, bit for bit (NaN equals NaN); -1 where all are. */
int64_t reference_first_difference(int64_t n, const float *actual, const double *expected);
/* The index of the largest |actual - expected|; any NaN that is not in both is the largest. */
int64_t reference_worst_error(int64_t n, const float *actual, const double *expected, double *error);
/* The same in units in the last place of float at expected. */
int64_t reference_worst_ulp(int64_t n, const float *actual, const double *expected, double *ulp);

/* ---- guarded.c: memory between two pages that trap ---- */

typedef enum reference_side {
  REFERENCE_FLUSH_RIGHT, /* ends at a trap */
  REFERENCE_FLUSH_LEFT   /* starts at a trap */
} reference_side;

/* bytes > 0. NULL where the system has no memory. */
void *reference_guarded_allocate(size_t bytes, reference_side side);
void reference_guarded_free(void *memory, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
