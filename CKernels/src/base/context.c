/* SPDX-License-Identifier: Apache-2.0
 * Contexts: the instruction set, the threads and the convolution path of a call. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "parallel.h"

static mtlf_status isa_from_environment(mtlf_isa *isa) {
  static const struct {
    const char *name;
    mtlf_isa isa;
  } names[] = {
      {"scalar", MTLF_ISA_SCALAR}, {"neon", MTLF_ISA_NEON}, {"avx2", MTLF_ISA_AVX2}, {"avx512", MTLF_ISA_AVX512}};
  const char *text = getenv("MTLF_ISA");
  *isa = MTLF_ISA_BEST;
  if (!text || !*text) return MTLF_OK;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(text, names[i].name) == 0) {
      *isa = names[i].isa;
      return MTLF_OK;
    }
  }
  return MTLF_ERR_UNSUPPORTED_ISA;
}

mtlf_status mtlf_context_init(mtlf_context *context, mtlf_isa isa, int32_t threads) {
  if (!context) return MTLF_ERR_NULL_POINTER;
  if (threads < 0) return MTLF_ERR_BAD_VALUE;
  if (isa == MTLF_ISA_BEST) {
    const mtlf_status status = isa_from_environment(&isa);
    if (status != MTLF_OK) return status;
  }
  const struct mtlf_kernels *kernels = mtlf_kernels_for(isa);
  if (!kernels) return MTLF_ERR_UNSUPPORTED_ISA;
  mtlf_conv_path path = MTLF_CONV_DIRECT;
  const char *text = getenv("MTLF_CONV");
  if (text && *text) {
    if (strcmp(text, "im2col") == 0) {
      path = MTLF_CONV_IM2COL;
    } else if (strcmp(text, "direct") != 0) {
      return MTLF_ERR_BAD_VALUE;
    }
  }
  *context = (mtlf_context){.kernels = kernels,
                            .threads = threads ? threads : mtlf_available_threads(),
                            .keep_denormals = 0,
                            .conv_path = path};
  return MTLF_OK;
}

mtlf_status mtlf_resolve(const mtlf_context *context, mtlf_context *resolved) {
  /* cpuid is slow in virtual machines, so the default is looked up once; a race finds the same table twice. */
  static _Atomic(const struct mtlf_kernels *) found;
  static _Atomic(mtlf_conv_path) path;
  if (context) {
    if (!context->kernels) return MTLF_ERR_NULL_POINTER;
    if (context->threads < 1) return MTLF_ERR_BAD_VALUE;
    *resolved = *context;
    return MTLF_OK;
  }
  const struct mtlf_kernels *kernels = atomic_load_explicit(&found, memory_order_acquire);
  if (!kernels) {
    const mtlf_status status = mtlf_context_init(resolved, MTLF_ISA_BEST, 1);
    if (status != MTLF_OK) return status;
    atomic_store_explicit(&path, resolved->conv_path, memory_order_relaxed);
    atomic_store_explicit(&found, resolved->kernels, memory_order_release);
    return MTLF_OK;
  }
  *resolved =
      (mtlf_context){.kernels = kernels, .threads = 1, .conv_path = atomic_load_explicit(&path, memory_order_relaxed)};
  return MTLF_OK;
}
