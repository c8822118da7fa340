/* SPDX-License-Identifier: Apache-2.0
 * Dropout (Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014). */
#include "dropout.h"

#include "../base/random.h"

void mtlf_dropout(uint64_t key, uint64_t stream, float rate, const float *x, float *y, size_t n) {
  const uint32_t threshold = (uint32_t)((double)rate * 0x1p32);
  const float scale = 1.0f / (1.0f - rate);
  uint32_t word[4];
  for (size_t i = 0; i < n; i++) {
    if (i % 4 == 0) mtlf_philox(key, stream, i / 4, word);
    y[i] = word[i % 4] < threshold ? 0.0f : x[i] * scale;
  }
}
