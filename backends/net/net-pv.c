/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "backends/net/net-pv.h"
#include "common/clock.h"

/* How long frames that the host has are waited for when the device goes. */
#define DRAIN CLOCK_SECOND

void net_pv_broken(struct net_pv *pv, const char *why)
{
	if (!pv->why)
		pv->why = why;
}

/* -- Copies ------------------------------------------------------------------ */

void net_pv_add(struct net_pv *pv, struct gref ref, uint16_t offset, uint16_t len,
		const uint8_t *local, bool to_client)
{
	assert(pv->segs < pv->batch);
	pv->seg[pv->segs++] = (struct grants_seg){
		.ref = ref,
		.offset = offset,
		.len = len,
		.local = (uint32_t)(local - pv->conf.keys.grants->copy_area),
		.to_client = to_client,
	};
}

int net_pv_copy(struct net_pv *pv)
{
	uint32_t n = pv->segs;
	int r;

	/* All of it lay in pages that are kept mapped. */
	if (!n)
		return 0;
	r = grants_copy(pv->conf.keys.grants, pv->seg, n);
	pv->segs = 0;
	if (r < 0)
		return r;
	pv->stats.copies++;
	pv->stats.segments += n;
	for (uint32_t i = 0; r && i < n; i++)
		pv->seg[i].status = (int8_t)r;
	return 0;
}

bool net_pv_copied(const struct net_pv *pv, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++) {
		if (pv->seg[i].status != GRANTS_OK)
			return false;
	}
	return true;
}

/* -- A turn ------------------------------------------------------------------ */

static int pv_serve_queue(struct net_pv_queue *q)
{
	int r = net_pv_transmit(q);

	return r < 0 || q->pv->why ? r : net_pv_receive(q);
}

static int pv_notify(struct net_pv *pv, struct evport port)
{
	int r = evtchn_notify(pv->conf.keys.evtchn, port);

	pv->stats.notifies++;
	return r < 0 ? r : 0;
}

static int pv_push(struct net_pv_queue *q)
{
	struct net_pv *pv = q->pv;
	uint32_t tx_pushed = q->tx.pushed, rx_pushed = q->rx.pushed;
	bool tx = pv_ring_push(&q->tx), rx = pv_ring_push(&q->rx);
	int r = 0;

	pv->stats.pushes += q->tx.pushed != tx_pushed;
	pv->stats.pushes += q->rx.pushed != rx_pushed;
	if (tx || (rx && !q->split))
		r = pv_notify(pv, q->tx_port);
	if (!r && rx && q->split)
		r = pv_notify(pv, q->rx_port);
	return r;
}

/* Take, give and answer, if it may take. */
static int pv_turn_queue(struct net_pv_queue *q, bool takes)
{
	int r = takes ? pv_serve_queue(q) : 0;

	if (r < 0 || q->pv->why)
		return r;
	net_pv_answer(q);
	return pv_push(q);
}

/* What a queue, or the control ring, has paid for since it was opened; a number to be
 * compared with itself. */
static uint32_t pv_paid(const struct net_pv *pv, unsigned at)
{
	return at < pv->queues ? pv->queue[at].started : pv->control.paid;
}

/* The queues and the control ring share the policy's rates: who has paid is the last in
 * the next turn. Turns alone are no measure, since one may bring about as many as it
 * likes. */
static int pv_serve(struct net_pv *pv)
{
	unsigned n = pv->queues + pv->control.open, first = pv->first;
	bool takes = pv->state == NET_PV_UP;
	int r = 0;

	for (unsigned i = 0; i < n && !r && !pv->why; i++) {
		unsigned at = (first + i) % n;
		uint32_t paid = pv_paid(pv, at);

		if (at < pv->queues)
			r = pv_turn_queue(&pv->queue[at], takes);
		else if (takes)
			r = net_pv_control_serve(pv);
		if (pv->first == first && pv_paid(pv, at) != paid)
			pv->first = at + 1;
	}
	return r;
}

static void pv_wake(struct net_pv *pv, uint64_t when)
{
	if (when < pv->due)
		pv->due = when;
}

/* What is home is answered; what is not stays in the ring, as if it had never been
 * taken (invariant 1). */
static void pv_end(struct net_pv *pv)
{
	int r = net_disconnect(pv->conf.net), closed;

	for (unsigned i = 0; i < pv->queues; i++) {
		if (!pv->why && r >= 0) {
			net_pv_answer(&pv->queue[i]);
			r = pv_push(&pv->queue[i]);
		}
		net_pv_forget(&pv->queue[i]);
		closed = net_pv_close_queue(&pv->queue[i]);
		r = r < 0 ? r : closed;
	}
	closed = net_pv_control_close(pv);
	r = r < 0 ? r : closed;
	pv->state = NET_PV_DOWN;
	pv->due = UINT64_MAX;
	if (r < 0)
		pv->error = r;
	else
		pv->conf.detached(pv);
}

/* Invariant 7: what the host does not give back is our environment's failure. */
static void pv_stop(struct net_pv *pv)
{
	if (!pv->busy)
		pv_end(pv);
	else if (pv->now >= pv->drained)
		pv->error = -ETIMEDOUT;
	else
		pv_wake(pv, pv->drained);
}

int net_pv_turn(struct net_pv *pv, uint64_t now)
{
	if (pv->error || pv->state == NET_PV_DOWN)
		return pv->error;
	pv->now = now;
	pv->due = UINT64_MAX;
	pv->error = pv->why ? 0 : pv_serve(pv);
	if (pv->error)
		return pv->error;
	if (pv->state == NET_PV_STOPPING) {
		pv_stop(pv);
	} else if (pv->why && !pv->told) {
		pv->told = true;
		pv->conf.broken(pv, pv->why);
	}
	return pv->error;
}

static bool pv_takes(const struct net_pv *pv)
{
	return pv->state == NET_PV_UP && !pv->why && !pv->error;
}

bool net_pv_arm(struct net_pv *pv)
{
	bool more;

	if (!pv_takes(pv))
		return false;
	more = net_pv_control_arm(pv);
	for (unsigned i = 0; i < pv->queues; i++) {
		struct net_pv_queue *q = &pv->queue[i];

		more |= pv_ring_final_check(&q->tx);
		if (q->lacks)
			more |= pv_ring_final_check_of(&q->rx, q->lacks);
	}
	return more;
}

bool net_pv_pending(const struct net_pv *pv)
{
	if (!pv_takes(pv))
		return false;
	if (net_pv_control_pending(pv))
		return true;
	for (unsigned i = 0; i < pv->queues; i++) {
		const struct net_pv_queue *q = &pv->queue[i];

		if (pv_ring_pending(&q->tx) ||
		    (q->lacks && pv_ring_pending_of(&q->rx, q->lacks)))
			return true;
	}
	return false;
}

void net_pv_detach(struct net_pv *pv)
{
	if (pv->state != NET_PV_UP)
		return;
	pv->state = NET_PV_STOPPING;
	pv->drained = pv->now + DRAIN;
	pv_wake(pv, pv->drained);
	if (!pv->busy && !pv->error)
		pv_end(pv);
}

uint64_t net_pv_due(const struct net_pv *pv)
{
	return pv->state == NET_PV_DOWN ? UINT64_MAX : pv->due;
}

void net_pv_limits(struct net_pv *pv, uint64_t now)
{
	if (pv->state == NET_PV_DOWN)
		return;
	toll_change(&pv->toll, pv->conf.policy, now);
	pv->due = now;
}

void net_pv_start(struct net_pv *pv, uint64_t now)
{
	assert(!pv->busy);
	pv->why = NULL;
	pv->told = false;
	pv->first = 0;
	toll_init(&pv->toll, pv->conf.policy, now);
	pv->now = pv->due = now;
	pv->state = NET_PV_UP;
}

/* -- Its making -------------------------------------------------------------- */

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Pages of rings that are left for it if each queue is used. */
static uint32_t pv_spare_rings(const struct net_pv *pv)
{
	uint32_t rings = NET_PV_RINGS * pv->max_queues,
		 has = pv->conf.policy->ring_pages;

	return has > rings ? has - rings : 0;
}

/* Beside the control ring, for the pages that each queue may keep mapped. */
static uint32_t pv_statics(const struct net_pv *pv)
{
	uint32_t spare = pv_spare_rings(pv);

	if (pv->conf.policy->mode != POLICY_GRANT || !spare)
		return 0;
	return least((spare - 1) / pv->max_queues, NET_PV_STATICS_MAX);
}

static int pv_init_queue(struct net_pv *pv, unsigned i)
{
	struct net_pv_queue *q = &pv->queue[i];

	q->pv = pv;
	q->index = i;
	q->packet = calloc(NET_PV_TX_SLOTS, sizeof(*q->packet));
	if (!q->packet)
		return -ENOMEM;
	for (uint32_t k = 0; k < NET_PV_TX_SLOTS; k++) {
		q->packet[k].queue = q;
		q->packet[k].tx.done = net_pv_tx_done;
	}
	return net_pv_statics_init(&q->statics, pv_statics(pv));
}

/* A quarter of the copy area is for frames of the client's, the rest for those to it,
 * which need room before it is known how long they are; but for a page of the control
 * ring's, if there is one left. */
static int pv_share_area(struct net_pv *pv)
{
	const struct grants *grants = pv->conf.keys.grants;
	uint32_t queues = pv->max_queues;
	uint64_t pages = grants->copy_bytes / XEN_PAGE_BYTES;
	uint64_t own = pages / 4 / queues, used;
	uint32_t frame = net_room(pv->conf.net_policy) / XEN_PAGE_BYTES;

	if (own < frame)
		own = frame;
	if (pages < queues * (own + frame))
		return -EINVAL;
	for (uint32_t i = 0; i < queues; i++) {
		net_runs_init(&pv->queue[i].runs,
			      grants->copy_area + i * own * XEN_PAGE_BYTES,
			      (uint32_t)(own * XEN_PAGE_BYTES));
	}
	used = queues * own;
	if (pv_spare_rings(pv) && pages - used > (uint64_t)queues * frame)
		pv->control.page = grants->copy_area + used++ * XEN_PAGE_BYTES;
	return net_give_room(pv->conf.net, grants->copy_area + used * XEN_PAGE_BYTES,
			     (pages - used) * XEN_PAGE_BYTES);
}

int net_pv_init(struct net_pv *pv, const struct net_pv_conf *conf)
{
	int r = 0;

	*pv = (struct net_pv){.conf = *conf, .due = UINT64_MAX};
	pv->max_queues = conf->net_policy->queues;
	pv->batch = least(GRANTS_BATCH_MAX, conf->policy->data_pages);
	if (pv->batch < NETIF_SLOTS_MAX)
		return -EINVAL;
	pv->queue = calloc(pv->max_queues, sizeof(*pv->queue));
	if (!pv->queue)
		return -ENOMEM;
	for (unsigned i = 0; i < pv->max_queues && !r; i++)
		r = pv_init_queue(pv, i);
	if (!r)
		r = pv_share_area(pv);
	if (r)
		net_pv_fini(pv);
	return r;
}

void net_pv_fini(struct net_pv *pv)
{
	assert(pv->state == NET_PV_DOWN || pv->error);
	for (unsigned i = 0; pv->queue && i < pv->max_queues; i++) {
		free(pv->queue[i].packet);
		net_pv_statics_fini(&pv->queue[i].statics);
	}
	free(pv->queue);
	*pv = (struct net_pv){0};
}
