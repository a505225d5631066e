/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy dt: the tree's part, as source for dtc. It says only what the
 * policies need, and names no compatible: included behind the integrator's
 * nodes it adds to those of the same names, and a node that is not there
 * starts no domain.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/cmd/dt-need.h"

#define WIDTH 76u

/* " * " and @fmt: a line of the comment that heads the output. */
static void head(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void head(const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	printf(" *%s%s\n", *text ? " " : "", text);
}

/* One property, and why. */
static void property(const char *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void property(const char *text, const char *fmt, ...)
{
	va_list args;

	printf("\t\t\t%-30s /* ", text);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	puts(" */");
}

static void number(const char *name, uint64_t value, char text[64])
{
	snprintf(text, 64, "%s = <%" PRIu64 ">;", name, value);
}

static void print_head(const struct dt *dt)
{
	puts("/*");
	head("What %u %s of one driver domain need%s of Xen %s: xdd-policy(8).",
	     dt->set.n, dt->set.n == 1 ? "policy" : "policies",
	     dt->set.n == 1 ? "s" : "", dt->xen->name);
	head("Include it behind your own nodes; it adds to those of these names.");
	head("%s", "");
	head("Domids follow the order of the nodes \"xen,domain\" in /chosen, from 1;");
	head("what has another compatible, or none, is not counted.");
	if (dt->xen->needs_dom0)
		head("Xenstore comes from dom0, which runs init-dom0less: without "
		     "dom0");
	else
		head("Xenstore comes from dom0 or a node with capabilities 0x4: "
		     "without");
	head("%s", dt->xen->needs_dom0 ? "\"enabled\" stops Xen at boot."
				       : "either \"enabled\" stops Xen at boot.");
	head("A domain that shuts down or reboots is only paused: nothing builds it");
	head("again with the number that its policies name.");
	head("%s", "");
}

static void argument(const char *name, uint64_t value, const char *why)
{
	head("  %s=%" PRIu64, name, value);
	head("      %s", why);
}

uint64_t dt_most_grant_frames(const struct dt *dt)
{
	uint64_t most = dt_need_grants(dt, (struct domid){0}).fit;

	for (unsigned i = 0; i < dt->set.n; i++) {
		uint64_t fit = dt_need_grants(dt, dt->client[i]).fit;

		if (fit > most)
			most = fit;
	}
	return most;
}

static void print_command_line(const struct dt *dt)
{
	uint64_t grants = dt_most_grant_frames(dt),
		 maptrack = dt_need_maptrack_frames(dt);

	head("Add to Xen's command line (xen,xen-bootargs):");
	head("  xsm=dummy");
	head("      Xen on Arm is built with SILO as its default, which refuses "
	     "grants");
	head("      and event channels between two domUs");
	if (!dt->xen->node_limits && grants > DT_GRANT_FRAMES)
		argument("gnttab_max_frames", grants,
			 "of each domain: this Xen has no property for it");
	if (!dt->xen->node_limits && maptrack > DT_MAPTRACK_FRAMES)
		argument("gnttab_max_maptrack_frames", maptrack,
			 "of each domain: this Xen has no property for it");
	if (!dt->xen->node_limits && grants <= DT_GRANT_FRAMES &&
	    maptrack <= DT_MAPTRACK_FRAMES)
		head("The limits that are Xen's defaults suffice: %u grant frames, %u "
		     "of "
		     "maptrack.",
		     DT_GRANT_FRAMES, DT_MAPTRACK_FRAMES);
	puts(" */");
}

/* The policies of @client, as a comment of as many lines as they need. */
static void print_policies(const struct dt *dt, struct domid client, const char *indent,
			   const char *before)
{
	unsigned used = (unsigned)printf("%s/* %s", indent, before);

	for (unsigned i = 0; i < dt->set.n; i++) {
		const struct policy *policy = &dt->set.entry[i].policy;
		const char *node = policy->any_domain ? dt_tied(dt, i) : NULL;
		size_t len = strlen(policy->name) + (node ? strlen(node) + 3 : 0);

		if (dt->client[i].v != client.v)
			continue;
		if (used + len > WIDTH)
			used = (unsigned)printf("\n%s *", indent);
		used += (unsigned)printf(" %s%s%s%s", policy->name, node ? " (" : "",
					 node ? node : "", node ? ")" : "");
	}
	puts(" */");
}

static void print_limits(const struct dt *dt, struct domid client)
{
	struct dt_grants need = dt_need_grants(dt, client);
	char text[64];

	if (!dt->xen->node_limits)
		return;
	property("max_grant_version = <1>;", "all that Xen on Arm offers");
	number("max_grant_frames", need.fit, text);
	property(text, "%u references each; %" PRIu64 " at least", DT_FRAME_REFS,
		 need.least);
}

static void print_driver(const struct dt *dt, const char *name)
{
	uint64_t maps = dt_need_maps(dt);
	char text[64];

	printf("\t\t/* domid %u: the driver domain, with no rights over others */\n",
	       dt->driver.v);
	printf("\t\t%s {\n", name);
	property("xen,enhanced = \"enabled\";", "grants, event channels, xenstore");
	if (dt->xen->node_limits) {
		number("max_maptrack_frames", dt_need_maptrack_frames(dt), text);
		property(text, "%u maps each; %" PRIu64 " pages, a frame to spare",
			 DT_FRAME_MAPS, maps);
	} else {
		printf("\t\t\t/* maps %" PRIu64 " pages: %" PRIu64
		       " maptrack frames */\n",
		       maps, dt_need_maptrack_frames(dt));
	}
	printf("\t\t\t/* %" PRIu64
	       " event channels of %u, which no property raises */\n",
	       dt_need_ports(dt), DT_PORTS);
	puts("\t\t};");
}

static void print_client(const struct dt *dt, struct domid client, const char *name)
{
	struct dt_grants need = dt_need_grants(dt, client);
	char before[32];

	snprintf(before, sizeof(before), "domid %u: client of", client.v);
	print_policies(dt, client, "\t\t", before);
	printf("\t\t%s {\n", name);
	property("xen,enhanced = \"enabled\";", "absent: no grants, no xenstore");
	print_limits(dt, client);
	if (!dt->xen->node_limits)
		printf("\t\t\t/* grants %" PRIu64 " pages: %" PRIu64
		       " grant frames */\n",
		       need.refs, need.least);
	puts("\t\t};");
}

void dt_node_name(const struct dt *dt, struct domid domid, char name[DT_NODE_MAX + 1])
{
	snprintf(name, DT_NODE_MAX + 1, "domU%u", domid.v);
	if (domid.v == dt->driver.v && *dt->driver_node)
		strcpy(name, dt->driver_node);
	for (unsigned i = 0; i < dt->set.n; i++) {
		if (dt->client[i].v == domid.v && dt_tied(dt, i))
			strcpy(name, dt_tied(dt, i));
	}
}

/* Two domids under one name would be one node of two meanings. */
static bool names_clash(struct dt *dt)
{
	for (unsigned i = 0; i < dt->set.n; i++) {
		for (unsigned j = 0; j <= i; j++) { /* 0: the driver domain */
			struct domid a = dt->client[i];
			struct domid b = j ? dt->client[j - 1] : dt->driver;
			char name[DT_NODE_MAX + 1], other[DT_NODE_MAX + 1];

			dt_node_name(dt, a, name);
			dt_node_name(dt, b, other);
			if (!a.v || !b.v || a.v == b.v || strcmp(name, other))
				continue;
			report_error(
				&dt->answer.report, dt->set.entry[i].path,
				dt->set.entry[i].policy.line[POLICY_KEY_DOMAIN],
				"domids %u and %u would both be node %s; say which "
				"node each is, by --client and --driver-domain",
				b.v, a.v, name);
			return true;
		}
	}
	return false;
}

static void print_gap(unsigned first, unsigned last)
{
	if (first == last)
		printf("\t\t/* domid %u: a node that no policy here names */\n", first);
	else if (first < last)
		printf("\t\t/* domids %u to %u: nodes that no policy here names */\n",
		       first, last);
}

static void print_any(const struct dt *dt)
{
	struct dt_grants need = dt_need_grants(dt, (struct domid){0});

	if (!need.policies)
		return;
	print_policies(dt, (struct domid){0}, "\t\t", "any domid, known by its Tag:");
	printf("\t\t/* each client needs xen,enhanced, and at least %" PRIu64
	       " grant frame%s */\n",
	       need.least, need.least == 1 ? "" : "s");
}

void dt_print(struct dt *dt)
{
	unsigned next = 1; /* the first domid not yet printed */

	if (names_clash(dt))
		return;
	if (answer_json(&dt->answer)) {
		dt->result = dt_figures(dt);
		return;
	}
	print_head(dt);
	print_command_line(dt);
	puts("/ {\n\tchosen {");
	for (unsigned v = 1; v < DOMID_LIMIT; v++) {
		struct domid domid = {(uint16_t)v};
		char name[DT_NODE_MAX + 1];

		if (v != dt->driver.v && !dt_need_grants(dt, domid).policies)
			continue;
		print_gap(next, v - 1);
		dt_node_name(dt, domid, name);
		if (v == dt->driver.v)
			print_driver(dt, name);
		else
			print_client(dt, domid, name);
		next = v + 1;
	}
	print_any(dt);
	puts("\t};\n};");
}
