/* SPDX-License-Identifier: Apache-2.0
 * What the files of the kernel benchmark share: shapes, passes, the clock, the checks. */
#ifndef MTLF_BENCH_H
#define MTLF_BENCH_H

#include <stddef.h>
#include <stdint.h>

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

/* ---- shapes.c: the layers of a net ---- */

enum { MAX_LAYERS = 64, MAX_PASSES = 4 };

typedef struct {
  int is_dense;
  mtlf_conv2d conv; /* batch: the whole minibatch */
  int has_pool;     /* a 2x2 max-pool follows, which training fuses */
  int is_first;     /* nothing before it is trained: no d_input */
  mtlf_dense dense;
  double bars[3]; /* per cent of the peak that forward, d_input, d_filter must reach; 0: no bar */
} layer;

typedef struct {
  int32_t batch, shard;
  int layer_count;
  layer layers[MAX_LAYERS];
} net;

/* Reads a file of shapes; a line that it doesn't understand ends the program. */
net read_net(const char *path);

/* ---- peak.c ---- */

/* GFLOP/s of one trial of about a millisecond: independent multiply-adds in registers, on all threads at once. */
double peak_trial(const mtlf_context *context);
/* The highest and the lowest peak that a line was measured against so far. */
typedef struct {
  double highest, lowest;
} peak_range;

/* ---- measure.c ---- */

/* A pass to be timed; none where run is NULL. */
typedef struct {
  void (*run)(void *argument);
  void *argument;
  double flops;
} pass;

/* The best rate of each pass, and the best of the calibrations between them: both in GFLOP/s. */
typedef struct {
  double rate[MAX_PASSES];
  double peak;
} rates;

enum { TRIALS = 20, MORE_ROUNDS = 4 };
/* `calibration` has the instruction set and the threads that the passes run on. */
rates measure(const pass passes[MAX_PASSES], const mtlf_context *calibration);
int is_above_peak(const rates *r);
peak_range measured_peaks(void);

/* ---- plan_pass.c: a plan of one operation, as training runs it ---- */

enum { MAX_PASS_OPS = 2 };

typedef struct {
  const mtlf_context *context;
  mtlf_op ops[MAX_PASS_OPS]; /* their payloads are the caller's */
  mtlf_job jobs[MAX_PASS_OPS];
  mtlf_stage stages[MAX_PASS_OPS];
  mtlf_plan plan;
  mtlf_step step;
  int32_t *indices;
} plan_pass;

/* Adam's settings of every update that is timed or checked. */
extern const mtlf_adam bench_adam;

void init_plan_pass(plan_pass *p, const mtlf_context *context, int32_t batch, int32_t shard);
/* Adds an operation to the shards of the last stage. */
void add_shard_op(plan_pass *p, mtlf_shard_function shard, const void *payload);
/* Adds an operation in blocks, as a stage of its own. */
void add_block_op(plan_pass *p, mtlf_units_function units, mtlf_block_function block, const void *payload);
void run_plan_pass(void *plan_pass_pointer);

/* ---- check.c: memory of a form, and its comparison with what is expected ---- */

/* Zeroed floats (and some beyond the last, which tiles may read), aligned; ends the program where there are none. */
float *new_floats(size_t n);
double *new_doubles(size_t n);
/* Frees all of them. */
void free_memory(void);
/* Ends the program unless every value is the float nearest to the expected one. */
void check_values(const char *form, const char *what, size_t n, const float *actual, const double *expected);
void check_that(int is_true, const char *form, const char *what);
void check_status(mtlf_status status);
int checks_passed(void);

/* ---- conv.c, dense.c: forms of a layer ----
 *
 * A form runs a layer's passes in one way on buffers of its own. It is checked with whole numbers, then filled with
 * real ones and timed. */

typedef enum { FORM_DIRECT, FORM_IM2COL, FORM_OPENBLAS } form_path;

typedef struct {
  form_path path;
  int is_fused;  /* with ReLU and the pool; otherwise with ReLU alone */
  int32_t shard; /* samples; 0: the whole minibatch lies in memory */
} conv_form;

/* Passes: forward, d_input, d_filter. Rates count the flops of the whole minibatch that the form executes. */
rates run_conv_form(const layer *l, const conv_form *form, int32_t batch, const mtlf_context *context);
/* Passes: forward, d_input, d_kernel, d_kernel with Adam's update. */
rates run_dense_form(const layer *l, form_path path, const mtlf_context *context);
/* Flops of one pass over the whole minibatch, over taps inside the image. */
double conv_flops(const mtlf_conv2d *conv, int is_fused);

/* ---- openblas.c: who and what it is; without OpenBLAS has_openblas says 0 ---- */

int has_openblas(void);
const char *openblas_name(void);
void set_openblas_threads(int32_t threads);
/* OpenBLAS goes by the CPU, whatever MTLF_ISA says: the context of the best instruction set, on as many threads. */
mtlf_context openblas_calibration(const mtlf_context *context);

#endif
