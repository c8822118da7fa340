/* SPDX-License-Identifier: Apache-2.0
 * mtlf/base.h - what every family of kernels shares: statuses, contexts, views, packed matrices. */
#ifndef MTLF_BASE_H
#define MTLF_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MTLF_VERSION "0.1.0"

/* Workspaces start at a multiple of this many bytes. Tensors need only the alignment of their elements. */
#define MTLF_ALIGNMENT 64

/* Sums over a batch are made in at most this many groups of neighbouring samples, and the groups are added up in a fixed
 * tree or order: the same bits for any number of threads. */
enum { MTLF_MAX_GROUPS = 16 };

/* ---- status ---- */

typedef enum mtlf_status {
  MTLF_OK = 0,
  MTLF_ERR_NULL_POINTER,        /* a required pointer is NULL */
  MTLF_ERR_BAD_SHAPE,           /* a size is not positive, overflows, or a window doesn't fit into its padded image */
  MTLF_ERR_BAD_VALUE,           /* a scalar is outside its range, or a label is outside its classes */
  MTLF_ERR_MISALIGNED,          /* the workspace is not MTLF_ALIGNMENT aligned */
  MTLF_ERR_WORKSPACE_TOO_SMALL, /* the workspace holds fewer bytes than mtlf_..._workspace_bytes says */
  MTLF_ERR_UNSUPPORTED_ISA      /* the instruction set that was asked for isn't there, or has no such name */
} mtlf_status;

/* One sentence for a status; never NULL. */
const char *mtlf_status_text(mtlf_status status);

/* ---- context ---- */

typedef enum mtlf_isa {
  MTLF_ISA_BEST = 0, /* what MTLF_ISA names, otherwise the best of this CPU */
  MTLF_ISA_SCALAR,
  MTLF_ISA_NEON,
  MTLF_ISA_AVX2,  /* and FMA */
  MTLF_ISA_AVX512 /* F, BW, VL, DQ */
} mtlf_isa;

typedef enum mtlf_conv_path {
  MTLF_CONV_DIRECT = 0, /* windows are read where they lie */
  MTLF_CONV_IM2COL      /* windows are copied into rows first, block by block */
} mtlf_conv_path;

/* How a call runs. Fill it with mtlf_context_init; copy it as you like. */
typedef struct mtlf_context {
  const struct mtlf_kernels *kernels; /* chosen by mtlf_context_init */
  int32_t threads;                    /* 1 or more */
  int32_t keep_denormals;             /* 0: kernels flush denormals to zero and restore the CPU's mode on return */
  mtlf_conv_path conv_path;
} mtlf_context;

/* Fills a context: `threads` of 0 means as many as the affinity mask and the OpenMP runtime allow. The convolution path
 * is what the environment variable MTLF_CONV (direct, im2col) says.
 * Returns MTLF_ERR_NULL_POINTER, MTLF_ERR_BAD_VALUE (threads < 0, unknown MTLF_CONV), MTLF_ERR_UNSUPPORTED_ISA. */
mtlf_status mtlf_context_init(mtlf_context *context, mtlf_isa isa, int32_t threads);

/* "avx512", "avx2", "neon" or "scalar"; of the default context where NULL. */
const char *mtlf_context_isa_name(const mtlf_context *context);

/* Whether this CPU (and operating system) runs the instruction set. */
int mtlf_isa_is_supported(mtlf_isa isa);

/* Whether the library was built with OpenMP; without it every call runs on one thread. */
int mtlf_has_openmp(void);

/* ---- views ---- */

/* The elements of a tensor. */
typedef enum mtlf_element {
  MTLF_F32, /* float */
  MTLF_BF16 /* bfloat16 in a uint16_t: the upper half of a float */
} mtlf_element;

/* A batch of images [N, H, W, C] where it lies, in a halo perhaps; vectors [N, C] have H = W = 1. Strides are in elements. */
typedef struct mtlf_view {
  void *data; /* element (0, 0, 0) of the first sample, inside its halo */
  mtlf_element element;
  int32_t height, width, channels;
  ptrdiff_t sample_stride, row_stride;
} mtlf_view;

/* A window that slides over an image: the first one begins pad_top rows and pad_left pixels outside it. */
typedef struct mtlf_window {
  int32_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
} mtlf_window;

/* ---- packed matrices ---- */

/* A [K, N] matrix packed for the register tiles is [ceil(N / panel)][K][panel], zero beyond column N. A filter is packed
 * as the [KH*KW*C_in, C_out] matrix that it is. `panel` depends on the instruction set. */

/* Columns of a panel: 32 (AVX-512), 16 (AVX2), 8 (NEON, scalar). */
int32_t mtlf_panel_columns(const mtlf_context *context);
/* Floats of a packed [rows, columns] matrix; 0 where a size is not positive or the product overflows. */
size_t mtlf_packed_floats(int64_t rows, int64_t columns, const mtlf_context *context);
/* packed from plain [rows, columns], and back. */
mtlf_status mtlf_pack_f32(int64_t rows, int64_t columns, const float *plain, float *packed,
                          const mtlf_context *context);
mtlf_status mtlf_unpack_f32(int64_t rows, int64_t columns, const float *packed, float *plain,
                            const mtlf_context *context);

#ifdef __cplusplus
}
#endif

#endif
