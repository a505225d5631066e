/* SPDX-License-Identifier: MIT */
/* What heads show of resources: see displ-virtio.h. */
#include "backends/displ/displ-virtio.h"

/* Of a command that must be asked for again; no answer of the wire. */
#define LATER ((enum displ_virtio_answer)0)

static const struct displ_virtio_resource *shown_by(const struct displ_virtio *v,
						    uint32_t head)
{
	uint32_t place = v->scanout[head].place;

	return place == DISPL_VIRTIO_NONE ? NULL : &v->resources.place[place];
}

static uint32_t place_of(const struct displ_virtio *v,
			 const struct displ_virtio_resource *r)
{
	return (uint32_t)(r - v->resources.place);
}

/* Its canvas is shown as it is; else it is copied. */
static bool is_whole(const struct displ_virtio_resource *r,
		     const struct displ_rect *rect)
{
	return !r->pixels && rect->width == r->size.width &&
	       rect->height == r->size.height;
}

uint64_t displ_virtio_copies(const struct displ_virtio *v,
			     const struct displ_virtio_resource *r,
			     const struct displ_rect *rect)
{
	(void)v;
	return is_whole(r, rect) ? 0
				 : (uint64_t)rect->width * rect->height * DISPL_PIXEL;
}

static enum displ_virtio_answer show(struct displ_virtio *v, uint32_t head,
				     const struct displ_virtio_resource *r,
				     const struct displ_rect *rect, bool flip)
{
	struct displ_picture picture;
	enum displ_status status;

	if (is_whole(r, rect)) {
		status =
			displ_show_canvas(v->conf.displ, head, r->canvas, flip, v->now);
	} else {
		/* No pointer of a head that shows all of it. */
		displ_virtio_cursors_lift(&v->cursors, r->canvas);
		picture = displ_virtio_picture(&v->resources, r);
		status = displ_show(v->conf.displ, head, &picture, rect, flip, v->now);
	}
	v->stats.flips += status == DISPL_OK;
	switch (status) {
	case DISPL_OK:
		return DISPL_VIRTIO_OK;
	case DISPL_LATER:
		displ_virtio_lower_due(v, displ_due(v->conf.displ));
		return LATER;
	case DISPL_FAILED:
		return DISPL_VIRTIO_UNSPEC;
	case DISPL_INVALID:
	case DISPL_UNSUPPORTED:
	case DISPL_DENIED:
	case DISPL_FULL:
	case DISPL_STATUSES:
		break;
	}
	return DISPL_VIRTIO_BAD_PARAMETER;
}

/* -- Going dark ------------------------------------------------------------ */

void displ_virtio_darken(struct displ_virtio *v, uint32_t head)
{
	struct displ_virtio_scanout *s = &v->scanout[head];

	displ_dark(v->conf.displ, head, v->now);
	s->landings++;
	s->kept = s->kept && s->place == DISPL_VIRTIO_NONE;
	s->place = DISPL_VIRTIO_NONE;
	s->again = false;
	displ_virtio_answer_fenced(v, false);
}

void displ_virtio_unshow(struct displ_virtio *v, uint32_t place)
{
	for (uint32_t i = 0; i < v->heads; i++) {
		if (v->scanout[i].place == place)
			displ_virtio_darken(v, i);
	}
}

/* -- SET_SCANOUT ----------------------------------------------------------- */

/* May it be shown so? */
static bool fits(const struct displ_virtio *v, uint32_t head,
		 const struct displ_virtio_resource *r, const struct displ_rect *rect)
{
	const struct displ *d = v->conf.displ;
	const struct displ_rect at = {0, 0, rect->width, rect->height};

	return displ_rect_in(rect, r->size) &&
	       displ_rect_in(&at, d->conf.scan->head[head]) &&
	       v->conf.displ_policy->formats & 1u << r->format;
}

/* A page flip is one of these, too, for a driver of Linux: so it is one of Flips, if
 * its head is not dark. */
enum displ_virtio_answer displ_virtio_set(struct displ_virtio *v,
					  const struct displ_virtio_command *c)
{
	const struct displ_virtio_resource *r;
	struct displ_virtio_scanout *s;
	enum displ_virtio_answer answer;

	if (c->scanout >= v->heads)
		return DISPL_VIRTIO_BAD_SCANOUT;
	s = &v->scanout[c->scanout];
	if (!c->resource) {
		displ_virtio_darken(v, c->scanout);
		return DISPL_VIRTIO_OK;
	}
	r = displ_virtio_resource(&v->resources, c->resource);
	if (!r)
		return DISPL_VIRTIO_BAD_RESOURCE;
	if (!fits(v, c->scanout, r, &c->rect))
		return DISPL_VIRTIO_BAD_PARAMETER;
	answer = show(v, c->scanout, r, &c->rect, s->place != DISPL_VIRTIO_NONE);
	if (answer != DISPL_VIRTIO_OK)
		return answer;
	s->place = place_of(v, r);
	s->rect = c->rect;
	s->kept = false;
	v->stats.configs++;
	return DISPL_VIRTIO_OK;
}

/* -- FLUSH ----------------------------------------------------------------- */

static bool meet(const struct displ_rect *a, const struct displ_rect *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width &&
	       a->y < b->y + b->height && b->y < a->y + a->height;
}

/* What it is to show is on its way: a canvas is seen as it is when it lands. */
static bool flies_already(const struct displ_virtio *v, uint32_t head,
			  const struct displ_virtio_resource *r)
{
	return is_whole(r, &v->scanout[head].rect) &&
	       v->conf.displ->head[head].flying == r->canvas;
}

static enum displ_virtio_answer flush_head(struct displ_virtio *v,
					   struct displ_virtio_request *rq,
					   const struct displ_virtio_resource *r,
					   uint32_t head)
{
	struct displ_virtio_scanout *s = &v->scanout[head];
	enum displ_virtio_answer answer = DISPL_VIRTIO_OK;

	if (shown_by(v, head) != r || rq->flown >> head & 1 ||
	    !meet(&rq->command.rect, &s->rect))
		return DISPL_VIRTIO_OK;
	if (!flies_already(v, head, r))
		answer = show(v, head, r, &s->rect, true);
	if (answer != DISPL_VIRTIO_OK)
		return answer;
	rq->flown |= 1u << head;
	rq->until[head] = s->landings + 1;
	return DISPL_VIRTIO_OK;
}

enum displ_virtio_answer displ_virtio_flush(struct displ_virtio *v,
					    struct displ_virtio_request *rq)
{
	const struct displ_virtio_resource *r =
		displ_virtio_resource(&v->resources, rq->command.resource);
	enum displ_virtio_answer answer = DISPL_VIRTIO_OK;

	if (!r)
		return DISPL_VIRTIO_BAD_RESOURCE;
	if (!displ_rect_in(&rq->command.rect, r->size))
		return DISPL_VIRTIO_BAD_PARAMETER;
	for (uint32_t i = 0; i < v->heads; i++) {
		enum displ_virtio_answer of = flush_head(v, rq, r, i);

		if (of == LATER || (answer != LATER && of != DISPL_VIRTIO_OK))
			answer = of;
	}
	return answer;
}

bool displ_virtio_is_seen(const struct displ_virtio *v,
			  const struct displ_virtio_request *r)
{
	for (uint32_t i = 0; i < v->heads; i++) {
		if (r->flown >> i & 1 && v->scanout[i].landings < r->until[i])
			return false;
	}
	return true;
}

/* Each once: who still waits is behind those that were there. */
void displ_virtio_answer_fenced(struct displ_virtio *v, bool all)
{
	for (uint32_t n = v->fenced.n; n; n--) {
		struct virtio_slot *slot = virtio_posted_take(&v->fenced);

		if (all || displ_virtio_is_seen(v, slot->request))
			displ_virtio_finish(slot->request);
		else
			virtio_posted_put(&v->fenced, slot);
	}
}

void displ_virtio_landed(struct displ_virtio *v, uint32_t head, uint64_t now)
{
	v->now = now;
	v->scanout[head].landings++;
	displ_virtio_answer_fenced(v, false);
}

/* -- After a predecessor ------------------------------------------------------ */

void displ_virtio_set_again(struct displ_virtio *v, uint32_t head, uint32_t resource,
			    const struct displ_rect *rect)
{
	struct displ_virtio_scanout *s = &v->scanout[head];
	const struct displ_virtio_resource *r =
		displ_virtio_resource(&v->resources, resource);

	s->kept = true;
	if (!r || !fits(v, head, r, rect))
		return;
	s->place = place_of(v, r);
	s->rect = *rect;
	s->again = true;
}

bool displ_virtio_again(struct displ_virtio *v)
{
	bool all = true;

	for (uint32_t i = 0; i < v->heads; i++) {
		struct displ_virtio_scanout *s = &v->scanout[i];

		if (!s->again)
			continue;
		/* A card that fails is the client's affair: it asks for more. */
		s->again = show(v, i, shown_by(v, i), &s->rect, false) == LATER;
		all = all && !s->again;
	}
	return all;
}
