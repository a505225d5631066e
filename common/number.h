/* SPDX-License-Identifier: MIT */
/*
 * Strict numbers from untrusted text: digits only, no sign, no space, no
 * prefix, no leading zero but "0" itself, and never more than @max.
 */
#ifndef XDD_NUMBER_H
#define XDD_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True and *@out set if all @len bytes of @text are one number <= @max. */
bool number_parse(const char *text, size_t len, uint64_t max, uint64_t *out);

#endif
