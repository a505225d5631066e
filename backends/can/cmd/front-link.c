/* SPDX-License-Identifier: MIT */
#include "backends/can/cmd/front-link.h"

#include <errno.h>
#include <linux/can.h>
#include <linux/can/raw.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER (4 << 20) /* the kernel gives what net.core.rmem_max allows */

int front_link_open(struct front_link *link, const char *name)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK,
				      .nl_groups = RTMGRP_LINK};
	int fd, r;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*link = (struct front_link){.fd = fd, .state = FRONT_LINK_ABSENT};
	snprintf(link->name, sizeof(link->name), "%s", name);
	front_link_look(link);
	return 0;
}

void front_link_close(struct front_link *link)
{
	close(link->fd);
}

/* What they say does not matter: the interface is asked. */
static void forget_messages(const struct front_link *link)
{
	char bytes[8192];

	while (recv(link->fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0 ||
	       errno == ENOBUFS || errno == EINTR)
		;
}

/* False: it is not there, or not any more. */
static bool ask(const struct front_link *link, unsigned long what, struct ifreq *out)
{
	*out = (struct ifreq){.ifr_ifindex = 0};
	memcpy(out->ifr_name, link->name, sizeof(out->ifr_name));
	return !ioctl(link->fd, what, out);
}

void front_link_look(struct front_link *link)
{
	struct ifreq index, mtu, kind, flags;

	forget_messages(link);
	if (!ask(link, SIOCGIFINDEX, &index) || !ask(link, SIOCGIFMTU, &mtu) ||
	    !ask(link, SIOCGIFHWADDR, &kind) || !ask(link, SIOCGIFFLAGS, &flags)) {
		link->state = FRONT_LINK_ABSENT;
		link->index = 0;
		return;
	}
	link->index = index.ifr_ifindex;
	link->fd_frames = mtu.ifr_mtu >= (int)CANFD_MTU;
	if (kind.ifr_hwaddr.sa_family != ARPHRD_CAN)
		link->state = FRONT_LINK_FOREIGN;
	else
		link->state =
			flags.ifr_flags & IFF_UP ? FRONT_LINK_UP : FRONT_LINK_DOWN;
}

int front_link_socket(const struct front_link *link)
{
	struct sockaddr_can address = {.can_family = AF_CAN,
				       .can_ifindex = link->index};
	const int on = 1, size = BUFFER;
	int fd, r;

	fd = socket(AF_CAN, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CAN_RAW);
	if (fd < 0)
		return -errno;
	/* Of these only FD frames decide whether we can work. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	if ((link->fd_frames &&
	     setsockopt(fd, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, &on, sizeof(on)) < 0) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}
