/* SPDX-License-Identifier: Apache-2.0
 * The kernels of activation functions, forward and backward.
 *
 * Part of kernels.inc.h, in the same vector names; each may be in place. The polynomials are minimax ones in relative error
 * (Remez exchanges from Chebyshev nodes, in double precision, rounded to float; the functions they stand for are written
 * above them). Oracle: the double-precision reference of the tests. */

static MTLF_TARGET void relu(const float *x, float *y, size_t n) {
  const v_f32 zero = v_set1(0.0f);
  FOR_VECTORS(n, STORE(y, v_max(zero, LOAD(x))););
}

/* d_input = y > 0 ? d_output : 0 */
static MTLF_TARGET void relu_backward(const float *y, const float *d_output, float *d_input, size_t n) {
  const v_f32 zero = v_set1(0.0f);
  FOR_VECTORS(n, STORE(d_input, v_select(v_greater(LOAD(y), zero), LOAD(d_output), zero)););
}

static MTLF_TARGET void sigmoid(const float *x, float *y, size_t n) {
  const v_f32 one = v_set1(1.0f), zero = v_set1(0.0f);
  FOR_VECTORS(n, STORE(y, v_div(one, v_add(one, exp_vector(v_sub(zero, LOAD(x)))))););
}

/* d_input = d_output * y * (1 - y) */
static MTLF_TARGET void sigmoid_backward(const float *y, const float *d_output, float *d_input, size_t n) {
  const v_f32 one = v_set1(1.0f);
  FOR_VECTORS(n, const v_f32 s = LOAD(y); STORE(d_input, v_mul(LOAD(d_output), v_mul(s, v_sub(one, s)))););
}

MTLF_INLINE v_f32 magnitude(v_f32 x) { return v_max(v_sub(v_set1(0.0f), x), x); }

/* E(a) = exp(-a^2 / 2) for a in 0...13.2, with an error below 2 ULP. The square's rounding alone would be tens of them:
 * a = head + rest, where head has 12 bits, its square is exact, and a^2 - head^2 = (a - head) (a + head) is small. */
MTLF_INLINE v_f32 exp_of_square(v_f32 a) {
  const v_f32 head = v_mul(v_round(v_mul(a, v_set1(256.0f))), v_set1(1.0f / 256.0f)), half = v_set1(0.5f);
  const v_f32 rest = v_mul(v_mul(half, v_sub(a, head)), v_add(a, head));
  const v_f32 square = v_mul(v_mul(half, head), head), zero = v_set1(0.0f);
  v_f32 n;
  const v_f32 r = exp_rest(v_sub(zero, square), &n);
  return exp_of_rest(n, v_sub(r, rest));
}

/* R(a) = Q(a) / E(a) for a in 0...13.2, where Q is the upper tail of the normal distribution, erfc(a / sqrt 2) / 2, in the
 * variable of Shepherd and Laframboise, Chebyshev Approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < infinity, 1981:
 * R(a) (a + 7/2) is a polynomial of degree 9 in (a - 7/2) / (a + 7/2), to a relative error of 5.3e-9. */
MTLF_INLINE v_f32 tail_ratio(v_f32 a) {
  const v_f32 inverse = v_div(v_set1(1.0f), v_add(a, v_set1(3.5f)));
  const v_f32 s = v_mul(v_sub(a, v_set1(3.5f)), inverse);
  v_f32 p = v_set1(1.16113923e-4f);
  p = v_fma(p, s, v_set1(4.32085712e-4f));
  p = v_fma(p, s, v_set1(-4.93725936e-4f));
  p = v_fma(p, s, v_set1(-3.18173948e-3f));
  p = v_fma(p, s, v_set1(6.49107108e-3f));
  p = v_fma(p, s, v_set1(1.74076911e-2f));
  p = v_fma(p, s, v_set1(-0.116052635f));
  p = v_fma(p, s, v_set1(0.315424949f));
  p = v_fma(p, s, v_set1(-0.565561771f));
  p = v_fma(p, s, v_set1(0.744416058f));
  return v_mul(p, inverse);
}

/* x times the normal distribution function: max(0, x) - |x| Q(|x|), where nothing cancels but a half of x. Beyond -13.2,
 * where the result is below 1e-38, it is that at -13.2. Error below 6 ULP down to -13 (5.7 in 24 million values of both
 * signs). */
static MTLF_TARGET void gelu(const float *x, float *y, size_t n) {
  const v_f32 zero = v_set1(0.0f), end = v_set1(13.2f);
  FOR_VECTORS(n, {
    const v_f32 value = LOAD(x), a = v_min(end, magnitude(value));
    const v_f32 tail = v_mul(tail_ratio(a), exp_of_square(a));
    STORE(y, v_fma(v_sub(zero, a), tail, v_max(zero, value)));
  });
}

/* The slope is below = E(a) (R(a) - a / sqrt(2 pi)) for x <= 0, a = |x|, and 1 - below for x > 0. Error below
 * 7 ULP of the larger of the slope and 1/4 (6.1 in 17 million values), and of the slope itself below -3/2 (4.3). */
static MTLF_TARGET void gelu_backward(const float *x, const float *d_output, float *d_input, size_t n) {
  const v_f32 zero = v_set1(0.0f), one = v_set1(1.0f), end = v_set1(13.2f), density = v_set1(-0.39894228f);
  FOR_VECTORS(n, {
    const v_f32 value = LOAD(x), a = v_min(end, magnitude(value));
    const v_f32 below = v_mul(exp_of_square(a), v_fma(a, density, tail_ratio(a)));
    STORE(d_input, v_mul(LOAD(d_output), v_select(v_greater(value, zero), v_sub(one, below), below)));
  });
}

/* x sigmoid(x) = x / (1 + e) for x > 0 and x e / (1 + e) otherwise, e = exp(-|x|). Beyond -87.3, where the result is
 * below 1.1e-36, it is that at -87.3. Error below 4 ULP above that (3.2 in 24 million values). */
static MTLF_TARGET void silu(const float *x, float *y, size_t n) {
  const v_f32 zero = v_set1(0.0f), one = v_set1(1.0f), end = v_set1(-87.3f);
  FOR_VECTORS(n, {
    const v_f32 value = v_max(end, LOAD(x)), e = exp_vector(v_sub(zero, magnitude(value)));
    const v_f32 share = v_div(v_select(v_greater(value, zero), one, e), v_add(one, e));
    STORE(y, v_mul(value, share));
  });
}

/* The slope is s + x s (1 - s), with s = sigmoid(x) and s (1 - s) = e / (1 + e)^2. Error below 3 ULP of the larger
 * of the slope and 1/4 (2.5 in 17 million values), and below 7 ULP of the slope below -5/2 (6.0). */
static MTLF_TARGET void silu_backward(const float *x, const float *d_output, float *d_input, size_t n) {
  const v_f32 zero = v_set1(0.0f), one = v_set1(1.0f), lowest = v_set1(-87.3f), highest = v_set1(87.3f);
  FOR_VECTORS(n, {
    const v_f32 value = v_min(highest, v_max(lowest, LOAD(x))), e = exp_vector(v_sub(zero, magnitude(value)));
    const v_f32 inverse = v_div(one, v_add(one, e)), other = v_mul(e, inverse);
    const v_f32 s = v_select(v_greater(value, zero), inverse, other);
    STORE(d_input, v_mul(LOAD(d_output), v_fma(v_mul(value, other), inverse, s)));
  });
}

/* x + x^3 p(x^2) for |x| <= 5/8, where (tanh(x) - x) / x^3 is a polynomial of degree 4 in x^2 to a relative error of
 * 4.4e-9 of tanh(x); beyond, 1 - 2 / (exp(2 |x|) + 1), which is 1 from 9.02 on, with x's sign. Error below 2 ULP (1.4 in 32
 * million values). */
static MTLF_TARGET void tanh_forward(const float *x, float *y, size_t n) {
  const v_f32 zero = v_set1(0.0f), one = v_set1(1.0f), two = v_set1(2.0f), edge = v_set1(0.625f);
  FOR_VECTORS(n, {
    const v_f32 value = LOAD(x), a = magnitude(value), u = v_mul(value, value);
    v_f32 p = v_set1(-5.70498733e-3f);
    p = v_fma(p, u, v_set1(2.0639088e-2f));
    p = v_fma(p, u, v_set1(-5.37397154e-2f));
    p = v_fma(p, u, v_set1(0.133314416f));
    p = v_fma(p, u, v_set1(-0.333332807f));
    const v_f32 near = v_fma(v_mul(value, u), p, value);
    const v_f32 far = v_sub(one, v_div(two, v_add(exp_vector(v_add(a, a)), one)));
    STORE(y, v_select(v_greater(a, edge), v_select(v_greater(value, zero), far, v_sub(zero, far)), near));
  });
}

/* 1 - y^2 as a product: near 1 the square's rounding would be all that is left. */
static MTLF_TARGET void tanh_backward(const float *y, const float *d_output, float *d_input, size_t n) {
  const v_f32 one = v_set1(1.0f);
  FOR_VECTORS(n, {
    const v_f32 value = LOAD(y);
    STORE(d_input, v_mul(LOAD(d_output), v_mul(v_sub(one, value), v_add(one, value))));
  });
}

static MTLF_TARGET void leaky_relu(const float *x, float *y, size_t n) {
  const v_f32 zero = v_set1(0.0f), slope = v_set1(MTLF_LEAKY_RELU_SLOPE);
  FOR_VECTORS(n, {
    const v_f32 value = LOAD(x);
    STORE(y, v_select(v_greater(value, zero), value, v_mul(slope, value)));
  });
}

static MTLF_TARGET void leaky_relu_backward(const float *y, const float *d_output, float *d_input, size_t n) {
  const v_f32 zero = v_set1(0.0f), slope = v_set1(MTLF_LEAKY_RELU_SLOPE);
  FOR_VECTORS(n, {
    const v_f32 d = LOAD(d_output);
    STORE(d_input, v_select(v_greater(LOAD(y), zero), d, v_mul(slope, d)));
  });
}
