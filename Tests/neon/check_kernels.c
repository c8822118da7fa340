/* SPDX-License-Identifier: Apache-2.0
 * Compares every instruction set of this machine with the double-precision reference, without Swift: for emulators. */
#include <stdio.h>

#include "check.h"

static void check_all(mtlf_isa isa) {
  mtlf_context context;
  expect_ok(mtlf_context_init(&context, isa, 1), "context");
  const int passed_before = passed, failed_before = failed;
  for (int threads = 1; threads <= (mtlf_has_openmp() ? 3 : 1); threads++) {
    context.threads = threads;
    side = threads % 2 ? REFERENCE_FLUSH_RIGHT : REFERENCE_FLUSH_LEFT;
    check_windows(&context);
    check_dense_layers(&context);
    for (int32_t n = 1; n <= 40; n += 3) {
      check_losses(n, &context);
      check_norms(n, &context);
      check_values(n, &context);
    }
  }
  printf("%-7s %d passed, %d failed\n", mtlf_context_isa_name(&context), passed - passed_before,
         failed - failed_before);
}

int main(void) {
  for (mtlf_isa isa = MTLF_ISA_SCALAR; isa <= MTLF_ISA_AVX512; isa++) {
    if (mtlf_isa_is_supported(isa)) check_all(isa);
  }
  printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}
