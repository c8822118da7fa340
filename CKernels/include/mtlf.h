/* SPDX-License-Identifier: Apache-2.0
 * mtlf.h - kernels for training neural networks on CPUs, fp32, in C11.
 *
 * Images are [N, H, W, C], filters [KH, KW, C_in, C_out], dense kernels [K, N], logits [N, classes], labels int32 and
 * 0-based; everything row-major. `same` padding is the caller's: give the four pads (Keras puts the odd one at the
 * bottom and right).
 *
 * Every function checks its arguments and returns an mtlf_status; on an error its outputs are untouched. No function
 * allocates, prints, exits or keeps state; all are reentrant with one workspace per concurrent call. A call runs on
 * context->threads threads and gives the same bits for any number of them. A NULL context means the best instruction set
 * of this CPU (or the one that the environment variable MTLF_ISA names) on one thread.
 *
 * Arguments stand in the order: descriptor, inputs, outputs, workspace, context. */
#ifndef MTLF_H
#define MTLF_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MTLF_VERSION "0.1.0"

/* Workspaces start at a multiple of this many bytes. Tensors need only the alignment of their elements. */
#define MTLF_ALIGNMENT 64

/* ---- status ---- */

typedef enum mtlf_status {
  MTLF_OK = 0,
  MTLF_ERR_NULL_POINTER,        /* a required pointer is NULL */
  MTLF_ERR_BAD_SHAPE,           /* a size is not positive, overflows, or a window doesn't fit into its padded image */
  MTLF_ERR_BAD_VALUE,           /* a scalar is outside its range, or a label is outside its classes */
  MTLF_ERR_MISALIGNED,          /* the workspace is not MTLF_ALIGNMENT aligned */
  MTLF_ERR_WORKSPACE_TOO_SMALL, /* the workspace holds fewer bytes than mtlf_..._workspace_bytes says */
  MTLF_ERR_UNSUPPORTED_ISA      /* the instruction set that was asked for isn't there, or has no such name */
} mtlf_status;

/* One sentence for a status; never NULL. */
const char *mtlf_status_text(mtlf_status status);

/* ---- context ---- */

typedef enum mtlf_isa {
  MTLF_ISA_BEST = 0, /* what MTLF_ISA names, otherwise the best of this CPU */
  MTLF_ISA_SCALAR,
  MTLF_ISA_NEON,
  MTLF_ISA_AVX2,  /* and FMA */
  MTLF_ISA_AVX512 /* F, BW, VL, DQ */
} mtlf_isa;

typedef enum mtlf_conv_path {
  MTLF_CONV_DIRECT = 0, /* windows are read where they lie */
  MTLF_CONV_IM2COL      /* windows are copied into rows first, block by block */
} mtlf_conv_path;

/* How a call runs. Fill it with mtlf_context_init; copy it as you like. */
typedef struct mtlf_context {
  const struct mtlf_kernels *kernels; /* chosen by mtlf_context_init */
  int32_t threads;                    /* 1 or more */
  int32_t keep_denormals;             /* 0: kernels flush denormals to zero and restore the CPU's mode on return */
  mtlf_conv_path conv_path;
} mtlf_context;

/* Fills a context: `threads` of 0 means as many as the affinity mask and the OpenMP runtime allow. The convolution path
 * is what the environment variable MTLF_CONV (direct, im2col) says.
 * Returns MTLF_ERR_NULL_POINTER, MTLF_ERR_BAD_VALUE (threads < 0, unknown MTLF_CONV), MTLF_ERR_UNSUPPORTED_ISA. */
mtlf_status mtlf_context_init(mtlf_context *context, mtlf_isa isa, int32_t threads);

/* "avx512", "avx2", "neon" or "scalar"; of the default context where NULL. */
const char *mtlf_context_isa_name(const mtlf_context *context);

/* Whether this CPU (and operating system) runs the instruction set. */
int mtlf_isa_is_supported(mtlf_isa isa);

/* Whether the library was built with OpenMP; without it every call runs on one thread. */
int mtlf_has_openmp(void);

/* ---- packed matrices ----
 *
 * A [K, N] matrix packed for the register tiles is [ceil(N / panel)][K][panel], zero beyond column N. A filter is packed
 * as the [KH*KW*C_in, C_out] matrix that it is. `panel` depends on the instruction set. */

/* Columns of a panel: 32 (AVX-512), 16 (AVX2), 8 (NEON, scalar). */
int32_t mtlf_panel_columns(const mtlf_context *context);
/* Floats of a packed [rows, columns] matrix; 0 where a size is not positive or the product overflows. */
size_t mtlf_packed_floats(int64_t rows, int64_t columns, const mtlf_context *context);
/* packed from plain [rows, columns], and back. */
mtlf_status mtlf_pack_f32(int64_t rows, int64_t columns, const float *plain, float *packed,
                          const mtlf_context *context);
mtlf_status mtlf_unpack_f32(int64_t rows, int64_t columns, const float *packed, float *plain,
                            const mtlf_context *context);

/* ---- matrix product ---- */

/* mtlf_gemm_f32 - output = A * B.
 *
 *   a          [M, K]
 *   b          [K, N]
 *   output     [M, N]     may not overlap the inputs
 *   workspace  mtlf_gemm_workspace_bytes(k, n, context): B, packed
 *
 * Cost 2*M*N*K flop. Each element's sum runs over k in order. */
size_t mtlf_gemm_workspace_bytes(int64_t k, int64_t n, const mtlf_context *context);
mtlf_status mtlf_gemm_f32(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *output,
                          void *workspace, size_t workspace_bytes, const mtlf_context *context);

/* ---- convolution ---- */

/* A 2-D convolution. OH = (height + pad_top + pad_bottom - kernel_h) / stride_h + 1, OW likewise. */
typedef struct mtlf_conv2d {
  int32_t batch, height, width, channels_in, channels_out;
  int32_t kernel_h, kernel_w, stride_h, stride_w;
  int32_t pad_top, pad_bottom, pad_left, pad_right; /* each 0 or more and smaller than the kernel */
} mtlf_conv2d;

/* 0 where the descriptor is wrong. */
int32_t mtlf_conv2d_output_height(const mtlf_conv2d *conv);
int32_t mtlf_conv2d_output_width(const mtlf_conv2d *conv);

/* Bytes of workspace for any of the three passes; it grows with the number of threads, and with the
 * batch up to 16 images. 0 where the descriptor is wrong. */
size_t mtlf_conv2d_workspace_bytes(const mtlf_conv2d *conv, const mtlf_context *context);

/* mtlf_conv2d_forward_f32 - 2-D convolution with bias and optional ReLU.
 *
 *   output[n,oh,ow,k] = act(bias[k] + sum over (r,s,c) of
 *       input[n, oh*stride_h + r - pad_top, ow*stride_w + s - pad_left, c] * filter[r,s,c,k])
 *
 *   input      [N, H, W, C_in]         zero outside its bounds
 *   filter     [KH, KW, C_in, C_out]
 *   bias       [C_out], or NULL
 *   relu       0 or 1; NaN propagates
 *   output     [N, OH, OW, C_out]      may not overlap the inputs
 *
 * Cost       2*N*OH*OW*KH*KW*C_in*C_out flop.
 * Numerics   fp32; each element's sum starts at the bias and runs over (r,s,c) in order, fused multiply-add where the
 *            instruction set has it. */
mtlf_status mtlf_conv2d_forward_f32(const mtlf_conv2d *conv, const float *input, const float *filter, const float *bias,
                                    int32_t relu, float *output, void *workspace, size_t workspace_bytes,
                                    const mtlf_context *context);

/* mtlf_conv2d_max_pool2d_forward_f32 - convolution, bias, optional ReLU and 2x2 max-pool with stride 2 in one pass.
 *
 *   output     [N, OH/2, OW/2, C_out]  an odd last row or column is dropped
 *   gate       [N, OH/2, OW/2, C_out]  0...3: row-major position of the maximum (the first of equals);
 *                                      4: ReLU cut it, no gradient passes
 * The other arguments are those of mtlf_conv2d_forward_f32. */
mtlf_status mtlf_conv2d_max_pool2d_forward_f32(const mtlf_conv2d *conv, const float *input, const float *filter,
                                               const float *bias, int32_t relu, float *output, uint8_t *gate,
                                               void *workspace, size_t workspace_bytes, const mtlf_context *context);

/* mtlf_conv2d_max_pool2d_backward_f32 - the way back through pool and ReLU, to what d_input and d_filter take.
 *
 *   d_output   [N, OH/2, OW/2, C_out]
 *   gate       [N, OH/2, OW/2, C_out]  from the forward pass
 *   d_unpooled [N, OH, OW, C_out]      every element is written, most of them with zero */
mtlf_status mtlf_conv2d_max_pool2d_backward_f32(const mtlf_conv2d *conv, const float *d_output, const uint8_t *gate,
                                                float *d_unpooled, const mtlf_context *context);

/* mtlf_conv2d_d_input_f32 - gradient of the input.
 *
 *   filter     [KH, KW, C_in, C_out]
 *   d_output   [N, OH, OW, C_out]      before the activation
 *   d_input    [N, H, W, C_in]         every element is written */
mtlf_status mtlf_conv2d_d_input_f32(const mtlf_conv2d *conv, const float *filter, const float *d_output, float *d_input,
                                    void *workspace, size_t workspace_bytes, const mtlf_context *context);

/* mtlf_conv2d_d_filter_f32 - gradients of filter and bias, summed over the batch.
 *
 *   input      [N, H, W, C_in]
 *   d_output   [N, OH, OW, C_out]
 *   d_filter   [KH, KW, C_in, C_out]
 *   d_bias     [C_out], or NULL */
mtlf_status mtlf_conv2d_d_filter_f32(const mtlf_conv2d *conv, const float *input, const float *d_output,
                                     float *d_filter, float *d_bias, void *workspace, size_t workspace_bytes,
                                     const mtlf_context *context);

/* mtlf_im2col_f32 - one image's windows as rows.
 *
 *   image      [H, W, C_in]
 *   columns    [OH*OW, KH*KW*C_in]     zero where a window reaches beyond the image
 *
 * `conv->batch` and `conv->channels_out` are not read, but checked. */
mtlf_status mtlf_im2col_f32(const mtlf_conv2d *conv, const float *image, float *columns);
/* mtlf_col2im_f32 - the transpose of im2col: adds each row of columns to its window of the image, [H, W, C_in]. */
mtlf_status mtlf_col2im_f32(const mtlf_conv2d *conv, const float *columns, float *image);

/* ---- pooling ---- */

/* A pooling window. OH and OW as for convolutions. */
typedef struct mtlf_pool2d {
  int32_t batch, height, width, channels;
  int32_t pool_h, pool_w, stride_h, stride_w;
  int32_t pad_top, pad_bottom, pad_left, pad_right; /* each 0 or more and smaller than the window */
} mtlf_pool2d;

/* 0 where the descriptor is wrong. */
int32_t mtlf_pool2d_output_height(const mtlf_pool2d *pool);
int32_t mtlf_pool2d_output_width(const mtlf_pool2d *pool);

/* Max pooling. input [N, H, W, C]; output [N, OH, OW, C]; argmax [N, OH, OW, C], the index h*W + w in the image of the
 * first maximum in row-major order; NaN propagates. argmax may be NULL where no gradient is wanted. */
mtlf_status mtlf_max_pool2d_forward_f32(const mtlf_pool2d *pool, const float *input, float *output, int32_t *argmax,
                                        const mtlf_context *context);
/* d_input [N, H, W, C], every element is written: each d_output element is added where argmax points. */
mtlf_status mtlf_max_pool2d_backward_f32(const mtlf_pool2d *pool, const float *d_output, const int32_t *argmax,
                                         float *d_input, const mtlf_context *context);
/* Average pooling: the mean over the window's elements inside the image. input [N, H, W, C]; output [N, OH, OW, C]. */
mtlf_status mtlf_avg_pool2d_forward_f32(const mtlf_pool2d *pool, const float *input, float *output,
                                        const mtlf_context *context);
mtlf_status mtlf_avg_pool2d_backward_f32(const mtlf_pool2d *pool, const float *d_output, float *d_input,
                                         const mtlf_context *context);

/* ---- dense layers ---- */

/* A fully connected layer: `batch` rows of `inputs` values to `units` values. */
typedef struct mtlf_dense {
  int32_t batch, inputs, units;
} mtlf_dense;

/* Bytes of workspace for any of the three passes. */
size_t mtlf_dense_workspace_bytes(const mtlf_dense *dense, const mtlf_context *context);

/* output = act(input * kernel + bias). input [N, K]; kernel [K, units]; bias [units] or NULL; output [N, units]. */
mtlf_status mtlf_dense_forward_f32(const mtlf_dense *dense, const float *input, const float *kernel, const float *bias,
                                   int32_t relu, float *output, void *workspace, size_t workspace_bytes,
                                   const mtlf_context *context);
/* d_input = d_output * kernel^T. d_output [N, units], before the activation; d_input [N, K]. */
mtlf_status mtlf_dense_d_input_f32(const mtlf_dense *dense, const float *kernel, const float *d_output, float *d_input,
                                   void *workspace, size_t workspace_bytes, const mtlf_context *context);
/* d_kernel = input^T * d_output, d_bias = column sums of d_output, over the batch in order. d_bias may be NULL. */
mtlf_status mtlf_dense_d_kernel_f32(const mtlf_dense *dense, const float *input, const float *d_output, float *d_kernel,
                                    float *d_bias, void *workspace, size_t workspace_bytes,
                                    const mtlf_context *context);

/* ---- elementwise, n values ---- */

/* y = max(0, x); may be in place. */
mtlf_status mtlf_relu_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context);
/* d_input = y > 0 ? d_output : 0; may be in place. */
mtlf_status mtlf_relu_backward_f32(int64_t n, const float *y, const float *d_output, float *d_input,
                                   const mtlf_context *context);
/* y = 1 / (1 + exp(-x)), error below 4 ULP for |x| <= 87, below 2e-38 beyond; may be in place. */
mtlf_status mtlf_sigmoid_forward_f32(int64_t n, const float *x, float *y, const mtlf_context *context);
/* d_input = d_output * y * (1 - y); may be in place. */
mtlf_status mtlf_sigmoid_backward_f32(int64_t n, const float *y, const float *d_output, float *d_input,
                                      const mtlf_context *context);
/* exp(x), error below 2 ULP for |x| <= 87; clamped beyond. */
mtlf_status mtlf_exp_f32(int64_t n, const float *x, float *y, const mtlf_context *context);

/* ---- upsampling ---- */

/* Nearest-neighbour upsampling: each pixel becomes scale_h x scale_w pixels. */
typedef struct mtlf_upsample2d {
  int32_t batch, height, width, channels, scale_h, scale_w;
} mtlf_upsample2d;

/* output[n,y,x,c] = input[n, y / scale_h, x / scale_w, c].
 * input [N, H, W, C]; output [N, H*scale_h, W*scale_w, C], may not overlap the input.
 * Returns MTLF_ERR_BAD_SHAPE where a size is not positive or above 2^20, or the product overflows. */
mtlf_status mtlf_upsample2d_forward_f32(const mtlf_upsample2d *upsample, const float *input, float *output,
                                        const mtlf_context *context);
/* d_input [N, H, W, C], every element is written: the sum of its scale_h * scale_w pixels of d_output, row by row. */
mtlf_status mtlf_upsample2d_backward_f32(const mtlf_upsample2d *upsample, const float *d_output, float *d_input,
                                         const mtlf_context *context);

/* ---- batch normalisation ---- */

/* Normalisation of each channel over a minibatch (Ioffe and Szegedy, Batch Normalization, 2015). An input of `pixels` rows
 * of `channels` values: images [N, H, W, C] with pixels = N*H*W, or vectors [N, C] with pixels = N. */
typedef struct mtlf_normalization {
  int64_t pixels;
  int32_t channels;
  float momentum; /* 0...1: the share of the old running statistics that is kept */
  float epsilon;  /* above 0, added to the variance */
} mtlf_normalization;

/* Bytes of workspace for any of the three passes; they don't depend on `pixels`. 0 where `channels` is not in 1...2^20. */
size_t mtlf_batch_norm_workspace_bytes(int32_t channels);

/* mtlf_batch_norm_training_forward_f32 - normalises by the batch's statistics and updates the running ones.
 *
 *   mean[c] = sum of input[i,c] / pixels;  variance[c] = sum of input[i,c]^2 / pixels - mean[c]^2, not below 0
 *   inverse_deviation[c] = 1 / sqrt(variance[c] + epsilon)
 *   output[i,c] = gamma[c] * (input[i,c] - mean[c]) * inverse_deviation[c] + beta[c]
 *   running_... = momentum * running_... + (1 - momentum) * that of the batch (the biased variance)
 *
 *   input              [pixels, C]
 *   gamma, beta        [C]
 *   running_mean       [C]            read and written; so is running_variance [C]
 *   output             [pixels, C]    may be the input
 *   mean               [C]            for the backward pass; so is inverse_deviation [C]
 *
 * Numerics   Sums in double. The output is computed as scale * input + shift, with shift = beta - mean * scale.
 * Threads    Sums are made in up to 16 groups of rows and added up in order: the same bits for any number of threads, and
 *            for every instruction set.
 *
 * Returns MTLF_ERR_NULL_POINTER, MTLF_ERR_BAD_SHAPE, MTLF_ERR_BAD_VALUE (momentum, epsilon), MTLF_ERR_MISALIGNED or
 * MTLF_ERR_WORKSPACE_TOO_SMALL. */
mtlf_status mtlf_batch_norm_training_forward_f32(const mtlf_normalization *norm, const float *input, const float *gamma,
                                                 const float *beta, float *running_mean, float *running_variance,
                                                 float *output, float *mean, float *inverse_deviation, void *workspace,
                                                 size_t workspace_bytes, const mtlf_context *context);
/* The same with the running statistics in place of the batch's, which stay as they are. Sums nothing. */
mtlf_status mtlf_batch_norm_inference_forward_f32(const mtlf_normalization *norm, const float *input,
                                                  const float *gamma, const float *beta, const float *running_mean,
                                                  const float *running_variance, float *output, void *workspace,
                                                  size_t workspace_bytes, const mtlf_context *context);
/* mtlf_batch_norm_backward_f32 - gradients through the batch's statistics. With n = (input - mean) * inverse_deviation:
 *
 *   d_beta[c] = sum over i of d_output[i,c];  d_gamma[c] = sum over i of d_output[i,c] * n[i,c]
 *   d_input[i,c] = gamma[c] * inverse_deviation[c] * (d_output[i,c] - (d_beta[c] + n[i,c] * d_gamma[c]) / pixels)
 *
 *   input              [pixels, C]    of the forward pass
 *   mean               [C]            from the forward pass; so is inverse_deviation [C]
 *   d_output           [pixels, C]
 *   d_input            [pixels, C]    may be d_output
 *   d_gamma, d_beta    [C] */
mtlf_status mtlf_batch_norm_backward_f32(const mtlf_normalization *norm, const float *input, const float *gamma,
                                         const float *mean, const float *inverse_deviation, const float *d_output,
                                         float *d_input, float *d_gamma, float *d_beta, void *workspace,
                                         size_t workspace_bytes, const mtlf_context *context);

/* ---- losses ---- */

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
  MTLF_MAX_MASKS = 512          /* channels of a binary mask */
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

/* ---- optimizers: one pass over n values ---- */

typedef struct mtlf_adam {
  float learning_rate, beta1, beta2, epsilon;
  float weight_decay; /* 0: none */
} mtlf_adam;

/* Adam at optimizer step `step` (from 1):
 *   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
 *   w -= learning_rate * weight_decay * w
 *   w -= learning_rate * m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + epsilon)
 * The decay does not pass through m and v (Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019). */
mtlf_status mtlf_adam_f32(const mtlf_adam *adam, int64_t step, int64_t n, float *w, float *m, float *v, const float *g,
                          const mtlf_context *context);

typedef struct mtlf_sgd {
  float learning_rate, momentum;
  float weight_decay; /* 0: none */
} mtlf_sgd;

/* velocity = momentum * velocity + g + weight_decay * w;  w -= learning_rate * velocity */
mtlf_status mtlf_sgd_f32(const mtlf_sgd *sgd, int64_t n, float *w, float *velocity, const float *g,
                         const mtlf_context *context);

/* ---- random numbers ---- */

/* Counter-based: Philox 4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011). Element i of a
 * stream depends on (key, stream, i) alone. */
void mtlf_random_u32(uint64_t key, uint64_t stream, uint64_t first, size_t n, uint32_t *values);
/* Uniform in [low, high), 24 bits. */
void mtlf_random_uniform_f32(uint64_t key, uint64_t stream, uint64_t first, size_t n, float low, float high,
                             float *values);

#ifdef __cplusplus
}
#endif

#endif
