/* SPDX-License-Identifier: Apache-2.0
 * mtlf/optimizer.h - optimizers: one pass over n values. */
#ifndef MTLF_OPTIMIZER_H
#define MTLF_OPTIMIZER_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mtlf_optimizer_kind { MTLF_OPTIMIZER_ADAM, MTLF_OPTIMIZER_SGD } mtlf_optimizer_kind;

typedef struct mtlf_adam {
  float learning_rate, beta1, beta2, epsilon;
  float weight_decay; /* 0: none */
} mtlf_adam;

/* Adam at optimizer step `step` (from 1):
 *   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
 *   w -= learning_rate * weight_decay * w
 *   w -= learning_rate * m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + epsilon)
 * The decay does not pass through m and v (Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019). */
mtlf_status mtlf_adam_f32(const mtlf_adam *adam, int64_t step, int64_t n, float *w, float *m, float *v, const float *g,
                          const mtlf_context *context);

typedef struct mtlf_sgd {
  float learning_rate, momentum;
  float weight_decay; /* 0: none */
} mtlf_sgd;

/* velocity = momentum * velocity + g + weight_decay * w;  w -= learning_rate * velocity */
mtlf_status mtlf_sgd_f32(const mtlf_sgd *sgd, int64_t n, float *w, float *velocity, const float *g,
                         const mtlf_context *context);

#ifdef __cplusplus
}
#endif

#endif
