/* SPDX-License-Identifier: MIT */
/*
 * EDID: what a monitor says of itself. Pure: bytes from a size and a name, and whether
 * bytes of a file are an EDID.
 *
 * By VESA's "Enhanced Extended Display Identification Data Standard", Release A,
 * Revision 2 (E-EDID: structure 1.4; sections named below are its); the timing is that
 * of displ-timing.h.
 */
#ifndef XDD_DISPL_EDID_H
#define XDD_DISPL_EDID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/displ/displ-policy.h"

#define DISPL_EDID_BLOCK      128 /* bytes */
#define DISPL_EDID_BLOCKS_MAX 256
#define DISPL_EDID_NAME_MAX   13 /* of a monitor; the rest is cut off */

/* What a door tells its client: whole blocks; none: it tells nothing. */
struct displ_edid {
	const uint8_t *data;
	uint32_t bytes;
};

/* One block: a monitor called @name, whose one mode is of @size, 60 times a second.
 * What of the name is not printable ASCII is a "?". False: there is no such block,
 * since a detailed timing has no place for more than 4095 pixels each way or 655.35
 * MHz. */
bool displ_edid_make(struct displ_size size, const char *name,
		     uint8_t out[DISPL_EDID_BLOCK]);

/* Whole blocks, as many as it says, with their checksums, behind an EDID's header. */
bool displ_edid_ok(const uint8_t *bytes, size_t n);

#endif
