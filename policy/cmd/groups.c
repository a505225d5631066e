/* SPDX-License-Identifier: MIT */
/*
 * Isolation groups: instances that share memory which more than one of their back ends
 * writes. The two of a named link, and all whose sound is mixed: see set.h.
 *
 * An instance has one Resource, so it is in one group at most; that of a link has no
 * more than two, and there is one of what is mixed.
 */
#include <stdio.h>
#include <string.h>

#include "backends/snd/snd-policy.h"
#include "policy/class.h"
#include "policy/cmd/answer.h"
#include "policy/cmd/set.h"

/* What joins instances, and what that gives up. */
struct group_kind {
	const char *word, *head;
	/* The name of what joins @entry with others, or NULL: nothing does. */
	const char *(*name)(const struct set_entry *entry);
	const char *means;
};

static const char *link_name(const struct set_entry *entry)
{
	return class_link(&entry->policy);
}

static const char *mixed_name(const struct set_entry *entry)
{
	struct snd_policy sound;

	return snd_policy_read(&entry->policy, entry->text, entry->len, &sound) &&
			       sound.mixed
		       ? entry->policy.resource
		       : NULL;
}

static const struct group_kind links = {
	"link", "LINK", link_name,
	"What the policy of one lets its client send reaches the other with no kernel "
	"between."};
static const struct group_kind mixes = {
	"mixed", "MIXED", mixed_name,
	"Their back ends trust what each of them writes: who takes over one may take "
	"over all."};

static bool same_group(const struct group_kind *kind, const struct set_entry *a,
		       const struct set_entry *b)
{
	const char *x = kind->name(a), *y = kind->name(b);

	return x && y && !strcmp(x, y);
}

/* How many before @n are in the group of entry @n. */
static unsigned members_before(const struct group_kind *kind, const struct set *set,
			       unsigned n)
{
	unsigned members = 0;

	for (unsigned i = 0; i < n; i++)
		members += same_group(kind, &set->entry[i], &set->entry[n]);
	return members;
}

static bool is_alone(const struct group_kind *kind, const struct set *set, unsigned n)
{
	for (unsigned i = 0; i < set->n; i++) {
		if (i != n && same_group(kind, &set->entry[i], &set->entry[n]))
			return false;
	}
	return true;
}

void set_check_links(const struct set *set, struct report *report)
{
	for (unsigned i = 0; i < set->n; i++) {
		const struct set_entry *entry = &set->entry[i];
		unsigned line = entry->policy.line[POLICY_KEY_RESOURCE];
		const char *name = link_name(entry);

		if (!name)
			continue;
		if (is_alone(&links, set, i))
			report_warning(report, entry->path, line,
				       "nobody is at the other end of link:%s; name it "
				       "in one policy more",
				       name);
		if (members_before(&links, set, i) == 2)
			report_error(report, entry->path, line,
				     "link:%s has two ends, and two others have them; "
				     "give each two policies a link of their own",
				     name);
	}
}

/* The group of entry @first, which is its first. */
static void print_group(const struct group_kind *kind, const struct set *set,
			unsigned first)
{
	printf("%-20s ", kind->name(&set->entry[first]));
	for (unsigned i = first; i < set->n; i++) {
		if (!same_group(kind, &set->entry[first], &set->entry[i]))
			continue;
		if (i != first)
			printf(" and ");
		set_print_client(&set->entry[i].policy);
	}
	putchar('\n');
}

/* Entry @n is the first of a group of two or more. */
static bool is_first(const struct group_kind *kind, const struct set *set, unsigned n)
{
	return kind->name(&set->entry[n]) && !is_alone(kind, set, n) &&
	       !members_before(kind, set, n);
}

static void print_kind(const struct group_kind *kind, const struct set *set)
{
	bool any = false;

	for (unsigned i = 0; i < set->n; i++) {
		if (!is_first(kind, set, i))
			continue;
		if (!any)
			printf("\n%-20s %s\n", kind->head, "ONE ISOLATION GROUP");
		any = true;
		print_group(kind, set, i);
	}
	if (any)
		printf("%s\n", kind->means);
}

void set_print_groups(const struct set *set)
{
	print_kind(&links, set);
	print_kind(&mixes, set);
}

static void add_group(json_t *groups, const struct group_kind *kind,
		      const struct set *set, unsigned first)
{
	json_t *instances = json_array();

	for (unsigned i = first; i < set->n; i++) {
		if (same_group(kind, &set->entry[first], &set->entry[i]))
			json_array_append_new(instances,
					      json_string(set->entry[i].policy.name));
	}
	json_array_append_new(
		groups, json_pack("{s:s, s:o, s:o, s:s}", "kind", kind->word, "name",
				  answer_text(kind->name(&set->entry[first])),
				  "instances", instances, "meaning", kind->means));
}

json_t *set_groups(const struct set *set)
{
	const struct group_kind *const kinds[] = {&links, &mixes};
	json_t *groups = json_array();

	for (unsigned k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		for (unsigned i = 0; i < set->n; i++) {
			if (is_first(kinds[k], set, i))
				add_group(groups, kinds[k], set, i);
		}
	}
	return groups;
}
