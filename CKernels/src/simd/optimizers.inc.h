/* SPDX-License-Identifier: Apache-2.0
 * The optimizers' passes over values, state and gradient.
 *
 * Part of kernels.inc.h, in the same vector names. Oracle: the double-precision reference of the tests. */

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
