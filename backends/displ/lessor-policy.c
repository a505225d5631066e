/* SPDX-License-Identifier: MIT */
/* The policies of a card's instances: see lessor.h. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "backends/displ/displ-resource.h"
#include "backends/displ/lessor.h"
#include "common/file.h"

/* NULL, or what it is not good for. Its keeper and its back end say the details. */
static const char *judge(const struct lessor *l, const char *name, const char *text,
			 size_t len, struct displ_policy *out)
{
	static struct policy_errors errors;
	static struct policy policy;

	errors.count = 0;
	if (policy_parse(name, text, len, &policy, &errors) ||
	    !displ_policy_read(&policy, text, len, out))
		return "it is no good policy of a display (xdd-policy check says "
		       "more)";
	displ_policy_fit(&policy, out, &errors);
	if (errors.count)
		return "what it says does not go together (xdd-policy check says more)";
	if (displ_resource_of(policy.resource) != DISPL_RESOURCE_LEASE ||
	    strcmp(displ_resource_path(policy.resource), l->card))
		return "its Resource is not a lease of this card (systemctl "
		       "daemon-reload, if it was changed)";
	return NULL;
}

bool lessor_add(struct lessor *l, const char *dir, const char *name)
{
	static char text[POLICY_TEXT_MAX + 1]; /* one more: too long to the parser */
	char path[PATH_MAX];
	struct lessor_instance *in = &l->instance[l->instances];
	const char *wrong;
	ssize_t n;

	if (l->instances == LESSOR_INSTANCES_MAX)
		return false;
	l->instances++;
	*in = (struct lessor_instance){.listener = -1, .peer = -1};
	snprintf(in->name, sizeof(in->name), "%s", name);
	log_init(&in->log, in->name);
	snprintf(path, sizeof(path), "%s/%s.policy", dir, name);
	n = file_read(path, text, sizeof(text));
	wrong = n < 0 ? strerror((int)-n)
		      : judge(l, name, text, (size_t)n, &in->policy);
	if (!wrong)
		return true;
	in->policy.heads = 0;
	log_line(&in->log, LOG_LEVEL_ERROR, "%s: %s; it is lent nothing", path, wrong);
	return true;
}
