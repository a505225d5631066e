/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/net/net-link.h"
#include "policy/class.h"

static int open_named(struct net_link **out, const char *name,
		      const struct net_link_conf *conf)
{
	char dir[sizeof(NET_LINK_NAMED_DIR) + POLICY_NAME_MAX];

	if (!policy_name_ok(name))
		return -EINVAL;
	snprintf(dir, sizeof(dir), NET_LINK_NAMED_DIR "%s", name);
	return net_link_named_open(out, dir, conf);
}

int net_link_open(struct net_link **out, const char *resource,
		  const struct net_link_conf *conf)
{
	if (!strcmp(resource, "null:"))
		return net_link_null_open(out, conf);
	if (class_link_name(resource))
		return open_named(out, class_link_name(resource), conf);
	return net_link_tap_open(out, resource, conf);
}
