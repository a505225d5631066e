/* SPDX-License-Identifier: MIT */
/*
 * What the audit log of one instance says is held: the pages that are registered and
 * not released, the event channels that are bound, and of which start and client all
 * that is.
 *
 * It reads what xdd-audit reads (audit-trail.h), and follows xdd-keeper(8), AUDIT LOG.
 *
 * Invariants:
 *  1. what a log holds is what its last start left: whatever was before is gone;
 *  2. a line that no keeper writes makes the log odd, and adds nothing;
 *  3. memory is bounded: by the pages that one keeper can hold, and by its binds.
 */
#ifndef XDD_WITNESS_RECORD_H
#define XDD_WITNESS_RECORD_H

#include "grant-mem/cmd/audit-trail.h"
#include "policy/decide.h"

#define RECORD_BINDS 64
#define RECORD_TEXT  64
#define RECORD_NONE  UINT32_MAX
#define RECORD_ANY   UINT16_MAX /* a client that is said in lines that are gone */

/* A page that is registered, as often as that is. */
struct record_page {
	struct gref ref;
	struct domid client;
	uint16_t times, writable; /* registrations; those that are */
	uint8_t purpose;	  /* enum policy_purpose */
};

struct record_bind {
	char key[RECORD_TEXT];
	struct domid client;
	uint32_t remote, local;
};

/* Registered in a line that had no room for its references. */
struct record_unlisted {
	uint32_t pages, writable;
};

enum record_state {
	RECORD_GOOD,
	RECORD_ABSENT,
	RECORD_UNREADABLE,
	RECORD_BROKEN, /* no chain, or not the head's */
	RECORD_ODD,    /* a chain, but it says what no keeper says */
	RECORD_EMPTY,  /* nothing has started, as far as its lines go */
};

struct record {
	enum record_state state;
	int err; /* RECORD_UNREADABLE */
	char where[PATH_MAX +
		   RECORD_TEXT]; /* the first that is wrong: "FILE:3, seq 2" */
	uint64_t findings, first, last, lost;
	char head[ENTRY_HASH];

	char policy[ENTRY_HASH]; /* SHA-256, as the last start has it */
	char boot[RECORD_TEXT];
	char started[ENTRY_TIME], ended[ENTRY_TIME];
	bool stopped;
	uint32_t domid;	 /* the driver domain's own, or RECORD_NONE */
	uint32_t client; /* of the device it serves, or RECORD_NONE */

	struct record_page *page; /* ascending by client and reference */
	uint32_t pages;
	struct record_unlisted unlisted[POLICY_PURPOSE_POOL + 1];
	struct record_bind bind[RECORD_BINDS];
	unsigned binds;
};

/* Reads the log at @path, a directory or a file; @head may be NULL. */
void record_read(struct record *log, const char *path, const struct chain_head *head);
void record_free(struct record *log);
/* A registered page, or NULL. */
const struct record_page *record_page_of(const struct record *log, struct domid client,
					 struct gref ref);

#endif
