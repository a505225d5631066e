/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy dt --verify: does a compiled tree give each policy the node, and
 * each node the limits, that its policies need? Reports, and decides nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/cmd/dt-cmdline.h"
#include "policy/cmd/dt-need.h"
#include "policy/cmd/dt-tree.h"

struct verify {
	struct dt *dt;
	const char *path; /* of the blob */
	struct dt_tree tree;
	struct dt_cmdline line;
};

static const struct dt_domain *node_of(const struct verify *verify, struct domid domid)
{
	if (!domid.v || domid.v > verify->tree.n)
		return NULL;
	return &verify->tree.domain[domid.v - 1];
}

/* The limit that holds: the node's, where this Xen reads it. */
static uint32_t limit(const struct verify *verify, struct dt_cell cell, uint32_t line)
{
	return cell.present && verify->dt->xen->node_limits ? cell.v : line;
}

static uint32_t grant_frames(const struct verify *verify, const struct dt_domain *node)
{
	return limit(verify, node->grant_frames, verify->line.grant_frames);
}

static uint32_t maptrack_frames(const struct verify *verify,
				const struct dt_domain *node)
{
	return limit(verify, node->maptrack_frames, verify->line.maptrack_frames);
}

/* The domid of the one node of this name, 0 if there is none or more. */
static struct domid find_node(const struct verify *verify, const char *name)
{
	struct domid found = {0};

	for (unsigned i = 0; i < verify->tree.n; i++) {
		if (strcmp(verify->tree.domain[i].name, name))
			continue;
		if (found.v)
			return (struct domid){0};
		found.v = (uint16_t)(i + 1);
	}
	return found;
}

static void check_xsm(struct verify *verify)
{
	struct report *report = &verify->dt->answer.report;

	switch (verify->line.xsm) {
	case DT_XSM_DUMMY:
		break;
	case DT_XSM_SILO:
		report_error(
			report, verify->path, 0,
			"Xen's command line says xsm=silo, which refuses grants and "
			"event channels between two domUs; say xsm=dummy");
		break;
	case DT_XSM_FLASK:
		report_warning(
			report, verify->path, 0,
			"Xen's command line says xsm=flask; its policy must allow "
			"domain_comms() between the driver domain and each client");
		break;
	case DT_XSM_DEFAULT:
		report_warning(
			report, verify->path, 0,
			"%s, and the default on Arm is SILO, which refuses grants "
			"and event channels between two domUs; say xsm=dummy",
			verify->tree.command_line
				? "Xen's command line says no xsm="
				: "there is no command line for Xen in /chosen");
		break;
	}
}

/* Where Xen would stop at boot, whoever the node is for. */
static void check_boots(struct verify *verify, const struct dt_domain *node)
{
	struct report *report = &verify->dt->answer.report;
	uint32_t version =
		limit(verify, node->grant_version, verify->line.grant_version);

	if (!version || version > verify->line.grant_version)
		report_error(report, verify->path, 0,
			     "node %s: grant version %" PRIu32
			     ", and this Xen offers 1 to %" PRIu32
			     ": it stops at boot; say max_grant_version = <1>",
			     node->name, version, verify->line.grant_version);
	if (!grant_frames(verify, node) || grant_frames(verify, node) > INT32_MAX ||
	    maptrack_frames(verify, node) > INT32_MAX)
		report_error(
			report, verify->path, 0,
			"node %s: %" PRIu32 " grant frames, %" PRIu32
			" maptrack frames: Xen stops at boot; allowed: 1-2147483647 "
			"and 0-2147483647",
			node->name, grant_frames(verify, node),
			maptrack_frames(verify, node));
}

static void check_unread(struct verify *verify, const struct dt_domain *node)
{
	const struct dt_version *xen = verify->dt->xen;

	if (!xen->node_limits &&
	    (node->grant_version.present || node->grant_frames.present ||
	     node->maptrack_frames.present))
		report_warning(
			&verify->dt->answer.report, verify->path, 0,
			"node %s: Xen %s reads no limits for grants from a node; "
			"those of its command line hold",
			node->name, xen->name);
	if (!xen->capabilities && node->capabilities.present)
		report_warning(&verify->dt->answer.report, verify->path, 0,
			       "node %s: Xen %s reads no capabilities", node->name,
			       xen->name);
}

/* Xenstore needs somebody who runs it. */
static void check_xenstore(struct verify *verify)
{
	const struct dt_version *xen = verify->dt->xen;

	for (unsigned i = 0; i < verify->tree.n && xen->capabilities; i++) {
		if (verify->tree.domain[i].capabilities.v & DT_CAP_XENSTORE)
			return;
	}
	if (!verify->tree.dom0)
		report_warning(
			&verify->dt->answer.report, verify->path, 0,
			"names no kernel for dom0%s: unless the boot loader adds "
			"it, Xen stops at the first node that is enhanced",
			xen->capabilities ? ", nor a node with capabilities 0x4" : "");
}

static const char *enhanced_advice(const struct verify *verify,
				   const struct dt_domain *node)
{
	switch (node->enhanced) {
	case DT_ENABLED:
		break;
	case DT_PLAIN:
		return "is not xen,enhanced, and has no grants and no xenstore";
	case DT_NO_XENSTORE:
		return "is enhanced without xenstore, where devices are found";
	case DT_LEGACY:
		return verify->dt->xen->capabilities
			       ? "is xen,enhanced = \"legacy\", for which Xen 4.21 and "
				 "4.22 leave xenstore undone"
			       : "is xen,enhanced = \"legacy\", which this Xen takes "
				 "for "
				 "\"disabled\"";
	}
	return NULL;
}

static void check_driver(struct verify *verify)
{
	struct dt *dt = verify->dt;
	const struct dt_domain *node = node_of(verify, dt->driver);
	uint64_t need = dt_need_maptrack_frames(dt);

	if (!node) {
		report_error(&dt->answer.report, verify->path, 0,
			     "the driver domain is to be domid %u, and there are %u "
			     "nodes \"xen,domain\"",
			     dt->driver.v, verify->tree.n);
		return;
	}
	if (*dt->driver_node && strcmp(node->name, dt->driver_node))
		report_error(&dt->answer.report, verify->path, 0,
			     "the driver domain is to be node %s, but domid %u will be "
			     "node %s",
			     dt->driver_node, dt->driver.v, node->name);
	if (enhanced_advice(verify, node))
		report_error(&dt->answer.report, verify->path, 0,
			     "node %s, the driver domain, %s; say xen,enhanced = "
			     "\"enabled\"",
			     node->name, enhanced_advice(verify, node));
	if (maptrack_frames(verify, node) < need)
		report_error(&dt->answer.report, verify->path, 0,
			     "node %s, the driver domain, has %" PRIu32
			     " maptrack frames; its policies need %" PRIu64
			     "; raise %s",
			     node->name, maptrack_frames(verify, node), need,
			     dt->xen->node_limits ? "max_maptrack_frames"
						  : "gnttab_max_maptrack_frames");
	if (dt->xen->capabilities && node->capabilities.v & DT_CAP_CONTROL)
		report_warning(
			&dt->answer.report, verify->path, 0,
			"node %s, the driver domain, has capabilities 0x1: it may "
			"do to its clients what dom0 may",
			node->name);
}

/* The node of entry @i, as its number and the integrator say, or NULL. */
static const struct dt_domain *check_node(struct verify *verify, unsigned i)
{
	struct dt *dt = verify->dt;
	const struct set_entry *entry = &dt->set.entry[i];
	const struct dt_domain *node = node_of(verify, dt->client[i]);
	const char *tied = dt_tied(dt, i);
	unsigned line = entry->policy.line[POLICY_KEY_DOMAIN];
	struct domid other = tied ? find_node(verify, tied) : (struct domid){0};

	if (tied && !other.v)
		report_error(&dt->answer.report, entry->path, line,
			     "its client is to be node %s, and %s has not exactly one "
			     "domain of this name",
			     tied, verify->path);
	else if (tied && entry->policy.any_domain)
		dt->client[i] = other;
	else if (tied && other.v != dt->client[i].v)
		report_error(&dt->answer.report, entry->path, line,
			     "Domain = %u %s%s, and its client is to be node %s, which "
			     "is domid %u",
			     dt->client[i].v, node ? "will be node " : "has no node",
			     node ? node->name : "", tied, other.v);
	else if (!node && !entry->policy.any_domain)
		report_error(&dt->answer.report, entry->path, line,
			     "Domain = %u has no node: %s has %u nodes \"xen,domain\"",
			     dt->client[i].v, verify->path, verify->tree.n);
	return node_of(verify, dt->client[i]);
}

static void check_client(struct verify *verify, unsigned i)
{
	struct dt *dt = verify->dt;
	const struct set_entry *entry = &dt->set.entry[i];
	const struct policy *policy = &entry->policy;
	const struct dt_domain *node = node_of(verify, dt->client[i]);
	struct dt_grants need = dt_need_grants(dt, dt->client[i]);
	uint64_t refs;

	if (!node)
		return;
	if (policy->any_domain && dt->client[i].v == dt->driver.v)
		report_error(&dt->answer.report, entry->path,
			     policy->line[POLICY_KEY_DOMAIN],
			     "node %s is the driver domain itself", node->name);
	if (enhanced_advice(verify, node))
		report_error(&dt->answer.report, entry->path,
			     policy->line[POLICY_KEY_DOMAIN],
			     "node %s, the client, %s; say xen,enhanced = \"enabled\"",
			     node->name, enhanced_advice(verify, node));
	refs = (uint64_t)grant_frames(verify, node) * DT_FRAME_REFS;
	if (refs < need.refs)
		report_error(&dt->answer.report, entry->path,
			     policy->line[policy_data_key(policy)],
			     "node %s, the client, has %" PRIu32
			     " grant frames; its policies need %" PRIu64
			     "; raise %s, or lower %s",
			     node->name, grant_frames(verify, node), need.least,
			     dt->xen->node_limits ? "max_grant_frames"
						  : "gnttab_max_frames",
			     policy->mode == POLICY_POOL ? "PoolPages" : "DataPages");
	else if (policy->first_ref.v >= refs)
		report_error(&dt->answer.report, entry->path,
			     policy->line[POLICY_KEY_GRANT_REFS],
			     "node %s, the client, has references 0-%" PRIu64
			     ", none of them in GrantRefs %u-%u",
			     node->name, refs - 1, policy->first_ref.v,
			     policy->last_ref.v);
	else if (policy->last_ref.v < refs - 1)
		report_warning(&dt->answer.report, entry->path,
			       policy->line[POLICY_KEY_GRANT_REFS],
			       "node %s, the client, has references to %" PRIu64
			       ", GrantRefs ends at %u: a stock client may grant one "
			       "that is refused",
			       node->name, refs - 1, policy->last_ref.v);
}

/* The policies of one client; those whose node rests on a number have a "?". */
static unsigned print_policies(const struct dt *dt, struct domid client)
{
	unsigned guessed = 0;

	for (unsigned i = 0; i < dt->set.n; i++) {
		bool tied = dt_tied(dt, i) || dt->set.entry[i].policy.any_domain;

		if (dt->client[i].v != client.v)
			continue;
		printf(" %s%s", dt->set.entry[i].policy.name, tied ? "" : "?");
		guessed += !tied;
	}
	putchar('\n');
	return guessed;
}

/* The same as an array. */
static json_t *policies(const struct dt *dt, struct domid client)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < dt->set.n; i++) {
		const struct policy *policy = &dt->set.entry[i].policy;

		if (dt->client[i].v == client.v)
			json_array_append_new(
				array, json_pack("{s:s, s:b}", "instance", policy->name,
						 "tied",
						 dt_tied(dt, i) || policy->any_domain));
	}
	return array;
}

static json_t *domains(const struct verify *verify)
{
	const struct dt *dt = verify->dt;
	json_t *array = json_array();

	for (unsigned v = 1; v <= verify->tree.n; v++) {
		const struct dt_domain *node = &verify->tree.domain[v - 1];

		json_array_append_new(
			array,
			json_pack("{s:i, s:o, s:s, s:I, s:I, s:b, s:o}", "domid",
				  (int)v, "node", answer_text(node->name), "enhanced",
				  dt_enhanced_name(node->enhanced), "grant_frames",
				  (json_int_t)grant_frames(verify, node),
				  "maptrack_frames",
				  (json_int_t)maptrack_frames(verify, node),
				  "is_driver_domain", v == dt->driver.v, "policies",
				  policies(dt, (struct domid){(uint16_t)v})));
	}
	return json_pack("{s:o, s:o}", "domains", array, "by_tag",
			 policies(dt, (struct domid){0}));
}

static void print_domains(const struct verify *verify)
{
	const struct dt *dt = verify->dt;
	unsigned guessed = 0;

	printf("%5s  %-20s %-11s %12s %15s  %s\n", "DOMID", "NODE", "ENHANCED",
	       "GRANT-FRAMES", "MAPTRACK-FRAMES", "POLICIES");
	for (unsigned v = 1; v <= verify->tree.n; v++) {
		const struct dt_domain *node = &verify->tree.domain[v - 1];

		printf("%5u  %-20s %-11s %12" PRIu32 " %15" PRIu32 " %s", v, node->name,
		       dt_enhanced_name(node->enhanced), grant_frames(verify, node),
		       maptrack_frames(verify, node),
		       v == dt->driver.v ? " (driver domain)" : "");
		guessed += print_policies(dt, (struct domid){(uint16_t)v});
	}
	if (dt_need_grants(dt, (struct domid){0}).policies) {
		printf("%5s  %-20s %-11s %12s %15s ", "any", "by Tag", "-", "-", "-");
		print_policies(dt, (struct domid){0});
	}
	if (guessed)
		puts("\n?: by its number alone; --client NAME=NODE says which node is "
		     "meant");
}

void dt_verify(struct dt *dt, const char *path)
{
	struct verify verify = {.dt = dt, .path = path};
	const char *wrong = dt_tree_read(path, &verify.tree);

	if (wrong) {
		report_error(&dt->answer.report, path, 0,
			     "%s: no tree to verify against", wrong);
		dt_tree_free(&verify.tree);
		return;
	}
	verify.line = dt_cmdline_read(verify.tree.command_line);
	check_xsm(&verify);
	check_xenstore(&verify);
	for (unsigned i = 0; i < verify.tree.n; i++) {
		check_boots(&verify, &verify.tree.domain[i]);
		check_unread(&verify, &verify.tree.domain[i]);
	}
	check_driver(&verify);
	for (unsigned i = 0; i < dt->set.n; i++)
		check_node(&verify, i);
	for (unsigned i = 0; i < dt->set.n; i++) /* when all clients are known */
		check_client(&verify, i);
	if (answer_json(&dt->answer))
		dt->result = domains(&verify);
	else
		print_domains(&verify);
	dt_tree_free(&verify.tree);
}
