/* SPDX-License-Identifier: MIT */
/*
 * A flat list of nodes that behaves as xenstored does for one device: parents
 * come and go with their children, permissions follow the directory's owner,
 * watches coalesce.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "tests/loopxen/loopxen-world.h"

static bool is_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return !strncmp(path, top, len) && (path[len] == '\0' || path[len] == '/');
}

static struct world_node *node_find(struct loopxen *x, const char *path)
{
	size_t len = strlen(path);

	for (unsigned i = 0; i < x->nodes; i++) {
		struct world_node *node = &x->node[i];

		if (node->used && node->path_len == len && !strcmp(node->path, path))
			return node;
	}
	return NULL;
}

static bool node_below(struct loopxen *x, const char *path)
{
	for (unsigned i = 0; i < x->nodes; i++) {
		if (x->node[i].used && is_below(x->node[i].path, path))
			return true;
	}
	return false;
}

/* /local/domain/N/...: N owns it. */
static bool may_write(struct domid as, const char *path)
{
	char home[32];

	snprintf(home, sizeof(home), "/local/domain/%u", as.v);
	return as.v == 0 || is_below(path, home);
}

/* Its owner may read a node, and the peer that a device's directory names:
 * .../device/KIND/ID and .../backend/KIND/FRONT/ID. */
static bool may_read(struct loopxen *x, struct domid as, const char *path)
{
	static const char *const peers[] = {"backend-id", "frontend-id"};
	char dir[WORLD_PATH], key[WORLD_PATH + 16], home[16];
	char *slash;

	if (may_write(as, path))
		return true;
	snprintf(dir, sizeof(dir), "%s", path);
	snprintf(home, sizeof(home), "%u", as.v);
	while ((slash = strrchr(dir, '/')) && slash != dir) {
		*slash = '\0';
		for (unsigned i = 0; i < 2; i++) {
			const struct world_node *node;

			snprintf(key, sizeof(key), "%s/%s", dir, peers[i]);
			node = node_find(x, key);
			if (node && !strcmp(node->value, home))
				return true;
		}
	}
	return false;
}

static void fire(struct loopxen *x, const char *path)
{
	for (unsigned i = 0; i < WORLD_WATCHES; i++) {
		struct world_watch *w = &x->watch[i];

		if (w->used && (is_below(path, w->path) || is_below(w->path, path)))
			w->fired = true;
	}
}

bool loopxen_watch(struct loopxen *x, const char *path)
{
	struct world_watch *unused = NULL;

	for (unsigned i = 0; i < WORLD_WATCHES; i++) {
		struct world_watch *w = &x->watch[i];

		if (!w->used) {
			unused = w;
		} else if (!strcmp(w->path, path)) {
			bool fired = w->fired;

			w->fired = false;
			return fired;
		}
	}
	if (!unused)
		world_wrong("too many watches");
	/* A new watch fires once, as xenstored's. */
	unused->used = true;
	snprintf(unused->path, sizeof(unused->path), "%s", path);
	return true;
}

bool loopxen_write_bytes(struct loopxen *x, struct domid as, const char *path,
			 const char *value, size_t len)
{
	struct world_node *node = node_find(x, path);

	if (len > WORLD_VALUE || strlen(path) >= WORLD_PATH)
		world_wrong("a value or path too long for this world");
	if (!may_write(as, path))
		return false;
	for (unsigned i = 0; i < WORLD_NODES && !node; i++) {
		if (x->node[i].used)
			continue;
		node = &x->node[i];
		if (i >= x->nodes)
			x->nodes = i + 1;
	}
	if (!node)
		world_wrong("too many nodes");
	node->used = true;
	snprintf(node->path, sizeof(node->path), "%s", path);
	node->path_len = strlen(path);
	memcpy(node->value, value, len);
	node->value[len] = '\0';
	node->len = len;
	fire(x, path);
	return true;
}

bool loopxen_write(struct loopxen *x, struct domid as, const char *path,
		   const char *value)
{
	return loopxen_write_bytes(x, as, path, value, strlen(value));
}

bool loopxen_rm(struct loopxen *x, struct domid as, const char *path)
{
	bool found = false;

	if (!may_write(as, path))
		return false;
	for (unsigned i = 0; i < x->nodes; i++) {
		if (!x->node[i].used || !is_below(x->node[i].path, path))
			continue;
		x->node[i].used = false;
		found = true;
	}
	if (found)
		fire(x, path);
	return found;
}

const char *loopxen_read(struct loopxen *x, struct domid as, const char *path)
{
	const struct world_node *node = node_find(x, path);

	return node && may_read(x, as, path) ? node->value : NULL;
}

/* -- Devices ---------------------------------------------------------------- */

const char *loopxen_path(const struct loopxen_device *dev, enum store_side side,
			 const char *key, char *out, size_t size)
{
	int n;

	if (side == STORE_FRONT)
		n = snprintf(out, size, "/local/domain/%u/device/%s/%u", dev->front.v,
			     dev->kind, dev->device);
	else
		n = snprintf(out, size, "/local/domain/%u/backend/%s/%u/%u",
			     dev->back.v, dev->kind, dev->front.v, dev->device);
	if (key && n > 0 && (size_t)n < size)
		snprintf(out + n, size - (size_t)n, "/%s", key);
	return out;
}

static void put(struct loopxen *x, const struct loopxen_device *dev,
		enum store_side side, const char *key, const char *value)
{
	char path[WORLD_PATH];

	loopxen_write(x, (struct domid){0},
		      loopxen_path(dev, side, key, path, sizeof(path)), value);
}

static const struct class_info *of_kind(const char *kind)
{
	for (unsigned i = POLICY_BLK; i <= POLICY_CAN; i++) {
		for (unsigned door = POLICY_PV; door <= POLICY_VIRTIO; door++) {
			if (!strcmp(class_info(i, door)->kind, kind))
				return class_info(i, door);
		}
	}
	world_wrong("no kind %s", kind);
}

void loopxen_attach(struct loopxen *x, const struct loopxen_device *dev,
		    const char *mode, const char *tag)
{
	const struct class_info *class = of_kind(dev->kind);
	char path[WORLD_PATH], number[16];

	snprintf(number, sizeof(number), "%u", dev->front.v);
	put(x, dev, STORE_BACK, "frontend-id", number);
	put(x, dev, STORE_BACK, "frontend",
	    loopxen_path(dev, STORE_FRONT, NULL, path, sizeof(path)));
	put(x, dev, STORE_BACK, "online", "1");
	put(x, dev, STORE_BACK, "mode", mode);
	put(x, dev, STORE_BACK, class->tag_key, tag);
	snprintf(number, sizeof(number), "%u", dev->back.v);
	put(x, dev, STORE_FRONT, "backend-id", number);
	put(x, dev, STORE_FRONT, "backend",
	    loopxen_path(dev, STORE_BACK, NULL, path, sizeof(path)));
	snprintf(number, sizeof(number), "%u", dev->device);
	put(x, dev, STORE_FRONT, "virtual-device", number);
	put(x, dev, STORE_FRONT, "state", "1");
	put(x, dev, STORE_BACK, "state", "1");
}

void loopxen_detach(struct loopxen *x, const struct loopxen_device *dev)
{
	put(x, dev, STORE_BACK, "online", "0");
	put(x, dev, STORE_BACK, "state", "5");
}

/* -- The verbs -------------------------------------------------------------- */

static struct world_back *back_of(struct store *s)
{
	return (struct world_back *)((char *)s - offsetof(struct loopxen_back, store));
}

static struct world_node *back_node(struct world_back *back, enum store_side side,
				    const char *key)
{
	char path[WORLD_PATH];
	struct world_node *node;

	loopxen_path(back->dev, side, key, path, sizeof(path));
	node = node_find(back->x, path);
	return node && may_read(back->x, back->dev->back, path) ? node : NULL;
}

bool world_front_number(struct world_back *back, const char *key, uint64_t max,
			uint64_t *out)
{
	const struct world_node *node = back_node(back, STORE_FRONT, key);

	return node && number_parse(node->value, node->len, max, out);
}

bool world_front_run(struct world_back *back, const char *key, uint64_t *first,
		     uint64_t *n)
{
	const struct world_node *node = back_node(back, STORE_FRONT, key);
	const char *plus = node ? memchr(node->value, '+', node->len) : NULL;

	return plus &&
	       number_parse(node->value, (size_t)(plus - node->value), UINT32_MAX,
			    first) &&
	       number_parse(plus + 1, (size_t)(node->value + node->len - plus - 1),
			    GRANTS_BATCH_MAX, n) &&
	       *n && *first + *n - 1 <= UINT32_MAX;
}

static int back_read(struct store *s, enum store_side side, const char *key,
		     char *value, size_t size)
{
	struct world_back *back = back_of(s);
	const struct world_node *node;
	int r;

	if (size < STORE_VALUE_MAX + 1)
		world_wrong("a buffer of %zu bytes for a value", size);
	if (world_fails(back->x, LOOPXEN_READ, &r))
		return r;
	node = back_node(back, side, key);
	if (!node)
		return STORE_ABSENT;
	if (node->len > STORE_VALUE_MAX || memchr(node->value, 0, node->len))
		return STORE_TOO_LONG;
	memcpy(value, node->value, node->len + 1);
	return STORE_OK;
}

static int back_write(struct store *s, const char *key, const char *value)
{
	struct world_back *back = back_of(s);
	char path[WORLD_PATH];
	int r;

	if (strlen(value) > STORE_VALUE_MAX)
		world_wrong("a value of %zu bytes for %s", strlen(value), key);
	if (world_fails(back->x, LOOPXEN_WRITE, &r))
		return r;
	if (!class_key_matches(back->class->back_keys, key))
		return STORE_REFUSED;
	/* A write to a directory that the toolstack removed does not bring it
	 * back to life. */
	loopxen_path(back->dev, STORE_BACK, NULL, path, sizeof(path));
	if (!node_below(back->x, path))
		return STORE_OK;
	loopxen_path(back->dev, STORE_BACK, key, path, sizeof(path));
	loopxen_write(back->x, back->dev->back, path, value);
	return STORE_OK;
}

static int back_remove(struct store *s)
{
	struct world_back *back = back_of(s);
	char path[WORLD_PATH];
	int r;

	if (world_fails(back->x, LOOPXEN_REMOVE, &r))
		return r;
	loopxen_path(back->dev, STORE_BACK, NULL, path, sizeof(path));
	loopxen_rm(back->x, back->dev->back, path);
	return STORE_OK;
}

static enum store_state back_state(struct world_back *back, enum store_side side)
{
	const struct world_node *node = back_node(back, side, "state");
	uint64_t v;

	if (!node || !number_parse(node->value, node->len, STORE_RECONFIGURED, &v))
		return STORE_UNKNOWN;
	return (enum store_state)v;
}

static void back_status(struct world_back *back, struct store_status *out)
{
	const struct world_node *id = back_node(back, STORE_BACK, "frontend-id");
	const struct world_node *tag =
		back_node(back, STORE_BACK, back->class->tag_key);
	const struct world_node *online = back_node(back, STORE_BACK, "online");
	uint64_t front;

	*out = (struct store_status){.generation = back->generation};
	if (!id || !number_parse(id->value, id->len, DOMID_LIMIT - 1, &front))
		return;
	out->frontend = (struct domid){(uint16_t)front};
	out->present =
		policy_may_serve(back->policy, out->frontend, tag ? tag->value : "")
			.allowed;
	out->online = online && !strcmp(online->value, "1");
	out->release = back->release;
	out->device = back->dev->device;
	out->front = back_state(back, STORE_FRONT);
	out->back = back_state(back, STORE_BACK);
}

static bool same(const struct store_status *a, const struct store_status *b)
{
	return a->present == b->present && a->online == b->online &&
	       a->release == b->release && a->generation == b->generation &&
	       a->frontend.v == b->frontend.v && a->device == b->device &&
	       a->front == b->front && a->back == b->back;
}

static int back_poll(struct store *s, struct store_status *out)
{
	struct world_back *back = back_of(s);
	struct store_status now;
	int r;

	if (world_fails(back->x, LOOPXEN_POLL, &r))
		return r;
	back_status(back, &now);
	if (now.present && !back->was_present)
		now.generation = ++back->generation;
	back->was_present = now.present;
	r = !back->polled || !same(&now, &back->last);
	back->polled = true;
	back->last = now;
	*out = now;
	return r;
}

const struct store_ops world_store_ops = {
	.read = back_read,
	.write = back_write,
	.remove = back_remove,
	.poll = back_poll,
};
