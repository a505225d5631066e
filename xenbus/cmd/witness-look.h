/* SPDX-License-Identifier: MIT */
/*
 * A look at Xen: the driver domain's event channels, and all grants in use. Nothing is
 * changed but that Xen prints to its console ring.
 */
#ifndef XDD_WITNESS_LOOK_H
#define XDD_WITNESS_LOOK_H

#include "xenbus/cmd/witness-scene.h"

#define LOOK_TEXT (64u << 20) /* of a dump, at most */

struct look;

/* NULL and errno: this is no control domain. */
struct look *look_open(void);
void look_close(struct look *look);
/* Fills @scene's usage, ports and pins. NULL, or why it could not be seen. */
const char *look_at(struct look *look, struct scene *scene);
/* The same from a file that has the console ring: no ports then. */
const char *look_file(const char *path, struct scene *scene);
/* Leaves of @scene what another look at it, @now, has as well. */
void look_both(struct scene *scene, const struct scene *now);
void look_forget(struct scene *scene);

#endif
