/* SPDX-License-Identifier: MIT */
/*
 * Whether the lines of an audit log are one chain, and where they are not. Pure: it is
 * given line after line and says what it finds; it reads no file and prints nothing.
 *
 * A line is tied to the one before by that one's hash. What was changed is therefore
 * seen at the line behind it: findings are held back by one line, and name the line
 * that the broken links have in common.
 *
 * Not seen without a head, and by nobody: lines cut off the end, and a log that was
 * written anew from its first line on.
 *
 * Invariants:
 *  1. nothing is kept of a line but its place, number and hash: memory does not grow;
 *  2. each line that has a finding is named once, by its place and its number.
 */
#ifndef XDD_AUDIT_CHAIN_H
#define XDD_AUDIT_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "grant-mem/cmd/audit-entry.h"

enum chain_kind {
	CHAIN_CHANGED, /* this line */
	CHAIN_LINK,    /* this line, or the prev of the one behind it */
	CHAIN_MISSING, /* lines are, before this one: from seq to to */
	CHAIN_ORDER,   /* this line does not belong here */
	CHAIN_ADDED,   /* what is here is no line, and the chain goes on without */
	CHAIN_FRONT,   /* lines are missing before the first */
	CHAIN_CUT,     /* lines are missing behind the last, up to the head */
	CHAIN_HEAD,    /* the line of the head is another than it was */
	CHAIN_GONE,    /* the head's line is not there any more: rotated away */
	CHAIN_EMPTY,
};

struct chain_place {
	const char *path;
	unsigned line;
	uint64_t seq;
};

struct chain_finding {
	enum chain_kind kind;
	struct chain_place at;
	uint64_t to;	 /* the last of those that are meant, from at.seq */
	const char *why; /* or NULL */
};

/* What somebody else remembers of the log. */
struct chain_head {
	uint64_t seq;
	char hash[ENTRY_HASH];
};

struct chain {
	void (*found)(struct chain *chain, const struct chain_finding *finding);
	const struct chain_head *head; /* or NULL */
	bool whole; /* nothing may be missing before the first line */

	uint64_t lines, first;
	struct chain_place last;
	char hash[ENTRY_HASH]; /* of the last */
	bool named;	       /* the last has its finding */
	bool broken;	       /* the link between these two is, and nobody is named */
	struct chain_place before;
	/* What could not be read since the last. */
	struct chain_place junk;
	unsigned junks;
	const char *why;
	bool head_seen;
};

/* @at: where the line stands; its path has to stay. */
void chain_line(struct chain *chain, struct chain_place at, const struct entry *entry);
/* What stands at @at is no line. */
void chain_junk(struct chain *chain, struct chain_place at, const char *why);
/* There are no more. */
void chain_end(struct chain *chain);
/* Reads "SEQ:HASH". */
bool chain_head_parse(const char *text, struct chain_head *head);

#endif
