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
	struct sum_held {
		uint32_t id, pages;
	} held[MAPS_SLOTS];
};

void sum_add(struct sum *sum, const struct entry *entry);

#endif
