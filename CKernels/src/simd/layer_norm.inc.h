/* SPDX-License-Identifier: Apache-2.0
 * The kernels of layer normalisation (Ba, Kiros and Hinton, Layer Normalization, 2016): V_LANES rows at a time, so that the
 * sums across each row's lanes are one transpose, and roots and divisions one vector for all of them.
 *
 * Part of kernels.inc.h, in the same vector names. A row's result doesn't depend on the rows beside it. The mean is
 * corrected by the mean of what is left after it was subtracted, and so is the variance (Chan, Golub and LeVeque,
 * Algorithms for Computing the Sample Variance, 1983): a row far from zero loses nothing but its own rounding.
 * Oracle: the double-precision reference of the tests. */

#include "layer_norm.h"

/* Lane r: the sum of the lanes of sums[r]. */
MTLF_INLINE v_f32 lane_sums(v_f32 sums[V_LANES]) {
  v_transpose(sums);
  UNROLL for (int width = 1; width < V_LANES; width *= 2) {
    UNROLL for (int l = 0; l + width < V_LANES; l += 2 * width) sums[l] = v_add(sums[l], sums[l + width]);
  }
  return sums[0];
}

/* The value in the lanes of t, 0 in the others: what a partial vector of zeros is compared with. */
MTLF_INLINE v_f32 in_lanes(v_f32 value, const v_tail t) {
  float lanes[V_LANES];
  v_store(lanes, value);
  return v_load_tail(lanes, t);
}

static MTLF_TARGET void layer_norm(const mtlf_layer_norm_run *k) {
  const size_t n = (size_t)k->channels;
  const v_f32 zero = v_set1(0.0f), one = v_set1(1.0f), count = v_set1((float)k->channels), epsilon = v_set1(k->epsilon);
  for (size_t first = 0; first < k->rows; first += V_LANES) {
    const size_t rows = k->rows - first < V_LANES ? k->rows - first : V_LANES;
    const float *x = k->x + first * n;
    float *y = k->y + first * n, means[V_LANES], inverses[V_LANES];
    v_f32 sums[V_LANES], squares[V_LANES];
    for (size_t r = 0; r < V_LANES; r++) sums[r] = squares[r] = zero;
    for (size_t r = 0; r < rows; r++) {
      v_f32 sum = zero;
      FOR_VECTORS(n, sum = v_add(sum, LOAD(x + r * n)););
      sums[r] = sum;
    }
    v_f32 mean = v_div(lane_sums(sums), count);
    v_store(means, mean);
    for (size_t r = 0; r < V_LANES; r++) sums[r] = zero;
    for (size_t r = 0; r < rows; r++) {
      v_f32 sum = zero, square = zero;
      const v_f32 row_mean = v_set1(means[r]);
      FOR_VECTORS(n, {
        const v_f32 rest = v_sub(LOAD(x + r * n), whole ? row_mean : in_lanes(row_mean, t));
        sum = v_add(sum, rest);
        square = v_fma(rest, rest, square);
      });
      sums[r] = sum;
      squares[r] = square;
    }
    const v_f32 rest = v_div(lane_sums(sums), count);
    /* Not below 0, where all values are alike; a NaN stays. */
    const v_f32 variance = v_max(zero, v_sub(v_div(lane_sums(squares), count), v_mul(rest, rest)));
    mean = v_add(mean, rest);
    const v_f32 inverse = v_div(one, v_sqrt(v_add(variance, epsilon)));
    v_store(means, mean);
    v_store(inverses, inverse);
    for (size_t r = 0; r < rows; r++) {
      const v_f32 row_mean = v_set1(means[r]), row_inverse = v_set1(inverses[r]);
      if (k->mean) {
        const ptrdiff_t at = (ptrdiff_t)(first + r) * k->row_statistics;
        k->mean[at] = means[r];
        k->inverse_deviation[at] = inverses[r];
      }
      FOR_VECTORS(n, {
        const v_f32 normal = v_mul(v_sub(LOAD(x + r * n), row_mean), row_inverse);
        STORE(y + r * n, v_fma(normal, LOAD(k->gamma), LOAD(k->beta)));
      });
    }
  }
}

/* d_gamma and d_beta of up to V_LANES rows. */
MTLF_INLINE void layer_norm_d_weight(const mtlf_layer_norm_backward_run *k, const size_t rows, const float *x,
                                     const float *d, const float *mean, const float *inverse) {
  const size_t n = (size_t)k->channels;
  FOR_VECTORS(n, {
    v_f32 d_gamma = LOAD(k->d_gamma), d_beta = LOAD(k->d_beta);
    for (size_t r = 0; r < rows; r++) {
      const v_f32 gradient = LOAD(d + r * n);
      const v_f32 normal = v_mul(v_sub(LOAD(x + r * n), v_set1(mean[r])), v_set1(inverse[r]));
      d_gamma = v_fma(gradient, normal, d_gamma);
      d_beta = v_add(d_beta, gradient);
    }
    STORE(k->d_gamma, d_gamma);
    STORE(k->d_beta, d_beta);
  });
}

static MTLF_TARGET void layer_norm_backward(const mtlf_layer_norm_backward_run *k) {
  const size_t n = (size_t)k->channels;
  const v_f32 zero = v_set1(0.0f), count = v_set1((float)k->channels);
  for (size_t first = 0; first < k->rows; first += V_LANES) {
    const size_t rows = k->rows - first < V_LANES ? k->rows - first : V_LANES;
    const float *x = k->x + first * n, *d = k->d_output + first * n;
    float mean[V_LANES], inverse[V_LANES], d_means[V_LANES], projections[V_LANES];
    for (size_t r = 0; r < rows; r++) {
      const ptrdiff_t at = (ptrdiff_t)(first + r) * k->row_statistics;
      mean[r] = k->mean[at];
      inverse[r] = k->inverse_deviation[at];
    }
    /* Before d_input is written, which may be d_output. */
    if (k->d_gamma) layer_norm_d_weight(k, rows, x, d, mean, inverse);
    if (!k->d_input) continue;
    float *d_x = k->d_input + first * n;
    v_f32 sums[V_LANES], products[V_LANES];
    for (size_t r = 0; r < V_LANES; r++) sums[r] = products[r] = zero;
    for (size_t r = 0; r < rows; r++) {
      const v_f32 row_mean = v_set1(mean[r]), row_inverse = v_set1(inverse[r]);
      v_f32 sum = zero, product = zero;
      FOR_VECTORS(n, {
        const v_f32 gradient = v_mul(LOAD(d + r * n), LOAD(k->gamma));
        sum = v_add(sum, gradient);
        product = v_fma(gradient, v_mul(v_sub(LOAD(x + r * n), row_mean), row_inverse), product);
      });
      sums[r] = sum;
      products[r] = product;
    }
    v_store(d_means, v_div(lane_sums(sums), count));
    v_store(projections, v_div(lane_sums(products), count));
    for (size_t r = 0; r < rows; r++) {
      const v_f32 row_mean = v_set1(mean[r]), row_inverse = v_set1(inverse[r]);
      const v_f32 d_mean = v_set1(d_means[r]), projection = v_set1(projections[r]);
      FOR_VECTORS(n, {
        const v_f32 gradient = v_mul(LOAD(d + r * n), LOAD(k->gamma));
        const v_f32 normal = v_mul(v_sub(LOAD(x + r * n), row_mean), row_inverse);
        STORE(d_x + r * n, v_mul(row_inverse, v_sub(v_sub(gradient, d_mean), v_mul(normal, projection))));
      });
    }
  }
}

const mtlf_layer_norm_kernels FAMILY(mtlf_layer_norm) = {.forward = layer_norm, .backward = layer_norm_backward};
