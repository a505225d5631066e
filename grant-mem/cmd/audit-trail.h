/* SPDX-License-Identifier: MIT */
/*
 * The audit log of one instance, read from its files: audit.log.1, then audit.log, as
 * one chain.
 *
 * A log is named by its directory, or by its newest file; what is beside that with ".1"
 * behind its name belongs to it. A keeper may be writing it meanwhile.
 *
 * Invariants:
 *  1. memory is bounded by a line: what is longer is skipped, and is a finding;
 *  2. nothing but regular files is opened, and nothing is read that is larger than what
 *     a keeper writes: see TRAIL_BYTES.
 */
#ifndef XDD_AUDIT_TRAIL_H
#define XDD_AUDIT_TRAIL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "grant-mem/audit.h"
#include "grant-mem/cmd/audit-chain.h"

#define TRAIL_BYTES (16 * AUDIT_FILE_BYTES) /* of a file */
#define TRAIL_NAME  32

struct trail {
	/* The reader's; false: that is all it wants. */
	void (*entry)(struct trail *trail, const struct entry *entry);
	void (*found)(struct trail *trail, const struct chain_finding *finding);
	const struct chain_head *head; /* or NULL */
	void *reader;

	char name[TRAIL_NAME]; /* of the instance: by its path, or what a start says */
	char folder[TRAIL_NAME]; /* that has its audit.log, or "" */
	bool strange;		 /* a start named another instance than the folder */
	char path[2][PATH_MAX];
	struct chain chain;
	struct chain_place at; /* the line at hand */
	uint64_t torn;	       /* bytes behind the last newline: no line yet */
	uint64_t findings;
};

/* Reads @log from its first line to its last, and calls the reader for each line and
 * each finding. 0, or negative errno, or -EFBIG for what is no log by its size. */
int trail_read(struct trail *trail, const char *log);
/* Why it could not be read, and what to do. */
const char *trail_why(int err);

#endif
