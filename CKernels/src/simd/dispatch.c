/* SPDX-License-Identifier: Apache-2.0
 * From an instruction set to its table of kernels, and what a table says of itself. */
#include "../base/context.h"
#include "kernels.h"

const mtlf_kernels *mtlf_kernels_for(mtlf_isa isa) {
  if (!mtlf_isa_is_supported(isa)) return NULL;
  switch (isa) {
#if defined(__x86_64__) || defined(_M_X64)
  case MTLF_ISA_BEST: break;
  case MTLF_ISA_AVX2: return &mtlf_kernels_avx2;
  case MTLF_ISA_AVX512: return &mtlf_kernels_avx512;
#elif defined(__aarch64__)
  case MTLF_ISA_BEST:
  case MTLF_ISA_NEON: return &mtlf_kernels_neon;
#endif
  default: return &mtlf_kernels_scalar;
  }
#if defined(__x86_64__) || defined(_M_X64)
  if (mtlf_isa_is_supported(MTLF_ISA_AVX512)) return &mtlf_kernels_avx512;
  if (mtlf_isa_is_supported(MTLF_ISA_AVX2)) return &mtlf_kernels_avx2;
  return &mtlf_kernels_scalar;
#endif
}

const char *mtlf_context_isa_name(const mtlf_context *context) {
  mtlf_context resolved;
  return mtlf_resolve(context, &resolved) == MTLF_OK ? resolved.kernels->name : "unsupported";
}

int32_t mtlf_panel_columns(const mtlf_context *context) {
  mtlf_context resolved;
  return mtlf_resolve(context, &resolved) == MTLF_OK ? resolved.kernels->panel : 0;
}
