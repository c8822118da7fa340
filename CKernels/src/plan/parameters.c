/* SPDX-License-Identifier: Apache-2.0
 * Parameters of a plan: kernel, bias, gradients by group, and the kernel's other forms. */
#include "parameters.h"

#include "../base/arithmetic.h"
#include "../base/context.h"
#include "../base/element.h"
#include "../kernels/conv2d.h"

mtlf_parameter mtlf_kernel_of(const mtlf_weight *weight) {
  return (mtlf_parameter){
      .values = weight->kernel, .slot = {weight->kernel_slot[0], weight->kernel_slot[1]}, .decays = !weight->no_decay};
}

mtlf_parameter mtlf_bias_of(const mtlf_weight *weight) {
  return (mtlf_parameter){.values = weight->bias, .slot = {weight->bias_slot[0], weight->bias_slot[1]}};
}

size_t mtlf_kernel_floats(const mtlf_kernels *kernels, const mtlf_weight *weight) {
  return (size_t)mtlf_round_up(weight->units, kernels->panel) * (size_t)weight->inputs;
}

float *mtlf_gradient_of(const mtlf_weight *weight, int group) {
  return weight->gradient + (size_t)group * weight->gradient_stride;
}

int mtlf_gradient_groups(const mtlf_weight *weight, int is_summed, int groups) {
  return is_summed || weight->gradient_copies <= 1 ? 1 : groups;
}

/* ---- units ---- */

enum { UPDATE_ROWS = 64 };

int64_t mtlf_update_unit_count(const mtlf_kernels *kernels, int64_t inputs, int64_t units) {
  return mtlf_divide_up(inputs, UPDATE_ROWS) * mtlf_divide_up(units, kernels->panel) + 1;
}

mtlf_unit_place mtlf_unit_place_of(const mtlf_kernels *kernels, const mtlf_weight *weight, int64_t unit) {
  const int32_t panel = kernels->panel, panels = (int32_t)mtlf_divide_up(weight->units, panel);
  const int64_t blocks = mtlf_divide_up(weight->inputs, UPDATE_ROWS);
  if (unit == blocks * panels) {
    return (mtlf_unit_place){
        .is_bias = 1, .at = (size_t)panels * (size_t)panel * (size_t)weight->inputs, .n = (size_t)weight->units};
  }
  mtlf_unit_place place = {.panel = (int32_t)(unit / blocks), .first = (int32_t)(unit % blocks) * UPDATE_ROWS};
  place.rows = (int32_t)mtlf_least(UPDATE_ROWS, weight->inputs - place.first);
  place.at = ((size_t)place.panel * (size_t)weight->inputs + (size_t)place.first) * (size_t)panel;
  place.n = (size_t)place.rows * (size_t)panel;
  return place;
}

/* ---- forms ---- */

void mtlf_refresh_rows(const mtlf_kernels *kernels, const mtlf_weight *weight, int32_t panel, int32_t first,
                       int32_t rows) {
  const size_t wide = (size_t)kernels->panel;
  const size_t at = ((size_t)panel * (size_t)weight->inputs + (size_t)first) * wide;
  for (int32_t i = 0; i < weight->form_count; i++) {
    const mtlf_weight_form *form = weight->forms + i;
    if (form->layout == MTLF_LAYOUT_TRANSPOSED) {
      mtlf_transpose_rows(kernels, weight->window, weight->units, weight->kernel + at, first, rows, panel,
                          form->values);
    } else {
      mtlf_round(weight->kernel + at, (uint16_t *)form->values + at, (size_t)rows * wide);
    }
  }
}

size_t mtlf_plan_transposed_floats(int64_t inputs, int64_t units, int64_t window, const mtlf_context *context) {
  mtlf_context resolved;
  return mtlf_resolve(context, &resolved) == MTLF_OK ? mtlf_transposed_floats(resolved.kernels, inputs, units, window)
                                                     : 0;
}

mtlf_status mtlf_plan_refresh(const mtlf_weight *weight, const mtlf_context *context) {
  mtlf_context resolved;
  if (!weight || !weight->kernel) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  for (int32_t panel = 0; panel * resolved.kernels->panel < weight->units; panel++) {
    mtlf_refresh_rows(resolved.kernels, weight, panel, 0, weight->inputs);
  }
  return MTLF_OK;
}

int64_t mtlf_plan_update_units(int64_t inputs, int64_t units, const mtlf_context *context) {
  mtlf_context resolved;
  return mtlf_resolve(context, &resolved) == MTLF_OK ? mtlf_update_unit_count(resolved.kernels, inputs, units) : 0;
}
