/* SPDX-License-Identifier: MIT */
/*
 * One line per cause, to standard error in the form journald reads
 * ("<4>instance: text"). For doors, mains and tools: libraries do not log.
 *
 * A struct log belongs to one cause-giver (usually one client): its limit
 * holds for all that this client can make us say. Suppressed lines are
 * counted, and the next line that passes says how many there were.
 *
 * One who may have more than standard error sets @send, which then gets each line
 * without its prefix and newline; where that fails, the line goes to standard error.
 */
#ifndef XDD_LOG_H
#define XDD_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

struct log {
	char who[96];	     /* "ivi_disk d3 xvda", set by log_name() */
	bool plain;	     /* for a person: without "<4>" */
	uint32_t burst;	     /* lines let through at once; 0: no limit */
	uint32_t per_minute; /* lines a minute after that */
	uint32_t tokens;
	uint64_t filled_ns;
	uint64_t suppressed;

	/* For @send: "XDD_DOMID=3\n", by log_name(); the kind of line, or NULL. */
	char fields[24];
	const char *event;
	bool (*send)(const struct log *log, enum log_level level, const char *text);
};

/* A limit fit for what a client can provoke: 10 at once, 10 a minute. */
void log_init(struct log *log, const char *instance);
/* From now on each line names the client's @domid and its @device. */
void log_name(struct log *log, const char *instance, unsigned domid,
	      const char *device);
void log_line(struct log *log, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
