/* SPDX-License-Identifier: Apache-2.0
 * Operations: rows of a data set, and the masks that belong to them. */
#include <string.h>

#include "../kernels/input.h"
#include "mtlf/plan/input.h"
#include "run.h"

MTLF_SHARD_OP(input) {
  const mtlf_input_op *op = payload;
  const mtlf_step *step = shard->run->step;
  const mtlf_step_input *from = step->inputs + op->slot;
  const int32_t *rows = mtlf_shard_rows(shard, from->stream);
  const mtlf_view output = mtlf_shard_view(&op->output, shard);
  for (int32_t n = 0; n < shard->count; n++) {
    const mtlf_view sample = mtlf_view_from(output, n);
    mtlf_load_sample(mtlf_shard_kernels(shard), &from->rows, rows[n], step->epoch, &sample);
  }
}

MTLF_SHARD_OP(move_masks) {
  const mtlf_move_masks_op *op = payload;
  const mtlf_step *step = shard->run->step;
  const mtlf_step_head *head = step->heads + op->slot;
  const mtlf_augmentation *augmentation = step->inputs[op->source].rows.augmentation;
  const int32_t *rows = mtlf_shard_rows(shard, head->stream);
  const size_t elements = (size_t)op->height * (size_t)op->width * (size_t)op->channels;
  uint8_t *output = op->masks + (size_t)shard->first * elements;
  for (int32_t n = 0; n < shard->count; n++, output += elements) {
    const int32_t row = head->targets ? rows[n] : -1;
    const uint8_t *mask = row < 0 ? NULL : (const uint8_t *)head->targets + (size_t)row * elements;
    mtlf_augment_mask(augmentation, op->height, op->width, op->channels, mask, row, step->epoch, output);
  }
}
