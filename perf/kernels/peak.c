/* SPDX-License-Identifier: Apache-2.0
 * The peak: multiply-adds on registers alone, on accumulators that don't depend on each other.
 *
 * Two FMA units of four cycles' latency are full with 8 accumulators (10 where the latency is five). AVX-512 and NEON
 * have registers for 24; AVX2 has 16 in all, so 12. The plain C kernels may use the vectors that every CPU of the
 * architecture has, but no FMA: on x86-64 their peak is that of SSE products and sums, which may run side by side. */
#define _POSIX_C_SOURCE 199309L
#include <string.h>

#include "base/parallel.h"
#include "bench.h"
#include "seconds.h"

typedef void (*fma_loop)(int64_t rounds);

#define TIMES_12(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#define TIMES_24(F) TIMES_12(F) F(12) F(13) F(14) F(15) F(16) F(17) F(18) F(19) F(20) F(21) F(22) F(23)

/* A loop over the accumulators acc0, acc1, ...; x < 1 keeps them finite. */
#define DECLARE(i) vector acc##i = {0};
#define FMA_LOOP(name, target, bytes, times, STEP)                      \
  target __attribute__((noinline)) static void name(int64_t rounds) {   \
    typedef float vector __attribute__((vector_size(bytes)));           \
    const vector zero = {0}, x = zero + 0.999f, y = zero + 0.001f;      \
    times(DECLARE) for (int64_t r = 0; r < rounds; r++) { times(STEP) } \
  }

#if defined(__x86_64__) || defined(_M_X64)
#define FMA_STEP(i) __asm__ volatile("vfmadd213ps %2, %1, %0" : "+v"(acc##i) : "v"(x), "v"(y));
#define SSE_STEP(i) __asm__ volatile("mulps %1, %0\n\taddps %2, %0" : "+x"(acc##i) : "x"(x), "x"(y));
FMA_LOOP(avx512_loop, __attribute__((target("avx512f"))), 64, TIMES_24, FMA_STEP)
FMA_LOOP(avx2_loop, __attribute__((target("avx2,fma"))), 32, TIMES_12, FMA_STEP)
FMA_LOOP(plain_loop, , 16, TIMES_12, SSE_STEP)
#elif defined(__aarch64__)
#define NEON_STEP(i) __asm__ volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(acc##i) : "w"(x), "w"(y));
FMA_LOOP(plain_loop, , 16, TIMES_24, NEON_STEP)
#else
#error "no peak loop for this CPU"
#endif

typedef struct {
  fma_loop loop;
  int64_t rounds;
  double flops; /* of all rounds on one thread */
} peak_work;

static void run_loop(void *argument, int thread, int team_size) {
  const peak_work *work = argument;
  (void)thread, (void)team_size;
  work->loop(work->rounds);
}

static peak_work work_of(const mtlf_context *context) {
  /* The rounds take about a millisecond. */
  const char *isa = mtlf_context_isa_name(context);
#if defined(__x86_64__) || defined(_M_X64)
  if (strcmp(isa, "avx512") == 0) return (peak_work){avx512_loop, 300000, 300000 * 24 * 16 * 2.0};
  if (strcmp(isa, "avx2") == 0) return (peak_work){avx2_loop, 600000, 600000 * 12 * 8 * 2.0};
  (void)isa;
  return (peak_work){plain_loop, 300000, 300000 * 12 * 4 * 2.0};
#else
  (void)isa;
  return (peak_work){plain_loop, 300000, 300000 * 24 * 4 * 2.0};
#endif
}

double peak_trial(const mtlf_context *context) {
  peak_work work = work_of(context);
  const double start = seconds();
  const int team = mtlf_run_team(context->threads, 0, run_loop, &work);
  return team * work.flops / (seconds() - start) * 1e-9;
}
