/* SPDX-License-Identifier: MIT */
/*
 * The back end's end of the socket to its keeper: one request, its reply, and
 * the snapshots that arrive between them (grant-mem/wire.h).
 *
 * Not a queue and not a thread: a call waits for its reply, at most
 * @timeout_ms. Invariants:
 *  1. one request at a time; a reply is taken by its id and its exact length;
 *  2. a snapshot that arrives meanwhile is kept, the newest only: after any
 *     call, look at it (store_poll()) even if the socket has nothing to read;
 *  3. a descriptor is accepted where the protocol has one, in its exact
 *     number; any other is closed and the message refused;
 *  4. the first negative errno is final: what the keeper holds for us is not
 *     known any more, so every later call returns the same, and the owner
 *     exits. @why then says in words what went wrong;
 *  5. nothing here allocates, opens or sends a descriptor: it all works
 *     behind both doors (grant-mem/seal.h).
 */
#ifndef XDD_CLIENT_H
#define XDD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grant-mem/wire.h"

/* Where xdd-enter leaves the descriptors: the socket, then enum wire_fd. */
#define CLIENT_SOCKET	3
#define CLIENT_FD_FIRST 4
#define CLIENT_FD_END	(CLIENT_FD_FIRST + WIRE_FD_COUNT)

/* And what it says about them. */
#define CLIENT_ENV_INSTANCE "XDD_INSTANCE"
#define CLIENT_ENV_PID	    "XDD_PID" /* the process that they are for */
#define CLIENT_ENV_COPY	    "XDD_COPY_BYTES"
#define CLIENT_ENV_POLICY   "XDD_POLICY_BYTES"

#define CLIENT_REPLY_MS 10000

/* Isolation = domain: who answers is in this process (backends/host-domain.h).
 * @turn lets it work, and waits, to @until at most, if it has not answered. */
struct client_inner {
	void (*turn)(struct client_inner *inner, uint64_t until);
};

struct client {
	int fd;			    /* the socket, or -1 */
	struct client_inner *inner; /* NULL: the other end is another process */
	int fds[WIRE_FD_COUNT];	    /* or -1 */
	int timeout_ms;		    /* for a reply; CLIENT_REPLY_MS */
	int patience_ms;	    /* as the socket knows it; 0: not yet */
	int error;		    /* the first one, or 0 (invariant 4) */
	const char *why;

	uint64_t copy_bytes, policy_bytes;
	uint8_t digest[32]; /* SHA-256 of the policy's text */
	struct wire_limits limits;
	struct wire_status status;
	bool changed; /* a snapshot came that nobody took yet */

	uint32_t id;		     /* of the newest request */
	size_t received;	     /* bytes of it */
	struct wire_message message; /* the request, then its reply */
};

/* Take over the connected socket @fd. Nothing is sent. */
void client_init(struct client *c, int fd);
/* Closes the socket and the descriptors. */
void client_fini(struct client *c);

/* xdd-enter's part: connect to the keeper's socket. -ENOENT and -ECONNREFUSED
 * mean that no keeper listens yet. */
int client_connect(struct client *c, const char *path);
/* Say which class we are ("blk"), receive the descriptors. 0, a positive enum
 * wire_result, or negative errno. */
int client_hello(struct client *c, const char *class);
/* Leave all to the program that is executed next: the descriptors at their
 * fixed numbers, open across exec, none above them, and the names in the
 * environment. @c is not to be used afterwards. */
int client_leave(struct client *c, const char *instance);

/* The class program's part, once, first thing: take over what xdd-enter
 * left, and learn digest and limits. 0 or negative errno, with @why. */
int client_adopt(struct client *c);
/* The last step of a beginning: learn digest and limits. 0 or negative errno. */
int client_begin(struct client *c);
/* The policy's text, @size of at least policy_bytes. Bytes read, or negative
 * errno. The descriptor may be closed afterwards. */
int client_policy(struct client *c, char *text, size_t size);

/* A zeroed request, to be filled in and then sent by client_call(). */
struct wire_message *client_request(struct client *c);
/* Send it as @type and wait: the reply's body is in c->message if WIRE_OK is
 * returned; any other positive enum wire_result has no body. @fds: NULL, or
 * room for what the reply carries. */
int client_call(struct client *c, enum wire_type type, int *fds);
/* Take what arrived unasked, without waiting. 0 or negative errno. */
int client_poll(struct client *c);

/* One refused result, as an error that ends the connection: the keeper says
 * what it should not have said to this request. */
int client_misfit(struct client *c, const char *why);

#endif
