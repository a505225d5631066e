/* SPDX-License-Identifier: MIT */
/*
 * Names that systemd understands, made from ours. Pure: no I/O.
 */
#ifndef XDD_UNIT_NAME_H
#define XDD_UNIT_NAME_H

#include <stddef.h>

#define UNIT_NAME_MAX 1024 /* of what is escaped: 255 bytes, four for each */
#define UNIT_USER_MAX 31   /* what utmp, and so systemd, allows */

/* As systemd-escape(1): an instance's or, with a slash at its start, a path's
 * part of a unit name. Too long for @out: cut, never overrun. */
void unit_escape(const char *name, char out[UNIT_NAME_MAX]);
/* A value between two colons or spaces of a unit file, as it will be read. */
void unit_quote(const char *value, char out[UNIT_NAME_MAX]);
/* The user that an instance's processes run as: xdd-NAME, and for a name that
 * is too long, or no name, the start of it and a hash. */
void unit_user(const char *instance, char out[UNIT_USER_MAX + 1]);

#endif
