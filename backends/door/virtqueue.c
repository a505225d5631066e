/* SPDX-License-Identifier: MIT */
/*
 * The three areas are written as virtio lays them out (1.3, 2.7.5 to 2.7.8): le16
 * and le32, which on each machine that Xen runs on are its own. A descriptor is
 * copied off whole, before anything looks at it.
 */
#include <assert.h>
#include <string.h>

#include "backends/door/virtqueue.h"
#include "common/shared.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "shared fields are read as is");

#define DESC_BYTES    16
#define DESC_NEXT     0x1
#define DESC_WRITE    0x2
#define DESC_INDIRECT 0x4
/* Virtio gives the other bits no meaning and no rule: what was not negotiated
 * means nothing, so they are ignored. */

#define CHAIN_BYTES_MAX (UINT64_C(1) << 32) /* 2.7.5.2 */

#define AVAIL_FLAGS	   0
#define AVAIL_IDX	   2
#define AVAIL_RING	   4
#define AVAIL_NO_INTERRUPT 0x1

#define USED_FLAGS     0
#define USED_IDX       2
#define USED_RING      4
#define USED_ELEMENT   8
#define USED_NO_NOTIFY 0x1

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

_Static_assert(sizeof(struct desc) == DESC_BYTES, "as virtio lays it out");

static const uint8_t *avail_at(const struct virtqueue *vq, uint32_t offset)
{
	return (const uint8_t *)vq->conf.avail + offset;
}

static uint8_t *used_at(const struct virtqueue *vq, uint32_t offset)
{
	return (uint8_t *)vq->conf.used + offset;
}

/* Where a free-running index stands in a ring of the queue's size. */
static uint32_t slot(const struct virtqueue *vq, uint16_t index)
{
	return index & (vq->conf.size - 1u);
}

static const uint8_t *used_event_at(const struct virtqueue *vq)
{
	return avail_at(vq, AVAIL_RING + 2u * vq->conf.size);
}

static uint8_t *avail_event_at(const struct virtqueue *vq)
{
	return used_at(vq, USED_RING + USED_ELEMENT * vq->conf.size);
}

static uint64_t bit(uint16_t head)
{
	return UINT64_C(1) << (head % 64);
}

static enum virtqueue_status broken(struct virtqueue *vq, const char *why)
{
	vq->why = why;
	return VIRTQUEUE_BROKEN;
}

/* Look at the driver's index. It only moves forward, and never so far that it
 * passes a chain that was not published as used: those heads are not free.
 * [impl->req~indices-that-cannot-be~1] */
static enum virtqueue_status look(struct virtqueue *vq)
{
	uint16_t away = vq->last_avail - vq->pushed, ahead, idx;

	if (vq->why)
		return VIRTQUEUE_BROKEN;
	/* The index before the entries, descriptors and buffers that it covers;
	 * pairs with the release in which the driver makes them available. */
	idx = shared_load16_acquire(avail_at(vq, AVAIL_IDX));
	ahead = idx - vq->last_avail;
	if (ahead > vq->conf.size - away)
		return broken(vq, "available index that cannot be");
	vq->seen_avail = idx;
	return ahead ? VIRTQUEUE_OK : VIRTQUEUE_EMPTY;
}

enum virtqueue_status virtqueue_init(struct virtqueue *vq,
				     const struct virtqueue_conf *conf, bool attach)
{
	uint16_t start = 0;

	assert(conf->size >= 2 && conf->size <= VIRTQUEUE_SIZE_MAX);
	assert(!(conf->size & (conf->size - 1)));
	assert(!((uintptr_t)conf->desc % 16 || (uintptr_t)conf->avail % 2 ||
		 (uintptr_t)conf->used % 4));
	memset(vq, 0, sizeof(*vq));
	vq->conf = *conf;
	vq->signal = attach;
	/* What a predecessor published before where it ended; pairs with the
	 * release of its last push. */
	if (attach)
		start = shared_load16_acquire(used_at(vq, USED_IDX));
	else
		shared_store16(used_at(vq, USED_IDX), 0);
	shared_store16(used_at(vq, USED_FLAGS), 0);
	vq->last_avail = vq->seen_avail = vq->used = vq->pushed = start;
	if (attach && look(vq) == VIRTQUEUE_BROKEN)
		return VIRTQUEUE_BROKEN;
	return VIRTQUEUE_OK;
}

/* A buffer's place behind those of the chain (invariant 2), or what is wrong with
 * it. @bytes: of the chain so far. */
static const char *chain_add(struct virtqueue_chain *chain, uint16_t max,
			     const struct desc *d, uint64_t *bytes)
{
	uint32_t buffers = (uint32_t)chain->readable + chain->writable;

	if (buffers == max)
		return "chain longer than the queue, or a loop";
	if (!d->len)
		return "buffer without bytes";
	if (!(d->flags & DESC_WRITE) && chain->writable)
		return "buffer to read behind one to write";
	*bytes += d->len;
	if (*bytes > CHAIN_BYTES_MAX)
		return "chain of more than 2^32 bytes";
	chain->buffer[buffers].addr = d->addr;
	chain->buffer[buffers].len = d->len;
	if (d->flags & DESC_WRITE)
		chain->writable++;
	else
		chain->readable++;
	return NULL;
}

/* A table of descriptors: the queue's own, or an indirect one. */
struct table {
	const uint8_t *desc;
	uint32_t entries;
	bool indirect;
};

/* The table that @d names takes the place of the queue's; its WRITE flag says
 * nothing (2.7.5.3.2). */
static const char *table_enter(const struct virtqueue *vq, const struct desc *d,
			       struct table *t)
{
	uint32_t entries = d->len / DESC_BYTES;

	if (t->indirect)
		return "indirect table in an indirect table";
	if (!vq->conf.table)
		return "indirect table, which was not negotiated";
	if (d->flags & DESC_NEXT)
		return "indirect table that is not the last of its chain";
	if (!entries || d->len % DESC_BYTES || entries > vq->conf.size)
		return "indirect table of a length that cannot be";
	t->desc = vq->conf.table(vq->conf.owner, d->addr, d->len);
	if (!t->desc)
		return "indirect table that is not the driver's to name";
	t->entries = entries;
	t->indirect = true;
	return NULL;
}

/* The chain of @head into @out, or what is wrong with it. Each turn takes a buffer,
 * of which there are at most as many as entries, or enters a table, once.
 * [impl->req~chains-that-cannot-be~1] */
static const char *chain_walk(const struct virtqueue *vq, uint16_t head,
			      struct virtqueue_chain *out)
{
	struct table t = {vq->conf.desc, vq->conf.size, false};
	const char *why;
	uint64_t bytes = 0;
	uint16_t next = head;
	struct desc d;

	out->head = head;
	out->readable = out->writable = 0;
	for (;;) {
		shared_copy_in(&d, t.desc + (size_t)next * DESC_BYTES, sizeof(d));
		if (d.flags & DESC_INDIRECT) {
			why = table_enter(vq, &d, &t);
			next = 0;
		} else {
			why = chain_add(out, vq->conf.size, &d, &bytes);
			next = d.next;
			if (!why && !(d.flags & DESC_NEXT))
				return NULL;
			if (!why && next >= t.entries)
				why = "next descriptor outside its table";
		}
		if (why)
			return why;
	}
}

/* While there is something to take, the driver need not say that there is more.
 * With an event index it does not: that stays where it was armed. */
static void hush(struct virtqueue *vq)
{
	if (vq->conf.event_idx || vq->hushed)
		return;
	vq->hushed = true;
	shared_store16(used_at(vq, USED_FLAGS), USED_NO_NOTIFY);
}

/* [impl->req~shared-bytes-are-read-once~1] */
enum virtqueue_status virtqueue_take(struct virtqueue *vq, struct virtqueue_chain *out)
{
	enum virtqueue_status status;
	const char *why;
	uint16_t head;

	if (vq->why)
		return VIRTQUEUE_BROKEN;
	if (vq->last_avail == vq->seen_avail) {
		status = look(vq);
		if (status != VIRTQUEUE_OK)
			return status;
	}
	hush(vq);
	head = shared_load16(avail_at(vq, AVAIL_RING + 2 * slot(vq, vq->last_avail)));
	if (head >= vq->conf.size)
		return broken(vq, "available head outside the queue");
	if (vq->out[head / 64] & bit(head))
		return broken(vq, "available head that did not come back yet");
	why = chain_walk(vq, head, out);
	if (why)
		return broken(vq, why);
	vq->out[head / 64] |= bit(head);
	vq->last_avail++;
	return VIRTQUEUE_OK;
}

void virtqueue_put(struct virtqueue *vq, uint16_t head, uint32_t written)
{
	uint8_t *element = used_at(vq, USED_RING + USED_ELEMENT * slot(vq, vq->used));

	assert(head < vq->conf.size && vq->out[head / 64] & bit(head));
	assert(!(vq->back[head / 64] & bit(head)));
	vq->back[head / 64] |= bit(head);
	vq->used++;
	if (vq->why)
		return;
	shared_store32(element, head);
	shared_store32(element + 4, written);
}

/* Does the driver want to know that the used index went from @old to where it is? */
static bool wanted(const struct virtqueue *vq, uint16_t old)
{
	uint16_t event;

	if (!vq->conf.event_idx)
		return !(shared_load16(avail_at(vq, AVAIL_FLAGS)) & AVAIL_NO_INTERRUPT);
	event = shared_load16(used_event_at(vq));
	return (uint16_t)(vq->used - event - 1) < (uint16_t)(vq->used - old);
}

bool virtqueue_push(struct virtqueue *vq)
{
	uint16_t old = vq->pushed;
	bool signal = vq->signal;

	if (vq->used == old || vq->why)
		return false;
	for (unsigned i = 0; i < VIRTQUEUE_SIZE_MAX / 64; i++) {
		vq->out[i] &= ~vq->back[i];
		vq->back[i] = 0;
	}
	/* Buffers and elements before the index that covers them; pairs with the
	 * driver's acquire of the used index. */
	shared_store16_release(used_at(vq, USED_IDX), vq->used);
	vq->pushed = vq->used;
	vq->signal = false;
	/* The used index is visible before the driver's wish is read; pairs with
	 * its barrier between saying what it wants and looking at that index. */
	shared_full_barrier();
	return signal || wanted(vq, old);
}

bool virtqueue_pending(const struct virtqueue *vq)
{
	if (vq->why)
		return false;
	return vq->last_avail != vq->seen_avail ||
	       shared_load16(avail_at(vq, AVAIL_IDX)) != vq->last_avail;
}

bool virtqueue_arm(struct virtqueue *vq)
{
	if (vq->why)
		return false;
	if (vq->last_avail != vq->seen_avail)
		return true;
	if (vq->conf.event_idx)
		shared_store16(avail_event_at(vq), vq->last_avail);
	else
		shared_store16(used_at(vq, USED_FLAGS), 0);
	vq->hushed = false;
	/* What we want is visible before the available index is read; pairs with
	 * the driver's barrier between publishing it and reading what we want. */
	shared_full_barrier();
	/* A broken index is "there is something": the take will say so. */
	return look(vq) != VIRTQUEUE_EMPTY;
}

uint32_t virtqueue_out(const struct virtqueue *vq)
{
	return (uint16_t)(vq->last_avail - vq->used);
}
