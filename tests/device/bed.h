/* SPDX-License-Identifier: MIT */
/*
 * One disk on a bed: loopxen, one of the two doors, the core, a memory store, and a
 * front end to drive them; and the part of the host's loop that a device sees.
 *
 * The bed is strict about wake-ups: the door is turned when an event is
 * pending, when a request came home or when it said it is due, never else. A
 * request that waits for none of these hangs, and the test fails. A door that is
 * never done fails it, too.
 */
#ifndef XDD_TEST_BED_H
#define XDD_TEST_BED_H

#include "backends/blk/blk-pv.h"
#include "backends/blk/blk-store.h"
#include "backends/blk/blk-virtio.h"
#include "tests/device/front.h"
#include "tests/device/vfront.h"
#include "tests/loopxen/loopxen.h"

#define BED_SECTORS 32768 /* 16 MiB */

struct bed_conf {
	enum policy_door door;
	enum policy_mode mode;
	enum policy_pages client_pages; /* 0: both */
	uint32_t data_pages;		/* 0: 352 */
	uint32_t ring_pages;		/* 0: 16 */
	uint32_t in_flight;		/* 0: 512 */
	uint32_t persistent_pages;	/* 0: all */
	uint32_t queues;		/* offered; 0: 1 */
	uint32_t sector_bytes;
	struct policy_rate operations, bytes; /* 0: no limit to speak of */
	bool read_only, discard;
	bool slow;	      /* the store answers when bed_complete() says so */
	const char *mode_key; /* the toolstack's; NULL: "w" */
	struct front_conf front;
	struct vfront_conf virtio; /* Door = virtio */
};

struct bed {
	struct bed_conf conf;
	struct loopxen *x;
	struct loopxen_device dev;
	struct policy policy;
	struct blk_policy block;
	union blk_store_any disk;
	struct blk_store slow; /* in front of the disk */
	uint64_t bytes;	       /* its size */
	struct blk_request *waiting[1024];
	unsigned nwaiting;
	struct blk blk;
	struct loopxen_back *back;
	struct log log;
	struct blk_pv pv;
	struct blk_virtio virtio;
	struct vfront vfront;		    /* its driver */
	struct front front;		    /* its first queue */
	struct front queue[BLK_QUEUES_MAX]; /* and those from 1 on */
	bool came_home;			    /* a request, since the last turn */
	unsigned broken, detached;
	const char *why;
};

/* The world, without a back end. */
void bed_init(struct bed *bed, const struct bed_conf *conf);
/* Returns what leaked, the front end's pages included. */
unsigned bed_fini(struct bed *bed);

/* A back-end process: opens, offers. 0 or a negative errno. */
int bed_start(struct bed *bed);
/* As bed_start(), of one that finds the device connected: it does not offer. */
int bed_start_quiet(struct bed *bed);
/* It dies, with all it held. */
void bed_kill(struct bed *bed);
/* The front end connects; the back end does. The door's result. */
int bed_connect(struct bed *bed, bool attach);
/* bed_init, start and connect, all of which must work. */
void bed_up(struct bed *bed, const struct bed_conf *conf);
/* The end of a planned one: it is down, and gives back what it had. */
void bed_end(struct bed *bed);
/* As the door's: a planned end begins. */
void bed_detach(struct bed *bed);
/* The front end takes all its queues' grants back; false if one is mapped. */
bool bed_disconnect(struct bed *bed);
/* Detach, free; all must come home. Returns leaks. */
unsigned bed_down(struct bed *bed);

/* One turn, as the host makes it. The door's error. */
int bed_turn(struct bed *bed);
/* Run until nothing is left to do, in virtual time if need be. Returns
 * the door's error. */
int bed_run(struct bed *bed);
/* As bed_run(), but time stands still. */
int bed_run_now(struct bed *bed);
/* The slow store does the @i-th of its requests, or fails it. */
void bed_complete(struct bed *bed, unsigned i);
void bed_fail(struct bed *bed, unsigned i, int error);

/* Push one request, run, and take its one answer: the status. */
int16_t bed_ask(struct bed *bed);
uint8_t *bed_disk(struct bed *bed, uint64_t sector);
const char *bed_back_key(struct bed *bed, const char *key);

#endif
