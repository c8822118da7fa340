/* SPDX-License-Identifier: Apache-2.0
 * Random numbers by counter: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, Parallel Random Numbers: As Easy as 1, 2, 3, 2011). */
#include <string.h>

#include "impl.h"

/* Block `block` of a stream: four words of (key, stream, block) alone. */
static void philox(uint64_t key, uint64_t stream, uint64_t block, uint32_t word[4]) {
  uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32), c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    const uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  word[0] = c0;
  word[1] = c1;
  word[2] = c2;
  word[3] = c3;
}

void mtlf_random_u32(uint64_t key, uint64_t stream, uint64_t first, size_t n, uint32_t *values) {
  uint32_t word[4];
  for (size_t i = 0; i < n; i++) {
    const uint64_t at = first + i;
    if (i == 0 || at % 4 == 0) philox(key, stream, at / 4, word);
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
    if (i == 0 || at % 4 == 0) philox(key, stream, at / 4, word);
    const float value = low + (high - low) * ((float)(word[at % 4] >> 8) * 0x1p-24f);
    values[i] = value >= high && low < high ? below_high : value;
  }
}

void mtlf_dropout(uint64_t key, uint64_t stream, float rate, const float *x, float *y, size_t n) {
  const uint32_t threshold = (uint32_t)((double)rate * 0x1p32);
  const float scale = 1.0f / (1.0f - rate);
  uint32_t word[4];
  for (size_t i = 0; i < n; i++) {
    if (i % 4 == 0) philox(key, stream, i / 4, word);
    y[i] = word[i % 4] < threshold ? 0.0f : x[i] * scale;
  }
}
