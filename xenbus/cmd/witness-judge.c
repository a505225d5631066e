/* SPDX-License-Identifier: MIT */
/* What of a driver domain's grants and events is not explained: see witness-judge.h. */
#include "xenbus/cmd/witness-judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "xenbus/cmd/witness-finding.h"

struct judge {
	struct scene *scene;
	struct findings *out;
	const char *boot; /* that all logs should have */
	/* Of each instance: what its log can no longer be relied on for, or NULL. */
	struct finding *doubt[INSTANCES_MAX];
	/* What is left of the pages that lines had no room for. */
	struct record_unlisted unlisted[INSTANCES_MAX][POLICY_PURPOSE_POOL + 1];
};

static struct instance *instance_at(const struct judge *j, unsigned i)
{
	return j->scene->instances.at[i];
}

/* -- Policies and logs ------------------------------------------------------------ */

static void set_detail(struct finding *f, const char *text)
{
	snprintf(f->detail, sizeof(f->detail), "%s", text);
}

/* The newest log's: those of an earlier boot are older. */
static const char *newest_boot(const struct scene *scene)
{
	const char *boot = NULL, *at = "";

	for (unsigned i = 0; i < scene->instances.n; i++) {
		const struct record *log = &scene->instances.at[i]->log;

		if (*log->boot && strcmp(log->started, at) >= 0) {
			at = log->started;
			boot = log->boot;
		}
	}
	return boot;
}

/* What is wrong with the log as such; FINDING_KINDS: nothing. */
static enum finding_kind log_fault(const struct judge *j, const struct instance *i)
{
	const struct record *log = &i->log;

	switch (log->state) {
	case RECORD_ABSENT:
		return AUDIT_MISSING;
	case RECORD_UNREADABLE:
		return AUDIT_UNREAD;
	case RECORD_BROKEN:
		return AUDIT_CHAIN;
	case RECORD_ODD:
		return AUDIT_ODD;
	case RECORD_EMPTY:
		return log->first ? FINDING_KINDS : AUDIT_SILENT;
	case RECORD_GOOD:
		break;
	}
	if (j->boot && *log->boot && strcmp(log->boot, j->boot))
		return AUDIT_BOOT;
	if (log->domid != RECORD_NONE && log->domid != j->scene->domain.v)
		return AUDIT_DOMAIN;
	return FINDING_KINDS;
}

static void set_log_detail(const struct judge *j, struct finding *f,
			   const struct instance *i)
{
	if (f->kind == AUDIT_UNREAD)
		set_detail(f, strerror(-i->log.err));
	else if (f->kind == AUDIT_CHAIN || f->kind == AUDIT_ODD)
		set_detail(f, i->log.where);
	else if (f->kind == AUDIT_BOOT)
		snprintf(f->detail, sizeof(f->detail), "%s, not %s", i->log.boot,
			 j->boot);
	else if (f->kind == AUDIT_DOMAIN)
		snprintf(f->detail, sizeof(f->detail), "%u", i->log.domid);
}

static void judge_instance(struct judge *j, unsigned at)
{
	struct instance *i = instance_at(j, at);
	enum finding_kind fault = log_fault(j, i);
	struct finding *f = NULL;

	memcpy(j->unlisted[at], i->log.unlisted, sizeof(j->unlisted[at]));
	i->ring = i->data = i->ports = 0;
	if (!*i->path) {
		f = finding_get(j->out, AUDIT_STRAY, i, i->log.client, 0);
	} else if (!i->class) {
		f = finding_get(j->out, POLICY_BAD, i, i->log.client, 0);
		set_detail(f, i->why);
	} else if (fault != FINDING_KINDS) {
		f = finding_get(j->out, fault, i, i->client, 0);
		set_log_detail(j, f, i);
	} else if (*i->log.policy && strcmp(i->log.policy, i->digest)) {
		finding_get(j->out, POLICY_EDITED, i, i->client, 0);
	}
	if (!i->class)
		i->client = i->log.client;
	j->doubt[at] = f;
}

/* -- Pages --------------------------------------------------------------------------
 */

/* What Xen shows of one page of @client, and which instances registered it. */
struct page {
	struct domid client;
	const struct usage_row *row;
	unsigned times, writable; /* registered */
	struct instance *by;	  /* one that did, and what its log says */
	const struct record_page *as;
	bool clients; /* some policy names this client */
	struct finding *doubt;
};

static bool refs_allow(const struct policy *p, struct gref ref)
{
	return ref.v >= p->first_ref.v && ref.v <= p->last_ref.v;
}

/* By these keys, in the order of the policy file. POLICY_KEY_COUNT: it does. */
static enum policy_key key_against(const struct policy *p, uint8_t purpose,
				   struct gref ref, bool writable)
{
	unsigned use = writable ? POLICY_WRITABLE : POLICY_READABLE;
	bool ring = purpose == POLICY_PURPOSE_RING;

	if (purpose == POLICY_PURPOSE_DATA && p->mode != POLICY_MAP)
		return POLICY_KEY_MODE;
	if (purpose == POLICY_PURPOSE_POOL && p->mode != POLICY_POOL)
		return POLICY_KEY_MODE;
	if (!ring && !(p->client_pages & use))
		return POLICY_KEY_CLIENT_PAGES;
	if ((!ring || p->mode == POLICY_GRANT) && !refs_allow(p, ref))
		return POLICY_KEY_GRANT_REFS;
	return POLICY_KEY_COUNT;
}

static void collect(const struct judge *j, struct page *page)
{
	for (unsigned n = 0; n < j->scene->instances.n; n++) {
		struct instance *i = instance_at(j, n);
		const struct record_page *as;

		if (i->client != page->client.v)
			continue;
		page->clients |= i->class != NULL;
		page->doubt = page->doubt ? page->doubt : j->doubt[n];
		if (!i->class)
			continue;
		as = record_page_of(&i->log, page->client, page->row->ref);
		if (!as)
			continue;
		page->times += as->times;
		page->writable += as->writable;
		if (!page->as || as->writable) {
			page->as = as;
			page->by = i;
		}
	}
}

static void count(struct instance *i, uint8_t purpose)
{
	*(purpose == POLICY_PURPOSE_RING ? &i->ring : &i->data) += 1;
}

/* Where a log has no such page: one of those that its lines had no room for? */
static bool is_unlisted(struct judge *j, const struct page *page)
{
	bool writable = page->row->writable;

	for (unsigned n = 0; n < j->scene->instances.n; n++) {
		struct instance *i = instance_at(j, n);

		for (uint8_t p = 0; i->class && i->client == page->client.v &&
				    p <= POLICY_PURPOSE_POOL;
		     p++) {
			struct record_unlisted *left = &j->unlisted[n][p];

			if (!left->pages || (writable && !left->writable) ||
			    key_against(&i->policy, p, page->row->ref, writable) !=
				    POLICY_KEY_COUNT)
				continue;
			left->pages--;
			left->writable -= writable || left->writable > left->pages;
			count(i, p);
			return true;
		}
	}
	return false;
}

/* A log that does not tell of maps, or has dropped lines and is accepted so: then the
 * policy alone says what may be. */
static bool by_policy(const struct judge *j, const struct instance *i)
{
	return i->policy.audit_level == POLICY_AUDIT_CHANGES ||
	       (i->log.first && j->scene->accept_dropped);
}

static bool is_allowed(struct judge *j, const struct page *page)
{
	for (unsigned n = 0; n < j->scene->instances.n; n++) {
		struct instance *i = instance_at(j, n);
		const struct policy *p = &i->policy;
		uint8_t data = p->mode == POLICY_POOL ? POLICY_PURPOSE_POOL
						      : POLICY_PURPOSE_DATA;
		bool is_data;

		if (i->client != page->client.v || !i->class || !by_policy(j, i))
			continue;
		is_data = key_against(p, data, page->row->ref, page->row->writable) ==
				  POLICY_KEY_COUNT &&
			  i->data < p->data_pages;
		if (!is_data && i->ring >= p->ring_pages)
			continue;
		count(i, is_data ? data : POLICY_PURPOSE_RING);
		return true;
	}
	return false;
}

/* Does any policy of this client let data be written? */
static bool may_write(const struct judge *j, struct domid client)
{
	for (unsigned n = 0; n < j->scene->instances.n; n++) {
		const struct instance *i = instance_at(j, n);

		if (i->client == client.v && i->class &&
		    i->policy.client_pages & POLICY_WRITABLE)
			return true;
	}
	return false;
}

/* That a log of @client has dropped lines, or NULL: none has. */
static struct finding *dropped(const struct judge *j, struct domid client)
{
	for (unsigned n = 0; n < j->scene->instances.n; n++) {
		const struct instance *i = instance_at(j, n);
		struct finding *f;

		if (i->client != client.v || !i->class || !i->log.first)
			continue;
		f = finding_get(j->out, AUDIT_DROPPED, i, client.v, 0);
		if (!*f->detail)
			snprintf(f->detail, sizeof(f->detail), "%" PRIu64,
				 i->log.first);
		return f;
	}
	return NULL;
}

static void blame(struct judge *j, const struct page *page, enum finding_kind kind,
		  const struct instance *i)
{
	finding_add(finding_get(j->out, kind, i, page->client.v, 0), page->row->ref.v);
}

static void judge_unregistered(struct judge *j, const struct page *page)
{
	struct finding *doubt = page->doubt;

	if (is_unlisted(j, page) || is_allowed(j, page))
		return;
	if (!doubt)
		doubt = dropped(j, page->client);
	if (doubt)
		finding_add(doubt, page->row->ref.v);
	else if (!page->clients)
		blame(j, page, MAP_NO_POLICY, NULL);
	else if (page->row->writable && !may_write(j, page->client))
		blame(j, page, MAP_READ_ONLY_CLIENT, NULL);
	else
		blame(j, page, MAP_NOT_LOGGED, NULL);
}

static void judge_registered(struct judge *j, const struct page *page)
{
	const struct usage_row *row = page->row;
	enum policy_key key = key_against(&page->by->policy, page->as->purpose,
					  row->ref, row->writable);
	struct finding *f;

	count(page->by, page->as->purpose);
	if (row->writable && !page->writable) {
		blame(j, page, MAP_WRITABLE, page->by);
	} else if (key != POLICY_KEY_COUNT) {
		f = finding_get(j->out, MAP_OUTSIDE, page->by, page->client.v, 0);
		snprintf(f->detail, sizeof(f->detail), "%s, line %u",
			 policy_key_name(key), page->by->policy.line[key]);
		finding_add(f, row->ref.v);
	} else if ((unsigned)row->writable + row->readable >
		   page->times * j->scene->pins) {
		blame(j, page, MAP_TOO_OFTEN, page->by);
	}
}

static bool has_device(const struct scene *scene, struct domid front, struct domid back)
{
	for (unsigned i = 0; i < scene->devices; i++) {
		if (scene->device[i].front.v == front.v &&
		    scene->device[i].back.v == back.v)
			return true;
	}
	return false;
}

/* The control domain may; another driver domain's is judged by its own policies. */
static void judge_other(struct judge *j, struct domid owner,
			const struct usage_row *row)
{
	if (!row->user.v || has_device(j->scene, owner, row->user))
		return;
	finding_add(finding_get(j->out, MAP_BY_OTHER, NULL, owner.v, row->user.v),
		    row->ref.v);
}

static void judge_table(struct judge *j, const struct usage_table *table)
{
	const struct domid us = j->scene->domain;

	for (size_t i = 0; i < table->rows; i++) {
		const struct usage_row *row = &j->scene->usage.row[table->first + i];
		struct page page = {.client = table->id, .row = row};

		if (row->user.v == table->id.v)
			continue; /* its own */
		if (row->user.v != us.v) {
			judge_other(j, table->id, row);
			continue;
		}
		collect(j, &page);
		if (page.times)
			judge_registered(j, &page);
		else
			judge_unregistered(j, &page);
	}
}

static void judge_quota(struct judge *j, const struct instance *i)
{
	const struct policy *p = &i->policy;
	bool ring = i->ring > p->ring_pages;
	enum policy_key key = ring ? POLICY_KEY_RING_PAGES : policy_data_key(p);
	struct finding *f;

	if (!i->class)
		return;
	if (ring || i->data > p->data_pages) {
		f = finding_get(j->out, MAP_TOO_MANY, i, i->client, 0);
		f->n = ring ? i->ring : i->data;
		snprintf(f->detail, sizeof(f->detail), "%u (%s, line %u)",
			 ring ? p->ring_pages : p->data_pages, policy_key_name(key),
			 p->line[key]);
	}
	if (i->ports > p->ring_pages) {
		f = finding_get(j->out, EVENT_TOO_MANY, i, i->client, 0);
		f->n = i->ports;
		snprintf(f->detail, sizeof(f->detail), "%u (%s, line %u)",
			 p->ring_pages, policy_key_name(POLICY_KEY_RING_PAGES),
			 p->line[POLICY_KEY_RING_PAGES]);
	}
}

/* -- Event channels ------------------------------------------------------------------
 */

static bool is_named(const struct scene *scene, const struct scene_port *port)
{
	for (unsigned i = 0; i < scene->nameds; i++) {
		if (scene->named[i].port.v == port->port.v &&
		    scene->named[i].remote.v == port->remote.v)
			return true;
	}
	return false;
}

static bool has_bind(const struct record *log, const struct scene_port *port)
{
	for (unsigned i = 0; i < log->binds; i++) {
		const struct record_bind *bind = &log->bind[i];

		if (bind->local == port->port.v &&
		    bind->remote == port->remote_port.v &&
		    (bind->client.v == port->remote.v || bind->client.v == RECORD_ANY))
			return true;
	}
	return false;
}

/* A client's. What does not explain it: see witness-judge.h. */
static void judge_client_port(struct judge *j, const struct scene_port *port)
{
	enum finding_kind kind = EVENT_NO_POLICY;
	struct finding *doubt = NULL;

	for (unsigned n = 0; n < j->scene->instances.n; n++) {
		struct instance *i = instance_at(j, n);

		if (i->client != port->remote.v)
			continue;
		if (i->class && port->state == PORT_INTERDOMAIN &&
		    (has_bind(&i->log, port) ||
		     (i->log.first && j->scene->accept_dropped))) {
			i->ports++;
			return;
		}
		if (i->class)
			kind = EVENT_NOT_BOUND;
		doubt = doubt ? doubt : j->doubt[n];
	}
	if (!doubt)
		doubt = dropped(j, port->remote);
	if (doubt && doubt->ports < FINDING_PORTS)
		doubt->port[doubt->ports++] = port->port.v;
	else if (!doubt)
		finding_add(
			finding_get(j->out,
				    port->state == PORT_UNBOUND ? EVENT_OFFERED : kind,
				    NULL, port->remote.v, 0),
			port->port.v);
}

static void judge_port(struct judge *j, const struct scene_port *port)
{
	if (port->state == PORT_OTHER || port->remote.v == j->scene->domain.v ||
	    is_named(j->scene, port))
		return;
	if (port->remote.v)
		judge_client_port(j, port);
	else
		finding_add(finding_get(j->out, EVENT_CONTROL, NULL, 0, 0),
			    port->port.v);
}

void judge(struct scene *scene, struct findings *out)
{
	static struct judge j;
	const struct usage_table *us = usage_of(&scene->usage, scene->domain);

	*out = (struct findings){.n = 0};
	j = (struct judge){.scene = scene, .out = out};
	j.boot = scene->boot ? scene->boot : newest_boot(scene);
	for (unsigned i = 0; i < scene->instances.n; i++)
		judge_instance(&j, i);
	for (size_t i = 0; i < scene->usage.tables; i++)
		judge_table(&j, &scene->usage.table[i]);
	for (unsigned i = 0; i < scene->ports; i++)
		judge_port(&j, &scene->port[i]);
	for (unsigned i = 0; i < scene->instances.n; i++)
		judge_quota(&j, instance_at(&j, i));
	if (us && us->maptrack_max && us->maptrack >= us->maptrack_max)
		finding_get(out, MAPTRACK_FULL, NULL, RECORD_NONE, 0)->n = us->maptrack;
}
