/* SPDX-License-Identifier: MIT */
/* A frame on its way, from the client and to it: see net-virtio.h. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "backends/net/net-virtio.h"
#include "backends/net/net-vnet.h"

_Static_assert(NET_VIRTIO_HEADER == NET_VNET_BYTES + 2, "num_buffers stands behind");

static struct net_virtio *virtio_of(const struct virtio_slot *slot)
{
	return slot->queue->device->conf.owner;
}

static struct net_virtio_pair *pair_of(const struct virtio_slot *slot)
{
	return &virtio_of(slot)->pair[net_virtio_pair(slot->queue)];
}

/* -- From the client ----------------------------------------------------------------
 */

bool net_virtio_admit_frame(struct net_virtio_request *r, uint64_t now)
{
	struct net_virtio *v = virtio_of(r->slot);
	uint64_t size = virtio_parts_readable(&r->slot->parts) - NET_VIRTIO_HEADER;

	r->malformed = size < NET_HEADER || size > NET_VIRTIO_FRAME_MAX;
	if (r->malformed)
		return net_virtio_pay(v, r, 0, now);
	r->size = (uint32_t)size;
	return net_virtio_pay(v, r, r->size, now) &&
	       net_runs_take(&pair_of(r->slot)->runs, &r->run, r->size);
}

/* What was negotiated. Whether it is sound for this frame is the core's to judge
 * (net_offload_check()); what is not known of the flags is to be ignored. */
static bool decode(const uint8_t *bytes, uint64_t features, struct net_offload *out)
{
	static const uint64_t needs[] = {
		[NET_GSO_TCPV4] = NET_VIRTIO_F_HOST_TSO4,
		[NET_GSO_TCPV6] = NET_VIRTIO_F_HOST_TSO6,
		[NET_GSO_UDP] = NET_VIRTIO_F_HOST_USO,
	};
	struct net_vnet_header header;

	memcpy(&header, bytes, sizeof(header));
	if (!net_vnet_read(&header, out) ||
	    (out->sum && !(features & NET_VIRTIO_F_CSUM)))
		return false;
	return out->gso == NET_GSO_NONE || features & needs[out->gso];
}

static void frame_done(struct net_tx *tx, enum net_status status)
{
	struct net_virtio_request *r = (struct net_virtio_request *)tx;

	virtio_of(r->slot)->stats.malformed += status == NET_MALFORMED;
	net_runs_give(&pair_of(r->slot)->runs, &r->run);
	virtio_slot_done(r->slot, 0, 0);
}

/* Invariant 1. */
static void send_frame(struct net_virtio *v, struct net_virtio_request *r)
{
	const struct virtio_parts *parts = &r->slot->parts;
	uint8_t header[NET_VIRTIO_HEADER];

	virtio_parts_read(parts, 0, header, sizeof(header));
	if (!decode(header, v->door.device.features, &r->tx.offload)) {
		frame_done(&r->tx, NET_MALFORMED);
		return;
	}
	virtio_parts_read(parts, sizeof(header), r->run.at, r->size);
	r->tx.bytes = r->run.at;
	r->tx.size = r->size;
	r->tx.find_sum = false;
	r->tx.done = frame_done;
	net_send(v->conf.net, net_virtio_pair(r->slot->queue), &r->tx);
}

void net_virtio_start_frame(struct net_virtio_request *r)
{
	struct net_virtio *v = virtio_of(r->slot);

	v->stats.packets++;
	if (r->slot->failed)
		v->stats.refused++;
	else if (r->malformed)
		v->stats.malformed++;
	if (!r->malformed && !r->slot->failed) {
		send_frame(v, r);
		return;
	}
	if (!r->malformed)
		net_runs_give(&pair_of(r->slot)->runs, &r->run);
	virtio_slot_done(r->slot, 0, 0);
}

/* -- To the client ------------------------------------------------------------------
 */

static void encode(const struct net_virtio *v, const struct net_in *in,
		   uint32_t buffers, uint8_t *out)
{
	bool sums = v->door.device.features & NET_VIRTIO_F_GUEST_CSUM;
	struct net_vnet_header header;

	net_vnet_put(&in->offload, in->validated && sums, &header);
	memcpy(out, &header, sizeof(header));
	virtio_put16(out + sizeof(header), (uint16_t)buffers);
}

static uint32_t least(uint64_t a, uint32_t b)
{
	return a < b ? (uint32_t)a : b;
}

/* Mode = grant: pages of the copy area that the first @bytes of a buffer need. */
static uint32_t pages_of(const struct virtio_slot *slot, uint32_t bytes)
{
	uint64_t at = 0;
	uint32_t n = 0;

	while (at < bytes)
		at += slot->parts.part[n++].iov_len;
	return n;
}

/* The oldest buffers that hold @need bytes. */
struct take {
	uint32_t buffers; /* 0: there are not enough */
	uint32_t pages;
};

static struct take find_buffers(const struct net_virtio *v,
				const struct net_virtio_pair *pair, uint32_t need)
{
	bool merges = v->door.device.features & NET_VIRTIO_F_MRG_RXBUF;
	const struct virtio_slot *slot = pair->rx.first;
	struct take take = {0};

	for (uint32_t n = 1; slot; slot = slot->next, n++) {
		uint32_t bytes = least(virtio_parts_room(&slot->parts), need);

		need -= bytes;
		take.pages += pages_of(slot, bytes);
		if (!need)
			take.buffers = n;
		if (!need || !merges)
			break;
	}
	return take;
}

/* Could there ever be? Invariant 4. */
static bool never_fits(const struct net_virtio *v, const struct net_virtio_pair *pair,
		       const struct take *take)
{
	bool merges = v->door.device.features & NET_VIRTIO_F_MRG_RXBUF;
	const struct virtio_memory *memory = &v->door.memory;
	const struct virtio_queue *q;

	if (!pair->rx.first)
		return false;
	if (!take->buffers && !merges)
		return true;
	q = pair->rx.first->queue;
	if (!take->buffers)
		return pair->rx.n == q->setup.size;
	return !memory->pool && take->pages > memory->pages - memory->reserve;
}

/* All of them may be written now? What they have got by then they keep. */
static bool have_room(const struct net_virtio_pair *pair, uint32_t need)
{
	struct virtio_slot *slot = pair->rx.first;

	for (; need; slot = slot->next) {
		uint32_t bytes = least(virtio_parts_room(&slot->parts), need);

		if (!virtio_slot_room(slot, bytes))
			return false;
		need -= bytes;
	}
	return true;
}

static void write_frame(struct net_virtio *v, struct net_virtio_pair *pair,
			const struct net_in *in, uint32_t buffers)
{
	uint8_t header[NET_VIRTIO_HEADER];
	uint32_t at = 0, skip = sizeof(header);

	encode(v, in, buffers, header);
	for (uint32_t i = 0; i < buffers; i++) {
		struct virtio_slot *slot = virtio_posted_take(&pair->rx);
		uint32_t bytes =
			least(virtio_parts_room(&slot->parts) - skip, in->size - at);

		if (skip)
			virtio_parts_write(&slot->parts, 0, header, skip);
		virtio_parts_write(&slot->parts, skip, in->bytes + at, bytes);
		virtio_slot_done(slot, skip + bytes, 0);
		at += bytes;
		skip = 0;
	}
	assert(at == in->size);
	v->stats.frames++;
	v->stats.buffers += buffers;
}

enum given { GIVEN, NONE_WAITS, NO_BUFFERS, NO_ROOM };

static enum given give_frame(struct net_virtio *v, unsigned i)
{
	struct net_virtio_pair *pair = &v->pair[i];
	const struct net_in *in = net_next(v->conf.net, i);
	struct net_slot *slot;
	struct take take;
	uint32_t need;

	if (!in)
		return NONE_WAITS;
	need = in->size + NET_VIRTIO_HEADER;
	take = find_buffers(v, pair, need);
	if (never_fits(v, pair, &take)) {
		net_drop(v->conf.net, i);
		return GIVEN;
	}
	if (!take.buffers)
		return NO_BUFFERS;
	if (!have_room(pair, need))
		return NO_ROOM;
	slot = net_take(v->conf.net, i);
	write_frame(v, pair, &slot->in, take.buffers);
	net_give(v->conf.net, slot);
	return GIVEN;
}

/* As many as have buffers, from the first on, since nobody has said how many. */
static void guess_pairs(struct net_virtio *v)
{
	unsigned n = 0;

	while (n < v->pairs && v->pair[n].rx.first)
		n++;
	if (n > v->conf.net->spread)
		net_spread(v->conf.net, n);
}

/* The pairs share the policy's rates and the copy area: each is the first in its turn,
 * and one that waits for room stays so, so that what its buffers have got meanwhile is
 * not held for nothing. */
void net_virtio_fill_frames(struct net_virtio *v)
{
	unsigned first = v->first++;

	if (v->guesses)
		guess_pairs(v);
	for (unsigned k = 0; k < v->pairs; k++) {
		unsigned i = (first + k) % v->pairs;
		enum given given;

		do
			given = give_frame(v, i);
		while (given == GIVEN);
		v->pair[i].lacks = given == NO_BUFFERS;
		if (given == NO_ROOM) {
			v->first = i;
			return;
		}
	}
}
