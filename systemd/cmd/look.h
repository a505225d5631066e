/* SPDX-License-Identifier: MIT */
/* One instance, looked at, and looked at again: what reload, drain and resume share. */
#ifndef XDD_LOOK_H
#define XDD_LOOK_H

#include "systemd/cmd/commands.h"

/* The instance @name as it is now, into @out; lines of its log from @mark on. CTL_DONE,
 * or CTL_USAGE, and why was said. */
int look(const char *name, uint64_t mark, struct instance *out);
/* The one argument of a command, looked at; says what is wrong. */
int look_first(int argc, char **argv, struct instance *out);
/* Again, each quarter of a second, until @enough of it and of how it was before says
 * so, but no longer than @seconds. True if it did. */
typedef bool look_enough(const struct instance *before, const struct instance *now);
bool look_until(const struct instance *before, struct instance *now,
		look_enough *enough, unsigned seconds);
/* What a unit has said since @since, seconds since 1970, as its journal has it. */
void look_journal(const char *role, const char *name, uint64_t since);

#endif
