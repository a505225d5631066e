/* SPDX-License-Identifier: MIT */
/* Domains by name: see domains.h. */
#include "xenbus/cmd/domains.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"

#define HOMES "/local/domain"

static bool is_number(const char *name, struct domid *out)
{
	uint64_t number;

	if (!number_parse(name, strlen(name), DOMID_LIMIT - 1, &number))
		return false;
	out->v = (uint16_t)number;
	return true;
}

/* 1: it is called so; -EPERM: it calls itself so; 0: it is not. */
static int has_name(struct control *c, struct domid id, const char *name)
{
	char path[64], value[TREE_VALUE_MAX + 1];

	snprintf(path, sizeof(path), HOMES "/%u/name", id.v);
	if (c->tree->ops->read(c->tree, path, value) || strcmp(value, name))
		return 0;
	if (c->tree->ops->ours(c->tree, path) == 1)
		return 1;
	snprintf(value, sizeof(value), "dom0less-%u", id.v);
	return strcmp(value, name) ? -EPERM : 1;
}

bool domains_gone(struct control *c, struct domid id)
{
	struct machine_domain domain;
	int r = -ESRCH;

	if (id.v < DOMID_LIMIT)
		r = c->machine->ops->domain(c->machine, id, &domain);
	return r == -ESRCH || (!r && domain.dying);
}

/* Xen numbers domains upwards, so that the highest number is the youngest. */
int domains_find(struct control *c, const char *name, struct domid *out)
{
	struct domid id, found = {0};
	int outcome = -ENOENT, r;
	char **homes;
	unsigned n;

	if (is_number(name, out))
		return 0;
	r = c->tree->ops->list(c->tree, HOMES, &homes, &n);
	if (r)
		return r;
	for (unsigned i = 0; i < n; i++) {
		r = is_number(homes[i], &id) ? has_name(c, id, name) : 0;
		if (!r || (!outcome && id.v < found.v) || domains_gone(c, id))
			continue;
		if (r == 1) {
			found = id;
			outcome = 0;
		} else if (outcome) {
			outcome = r;
		}
	}
	free(homes);
	if (!outcome)
		*out = found;
	return outcome;
}

const char *domains_name(struct control *c, struct domid id, char *out, size_t size)
{
	char dir[32], name[TREE_VALUE_MAX + 1];

	snprintf(dir, sizeof(dir), HOMES "/%u", id.v);
	if (tree_read(c->tree, dir, "name", name) || !name[0])
		snprintf(out, size, "%u", id.v);
	else
		snprintf(out, size, "%.64s (%u)", name, id.v);
	for (char *at = out; *at; at++) /* it may be the domain's own to write */
		*at = *at < ' ' || *at > '~' ? '?' : *at;
	return out;
}
