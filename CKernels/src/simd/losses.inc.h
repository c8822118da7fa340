/* SPDX-License-Identifier: Apache-2.0
 * Losses with many elements a sample: softmax cross-entropy of pixels side by side, and masks.
 *
 * Part of kernels.inc.h, in the same vector names. Oracle: the double-precision reference of the tests. */

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
