/* SPDX-License-Identifier: MIT */
/*
 * What moves between the rings and the socket: frames both ways, what became of them,
 * and what the controller says of itself.
 *
 * Nothing here waits, nothing allocates. Invariants:
 *  1. a turn looks at no more than each ring's entries, whatever the other side writes
 *     meanwhile;
 *  2. frames go on in the order in which they came, both ways;
 *  3. what local programs send while nobody would send it on is taken and counted, not
 *     kept: an old frame does not go out late;
 *  4. while the transmit ring is full the socket is left alone, and its buffer fills.
 */
#ifndef XDD_FRONT_TRAFFIC_H
#define XDD_FRONT_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/can/cmd/front-can.h"
#include "backends/can/cmd/front-device.h"
#include "common/log.h"

struct front_counters {
	uint64_t sent;			  /* answered XENCAN_OK */
	uint64_t refused[FRONT_STATUSES]; /* by status */
	uint64_t received;		  /* frames, given to local programs */
	uint64_t idle;			  /* sent by them while nobody was there */
	uint64_t no_fd;			  /* FD frames where only classic ones may go */
	uint64_t odd;			  /* no frame that a controller could send */
	uint64_t lost;			  /* that the back end had no room for */
	uint64_t lost_unknown;		  /* times that it could not say how many */
	uint64_t errors, bus_offs;
};

struct front_traffic {
	struct front_device device;
	struct front_can can;
	struct front_counters n;
	bool connected;
	bool fd; /* the bus takes FD frames */
	bool told_no_fd;
	bool verbose;		  /* each change of the controller's state is a line */
	uint64_t restart_ns;	  /* --restart-ms; 0: never */
	uint64_t wait_ns;	  /* what the next restart waits for */
	uint64_t restart_at;	  /* or 0 */
	int can_err;		  /* of the socket: the interface is to be looked at */
	struct log log, refusals; /* what a back end can make us say has a limit */
	struct canfd_frame batch[FRONT_CAN_BATCH]; /* to the socket */
	unsigned batched;
};

void front_traffic_init(struct front_traffic *traffic, const char *who,
			uint32_t restart_ms);
/* The back end is connected: traffic->device was initialised over its rings. */
void front_traffic_begin(struct front_traffic *traffic, bool fd);
void front_traffic_end(struct front_traffic *traffic);
/* One turn; @readable: the socket has something. True: there is more to do at once.
 * *@notify: the back end is to be notified. */
bool front_traffic_turn(struct front_traffic *traffic, bool readable, uint64_t now,
			bool *notify);
/* Is it of use to wait for the socket? (invariant 4) */
bool front_traffic_reads(const struct front_traffic *traffic);
/* When a turn is due though nothing came, or UINT64_MAX. */
uint64_t front_traffic_due(const struct front_traffic *traffic);
/* The counters: two lines. */
void front_traffic_report(const struct front_traffic *traffic, struct log *log);

#endif
