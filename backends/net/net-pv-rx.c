/* SPDX-License-Identifier: MIT */
/* Frames on their way into the slots that a client posted: see net-pv.h. */
#include <assert.h>

#include "backends/net/net-pv.h"
#include "common/shared.h"

static uint32_t pieces_of(const struct net_in *in)
{
	return (in->size + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES;
}

/* The order to cut, and the hash: each has a slot of its own. */
static unsigned extras_of(const struct net_in *in)
{
	return (in->offload.gso != NET_GSO_NONE) + in->hash.is_there;
}

static uint32_t slots_of(const struct net_in *in)
{
	return pieces_of(in) + extras_of(in);
}

/* They stand behind the first. */
static bool is_extra(const struct net_in *in, unsigned slot)
{
	return slot && slot <= extras_of(in);
}

static uint32_t piece_size(const struct net_in *in, uint32_t piece)
{
	uint32_t left = in->size - piece * XEN_PAGE_BYTES;

	return left < XEN_PAGE_BYTES ? left : XEN_PAGE_BYTES;
}

/* -- To the client -------------------------------------------------------------------
 */

/* Into a page that is kept mapped, at once, or by a copy of the batch. True: by one. */
static bool give_piece(struct net_pv_queue *q, struct gref ref, const uint8_t *from,
		       uint32_t size)
{
	const struct grants_map *map = net_pv_static_find(&q->statics, ref);

	if (!map || !map->writable) {
		net_pv_add(q->pv, ref, 0, (uint16_t)size, from, true);
		return true;
	}
	shared_copy_out(map->addr, from, size);
	q->pv->stats.direct++;
	return false;
}

/* The slots are there: it was looked. */
static void given_take(struct net_pv_queue *q, struct net_given *given)
{
	struct net_pv *pv = q->pv;
	const struct net_in *in;
	uint32_t piece = 0;

	given->slot = net_take(pv->conf.net, q->index);
	in = &given->slot->in;
	given->slots = slots_of(in);
	given->seg = pv->segs;
	given->segs = 0;
	for (unsigned i = 0; i < given->slots; i++) {
		uint8_t entry[NETIF_RX_ENTRY];
		enum pv_ring_status status = pv_ring_take(&q->rx, entry);
		struct gref ref;

		assert(status == PV_RING_OK);
		netif_decode_rx(entry, &given->id[i], &ref);
		if (is_extra(in, i))
			continue;
		given->segs +=
			give_piece(q, ref, in->bytes + (size_t)piece * XEN_PAGE_BYTES,
				   piece_size(in, piece));
		piece++;
	}
}

/* Room in the batch, and slots of the client's for it? */
static bool queue_may_give(struct net_pv_queue *q, const struct net_in *in)
{
	struct net_pv *pv = q->pv;
	uint32_t posted;

	if (pieces_of(in) > pv->batch - pv->segs)
		return false;
	if (pv_ring_posted(&q->rx, &posted) == PV_RING_BROKEN) {
		net_pv_broken(pv, "the receive ring's index is too far ahead");
		return false;
	}
	if (posted >= slots_of(in))
		return true;
	q->lacks = slots_of(in);
	return false;
}

/* -- Their answers -------------------------------------------------------------------
 */

static uint16_t first_flags(const struct net_in *in)
{
	uint16_t flags = 0;

	if (in->offload.sum)
		flags |= NETIF_RX_CSUM_BLANK | NETIF_RX_DATA_VALIDATED;
	else if (in->validated)
		flags |= NETIF_RX_DATA_VALIDATED;
	if (extras_of(in))
		flags |= NETIF_RX_EXTRA_INFO;
	return flags;
}

static void answer_slot(const struct net_in *in, uint16_t id, uint32_t piece,
			uint8_t *out)
{
	uint16_t flags = piece ? 0 : first_flags(in);

	if (piece + 1 < pieces_of(in))
		flags |= NETIF_RX_MORE_DATA;
	netif_encode_rx(id, 0, flags, (int16_t)piece_size(in, piece), out);
}

/* The order to cut stands before the hash. */
static void answer_extra(const struct net_in *in, unsigned slot, uint8_t *out)
{
	bool cut = in->offload.gso != NET_GSO_NONE && slot == 1;

	if (!cut)
		netif_encode_hash(in->hash.type, NETIF_HASH_TOEPLITZ, in->hash.value,
				  out);
	else
		netif_encode_gso(in->offload.gso == NET_GSO_TCPV4 ? NETIF_GSO_TCPV4
								  : NETIF_GSO_TCPV6,
				 in->offload.gso_size, in->hash.is_there, out);
}

/* A bit for each slot that holds an extra, bit 0 for the last. */
static uint32_t kinds_of(const struct net_in *in)
{
	unsigned extras = extras_of(in);

	return ((1u << extras) - 1) << (slots_of(in) - 1 - extras);
}

static void given_answer(struct net_pv_queue *q, const struct net_given *given)
{
	const struct net_in *in = &given->slot->in;
	bool good = net_pv_copied(q->pv, given->seg, given->segs);
	uint32_t piece = 0;

	if (given->slots > 1)
		pv_ring_group(&q->rx, given->slots, good ? kinds_of(in) : 0);
	for (unsigned i = 0; i < given->slots; i++) {
		uint8_t answer[NETIF_RX_ENTRY];

		if (!good)
			netif_encode_rx(given->id[i], 0, 0, NETIF_ERROR, answer);
		else if (is_extra(in, i))
			answer_extra(in, i, answer);
		else
			answer_slot(in, given->id[i], piece++, answer);
		pv_ring_put(&q->rx, answer, sizeof(answer));
	}
	q->pv->stats.frames += good;
	q->pv->stats.refused += !good;
}

/* As many as a copy has room for. > 0: there may be more; 0; or a negative errno. */
static int queue_give(struct net_pv_queue *q)
{
	struct net_pv *pv = q->pv;
	const struct net_in *in;
	unsigned n = 0;
	int r;

	while (n < NET_PV_GIVEN && (in = net_next(pv->conf.net, q->index)) &&
	       queue_may_give(q, in))
		given_take(q, &pv->given[n++]);
	if (!n)
		return 0;
	r = net_pv_copy(pv);
	for (unsigned i = 0; i < n; i++) {
		if (r >= 0)
			given_answer(q, &pv->given[i]);
		net_give(pv->conf.net, pv->given[i].slot);
	}
	return r < 0 ? r : 1;
}

int net_pv_receive(struct net_pv_queue *q)
{
	int r;

	q->lacks = 0;
	do
		r = queue_give(q);
	while (r > 0 && !q->lacks && !q->pv->why);
	return r < 0 ? r : 0;
}

void net_pv_finish_rx(struct net_pv_queue *q)
{
	for (uint32_t left = q->rx.left; left; left--) {
		uint8_t entry[NETIF_RX_ENTRY], answer[NETIF_RX_ENTRY] = {0};
		struct gref ref;
		uint16_t id;

		if (pv_ring_take(&q->rx, entry) != PV_RING_OK)
			return;
		netif_decode_rx(entry, &id, &ref);
		/* In place of an extra that was announced, one that there is none of;
		 * what comes behind one of these announces none. */
		if (left != q->rx.left || !(q->rx.kinds >> (left - 1) & 1))
			netif_encode_rx(id, 0, 0, NETIF_ERROR, answer);
		pv_ring_put(&q->rx, answer, sizeof(answer));
	}
}
