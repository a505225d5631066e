/* SPDX-License-Identifier: MIT */
/*
 * The socket between a keeper and its back end: messages and their bounds.
 *
 * SOCK_SEQPACKET on /run/xdd/NAME/keeper. Both ends check every field; to the
 * keeper its peer is as hostile as the client. Invariants:
 *  1. strictly one request, then its reply (same @id); a peer that does not
 *     take its reply is killed, one that sends a second request before it
 *     only waits;
 *  2. beside replies the keeper sends WIRE_STATUS, a snapshot, whenever it
 *     changed and the socket takes it: never more than one unsent;
 *  3. descriptors travel from keeper to back end alone, in WIRE_WELCOME and
 *     in the reply to WIRE_BIND; those that a back end sends are closed by
 *     the kernel, and end the connection;
 *  4. fields and bytes that a message does not use are zero, both ways.
 *
 * Versions: the peer names the oldest and newest it speaks; the keeper picks
 * the newest that both do, or answers WIRE_VERSION and closes.
 */
#ifndef XDD_WIRE_H
#define XDD_WIRE_H

#include <stdint.h>

#include "policy/policy.h"

#define WIRE_VERSION_MIN 1
#define WIRE_VERSION_MAX 1
#define WIRE_BYTES_MAX	 8192 /* of any message */
#define WIRE_REFS_MAX	 256  /* GRANTS_BATCH_MAX */
#define WIRE_KEYS_MAX	 16   /* GRANTS_RING_MAX */
#define WIRE_KEY_BYTES	 64
#define WIRE_VALUE_BYTES 256

enum wire_type {
	WIRE_HELLO = 1, /* wire_hello -> wire_welcome + 4 descriptors */
	WIRE_BEGIN,	/* nothing -> wire_begin */
	WIRE_MAP, /* wire_map -> wire_mapped: data; with Mode = grant a virtqueue's */
	WIRE_MAP_RING,	  /* wire_map_ring -> wire_mapped */
	WIRE_UNMAP,	  /* wire_unmap: the pages are munmapped, let go of them */
	WIRE_COPY,	  /* wire_copy -> wire_copied */
	WIRE_BIND,	  /* wire_name -> wire_bound + 1 descriptor */
	WIRE_UNBIND,	  /* wire_port */
	WIRE_READ,	  /* wire_read -> wire_value */
	WIRE_WRITE,	  /* wire_write */
	WIRE_REMOVE,	  /* nothing */
	WIRE_MAP_POOL,	  /* wire_name -> wire_mapped */
	WIRE_STATUS = 64, /* keeper to back end, unasked: wire_status */
};

/* Result of a request. Beside WIRE_OK each maps to one status of the seam. */
enum wire_result {
	WIRE_OK = 0,
	WIRE_REFUSED,	/* policy, quota, a key out of bounds */
	WIRE_BAD,	/* the kernel or Xen refused */
	WIRE_BUSY,	/* the reference is held by another instance */
	WIRE_ABSENT,	/* no such key; not a number */
	WIRE_TOO_LONG,	/* the value does not fit */
	WIRE_LATE,	/* xenstored did not answer in time */
	WIRE_FULL,	/* queue full */
	WIRE_MALFORMED, /* not a message of this protocol: the keeper hangs up */
	WIRE_VERSION,	/* no common version */
	WIRE_NO_DEVICE, /* nothing to serve at present */
	WIRE_ENOMEM,	/* our environment */
};

struct wire_header {
	uint16_t type;
	uint16_t result; /* replies; 0 in requests */
	uint32_t id;	 /* the requester's, echoed; 0 in WIRE_STATUS */
};

struct wire_hello {
	uint16_t version_min, version_max;
	char class[8]; /* the program's class, NUL-padded */
};

/* The newest version that both speak, if there is one. */
static inline uint16_t wire_version(const struct wire_hello *hello)
{
	const uint16_t theirs = hello->version_max;

	return theirs < WIRE_VERSION_MAX ? theirs : WIRE_VERSION_MAX;
}

/* Descriptors, in this order. */
enum wire_fd {
	WIRE_FD_GNTDEV_RW, /* maps registered as writable */
	WIRE_FD_GNTDEV_RO, /* O_RDONLY; maps registered as readable */
	WIRE_FD_COPY,	   /* memory file shared for copies, sealed in size */
	WIRE_FD_POLICY,	   /* memory file with the policy's text, write-sealed */
	WIRE_FD_COUNT,
};

struct wire_welcome {
	uint16_t version;
	uint16_t reserved[3];
	uint64_t copy_bytes;
	uint64_t policy_bytes;
};

struct wire_limits {
	uint32_t in_flight;
	uint32_t reserved;
	struct policy_rate operations, bytes, events;
	struct policy_rate receive[POLICY_RECEIVES];
};

struct wire_begin {
	uint8_t digest[32]; /* SHA-256 of the policy's text */
	struct wire_limits limits;
};

struct wire_map {
	uint32_t n;
	uint32_t writable; /* 0 or 1 */
	struct gref ref[WIRE_REFS_MAX];
};

struct wire_map_ring {
	uint32_t n;
	uint32_t reserved;
	char key[WIRE_KEYS_MAX][WIRE_KEY_BYTES]; /* NUL-padded */
};

/* mmap(@pages, at file offset @index) of the descriptor that fits. */
struct wire_mapped {
	uint64_t index;
	uint32_t id; /* for WIRE_UNMAP */
	uint32_t pages;
};

struct wire_unmap {
	uint32_t id;
	uint32_t reserved;
};

struct wire_seg {
	uint32_t ref;
	uint16_t offset, len;
	uint32_t local;
	uint32_t to_client; /* 0 or 1 */
};

struct wire_copy {
	uint32_t n;
	uint32_t reserved;
	struct wire_seg seg[WIRE_REFS_MAX];
};

struct wire_copied {
	int8_t status[WIRE_REFS_MAX]; /* a wire_result each */
};

struct wire_name {
	char key[WIRE_KEY_BYTES];
};

struct wire_bound {
	uint32_t port;
	uint32_t reserved;
};

struct wire_port {
	uint32_t port;
	uint32_t reserved;
};

struct wire_read {
	uint32_t side; /* enum store_side */
	uint32_t reserved;
	char key[WIRE_KEY_BYTES];
};

struct wire_value {
	char value[WIRE_VALUE_BYTES]; /* NUL-terminated, NUL-padded */
};

struct wire_write {
	char key[WIRE_KEY_BYTES];
	char value[WIRE_VALUE_BYTES];
};

enum wire_status_flags {
	WIRE_PRESENT = 1,
	WIRE_ONLINE = 2,
	WIRE_RELEASE = 4,
};

struct wire_status {
	uint32_t flags;
	uint32_t generation;
	uint32_t frontend; /* domid */
	uint32_t device;
	uint32_t front, back; /* XenbusState */
	struct wire_limits limits;
};

/* A whole message; its length on the wire is exactly header plus body. */
struct wire_message {
	struct wire_header header;
	union {
		struct wire_hello hello;
		struct wire_welcome welcome;
		struct wire_begin begin;
		struct wire_map map;
		struct wire_map_ring map_ring;
		struct wire_mapped mapped;
		struct wire_unmap unmap;
		struct wire_copy copy;
		struct wire_copied copied;
		struct wire_name name;
		struct wire_bound bound;
		struct wire_port port;
		struct wire_read read;
		struct wire_value value;
		struct wire_write write;
		struct wire_status status;
	};
};

_Static_assert(sizeof(struct wire_message) <= WIRE_BYTES_MAX, "bound of a message");

#endif
