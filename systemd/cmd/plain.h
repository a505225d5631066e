/* SPDX-License-Identifier: MIT */
/* Text of others', made fit for a terminal, a table and JSON where it comes in. */
#ifndef XDD_PLAIN_H
#define XDD_PLAIN_H

#include <stddef.h>

/* @len bytes of @text at most, up to its NUL: what is not printable ASCII becomes '?',
 * what does not fit is cut. */
void plain(char *out, size_t size, const char *text, size_t len);

#define PLAIN(out, text) plain(out, sizeof(out), text, sizeof(out))

#endif
