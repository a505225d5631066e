/* SPDX-License-Identifier: MIT */
/*
 * A back-end process to be measured, and all that it is served by: its keeper,
 * a client's pages, an event channel.
 *
 * The back end is the real program in a process of its own, behind both doors,
 * so that what is counted of it is its own. What stands in:
 *  1. for gntdev, a memory file: reference n is page n - SCENE_FIRST_REF, and
 *     what is mapped in one call must lie in one piece;
 *  2. for the event-channel descriptor, a socket with the same reads and
 *     writes: a port that fired stays masked until it is written back;
 *  3. for the one ioctl of serving, NOTIFY, a send() on that socket (wraps.c).
 * Not a test of what is refused: the keeper here says yes to all.
 */
#ifndef XDD_BENCH_SCENE_H
#define XDD_BENCH_SCENE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "grant-mem/wire.h"
#include "xenbus/store.h"

#define SCENE_NAME	"bench"
#define SCENE_FIRST_REF 8
#define SCENE_PAGES	2048
#define SCENE_PORT	5
/* What marks a NOTIFY beside a port, on the socket. */
#define SCENE_NOTIFY UINT32_MAX
/* Where the back end's calls of malloc() and its kin are counted. */
#define SCENE_ENV_COUNT "XDD_BENCH_COUNT"
/* Set: both doors stay open. */
#define SCENE_ENV_OPEN "XDD_BENCH_OPEN"

struct scene_key {
	const char *key, *value;
};

struct scene_conf {
	const char *back;  /* the program */
	const char *under; /* words of a command to run it under, or NULL; then it
			      is not sealed, since such tools cannot be */
	const char *policy;
	const struct scene_key *front; /* the front end's keys, up to key NULL */
};

struct scene {
	struct scene_conf conf;
	pid_t back;
	int keeper, events; /* our ends */
	int theirs[2];	    /* the back end's ends of these */
	int memory, memory_ro, policy, copy, count;
	uint8_t *pages;
	const uint64_t *allocations;
	char count_path[64];
	bool masked, pending, bound;
	uint32_t back_state;
	uint64_t calls; /* that the back end made to its keeper */
};

/* Starts the back end. Each of these ends the program with a line on standard
 * error where something fails: there is nothing to measure then. */
void scene_open(struct scene *s, const struct scene_conf *conf);
/* It is told to stop, and waited for. */
void scene_close(struct scene *s);
/* The client's view of a page. */
uint8_t *scene_page(struct scene *s, unsigned page);
/* The front end's state changes, and the back end is told. */
void scene_front(struct scene *s, enum store_state state);
/* Serve the back end until it writes @state. */
void scene_until(struct scene *s, enum store_state state);
/* An event for the back end. */
void scene_kick(struct scene *s);
/* Serve the back end until it notifies. */
void scene_wait(struct scene *s);

#endif
