/* SPDX-License-Identifier: MIT */
/*
 * HTML, written to a stream. What is no literal of ours is escaped, and there is no way
 * to have it otherwise: markup stands in the forms, all else comes as an argument.
 *
 * Invariants:
 *  1. an argument cannot end an element, an attribute in quotes or a comment: of
 *     & < > " ' only entities come out;
 *  2. all of it is ASCII, without control characters: any other byte is \xNN, so that
 *     no text can turn its line round or look like another.
 */
#ifndef XDD_HTML_H
#define XDD_HTML_H

#include <stdio.h>

/* @form, a literal, as it is; in it %s a text, %u, %d and %ju (uintmax_t) numbers, %%.
 */
void html(FILE *out, const char *form, ...) __attribute__((format(printf, 2, 3)));
/* A text of our own documents: `x` is code, **x** strong, *x* emphasis, [x](y) is x. */
void html_marked(FILE *out, const char *text);

#endif
