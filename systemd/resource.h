/* SPDX-License-Identifier: MIT */
/*
 * What a back end needs of the driver domain for its Resource, as lines of a
 * unit file: one row a class.
 *
 * Invariant: the lines open this one Resource, as far as ReadOnly lets it, and
 * nothing else; with Mixed = yes of [Sound] also what all that have it share.
 */
#ifndef XDD_RESOURCE_H
#define XDD_RESOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/policy.h"

/* What the class's section says of it. */
struct resource_more {
	bool mixed;	     /* [Sound] */
	const char *read[2]; /* [Display]: files that are read; or "" */
	const char *plug[4]; /* [Display]: connectors, by their names; or NULL */
	uint64_t bytes;	     /* [Display]: of canvases */
};

struct resource {
	char unit[2200];    /* for [Unit] */
	char service[4096]; /* for [Service] */
	bool in_memory;	    /* the resource itself is the process's memory */
	uint64_t bytes;	    /* of it, beside what all have, that are */
};

/* Looks at the Resource's group, if it is there already; never fails. */
void resource_lines(const struct policy *policy, const struct resource_more *more,
		    struct resource *out);

/* What the lessor of a card needs of the driver domain for it, in the same manner. */
void resource_card(const char *path, struct resource *out);

#endif
