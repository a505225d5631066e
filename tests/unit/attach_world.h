/* SPDX-License-Identifier: MIT */
/*
 * A xenstore and a Xen for the tests of xdd-attach: a tree in memory with
 * owners and readers as xenstored keeps them, transactions that conflict, watches,
 * and domains that come and go. The tests act as xl, init-dom0less, guests and
 * back ends do.
 */
#ifndef XDD_ATTACH_WORLD_H
#define XDD_ATTACH_WORLD_H

#include "xenbus/cmd/commands.h"

#define WORLD_NODES   512
#define WORLD_DOMAINS 16

struct world_node {
	bool used;
	char path[TREE_PATH_MAX + 1];
	char value[TREE_VALUE_MAX + 1];
	struct tree_perms perms;
};

struct world_domain {
	bool used, introduced;
	struct machine_domain is;
};

struct world {
	struct tree tree;
	struct machine machine;
	bool silo; /* what the machine answers */
	struct say say;
	struct control control;
	struct world_node node[WORLD_NODES], snapshot[WORLD_NODES];
	struct world_domain domain[WORLD_DOMAINS];
	bool in_transaction, touched; /* by somebody else, while one is open */
	unsigned conflicts; /* transactions that are still to fail with EAGAIN */
	unsigned begun;	    /* transactions */
	unsigned writes;    /* outside and inside */
	int fail;	    /* the next write fails so; 0: it does not */
	/* A node that somebody else writes while the next transaction is open. */
	const char *meddle, *meddled;
	bool fired;
	void (*paused)(struct world *w); /* called in each pause */
	uint64_t now;
	char said[4096]; /* each line: its level, a space, the text */
};

extern struct world world;

void world_reset(void);
/* As xl makes a domain: its home, introduced; or as init-dom0less does. */
void world_xl_domain(unsigned domid, const char *name);
void world_dom0less_domain(unsigned domid);
/* Gone from Xen; with @store, from xenstore too. */
void world_destroy(unsigned domid, bool store);

/* As somebody else than xdd-attach; parents are made as xenstored makes them. */
void world_write(const char *path, const char *value);
void world_remove(const char *path);
/* NULL: not there. */
const char *world_read(const char *path);
struct world_node *world_node(const char *path);
bool world_may_read(unsigned domid, const char *path);
unsigned world_count(void);
/* What was said holds @text; forgets nothing. */
bool world_said(const char *text);

#endif
