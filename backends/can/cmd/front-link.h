/* SPDX-License-Identifier: MIT */
/*
 * The client's own CAN interface: whether it is there and up, and a socket on it.
 *
 * Needs no privilege: its state is asked for by ioctl(), when rtnetlink says that
 * some interface changed.
 */
#ifndef XDD_FRONT_LINK_H
#define XDD_FRONT_LINK_H

#include <net/if.h>
#include <stdbool.h>

enum front_link_state {
	FRONT_LINK_ABSENT,
	FRONT_LINK_FOREIGN, /* it is no CAN interface */
	FRONT_LINK_DOWN,
	FRONT_LINK_UP,
};

struct front_link {
	char name[IFNAMSIZ];
	int fd; /* readable: front_link_look() */
	enum front_link_state state;
	int index; /* another one: a socket on the old one is of no use */
	bool fd_frames;
};

/* 0 or a negative errno. */
int front_link_open(struct front_link *link, const char *name);
void front_link_close(struct front_link *link);
/* Looks what became of it. */
void front_link_look(struct front_link *link);
/* A CAN_RAW socket on the interface, which is DOWN or UP; without error frames, and
 * with as large a buffer as an ordinary user gets. A negative errno:
 * -EAFNOSUPPORT, -EPROTONOSUPPORT: the kernel's can or can-raw is missing. */
int front_link_socket(const struct front_link *link);

#endif
