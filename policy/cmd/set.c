/* SPDX-License-Identifier: MIT */
/* What operands name, read into a set: see set.h. */
#include "policy/cmd/set.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/class.h"
#include "policy/cmd/load.h"
#include "policy/text.h"

#define PLACE  "/etc/xdd/"
#define SUFFIX ".policy"

static void add_file(struct set *set, const char *path, struct report *report)
{
	static struct loaded loaded;
	struct set_entry *entry;

	if (!load(path, &loaded, report))
		return;
	set->entry = reallocarray(set->entry, set->n + 1, sizeof(*set->entry));
	if (!set->entry)
		abort();
	entry = &set->entry[set->n++];
	*entry = (struct set_entry){strdup(path), loaded.policy,
				    strndup(loaded.text, loaded.len), loaded.len};
	if (!entry->path || !entry->text)
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

bool set_add(struct set *set, const char *operand, struct report *report)
{
	char place[sizeof(PLACE) + POLICY_NAME_MAX + sizeof(SUFFIX)];
	struct stat st;
	bool found = !stat(operand, &st);

	if (found && S_ISDIR(st.st_mode)) {
		add_dir(set, operand, report);
		return true;
	}
	if (!found && policy_name_ok(operand)) {
		snprintf(place, sizeof(place), PLACE "%s" SUFFIX, operand);
		operand = place;
	}
	add_file(set, operand, report);
	return false;
}

unsigned set_find(const struct set_entry *entry, const char *section, const char *key,
		  char value[POLICY_LINE_MAX + 1])
{
	struct text text;
	struct text_line line;
	enum text_kind kind;
	unsigned found = 0;
	bool inside = false;

	value[0] = '\0';
	text_init(&text, entry->text, entry->len);
	while ((kind = text_next(&text, &line)) != TEXT_END) {
		if (kind == TEXT_SECTION)
			inside = !strcmp(line.name, section);
		if (kind != TEXT_KEY || !inside || strcmp(line.name, key))
			continue;
		snprintf(value, POLICY_LINE_MAX + 1, "%s", line.value);
		found = line.number;
	}
	return found;
}

unsigned set_line(const struct set_entry *entry, const char *key, unsigned number)
{
	char name[64], value[POLICY_LINE_MAX + 1];

	snprintf(name, sizeof(name), "%s%u", key, number);
	return set_find(entry,
			class_info(entry->policy.class, entry->policy.door)->section,
			name, value);
}

void set_print_client(const struct policy *policy)
{
	if (policy->any_domain)
		printf("%s (client any:%s)", policy->name, policy->tag);
	else
		printf("%s (client %u)", policy->name, policy->domain.v);
}

void set_check(const struct set *set, struct report *report)
{
	set_check_pairs(set, report);
	set_check_links(set, report);
	set_check_sounds(set, report);
	set_check_displays(set, report);
	set_check_buses(set, report);
	set_check_networks(set, report);
}

void set_free(struct set *set)
{
	for (unsigned i = 0; i < set->n; i++) {
		free(set->entry[i].path);
		free(set->entry[i].text);
	}
	free(set->entry);
}
