/* SPDX-License-Identifier: Apache-2.0
 * Kernels that move elements: through a pool's gate, and rows into columns.
 *
 * Part of kernels.inc.h, in the same vector names. Oracle: the double-precision reference of the tests. */

static MTLF_TARGET void unpool(const float *d_pooled, const uint8_t *gate, float *d_window, size_t channels) {
  const v_f32 zero = v_set1(0.0f);
  FOR_VECTORS(channels, {
    const v_f32 g = LOAD(d_pooled);
    const v_f32 position = whole ? v_load_u8(gate + i) : v_load_u8_tail(gate + i, t);
    for (int q = 0; q < 4; q++) {
      STORE(d_window + (size_t)q * channels, v_select(v_equal(position, v_set1((float)q)), g, zero));
    }
  });
}

static MTLF_TARGET void transpose(const float *x, ptrdiff_t x_stride, int rows, int columns, float *y,
                                  ptrdiff_t y_stride, const float *mask, ptrdiff_t mask_stride) {
  const v_f32 zero = v_set1(0.0f);
  for (int r = 0; r < rows; r += V_LANES) {
    const int high = rows - r < V_LANES ? rows - r : V_LANES;
    const v_tail row_tail = v_tail_of(high);
    for (int c = 0; c < columns; c += V_LANES) {
      const int wide = columns - c < V_LANES ? columns - c : V_LANES;
      const v_tail column_tail = v_tail_of(wide);
      v_f32 block[V_LANES];
      for (int i = 0; i < V_LANES; i++) {
        block[i] = i < high ? v_load_tail(x + (r + i) * x_stride + c, column_tail) : zero;
      }
      v_transpose(block);
      for (int i = 0; i < wide; i++) {
        v_f32 out = block[i];
        if (mask) out = v_select(v_greater(v_load_tail(mask + (c + i) * mask_stride + r, row_tail), zero), out, zero);
        v_store_tail(y + (c + i) * y_stride + r, out, row_tail);
      }
    }
  }
}
