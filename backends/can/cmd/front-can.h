/* SPDX-License-Identifier: MIT */
/*
 * Frames from and to a CAN_RAW socket, many at once.
 *
 * Not what the socket is bound to: front-link.h. Nothing here waits. Frames are struct
 * canfd_frame, CANFD_FDF tells an FD frame from a classic one. What the socket had no
 * room for is counted (SO_RXQ_OVFL), as is what the interface did not take.
 */
#ifndef XDD_FRONT_CAN_H
#define XDD_FRONT_CAN_H

#include <linux/can.h>
#include <stdbool.h>
#include <stdint.h>

#define FRONT_CAN_BATCH 64

struct front_can {
	int fd; /* -1: closed */
	bool fd_frames;
	uint32_t overflow; /* the socket's own counter, as last seen */
	uint64_t dropped;  /* that the socket had no room for */
	uint64_t unsent;   /* that could not be written */
};

void front_can_init(struct front_can *can, int fd, bool fd_frames);
void front_can_close(struct front_can *can);
/* At most @max <= FRONT_CAN_BATCH frames that local programs sent. How many; or a
 * negative errno: -ENETDOWN, -ENODEV and the like, look at the interface. */
int front_can_read(struct front_can *can, struct canfd_frame *out, unsigned max);
/* @n <= FRONT_CAN_BATCH frames, for local programs to receive. 0; or as above, and the
 * rest is lost. */
int front_can_write(struct front_can *can, struct canfd_frame *frames, unsigned n);

#endif
