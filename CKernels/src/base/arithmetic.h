/* SPDX-License-Identifier: Apache-2.0
 * Whole numbers as sizes need them; none of it checks for overflow. */
#ifndef MTLF_BASE_ARITHMETIC_H
#define MTLF_BASE_ARITHMETIC_H

#include <stdint.h>

static inline int64_t mtlf_divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t mtlf_least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t mtlf_round_up(int64_t a, int64_t multiple) { return mtlf_divide_up(a, multiple) * multiple; }

#endif
