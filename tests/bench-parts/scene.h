/* SPDX-License-Identifier: MIT */
/*
 * A back-end process to be measured, and all that it is served by: its keeper,
 * a client's pages, an event channel.
 *
 * Back end, keeper and xdd-enter are the real programs in processes of their own,
 * the back end behind both doors, so that what is counted of each is its own. What
 * stands in:
 *  1. for gntdev, a memory file: reference n is page n - SCENE_FIRST_REF, and
 *     what is mapped in one call must lie in one piece; a copy is one ioctl, which
 *     fails, and a memcpy() (registrar.c);
 *  2. for the event-channel descriptor, a socket with the same reads and
 *     writes: a port that fired stays masked until it is written back;
 *  3. for the one ioctl of serving, NOTIFY, a send() on that socket (wraps.c);
 *  4. for xenstored, a socket that says what a device's directories do
 *     (scene-store.c).
 * Not a test of what is refused: the policy here allows all.
 */
#ifndef XDD_BENCH_SCENE_H
#define XDD_BENCH_SCENE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/ids.h"
#include "xenbus/store.h"

#define SCENE_NAME	"bench"
#define SCENE_FIRST_REF 8
#define SCENE_PAGES	2048
#define SCENE_BYTES	((size_t)SCENE_PAGES * XEN_PAGE_BYTES)
#define SCENE_CLIENT	2
#define SCENE_PATH	256
/* The first of the ports that a back end may bind: each is local as what the front
 * end's keys call it. */
#define SCENE_PORT  5
#define SCENE_PORTS 2
/* What marks a NOTIFY beside a port, on the socket. */
#define SCENE_NOTIFY UINT32_MAX
/* For both processes: where to count. For the keeper: paths and numbers of what
 * stands in. Set, for xdd-enter and the back end: both doors stay open. */
#define SCENE_ENV_COUNT	 "XDD_BENCH_COUNT"
#define SCENE_ENV_MEMORY "XDD_BENCH_MEMORY"
#define SCENE_ENV_EVENTS "XDD_BENCH_EVENTS"
#define SCENE_ENV_STORE	 "XDD_BENCH_STORE"
#define SCENE_ENV_OPEN	 "XDD_BENCH_OPEN"

/* Counted by the programs themselves, in a page that all share. */
struct scene_counts {
	uint64_t allocations; /* malloc() and its kin, of both */
	uint64_t calls;	      /* of the back end to its keeper */
	uint64_t copies;      /* GRANT_COPY ioctls */
	uint64_t segments;    /* in them */
	uint64_t hypercalls;  /* that Linux would make of them */
};

struct scene_key {
	const char *key, *value;
};

struct scene_conf {
	const char *back, *keeper, *enter; /* the programs */
	const char *under; /* words of a command to run the back end under, or NULL;
			      then it is not sealed, since such tools cannot be */
	const char *policy;
	const char *class;	       /* "blk" */
	const char *kind, *device;     /* in xenstore: "vbd", "51712" */
	const struct scene_key *front; /* the front end's keys, up to key NULL */
};

struct scene_port {
	bool masked, pending, bound;
};

struct scene {
	struct scene_conf conf;
	pid_t back, keeper;
	int store, events; /* our ends */
	int theirs[2];	   /* the keeper's ends of these */
	int memory, count;
	uint8_t *pages;
	const volatile struct scene_counts *counts;
	char dir[32]; /* of the policy, the audit log, the keeper's socket */
	struct scene_port port[SCENE_PORTS];
	enum store_state front_state, back_state;
};

/* The program @name beside this one, for a scene_conf; in @path. */
const char *scene_beside(const char *name, char path[SCENE_PATH]);
/* Starts all. Each of these ends the program with a line on standard error where
 * something fails: there is nothing to measure then. */
void scene_open(struct scene *s, const struct scene_conf *conf);
/* It is told to stop, and waited for. */
void scene_close(struct scene *s);
/* The client's view of a page. */
uint8_t *scene_page(struct scene *s, unsigned page);
/* The front end's state changes, and the keeper is told. */
void scene_front(struct scene *s, enum store_state state);
/* Serve until the back end writes @state. */
void scene_until(struct scene *s, enum store_state state);
/* An event for the back end, at the first port. */
void scene_kick(struct scene *s);
/* Serve until it notifies, at any. */
void scene_wait(struct scene *s);
_Noreturn void scene_die(const char *what);

/* scene-store.c: one request of the keeper's; an event for its watches. */
void scene_store_answer(struct scene *s);
void scene_store_fire(struct scene *s);

#endif
