/* SPDX-License-Identifier: Apache-2.0
 * Views as kernels walk them. */
#ifndef MTLF_BASE_VIEW_H
#define MTLF_BASE_VIEW_H

#include "element.h"

/* Of a view of MTLF_F32. */
static inline float *mtlf_floats(const mtlf_view *view) { return (float *)view->data; }

/* Where an element is, so many behind element (0, 0, 0) of the first sample. */
static inline void *mtlf_element_at(const mtlf_view *view, ptrdiff_t at) {
  return (char *)view->data + at * (ptrdiff_t)mtlf_element_bytes(view->element);
}

/* n elements as floats: where they lie, or widened into the buffer [n]. */
static inline const float *mtlf_read(const mtlf_view *view, ptrdiff_t at, size_t n, float *buffer) {
  if (view->element == MTLF_F32) return mtlf_floats(view) + at;
  mtlf_widen((const uint16_t *)mtlf_element_at(view, at), buffer, n);
  return buffer;
}

/* Where to put n floats that mtlf_put then makes elements of. */
static inline float *mtlf_place(const mtlf_view *view, ptrdiff_t at, float *buffer) {
  return view->element == MTLF_F32 ? mtlf_floats(view) + at : buffer;
}

static inline void mtlf_put(const mtlf_view *view, ptrdiff_t at, size_t n, const float *buffer) {
  if (view->element == MTLF_BF16) mtlf_round(buffer, (uint16_t *)mtlf_element_at(view, at), n);
}

/* Elements of one sample, without its halo. */
static inline size_t mtlf_sample_elements(const mtlf_view *view) {
  return (size_t)view->height * (size_t)view->width * (size_t)view->channels;
}

/* The view from a sample on. */
static inline mtlf_view mtlf_view_from(mtlf_view view, int64_t sample) {
  view.data = mtlf_element_at(&view, sample * view.sample_stride);
  return view;
}

/* Floats that lie as [samples][height][width][channels], without any halo. */
static inline mtlf_view mtlf_plain_view(const float *data, int32_t height, int32_t width, int32_t channels) {
  const ptrdiff_t row = (ptrdiff_t)width * channels;
  return (mtlf_view){.data = (void *)(uintptr_t)data,
                     .element = MTLF_F32,
                     .height = height,
                     .width = width,
                     .channels = channels,
                     .sample_stride = height * row,
                     .row_stride = row};
}

#endif
