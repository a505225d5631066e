/* SPDX-License-Identifier: MIT */
/*
 * What xenstore says of a driver domain that it cannot have written itself: whose
 * client each instance's is, and between which domains the toolstack made devices. Of
 * what the driver domain may write only one thing is read: which ports its own front
 * ends have.
 */
#ifndef XDD_WITNESS_STORE_H
#define XDD_WITNESS_STORE_H

#include "xenbus/cmd/tree.h"
#include "xenbus/cmd/witness-scene.h"

/* A domain by its number, or by a name that it cannot change. 0, or negative errno:
 * -ENOENT, or -EEXIST: two are called so. */
int store_find(struct tree *t, const char *name, struct domid *out);
/* NULL, or what could not be read, for a person. */
const char *store_read(struct tree *t, struct scene *scene);
/* The clients of policies that name a number: what no store is needed for. */
void store_numbers(struct scene *scene);

#endif
