/* SPDX-License-Identifier: MIT */
/* What the toolstack has recorded: see witness-store.h. */
#include "xenbus/cmd/witness-store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"

#define HOMES  "/local/domain"
#define COPIES "/libxl"
#define DEPTH  3 /* of a front end's directory: "queue-0/event-channel" */

struct walk {
	struct tree *tree;
	struct scene *scene;
	const char *why;
};

/* Where a walk is: the copy's "/libxl/3/device/vbd/51712". */
struct at {
	struct domid front;
	const char *kind, *id;
};

static bool number_of(const char *text, uint64_t max, uint64_t *out)
{
	return number_parse(text, strlen(text), max, out);
}

/* Calls @each for every name in @dir; what is not there has none. */
static void each_name(struct walk *w, const char *dir,
		      void (*each)(struct walk *w, const char *dir, const char *name,
				   void *owner),
		      void *owner)
{
	char **names;
	unsigned n;
	int err = w->tree->ops->list(w->tree, dir, &names, &n);

	if (err && err != -ENOENT && !w->why)
		w->why = "xenstore cannot be read: run this as root in the control "
			 "domain";
	if (err)
		return;
	for (unsigned i = 0; i < n; i++)
		each(w, dir, names[i], owner);
	free(names);
}

static bool under(const char *dir, const char *name, char path[TREE_PATH_MAX + 1])
{
	return snprintf(path, TREE_PATH_MAX + 1, "%s/%s", dir, name) <= TREE_PATH_MAX;
}

/* -- Who serves whom ----------------------------------------------------------------
 */

/* "/local/domain/1/backend/vbd/3/51712" is of domain 1. */
static bool back_of(struct walk *w, const char *copy, struct domid *out)
{
	char value[TREE_VALUE_MAX + 1];
	const char *at = value + strlen(HOMES) + 1;
	uint64_t back;

	if (tree_read(w->tree, copy, "backend", value) ||
	    strncmp(value, HOMES "/", strlen(HOMES) + 1) ||
	    !number_parse(at, strcspn(at, "/"), DOMID_LIMIT - 1, &back))
		return false;
	out->v = (uint16_t)back;
	return true;
}

static bool is_device_of(struct walk *w, const struct instance *i, const char *copy,
			 const struct at *at)
{
	char tag[TREE_VALUE_MAX + 1];
	uint32_t id;
	uint64_t have;

	return i->class && !strcmp(at->kind, i->class->kind) &&
	       class_device_id(i->policy.class, i->policy.device, &id) &&
	       number_of(at->id, UINT32_MAX, &have) && have == id &&
	       (i->policy.any_domain || i->policy.domain.v == at->front.v) &&
	       (!*i->policy.tag || (!tree_read(w->tree, copy, i->class->tag_key, tag) &&
				    !strcmp(tag, i->policy.tag)));
}

/* Of two with one tag the one that the log names counts: the other's pages are then not
 * explained. */
static void give_clients(struct walk *w, const char *copy, const struct at *at)
{
	for (unsigned n = 0; n < w->scene->instances.n; n++) {
		struct instance *i = w->scene->instances.at[n];

		if (is_device_of(w, i, copy, at) &&
		    (i->client == RECORD_NONE || i->log.client == at->front.v))
			i->client = at->front.v;
	}
}

/* -- The driver domain's own front ends -----------------------------------------------
 */

static void name_port(struct walk *w, const char *path, struct domid remote)
{
	struct scene *s = w->scene;
	char value[TREE_VALUE_MAX + 1];
	uint64_t port;

	if (w->tree->ops->read(w->tree, path, value) ||
	    !number_of(value, SCENE_PORTS - 1, &port) || s->nameds == SCENE_NAMED)
		return;
	s->named[s->nameds++] = (struct scene_named){{(uint32_t)port}, remote};
}

struct front {
	struct domid back;
	unsigned depth;
};

static void front_key(struct walk *w, const char *dir, const char *name, void *owner)
{
	struct front front = *(struct front *)owner;
	char path[TREE_PATH_MAX + 1];

	if (!under(dir, name, path))
		return;
	if (strstr(name, "event-channel") || !strcmp(name, "port"))
		name_port(w, path, front.back);
	else if (front.depth++ < DEPTH)
		each_name(w, path, front_key, &front);
}

static void copy_id(struct walk *w, const char *dir, const char *name, void *owner)
{
	struct scene *s = w->scene;
	struct at *at = owner;
	char copy[TREE_PATH_MAX + 1], front[TREE_PATH_MAX + 1];
	struct front own = {.depth = 0};

	at->id = name;
	if (!under(dir, name, copy) || !back_of(w, copy, &own.back))
		return;
	if (s->devices < SCENE_DEVICES)
		s->device[s->devices++] = (struct scene_device){at->front, own.back};
	if (own.back.v == s->domain.v)
		give_clients(w, copy, at);
	if (at->front.v == s->domain.v &&
	    snprintf(front, sizeof(front), HOMES "/%u/device/%s/%s", at->front.v,
		     at->kind, name) < (int)sizeof(front))
		each_name(w, front, front_key, &own);
}

static void copy_kind(struct walk *w, const char *dir, const char *name, void *owner)
{
	struct at *at = owner;
	char path[TREE_PATH_MAX + 1];

	at->kind = name;
	if (under(dir, name, path))
		each_name(w, path, copy_id, owner);
}

static void copy_domain(struct walk *w, const char *dir, const char *name, void *owner)
{
	struct at at = {.kind = NULL};
	char path[TREE_PATH_MAX + 1];
	uint64_t front;

	(void)owner;
	if (!number_of(name, DOMID_LIMIT - 1, &front) ||
	    snprintf(path, sizeof(path), "%s/%s/device", dir, name) >=
		    (int)sizeof(path))
		return;
	at.front.v = (uint16_t)front;
	each_name(w, path, copy_kind, &at);
}

void store_numbers(struct scene *scene)
{
	for (unsigned n = 0; n < scene->instances.n; n++) {
		struct instance *i = scene->instances.at[n];

		i->client = RECORD_NONE;
		if (i->class && !i->policy.any_domain && !*i->policy.tag)
			i->client = i->policy.domain.v;
	}
}

const char *store_read(struct tree *t, struct scene *scene)
{
	struct walk w = {.tree = t, .scene = scene};
	char path[TREE_PATH_MAX + 1];

	store_numbers(scene);
	scene->devices = scene->nameds = 0;
	each_name(&w, COPIES, copy_domain, NULL);
	snprintf(path, sizeof(path), HOMES "/%u/store/port", scene->domain.v);
	name_port(&w, path, (struct domid){0});
	snprintf(path, sizeof(path), HOMES "/%u/console/port", scene->domain.v);
	name_port(&w, path, (struct domid){0});
	return w.why;
}

struct search {
	const char *name;
	struct domid *out;
	unsigned found;
};

static void home(struct walk *w, const char *dir, const char *name, void *owner)
{
	struct search *search = owner;
	char path[TREE_PATH_MAX + 1], value[TREE_VALUE_MAX + 1];
	uint64_t id;

	if (!number_of(name, DOMID_LIMIT - 1, &id) ||
	    snprintf(path, sizeof(path), "%s/%s/name", dir, name) >=
		    (int)sizeof(path) ||
	    w->tree->ops->read(w->tree, path, value) || strcmp(value, search->name) ||
	    w->tree->ops->ours(w->tree, path) != 1)
		return;
	search->out->v = (uint16_t)id;
	search->found++;
}

int store_find(struct tree *t, const char *name, struct domid *out)
{
	struct walk w = {.tree = t};
	struct domid found;
	struct search search = {name, &found, 0};
	uint64_t id;

	if (number_of(name, DOMID_LIMIT - 1, &id)) {
		out->v = (uint16_t)id;
		return 0;
	}
	each_name(&w, HOMES, home, &search);
	if (search.found != 1)
		return search.found ? -EEXIST : -ENOENT;
	*out = found;
	return 0;
}
