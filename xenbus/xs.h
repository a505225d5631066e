/* SPDX-License-Identifier: MIT */
/*
 * The xenstore wire protocol, without waiting: requests in, answers and watch
 * events out. For the keeper; tools use libxenstore.
 *
 * A pure core that is fed with bytes, and the descriptor's part in xs-xen.c.
 * No transaction, no allocation, no retry: who asks decides about that.
 *
 * Invariants:
 *  1. at most one request of ours is with xenstored at a time: the connection
 *     and its quota are shared by every instance of the domain;
 *  2. a request is embedded in what owns it, busy from xs_send() to its
 *     done(), which is called once, and never from within xs_send();
 *  3. a request that outlived its deadline is done, but nothing more is sent
 *     until xenstored answered it, or xs_stuck() says to connect anew: a dead
 *     xenstored does not fill the kernel's memory with our requests;
 *  4. a length that the protocol forbids ends the connection; an answer to no
 *     request of ours is dropped.
 *
 * Linux, /dev/xen/xenbus: a write holds at most one message; the file never
 * says POLLOUT; a WATCH is answered inside the write, which sleeps until
 * xenstored answers, so send one only after something else was answered. Some
 * kernels answer it with request id 0.
 */
#ifndef XDD_XS_H
#define XDD_XS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XS_PAYLOAD_MAX 4096 /* of an answer or event, XENSTORE_PAYLOAD_MAX */
#define XS_REQUEST_MAX 512  /* of a request of ours */
#define XS_QUEUE_MAX   8    /* requests that exist */
#define XS_STUCK_NS    30000000000ULL

/* xen/io/xs_wire.h: enum xsd_sockmsg_type; xs-xen.c checks the values. */
enum xs_type {
	XS_TYPE_DIRECTORY = 1,
	XS_TYPE_READ = 2,
	XS_TYPE_WATCH = 4,
	XS_TYPE_WRITE = 11,
	XS_TYPE_RM = 13,
	XS_TYPE_EVENT = 15,
	XS_TYPE_ERROR = 16,
};

struct xs_header {
	uint32_t type, id, transaction, len;
};

struct xs_message {
	struct xs_header header;
	char payload[XS_REQUEST_MAX];
};

/* When done() is called @err is 0, and the value stands at @value, NUL-terminated
 * at @len, for the time of the call; or @err is a negative errno: xenstored's
 * own, -ETIMEDOUT or -ECONNRESET, and the value is empty. */
struct xs_request {
	void (*done)(struct xs_request *request);
	int err;
	const char *value;
	size_t len;
	uint64_t deadline;
	bool busy;
	struct xs_message message;
};

enum xs_state { XS_IDLE, XS_SENDING, XS_OWED };

struct xs {
	void (*event)(struct xs *xs, const char *token);
	enum xs_state state;
	struct xs_message out; /* with xenstored, or on its way */
	size_t written;
	uint64_t sent_ns;
	struct xs_request *current; /* who waits for @out; NULL: gave up */
	struct xs_request *queue[XS_QUEUE_MAX];
	unsigned queued;
	uint32_t last_id;
	size_t have;
	char in[sizeof(struct xs_header) + XS_PAYLOAD_MAX + 1];
};

void xs_init(struct xs *xs, void (*event)(struct xs *xs, const char *token));
/* Queue a request about @path; @second is a WATCH's token or a WRITE's value,
 * or NULL. False, and nothing queued, if it is longer than XS_REQUEST_MAX. */
bool xs_send(struct xs *xs, struct xs_request *request, enum xs_type type,
	     uint64_t deadline, const char *path, const char *second);
/* Whatever becomes of @request, its done() is not called any more. */
void xs_cancel(struct xs *xs, struct xs_request *request);
/* The bytes for one write, or 0. Then xs_wrote(): @n bytes, or an error. */
size_t xs_output(struct xs *xs, uint64_t now, const char **out);
void xs_wrote(struct xs *xs, int64_t n);
/* Bytes that came. 0, or -EBADMSG: the connection is of no use any more. */
int xs_input(struct xs *xs, const char *bytes, size_t n);
/* Ends what is past its deadline. */
void xs_tick(struct xs *xs, uint64_t now);
bool xs_stuck(const struct xs *xs, uint64_t now);
/* The connection was lost: all requests are done, with -ECONNRESET. */
void xs_reset(struct xs *xs);

/* xs-xen.c. A descriptor of /dev/xen/xenbus, or a negative errno: -EAGAIN while this
 * domain waits for a xenstore that comes after it (dom0less); ask again soon. */
int xs_open(void);
/* Reads what is there, writes what it takes. 0, or 1: wait for POLLOUT too, or
 * a negative errno: connect anew. */
int xs_turn(struct xs *xs, int fd, uint64_t now);

#endif
