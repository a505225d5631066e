/* SPDX-License-Identifier: MIT */
/*
 * A device's event channels on the loop: the ports that fired are read, and
 * unmasked again when the policy's event rate allows it.
 *
 * Not the binding of ports, and not what an event means: it ends a wait, and
 * the owner then looks at all its rings. Invariants:
 *  1. a port that fired stays masked until events_unmask() wrote it back, which
 *     is after the rings were looked at, and as much later as the rate wants
 *     (XSA-332); so each port stands in @unmask at most once;
 *  2. one read and one write of the descriptor are out at most.
 */
#ifndef XDD_HOST_EVENTS_H
#define XDD_HOST_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/loop.h"
#include "policy/rate.h"

#define EVENTS_PORTS 33			/* of a device: two a queue at most, and one */
#define EVENTS_ROOM  (2 * EVENTS_PORTS) /* and those of the connection before */

struct events {
	struct loop *loop;
	struct loop_op read_op, write_op;
	int fd, table_fd; /* the descriptor; what is in the loop's table, or -1 */
	bool listening;	  /* the read is wanted */
	uint32_t fired[EVENTS_PORTS];	 /* as the descriptor gives them */
	uint32_t unmask[EVENTS_ROOM];	 /* that are to be unmasked */
	uint32_t unmasking[EVENTS_ROOM]; /* what the write in flight carries */
	unsigned unmasks;
	uint64_t due; /* when the rate allows the write */
	struct rate rate;
	int error; /* the first of our environment's, or 0 */
};

void events_init(struct events *events, struct loop *loop, struct policy_rate limit,
		 uint64_t now);
/* Ports are bound and open, on @fd. */
void events_listen(struct events *events, int fd);
/* The ports are gone. */
void events_stop(struct events *events);
/* The rings were looked at, since what fired was read. */
void events_unmask(struct events *events, uint64_t now);
/* The loop is about to wait: read on. While there is work nobody does. */
void events_await(struct events *events);
/* When events_unmask() has something to do without an event; or UINT64_MAX. */
uint64_t events_due(const struct events *events);

#endif
