/* SPDX-License-Identifier: Apache-2.0
 * Philox 4x32-10 as its authors write it: Salmon, Moraes, Dror, Shaw, Parallel Random Numbers: As Easy as 1, 2, 3,
 * 2011. */
#include "creference.h"

void reference_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4]) {
  uint32_t x[4] = {counter[0], counter[1], counter[2], counter[3]}, k[2] = {key[0], key[1]};
  for (int round = 0; round < 10; round++) {
    const uint64_t product0 = (uint64_t)0xD2511F53u * x[0], product1 = (uint64_t)0xCD9E8D57u * x[2];
    const uint32_t next[4] = {(uint32_t)(product1 >> 32) ^ x[1] ^ k[0], (uint32_t)product1,
                              (uint32_t)(product0 >> 32) ^ x[3] ^ k[1], (uint32_t)product0};
    for (int i = 0; i < 4; i++) x[i] = next[i];
    k[0] += 0x9E3779B9u; /* the golden ratio */
    k[1] += 0xBB67AE85u; /* sqrt(3) - 1 */
  }
  for (int i = 0; i < 4; i++) output[i] = x[i];
}

uint32_t reference_random_u32(uint64_t key, uint64_t stream, uint64_t index) {
  const uint64_t block = index / 4;
  const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)};
  const uint32_t words[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
  uint32_t output[4];
  reference_philox4x32(counter, words, output);
  return output[index % 4];
}
