/* SPDX-License-Identifier: MIT */
#include "backends/displ/displ-timing.h"

/* CVT 1.2, section 5.2. */
#define CELL	    8
#define V_BACK_MIN  6
#define V_BLANK_MIN 460	   /* us */
#define CLOCK_STEP  250000 /* Hz */

/* Lines of its vertical sync say the shape of a picture, as far as that is one in whole
 * cells (CVT 1.2, table 3-2). */
static uint32_t v_sync(struct displ_size size)
{
	static const struct {
		uint32_t width, height, lines;
	} shapes[] = {{4, 3, 4}, {16, 9, 5}, {16, 10, 6}, {5, 4, 7}, {15, 9, 7}};

	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (size.width / CELL ==
		    size.height * shapes[i].width / shapes[i].height / CELL)
			return shapes[i].lines;
	}
	return 10;
}

/* CVT 1.2, section 5.4, in integers; a width that is no multiple of 8 is kept, since it
 * is the card's. */
struct displ_timing displ_timing_reduced(struct displ_size size)
{
	const uint64_t scan =
		1000000 - DISPL_TIMING_REFRESH * V_BLANK_MIN; /* us, of 60 pictures */
	struct displ_timing t = {.h_active = size.width,
				 .v_active = size.height,
				 .v_sync = v_sync(size)};
	uint32_t blank = (uint32_t)((uint64_t)DISPL_TIMING_REFRESH * V_BLANK_MIN *
				    size.height / scan) +
			 1;
	uint32_t least = DISPL_TIMING_V_FRONT + t.v_sync + V_BACK_MIN;

	t.h_total = size.width + DISPL_TIMING_H_BLANK;
	t.v_total = size.height + (blank < least ? least : blank);
	t.clock = (uint64_t)DISPL_TIMING_REFRESH * t.h_total * t.v_total / CLOCK_STEP *
		  CLOCK_STEP;
	return t;
}
