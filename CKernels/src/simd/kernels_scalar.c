/* SPDX-License-Identifier: Apache-2.0
 * The kernels for any machine, in plain C: a 4x8 tile of single floats. */
#include "simd_scalar.h"

/* 32 accumulators; what the compiler makes of them doesn't matter here, that they are right does. */
#define TILE_ROWS 4
#define TILE_VECTORS 8
#define POOL_ROWS 4
#define TABLE mtlf_kernels_scalar
#define TABLE_NAME "scalar"
#define ISA MTLF_ISA_SCALAR
#define FAMILY(name) name##_scalar
#include "kernels.inc.h"
