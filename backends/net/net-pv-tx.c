/* SPDX-License-Identifier: MIT */
/* Packets on their way from a transmit ring and back: see net-pv.h. */
#include <assert.h>
#include <stddef.h>

#include "backends/net/net-pv.h"
#include "common/shared.h"

#define MOVE(state) (1u << NET_PACKET_##state)

static const uint8_t net_packet_moves[NET_PACKET_STATES] = {
	[NET_PACKET_FREE] = MOVE(TAKEN),
	[NET_PACKET_TAKEN] = MOVE(COPYING) | MOVE(READY) | MOVE(FREE),
	[NET_PACKET_COPYING] = MOVE(BUSY) | MOVE(READY),
	[NET_PACKET_BUSY] = MOVE(READY),
	[NET_PACKET_READY] = MOVE(FREE),
};

static void packet_move(struct net_packet *packet, enum net_packet_state to)
{
	struct net_pv *pv = packet->queue->pv;

	assert(net_packet_moves[packet->state] & (1u << to));
	pv->busy += to == NET_PACKET_BUSY;
	pv->busy -= packet->state == NET_PACKET_BUSY;
	packet->state = to;
}

static struct net_packet *packet_at(struct net_pv_queue *q, uint32_t index)
{
	return &q->packet[index % NET_PV_TX_SLOTS];
}

static void packet_home(struct net_packet *packet, enum netif_rsp status)
{
	packet->status = status;
	packet_move(packet, NET_PACKET_READY);
}

void net_pv_tx_done(struct net_tx *tx, enum net_status status)
{
	static const enum netif_rsp answer[NET_STATUSES] = {
		[NET_SENT] = NETIF_OKAY,
		[NET_MALFORMED] = NETIF_ERROR,
		[NET_DENIED] = NETIF_DROPPED,
		[NET_LOST] = NETIF_DROPPED,
	};
	struct net_packet *packet =
		(struct net_packet *)((char *)tx - offsetof(struct net_packet, tx));

	packet->queue->pv->stats.malformed += status == NET_MALFORMED;
	packet_home(packet, answer[status]);
}

/* -- Off the ring --------------------------------------------------------------------
 */

/* What is no packet. */
static enum netif_rsp packet_order(struct net_pv *pv, const struct netif_packet *wire)
{
	pv->stats.orders++;
	if (wire->order == NETIF_EXTRA_MCAST_ADD)
		net_join(pv->conf.net, wire->mac);
	else
		net_leave(pv->conf.net, wire->mac);
	return NETIF_OKAY;
}

static void packet_take(struct net_pv_queue *q, enum netif_verdict verdict)
{
	struct net_packet *packet = packet_at(q, q->taken++);
	struct net_pv *pv = q->pv;

	packet->wire = q->reader.packet;
	packet->whole = verdict == NETIF_WHOLE;
	packet->paid = (struct toll_paid){0};
	packet->owed = packet->whole ? 0 : packet->wire.entries;
	packet->run.at = NULL;
	pv->stats.packets += packet->whole;
	packet_move(packet, NET_PACKET_TAKEN);
	if (verdict == NETIF_ORDER)
		packet->status = packet_order(pv, &packet->wire);
	if (verdict == NETIF_BAD) {
		packet->status = NETIF_ERROR;
		pv->stats.malformed++;
	}
}

/* There are no more packets than entries of the ring, so all of it can be taken. */
static void queue_take(struct net_pv_queue *q)
{
	uint8_t entry[NETIF_TX_ENTRY];
	enum pv_ring_status status;

	while ((status = pv_ring_take(&q->tx, entry)) == PV_RING_OK) {
		enum netif_verdict verdict = netif_read(&q->reader, entry);

		if (verdict == NETIF_WHOLE && q->reader.packet.size > q->runs.bytes)
			verdict = NETIF_BAD; /* net_room(): it could not leave */
		if (verdict != NETIF_MORE)
			packet_take(q, verdict);
	}
	if (status == PV_RING_BROKEN)
		net_pv_broken(q->pv, "the transmit ring's index is too far ahead");
}

/* -- To the core ---------------------------------------------------------------------
 */

/* Invariant 2. Else when it is worth asking again is in pv->due. */
static bool packet_pay_entries(struct net_packet *packet)
{
	struct net_pv *pv = packet->queue->pv;

	for (; packet->owed; packet->owed--) {
		struct toll_paid one = {0};

		if (!toll_pay(&pv->toll, &one, 0, pv->now, &pv->due))
			return false;
	}
	return true;
}

/* Out of a page that is kept mapped, once and at once, or by a copy of the batch. True:
 * by one. */
static bool fetch_piece(struct net_pv_queue *q, const struct netif_piece *piece,
			uint8_t *to)
{
	const struct grants_map *map = net_pv_static_find(&q->statics, piece->ref);

	if (!map) {
		net_pv_add(q->pv, piece->ref, piece->offset, piece->size, to, false);
		return true;
	}
	shared_copy_in(to, (const uint8_t *)map->addr + piece->offset, piece->size);
	q->pv->stats.direct++;
	return false;
}

static void packet_fetch(struct net_packet *packet)
{
	struct net_pv *pv = packet->queue->pv;
	uint8_t *to = packet->run.at;

	packet->seg = pv->segs;
	packet->segs = 0;
	for (unsigned i = 0; i < packet->wire.pieces; i++) {
		const struct netif_piece *piece = &packet->wire.piece[i];

		packet->segs += fetch_piece(packet->queue, piece, to);
		to += piece->size;
	}
	packet_move(packet, NET_PACKET_COPYING);
}

/* False: it must wait, and so must what is behind it. */
static bool packet_start(struct net_packet *packet, uint32_t copying)
{
	struct net_pv *pv = packet->queue->pv;

	if (!packet->whole) {
		if (!packet_pay_entries(packet))
			return false;
		packet_move(packet, NET_PACKET_READY);
		return true;
	}
	if (pv->busy + copying >= pv->conf.policy->in_flight ||
	    packet->wire.pieces > pv->batch - pv->segs ||
	    !toll_pay(&pv->toll, &packet->paid, packet->wire.size, pv->now, &pv->due) ||
	    !net_runs_take(&packet->queue->runs, &packet->run, packet->wire.size))
		return false;
	packet_fetch(packet);
	return true;
}

static void packet_send(struct net_packet *packet)
{
	static const enum net_gso gso[] = {
		[NETIF_GSO_NONE] = NET_GSO_NONE,
		[NETIF_GSO_TCPV4] = NET_GSO_TCPV4,
		[NETIF_GSO_TCPV6] = NET_GSO_TCPV6,
	};
	struct net_pv_queue *q = packet->queue;

	packet->tx.bytes = packet->run.at;
	packet->tx.size = packet->wire.size;
	packet->tx.find_sum = packet->wire.csum_blank;
	packet->tx.offload = (struct net_offload){
		.gso = gso[packet->wire.gso],
		.gso_size = packet->wire.gso_size,
	};
	packet_move(packet, NET_PACKET_BUSY);
	net_send(q->pv->conf.net, q->index, &packet->tx);
}

/* Invariant 5. */
static void packet_copied(struct net_packet *packet)
{
	struct net_pv *pv = packet->queue->pv;

	if (net_pv_copied(pv, packet->seg, packet->segs)) {
		packet_send(packet);
		return;
	}
	pv->stats.refused++;
	packet_home(packet, NETIF_ERROR);
}

/* As many as a copy has room for. How far it came: > 0; 0; or a negative errno. */
static int queue_start(struct net_pv_queue *q)
{
	uint32_t first = q->started, copying = 0;
	int r;

	for (; q->started != q->taken; q->started++) {
		struct net_packet *packet = packet_at(q, q->started);

		if (!packet_start(packet, copying))
			break;
		copying += packet->state == NET_PACKET_COPYING;
	}
	if (!copying)
		return q->started != first;
	r = net_pv_copy(q->pv);
	if (r < 0)
		return r;
	for (uint32_t i = first; i != q->started; i++) {
		struct net_packet *packet = packet_at(q, i);

		if (packet->state == NET_PACKET_COPYING)
			packet_copied(packet);
	}
	return 1;
}

int net_pv_transmit(struct net_pv_queue *q)
{
	int r;

	queue_take(q);
	if (q->pv->why)
		return 0;
	do {
		net_pv_answer(q); /* which makes room in the area */
		r = queue_start(q);
	} while (r > 0);
	return r;
}

/* -- Back to the ring ----------------------------------------------------------------
 */

/* A bit for each that is no request, bit 0 for the last. */
static uint32_t kinds_of(const struct netif_packet *wire)
{
	uint32_t kinds = 0;

	for (unsigned i = 0; i < wire->entries; i++)
		kinds = kinds << 1 | wire->entry[i].extra;
	return kinds;
}

static void answer_entry(struct net_pv_queue *q, const struct netif_entry *entry,
			 enum netif_rsp status)
{
	uint8_t answer[NETIF_TX_RESPONSE];

	if (entry->extra)
		netif_encode_null(answer);
	else
		netif_encode_tx(entry->id, status, answer);
	pv_ring_put(&q->tx, answer, sizeof(answer));
	q->pv->stats.answers++;
	q->pv->stats.errors += status != NETIF_OKAY;
}

static void packet_answer(struct net_packet *packet)
{
	struct net_pv_queue *q = packet->queue;

	if (packet->wire.entries > 1)
		pv_ring_group(&q->tx, packet->wire.entries, kinds_of(&packet->wire));
	for (unsigned i = 0; i < packet->wire.entries; i++)
		answer_entry(q, &packet->wire.entry[i], packet->status);
	if (packet->run.at)
		net_runs_give(&q->runs, &packet->run);
	packet_move(packet, NET_PACKET_FREE);
}

void net_pv_answer(struct net_pv_queue *q)
{
	for (; q->answered != q->started; q->answered++) {
		struct net_packet *packet = packet_at(q, q->answered);

		if (packet->state != NET_PACKET_READY)
			return;
		packet_answer(packet);
	}
}

void net_pv_forget(struct net_pv_queue *q)
{
	for (; q->answered != q->taken; q->answered++) {
		struct net_packet *packet = packet_at(q, q->answered);

		packet_move(packet, NET_PACKET_FREE);
	}
	q->started = q->taken;
	net_runs_clear(&q->runs);
}

void net_pv_finish_tx(struct net_pv_queue *q)
{
	for (uint32_t left = q->tx.left; left; left--) {
		struct netif_entry entry = {.extra = q->tx.kinds >> (left - 1) & 1};
		uint8_t bytes[NETIF_TX_ENTRY];

		if (pv_ring_take(&q->tx, bytes) != PV_RING_OK)
			return;
		entry.id = netif_tx_id(bytes);
		answer_entry(q, &entry, NETIF_ERROR);
	}
}
