/* SPDX-License-Identifier: Apache-2.0
 * Memory and verdicts of the checks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* ---- memory: exact sizes between pages that trap ---- */

enum { MAX_BUFFERS = 256 };
static struct {
  void *memory;
  size_t bytes;
} buffers[MAX_BUFFERS];
static int buffer_count;
reference_side side;

void *allocate(size_t bytes) {
  void *memory = reference_guarded_allocate(bytes, side);
  if (!memory || buffer_count == MAX_BUFFERS) {
    printf("no memory\n");
    exit(1);
  }
  memset(memory, 0xff, bytes);
  buffers[buffer_count].memory = memory;
  buffers[buffer_count++].bytes = bytes;
  return memory;
}

void free_all(void) {
  while (buffer_count > 0) {
    buffer_count--;
    reference_guarded_free(buffers[buffer_count].memory, buffers[buffer_count].bytes);
  }
}

float *floats(int64_t n) { return allocate((size_t)n * sizeof(float)); }
double *doubles(int64_t n) { return allocate((size_t)n * sizeof(double)); }

float *integers(int64_t n, uint64_t seed) {
  float *values = floats(n);
  reference_fill_integers(n, seed, 4, values);
  return values;
}

float *reals(int64_t n, uint64_t seed) {
  float *values = floats(n);
  reference_fill_reals(n, seed, values);
  return values;
}

double *wide(int64_t n, const float *values) {
  double *result = doubles(n);
  reference_widen(n, values, result);
  return result;
}

/* ---- verdicts ---- */

int passed, failed;
char where[200];

void name_place(const mtlf_context *context, const char *what, int64_t number) {
  snprintf(where, sizeof where, "%s, %d threads, %s %lld:", mtlf_context_isa_name(context), context->threads, what,
           (long long)number);
}

void expect(int is_right, const char *what) {
  if (is_right) {
    passed++;
  } else {
    failed++;
    printf("FAILED  %s  %s\n", where, what);
  }
}

void expect_ok(mtlf_status status, const char *what) {
  if (status != MTLF_OK) {
    failed++;
    printf("FAILED  %s  %s: %s\n", where, what, mtlf_status_text(status));
  }
}

void expect_equal(int64_t n, const float *actual, const double *expected, const char *what) {
  const int64_t at = reference_first_difference(n, actual, expected);
  char text[160];
  if (at >= 0) snprintf(text, sizeof text, "%s[%lld] is %g, not %g", what, (long long)at, actual[at], expected[at]);
  expect(at < 0, text);
}

void expect_near(int64_t n, const float *actual, const double *expected, double bound, const char *what) {
  double error;
  const int64_t at = reference_worst_error(n, actual, expected, &error);
  char text[200];
  snprintf(text, sizeof text, "%s[%lld] is %.9g, not %.9g: error %g > %g", what, (long long)at, actual[at],
           expected[at], error, bound);
  expect(error <= bound, text);
}
