/* SPDX-License-Identifier: MIT */
/*
 * What the audit log of one instance says, for a report: what it adds up to, of what it
 * is the log, and whether it is one chain. It reads what xdd-audit reads.
 *
 * A log may have been written by anyone. What is kept of it is bounded, and a hash is
 * kept only if it is one.
 */
#ifndef XDD_ASSESS_LOG_H
#define XDD_ASSESS_LOG_H

#include "grant-mem/cmd/audit-sum.h"
#include "grant-mem/cmd/audit-trail.h"

#define ASSESS_NOBODY UINT32_MAX

struct assess_log {
	char *path; /* as it was named */
	char name[TRAIL_NAME];
	struct sum sum;
	uint64_t first, last; /* seq */
	char head[ENTRY_HASH];
	uint64_t findings, torn;
	bool strange; /* it names another instance than its folder is of */
	char broken_at[PATH_MAX + 48]; /* the first finding, or "" */
	/* As the last start says, or "". */
	char policy[ENTRY_HASH], keeper[ENTRY_HASH], program[ENTRY_HASH];
	uint64_t policies; /* starts that say another policy than the one before */
	uint32_t client;   /* the domain that it served last, or ASSESS_NOBODY */
};

/* 0, or negative errno as trail_read(); @log is then empty, and needs no fini. */
int assess_log_read(struct assess_log *log, const char *path);
void assess_log_fini(struct assess_log *log);

#endif
