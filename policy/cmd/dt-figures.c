/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy dt --json: what the policies need of the tree, as figures; dt-print.c has
 * the same as source for dtc.
 */
#include "policy/cmd/dt-need.h"

/* The policies of @client, by their names; 0: those that are known by a tag. */
static json_t *policies_of(const struct dt *dt, struct domid client)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < dt->set.n; i++) {
		if (dt->client[i].v == client.v)
			json_array_append_new(
				array, json_string(dt->set.entry[i].policy.name));
	}
	return array;
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* A limit on the command line, null where its default suffices or nodes have it. */
static json_t *argument(const struct dt *dt, uint64_t frames, uint64_t suffices)
{
	return !dt->xen->node_limits && frames > suffices ? number(frames)
							  : json_null();
}

static json_t *client_figures(const struct dt *dt, struct domid client)
{
	const struct dt_grants need = dt_need_grants(dt, client);
	char name[DT_NODE_MAX + 1];

	dt_node_name(dt, client, name);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "domid",
			 client.v ? number(client.v) : json_null(), "node",
			 client.v ? json_string(name) : json_null(), "policies",
			 policies_of(dt, client), "references", number(need.refs),
			 "least_grant_frames", number(need.least), "grant_frames",
			 number(need.fit));
}

json_t *dt_figures(const struct dt *dt)
{
	const uint64_t maptrack = dt_need_maptrack_frames(dt);
	json_t *clients = json_array();
	char name[DT_NODE_MAX + 1];

	/* In the order of domids; those that are known by a tag, 0, come last. */
	for (unsigned v = 1; v <= DOMID_LIMIT; v++) {
		const struct domid client = {(uint16_t)(v % DOMID_LIMIT)};

		if (dt_need_grants(dt, client).policies)
			json_array_append_new(clients, client_figures(dt, client));
	}
	dt_node_name(dt, dt->driver, name);
	return json_pack("{s:s, s:{s:i, s:s, s:o, s:o, s:o}, s:o, s:{s:s, s:o, s:o}}",
			 "xen", dt->xen->name, "driver_domain", "domid",
			 (int)dt->driver.v, "node", name, "mapped_pages",
			 number(dt_need_maps(dt)), "maptrack_frames", number(maptrack),
			 "event_channels", number(dt_need_ports(dt)), "clients",
			 clients, "command_line", "xsm", "dummy", "gnttab_max_frames",
			 argument(dt, dt_most_grant_frames(dt), DT_GRANT_FRAMES),
			 "gnttab_max_maptrack_frames",
			 argument(dt, maptrack, DT_MAPTRACK_FRAMES));
}
