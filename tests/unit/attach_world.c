/* SPDX-License-Identifier: MIT */
/* The world of xdd-attach's tests: see attach_world.h. */
#include "attach_world.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world world;

static bool is_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return !strncmp(path, top, len) && (!path[len] || path[len] == '/');
}

struct world_node *world_node(const char *path)
{
	for (unsigned i = 0; i < WORLD_NODES; i++) {
		if (world.node[i].used && !strcmp(world.node[i].path, path))
			return &world.node[i];
	}
	return NULL;
}

const char *world_read(const char *path)
{
	struct world_node *node = world_node(path);

	return node ? node->value : NULL;
}

/* As xenstored does for a privileged writer: what is new has its parent's. */
static struct world_node *make(const char *path)
{
	struct world_node *node = world_node(path), *parent;
	char above[TREE_PATH_MAX + 1];

	if (node)
		return node;
	snprintf(above, sizeof(above), "%s", path);
	*strrchr(above, '/') = '\0';
	parent = above[0] ? make(above) : NULL;
	for (unsigned i = 0; i < WORLD_NODES; i++) {
		node = &world.node[i];
		if (node->used)
			continue;
		*node = (struct world_node){.used = true};
		node->perms.reader = TREE_NO_READER;
		if (parent)
			node->perms = parent->perms;
		assert(strlen(path) <= TREE_PATH_MAX);
		strcpy(node->path, path);
		return node;
	}
	abort();
}

static void put(const char *path, const char *value)
{
	struct world_node *node = make(path);

	snprintf(node->value, sizeof(node->value), "%s", value);
	world.fired = true;
}

static bool drop(const char *path)
{
	bool found = false;

	for (unsigned i = 0; i < WORLD_NODES; i++) {
		if (world.node[i].used && is_below(world.node[i].path, path)) {
			world.node[i].used = false;
			found = true;
		}
	}
	world.fired |= found;
	return found;
}

void world_write(const char *path, const char *value)
{
	world.touched = true;
	put(path, value);
}

void world_remove(const char *path)
{
	world.touched = true;
	drop(path);
}

bool world_may_read(unsigned domid, const char *path)
{
	struct world_node *node = world_node(path);

	return node && (!domid || node->perms.owner.v == domid ||
			node->perms.reader == (int)domid);
}

unsigned world_count(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < WORLD_NODES; i++)
		n += world.node[i].used;
	return n;
}

/* -- The tree ----------------------------------------------------------------- */

static int tree_begin(struct tree *t)
{
	(void)t;
	assert(!world.in_transaction);
	world.in_transaction = true;
	world.touched = false;
	world.begun++;
	memcpy(world.snapshot, world.node, sizeof(world.node));
	return 0;
}

/* A conflict takes back what the transaction did, not what somebody else did in
 * the meantime. */
static int tree_end(struct tree *t, bool abort)
{
	bool conflict = world.touched || world.conflicts;

	(void)t;
	assert(world.in_transaction);
	world.in_transaction = false;
	if (abort || conflict)
		memcpy(world.node, world.snapshot, sizeof(world.node));
	if (world.meddled)
		put(world.meddled, "");
	world.meddled = NULL;
	if (abort || !conflict)
		return 0;
	world.conflicts -= !!world.conflicts;
	return -EAGAIN;
}

static int tree_get(struct tree *t, const char *path, char value[TREE_VALUE_MAX + 1])
{
	const char *got = world_read(path);

	(void)t;
	if (!got)
		return -ENOENT;
	strcpy(value, got);
	return 0;
}

static int tree_write(struct tree *t, const char *path, const char *value)
{
	int r = world.fail;

	(void)t;
	world.fail = 0;
	world.writes++;
	if (world.in_transaction && world.meddle) {
		world.touched = true;
		world.meddled = world.meddle;
		world.meddle = NULL;
	}
	if (!r)
		put(path, value);
	return r;
}

static int tree_allow(struct tree *t, const char *path, const struct tree_perms *perms)
{
	struct world_node *node = world_node(path);

	(void)t;
	if (!node)
		return -ENOENT;
	node->perms = *perms;
	return 0;
}

static int tree_remove(struct tree *t, const char *path)
{
	(void)t;
	return drop(path) ? 0 : -ENOENT;
}

/* One block, as libxenstore's: pointers, then texts. */
static int tree_list(struct tree *t, const char *path, char ***names, unsigned *n)
{
	size_t len = strlen(path);
	char **out, *text;

	(void)t;
	if (!world_node(path))
		return -ENOENT;
	out = malloc(WORLD_NODES * (sizeof(*out) + TREE_PATH_MAX + 1));
	assert(out);
	text = (char *)(out + WORLD_NODES);
	*n = 0;
	for (unsigned i = 0; i < WORLD_NODES; i++) {
		const char *rest = world.node[i].path + len + 1;

		if (!world.node[i].used || !is_below(world.node[i].path, path) ||
		    strlen(world.node[i].path) == len || strchr(rest, '/'))
			continue;
		out[(*n)++] = strcpy(text, rest);
		text += strlen(rest) + 1;
	}
	*names = out;
	return 0;
}

static int tree_ours(struct tree *t, const char *path)
{
	struct world_node *node = world_node(path);

	(void)t;
	return node ? !node->perms.owner.v : -ENOENT;
}

static struct world_domain *domain_of(unsigned domid)
{
	for (unsigned i = 0; i < WORLD_DOMAINS; i++) {
		if (world.domain[i].used && world.domain[i].is.id.v == domid)
			return &world.domain[i];
	}
	return NULL;
}

static bool tree_introduced(struct tree *t, struct domid id)
{
	struct world_domain *domain = domain_of(id.v);

	(void)t;
	return domain && domain->introduced;
}

static int tree_watch(struct tree *t, const char *path)
{
	(void)t;
	(void)path;
	world.fired = true;
	return 0;
}

static int tree_fired(struct tree *t)
{
	int fired = world.fired;

	world.fired = false;
	return t->dead ? -EBADF : fired;
}

static void tree_close(struct tree *t)
{
	(void)t;
}

static const struct tree_ops tree_ops = {
	.begin = tree_begin,
	.end = tree_end,
	.read = tree_get,
	.write = tree_write,
	.allow = tree_allow,
	.remove = tree_remove,
	.list = tree_list,
	.ours = tree_ours,
	.introduced = tree_introduced,
	.watch = tree_watch,
	.fired = tree_fired,
	.close = tree_close,
};

/* -- The machine -------------------------------------------------------------- */

static int machine_domain(struct machine *m, struct domid id,
			  struct machine_domain *out)
{
	struct world_domain *domain = domain_of(id.v);

	(void)m;
	if (!domain)
		return -ESRCH;
	*out = domain->is;
	return 0;
}

static void machine_close(struct machine *m)
{
	(void)m;
}

static bool machine_silo(struct machine *m)
{
	(void)m;
	return world.silo;
}

static const struct machine_ops machine_ops = {machine_domain, machine_silo,
					       machine_close};

static void add_domain(unsigned domid)
{
	struct world_domain *domain = domain_of(domid);

	for (unsigned i = 0; i < WORLD_DOMAINS && !domain; i++) {
		if (!world.domain[i].used)
			domain = &world.domain[i];
	}
	assert(domain);
	*domain = (struct world_domain){
		.used = true,
		.introduced = true,
		.is = {.id = {(uint16_t)domid}, .grant_frames = 64, .grant_version = 1},
	};
}

static void allow(const char *path, unsigned owner, int reader)
{
	make(path)->perms = (struct tree_perms){{(uint16_t)owner}, reader};
}

static void home_of(unsigned domid, const char *key, char path[64])
{
	snprintf(path, 64, "/local/domain/%u%s", domid, key);
}

void world_xl_domain(unsigned domid, const char *name)
{
	char path[64];

	add_domain(domid);
	home_of(domid, "", path);
	allow(path, 0, (int)domid);
	home_of(domid, "/name", path);
	world_write(path, name);
	home_of(domid, "/device", path);
	allow(path, 0, (int)domid);
	snprintf(path, sizeof(path), "/libxl/%u/device", domid);
	allow(path, 0, TREE_NO_READER);
}

void world_dom0less_domain(unsigned domid)
{
	char path[64], name[32];

	add_domain(domid);
	home_of(domid, "/name", path);
	snprintf(name, sizeof(name), "dom0less-%u", domid);
	world_write(path, name);
	allow(path, domid, 0);
	home_of(domid, "/device", path);
	allow(path, domid, 0);
	snprintf(path, sizeof(path), "/libxl/%u/type", domid);
	world_write(path, "pvh");
}

void world_destroy(unsigned domid, bool store)
{
	char path[64];

	domain_of(domid)->used = false;
	world.fired = true;
	if (!store)
		return;
	home_of(domid, "", path);
	world_remove(path);
	snprintf(path, sizeof(path), "/libxl/%u", domid);
	world_remove(path);
}

/* -- The rest ------------------------------------------------------------------ */

static void heard(struct say *to, enum log_level level, const char *text)
{
	size_t used = strlen(world.said);

	(void)to;
	snprintf(world.said + used, sizeof(world.said) - used, "%d %s\n", level, text);
}

bool world_said(const char *text)
{
	return strstr(world.said, text);
}

static void paused(uint64_t ns)
{
	world.now += ns;
	if (world.paused)
		world.paused(&world);
}

void world_reset(void)
{
	world = (struct world){
		.tree = {.ops = &tree_ops, .fd = -1},
		.machine.ops = &machine_ops,
		.say.line = heard,
	};
	world.control = (struct control){&world.tree, &world.machine, &world.say};
	wait_ops.pause = paused;
	add_domain(0);
	make("/local/domain");
	make("/local/domain/0");
	world_write("/local/domain/0/name", "Domain-0");
}
