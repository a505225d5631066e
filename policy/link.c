/* SPDX-License-Identifier: MIT */
/* The name of a network link, and the tag that a device gets: see class.h. A file of
 * its own, since the keeper knows no Resource, reads tags and writes none, and so does
 * not link it. */
#include <string.h>

#include "policy/class.h"

const char *class_link_name(const char *resource)
{
	static const char prefix[] = "link:";
	size_t n = sizeof(prefix) - 1;

	return strncmp(resource, prefix, n) ? NULL : resource + n;
}

const char *class_link(const struct policy *policy)
{
	const char *name = class_link_name(policy->resource);

	return policy->class == POLICY_NET && name && policy_name_ok(name) ? name
									   : NULL;
}

const char *class_tag(const struct policy *policy)
{
	return policy->tag[0] ? policy->tag : policy->name;
}
