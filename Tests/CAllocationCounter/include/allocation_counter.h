/* SPDX-License-Identifier: Apache-2.0
 * Counts the heap allocations of the whole test program. */
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

/* Calls of malloc, calloc, realloc, posix_memalign and aligned_alloc since the program began, on all threads;
 * -1 where they can't be counted (not glibc, or a sanitizer that has an allocator of its own). */
long allocation_count(void);

#endif
