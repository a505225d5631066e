/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy dt: what the policies of one driver domain need of the device
 * tree and of Xen's command line, where Xen starts the domains itself
 * (dom0less); and whether a compiled tree gives it. See xdd-policy(8).
 *
 * Invariants:
 *  1. client[i] is the domain that set.entry[i] serves, 0: not known, since
 *     the policy says any and no tree was asked for the node it is tied to;
 *  2. every node name here is fit to be printed and to stand in a .dts.
 */
#ifndef XDD_DT_H
#define XDD_DT_H

#include "policy/cmd/answer.h"
#include "policy/cmd/dt-version.h"
#include "policy/cmd/set.h"

#define DT_NODE_MAX 63

/* The integrator's word that a policy's client is this node of /chosen. */
struct dt_tie {
	char name[POLICY_NAME_MAX + 1]; /* of the policy */
	char node[DT_NODE_MAX + 1];
};

struct dt {
	struct set set;
	struct domid *client; /* of each entry of the set */
	struct dt_tie *tie;
	unsigned ties;
	struct domid driver;		   /* the driver domain */
	char driver_node[DT_NODE_MAX + 1]; /* "": not said */
	const struct dt_version *xen;
	struct answer answer;
	json_t *result; /* of --json: what it says beside its findings */
};

/* @argv[0] is "dt". Returns the exit status. */
int dt_main(int argc, char **argv);

/* The node that entry @i is tied to, or NULL. */
const char *dt_tied(const struct dt *dt, unsigned i);

/* Prints the tree's part, source for dtc to be included in a .dts, or makes its figures
 * the result; or reports that two domids would be one node. */
void dt_print(struct dt *dt);
/* The figures of that part. */
json_t *dt_figures(const struct dt *dt);
/* Frames for the client that needs most. */
uint64_t dt_most_grant_frames(const struct dt *dt);
/* The name of @domid's node: what it is tied to, or one of ours. */
void dt_node_name(const struct dt *dt, struct domid domid, char name[DT_NODE_MAX + 1]);

/* Reads @path, prints its domains and who serves whom, or makes them the result, and
 * reports all that does not fit; sets client[] of what is tied and says any. */
void dt_verify(struct dt *dt, const char *path);

#endif
