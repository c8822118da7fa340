/* SPDX-License-Identifier: Apache-2.0
 * Vectors of 4 floats on AArch64 NEON: the names that kernels.inc.h is written in. */
#ifndef MTLF_SIMD_NEON_H
#define MTLF_SIMD_NEON_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

#define MTLF_TARGET
#define MTLF_INLINE static inline __attribute__((always_inline))

enum { V_LANES = 4 };
typedef float32x4_t v_f32;
typedef int v_tail; /* a number of lanes: NEON has no masked loads */
typedef uint32x4_t v_choice;

MTLF_INLINE v_tail v_tail_of(int lanes) { return lanes; }
MTLF_INLINE v_f32 v_load(const float *p) { return vld1q_f32(p); }
MTLF_INLINE v_f32 v_load_tail(const float *p, v_tail t) {
  float lanes[4] = {0};
  for (int i = 0; i < t && i < 4; i++) lanes[i] = p[i];
  return vld1q_f32(lanes);
}
MTLF_INLINE void v_store(float *p, v_f32 x) { vst1q_f32(p, x); }
MTLF_INLINE void v_store_tail(float *p, v_f32 x, v_tail t) {
  float lanes[4];
  vst1q_f32(lanes, x);
  for (int i = 0; i < t && i < 4; i++) p[i] = lanes[i];
}
MTLF_INLINE v_f32 v_set1(float x) { return vdupq_n_f32(x); }
MTLF_INLINE v_f32 v_fma(v_f32 a, v_f32 b, v_f32 c) { return vfmaq_f32(c, a, b); }
MTLF_INLINE v_f32 v_add(v_f32 a, v_f32 b) { return vaddq_f32(a, b); }
MTLF_INLINE v_f32 v_sub(v_f32 a, v_f32 b) { return vsubq_f32(a, b); }
MTLF_INLINE v_f32 v_mul(v_f32 a, v_f32 b) { return vmulq_f32(a, b); }
MTLF_INLINE v_f32 v_div(v_f32 a, v_f32 b) { return vdivq_f32(a, b); }
MTLF_INLINE v_f32 v_sqrt(v_f32 a) { return vsqrtq_f32(a); }
MTLF_INLINE v_f32 v_round(v_f32 a) { return vrndnq_f32(a); }
MTLF_INLINE v_f32 v_pow2(v_f32 n) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23));
}
/* A positive, normal x = result * 2^exponent, the result in [3/4, 3/2). */
MTLF_INLINE v_f32 v_mantissa(v_f32 x, v_f32 *exponent) {
  const int32x4_t bits = vreinterpretq_s32_f32(x);
  const int32x4_t n = vshrq_n_s32(vsubq_s32(bits, vdupq_n_s32(0x3f400000)), 23);
  *exponent = vcvtq_f32_s32(n);
  return vreinterpretq_f32_s32(vsubq_s32(bits, vshlq_n_s32(n, 23)));
}
/* NEON's max and min return NaN where either operand is NaN. */
MTLF_INLINE v_f32 v_max(v_f32 a, v_f32 b) { return vmaxq_f32(a, b); }
MTLF_INLINE v_f32 v_min(v_f32 a, v_f32 b) { return vminq_f32(a, b); }
MTLF_INLINE v_choice v_greater(v_f32 a, v_f32 b) { return vcgtq_f32(a, b); }
MTLF_INLINE v_choice v_equal(v_f32 a, v_f32 b) { return vceqq_f32(a, b); }
/* x takes m's place as maximum: greater, or NaN while m is a number (a NaN in m stays). */
MTLF_INLINE v_choice v_replaces(v_f32 x, v_f32 m) {
  return vorrq_u32(vcgtq_f32(x, m), vbicq_u32(vceqq_f32(m, m), vceqq_f32(x, x)));
}
MTLF_INLINE v_f32 v_select(v_choice c, v_f32 yes, v_f32 no) { return vbslq_f32(c, yes, no); }
MTLF_INLINE v_f32 v_load_u8_tail(const uint8_t *p, v_tail t) {
  float lanes[4] = {0};
  for (int i = 0; i < t && i < 4; i++) lanes[i] = (float)p[i];
  return vld1q_f32(lanes);
}
MTLF_INLINE v_f32 v_load_u8(const uint8_t *p) { return v_load_u8_tail(p, 4); }
MTLF_INLINE void v_store_u8_tail(uint8_t *p, v_f32 x, v_tail t) {
  float lanes[4];
  vst1q_f32(lanes, x);
  for (int i = 0; i < t && i < 4; i++) p[i] = (uint8_t)lanes[i];
}
MTLF_INLINE void v_prefetch(const void *p) { __builtin_prefetch(p); }

/* A 4x4 block, in place: row i becomes column i. */
MTLF_INLINE void v_transpose(v_f32 r[4]) {
  const float32x4x2_t lo = vtrnq_f32(r[0], r[1]), hi = vtrnq_f32(r[2], r[3]);
  r[0] = vcombine_f32(vget_low_f32(lo.val[0]), vget_low_f32(hi.val[0]));
  r[1] = vcombine_f32(vget_low_f32(lo.val[1]), vget_low_f32(hi.val[1]));
  r[2] = vcombine_f32(vget_high_f32(lo.val[0]), vget_high_f32(hi.val[0]));
  r[3] = vcombine_f32(vget_high_f32(lo.val[1]), vget_high_f32(hi.val[1]));
}

#endif
