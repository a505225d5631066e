/* SPDX-License-Identifier: MIT */
/*
 * xddctl prometheus: all numbers, in Prometheus' text format, for the textfile
 * collector of node_exporter; see xddctl(8).
 *
 * Invariants:
 *  1. the file is there whole, or as it was: a new one is made beside it and renamed;
 *  2. what a back end counts has names that begin with xdd_back_end_, whatever it calls
 *     them, and can stand for nothing of another instance's, nor for what its keeper
 *     or systemd says;
 *  3. a histogram has buckets and a count and no sum: nobody keeps one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/class.h"
#include "systemd/cmd/commands.h"

#define PREFIX "xdd_back_end_"

/* A value of one instance, or false: it has none. */
typedef bool value_of(const struct instance *instance, uint64_t *out);

static bool serving(const struct instance *instance, uint64_t *out)
{
	*out = instance->state == STATE_SERVING;
	return true;
}

static bool problems(const struct instance *instance, uint64_t *out)
{
	*out = instance->problems;
	return true;
}

static bool keeper_up(const struct instance *instance, uint64_t *out)
{
	*out = unit_runs(&instance->keeper);
	return !instance_is_alone(instance);
}

static bool back_end_up(const struct instance *instance, uint64_t *out)
{
	*out = unit_runs(&instance->back_end);
	return true;
}

static bool keeper_restarts(const struct instance *instance, uint64_t *out)
{
	*out = instance->keeper.restarts;
	return instance->keeper.there;
}

static bool back_end_restarts(const struct instance *instance, uint64_t *out)
{
	*out = instance->back_end.restarts;
	return instance->back_end.there;
}

static bool client_domid(const struct instance *instance, uint64_t *out)
{
	*out = instance->account.domid;
	return instance->account.present && *out != ENTRY_NO_CLIENT;
}

static bool connected_since(const struct instance *instance, uint64_t *out)
{
	struct tm tm = {.tm_year = 0};

	if (!*instance->account.since ||
	    !strptime(instance->account.since, "%Y-%m-%dT%H:%M:%S", &tm))
		return false;
	*out = (uint64_t)timegm(&tm);
	return true;
}

static bool audit_sound(const struct instance *instance, uint64_t *out)
{
	*out = instance->account.sound;
	return instance->account.there;
}

static bool audit_seq(const struct instance *instance, uint64_t *out)
{
	*out = instance->account.seq;
	return instance->account.there;
}

static bool audit_refused(const struct instance *instance, uint64_t *out)
{
	*out = instance->account.refused;
	return instance->account.there;
}

static bool audit_lost(const struct instance *instance, uint64_t *out)
{
	*out = instance->account.lost;
	return instance->account.there;
}

static bool pages_mapped(const struct instance *instance, uint64_t *out)
{
	*out = instance->account.mapped;
	return instance->account.there;
}

static const struct family {
	const char *name, *type, *help;
	value_of *value;
} families[] = {
	{"xdd_serving", "gauge", "1: its client is connected, by its keeper's word",
	 serving},
	{"xdd_problems", "gauge", "What xddctl list has to say against it", problems},
	{"xdd_keeper_up", "gauge", "1: its keeper runs", keeper_up},
	{"xdd_backend_up", "gauge", "1: its back end runs", back_end_up},
	{"xdd_keeper_restarts", "counter", "Ends of its keeper by accident",
	 keeper_restarts},
	{"xdd_backend_restarts", "counter", "Ends of its back end by accident",
	 back_end_restarts},
	{"xdd_client_domid", "gauge", "Domain whose device is there", client_domid},
	{"xdd_connected_since_seconds", "gauge", "When its client was connected",
	 connected_since},
	{"xdd_audit_chain_sound", "gauge", "1: the chain of its audit log holds",
	 audit_sound},
	{"xdd_audit_seq", "counter", "Number of the last line of its audit log",
	 audit_seq},
	{"xdd_audit_refused", "gauge",
	 "Refusals in its audit log, as far back as that still goes", audit_refused},
	{"xdd_audit_lost", "gauge", "Lines lost, as far back as its audit log goes",
	 audit_lost},
	{"xdd_pages_mapped", "gauge",
	 "Pages of its client that are mapped, by its audit log (0 with Level = "
	 "changes)",
	 pages_mapped},
};

static void put_family(FILE *out, const struct family *family, const struct set *set)
{
	uint64_t n;

	fprintf(out, "# HELP %s %s.\n# TYPE %s %s\n", family->name, family->help,
		family->name, family->type);
	for (unsigned i = 0; i < set->count; i++) {
		if (set->instance[i].named && family->value(&set->instance[i], &n))
			fprintf(out, "%s{instance=\"%s\"} %" PRIu64 "\n", family->name,
				set->instance[i].name, n);
	}
}

/* What each is: a value of 1, to be joined to the others by its instance. */
static void put_info(FILE *out, const struct set *set)
{
	static const char *const doors[] = {
		[POLICY_PV] = "pv", [POLICY_VIRTIO] = "virtio"};

	fprintf(out, "# HELP xdd_instance_info What it is, by its policy.\n"
		     "# TYPE xdd_instance_info gauge\n");
	for (unsigned i = 0; i < set->count; i++) {
		const struct instance *instance = &set->instance[i];
		const struct policy *policy = &instance->policy;

		if (!instance->named || !instance->good)
			continue;
		fprintf(out,
			"xdd_instance_info{instance=\"%s\",class=\"%s\",door=\"%s\","
			"keeper=\"%s\"} 1\n",
			instance->name, class_info(policy->class, policy->door)->name,
			doors[policy->door],
			instance_is_alone(instance) ? "no" : "yes");
	}
}

/* Those of a state are 1, and of the others 0. */
static void put_states(FILE *out, const struct set *set)
{
	fprintf(out, "# HELP xdd_state 1: it is in this state.\n"
		     "# TYPE xdd_state gauge\n");
	for (unsigned i = 0; i < set->count; i++) {
		if (!set->instance[i].named)
			continue;
		for (unsigned s = STATE_WRONG; s <= STATE_SERVING; s++)
			fprintf(out, "xdd_state{instance=\"%s\",state=\"%s\"} %d\n",
				set->instance[i].name, state_name((enum state)s),
				set->instance[i].state == s);
	}
}

static void put_number(FILE *out, const struct set *set, unsigned first,
		       const char *name)
{
	bool gauge = number_is_gauge(name);
	const char *total = gauge ? "" : "_total";

	fprintf(out,
		"# HELP " PREFIX "%s%s As its back end counts; see its manual page.\n"
		"# TYPE " PREFIX "%s%s %s\n",
		name, total, name, total, gauge ? "gauge" : "counter");
	for (unsigned i = first; i < set->count; i++) {
		const struct number *number =
			numbers_find(&set->instance[i].numbers, name);

		if (number)
			fprintf(out, PREFIX "%s%s{instance=\"%s\"} %" PRIu64 "\n", name,
				total, set->instance[i].name, number->value);
	}
}

/* A family stands in one place: with the first instance that has the name. */
static void put_numbers(FILE *out, const struct set *set)
{
	for (unsigned i = 0; i < set->count; i++) {
		const struct numbers *numbers = &set->instance[i].numbers;

		for (unsigned n = 0; n < numbers->count; n++) {
			const char *name = numbers->number[n].name;
			bool seen = false;

			for (unsigned k = 0; k < i && !seen; k++)
				seen = numbers_find(&set->instance[k].numbers, name);
			if (!seen)
				put_number(out, set, i, name);
		}
	}
}

static void put_bound(FILE *out, unsigned bucket)
{
	uint64_t us = latency_bound(bucket);

	if (us == UINT64_MAX)
		fprintf(out, "+Inf");
	else
		fprintf(out, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

static void put_buckets(FILE *out, const char *instance, const struct latency *latency)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		sum += latency->histogram.bucket[i];
		fprintf(out,
			PREFIX "latency_seconds_bucket{instance=\"%s\",of=\"%s\",le=\"",
			instance, latency->name);
		put_bound(out, i);
		fprintf(out, "\"} %" PRIu64 "\n", sum);
	}
}

static void put_latencies(FILE *out, const struct set *set)
{
	fprintf(out,
		"# HELP " PREFIX "latency_seconds_bucket How many took less, as its "
		"back end counts; there is no sum.\n"
		"# TYPE " PREFIX "latency_seconds_bucket counter\n");
	for (unsigned i = 0; i < set->count; i++) {
		const struct instance *instance = &set->instance[i];

		for (unsigned n = 0; n < instance->numbers.latencies; n++)
			put_buckets(out, instance->name, &instance->numbers.latency[n]);
	}
}

static void put_all(FILE *out, const struct set *set)
{
	put_info(out, set);
	put_states(out, set);
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
		put_family(out, &families[i], set);
	put_numbers(out, set);
	put_latencies(out, set);
}

static int close_well(FILE *out)
{
	int err = ferror(out) ? -EIO : 0;

	if (!err && (fflush(out) || fchmod(fileno(out), 0644)))
		err = -errno;
	if (fclose(out) && !err)
		err = -errno;
	return err;
}

/* Invariant 1. */
static int write_file(const char *path, const struct set *set)
{
	size_t len = strlen(path);
	char *beside = malloc(len + sizeof(".XXXXXX"));
	FILE *out = NULL;
	int fd, err = 0;

	if (!beside)
		return -ENOMEM;
	sprintf(beside, "%s.XXXXXX", path);
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd >= 0)
		out = fdopen(fd, "w");
	if (out) {
		put_all(out, set);
		err = close_well(out);
		if (!err && rename(beside, path))
			err = -errno;
	} else {
		err = -errno;
	}
	if (err && fd >= 0)
		unlink(beside);
	free(beside);
	return err;
}

int prometheus_main(int argc, char **argv)
{
	const struct set_wish wish = {.parts = SET_ACCOUNTS | SET_NUMBERS};
	struct set set;
	int status, err;

	if (argc != 2 || (argv[1][0] == '-' && argv[1][1]))
		return ctl_say(CTL_USAGE, "prometheus: into which file? Such as "
					  "/var/lib/prometheus/node-exporter/xdd.prom");
	status = ctl_read(&set, &wish);
	if (status)
		return status;
	if (!strcmp(argv[1], "-")) {
		put_all(stdout, &set);
		err = fflush(stdout) ? -errno : 0;
	} else {
		err = write_file(argv[1], &set);
	}
	set_free(&set);
	return err ? ctl_say(CTL_NOT,
			     "the numbers cannot be written: %s; the file is as it "
			     "was",
			     strerror(-err))
		   : CTL_DONE;
}
