/* SPDX-License-Identifier: Apache-2.0
 * Memory between two pages that trap, so that a kernel that reads or writes beyond a buffer is caught at once. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "creference.h"

static size_t page_bytes(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static size_t inner_bytes(size_t bytes) {
  const size_t page = page_bytes();
  return (bytes + page - 1) / page * page;
}

void *reference_guarded_allocate(size_t bytes, reference_side side) {
  const size_t page = page_bytes(), inner = inner_bytes(bytes);
  char *base = mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return NULL;
  if (mprotect(base + page, inner, PROT_READ | PROT_WRITE) != 0) {
    munmap(base, inner + 2 * page);
    return NULL;
  }
  return base + page + (side == REFERENCE_FLUSH_RIGHT ? inner - bytes : 0);
}

void reference_guarded_free(void *memory, size_t bytes) {
  const size_t page = page_bytes();
  if (!memory) return;
  char *first = (char *)memory - (uintptr_t)memory % page;
  munmap(first - page, inner_bytes(bytes) + 2 * page);
}
