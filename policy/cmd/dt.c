/* SPDX-License-Identifier: MIT */
/* xdd-policy dt: see dt.h. Here: its options, and what needs no tree. */
#include "policy/cmd/dt.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cmd/dt-need.h"

#define DEFAULT_XEN    "4.17" /* Debian 12's */
#define DEFAULT_DRIVER 1

#define NODE_FORM "1 to 63 of a-z, A-Z, 0-9 and ,._+@-"

static const char *set_xen(struct dt *dt, const char *value)
{
	dt->xen = dt_version(value);
	return dt->xen ? NULL : dt_version_names();
}

/* What dtc takes for a name of a node, so that it may be printed as one. */
static bool node_ok(const char *node)
{
	static const char fit[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789,._+@-";
	size_t len = strlen(node);

	return len && len <= DT_NODE_MAX && strspn(node, fit) == len;
}

/* @value is LEFT=NODE: @left, of @size bytes, and the node behind it. */
static const char *split(const char *value, char *left, size_t size)
{
	const char *equals = strchr(value, '=');
	size_t len = equals ? (size_t)(equals - value) : 0;

	if (!equals || !len || len >= size || !node_ok(equals + 1))
		return NULL;
	memcpy(left, value, len);
	left[len] = '\0';
	return equals + 1;
}

static const char *set_driver(struct dt *dt, const char *value)
{
	const char *number = value, *node = "";
	char left[16];
	uint64_t v;

	if (strchr(value, '=')) {
		node = split(value, left, sizeof(left));
		number = left;
	}
	if (!node || !policy_value_number(number, 1, DOMID_LIMIT - 1, &v))
		return "N or N=NODE, N 1-32751, NODE " NODE_FORM;
	dt->driver.v = (uint16_t)v;
	strcpy(dt->driver_node, node);
	return NULL;
}

static const char *add_tie(struct dt *dt, const char *value)
{
	struct dt_tie tie;
	const char *node = split(value, tie.name, sizeof(tie.name));

	if (!node || !policy_name_ok(tie.name))
		return "NAME=NODE, NAME a policy's, NODE " NODE_FORM;
	strcpy(tie.node, node);
	dt->tie = reallocarray(dt->tie, dt->ties + 1, sizeof(*dt->tie));
	if (!dt->tie)
		abort();
	dt->tie[dt->ties++] = tie;
	return NULL;
}

static const char *set_verify(struct dt *dt, const char *value)
{
	(void)dt;
	return *value ? NULL : "a device tree blob";
}

/* What sets an option returns NULL, or what would be allowed. */
static const struct {
	const char *name;
	const char *(*set)(struct dt *dt, const char *value);
} rows[] = {
	{"verify", set_verify},
	{"xen", set_xen},
	{"driver-domain", set_driver},
	{"client", add_tie},
};
#define ROWS (sizeof(rows) / sizeof(*rows))

/* False: not understood, and that has been said. */
static bool read_options(struct dt *dt, int argc, char **argv, const char **blob)
{
	struct option options[ROWS + 1] = {0};
	const char *allowed;
	int c, row = 0;

	for (unsigned i = 0; i < ROWS; i++)
		options[i] = (struct option){rows[i].name, 1, NULL, 'o'};
	while ((c = getopt_long(argc, argv, "", options, &row)) != -1) {
		if (c != 'o') {
			report_usage(&dt->answer.report, "see xdd-policy --help");
			return false;
		}
		allowed = rows[row].set(dt, optarg);
		if (allowed) {
			report_usage(&dt->answer.report,
				     "\"%s\" is not for --%s; allowed: %s", optarg,
				     rows[row].name, allowed);
			return false;
		}
		if (!row)
			*blob = optarg;
	}
	if (optind < argc)
		return true;
	report_usage(&dt->answer.report,
		     "dt of what? Name the policies of one driver domain, "
		     "or a directory such as /etc/xdd");
	return false;
}

const char *dt_tied(const struct dt *dt, unsigned i)
{
	for (unsigned t = 0; t < dt->ties; t++) {
		if (!strcmp(dt->tie[t].name, dt->set.entry[i].policy.name))
			return dt->tie[t].node;
	}
	return NULL;
}

static void check_ties(struct dt *dt)
{
	for (unsigned t = 0; t < dt->ties; t++) {
		const struct dt_tie *tie = &dt->tie[t];
		unsigned found = 0;

		for (unsigned i = 0; i < dt->set.n; i++)
			found += !strcmp(dt->set.entry[i].policy.name, tie->name);
		if (!strcmp(tie->node, dt->driver_node))
			report_error(
				&dt->answer.report, "--client", 0,
				"%s is tied to %s, the driver domain itself; tie it "
				"to the client's node",
				tie->name, tie->node);
		if (!found)
			report_error(&dt->answer.report, "--client", 0,
				     "no policy %s is named here; allowed: the name of "
				     "one that is",
				     tie->name);
		for (unsigned u = 0; u < t; u++) {
			if (!strcmp(dt->tie[u].name, tie->name))
				report_error(&dt->answer.report, "--client", 0,
					     "%s is tied to %s and to %s; tie it once",
					     tie->name, dt->tie[u].node, tie->node);
		}
	}
}

/* A tie is by name: "a/ivi.policy" and "b/ivi.policy" would be one instance. */
static void check_names(struct dt *dt)
{
	const struct set_entry *entry = dt->set.entry;

	for (unsigned i = 0; i < dt->set.n; i++) {
		for (unsigned j = 0; j < i; j++) {
			if (!strcmp(entry[i].policy.name, entry[j].policy.name))
				report_error(&dt->answer.report, entry[i].path, 0,
					     "an instance of this name is in %s; name "
					     "each once",
					     entry[j].path);
		}
	}
}

/* One number is one node, and the driver domain is no client. */
static void check_clients(struct dt *dt)
{
	for (unsigned i = 0; i < dt->set.n; i++) {
		const struct set_entry *a = &dt->set.entry[i];
		unsigned line = a->policy.line[POLICY_KEY_DOMAIN];
		const char *node = dt_tied(dt, i);

		if (a->policy.any_domain)
			continue;
		if (a->policy.domain.v == dt->driver.v)
			report_error(
				&dt->answer.report, a->path, line,
				"Domain = %u is the driver domain itself; give the "
				"client's, or the driver domain's as "
				"--driver-domain",
				dt->driver.v);
		for (unsigned j = 0; node && j < i; j++) {
			const struct policy *b = &dt->set.entry[j].policy;
			const char *other = dt_tied(dt, j);

			if (!other || b->any_domain ||
			    (b->domain.v == a->policy.domain.v) == !strcmp(other, node))
				continue;
			report_error(&dt->answer.report, a->path, line,
				     "domid %u is tied to node %s, and domid %u of %s "
				     "to %s; one number is one node",
				     a->policy.domain.v, node, b->domain.v, b->name,
				     other);
		}
	}
}

static void check_ports(struct dt *dt)
{
	uint64_t need = dt_need_ports(dt);

	if (need > DT_PORTS)
		report_error(&dt->answer.report, "the driver domain", 0,
			     "all instances need %llu event channels, and a domain of "
			     "the device tree has %u, which no property raises; lower "
			     "RingPages, or use a second driver domain",
			     (unsigned long long)need, DT_PORTS);
}

static void set_clients(struct dt *dt)
{
	dt->client = calloc(dt->set.n + 1, sizeof(*dt->client));
	if (!dt->client)
		abort();
	for (unsigned i = 0; i < dt->set.n; i++) {
		if (!dt->set.entry[i].policy.any_domain)
			dt->client[i] = dt->set.entry[i].policy.domain;
	}
}

static void judge(struct dt *dt, const char *blob)
{
	set_clients(dt);
	check_ties(dt);
	check_clients(dt);
	check_ports(dt);
	if (blob)
		dt_verify(dt, blob);
	else if (!dt->answer.report.errors)
		dt_print(dt);
}

int dt_main(int argc, char **argv)
{
	struct dt dt = {.driver = {DEFAULT_DRIVER}, .xen = dt_version(DEFAULT_XEN)};
	const char *blob = NULL;

	answer_begin(&dt.answer, &argc, argv);
	if (!read_options(&dt, argc, argv, &blob)) {
		free(dt.tie);
		return answer_end(&dt.answer, 2, NULL);
	}
	for (int i = optind; i < argc; i++)
		set_add(&dt.set, argv[i], &dt.answer.report);
	check_names(&dt);
	if (!dt.answer.report.errors)
		judge(&dt, blob);
	set_free(&dt.set);
	free(dt.client);
	free(dt.tie);
	return answer_end(&dt.answer, dt.answer.report.errors ? 2 : 0, dt.result);
}
