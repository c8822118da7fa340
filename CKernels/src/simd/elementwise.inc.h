/* SPDX-License-Identifier: Apache-2.0
 * Kernels whose elements are by themselves: scaling, sums and products of two.
 *
 * Part of kernels.inc.h, in the same vector names. Oracle: the double-precision reference of the tests. */

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

static MTLF_TARGET void multiply(const float *a, const float *b, float *y, size_t n) {
  FOR_VECTORS(n, STORE(y, v_mul(LOAD(a), LOAD(b))););
}
