/* SPDX-License-Identifier: MIT */
/*
 * What a keeper asks of the kernel: grant registrations that its back end may
 * mmap, copies, event channels, and word of when a mapping is really gone.
 *
 * No policy, no table, no log. One implementation for Xen (registrar-xen.c); the
 * tests link their own in its place. Facts of gntdev that it rests on: a registration
 * can be mmapped once ever; UNMAP_GRANT_REF only forgets it, and the kernel lets go of
 * the grants when the last mapping goes too; then, and not before, it sends the event
 * that SET_UNMAP_NOTIFY asked for.
 *
 * Invariants:
 *  1. a release uses one of REGISTRAR_PAIRS pairs of event channels that the
 *     keeper bound to itself; a pair that is told to be free again was
 *     signalled by the kernel, which nobody else can do;
 *  2. the client's descriptor is restricted to the client's domain before its
 *     first bind, and never closed while a port of it is bound.
 * Negative errno everywhere.
 */
#ifndef XDD_REGISTRAR_H
#define XDD_REGISTRAR_H

#include <stdbool.h>
#include <stdint.h>

#include "grant-mem/wire.h"
#include "policy/ids.h"

#define REGISTRAR_PAIRS 4

struct registrar {
	int rw, ro;   /* gntdev, a fresh pair for each back end; or -1 */
	int events;   /* evtchn, restricted to the client; or -1 */
	int releases; /* readable when a pair was signalled; or -1 */
	struct {
		uint32_t listens, signals; /* ports */
	} pair[REGISTRAR_PAIRS];
};

/* A fresh gntdev pair, and the release pairs if there are none yet. */
int registrar_open(struct registrar *r);
/* Register @n references for one mmap; @index is its file offset. */
int registrar_add(struct registrar *r, struct domid client, const struct gref *refs,
		  uint32_t n, bool writable, uint64_t *index);
/* Forget a registration, and have @pair signalled when it is unmapped.
 * Waits 2 ms at most for that, the usual case. */
int registrar_drop(struct registrar *r, bool writable, uint64_t index, uint32_t n,
		   unsigned pair);
/* A pair that was signalled, free again, or -EAGAIN. */
int registrar_dropped(struct registrar *r);
/* Between client pages and @area; @status gets a wire_result a segment. */
int registrar_copy(struct registrar *r, struct domid client,
		   const struct wire_seg *segs, uint32_t n, uint8_t *area,
		   int8_t *status);
/* The local port. */
int registrar_bind(struct registrar *r, struct domid client, struct evport remote);
/* The port may have been left masked by a back end that died. */
void registrar_unmask(struct registrar *r, struct evport local);
int registrar_unbind(struct registrar *r, struct evport local);

#endif
