/* SPDX-License-Identifier: MIT */
/*
 * Named links: which two instances each joins: see set.h.
 *
 * An instance has one Resource, so it is in one group at most, and a group has no more
 * than two of them.
 */
#include <stdio.h>
#include <string.h>

#include "policy/class.h"
#include "policy/cmd/set.h"

static bool same_link(const struct set_entry *a, const struct set_entry *b)
{
	const char *x = class_link(&a->policy), *y = class_link(&b->policy);

	return x && y && !strcmp(x, y);
}

/* How many before @n name what entry @n does. */
static unsigned ends_before(const struct set *set, unsigned n)
{
	unsigned ends = 0;

	for (unsigned i = 0; i < n; i++)
		ends += same_link(&set->entry[i], &set->entry[n]);
	return ends;
}

static const struct set_entry *other_end(const struct set *set, unsigned n)
{
	for (unsigned i = 0; i < set->n; i++) {
		if (i != n && same_link(&set->entry[i], &set->entry[n]))
			return &set->entry[i];
	}
	return NULL;
}

void set_check_links(const struct set *set, struct report *report)
{
	for (unsigned i = 0; i < set->n; i++) {
		const struct set_entry *entry = &set->entry[i];
		unsigned line = entry->policy.line[POLICY_KEY_RESOURCE];
		const char *name = class_link(&entry->policy);

		if (!name)
			continue;
		if (!other_end(set, i))
			report_warning(report, entry->path, line,
				       "nobody is at the other end of link:%s; name it "
				       "in one policy more",
				       name);
		if (ends_before(set, i) == 2)
			report_error(report, entry->path, line,
				     "link:%s has two ends, and two others have them; "
				     "give each two policies a link of their own",
				     name);
	}
}

void set_print_links(const struct set *set)
{
	bool any = false;

	for (unsigned i = 0; i < set->n; i++) {
		const struct policy *policy = &set->entry[i].policy;
		const struct set_entry *other = other_end(set, i);

		if (!other || ends_before(set, i))
			continue;
		if (!any)
			printf("\n%-20s %s\n", "LINK", "ONE ISOLATION GROUP");
		any = true;
		printf("%-20s ", class_link(policy));
		set_print_client(policy);
		printf(" and ");
		set_print_client(&other->policy);
		putchar('\n');
	}
	if (any)
		printf("What the policy of one lets its client send reaches the other "
		       "with no kernel between.\n");
}
