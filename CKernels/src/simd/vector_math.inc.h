/* SPDX-License-Identifier: Apache-2.0
 * exp and logarithms of a vector.
 *
 * Part of kernels.inc.h, in the same vector names. Oracle: the double-precision reference of the tests. */

/* x = n ln 2 + the result, |result| <= ln 2 / 2, for x in -87.3...88.3. */
MTLF_INLINE v_f32 exp_rest(v_f32 x, v_f32 *n) {
  *n = v_round(v_mul(x, v_set1(1.44269504f)));
  return v_fma(*n, v_set1(2.12194440e-4f), v_fma(*n, v_set1(-0.693359375f), x));
}

/* 2^n exp(r) with a relative error below 2 ULP for r as exp_rest gives it: the Taylor series to degree 7, whose remainder
 * is 5e-9. */
MTLF_INLINE v_f32 exp_of_rest(v_f32 n, v_f32 r) {
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

/* exp with a relative error below 2 ULP. Below -87.3 the result is exp(-87.3), above 88.3 exp(88.3). */
MTLF_INLINE v_f32 exp_vector(v_f32 x) {
  v_f32 n;
  const v_f32 r = exp_rest(v_min(v_set1(88.3f), v_max(v_set1(-87.3f), x)), &n);
  return exp_of_rest(n, r);
}

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
