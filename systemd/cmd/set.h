/* SPDX-License-Identifier: MIT */
/*
 * All instances of this domain, as the machine's own records have them: a policy file
 * each, two units each, the keeper's audit log, the back end's numbers. And those that
 * still run and have no policy file any more.
 *
 * xenstore is not asked. A request to it waits for xenstored, and what it has of an
 * instance the keeper has already said: in its STATUS, and in the audit log.
 *
 * Invariants:
 *  1. of three witnesses the keeper's word goes first: "serving" is what systemd, the
 *     keeper and its log say together; a back end's word alone makes nothing true, but
 *     of its own numbers;
 *  2. what does not fit together is told as a problem, never chosen from in silence.
 */
#ifndef XDD_SET_H
#define XDD_SET_H

#include "policy/policy.h"
#include "systemd/cmd/account.h"
#include "systemd/cmd/numbers.h"
#include "systemd/cmd/unit.h"

#define SET_PROBLEMS 8
#define SET_PROBLEM  224

enum state {
	STATE_WRONG,	/* its policy is, and nothing runs */
	STATE_FAILED,	/* systemd has given up a unit */
	STATE_STOPPED,	/* no keeper, no back end */
	STATE_STARTING, /* a unit comes, or goes, or comes back */
	STATE_DRAINED,	/* its back end was stopped, as it wants to be */
	STATE_WAITING,	/* for xenstore, for its device, for its client */
	STATE_SERVING,
};

struct instance {
	char name[UNIT_INSTANCE]; /* its file's; a good name if @named */
	char unit[UNIT_INSTANCE]; /* as in its units' names */
	bool named, file, good;	  /* it has a policy file, and a good one */
	struct policy policy;	  /* if it is good */
	char digest[65];	  /* of the file */
	struct policy_error error;
	unsigned errors;

	struct unit keeper, back_end;
	struct account account;
	struct numbers numbers;

	enum state state;
	unsigned problems;
	char problem[SET_PROBLEMS][SET_PROBLEM];
};

struct set {
	struct instance *instance;
	unsigned count;
	int units; /* whether systemd was understood: 0, or a negative errno */
};

/* What is asked for beside policies and units. */
#define SET_ACCOUNTS 1u
#define SET_NUMBERS  2u

struct set_wish {
	unsigned parts;
	const char *only; /* of this instance alone; or NULL */
	uint64_t mark;	  /* see struct account; for that one */
	const struct set
		*last; /* whose accounts will do where no log has changed; or NULL */
};

/* 0, or a negative errno with nothing to free; -ENOENT: no directory of policies, and
 * nothing that runs. */
int set_read(struct set *set, const struct set_wish *wish);
void set_free(struct set *set);
/* The one of that name, or NULL. */
struct instance *set_find(const struct set *set, const char *name);

const char *state_name(enum state state);
/* True if there is no keeper, because the policy says so. */
bool instance_is_alone(const struct instance *instance);
/* The unit that serves, "blk" or "blk-domain", by the policy. */
void instance_role(const struct instance *instance, char role[UNIT_ROLE]);
/* "d3", "d3 (tag ivi)", "tag ivi" or "?": whose device it is. */
void instance_client(const struct instance *instance, char *out, size_t size);

#endif
