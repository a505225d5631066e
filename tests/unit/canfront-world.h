/* SPDX-License-Identifier: MIT */
/*
 * Where a test's xdd-canfront lives: a xenstored on a socket, pages and an event
 * channel in memory, a CAN interface that is a pair of sockets, and a back end that
 * does what it is told. In place of front-xen.c and front-link.c.
 *
 * Time is virtual: it passes in world_run() alone.
 */
#ifndef XDD_CANFRONT_WORLD_H
#define XDD_CANFRONT_WORLD_H

#include "backends/can/canif-decode.h"
#include "backends/can/cmd/front.h"
#include "backends/door/pv-ring.h"

#define WORLD_BACK  "/local/domain/1/backend/vcan/2/0"
#define WORLD_FRONT "device/vcan/0"

struct world {
	struct front front;
	struct front_options options;
	uint64_t now;

	/* the interface */
	enum front_link_state link;
	bool link_fd;
	int link_index, wire; /* wire: what local programs have of it */
	int link_event[2];

	/* Xen */
	int xen_errno;		/* of the next grants */
	unsigned grants, ports; /* not taken back */
	unsigned granted;	/* pages, ever */
	void *page[2];
	uint32_t pages;
	int event[2];
	unsigned notified;
	bool evtchn_fails;

	/* xenstored */
	int store, store_errno; /* store: its end, -1: no connection */
	unsigned connections, watches;
	bool store_mute; /* it does not answer */

	/* the back end */
	struct pv_ring tx, rx;
};

extern struct world world;

/* A front end that was started with @line; false: it would not start. */
bool world_start(const char *line);
void world_stop(void);
/* Turns until nothing moves, then @ms pass in steps of at most 50. */
void world_run(unsigned ms);

/* Of xenstore: NULL: there is no such node. */
const char *world_read(const char *dir, const char *key);
/* As the toolstack or the back end does it; NULL removes. Watches fire. */
void world_write(const char *dir, const char *key, const char *value);
void world_remove(const char *dir);
/* The toolstack makes the device, with all that a back end offers, in @state. */
void world_attach(const char *state);

/* The back end maps the rings, by the keys; then Connected. */
void world_connect(void);
/* Attached, connected, started. */
void world_up(const char *line);
bool world_take(struct canif_request *rq);
void world_answer(const struct canif_request *rq, enum can_status status);
/* All requests that are there, answered alike; how many. */
unsigned world_serve(enum can_status status);
void world_event(const struct can_event *event);
/* Publishes what was answered and filled, and sends the event. */
void world_push(void);

/* A local program: sends; receives one frame, or false. */
void world_send(canid_t id, uint8_t flags, uint8_t len);
bool world_receive(struct canfd_frame *out);

#endif
