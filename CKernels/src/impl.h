/* SPDX-License-Identifier: Apache-2.0
 * What the files of CKernels share: contexts resolved, threads, and the passes over buffers that are known to be right. */
#ifndef MTLF_IMPL_H
#define MTLF_IMPL_H

#include "kernels.h"
#include "mtlf.h"
#include "mtlf_plan.h"

enum {
  /* Output pixels that one pass works on while their inputs are in L1: a multiple of every tile_rows and pool_rows. */
  MTLF_STRIP = 120,
  /* Rows (samples, or inputs of a weight) of one block of a dense pass: a multiple of every tile_rows. */
  MTLF_BLOCK_ROWS = 96
};

static inline int64_t mtlf_divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t mtlf_least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t mtlf_round_up(int64_t a, int64_t multiple) { return mtlf_divide_up(a, multiple) * multiple; }

/* ---- context.c, cpu_features.c, dispatch.c ---- */

/* A context with nothing left to find out; `context` may be NULL. */
mtlf_status mtlf_resolve(const mtlf_context *context, mtlf_context *resolved);
/* NULL where the instruction set isn't supported. */
const mtlf_kernels *mtlf_kernels_for(mtlf_isa isa);

/* ---- parallel.c ---- */

typedef void (*mtlf_team_body)(void *argument, int thread, int team_size);
/* Runs body on a team of up to `threads` and returns the team's size. Sets the denormal mode of each thread around it. */
int mtlf_run_team(int threads, int keep_denormals, mtlf_team_body body, void *argument);
void mtlf_team_barrier(void);
int mtlf_available_threads(void);

/* Calls body(argument, unit, thread) for every unit, on a team, each unit once. */
typedef void (*mtlf_unit_body)(void *argument, int64_t unit, int thread);
void mtlf_run_units(const mtlf_context *context, int64_t units, mtlf_unit_body body, void *argument);

/* ---- convolution over buffers that hold every window: conv2d.c ---- */

typedef struct {
  int32_t output_h, output_w; /* pixels computed; with `windows` both even */
  int32_t kernel_h, window;   /* window = KW * C_in floats, contiguous in the input */
  int32_t channels_in, units;
  int32_t stride_h, stride_w;
  int32_t windows; /* pixels are taken by 2x2 pool windows, four neighbours one after the other */
  mtlf_conv_path path;
} mtlf_conv_shape;

/* Images in a buffer: `data` is the first pixel that the first window covers. */
typedef struct {
  float *data;
  ptrdiff_t sample_stride, row_stride;
} mtlf_images;

/* Workspaces of the three passes: MTLF_STRIP x (units, and kernel_h * window on the im2col path) floats.
 *
 * output [samples] images, or pooled with gate [samples][OH/2][OW/2][units] at gate_stride bytes a sample. */
void mtlf_conv_forward(const mtlf_kernels *kernels, const mtlf_conv_shape *shape, int32_t samples, mtlf_images input,
                       const float *kernel, const float *bias, int relu, mtlf_images output, uint8_t *gate,
                       ptrdiff_t gate_stride, float *workspace);
/* The gradient of a convolution's output: [samples][pixels][units]; or, with a gate, of the pooled output. */
typedef struct {
  mtlf_images images;
  const uint8_t *gate;
  ptrdiff_t gate_stride;
} mtlf_d_output;

/* Adds to d_input. */
void mtlf_conv_d_input(const mtlf_kernels *kernels, const mtlf_conv_shape *shape, int32_t samples,
                       mtlf_d_output d_output, const float *transposed, mtlf_images d_input, float *workspace);
/* gradient: packed kernel; bias_gradient [units]. Both are overwritten unless `accumulate`. */
void mtlf_conv_d_filter(const mtlf_kernels *kernels, const mtlf_conv_shape *shape, int32_t samples, mtlf_images input,
                        mtlf_d_output d_output, float *gradient, float *bias_gradient, int accumulate,
                        float *workspace);
/* Floats of the transposed form of a packed [inputs, units] kernel. */
size_t mtlf_transposed_floats(const mtlf_kernels *kernels, int64_t inputs, int64_t units, int64_t window);
/* Rows first...first+rows of a packed panel of `columns` units, at `from`, into the transposed form. */
void mtlf_transpose_rows(const mtlf_kernels *kernels, int32_t window, int32_t units, const float *from, int32_t first,
                         int32_t rows, int32_t panel, float *transposed);

/* ---- dense passes by block: dense.c ---- */

int32_t mtlf_dense_row_block(const mtlf_kernels *kernels, int32_t batch);
int64_t mtlf_dense_forward_units(const mtlf_kernels *kernels, int32_t batch, int32_t units);
void mtlf_dense_forward_unit(const mtlf_kernels *kernels, int32_t batch, int32_t inputs, int32_t units,
                             const float *input, ptrdiff_t input_stride, const float *kernel, const float *bias,
                             int relu, float *output, ptrdiff_t output_stride, int64_t unit);
int64_t mtlf_dense_d_input_units(int32_t inputs);
void mtlf_dense_d_input_unit(const mtlf_kernels *kernels, int32_t batch, int32_t inputs, const mtlf_dense_term *terms,
                             int32_t term_count, const float *mask, ptrdiff_t mask_stride, float *d_input,
                             ptrdiff_t d_input_stride, float *packed, int64_t unit);
int64_t mtlf_dense_d_kernel_units(const mtlf_kernels *kernels, int32_t inputs, int32_t units);
/* Where update is NULL, d_kernel (packed) and d_bias are written; otherwise the weight is updated, and not 0 is returned
 * where a gradient isn't finite. */
int mtlf_dense_d_kernel_unit(const mtlf_kernels *kernels, int32_t batch, int32_t inputs, int32_t units,
                             const float *input, ptrdiff_t input_stride, const float *d_output,
                             ptrdiff_t d_output_stride, float *d_kernel, float *d_bias, const mtlf_weight *weight,
                             const mtlf_step *step, const mtlf_update_scalars *update, int64_t unit);
/* packed[sample / panel][unit][sample % panel] = rows[sample][unit] for samples first...first+samples. */
void mtlf_pack_samples(const mtlf_kernels *kernels, int32_t units, const float *rows, ptrdiff_t row_stride,
                       int32_t first, int32_t samples, float *packed);

/* ---- optimizer.c ---- */

mtlf_update_scalars mtlf_update_scalars_of(const mtlf_step *step);
/* The same for a bias, or another parameter that doesn't decay. */
mtlf_update_scalars mtlf_without_decay(const mtlf_update_scalars *scalars);
/* n packed values of a weight, or of its bias. Not 0: a gradient is NaN or infinite. */
int mtlf_update(const mtlf_kernels *kernels, const mtlf_step *step, const mtlf_update_scalars *scalars, float *values,
                float *slot0, float *slot1, const float *gradient, size_t n);
int64_t mtlf_weight_update_units(const mtlf_kernels *kernels, const mtlf_weight *weight);
/* From the sum of the groups' gradients, times clip's factor unless clip is NULL. Not 0: a gradient isn't finite. */
int mtlf_weight_update_unit(const mtlf_kernels *kernels, const mtlf_weight *weight, int groups, const mtlf_step *step,
                            const mtlf_update_scalars *scalars, const mtlf_clip *clip, int64_t unit);
/* Sums the groups' gradients of a unit into the first one and returns the sum of its squares. */
double mtlf_weight_square_sum_unit(const mtlf_kernels *kernels, const mtlf_weight *weight, int groups, int64_t unit);
/* Norm and factor from the squares. */
void mtlf_clip_finish(mtlf_clip *clip);

/* ---- pool2d.c ---- */

typedef struct {
  int32_t height, width, channels, output_h, output_w;
  int32_t pool_h, pool_w, stride_h, stride_w, pad_top, pad_left;
} mtlf_pool_shape;

void mtlf_max_pool(const mtlf_pool_shape *shape, const float *input, ptrdiff_t input_row, float *output,
                   ptrdiff_t output_row, int32_t *argmax);
void mtlf_max_pool_backward(const mtlf_pool_shape *shape, const float *d_output, ptrdiff_t d_output_row,
                            const int32_t *argmax, float *d_input, ptrdiff_t d_input_row);
void mtlf_avg_pool(const mtlf_pool_shape *shape, const float *input, ptrdiff_t input_row, float *output,
                   ptrdiff_t output_row);
void mtlf_avg_pool_backward(const mtlf_pool_shape *shape, const float *d_output, ptrdiff_t d_output_row, float *d_input,
                            ptrdiff_t d_input_row);

/* ---- softmax_cross_entropy.c ---- */

void mtlf_softmax_row(const mtlf_kernels *kernels, int32_t classes, const float *logits, float *probabilities);
/* One row; label in 0...classes-1. The target is 1 - smoothing on the label plus smoothing / classes on every class.
 * probabilities is written; d_logits += scale * (probabilities - target), unless NULL. predicted is the largest logit's
 * class, the first of equals; rank the number of classes that stand before the label in that order (0: correct).
 * Returns the row's loss. */
float mtlf_cross_entropy_row(const mtlf_kernels *kernels, int32_t classes, const float *logits, int32_t label,
                             float smoothing, float scale, float *probabilities, float *d_logits, int32_t *predicted,
                             int32_t *rank);

/* ---- losses of one sample with many elements: pixel_cross_entropy.c, mask_loss.c, regression_loss.c ---- */

/* What a sample adds to its head's sums. */
typedef struct {
  float loss;      /* mean over the present elements, weighted where there are class weights */
  int32_t present; /* elements that have a target; where 0, nothing was added anywhere */
} mtlf_sample_loss;

/* Softmax cross-entropy of each pixel: logits, probabilities, d_logits [pixels][classes], mask [pixels] of classes or
 * MTLF_IGNORED (anything else outside 0...classes-1 is ignored too). probabilities is written for every pixel (NULL:
 * unwanted); d_logits (or NULL) += scale * gradient of the sample's loss. class_weights [classes] or NULL.
 * confusion [classes][classes], true x predicted, is added to unless NULL. classes: at most MTLF_MAX_PIXEL_CLASSES. */
mtlf_sample_loss mtlf_pixel_cross_entropy_sample(const mtlf_kernels *kernels, int32_t pixels, int32_t classes,
                                                 const float *logits, const uint8_t *mask, const float *class_weights,
                                                 float smoothing, float scale, float *probabilities, float *d_logits,
                                                 int64_t *confusion);

/* Sigmoid losses of `channels` independent masks: logits, probabilities, d_logits, mask [pixels][channels]; mask 0, 1 or
 * MTLF_IGNORED. loss: MTLF_LOSS_BINARY_CROSS_ENTROPY, MTLF_LOSS_DICE (1 - (2 sum pt + 1) / (sum p + sum t + 1) of each
 * channel's present pixels, mean over the channels that have any; Milletari et al., V-Net, 2016), or their sum.
 * class_weights [2] (of 0 and of 1, of the cross-entropy alone) or NULL; smoothing s: target t (1 - s) + s / 2 (same).
 * counts [channels][4] = true negatives, false positives, false negatives, true positives (p > 1/2), added to unless
 * NULL. channels: at most MTLF_MAX_MASKS. */
mtlf_sample_loss mtlf_mask_sample(const mtlf_kernels *kernels, mtlf_loss loss, int32_t pixels, int32_t channels,
                                  const float *logits, const uint8_t *mask, const float *class_weights, float smoothing,
                                  float scale, float *probabilities, float *d_logits, int64_t *counts);

/* Mean squared, mean absolute or Huber error of n outputs; a NaN target is missing. Huber: e^2 / 2 for |e| <= delta,
 * delta (|e| - delta / 2) beyond. sums [n or 1][MTLF_REGRESSION_SUMS] (of each output, or of all where sum_size is
 * MTLF_REGRESSION_SUMS) = count, sum |e|, sum e^2, sum t, sum t^2; added to unless NULL. */
mtlf_sample_loss mtlf_regression_sample(const mtlf_kernels *kernels, mtlf_loss loss, float delta, int32_t n,
                                        const float *outputs, const float *targets, float scale, float *d_outputs,
                                        double *sums, int32_t sum_size);

/* ---- loss_sum.c: what the losses of mtlf.h share ---- */

/* Calls body for every sample of a batch, on a team. */
typedef mtlf_sample_loss (*mtlf_sample_body)(const void *argument, const mtlf_kernels *kernels, int64_t sample);
mtlf_loss_sum mtlf_sum_losses(const mtlf_context *context, int32_t batch, mtlf_sample_body body, const void *argument);
/* Whether [batch][rows][columns] is a shape, and a sample's elements can be counted. */
int mtlf_elements_fit(int32_t batch, int32_t rows, int32_t columns);
/* Whether weights [n] are finite and not negative; NULL is right. */
int mtlf_weights_are_right(int32_t n, const float *weights);

/* ---- input.c: rows of a data set on their way into the first layer ---- */

/* Writes one sample, [height][width][channels] at output (rows row_stride apart): scaled or normalised, augmented where
 * the input says so. `row` of -1 writes zeros. */
void mtlf_load_sample(const mtlf_kernels *kernels, const mtlf_step_input *input, int32_t height, int32_t width,
                      int32_t channels, int64_t row, uint64_t epoch, float *output, ptrdiff_t row_stride);
/* Moves a mask [height][width][channels] as its image is moved; what comes from outside is MTLF_IGNORED. */
void mtlf_augment_mask(const mtlf_augmentation *augmentation, int32_t height, int32_t width, int32_t channels,
                       const uint8_t *mask, int64_t row, uint64_t epoch, uint8_t *output);

/* ---- upsample2d.c: nearest neighbour, one sample ---- */

/* output [height * scale_h][width * scale_w][channels] */
void mtlf_upsample(int32_t height, int32_t width, int32_t channels, int32_t scale_h, int32_t scale_w,
                   const float *input, ptrdiff_t input_row, float *output, ptrdiff_t output_row);
/* Adds to d_input. */
void mtlf_upsample_backward(const mtlf_kernels *kernels, int32_t height, int32_t width, int32_t channels,
                            int32_t scale_h, int32_t scale_w, const float *d_output, ptrdiff_t d_output_row,
                            float *d_input, ptrdiff_t d_input_row);

/* ---- batch_norm.c: runs of pixels [pixels][channels], sums by group (Ioffe and Szegedy, 2015) ---- */

/* sums[group] += sum x, sum x^2, in double. */
void mtlf_batch_norm_sums(const mtlf_batch_norm *norm, int group, size_t pixels, const float *x);
/* Of all groups, in their order: mean, biased variance, scale and shift of this step from gamma and beta, and the running
 * statistics; or, where count is 0, scale and shift from the running statistics. Clears nothing. */
void mtlf_batch_norm_finish(const mtlf_batch_norm *norm, const float *gamma, const float *beta, int groups,
                            int64_t count);
/* y = scale * x + shift */
void mtlf_batch_norm_apply(const mtlf_batch_norm *norm, size_t pixels, const float *x, float *y);
/* d_sums[group] += sum d, sum d * normalised x, in double. */
void mtlf_batch_norm_d_sums(const mtlf_batch_norm *norm, int group, size_t pixels, const float *x, const float *d);
/* The batch's means of both; and each group's share as gradient of gamma and beta. */
void mtlf_batch_norm_d_finish(const mtlf_batch_norm *norm, int groups, int64_t count, float *gamma_gradient,
                              float *beta_gradient, size_t gradient_stride);
/* d_x = scale * (d - mean d - normalised x * mean (d * normalised x)); d_x may be d */
void mtlf_batch_norm_d_input(const mtlf_batch_norm *norm, size_t pixels, const float *x, const float *d, float *d_x);

/* ---- random.c ---- */

/* y = x * mask / (1 - rate), the mask of element i drawn from (key, stream, i). */
void mtlf_dropout(uint64_t key, uint64_t stream, float rate, const float *x, float *y, size_t n);

#endif
