/* SPDX-License-Identifier: Apache-2.0
 * Plain matrices to packed panels and back. */
#include <string.h>

#include "../base/arithmetic.h"
#include "mtlf/base.h"

size_t mtlf_packed_floats(int64_t rows, int64_t columns, const mtlf_context *context) {
  const int64_t panel = mtlf_panel_columns(context);
  int64_t floats;
  if (panel == 0 || rows < 1 || columns < 1 || columns > INT64_MAX - panel) return 0;
  if (__builtin_mul_overflow(mtlf_round_up(columns, panel), rows, &floats) || floats > INT64_MAX / 8) return 0;
  return (size_t)floats;
}

mtlf_status mtlf_pack_f32(int64_t rows, int64_t columns, const float *plain, float *packed,
                          const mtlf_context *context) {
  const int64_t panel = mtlf_panel_columns(context);
  if (!plain || !packed) return MTLF_ERR_NULL_POINTER;
  if (panel == 0) return MTLF_ERR_UNSUPPORTED_ISA;
  if (mtlf_packed_floats(rows, columns, context) == 0) return MTLF_ERR_BAD_SHAPE;
  for (int64_t first = 0; first < columns; first += panel) {
    const int64_t wide = mtlf_least(panel, columns - first);
    for (int64_t row = 0; row < rows; row++, packed += panel) {
      memcpy(packed, plain + row * columns + first, (size_t)wide * sizeof *packed);
      memset(packed + wide, 0, (size_t)(panel - wide) * sizeof *packed);
    }
  }
  return MTLF_OK;
}

mtlf_status mtlf_unpack_f32(int64_t rows, int64_t columns, const float *packed, float *plain,
                            const mtlf_context *context) {
  const int64_t panel = mtlf_panel_columns(context);
  if (!plain || !packed) return MTLF_ERR_NULL_POINTER;
  if (panel == 0) return MTLF_ERR_UNSUPPORTED_ISA;
  if (mtlf_packed_floats(rows, columns, context) == 0) return MTLF_ERR_BAD_SHAPE;
  for (int64_t first = 0; first < columns; first += panel) {
    const int64_t wide = mtlf_least(panel, columns - first);
    for (int64_t row = 0; row < rows; row++, packed += panel) {
      memcpy(plain + row * columns + first, packed, (size_t)wide * sizeof *packed);
    }
  }
  return MTLF_OK;
}
