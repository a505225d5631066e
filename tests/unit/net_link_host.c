/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/net_link_host.h"

#define NODE	"/dev/net/tun"
#define WAIT_MS 2000

static bool root;

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* What is not there on this kernel needs no setting. */
	if (fd < 0)
		return;
	(void)!write(fd, text, strlen(text));
	close(fd);
}

static bool enter_as_user(void)
{
	char text[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return false;
	put_text("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "%u %u 1", uid, uid);
	put_text("/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "%u %u 1", gid, gid);
	put_text("/proc/self/gid_map", text);
	return true;
}

const char *host_enter(void)
{
	int fd = open(NODE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return "no /dev/net/tun here";
	close(fd);
	root = !unshare(CLONE_NEWNET);
	if (!root && !enter_as_user())
		return "no network namespace to be had";
	/* Or each interface that comes up says things of its own. */
	put_text("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	return NULL;
}

bool host_is_root(void)
{
	return root && !geteuid();
}

void host_drop_capabilities(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0}, {0}};

	assert_int_equal(syscall(SYS_capset, &head, none), 0);
}

/* -- Interfaces ------------------------------------------------------------------ */

static int hold(const char *name, int flags)
{
	struct ifreq ifr = {.ifr_flags = (short)flags};
	int fd = open(NODE, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	strcpy(ifr.ifr_name, name);
	if (!ioctl(fd, TUNSETIFF, &ifr))
		return fd;
	close(fd);
	return -errno;
}

int host_hold(const char *name, int flags)
{
	return hold(name, flags);
}

void host_give_to(const char *name, int flags, unsigned uid)
{
	int fd = hold(name, flags);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TUNSETOWNER, (unsigned long)uid), 0);
	assert_int_equal(ioctl(fd, TUNSETPERSIST, 1UL), 0);
	close(fd);
}

void host_make(const char *name, int flags)
{
	host_give_to(name, flags, geteuid());
}

void host_remove(const char *name)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} message = {
		.head = {.nlmsg_len = sizeof(message),
			 .nlmsg_type = RTM_DELLINK,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.info = {.ifi_index = (int)if_nametoindex(name)},
	};
	char answer[4096];
	int fd;

	if (!message.info.ifi_index)
		return;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	assert_int_equal(send(fd, &message, sizeof(message), 0), sizeof(message));
	assert_true(recv(fd, answer, sizeof(answer), 0) > 0);
	assert_int_equal(((struct nlmsgerr *)NLMSG_DATA(answer))->error, 0);
	close(fd);
}

static short flags_of(int fd, struct ifreq *ifr, const char *name)
{
	strcpy(ifr->ifr_name, name);
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, ifr), 0);
	return ifr->ifr_flags;
}

void host_up(const char *name, bool up)
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	flags_of(fd, &ifr, name);
	ifr.ifr_flags = (short)(up ? ifr.ifr_flags | IFF_UP : ifr.ifr_flags & ~IFF_UP);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
	close(fd);
}

static bool ask(const char *name, void *data)
{
	struct ifreq ifr = {.ifr_data = data};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool answered;

	strcpy(ifr.ifr_name, name);
	answered = !ioctl(fd, SIOCETHTOOL, &ifr);
	close(fd);
	return answered;
}

bool host_tells_queues(const char *name)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};

	return ask(name, &channels);
}

/* Who is asked for it by this way first brings what follows from it up to date: whether
 * frames are let through. */
bool host_has_carrier(const char *name)
{
	struct ethtool_value value = {.cmd = ETHTOOL_GLINK};

	assert_true(ask(name, &value));
	return value.data;
}

/* -- Frames ---------------------------------------------------------------------- */

int host_listen(const char *name)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;
	int bytes = 4 << 20;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)),
			 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

bool host_send(int fd, const struct virtio_net_hdr *header, const void *bytes,
	       size_t size)
{
	static const struct virtio_net_hdr none;
	struct iovec iov[2] = {
		{(void *)(uintptr_t)(header ? header : &none), sizeof(none)},
		{(void *)(uintptr_t)bytes, size},
	};

	return writev(fd, iov, 2) == (ssize_t)(sizeof(none) + size);
}

ssize_t host_hear(int fd, struct virtio_net_hdr *header, void *bytes, size_t size)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	struct sockaddr_ll from;
	struct iovec iov[2] = {{header, sizeof(*header)}, {bytes, size}};

	while (poll(&pfd, 1, WAIT_MS) == 1) {
		struct msghdr msg = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = iov,
			.msg_iovlen = 2,
		};
		ssize_t r = recvmsg(fd, &msg, MSG_DONTWAIT);

		/* What this host sends to the tap passes here, too. */
		if (r >= (ssize_t)sizeof(*header) &&
		    from.sll_pkttype != PACKET_OUTGOING)
			return r - (ssize_t)sizeof(*header);
		if (r < 0)
			return -1;
	}
	return -1;
}
