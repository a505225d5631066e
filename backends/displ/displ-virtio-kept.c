/* SPDX-License-Identifier: MIT */
/*
 * What a successor goes on with: see displ-virtio.h, invariant 5.
 *
 * Keys (displ-kept.h): "counts-0", places that were ever used; "unplugged-0", the
 * heads, bits, that the driver takes for such; "resource-N" of place N, its id, format,
 * width and height, and how many runs of its backing are kept; these are in
 * "backing-K", eight each, from K = N * KEYS on, each as where it begins in the pool,
 * and its bytes; "scanout-N" of head N, resource and rect; "cursor-N" of head N, the
 * resource that its pointer was made of, and where it was, a second ago at most. A
 * backing that is cut into more runs is not kept: its resource comes back without one,
 * and its driver is told so when it transfers. (Linux's pool hands out 64 pages one by
 * one, before it cuts what is whole: xenbus/linux/dma-pool.c.)
 */
#include <errno.h>

#include "backends/displ/displ-kept.h"
#include "backends/displ/displ-virtio.h"

#define RUNS		 8 /* of a key */
#define KEYS		 (DISPL_VIRTIO_RUNS_KEPT / RUNS)
#define RESOURCE_NUMBERS 5
#define SCANOUT_NUMBERS	 5
#define CURSOR_NUMBERS	 3

/* -- Keeping --------------------------------------------------------------- */

static uint32_t runs_of_key(uint32_t runs, uint32_t first)
{
	return runs - first < RUNS ? runs - first : RUNS;
}

/* Before what says how many there are. */
static int keep_backing(struct displ_virtio *v, uint32_t place, uint32_t runs)
{
	const struct displ_virtio_resource *r = &v->resources.place[place];
	int n = 0;

	for (uint32_t at = 0; !n && at < runs; at += RUNS) {
		uint32_t some = runs_of_key(runs, at);
		uint64_t numbers[2 * RUNS];

		for (uint32_t i = 0; i < some; i++) {
			numbers[2 * i] = r->run[at + i].addr - VIRTIO_POOL_BASE;
			numbers[2 * i + 1] = r->run[at + i].bytes;
		}
		n = displ_keep(&v->conf.keys, "backing", place * KEYS + at / RUNS,
			       numbers, 2 * some);
	}
	return n;
}

static int keep_resource(struct displ_virtio *v, uint32_t place)
{
	struct displ_virtio_resource *r = &v->resources.place[place];
	uint32_t runs = r->runs <= DISPL_VIRTIO_RUNS_KEPT ? r->runs : 0;
	const uint64_t numbers[RESOURCE_NUMBERS] = {r->id, r->wire, r->size.width,
						    r->size.height, runs};
	int n = 0;

	if (r->kept)
		return 0;
	if (r->id && runs)
		n = keep_backing(v, place, runs);
	if (!n)
		n = displ_keep(&v->conf.keys, "resource", place, numbers,
			       r->id ? RESOURCE_NUMBERS : 0);
	r->kept = !n;
	return n;
}

static int keep_used(struct displ_virtio *v, uint32_t used)
{
	const uint64_t number = used;
	int r = 0;

	if (v->used_kept != used)
		r = displ_keep(&v->conf.keys, "counts", 0, &number, 1);
	if (!r)
		v->used_kept = used;
	return r;
}

static int keep_scanout(struct displ_virtio *v, uint32_t head)
{
	struct displ_virtio_scanout *s = &v->scanout[head];
	bool dark = s->place == DISPL_VIRTIO_NONE;
	const uint64_t numbers[SCANOUT_NUMBERS] = {
		dark ? 0 : v->resources.place[s->place].id, s->rect.x, s->rect.y,
		s->rect.width, s->rect.height};
	int r;

	if (s->kept)
		return 0;
	r = displ_keep(&v->conf.keys, "scanout", head, numbers,
		       dark ? 0 : SCANOUT_NUMBERS);
	s->kept = !r;
	return r;
}

static int keep_told(struct displ_virtio *v)
{
	const uint64_t number = v->told;
	int r = 0;

	if (v->told_kept != v->told)
		r = displ_keep(&v->conf.keys, "unplugged", 0, &number, 1);
	if (!r)
		v->told_kept = v->told;
	return r;
}

static int keep_cursor(struct displ_virtio *v, uint32_t head)
{
	struct displ_virtio_cursor *c = &v->cursors.head[head];
	const uint64_t numbers[CURSOR_NUMBERS] = {c->resource, (uint32_t)c->x,
						  (uint32_t)c->y};
	int r;

	if (c->kept)
		return 0;
	r = displ_keep(&v->conf.keys, "cursor", head, numbers,
		       c->resource ? CURSOR_NUMBERS : 0);
	c->kept = !r;
	c->moved &= !c->kept;
	return r;
}

int displ_virtio_keep(struct displ_virtio *v)
{
	int r = keep_told(v);

	for (uint32_t i = 0; !r && i < v->resources.used; i++)
		r = keep_resource(v, i);
	if (!r)
		r = keep_used(v, v->resources.used);
	for (uint32_t i = 0; !r && i < v->heads; i++)
		r = keep_scanout(v, i);
	for (uint32_t i = 0; !r && i < v->heads; i++)
		r = keep_cursor(v, i);
	return r;
}

int displ_virtio_keep_none(struct displ_virtio *v)
{
	int r;

	v->used_kept = v->told_kept = DISPL_VIRTIO_NONE;
	r = keep_used(v, 0);
	if (!r)
		r = keep_told(v);
	for (uint32_t i = 0; !r && i < v->heads; i++) {
		v->scanout[i].kept = false;
		r = keep_scanout(v, i);
		if (!r)
			r = keep_cursor(v, i);
	}
	return r;
}

/* -- Reading --------------------------------------------------------------- */

/* All of it, or none. */
static int read_backing(struct displ_virtio *v, uint32_t place, uint32_t runs,
			struct displ_virtio_kept_resource *out)
{
	int r = 1;

	if (runs > DISPL_VIRTIO_RUNS_KEPT)
		return 0;
	for (uint32_t at = 0; r > 0 && at < runs; at += RUNS) {
		uint32_t some = runs_of_key(runs, at);
		uint64_t numbers[2 * RUNS];

		r = displ_kept_read(&v->conf.keys, "backing", place * KEYS + at / RUNS,
				    2 * some, numbers);
		for (uint32_t i = 0; r > 0 && i < some; i++)
			out->run[at + i] = (struct displ_virtio_entry){
				VIRTIO_POOL_BASE + numbers[2 * i],
				(uint32_t)numbers[2 * i + 1]};
	}
	out->runs = r > 0 ? runs : 0;
	return r < 0 ? r : 0;
}

static int read_resource(struct displ_virtio *v, uint32_t place,
			 struct displ_virtio_kept_resource *out)
{
	uint64_t n[RESOURCE_NUMBERS];
	int r = displ_kept_read(&v->conf.keys, "resource", place, RESOURCE_NUMBERS, n);

	if (r <= 0)
		return r;
	out->create = (struct displ_virtio_command){
		.resource = (uint32_t)n[0],
		.format = (uint32_t)n[1],
		.size = {(uint32_t)n[2], (uint32_t)n[3]},
	};
	return read_backing(v, place, n[4] < UINT32_MAX ? (uint32_t)n[4] : 0, out);
}

static int read_scanout(struct displ_virtio *v, uint32_t head,
			struct displ_virtio_kept *out)
{
	uint64_t n[SCANOUT_NUMBERS];
	int r = displ_kept_read(&v->conf.keys, "scanout", head, SCANOUT_NUMBERS, n);

	if (r <= 0)
		return r;
	out->scanout[head].resource = (uint32_t)n[0];
	out->scanout[head].rect = (struct displ_rect){(uint32_t)n[1], (uint32_t)n[2],
						      (uint32_t)n[3], (uint32_t)n[4]};
	return 0;
}

static int read_cursor(struct displ_virtio *v, uint32_t head,
		       struct displ_virtio_kept *out)
{
	uint64_t n[CURSOR_NUMBERS];
	int r = displ_kept_read(&v->conf.keys, "cursor", head, CURSOR_NUMBERS, n);

	if (r <= 0)
		return r;
	out->cursor[head].resource = n[0] <= UINT32_MAX ? (uint32_t)n[0] : 0;
	out->cursor[head].x = (int32_t)(uint32_t)n[1];
	out->cursor[head].y = (int32_t)(uint32_t)n[2];
	return 0;
}

int displ_virtio_kept_read(struct displ_virtio *v, struct displ_virtio_kept *out)
{
	uint64_t used = 0, told = 0;
	int r = displ_kept_read(&v->conf.keys, "counts", 0, 1, &used);

	*out = (struct displ_virtio_kept){0};
	if (used <= v->resources.places)
		out->used = (uint32_t)used;
	if (r >= 0)
		r = displ_kept_read(&v->conf.keys, "unplugged", 0, 1, &told);
	if (told < 1u << v->heads)
		out->told = (uint32_t)told;
	r = r < 0 ? r : 0;
	v->told_kept = out->told;
	for (uint32_t i = 0; !r && i < out->used; i++)
		r = read_resource(v, i, &out->resource[i]);
	for (uint32_t i = 0; !r && i < v->heads; i++)
		r = read_scanout(v, i, out);
	for (uint32_t i = 0; !r && i < v->heads; i++)
		r = read_cursor(v, i, out);
	return r;
}

/* -- Going on ---------------------------------------------------------------- */

/* Its canvas is black, whatever it was: so all of its backing is transferred. */
static void recall_resource(struct displ_virtio *v, uint32_t place,
			    const struct displ_virtio_kept_resource *kept)
{
	struct displ_virtio_resource *r = &v->resources.place[place];
	const struct displ_rect all = {0, 0, kept->create.size.width,
				       kept->create.size.height};
	enum displ_virtio_answer answer = DISPL_VIRTIO_OK;

	if (!kept->create.resource)
		return;
	if (!displ_virtio_create_again(&v->resources, place, &kept->create)) {
		log_line(v->conf.keys.log, LOG_LEVEL_WARNING,
			 "resource %u is not to be had again", kept->create.resource);
		return;
	}
	for (uint32_t i = 0; answer == DISPL_VIRTIO_OK && i < kept->runs; i++)
		answer = displ_virtio_attach_entry(&v->resources, r, &kept->run[i]);
	if (answer != DISPL_VIRTIO_OK)
		displ_virtio_unback(r);
	if (r->runs)
		displ_virtio_transfer(&v->resources, r, &all, 0);
}

static void recall_cursor(struct displ_virtio *v, uint32_t head, uint32_t resource,
			  int32_t x, int32_t y)
{
	const struct displ_virtio_resource *r =
		displ_virtio_resource(&v->resources, resource);

	if (!r || !r->pixels)
		return;
	displ_virtio_cursor_set(&v->cursors, head, r);
	displ_virtio_cursor_move(&v->cursors, head, x, y);
	v->cursors.head[head].kept = true;
	v->cursors.head[head].moved = false;
}

void displ_virtio_recall(struct displ_virtio *v, const struct displ_virtio_kept *kept)
{
	v->used_kept = kept->used;
	v->told = kept->told;
	for (uint32_t i = 0; i < kept->used; i++)
		recall_resource(v, i, &kept->resource[i]);
	for (uint32_t i = 0; i < v->heads; i++) {
		displ_virtio_set_again(v, i, kept->scanout[i].resource,
				       &kept->scanout[i].rect);
		recall_cursor(v, i, kept->cursor[i].resource, kept->cursor[i].x,
			      kept->cursor[i].y);
	}
}
