/* SPDX-License-Identifier: MIT */
/*
 * The device's keys in xenstore, from the client's side, without waiting for them.
 *
 * One request at a time over xenbus/xs.h: first what is to be written, then what is to
 * be watched, then a look at all that matters, key by key. Invariants:
 *  1. a look is of one moment as far as we go: what we write, or a watch that fires,
 *     begins it anew;
 *  2. values are hostile text: bounded, and numbers are strict;
 *  3. a connection that fails is made anew, with its watches; what was to be written
 *     is kept until it was answered.
 */
#ifndef XDD_FRONT_STORE_H
#define XDD_FRONT_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/can/cmd/front-life.h"
#include "xenbus/xs.h"

#define FRONT_PATH_MAX	 128
#define FRONT_VALUE_MAX	 64
#define FRONT_WRITES_MAX 32
#define FRONT_TEXT_MAX	 255 /* of what is for people to read */

/* What a back end offers; what it does not say is 0 or empty. */
struct front_offer {
	bool understood;	    /* it speaks our version */
	uint32_t page_order;	    /* max-ring-page-order, at most 3 */
	bool fd, late_ack, listens; /* listens: feature-transmit is 0 */
	uint32_t bitrate, data_bitrate;
	char transmit_ids[FRONT_TEXT_MAX + 1], receive_ids[FRONT_TEXT_MAX + 1];
};

struct front_write {
	char key[32], value[FRONT_VALUE_MAX];
};

struct front_store {
	struct xs xs;
	struct xs_request request;
	/* A descriptor of xenstored's device, or a negative errno: xs_open(). */
	int (*open)(void);
	int fd;
	int err;       /* why there is no connection */
	int write_err; /* of the last write that was refused; the owner's to clear */
	bool wants_out;
	bool answered;	/* something, on this connection */
	uint64_t now;	/* of the turn */
	uint64_t retry; /* when to connect again */

	char front[FRONT_PATH_MAX]; /* "device/vcan/0" */
	struct front_write write[FRONT_WRITES_MAX];
	unsigned writes;

	char watched[2][FRONT_PATH_MAX]; /* front end's, back end's; empty: none */
	unsigned doing;			 /* front-store.c's */
	bool dirty;			 /* look (again) */
	bool looking;
	bool fresh;   /* a look is complete, and was not handed out */
	unsigned row; /* of the look under way */

	/* The look that is under way, and the last that was complete; the offer is that
	 * of the last InitWait. */
	struct front_look look, seen;
	struct front_offer offer, offered;
	char back[FRONT_PATH_MAX], back_seen[FRONT_PATH_MAX];
};

void front_store_init(struct front_store *store, unsigned device, int (*open)(void));
void front_store_close(struct front_store *store);
/* Queue a write of @key of the device. */
void front_store_write(struct front_store *store, const char *key, const char *value);
/* Does what can be done without waiting. True: store->seen and store->offered are
 * fresh. */
bool front_store_turn(struct front_store *store, uint64_t now);
/* The descriptor and the events to wait for; -1: there is none. */
int front_store_fd(const struct front_store *store, short *events);
/* When a turn is due though nothing came, or UINT64_MAX. */
uint64_t front_store_due(const struct front_store *store);
/* All that was to be written was. */
static inline bool front_store_written(const struct front_store *store)
{
	return !store->writes;
}

#endif
