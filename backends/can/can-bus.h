/* SPDX-License-Identifier: MIT */
/*
 * What a controller is connected to: an interface of the driver domain
 * (SocketCAN), itself (loopback), or nothing (null).
 *
 * All of it is opened before the process is sealed; what fails then fails with a
 * negative errno and nothing is left open. Afterwards a bus only moves frames.
 * Frames are SocketCAN's struct canfd_frame; CANFD_FDF tells an FD frame from a
 * classic one, and a bus never hands out one that contradicts itself.
 *
 * Invariants:
 *  1. frames go out in the order of can_bus_send(): one that cannot go out yet
 *     holds back those behind it;
 *  2. a frame that was given to the bus is written once, and then told once by
 *     written(), in that order, possibly from within can_bus_send();
 *  3. heard() with @own is a frame of ours that was on the wire (MSG_CONFIRM, where
 *     the host tells), after its written();
 *  4. nothing allocates after opening.
 *
 * Loopback gives each frame back once more as if another station had sent it; null
 * gives nothing back. Both are on the wire at once: for tests and for measuring
 * what the doors alone cost.
 */
#ifndef XDD_CAN_BUS_H
#define XDD_CAN_BUS_H

#include <linux/can.h>
#include <stdbool.h>
#include <stdint.h>

#include "backends/can/can-rules.h"
#include "common/loop.h"

#define CAN_BUS_WINDOW 64 /* frames given and not written, at most */

struct can_bus;

/* What a bus tells its controller; from the loop's callbacks, or from within a call. */
struct can_bus_user {
	/* The oldest that was given was written: 0; or was not, and will not be: a
	 * negative errno. -ENETDOWN: the interface is down, the others given come back
	 * with the same. */
	void (*written)(struct can_bus *bus, int res);
	/* A frame was on the wire: another station's, or (@own) ours. @time: monotonic
	 * ns. Error frames (CAN_ERR_FLAG) come here, too. */
	void (*heard)(struct can_bus *bus, const struct canfd_frame *frame, bool own,
		      uint64_t time);
	/* The interface went down, though nothing was being sent. What waits is still
	 * to be told by written(). That it is up again, nothing tells. */
	void (*down)(struct can_bus *bus);
	/* It cannot go on, by -ENODEV: the interface is gone. The process ends, and
	 * what waits is told no more. */
	void (*failed)(struct can_bus *bus, int err);
};

struct can_bus_ops {
	void (*send)(struct can_bus *bus, const struct canfd_frame *frame);
	void (*drop)(struct can_bus *bus);
	/* Once a turn of the loop: write what had to wait. */
	void (*turn)(struct can_bus *bus, uint64_t now);
	void (*close)(struct can_bus *bus);
};

struct can_bus {
	const struct can_bus_ops *ops;
	const struct can_bus_user *user;
	void *owner;
	bool fd;	   /* FD frames can be sent */
	bool echo;	   /* it says when a frame of ours was on the wire */
	uint32_t waiting;  /* given, and neither written nor dropped */
	uint64_t due;	   /* a turn is due though nothing happened, or UINT64_MAX */
	uint64_t received; /* frames, error frames not counted */
	uint64_t sent;	   /* written */
	uint64_t overruns; /* that the host lost before we could take them */
};

struct can_bus_conf {
	bool fd; /* the policy wants FD */
	/* What the host's filters let through: own frames pass them as well, on their
	 * way back. */
	const struct can_rules *receive, *transmit;
	struct loop *loop; /* its LOOP_FILE_RESOURCE is ours */
};

/* -- SocketCAN (can-bus-socket.c) ------------------------------------------------ */

#define CAN_BUS_BATCH 64 /* frames of one recvmmsg() */

/* The interface @name. */
int can_bus_socket_open(struct can_bus **out, const char *name,
			const struct can_bus_conf *conf);
/* @fd, nonblocking, is such a socket, open and bound, and is the bus's from now on, if
 * this does not fail; @fd_frames: it takes FD frames. */
int can_bus_socket_adopt(struct can_bus **out, int fd, bool fd_frames,
			 struct loop *loop);

/* -- None (can-bus-loopback.c, can-bus-null.c) ------------------------------------- */

int can_bus_loopback_open(struct can_bus **out, const struct can_bus_conf *conf);
int can_bus_null_open(struct can_bus **out, const struct can_bus_conf *conf);

/* -- All ------------------------------------------------------------------------- */

/* By the policy's Resource: an interface's name ("can0"), "loopback:" or "null:". One
 * a process. One that is down may be opened. -ENODEV: there is no such interface;
 * -EPROTONOSUPPORT: FD is wanted, and its MTU is that of classic frames;
 * -EAFNOSUPPORT: the kernel's module can-raw is missing; -EINVAL: no such name. */
int can_bus_open(struct can_bus **out, const char *resource,
		 const struct can_bus_conf *conf);
void can_bus_close(struct can_bus *bus);

/* There is room for one more: bus->waiting < CAN_BUS_WINDOW. @frame is copied. */
static inline void can_bus_send(struct can_bus *bus, const struct canfd_frame *frame)
{
	bus->ops->send(bus, frame);
}

/* What was not handed to the host yet is forgotten; written() is told of each with
 * -ECANCELED before this returns. */
static inline void can_bus_drop(struct can_bus *bus)
{
	bus->ops->drop(bus);
}

static inline void can_bus_turn(struct can_bus *bus, uint64_t now)
{
	bus->ops->turn(bus, now);
}

#endif
