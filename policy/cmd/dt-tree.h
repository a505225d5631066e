/* SPDX-License-Identifier: MIT */
/*
 * A compiled device tree as Xen will read it to start domains: the nodes of
 * /chosen that are domains, in the order of their domids, and the command
 * line. The blob is not trusted: it is bounded, checked whole by libfdt
 * before it is walked, and what is kept of it is fit to be printed.
 */
#ifndef XDD_DT_TREE_H
#define XDD_DT_TREE_H

#include "policy/cmd/dt.h"

/* xen,enhanced, as create_domUs() understands it. */
enum dt_enhanced {
	DT_PLAIN, /* absent, "disabled", or what Xen does not know */
	DT_ENABLED,
	DT_LEGACY,
	DT_NO_XENSTORE,
};

/* A property of one cell, or the command line's number for it. */
struct dt_cell {
	bool present;
	uint32_t v;
};

/* Bits of capabilities. */
#define DT_CAP_CONTROL	0x1u
#define DT_CAP_HARDWARE 0x2u
#define DT_CAP_XENSTORE 0x4u

struct dt_domain {
	char name[DT_NODE_MAX + 1]; /* what is unfit to be printed is a '?' */
	enum dt_enhanced enhanced;
	struct dt_cell grant_version, grant_frames, maptrack_frames, capabilities;
};

struct dt_tree {
	struct dt_domain *domain; /* [0] is domid 1 */
	unsigned n;
	bool dom0;	    /* a kernel that is no domain's */
	char *command_line; /* Xen's; NULL: not in the tree */
};

/* Returns NULL with *@tree complete, or what is wrong with the blob. */
const char *dt_tree_read(const char *path, struct dt_tree *tree);
void dt_tree_free(struct dt_tree *tree);

const char *dt_enhanced_name(enum dt_enhanced enhanced);

#endif
