/* SPDX-License-Identifier: Apache-2.0
 * mtlf/input.h - samples in memory, as the first layer gets them. */
#ifndef MTLF_INPUT_H
#define MTLF_INPUT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Random changes of training images, drawn from (key, epoch, row) alone. Masks move with their images. */
typedef struct mtlf_augmentation {
  int32_t flip;   /* not 0: left and right change places in half of the draws */
  int32_t pad;    /* zeros on every side, of which a window of the image's size is cropped */
  int32_t cutout; /* side of a square of zeros (after normalisation) at a random place, cut at the edges; 0: none */
  uint64_t key;
} mtlf_augmentation;

/* Rows [count][H*W*C] in memory, and what becomes of them on their way into the first layer. */
typedef struct mtlf_input_rows {
  const void *data;
  int32_t is_bytes;                      /* uint8, otherwise float */
  float scale;                           /* of every value, where factors is NULL */
  const float *factors, *offsets;        /* [W * C]: factors[i] * x + offsets[i] along each image row; or NULL */
  const mtlf_augmentation *augmentation; /* of images, or NULL */
} mtlf_input_rows;

#ifdef __cplusplus
}
#endif

#endif
