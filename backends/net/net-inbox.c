/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "backends/net/net-inbox.h"

int net_inbox_init(struct net_inbox *inbox, uint8_t *area, size_t bytes, uint32_t room,
		   uint64_t backlog)
{
	size_t slots = bytes / room;

	if (!slots || slots > UINT32_MAX)
		return -EINVAL;
	*inbox = (struct net_inbox){.slots = (uint32_t)slots, .backlog = backlog};
	inbox->slot = calloc(slots, sizeof(*inbox->slot));
	if (!inbox->slot)
		return -ENOMEM;
	for (uint32_t i = inbox->slots; i-- > 0;) {
		inbox->slot[i].in.bytes = area + (size_t)i * room;
		inbox->slot[i].in.room = room;
		net_inbox_give(inbox, &inbox->slot[i]);
	}
	return 0;
}

void net_inbox_fini(struct net_inbox *inbox)
{
	free(inbox->slot);
	*inbox = (struct net_inbox){0};
}

bool net_inbox_has_room(const struct net_inbox *inbox)
{
	return inbox->free && inbox->bytes < inbox->backlog;
}

struct net_slot *net_inbox_room(struct net_inbox *inbox)
{
	struct net_slot *slot = inbox->free;

	if (!net_inbox_has_room(inbox))
		return NULL;
	inbox->free = slot->next;
	return slot;
}

void net_inbox_put(struct net_inbox *inbox, unsigned queue, struct net_slot *slot)
{
	assert(queue < NET_LINK_QUEUES);
	slot->paid = (struct toll_paid){0};
	slot->next = NULL;
	if (inbox->queue[queue].first)
		inbox->queue[queue].last->next = slot;
	else
		inbox->queue[queue].first = slot;
	inbox->queue[queue].last = slot;
	inbox->bytes += slot->in.size;
}

struct net_slot *net_inbox_take(struct net_inbox *inbox, unsigned queue)
{
	struct net_slot *slot = net_inbox_first(inbox, queue);

	inbox->queue[queue].first = slot->next;
	inbox->bytes -= slot->in.size;
	return slot;
}

void net_inbox_give(struct net_inbox *inbox, struct net_slot *slot)
{
	slot->next = inbox->free;
	inbox->free = slot;
}

void net_inbox_clear(struct net_inbox *inbox)
{
	for (unsigned queue = 0; queue < NET_LINK_QUEUES; queue++) {
		while (net_inbox_first(inbox, queue))
			net_inbox_give(inbox, net_inbox_take(inbox, queue));
	}
}
