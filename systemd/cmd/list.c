/* SPDX-License-Identifier: MIT */
/* xddctl list: each instance, for a person or as JSON; see xddctl(8). */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "grant-mem/cmd/audit-print.h"
#include "policy/class.h"
#include "systemd/cmd/commands.h"

/* Widths of the columns; what is longer moves its line, and is not cut. */
#define ROW "%-16s %-6s %-7s %-16s %-8s %-9s %-20s %8s\n"

static const char *class_of(const struct instance *instance)
{
	return instance->good
		       ? class_info(instance->policy.class, instance->policy.door)->name
		       : "?";
}

static const char *door_of(const struct instance *instance)
{
	static const char *const names[] = {
		[POLICY_PV] = "pv", [POLICY_VIRTIO] = "virtio"};

	return instance->good ? names[instance->policy.door] : "?";
}

/* "2025-03-01T10:00:00.123Z" without its fraction; UTC, as the log has it. */
static void time_of(const char *time, char out[24])
{
	snprintf(out, 24, "%.19s%s", *time ? time : "-", *time ? "Z" : "");
}

static void print_row(const struct instance *instance)
{
	const struct account *account = &instance->account;
	char client[POLICY_TAG_MAX + 32], since[24], refused[24] = "?";

	instance_client(instance, client, sizeof(client));
	time_of(account->since, since);
	if (account->there)
		snprintf(refused, sizeof(refused), "%" PRIu64, account->refused);
	printf(ROW, instance->name, class_of(instance), door_of(instance), client,
	       instance->good ? instance->policy.device : "?",
	       state_name(instance->state), since, refused);
	if (instance_is_alone(instance))
		printf("  NO KEEPER (Isolation = domain): the domain is the only "
		       "boundary\n");
	if (instance->state == STATE_WAITING && *instance->keeper.status)
		printf("  %s\n", instance->keeper.status);
	for (unsigned i = 0; i < instance->problems; i++)
		printf("  ! %s\n", instance->problem[i]);
}

static json_t *number(uint64_t n)
{
	return json_integer(n < INT64_MAX ? (json_int_t)n : INT64_MAX);
}

static json_t *unit_object(const struct instance *instance, const struct unit *unit)
{
	if (!unit->there)
		return json_null();
	return json_pack("{ss+++ ss ss ss sI sI sI ss}", "unit", "xdd-", unit->role,
			 "@", instance->unit, "active", unit->active, "sub", unit->sub,
			 "result", unit->result, "pid", (json_int_t)unit->pid,
			 "restarts", (json_int_t)unit->restarts, "since",
			 (json_int_t)unit->since, "status", unit->status);
}

static json_t *account_object(const struct account *account)
{
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {
		{"seq", account->seq},
		{"lines", account->lines},
		{"lost", account->lost},
		{"refused", account->refused},
		{"reported", account->reported},
		{"reloads", account->reloads},
		{"pages_mapped", account->mapped},
		{"pages_at_most", account->most},
		{"copied_bytes", account->copied},
	};
	json_t *object;

	if (!account->there)
		return json_null();
	object = json_pack("{sb ss ss ss ss}", "sound", account->sound, "head",
			   account->hash, "policy", account->policy, "last_refusal",
			   account->refusal, "last_refused", account->refused_at);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		json_object_set_new(object, rows[i].name, number(rows[i].n));
	return object;
}

static json_t *numbers_object(const struct numbers *numbers)
{
	json_t *object, *counts = json_object(), *latencies = json_object();

	if (!numbers->there) {
		json_decref(counts);
		json_decref(latencies);
		return json_null();
	}
	for (unsigned i = 0; i < numbers->count; i++)
		json_object_set_new(counts, numbers->number[i].name,
				    number(numbers->number[i].value));
	for (unsigned i = 0; i < numbers->latencies; i++) {
		const struct latency *latency = &numbers->latency[i];
		json_t *list = json_array();

		for (unsigned k = 0; k < HISTOGRAM_BUCKETS; k++)
			json_array_append_new(list,
					      number(latency->histogram.bucket[k]));
		json_object_set_new(latencies, latency->name, list);
	}
	object = json_pack("{ss ss sI so so}", "who", numbers->who, "state",
			   numbers->state, "pid", (json_int_t)numbers->pid, "counts",
			   counts, "latency_us", latencies);
	return object;
}

static json_t *problems_list(const struct instance *instance)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < instance->problems; i++)
		json_array_append_new(list, json_string(instance->problem[i]));
	return list;
}

/* A policy's text may be none that JSON has. */
static json_t *text_or_null(const char *text)
{
	json_t *value = text && *text ? json_string(text) : NULL;

	return value ? value : json_null();
}

/* Whose device it is: as the policy has it, and as it is now. */
static void add_client(json_t *object, const struct instance *instance)
{
	const struct policy *policy = &instance->policy;
	const struct account *account = &instance->account;
	bool known = account->present && account->domid != ENTRY_NO_CLIENT;

	json_object_set_new(object, "domid",
			    known ? number(account->domid) : json_null());
	json_object_set_new(object, "tag",
			    text_or_null(instance->good ? policy->tag : NULL));
	json_object_set_new(object, "device",
			    text_or_null(instance->good ? policy->device : NULL));
	json_object_set_new(object, "resource",
			    text_or_null(instance->good ? policy->resource : NULL));
}

static void print_object(const struct instance *instance)
{
	json_t *object = json_object();

	json_object_set_new(object, "instance", json_string(instance->name));
	json_object_set_new(object, "class", json_string(class_of(instance)));
	json_object_set_new(object, "door", json_string(door_of(instance)));
	json_object_set_new(object, "has_keeper",
			    json_boolean(!instance_is_alone(instance)));
	add_client(object, instance);
	json_object_set_new(object, "state", json_string(state_name(instance->state)));
	json_object_set_new(object, "since", text_or_null(instance->account.since));
	json_object_set_new(object, "problems", problems_list(instance));
	json_object_set_new(object, "keeper", unit_object(instance, &instance->keeper));
	json_object_set_new(object, "back_end",
			    unit_object(instance, &instance->back_end));
	json_object_set_new(object, "audit", account_object(&instance->account));
	json_object_set_new(object, "back_ends_word",
			    numbers_object(&instance->numbers));
	print_json(object);
	json_decref(object);
}

static int show(const struct instance *instance, bool json)
{
	(json ? print_object : print_row)(instance);
	return instance->problems ? CTL_NOT : CTL_DONE;
}

static int show_named(const struct set *set, const char *name, bool json)
{
	const struct instance *instance = set_find(set, name);

	if (!instance)
		return ctl_say(CTL_USAGE, "%s: no such instance; xddctl list has all",
			       policy_name_ok(name) ? name : "that name");
	return show(instance, json);
}

static int show_all(const struct set *set, bool json)
{
	int status = CTL_DONE;

	for (unsigned i = 0; i < set->count; i++)
		status |= show(&set->instance[i], json);
	if (!set->count && !json)
		printf("there is no policy in /etc/xdd: nothing is served\n");
	return status;
}

int list_main(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	bool json = false;
	const struct set_wish wish = {.parts = SET_ACCOUNTS | SET_NUMBERS};
	struct set set;
	int status, c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'j')
			return CTL_USAGE;
		json = true;
	}
	status = ctl_read(&set, &wish);
	if (status)
		return status;
	if (!json && set.count)
		printf(ROW, "NAME", "CLASS", "DOOR", "CLIENT", "DEVICE", "STATE",
		       "SINCE", "REFUSED");
	if (optind == argc)
		status = show_all(&set, json);
	for (int i = optind; i < argc; i++) {
		int r = show_named(&set, argv[i], json);

		status = r > status ? r : status;
	}
	set_free(&set);
	return status;
}
