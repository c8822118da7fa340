/* SPDX-License-Identifier: Apache-2.0
 * Teams of threads. The only file with OpenMP; without it everything runs on the caller's thread. */
#define _GNU_SOURCE
#include <stdatomic.h>
#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

#include "arithmetic.h"
#include "parallel.h"

#if defined(_OPENMP)
/* Declared here because the header comes with the runtime of one compiler and this is built with several. */
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern int omp_get_max_threads(void);
#endif

int mtlf_has_openmp(void) {
#if defined(_OPENMP)
  return 1;
#else
  return 0;
#endif
}

int mtlf_available_threads(void) {
#if defined(_OPENMP)
  int threads = omp_get_max_threads();
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0 && CPU_COUNT(&set) < threads) {
    threads = CPU_COUNT(&set);
  }
#endif
  return threads < 1 ? 1 : threads;
#else
  return 1;
#endif
}

/* Denormal numbers make CPUs 5 to 100 times slower; no network needs them. */
static unsigned long enter_denormal_mode(int keep_denormals) {
#if defined(__x86_64__) || defined(_M_X64)
  const unsigned before = _mm_getcsr();
  if (!keep_denormals) _mm_setcsr(before | 0x8040u); /* flush to zero, denormals are zero */
  return before;
#elif defined(__aarch64__)
  unsigned long before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  if (!keep_denormals) __asm__ volatile("msr fpcr, %0" : : "r"(before | (1ul << 24)));
  return before;
#else
  (void)keep_denormals;
  return 0;
#endif
}

static void leave_denormal_mode(unsigned long before) {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_setcsr((unsigned)before);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(before));
#else
  (void)before;
#endif
}

int mtlf_run_team(int threads, int keep_denormals, mtlf_team_body body, void *argument) {
  int size = 1;
#if defined(_OPENMP)
  if (threads > 1) {
#pragma omp parallel num_threads(threads)
    {
      const unsigned long before = enter_denormal_mode(keep_denormals);
      if (omp_get_thread_num() == 0) size = omp_get_num_threads();
      body(argument, omp_get_thread_num(), omp_get_num_threads());
      leave_denormal_mode(before);
    }
    return size;
  }
#else
  (void)threads;
#endif
  const unsigned long before = enter_denormal_mode(keep_denormals);
  body(argument, 0, 1);
  leave_denormal_mode(before);
  return size;
}

void mtlf_team_barrier(void) {
#if defined(_OPENMP)
#pragma omp barrier
#endif
}

typedef struct {
  mtlf_unit_body body;
  void *argument;
  int64_t units;
  _Atomic int64_t next;
} unit_work;

static void claim_units(void *argument, int thread, int team_size) {
  unit_work *work = argument;
  (void)team_size;
  for (;;) {
    const int64_t unit = atomic_fetch_add_explicit(&work->next, 1, memory_order_relaxed);
    if (unit >= work->units) return;
    work->body(work->argument, unit, thread);
  }
}

void mtlf_run_units(const mtlf_context *context, int64_t units, mtlf_unit_body body, void *argument) {
  unit_work work = {.body = body, .argument = argument, .units = units};
  atomic_init(&work.next, 0);
  mtlf_run_team((int)mtlf_least(context->threads, units), context->keep_denormals, claim_units, &work);
}
