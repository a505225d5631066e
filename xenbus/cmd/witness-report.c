/* SPDX-License-Identifier: MIT */
/* What was seen and judged, for a person or a program: see witness-report.h. */
#include "xenbus/cmd/witness-report.h"

#include <stdio.h>

#include "grant-mem/cmd/audit-print.h"
#include "xenbus/cmd/witness-finding.h"

void report_lines(const struct scene *scene, const struct findings *findings)
{
	static char why[FINDING_TEXT];

	for (unsigned i = 0; i < findings->n; i++) {
		finding_why(findings->at[i], why);
		print_text(scene->name);
		printf(": ");
		print_text(why);
		printf("; %s\n", finding_remedy(findings->at[i]->kind));
	}
	if (findings->more) {
		print_text(scene->name);
		printf(": and %u more; mend those above, and look again\n",
		       findings->more);
	}
}

/* What a hostile file says may be no text that JSON has; then it is null. */
static json_t *words(const char *text)
{
	json_t *value = *text ? json_string(text) : NULL;

	return value ? value : json_null();
}

static json_t *domain(uint32_t id)
{
	return id == RECORD_NONE ? json_null() : json_integer(id);
}

static json_t *both(uint32_t used, const char *max_name, uint32_t max)
{
	json_t *o = json_object();

	json_object_set_new(o, "frames", json_integer(used));
	json_object_set_new(o, max_name, json_integer(max));
	return o;
}

/* Of each domain whose pages the driver domain has mapped. */
static json_t *maps_of(const struct scene *s)
{
	json_t *list = json_array();

	for (size_t t = 0; t < s->usage.tables; t++) {
		const struct usage_table *table = &s->usage.table[t];
		uint32_t pages = 0, writable = 0;
		json_t *o;

		for (size_t i = table->first; i < table->first + table->rows; i++) {
			const struct usage_row *row = &s->usage.row[i];

			if (row->user.v != s->domain.v || table->id.v == s->domain.v)
				continue;
			pages++;
			writable += row->writable > 0;
		}
		if (!pages)
			continue;
		o = json_object();
		json_object_set_new(o, "client", json_integer(table->id.v));
		json_object_set_new(o, "pages", json_integer(pages));
		json_object_set_new(o, "writable", json_integer(writable));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *ports_of(const struct scene *s)
{
	unsigned count[PORT_OTHER + 1] = {0};
	json_t *o;

	if (!s->saw_ports)
		return json_null();
	for (unsigned i = 0; i < s->ports; i++)
		count[s->port[i].state]++;
	o = json_object();
	json_object_set_new(o, "unbound", json_integer(count[PORT_UNBOUND]));
	json_object_set_new(o, "interdomain", json_integer(count[PORT_INTERDOMAIN]));
	json_object_set_new(o, "other", json_integer(count[PORT_OTHER]));
	return o;
}

static const char *state_name(enum record_state state)
{
	static const char *const names[] = {
		[RECORD_GOOD] = "good",
		[RECORD_ABSENT] = "absent",
		[RECORD_UNREADABLE] = "unreadable",
		[RECORD_BROKEN] = "broken",
		[RECORD_ODD] = "odd",
		[RECORD_EMPTY] = "silent",
	};

	return names[state];
}

static json_t *log_of(const struct instance *i)
{
	const struct record *log = &i->log;
	json_t *o = json_object();

	json_object_set_new(o, "state", json_string(state_name(log->state)));
	json_object_set_new(o, "first_seq", json_integer((json_int_t)log->first));
	json_object_set_new(o, "last_seq", json_integer((json_int_t)log->last));
	json_object_set_new(o, "last_hash", words(log->head));
	json_object_set_new(o, "head_given", words(i->head));
	json_object_set_new(o, "policy_sha256", words(log->policy));
	json_object_set_new(o, "boot", words(log->boot));
	json_object_set_new(o, "started", words(log->started));
	json_object_set_new(o, "last", words(log->ended));
	json_object_set_new(o, "stopped", json_boolean(log->stopped));
	json_object_set_new(o, "registered_pages", json_integer(log->pages));
	return o;
}

static void set_policy(json_t *o, const struct instance *i)
{
	json_object_set_new(o, "policy_sha256", words(i->digest));
	if (!i->class)
		return;
	json_object_set_new(o, "class", json_string(i->class->name));
	json_object_set_new(o, "ring_pages_allowed",
			    json_integer(i->policy.ring_pages));
	json_object_set_new(o, "data_pages_allowed",
			    json_integer(i->policy.data_pages));
	json_object_set_new(
		o, "by_log",
		json_boolean(i->policy.audit_level == POLICY_AUDIT_DECISIONS));
}

static json_t *instances_of(const struct scene *s)
{
	json_t *list = json_array();

	for (unsigned n = 0; n < s->instances.n; n++) {
		const struct instance *i = s->instances.at[n];
		json_t *o = json_object();

		json_object_set_new(o, "instance", words(i->name));
		json_object_set_new(o, "client", domain(i->client));
		set_policy(o, i);
		json_object_set_new(o, "ring_pages", json_integer(i->ring));
		json_object_set_new(o, "data_pages", json_integer(i->data));
		json_object_set_new(o, "event_channels", json_integer(i->ports));
		json_object_set_new(o, "log", log_of(i));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *findings_of(const struct findings *findings)
{
	static char why[FINDING_TEXT];
	json_t *list = json_array();

	for (unsigned n = 0; n < findings->n; n++) {
		const struct finding *f = findings->at[n];
		json_t *o = json_object();

		finding_why(f, why);
		json_object_set_new(o, "kind", json_string(finding_name(f->kind)));
		json_object_set_new(o, "instance",
				    f->instance ? words(f->instance->name)
						: json_null());
		json_object_set_new(o, "client", domain(f->client));
		json_object_set_new(o, "count", json_integer(f->n));
		json_object_set_new(o, "which", words(f->refs));
		json_object_set_new(o, "why", words(why));
		json_object_set_new(o, "remedy", json_string(finding_remedy(f->kind)));
		json_array_append_new(list, o);
	}
	return list;
}

void report_json(const struct scene *s, const struct findings *findings)
{
	const struct usage_table *us = usage_of(&s->usage, s->domain);
	json_t *o = json_object();

	json_object_set_new(o, "format", json_integer(1));
	json_object_set_new(o, "domain", json_integer(s->domain.v));
	json_object_set_new(o, "name", words(s->name));
	json_object_set_new(o, "explained", json_boolean(!findings->n));
	if (us) {
		json_object_set_new(o, "grant_table",
				    both(us->frames, "frames_max", us->frames_max));
		json_object_set_new(o, "maptrack",
				    both(us->maptrack, "frames_max", us->maptrack_max));
	}
	json_object_set_new(o, "maps", maps_of(s));
	json_object_set_new(o, "event_channels", ports_of(s));
	json_object_set_new(o, "instances", instances_of(s));
	json_object_set_new(o, "unexplained", findings_of(findings));
	json_object_set_new(o, "further", json_integer(findings->more));
	print_json(o);
	json_decref(o);
}
