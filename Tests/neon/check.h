/* SPDX-License-Identifier: Apache-2.0
 * What the checks of all families share: memory, verdicts, and the checks themselves, each of one instruction set. */
#ifndef MTLF_CHECK_H
#define MTLF_CHECK_H

#include "creference.h"
#include "mtlf.h"
#include "mtlf/plan/batch_norm.h"
#include "mtlf/plan/conv2d.h"
#include "mtlf/plan/dense.h"
#include "mtlf/plan/elementwise.h"
#include "mtlf/plan/input.h"
#include "mtlf/plan/losses.h"
#include "mtlf/plan/pool2d.h"
#include "mtlf/plan/rearrange.h"
#include "mtlf/plan/update.h"
#include "mtlf_plan.h"

/* ---- memory: exact sizes between pages that trap ---- */

/* The side on which buffers touch a trap. */
extern reference_side side;
/* Filled with 0xff, which is NaN: what isn't written, or read before it is, shows. */
void *allocate(size_t bytes);
void free_all(void);
float *floats(int64_t n);
double *doubles(int64_t n);
float *integers(int64_t n, uint64_t seed);
float *reals(int64_t n, uint64_t seed);
double *wide(int64_t n, const float *values);

/* ---- verdicts ---- */

extern int passed, failed;
/* What is being checked: the beginning of a failure's line. */
extern char where[200];
void name_place(const mtlf_context *context, const char *what, int64_t number);
void expect(int is_right, const char *what);
void expect_ok(mtlf_status status, const char *what);
void expect_equal(int64_t n, const float *actual, const double *expected, const char *what);
void expect_near(int64_t n, const float *actual, const double *expected, double bound, const char *what);

/* ---- the checks of a context ---- */

void check_windows(const mtlf_context *context);
void check_dense_layers(const mtlf_context *context);
/* Of rows, pixels and channels around n. */
void check_losses(int32_t n, const mtlf_context *context);
void check_norms(int32_t n, const mtlf_context *context);
void check_values(int32_t n, const mtlf_context *context);

#endif
