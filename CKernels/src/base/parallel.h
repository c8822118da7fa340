/* SPDX-License-Identifier: Apache-2.0
 * Teams of threads, and units of work that they share. */
#ifndef MTLF_BASE_PARALLEL_H
#define MTLF_BASE_PARALLEL_H

#include "mtlf/base.h"

typedef void (*mtlf_team_body)(void *argument, int thread, int team_size);
/* Runs body on a team of up to `threads` and returns the team's size. Sets the denormal mode of each thread around it. */
int mtlf_run_team(int threads, int keep_denormals, mtlf_team_body body, void *argument);
void mtlf_team_barrier(void);
int mtlf_available_threads(void);

/* Calls body(argument, unit, thread) for every unit, on a team, each unit once. */
typedef void (*mtlf_unit_body)(void *argument, int64_t unit, int thread);
void mtlf_run_units(const mtlf_context *context, int64_t units, mtlf_unit_body body, void *argument);

#endif
