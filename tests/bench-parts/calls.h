/* SPDX-License-Identifier: MIT */
/*
 * Counts the system calls of another process while it runs, without stopping
 * it: the kernel's own tracepoint, raw_syscalls:sys_enter. Needs root and a
 * kernel with tracefs; mounts it, in a name space of the caller's own.
 */
#ifndef XDD_BENCH_CALLS_H
#define XDD_BENCH_CALLS_H

#include <stdint.h>
#include <sys/types.h>

/* A counter of @pid, or a negative errno: not on this machine. */
int calls_open(pid_t pid);
uint64_t calls_read(int counter);

#endif
