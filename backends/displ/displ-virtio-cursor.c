/* SPDX-License-Identifier: MIT */
#include "backends/displ/displ-virtio-cursor.h"

#include <string.h>

#include "backends/displ/displ-virtio.h"
#include "common/clock.h"

#define NONE  DISPL_VIRTIO_NONE
#define MARKS 2

/* A mouse moves more often than xenstore is to be written. */
#define KEEP_PLACES CLOCK_SECOND

void displ_virtio_cursors_init(struct displ_virtio_cursors *cs, struct displ *displ)
{
	*cs = (struct displ_virtio_cursors){.displ = displ};
	for (uint32_t i = 0; i < DISPL_HEADS_MAX; i++) {
		for (unsigned k = 0; k < MARKS; k++)
			cs->head[i].mark[k].canvas = NONE;
	}
}

/* -- Out ------------------------------------------------------------------- */

static uint32_t *row_of(const struct displ_virtio_cursors *cs,
			const struct displ_virtio_mark *mark, uint32_t y)
{
	const struct displ_scan *scan = cs->displ->conf.scan;
	uint8_t *row =
		scan->canvas[mark->canvas] + (size_t)(mark->at.y + y) * scan->stride;

	return (uint32_t *)(void *)row + mark->at.x;
}

static void put_back(const struct displ_virtio_cursors *cs,
		     struct displ_virtio_mark *mark)
{
	for (uint32_t y = 0; y < mark->at.height; y++)
		memcpy(row_of(cs, mark, y), mark->under + y * DISPL_VIRTIO_SMALL_SIDE,
		       mark->at.width * sizeof(*mark->under));
	mark->canvas = NONE;
}

/* The one of @canvas that was drawn last, or NULL. */
static struct displ_virtio_mark *uppermost(struct displ_virtio_cursors *cs,
					   uint32_t canvas)
{
	struct displ_virtio_mark *last = NULL;

	for (uint32_t i = 0; i < DISPL_HEADS_MAX; i++) {
		for (unsigned k = 0; k < MARKS; k++) {
			struct displ_virtio_mark *mark = &cs->head[i].mark[k];

			/* Stamps wrap. */
			if (mark->canvas == canvas &&
			    (!last || (int32_t)(mark->stamp - last->stamp) > 0))
				last = mark;
		}
	}
	return last;
}

void displ_virtio_cursors_lift(struct displ_virtio_cursors *cs, uint32_t canvas)
{
	struct displ_virtio_mark *mark;

	while (canvas != NONE && (mark = uppermost(cs, canvas)))
		put_back(cs, mark);
}

void displ_virtio_cursors_forget(struct displ_virtio_cursors *cs)
{
	for (uint32_t i = 0; i < DISPL_HEADS_MAX; i++) {
		for (unsigned k = 0; k < MARKS; k++)
			displ_virtio_cursors_lift(cs, cs->head[i].mark[k].canvas);
		cs->head[i].size = (struct displ_size){0, 0};
		cs->head[i].kept &= !cs->head[i].resource;
		cs->head[i].resource = 0;
	}
}

/* -- What it is -------------------------------------------------------------- */

void displ_virtio_cursor_set(struct displ_virtio_cursors *cs, uint32_t head,
			     const struct displ_virtio_resource *r)
{
	struct displ_virtio_cursor *c = &cs->head[head];

	c->version++;
	c->resource = r ? r->id : 0;
	c->kept = false;
	c->size = r ? r->size : (struct displ_size){0, 0};
	for (uint32_t y = 0; y < c->size.height; y++)
		/* The format beside it that has an alpha (displ-format.h). */
		displ_format_row((enum displ_format)(r->format | 1),
				 r->pixels + (size_t)y * c->size.width * DISPL_PIXEL,
				 c->pixel + y * DISPL_VIRTIO_SMALL_SIDE, c->size.width);
}

void displ_virtio_cursor_move(struct displ_virtio_cursors *cs, uint32_t head, int32_t x,
			      int32_t y)
{
	struct displ_virtio_cursor *c = &cs->head[head];

	if (c->x != x || c->y != y) {
		c->version++;
		c->moved = true;
	}
	c->x = x;
	c->y = y;
}

void displ_virtio_cursors_orphan(struct displ_virtio_cursors *cs, uint32_t id)
{
	for (uint32_t i = 0; i < DISPL_HEADS_MAX; i++) {
		if (cs->head[i].resource != id)
			continue;
		cs->head[i].resource = 0;
		cs->head[i].kept = false;
	}
}

uint64_t displ_virtio_cursors_moved(struct displ_virtio_cursors *cs, uint64_t now)
{
	bool any = false;

	for (uint32_t i = 0; i < DISPL_HEADS_MAX; i++)
		any |= cs->head[i].moved && cs->head[i].resource;
	if (!any || now < cs->keep_at)
		return any ? cs->keep_at : UINT64_MAX;
	for (uint32_t i = 0; i < DISPL_HEADS_MAX; i++)
		cs->head[i].kept &= !cs->head[i].moved;
	cs->keep_at = now + KEEP_PLACES;
	return now;
}

/* -- Into ------------------------------------------------------------------ */

/* What of a canvas the picture of @head takes, if it is one's that has one. */
static bool picture_at(const struct displ_virtio *v, uint32_t head, uint32_t canvas,
		       struct displ_rect *out)
{
	const struct displ *d = v->conf.displ;
	const struct displ_scan *scan = d->conf.scan;
	uint32_t own = canvas - head * DISPL_OWN_CANVASES;
	struct displ_size size = {0, 0};

	if (canvas == NONE)
		return false;
	if (canvas >= displ_canvas_first(d)) {
		const struct displ_virtio_resource *r =
			&v->resources.place[canvas - displ_canvas_first(d)];

		size = r->id ? r->size : size;
	} else if (own < sizeof(d->head[head].painted) / sizeof(size)) {
		size = d->head[head].painted[own];
	}
	*out = (struct displ_rect){(scan->size.width - size.width) / 2,
				   (scan->size.height - size.height) / 2, size.width,
				   size.height};
	return size.width;
}

/* From @from on and @n long, of what begins at @at and is @of long: where it begins in
 * it and in the other. False: nowhere. */
static bool overlap(int64_t from, uint32_t n, uint32_t at, uint32_t of, uint32_t *first,
		    uint32_t *skip, uint32_t *len)
{
	int64_t begin = from < at ? at : from;
	int64_t end = from + n < (int64_t)at + of ? from + n : (int64_t)at + of;

	if (begin >= end)
		return false;
	*first = (uint32_t)begin;
	*skip = (uint32_t)(begin - from);
	*len = (uint32_t)(end - begin);
	return true;
}

/* @over, whose colours are multiplied by its alpha, over @under. */
static uint32_t blend(uint32_t over, uint32_t under)
{
	uint32_t left = 255 - (over >> 24), out = 0;

	for (unsigned shift = 0; shift < 32; shift += 8) {
		uint32_t v = (over >> shift & 0xff) +
			     ((under >> shift & 0xff) * left + 127) / 255;

		out |= (v < 255 ? v : 255) << shift;
	}
	return out;
}

static void draw(struct displ_virtio_cursors *cs, const struct displ_virtio_cursor *c,
		 struct displ_virtio_mark *mark, uint32_t canvas,
		 const struct displ_rect *picture)
{
	uint32_t left, top;

	if (!overlap((int64_t)picture->x + c->x, c->size.width, picture->x,
		     picture->width, &mark->at.x, &left, &mark->at.width) ||
	    !overlap((int64_t)picture->y + c->y, c->size.height, picture->y,
		     picture->height, &mark->at.y, &top, &mark->at.height))
		return;
	mark->canvas = canvas;
	mark->version = c->version;
	mark->stamp = cs->stamp++;
	for (uint32_t y = 0; y < mark->at.height; y++) {
		const uint32_t *pixel =
			c->pixel + (top + y) * DISPL_VIRTIO_SMALL_SIDE + left;
		uint32_t *row = row_of(cs, mark, y);

		memcpy(mark->under + y * DISPL_VIRTIO_SMALL_SIDE, row,
		       mark->at.width * sizeof(*row));
		for (uint32_t x = 0; x < mark->at.width; x++)
			row[x] = blend(pixel[x], row[x]);
	}
}

static bool is_stale(const struct displ_virtio *v, uint32_t head,
		     const struct displ_virtio_mark *mark)
{
	const struct displ_head *h = &v->conf.displ->head[head];

	return mark->version != v->cursors.head[head].version ||
	       (mark->canvas != h->shown && mark->canvas != h->flying);
}

static void draw_on(struct displ_virtio_cursors *cs, const struct displ_virtio *v,
		    uint32_t head, uint32_t canvas)
{
	struct displ_virtio_cursor *c = &cs->head[head];
	struct displ_virtio_mark *mark = NULL;
	struct displ_rect picture;

	if (!c->size.width || !picture_at(v, head, canvas, &picture))
		return;
	for (unsigned k = 0; k < MARKS; k++) {
		if (c->mark[k].canvas == canvas)
			return;
		if (c->mark[k].canvas == NONE)
			mark = &c->mark[k];
	}
	if (mark)
		draw(cs, c, mark, canvas, &picture);
}

void displ_virtio_cursors_draw(struct displ_virtio_cursors *cs,
			       const struct displ_virtio *v)
{
	for (uint32_t i = 0; i < v->heads; i++) {
		for (unsigned k = 0; k < MARKS; k++) {
			if (is_stale(v, i, &cs->head[i].mark[k]))
				displ_virtio_cursors_lift(cs,
							  cs->head[i].mark[k].canvas);
		}
	}
	for (uint32_t i = 0; i < v->heads; i++) {
		draw_on(cs, v, i, v->conf.displ->head[i].shown);
		draw_on(cs, v, i, v->conf.displ->head[i].flying);
	}
}
