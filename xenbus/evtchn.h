/* SPDX-License-Identifier: MIT */
/*
 * Seam A, event channels: the verbs over ports bound to one client.
 *
 * Implementations: evtchn-keeper.c, the tests' loopback world.
 * Invariants:
 *  1. a port is named by the front-end key that holds the client's end;
 *  2. a delivered port stays masked until evtchn_unmask(): leaving it masked
 *     is how a storm is slowed (XSA-332);
 *  3. at most one pending mark a port: events coalesce, they do not queue.
 * Negative errno: our environment. Positive: enum evtchn_status.
 */
#ifndef XDD_EVTCHN_H
#define XDD_EVTCHN_H

#include <stdint.h>

#include "policy/ids.h"

enum evtchn_status {
	EVTCHN_OK = 0,
	EVTCHN_REFUSED, /* policy */
	EVTCHN_BAD,	/* the client did not offer that port to us */
	EVTCHN_ABSENT,	/* the key is missing or is not a number */
	EVTCHN_LATE,	/* xenstore did not answer in time; ask again */
};

struct evtchn {
	const struct evtchn_ops *ops;
	int fd; /* read: uint32_t ports that are pending; write: unmasks them.
		   -1 before the first bind. May change at a bind. */
};

struct evtchn_ops {
	int (*bind)(struct evtchn *e, const char *key, struct evport *out);
	int (*unbind)(struct evtchn *e, struct evport port);
	int (*notify)(struct evtchn *e, struct evport port);
	int (*unmask)(struct evtchn *e, struct evport port);
	int (*pending)(struct evtchn *e, struct evport *out);
};

/* Bind to the port that the front-end key @key names. Binding a key again
 * that is still bound gives the same port. */
static inline int evtchn_bind(struct evtchn *e, const char *key, struct evport *out)
{
	return e->ops->bind(e, key, out);
}

static inline int evtchn_unbind(struct evtchn *e, struct evport port)
{
	return e->ops->unbind(e, port);
}

static inline int evtchn_notify(struct evtchn *e, struct evport port)
{
	return e->ops->notify(e, port);
}

static inline int evtchn_unmask(struct evtchn *e, struct evport port)
{
	return e->ops->unmask(e, port);
}

/* 1 and *@out set if a port was pending (it is masked now), 0 if none. */
static inline int evtchn_pending(struct evtchn *e, struct evport *out)
{
	return e->ops->pending(e, out);
}

#endif
