/* SPDX-License-Identifier: MIT */
/*
 * What is kept of a display in the back-end directory, for whoever follows a back end
 * that died, and for people: keys "NAME-N", each with a line of numbers, or "none".
 *
 * Not what the numbers mean: that is the door's.
 */
#ifndef XDD_DISPL_KEPT_H
#define XDD_DISPL_KEPT_H

#include <stdbool.h>

#include "backends/door/keys.h"

#define DISPL_KEPT_NUMBERS 16
#define DISPL_KEPT_MAX	   (DISPL_KEPT_NUMBERS * 21) /* bytes, NUL included */

/* @n numbers, 1 to DISPL_KEPT_NUMBERS, or 0: "none". */
void displ_kept_text(const uint64_t *numbers, uint32_t n, char out[DISPL_KEPT_MAX]);
/* @n numbers of @text to @out. False: it is not that many. */
bool displ_kept_parse(const char *text, uint32_t n, uint64_t *out);

/* 0, -EAGAIN or another negative errno. */
int displ_keep(const struct keys *keys, const char *name, uint32_t index,
	       const uint64_t *numbers, uint32_t n);
/* 1: @n numbers are in @out; 0: they are not there; -EAGAIN or another negative errno.
 */
int displ_kept_read(const struct keys *keys, const char *name, uint32_t index,
		    uint32_t n, uint64_t *out);

#endif
