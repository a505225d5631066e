/* SPDX-License-Identifier: MIT */
/*
 * The client's half of a disk that is measured, door by door: how a request is put
 * to the back end, and how its answer comes home.
 *
 * Not how many are out, nor a clock: that is blk.c. One front end a process, one
 * scene at a time; a request is a slot, 0 to FRONT_DEPTH - 1, from being added to
 * being answered, and has its own pages.
 */
#ifndef XDD_BENCH_FRONT_H
#define XDD_BENCH_FRONT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench-parts/scene.h"

#define FRONT_DEPTH    32 /* a PV ring of one page */
#define FRONT_SEGMENTS 32 /* pages of a request: 128 KiB */
#define FRONT_NONE     -1

struct front_request {
	bool write;
	unsigned pages;
	uint64_t sector;
};

struct front {
	const char *name; /* the door, as figures have it */
	const char *kind; /* of the device, in xenstore */
	const char *door; /* the policy's lines of [Backend] and of [Memory] */
	const char *memory;
	const struct scene_key *keys;
	/* Before the client is Initialised; once both are connected. */
	void (*begin)(struct scene *s);
	void (*ready)(struct scene *s);
	/* False: there is no room, ask again after an answer. */
	bool (*add)(unsigned slot, const struct front_request *request);
	/* What was added is seen; an event if one is asked for. */
	void (*publish)(void);
	/* The next slot that came home, or FRONT_NONE: then the next one notifies. Ends
	 * the program if the request failed. */
	int (*answer)(void);
};

extern const struct front front_pv, front_pool, front_grant;

#endif
