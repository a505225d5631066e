/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "grant-mem/client.h"

#define CLIENT_STATUS_FLAGS (WIRE_PRESENT | WIRE_ONLINE | WIRE_RELEASE)

/* What each request and its reply carry, beside the header. */
static const struct client_form {
	uint16_t request, reply; /* bytes of body */
	uint8_t fds;
} client_forms[] = {
	[WIRE_HELLO] = {sizeof(struct wire_hello), sizeof(struct wire_welcome),
			WIRE_FD_COUNT},
	[WIRE_BEGIN] = {0, sizeof(struct wire_begin), 0},
	[WIRE_MAP] = {sizeof(struct wire_map), sizeof(struct wire_mapped), 0},
	[WIRE_MAP_RING] = {sizeof(struct wire_map_ring), sizeof(struct wire_mapped), 0},
	[WIRE_UNMAP] = {sizeof(struct wire_unmap), 0, 0},
	[WIRE_COPY] = {sizeof(struct wire_copy), sizeof(struct wire_copied), 0},
	[WIRE_BIND] = {sizeof(struct wire_name), sizeof(struct wire_bound), 1},
	[WIRE_UNBIND] = {sizeof(struct wire_port), 0, 0},
	[WIRE_READ] = {sizeof(struct wire_read), sizeof(struct wire_value), 0},
	[WIRE_WRITE] = {sizeof(struct wire_write), 0, 0},
	[WIRE_REMOVE] = {0, 0, 0},
	[WIRE_MAP_POOL] = {sizeof(struct wire_name), sizeof(struct wire_mapped), 0},
};

/* What a message brought along. */
struct client_fds {
	int fd[WIRE_FD_COUNT];
	unsigned n;
};

void client_init(struct client *c, int fd)
{
	*c = (struct client){.fd = fd, .timeout_ms = CLIENT_REPLY_MS};
	for (unsigned i = 0; i < WIRE_FD_COUNT; i++)
		c->fds[i] = -1;
}

void client_fini(struct client *c)
{
	for (unsigned i = 0; i < WIRE_FD_COUNT; i++)
		if (c->fds[i] >= 0)
			close(c->fds[i]);
	if (c->fd >= 0)
		close(c->fd);
	client_init(c, -1);
}

/* Invariant 4. */
static int client_fail(struct client *c, int error, const char *why)
{
	if (!c->error) {
		c->error = error;
		c->why = why;
	}
	return c->error;
}

int client_misfit(struct client *c, const char *why)
{
	return client_fail(c, -EPROTO, why);
}

static int client_gone(struct client *c, int error)
{
	return client_fail(c, error, "the keeper hung up; its log says why");
}

static void client_drop(struct client_fds *fds)
{
	while (fds->n)
		close(fds->fd[--fds->n]);
}

/* Wait until the socket is ready for @events, or for ever silent. */
static int client_wait(struct client *c, short events, uint64_t deadline)
{
	struct pollfd p = {.fd = c->fd, .events = events};
	uint64_t now = clock_about();
	int r;

	if (now >= deadline)
		return client_fail(c, -ETIMEDOUT, "the keeper did not answer in time");
	if (c->inner) {
		c->inner->turn(c->inner, deadline);
		return 0;
	}
	r = poll(&p, 1, (int)((deadline - now) / CLOCK_MS) + 1);
	if (r < 0 && errno != EINTR)
		return client_fail(c, -errno, "cannot wait for the keeper");
	return 0;
}

static void client_take_fds(struct msghdr *msg, struct client_fds *fds)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);

	fds->n = 0;
	if (!cmsg || cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
		return;
	/* No more fit in the buffer; the kernel closed those that did not. */
	fds->n = (unsigned)((cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	assert(fds->n <= WIRE_FD_COUNT);
	memcpy(fds->fd, CMSG_DATA(cmsg), fds->n * sizeof(int));
}

/* Receive one message. 1: it is in c->message; 0: none is there (@flags MSG_DONTWAIT),
 * or none came in c->timeout_ms. */
static int client_receive(struct client *c, struct client_fds *fds, int flags)
{
	union {
		char bytes[CMSG_SPACE(WIRE_FD_COUNT * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {&c->message, sizeof(c->message)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(c->fd, &msg, flags | MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return client_gone(c, n ? -errno : -EPIPE);
	client_take_fds(&msg, fds);
	c->received = (size_t)n;
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    c->received < sizeof(struct wire_header)) {
		client_drop(fds);
		return client_misfit(c, "the keeper sent a message of no known size");
	}
	return 1;
}

/* A snapshot: check it whole, then keep it (invariant 2). */
static int client_take_status(struct client *c, struct client_fds *fds)
{
	const struct wire_header *h = &c->message.header;
	const struct wire_status *s = &c->message.status;

	if (fds->n || h->id || h->result || c->received != sizeof(*h) + sizeof(*s) ||
	    (s->flags & ~(uint32_t)CLIENT_STATUS_FLAGS) || s->limits.reserved) {
		client_drop(fds);
		return client_misfit(c, "the keeper sent a status that we cannot read; "
					"are both of the same release?");
	}
	c->status = *s;
	c->limits = s->limits;
	c->changed = true;
	return 0;
}

int client_poll(struct client *c)
{
	struct client_fds fds;
	int r;

	if (c->error)
		return c->error;
	while ((r = client_receive(c, &fds, MSG_DONTWAIT)) == 1) {
		if (c->message.header.type != WIRE_STATUS) {
			client_drop(&fds);
			return client_misfit(c, "the keeper replied to no request");
		}
		r = client_take_status(c, &fds);
		if (r)
			return r;
	}
	return r;
}

struct wire_message *client_request(struct client *c)
{
	memset(&c->message, 0, sizeof(c->message));
	return &c->message;
}

/* send() and not sendmsg(): the first door refuses what carries descriptors. */
static int client_send(struct client *c, size_t len, uint64_t deadline)
{
	int r = 0;

	while (!r) {
		ssize_t n = send(c->fd, &c->message, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0)
			return 0; /* SEQPACKET: a message is sent whole */
		if (errno == EAGAIN)
			r = client_wait(c, POLLOUT, deadline);
		else if (errno != EINTR)
			r = client_gone(c, -errno);
	}
	return r;
}

/* The reply stands in c->message: does it fit the request? */
static int client_take_reply(struct client *c, const struct client_form *form,
			     enum wire_type type, struct client_fds *got, int *fds)
{
	const struct wire_header *h = &c->message.header;
	size_t body = h->result == WIRE_OK ? form->reply : 0;
	unsigned n = h->result == WIRE_OK ? form->fds : 0;

	if (h->type != type || h->id != c->id || h->result > WIRE_ENOMEM ||
	    c->received != sizeof(*h) + body || got->n != n || (n && !fds)) {
		client_drop(got);
		return client_misfit(c, "the keeper sent a reply that we cannot read; "
					"are both of the same release?");
	}
	if (n)
		memcpy(fds, got->fd, n * sizeof(int));
	return h->result;
}

/* How long the socket waits; the first call is made before the last door shuts. */
static int client_patience(struct client *c)
{
	const struct timeval wait = {c->timeout_ms / 1000,
				     c->timeout_ms % 1000 * 1000L};

	if (c->inner || c->patience_ms == c->timeout_ms)
		return 0;
	if (setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0)
		return client_fail(c, -errno, "cannot wait for the keeper");
	c->patience_ms = c->timeout_ms;
	return 0;
}

int client_call(struct client *c, enum wire_type type, int *fds)
{
	const struct client_form *form = &client_forms[type];
	uint64_t deadline = clock_about() + (uint64_t)c->timeout_ms * CLOCK_MS;
	struct client_fds got;
	int r;

	if (c->error)
		return c->error;
	if (!++c->id)
		c->id = 1; /* 0 is WIRE_STATUS's */
	c->message.header = (struct wire_header){.type = (uint16_t)type, .id = c->id};
	r = client_patience(c);
	if (!r)
		r = client_send(c, sizeof(c->message.header) + form->request, deadline);
	while (!r) {
		/* To wait here saves a poll. */
		r = client_receive(c, &got, c->inner ? MSG_DONTWAIT : 0);
		if (!r)
			r = client_wait(c, POLLIN, deadline);
		else if (r == 1 && c->message.header.type != WIRE_STATUS)
			return client_take_reply(c, form, type, &got, fds);
		else if (r == 1)
			r = client_take_status(c, &got);
	}
	return r;
}

int client_policy(struct client *c, char *text, size_t size)
{
	size_t done = 0;

	if (c->policy_bytes > size)
		return -E2BIG;
	while (done < c->policy_bytes) {
		ssize_t n = pread(c->fds[WIRE_FD_POLICY], text + done,
				  c->policy_bytes - done, (off_t)done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (!n)
			return -EIO; /* shorter than the keeper said */
		done += n > 0 ? (size_t)n : 0;
	}
	return (int)done;
}
