/* SPDX-License-Identifier: Apache-2.0
 * The clock. */
#ifndef MTLF_BENCH_SECONDS_H
#define MTLF_BENCH_SECONDS_H

#include <time.h>

/* Seconds of a clock that only goes forward. */
static inline double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
