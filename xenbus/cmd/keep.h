/* SPDX-License-Identifier: MIT */
/*
 * xdd-attach watch, without its process: a set of devices that are kept attached
 * while their domains come and go.
 *
 * Told what time it is, looks at Xen and xenstore and acts. No descriptor, no
 * clock, no waiting. Invariants:
 *  1. a device is attached once for each pair of domains: who takes it away by
 *     hand, or unplugs it, is not fought with;
 *  2. what is removed bears the mark of its device (plan.h), and one of its two
 *     domains is gone. A back end's directory is its own to remove: it is asked,
 *     and has KEEP_CLOSE_NS;
 *  3. what is wrong with one device stops no other, and is said once.
 */
#ifndef XDD_KEEP_H
#define XDD_KEEP_H

#include "xenbus/cmd/commands.h"

#define KEEP_CLOSE_NS 10000000000ULL /* from "let go" to removal, as libxl */
#define KEEP_RETRY_NS 30000000000ULL /* after what only a person can mend */
#define KEEP_LOOK_NS  60000000000ULL /* renamed domains and the like fire nothing */

struct keep_device {
	struct keep_device *next;
	struct target target;
	char said[3][SAY_MAX]; /* last, by level from error on: said once */
	uint64_t due;	       /* look at it then, at the latest */
	uint64_t close_by;     /* 0: no back end was asked to let go */
	bool attached;	       /* between these, once: */
	struct domid back, front;
	bool waiting; /* a domain is not there */
	bool away;    /* somebody took it */
};

struct keep {
	struct control control; /* its tree may be changed between turns */
	struct check_options check;
	struct keep_device *devices;
	struct keep_device *at; /* whose turn it is */
	struct say say;		/* what is said of @at goes through here, */
	struct say *outer;	/* and if it is new, on to there */
	uint64_t now;
};

/* @say is where all goes that was not said before. */
void keep_init(struct keep *k, struct machine *machine, struct say *say,
	       const struct check_options *check);
void keep_fini(struct keep *k);
/* Read all NAME.attach of @directory again; what was attached stays so. Errors
 * are reported as xdd-policy does. Negative errno: the directory's. */
int keep_load(struct keep *k, const char *directory);
/* Look at all devices if @all (something happened), or at those that are due.
 * Returns when it is to be called again at the latest. */
uint64_t keep_turn(struct keep *k, uint64_t now, bool all);
/* For a status line: all, attached, waiting for a domain. */
void keep_count(const struct keep *k, unsigned count[3]);

#endif
