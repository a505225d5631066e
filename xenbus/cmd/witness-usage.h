/* SPDX-License-Identifier: MIT */
/*
 * Which grants are in use, as Xen prints it for its debug key 'g': the text of the
 * console ring, parsed. Pure.
 *
 * The ring is not ours alone: lines of domains stand between those of the dump, and a
 * small ring has lost its beginning by the time it is read.
 *
 * Invariants:
 *  1. what usage_parse() accepts is one whole dump, from its first line to its last:
 * one that was cut anywhere, or is of a form that is not known, is refused with the
 * reason;
 *  2. only a line that Xen itself began counts: what a domain printed is skipped,
 * whatever it says;
 *  3. memory is bounded by the text's length.
 */
#ifndef XDD_WITNESS_USAGE_H
#define XDD_WITNESS_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ids.h"

/* A grant that somebody has mapped or pinned. */
struct usage_row {
	struct gref ref;
	struct domid user;
	uint8_t writable,
		readable; /* times it is pinned so; more than 255 do not fit */
};

/* One domain's grant table. */
struct usage_table {
	struct domid id;
	unsigned version;
	uint32_t frames, frames_max, maptrack, maptrack_max;
	size_t first, rows; /* of usage.row */
};

struct usage {
	struct usage_table *table; /* ascending by domain */
	size_t tables;
	struct usage_row *row; /* of a table ascending by reference */
	size_t rows;
	size_t foreign; /* lines between those of the dump */
};

/* The last dump in @text. NULL, or why there is none, with @out empty. */
const char *usage_parse(const char *text, size_t len, struct usage *out);
void usage_free(struct usage *usage);
/* A domain's table, or NULL. */
const struct usage_table *usage_of(const struct usage *usage, struct domid id);

#endif
