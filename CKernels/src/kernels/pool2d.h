/* SPDX-License-Identifier: Apache-2.0
 * Max and average pooling of any window and stride, over floats. */
#ifndef MTLF_KERNELS_POOL2D_H
#define MTLF_KERNELS_POOL2D_H

#include "../base/view.h"

/* input, output: images of `samples` samples, whatever their halos; no window lies outside its image. */

/* argmax [samples][OH][OW][C]: h * width + w of the first maximum; or NULL. */
void mtlf_max_pool(const mtlf_window *window, int32_t samples, const mtlf_view *input, const mtlf_view *output,
                   int32_t *argmax);
void mtlf_avg_pool(const mtlf_window *window, int32_t samples, const mtlf_view *input, const mtlf_view *output);
/* Both add to d_input. */
void mtlf_max_pool_backward(int32_t samples, const mtlf_view *d_output, const int32_t *argmax,
                            const mtlf_view *d_input);
void mtlf_avg_pool_backward(const mtlf_window *window, int32_t samples, const mtlf_view *d_output,
                            const mtlf_view *d_input);

#endif
