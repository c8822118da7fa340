/* SPDX-License-Identifier: Apache-2.0
 * mtlf/plan/op.h - an operation: a function with its payload. */
#ifndef MTLF_PLAN_OP_H
#define MTLF_PLAN_OP_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a step's time is put down to. */
typedef enum mtlf_account {
  MTLF_ACCOUNT_CONV,
  MTLF_ACCOUNT_DENSE,
  MTLF_ACCOUNT_HEADS,
  MTLF_ACCOUNT_OPTIMIZER,
  MTLF_ACCOUNT_LOADER,
  MTLF_ACCOUNT_WAITING, /* for other threads at the end of a stage */
  MTLF_ACCOUNT_OTHER,
  MTLF_ACCOUNT_COUNT
} mtlf_account;

struct mtlf_shard; /* one shard of a group, on one thread: src/plan/run.h */
struct mtlf_run;   /* a running plan */

/* Runs a payload on one shard. */
typedef void (*mtlf_shard_function)(const void *payload, const struct mtlf_shard *shard);
/* The units of a payload for the minibatch that runs. */
typedef int64_t (*mtlf_units_function)(const void *payload, const struct mtlf_run *run);
/* Runs one unit; not 0 where a gradient isn't finite. */
typedef int (*mtlf_block_function)(const void *payload, const struct mtlf_run *run, int64_t unit, int thread);

typedef struct mtlf_op {
  mtlf_shard_function shard; /* of an operation in shards; NULL for one in blocks */
  mtlf_units_function units; /* of an operation in blocks; NULL: one unit, which one thread runs */
  mtlf_block_function block;
  mtlf_account account;
  const void *payload;
} mtlf_op;

#define MTLF_SHARD_OP(name) void mtlf_##name##_shard(const void *payload, const struct mtlf_shard *shard)
#define MTLF_BLOCK_OP(name) \
  int mtlf_##name##_block(const void *payload, const struct mtlf_run *run, int64_t unit, int thread)
#define MTLF_BLOCK_UNITS(name) int64_t mtlf_##name##_units(const void *payload, const struct mtlf_run *run)

#ifdef __cplusplus
}
#endif

#endif
