/* SPDX-License-Identifier: MIT */
/*
 * What is to stand in xenstore for one device: each node, its value, and who
 * may read it. Pure: a policy and two domains in, a list of nodes out.
 *
 * The nodes are those of libxl (4.17, libxl__device_generic_add and each kind's
 * own), so that front ends, back ends and `xl` find what they know. Different:
 *  1. "state" is the last of its directory;
 *  2. "script" and "hotplug-status" are missing, since our driver domain runs no
 *     script, and "protocol", which front ends since Linux 2.6.26 write themselves;
 *  3. "xdd-attach" in the back end's directory, and so in the trusted copy, names
 *     the policy: by it we know what is ours;
 *  4. "discard-enable" is what the policy says, not whether the disk is written to;
 *  5. the parents have what libxl's get in an xl domain, also where the domain was
 *     started without xl: the driver domain and the client may list them.
 * Of what Door = virtio has, libxl knows nothing: such a device gets the keys that all
 * have, and in the back end's directory those of its class. Its client needs none of
 * them: it learns from the device itself what that is.
 */
#ifndef XDD_PLAN_H
#define XDD_PLAN_H

#include <stddef.h>

#include "policy/policy.h"
#include "xenbus/cmd/tree.h"

#define PLAN_NODES     112
#define PLAN_VALUE_MAX TREE_VALUE_MAX
#define PLAN_MARK      "xdd-attach" /* the key of 3. */

/* Where the halves of a device are. */
struct plan_paths {
	char front[TREE_PATH_MAX + 1]; /* /local/domain/FRONT/device/KIND/ID */
	char back[TREE_PATH_MAX + 1];  /* /local/domain/BACK/backend/KIND/FRONT/ID */
	char copy[TREE_PATH_MAX + 1];  /* /libxl/FRONT/device/KIND/ID */
};

/* Directories that go with a half when it was the last in them. */
#define PLAN_FRONT_PARENTS 1
#define PLAN_BACK_PARENTS  2
#define PLAN_COPY_PARENTS  1

struct plan_node {
	char path[TREE_PATH_MAX + 1];
	char value[PLAN_VALUE_MAX + 1];
	struct tree_perms perms;
	bool parent; /* made if it is missing; as it is, if not */
};

struct plan {
	struct plan_paths paths;
	struct plan_node node[PLAN_NODES]; /* in the order of writing */
	unsigned n;
};

struct plan_input {
	const struct policy *policy;
	const char *text; /* of the policy, for its class's section */
	size_t text_len;
	struct domid back, front;
};

void plan_find(const struct plan_input *in, struct plan_paths *out);
void plan_make(const struct plan_input *in, struct plan *out);

#endif
