/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "backends/net/net-pv-static.h"

#define NONE NET_PV_STATICS_MAX

/* A client's references lie side by side. */
static uint32_t bucket_of(struct gref ref)
{
	return ref.v % NET_PV_BUCKETS;
}

static void forget_all(struct net_pv_statics *statics)
{
	statics->n = 0;
	for (uint32_t i = 0; i < NET_PV_BUCKETS; i++)
		statics->bucket[i] = NONE;
	for (uint32_t i = 0; i < statics->max; i++)
		statics->entry[i].next =
			(uint16_t)(i + 1 < statics->max ? i + 1 : NONE);
	statics->free = statics->max ? 0 : NONE;
}

int net_pv_statics_init(struct net_pv_statics *statics, uint32_t max)
{
	assert(max <= NET_PV_STATICS_MAX);
	*statics = (struct net_pv_statics){.max = max};
	if (max) {
		statics->entry = calloc(max, sizeof(*statics->entry));
		if (!statics->entry)
			return -ENOMEM;
	}
	forget_all(statics);
	return 0;
}

void net_pv_statics_fini(struct net_pv_statics *statics)
{
	free(statics->entry);
	*statics = (struct net_pv_statics){0};
}

/* Where its number stands, or would. */
static uint16_t *place_of(struct net_pv_statics *statics, struct gref ref)
{
	uint16_t *at = &statics->bucket[bucket_of(ref)];

	while (*at != NONE && statics->entry[*at].ref.v != ref.v)
		at = &statics->entry[*at].next;
	return at;
}

const struct grants_map *net_pv_static_find(const struct net_pv_statics *statics,
					    struct gref ref)
{
	uint16_t at;

	if (!statics->n)
		return NULL;
	at = statics->bucket[bucket_of(ref)];
	while (at != NONE && statics->entry[at].ref.v != ref.v)
		at = statics->entry[at].next;
	return at == NONE ? NULL : &statics->entry[at].map;
}

int net_pv_static_add(struct net_pv_statics *statics, struct grants *grants,
		      struct gref ref, bool writable)
{
	uint16_t at = statics->free, *place = place_of(statics, ref);
	struct net_pv_static *entry;
	int r;

	/* Invariants 1, 2. */
	if (at == NONE || *place != NONE)
		return GRANTS_BUSY;
	entry = &statics->entry[at];
	r = grants_map(grants, &ref, 1, writable, &entry->map);
	if (r)
		return r;
	statics->free = entry->next;
	statics->n++;
	entry->ref = ref;
	entry->next = NONE;
	*place = at;
	return 0;
}

int net_pv_static_remove(struct net_pv_statics *statics, struct grants *grants,
			 struct gref ref)
{
	uint16_t *place = place_of(statics, ref), at = *place;
	struct net_pv_static *entry;
	int r;

	if (at == NONE)
		return 0;
	entry = &statics->entry[at];
	*place = entry->next;
	entry->next = statics->free;
	statics->free = at;
	statics->n--;
	r = grants_unmap(grants, &entry->map);
	return r < 0 ? r : 1;
}

int net_pv_statics_clear(struct net_pv_statics *statics, struct grants *grants)
{
	int r = 0;

	for (uint32_t i = 0; statics->n && i < statics->max; i++) {
		int unmapped;

		if (!statics->entry[i].map.addr)
			continue;
		unmapped = grants_unmap(grants, &statics->entry[i].map);
		r = r < 0 ? r : unmapped;
	}
	forget_all(statics);
	return r < 0 ? r : 0;
}
