/* SPDX-License-Identifier: MIT */
/* Taps and addresses: which two instances both name what one client has: see set.h. */
#include <string.h>

#include "backends/net/net-policy.h"
#include "policy/class.h"
#include "policy/cmd/set.h"

static bool read_net(const struct set_entry *entry, struct net_policy *out)
{
	struct policy_errors errors = {0};

	if (entry->policy.class != POLICY_NET)
		return false;
	net_policy_init(out);
	return !policy_parse_section(entry->text, entry->len, "Net", net_policy_keys,
				     out, &errors);
}

/* The name of an interface of the host: the others have a colon, which none has. */
static bool is_tap(const struct set_entry *entry)
{
	return !strchr(entry->policy.resource, ':');
}

static void check_two(const struct set_entry *entry, const struct net_policy *net,
		      const struct set_entry *other, struct report *report)
{
	const char *name = entry->policy.name, *resource = other->policy.resource;
	char mac[POLICY_LINE_MAX + 1];
	struct net_policy more;

	if (!read_net(other, &more))
		return;
	if (is_tap(other) && !strcmp(resource, entry->policy.resource))
		report_error(
			report, other->path, other->policy.line[POLICY_KEY_RESOURCE],
			"%s is %s's as well, and a tap is of one client; give each "
			"its own, on one bridge if they are to meet",
			resource, name);
	if (!memcmp(net->mac, more.mac, sizeof(more.mac)))
		report_warning(report, other->path, set_find(other, "Net", "MAC", mac),
			       "MAC is that of %s as well, and no network they are "
			       "both on can tell them apart; give each its own",
			       name);
}

void set_check_networks(const struct set *set, struct report *report)
{
	struct net_policy net;

	for (unsigned i = 0; i < set->n; i++) {
		if (!read_net(&set->entry[i], &net))
			continue;
		for (unsigned k = i + 1; k < set->n; k++)
			check_two(&set->entry[i], &net, &set->entry[k], report);
	}
}
