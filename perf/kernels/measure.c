/* SPDX-License-Identifier: Apache-2.0
 * Times the passes of a line in turn, with a calibration of the peak before each.
 *
 * The clock of a virtual machine drifts by several per cent within seconds and other guests take whole milliseconds. So
 * a pass's best trial is compared with the best calibration of the same line, taken within milliseconds of it; trials
 * of both take about as long. Where a pass comes out above the peak, the line is measured again: each round can only
 * raise either side. A share above 100 % after that is an error of the benchmark and fails the run. */
#define _POSIX_C_SOURCE 199309L
#include "bench.h"
#include "seconds.h"

static peak_range range;

peak_range measured_peaks(void) { return range; }

static double seconds_of(const pass *p, int64_t times) {
  const double start = seconds();
  for (int64_t i = 0; i < times; i++) p->run(p->argument);
  return seconds() - start;
}

int is_above_peak(const rates *r) {
  for (int i = 0; i < MAX_PASSES; i++) {
    if (r->rate[i] > r->peak) return 1;
  }
  return 0;
}

rates measure(const pass passes[MAX_PASSES], const mtlf_context *calibration) {
  rates best = {.peak = 0};
  int64_t times[MAX_PASSES] = {0};
  for (int i = 0; i < MAX_PASSES; i++) {
    if (!passes[i].run) continue;
    const double once = seconds_of(passes + i, 1) * 0.5 + seconds_of(passes + i, 1) * 0.5;
    times[i] = once > 1e-3 ? 1 : (int64_t)(1e-3 / once) + 1;
  }
  for (int round = 0; round < 1 + MORE_ROUNDS; round++) {
    for (int trial = 0; trial < TRIALS; trial++) {
      for (int i = 0; i < MAX_PASSES; i++) {
        if (!passes[i].run) continue;
        const double peak = peak_trial(calibration);
        if (peak > best.peak) best.peak = peak;
        const double rate = passes[i].flops * (double)times[i] / seconds_of(passes + i, times[i]) * 1e-9;
        if (rate > best.rate[i]) best.rate[i] = rate;
      }
    }
    if (!is_above_peak(&best)) break;
  }
  if (best.peak > range.highest) range.highest = best.peak;
  if (range.lowest == 0 || best.peak < range.lowest) range.lowest = best.peak;
  return best;
}
