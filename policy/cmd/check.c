/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy check: every file named, and for a directory the set that its
 * files make. Says all that is wrong at once; exit 0 or 2.
 */
#include "policy/cmd/check.h"

#include <getopt.h>
#include <stdio.h>

#include "policy/class.h"
#include "policy/cmd/set.h"
#include "policy/key.h"

struct check {
	struct set set;
	struct set_limits limits;
	struct report report;
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

/* -1: not an option of ours, getopt_long() has said so. */
static int read_options(int argc, char **argv, struct set_limits *limits)
{
	struct option options[SET_SHARES + 2] = {[SET_SHARES] = {"pv", 0, NULL, 'p'}};
	int c, share = 0;

	for (unsigned i = 0; i < SET_SHARES; i++)
		options[i] = (struct option){set_share_option(i), 1, NULL, 's'};
	while ((c = getopt_long(argc, argv, "", options, &share)) != -1) {
		if (c == 'p') {
			limits->pv = true;
			continue;
		}
		if (c != 's')
			return -1;
		if (policy_value_number(optarg, 1, UINT32_MAX, &limits->limit[share]))
			continue;
		fprintf(stderr, "xdd-policy: --%s takes a number from 1, not \"%s\"\n",
			set_share_option(share), optarg);
		return -1;
	}
	return 0;
}

int check_main(int argc, char **argv)
{
	struct check check = {0};
	bool loaded;

	set_limits_init(&check.limits);
	if (read_options(argc, argv, &check.limits))
		return 2;
	if (optind == argc) {
		fprintf(stderr,
			"xdd-policy: check what? Name files or a directory, such "
			"as /etc/xdd\n");
		return 2;
	}
	for (int i = optind; i < argc; i++) {
		if (set_add(&check.set, argv[i], &check.report))
			check.dir = argv[i];
	}
	loaded = !check.report.errors;
	if (check.dir) {
		set_check_pairs(&check.set, &check.report);
		set_check_links(&check.set, &check.report);
		set_check_sounds(&check.set, &check.report);
		set_check_displays(&check.set, &check.report);
	}
	if (!check.report.errors) {
		print_table(&check.set);
		set_print_groups(&check.set);
		set_print_sounds(&check.set);
		set_print_displays(&check.set);
	}
	if (loaded && check.dir) /* else the sums are not whole */
		set_check_shares(&check.set, &check.limits, check.dir, &check.report);
	set_free(&check.set);
	return check.report.errors ? 2 : 0;
}
