/* SPDX-License-Identifier: MIT */
/*
 * What two policies of one driver domain may not say together: see set.h.
 *
 * Two clients are the same for certain (one number, or any with one tag),
 * perhaps (any and a number), or never. What holds for certain is an error,
 * what holds perhaps a warning.
 */
#include <string.h>
#include <sys/stat.h>

#include "policy/class.h"
#include "policy/cmd/set.h"

enum sameness { NEVER, PERHAPS, CERTAINLY };

static enum sameness same_client(const struct policy *a, const struct policy *b)
{
	if (!a->any_domain && !b->any_domain)
		return a->domain.v == b->domain.v ? CERTAINLY : NEVER;
	if (a->any_domain && b->any_domain && !strcmp(a->tag, b->tag))
		return CERTAINLY;
	return PERHAPS;
}

static bool other_tag(const struct policy *a, const struct policy *b)
{
	return a->tag[0] && b->tag[0] && strcmp(a->tag, b->tag);
}

static void check_device(const struct set_entry *a, const struct set_entry *b,
			 struct report *report)
{
	const struct policy *p = &a->policy, *q = &b->policy;
	enum sameness same = same_client(p, q);
	unsigned line = q->line[POLICY_KEY_DEVICE];
	uint32_t id_p, id_q;

	/* Two tags choose between two resources for one device: no conflict. */
	if (p->class != q->class || p->door != q->door || other_tag(p, q) ||
	    same == NEVER || !class_device_id(p->class, p->device, &id_p) ||
	    !class_device_id(q->class, q->device, &id_q) || id_p != id_q)
		return;
	if (same == CERTAINLY)
		report_error(report, b->path, line,
			     "device %s of this client is served by %s already; give "
			     "each device to one policy",
			     q->device, p->name);
	else
		report_warning(report, b->path, line,
			       "device %s may be served by %s as well; give both "
			       "policies a Tag, or both a domain's number",
			       q->device, p->name);
}

/* The same file or device, by whatever name, as far as it exists here. */
static bool same_resource(const char *a, const char *b)
{
	struct stat x, y;

	if (a[0] != '/' || b[0] != '/') /* memory:, null: are each instance's own */
		return false;
	if (!strcmp(a, b))
		return true;
	if (stat(a, &x) || stat(b, &y))
		return false;
	if (S_ISBLK(x.st_mode) && S_ISBLK(y.st_mode))
		return x.st_rdev == y.st_rdev;
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void check_resource(const struct set_entry *a, const struct set_entry *b,
			   struct report *report)
{
	const struct policy *p = &a->policy, *q = &b->policy;

	if (p->class != POLICY_BLK || q->class != POLICY_BLK)
		return;
	if ((p->read_only && q->read_only) || !same_resource(p->resource, q->resource))
		return;
	report_error(
		report, b->path, q->line[POLICY_KEY_RESOURCE],
		"%s is %s's as well, and one of them writes; give each its own, or "
		"say ReadOnly = yes in both",
		q->resource, p->name);
}

static bool copies(const struct policy *policy)
{
	return policy->mode == POLICY_COPY || policy->mode == POLICY_GRANT;
}

static void check_references(const struct set_entry *a, const struct set_entry *b,
			     struct report *report)
{
	const struct policy *p = &a->policy, *q = &b->policy;
	const char *why = NULL;

	if (same_client(p, q) == NEVER || !p->data_pages || !q->data_pages ||
	    p->first_ref.v > q->last_ref.v || q->first_ref.v > p->last_ref.v)
		return;
	if (copies(p) || copies(q))
		why = "copies are kept apart by ranges alone";
	else if (!p->exclusive || !q->exclusive)
		why = "Exclusive = no lets both map one reference";
	if (why)
		report_warning(
			report, b->path, q->line[POLICY_KEY_GRANT_REFS],
			"GrantRefs %u-%u overlaps %u-%u of %s, and %s; give each "
			"its own range if the client can keep to it",
			q->first_ref.v, q->last_ref.v, p->first_ref.v, p->last_ref.v,
			p->name, why);
}

static void check_isolation(const struct set_entry *a, const struct set_entry *b,
			    struct report *report)
{
	bool domain = a->policy.isolation == POLICY_DOMAIN ||
		      b->policy.isolation == POLICY_DOMAIN;

	if (!domain || (!a->policy.any_domain && !b->policy.any_domain &&
			a->policy.domain.v == b->policy.domain.v))
		return;
	report_error(report, b->path, b->policy.line[POLICY_KEY_DOMAIN],
		     "another client than %s's, in a driver domain with Isolation = "
		     "domain; say Isolation = process in both, or move one to another "
		     "driver domain",
		     a->policy.name);
}

void set_check_pairs(const struct set *set, struct report *report)
{
	for (unsigned i = 0; i < set->n; i++) {
		for (unsigned j = i + 1; j < set->n; j++) {
			const struct set_entry *a = &set->entry[i], *b = &set->entry[j];

			if (!strcmp(a->policy.name, b->policy.name))
				report_error(
					report, b->path, 0,
					"an instance of this name is in %s; rename "
					"one of them",
					a->path);
			check_device(a, b, report);
			check_resource(a, b, report);
			check_references(a, b, report);
			check_isolation(a, b, report);
		}
	}
}
