/* SPDX-License-Identifier: MIT */
/*
 * What a command of xdd-policy says. With --json all of it, findings and result, is one
 * object on standard output, and nothing else is there:
 *
 *   {"command": "check", "status": 2,
 *    "findings": [{"severity": "error", "file": "a.policy", "line": 3, "text": "..."}],
 *    "result": {...}}
 *
 * Invariants:
 *  1. every command has these four members, in this order, whatever becomes of it; what
 *     is not known is null, never left out;
 *  2. all of it is ASCII, whatever bytes a file's name has.
 */
#ifndef XDD_ANSWER_H
#define XDD_ANSWER_H

#include <jansson.h>
#include <stdbool.h>

#include "policy/cmd/report.h"

struct answer {
	struct report report;
	const char *command; /* its name */
	json_t *findings;    /* NULL: without --json */
};

/* @argv[0] is the command's name; takes "--json" out of the rest. */
void answer_begin(struct answer *answer, int *argc, char **argv);
/* It is for a program: nothing is printed but by answer_end(). */
bool answer_json(const struct answer *answer);
/* All is said: with --json prints @result, which is given away and may be NULL. Returns
 * @status, the exit status. */
int answer_end(struct answer *answer, int status, json_t *result);

/* A text as JSON: what is not printable ASCII is \xNN. */
json_t *answer_text(const char *text);
/* A line's number, or null for 0. */
json_t *answer_line(unsigned line);

#endif
