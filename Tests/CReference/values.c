/* SPDX-License-Identifier: Apache-2.0
 * Inputs of the kernels' tests, and comparisons that name the element that differs. */
#include <math.h>
#include <string.h>

#include "creference.h"

/* splitmix64 (Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators, 2014). */
static uint64_t next(uint64_t *state) {
  uint64_t x = *state += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

void reference_fill_integers(int64_t n, uint64_t seed, int32_t limit, float *values) {
  for (int64_t i = 0; i < n; i++) values[i] = (float)((int32_t)(next(&seed) % (uint64_t)(2 * limit + 1)) - limit);
}

void reference_fill_reals(int64_t n, uint64_t seed, float *values) {
  for (int64_t i = 0; i < n; i++) values[i] = (float)(next(&seed) >> 40) * 0x1p-23f - 1.0f;
}

void reference_widen(int64_t n, const float *values, double *doubles) {
  for (int64_t i = 0; i < n; i++) doubles[i] = values[i];
}

double reference_largest_magnitude(int64_t n, const double *values) {
  double largest = 0.0;
  for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs(values[i]));
  return largest;
}

static int differs(float actual, float expected) {
  if (actual != actual || expected != expected) return (actual != actual) != (expected != expected);
  return memcmp(&actual, &expected, sizeof actual) != 0;
}

int64_t reference_first_difference(int64_t n, const float *actual, const double *expected) {
  for (int64_t i = 0; i < n; i++) {
    if (differs(actual[i], (float)expected[i])) return i;
  }
  return -1;
}

static double error_of(float actual, double expected) {
  if (actual != actual && expected != expected) return 0.0;
  const double error = fabs((double)actual - expected);
  return error == error ? error : INFINITY;
}

int64_t reference_worst_error(int64_t n, const float *actual, const double *expected, double *error) {
  int64_t worst = 0;
  *error = -1.0;
  for (int64_t i = 0; i < n; i++) {
    if (error_of(actual[i], expected[i]) > *error) {
      *error = error_of(actual[i], expected[i]);
      worst = i;
    }
  }
  return worst;
}

int64_t reference_worst_ulp(int64_t n, const float *actual, const double *expected, double *ulp) {
  int64_t worst = 0;
  *ulp = -1.0;
  for (int64_t i = 0; i < n; i++) {
    int exponent;
    (void)frexp(expected[i], &exponent); /* expected is in [2^(exponent-1), 2^exponent): its float has 24 bits */
    const double unit = ldexp(1.0, exponent < -125 ? -149 : exponent - 24),
                 error = error_of(actual[i], expected[i]) / unit;
    if (error > *ulp) {
      *ulp = error;
      worst = i;
    }
  }
  return worst;
}
