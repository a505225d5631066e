/* SPDX-License-Identifier: MIT */
#include "backends/displ/displ-virtio-resource.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/shared.h"

#define ENTRIES_READ 32 /* at once */
#define SMALL_BYTES  (DISPL_VIRTIO_SMALL_SIDE * DISPL_VIRTIO_SMALL_SIDE * DISPL_PIXEL)

/* -- Begin and end --------------------------------------------------------- */

/* What a driver may need for a picture of @size, however it lies in its pages: more
 * than a pool has no run of. */
static uint32_t runs_for(struct displ_size size)
{
	uint64_t bytes = (uint64_t)size.width * size.height * DISPL_PIXEL;
	uint64_t n = 2 * ((bytes + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES) + 16;
	uint64_t most = VIRTIO_RUNS_MAX * VIRTIO_RUN_BYTES / XEN_PAGE_BYTES + 16;

	return (uint32_t)(n < most ? n : most);
}

/* [impl->req~serving-allocates-nothing~1] */
static int init_place(struct displ_virtio_resources *rs, uint32_t i)
{
	const struct displ_size side = {DISPL_VIRTIO_SMALL_SIDE,
					DISPL_VIRTIO_SMALL_SIDE};
	struct displ_virtio_resource *r = &rs->place[i];

	r->canvas = DISPL_VIRTIO_NONE;
	if (i < rs->canvases)
		r->canvas = displ_canvas_first(rs->displ) + i;
	else
		r->pixels = calloc(1, SMALL_BYTES);
	r->runs_max = runs_for(i < rs->canvases ? rs->displ->conf.scan->size : side);
	r->run = calloc(r->runs_max, sizeof(*r->run));
	r->kept = true;
	return r->run && (r->pixels || i < rs->canvases) ? 0 : -ENOMEM;
}

int displ_virtio_resources_init(struct displ_virtio_resources *rs, struct displ *displ,
				const struct virtio_memory *memory)
{
	uint32_t buffers = displ->conf.policy->buffers;
	int r = 0;

	assert(displ->conf.scan->canvases >= displ_canvas_first(displ) + buffers);
	*rs = (struct displ_virtio_resources){
		.displ = displ,
		.memory = memory,
		.places = buffers + DISPL_VIRTIO_SMALL,
		.canvases = buffers,
	};
	rs->place = calloc(rs->places, sizeof(*rs->place));
	if (!rs->place)
		return -ENOMEM;
	for (uint32_t i = 0; !r && i < rs->places; i++)
		r = init_place(rs, i);
	if (r)
		displ_virtio_resources_fini(rs);
	return r;
}

void displ_virtio_resources_fini(struct displ_virtio_resources *rs)
{
	for (uint32_t i = 0; rs->place && i < rs->places; i++) {
		free(rs->place[i].run);
		free(rs->place[i].pixels);
	}
	free(rs->place);
	*rs = (struct displ_virtio_resources){0};
}

/* -- The table ------------------------------------------------------------- */

struct displ_virtio_resource *displ_virtio_resource(
	const struct displ_virtio_resources *rs, uint32_t id)
{
	for (uint32_t i = 0; id && i < rs->used; i++) {
		if (rs->place[i].id == id)
			return &rs->place[i];
	}
	return NULL;
}

/* From @first on, before @end: one whose canvas nobody sees, if there is one. */
static struct displ_virtio_resource *free_place(const struct displ_virtio_resources *rs,
						uint32_t first, uint32_t end)
{
	struct displ_virtio_resource *any = NULL;

	for (uint32_t i = first; i < end; i++) {
		struct displ_virtio_resource *r = &rs->place[i];

		if (r->id)
			continue;
		if (!displ_canvas_seen(rs->displ, r->canvas))
			return r;
		any = any ? any : r;
	}
	return any;
}

/* Can it be at all? */
static enum displ_virtio_answer judge(const struct displ_virtio_resources *rs,
				      const struct displ_virtio_command *c,
				      enum displ_format *format)
{
	struct displ_size most = rs->displ->conf.scan->size;

	if (!c->size.width || !c->size.height ||
	    !displ_virtio_format(c->format, format))
		return DISPL_VIRTIO_BAD_PARAMETER;
	if (displ_virtio_is_small(c->size))
		return DISPL_VIRTIO_OK;
	if (!(rs->displ->conf.policy->formats & 1u << *format))
		return DISPL_VIRTIO_BAD_PARAMETER;
	return c->size.width > most.width || c->size.height > most.height
		       ? DISPL_VIRTIO_OUT_OF_MEMORY
		       : DISPL_VIRTIO_OK;
}

/* In a place that is free. */
static void place(struct displ_virtio_resources *rs, struct displ_virtio_resource *r,
		  const struct displ_virtio_command *create, enum displ_format format)
{
	uint32_t i = (uint32_t)(r - rs->place);

	r->id = create->resource;
	r->wire = create->format;
	r->format = format;
	r->size = create->size;
	r->runs = 0;
	r->bytes = 0;
	r->recalled = r->kept = false;
	if (i >= rs->used)
		rs->used = i + 1;
	if (r->pixels)
		memset(r->pixels, 0, SMALL_BYTES);
	else
		displ_canvas_clear(rs->displ, r->canvas);
}

enum displ_virtio_answer displ_virtio_create(struct displ_virtio_resources *rs,
					     const struct displ_virtio_command *create,
					     struct displ_virtio_resource **out)
{
	struct displ_virtio_resource *r = NULL;
	enum displ_format format;
	enum displ_virtio_answer answer;

	if (!create->resource || displ_virtio_resource(rs, create->resource))
		return DISPL_VIRTIO_BAD_RESOURCE;
	answer = judge(rs, create, &format);
	if (answer != DISPL_VIRTIO_OK)
		return answer;
	if (displ_virtio_is_small(create->size))
		r = free_place(rs, rs->canvases, rs->places);
	else
		r = free_place(rs, 0, rs->canvases);
	if (!r)
		return DISPL_VIRTIO_OUT_OF_MEMORY;
	place(rs, r, create, format);
	*out = r;
	return DISPL_VIRTIO_OK;
}

bool displ_virtio_create_again(struct displ_virtio_resources *rs, uint32_t i,
			       const struct displ_virtio_command *create)
{
	bool small = displ_virtio_is_small(create->size);
	enum displ_format format;

	if (i >= rs->places || small != (i >= rs->canvases) || !create->resource ||
	    displ_virtio_resource(rs, create->resource) ||
	    judge(rs, create, &format) != DISPL_VIRTIO_OK)
		return false;
	place(rs, &rs->place[i], create, format);
	rs->place[i].recalled = rs->place[i].kept = true;
	return true;
}

void displ_virtio_drop(struct displ_virtio_resource *r)
{
	r->id = 0;
	r->runs = 0;
	r->bytes = 0;
	r->recalled = r->kept = false;
}

/* -- Backing --------------------------------------------------------------- */

enum displ_virtio_answer displ_virtio_attach_entry(
	const struct displ_virtio_resources *rs, struct displ_virtio_resource *r,
	const struct displ_virtio_entry *entry)
{
	struct displ_virtio_run *last = r->runs ? &r->run[r->runs - 1] : NULL;

	if (!virtio_memory_at(rs->memory, entry->addr, entry->len))
		return DISPL_VIRTIO_BAD_PARAMETER;
	if (last && last->addr + last->bytes == entry->addr) {
		last->bytes += entry->len;
	} else {
		if (r->runs == r->runs_max)
			return DISPL_VIRTIO_OUT_OF_MEMORY;
		r->run[r->runs++] =
			(struct displ_virtio_run){entry->addr, r->bytes, entry->len};
	}
	r->bytes += entry->len;
	return DISPL_VIRTIO_OK;
}

enum displ_virtio_answer displ_virtio_attach(const struct displ_virtio_resources *rs,
					     struct displ_virtio_resource *r,
					     const struct virtio_parts *parts,
					     uint64_t at, uint32_t n)
{
	enum displ_virtio_answer answer = DISPL_VIRTIO_OK;
	uint8_t bytes[ENTRIES_READ * DISPL_VIRTIO_ENTRY];

	if (!n || n > (virtio_parts_readable(parts) - at) / DISPL_VIRTIO_ENTRY)
		return DISPL_VIRTIO_BAD_PARAMETER;
	/* As many as there can be runs: who has more has them twice. */
	if (n > r->runs_max)
		return DISPL_VIRTIO_OUT_OF_MEMORY;
	displ_virtio_unback(r);
	for (uint32_t i = 0; answer == DISPL_VIRTIO_OK && i < n; i++) {
		uint32_t k = i % ENTRIES_READ;
		uint32_t some = n - i < ENTRIES_READ ? n - i : ENTRIES_READ;
		struct displ_virtio_entry entry;

		if (!k)
			virtio_parts_read(parts, at + (uint64_t)i * DISPL_VIRTIO_ENTRY,
					  bytes, some * DISPL_VIRTIO_ENTRY);
		entry = displ_virtio_decode_entry(bytes + k * DISPL_VIRTIO_ENTRY);
		answer = displ_virtio_attach_entry(rs, r, &entry);
	}
	if (answer != DISPL_VIRTIO_OK)
		displ_virtio_unback(r);
	return answer;
}

void displ_virtio_unback(struct displ_virtio_resource *r)
{
	r->runs = 0;
	r->bytes = 0;
	r->kept = false;
}

/* -- Pixels ---------------------------------------------------------------- */

/* What of a backing a transfer reads. */
struct reading {
	const struct virtio_memory *memory;
	const struct displ_virtio_resource *r;
	uint64_t offset;
};

/* The run that @at lies in; there is one. */
static const struct displ_virtio_run *run_at(const struct displ_virtio_resource *r,
					     uint64_t at)
{
	uint32_t low = 0, high = r->runs;

	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (r->run[mid].at <= at)
			low = mid;
		else
			high = mid;
	}
	return &r->run[low];
}

/* How much of @n bytes at @addr lies in one run of the pool. */
static uint32_t within_run(uint64_t addr, uint64_t n)
{
	uint64_t left = VIRTIO_RUN_BYTES - (addr - VIRTIO_POOL_BASE) % VIRTIO_RUN_BYTES;

	return (uint32_t)(n < left ? n : left);
}

static void read_backing(const void *of, uint64_t at, void *dst, uint32_t n)
{
	const struct reading *reading = of;
	uint8_t *to = dst;

	at += reading->offset;
	while (n) {
		const struct displ_virtio_run *run = run_at(reading->r, at);
		uint64_t addr = run->addr + (at - run->at);
		uint64_t left = run->bytes - (at - run->at);
		uint32_t some = within_run(addr, left < n ? left : n);
		const void *from = virtio_memory_at(reading->memory, addr, some);

		assert(from); /* invariants 2 and 3 */
		shared_copy_in(to, from, some);
		to += some;
		at += some;
		n -= some;
	}
}

/* Invariant 3. */
static bool is_backed(const struct displ_virtio_resource *r,
		      const struct displ_rect *rect, uint64_t offset)
{
	uint64_t stride = (uint64_t)r->size.width * DISPL_PIXEL;
	uint64_t span =
		(rect->height - 1) * stride + (uint64_t)rect->width * DISPL_PIXEL;

	return span <= r->bytes && offset <= r->bytes - span;
}

enum displ_virtio_answer displ_virtio_transfer(const struct displ_virtio_resources *rs,
					       struct displ_virtio_resource *r,
					       const struct displ_rect *rect,
					       uint64_t offset)
{
	const struct reading reading = {rs->memory, r, offset};
	const struct displ_rect from = {0, 0, rect->width, rect->height};
	const struct displ_picture picture = {
		.format = r->format,
		.size = {rect->width, rect->height},
		.stride = r->size.width * DISPL_PIXEL,
		.read = read_backing,
		.of = &reading,
	};

	if (!displ_rect_in(rect, r->size))
		return DISPL_VIRTIO_BAD_PARAMETER;
	if (!r->runs)
		return DISPL_VIRTIO_UNSPEC;
	if (!is_backed(r, rect, offset))
		return DISPL_VIRTIO_BAD_PARAMETER;
	if (!r->pixels) {
		displ_canvas_paint(rs->displ, r->canvas, r->size, &picture, &from,
				   rect->x, rect->y);
		return DISPL_VIRTIO_OK;
	}
	for (uint32_t y = 0; y < rect->height; y++)
		read_backing(&reading, (uint64_t)y * picture.stride,
			     r->pixels + (size_t)(rect->y + y) * picture.stride +
				     (size_t)rect->x * DISPL_PIXEL,
			     rect->width * DISPL_PIXEL);
	return DISPL_VIRTIO_OK;
}

struct displ_picture displ_virtio_picture(const struct displ_virtio_resources *rs,
					  const struct displ_virtio_resource *r)
{
	struct displ_picture picture = {
		.format = r->format,
		.size = r->size,
		.stride = r->size.width * DISPL_PIXEL,
		.read = displ_read_private,
		.of = r->pixels,
	};

	if (r->pixels)
		return picture;
	picture.format = DISPL_ARGB8888; /* displ-format.h: as it is */
	picture.stride = rs->displ->conf.scan->stride;
	picture.of = displ_canvas_at(rs->displ, r->canvas, r->size);
	return picture;
}
