/* SPDX-License-Identifier: MIT */
/*
 * A displif front end in a loopxen domain. Written from Xen's header alone: it shares
 * no line with what it is set against.
 */
#ifndef XDD_TEST_DISPL_FRONT_PV_H
#define XDD_TEST_DISPL_FRONT_PV_H

#include <stdint.h>
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/ring.h>
#include <xen/io/displif.h>

#include "tests/device/pv-pair.h"

#define DISPL_FRONT_HEADS   4
#define DISPL_FRONT_BUFFERS 8
#define DISPL_FRONT_PAGES   2048 /* of a buffer, at most */
#define DISPL_FRONT_LISTS   3	 /* pages of its list */

/* Memory that is granted, and the list of its pages. */
struct displ_front_buffer {
	uint8_t *bytes; /* pages are neighbours */
	uint32_t had;	/* pages, of the domain for ever */
	uint32_t pages; /* granted */
	struct gref ref[DISPL_FRONT_PAGES];
	uint32_t *list[DISPL_FRONT_LISTS];
	struct gref list_ref[DISPL_FRONT_LISTS];
	uint32_t lists;
};

struct displ_front_pv {
	struct loopxen *x;
	const struct loopxen_device *dev;
	struct pv_pair head[DISPL_FRONT_HEADS];
	uint32_t heads;
	struct displ_front_buffer buffer[DISPL_FRONT_BUFFERS];
};

/* Rings, ports and keys of all connectors. */
void displ_front_connect(struct displ_front_pv *f);
/* Takes all back; false: something of it is mapped. */
bool displ_front_disconnect(struct displ_front_pv *f);
/* A front-end key; NULL: it is removed. */
void displ_front_key(struct displ_front_pv *f, const char *key, const char *value);

/* @bytes of buffer @i, granted (@read_only as Linux's driver does not), and their list.
 */
void displ_front_buffer(struct displ_front_pv *f, uint32_t i, uint32_t bytes,
			bool read_only);
/* Grants it no longer; false: it is mapped. */
bool displ_front_unbuffer(struct displ_front_pv *f, uint32_t i);

#endif
