/* SPDX-License-Identifier: MIT */
/*
 * What all instances of a driver domain share: see set.h.
 *
 * Sums of the worst case that the policies allow, so that no instance can
 * starve another by using what it was promised. xdd-policy(8) has the table.
 */
#include <inttypes.h>
#include <stdio.h>

#include "policy/class.h"
#include "policy/cmd/answer.h"
#include "policy/cmd/set.h"

#define PAGES_PER_MIB 256
#define LINK_PAGES    257 /* the one of a named link's two rings that an end fills */

static bool maps_data(const struct policy *policy)
{
	return policy->mode == POLICY_MAP || policy->mode == POLICY_POOL;
}

static uint64_t mapped_pages(const struct policy *policy)
{
	return policy->ring_pages + (maps_data(policy) ? policy->data_pages : 0);
}

/* One a ring; four pairs that tell of a release, with and without a keeper. */
static uint64_t event_channels(const struct policy *policy)
{
	return policy->ring_pages + 8;
}

/* The front-end directory and the back-end directory. */
static uint64_t watches(const struct policy *policy)
{
	(void)policy;
	return 2;
}

static uint64_t nodes(const struct policy *policy)
{
	(void)policy;
	return 18;
}

/* Keeper and back end, with their Xen devices, sockets, rings and logs. */
static uint64_t descriptors(const struct policy *policy)
{
	return policy->isolation == POLICY_PROCESS ? 40 : 20;
}

/* Pages, rounded up to MiB in the sum: 8 MiB for the two processes, for each page
 * of a ring 64 that its entries need while they are served, the copy area, an end of a
 * named link, and, where the kernel has no unpopulated pages to map grants into, one
 * page of the domain's own for each page mapped. */
static uint64_t memory(const struct policy *policy)
{
	return 8 * PAGES_PER_MIB + 65 * policy->ring_pages + policy->data_pages +
	       (class_link(policy) ? LINK_PAGES : 0);
}

/* clang-format off */
static const struct share {
	const char *option, *name, *advice;
	uint64_t (*need)(const struct policy *policy);
	uint64_t own;	/* of the driver domain itself */
	uint64_t unit;
	uint64_t limit;	/* default; 0: none */
} shares[SET_SHARES] = {
	[SET_MAPTRACK] = { "maptrack", "maptrack entries",
		"lower RingPages, DataPages or PoolPages, or raise max_maptrack_frames (256 entries each)",
		mapped_pages, 0, 1, 262144 },
	[SET_EVENT_CHANNELS] = { "event-channels", "event channels",
		"lower RingPages, or raise event_channels in xl.cfg(5)",
		event_channels, 64, 1, 1023 },
	[SET_WATCHES] = { "watches", "xenstore watches",
		"use a second driver domain, or raise xenstored's quota of watches",
		watches, 8, 1, 128 },
	[SET_NODES] = { "nodes", "xenstore nodes",
		"use a second driver domain, or raise xenstored's quota of nodes",
		nodes, 8, 1, 1000 },
	[SET_DESCRIPTORS] = { "descriptors", "file descriptors",
		"raise fs.file-max", descriptors, 1024, 1, 65536 },
	[SET_MEMORY] = { "memory", "memory (MiB)",
		"lower DataPages or PoolPages, or give the driver domain more memory",
		memory, 0, PAGES_PER_MIB, 0 },
};
/* clang-format on */

void set_limits_init(struct set_limits *limits)
{
	*limits = (struct set_limits){0};
	for (unsigned i = 0; i < SET_SHARES; i++)
		limits->limit[i] = shares[i].limit;
}

const char *set_share_option(enum set_share share)
{
	return shares[share].option;
}

bool set_limit_read(struct set_limits *limits, enum set_share share, const char *value,
		    struct report *report)
{
	if (policy_value_number(value, 1, UINT32_MAX, &limits->limit[share]))
		return true;
	report_usage(report, "--%s takes a number from 1, not \"%s\"",
		     set_share_option(share), value);
	return false;
}

uint64_t set_share_need(const struct set *set, enum set_share which, bool pv)
{
	const struct share *share = &shares[which];
	uint64_t sum = 0;

	for (unsigned i = 0; i < set->n; i++)
		sum += share->need(&set->entry[i].policy);
	if (pv && which == SET_MAPTRACK)
		sum *= 2;
	return share->own + (sum + share->unit - 1) / share->unit;
}

void set_check_shares(const struct set *set, const struct set_limits *limits,
		      const char *path, struct report *report)
{
	for (unsigned i = 0; i < SET_SHARES; i++) {
		uint64_t need = set_share_need(set, i, limits->pv);
		uint64_t limit = limits->limit[i];

		if (limit && need > limit)
			report_error(report, path, 0,
				     "all instances need %" PRIu64 " %s, the driver "
				     "domain has %" PRIu64 "; %s, and say --%s",
				     need, shares[i].name, limit, shares[i].advice,
				     shares[i].option);
	}
}

void set_print_shares(const struct set *set, const struct set_limits *limits)
{
	printf("\n%-18s %10s %10s\n", "SHARED", "NEED", "LIMIT");
	for (unsigned i = 0; i < SET_SHARES; i++) {
		printf("%-18s %10" PRIu64, shares[i].name,
		       set_share_need(set, i, limits->pv));
		if (limits->limit[i])
			printf(" %10" PRIu64 "\n", limits->limit[i]);
		else
			printf(" %10s\n", "-");
	}
}

json_t *set_shares(const struct set *set, const struct set_limits *limits)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < SET_SHARES; i++) {
		json_int_t need = (json_int_t)set_share_need(set, i, limits->pv);
		json_int_t limit = (json_int_t)limits->limit[i];

		json_array_append_new(
			array,
			json_pack("{s:s, s:s, s:I, s:o}", "share", shares[i].name,
				  "option", shares[i].option, "need", need, "limit",
				  limit ? json_integer(limit) : json_null()));
	}
	return array;
}
