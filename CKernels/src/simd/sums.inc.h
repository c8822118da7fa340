/* SPDX-License-Identifier: Apache-2.0
 * Kernels that sum up, each in a fixed order.
 *
 * Part of kernels.inc.h, in the same vector names. Oracle: the double-precision reference of the tests. */

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
