/* SPDX-License-Identifier: Apache-2.0
 * Functions of single elements, over views of either element type and whatever their halos: all have one shape. */
#ifndef MTLF_KERNELS_ELEMENTWISE_H
#define MTLF_KERNELS_ELEMENTWISE_H

#include "../base/view.h"
#include "../simd/kernels.h"

/* output = f(input) */
void mtlf_activate(const mtlf_kernels *kernels, mtlf_activation function, int32_t samples, const mtlf_view *input,
                   const mtlf_view *output);
/* d_input = d_output * f', taken from what mtlf_activation says; d_input may be d_output. */
void mtlf_activate_backward(const mtlf_kernels *kernels, mtlf_activation function, int32_t samples,
                            const mtlf_view *value, const mtlf_view *d_output, const mtlf_view *d_input);
/* to += from */
void mtlf_add(const mtlf_kernels *kernels, int32_t samples, const mtlf_view *from, const mtlf_view *to);
/* to = a * b */
void mtlf_multiply(const mtlf_kernels *kernels, int32_t samples, const mtlf_view *a, const mtlf_view *b,
                   const mtlf_view *to);

#endif
