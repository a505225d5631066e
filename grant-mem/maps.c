/* SPDX-License-Identifier: MIT */
/* What one back end has registered: see maps.h. */
#include "grant-mem/maps.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "grant-mem/ledger.h"

#define NONE   UINT32_MAX
#define ORPHAN (UINT32_MAX - 1) /* a pair whose registration died with its owner */

static bool among(const struct gref *refs, uint32_t n, struct gref ref)
{
	for (uint32_t i = 0; i < n; i++) {
		if (refs[i].v == ref.v)
			return true;
	}
	return false;
}

/* Is one of these registered already, for another purpose? (invariant 5) Rings
 * are few, so one of the two lists is short. */
static bool otherwise(const struct maps *maps, enum policy_purpose purpose,
		      const struct gref *refs, uint32_t n)
{
	for (uint32_t i = 0; i < maps->high; i++) {
		const struct maps_slot *slot = &maps->slot[i];

		if (slot->state != MAPS_FREE && slot->purpose != purpose &&
		    among(refs, n, slot->ref))
			return true;
	}
	return false;
}

static uint32_t take(struct maps *maps, struct gref ref, enum policy_purpose purpose)
{
	uint32_t i = maps->free != NONE ? maps->free : maps->high++;
	struct maps_slot *slot = &maps->slot[i];

	if (i == maps->free)
		maps->free = slot->next;
	*slot = (struct maps_slot){
		.ref = ref,
		.purpose = (uint8_t)purpose,
		.turn = (uint16_t)(slot->turn + 1),
	};
	slot->state = MAPS_LIVE;
	return i;
}

/* Those of @refs that no registration has are not ours any more. One look at each slot:
 * a pool's are thousands, and its references a run beside which no other one lies. */
static void unlock(const struct maps *maps, struct gref *refs, uint32_t n)
{
	const uint64_t run = gref_run(refs, n) == n ? n : UINT64_C(1) << 32;
	const uint32_t first = refs->v;

	for (uint32_t i = 0; i < maps->high; i++) {
		const struct maps_slot *slot = &maps->slot[i];

		if (slot->state == MAPS_FREE || slot->ref.v - first >= run)
			continue;
		for (uint32_t k = n; k-- > 0;) {
			if (refs[k].v == slot->ref.v)
				refs[k] = refs[--n];
		}
	}
	ledger_unlock(maps->ledger, refs, n);
}

/* Invariants 1 and 2: the end of a registration. */
static void refund(struct maps *maps, uint32_t head)
{
	struct maps_slot *first = &maps->slot[head];
	struct gref refs[WIRE_REFS_MAX];
	uint32_t n = 0;

	policy_refund(&maps->usage, (enum policy_purpose)first->purpose, first->pages);
	for (uint32_t i = head, next; i != NONE; i = next) {
		refs[n++] = maps->slot[i].ref;
		next = maps->slot[i].next;
		maps->slot[i].state = MAPS_FREE;
		maps->slot[i].next = maps->free;
		maps->free = i;
	}
	if (maps->ledger >= 0)
		unlock(maps, refs, n);
}

void maps_reset(struct maps *maps)
{
	for (unsigned i = 0; i < REGISTRAR_PAIRS; i++)
		maps->pair[i] = maps->pair[i] == NONE ? NONE : ORPHAN;
	for (uint32_t i = 0; i < maps->high; i++)
		maps->slot[i].state = MAPS_FREE;
	maps->usage = (struct policy_usage){.binds = maps->usage.binds};
	maps->high = 0;
	maps->free = maps->first = maps->last = NONE;
	if (maps->ledger >= 0)
		ledger_unlock_all(maps->ledger);
}

void maps_init(struct maps *maps, struct registrar *registrar, uint64_t release_ns)
{
	memset(maps->pair, 0xff, sizeof(maps->pair));
	maps->registrar = registrar;
	maps->release_ns = release_ns;
	maps->ledger = -1;
	maps_reset(maps);
}

/* [impl->req~pages-are-charged-first~1] */
enum wire_result maps_add(struct maps *maps, struct domid client,
			  enum policy_purpose purpose, const struct gref *refs,
			  uint32_t n, bool writable, struct wire_mapped *out)
{
	uint32_t used = maps->usage.ring_pages + maps->usage.data_pages, head = NONE;
	struct maps_slot *slot;
	uint64_t index;
	int err;

	assert(n && n <= WIRE_REFS_MAX);
	if (n > MAPS_SLOTS - used || otherwise(maps, purpose, refs, n))
		return WIRE_REFUSED;
	for (uint32_t i = n; i-- > 0;) {
		uint32_t page = take(maps, refs[i], purpose);

		maps->slot[page].next = head;
		head = page;
	}
	policy_charge(&maps->usage, purpose, n);
	slot = &maps->slot[head];
	slot->pages = n;
	slot->writable = writable;
	err = maps->ledger < 0 ? 0 : ledger_lock(maps->ledger, refs, n);
	if (!err)
		err = registrar_add(maps->registrar, client, refs, n, writable, &index);
	if (err) {
		refund(maps, head);
		if (err == -EAGAIN)
			return WIRE_BUSY;
		return err == -ENOMEM || err == -ENOLCK ? WIRE_ENOMEM : WIRE_BAD;
	}
	slot->index = index;
	*out = (struct wire_mapped){index, (uint32_t)slot->turn << 16 | head, n};
	return WIRE_OK;
}

/* Gives the releases that wait a pair each, as long as there are any. What the
 * registrar refuses waits on, until the deadline decides. */
static void start(struct maps *maps)
{
	for (unsigned i = 0; i < REGISTRAR_PAIRS && maps->first != NONE; i++) {
		struct maps_slot *slot = &maps->slot[maps->first];

		if (maps->pair[i] != NONE)
			continue;
		if (registrar_drop(maps->registrar, slot->writable, slot->index,
				   slot->pages, i))
			return;
		slot->state = MAPS_RELEASING;
		maps->pair[i] = maps->first;
		maps->first = slot->after;
	}
}

/* [impl->req~pages-are-refunded-on-confirmation~1] */
void maps_confirm(struct maps *maps)
{
	int pair;

	start(maps);
	while ((pair = registrar_dropped(maps->registrar)) >= 0) {
		if (maps->pair[pair] < MAPS_SLOTS)
			refund(maps, maps->pair[pair]);
		maps->pair[pair] = NONE;
		start(maps);
	}
}

bool maps_release(struct maps *maps, uint32_t id, uint64_t now)
{
	uint32_t i = id & (MAPS_SLOTS - 1);
	struct maps_slot *slot = &maps->slot[i];

	if (i >= maps->high || !slot->pages || slot->state != MAPS_LIVE ||
	    slot->turn != id >> 16)
		return false;
	slot->state = MAPS_QUEUED;
	slot->deadline = now + maps->release_ns;
	slot->after = NONE;
	if (maps->first == NONE)
		maps->first = i;
	else
		maps->slot[maps->last].after = i;
	maps->last = i;
	maps_confirm(maps);
	return true;
}

uint64_t maps_deadline(const struct maps *maps)
{
	uint64_t first = UINT64_MAX;

	if (maps->first != NONE)
		first = maps->slot[maps->first].deadline;
	for (unsigned i = 0; i < REGISTRAR_PAIRS; i++) {
		uint32_t at = maps->pair[i];

		if (at < MAPS_SLOTS && maps->slot[at].deadline < first)
			first = maps->slot[at].deadline;
	}
	return first;
}

bool maps_empty(const struct maps *maps)
{
	return !maps->usage.ring_pages && !maps->usage.data_pages;
}
