/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "backends/net/net-link-ring.h"
#include "common/shared.h"

#define RING_MASK (NET_RING_BYTES - 1)

_Static_assert(sizeof(struct net_ring_head) == NET_RING_ALIGN, "a head never wraps");
_Static_assert(sizeof(struct net_ring_control) <= NET_RING_CONTROL, "before the bytes");

static struct net_ring_control *control(uint8_t *area)
{
	return (struct net_ring_control *)(void *)area;
}

static uint32_t entry_bytes(uint32_t size)
{
	return (uint32_t)sizeof(struct net_ring_head) +
	       ((size + NET_RING_ALIGN - 1) & ~(NET_RING_ALIGN - 1u));
}

/* Can both be, of one ring? */
static bool sound(uint32_t put, uint32_t taken)
{
	return put - taken <= NET_RING_BYTES &&
	       !((put | taken) & (NET_RING_ALIGN - 1u));
}

static uint32_t aligned(uint32_t index)
{
	return index & ~(NET_RING_ALIGN - 1u);
}

/* Bytes from @index on that do not wrap, @n at most. */
static uint32_t straight(uint32_t index, uint32_t n)
{
	uint32_t left = NET_RING_BYTES - (index & RING_MASK);

	return n < left ? n : left;
}

static uint8_t *bytes_at(uint8_t *area, uint32_t index)
{
	return area + NET_RING_CONTROL + (index & RING_MASK);
}

/* -- Who puts ---------------------------------------------------------------- */

void net_ring_out_begin(struct net_ring_out *ring, void *area)
{
	uint32_t put = shared_load32(&control(area)->put);
	uint32_t taken = shared_load32_acquire(&control(area)->taken);

	if (!sound(put, taken))
		put = taken = aligned(taken);
	*ring = (struct net_ring_out){area, put, taken, put};
	shared_store32_release(&control(area)->put, put);
}

bool net_ring_out_room(struct net_ring_out *ring, uint32_t size)
{
	uint32_t taken;

	if (size > NET_RING_FRAME_MAX)
		return false;
	if (NET_RING_BYTES - (ring->put - ring->taken) >= entry_bytes(size))
		return true;
	/* Before what is written over it, which the other has read by then; pairs with
	 * net_ring_in_publish(). */
	taken = shared_load32_acquire(&control(ring->area)->taken);
	if (!sound(ring->put, taken))
		return false;
	ring->taken = taken;
	return NET_RING_BYTES - (ring->put - taken) >= entry_bytes(size);
}

void net_ring_out_write(struct net_ring_out *ring, uint32_t at, const uint8_t *bytes,
			uint32_t n)
{
	uint32_t index = ring->put + (uint32_t)sizeof(struct net_ring_head) + at;
	uint32_t first = straight(index, n);

	if (!n)
		return;
	shared_copy_out(bytes_at(ring->area, index), bytes, first);
	if (n > first)
		shared_copy_out(bytes_at(ring->area, index + first), bytes + first,
				n - first);
}

void net_ring_out_push(struct net_ring_out *ring, const struct net_ring_head *head)
{
	assert(head->size <= NET_RING_FRAME_MAX);
	shared_copy_out(bytes_at(ring->area, ring->put), head, sizeof(*head));
	ring->put += entry_bytes(head->size);
	/* After all of the frame (invariant 4); pairs with net_ring_in_look(). */
	shared_store32_release(&control(ring->area)->put, ring->put);
}

bool net_ring_out_wakes(struct net_ring_out *ring)
{
	uint32_t wake, since = ring->put - ring->told;

	/* What was put before what the other waits for; pairs with net_ring_in_wait().
	 */
	shared_full_barrier();
	wake = shared_load32(&control(ring->area)->wake);
	ring->told = ring->put;
	return ring->put - wake - 1 < since;
}

bool net_ring_out_heal(struct net_ring_out *ring)
{
	uint32_t taken = shared_load32_acquire(&control(ring->area)->taken);

	if (sound(ring->put, taken) &&
	    shared_load32(&control(ring->area)->put) == ring->put)
		return false;
	shared_store32_release(&control(ring->area)->put, ring->put);
	return true;
}

/* -- Who takes --------------------------------------------------------------- */

void net_ring_in_begin(struct net_ring_in *ring, void *area)
{
	uint32_t taken = shared_load32(&control(area)->taken);

	*ring = (struct net_ring_in){area, aligned(taken), aligned(taken), 0};
}

/* All up to @put is done with. */
static enum net_ring_look in_break(struct net_ring_in *ring, uint32_t put)
{
	ring->taken = ring->put = put;
	return NET_RING_BROKEN;
}

enum net_ring_look net_ring_in_look(struct net_ring_in *ring,
				    struct net_ring_head *head)
{
	if (ring->put == ring->taken) {
		/* Before what it tells of; pairs with net_ring_out_push(). */
		uint32_t put =
			aligned(shared_load32_acquire(&control(ring->area)->put));

		if (put == ring->taken)
			return NET_RING_EMPTY;
		if (!sound(put, ring->taken))
			return in_break(ring, put);
		ring->put = put;
	}
	shared_copy_in(head, bytes_at(ring->area, ring->taken), sizeof(*head));
	if (head->size < NET_HEADER || head->size > NET_RING_FRAME_MAX ||
	    entry_bytes(head->size) > ring->put - ring->taken)
		return in_break(ring, ring->put);
	ring->size = head->size;
	return NET_RING_FRAME;
}

void net_ring_in_read(struct net_ring_in *ring, uint8_t *bytes)
{
	uint32_t index = ring->taken + (uint32_t)sizeof(struct net_ring_head);
	uint32_t first = straight(index, ring->size);

	shared_copy_in(bytes, bytes_at(ring->area, index), first);
	if (ring->size > first)
		shared_copy_in(bytes + first, bytes_at(ring->area, index + first),
			       ring->size - first);
}

void net_ring_in_pop(struct net_ring_in *ring)
{
	ring->taken += entry_bytes(ring->size);
}

void net_ring_in_publish(struct net_ring_in *ring)
{
	/* After all reads of what is done with; pairs with net_ring_out_room(). */
	shared_store32_release(&control(ring->area)->taken, ring->taken);
}

void net_ring_in_discard(struct net_ring_in *ring)
{
	in_break(ring, aligned(shared_load32_acquire(&control(ring->area)->put)));
	net_ring_in_publish(ring);
}

bool net_ring_in_wait(struct net_ring_in *ring)
{
	shared_store32(&control(ring->area)->wake, ring->taken);
	/* What we wait for before what is there; pairs with net_ring_out_wakes(). */
	shared_full_barrier();
	return aligned(shared_load32(&control(ring->area)->put)) == ring->taken;
}
