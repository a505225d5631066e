/* SPDX-License-Identifier: MIT */
/* What is known of one driver domain, for an assessor: see assess.h. */
#include "policy/cmd/assess.h"

#include <sha2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cmd/assess-points.h"

void assess_digest(const char *text, size_t len, char out[ENTRY_HASH])
{
	SHA256Data((const uint8_t *)text, len, out);
}

static enum assess_way way_of(const struct policy *policy)
{
	if (!policy->data_pages)
		return ASSESS_RINGS;
	if (policy->mode == POLICY_POOL)
		return ASSESS_POOL;
	return policy->mode == POLICY_MAP ? ASSESS_MAPS : ASSESS_COPIES;
}

static const struct assess_log *log_of(const struct assess *a, const char *name)
{
	for (unsigned i = 0; i < a->logs; i++) {
		if (!strcmp(a->log[i].name, name))
			return &a->log[i];
	}
	return NULL;
}

static const struct witness_instance *seen_of(const struct assess *a, const char *name)
{
	for (size_t i = 0; i < a->witness.instances; i++) {
		if (!strcmp(a->witness.instance[i].name, name))
			return &a->witness.instance[i];
	}
	return NULL;
}

static struct assess_instance instance_of(const struct assess *a,
					  const struct set_entry *entry)
{
	const struct policy *policy = &entry->policy;
	struct assess_instance i = {
		.entry = entry,
		.way = way_of(policy),
		.at_once = policy->ring_pages,
		.log = log_of(a, policy->name),
		.seen = seen_of(a, policy->name),
	};

	assess_digest(entry->text, entry->len, i.digest);
	i.reads = i.way != ASSESS_RINGS && (policy->client_pages & POLICY_READABLE);
	i.writes = i.way != ASSESS_RINGS && (policy->client_pages & POLICY_WRITABLE);
	if (i.way == ASSESS_MAPS || i.way == ASSESS_POOL)
		i.at_once += policy->data_pages;
	return i;
}

/* -- Clients ---------------------------------------------------------------- */

/* By its number, if its policy or a log that is one chain says so. */
static uint32_t domain_of(const struct assess_instance *i)
{
	if (!i->entry->policy.any_domain)
		return i->entry->policy.domain.v;
	return i->log && !i->log->findings ? i->log->client : ASSESS_NOBODY;
}

static const struct assess_log *by_of(const struct assess_instance *i)
{
	return i->entry->policy.any_domain && domain_of(i) != ASSESS_NOBODY ? i->log
									    : NULL;
}

/* A number is a domain's for as long as it lives: of two logs, in one boot. */
static bool same_client(const struct assess_instance *x,
			const struct assess_instance *y)
{
	const struct assess_log *by_x = by_of(x), *by_y = by_of(y);

	if (domain_of(x) != domain_of(y))
		return false;
	if (domain_of(x) == ASSESS_NOBODY)
		return !strcmp(x->entry->policy.tag, y->entry->policy.tag);
	if (by_x && by_y)
		return !strcmp(by_x->sum.boot, by_y->sum.boot);
	return !by_x == !by_y;
}

static int compare(const void *a, const void *b)
{
	const struct assess_instance *x = a, *y = b;
	uint32_t m = domain_of(x), n = domain_of(y);
	const struct assess_log *by_x = by_of(x), *by_y = by_of(y);
	int order;

	if (m != n)
		return m < n ? -1 : 1;
	if (!by_x != !by_y)
		return by_x ? 1 : -1;
	order = by_x ? strcmp(by_x->sum.boot, by_y->sum.boot) : 0;
	if (!order && m == ASSESS_NOBODY)
		order = strcmp(x->entry->policy.tag, y->entry->policy.tag);
	return order ? order : strcmp(x->entry->policy.name, y->entry->policy.name);
}

static void add_to_client(struct assess_client *client, const struct assess_instance *i)
{
	const struct policy *policy = &i->entry->policy;
	bool mapped = i->way == ASSESS_MAPS || i->way == ASSESS_POOL;

	client->instances++;
	client->copying += i->way == ASSESS_COPIES;
	/* A page that is mapped writable can be read as well. */
	client->readable += i->at_once;
	client->writable += policy->ring_pages;
	if (mapped && i->writes)
		client->writable += policy->data_pages;
}

static void make_clients(struct assess *a)
{
	struct assess_instance *i = a->instance, *end = i + a->set->n;

	qsort(i, a->set->n, sizeof(*i), compare);
	a->client = calloc(a->set->n + 1, sizeof(*a->client));
	if (!a->client)
		abort();
	for (; i < end; i++) {
		if (i == a->instance || !same_client(i - 1, i))
			a->client[a->clients++] = (struct assess_client){
				.domain = domain_of(i),
				.by = by_of(i),
				.tag = i->entry->policy.tag,
			};
		i->client = a->clients - 1;
		add_to_client(&a->client[i->client], i);
	}
}

/* -- Isolation groups ------------------------------------------------------- */

static void set_group(struct assess *a, const char *name, unsigned group)
{
	for (unsigned i = 0; i < a->set->n; i++) {
		if (!strcmp(a->instance[i].entry->policy.name, name))
			a->instance[i].group = group;
	}
}

static void make_groups(struct assess *a)
{
	json_t *group, *name;
	size_t i, n;

	a->groups = set_groups(a->set);
	json_array_foreach(a->groups, i, group)
	{
		json_array_foreach(json_object_get(group, "instances"), n, name)
			set_group(a, json_string_value(name), (unsigned)i + 1);
	}
}

/* -------------------------------------------------------------------------- */

void assess_point(struct assess *a, enum assess_weight weight, const char *section,
		  const char *fmt, ...)
{
	struct assess_point point = {weight, section, NULL};
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&point.text, fmt, args) < 0)
		abort();
	va_end(args);
	a->point = reallocarray(a->point, a->points + 1, sizeof(point));
	if (!a->point)
		abort();
	a->point[a->points++] = point;
}

unsigned assess_count(const struct assess *a, enum assess_weight weight)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->points; i++)
		n += a->point[i].weight == weight;
	return n;
}

void assess_make(struct assess *a)
{
	a->instance = calloc(a->set->n + 1, sizeof(*a->instance));
	if (!a->instance)
		abort();
	for (unsigned i = 0; i < a->set->n; i++)
		a->instance[i] = instance_of(a, &a->set->entry[i]);
	make_clients(a);
	make_groups(a);
	assess_find_points(a);
}

void assess_free(struct assess *a)
{
	for (unsigned i = 0; i < a->logs; i++)
		assess_log_fini(&a->log[i]);
	for (unsigned i = 0; i < a->probes; i++)
		probe_fini(&a->probe[i].probe);
	for (unsigned i = 0; i < a->points; i++)
		free(a->point[i].text);
	witness_fini(&a->witness);
	json_decref(a->groups);
	free(a->log);
	free(a->probe);
	free(a->file);
	free(a->instance);
	free(a->client);
	free(a->point);
}
