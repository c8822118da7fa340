/* SPDX-License-Identifier: Apache-2.0
 * Kernels whose elements are by themselves: scaling, sums of two, ReLU, sigmoid.
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
