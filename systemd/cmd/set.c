/* SPDX-License-Identifier: MIT */
#include "systemd/cmd/set.h"

#include <dirent.h>
#include <errno.h>
#include <sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "policy/class.h"
#include "systemd/cmd/place.h"
#include "systemd/cmd/plain.h"
#include "systemd/cmd/state.h"
#include "systemd/unit-name.h"

#define SUFFIX ".policy"

static int is_policy(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name), suffix = strlen(SUFFIX);

	return entry->d_name[0] != '.' && len > suffix &&
	       !strcmp(entry->d_name + len - suffix, SUFFIX);
}

static struct instance *add(struct set *set)
{
	struct instance *more =
		reallocarray(set->instance, set->count + 1, sizeof(*set->instance));

	if (!more)
		return NULL;
	set->instance = more;
	more += set->count++;
	*more = (struct instance){.account = {.domid = ENTRY_NO_CLIENT}};
	return more;
}

static void read_policy(struct instance *instance)
{
	static struct policy_errors errors;
	static char text[POLICY_TEXT_MAX + 1];
	char path[PLACE_MAX], file[UNIT_INSTANCE + sizeof(SUFFIX)];
	ssize_t len;

	snprintf(file, sizeof(file), "%s" SUFFIX, instance->name);
	len = place(path, PLACE_POLICIES, file) ? file_read(path, text, sizeof(text))
						: -ENAMETOOLONG;
	if (len < 0) {
		snprintf(instance->error.what, sizeof(instance->error.what),
			 "cannot be read: %s", strerror((int)-len));
		instance->errors = 1;
		return;
	}
	SHA256Data((const uint8_t *)text, (size_t)len, instance->digest);
	errors.count = 0;
	instance->errors = policy_parse(instance->name, text, (size_t)len,
					&instance->policy, &errors);
	instance->good = !instance->errors;
	if (!instance->good)
		instance->error = errors.error[0];
}

/* A name that is too long for a unit is no instance's, and cut: it is told as wrong. */
static void add_policy(struct set *set, const char *file, const char *only)
{
	char escaped[UNIT_NAME_MAX];
	char name[NAME_MAX + 1];
	struct instance *instance;

	snprintf(name, sizeof(name), "%.*s", (int)(strlen(file) - strlen(SUFFIX)),
		 file);
	instance = only && strcmp(name, only) ? NULL : add(set);
	if (!instance)
		return;
	unit_escape(name, escaped);
	PLAIN(instance->unit, escaped);
	PLAIN(instance->name, name);
	instance->file = true;
	instance->named = policy_name_ok(name);
	if (instance->named) {
		read_policy(instance);
		return;
	}
	instance->errors = 1;
	snprintf(instance->error.what, sizeof(instance->error.what),
		 "not a name for an instance");
	snprintf(instance->error.allowed, sizeof(instance->error.allowed),
		 "1 to %d of [a-z0-9_]", POLICY_NAME_MAX);
}

static int read_policies(struct set *set, const char *only)
{
	char path[PLACE_MAX];
	struct dirent **files;
	int n = -1;

	errno = ENAMETOOLONG;
	if (place(path, PLACE_POLICIES, ""))
		n = scandir(path, &files, is_policy, alphasort);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		add_policy(set, files[i]->d_name, only);
		free(files[i]);
	}
	free(files);
	return 0;
}

/* "blk", or "blk-domain". */
static bool is_back_end(const char *role)
{
	for (int class = POLICY_BLK; class <= POLICY_CAN; class ++) {
		const char *name =
			class_info((enum policy_class) class, POLICY_PV)->name;
		size_t len = strlen(name);

		if (!strncmp(role, name, len) &&
		    (!role[len] || !strcmp(role + len, "-domain")))
			return true;
	}
	return false;
}

/* Where units go. */
struct units {
	struct set *set;
	const char *only;
};

/* What runs goes before what does not: its class may have changed since. */
static void take_unit(void *to, const struct unit *unit)
{
	bool keeper = !strcmp(unit->role, "keeper"), idle = unit_is(unit, "inactive");
	const struct units *units = to;
	struct set *set = units->set;
	struct instance *instance = NULL;
	struct unit *at;

	if ((!keeper && !is_back_end(unit->role)) ||
	    (units->only && strcmp(unit->instance, units->only)))
		return;
	for (unsigned i = 0; i < set->count && !instance; i++) {
		if (!strcmp(set->instance[i].unit, unit->instance))
			instance = &set->instance[i];
	}
	if (!instance && idle)
		return;
	if (!instance) {
		instance = add(set);
		if (!instance)
			return;
		strcpy(instance->unit, unit->instance);
		strcpy(instance->name, unit->instance);
		instance->named = policy_name_ok(instance->name);
	}
	at = keeper ? &instance->keeper : &instance->back_end;
	if (!at->there || !idle)
		*at = *unit;
}

static void read_account(struct instance *instance, const struct set_wish *wish)
{
	const struct instance *last =
		wish->last ? set_find(wish->last, instance->name) : NULL;

	instance->account.mark = wish->mark;
	if (last)
		account_reread(&instance->account, &last->account, instance->name);
	else
		account_read(&instance->account, instance->name);
}

static void read_rest(struct set *set, const struct set_wish *wish)
{
	for (unsigned i = 0; i < set->count; i++) {
		struct instance *instance = &set->instance[i];

		if (instance->named && wish->parts & SET_ACCOUNTS)
			read_account(instance, wish);
		if (instance->named && wish->parts & SET_NUMBERS)
			numbers_read(&instance->numbers, instance->name);
		state_judge(instance, !set->units);
	}
}

int set_read(struct set *set, const struct set_wish *wish)
{
	struct units units = {set, wish->only};
	int err;

	*set = (struct set){.count = 0};
	err = read_policies(set, wish->only);
	set->units = units_read(take_unit, &units);
	if (err && (err != -ENOENT || !set->count)) {
		set_free(set);
		return err;
	}
	read_rest(set, wish);
	return 0;
}

void set_free(struct set *set)
{
	free(set->instance);
	*set = (struct set){.count = 0};
}

struct instance *set_find(const struct set *set, const char *name)
{
	for (unsigned i = 0; i < set->count; i++) {
		if (!strcmp(set->instance[i].name, name))
			return &set->instance[i];
	}
	return NULL;
}
