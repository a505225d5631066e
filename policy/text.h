/* SPDX-License-Identifier: MIT */
/*
 * A policy text, line by line, and the list of what is wrong with it.
 *
 * Knows the form of a line (xdd.policy(5)), not one key or section by name.
 * Invariants:
 *  1. what comes out of a line that is not BAD is printable ASCII without
 *     spaces at its ends, no longer than POLICY_LINE_MAX;
 *  2. the number of a line that holds a key fits 16 bits: POLICY_TEXT_MAX
 *     bytes hold fewer lines before it.
 */
#ifndef XDD_TEXT_H
#define XDD_TEXT_H

#include "policy/policy.h"

struct text {
	const char *at, *end;
	unsigned number; /* lines read */
};

enum text_kind {
	TEXT_END,
	TEXT_BLANK,   /* or a comment */
	TEXT_SECTION, /* @name */
	TEXT_KEY,     /* @name and @value */
	TEXT_BAD,     /* @name says what is wrong, @value what is allowed */
};

struct text_line {
	unsigned number; /* from 1 */
	const char *name, *value;
	char bytes[POLICY_LINE_MAX + 1];
};

void text_init(struct text *text, const char *bytes, size_t len);
enum text_kind text_next(struct text *text, struct text_line *line);

void text_error(struct policy_errors *errors, unsigned line, const char *allowed,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The value of @line is not one of its key's. */
void text_error_value(struct policy_errors *errors, const struct text_line *line,
		      const char *allowed);

#endif
