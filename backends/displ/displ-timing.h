/* SPDX-License-Identifier: MIT */
/*
 * The timing of a picture of any size, 60 times a second, for a mode that nobody else
 * has: VESA's "Coordinated Video Timings Standard" 1.2, reduced blanking. Pure.
 *
 * Of horizontal sync the pulse is positive, of vertical sync negative.
 */
#ifndef XDD_DISPL_TIMING_H
#define XDD_DISPL_TIMING_H

#include <stdint.h>

#include "backends/displ/displ-policy.h"

#define DISPL_TIMING_REFRESH 60 /* Hz */
#define DISPL_TIMING_H_BLANK 160
#define DISPL_TIMING_H_FRONT 48
#define DISPL_TIMING_H_SYNC  32
#define DISPL_TIMING_V_FRONT 3

/* Horizontally pixels, vertically lines; what is shown, then front porch, sync and back
 * porch. */
struct displ_timing {
	uint32_t h_active, h_total, v_active, v_sync, v_total;
	uint64_t clock; /* Hz */
};

struct displ_timing displ_timing_reduced(struct displ_size size);

#endif
