/* SPDX-License-Identifier: MIT */
/*
 * Pointers over what heads show: drawn into the canvases that they show, and taken out
 * again. A card's own cursor planes are not used: a policy may have none.
 *
 * An image is a copy of a small resource, made when the driver says so; its pixels are
 * multiplied by their alpha, as DRM has them, and have one whatever its format says
 * (Linux's driver makes all of its buffers of one format, without). Its place is that
 * of its upper left corner: where its hot spot is makes no difference to what is seen.
 *
 * Invariants:
 *  1. what was under a pointer is kept, and is put back before anything else is painted
 *     on its canvas or read off it: by who paints, by displ_virtio_cursors_lift();
 *  2. pointers of one canvas are taken out in the reverse order of drawing;
 *  3. nothing is drawn outside of the picture that its head shows.
 */
#ifndef XDD_DISPL_VIRTIO_CURSOR_H
#define XDD_DISPL_VIRTIO_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/displ/displ-virtio-resource.h"

struct displ_virtio;

#define DISPL_VIRTIO_CURSOR_PIXELS (DISPL_VIRTIO_SMALL_SIDE * DISPL_VIRTIO_SMALL_SIDE)

/* A pointer as it stands in a canvas. */
struct displ_virtio_mark {
	uint32_t canvas; /* or NONE */
	uint32_t version, stamp;
	struct displ_rect at; /* of the canvas */
	uint32_t under[DISPL_VIRTIO_CURSOR_PIXELS];
};

struct displ_virtio_cursor {
	uint32_t resource;	/* whose image it is, while there is such; 0: of none */
	struct displ_size size; /* 0: there is none */
	int32_t x, y;		/* in the head's picture */
	bool kept, moved;	/* for a successor; since it was kept */
	uint32_t version;	/* of image and place */
	uint32_t pixel[DISPL_VIRTIO_CURSOR_PIXELS];
	/* On what is shown, and on what is about to be. */
	struct displ_virtio_mark mark[2];
};

struct displ_virtio_cursors {
	struct displ *displ;
	struct displ_virtio_cursor head[DISPL_HEADS_MAX];
	uint32_t stamp;
	uint64_t keep_at; /* places, not before */
};

void displ_virtio_cursors_init(struct displ_virtio_cursors *cs, struct displ *displ);
/* None is there any more, nor drawn. */
void displ_virtio_cursors_forget(struct displ_virtio_cursors *cs);
/* The image of @head's; @r: a small resource, or NULL, none. */
void displ_virtio_cursor_set(struct displ_virtio_cursors *cs, uint32_t head,
			     const struct displ_virtio_resource *r);
void displ_virtio_cursor_move(struct displ_virtio_cursors *cs, uint32_t head, int32_t x,
			      int32_t y);
/* Resource @id goes: no successor finds the image that was made of it. */
void displ_virtio_cursors_orphan(struct displ_virtio_cursors *cs, uint32_t id);
/* Images are to be kept with the command, places may be once in a while: those that
 * moved, if it is time for that, are not kept any more. When it will be: UINT64_MAX,
 * for nothing. */
uint64_t displ_virtio_cursors_moved(struct displ_virtio_cursors *cs, uint64_t now);
/* Out of @canvas (or NONE). */
void displ_virtio_cursors_lift(struct displ_virtio_cursors *cs, uint32_t canvas);
/* Into all canvases that are shown or about to be, as things are: after each command,
 * and each turn. */
void displ_virtio_cursors_draw(struct displ_virtio_cursors *cs,
			       const struct displ_virtio *v);

#endif
