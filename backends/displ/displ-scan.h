/* SPDX-License-Identifier: MIT */
/*
 * What pictures are shown on: the connectors ("heads") of a card, each with the one
 * mode that the policy has for it, and canvases to paint on. DRM/KMS, a folder of PNG
 * files, or nothing.
 *
 * Not a picture and not a client: it knows no frame buffer, no format but its own.
 * Invariants:
 *  1. all of it is opened, allocated and probed before the process is sealed: what
 *     fails then fails with a negative errno, and nothing is left open;
 *  2. canvases are all of one size, that of the largest head each way, and of
 *     displ-format.h's pixels. A head shows the middle of one;
 *  3. no verb blocks. A show is of a head whose last one came back by look(), and takes
 *     effect at a vertical blank, whole;
 *  4. a canvas that is shown, or is about to be, is read by the card at any time: who
 *     paints on it is seen doing so;
 *  5. a card that fails says so by a negative errno, and may work again.
 *
 * "null:" and "png:" have a vertical blank 60 times a second, by the time that they are
 * told: tests run them in virtual time.
 */
#ifndef XDD_DISPL_SCAN_H
#define XDD_DISPL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/displ/displ-policy.h"
#include "common/log.h"

#define DISPL_CANVASES_MAX (DISPL_OWN_CANVASES * DISPL_HEADS_MAX + DISPL_BUFFERS_MAX)
#define DISPL_READY_MAX	   1024 /* bytes that a read of a card's descriptor gives */

struct displ_scan;

struct displ_scan_ops {
	int (*show)(struct displ_scan *scan, uint32_t head, uint32_t canvas,
		    uint64_t now);
	int (*look)(struct displ_scan *scan, uint64_t now, uint32_t *shown);
	void (*close)(struct displ_scan *scan);
};

struct displ_scan {
	const struct displ_scan_ops *ops;
	struct displ_size head[DISPL_HEADS_MAX];
	uint32_t heads;
	bool alpha; /* that of pixels counts */

	struct displ_size size; /* of each canvas */
	uint32_t stride;	/* bytes from row to row */
	uint8_t *canvas[DISPL_CANVASES_MAX];
	uint32_t canvases;

	int fd;	      /* readable when look() has something to say; or -1 */
	bool ready;   /* it was: for its owner to set, who waits for it */
	uint64_t due; /* when look() has, without that; or UINT64_MAX */
};

struct displ_scan_conf {
	const char *resource; /* displ-resource.h */
	const struct displ_policy *policy;
	uint32_t canvases;
	struct log *log;   /* says what about the card is not as the policy has it */
	const char *lease; /* of "lease:", the socket that it comes by */
};

/* Where the middle @size of a canvas begins (invariant 2). */
static inline uint8_t *displ_scan_middle(const struct displ_scan *scan, uint32_t canvas,
					 struct displ_size size)
{
	size_t left = (scan->size.width - size.width) / 2;
	size_t top = (scan->size.height - size.height) / 2;

	return scan->canvas[canvas] + top * scan->stride + left * DISPL_PIXEL;
}

/* Opens and probes it; canvases are black. *@out is the caller's, to be closed.
 * -EINVAL: Resource is none of these, or it has no such connector or mode, which was
 * logged; else the negative errno of what failed. */
int displ_scan_open(struct displ_scan **out, const struct displ_scan_conf *conf);
void displ_scan_close(struct displ_scan *scan);

/* The same by kind (displ-scan-drm.c, displ-scan-soft.c). */
int displ_scan_drm_open(struct displ_scan **out, const struct displ_scan_conf *conf);
int displ_scan_png_open(struct displ_scan **out, const struct displ_scan_conf *conf);
int displ_scan_null_open(struct displ_scan **out, const struct displ_scan_conf *conf);

/* From the next vertical blank on the middle of @canvas is on @head (invariant 3). 0 or
 * a negative errno, and what was shown is shown. */
static inline int displ_scan_show(struct displ_scan *scan, uint32_t head,
				  uint32_t canvas, uint64_t now)
{
	return scan->ops->show(scan, head, canvas, now);
}

/* *@shown: the heads, bits, whose last show has taken effect since the last look. 0 or
 * a negative errno. */
static inline int displ_scan_look(struct displ_scan *scan, uint64_t now,
				  uint32_t *shown)
{
	return scan->ops->look(scan, now, shown);
}

#endif
