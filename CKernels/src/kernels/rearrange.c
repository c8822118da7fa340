/* SPDX-License-Identifier: Apache-2.0
 * Copies, zeros, and channels put side by side. */
#include "rearrange.h"

#include <string.h>

#include "../base/arithmetic.h"

static void copy_run(const mtlf_view *from, ptrdiff_t from_at, const mtlf_view *to, ptrdiff_t to_at, size_t n) {
  enum { PIECE = 512 };
  float buffer[PIECE];
  if (from->element == to->element) {
    memcpy(mtlf_element_at(to, to_at), mtlf_element_at(from, from_at), n * mtlf_element_bytes(to->element));
    return;
  }
  for (size_t done = 0; done < n; done += PIECE) {
    const size_t count = (size_t)mtlf_least(PIECE, (int64_t)(n - done));
    const float *x = mtlf_read(from, from_at + (ptrdiff_t)done, count, buffer);
    if (to->element == MTLF_F32) {
      memcpy(mtlf_floats(to) + to_at + done, x, count * sizeof *x);
    } else {
      mtlf_put(to, to_at + (ptrdiff_t)done, count, x);
    }
  }
}

void mtlf_copy(int32_t samples, const mtlf_view *from, const mtlf_view *to) {
  const size_t run = (size_t)from->width * (size_t)from->channels;
  for (int32_t n = 0; n < samples; n++) {
    for (int32_t row = 0; row < from->height; row++) {
      copy_run(from, n * from->sample_stride + row * from->row_stride, to, n * to->sample_stride + row * to->row_stride,
               run);
    }
  }
}

void mtlf_zero(int32_t samples, const mtlf_view *values, ptrdiff_t halo) {
  memset(mtlf_element_at(values, -halo), 0,
         (size_t)samples * (size_t)values->sample_stride * mtlf_element_bytes(values->element));
}

/* Copies pixels of the narrower view's channels between it and the wider one. */
static void copy_channels(int32_t samples, const mtlf_view *narrow, const mtlf_view *wide, int32_t offset, int is_out) {
  const size_t bytes = (size_t)narrow->channels * mtlf_element_bytes(narrow->element);
  for (int32_t n = 0; n < samples; n++) {
    for (int32_t row = 0; row < narrow->height; row++) {
      ptrdiff_t inner = n * narrow->sample_stride + row * narrow->row_stride;
      ptrdiff_t outer = n * wide->sample_stride + row * wide->row_stride + offset;
      for (int32_t x = 0; x < narrow->width; x++, inner += narrow->channels, outer += wide->channels) {
        void *a = mtlf_element_at(narrow, inner), *b = mtlf_element_at(wide, outer);
        memcpy(is_out ? a : b, is_out ? b : a, bytes);
      }
    }
  }
}

void mtlf_concatenate(int32_t samples, const mtlf_view *part, const mtlf_view *whole, int32_t offset) {
  copy_channels(samples, part, whole, offset, 0);
}

void mtlf_slice(int32_t samples, const mtlf_view *whole, int32_t offset, const mtlf_view *part) {
  copy_channels(samples, part, whole, offset, 1);
}
