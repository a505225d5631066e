/* SPDX-License-Identifier: MIT */
/* backends/door/pv-events.c against the page of Xen's own header, read as Linux does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/ring.h>
#include <xen/io/sndif.h>

#include "backends/door/pv-events.h"

static union {
	uint8_t bytes[4096];
	struct xensnd_event_page page;
} shared;
static struct pv_events events;

static int begin(void **state)
{
	(void)state;
	memset(&shared, 0xa5, sizeof(shared));
	shared.page.in_cons = shared.page.in_prod = 0;
	pv_events_init(&events, &shared, false);
	return 0;
}

static void put(uint64_t position)
{
	struct xensnd_evt event = {.id = pv_events_id(&events)};

	event.op.cur_pos.position = position;
	pv_events_put(&events, &event);
}

/* The next one, whose id must be the count of those before. */
static uint64_t get(void)
{
	const struct xensnd_evt *event =
		&XENSND_IN_RING_REF(&shared.page, shared.page.in_cons);

	assert_int_not_equal(shared.page.in_cons, shared.page.in_prod);
	assert_int_equal(event->id, (uint16_t)shared.page.in_cons);
	shared.page.in_cons++;
	return event->op.cur_pos.position;
}

static void there_and_back(void **state)
{
	(void)state;
	assert_int_equal(PV_EVENTS_MAX, XENSND_IN_RING_LEN);
	assert_false(pv_events_push(&events));
	for (uint64_t i = 0; i < 200000; i += 2) {
		put(i);
		put(i + 1);
		assert_int_equal(shared.page.in_prod, i);
		assert_true(pv_events_push(&events));
		assert_int_equal(get(), i);
		assert_int_equal(get(), i + 1);
	}
}

static void a_full_page_takes_no_more(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 63; i++) {
		assert_true(pv_events_room(&events));
		put(i);
	}
	assert_false(pv_events_room(&events));
	pv_events_push(&events);
	assert_false(pv_events_room(&events));
	assert_int_equal(get(), 0);
	assert_true(pv_events_room(&events));
	/* What cannot be is full, too. */
	shared.page.in_cons = shared.page.in_prod + 1;
	assert_false(pv_events_room(&events));
	shared.page.in_cons = 0x80000000;
	assert_false(pv_events_room(&events));
}

static void a_successor_goes_on(void **state)
{
	(void)state;
	put(5);
	put(6);
	pv_events_push(&events);
	get();
	put(7); /* and dies */
	pv_events_init(&events, &shared, true);
	assert_int_equal(pv_events_last64(&events, 8), 6);
	put(8);
	pv_events_push(&events);
	assert_int_equal(get(), 6);
	assert_int_equal(get(), 8);

	shared.page.in_prod = shared.page.in_cons = 0;
	pv_events_init(&events, &shared, true);
	assert_int_equal(pv_events_last64(&events, 8), 0);
}

static void blank(uint16_t id, uint8_t *out)
{
	struct xensnd_evt event = {.id = id};

	memcpy(out, &event, sizeof(event));
}

static void those_not_read_become_blank(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 70; i++) {
		put(1000 + i);
		pv_events_push(&events);
		if (i < 60)
			get();
	}
	pv_events_blank(&events, blank);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(get(), 0);
	/* One that was read is left alone, and none is written beside the entries. */
	assert_int_equal(XENSND_IN_RING_REF(&shared.page, 59).op.cur_pos.position,
			 1059);
	assert_int_equal(shared.page.reserved[0], 0xa5);
	shared.page.in_cons = shared.page.in_prod + 5;
	pv_events_blank(&events, blank);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(there_and_back, begin),
		cmocka_unit_test_setup(a_full_page_takes_no_more, begin),
		cmocka_unit_test_setup(a_successor_goes_on, begin),
		cmocka_unit_test_setup(those_not_read_become_blank, begin),
	};

	return cmocka_run_group_tests_name("pv_events", tests, NULL, NULL);
}
