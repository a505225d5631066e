/* SPDX-License-Identifier: MIT */
/*
 * A keeper without Xen: a registrar and a xenstored of the tests, and the
 * socket of a back end. For tests/unit/keeper*.c and tests/fuzz/keeper.c.
 */
#ifndef XDD_KEEPER_WORLD_H
#define XDD_KEEPER_WORLD_H

#include "grant-mem/cmd/keeper.h"

#define WORLD_REGISTRATIONS 4096

enum world_release { RELEASE_AT_ONCE, RELEASE_LATE, RELEASE_NEVER };

struct world {
	struct keeper *k;
	char dir[64];
	int peer; /* the back end's end, or -1 */
	unsigned kills;

	/* the kernel */
	enum world_release release;
	int add_error, bind_error;
	unsigned added, dropped, binds, unbinds, copies, opens;
	unsigned pending[REGISTRAR_PAIRS], pendings;
	uint32_t next_index, next_port;

	/* xenstored */
	bool silent;
	const char *write_error;
	unsigned reads, watches;
	char last_write[512]; /* "path=value" */
};

extern struct world world;

/* A keeper of this policy (see WORLD_POLICY), connected to xenstored. */
void world_init(const char *policy);
void world_fini(void);
void world_set(const char *path, const char *value); /* NULL: remove */
void world_fire(void);				     /* a watch event */
/* A key of the device's two directories; NULL: remove. */
void world_front(const char *key, const char *value);
void world_back(const char *key, const char *value);
/* From now on the policy has this door. */
void world_door(enum policy_door door, enum policy_mode mode);
/* The device of the policy, front end Initialised. */
void world_device(void);
/* Some turns of the keeper and of xenstored, @ns later. */
void world_turn(uint64_t ns);
/* Xenstored answers what was asked. */
void world_pump(void);
/* A back end connects; stage as if it had said HELLO and BEGIN. */
void world_connect(void);
/* Send @m as @type of @body bytes; turn; receive into @m. Its result, or -1 if
 * nothing came. @fds: how many descriptors did. */
int world_call(struct wire_message *m, unsigned type, size_t body, unsigned *fds);
/* Receive one message: its length, 0 at the end of file, -1 if none is there. */
int world_receive(struct wire_message *m, unsigned *fds);

#define WORLD_POLICY                                                                   \
	"Format = 1\n[Backend]\nClass = blk\nDoor = pv\nResource = null:1M\n"          \
	"ReadOnly = no\n[Client]\nDomain = 3\nDevice = xvda\n[Memory]\nMode = map\n"   \
	"RingPages = 4\nDataPages = 16\nGrantRefs = 8-1000\nExclusive = "              \
	"yes\n[Limits]\n"                                                              \
	"InFlight = 32\nOperations = 1000/s\nBytes = 1M/s\nEvents = 1000/s\n"

/* The same with Door = virtio; its front end offers a pool of two runs of 8 pages. */
#define WORLD_VIRTIO(memory)                                                           \
	"Format = 1\n[Backend]\nClass = blk\nDoor = virtio\nResource = null:1M\n"      \
	"ReadOnly = no\n[Client]\nDomain = 3\nDevice = xvda\n[Memory]\n" memory        \
	"GrantRefs = 8-1000\n[Limits]\n"                                               \
	"InFlight = 32\nOperations = 1000/s\nBytes = 1M/s\nEvents = 1000/s\n"

#endif
