/* SPDX-License-Identifier: MIT */
/*
 * What xdd-probe tries with sockets that it holds: a bus's, as the back end of a CAN
 * interface has one, and one of no use, made while sockets could still be made.
 *
 * The back end of an interface shares the driver domain's network namespace. A socket's
 * bus, its filters and whom it talks to are settled before the last door, or by no one.
 */
#include <errno.h>
#include <linux/can/raw.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "grant-mem/cmd/probe.h"

#define ANY_BUS 0 /* as an interface's number: all there are */

/* Bound to the interface @name, as the back end does it; or -1. */
static int bus_open(const char *name)
{
	struct sockaddr_can addr = {.can_family = AF_CAN};
	struct ifreq request = {0};
	int fd;

	if (strlen(name) >= sizeof(request.ifr_name))
		return -1;
	fd = socket(AF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW);
	if (fd < 0)
		return -1;
	strcpy(request.ifr_name, name);
	if (!ioctl(fd, SIOCGIFINDEX, &request)) {
		addr.can_ifindex = request.ifr_ifindex;
		if (!bind(fd, (const void *)&addr, sizeof(addr)))
			return fd;
	}
	close(fd);
	return -1;
}

void probe_sockets_open(struct probe *p)
{
	p->lone = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	p->bus = -1;
	if (p->policy_known && p->policy.class == POLICY_CAN)
		p->bus = bus_open(p->policy.resource);
}

/* The filter looks at the call before the kernel looks at the descriptor: without a
 * bus, any socket serves as well. */
static int a_bus(const struct probe *p)
{
	return p->bus >= 0 ? p->bus : p->pair[0];
}

static int probe_bus_filter(struct probe *p, const struct probe_try *try)
{
	const struct can_filter all = {0, 0};

	(void)try;
	return setsockopt(a_bus(p), SOL_CAN_RAW, CAN_RAW_FILTER, &all, sizeof(all)) < 0
		       ? -errno
		       : 0;
}

static int probe_bus_other(struct probe *p, const struct probe_try *try)
{
	const struct sockaddr_can addr = {.can_family = AF_CAN, .can_ifindex = ANY_BUS};

	(void)try;
	return bind(a_bus(p), (const void *)&addr, sizeof(addr)) < 0 ? -errno : 0;
}

/* An address takes a frame past the interface that the socket is bound to. */
static int probe_bus_sendto(struct probe *p, const struct probe_try *try)
{
	const struct sockaddr_can addr = {.can_family = AF_CAN, .can_ifindex = ANY_BUS};
	const struct can_frame frame = {.can_id = 0x7ff};

	(void)try;
	return sendto(a_bus(p), &frame, sizeof(frame), MSG_DONTWAIT,
		      (const void *)&addr, sizeof(addr)) < 0
		       ? -errno
		       : 0;
}

enum name_try { NAME_CONNECT, NAME_BIND, NAME_SENDTO };

/* Abstract names belong to the network namespace, not to a file system. */
static int probe_abstract(struct probe *p, const struct probe_try *try)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const socklen_t len =
		offsetof(struct sockaddr_un, sun_path) + sizeof("-xdd-probe") - 1;
	ssize_t r = -1;

	memcpy(addr.sun_path, "\0xdd-probe", sizeof("\0xdd-probe") - 1);
	switch ((enum name_try)try->arg) {
	case NAME_CONNECT:
		r = connect(p->lone, (const void *)&addr, len);
		break;
	case NAME_BIND:
		r = bind(p->lone, (const void *)&addr, len);
		break;
	case NAME_SENDTO:
		r = sendto(p->lone, "x", 1, MSG_DONTWAIT, (const void *)&addr, len);
		break;
	}
	return r < 0 ? -errno : 0;
}

static int probe_socket_can(struct probe *p, const struct probe_try *try)
{
	int fd;

	(void)try;
	if (!p->sealed && p->policy_known && p->policy.class == POLICY_CAN)
		return probe_skip(p, "the class opens its bus here");
	fd = socket(AF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW);
	if (fd < 0)
		return errno == EAFNOSUPPORT ? probe_said(p, "EAFNOSUPPORT") : -errno;
	close(fd);
	return 0;
}

#define HELD(name, proves, fn, arg)                                                    \
	{                                                                              \
		name, proves, fn, arg, PROBE_DOOR, PROBE_EPERM, PROBE_SEALED, false    \
	}

const struct probe_try probe_sockets[] = {
	{"socket-can", "no bus, or no other", probe_socket_can, 0, PROBE_UNIT,
	 PROBE_EPERM, PROBE_ALWAYS, false},
	HELD("bus-filter", "hears no more than its filters let pass", probe_bus_filter,
	     0),
	HELD("bus-other", "moves to no other bus", probe_bus_other, 0),
	HELD("bus-sendto", "sends on no other bus", probe_bus_sendto, 0),
	HELD("abstract-connect", "connects to no abstract name", probe_abstract,
	     NAME_CONNECT),
	HELD("abstract-bind", "takes no abstract name", probe_abstract, NAME_BIND),
	HELD("abstract-sendto", "sends to no abstract name", probe_abstract,
	     NAME_SENDTO),
	{0},
};
