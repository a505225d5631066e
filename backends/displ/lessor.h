/* SPDX-License-Identifier: MIT */
/*
 * xdd-lease: the master of one card of DRM/KMS, which lends its connectors to the
 * display instances whose policies say "Resource = lease:CARD" (displ-lease.h). It
 * shows nothing, and reads nothing that a back end or a client wrote.
 *
 * Invariants:
 *  1. an instance is lent the connectors that its policy names and, for each, a CRTC
 * and a primary plane. Who gets what is settled once, before the first one asks: no two
 * instances have an object in common;
 *  2. one lease an instance: who asks again takes it from who had it before;
 *  3. nothing waits for an instance. Of each there is one connection, and on it one
 * message; while that was not taken, all others of that instance are hung up. So what
 * an instance can make this hold is one socket and one descriptor under way;
 *  4. nothing is allocated, and behind its door (seal_lessor()) nothing is opened, but
 * a connection and the lease for it.
 */
#ifndef XDD_LESSOR_H
#define XDD_LESSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/displ/displ-policy.h"
#include "common/log.h"

#define LESSOR_INSTANCES_MAX 16
#define LESSOR_OBJECTS	     3 /* of a connector: itself, its CRTC, its plane */

struct lessor_instance {
	char name[POLICY_NAME_MAX + 1];
	struct displ_policy policy; /* heads 0: it is not good */
	uint32_t object[LESSOR_OBJECTS * DISPL_HEADS_MAX];
	uint32_t objects; /* 0: it is lent nothing */
	uint32_t lessee;  /* the kernel's number of its last lease; or 0 */
	int listener, peer;
	bool untaken;	/* the peer shut its end, and what it was sent lies there */
	struct log log; /* what this one can make us say */
};

struct lessor {
	const char *card;   /* "/dev/dri/card0" */
	const char *owners; /* a folder, in it one an instance, which that owns */
	int fd;
	struct log log;
	struct lessor_instance instance[LESSOR_INSTANCES_MAX];
	unsigned instances;
};

void lessor_init(struct lessor *l, const char *card, const char *owners);
void lessor_fini(struct lessor *l);

/* Reads @name's policy from @dir. One that is not good is lent nothing, which was
 * logged. False: there are too many. */
bool lessor_add(struct lessor *l, const char *dir, const char *name);

/* Opens the card and settles who gets what (invariant 1); whose connectors are not to
 * be had is lent nothing, which was logged. 0 or a negative errno, logged. */
int lessor_open(struct lessor *l);
/* A lease for @in; the one before is none any more. A descriptor or a negative errno.
 */
int lessor_lend(struct lessor *l, struct lessor_instance *in);
void lessor_revoke(struct lessor *l, struct lessor_instance *in);

/* A socket for each, in its folder below @folder. 0 or a negative errno, logged. */
int lessor_listen(struct lessor *l, const char *folder);
/* Serves who asks, once each; waits for @ms if nobody does. 0 or a negative errno. */
int lessor_turn(struct lessor *l, int ms);
/* How many have been lent their connectors. */
unsigned lessor_lent(const struct lessor *l);

#endif
