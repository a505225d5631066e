/* SPDX-License-Identifier: MIT */
/*
 * Where what is looked at lies. $XDD_ROOT stands for the root directory, if it is set:
 * for tests, and for what was brought from another machine.
 */
#ifndef XDD_PLACE_H
#define XDD_PLACE_H

#include <stdbool.h>

#define PLACE_MAX 512

enum place {
	PLACE_POLICIES,
	PLACE_LOGS,
	PLACE_RUN,
	PLACE_STATS,
	PLACE_UNITS, /* systemd's, until the next boot */
};

/* The path of @name there; @name may be "". False: it is too long. */
bool place(char path[PLACE_MAX], enum place where, const char *name);

#endif
