/* SPDX-License-Identifier: MIT */
/* Display buffers and frame buffers, by their cookies: see displ-pv.h. */
#include <errno.h>
#include <string.h>

#include "backends/displ/displ-kept.h"
#include "backends/displ/displ-pv.h"
#include "backends/door/pv-directory.h"
#include "common/shared.h"

#define NONE	    UINT32_MAX
#define PIECE_BYTES ((uint64_t)GRANTS_BATCH_MAX * XEN_PAGE_BYTES)

/* Numbers of each that are kept. */
enum { KEPT_BUFFER = 7, KEPT_FRAME = 5, KEPT_COUNTS = 2 };

static uint32_t pages_of(uint32_t bytes)
{
	return bytes / XEN_PAGE_BYTES + (bytes % XEN_PAGE_BYTES != 0);
}

/* -- Finding --------------------------------------------------------------- */

static uint32_t find_buffer(const struct displ_pv *pv, uint64_t cookie)
{
	for (uint32_t i = 0; i < pv->buffers; i++) {
		if (cookie && pv->buffer[i].cookie == cookie)
			return i;
	}
	return NONE;
}

static uint32_t find_frame(const struct displ_pv *pv, uint64_t cookie)
{
	for (uint32_t i = 0; i < pv->frames; i++) {
		if (cookie && pv->frame[i].cookie == cookie)
			return i;
	}
	return NONE;
}

const struct displ_pv_frame *displ_pv_frame(const struct displ_pv *pv, uint64_t cookie)
{
	uint32_t i = find_frame(pv, cookie);

	return i == NONE ? NULL : &pv->frame[i];
}

/* The first that is not used, or NONE: there are as many as the policy lets be. */
static uint32_t free_buffer(const struct displ_pv *pv)
{
	for (uint32_t i = 0; i < pv->conf.displ_policy->buffers; i++) {
		if (!pv->buffer[i].cookie)
			return i;
	}
	return NONE;
}

static uint32_t free_frame(const struct displ_pv *pv)
{
	for (uint32_t i = 0; i < pv->conf.displ_policy->buffers; i++) {
		if (!pv->frame[i].cookie)
			return i;
	}
	return NONE;
}

/* -- Buffers --------------------------------------------------------------- */

enum displ_status displ_pv_mapped(struct displ_pv *pv, const char *what, int status)
{
	const char *why = pv_directory_why(status);

	if (!status)
		return DISPL_OK;
	if (!why) {
		pv->error = status;
		return DISPL_FAILED;
	}
	log_line(pv->conf.keys.log, LOG_LEVEL_WARNING, "%s was refused: %s", what, why);
	return status == GRANTS_REFUSED || status == GRANTS_BUSY ? DISPL_DENIED
								 : DISPL_INVALID;
}

/* Invariant 4: bytes of a row, or 0: its pixels do not lie in it. In 64 bits nothing
 * overflows that is not refused before. [impl->req~pixels-lie-in-their-buffer~1] */
static uint32_t judge_layout(const struct displif_create *c)
{
	uint64_t row = (uint64_t)c->size.width * (c->bpp / 8);

	if ((c->bpp != 16 && c->bpp != 24 && c->bpp != 32) || !row || !c->size.height)
		return 0;
	if (c->offset > c->bytes || row > c->bytes - c->offset)
		return 0;
	if (c->size.height > (c->bytes - c->offset) / row)
		return 0;
	return (uint32_t)row;
}

static int unmap_buffer(struct displ_pv *pv, struct displ_pv_buffer *b)
{
	int r = 0;

	while (b->maps) {
		int this = grants_unmap(pv->conf.keys.grants, &b->map[--b->maps]);

		r = r ? r : this;
	}
	return r;
}

/* pv->refs are its pages. All or nothing; an enum grants_status or a negative errno. */
static int map_buffer(struct displ_pv *pv, struct displ_pv_buffer *b, uint32_t pages)
{
	int r = 0, undone;

	for (uint32_t at = 0; !r && at < pages; at += GRANTS_BATCH_MAX) {
		uint32_t n = pages - at;

		if (n > GRANTS_BATCH_MAX)
			n = GRANTS_BATCH_MAX;
		r = grants_map(pv->conf.keys.grants, pv->refs + at, n, false,
			       &b->map[b->maps]);
		if (!r)
			b->maps++;
	}
	if (!r)
		return 0;
	undone = unmap_buffer(pv, b);
	return undone < 0 ? undone : r;
}

static enum displ_status refuse(struct displ_pv *pv, const char *why,
				enum displ_status status)
{
	log_line(pv->conf.keys.log, LOG_LEVEL_WARNING, "%s", why);
	return status;
}

static enum displ_status create(struct displ_pv *pv, struct displ_pv_buffer *b,
				uint64_t cookie, const struct displif_create *c)
{
	uint32_t pages = pages_of(c->bytes), stride = judge_layout(c);
	int r;

	if (c->flags & DISPLIF_ALLOC)
		return refuse(pv,
			      "a buffer of our memory was asked for: be-alloc is not "
			      "offered",
			      DISPL_UNSUPPORTED);
	if (c->flags || !stride)
		return refuse(pv, "DBUF_CREATE was refused: it contradicts itself",
			      DISPL_INVALID);
	if (pages > pv->refs_max)
		return refuse(pv, "DBUF_CREATE was refused: it is more than DataPages",
			      DISPL_DENIED);
	r = pv_directory_read(pv->conf.keys.grants, c->directory, pv->refs, pages);
	if (!r)
		r = map_buffer(pv, b, pages);
	if (r)
		return displ_pv_mapped(pv, "DBUF_CREATE", r);
	b->cookie = cookie;
	b->made = *c;
	b->stride = stride;
	return DISPL_OK;
}

enum displ_status displ_pv_create(struct displ_pv *pv, uint64_t cookie,
				  const struct displif_create *c)
{
	uint32_t i = free_buffer(pv);
	enum displ_status status;

	if (!cookie || find_buffer(pv, cookie) != NONE)
		return refuse(pv, "DBUF_CREATE was refused: its cookie is 0, or in use",
			      DISPL_INVALID);
	if (i == NONE)
		return refuse(pv, "DBUF_CREATE was refused: there are Buffers already",
			      DISPL_FULL);
	status = create(pv, &pv->buffer[i], cookie, c);
	if (status != DISPL_OK)
		return status;
	pv->buffer[i].kept = false;
	if (i >= pv->buffers) {
		pv->buffers = i + 1;
		pv->counts_kept = false;
	}
	pv->stats.buffers++;
	return DISPL_OK;
}

static void drop_frame(struct displ_pv_frame *frame)
{
	frame->cookie = 0;
	frame->kept = false;
}

static int drop_buffer(struct displ_pv *pv, uint32_t i)
{
	for (uint32_t k = 0; k < pv->frames; k++) {
		if (pv->frame[k].cookie && pv->frame[k].buffer == i)
			drop_frame(&pv->frame[k]);
	}
	pv->buffer[i].cookie = 0;
	pv->buffer[i].kept = false;
	return unmap_buffer(pv, &pv->buffer[i]);
}

enum displ_status displ_pv_destroy(struct displ_pv *pv, uint64_t cookie)
{
	uint32_t i = find_buffer(pv, cookie);
	int r;

	if (i == NONE)
		return DISPL_INVALID;
	r = drop_buffer(pv, i);
	if (r < 0)
		pv->error = r;
	return r < 0 ? DISPL_FAILED : DISPL_OK;
}

/* -- Frames ---------------------------------------------------------------- */

/* Offsets of rows are those of the buffer. */
static enum displ_status judge_frame(const struct displ_pv *pv,
				     const struct displ_pv_frame *frame)
{
	const struct displ_pv_buffer *b = &pv->buffer[frame->buffer];
	struct displ_picture picture = displ_pv_picture(pv, frame);

	if (frame->size.width > b->made.size.width ||
	    frame->size.height > b->made.size.height ||
	    displ_format_info(frame->format)->bytes != b->made.bpp / 8)
		return DISPL_INVALID;
	return displ_judge(pv->conf.displ, &picture);
}

enum displ_status displ_pv_attach(struct displ_pv *pv, uint64_t cookie, uint64_t buffer,
				  struct displ_size size, uint32_t fourcc)
{
	struct displ_pv_frame frame = {cookie, find_buffer(pv, buffer), size, 0, false};
	uint32_t i = free_frame(pv);
	enum displ_status status;

	if (!cookie || find_frame(pv, cookie) != NONE || frame.buffer == NONE)
		return refuse(
			pv,
			"FB_ATTACH was refused: its cookie is 0 or in use, or its "
			"buffer's is none",
			DISPL_INVALID);
	if (!displ_format_of(fourcc, &frame.format))
		return refuse(pv, "FB_ATTACH was refused: nobody has its pixel format",
			      DISPL_UNSUPPORTED);
	if (i == NONE)
		return refuse(pv, "FB_ATTACH was refused: there are Buffers already",
			      DISPL_FULL);
	status = judge_frame(pv, &frame);
	if (status != DISPL_OK)
		return refuse(pv,
			      status == DISPL_DENIED
				      ? "FB_ATTACH was refused: its format is not one "
					"of Formats"
				      : "FB_ATTACH was refused: it does not lie in its "
					"buffer",
			      status);
	pv->frame[i] = frame;
	if (i >= pv->frames) {
		pv->frames = i + 1;
		pv->counts_kept = false;
	}
	pv->stats.frames++;
	return DISPL_OK;
}

enum displ_status displ_pv_unattach(struct displ_pv *pv, uint64_t cookie)
{
	uint32_t i = find_frame(pv, cookie);

	if (i == NONE)
		return DISPL_INVALID;
	drop_frame(&pv->frame[i]);
	return DISPL_OK;
}

/* -- Pixels ---------------------------------------------------------------- */

/* Invariant 4 has them be there. A row may lie in two maps. */
static void read_buffer(const void *of, uint64_t at, void *dst, uint32_t n)
{
	const struct displ_pv_buffer *b = of;
	uint8_t *to = dst;

	for (at += b->made.offset; n;) {
		uint32_t within = (uint32_t)(at % PIECE_BYTES);
		uint32_t some = (uint32_t)PIECE_BYTES - within;
		const uint8_t *piece = b->map[at / PIECE_BYTES].addr;

		if (some > n)
			some = n;
		shared_copy_in(to, piece + within, some);
		to += some;
		at += some;
		n -= some;
	}
}

struct displ_picture displ_pv_picture(const struct displ_pv *pv,
				      const struct displ_pv_frame *frame)
{
	const struct displ_pv_buffer *b = &pv->buffer[frame->buffer];

	return (struct displ_picture){frame->format, frame->size, b->stride,
				      read_buffer, b};
}

int displ_pv_forget(struct displ_pv *pv)
{
	int r = 0;

	for (uint32_t i = 0; i < pv->buffers; i++) {
		int this = drop_buffer(pv, i);

		r = r ? r : this;
	}
	pv->buffers = pv->frames = 0;
	pv->counts_kept = false;
	return r;
}

/* -- What is kept ---------------------------------------------------------- */

static int keep_buffer(const struct displ_pv *pv, uint32_t i)
{
	const struct displ_pv_buffer *b = &pv->buffer[i];
	const struct displif_create *c = &b->made;
	const uint64_t numbers[KEPT_BUFFER] = {
		b->cookie, c->size.width, c->size.height, c->bpp,
		c->bytes,  c->offset,	  c->directory.v};

	return displ_keep(&pv->conf.keys, "buffer", i, numbers,
			  b->cookie ? KEPT_BUFFER : 0);
}

static int keep_frame(const struct displ_pv *pv, uint32_t i)
{
	const struct displ_pv_frame *f = &pv->frame[i];
	const uint64_t numbers[KEPT_FRAME] = {f->cookie, pv->buffer[f->buffer].cookie,
					      f->size.width, f->size.height,
					      displ_format_info(f->format)->fourcc};

	return displ_keep(&pv->conf.keys, "frame", i, numbers,
			  f->cookie ? KEPT_FRAME : 0);
}

/* Counts come last: of a connection before this one there is nothing then. */
int displ_pv_keep(struct displ_pv *pv)
{
	const uint64_t counts[KEPT_COUNTS] = {pv->buffers, pv->frames};
	int r = 0;

	for (uint32_t i = 0; !r && i < pv->frames; i++) {
		r = pv->frame[i].kept ? 0 : keep_frame(pv, i);
		pv->frame[i].kept = !r;
	}
	for (uint32_t i = 0; !r && i < pv->buffers; i++) {
		r = pv->buffer[i].kept ? 0 : keep_buffer(pv, i);
		pv->buffer[i].kept = !r;
	}
	if (!r && !pv->counts_kept) {
		r = displ_keep(&pv->conf.keys, "counts", 0, counts, KEPT_COUNTS);
		pv->counts_kept = !r;
	}
	return r;
}

static int recall_buffers(struct displ_pv *pv, uint32_t n)
{
	uint64_t v[KEPT_BUFFER];

	for (uint32_t i = 0; i < n; i++) {
		int r = displ_kept_read(&pv->conf.keys, "buffer", i, KEPT_BUFFER, v);

		if (r < 0)
			return r;
		if (!r)
			continue;
		displ_pv_create(pv, v[0],
				&(struct displif_create){
					.size = {(uint32_t)v[1], (uint32_t)v[2]},
					.bpp = (uint32_t)v[3],
					.bytes = (uint32_t)v[4],
					.offset = (uint32_t)v[5],
					.directory = {(uint32_t)v[6]},
				});
		if (pv->error)
			return pv->error;
	}
	return 0;
}

static int recall_frames(struct displ_pv *pv, uint32_t n)
{
	uint64_t v[KEPT_FRAME];

	for (uint32_t i = 0; i < n; i++) {
		int r = displ_kept_read(&pv->conf.keys, "frame", i, KEPT_FRAME, v);

		if (r < 0)
			return r;
		if (r)
			displ_pv_attach(
				pv, v[0], v[1],
				(struct displ_size){(uint32_t)v[2], (uint32_t)v[3]},
				(uint32_t)v[4]);
	}
	return 0;
}

int displ_pv_recall(struct displ_pv *pv)
{
	const uint32_t most = pv->conf.displ_policy->buffers;
	uint64_t counts[KEPT_COUNTS];
	int r = displ_kept_read(&pv->conf.keys, "counts", 0, KEPT_COUNTS, counts);

	if (r <= 0)
		return r;
	for (unsigned i = 0; i < KEPT_COUNTS; i++)
		counts[i] = counts[i] < most ? counts[i] : most;
	r = recall_buffers(pv, (uint32_t)counts[0]);
	if (!r)
		r = recall_frames(pv, (uint32_t)counts[1]);
	return r;
}
