/* SPDX-License-Identifier: Apache-2.0
 * Elements put elsewhere, over views of either element type and whatever their halos. */
#ifndef MTLF_KERNELS_REARRANGE_H
#define MTLF_KERNELS_REARRANGE_H

#include "../base/view.h"

/* to = from, of one shape. */
void mtlf_copy(int32_t samples, const mtlf_view *from, const mtlf_view *to);
/* values = 0 from `halo` elements before element (0, 0, 0) on: whole sample strides. */
void mtlf_zero(int32_t samples, const mtlf_view *values, ptrdiff_t halo);
/* whole's channels from `offset` on = part, and the other way; of one element type. */
void mtlf_concatenate(int32_t samples, const mtlf_view *part, const mtlf_view *whole, int32_t offset);
void mtlf_slice(int32_t samples, const mtlf_view *whole, int32_t offset, const mtlf_view *part);

#endif
