/* SPDX-License-Identifier: MIT */
/*
 * What a back end did, in numbers, for whoever looks: one JSON object in
 * $RUNTIME_DIRECTORY/stats, /run/xdd-stats/NAME/stats by our units.
 *
 * Not a protocol and not a log. A class keeps its own counters, where it needs
 * them, and names them here once; about once a second they are copied into the
 * file, which is a page of shared memory: no data path pays for it, no system
 * call is made, and nothing can be opened, grown or filled up by a process that
 * was taken over. What such a process counts is its own word.
 *
 * The file has STATS_BYTES always: the object, spaces, a newline. Its first
 * member "seq" and its last one "end" are the same number, one more each time;
 * a reader that finds them different read too early, and reads again. Counters
 * begin at 0 with each process ("pid"), and only grow; what is not a counter
 * ("busy") says how it is now.
 */
#ifndef XDD_STATS_H
#define XDD_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/histogram.h"

#define STATS_BYTES  8192
#define STATS_FIELDS 48
#define STATS_BRIEF  2 /* fields of the short form: the first ones */

struct stats_field {
	const char *name;
	const uint64_t *counter; /* one of the three */
	const uint32_t *gauge;
	const struct histogram *latency;
};

struct stats {
	char *page; /* shared, or NULL: nobody asked for it */
	int pid;
	uint64_t seq;
	unsigned fields;
	struct stats_field field[STATS_FIELDS];
};

/* Before sealing. 0, also where there is no $RUNTIME_DIRECTORY; or a negative
 * errno. */
int stats_open(struct stats *stats);
void stats_close(struct stats *stats);

/* Before sealing: name a number. It is read whenever the file is written. Names
 * and what they point to outlive @stats; names are [a-z_]. */
void stats_counter(struct stats *stats, const char *name, const uint64_t *counter);
/* Many of them, in their order. */
struct stats_named {
	const char *name;
	const uint64_t *counter;
};
void stats_counters(struct stats *stats, const struct stats_named *list, size_t n);
#define STATS_COUNTERS(stats, list)                                                    \
	stats_counters(stats, list, sizeof(list) / sizeof((list)[0]))
void stats_gauge(struct stats *stats, const char *name, const uint32_t *gauge);
/* Written as "NAME_us": [..], without the zeros at its end. */
void stats_latency(struct stats *stats, const char *name,
		   const struct histogram *latency);

/* Write the file: @who and @state are text that needs no JSON escape. */
void stats_write(struct stats *stats, const char *who, const char *state);
/* The short form for people, "12 requests, 0 errors", or "". */
const char *stats_brief(const struct stats *stats, char *out, size_t size);

#endif
