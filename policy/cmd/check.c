/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy check: every file named, and for a directory the set that its
 * files make. Says all that is wrong at once; exit 0 or 2.
 */
#include "policy/cmd/check.h"

#include <getopt.h>
#include <stdio.h>

#include "policy/class.h"
#include "policy/cmd/answer.h"
#include "policy/cmd/set.h"
#include "policy/cmd/value.h"
#include "policy/key.h"

struct check {
	struct set set;
	struct set_limits limits;
	struct answer answer;
	const char *dir; /* the last one named, or NULL */
};

static const char *client(const struct policy *policy, char text[POLICY_TAG_MAX + 8])
{
	if (policy->any_domain)
		snprintf(text, POLICY_TAG_MAX + 8, "any:%s", policy->tag);
	else
		snprintf(text, POLICY_TAG_MAX + 8, "%u", policy->domain.v);
	return text;
}

static void print_table(const struct set *set)
{
	char text[POLICY_TAG_MAX + 8];

	printf("%-20s %-6s %-7s %-16s %-8s %-6s %-10s %s\n", "INSTANCE", "CLASS",
	       "DOOR", "CLIENT", "DEVICE", "MODE", "ISOLATION", "RESOURCE");
	for (unsigned i = 0; i < set->n; i++) {
		const struct policy *p = &set->entry[i].policy;

		printf("%-20s %-6s %-7s %-16s %-8s %-6s %-10s %s%s\n", p->name,
		       class_info(p->class, p->door)->name,
		       key_rows[POLICY_KEY_DOOR].words[p->door], client(p, text),
		       p->device, key_rows[POLICY_KEY_MODE].words[p->mode],
		       p->isolation == POLICY_DOMAIN ? "DOMAIN" : "process",
		       p->resource,
		       p->class == POLICY_BLK && p->read_only ? " (read-only)" : "");
	}
}

static json_t *instances(const struct set *set)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < set->n; i++) {
		const struct policy *p = &set->entry[i].policy;

		json_array_append_new(
			array,
			json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:s, s:s, s:o, s:b}",
				  "instance", p->name, "file",
				  answer_text(set->entry[i].path), "class",
				  class_info(p->class, p->door)->name, "door",
				  key_rows[POLICY_KEY_DOOR].words[p->door], "client",
				  value_client(p), "device", answer_text(p->device),
				  "mode", key_rows[POLICY_KEY_MODE].words[p->mode],
				  "isolation",
				  key_rows[POLICY_KEY_ISOLATION].words[p->isolation],
				  "resource", answer_text(p->resource), "read_only",
				  p->class == POLICY_BLK && p->read_only));
	}
	return array;
}

/* A command line that is not understood has been said so of. */
static bool read_options(int argc, char **argv, struct check *check)
{
	struct option options[SET_SHARES + 2] = {[SET_SHARES] = {"pv", 0, NULL, 'p'}};
	int c, share = 0;

	for (unsigned i = 0; i < SET_SHARES; i++)
		options[i] = (struct option){set_share_option(i), 1, NULL, 's'};
	while ((c = getopt_long(argc, argv, "", options, &share)) != -1) {
		if (c == 'p') {
			check->limits.pv = true;
			continue;
		}
		if (c != 's') {
			report_usage(&check->answer.report, "see xdd-policy --help");
			return false;
		}
		if (!set_limit_read(&check->limits, (enum set_share)share, optarg,
				    &check->answer.report))
			return false;
	}
	if (optind < argc)
		return true;
	report_usage(&check->answer.report,
		     "check what? Name files or a directory, such as /etc/xdd");
	return false;
}

static void judge(struct check *check, bool whole)
{
	if (!check->dir)
		return;
	set_check(&check->set, &check->answer.report);
	if (whole)
		set_check_shares(&check->set, &check->limits, check->dir,
				 &check->answer.report);
}

/* @whole: every file could be read; else the sums are not. */
static void print(const struct check *check, bool whole)
{
	if (!check->answer.report.errors) {
		print_table(&check->set);
		set_print_groups(&check->set);
		set_print_sounds(&check->set);
		set_print_displays(&check->set);
		set_print_buses(&check->set);
	}
	if (check->dir && whole)
		set_print_shares(&check->set, &check->limits);
}

static json_t *result_of(const struct check *check, bool whole)
{
	const struct set *set = &check->set;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "instances", instances(set),
			 "groups", set_groups(set), "recorded", set_sounds(set),
			 "shown", set_displays(set), "sent", set_buses(set), "shares",
			 check->dir && whole ? set_shares(set, &check->limits)
					     : json_null());
}

int check_main(int argc, char **argv)
{
	struct check check = {0};
	json_t *result = NULL;
	bool whole;

	set_limits_init(&check.limits);
	answer_begin(&check.answer, &argc, argv);
	if (!read_options(argc, argv, &check))
		return answer_end(&check.answer, 2, NULL);
	for (int i = optind; i < argc; i++) {
		if (set_add(&check.set, argv[i], &check.answer.report))
			check.dir = argv[i];
	}
	whole = !check.answer.report.errors;
	judge(&check, whole);
	if (answer_json(&check.answer))
		result = result_of(&check, whole);
	else
		print(&check, whole);
	set_free(&check.set);
	return answer_end(&check.answer, check.answer.report.errors ? 2 : 0, result);
}
