/* SPDX-License-Identifier: Apache-2.0
 * The kernels for AArch64 NEON: an 8x8 tile. */
#if defined(__aarch64__)
#include "simd_neon.h"

/* 8 x 2 accumulators + 2 of b + 1 broadcast = 19 of 32 registers; 16 FMAs against 10 loads a step. */
#define TILE_ROWS 8
#define TILE_VECTORS 2
#define POOL_ROWS 8
#define TABLE mtlf_kernels_neon
#define TABLE_NAME "neon"
#define ISA MTLF_ISA_NEON
#define FAMILY(name) name##_neon
#include "kernels.inc.h"
#else
typedef int mtlf_no_neon; /* an empty file is not C */
#endif
