/* SPDX-License-Identifier: MIT */
/*
 * A blkif front end in a loopxen domain, deliberately simple: it does what it
 * is told, right or wrong, and checks nothing but what came back.
 */
#ifndef XDD_TEST_FRONT_H
#define XDD_TEST_FRONT_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/blk/blkif.h"
#include "tests/loopxen/loopxen.h"

struct front_conf {
	const char *protocol; /* NULL: no such key */
	unsigned order;	      /* of each ring */
	unsigned queues;      /* 0: as 1 */
	bool persistent;
};

/* The front end as a whole, or one further queue of it. */
struct front {
	struct loopxen *x;
	const struct loopxen_device *dev;
	enum blkif_abi abi;
	const struct blkif_layout *at;
	uint8_t *ring;
	uint32_t entries;
	uint32_t req_prod, rsp_cons; /* private */
	struct gref ring_ref[16];
	unsigned pages;
	struct evport port;
	uint64_t kicks;
	char queue[12]; /* "queue-3/", or "" where there is but one */
};

struct front_buf {
	uint8_t *page;
	struct gref ref;
	uint8_t first, last; /* sectors */
};

struct front_rsp {
	uint64_t id;
	uint8_t operation;
	int16_t status;
	const uint8_t *raw; /* the entry, in the ring */
};

/* Ring, port and keys, up to state Initialised; of several queues the first. */
void front_connect(struct front *f, struct loopxen *x, const struct loopxen_device *dev,
		   const struct front_conf *conf);
/* Queue @i of @first's front end, from 1 on: before or after it is Initialised. */
void front_queue(struct front *f, const struct front *first, unsigned i);
/* Takes its grants back; false if the back end still maps one. */
bool front_disconnect(struct front *f);
/* A key of its directory. NULL removes it. */
void front_key(struct front *f, const char *key, const char *value);
void front_state(struct front *f, enum store_state state);

/* A whole page, granted. */
struct front_buf front_buf(struct front *f, bool read_only);

/* Requests are written, not published. */
void front_raw(struct front *f, const uint8_t *entry);
void front_rw(struct front *f, uint8_t op, uint64_t id, uint64_t sector,
	      const struct front_buf *bufs, unsigned n);
/* @table: a page to put the segments into. */
void front_indirect(struct front *f, uint8_t op, uint64_t id, uint64_t sector,
		    const struct front_buf *bufs, unsigned n,
		    const struct front_buf *table);
void front_simple(struct front *f, uint8_t op, uint64_t id, uint64_t sector,
		  uint64_t sectors);
/* Publish; an event if the back end asked for one. */
void front_push(struct front *f);
/* An event, asked for or not. */
void front_kick(struct front *f);

/* The next answer; arms the event when there is none. */
bool front_answer(struct front *f, struct front_rsp *out);
/* Words of the shared header: req_prod, req_event, rsp_prod, rsp_event. */
uint32_t *front_header(struct front *f);

#endif
