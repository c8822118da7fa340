/* SPDX-License-Identifier: Apache-2.0
 * What this CPU and its operating system can run. The compiler's runtime asks cpuid and xgetbv. */
#include "mtlf/base.h"

int mtlf_isa_is_supported(mtlf_isa isa) {
  switch (isa) {
  case MTLF_ISA_BEST:
  case MTLF_ISA_SCALAR: return 1;
#if defined(__x86_64__) || defined(_M_X64)
  case MTLF_ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  case MTLF_ISA_AVX512:
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
  case MTLF_ISA_NEON: return 0;
#elif defined(__aarch64__)
  case MTLF_ISA_NEON: return 1;
  case MTLF_ISA_AVX2:
  case MTLF_ISA_AVX512: return 0;
#else
  default: return 0;
#endif
  }
  return 0;
}
