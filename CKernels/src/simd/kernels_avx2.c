/* SPDX-License-Identifier: Apache-2.0
 * The kernels for AVX2 and FMA: a 6x16 tile. */
#if defined(__x86_64__) || defined(_M_X64)
#include "simd_avx2.h"

/* 6 x 2 accumulators + 2 of b + 1 broadcast = 15 of 16 registers; 12 FMAs against 8 loads a step. */
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define POOL_ROWS 4
#define TABLE mtlf_kernels_avx2
#define TABLE_NAME "avx2"
#define ISA MTLF_ISA_AVX2
#define FAMILY(name) name##_avx2
#include "kernels.inc.h"
#else
typedef int mtlf_no_avx2; /* an empty file is not C */
#endif
