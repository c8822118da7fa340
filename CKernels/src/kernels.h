/* SPDX-License-Identifier: Apache-2.0
 * The table of kernels that every instruction set fills: two register tiles and the loops over vectors.
 *
 * A packed panel is [K][panel] floats: `panel` neighbouring columns (output channels or units) of a [K, N] matrix, zero
 * beyond column N. The register tiles work on one panel at a time. */
#ifndef MTLF_KERNELS_H
#define MTLF_KERNELS_H

#include <stddef.h>
#include <stdint.h>

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
} mtlf_update_scalars;

typedef struct mtlf_kernels {
  const char *name;
  int panel;     /* columns of a packed panel, a multiple of the vector length */
  int tile_rows; /* rows of a full tile */
  int pool_rows; /* rows of a full tile of 2x2 windows */

  void (*gemm_tile)(const mtlf_gemm_tile *tile);
  void (*outer_tile)(const mtlf_outer_tile *tile);

  /* y[i] = scale * x[i] */
  void (*scale_bytes)(const uint8_t *x, float *y, size_t n, float scale);
  void (*scale_floats)(const float *x, float *y, size_t n, float scale);
  /* y += x */
  void (*add)(const float *x, float *y, size_t n);
  void (*relu)(const float *x, float *y, size_t n);
  /* d_input[i] = y[i] > 0 ? d_output[i] : 0 */
  void (*relu_backward)(const float *y, const float *d_output, float *d_input, size_t n);
  void (*sigmoid)(const float *x, float *y, size_t n);
  /* d_input[i] = d_output[i] * y[i] * (1 - y[i]) */
  void (*sigmoid_backward)(const float *y, const float *d_output, float *d_input, size_t n);
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
  void (*adam)(float *w, float *m, float *v, const float *g, size_t n, const mtlf_update_scalars *s);
  void (*sgd)(float *w, float *velocity, const float *g, size_t n, const mtlf_update_scalars *s);
} mtlf_kernels;

extern const mtlf_kernels mtlf_kernels_scalar;
#if defined(__x86_64__) || defined(_M_X64)
extern const mtlf_kernels mtlf_kernels_avx2;
extern const mtlf_kernels mtlf_kernels_avx512;
#elif defined(__aarch64__)
extern const mtlf_kernels mtlf_kernels_neon;
#endif

#endif
