/* SPDX-License-Identifier: MIT */
/*
 * The list of a shared buffer's pages, as sndif and displif have it (xen/io/sndif.h:
 * "xensnd_page_directory"; displif.h: "xendispl_page_directory"): pages of references,
 * each of which names the next.
 *
 * Not the buffer: nobody maps here what the list names. Invariants:
 *  1. each page of it is mapped readable, read once, and unmapped before the next;
 *  2. it is followed for as many pages as the buffer needs, and no further: one that
 *     goes round is read, and is what it is.
 */
#ifndef XDD_PV_DIRECTORY_H
#define XDD_PV_DIRECTORY_H

#include "grant-mem/grants.h"

#define PV_DIRECTORY_REFS 1023 /* of a page of it */

/* The @n references of the list that begins at @first, to @refs. An enum grants_status;
 * GRANTS_ABSENT: it ends too soon, or names a page twice in a stretch of
 * GRANTS_BATCH_MAX, which no map may; or a negative errno, our environment. */
int pv_directory_read(struct grants *grants, struct gref first, struct gref *refs,
		      uint32_t n);
/* What is wrong, in words for a log, of a list or of what it names; NULL: nothing, or
 * it is our environment. */
const char *pv_directory_why(int status);

#endif
