/* SPDX-License-Identifier: Apache-2.0
 * Vectors of 16 floats on AVX-512F/BW/VL/DQ: the names that kernels.inc.h is written in. */
#ifndef MTLF_SIMD_AVX512_H
#define MTLF_SIMD_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define MTLF_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")))
#define MTLF_INLINE static inline __attribute__((always_inline)) MTLF_TARGET

enum { V_LANES = 16 };
typedef __m512 v_f32;
typedef __mmask16 v_tail;   /* the lanes of a last, partial vector */
typedef __mmask16 v_choice; /* the result of a comparison */

MTLF_INLINE v_tail v_tail_of(int lanes) { return (v_tail)(lanes >= 16 ? 0xffffu : (1u << lanes) - 1u); }
MTLF_INLINE v_f32 v_load(const float *p) { return _mm512_loadu_ps(p); }
MTLF_INLINE v_f32 v_load_tail(const float *p, v_tail t) { return _mm512_maskz_loadu_ps(t, p); }
MTLF_INLINE void v_store(float *p, v_f32 x) { _mm512_storeu_ps(p, x); }
MTLF_INLINE void v_store_tail(float *p, v_f32 x, v_tail t) { _mm512_mask_storeu_ps(p, t, x); }
MTLF_INLINE v_f32 v_set1(float x) { return _mm512_set1_ps(x); }
MTLF_INLINE v_f32 v_fma(v_f32 a, v_f32 b, v_f32 c) { return _mm512_fmadd_ps(a, b, c); }
MTLF_INLINE v_f32 v_add(v_f32 a, v_f32 b) { return _mm512_add_ps(a, b); }
MTLF_INLINE v_f32 v_sub(v_f32 a, v_f32 b) { return _mm512_sub_ps(a, b); }
MTLF_INLINE v_f32 v_mul(v_f32 a, v_f32 b) { return _mm512_mul_ps(a, b); }
MTLF_INLINE v_f32 v_div(v_f32 a, v_f32 b) { return _mm512_div_ps(a, b); }
MTLF_INLINE v_f32 v_sqrt(v_f32 a) { return _mm512_sqrt_ps(a); }
MTLF_INLINE v_f32 v_round(v_f32 a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
MTLF_INLINE v_f32 v_pow2(v_f32 n) { return _mm512_scalef_ps(_mm512_set1_ps(1.0f), n); }
/* A positive, normal x = result * 2^exponent, the result in [3/4, 3/2). */
MTLF_INLINE v_f32 v_mantissa(v_f32 x, v_f32 *exponent) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i n = _mm512_srai_epi32(_mm512_sub_epi32(bits, _mm512_set1_epi32(0x3f400000)), 23);
  *exponent = _mm512_cvtepi32_ps(n);
  return _mm512_castsi512_ps(_mm512_sub_epi32(bits, _mm512_slli_epi32(n, 23)));
}
/* The vector max returns its second operand where one is NaN: b's NaN propagates. */
MTLF_INLINE v_f32 v_max(v_f32 a, v_f32 b) { return _mm512_max_ps(a, b); }
MTLF_INLINE v_f32 v_min(v_f32 a, v_f32 b) { return _mm512_min_ps(a, b); }
MTLF_INLINE v_choice v_greater(v_f32 a, v_f32 b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
MTLF_INLINE v_choice v_equal(v_f32 a, v_f32 b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
/* x takes m's place as maximum: greater, or NaN while m is a number (a NaN in m stays). */
MTLF_INLINE v_choice v_replaces(v_f32 x, v_f32 m) {
  return _mm512_cmp_ps_mask(x, m, _CMP_GT_OQ) |
         (_mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q) & _mm512_cmp_ps_mask(m, m, _CMP_ORD_Q));
}
MTLF_INLINE v_f32 v_select(v_choice c, v_f32 yes, v_f32 no) { return _mm512_mask_blend_ps(c, no, yes); }
MTLF_INLINE v_f32 v_load_u8(const uint8_t *p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}
MTLF_INLINE v_f32 v_load_u8_tail(const uint8_t *p, v_tail t) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(t, p)));
}
MTLF_INLINE void v_store_u8_tail(uint8_t *p, v_f32 x, v_tail t) {
  _mm512_mask_cvtepi32_storeu_epi8(p, t, _mm512_cvtps_epi32(x));
}
MTLF_INLINE void v_prefetch(const void *p) { _mm_prefetch((const char *)p, _MM_HINT_T0); }

/* A 16x16 block, in place: row i becomes column i. */
MTLF_INLINE void v_transpose(v_f32 r[16]) {
  __m512 t[16], u[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    u[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
    u[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
    u[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    u[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_f32x4(u[i], u[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(u[i], u[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
    r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
  }
}

#endif
