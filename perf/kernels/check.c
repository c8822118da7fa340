/* SPDX-License-Identifier: Apache-2.0
 * Memory of the benchmark, and the comparison of results with the double-precision reference. */
#define _POSIX_C_SOURCE 200112L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { HELD = 128 };
static void *held[HELD];
static int held_count, passed;

int checks_passed(void) { return passed; }

static void *new_memory(size_t bytes) {
  void *memory = NULL;
  if (posix_memalign(&memory, MTLF_ALIGNMENT, bytes) != 0) {
    fprintf(stderr, "no memory for %zu bytes\n", bytes);
    exit(71);
  }
  if (held_count == HELD) exit(70);
  held[held_count++] = memory;
  return memset(memory, 0, bytes);
}

void free_memory(void) {
  while (held_count > 0) free(held[--held_count]);
}

float *new_floats(size_t n) { return new_memory((n + 64) * sizeof(float)); }
double *new_doubles(size_t n) { return new_memory((n + 1) * sizeof(double)); }

void check_values(const char *form, const char *what, size_t n, const float *actual, const double *expected) {
  for (size_t i = 0; i < n; i++) {
    if (actual[i] == (float)expected[i]) continue;
    fprintf(stderr, "%s: %s is wrong at index %zu. Expected: %.9g. Received: %.9g\n", form, what, i, expected[i],
            (double)actual[i]);
    exit(1);
  }
  passed++;
}

void check_that(int is_true, const char *form, const char *what) {
  if (!is_true) {
    fprintf(stderr, "%s: %s is wrong\n", form, what);
    exit(1);
  }
  passed++;
}

void check_status(mtlf_status status) {
  if (status == MTLF_OK) return;
  fprintf(stderr, "%s\n", mtlf_status_text(status));
  exit(1);
}
