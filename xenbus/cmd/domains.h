/* SPDX-License-Identifier: MIT */
/* What a command works with, and domains by name. */
#ifndef XDD_DOMAINS_H
#define XDD_DOMAINS_H

#include "xenbus/cmd/machine.h"
#include "xenbus/cmd/say.h"
#include "xenbus/cmd/tree.h"

/* What a command of the control domain works with. */
struct control {
	struct tree *tree;
	struct machine *machine;
	struct say *say;
};

/*
 * The number of domain @name (its name, or a number, which is taken as it is): of
 * several with one name, the youngest that is not being destroyed. -ENOENT: there
 * is none.
 *
 * A name counts if its domain cannot change it. A domain that was started without
 * a toolstack owns its name in xenstore, and could pass for another: it is known
 * by "dom0less-N", N its number, or else by its number alone. -EPERM: only such a
 * domain calls itself so.
 */
int domains_find(struct control *c, const char *name, struct domid *out);
/* True if no domain of this number is there, or only its remains. */
bool domains_gone(struct control *c, struct domid id);
/* "drv (1)" or, if it has no name, "1". */
const char *domains_name(struct control *c, struct domid id, char *out, size_t size);

#endif
