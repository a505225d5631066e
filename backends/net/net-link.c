/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/net/net-link.h"

int net_link_open(struct net_link **out, const char *resource,
		  const struct net_link_conf *conf)
{
	if (!strcmp(resource, "null:"))
		return net_link_null_open(out, conf);
	return net_link_tap_open(out, resource, conf);
}
