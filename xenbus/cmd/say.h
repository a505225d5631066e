/* SPDX-License-Identifier: MIT */
/*
 * What xdd-attach has to say, and to whom: a person at a terminal, or a journal.
 * One line a call, no newline at its end; a line says what is wrong and what to
 * do about it.
 */
#ifndef XDD_SAY_H
#define XDD_SAY_H

#include "common/log.h"

#define SAY_MAX 512

struct say {
	void (*line)(struct say *say, enum log_level level, const char *text);
};

void say(struct say *to, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Always false, so that a check can end with it. */
bool say_error(struct say *to, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* At a terminal: what was done to standard output, the rest to standard error. */
extern struct say say_terminal;

#endif
