/* SPDX-License-Identifier: MIT */
/* The operands of xdd-policy dt: see dt-load.h. */
#include "policy/cmd/dt-load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/cmd/load.h"

#define PLACE  "/etc/xdd/"
#define SUFFIX ".policy"

/* "a/ivi.policy" and "b/ivi.policy" would be one instance. */
static bool is_new(const struct set *set, const char *path, const struct policy *policy,
		   struct report *report)
{
	for (unsigned i = 0; i < set->n; i++) {
		if (strcmp(set->entry[i].policy.name, policy->name))
			continue;
		report_error(report, path, 0,
			     "an instance of this name is in %s; name each once",
			     set->entry[i].path);
		return false;
	}
	return true;
}

static void add_file(struct set *set, const char *path, struct report *report)
{
	static struct loaded loaded;
	struct set_entry *entry;

	if (!load(path, &loaded, report) || !is_new(set, path, &loaded.policy, report))
		return;
	set->entry = reallocarray(set->entry, set->n + 1, sizeof(*set->entry));
	if (!set->entry)
		abort();
	entry = &set->entry[set->n++];
	*entry = (struct set_entry){strdup(path), loaded.policy};
	if (!entry->path)
		abort();
}

static int is_policy(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && entry->d_name[0] != '.' && !strcmp(dot, SUFFIX);
}

static void add_dir(struct set *set, const char *dir, struct report *report)
{
	struct dirent **names;
	int n = scandir(dir, &names, is_policy, alphasort);
	char *path;

	if (n < 0) {
		report_error(report, dir, 0, "cannot be read: %s", strerror(errno));
		return;
	}
	if (!n)
		report_error(report, dir, 0, "holds no file NAME.policy");
	for (int i = 0; i < n; i++) {
		if (asprintf(&path, "%s%s%s", dir,
			     dir[strlen(dir) - 1] == '/' ? "" : "/",
			     names[i]->d_name) < 0)
			abort();
		add_file(set, path, report);
		free(path);
		free(names[i]);
	}
	free(names);
}

void dt_load(struct set *set, const char *operand, struct report *report)
{
	char place[sizeof(PLACE) + POLICY_NAME_MAX + sizeof(SUFFIX)];
	struct stat st;
	bool found = !stat(operand, &st);

	if (found && S_ISDIR(st.st_mode)) {
		add_dir(set, operand, report);
	} else if (!found && policy_name_ok(operand)) {
		snprintf(place, sizeof(place), PLACE "%s" SUFFIX, operand);
		add_file(set, place, report);
	} else {
		add_file(set, operand, report);
	}
}

void dt_unload(struct set *set)
{
	for (unsigned i = 0; i < set->n; i++)
		free(set->entry[i].path);
	free(set->entry);
}
