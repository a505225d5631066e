/* SPDX-License-Identifier: MIT */
#include "systemd/cmd/unit.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/number.h"
#include "systemd/cmd/plain.h"
#include "systemd/cmd/run.h"

#define SHOW_BYTES   (4u << 20)
#define SHOW_SECONDS 30
#define DO_SECONDS   120 /* more than any unit of ours may take to stop or start */

#define PROPERTIES                                                                     \
	"Id,ActiveState,SubState,Result,MainPID,NRestarts,StatusText,"                 \
	"ActiveEnterTimestampMonotonic,NeedDaemonReload"

/* "xdd-keeper@ivi_disk.service" */
static bool take_id(struct unit *unit, const char *id)
{
	static const char prefix[] = "xdd-", suffix[] = ".service";
	const char *at = strchr(id, '@');
	size_t len = strlen(id), role, name;

	if (strncmp(id, prefix, sizeof(prefix) - 1) || !at || len < sizeof(suffix) ||
	    strcmp(id + len - (sizeof(suffix) - 1), suffix))
		return false;
	id += sizeof(prefix) - 1;
	role = (size_t)(at - id);
	name = strlen(at + 1) - (sizeof(suffix) - 1);
	if (!role || role >= UNIT_ROLE || !name || name >= UNIT_INSTANCE)
		return false;
	plain(unit->role, sizeof(unit->role), id, role);
	plain(unit->instance, sizeof(unit->instance), at + 1, name);
	unit->there = true;
	return true;
}

/* The times of a unit that was never active are 0. */
static bool take_since(struct unit *unit, const char *value)
{
	return number_parse(value, strlen(value), UINT64_MAX, &unit->since);
}

static bool take_stale(struct unit *unit, const char *value)
{
	unit->stale = !strcmp(value, "yes");
	return unit->stale || !strcmp(value, "no");
}

static bool take_pid(struct unit *unit, const char *value)
{
	return number_parse(value, strlen(value), INT32_MAX, &unit->pid);
}

static bool take_restarts(struct unit *unit, const char *value)
{
	return number_parse(value, strlen(value), UINT32_MAX, &unit->restarts);
}

/* A word of systemd's own. */
static bool take_word(char *out, size_t size, const char *value)
{
	size_t len = strlen(value);

	if (len >= size || value[strspn(value, "abcdefghijklmnopqrstuvwxyz-")])
		return false;
	memcpy(out, value, len + 1);
	return true;
}

static bool take_active(struct unit *unit, const char *value)
{
	return take_word(unit->active, sizeof(unit->active), value);
}

static bool take_sub(struct unit *unit, const char *value)
{
	return take_word(unit->sub, sizeof(unit->sub), value);
}

static bool take_result(struct unit *unit, const char *value)
{
	return take_word(unit->result, sizeof(unit->result), value);
}

static bool take_status(struct unit *unit, const char *value)
{
	PLAIN(unit->status, value);
	return true;
}

static bool take_line(struct unit *unit, char *line)
{
	static const struct {
		const char *name;
		bool (*take)(struct unit *unit, const char *value);
	} rows[] = {
		{"Id", take_id},
		{"ActiveState", take_active},
		{"SubState", take_sub},
		{"Result", take_result},
		{"MainPID", take_pid},
		{"NRestarts", take_restarts},
		{"StatusText", take_status},
		{"ActiveEnterTimestampMonotonic", take_since},
		{"NeedDaemonReload", take_stale},
	};
	char *value = strchr(line, '=');

	if (!value)
		return false;
	*value++ = '\0';
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!strcmp(line, rows[i].name))
			return rows[i].take(unit, value);
	}
	return false;
}

static void finish(struct unit *unit, uint64_t now_us, uint64_t now, unit_take *take,
		   void *to)
{
	uint64_t ago = unit->since < now_us ? (now_us - unit->since) / 1000000 : 0;

	if (!unit_is(unit, "active") && !unit_is(unit, "reloading"))
		unit->since = 0;
	else if (unit->since)
		unit->since = now > ago ? now - ago : 0;
	if (unit->there)
		take(to, unit);
	*unit = (struct unit){.there = false};
}

unsigned units_parse(char *text, uint64_t now_us, uint64_t now, unit_take *take,
		     void *to)
{
	struct unit unit = {.there = false};
	unsigned wrong = 0;
	char *end;

	for (; *text; text = end) {
		end = strchrnul(text, '\n');
		if (*end)
			*end++ = '\0';
		if (*text)
			wrong += !take_line(&unit, text);
		else
			finish(&unit, now_us, now, take, to);
	}
	finish(&unit, now_us, now, take, to);
	return wrong;
}

int units_read(unit_take *take, void *to)
{
	/* Without --all a pattern leaves out what does not run. */
	static const char *const argv[] = {"systemctl",
					   "show",
					   "--all",
					   "--no-pager",
					   "--property=" PROPERTIES,
					   "--",
					   "xdd-*@*.service",
					   NULL};
	char *text = malloc(SHOW_BYTES);
	uint64_t now = clock_read(CLOCK_REALTIME) / CLOCK_SECOND;
	int r;

	if (!text)
		return -ENOMEM;
	r = run(argv, SHOW_SECONDS, text, SHOW_BYTES);
	if (!r && units_parse(text, clock_now() / 1000, now, take, to))
		r = -EPROTO;
	free(text);
	return r > 0 ? -EIO : r;
}

int unit_do(const char *verb, const char *role, const char *instance)
{
	char name[UNIT_ROLE + UNIT_INSTANCE + 16];
	const char *const argv[] = {"systemctl", verb, "--", name, NULL};

	snprintf(name, sizeof(name), "xdd-%s@%s.service", role, instance);
	return run(argv, DO_SECONDS, NULL, 0);
}
