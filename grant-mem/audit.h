/* SPDX-License-Identifier: MIT */
/*
 * The audit log of one instance: one JSON object a line, each with the hash of
 * the line before it, so that no line can be taken out or changed unseen.
 *
 *   {"seq":7,"time":"2025-03-01T10:00:00.123Z","prev":"<SHA-256 of line 6,
 *    without its newline, 64 hex digits>","event":"map",...}
 *
 * Not a log for operators and not a database: it appends to audit.log, and
 * when that is full it becomes audit.log.1 (the one before is dropped) and a
 * new one goes on with the chain. seq and chain go on over restarts too. A loss of
 * power takes the last lines, those that were not on the disk yet.
 *
 * Invariants:
 *  1. a line is at most AUDIT_LINE_MAX bytes and is written by one write(2)
 *     into space that was allocated when the file was opened;
 *  2. an error is counted, and told in the next line that is written, and
 *     never passed up: what is served does not wait for its log;
 *  3. what a peer provokes past AUDIT_A_SECOND, and allowed copies, are counted;
 *     audit_tick() writes the sums. None is lost;
 *  4. with Full = stop, AUDIT_RESERVE bytes are kept for what is not a map;
 *  5. a line that is not whole, after a power loss or on a full file system, is cut off
 *     before another is written, and counts as lost: a file holds whole lines alone.
 */
#ifndef XDD_AUDIT_H
#define XDD_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#define AUDIT_LINE_MAX	 768
#define AUDIT_A_SECOND	 20
#define AUDIT_COPIES_NS	 10000000000ULL
#define AUDIT_FILE_BYTES (1024 * 1024)
#define AUDIT_RESERVE	 (64 * 1024)

struct audit {
	int dir, fd;
	uint32_t bytes_max; /* of a file */
	bool stop;	    /* Full = stop: no rotation */
	uint32_t size;
	uint64_t seq;
	uint64_t lost; /* lines since the last that was written */
	char prev[65];
	uint64_t tick_at, copies_at;
	uint64_t provoked, counted; /* in this second */
	uint64_t copies, copied_bytes;
};

/* Append to @dir/audit.log, which is made if it is not there. 0 or negative
 * errno; the log is usable even then, and counts what it loses. */
int audit_open(struct audit *audit, const char *dir, uint32_t bytes_max, bool stop);
/* @fmt: further JSON members, "\"id\":%u"; text in them must need no escape. */
void audit_line(struct audit *audit, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* May what a client or a back end provoked have a line? It is counted if not. */
bool audit_may(struct audit *audit);
/* An allowed batch of copies. */
void audit_copied(struct audit *audit, uint64_t segments, uint64_t bytes);
/* Once a second: writes the sums that are due. Returns when it is due again. Before the
 * end, at UINT64_MAX: all there are. */
uint64_t audit_tick(struct audit *audit, uint64_t now);
/* With Full = stop: no room for another map. */
bool audit_full(const struct audit *audit);

#endif
