/* SPDX-License-Identifier: Apache-2.0
 * mtlf/random.h - random numbers by counter. */
#ifndef MTLF_RANDOM_H
#define MTLF_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counter-based: Philox 4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011). Element i of a
 * stream depends on (key, stream, i) alone. */
void mtlf_random_u32(uint64_t key, uint64_t stream, uint64_t first, size_t n, uint32_t *values);
/* Uniform in [low, high), 24 bits. */
void mtlf_random_uniform_f32(uint64_t key, uint64_t stream, uint64_t first, size_t n, float low, float high,
                             float *values);

#ifdef __cplusplus
}
#endif

#endif
