/* SPDX-License-Identifier: MIT */
/* What one request does: see displ-pv.h. */
#include "backends/displ/displ-pv.h"
#include "backends/door/pv-directory.h"
#include "common/shared.h"

static enum displ_status refused(struct displ_pv_head *head, const char *what,
				 enum displ_status status)
{
	log_line(head->pv->conf.keys.log, LOG_LEVEL_WARNING, "connector %u: %s",
		 head->number, what);
	return status;
}

/* -- Showing --------------------------------------------------------------- */

/* @rect of the frame of @cookie. */
static enum displ_status show(struct displ_pv_head *head, uint64_t cookie,
			      const struct displ_rect *rect, bool flip)
{
	struct displ_pv *pv = head->pv;
	const struct displ_pv_frame *frame = displ_pv_frame(pv, cookie);
	struct displ_picture picture;
	enum displ_status status;

	if (!frame || !displ_rect_in(rect, frame->size))
		return refused(head,
			       "what is to be shown does not lie in a frame buffer",
			       DISPL_INVALID);
	picture = displ_pv_picture(pv, frame);
	status =
		displ_show(pv->conf.displ, head->number, &picture, rect, flip, pv->now);
	if (status == DISPL_DENIED)
		return refused(head, "what is to be shown is larger than the connector",
			       status);
	return status;
}

static enum displ_status work_config(struct displ_pv_head *head)
{
	const struct displif_request *rq = &head->rq;
	const struct displ_pv_frame *frame = displ_pv_frame(head->pv, rq->frame);
	enum displ_status status;

	if (!rq->frame) {
		displ_dark(head->pv->conf.displ, head->number, head->pv->now);
		displ_pv_landed(head->pv, head->number, head->pv->now);
		head->lit = head->kept = false;
		return DISPL_OK;
	}
	if (frame && rq->config.bpp != 8u * displ_format_info(frame->format)->bytes)
		return refused(head,
			       "SET_CONFIG has other pixels than its frame buffer",
			       DISPL_INVALID);
	status = show(head, rq->frame, &rq->config.rect, false);
	if (status != DISPL_OK)
		return status;
	head->lit = true;
	head->kept = false;
	head->rect = rq->config.rect;
	head->shows = rq->frame;
	head->pv->stats.configs++;
	return DISPL_OK;
}

/* Invariant 5; there is room. */
static void put_event(struct displ_pv_head *head, uint64_t frame)
{
	uint8_t event[DISPLIF_ENTRY];

	displif_encode_flip(pv_events_id(&head->channel.events), frame, event);
	pv_events_put(&head->channel.events, event);
}

static enum displ_status flip(struct displ_pv_head *head, uint64_t frame)
{
	enum displ_status status;

	if (!pv_events_room(&head->channel.events))
		return refused(head,
			       "its page of events is full: it does not read them",
			       DISPL_FULL);
	status = show(head, frame, &head->rect, true);
	if (status != DISPL_OK)
		return status;
	put_event(head, frame);
	head->flipping = true;
	head->flown_at = head->pv->now;
	head->shows = frame;
	head->pv->stats.flips++;
	return DISPL_OK;
}

static enum displ_status work_flip(struct displ_pv_head *head)
{
	/* The event before this one is not published yet. */
	if (head->flipping)
		return DISPL_LATER;
	if (!head->lit)
		return refused(head, "PG_FLIP of what was not configured",
			       DISPL_INVALID);
	return flip(head, head->rq.frame);
}

/* A flip that the predecessor had answered and not told of: whatever becomes of it, its
 * client is told. */
static enum displ_status flip_again(struct displ_pv_head *head, uint64_t cookie)
{
	enum displ_status status = flip(head, cookie);

	if (status != DISPL_OK && status != DISPL_LATER &&
	    pv_events_room(&head->channel.events))
		put_event(head, cookie);
	return status;
}

enum displ_status displ_pv_again(struct displ_pv_head *head)
{
	uint64_t cookie;

	if (pv_events_begun64(&head->channel.events, DISPLIF_COOKIE, &cookie))
		return flip_again(head, cookie);
	cookie = pv_events_last64(&head->channel.events, DISPLIF_COOKIE);
	if (!displ_pv_frame(head->pv, cookie))
		cookie = head->shows;
	return show(head, cookie, &head->rect, false);
}

/* -- EDID ------------------------------------------------------------------ */

static enum displ_status answer_edid(struct displ_pv_head *head, uint32_t pages)
{
	const struct displ_edid *edid = &head->pv->conf.edid[head->number];
	struct displ_pv *pv = head->pv;
	struct grants *grants = pv->conf.keys.grants;
	struct grants_map map = {0};
	int r = pv_directory_read(grants, head->rq.edid.directory, pv->refs, pages);

	if (!r)
		r = grants_map(grants, pv->refs, pages, true, &map);
	if (r)
		return displ_pv_mapped(pv, "GET_EDID", r);
	shared_copy_out(map.addr, edid->data, edid->bytes);
	head->rq.edid.bytes = edid->bytes;
	r = grants_unmap(grants, &map);
	return displ_pv_mapped(pv, "GET_EDID", r);
}

static enum displ_status work_edid(struct displ_pv_head *head)
{
	const struct displ_pv *pv = head->pv;
	uint32_t bytes = head->rq.edid.bytes;
	uint32_t pages = (bytes + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES;

	if (!pv->conf.edid[head->number].bytes)
		return DISPL_UNSUPPORTED;
	if (bytes > DISPLIF_EDID_MAX || bytes < pv->conf.edid[head->number].bytes)
		return refused(head, "GET_EDID was refused: its room is too small",
			       DISPL_INVALID);
	if (!(pv->conf.policy->client_pages & POLICY_WRITABLE))
		return refused(head,
			       "GET_EDID was refused: ClientPages has us write none",
			       DISPL_DENIED);
	if (pages > pv->refs_max)
		return DISPL_DENIED;
	return answer_edid(head, pages);
}

/* -- All ------------------------------------------------------------------- */

/* "must be sent over control ring of the connector which has the index value of 0" */
static bool is_of_all(enum displif_op op)
{
	return op == DISPLIF_DBUF_CREATE || op == DISPLIF_DBUF_DESTROY ||
	       op == DISPLIF_FB_ATTACH || op == DISPLIF_FB_DETACH;
}

enum displ_status displ_pv_work(struct displ_pv_head *head)
{
	const struct displif_request *rq = &head->rq;
	struct displ_pv *pv = head->pv;

	if (is_of_all(rq->op) && head->number)
		return refused(head,
			       "a request that belongs on the ring of connector 0",
			       DISPL_INVALID);
	switch (rq->op) {
	case DISPLIF_DBUF_CREATE:
		return displ_pv_create(pv, rq->buffer, &rq->create);
	case DISPLIF_DBUF_DESTROY:
		return displ_pv_destroy(pv, rq->buffer);
	case DISPLIF_FB_ATTACH:
		return displ_pv_attach(pv, rq->frame, rq->buffer, rq->attach.size,
				       rq->attach.fourcc);
	case DISPLIF_FB_DETACH:
		return displ_pv_unattach(pv, rq->frame);
	case DISPLIF_SET_CONFIG:
		return work_config(head);
	case DISPLIF_PG_FLIP:
		return work_flip(head);
	case DISPLIF_GET_EDID:
		return work_edid(head);
	case DISPLIF_OP_END:
		break;
	}
	return DISPL_UNSUPPORTED;
}

uint64_t displ_pv_bytes(const struct displ_pv_head *head)
{
	const struct displif_request *rq = &head->rq;
	const struct displ_rect *rect = &rq->config.rect;
	const struct displ_pv_frame *frame;

	if (rq->op != DISPLIF_SET_CONFIG && rq->op != DISPLIF_PG_FLIP)
		return 0;
	if (rq->op == DISPLIF_PG_FLIP)
		rect = &head->rect;
	frame = displ_pv_frame(head->pv, rq->frame);
	/* More is refused, and no one owes for what was not copied. */
	if (!frame || !displ_rect_in(rect, frame->size))
		return 0;
	return (uint64_t)rect->width * rect->height *
	       displ_format_info(frame->format)->bytes;
}
