/* SPDX-License-Identifier: MIT */
/*
 * Seam A, xenstore: one device's two directories, and what is known of it.
 *
 * Not xenstore as a whole: no path, no transaction, no other domain. A back
 * end reads keys of both directories and writes keys of its own one.
 * Implementations: store-keeper.c, the tests' loopback world.
 *
 * Invariants:
 *  1. what is read is hostile text of at most STORE_VALUE_MAX bytes;
 *  2. writes and the removal are queued in order and sent as xenstored takes
 *     them: they never wait for it;
 *  3. reads wait, at most STORE_READ_MS: they are for connecting, when no
 *     request is being served;
 *  4. struct store_status is a snapshot: what changed twice is seen once.
 * Negative errno: our environment. Positive: enum store_status_code.
 */
#ifndef XDD_STORE_H
#define XDD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ids.h"

#define STORE_VALUE_MAX 255
#define STORE_READ_MS	3000

enum store_side { STORE_FRONT, STORE_BACK };

enum store_code {
	STORE_OK = 0,
	STORE_ABSENT,	/* no such key */
	STORE_TOO_LONG, /* more than STORE_VALUE_MAX bytes, or a NUL among them */
	STORE_REFUSED,	/* a key that a back end may not write */
	STORE_LATE,	/* xenstored did not answer in time; ask again */
	STORE_FULL,	/* too many writes queued; ask again */
};

/* The XenbusState values of xen/io/xenbus.h. Anything else reads as Unknown. */
enum store_state {
	STORE_UNKNOWN = 0, /* also: the key is missing */
	STORE_INITIALISING = 1,
	STORE_INIT_WAIT = 2,
	STORE_INITIALISED = 3,
	STORE_CONNECTED = 4,
	STORE_CLOSING = 5,
	STORE_CLOSED = 6,
	STORE_RECONFIGURING = 7,
	STORE_RECONFIGURED = 8,
};

struct store_status {
	bool present;	       /* there is a device for this instance */
	bool online;	       /* the toolstack wants it (online = 1) */
	bool release;	       /* revoked: detach and unmap all, now */
	uint32_t generation;   /* grows with each device that appears */
	struct domid frontend; /* the client's domain */
	uint32_t device;       /* its device number, 51712 for xvda */
	enum store_state front, back;
};

struct store {
	const struct store_ops *ops;
	int fd; /* readable when store_poll() has something to look at; or -1 */
};

struct store_ops {
	int (*read)(struct store *s, enum store_side side, const char *key, char *value,
		    size_t size);
	int (*write)(struct store *s, const char *key, const char *value);
	int (*remove)(struct store *s);
	int (*poll)(struct store *s, struct store_status *out);
};

/* @value gets NUL-terminated text; @size at least STORE_VALUE_MAX + 1. */
static inline int store_read(struct store *s, enum store_side side, const char *key,
			     char *value, size_t size)
{
	return s->ops->read(s, side, key, value, size);
}

/* Queue a write of @key in the back-end directory. */
static inline int store_write(struct store *s, const char *key, const char *value)
{
	return s->ops->write(s, key, value);
}

/* Queue the removal of the back-end directory, after the writes before it. */
static inline int store_remove(struct store *s)
{
	return s->ops->remove(s);
}

/* The newest snapshot. 1: it changed since the last call, 0: it did not. */
static inline int store_poll(struct store *s, struct store_status *out)
{
	return s->ops->poll(s, out);
}

#endif
