/* SPDX-License-Identifier: Apache-2.0
 * Loops over vectors, as the kernels below are written in; part of kernels.inc.h, in the same vector names. */

/* Runs a body for n elements, with `t` the lanes of the last, partial vector: LOAD and STORE take it into account. */
#define FOR_VECTORS(n, ...)                       \
  do {                                            \
    size_t i = 0;                                 \
    for (; i + V_LANES <= (n); i += V_LANES) {    \
      const int whole = 1;                        \
      const v_tail t = v_tail_of(V_LANES);        \
      __VA_ARGS__                                 \
    }                                             \
    if (i < (n)) {                                \
      const int whole = 0;                        \
      const v_tail t = v_tail_of((int)((n) - i)); \
      __VA_ARGS__                                 \
    }                                             \
  } while (0)
#define LOAD(p) (whole ? v_load((p) + i) : v_load_tail((p) + i, t))
#define STORE(p, x)                  \
  do {                               \
    if (whole) {                     \
      v_store((p) + i, (x));         \
    } else {                         \
      v_store_tail((p) + i, (x), t); \
    }                                \
  } while (0)

#include "vector_math.inc.h"

#include "activations.inc.h"
#include "depthwise.inc.h"
#include "elementwise.inc.h"
#include "layer_norm.inc.h"
#include "losses.inc.h"
#include "optimizers.inc.h"
#include "rearrange.inc.h"
#include "sums.inc.h"
