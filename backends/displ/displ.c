/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/displ/displ.h"
#include "common/clock.h"

#define NONE	   UINT32_MAX
#define DARK	   2		    /* of a head's canvases */
#define FLIGHT_MAX CLOCK_SECOND	    /* invariant 5 */
#define AGAIN	   (100 * CLOCK_MS) /* after a card that failed */
#define BUSY_AGAIN (10 * CLOCK_MS)
#define LATE	   1 /* of a card, that will not do it yet */

static uint32_t canvas_of(uint32_t head, uint32_t which)
{
	return head * DISPL_OWN_CANVASES + which;
}

static void due_at(struct displ *d, uint64_t due)
{
	if (due < d->due)
		d->due = due;
}

void displ_read_private(const void *of, uint64_t at, void *dst, uint32_t n)
{
	memcpy(dst, (const uint8_t *)of + at, n);
}

/* -- Painting -------------------------------------------------------------- */

uint8_t *displ_canvas_at(const struct displ *d, uint32_t canvas, struct displ_size size)
{
	return displ_scan_middle(d->conf.scan, canvas, size);
}

void displ_canvas_clear(const struct displ *d, uint32_t canvas)
{
	const struct displ_scan *scan = d->conf.scan;

	memset(scan->canvas[canvas], 0, (size_t)scan->stride * scan->size.height);
}

/* One row to @at: straight there, if its bytes are a canvas's. */
static void paint_row(struct displ *d, const struct displ_picture *picture, uint64_t at,
		      uint8_t *to, uint32_t width)
{
	uint32_t bytes = width * displ_format_info(picture->format)->bytes;

	if (displ_format_plain(picture->format, d->conf.scan->alpha)) {
		picture->read(picture->of, at, to, bytes);
		return;
	}
	picture->read(picture->of, at, d->row, bytes);
	displ_format_row(picture->format, d->row, (uint32_t *)(void *)to, width);
}

void displ_canvas_paint(struct displ *d, uint32_t canvas, struct displ_size size,
			const struct displ_picture *picture,
			const struct displ_rect *from, uint32_t x, uint32_t y)
{
	uint32_t pixel = displ_format_info(picture->format)->bytes;
	uint32_t stride = d->conf.scan->stride;
	uint8_t *to = displ_canvas_at(d, canvas, size) + (size_t)y * stride +
		      (size_t)x * DISPL_PIXEL;

	for (uint32_t i = 0; i < from->height; i++, to += stride) {
		uint64_t row = (uint64_t)(from->y + i) * picture->stride;

		paint_row(d, picture, row + (uint64_t)from->x * pixel, to, from->width);
	}
	d->stats.copied += (uint64_t)from->width * from->height * pixel;
}

/* @rect of @picture, in the middle of a canvas. */
static void paint(struct displ *d, uint32_t canvas, const struct displ_picture *picture,
		  const struct displ_rect *rect)
{
	const struct displ_size size = {rect->width, rect->height};

	displ_canvas_paint(d, canvas, size, picture, rect, 0, 0);
}

/* What of @picture a head has room for. */
static struct displ_rect cut(const struct displ_picture *picture,
			     struct displ_size head)
{
	struct displ_size size = picture->size;

	if (size.width > head.width)
		size.width = head.width;
	if (size.height > head.height)
		size.height = head.height;
	return (struct displ_rect){(picture->size.width - size.width) / 2,
				   (picture->size.height - size.height) / 2, size.width,
				   size.height};
}

/* -- Flights --------------------------------------------------------------- */

/* A card that is late, and not what was taken to be lost: it is asked again, and fails
 * if it is for as long again. */
static bool is_late(struct displ *d, struct displ_head *h, int r, uint64_t now)
{
	if (r == -EBUSY && !h->busy)
		h->busy_since = now;
	h->busy = r == -EBUSY && now - h->busy_since < FLIGHT_MAX;
	if (h->busy)
		due_at(d, now + BUSY_AGAIN);
	return h->busy;
}

/* 0, LATE, or a negative errno. */
static int fly(struct displ *d, uint32_t head, uint32_t canvas, uint64_t now)
{
	struct displ_head *h = &d->head[head];
	int r = displ_scan_show(d->conf.scan, head, canvas, now);

	assert(h->flying == NONE);
	h->flown_at = now;
	if (is_late(d, h, r, now))
		return LATE;
	if (r < 0) {
		d->error = r;
		d->stats.failures++;
		return r;
	}
	h->flying = canvas;
	due_at(d, now + FLIGHT_MAX);
	due_at(d, d->conf.scan->due);
	return 0;
}

static void go_dark(struct displ *d, uint32_t head, uint64_t now)
{
	struct displ_head *h = &d->head[head];

	h->telling = false;
	/* A card that fails is asked again, for as long as it takes. */
	h->darkening = fly(d, head, canvas_of(head, DARK), now) != 0;
	if (h->darkening)
		due_at(d, h->flown_at + AGAIN);
	else
		d->stats.darkened++;
}

static void land(struct displ *d, uint32_t head, uint64_t now)
{
	struct displ_head *h = &d->head[head];
	bool tell = h->telling;

	h->shown = h->flying;
	h->flying = NONE;
	h->telling = false;
	d->stats.frames++;
	if (h->darkening)
		go_dark(d, head, now);
	else if (tell)
		d->conf.landed(d->conf.owner, head, now);
}

/* -- What is asked for ------------------------------------------------------ */

enum displ_status displ_judge(const struct displ *d,
			      const struct displ_picture *picture)
{
	uint64_t row = (uint64_t)picture->size.width *
		       displ_format_info(picture->format)->bytes;

	if (!picture->size.width || !picture->size.height || row > picture->stride)
		return DISPL_INVALID;
	if (!(d->conf.policy->formats & 1u << picture->format))
		return DISPL_DENIED;
	return DISPL_OK;
}

bool displ_rect_in(const struct displ_rect *rect, struct displ_size size)
{
	return rect->width && rect->height && rect->width <= size.width &&
	       rect->height <= size.height && rect->x <= size.width - rect->width &&
	       rect->y <= size.height - rect->height;
}

/* May a show of @h start? Not sooner than it is worth asking a card that is late: each
 * try is a picture painted. The first one has paid. */
static enum displ_status takes_off(struct displ *d, struct displ_head *h, bool flip,
				   uint64_t now)
{
	uint64_t wait = 0;

	if (h->flying != NONE)
		return DISPL_LATER;
	if (h->busy && now - h->flown_at < BUSY_AGAIN)
		wait = h->flown_at + BUSY_AGAIN - now;
	else if (flip && !h->busy)
		wait = rate_take(&h->flips, 1, now);
	if (wait) {
		due_at(d, now + wait);
		return DISPL_LATER;
	}
	return DISPL_OK;
}

/* It may, and what is on @canvas is the client's. */
static enum displ_status take_off(struct displ *d, uint32_t head, uint32_t canvas,
				  uint64_t now)
{
	struct displ_head *h = &d->head[head];
	int r = fly(d, head, canvas, now);

	if (r)
		return r == LATE ? DISPL_LATER : DISPL_FAILED;
	h->lit = h->telling = true;
	h->darkening = false;
	return DISPL_OK;
}

enum displ_status displ_show(struct displ *d, uint32_t head,
			     const struct displ_picture *picture,
			     const struct displ_rect *rect, bool flip, uint64_t now)
{
	struct displ_head *h = &d->head[head];
	struct displ_size *painted, size = {rect->width, rect->height};
	enum displ_status status;
	uint32_t which;

	assert(head < d->heads && displ_rect_in(rect, picture->size));
	if (!displ_rect_in(&(struct displ_rect){0, 0, size.width, size.height},
			   d->conf.scan->head[head]))
		return DISPL_DENIED;
	status = takes_off(d, h, flip, now);
	if (status != DISPL_OK)
		return status;
	which = h->shown == canvas_of(head, 0); /* invariant 4 */
	painted = &h->painted[which];
	if (painted->width != size.width || painted->height != size.height)
		displ_canvas_clear(d, canvas_of(head, which));
	*painted = size;
	paint(d, canvas_of(head, which), picture, rect);
	return take_off(d, head, canvas_of(head, which), now);
}

enum displ_status displ_show_canvas(struct displ *d, uint32_t head, uint32_t canvas,
				    bool flip, uint64_t now)
{
	enum displ_status status;

	assert(head < d->heads && canvas >= displ_canvas_first(d) &&
	       canvas < d->conf.scan->canvases);
	status = takes_off(d, &d->head[head], flip, now);
	return status == DISPL_OK ? take_off(d, head, canvas, now) : status;
}

bool displ_canvas_seen(const struct displ *d, uint32_t canvas)
{
	for (uint32_t i = 0; i < d->heads; i++) {
		if (d->head[i].shown == canvas || d->head[i].flying == canvas)
			return true;
	}
	return false;
}

void displ_dark(struct displ *d, uint32_t head, uint64_t now)
{
	struct displ_head *h = &d->head[head];

	h->telling = false;
	if (!h->lit)
		return;
	h->lit = false;
	if (h->flying != NONE)
		h->darkening = true;
	else
		go_dark(d, head, now);
}

bool displ_flies(const struct displ *d)
{
	for (uint32_t i = 0; i < d->heads; i++) {
		if (d->head[i].flying != NONE)
			return true;
	}
	return false;
}

/* -- The turn -------------------------------------------------------------- */

static void head_turn(struct displ *d, uint32_t head, bool shown, uint64_t now)
{
	struct displ_head *h = &d->head[head];

	if (h->flying == NONE && h->darkening && now - h->flown_at >= AGAIN)
		go_dark(d, head, now);
	else if (h->flying == NONE && h->darkening)
		due_at(d, h->flown_at + AGAIN);
	if (h->flying == NONE)
		return;
	if (!shown && now - h->flown_at >= FLIGHT_MAX) {
		d->stats.lost++;
		shown = true;
	}
	if (shown)
		land(d, head, now);
	else
		due_at(d, h->flown_at + FLIGHT_MAX);
}

int displ_turn(struct displ *d, uint64_t now)
{
	struct displ_scan *scan = d->conf.scan;
	uint32_t shown = 0;
	int r = 0;

	if (scan->ready || now >= scan->due || (scan->fd < 0 && displ_flies(d))) {
		scan->ready = false;
		r = displ_scan_look(scan, now, &shown);
	}
	if (r < 0) {
		d->error = r;
		d->stats.failures++;
	}
	d->due = UINT64_MAX;
	for (uint32_t i = 0; i < d->heads; i++)
		head_turn(d, i, shown >> i & 1, now);
	due_at(d, scan->due);
	return 0;
}

/* -- Begin and end --------------------------------------------------------- */

int displ_init(struct displ *d, const struct displ_conf *conf,
	       const struct displ_picture *gone, uint64_t now)
{
	*d = (struct displ){
		.conf = *conf, .heads = conf->scan->heads, .due = UINT64_MAX};
	assert(conf->scan->canvases >= d->heads * DISPL_OWN_CANVASES);
	d->row = malloc((size_t)conf->scan->size.width * DISPL_PIXEL);
	if (!d->row)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->heads; i++) {
		struct displ_rect rect;

		d->head[i].shown = d->head[i].flying = NONE;
		rate_begin(&d->head[i].flips, conf->policy->flips, now);
		if (gone) {
			rect = cut(gone, conf->scan->head[i]);
			paint(d, canvas_of(i, DARK), gone, &rect);
		}
		go_dark(d, i, now);
	}
	d->stats = (struct displ_stats){0};
	return 0;
}

void displ_fini(struct displ *d)
{
	free(d->row);
	*d = (struct displ){0};
}
