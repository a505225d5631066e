/* SPDX-License-Identifier: MIT */
/*
 * The client's side of one PV CAN device, whole: its life in xenstore, its rings, its
 * interface.
 *
 * Driven from outside: front_polls() says what to wait for, front_turn() does what can
 * be done. One thread; nothing in a turn waits for another party.
 */
#ifndef XDD_FRONT_H
#define XDD_FRONT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "backends/can/cmd/front-life.h"
#include "backends/can/cmd/front-link.h"
#include "backends/can/cmd/front-options.h"
#include "backends/can/cmd/front-store.h"
#include "backends/can/cmd/front-traffic.h"
#include "backends/can/cmd/front-xen.h"
#include "common/log.h"
#include "common/notify.h"

enum front_poll {
	FRONT_POLL_STORE,
	FRONT_POLL_XEN,
	FRONT_POLL_CAN,
	FRONT_POLL_LINK,
	FRONT_POLLS,
};

#define FRONT_SAID_MAX 256
#define FRONT_STOP_NS  CLOCK_SECOND /* for STOP to be answered, when we end */

struct front {
	const struct front_options *options;
	struct log log;
	struct notify notify;
	struct front_store store;
	struct front_life life;
	struct front_link link;
	struct front_xen *xen;
	struct front_grant grant; /* kept for the next connection: front.c says why */
	uint32_t granted;	  /* the look's generation that they are of */
	struct evport port;	  /* 0: none */
	struct front_traffic traffic;
	int socket_index;	   /* the interface that the socket is bound to */
	char said[FRONT_SAID_MAX]; /* what we wait for, as it was said last */
	bool looked;		   /* xenstore has answered once */
	bool more;		   /* the last turn left something to do */
	bool ending;
	bool failed;	 /* we cannot go on: the process ends */
	uint64_t end_by; /* STOP is out until then at most */
};

/* Opens what is there to be opened. False: it was said what is missing. */
bool front_open(struct front *front, const struct front_options *options,
		int (*open_store)(void));
void front_close(struct front *front);

void front_polls(const struct front *front, struct pollfd polls[FRONT_POLLS]);
/* When a turn is due though nothing came, or UINT64_MAX; 0: at once. */
uint64_t front_due(const struct front *front);
void front_turn(struct front *front, const struct pollfd polls[FRONT_POLLS],
		uint64_t now);
/* Stop, close, give back: takes some turns. */
void front_end(struct front *front, uint64_t now);
bool front_ended(const struct front *front);

#endif
