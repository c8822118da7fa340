/* SPDX-License-Identifier: Apache-2.0
 * The kernels that are plain loops over vectors: elementwise functions, sums, transposes, exp, losses and the optimizers.
 *
 * Part of kernels.inc.h, in the same vector names. Oracle: the double-precision reference of the tests. */

/* Runs a body for n elements, with `t` the lanes of the last, partial vector: LOAD and STORE take it into account. */
#define FOR_VECTORS(n, ...)                       \
  do {                                            \
    size_t i = 0;                                 \
    for (; i + V_LANES <= (n); i += V_LANES) {    \
      const int whole = 1;                        \
      const v_tail t = v_tail_of(V_LANES);        \
      __VA_ARGS__                                 \
    }                                             \
    if (i < (n)) {                                \
      const int whole = 0;                        \
      const v_tail t = v_tail_of((int)((n) - i)); \
      __VA_ARGS__                                 \
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

static MTLF_TARGET void affine_bytes(const uint8_t *x, const float *factors, const float *offsets, float *y, size_t n) {
  FOR_VECTORS(n, {
    const v_f32 value = whole ? v_load_u8(x + i) : v_load_u8_tail(x + i, t);
    STORE(y, v_add(v_mul(LOAD(factors), value), LOAD(offsets)));
  });
}

static MTLF_TARGET void affine_floats(const float *x, const float *factors, const float *offsets, float *y, size_t n) {
  FOR_VECTORS(n, STORE(y, v_add(v_mul(LOAD(factors), LOAD(x)), LOAD(offsets))););
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

/* ---- losses ---- */

/* 2 atanh(s) for |s| <= 1/3: 2 s (1 + s^2 (...)), a polynomial of degree 4 in s^2 by interpolation at the Chebyshev nodes
 * of [0, 1/9]; its relative error is below 1e-9. */
MTLF_INLINE v_f32 twice_atanh(v_f32 s) {
  const v_f32 u = v_mul(s, s), twice = v_add(s, s);
  v_f32 q = v_set1(0.11612165f);
  q = v_fma(q, u, v_set1(0.108532876f));
  q = v_fma(q, u, v_set1(0.142961785f));
  q = v_fma(q, u, v_set1(0.199998528f));
  q = v_fma(q, u, v_set1(0.333333343f));
  return v_fma(v_mul(twice, u), q, twice);
}

/* log(1 + e) for e in [0, 1], with an error below 2 ULP: 2 atanh(e / (2 + e)), which needs no exponent. */
MTLF_INLINE v_f32 log1p_vector(v_f32 e) { return twice_atanh(v_div(e, v_add(v_set1(2.0f), e))); }

/* log of a positive, normal number with an error below 2 ULP of the larger of the result and 1/8: n ln 2, in two parts
 * of which the first is exact, and 2 atanh((m - 1) / (m + 1)) for m in [3/4, 3/2). NaN stays NaN. */
MTLF_INLINE v_f32 log_vector(v_f32 x) {
  const v_f32 one = v_set1(1.0f);
  v_f32 n;
  const v_f32 m = v_mantissa(x, &n);
  const v_f32 rest = v_fma(n, v_set1(-2.12194440e-4f), twice_atanh(v_div(v_sub(m, one), v_add(m, one))));
  return v_select(v_equal(x, x), v_fma(n, v_set1(0.693359375f), rest), x);
}

static MTLF_TARGET void softmax_columns(const mtlf_softmax_columns *k) {
  const v_f32 zero = v_set1(0.0f), one = v_set1(1.0f), scale = v_set1(k->scale);
  const v_f32 rest = v_set1(1.0f - k->smoothing), share = v_set1(k->smoothing / (float)k->classes);
  const ptrdiff_t end = k->classes * k->stride;
  FOR_VECTORS(k->n, {
    const v_f32 label = LOAD(k->labels), weight = LOAD(k->weights);
    v_f32 max = LOAD(k->values), best = zero, target = max, c = zero;
    for (ptrdiff_t at = k->stride; at < end; at += k->stride) {
      const v_f32 x = LOAD(k->values + at);
      c = v_add(c, one);
      const v_choice larger = v_replaces(x, max);
      max = v_select(larger, x, max);
      best = v_select(larger, c, best);
      target = v_select(v_equal(label, c), x, target);
    }
    v_f32 sum = zero, distances = zero;
    for (ptrdiff_t at = 0; at < end; at += k->stride) {
      const v_f32 x = v_sub(LOAD(k->values + at), max), e = exp_vector(x);
      distances = v_sub(distances, x);
      sum = v_add(sum, e);
      STORE(k->values + at, e);
    }
    const v_f32 inverse = v_div(one, sum), factor = v_mul(scale, weight);
    const v_choice counts = v_greater(weight, zero);
    c = zero;
    for (ptrdiff_t at = 0; at < end; at += k->stride) {
      const v_f32 p = v_mul(LOAD(k->values + at), inverse);
      STORE(k->values + at, p);
      if (k->gradient) {
        const v_f32 wanted = v_add(share, v_select(v_equal(label, c), rest, zero));
        STORE(k->gradient + at, v_select(counts, v_mul(factor, v_sub(p, wanted)), zero));
        c = v_add(c, one);
      }
    }
    v_f32 loss = v_sub(max, target);
    if (k->smoothing > 0) loss = v_add(v_mul(rest, loss), v_mul(share, distances));
    STORE(k->loss, v_select(counts, v_mul(weight, v_add(log_vector(sum), loss)), zero));
    STORE(k->predicted, best);
  });
}

static MTLF_TARGET void mask_forward(const mtlf_mask_run *k) {
  const v_f32 zero = v_set1(0.0f), one = v_set1(1.0f);
  const v_f32 weight0 = v_set1(k->weight[0]), weight1 = v_set1(k->weight[1]);
  const v_f32 target0 = v_set1(k->target[0]), target1 = v_set1(k->target[1]);
  const v_f32 rest0 = v_set1(1.0f - k->target[0]), rest1 = v_set1(1.0f - k->target[1]);
  size_t column = 0;
  FOR_VECTORS(k->n, {
    const v_f32 z = LOAD(k->logits), label = whole ? v_load_u8(k->mask + i) : v_load_u8_tail(k->mask + i, t);
    const v_choice is_zero = v_equal(label, zero), is_one = v_equal(label, one), is_positive = v_greater(z, zero);
    const v_f32 minus = v_sub(zero, z), e = exp_vector(v_min(z, minus)), inverse = v_div(one, v_add(one, e));
    const v_f32 p = v_select(v_greater(zero, z), v_mul(e, inverse), inverse),
                positive = v_select(is_positive, one, zero);
    const v_f32 above = v_max(zero, z), below = v_max(zero, minus), log = log1p_vector(e);
    const v_f32 loss0 = v_add(log, v_add(v_mul(target0, below), v_mul(rest0, above)));
    const v_f32 loss1 = v_add(log, v_add(v_mul(target1, below), v_mul(rest1, above)));
    const v_f32 loss = v_select(is_one, v_mul(weight1, loss1), v_select(is_zero, v_mul(weight0, loss0), zero));
    const v_f32 parts[MTLF_MASK_SUMS] = {loss,
                                         v_select(is_zero, one, zero),
                                         v_select(is_one, one, zero),
                                         v_select(is_zero, p, zero),
                                         v_select(is_one, p, zero),
                                         v_select(is_zero, positive, zero),
                                         v_select(is_one, positive, zero)};
    STORE(k->probabilities, p);
    float *sum = k->sums + column;
    UNROLL for (int s = 0; s < MTLF_MASK_SUMS; s++, sum += k->period) {
      if (whole) {
        v_store(sum, v_add(v_load(sum), parts[s]));
      } else {
        v_store_tail(sum, v_add(v_load_tail(sum, t), parts[s]), t);
      }
    }
    column += V_LANES;
    if (column == k->period) column = 0;
  });
}

static MTLF_TARGET void mask_backward(const mtlf_mask_run *k) {
  const v_f32 zero = v_set1(0.0f), one = v_set1(1.0f);
  const v_f32 weight0 = v_set1(k->weight[0]), weight1 = v_set1(k->weight[1]);
  const v_f32 target0 = v_set1(k->target[0]), target1 = v_set1(k->target[1]);
  size_t column = 0;
  FOR_VECTORS(k->n, {
    const v_f32 p = LOAD(k->probabilities), label = whole ? v_load_u8(k->mask + i) : v_load_u8_tail(k->mask + i, t);
    const v_f32 slope0 = whole ? v_load(k->slopes[0] + column) : v_load_tail(k->slopes[0] + column, t);
    const v_f32 slope1 = whole ? v_load(k->slopes[1] + column) : v_load_tail(k->slopes[1] + column, t);
    const v_f32 curve = v_mul(p, v_sub(one, p));
    const v_f32 d0 = v_add(v_mul(weight0, v_sub(p, target0)), v_mul(slope0, curve));
    const v_f32 d1 = v_add(v_mul(weight1, v_sub(p, target1)), v_mul(slope1, curve));
    const v_f32 d = v_select(v_equal(label, one), d1, v_select(v_equal(label, zero), d0, zero));
    STORE(k->d_logits, v_add(LOAD(k->d_logits), d));
    column += V_LANES;
    if (column == k->period) column = 0;
  });
}

/* ---- optimizers ---- */

/* Not 0 where a lane isn't 0: sums of 0 * x are NaN if an x is NaN or infinite. */
static MTLF_TARGET int is_any_lane_non_zero(v_f32 sum) {
  float lanes[V_LANES];
  v_store(lanes, sum);
  int found = 0;
  for (int l = 0; l < V_LANES; l++) found |= lanes[l] != 0.0f;
  return found;
}

static MTLF_TARGET int adam(float *w, float *m, float *v, const float *g, size_t n, const mtlf_update_scalars *s) {
  const v_f32 beta1 = v_set1(s->beta1), rest1 = v_set1(1.0f - s->beta1);
  const v_f32 beta2 = v_set1(s->beta2), rest2 = v_set1(1.0f - s->beta2);
  const v_f32 rate = v_set1(s->learning_rate * s->correction1);
  const v_f32 correction2 = v_set1(s->correction2), epsilon = v_set1(s->epsilon);
  /* 1 without decay, and a product with 1 changes no bit. */
  const v_f32 kept = v_set1(1.0f - s->learning_rate * s->weight_decay), zero = v_set1(0.0f);
  v_f32 check = zero;
  FOR_VECTORS(n, {
    const v_f32 gradient = LOAD(g);
    check = v_add(check, v_mul(gradient, zero));
    const v_f32 mean = v_add(v_mul(beta1, LOAD(m)), v_mul(rest1, gradient));
    const v_f32 square = v_add(v_mul(beta2, LOAD(v)), v_mul(rest2, v_mul(gradient, gradient)));
    STORE(m, mean);
    STORE(v, square);
    const v_f32 root = v_add(v_sqrt(v_mul(square, correction2)), epsilon);
    STORE(w, v_sub(v_mul(LOAD(w), kept), v_div(v_mul(rate, mean), root)));
  });
  return is_any_lane_non_zero(check);
}

static MTLF_TARGET int sgd(float *w, float *velocity, const float *g, size_t n, const mtlf_update_scalars *s) {
  const v_f32 momentum = v_set1(s->momentum), rate = v_set1(s->learning_rate);
  const v_f32 decay = v_set1(s->weight_decay), zero = v_set1(0.0f);
  v_f32 check = zero;
  const int decays = s->weight_decay > 0; /* a sum with 0 * w would turn -0 into 0, and infinity into NaN */
  FOR_VECTORS(n, {
    const v_f32 weight = LOAD(w), gradient = decays ? v_add(LOAD(g), v_mul(decay, weight)) : LOAD(g);
    check = v_add(check, v_mul(gradient, zero));
    const v_f32 step = v_add(v_mul(momentum, LOAD(velocity)), gradient);
    STORE(velocity, step);
    STORE(w, v_sub(weight, v_mul(rate, step)));
  });
  return is_any_lane_non_zero(check);
}
