/* SPDX-License-Identifier: MIT */
/*
 * The back end at the other end of the socket, as hostile as its client: one
 * connection (keeper-peer.c), and its requests (keeper-calls.c).
 *
 * Invariants:
 *  1. a message is taken only if its length, reserved fields and unused bytes
 *     are exactly what its type asks for; anything else, and every descriptor
 *     that is sent along, ends the connection;
 *  2. while a request waits for xenstored the socket is not read, and the
 *     request stays in @in;
 *  3. nothing is ever sent that would wait: a reply that does not fit kills,
 *     a snapshot waits until the one before was taken;
 *  4. ending a connection is killing the process, by pidfd, never by pid. What
 *     it held is given back when peer_dead() is called, not before. One that
 *     was given nothing yet is only hung up on.
 */
#ifndef XDD_KEEPER_PEER_H
#define XDD_KEEPER_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/log.h"
#include "grant-mem/wire.h"
#include "xenbus/xs.h"

#define PEER_MESSAGES 32 /* a turn */
/* After a copy the next message is waited for, within the turn; rounded up to a tick.
 */
#define PEER_LINGER_US 1000
#define PEER_BINDS     64

/* What a peer may say depends on where it stands. */
enum peer_stage { PEER_STRANGER, PEER_GREETED, PEER_SERVING };

struct peer_bind {
	char key[WIRE_KEY_BYTES];
	uint32_t remote, local; /* ports; local 0: free */
};

struct peer {
	int fd;	   /* the socket, or -1 */
	int pidfd; /* of a process that is not known to be dead, or -1. Killed, and
		      waited for, if there is no socket any more */
	enum peer_stage stage;
	bool status_due;
	uint64_t status_at;
	uint64_t release_by; /* all must be let go by then; 0: nothing has to */

	uint8_t *area; /* for copies; it and its memory file are kept for the next */
	uint64_t area_bytes;
	int area_fd;
	struct peer_bind bind[PEER_BINDS]; /* kept for the next, too */

	struct wire_message in, out;
	int out_fd[WIRE_FD_COUNT];
	unsigned out_fds;
	bool waits; /* @in waits for keys of xenstore */
	struct xs_request fetch;
	uint64_t fetch_by;
	const char *fetch_dir;
	char (*key)[WIRE_KEY_BYTES]; /* of @keys in @in, @fetched came so far */
	uint32_t keys, fetched;
	struct gref ref[WIRE_REFS_MAX];
};

struct keeper;

/* keeper-peer.c */
void peer_connect(struct keeper *k, int fd);
/* The socket is readable. */
void peer_read(struct keeper *k);
/* What is due by time. Returns when it is to be called again. */
uint64_t peer_turn(struct keeper *k);
/* Answers @in, with @out and @out_fd if @result is WIRE_OK. */
void peer_reply(struct keeper *k, int result);
/* End it: hang up and SIGKILL. */
void peer_kill(struct keeper *k, enum log_level level, const char *why);
/* The process is dead. */
void peer_dead(struct keeper *k);

/* keeper-calls.c. Makes the copy area. 0 or negative errno. */
int calls_init(struct keeper *k);
/* The done() of p->fetch. */
void calls_fetched(struct xs_request *request);
/* Handles @in of @len bytes: an enum wire_result, or CALLS_WAITS. */
#define CALLS_WAITS (-1)
int calls_handle(struct keeper *k, size_t len);
/* Bytes of the body of a reply with WIRE_OK. */
size_t calls_reply_bytes(unsigned type);
struct wire_limits calls_limits(const struct keeper *k);
/* What the keys named was of a device that is gone: nobody waits for them, and
 * with @channels the event channels go too. */
void calls_forget(struct keeper *k, bool channels);

#endif
