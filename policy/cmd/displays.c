/* SPDX-License-Identifier: MIT */
/*
 * Connectors of the host: who shows on which, and which two instances both name what
 * has one user: see set.h.
 */
#include <stdio.h>
#include <string.h>

#include "backends/displ/displ-policy.h"
#include "backends/displ/displ-resource.h"
#include "policy/cmd/answer.h"
#include "policy/cmd/set.h"

static bool read_display(const struct set_entry *entry, struct displ_policy *out)
{
	return displ_policy_read(&entry->policy, entry->text, entry->len, out);
}

static bool is_of(const struct set_entry *entry, enum displ_resource kind)
{
	return displ_resource_of(entry->policy.resource) == kind;
}

/* By its node: "drm:" and "lease:" may both name it. */
static bool same_card(const struct set_entry *a, const struct set_entry *b)
{
	return (is_of(a, DISPL_RESOURCE_DRM) || is_of(a, DISPL_RESOURCE_LEASE)) &&
	       (is_of(b, DISPL_RESOURCE_DRM) || is_of(b, DISPL_RESOURCE_LEASE)) &&
	       !strcmp(displ_resource_path(a->policy.resource),
		       displ_resource_path(b->policy.resource));
}

/* What is lent to one is not to be had by another. */
static void check_leases(const struct set_entry *entry,
			 const struct displ_policy *displ,
			 const struct set_entry *other, const struct displ_policy *more,
			 struct report *report)
{
	for (uint32_t i = 0; i < displ->heads; i++) {
		for (uint32_t k = 0; k < more->heads; k++) {
			if (!strcmp(displ->head[i].name, more->head[k].name))
				report_error(report, other->path,
					     set_line(other, "Connector", k),
					     "Display.Connector%u is %s, as is "
					     "Connector%u of %s; allowed: a connector "
					     "of its own for each instance of a card",
					     k, more->head[k].name, i,
					     entry->policy.name);
		}
	}
}

/* A card has one master, whichever of its connectors that wants. */
static void check_card(const struct set_entry *entry, const struct displ_policy *displ,
		       const struct set_entry *other, const struct displ_policy *more,
		       struct report *report)
{
	const char *resource = other->policy.resource, *name = entry->policy.name;
	unsigned line = other->policy.line[POLICY_KEY_RESOURCE];

	if (strcmp(resource, entry->policy.resource))
		report_error(report, other->path, line,
			     "Resource is %s, and that of %s is %s: a card has one "
			     "master; allowed: lease: in both",
			     resource, name, entry->policy.resource);
	else if (is_of(other, DISPL_RESOURCE_LEASE))
		check_leases(entry, displ, other, more, report);
	else
		report_warning(report, other->path, line,
			       "Resource is %s, as is that of %s: a card has one "
			       "master, and the second will not start; with "
			       "lease:%s in both they share it, by connectors",
			       resource, name, displ_resource_path(resource));
}

static void check_files(const struct set_entry *entry, const struct displ_policy *displ,
			const struct set_entry *other, const struct displ_policy *more,
			struct report *report)
{
	for (uint32_t i = 0; i < displ->heads; i++) {
		for (uint32_t k = 0; k < more->heads; k++) {
			if (!strcmp(displ->head[i].name, more->head[k].name))
				report_warning(report, other->path,
					       set_line(other, "Connector", k),
					       "Display.Connector%u is %s, as is "
					       "Connector%u of %s: both write one "
					       "file; name another in one of them",
					       k, more->head[k].name, i,
					       entry->policy.name);
		}
	}
}

static void check_two(const struct set_entry *entry, const struct displ_policy *displ,
		      const struct set_entry *other, struct report *report)
{
	struct displ_policy more;

	if (!read_display(other, &more))
		return;
	if (same_card(entry, other))
		check_card(entry, displ, other, &more, report);
	if (is_of(entry, DISPL_RESOURCE_PNG) &&
	    !strcmp(entry->policy.resource, other->policy.resource))
		check_files(entry, displ, other, &more, report);
}

void set_check_displays(const struct set *set, struct report *report)
{
	struct displ_policy displ;

	for (unsigned i = 0; i < set->n; i++) {
		if (!read_display(&set->entry[i], &displ))
			continue;
		for (unsigned k = i + 1; k < set->n; k++)
			check_two(&set->entry[i], &displ, &set->entry[k], report);
	}
}

/* Each connector that an instance shows on. */
static void each_head(const struct set *set,
		      void (*each)(void *owner, const struct set_entry *entry,
				   const char *connector),
		      void *owner)
{
	struct displ_policy displ;

	for (unsigned i = 0; i < set->n; i++) {
		if (!read_display(&set->entry[i], &displ))
			continue;
		for (uint32_t k = 0; k < displ.heads; k++)
			each(owner, &set->entry[i], displ.head[k].name);
	}
}

static void print_head(void *owner, const struct set_entry *entry,
		       const char *connector)
{
	bool *any = owner;

	if (!*any)
		printf("\n%-20s %-20s %s\n", "SHOWN ON", "OF", "BY");
	*any = true;
	printf("%-20s %-20s ", connector, entry->policy.resource);
	set_print_client(&entry->policy);
	putchar('\n');
}

static void add_head(void *owner, const struct set_entry *entry, const char *connector)
{
	json_array_append_new(owner, json_pack("{s:o, s:o, s:s}", "connector",
					       answer_text(connector), "resource",
					       answer_text(entry->policy.resource),
					       "instance", entry->policy.name));
}

void set_print_displays(const struct set *set)
{
	bool any = false;

	each_head(set, print_head, &any);
}

json_t *set_displays(const struct set *set)
{
	json_t *array = json_array();

	each_head(set, add_head, array);
	return array;
}
