/* SPDX-License-Identifier: MIT */
/*
 * What Xen says of a domain: is it there, is it alive, how much can it grant.
 * Asked before anything is written, and of nothing is anything changed.
 *
 * Implementations: machine-xen.c (libxenctrl), the tests' own.
 */
#ifndef XDD_MACHINE_H
#define XDD_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/ids.h"

struct machine_domain {
	struct domid id;
	bool dying;		/* being destroyed; its number is not free yet */
	bool shutdown;		/* has stopped, and not begun to be destroyed */
	bool hvm;		/* its page tables are its own: any but x86 PV */
	uint32_t grant_frames;	/* at most, of its grant table; 0: not known */
	unsigned grant_version; /* 1 or 2 */
};

struct machine {
	const struct machine_ops *ops;
};

struct machine_ops {
	/* -ESRCH: there is no such domain. */
	int (*domain)(struct machine *m, struct domid id, struct machine_domain *out);
	/* By its command line, or by its default, Xen keeps domUs apart (XSM SILO). */
	bool (*silo)(struct machine *m);
	void (*close)(struct machine *m);
};

/* libxenctrl's. NULL and errno: this is no control domain. */
struct machine *machine_open(void);

/* The highest reference that @d can grant. */
static inline uint32_t machine_last_ref(const struct machine_domain *d)
{
	return d->grant_frames * (d->grant_version == 2 ? 256 : 512) - 1;
}

#endif
