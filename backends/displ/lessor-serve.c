/* SPDX-License-Identifier: MIT */
/* Who asks, and what is answered: see lessor.h. */
#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "backends/displ/displ-lease.h"
#include "backends/displ/lessor.h"

#define BACKLOG 4

static int listen_at(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	strcpy(at.sun_path, path);
	unlink(path); /* of the one before us: the folder is ours */
	/* For all: the folder is bound into one name space, and its owner is asked for.
	 */
	if (!bind(fd, (struct sockaddr *)&at, sizeof(at)) && !chmod(path, 0666) &&
	    !listen(fd, BACKLOG))
		return fd;
	r = -errno;
	close(fd);
	return r;
}

int lessor_listen(struct lessor *l, const char *folder)
{
	char path[DISPL_LEASE_PATH];

	for (unsigned i = 0; i < l->instances; i++) {
		struct lessor_instance *in = &l->instance[i];
		int fd = displ_lease_path(folder, in->name, path);

		if (!fd)
			fd = listen_at(path);
		if (fd < 0) {
			log_line(&in->log, LOG_LEVEL_ERROR,
				 "a socket in %s/%s: %s (its unit makes the folder: "
				 "systemctl daemon-reload, and start it again)",
				 folder, in->name, strerror(-fd));
			return fd;
		}
		in->listener = fd;
	}
	return 0;
}

/* -- One that asks --------------------------------------------------------- */

static void hang_up(struct lessor_instance *in)
{
	if (in->peer >= 0)
		close(in->peer);
	in->peer = -1;
	in->untaken = false;
}

/* Does its process run as the user that the instance's folder belongs to? */
static bool is_its_own(const struct lessor *l, const struct lessor_instance *in, int fd,
		       struct ucred *cred)
{
	socklen_t len = sizeof(*cred);
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", l->owners, in->name);
	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, cred, &len) &&
	       !stat(path, &st) && st.st_uid == cred->uid;
}

/* Invariant 3: what was sent lies there still. */
static bool is_untaken(const struct lessor_instance *in)
{
	int bytes = 0;

	return in->peer >= 0 && (ioctl(in->peer, SIOCOUTQ, &bytes) || bytes);
}

/* Never waits: the socket is new, and this its first message. @lease: or -1. */
static bool answer(int to, enum displ_lease_status status, int error, int lease)
{
	struct displ_lease_answer message = {DISPL_LEASE_MAGIC, DISPL_LEASE_VERSION,
					     status, (uint32_t)error};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec iov = {&message, sizeof(message)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (lease >= 0) {
		memcpy(CMSG_DATA(&control.header), &lease, sizeof(lease));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	return sendmsg(to, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(message);
}

static void lend_to(struct lessor *l, struct lessor_instance *in, int to)
{
	int lease = lessor_lend(l, in);

	if (lease < 0) {
		log_line(&in->log, LOG_LEVEL_ERROR,
			 "%s makes no lease of its connectors: %s (is it still this "
			 "program's? see dmesg)",
			 l->card, strerror(-lease));
		answer(to, DISPL_LEASE_FAILED, -lease, -1);
		return;
	}
	if (answer(to, DISPL_LEASE_MADE, 0, lease))
		log_line(&in->log, LOG_LEVEL_INFO, "lent %u connectors of %s, lease %u",
			 in->policy.heads, l->card, in->lessee);
	else
		lessor_revoke(l, in);
	close(lease); /* on its way; it lives as long as who has it */
}

static void serve(struct lessor *l, struct lessor_instance *in)
{
	int fd = accept4(in->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred cred = {0};

	if (fd < 0)
		return;
	if (!is_its_own(l, in, fd, &cred)) {
		log_line(&in->log, LOG_LEVEL_WARNING,
			 "refused pid %d of uid %u, which is not the instance's",
			 cred.pid, cred.uid);
		answer(fd, DISPL_LEASE_STRANGER, 0, -1);
		close(fd);
		return;
	}
	if (is_untaken(in)) {
		log_line(&in->log, LOG_LEVEL_WARNING,
			 "hung up on pid %d: there is one that did not take what it "
			 "asked for",
			 cred.pid);
		close(fd);
		return;
	}
	hang_up(in);
	in->peer = fd;
	if (in->objects)
		lend_to(l, in, fd);
	else
		answer(fd, DISPL_LEASE_NOT_HAD, 0, -1);
}

/* Invariant 3: who is dead has taken, or dropped, all that it was sent. */
static void ended(struct lessor_instance *in)
{
	in->untaken = is_untaken(in);
	if (!in->untaken)
		hang_up(in);
}

/* -- All of them ----------------------------------------------------------- */

int lessor_turn(struct lessor *l, int ms)
{
	struct pollfd polls[2 * LESSOR_INSTANCES_MAX];

	/* Of a peer only its end is waited for: what it says is not asked for. One that
	 * shut its end with a lease under way would end each wait. */
	for (unsigned i = 0; i < l->instances; i++) {
		polls[2 * i] = (struct pollfd){l->instance[i].listener, POLLIN, 0};
		polls[2 * i + 1] = (struct pollfd){
			l->instance[i].untaken ? -1 : l->instance[i].peer, 0, 0};
	}
	if (poll(polls, 2 * l->instances, ms) < 0)
		return errno == EINTR ? 0 : -errno;
	for (unsigned i = 0; i < l->instances; i++) {
		if (polls[2 * i + 1].revents)
			ended(&l->instance[i]);
		if (polls[2 * i].revents)
			serve(l, &l->instance[i]);
	}
	return 0;
}

unsigned lessor_lent(const struct lessor *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->instances; i++)
		n += l->instance[i].lessee != 0;
	return n;
}
