/* SPDX-License-Identifier: MIT */
/*
 * What differs in the programs that are measured, by --wrap of the linker:
 *
 *  - wraps.c: allocations are counted, in a page that the bench reads;
 *  - wraps-doors.c: NOTIFY is a send() on the socket that stands for the event channel
 *    (scene.h), and under a tool that a filter would stop there are no doors;
 *  - wraps-keeper.c: the keeper's kernel and its xenstored.
 *
 * All else is the program as it ships.
 */
#ifndef XDD_BENCH_WRAPS_H
#define XDD_BENCH_WRAPS_H

struct scene_counts;

/* Never NULL. */
extern struct scene_counts *wraps_counts;

#endif
