/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz target virtio.c drives: worlds with a disk behind a virtio door, a
 * client whose pages, references and port are the same in each run, and what must hold
 * of both.
 *
 * Not the steps, which are the target's.
 */
#ifndef XDD_TEST_FUZZ_VIRTIO_WORLD_H
#define XDD_TEST_FUZZ_VIRTIO_WORLD_H

#include "tests/device/bed.h"

#define VIRTIO_PAGES 48	 /* of the client's memory that a run writes to */
#define VIRTIO_FIRST 64	 /* reference of the first of them */
#define VIRTIO_WAITS 200 /* for one answer */

struct virtio_world {
	bool made;
	struct bed bed;
	uint8_t *page, *pool;
	struct policy policy; /* as at first */
	struct blk_geometry geometry;
};

extern struct virtio_run {
	const uint8_t *at, *end; /* what is left of the input */
	struct virtio_world *world;
	struct bed *bed;
	struct vfront *front;
	uint32_t in_flight; /* the most that was allowed */
	bool sound;	    /* the client did all as it should */
	bool quiet;	    /* nothing failed around the door */
	bool ready;	    /* the driver set DRIVER_OK */
	bool revoked[VIRTIO_PAGES];
	unsigned waits, out;
} run;

/* What the next read number @left sees, or what a second look would. */
extern struct virtio_rewrite {
	bool set, after, flip;
	uint8_t left, with;
} rewrite;

struct virtio_world *virtio_world(uint8_t n);
struct virtio_door *the_door(void);

/* kill -9, and another process that has not connected. */
void process_died(void);
void door_connect(bool attach);
void door_run(int (*how)(struct bed *bed));
/* Until all that is with the disk is home. */
void door_finish(void);

/* Grants, keys and a port; nothing is set up. */
void client_open(void);
/* Takes all back; aborts if the back end still maps a page. */
void client_close(void);
/* Reset and set up as a sound driver does, whatever was before: it must come. */
void client_ready(void);
void client_notify(void *owner);
/* It takes its answers. */
void client_collect(void);

/* All that must hold, at any time. */
void virtio_check(void);

void virtio_before_read(uint64_t k, const volatile void *p, size_t len);
void virtio_after_read(uint64_t k, const volatile void *p, size_t len);

#endif
