/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "backends/displ/displ-lease.h"

_Static_assert(DISPL_LEASE_PATH == sizeof(((struct sockaddr_un *)0)->sun_path),
	       "what the kernel takes");

int displ_lease_path(const char *folder, const char *instance,
		     char path[DISPL_LEASE_PATH])
{
	int n = snprintf(path, DISPL_LEASE_PATH, "%s/%s/%s", folder, instance,
			 DISPL_LEASE_SOCKET);

	return n < 0 || n >= DISPL_LEASE_PATH ? -ENAMETOOLONG : 0;
}

static int call(const char *path)
{
	const struct timeval wait = {DISPL_LEASE_WAIT_S, 0};
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	memcpy(at.sun_path, path, strnlen(path, sizeof(at.sun_path) - 1));
	/* A full backlog is waited for by this, too. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (!connect(fd, (struct sockaddr *)&at, sizeof(at)))
		return fd;
	r = -errno;
	close(fd);
	return r;
}

/* The descriptor that came with @msg; or -1. */
static int passed(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* 0, with *@answer and, if a lease was made, *@out; or a negative errno. */
static int hear(int from, struct displ_lease_answer *answer, int *out)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {answer, sizeof(*answer)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     /* Of one: padding would take a second one. */
			     .msg_controllen = CMSG_LEN(sizeof(int))};
	ssize_t n;
	int fd;

	do
		n = recvmsg(from, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (!n)
		return -ECONNRESET;
	fd = passed(&msg);
	if (n == sizeof(*answer) && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
	    answer->magic == DISPL_LEASE_MAGIC &&
	    answer->version == DISPL_LEASE_VERSION &&
	    (answer->status == DISPL_LEASE_MADE) == (fd >= 0)) {
		*out = fd;
		return 0;
	}
	if (fd >= 0)
		close(fd);
	return -EPROTO;
}

/* Why there is no lease, and what to do. */
static int refused(const struct displ_lease_answer *answer, const char *card,
		   struct log *log)
{
	switch ((enum displ_lease_status)answer->status) {
	case DISPL_LEASE_STRANGER:
		log_line(
			log, LOG_LEVEL_ERROR,
			"xdd-lease takes us for another instance's: start this through "
			"its unit, xdd-displ@NAME");
		return -ECONNREFUSED;
	case DISPL_LEASE_NOT_HAD:
		log_line(log, LOG_LEVEL_ERROR,
			 "xdd-lease has no connectors of %s for this instance: its "
			 "journal says why, and reads the policies when it starts",
			 card);
		return -EINVAL;
	case DISPL_LEASE_FAILED:
		log_line(log, LOG_LEVEL_ERROR, "%s makes no lease: %s", card,
			 strerror((int)answer->error));
		return -EIO;
	case DISPL_LEASE_MADE:
		break;
	}
	return -EPROTO;
}

static int no_answer(int r, const char *path, struct log *log)
{
	bool nobody = r == -ENOENT || r == -ECONNREFUSED;

	log_line(log, LOG_LEVEL_ERROR,
		 "%s on %s: %s (systemctl status \"xdd-lease@*\"; systemctl "
		 "daemon-reload and its restart, if this policy is new to it)",
		 nobody		? "no xdd-lease serves us"
		 : r == -EPROTO ? "no xdd-lease of this release serves us"
				: "xdd-lease does not answer",
		 path, strerror(-r));
	return nobody ? -ECONNREFUSED : r;
}

int displ_lease_take(const char *path, const char *card, struct log *log)
{
	struct displ_lease_answer answer;
	int from = call(path), fd = -1, r;

	if (from < 0)
		return no_answer(from, path, log);
	r = hear(from, &answer, &fd);
	close(from);
	if (r)
		return no_answer(r, path, log);
	if (fd < 0)
		return refused(&answer, card, log);
	r = fcntl(fd, F_GETFL);
	if (r >= 0 && !fcntl(fd, F_SETFL, r | O_NONBLOCK))
		return fd;
	r = -errno;
	close(fd);
	return r;
}
