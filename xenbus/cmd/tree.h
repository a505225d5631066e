/* SPDX-License-Identifier: MIT */
/*
 * xenstore as the control domain sees it: any path, with permissions, in
 * transactions. Not seam A's store.h, which is one device seen by its back end.
 *
 * Implementations: tree-xen.c (libxenstore), the tests' tree in memory.
 * Invariants:
 *  1. verbs wait for xenstored: for tools, never for what serves a device;
 *  2. at most one transaction is open, and what is called in it belongs to it;
 *  3. what is read is hostile text of at most TREE_VALUE_MAX bytes: a longer
 *     value, or one with a NUL, is -EINVAL;
 *  4. once a verb found the connection broken, @dead stays true and the tree is
 *     only good for being closed.
 * All return 0 or a negative errno; -ENOENT: no such node.
 */
#ifndef XDD_TREE_H
#define XDD_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/ids.h"

#define TREE_VALUE_MAX 255
#define TREE_PATH_MAX  191
#define TREE_NO_READER (-1)

/* The owner may do all, @reader (a domain, or TREE_NO_READER) may read, others
 * nothing. The control domain may do all in any case. */
struct tree_perms {
	struct domid owner;
	int reader;
};

struct tree {
	const struct tree_ops *ops;
	bool dead;
	int fd; /* readable when a watch fired; not when the connection broke */
};

struct tree_ops {
	int (*begin)(struct tree *t);
	/* -EAGAIN: somebody else was faster, nothing was done. */
	int (*end)(struct tree *t, bool abort);
	int (*read)(struct tree *t, const char *path, char value[TREE_VALUE_MAX + 1]);
	int (*write)(struct tree *t, const char *path, const char *value);
	int (*allow)(struct tree *t, const char *path, const struct tree_perms *perms);
	/* With all below it. */
	int (*remove)(struct tree *t, const char *path);
	/* *@names: one block for free(), also when there are none. */
	int (*list)(struct tree *t, const char *path, char ***names, unsigned *n);
	/* 1: none but the control domain may write @path; 0: somebody may. */
	int (*ours)(struct tree *t, const char *path);
	/* True if xenstored serves @domain. */
	bool (*introduced)(struct tree *t, struct domid domain);
	int (*watch)(struct tree *t, const char *path);
	/* 1: a watch fired (any; all are taken back), 0: none. */
	int (*fired)(struct tree *t);
	void (*close)(struct tree *t);
};

/* libxenstore's. NULL and errno: xenstored is not there. */
struct tree *tree_open(void);

bool tree_has(struct tree *t, const char *path);
/* Read @dir/@key; value is "" unless 0 is returned. */
int tree_read(struct tree *t, const char *dir, const char *key,
	      char value[TREE_VALUE_MAX + 1]);
/* A number of @dir/@key up to @max, or @otherwise. */
unsigned tree_number(struct tree *t, const char *dir, const char *key, unsigned max,
		     unsigned otherwise);
/* Remove @path and up to @parents above it that nothing is in any more. */
int tree_prune(struct tree *t, const char *path, unsigned parents);

#endif
