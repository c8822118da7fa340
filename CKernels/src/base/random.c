/* SPDX-License-Identifier: Apache-2.0
 * Streams of random numbers by counter. */
#include <string.h>

#include "mtlf/random.h"
#include "random.h"

void mtlf_random_u32(uint64_t key, uint64_t stream, uint64_t first, size_t n, uint32_t *values) {
  uint32_t word[4];
  for (size_t i = 0; i < n; i++) {
    const uint64_t at = first + i;
    if (i == 0 || at % 4 == 0) mtlf_philox(key, stream, at / 4, word);
    values[i] = word[at % 4];
  }
}

/* The largest float below a finite x. */
static float predecessor(float x) {
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = x > 0 ? bits - 1 : x < 0 ? bits + 1 : INT32_MIN + 1;
  memcpy(&x, &bits, sizeof x);
  return x;
}

void mtlf_random_uniform_f32(uint64_t key, uint64_t stream, uint64_t first, size_t n, float low, float high,
                             float *values) {
  uint32_t word[4];
  const float below_high = predecessor(high); /* the sum may round up to high */
  for (size_t i = 0; i < n; i++) {
    const uint64_t at = first + i;
    if (i == 0 || at % 4 == 0) mtlf_philox(key, stream, at / 4, word);
    const float value = low + (high - low) * ((float)(word[at % 4] >> 8) * 0x1p-24f);
    values[i] = value >= high && low < high ? below_high : value;
  }
}
