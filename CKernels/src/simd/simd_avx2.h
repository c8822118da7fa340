/* SPDX-License-Identifier: Apache-2.0
 * Vectors of 8 floats on AVX2 + FMA: the names that kernels.inc.h is written in. */
#ifndef MTLF_SIMD_AVX2_H
#define MTLF_SIMD_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define MTLF_TARGET __attribute__((target("avx2,fma")))
#define MTLF_INLINE static inline __attribute__((always_inline)) MTLF_TARGET

enum { V_LANES = 8 };
typedef __m256 v_f32;
typedef __m256i v_tail;
typedef __m256 v_choice;

MTLF_INLINE v_tail v_tail_of(int lanes) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
MTLF_INLINE v_f32 v_load(const float *p) { return _mm256_loadu_ps(p); }
MTLF_INLINE v_f32 v_load_tail(const float *p, v_tail t) { return _mm256_maskload_ps(p, t); }
MTLF_INLINE void v_store(float *p, v_f32 x) { _mm256_storeu_ps(p, x); }
MTLF_INLINE void v_store_tail(float *p, v_f32 x, v_tail t) { _mm256_maskstore_ps(p, t, x); }
MTLF_INLINE v_f32 v_set1(float x) { return _mm256_set1_ps(x); }
MTLF_INLINE v_f32 v_fma(v_f32 a, v_f32 b, v_f32 c) { return _mm256_fmadd_ps(a, b, c); }
MTLF_INLINE v_f32 v_add(v_f32 a, v_f32 b) { return _mm256_add_ps(a, b); }
MTLF_INLINE v_f32 v_sub(v_f32 a, v_f32 b) { return _mm256_sub_ps(a, b); }
MTLF_INLINE v_f32 v_mul(v_f32 a, v_f32 b) { return _mm256_mul_ps(a, b); }
MTLF_INLINE v_f32 v_div(v_f32 a, v_f32 b) { return _mm256_div_ps(a, b); }
MTLF_INLINE v_f32 v_sqrt(v_f32 a) { return _mm256_sqrt_ps(a); }
MTLF_INLINE v_f32 v_round(v_f32 a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
MTLF_INLINE v_f32 v_pow2(v_f32 n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}
/* A positive, normal x = result * 2^exponent, the result in [3/4, 3/2). */
MTLF_INLINE v_f32 v_mantissa(v_f32 x, v_f32 *exponent) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i n = _mm256_srai_epi32(_mm256_sub_epi32(bits, _mm256_set1_epi32(0x3f400000)), 23);
  *exponent = _mm256_cvtepi32_ps(n);
  return _mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32(n, 23)));
}
/* The vector max returns its second operand where one is NaN: b's NaN propagates. */
MTLF_INLINE v_f32 v_max(v_f32 a, v_f32 b) { return _mm256_max_ps(a, b); }
MTLF_INLINE v_f32 v_min(v_f32 a, v_f32 b) { return _mm256_min_ps(a, b); }
MTLF_INLINE v_choice v_greater(v_f32 a, v_f32 b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
MTLF_INLINE v_choice v_equal(v_f32 a, v_f32 b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
/* x takes m's place as maximum: greater, or NaN while m is a number (a NaN in m stays). */
MTLF_INLINE v_choice v_replaces(v_f32 x, v_f32 m) {
  return _mm256_or_ps(_mm256_cmp_ps(x, m, _CMP_GT_OQ),
                      _mm256_and_ps(_mm256_cmp_ps(x, x, _CMP_UNORD_Q), _mm256_cmp_ps(m, m, _CMP_ORD_Q)));
}
MTLF_INLINE v_f32 v_select(v_choice c, v_f32 yes, v_f32 no) { return _mm256_blendv_ps(no, yes, c); }
MTLF_INLINE v_f32 v_load_u8(const uint8_t *p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p)));
}
MTLF_INLINE v_f32 v_load_u8_tail(const uint8_t *p, v_tail t) {
  uint8_t bytes[8] = {0};
  const int lanes = __builtin_popcount((unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(t)));
  for (int i = 0; i < lanes; i++) bytes[i] = p[i];
  return v_load_u8(bytes);
}
MTLF_INLINE void v_store_u8_tail(uint8_t *p, v_f32 x, v_tail t) {
  int32_t words[8];
  const int lanes = __builtin_popcount((unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(t)));
  _mm256_storeu_si256((__m256i *)(void *)words, _mm256_cvtps_epi32(x));
  for (int i = 0; i < lanes; i++) p[i] = (uint8_t)words[i];
}
MTLF_INLINE void v_prefetch(const void *p) { _mm_prefetch((const char *)p, _MM_HINT_T0); }

/* An 8x8 block, in place: row i becomes column i. */
MTLF_INLINE void v_transpose(v_f32 r[8]) {
  __m256 t[8], u[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; i++) {
    r[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
    r[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
  }
}

#endif
