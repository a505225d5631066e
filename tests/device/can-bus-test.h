/* SPDX-License-Identifier: MIT */
/*
 * A bus that does what a test says: other stations' frames, when a frame of ours is
 * written and when it is on the wire, errors, bus-off, an interface that is down.
 */
#ifndef XDD_TEST_CAN_BUS_H
#define XDD_TEST_CAN_BUS_H

#include <linux/can/error.h>

#include "backends/can/can-bus.h"

#define CAN_BUS_TEST_SEEN 8192

struct can_bus_test {
	struct can_bus bus;
	/* Frames wait for can_bus_test_write(); else each is written as it comes. */
	bool holds;
	/* Written frames wait for can_bus_test_echo(); else that comes with it. */
	bool mute;
	bool used; /* a test made it say something since this was cleared */
	uint64_t now;
	struct canfd_frame given[CAN_BUS_WINDOW];      /* not written, oldest first */
	struct canfd_frame written[CAN_BUS_TEST_SEEN]; /* not echoed, oldest first */
	uint32_t nwritten;
	/* All that was ever written, oldest first. */
	struct canfd_frame seen[CAN_BUS_TEST_SEEN];
	uint32_t nseen;
};

/* As can_bus_open() leaves it; closed by its ops. */
void can_bus_test_open(struct can_bus_test *t, bool fd, bool echo);
/* A new process opens the same bus: what it was given before is gone. */
void can_bus_test_reopen(struct can_bus_test *t);
/* The oldest that was given is written, by @res. */
void can_bus_test_write(struct can_bus_test *t, int res);
/* All that were given are written. */
void can_bus_test_write_all(struct can_bus_test *t);
/* The interface goes down: what was given is not written. */
void can_bus_test_down(struct can_bus_test *t);
/* The oldest that was written is heard by all. */
void can_bus_test_echo(struct can_bus_test *t);
/* Another station sends. */
void can_bus_test_hear(struct can_bus_test *t, const struct canfd_frame *frame);
/* An error frame of @classes (CAN_ERR_*), data[1] as @controller. */
void can_bus_test_error(struct can_bus_test *t, canid_t classes, uint8_t controller);

/* A data frame of @len bytes that are @seed's; the same of FD; a remote frame. */
struct canfd_frame can_frame(canid_t id, uint8_t len, unsigned seed);
struct canfd_frame can_frame_of_fd(canid_t id, uint8_t len, unsigned seed);
struct canfd_frame can_frame_rtr(canid_t id, uint8_t len);
/* Both are the same on the wire. */
bool can_frame_is(const struct canfd_frame *a, const struct canfd_frame *b);

#endif
