/* SPDX-License-Identifier: MIT */
/* The name of a network link: see class.h. A file of its own, since the keeper knows no
 * Resource and so does not link it. */
#include <string.h>

#include "policy/class.h"

const char *class_link(const struct policy *policy)
{
	static const char prefix[] = "link:";
	const char *name = policy->resource + sizeof(prefix) - 1;

	if (policy->class != POLICY_NET ||
	    strncmp(policy->resource, prefix, sizeof(prefix) - 1) ||
	    !policy_name_ok(name))
		return NULL;
	return name;
}
