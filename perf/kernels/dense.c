/* SPDX-License-Identifier: Apache-2.0
 * Forms of a dense layer over the whole minibatch: ours by blocks as training runs them, and OpenBLAS's sgemm.
 *
 * The passes are forward (with bias and ReLU), d_input (d_output packed first), d_kernel, and d_kernel with Adam's
 * update. The update's own few flops an element aren't counted. */
#include <stdio.h>
#include <string.h>

#include "base/parallel.h"
#include "bench.h"
#include "creference.h"
#include "dense_run.h"
#include "kernels/dense.h"

/* As in training: rows that lie a multiple of 4 KiB apart would fall into one set of the first-level cache. */
static ptrdiff_t stride_of(int32_t floats) { return floats % 1024 == 0 ? floats + 16 : floats; }

static mtlf_tensor new_vectors(const dense_run *r, int32_t channels) {
  const ptrdiff_t stride = r->path == FORM_OPENBLAS ? channels : stride_of(channels);
  return (mtlf_tensor){.view = {.data = new_floats((size_t)r->dense.batch * (size_t)stride),
                                .element = MTLF_F32,
                                .height = 1,
                                .width = 1,
                                .channels = channels,
                                .sample_stride = stride,
                                .row_stride = channels}};
}

static void copy_vectors(const dense_run *r, const mtlf_tensor *t, float *plain, int is_out) {
  const size_t row = (size_t)t->view.channels;
  for (int32_t n = 0; n < r->dense.batch; n++) {
    float *vector = (float *)t->view.data + n * t->view.sample_stride, *at = plain + (size_t)n * row;
    memcpy(is_out ? at : vector, is_out ? vector : at, row * sizeof(float));
  }
}

static size_t outputs_of(const dense_run *r) { return (size_t)r->dense.batch * (size_t)r->dense.units; }
static size_t inputs_of(const dense_run *r) { return (size_t)r->dense.batch * (size_t)r->dense.inputs; }

/* ---- passes of ours ---- */

static void d_kernel_block(void *argument, int64_t unit, int thread) {
  dense_run *r = argument;
  (void)thread;
  mtlf_dense_f32.d_kernel_unit(r->context.kernels, r->dense.batch, &r->inputs.view, &r->d_outputs.view, r->d_kernel,
                               r->d_bias, unit);
}

static void run_d_kernel(void *run) {
  dense_run *r = run;
  mtlf_run_units(&r->context, mtlf_dense_d_kernel_unit_count(r->context.kernels, r->dense.inputs, r->dense.units),
                 d_kernel_block, r);
}

static void prepare_ours(dense_run *r, pass passes[MAX_PASSES], double flops) {
  const int32_t batch = r->dense.batch, units = r->dense.units;
  const size_t panel = (size_t)mtlf_panel_columns(&r->context), wide = ((size_t)units + panel - 1) / panel * panel;
  const size_t kernel = mtlf_packed_floats(r->dense.inputs, units, &r->context);
  r->weight = (mtlf_weight){.inputs = r->dense.inputs,
                            .units = units,
                            .window = r->dense.inputs,
                            .kernel = new_floats(kernel),
                            .bias = new_floats(wide),
                            .kernel_slot = {new_floats(kernel), new_floats(kernel)},
                            .bias_slot = {new_floats(wide), new_floats(wide)}};
  r->d_kernel = new_floats(kernel);
  r->d_bias = new_floats(wide);
  r->packed = new_floats(((size_t)batch + panel - 1) / panel * panel * (size_t)units);
  r->term = (mtlf_dense_term){
      .kernel = r->weight.kernel, .inputs = r->dense.inputs, .units = units, .d_output_packed = r->packed};

  r->forward_op = (mtlf_dense_op){
      .weight = &r->weight, .kernel = r->weight.kernel, .relu = 1, .input = r->inputs, .output = r->outputs};
  init_plan_pass(&r->forward, &r->context, batch, batch);
  add_block_op(&r->forward, mtlf_dense_units, mtlf_dense_block, &r->forward_op);

  r->pack_op = (mtlf_pack_samples_op){.rows = r->d_outputs, .packed = r->packed};
  r->d_input_op = (mtlf_dense_d_input_op){.terms = &r->term, .term_count = 1, .d_input = r->d_inputs};
  init_plan_pass(&r->d_input, &r->context, batch, batch);
  add_shard_op(&r->d_input, mtlf_pack_samples_shard, &r->pack_op);
  add_block_op(&r->d_input, mtlf_dense_d_input_units, mtlf_dense_d_input_block, &r->d_input_op);

  r->update_op = (mtlf_dense_d_kernel_op){.weight = &r->weight, .input = r->inputs, .d_output = r->d_outputs};
  init_plan_pass(&r->update, &r->context, batch, batch);
  add_block_op(&r->update, mtlf_dense_d_kernel_units, mtlf_dense_d_kernel_block, &r->update_op);

  passes[0] = (pass){run_plan_pass, &r->forward, flops};
  passes[1] = (pass){run_plan_pass, &r->d_input, flops};
  passes[2] = (pass){run_d_kernel, r, flops};
  passes[3] = (pass){run_plan_pass, &r->update, flops};
}

/* ---- values and checks ---- */

static void fill(dense_run *r, void (*values)(int64_t n, uint64_t seed, float *to)) {
  const size_t kernel = (size_t)r->dense.inputs * (size_t)r->dense.units;
  values((int64_t)inputs_of(r), 1, r->input);
  values((int64_t)kernel, 2, r->kernel);
  values(r->dense.units, 3, r->bias);
  values((int64_t)outputs_of(r), 4, r->d_output);
  copy_vectors(r, &r->inputs, r->input, 0);
  copy_vectors(r, &r->d_outputs, r->d_output, 0);
  if (r->path == FORM_OPENBLAS) return;
  check_status(mtlf_pack_f32(r->dense.inputs, r->dense.units, r->kernel, r->weight.kernel, &r->context));
  memcpy(r->weight.bias, r->bias, (size_t)r->dense.units * sizeof(float));
}

static void small_integers(int64_t n, uint64_t seed, float *to) { reference_fill_integers(n, seed, 2, to); }

static double *widened(size_t n, const float *values) {
  double *doubles = new_doubles(n);
  reference_widen((int64_t)n, values, doubles);
  return doubles;
}

/* The fused update must give the bits of Adam over a flat buffer. */
static void check_update(const dense_run *r, const char *name, const double *d_kernel) {
  const size_t n = (size_t)r->dense.inputs * (size_t)r->dense.units;
  float *w = new_floats(n), *m = new_floats(n), *v = new_floats(n), *g = new_floats(n), *updated = r->kernel;
  memcpy(w, r->kernel, n * sizeof(float));
  for (size_t i = 0; i < n; i++) g[i] = (float)d_kernel[i];
  check_status(mtlf_adam_f32(&bench_adam, 1, (int64_t)n, w, m, v, g, &r->context));
  if (r->path != FORM_OPENBLAS) {
    updated = new_floats(n);
    check_status(mtlf_unpack_f32(r->dense.inputs, r->dense.units, r->weight.kernel, updated, &r->context));
  }
  check_values(name, "the weight after Adam's update", n, updated, widened(n, w));
}

static void check(dense_run *r, const pass passes[MAX_PASSES], const char *name) {
  const size_t kernel = (size_t)r->dense.inputs * (size_t)r->dense.units, units = (size_t)r->dense.units;
  fill(r, small_integers);
  const double *input = widened(inputs_of(r), r->input), *weight = widened(kernel, r->kernel);
  const double *bias = widened(units, r->bias), *d_output = widened(outputs_of(r), r->d_output);
  double *output = new_doubles(outputs_of(r)), *d_input = new_doubles(inputs_of(r));
  double *d_kernel = new_doubles(kernel), *d_bias = new_doubles(units);
  reference_dense_forward(&r->dense, input, weight, bias, 1, output);
  reference_dense_d_input(&r->dense, weight, d_output, d_input);
  reference_dense_d_kernel(&r->dense, input, d_output, d_kernel, d_bias);
  for (int i = 0; i < 3; i++) passes[i].run(passes[i].argument);

  float *found = new_floats(outputs_of(r) > inputs_of(r) ? outputs_of(r) : inputs_of(r));
  copy_vectors(r, &r->outputs, found, 1);
  check_values(name, "forward", outputs_of(r), found, output);
  copy_vectors(r, &r->d_inputs, found, 1);
  check_values(name, "d_input", inputs_of(r), found, d_input);
  float *plain = r->d_kernel;
  if (r->path != FORM_OPENBLAS) {
    plain = new_floats(kernel);
    check_status(mtlf_unpack_f32(r->dense.inputs, r->dense.units, r->d_kernel, plain, &r->context));
  }
  check_values(name, "d_kernel", kernel, plain, d_kernel);
  check_values(name, "d_bias", units, r->d_bias, d_bias);
  if (r->path != FORM_OPENBLAS) {
    passes[3].run(passes[3].argument);
    check_update(r, name, d_kernel);
  }
}

rates run_dense_form(const layer *l, form_path path, const mtlf_context *context) {
  dense_run r = {.dense = l->dense, .path = path, .context = *context};
  const double flops = 2.0 * l->dense.batch * l->dense.inputs * l->dense.units;
  pass passes[MAX_PASSES];
  char name[128];
  snprintf(name, sizeof name, "dense %d -> %d, %s", l->dense.inputs, l->dense.units,
           path == FORM_OPENBLAS ? "OpenBLAS" : "ours");
  r.inputs = new_vectors(&r, l->dense.inputs);
  r.d_inputs = new_vectors(&r, l->dense.inputs);
  r.outputs = new_vectors(&r, l->dense.units);
  r.d_outputs = new_vectors(&r, l->dense.units);
  r.input = new_floats(inputs_of(&r));
  r.d_output = new_floats(outputs_of(&r));
  r.kernel = new_floats((size_t)l->dense.inputs * (size_t)l->dense.units);
  r.bias = new_floats((size_t)l->dense.units);
  if (path == FORM_OPENBLAS) {
    prepare_openblas_dense(&r, passes, flops);
  } else {
    prepare_ours(&r, passes, flops);
  }
  check(&r, passes, name);
  fill(&r, reference_fill_reals);
  const mtlf_context calibration = path == FORM_OPENBLAS ? openblas_calibration(context) : *context;
  const rates result = measure(passes, &calibration);
  free_memory();
  return result;
}
