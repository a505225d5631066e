/* SPDX-License-Identifier: MIT */
/*
 * One line of an audit log, read: what every line has, and the rest as JSON. Pure.
 *
 * A line may have been written by anyone: the domain that keeps the log may have been
 * taken over.
 *
 * Invariants:
 *  1. what entry_read() takes has all that grant-mem/audit.h says of a line, in its
 *     form, and beyond it whole numbers and text alone: nothing is nested, no name is
 *     there twice;
 *  2. the hash is of the line's bytes as they are, never of what was read from them.
 */
#ifndef XDD_AUDIT_ENTRY_H
#define XDD_AUDIT_ENTRY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define ENTRY_TIME sizeof("2025-03-01T10:00:00.123Z")
#define ENTRY_HASH 65 /* hex digits, and a NUL */

#define ENTRY_NO_CLIENT UINT64_MAX

struct entry {
	json_t *object; /* the entry's: entry_fini() */
	const char *event;
	const char *time;
	const char *prev;
	uint64_t seq, lost;
	char hash[ENTRY_HASH]; /* of this line */
};

/* @line without its newline. NULL, or why it is none of a keeper's. */
const char *entry_read(struct entry *entry, const char *line, size_t len);
void entry_fini(struct entry *entry);
/* What a member says, or "" or 0 if it is not there or of another type. */
const char *entry_text(const struct entry *entry, const char *name);
uint64_t entry_number(const struct entry *entry, const char *name);
/* Of a line about a device ("device"): its client's domain, or ENTRY_NO_CLIENT. */
uint64_t entry_client(const struct entry *entry);

/* True for 64 hex digits as SHA256Data() writes them. */
int entry_is_hash(const char *text);
/* True if @text is a time of a line, or its beginning, as far as a unit ends. */
int entry_is_time(const char *text);

#endif
