/* SPDX-License-Identifier: MIT */
/*
 * A card of the tests: heads with a vertical blank 60 times a second of the time that
 * they are told, what a person would see on each, and failures on demand.
 */
#ifndef XDD_TEST_DISPL_SCAN_H
#define XDD_TEST_DISPL_SCAN_H

#include "backends/displ/displ-scan.h"

#define DISPL_TEST_BLANK (1000000000 / 60)

struct displ_scan_test {
	struct displ_scan scan;
	struct {
		uint32_t flying, shown; /* canvases, or UINT32_MAX */
		uint64_t lands;
		uint64_t shows;	  /* that were asked for */
		uint32_t *screen; /* pixels, as of the last blank */
	} head[DISPL_HEADS_MAX];
	int fail_show, fail_look; /* the next one's result, once; or 0 */
	bool loses;		  /* no show ever lands */
	uint32_t whole; /* canvases, from the first on, that nobody paints so: */
	/* A canvas was written while it was shown or in flight: look at the end. */
	uint64_t torn;
	uint64_t sum[DISPL_CANVASES_MAX];
};

void displ_scan_test_open(struct displ_scan_test *t, const struct displ_policy *policy,
			  uint32_t canvases);
void displ_scan_test_close(struct displ_scan_test *t);
/* A pixel that a person sees, 0xRRGGBB. */
uint32_t displ_scan_test_pixel(const struct displ_scan_test *t, uint32_t head,
			       uint32_t x, uint32_t y);

#endif
