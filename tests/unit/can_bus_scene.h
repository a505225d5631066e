/* SPDX-License-Identifier: MIT */
/*
 * backends/can/can-bus-socket.c, over a pair of sockets where the kernel's would be:
 * what only a CAN_RAW socket does is done here, around the system calls (--wrap). One
 * file of a program includes it.
 */
#ifndef XDD_TEST_CAN_BUS_SCENE_H
#define XDD_TEST_CAN_BUS_SCENE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/can/error.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/can/can-bus.h"
#include "common/clock.h"

#define FRAMES	512
#define OWN_ID	0x700 /* and above: the host says that these are ours */
#define LOST_ID 0x600 /* this one comes after @lost others that did not */

static struct {
	/* The kernel's side. */
	int host, socket_errno, bind_errno, option_errno;
	int write_errno, write_budget; /* how many until it fails so */
	int receive_errno;	       /* once */
	int mtu, index_errno;
	bool bound;
	struct can_filter filter[CAN_FILTERS_MAX];
	uint32_t filters;
	int own_msgs, fd_frames;
	can_err_mask_t errors;
	uint32_t lost;
	time_t step;   /* of the wall clock, since it was looked at */
	bool up_again; /* once the interface was found down */
	/* Ours. */
	struct loop loop;
	struct can_bus *bus;
	struct can_rules receive, transmit;
	int written[FRAMES];
	uint32_t writtens;
	struct canfd_frame heard[FRAMES];
	bool own[FRAMES];
	uint64_t time[FRAMES];
	uint32_t heards, downs;
	int failed;
	const struct canfd_frame *answer; /* sent when one was written */
} t;

/* -- The kernel ------------------------------------------------------------------ */

ssize_t __real_write(int fd, const void *buf, size_t n);
ssize_t __wrap_write(int fd, const void *buf, size_t n);
int __real_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags,
		    struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags,
		    struct timespec *timeout);
int __wrap_socket(int domain, int type, int protocol);
int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t size);
int __wrap_ioctl(int fd, unsigned long request, void *arg);

static int failing(int err)
{
	errno = err;
	return err ? -1 : 0;
}

ssize_t __wrap_write(int fd, const void *buf, size_t n)
{
	if (t.write_errno && !t.write_budget)
		return failing(t.write_errno);
	t.write_budget -= t.write_errno != 0;
	return __real_write(fd, buf, n);
}

/* As the kernel does with SO_RXQ_OVFL. */
static void add_lost(struct msghdr *msg)
{
	struct cmsghdr *c =
		(struct cmsghdr *)((char *)msg->msg_control + msg->msg_controllen);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SO_RXQ_OVFL;
	c->cmsg_len = CMSG_LEN(sizeof(t.lost));
	memcpy(CMSG_DATA(c), &t.lost, sizeof(t.lost));
	msg->msg_controllen += CMSG_SPACE(sizeof(t.lost));
}

static inline void step_time(struct msghdr *msg)
{
	struct timespec ts;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		assert_int_equal(c->cmsg_type, SCM_TIMESTAMPNS);
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		ts.tv_sec += t.step;
		memcpy(CMSG_DATA(c), &ts, sizeof(ts));
	}
}

int __wrap_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags,
		    struct timespec *timeout)
{
	int err = t.receive_errno, r;

	assert_true(flags & MSG_DONTWAIT);
	t.receive_errno = 0;
	if (err)
		return failing(err);
	r = __real_recvmmsg(fd, msg, n, flags, timeout);
	for (int i = 0; i < r; i++) {
		const struct canfd_frame *frame = msg[i].msg_hdr.msg_iov->iov_base;
		canid_t id = frame->can_id & CAN_EFF_MASK;

		step_time(&msg[i].msg_hdr);
		if (id >= OWN_ID && id <= CAN_SFF_MASK)
			msg[i].msg_hdr.msg_flags |= MSG_CONFIRM;
		if (id == LOST_ID)
			add_lost(&msg[i].msg_hdr);
	}
	return r;
}

int __wrap_socket(int domain, int type, int protocol)
{
	int pair[2];

	assert_int_equal(domain, PF_CAN);
	assert_int_equal(type, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_int_equal(protocol, CAN_RAW);
	if (t.socket_errno)
		return failing(t.socket_errno);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair),
			 0);
	t.host = pair[1];
	return pair[0];
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	assert_false(t.bound);
	if (t.option_errno)
		return failing(t.option_errno);
	if (level != SOL_CAN_RAW)
		return __real_setsockopt(fd, level, name, value, size);
	switch (name) {
	case CAN_RAW_FILTER:
		assert_true(size <= sizeof(t.filter));
		assert_int_equal(size % sizeof(t.filter[0]), 0);
		memcpy(t.filter, value, size);
		t.filters = size / sizeof(t.filter[0]);
		return 0;
	case CAN_RAW_ERR_FILTER:
		memcpy(&t.errors, value, sizeof(t.errors));
		return 0;
	case CAN_RAW_RECV_OWN_MSGS:
		memcpy(&t.own_msgs, value, sizeof(t.own_msgs));
		return 0;
	case CAN_RAW_FD_FRAMES:
		memcpy(&t.fd_frames, value, sizeof(t.fd_frames));
		return 0;
	default:
		return failing(ENOPROTOOPT);
	}
}

int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t size)
{
	const struct sockaddr_can *can = (const void *)addr;

	(void)fd;
	assert_int_equal(size, sizeof(*can));
	assert_int_equal(can->can_family, AF_CAN);
	assert_int_equal(can->can_ifindex, 42);
	t.bound = true;
	return failing(t.bind_errno);
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	struct ifreq *ifr = arg;

	(void)fd;
	assert_string_equal(ifr->ifr_name, "can0");
	switch (request) {
	case SIOCGIFINDEX:
		ifr->ifr_ifindex = 42;
		return failing(t.index_errno);
	case SIOCGIFMTU:
		ifr->ifr_mtu = t.mtu;
		return 0;
	default:
		return failing(ENOTTY);
	}
}

/* -- The controller -------------------------------------------------------------- */

static void on_written(struct can_bus *bus, int res)
{
	const struct canfd_frame *answer = t.answer;

	assert_true(t.writtens < FRAMES);
	t.written[t.writtens++] = res;
	t.answer = NULL;
	if (res == -ENETDOWN && t.up_again)
		t.write_errno = 0;
	if (answer)
		can_bus_send(bus, answer);
}

static void on_heard(struct can_bus *bus, const struct canfd_frame *frame, bool own,
		     uint64_t time)
{
	(void)bus;
	assert_true(t.heards < FRAMES);
	t.heard[t.heards] = *frame;
	t.time[t.heards] = time;
	t.own[t.heards++] = own;
}

static void on_down(struct can_bus *bus)
{
	(void)bus;
	t.downs++;
}

static void on_failed(struct can_bus *bus, int err)
{
	(void)bus;
	assert_int_equal(t.failed, 0);
	t.failed = err;
}

static const struct can_bus_user user = {on_written, on_heard, on_down, on_failed};

static inline int try_open(const char *name, bool fd)
{
	struct can_bus_conf conf = {fd, &t.receive, &t.transmit, &t.loop};

	t.bound = false;
	return can_bus_open(&t.bus, name, &conf);
}

static inline int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.mtu = CANFD_MTU;
	t.host = -1;
	assert_true(can_rules_parse("all", &t.receive));
	assert_int_equal(loop_init(&t.loop, 8), 0);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	if (t.bus)
		can_bus_close(t.bus);
	close(t.host);
	loop_fini(&t.loop);
	return 0;
}

static inline void opened(void)
{
	assert_int_equal(try_open("can0", true), 0);
	assert_int_equal(loop_seal(&t.loop), 0);
	t.bus->user = &user;
}

/* -- What the tests do ----------------------------------------------------------- */

static inline void host_gives(const void *frame, size_t size)
{
	assert_int_equal(send(t.host, frame, size, 0), size);
}

static inline void host_gives_id(canid_t can_id)
{
	const struct can_frame frame = {
		.can_id = can_id, .len = 1, .data = {7, 8, 9}, .__pad = 0xff};

	host_gives(&frame, CAN_MTU);
}

static inline void turn(void)
{
	can_bus_turn(t.bus, clock_now());
	assert_int_equal(loop_turn(&t.loop, true), 0);
}

#define bus_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
