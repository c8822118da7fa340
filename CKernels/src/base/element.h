/* SPDX-License-Identifier: Apache-2.0
 * Elements of tensors: their sizes, and bfloat16, the upper half of a float. */
#ifndef MTLF_BASE_ELEMENT_H
#define MTLF_BASE_ELEMENT_H

#include <string.h>

#include "mtlf/base.h"

static inline size_t mtlf_element_bytes(mtlf_element element) {
  return element == MTLF_BF16 ? sizeof(uint16_t) : sizeof(float);
}

/* Exact. */
static inline float mtlf_f32_of_bf16(uint16_t x) {
  const uint32_t bits = (uint32_t)x << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* The nearest, of two that are equally near the even one; what is too large becomes infinite. A NaN keeps its sign and
 * the upper bits of its payload, and is quiet. */
static inline uint16_t mtlf_bf16_of_f32(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if (x != x) return (uint16_t)(bits >> 16 | 0x40u);
  return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static inline void mtlf_widen(const uint16_t *from, float *to, size_t n) {
  for (size_t i = 0; i < n; i++) to[i] = mtlf_f32_of_bf16(from[i]);
}

static inline void mtlf_round(const float *from, uint16_t *to, size_t n) {
  for (size_t i = 0; i < n; i++) to[i] = mtlf_bf16_of_f32(from[i]);
}

#endif
