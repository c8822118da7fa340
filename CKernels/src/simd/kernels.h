/* SPDX-License-Identifier: Apache-2.0
 * The table of kernels that every instruction set fills: two register tiles and the loops over vectors.
 *
 * A packed panel is [K][panel] floats: `panel` neighbouring columns (output channels or units) of a [K, N] matrix, zero
 * beyond column N. The register tiles work on one panel at a time. */
#ifndef MTLF_SIMD_KERNELS_H
#define MTLF_SIMD_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "mtlf/elementwise.h"

enum { MTLF_MAX_TILE_ROWS = 12, MTLF_MAX_PANEL = 32 };

/* What the tile does with its sums. */
typedef enum {
  MTLF_TILE_STORE, /* c[i] = sums */
  MTLF_TILE_ADD,   /* c[i] += sums */
  MTLF_TILE_POOL   /* rows are 2x2 windows, four rows each: c[w] = max of the four, gate[w] = which one */
} mtlf_tile_mode;

/* The gate of a fused 2x2 max-pool: 0...3, the row-major position of the maximum, or MTLF_GATE_CLOSED where ReLU cut it. */
enum { MTLF_GATE_CLOSED = 4 };

/* sums[i][j] = bias[j] + sum over s < segments, q < k of a[i][s * segment_stride + q] * b[(s * k + q) * panel + j]
 *
 * The order of the sum is that of b and the same for every number of rows: a row's result doesn't depend on its tile. */
typedef struct {
  const float *a[MTLF_MAX_TILE_ROWS];
  const float *b;
  const float *bias; /* [panel], or NULL */
  size_t k, segments;
  ptrdiff_t segment_stride;
  int is_scattered; /* segments lie so far apart that the next one is worth asking for */
  float *c[MTLF_MAX_TILE_ROWS];
  uint8_t *gate[MTLF_MAX_TILE_ROWS / 4];
  int rows, columns; /* 1...tile_rows (a multiple of 4 up to pool_rows for pools), 1...panel */
  mtlf_tile_mode mode;
  int relu;
} mtlf_gemm_tile;

/* c[i][j] = (accumulate ? c[i][j] : 0) + sum over p < count of a[offset[p] + i] * d[p * d_stride + j]
 *
 * c is [rows][panel]; its columns beyond `columns` are written as zero (or left as they were, when zero). */
typedef struct {
  const float *a;
  const ptrdiff_t *offset; /* [count] */
  const float *d;
  ptrdiff_t d_stride;
  size_t count;
  float *c;
  int rows, columns;
  int accumulate;
} mtlf_outer_tile;

/* An optimizer's settings of one step, as scalars. */
typedef struct {
  float learning_rate;
  float beta1, beta2, epsilon;    /* Adam */
  float correction1, correction2; /* Adam: 1 / (1 - beta^step) */
  float momentum;                 /* SGD */
  float weight_decay;
} mtlf_update_scalars;

/* The rows that a run of mask logits adds to: of each column, over its present elements. */
typedef enum {
  MTLF_MASK_LOSS,  /* weighted cross-entropy */
  MTLF_MASK_ZEROS, /* elements whose label is 0 */
  MTLF_MASK_ONES,
  MTLF_MASK_P_OF_ZEROS, /* sum of their probabilities */
  MTLF_MASK_P_OF_ONES,
  MTLF_MASK_POSITIVE_ZEROS, /* those of them whose logit is above 0 */
  MTLF_MASK_POSITIVE_ONES,
  MTLF_MASK_SUMS
} mtlf_mask_sum;

/* n neighbouring mask logits z with labels 0, 1 or anything else (missing); element i is in column i % period. With
 * p = 1 / (1 + exp(-z)), of label l:
 *   mask_forward   probabilities = p; sums += what mtlf_mask_sum says, with the cross-entropy
 *                  weight[l] * (log(1 + exp(-|z|)) + target[l] * max(-z, 0) + (1 - target[l]) * max(z, 0))
 *   mask_backward  d_logits += weight[l] * (p - target[l]) + slopes[l][i % period] * p * (1 - p), where present */
typedef struct {
  size_t n, period; /* period: n or less only as a multiple of 16 */
  const float *logits;
  const uint8_t *mask;
  float *probabilities; /* mask_backward reads them */
  float *d_logits;
  float weight[2], target[2];
  float *sums;            /* [MTLF_MASK_SUMS][period] */
  const float *slopes[2]; /* [period] */
} mtlf_mask_run;

/* Softmax cross-entropy of n pixels, which lie side by side: class c of pixel i is [c * stride + i].
 *
 * loss = weight * (log sum + (1 - smoothing) * (max - logit of the label) + smoothing * mean of (max - logit))
 * gradient = scale * weight * (p - target); both are 0 where the weight is, whatever the logits are. */
typedef struct {
  size_t n;
  int32_t classes;
  ptrdiff_t stride;
  float *values;        /* logits, then probabilities */
  float *gradient;      /* or NULL */
  const float *labels;  /* [n], whole numbers; what isn't a class takes no part in loss and gradient */
  const float *weights; /* [n] */
  float smoothing, scale;
  float *loss, *predicted; /* [n]; predicted is the first of the largest */
} mtlf_softmax_columns;

typedef struct mtlf_kernels {
  const char *name;
  mtlf_isa isa;
  int panel;     /* columns of a packed panel, a multiple of the vector length */
  int tile_rows; /* rows of a full tile */
  int pool_rows; /* rows of a full tile of 2x2 windows */

  void (*gemm_tile)(const mtlf_gemm_tile *tile);
  void (*outer_tile)(const mtlf_outer_tile *tile);

  /* y[i] = scale * x[i] */
  void (*scale_bytes)(const uint8_t *x, float *y, size_t n, float scale);
  void (*scale_floats)(const float *x, float *y, size_t n, float scale);
  /* y[i] = factors[i] * x[i] + offsets[i], two roundings on every instruction set */
  void (*affine_bytes)(const uint8_t *x, const float *factors, const float *offsets, float *y, size_t n);
  void (*affine_floats)(const float *x, const float *factors, const float *offsets, float *y, size_t n);
  /* y += x */
  void (*add)(const float *x, float *y, size_t n);
  /* y = a * b; y may be either */
  void (*multiply)(const float *a, const float *b, float *y, size_t n);
  /* y = f(x) */
  void (*activation_forward[MTLF_ACTIVATION_COUNT])(const float *x, float *y, size_t n);
  /* d_input = d_output * f', from what mtlf_activation says */
  void (*activation_backward[MTLF_ACTIVATION_COUNT])(const float *value, const float *d_output, float *d_input,
                                                     size_t n);
  /* y[i] = the sum of copy[c][i], c < copies, in a fixed tree; copies lie `stride` floats apart */
  void (*sum_copies)(const float *copy, size_t stride, int copies, float *y, size_t n);
  /* y[j] += sum over p < count of d[p * stride + j], in order */
  void (*column_sums)(const float *d, ptrdiff_t stride, size_t count, float *y, size_t n);
  /* d_window[q][c] = gate[c] == q ? d_pooled[c] : 0 for the four rows q of one window */
  void (*unpool)(const float *d_pooled, const uint8_t *gate, float *d_window, size_t channels);
  /* y[c][r] = x[r][c], r < rows, c < columns; where mask is given, only if mask[c][r] > 0, otherwise 0 */
  void (*transpose)(const float *x, ptrdiff_t x_stride, int rows, int columns, float *y, ptrdiff_t y_stride,
                    const float *mask, ptrdiff_t mask_stride);
  /* exp(x - max), in place of x's copy in y; returns their sum, in a fixed order */
  float (*exp_sum)(const float *x, float max, float *y, size_t n);
  void (*softmax_columns)(const mtlf_softmax_columns *columns);
  void (*mask_forward)(const mtlf_mask_run *run);
  void (*mask_backward)(const mtlf_mask_run *run);
  /* Not 0: a gradient is NaN or infinite. */
  int (*adam)(float *w, float *m, float *v, const float *g, size_t n, const mtlf_update_scalars *s);
  int (*sgd)(float *w, float *velocity, const float *g, size_t n, const mtlf_update_scalars *s);
} mtlf_kernels;

extern const mtlf_kernels mtlf_kernels_scalar;
#if defined(__x86_64__) || defined(_M_X64)
extern const mtlf_kernels mtlf_kernels_avx2;
extern const mtlf_kernels mtlf_kernels_avx512;
#elif defined(__aarch64__)
extern const mtlf_kernels mtlf_kernels_neon;
#endif

/* A family of loops may have a table of its own for each instruction set, name##_<isa>, filled at the end of its .inc.h as
 * FAMILY(name). name##_of(kernels) is the one that goes with a table of kernels. */
#if defined(__x86_64__) || defined(_M_X64)
#define MTLF_FAMILY(type, name)                                      \
  extern const type name##_scalar, name##_avx2, name##_avx512;       \
  static inline const type *name##_of(const mtlf_kernels *kernels) { \
    return kernels->isa == MTLF_ISA_AVX512 ? &name##_avx512          \
           : kernels->isa == MTLF_ISA_AVX2 ? &name##_avx2            \
                                           : &name##_scalar;         \
  }
#elif defined(__aarch64__)
#define MTLF_FAMILY(type, name)                                           \
  extern const type name##_scalar, name##_neon;                           \
  static inline const type *name##_of(const mtlf_kernels *kernels) {      \
    return kernels->isa == MTLF_ISA_NEON ? &name##_neon : &name##_scalar; \
  }
#else
#define MTLF_FAMILY(type, name)                                      \
  extern const type name##_scalar;                                   \
  static inline const type *name##_of(const mtlf_kernels *kernels) { \
    (void)kernels;                                                   \
    return &name##_scalar;                                           \
  }
#endif

#endif
