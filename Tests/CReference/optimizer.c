/* SPDX-License-Identifier: Apache-2.0
 * Adam and SGD with momentum in double precision. */
#include <math.h>

#include "creference.h"

void reference_adam(const mtlf_adam *adam, int64_t step, int64_t n, double *w, double *m, double *v, const double *g) {
  const double beta1 = adam->beta1, beta2 = adam->beta2;
  for (int64_t i = 0; i < n; i++) {
    m[i] = beta1 * m[i] + (1.0 - beta1) * g[i];
    v[i] = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i];
    const double mean = m[i] / (1.0 - pow(beta1, (double)step)), square = v[i] / (1.0 - pow(beta2, (double)step));
    w[i] -= (double)adam->learning_rate * adam->weight_decay * w[i];
    w[i] -= adam->learning_rate * mean / (sqrt(square) + adam->epsilon);
  }
}

void reference_sgd(const mtlf_sgd *sgd, int64_t n, double *w, double *velocity, const double *g) {
  for (int64_t i = 0; i < n; i++) {
    velocity[i] = sgd->momentum * velocity[i] + g[i] + sgd->weight_decay * w[i];
    w[i] -= sgd->learning_rate * velocity[i];
  }
}
