/* SPDX-License-Identifier: MIT */
/*
 * What of a scene is not explained. Pure: it asks nobody, and decides by its own rules,
 * not by what decides in a keeper (policy/decide.h).
 *
 * A page of a client that the driver domain has mapped is explained if
 *  - an instance's policy names this client, and its log has the page as registered;
 *  - it is mapped no more often than it is registered, and writable only if that is;
 *  - the policy allows its purpose, its direction and its reference;
 *  - and all that is mapped by what this instance registered is within its quota.
 * An event channel of it is explained if it is bound to the driver domain itself; if it
 * is its xenstore's, its console's or a front end's of its own; or if the log of an
 * instance of this client has it, with both its ports.
 *
 * Invariants:
 *  1. one cause is one finding: what a log that is missing or broken might have
 * explained is told with that log;
 *  2. findings past FINDINGS_MAX are counted.
 */
#ifndef XDD_WITNESS_JUDGE_H
#define XDD_WITNESS_JUDGE_H

#include "xenbus/cmd/witness-scene.h"

#define FINDINGS_MAX  1024
#define FINDING_REFS  160
#define FINDING_PORTS 8

enum finding_kind {
	POLICY_BAD,
	POLICY_EDITED,
	AUDIT_MISSING,
	AUDIT_UNREAD,
	AUDIT_CHAIN,
	AUDIT_ODD,
	AUDIT_SILENT,
	AUDIT_BOOT,
	AUDIT_DOMAIN,
	AUDIT_STRAY,
	AUDIT_DROPPED,
	MAP_NO_POLICY,
	MAP_NOT_LOGGED,
	MAP_READ_ONLY_CLIENT,
	MAP_WRITABLE,
	MAP_OUTSIDE,
	MAP_TOO_OFTEN,
	MAP_TOO_MANY,
	MAP_BY_OTHER,
	EVENT_NO_POLICY,
	EVENT_NOT_BOUND,
	EVENT_OFFERED,
	EVENT_CONTROL,
	EVENT_TOO_MANY,
	MAPTRACK_FULL,
	FINDING_KINDS,
};

struct finding {
	enum finding_kind kind;
	const struct instance *instance; /* or NULL */
	uint32_t client;		 /* a domain, or RECORD_NONE */
	uint32_t user;			 /* MAP_BY_OTHER: who maps it */
	uint32_t n;			 /* pages, or ports */
	char refs[FINDING_REFS];	 /* "8-11,17": which; "+5": and so many more */
	char detail[PATH_MAX + 256];
	uint32_t first, last; /* of the last run in refs */
	uint32_t unlisted;
	uint32_t
		port[FINDING_PORTS]; /* that a log in doubt may explain, beside pages */
	unsigned ports;
};

struct findings {
	struct finding *at[FINDINGS_MAX];
	unsigned n, more;
};

/* Findings in the order of instances, then of domains. */
void judge(struct scene *scene, struct findings *out);
void findings_free(struct findings *findings);

#endif
