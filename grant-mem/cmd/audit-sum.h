/* SPDX-License-Identifier: MIT */
/*
 * What the lines of one instance's audit log add up to. Pure.
 *
 * Invariants:
 *  1. memory is fixed: reasons past SUM_REASONS, and maps past what a keeper can hold,
 *     are counted together;
 *  2. a sum that would not fit stays at the most that does.
 */
#ifndef XDD_AUDIT_SUM_H
#define XDD_AUDIT_SUM_H

#include <stdbool.h>
#include <stdint.h>

#include "grant-mem/cmd/audit-entry.h"
#include "grant-mem/maps.h"

#define SUM_REASONS 24
#define SUM_TEXT    64

struct sum_reason {
	char text[SUM_TEXT]; /* "map: Memory.GrantRefs" */
	uint64_t times;
};

/* What was mapped for one purpose, in pages. */
struct sum_use {
	uint64_t maps, now, most; /* most: at once */
	uint64_t at;		  /* seq of the line that made it the most */
	uint32_t first, last;	  /* references, if there was a map */
	bool cut;		  /* not all of them were written, or can be read */
	bool readable, writable;  /* maps that were no more than read, and others */
};

enum sum_purpose { SUM_RING, SUM_DATA, SUM_POOL, SUM_PURPOSES };

struct sum {
	char class[16], boot[48]; /* as the last start says */
	char from[ENTRY_TIME], to[ENTRY_TIME];
	uint64_t lines, starts, boots, reloads, connects;
	uint64_t maps, mapped, most; /* maps, their pages, pages at once */
	uint64_t binds;
	uint64_t segments, copied;
	uint64_t refused, reported;
	uint64_t counted, lost;
	struct sum_reason reason[SUM_REASONS];
	unsigned reasons;
	uint64_t others; /* refusals for further reasons */

	bool reloaded; /* the line before said so */
	uint64_t now;  /* pages that are mapped */
	struct sum_use use[SUM_PURPOSES];
	struct sum_held {
		uint32_t id, pages;
		enum sum_purpose purpose; /* SUM_PURPOSES: none that is known */
	} held[MAPS_SLOTS];
};

void sum_add(struct sum *sum, const struct entry *entry);

#endif
