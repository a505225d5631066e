/* SPDX-License-Identifier: MIT */
/*
 * What the audit log of one instance says of now: whom it serves and since when, what
 * was refused, which policy is in force. Kept by its keeper, not by its back end.
 *
 * It is what the log says, and a log is as sound as its chain: see xdd-audit(8).
 */
#ifndef XDD_ACCOUNT_H
#define XDD_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "grant-mem/cmd/audit-trail.h"

/* Which bytes a log had. */
struct account_stamp {
	uint64_t file, size, changed;
};

/* What became of a policy that was loaded anew. */
enum account_reload { RELOAD_NONE, RELOAD_TAKEN, RELOAD_REFUSED };

struct account {
	bool there;
	int err;    /* it is not: negative errno */
	bool sound; /* the chain holds */
	struct account_stamp stamp;

	uint64_t lines, seq; /* of the last */
	char hash[ENTRY_HASH];
	uint64_t refused, reported, lost;
	uint64_t mapped, most; /* pages: now, at once */
	uint64_t copied;       /* bytes */
	uint64_t reloads;
	char policy[ENTRY_HASH]; /* SHA-256 of the one in force */
	char refusal[96];	 /* the last, and when */
	char refused_at[ENTRY_TIME];

	uint64_t domid; /* of the client whose device is there, or ENTRY_NO_CLIENT */
	bool present;	/* its device is in xenstore */
	bool back_end;	/* a process has the keeper's ear */
	bool connected; /* both ends say so in xenstore */
	char since[ENTRY_TIME];

	/* Of lines from number @mark on, which the caller sets. */
	uint64_t mark;
	enum account_reload reload;
	bool revoked, let_go; /* something had to go; the back end did */
};

/* Of the instance @name, whose name is good; but for mark, all of @account is set. */
void account_read(struct account *account, const char *name);
/* The same, where nothing can have changed since @last was read by a copy of that. */
void account_reread(struct account *account, const struct account *last,
		    const char *name);

#endif
