/* SPDX-License-Identifier: MIT */
/* The connection to the back end, its beginning and its end: see keeper-peer.h. */
#include <errno.h>
#include <linux/sockios.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "grant-mem/cmd/keeper.h"

#define STATUS_NS (10 * CLOCK_MS)

/* [impl->req~one-back-end-at-a-time~1] */
void peer_connect(struct keeper *k, int fd)
{
	struct peer *p = &k->peer;
	const struct timeval linger = {0, PEER_LINGER_US};
	struct ucred cred = {0};
	socklen_t len = sizeof(cred);
	int pidfd = -1, err;
	char byte;

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	if (p->pidfd < 0 && cred.pid > 0 && cred.uid == getuid())
		pidfd = pidfd_open(cred.pid, 0);
	/* A peer that is still there keeps its pid: the pidfd is its own. */
	if (pidfd < 0 || !recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT)) {
		keeper_event(k, LOG_LEVEL_WARNING, "refused",
			     "connection of pid %d, uid %u%s", cred.pid, cred.uid,
			     p->pidfd < 0 ? "" : ", there is one");
		close(fd);
		if (pidfd >= 0)
			close(pidfd);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &linger, sizeof(linger));
	p->fd = fd;
	p->pidfd = pidfd;
	keeper_store("backend", 0, pidfd);
	keeper_event(k, LOG_LEVEL_INFO, "connect", "back end, pid %d", cred.pid);
	err = registrar_open(&k->registrar);
	if (err)
		keeper_event(k, LOG_LEVEL_ERROR, "failed", "gntdev or evtchn: %s",
			     strerror(-err));
}

static void hang_up(struct keeper *k, enum log_level level, const char *why)
{
	struct peer *p = &k->peer;

	keeper_event(k, level, "hang-up", "%s", why);
	close(p->fd);
	p->fd = -1;
	p->waits = false;
	xs_cancel(&k->xs, &p->fetch);
}

void peer_kill(struct keeper *k, enum log_level level, const char *why)
{
	if (k->peer.fd < 0)
		return;
	hang_up(k, level, why);
	if (k->peer.stage == PEER_STRANGER)
		peer_dead(k);
	else
		pidfd_send_signal(k->peer.pidfd, SIGKILL, NULL, 0);
}

void peer_dead(struct keeper *k)
{
	struct peer *p = &k->peer;
	struct registrar *r = &k->registrar;

	if (p->fd >= 0)
		hang_up(k, LOG_LEVEL_INFO, "the back end has ended");
	close(p->pidfd);
	if (r->rw >= 0) {
		close(r->rw);
		close(r->ro);
	}
	p->pidfd = r->rw = r->ro = -1;
	maps_reset(&k->maps);
	p->stage = PEER_STRANGER;
	p->release_by = 0;
	k->device.status = "dead";
	keeper_store("backend", 0, -1);
	keeper_event(k, LOG_LEVEL_INFO, "disconnect", "all it held is given back");
	keeper_status(k);
}

/* Invariant 3. */
void peer_reply(struct keeper *k, int result)
{
	struct peer *p = &k->peer;
	union {
		char bytes[CMSG_SPACE(sizeof(p->out_fd))];
		struct cmsghdr header;
	} control = {0};
	struct iovec iov = {&p->out, sizeof(p->out.header)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	p->waits = false;
	p->out.header = p->in.header;
	p->out.header.result = (uint16_t)result;
	if (result == WIRE_OK)
		iov.iov_len += calls_reply_bytes(p->in.header.type);
	if (result == WIRE_OK && p->out_fds) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(p->out_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.header), p->out_fd, sizeof(p->out_fd));
		msg.msg_control = &control;
		msg.msg_controllen = control.header.cmsg_len;
	}
	if (sendmsg(p->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		peer_kill(k, LOG_LEVEL_ERROR,
			  "the back end does not take its replies: killed");
	else if (result == WIRE_MALFORMED)
		peer_kill(k, LOG_LEVEL_ERROR,
			  "the back end does not speak the protocol");
	else if (p->stage == PEER_STRANGER)
		peer_kill(k, LOG_LEVEL_ERROR, "the back end was not let in");
}

/* True: @in is handled. Descriptors that come have no room: the kernel closes them,
 * and says so. Behind a copy another one is near: it is waited for here, since waiting
 * for all else, too, is a system call more. [impl->req~protocol-or-death~1] */
static bool take_message(struct keeper *k)
{
	struct peer *p = &k->peer;
	struct iovec iov = {&p->in, sizeof(p->in)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	int flags = p->in.header.type == WIRE_COPY ? 0 : MSG_DONTWAIT, result;
	ssize_t n = recvmsg(p->fd, &msg, flags);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		peer_kill(k, LOG_LEVEL_INFO, "the back end hung up");
		return false;
	}
	memset(&p->out, 0, sizeof(p->out));
	p->out_fds = 0;
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		n = 0; /* of no length that there is */
	result = calls_handle(k, (size_t)n);
	p->waits = result == CALLS_WAITS;
	if (!p->waits)
		peer_reply(k, result);
	return true;
}

void peer_read(struct keeper *k)
{
	for (unsigned left = PEER_MESSAGES; left && k->peer.fd >= 0 && !k->peer.waits;)
		left = take_message(k) ? left - 1 : 0;
}

static void send_status(struct keeper *k)
{
	const struct device_view *v = &k->device.seen;
	struct peer *p = &k->peer;
	struct {
		struct wire_header header;
		struct wire_status status;
	} m = {.header.type = WIRE_STATUS};
	int unread = 0;

	p->status_at = k->now + STATUS_NS;
	if (ioctl(p->fd, SIOCOUTQ, &unread) || unread)
		return; /* invariant 3 */
	m.status = (struct wire_status){
		.flags = (v->present ? WIRE_PRESENT : 0) |
			 (p->release_by ? WIRE_RELEASE : 0) |
			 (v->number[DEVICE_ONLINE] == 1 ? WIRE_ONLINE : 0),
		.generation = k->device.generation,
		.frontend = v->frontend.v,
		.device = k->device_id,
		.front = v->number[DEVICE_FRONT],
		.back = v->number[DEVICE_BACK],
		.limits = calls_limits(k),
	};
	p->status_due = send(p->fd, &m, sizeof(m), MSG_DONTWAIT | MSG_NOSIGNAL) < 0;
}

/* [impl->req~who-keeps-is-killed~1] */
uint64_t peer_turn(struct keeper *k)
{
	struct peer *p = &k->peer;
	uint64_t next;

	if (p->fd < 0)
		return UINT64_MAX;
	if (p->release_by && maps_empty(&k->maps)) {
		p->release_by = 0;
		p->status_due = true;
	}
	next = maps_deadline(&k->maps);
	if (p->release_by && p->release_by < next)
		next = p->release_by;
	if (k->now >= next)
		peer_kill(k, LOG_LEVEL_ERROR,
			  "the back end did not let go of client memory: killed");
	else if (p->stage == PEER_SERVING && p->status_due) {
		if (k->now >= p->status_at)
			send_status(k);
		next = p->status_due && p->status_at < next ? p->status_at : next;
	}
	return next;
}
