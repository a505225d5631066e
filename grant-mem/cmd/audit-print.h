/* SPDX-License-Identifier: MIT */
/*
 * What a log says, on a terminal: whatever bytes it has, only letters, digits and signs
 * of ASCII come out.
 */
#ifndef XDD_AUDIT_PRINT_H
#define XDD_AUDIT_PRINT_H

#include <jansson.h>
#include <stdio.h>

/* Each other byte as \xNN. Returns how many columns that took. */
int print_text_to(FILE *out, const char *text);
int print_text(const char *text); /* to standard output */
/* The same, filled up with spaces to @width columns. */
void print_column(const char *text, int width);
/* "2025-03-01 10:00:00.123" of a line's time. */
void print_time(const char *time);
/* A JSON object on a line of its own, all of it ASCII. */
void print_json(const json_t *object);

#endif
