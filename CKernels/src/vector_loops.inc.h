/* SPDX-License-Identifier: Apache-2.0
 * The kernels that are plain loops over vectors: elementwise functions, sums, transposes, exp and the optimizers.
 *
 * Part of kernels.inc.h, in the same vector names. Oracle: the double-precision reference of the tests. */

/* Runs BODY for n elements, with `t` the lanes of the last, partial vector: LOAD and STORE take it into account. */
#define FOR_VECTORS(n, BODY)                      \
  do {                                            \
    size_t i = 0;                                 \
    for (; i + V_LANES <= (n); i += V_LANES) {    \
      const int whole = 1;                        \
      const v_tail t = v_tail_of(V_LANES);        \
      BODY                                        \
    }                                             \
    if (i < (n)) {                                \
      const int whole = 0;                        \
      const v_tail t = v_tail_of((int)((n) - i)); \
      BODY                                        \
    }                                             \
  } while (0)
#define LOAD(p) (whole ? v_load((p) + i) : v_load_tail((p) + i, t))
#define STORE(p, x)                  \
  do {                               \
    if (whole) {                     \
      v_store((p) + i, (x));         \
    } else {                         \
      v_store_tail((p) + i, (x), t); \
    }                                \
  } while (0)

static MTLF_TARGET void scale_bytes(const uint8_t *x, float *y, size_t n, float scale) {
  const v_f32 s = v_set1(scale);
  FOR_VECTORS(n, STORE(y, v_mul(whole ? v_load_u8(x + i) : v_load_u8_tail(x + i, t), s)););
}

static MTLF_TARGET void scale_floats(const float *x, float *y, size_t n, float scale) {
  const v_f32 s = v_set1(scale);
  FOR_VECTORS(n, STORE(y, v_mul(LOAD(x), s)););
}

static MTLF_TARGET void add(const float *x, float *y, size_t n) { FOR_VECTORS(n, STORE(y, v_add(LOAD(y), LOAD(x)));); }

static MTLF_TARGET void relu(const float *x, float *y, size_t n) {
  const v_f32 zero = v_set1(0.0f);
  FOR_VECTORS(n, STORE(y, v_max(zero, LOAD(x))););
}

static MTLF_TARGET void relu_backward(const float *y, const float *d_output, float *d_input, size_t n) {
  const v_f32 zero = v_set1(0.0f);
  FOR_VECTORS(n, STORE(d_input, v_select(v_greater(LOAD(y), zero), LOAD(d_output), zero)););
}

/* exp with a relative error below 2 ULP: 2^round(x log2 e) times a polynomial of the rest (|r| <= ln 2 / 2, the Taylor
 * series to degree 7, whose remainder is 5e-9). Below -87.3 the result is exp(-87.3), above 88.3 exp(88.3). */
MTLF_INLINE v_f32 exp_vector(v_f32 x) {
  x = v_min(v_set1(88.3f), v_max(v_set1(-87.3f), x));
  const v_f32 n = v_round(v_mul(x, v_set1(1.44269504f)));
  v_f32 r = v_fma(n, v_set1(-0.693359375f), x);
  r = v_fma(n, v_set1(2.12194440e-4f), r);
  v_f32 p = v_set1(1.98412698e-4f);
  p = v_fma(p, r, v_set1(1.38888889e-3f));
  p = v_fma(p, r, v_set1(8.33333333e-3f));
  p = v_fma(p, r, v_set1(4.16666667e-2f));
  p = v_fma(p, r, v_set1(1.66666667e-1f));
  p = v_fma(p, r, v_set1(0.5f));
  p = v_fma(p, r, v_set1(1.0f));
  p = v_fma(p, r, v_set1(1.0f));
  return v_mul(p, v_pow2(n));
}

static MTLF_TARGET void sigmoid(const float *x, float *y, size_t n) {
  const v_f32 one = v_set1(1.0f), zero = v_set1(0.0f);
  FOR_VECTORS(n, STORE(y, v_div(one, v_add(one, exp_vector(v_sub(zero, LOAD(x)))))););
}

static MTLF_TARGET void sigmoid_backward(const float *y, const float *d_output, float *d_input, size_t n) {
  const v_f32 one = v_set1(1.0f);
  FOR_VECTORS(n, const v_f32 s = LOAD(y); STORE(d_input, v_mul(LOAD(d_output), v_mul(s, v_sub(one, s)))););
}

static MTLF_TARGET void sum_copies(const float *copy, size_t stride, int copies, float *y, size_t n) {
  FOR_VECTORS(n, {
    v_f32 sum[16];
    for (int c = 0; c < copies; c++) sum[c] = LOAD(copy + (size_t)c * stride);
    for (int width = 1; width < copies; width *= 2) {
      for (int c = 0; c + width < copies; c += 2 * width) sum[c] = v_add(sum[c], sum[c + width]);
    }
    STORE(y, sum[0]);
  });
}

static MTLF_TARGET void column_sums(const float *d, ptrdiff_t stride, size_t count, float *y, size_t n) {
  FOR_VECTORS(n, {
    v_f32 sum = LOAD(y);
    const float *row = d;
    for (size_t p = 0; p < count; p++, row += stride) sum = v_add(sum, LOAD(row));
    STORE(y, sum);
  });
}

static MTLF_TARGET void unpool(const float *d_pooled, const uint8_t *gate, float *d_window, size_t channels) {
  const v_f32 zero = v_set1(0.0f);
  FOR_VECTORS(channels, {
    const v_f32 g = LOAD(d_pooled);
    const v_f32 position = whole ? v_load_u8(gate + i) : v_load_u8_tail(gate + i, t);
    for (int q = 0; q < 4; q++) {
      STORE(d_window + (size_t)q * channels, v_select(v_equal(position, v_set1((float)q)), g, zero));
    }
  });
}

static MTLF_TARGET void transpose(const float *x, ptrdiff_t x_stride, int rows, int columns, float *y,
                                  ptrdiff_t y_stride, const float *mask, ptrdiff_t mask_stride) {
  const v_f32 zero = v_set1(0.0f);
  for (int r = 0; r < rows; r += V_LANES) {
    const int high = rows - r < V_LANES ? rows - r : V_LANES;
    const v_tail row_tail = v_tail_of(high);
    for (int c = 0; c < columns; c += V_LANES) {
      const int wide = columns - c < V_LANES ? columns - c : V_LANES;
      const v_tail column_tail = v_tail_of(wide);
      v_f32 block[V_LANES];
      for (int i = 0; i < V_LANES; i++) {
        block[i] = i < high ? v_load_tail(x + (r + i) * x_stride + c, column_tail) : zero;
      }
      v_transpose(block);
      for (int i = 0; i < wide; i++) {
        v_f32 out = block[i];
        if (mask) out = v_select(v_greater(v_load_tail(mask + (c + i) * mask_stride + r, row_tail), zero), out, zero);
        v_store_tail(y + (c + i) * y_stride + r, out, row_tail);
      }
    }
  }
}

static MTLF_TARGET float exp_sum(const float *x, float max, float *y, size_t n) {
  const v_f32 shift = v_set1(max);
  v_f32 sum = v_set1(0.0f);
  FOR_VECTORS(n, {
    STORE(y, exp_vector(v_sub(LOAD(x), shift)));
    sum = v_add(sum, LOAD(y));
  });
  float lane[V_LANES], total = 0.0f;
  v_store(lane, sum);
  for (int l = 0; l < V_LANES; l++) total += lane[l];
  return total;
}

/* ---- optimizers ---- */

static MTLF_TARGET void adam(float *w, float *m, float *v, const float *g, size_t n, const mtlf_update_scalars *s) {
  const v_f32 beta1 = v_set1(s->beta1), rest1 = v_set1(1.0f - s->beta1);
  const v_f32 beta2 = v_set1(s->beta2), rest2 = v_set1(1.0f - s->beta2);
  const v_f32 rate = v_set1(s->learning_rate * s->correction1);
  const v_f32 correction2 = v_set1(s->correction2), epsilon = v_set1(s->epsilon);
  FOR_VECTORS(n, {
    const v_f32 gradient = LOAD(g);
    const v_f32 mean = v_add(v_mul(beta1, LOAD(m)), v_mul(rest1, gradient));
    const v_f32 square = v_add(v_mul(beta2, LOAD(v)), v_mul(rest2, v_mul(gradient, gradient)));
    STORE(m, mean);
    STORE(v, square);
    const v_f32 root = v_add(v_sqrt(v_mul(square, correction2)), epsilon);
    STORE(w, v_sub(LOAD(w), v_div(v_mul(rate, mean), root)));
  });
}

static MTLF_TARGET void sgd(float *w, float *velocity, const float *g, size_t n, const mtlf_update_scalars *s) {
  const v_f32 momentum = v_set1(s->momentum), rate = v_set1(s->learning_rate);
  FOR_VECTORS(n, {
    const v_f32 step = v_add(v_mul(momentum, LOAD(velocity)), LOAD(g));
    STORE(velocity, step);
    STORE(w, v_sub(LOAD(w), v_mul(rate, step)));
  });
}
