/* SPDX-License-Identifier: Apache-2.0
 * Which OpenBLAS this is, if there is one. */
#include <string.h>

#include "base/context.h"
#include "bench.h"

mtlf_context openblas_calibration(const mtlf_context *context) {
  mtlf_context best = *context;
  best.kernels = mtlf_kernels_for(MTLF_ISA_BEST);
  return best;
}

#if defined(MTLF_WITH_OPENBLAS)
#include <cblas.h>

int has_openblas(void) { return 1; }

void set_openblas_threads(int32_t threads) { openblas_set_num_threads(threads); }

const char *openblas_name(void) {
  static char name[128];
  /* "OpenBLAS 0.3.21 NO_LAPACK ...": the second word. */
  const char *configuration = openblas_get_config(), *space = strchr(configuration, ' ');
  const char *version = space ? space + 1 : configuration;
  const size_t length = strcspn(version, " ");
  strncat(name, version, length < 60 ? length : 60);
  strcat(name, ", core ");
  strncat(name, openblas_get_corename(), 40);
  return name;
}

#else

int has_openblas(void) { return 0; }
void set_openblas_threads(int32_t threads) { (void)threads; }
const char *openblas_name(void) { return "missing, its lines are left out"; }

#endif
