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

/* ---- loss ---- */

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

/* ---- optimizers: one pass over n values ---- */

typedef struct mtlf_adam {
  float learning_rate, beta1, beta2, epsilon;
} mtlf_adam;

/* Adam at optimizer step `step` (from 1):
 *   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
 *   w -= learning_rate * m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + epsilon) */
mtlf_status mtlf_adam_f32(const mtlf_adam *adam, int64_t step, int64_t n, float *w, float *m, float *v, const float *g,
                          const mtlf_context *context);

typedef struct mtlf_sgd {
  float learning_rate, momentum;
} mtlf_sgd;

/* velocity = momentum * velocity + g;  w -= learning_rate * velocity */
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
