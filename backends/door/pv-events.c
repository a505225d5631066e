/* SPDX-License-Identifier: MIT */
#include "backends/door/pv-events.h"
#include "common/bytes.h"
#include "common/shared.h"

#define EVENTS_IN_CONS 0
#define EVENTS_IN_PROD 4
#define EVENTS_HEADER  64

static uint8_t *events_at(const struct pv_events *events, uint32_t index)
{
	return events->page + EVENTS_HEADER +
	       (size_t)(index % PV_EVENTS_MAX) * PV_EVENTS_ENTRY;
}

/* Not read by the front end: 0 to PV_EVENTS_MAX. */
static uint32_t events_unread(const struct pv_events *events)
{
	/* The index before the entries that it frees; pairs with the front end's
	 * barrier between reading entries and publishing in_cons. */
	uint32_t unread =
		events->prod - shared_load32_acquire(events->page + EVENTS_IN_CONS);

	/* Invariant 2. */
	return unread < PV_EVENTS_MAX ? unread : PV_EVENTS_MAX;
}

void pv_events_init(struct pv_events *events, void *page, bool attach)
{
	*events = (struct pv_events){.page = page};
	if (attach)
		events->prod = shared_load32(events->page + EVENTS_IN_PROD);
	events->pushed = events->prod;
}

bool pv_events_room(const struct pv_events *events)
{
	return events_unread(events) < PV_EVENTS_MAX;
}

void pv_events_put(struct pv_events *events, const void *event)
{
	shared_copy_out(events_at(events, events->prod), event, PV_EVENTS_ENTRY);
	events->prod++;
}

bool pv_events_push(struct pv_events *events)
{
	if (events->pushed == events->prod)
		return false;
	/* The entries before the index that covers them; pairs with the front end's
	 * barrier behind its read of in_prod. */
	shared_store32_release(events->page + EVENTS_IN_PROD, events->prod);
	events->pushed = events->prod;
	return true;
}

void pv_events_blank(struct pv_events *events, void (*blank)(uint16_t id, uint8_t *out))
{
	uint8_t event[PV_EVENTS_ENTRY];

	for (uint32_t i = events_unread(events); i; i--) {
		uint32_t index = events->prod - i;

		blank((uint16_t)index, event);
		shared_copy_out(events_at(events, index), event, sizeof(event));
	}
}

static void events_copy(const struct pv_events *events, uint32_t index, uint8_t *out)
{
	shared_copy_in(out, events_at(events, index), PV_EVENTS_ENTRY);
}

uint64_t pv_events_last64(const struct pv_events *events, uint32_t offset)
{
	uint8_t event[PV_EVENTS_ENTRY];

	if (!events->prod)
		return 0;
	events_copy(events, events->prod - 1, event);
	return bytes_get64(event + offset);
}

bool pv_events_begun64(const struct pv_events *events, uint32_t offset, uint64_t *out)
{
	uint8_t event[PV_EVENTS_ENTRY];

	events_copy(events, events->prod, event);
	if (bytes_get16(event) != pv_events_id(events) || !bytes_get64(event + offset))
		return false;
	*out = bytes_get64(event + offset);
	return true;
}
