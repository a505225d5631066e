/* SPDX-License-Identifier: MIT */
/*
 * Room for frames whose size is known when they come: an area as a ring of bytes, of
 * which each frame has one run, in one piece.
 *
 * Pure. Invariants:
 *  1. a run is taken behind the last one, or, if it does not fit there, at the area's
 *     beginning, with what is left behind the last one;
 *  2. runs are given back in any order; the bytes of one are free once all that were
 *     taken before it are given back;
 *  3. whatever fits into the area has room once all runs are given back;
 *  4. nothing allocates.
 */
#ifndef XDD_NET_RUNS_H
#define XDD_NET_RUNS_H

#include <stdbool.h>
#include <stdint.h>

struct net_run {
	uint8_t *at;
	uint32_t bytes; /* that it holds back, more than it was asked for */
	bool given;
	struct net_run *next; /* taken after it */
};

struct net_runs {
	uint8_t *area;
	uint32_t bytes, head, used;
	struct net_run *first, *last; /* whose bytes are not free yet */
};

/* @area outlives the runs. */
void net_runs_init(struct net_runs *runs, uint8_t *area, uint32_t bytes);
/* @size bytes at run->at, which is the ring's until its bytes are free. False: not now,
 * and never if @size is more than the area. */
bool net_runs_take(struct net_runs *runs, struct net_run *run, uint32_t size);
/* Once for each that was taken. */
void net_runs_give(struct net_runs *runs, struct net_run *run);
/* All that were taken are forgotten. */
void net_runs_clear(struct net_runs *runs);

#endif
