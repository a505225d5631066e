/* SPDX-License-Identifier: MIT */
/* What is in the way of a device: see collide.h. */
#include "xenbus/cmd/collide.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "policy/class.h"

/* The back end that the trusted copy names; DOMID_LIMIT: none that can be read. */
static struct domid backend_of(const char *path)
{
	static const char home[] = "/local/domain/";
	const char *digits = path + sizeof(home) - 1;
	uint64_t number;

	if (strncmp(path, home, sizeof(home) - 1) ||
	    !number_parse(digits, strspn(digits, "0123456789"), DOMID_LIMIT - 1,
			  &number))
		return (struct domid){DOMID_LIMIT};
	return (struct domid){(uint16_t)number};
}

static enum check refuse(struct control *c, const struct plan_input *in,
			 const char *what, const char *then)
{
	say_error(c->say, "%s: device %s of domain %u %s; %s", in->policy->name,
		  in->policy->device, in->front.v, what, then);
	return CHECK_REFUSED;
}

/* Ours, and in the way: is its other half still there? */
static bool is_stale(struct control *c, const struct plan_paths *paths,
		     const char *back)
{
	return !tree_has(c->tree, back) || !tree_has(c->tree, paths->front) ||
	       domains_gone(c, backend_of(back));
}

enum check collide_device(struct control *c, const struct plan_input *in,
			  const struct plan_paths *paths)
{
	const char *tag_key = class_info(in->policy->class, in->policy->door)->tag_key;
	char back[TREE_VALUE_MAX + 1], mark[TREE_VALUE_MAX + 1],
		tag[TREE_VALUE_MAX + 1];

	if (!tree_has(c->tree, paths->copy)) {
		/* A half that no toolstack accounts for, and whose other half lives. */
		if (tree_has(c->tree, paths->front) &&
		    !tree_read(c->tree, paths->front, "backend", back) &&
		    strcmp(back, paths->back) && tree_has(c->tree, back))
			return refuse(c, in, "is there, written by hand",
				      "xdd-attach detach --force removes it");
		return CHECK_NEW;
	}
	tree_read(c->tree, paths->copy, "backend", back);
	tree_read(c->tree, paths->copy, PLAN_MARK, mark);
	tree_read(c->tree, paths->copy, tag_key, tag);
	if (!mark[0])
		return refuse(c, in, "is a toolstack's already",
			      "take it out of the domain's configuration, or detach it "
			      "there (xl block-detach and the like)");
	if (is_stale(c, paths, back))
		return CHECK_STALE;
	if (strcmp(back, paths->back))
		return refuse(c, in, "is served by another driver domain",
			      "xdd-attach detach it first");
	if (strcmp(tag, class_tag(in->policy)))
		return refuse(c, in, "is attached with another tag",
			      "xdd-attach detach it first");
	if (tree_number(c->tree, back, "online", 1, 0) != 1)
		return refuse(c, in, "is being detached",
			      "wait, or xdd-attach detach --force");
	return CHECK_SAME;
}

/* True if @client, another than ours, is served the device number with the tag. */
static bool has_tag(struct control *c, const struct plan_input *in, const char *client,
		    const char *kind, uint32_t id)
{
	char dir[TREE_PATH_MAX + 1], tag[TREE_VALUE_MAX + 1];
	uint64_t other;

	if (!number_parse(client, strlen(client), DOMID_LIMIT - 1, &other) ||
	    other == in->front.v)
		return false;
	snprintf(dir, sizeof(dir), "/local/domain/%u/backend/%s/%u/%u", in->back.v,
		 kind, (unsigned)other, id);
	return !tree_read(c->tree, dir,
			  class_info(in->policy->class, in->policy->door)->tag_key,
			  tag) &&
	       !strcmp(tag, class_tag(in->policy)) &&
	       !domains_gone(c, (struct domid){(uint16_t)other});
}

bool collide_tag(struct control *c, const struct plan_input *in)
{
	const char *kind = class_info(in->policy->class, in->policy->door)->kind;
	char dir[TREE_PATH_MAX + 1], **clients;
	unsigned n, taken = 0;
	uint32_t id;

	class_device_id(in->policy->class, in->policy->device, &id);
	snprintf(dir, sizeof(dir), "/local/domain/%u/backend/%s", in->back.v, kind);
	if (c->tree->ops->list(c->tree, dir, &clients, &n))
		return true;
	while (taken < n && !has_tag(c, in, clients[taken], kind, id))
		taken++;
	if (taken < n)
		say_error(
			c->say,
			"%s: the driver domain serves tag \"%s\" as device %s to "
			"domain %s; detach it there, or give each device a Tag of its "
			"own",
			in->policy->name, class_tag(in->policy), in->policy->device,
			clients[taken]);
	free(clients);
	return taken == n;
}
