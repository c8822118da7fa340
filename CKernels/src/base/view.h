/* SPDX-License-Identifier: Apache-2.0
 * Views as kernels walk them. */
#ifndef MTLF_BASE_VIEW_H
#define MTLF_BASE_VIEW_H

#include "element.h"

/* Of a view of MTLF_F32. */
static inline float *mtlf_floats(const mtlf_view *view) { return (float *)view->data; }

/* Elements of one sample, without its halo. */
static inline size_t mtlf_sample_elements(const mtlf_view *view) {
  return (size_t)view->height * (size_t)view->width * (size_t)view->channels;
}

/* The view from a sample on. */
static inline mtlf_view mtlf_view_from(mtlf_view view, int64_t sample) {
  view.data = (char *)view.data + sample * view.sample_stride * (ptrdiff_t)mtlf_element_bytes(view.element);
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
