/* SPDX-License-Identifier: MIT */
/*
 * An interface of this domain, through a CAN_RAW socket.
 *
 * All that a socket may do beyond read and write is done before the process is
 * sealed. The kernel's filters spare us what is nobody's here; they judge nothing.
 *
 * A frame that the host has no room for (ENOBUFS, EAGAIN) holds back those behind it.
 * Nothing tells when there is room: it is tried when one of ours was on the wire, and
 * after a time that doubles.
 *
 * What is sent on a virtual interface the kernel hands to those who listen by way of
 * the sending processor's queue (netif_rx()), and the queues of two processors have no
 * order between them: so we stay on one, or frames of one identifier could overtake
 * each other.
 *
 * Whoever else is on the interface may send what he likes, error frames and all; what
 * contradicts itself is not handed on.
 */
#include <assert.h>
#include <errno.h>
#include <linux/can/error.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/can/can-bus.h"
#include "backends/can/can-frame.h"
#include "common/clock.h"
#include "common/cpu.h"

#define SOCKET_RETRY_NS	    CLOCK_MS
#define SOCKET_RETRY_MAX_NS (16 * CLOCK_MS)
/* Batches of one turn: others want their turn as well. */
#define SOCKET_BATCHES 4
/* What we ask for; the host's limit, net.core.rmem_max, may be lower. */
#define SOCKET_RECEIVE_BYTES (4 << 20)

struct socket_control {
	_Alignas(struct cmsghdr) uint8_t bytes[CMSG_SPACE(sizeof(struct timespec)) +
					       CMSG_SPACE(sizeof(uint32_t))];
};

struct can_bus_socket {
	struct can_bus bus;
	struct loop *loop;
	struct loop_op poll;
	int fd;	   /* the same as the loop's */
	bool gone; /* it cannot go on */

	struct canfd_frame wait[CAN_BUS_WINDOW]; /* a ring of bus.waiting */
	uint32_t first;
	uint64_t retry; /* ns, the next time */

	uint64_t last;	  /* the newest time that was told */
	int64_t behind;	  /* of the wall clock, the monotonic one */
	uint64_t now;	  /* monotonic; both of this batch */
	uint32_t dropped; /* the host's count */
	struct mmsghdr msg[CAN_BUS_BATCH];
	struct iovec iov[CAN_BUS_BATCH];
	struct canfd_frame frame[CAN_BUS_BATCH];
	struct socket_control control[CAN_BUS_BATCH];
};

static struct can_bus_socket the_socket;

static struct can_bus_socket *socket_of(struct can_bus *bus)
{
	return (struct can_bus_socket *)bus;
}

static void socket_fail(struct can_bus_socket *s, int err)
{
	s->gone = true;
	s->bus.due = UINT64_MAX;
	s->bus.user->failed(&s->bus, err);
}

/* -- Sending -------------------------------------------------------------------------
 */

enum socket_sent {
	SOCKET_SENT, /* or will never be: it is told */
	SOCKET_FULL,
	SOCKET_GONE,
};

static int socket_write(const struct can_bus_socket *s, const struct canfd_frame *frame)
{
	size_t size = can_frame_fd(frame) ? CANFD_MTU : CAN_MTU;
	ssize_t r;

	do
		r = write(s->fd, frame, size);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return (size_t)r == size ? 0 : -EIO;
}

static void socket_later(struct can_bus_socket *s)
{
	s->bus.due = clock_now() + s->retry;
	if (s->retry < SOCKET_RETRY_MAX_NS)
		s->retry *= 2;
}

static enum socket_sent socket_outcome(struct can_bus_socket *s, int r)
{
	switch (r) {
	case -ENOBUFS:
	case -EAGAIN:
		socket_later(s);
		return SOCKET_FULL;
	case -ENODEV:
	case -ENXIO:
		return SOCKET_GONE;
	default:
		s->retry = SOCKET_RETRY_NS;
		return SOCKET_SENT;
	}
}

static void socket_push(struct can_bus_socket *s, const struct canfd_frame *frame)
{
	assert(s->bus.waiting < CAN_BUS_WINDOW);
	s->wait[(s->first + s->bus.waiting++) % CAN_BUS_WINDOW] = *frame;
}

static void socket_pop(struct can_bus_socket *s)
{
	s->first = (s->first + 1) % CAN_BUS_WINDOW;
	if (!--s->bus.waiting)
		s->bus.due = UINT64_MAX;
}

/* Whatever else waits is told the same. */
static void socket_tell_all(struct can_bus_socket *s, int res)
{
	while (s->bus.waiting) {
		socket_pop(s);
		s->bus.user->written(&s->bus, res);
	}
}

static void socket_tell(struct can_bus_socket *s, int res)
{
	s->bus.sent += !res;
	s->bus.user->written(&s->bus, res);
	if (res == -ENETDOWN)
		socket_tell_all(s, res);
}

static void socket_send(struct can_bus *bus, const struct canfd_frame *frame)
{
	struct can_bus_socket *s = socket_of(bus);
	enum socket_sent sent = SOCKET_FULL;
	int r = 0;

	if (!bus->waiting && !s->gone) {
		r = socket_write(s, frame);
		sent = socket_outcome(s, r);
	}
	if (sent == SOCKET_SENT) {
		socket_tell(s, r);
		return;
	}
	socket_push(s, frame);
	if (sent == SOCKET_GONE)
		socket_fail(s, -ENODEV);
}

/* Telling one may bring another: it goes behind those that wait, or at once. */
static void socket_flush(struct can_bus_socket *s)
{
	while (s->bus.waiting && !s->gone) {
		int r = socket_write(s, &s->wait[s->first]);
		enum socket_sent sent = socket_outcome(s, r);

		if (sent == SOCKET_GONE)
			socket_fail(s, -ENODEV);
		if (sent != SOCKET_SENT)
			return;
		socket_pop(s);
		socket_tell(s, r);
	}
}

static void socket_drop(struct can_bus *bus)
{
	socket_tell_all(socket_of(bus), -ECANCELED);
}

static void socket_turn(struct can_bus *bus, uint64_t now)
{
	if (now >= bus->due)
		socket_flush(socket_of(bus));
}

/* -- Receiving -----------------------------------------------------------------------
 */

static uint64_t socket_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_SECOND + (uint64_t)ts.tv_nsec;
}

/* The host stamps with its wall clock, which may be set; what we tell only grows, and
 * is not of the future. */
static uint64_t socket_time(struct can_bus_socket *s, uint64_t wall)
{
	/* Before this machine began, if the wall clock was set back further than that.
	 */
	int64_t time = wall ? (int64_t)wall - s->behind : (int64_t)s->now;

	if (time > (int64_t)s->now)
		time = (int64_t)s->now;
	if (time > (int64_t)s->last)
		s->last = (uint64_t)time;
	return s->last;
}

/* What comes beside a frame: when it came, and how many did not before it. */
static uint64_t socket_beside(struct can_bus_socket *s, struct msghdr *msg)
{
	struct timespec ts = {0};
	uint32_t dropped = s->dropped;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		else if (c->cmsg_type == SO_RXQ_OVFL)
			memcpy(&dropped, CMSG_DATA(c), sizeof(dropped));
	}
	s->bus.overruns += dropped - s->dropped;
	s->dropped = dropped;
	return socket_time(s,
			   (uint64_t)ts.tv_sec * CLOCK_SECOND + (uint64_t)ts.tv_nsec);
}

/* True if it is a frame, @bytes long as the host has it, and then one that is ok and
 * filled, or an error frame of all its bytes. */
static bool socket_frame(struct canfd_frame *frame, size_t bytes)
{
	if (bytes == CAN_MTU)
		frame->flags = 0;
	else if (bytes == CANFD_MTU)
		frame->flags = CANFD_FDF | (frame->flags & (CANFD_BRS | CANFD_ESI));
	else
		return false;
	if (frame->can_id & CAN_ERR_FLAG) {
		if (frame->len < CAN_ERR_DLC)
			memset(frame->data + frame->len, 0, CAN_ERR_DLC - frame->len);
		frame->can_id &= CAN_ERR_FLAG | CAN_ERR_MASK;
		frame->len = CAN_ERR_DLC;
		return bytes == CAN_MTU;
	}
	if (!can_frame_ok(frame))
		return false;
	can_frame_fill(frame);
	return true;
}

/* True if it was our own. */
static bool socket_heard(struct can_bus_socket *s, uint32_t i)
{
	struct msghdr *msg = &s->msg[i].msg_hdr;
	uint64_t time = socket_beside(s, msg);
	bool own = msg->msg_flags & MSG_CONFIRM;

	if (msg->msg_flags & MSG_TRUNC ||
	    !socket_frame(&s->frame[i], s->msg[i].msg_len))
		return false;
	s->bus.received += !(s->frame[i].can_id & CAN_ERR_FLAG);
	s->bus.user->heard(&s->bus, &s->frame[i], own, time);
	return own;
}

static int socket_receive(struct can_bus_socket *s)
{
	int n;

	for (uint32_t i = 0; i < CAN_BUS_BATCH; i++) {
		s->msg[i].msg_hdr.msg_controllen = sizeof(s->control[i].bytes);
		s->msg[i].msg_hdr.msg_flags = 0;
	}
	do
		n = recvmmsg(s->fd, s->msg, CAN_BUS_BATCH, MSG_DONTWAIT, NULL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static void socket_heard_all(struct can_bus_socket *s, uint32_t n)
{
	bool own = false;

	s->now = clock_now();
	s->behind = (int64_t)(socket_clock(CLOCK_REALTIME) - s->now);
	for (uint32_t i = 0; i < n; i++)
		own |= socket_heard(s, i);
	if (own)
		socket_flush(s);
}

/* What lies there, and there may be errors among it. */
static void socket_take(struct can_bus_socket *s)
{
	for (int batch = 0; batch < SOCKET_BATCHES && !s->gone; batch++) {
		int n = socket_receive(s);

		if (n == -EAGAIN)
			return;
		if (n == -ENETDOWN)
			s->bus.user->down(&s->bus);
		else if (n < 0)
			socket_fail(s, n == -ENXIO ? -ENODEV : n);
		else
			socket_heard_all(s, (uint32_t)n);
		if (n >= 0 && n < CAN_BUS_BATCH)
			return;
	}
}

static void socket_ready(struct loop_op *op, int res)
{
	struct can_bus_socket *s =
		(struct can_bus_socket *)((char *)op -
					  offsetof(struct can_bus_socket, poll));

	if (res < 0)
		socket_fail(s, res);
	else
		socket_take(s);
	if (!s->gone)
		loop_poll(s->loop, &s->poll, LOOP_FILE_RESOURCE);
}

/* -- Opening -------------------------------------------------------------------------
 */

static void socket_close(struct can_bus *bus)
{
	struct can_bus_socket *s = socket_of(bus);

	loop_set_file(s->loop, LOOP_FILE_RESOURCE, -1);
	close(s->fd);
}

static const struct can_bus_ops socket_ops = {
	.send = socket_send,
	.drop = socket_drop,
	.turn = socket_turn,
	.close = socket_close,
};

int can_bus_socket_adopt(struct can_bus **out, int fd, bool fd_frames,
			 struct loop *loop)
{
	struct can_bus_socket *s = &the_socket;
	int r = loop_set_file(loop, LOOP_FILE_RESOURCE, fd);

	if (r)
		return r;
	*s = (struct can_bus_socket){
		.bus = {.ops = &socket_ops,
			.fd = fd_frames,
			.echo = true,
			.due = UINT64_MAX},
		.loop = loop,
		.poll.done = socket_ready,
		.fd = fd,
		.retry = SOCKET_RETRY_NS,
	};
	for (uint32_t i = 0; i < CAN_BUS_BATCH; i++) {
		s->iov[i] = (struct iovec){&s->frame[i], sizeof(s->frame[i])};
		s->msg[i].msg_hdr = (struct msghdr){
			.msg_iov = &s->iov[i],
			.msg_iovlen = 1,
			.msg_control = s->control[i].bytes,
		};
	}
	loop_poll(loop, &s->poll, LOOP_FILE_RESOURCE);
	*out = &s->bus;
	return 0;
}

/* Before it is bound, so that nothing lies there that was not asked for. */
static int socket_options(int fd, const struct can_bus_conf *conf)
{
	struct can_filter filter[CAN_FILTERS_MAX];
	const can_err_mask_t errors = CAN_ERR_MASK;
	const int on = 1, off = 0, bytes = SOCKET_RECEIVE_BYTES;
	uint32_t n = can_rules_filters(conf->receive, filter, CAN_FILTERS_MAX / 2);
	const struct {
		int level, name;
		const void *value;
		socklen_t size;
	} options[] = {
		{SOL_CAN_RAW, CAN_RAW_FILTER, filter, 0},
		{SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &errors, sizeof(errors)},
		{SOL_CAN_RAW, CAN_RAW_RECV_OWN_MSGS, &on, sizeof(on)},
		{SOL_CAN_RAW, CAN_RAW_FD_FRAMES, conf->fd ? &on : &off, sizeof(on)},
		{SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)},
		{SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)},
		{SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)},
	};

	n += can_rules_filters(conf->transmit, filter + n, CAN_FILTERS_MAX / 2);
	for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		socklen_t size = i ? options[i].size : n * sizeof(filter[0]);

		if (setsockopt(fd, options[i].level, options[i].name, options[i].value,
			       size))
			return -errno;
	}
	return 0;
}

static int socket_bind(int fd, const char *name, const struct can_bus_conf *conf)
{
	struct sockaddr_can addr = {.can_family = AF_CAN};
	struct ifreq ifr = {0};

	strcpy(ifr.ifr_name, name);
	if (ioctl(fd, SIOCGIFINDEX, &ifr))
		return -errno;
	addr.can_ifindex = ifr.ifr_ifindex;
	if (ioctl(fd, SIOCGIFMTU, &ifr))
		return -errno;
	if (conf->fd && ifr.ifr_mtu < (int)CANFD_MTU)
		return -EPROTONOSUPPORT;
	/* One that is down may come up later, and until then is told as such. */
	return bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0;
}

int can_bus_socket_open(struct can_bus **out, const char *name,
			const struct can_bus_conf *conf)
{
	int fd, r;

	if (!*name || strlen(name) >= IFNAMSIZ || strpbrk(name, "/: "))
		return -EINVAL;
	fd = socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CAN_RAW);
	if (fd < 0) /* without can, or can-raw alone */
		return errno == EPROTONOSUPPORT ? -EAFNOSUPPORT : -errno;
	r = socket_options(fd, conf);
	if (!r)
		r = socket_bind(fd, name, conf);
	if (!r)
		r = cpu_stay();
	if (!r)
		r = can_bus_socket_adopt(out, fd, conf->fd, conf->loop);
	if (r)
		close(fd);
	return r;
}
