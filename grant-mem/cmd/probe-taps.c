/* SPDX-License-Identifier: MIT */
/*
 * What xdd-probe tries with a tap that it holds, as the back end of a network device
 * has one, and with the node that all taps are had through.
 *
 * The back end of an interface shares the driver domain's network namespace, and its
 * unit has that node. Who may open a tap may also give it away, rename it or take it
 * down by its descriptor: behind the last door, by no one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "grant-mem/cmd/probe.h"

#define TAP_NODE  "/dev/net/tun"
#define TAP_OTHER "xdd-probe0" /* not there, and gone with its descriptor */
#define TAP_FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

static int tap_set(int fd, const char *name, int flags)
{
	struct ifreq request = {.ifr_flags = (short)flags};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(fd, TUNSETIFF, &request) < 0 ? -errno : 0;
}

/* A queue of the tap @name, however it was made; or -1. It is not made here. */
static int tap_open(const char *name)
{
	int fd;

	if (strlen(name) >= IFNAMSIZ || !if_nametoindex(name))
		return -1;
	fd = open(TAP_NODE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || !tap_set(fd, name, TAP_FLAGS | IFF_MULTI_QUEUE) ||
	    !tap_set(fd, name, TAP_FLAGS))
		return fd;
	close(fd);
	return -1;
}

void probe_taps_open(struct probe *p)
{
	p->tap = -1;
	p->node = -1;
	if (!p->policy_known || p->policy.class != POLICY_NET)
		return;
	p->tap = tap_open(p->policy.resource);
	p->node = open(TAP_NODE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
}

/* The filter looks at the number before the kernel looks at the descriptor: without a
 * tap, any socket serves as well. */
static int a_tap(const struct probe *p)
{
	return p->tap >= 0 ? p->tap : p->pair[0];
}

static int tap_ioctl(struct probe *p, unsigned long request, unsigned long arg)
{
	return ioctl(a_tap(p), request, arg) < 0 ? -errno : 0;
}

/* With what it holds, and is no tap yet. */
static int probe_tap_other(struct probe *p, const struct probe_try *try)
{
	(void)try;
	return tap_set(p->node >= 0 ? p->node : p->pair[0], TAP_OTHER, TAP_FLAGS);
}

/* As it is. */
static int probe_tap_persist(struct probe *p, const struct probe_try *try)
{
	(void)try;
	return tap_ioctl(p, TUNSETPERSIST, 1);
}

static int probe_tap_owner(struct probe *p, const struct probe_try *try)
{
	(void)try;
	return tap_ioctl(p, TUNSETOWNER, geteuid());
}

/* An argument that no call can take: nothing lies there. */
static int probe_tap_call(struct probe *p, const struct probe_try *try)
{
	return tap_ioctl(p, (unsigned long)try->arg, 0);
}

static int probe_tap_node(struct probe *p, const struct probe_try *try)
{
	int fd;

	(void)try;
	if (!p->sealed && p->policy_known && p->policy.class == POLICY_NET)
		return probe_skip(p, "the class opens its tap here");
	fd = open(TAP_NODE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int probe_tap_make(struct probe *p, const struct probe_try *try)
{
	int fd = open(TAP_NODE, O_RDWR | O_CLOEXEC | O_NONBLOCK), r;

	(void)p;
	(void)try;
	if (fd < 0)
		return -errno;
	r = tap_set(fd, TAP_OTHER, TAP_FLAGS);
	close(fd);
	return r;
}

#define HELD(name, proves, fn, arg)                                                    \
	{                                                                              \
		"tap-" name, proves, fn, (long)(arg), PROBE_DOOR, PROBE_EPERM,         \
			PROBE_SEALED, false                                            \
	}
#define NODE(name, proves, fn)                                                         \
	{                                                                              \
		"tap-" name, proves, fn, 0, PROBE_UNIT, PROBE_FILE, PROBE_ALWAYS,      \
			false                                                          \
	}

const struct probe_try probe_taps[] = {
	NODE("node", "no tap, or no other", probe_tap_node),
	NODE("make", "makes no interface", probe_tap_make),
	HELD("other", "takes no other interface", probe_tap_other, 0),
	HELD("persist", "its tap does not stay or go by it", probe_tap_persist, 0),
	HELD("owner", "gives its tap to no one", probe_tap_owner, 0),
	HELD("group", "gives its tap to no group", probe_tap_call, TUNSETGROUP),
	HELD("queue", "takes and leaves no queue", probe_tap_call, TUNSETQUEUE),
	HELD("address", "has the address that it was given", probe_tap_call,
	     SIOCSIFHWADDR),
	HELD("filter", "puts no program before its tap", probe_tap_call,
	     TUNATTACHFILTER),
	HELD("steering", "puts no program before its queues", probe_tap_call,
	     TUNSETSTEERINGEBPF),
	HELD("header", "leaves the header as it is", probe_tap_call, TUNSETVNETHDRSZ),
	HELD("namespace", "gets no descriptor of a namespace", probe_tap_call,
	     SIOCGSKNS),
	{0},
};
