/* SPDX-License-Identifier: MIT */
/*
 * A plan into the tree, and out of it again; each in one transaction, which is
 * tried anew while others are faster, APPLY_TRIES times.
 */
#ifndef XDD_APPLY_H
#define XDD_APPLY_H

#include "xenbus/cmd/plan.h"

#define APPLY_TRIES 32

/* Write all of @plan. -EEXIST, and nothing done: in the meantime a device has
 * appeared there. -EAGAIN: xenstored never let us. */
int apply_write(struct tree *t, const struct plan *plan);

/* Which halves. */
enum apply_half { APPLY_FRONT = 1, APPLY_BACK = 2, APPLY_COPY = 4, APPLY_ALL = 7 };

/* Remove @halves (bits) of a device, and the directories they leave empty. */
int apply_remove(struct tree *t, const struct plan_paths *paths, unsigned halves);
/* Ask the back end to let go: offline, and Closing unless it is Closed. 0 too if
 * it has no directory. */
int apply_offline(struct tree *t, const char *back);

#endif
