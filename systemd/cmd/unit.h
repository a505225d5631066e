/* SPDX-License-Identifier: MIT */
/*
 * What systemd says of the units of instances: xdd-ROLE@INSTANCE.service.
 *
 * By "systemctl show", whose properties are an interface, and not by its bus: a driver
 * domain need not have a D-Bus daemon, and systemd's private socket is for systemctl
 * alone.
 *
 * Invariants:
 *  1. what is taken has the form that systemd gives it; a line that has not is counted,
 *     and none is trusted for its length;
 *  2. a STATUS is its process's own word, and only plain ASCII when it is here.
 */
#ifndef XDD_UNIT_H
#define XDD_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNIT_ROLE     32
#define UNIT_INSTANCE 160

struct unit {
	bool there; /* systemd knows it */
	char role[UNIT_ROLE];
	char instance[UNIT_INSTANCE]; /* as in the unit's name: escaped */
	char active[16], sub[24], result[24];
	char status[200];  /* STATUS=, or "" */
	uint64_t pid;	   /* 0: no process */
	uint64_t restarts; /* by accident */
	uint64_t since;	   /* active, in seconds since 1970; 0: it is not */
	bool stale;	   /* the unit's files have changed since */
};

/* Every unit in @text, as "systemctl show" prints them; @text is changed. @now_us: of
 * the monotonic clock, and @now of the other, in seconds. Returns how many lines were
 * not understood. */
typedef void unit_take(void *to, const struct unit *unit);
unsigned units_parse(char *text, uint64_t now_us, uint64_t now, unit_take *take,
		     void *to);
/* All that systemd has in memory. 0, or a negative errno; -EPROTO: not understood. */
int units_read(unit_take *take, void *to);

static inline bool unit_is(const struct unit *unit, const char *active)
{
	return unit->there && !__builtin_strcmp(unit->active, active);
}

static inline bool unit_runs(const struct unit *unit)
{
	return unit_is(unit, "active") || unit_is(unit, "reloading");
}

/* systemctl @verb UNIT, of an instance whose name is good; it is waited for. Returns as
 * run() does. */
int unit_do(const char *verb, const char *role, const char *instance);

#endif
