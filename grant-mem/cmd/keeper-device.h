/* SPDX-License-Identifier: MIT */
/*
 * The xenstore side of a keeper: which device is ours, and what the store
 * says of it; and what the back end wants written there.
 *
 * A scan walks a table of questions, one at a time, and ends with a snapshot;
 * every watch event only says that another scan is due. Invariants:
 *  1. at most one scan runs and one is due, and no two start within
 *     DEVICE_SCAN_NS, however often a client writes;
 *  2. a tag is read from the back-end directory alone, where only the
 *     toolstack writes; of the front end only paths and numbers are read, and
 *     they become numbers here;
 *  3. two watches at most: the back-end directory and the front end's state;
 *  4. generation grows with each device that appears, never within one;
 *  5. one device is served: another front end with the same tag is refused,
 *     with a line, as long as the first one is there;
 *  6. writes go out in order, and stay queued until xenstored took them or
 *     said that it never will.
 */
#ifndef XDD_KEEPER_DEVICE_H
#define XDD_KEEPER_DEVICE_H

#include "grant-mem/wire.h"
#include "policy/ids.h"
#include "xenbus/xs.h"

#define DEVICE_PATH_MAX 127
#define DEVICE_WRITES	64
#define DEVICE_SCAN_NS	20000000ULL

/* In the order in which a scan asks for them. */
enum device_number {
	DEVICE_FRONTEND_ID,
	DEVICE_ONLINE,
	DEVICE_BACK,
	DEVICE_FRONT,
	DEVICE_NUMBERS,
};

struct device_view {
	bool present;
	bool front_gone; /* the front end's directory is not there */
	struct domid frontend;
	uint32_t number[DEVICE_NUMBERS]; /* 0: missing, or not a number */
	char back[DEVICE_PATH_MAX + 1], front[DEVICE_PATH_MAX + 1];
};

struct device_write {
	char key[WIRE_KEY_BYTES];
	char value[WIRE_VALUE_BYTES];
};

struct device {
	struct device_view seen; /* the newest snapshot */
	uint32_t generation;
	bool answered; /* xenstored did, on this connection */

	struct device_view next; /* of the scan that runs */
	struct xs_request ask;
	unsigned step;
	bool due;
	uint64_t due_at, scan_at;
	char none[1];			/* where a path with no directory begins */
	char root[DEVICE_PATH_MAX + 1]; /* what we watch, if @watching */
	bool watching;
	char watched[DEVICE_PATH_MAX + 1]; /* the front end whose state is, or "" */
	bool astray;			   /* that is not the one we need any more */
	char list[XS_PAYLOAD_MAX + 1];	   /* Domain = any: front ends to look at */
	size_t list_len, list_at;
	bool committed;	  /* the scan goes on only to see who else has the tag */
	unsigned rival;	  /* the last one that was refused */
	bool kernel_told; /* that a kernel's back end has the device */

	struct xs_request put;
	const char *status;	/* our own, "ready" or "dead": to be written, or NULL */
	const char *status_put; /* it is what @put writes, not a back end's */
	struct device_write write[DEVICE_WRITES];
	unsigned write_first, writes;
	unsigned put_failures;
	uint64_t put_at;
};

struct keeper;

void device_init(struct keeper *k);
/* A new connection to xenstored, or none any more: start over. */
void device_reconnect(struct keeper *k);
/* A watch fired. */
void device_event(struct xs *xs, const char *token);
/* Starts what is due. Returns when it is to be called again. */
uint64_t device_turn(struct keeper *k);
/* Queues a write of the back end's, or (@key "") the removal. False: full. */
bool device_write(struct keeper *k, const char *key, const char *value);

#endif
