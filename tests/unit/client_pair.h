/* SPDX-License-Identifier: MIT */
/*
 * A scripted keeper for tests of what talks to one: both ends of the socket
 * are here. The reply is put into the socket before the call that will take
 * it (its id is the next one), and the request is read afterwards.
 */
#ifndef XDD_TEST_CLIENT_PAIR_H
#define XDD_TEST_CLIENT_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "grant-mem/client.h"

struct pair {
	struct client client;
	int keeper; /* the other end */
	struct wire_message message;
};

static inline void pair_init(struct pair *p)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	client_init(&p->client, fds[0]);
	p->client.timeout_ms = 100;
	p->keeper = fds[1];
}

static inline void pair_fini(struct pair *p)
{
	client_fini(&p->client);
	if (p->keeper >= 0)
		close(p->keeper);
}

/* A zeroed message for the keeper to send. */
static inline struct wire_message *pair_message(struct pair *p)
{
	memset(&p->message, 0, sizeof(p->message));
	return &p->message;
}

static inline void pair_send_fds(struct pair *p, size_t body, const int *fds, size_t n)
{
	char control[CMSG_SPACE(16 * sizeof(int))] = {0};
	struct iovec iov = {&p->message, sizeof(struct wire_header) + body};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n) {
		struct cmsghdr *cmsg;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
	}
	assert_true(sendmsg(p->keeper, &msg, MSG_DONTWAIT) >= 0);
}

/* The reply that the @ahead-th call from now will take, with p->message's body. */
static inline void pair_reply_fds(struct pair *p, enum wire_type type,
				  enum wire_result result, size_t body, const int *fds,
				  size_t n, unsigned ahead)
{
	p->message.header = (struct wire_header){
		.type = (uint16_t)type,
		.result = (uint16_t)result,
		.id = p->client.id + ahead,
	};
	pair_send_fds(p, body, fds, n);
}

static inline void pair_reply(struct pair *p, enum wire_type type,
			      enum wire_result result, size_t body)
{
	pair_reply_fds(p, type, result, body, NULL, 0, 1);
}

/* The same, from a keeper that sends nothing but a result. */
static inline void pair_result(struct pair *p, enum wire_type type,
			       enum wire_result result)
{
	pair_message(p);
	pair_reply(p, type, result, 0);
}

static inline void pair_status(struct pair *p, uint32_t flags, uint32_t generation,
			       uint32_t front)
{
	struct wire_message *m = pair_message(p);

	m->header.type = WIRE_STATUS;
	m->status.flags = flags;
	m->status.generation = generation;
	m->status.front = front;
	pair_send_fds(p, sizeof(m->status), NULL, 0);
}

/* The next request, in p->message; its length. */
static inline size_t pair_request(struct pair *p)
{
	ssize_t n = recv(p->keeper, &p->message, sizeof(p->message), MSG_DONTWAIT);

	assert_true(n >= (ssize_t)sizeof(struct wire_header));
	return (size_t)n;
}

#endif
