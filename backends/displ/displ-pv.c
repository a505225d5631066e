/* SPDX-License-Identifier: MIT */
/*
 * The device's turn: what is taken, answered and told. What a request does is
 * displ-pv-request.c and displ-pv-buffer.c; what is said in xenstore, and the set-up of
 * rings, displ-pv-connect.c.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "backends/displ/displ-kept.h"
#include "backends/displ/displ-pv.h"
#include "common/clock.h"

static void pv_break(struct displ_pv *pv, const char *why)
{
	if (!pv->why)
		pv->why = why;
}

static void pv_due(struct displ_pv *pv, uint64_t due)
{
	if (due < pv->due)
		pv->due = due;
}

/* -- Events --------------------------------------------------------------- */

static void head_notify(struct displ_pv_head *head, struct evport port)
{
	struct displ_pv *pv = head->pv;
	int r = evtchn_notify(pv->conf.keys.evtchn, port);

	pv->stats.notifies++;
	if (r < 0)
		pv->error = r;
}

/* Nothing is said on a ring beside a broken one. */
static void head_tell(struct displ_pv_head *head)
{
	if (!head->pv->why && pv_events_push(&head->channel.events))
		head_notify(head, head->channel.events_port);
}

void displ_pv_landed(struct displ_pv *pv, uint32_t number, uint64_t now)
{
	struct displ_pv_head *head = &pv->head[number];

	if (!head->flipping)
		return;
	head->flipping = false;
	pv->stats.events++;
	histogram_add(&pv->stats.latency, now - head->flown_at);
	head_tell(head);
}

/* -- Requests ------------------------------------------------------------- */

static bool head_take(struct displ_pv_head *head)
{
	struct displ_pv *pv = head->pv;
	uint8_t entry[DISPLIF_ENTRY];
	enum pv_ring_status status = pv_ring_take(&head->channel.ring, entry);

	if (status == PV_RING_BROKEN)
		pv_break(pv, "its request index passed its requests");
	if (status != PV_RING_OK)
		return false;
	pv->stats.requests++;
	head->step = DISPL_PV_TAKEN;
	head->paid = (struct toll_paid){0};
	head->status = DISPL_OK;
	if (displif_decode(entry, &head->rq) != DISPLIF_GOOD) {
		pv->stats.malformed++;
		head->status = DISPL_UNSUPPORTED;
		log_line(pv->conf.keys.log, LOG_LEVEL_WARNING,
			 "a request was refused: there is no operation %u",
			 head->rq.operation);
	}
	return true;
}

/* Invariant 2. False: it waits. */
static bool head_work(struct displ_pv_head *head)
{
	struct displ_pv *pv = head->pv;
	uint64_t bytes = head->status == DISPL_OK ? displ_pv_bytes(head) : 0;

	if (!toll_pay(&pv->toll, &head->paid, bytes, pv->now, &pv->due))
		return false;
	if (head->status == DISPL_OK)
		head->status = displ_pv_work(head);
	if (head->status == DISPL_LATER) {
		head->status = DISPL_OK;
		pv_due(pv, displ_due(pv->conf.displ));
		return false;
	}
	head->step = DISPL_PV_WORKED;
	return true;
}

static int keep_head(struct displ_pv_head *head)
{
	const uint64_t numbers[] = {head->shows, head->rect.x, head->rect.y,
				    head->rect.width, head->rect.height};
	int r;

	if (head->kept)
		return 0;
	r = displ_keep(&head->pv->conf.keys, "connector", head->number, numbers,
		       head->lit ? sizeof(numbers) / sizeof(numbers[0]) : 0);
	head->kept = !r;
	return r;
}

/* Invariant 6. False: it waits, or our environment failed. */
static bool head_keep(struct displ_pv_head *head)
{
	struct displ_pv *pv = head->pv;
	int r = keep_head(head);

	if (!r)
		r = displ_pv_keep(pv);
	if (r == -EAGAIN)
		pv_due(pv, pv->now + KEYS_AGAIN);
	else if (r)
		pv->error = r;
	return !r;
}

static void head_answer(struct displ_pv_head *head)
{
	struct displ_pv_stats *stats = &head->pv->stats;
	uint8_t answer[DISPLIF_ANSWER];

	displif_encode(&head->rq, head->status, answer);
	pv_ring_put(&head->channel.ring, answer, sizeof(answer));
	stats->answers++;
	stats->errors += head->status != DISPL_OK;
	head->step = DISPL_PV_IDLE;
}

/* Of an attach: nothing new before what was is again. False: not yet. */
static bool head_again(struct displ_pv_head *head)
{
	if (!head->again)
		return true;
	if (displ_pv_again(head) == DISPL_LATER) {
		pv_due(head->pv, displ_due(head->pv->conf.displ));
		return false;
	}
	head->again = false;
	if (!head->flipping)
		head_tell(head);
	return true;
}

/* Invariants 1 and 7. */
static void head_serve(struct displ_pv_head *head)
{
	struct displ_pv *pv = head->pv;

	if (!head_again(head))
		return;
	for (uint32_t i = 0; i < head->channel.ring.entries && !pv->why && !pv->error;
	     i++) {
		if (head->step == DISPL_PV_IDLE && !head_take(head))
			return;
		if (head->step == DISPL_PV_TAKEN && !head_work(head))
			return;
		if (pv->error || !head_keep(head))
			return;
		head_answer(head);
	}
	if (head->step == DISPL_PV_IDLE && pv_ring_pending(&head->channel.ring))
		pv_due(pv, pv->now);
}

/* -- The turn -------------------------------------------------------------- */

static void head_push(struct displ_pv_head *head)
{
	if (head->channel.ring.rsp_prod == head->channel.ring.pushed)
		return;
	head->pv->stats.pushes++;
	if (pv_ring_push(&head->channel.ring))
		head_notify(head, head->channel.port);
}

static void pv_serve(struct displ_pv *pv)
{
	pv->due = UINT64_MAX;
	for (uint32_t i = 0; i < pv->heads && !pv->error && !pv->why; i++) {
		struct displ_pv_head *head = &pv->head[i];

		if (!head->channel.open)
			continue;
		head_serve(head);
		if (!pv->why && !pv->error)
			head_push(head);
	}
}

static void pv_landed(struct displ_pv *pv)
{
	if (displ_flies(pv->conf.displ))
		return;
	pv->state = DISPL_PV_DOWN;
	pv->conf.detached(pv);
}

int displ_pv_turn(struct displ_pv *pv, uint64_t now)
{
	if (pv->error || pv->state == DISPL_PV_DOWN)
		return pv->error;
	pv->now = now;
	if (pv->state == DISPL_PV_STOPPING) {
		pv_landed(pv);
		return pv->error;
	}
	pv_serve(pv);
	if (!pv->error && pv->why && !pv->told) {
		pv->told = true;
		pv->conf.broken(pv, pv->why);
	}
	return pv->error;
}

static bool pv_takes(const struct displ_pv *pv)
{
	return pv->state == DISPL_PV_UP && !pv->why && !pv->error;
}

/* Who waits is woken by what it waits for. */
static bool head_listens(const struct displ_pv_head *head)
{
	return head->channel.open && head->step == DISPL_PV_IDLE && !head->again;
}

bool displ_pv_arm(struct displ_pv *pv)
{
	bool more = false;

	for (uint32_t i = 0; pv_takes(pv) && i < pv->heads; i++) {
		struct displ_pv_head *head = &pv->head[i];

		if (head_listens(head) && pv_ring_final_check(&head->channel.ring))
			more = true;
	}
	return more;
}

bool displ_pv_pending(const struct displ_pv *pv)
{
	for (uint32_t i = 0; pv_takes(pv) && i < pv->heads; i++) {
		const struct displ_pv_head *head = &pv->head[i];

		if (head_listens(head) && pv_ring_pending(&head->channel.ring))
			return true;
	}
	return false;
}

uint64_t displ_pv_due(const struct displ_pv *pv)
{
	return pv->state == DISPL_PV_UP ? pv->due : UINT64_MAX;
}

void displ_pv_detach(struct displ_pv *pv)
{
	int r;

	if (pv->state != DISPL_PV_UP)
		return;
	for (uint32_t i = 0; i < pv->heads; i++)
		displ_dark(pv->conf.displ, i, pv->now);
	pv->state = DISPL_PV_STOPPING;
	r = displ_pv_close(pv);
	if (r < 0)
		pv->error = r;
	else
		pv_landed(pv);
}

void displ_pv_limits(struct displ_pv *pv, uint64_t now)
{
	if (pv->state != DISPL_PV_UP)
		return;
	toll_change(&pv->toll, pv->conf.policy, now);
	pv->due = now;
}

void displ_pv_start(struct displ_pv *pv, uint64_t now)
{
	pv->why = NULL;
	pv->told = false;
	toll_init(&pv->toll, pv->conf.policy, now);
	pv->now = pv->due = now;
	pv->state = DISPL_PV_UP;
}

/* -- Begin and end --------------------------------------------------------- */

/* Maps for as many pages, each buffer having one that is not full.
 * [impl->req~serving-allocates-nothing~1] */
static int init_tables(struct displ_pv *pv)
{
	uint32_t buffers = pv->conf.displ_policy->buffers;
	uint32_t maps = pv->refs_max / GRANTS_BATCH_MAX + 1;

	pv->refs = calloc(pv->refs_max, sizeof(*pv->refs));
	pv->buffer = calloc(buffers, sizeof(*pv->buffer));
	pv->frame = calloc(buffers, sizeof(*pv->frame));
	if (!pv->refs || !pv->buffer || !pv->frame)
		return -ENOMEM;
	for (uint32_t i = 0; i < buffers; i++) {
		pv->buffer[i].map = calloc(maps, sizeof(struct grants_map));
		if (!pv->buffer[i].map)
			return -ENOMEM;
	}
	return 0;
}

static void fini_tables(struct displ_pv *pv)
{
	for (uint32_t i = 0; pv->buffer && i < pv->conf.displ_policy->buffers; i++)
		free(pv->buffer[i].map);
	free(pv->buffer);
	free(pv->frame);
	free(pv->refs);
}

int displ_pv_init(struct displ_pv *pv, const struct displ_pv_conf *conf)
{
	int r;

	*pv = (struct displ_pv){
		.conf = *conf,
		.heads = conf->displ->heads,
		.refs_max = conf->policy->data_pages,
		.due = UINT64_MAX,
	};
	for (uint32_t i = 0; i < pv->heads; i++) {
		pv->head[i].pv = pv;
		pv->head[i].number = i;
	}
	r = init_tables(pv);
	if (r < 0)
		fini_tables(pv);
	return r;
}

void displ_pv_fini(struct displ_pv *pv)
{
	assert(pv->state == DISPL_PV_DOWN || pv->error);
	fini_tables(pv);
	*pv = (struct displ_pv){0};
}
