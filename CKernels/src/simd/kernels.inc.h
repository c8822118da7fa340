/* SPDX-License-Identifier: Apache-2.0
 * Every kernel, written once in the vector names of a simd_<isa>.h and compiled by each kernels_<isa>.c.
 *
 * The including file defines TILE_ROWS, TILE_VECTORS, POOL_ROWS, ISA, TABLE (the name of the mtlf_kernels to fill) and
 * FAMILY (from the name of a family of loops to that of its table).
 *
 * Register plan: TILE_ROWS x TILE_VECTORS accumulators, TILE_VECTORS vectors of b, one broadcast of a. A step of k costs
 * TILE_ROWS * TILE_VECTORS FMAs against TILE_ROWS + TILE_VECTORS loads; with two FMAs and two loads a cycle the FMAs bind
 * as soon as both are two or more. Each row has a pointer of its own, so that a tile may take any pixels of any images: a
 * convolution needs no im2col and its tiles stay full across image borders.
 * Edges: fewer rows by a variant per row count, fewer columns by a variant per vector count and a masked last vector.
 * Oracle: the double-precision reference of the tests. After Goto and van de Geijn, Anatomy of High-Performance Matrix
 * Multiplication, 2008, and Georganas et al., Anatomy of High-Performance Deep Learning Convolutions on SIMD
 * Architectures, 2018. */

#include "kernels.h"

enum { PANEL = TILE_VECTORS * V_LANES };

/* Loops over accumulators must vanish: an index that is left at run time would put the registers into memory. */
#define UNROLL _Pragma("GCC unroll 16")

/* Of two vectors only the last can be partial: the narrow variants have one. Of more, any. */
#define IS_WHOLE(j, vectors) (TILE_VECTORS == 2 && (j) < (vectors) - 1)

MTLF_INLINE v_f32 load_columns(const float *row, const int j, const int vectors, const v_tail tail[TILE_VECTORS]) {
  return IS_WHOLE(j, vectors) ? v_load(row + j * V_LANES) : v_load_tail(row + j * V_LANES, tail[j]);
}

MTLF_INLINE void store_columns(float *row, const int j, const int vectors, const v_f32 x,
                               const v_tail tail[TILE_VECTORS]) {
  if (IS_WHOLE(j, vectors)) {
    v_store(row + j * V_LANES, x);
  } else {
    v_store_tail(row + j * V_LANES, x, tail[j]);
  }
}

/* ---- the tile of forward passes and d_input ---- */

MTLF_INLINE void store_rows(const mtlf_gemm_tile *t, v_f32 acc[TILE_ROWS][TILE_VECTORS], const int rows,
                            const int vectors, const int adds) {
  v_tail tail[TILE_VECTORS];
  UNROLL for (int j = 0; j < vectors; j++) tail[j] = v_tail_of(t->columns - j * V_LANES);
  if (adds) {
    UNROLL for (int i = 0; i < rows; i++) {
      float *c = t->c[i];
      UNROLL for (int j = 0; j < vectors; j++) {
        store_columns(c, j, vectors, v_add(load_columns(c, j, vectors, tail), acc[i][j]), tail);
      }
    }
    return;
  }
  if (t->relu) {
    const v_f32 zero = v_set1(0.0f);
    UNROLL for (int i = 0; i < rows; i++) {
      UNROLL for (int j = 0; j < vectors; j++) acc[i][j] = v_max(zero, acc[i][j]);
    }
  }
  UNROLL for (int i = 0; i < rows; i++) {
    UNROLL for (int j = 0; j < vectors; j++) store_columns(t->c[i], j, vectors, acc[i][j], tail);
  }
}

MTLF_INLINE void store_pooled(const mtlf_gemm_tile *t, v_f32 acc[TILE_ROWS][TILE_VECTORS], const int rows,
                              const int vectors) {
  const v_f32 zero = v_set1(0.0f);
  UNROLL for (int w = 0; w < rows / 4; w++) {
    UNROLL for (int j = 0; j < vectors; j++) {
      v_f32 max = acc[4 * w][j], position = zero;
      for (int q = 1; q < 4; q++) {
        const v_f32 x = acc[4 * w + q][j];
        const v_choice larger = v_replaces(x, max);
        max = v_select(larger, x, max);
        position = v_select(larger, v_set1((float)q), position);
      }
      if (t->relu) {
        position = v_select(v_greater(max, zero), position, v_set1((float)MTLF_GATE_CLOSED));
        max = v_max(zero, max);
      }
      const v_tail tail = v_tail_of(t->columns - j * V_LANES);
      v_store_tail(t->c[w] + j * V_LANES, max, tail);
      v_store_u8_tail(t->gate[w] + j * V_LANES, position, tail);
    }
  }
}

MTLF_INLINE void gemm_rows(const mtlf_gemm_tile *t, const int rows, const int vectors, const mtlf_tile_mode mode) {
  v_f32 acc[TILE_ROWS][TILE_VECTORS];
  const float *a[TILE_ROWS];
  const size_t k = t->k;
  const float *b = t->b;
  UNROLL for (int j = 0; j < vectors; j++) {
    const v_f32 first = t->bias ? v_load(t->bias + j * V_LANES) : v_set1(0.0f);
    UNROLL for (int i = 0; i < rows; i++) acc[i][j] = first;
  }
  UNROLL for (int i = 0; i < rows; i++) a[i] = t->a[i] + k;
  for (size_t s = t->segments;;) {
    if (t->is_scattered && s > 1) {
      UNROLL for (int i = 0; i < rows; i++) {
        const float *next = a[i] - k + t->segment_stride;
        v_prefetch(next);
        v_prefetch(next + 16);
      }
    }
    for (ptrdiff_t q = -(ptrdiff_t)k; q < 0; q++) {
      v_f32 column[TILE_VECTORS];
      UNROLL for (int j = 0; j < vectors; j++) column[j] = v_load(b + j * V_LANES);
      b += PANEL;
      UNROLL for (int i = 0; i < rows; i++) {
        const v_f32 x = v_set1(a[i][q]);
        UNROLL for (int j = 0; j < vectors; j++) acc[i][j] = v_fma(x, column[j], acc[i][j]);
      }
    }
    if (--s == 0) break;
    UNROLL for (int i = 0; i < rows; i++) a[i] += t->segment_stride;
  }
  if (mode == MTLF_TILE_POOL) {
    store_pooled(t, acc, rows, vectors);
  } else {
    store_rows(t, acc, rows, vectors, mode == MTLF_TILE_ADD);
  }
}

#define VARIANT(name, body) \
  static MTLF_TARGET __attribute__((noinline)) void name(const mtlf_gemm_tile *t) { body; }
#define STORE_VARIANT(rows)                                                \
  VARIANT(store_##rows, gemm_rows(t, rows, TILE_VECTORS, MTLF_TILE_STORE)) \
  VARIANT(store_narrow_##rows, gemm_rows(t, rows, TILE_VECTORS / 2, MTLF_TILE_STORE))
#define ADD_VARIANT(rows)                                              \
  VARIANT(add_##rows, gemm_rows(t, rows, TILE_VECTORS, MTLF_TILE_ADD)) \
  VARIANT(add_narrow_##rows, gemm_rows(t, rows, TILE_VECTORS / 2, MTLF_TILE_ADD))
#define POOL_VARIANT(rows)                                               \
  VARIANT(pool_##rows, gemm_rows(t, rows, TILE_VECTORS, MTLF_TILE_POOL)) \
  VARIANT(pool_narrow_##rows, gemm_rows(t, rows, TILE_VECTORS / 2, MTLF_TILE_POOL))

/* ---- the tile of d_filter and d_weight ---- */

MTLF_INLINE void outer_rows(const mtlf_outer_tile *t, const int rows, const int vectors) {
  v_f32 acc[TILE_ROWS][TILE_VECTORS];
  v_tail tail[TILE_VECTORS];
  UNROLL for (int j = 0; j < vectors; j++) tail[j] = v_tail_of(t->columns - j * V_LANES);
  UNROLL for (int i = 0; i < rows; i++) {
    UNROLL for (int j = 0; j < vectors; j++) acc[i][j] =
        t->accumulate ? v_load(t->c + i * PANEL + j * V_LANES) : v_set1(0.0f);
  }
  const float *d = t->d;
  const ptrdiff_t *offset = t->offset;
  for (size_t p = t->count; p > 0; p--) {
    const float *a = t->a + *offset++;
    v_f32 column[TILE_VECTORS];
    UNROLL for (int j = 0; j < vectors; j++) column[j] = load_columns(d, j, vectors, tail);
    d += t->d_stride;
    UNROLL for (int i = 0; i < rows; i++) {
      const v_f32 x = v_set1(a[i]);
      UNROLL for (int j = 0; j < vectors; j++) acc[i][j] = v_fma(x, column[j], acc[i][j]);
    }
  }
  UNROLL for (int i = 0; i < rows; i++) {
    UNROLL for (int j = 0; j < vectors; j++) v_store(t->c + i * PANEL + j * V_LANES, acc[i][j]);
    if (!t->accumulate) {
      for (int j = vectors; j < TILE_VECTORS; j++) v_store(t->c + i * PANEL + j * V_LANES, v_set1(0.0f));
    }
  }
}

#define OUTER_VARIANT(rows)                                                                         \
  static MTLF_TARGET __attribute__((noinline)) void outer_##rows(const mtlf_outer_tile *t) {        \
    outer_rows(t, rows, TILE_VECTORS);                                                              \
  }                                                                                                 \
  static MTLF_TARGET __attribute__((noinline)) void outer_narrow_##rows(const mtlf_outer_tile *t) { \
    outer_rows(t, rows, TILE_VECTORS / 2);                                                          \
  }

/* ---- one function for each number of rows ---- */

#if TILE_ROWS == 12
#define FOR_EACH_ROW_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#define ROW_TABLE(n) {n##1, n##2, n##3, n##4, n##5, n##6, n##7, n##8, n##9, n##10, n##11, n##12}
#elif TILE_ROWS == 8
#define FOR_EACH_ROW_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#define ROW_TABLE(n) {n##1, n##2, n##3, n##4, n##5, n##6, n##7, n##8}
#elif TILE_ROWS == 6
#define FOR_EACH_ROW_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define ROW_TABLE(n) {n##1, n##2, n##3, n##4, n##5, n##6}
#elif TILE_ROWS == 4
#define FOR_EACH_ROW_COUNT(X) X(1) X(2) X(3) X(4)
#define ROW_TABLE(n) {n##1, n##2, n##3, n##4}
#endif
#if POOL_ROWS == 12
#define FOR_EACH_POOL_COUNT(X) X(4) X(8) X(12)
#define POOL_TABLE(n) {n##4, n##8, n##12}
#elif POOL_ROWS == 8
#define FOR_EACH_POOL_COUNT(X) X(4) X(8)
#define POOL_TABLE(n) {n##4, n##8}
#elif POOL_ROWS == 4
#define FOR_EACH_POOL_COUNT(X) X(4)
#define POOL_TABLE(n) {n##4}
#endif

FOR_EACH_ROW_COUNT(STORE_VARIANT)
FOR_EACH_ROW_COUNT(ADD_VARIANT)
FOR_EACH_ROW_COUNT(OUTER_VARIANT)
FOR_EACH_POOL_COUNT(POOL_VARIANT)

static void gemm_tile(const mtlf_gemm_tile *t) {
  typedef void (*variant)(const mtlf_gemm_tile *);
  static const variant store[2][TILE_ROWS] = {ROW_TABLE(store_), ROW_TABLE(store_narrow_)};
  static const variant adding[2][TILE_ROWS] = {ROW_TABLE(add_), ROW_TABLE(add_narrow_)};
  static const variant pool[2][POOL_ROWS / 4] = {POOL_TABLE(pool_), POOL_TABLE(pool_narrow_)};
  const int is_narrow = t->columns <= PANEL / 2;
  switch (t->mode) {
  case MTLF_TILE_STORE: store[is_narrow][t->rows - 1](t); break;
  case MTLF_TILE_ADD: adding[is_narrow][t->rows - 1](t); break;
  case MTLF_TILE_POOL: pool[is_narrow][t->rows / 4 - 1](t); break;
  }
}

static void outer_tile(const mtlf_outer_tile *t) {
  typedef void (*variant)(const mtlf_outer_tile *);
  static const variant full[TILE_ROWS] = ROW_TABLE(outer_), narrow[TILE_ROWS] = ROW_TABLE(outer_narrow_);
  (t->columns <= PANEL / 2 ? narrow : full)[t->rows - 1](t);
}

#include "loops.inc.h"

const mtlf_kernels TABLE = {
    .name = TABLE_NAME,
    .isa = ISA,
    .panel = PANEL,
    .tile_rows = TILE_ROWS,
    .pool_rows = POOL_ROWS,
    .gemm_tile = gemm_tile,
    .outer_tile = outer_tile,
    .scale_bytes = scale_bytes,
    .scale_floats = scale_floats,
    .affine_bytes = affine_bytes,
    .affine_floats = affine_floats,
    .add = add,
    .multiply = multiply,
    .activation_forward =
        {
            [MTLF_ACTIVATION_RELU] = relu,
            [MTLF_ACTIVATION_SIGMOID] = sigmoid,
            [MTLF_ACTIVATION_GELU] = gelu,
            [MTLF_ACTIVATION_SILU] = silu,
            [MTLF_ACTIVATION_TANH] = tanh_forward,
            [MTLF_ACTIVATION_LEAKY_RELU] = leaky_relu,
        },
    .activation_backward =
        {
            [MTLF_ACTIVATION_RELU] = relu_backward,
            [MTLF_ACTIVATION_SIGMOID] = sigmoid_backward,
            [MTLF_ACTIVATION_GELU] = gelu_backward,
            [MTLF_ACTIVATION_SILU] = silu_backward,
            [MTLF_ACTIVATION_TANH] = tanh_backward,
            [MTLF_ACTIVATION_LEAKY_RELU] = leaky_relu_backward,
        },
    .sum_copies = sum_copies,
    .column_sums = column_sums,
    .unpool = unpool,
    .transpose = transpose,
    .exp_sum = exp_sum,
    .softmax_columns = softmax_columns,
    .mask_forward = mask_forward,
    .mask_backward = mask_backward,
    .adam = adam,
    .sgd = sgd,
};
