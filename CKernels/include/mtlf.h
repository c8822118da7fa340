/* SPDX-License-Identifier: Apache-2.0
 * mtlf.h - kernels for training neural networks on CPUs, fp32, in C11.
 *
 * Images are [N, H, W, C], filters [KH, KW, C_in, C_out], dense kernels [K, N], logits [N, classes], labels int32 and
 * 0-based; everything row-major. `same` padding is the caller's: give the four pads (Keras puts the odd one at the
 * bottom and right).
 *
 * Every function checks its arguments and returns an mtlf_status; on an error its outputs are untouched. No function
 * allocates, prints, exits or keeps state; all are reentrant with one workspace per concurrent call. A call runs on
 * context->threads threads and gives the same bits for any number of them. A NULL context means the best instruction set
 * of this CPU (or the one that the environment variable MTLF_ISA names) on one thread.
 *
 * Arguments stand in the order: descriptor, inputs, outputs, workspace, context. */
#ifndef MTLF_H
#define MTLF_H

#include "mtlf/base.h"
#include "mtlf/batch_norm.h"
#include "mtlf/conv2d.h"
#include "mtlf/dense.h"
#include "mtlf/depthwise_conv2d.h"
#include "mtlf/elementwise.h"
#include "mtlf/input.h"
#include "mtlf/layer_norm.h"
#include "mtlf/losses.h"
#include "mtlf/optimizer.h"
#include "mtlf/pool2d.h"
#include "mtlf/random.h"
#include "mtlf/upsample2d.h"

#endif
