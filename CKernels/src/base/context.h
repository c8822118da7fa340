/* SPDX-License-Identifier: Apache-2.0
 * From a caller's context to one with nothing left to find out. */
#ifndef MTLF_BASE_CONTEXT_H
#define MTLF_BASE_CONTEXT_H

#include "mtlf/base.h"

/* `context` may be NULL. */
mtlf_status mtlf_resolve(const mtlf_context *context, mtlf_context *resolved);

/* The table of an instruction set, NULL where it isn't supported. The layer above has the tables: src/simd/dispatch.c. */
const struct mtlf_kernels *mtlf_kernels_for(mtlf_isa isa);

#endif
