/* SPDX-License-Identifier: MIT */
/* Transactions: see apply.h. */
#include "xenbus/cmd/apply.h"

#include <errno.h>
#include <stdio.h>

#include "xenbus/store.h"

/* Calls @act in a transaction until it holds. */
static int transact(struct tree *t, int (*act)(struct tree *t, const void *arg),
		    const void *arg)
{
	int r = -EAGAIN;

	for (int i = 0; i < APPLY_TRIES && r == -EAGAIN; i++) {
		r = t->ops->begin(t);
		if (r)
			return r;
		r = act(t, arg);
		if (r)
			(void)t->ops->end(t, true);
		else
			r = t->ops->end(t, false);
	}
	return r;
}

static int absent_is_fine(int r)
{
	return r == -ENOENT ? 0 : r;
}

static int write_nodes(struct tree *t, const void *arg)
{
	const struct plan *plan = arg;
	int r;

	if (tree_has(t, plan->paths.copy))
		return -EEXIST;
	/* What nobody accounts for gives way, as it does for libxl. */
	r = absent_is_fine(t->ops->remove(t, plan->paths.front));
	if (!r)
		r = absent_is_fine(t->ops->remove(t, plan->paths.back));
	for (unsigned i = 0; i < plan->n && !r; i++) {
		const struct plan_node *node = &plan->node[i];

		if (node->parent && tree_has(t, node->path))
			continue;
		r = t->ops->write(t, node->path, node->value);
		if (!r)
			r = t->ops->allow(t, node->path, &node->perms);
	}
	return r;
}

int apply_write(struct tree *t, const struct plan *plan)
{
	return transact(t, write_nodes, plan);
}

struct removal {
	const struct plan_paths *paths;
	unsigned halves;
};

static int remove_halves(struct tree *t, const void *arg)
{
	const struct removal *removal = arg;
	const struct {
		unsigned half;
		const char *path;
		unsigned parents;
	} halves[] = {
		{APPLY_FRONT, removal->paths->front, PLAN_FRONT_PARENTS},
		{APPLY_BACK, removal->paths->back, PLAN_BACK_PARENTS},
		{APPLY_COPY, removal->paths->copy, PLAN_COPY_PARENTS},
	};
	int r = 0;

	for (unsigned i = 0; i < sizeof(halves) / sizeof(*halves) && !r; i++) {
		if (removal->halves & halves[i].half)
			r = tree_prune(t, halves[i].path, halves[i].parents);
	}
	return r;
}

int apply_remove(struct tree *t, const struct plan_paths *paths, unsigned halves)
{
	const struct removal removal = {paths, halves};

	return transact(t, remove_halves, &removal);
}

static int set_offline(struct tree *t, const void *arg)
{
	const char *back = arg;
	char path[TREE_PATH_MAX + 16];
	unsigned state = tree_number(t, back, "state", STORE_RECONFIGURED, 0);
	int r;

	if (!tree_has(t, back))
		return 0;
	snprintf(path, sizeof(path), "%s/online", back);
	r = t->ops->write(t, path, "0");
	snprintf(path, sizeof(path), "%s/state", back);
	if (!r && state != STORE_CLOSED)
		r = t->ops->write(t, path, "5");
	return r;
}

int apply_offline(struct tree *t, const char *back)
{
	return transact(t, set_offline, back);
}
