/* SPDX-License-Identifier: Apache-2.0
 * The kernels for AVX-512: a 12x32 tile. */
#if defined(__x86_64__) || defined(_M_X64)
#include "simd_avx512.h"

/* 12 x 2 accumulators + 2 of b + 1 broadcast = 27 of 32 registers; 24 FMAs against 14 loads a step; 14 pointers. */
#define TILE_ROWS 12
#define TILE_VECTORS 2
#define POOL_ROWS 12
#define TABLE mtlf_kernels_avx512
#define TABLE_NAME "avx512"
#define ISA MTLF_ISA_AVX512
#define FAMILY(name) name##_avx512
#include "kernels.inc.h"
#else
typedef int mtlf_no_avx512; /* an empty file is not C */
#endif
