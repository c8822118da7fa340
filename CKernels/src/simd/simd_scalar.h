/* SPDX-License-Identifier: Apache-2.0
 * "Vectors" of one float in plain C: the names that kernels.inc.h is written in, on any machine. */
#ifndef MTLF_SIMD_SCALAR_H
#define MTLF_SIMD_SCALAR_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MTLF_TARGET
#define MTLF_INLINE static inline

enum { V_LANES = 1 };
typedef float v_f32;
typedef int v_tail;
typedef int v_choice;

MTLF_INLINE v_tail v_tail_of(int lanes) { return lanes > 0; }
MTLF_INLINE v_f32 v_load(const float *p) { return *p; }
MTLF_INLINE v_f32 v_load_tail(const float *p, v_tail t) { return t ? *p : 0.0f; }
MTLF_INLINE void v_store(float *p, v_f32 x) { *p = x; }
MTLF_INLINE void v_store_tail(float *p, v_f32 x, v_tail t) {
  if (t) *p = x;
}
MTLF_INLINE v_f32 v_set1(float x) { return x; }
/* Product and sum rounded one after the other: a library call for a fused one would be a hundred times slower. */
MTLF_INLINE v_f32 v_fma(v_f32 a, v_f32 b, v_f32 c) { return a * b + c; }
MTLF_INLINE v_f32 v_add(v_f32 a, v_f32 b) { return a + b; }
MTLF_INLINE v_f32 v_sub(v_f32 a, v_f32 b) { return a - b; }
MTLF_INLINE v_f32 v_mul(v_f32 a, v_f32 b) { return a * b; }
MTLF_INLINE v_f32 v_div(v_f32 a, v_f32 b) { return a / b; }
MTLF_INLINE v_f32 v_sqrt(v_f32 a) { return sqrtf(a); }
/* Exact for |a| < 2^22, which is all that exp asks for; needs no libm. */
MTLF_INLINE v_f32 v_round(v_f32 a) { return (a + 12582912.0f) - 12582912.0f; }
MTLF_INLINE v_f32 v_pow2(v_f32 n) {
  if (n != n) return n;
  const uint32_t bits = (uint32_t)((int32_t)n + 127) << 23;
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
/* A positive, normal x = result * 2^exponent, the result in [3/4, 3/2). */
MTLF_INLINE v_f32 v_mantissa(v_f32 x, v_f32 *exponent) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const int32_t biased = (int32_t)((bits - 0x3f400000u + 0x40000000u) >> 23) - 128;
  bits -= (uint32_t)biased << 23;
  *exponent = (float)biased;
  memcpy(&x, &bits, sizeof x);
  return x;
}
/* As the vector units: the second operand where one is NaN, so that b's NaN propagates. */
MTLF_INLINE v_f32 v_max(v_f32 a, v_f32 b) { return a > b ? a : b; }
MTLF_INLINE v_f32 v_min(v_f32 a, v_f32 b) { return a < b ? a : b; }
MTLF_INLINE v_choice v_greater(v_f32 a, v_f32 b) { return a > b; }
MTLF_INLINE v_choice v_equal(v_f32 a, v_f32 b) { return a == b; }
/* x takes m's place as maximum: greater, or NaN while m is a number (a NaN in m stays). */
MTLF_INLINE v_choice v_replaces(v_f32 x, v_f32 m) { return x > m || (x != x && m == m); }
MTLF_INLINE v_f32 v_select(v_choice c, v_f32 yes, v_f32 no) { return c ? yes : no; }
MTLF_INLINE v_f32 v_load_u8(const uint8_t *p) { return (float)*p; }
MTLF_INLINE v_f32 v_load_u8_tail(const uint8_t *p, v_tail t) { return t ? (float)*p : 0.0f; }
MTLF_INLINE void v_store_u8_tail(uint8_t *p, v_f32 x, v_tail t) {
  if (t) *p = (uint8_t)x;
}
MTLF_INLINE void v_prefetch(const void *p) { (void)p; }
MTLF_INLINE void v_transpose(v_f32 r[1]) { (void)r; }

#endif
