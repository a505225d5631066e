/* SPDX-License-Identifier: MIT */
/* backends/net/net-inbox.c: slots, queues, and the bound in bytes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/net/net-inbox.h"

#define ROOM 4096

static struct net_inbox inbox;
static uint8_t area[8 * ROOM + 100];

static struct net_slot *put(unsigned queue, uint32_t size)
{
	struct net_slot *slot = net_inbox_room(&inbox);

	assert_non_null(slot);
	slot->in.size = size;
	slot->paid = (struct toll_paid){true, true};
	net_inbox_put(&inbox, queue, slot);
	return slot;
}

static void open_with(uint64_t backlog)
{
	assert_int_equal(net_inbox_init(&inbox, area, sizeof(area), ROOM, backlog), 0);
}

/* As many as fit whole, each at its own place. */
static void cuts_its_area(void **state)
{
	bool had[8] = {false};

	(void)state;
	assert_int_equal(net_inbox_init(&inbox, area, ROOM - 1, ROOM, 1), -EINVAL);
	open_with(UINT64_MAX);
	assert_int_equal(inbox.slots, 8);
	for (unsigned i = 0; i < 8; i++) {
		const struct net_slot *slot = net_inbox_room(&inbox);
		size_t at;

		assert_non_null(slot);
		assert_int_equal(slot->in.room, ROOM);
		at = (size_t)(slot->in.bytes - area);
		assert_int_equal(at % ROOM, 0);
		assert_true(at / ROOM < 8 && !had[at / ROOM]);
		had[at / ROOM] = true;
	}
	assert_false(net_inbox_has_room(&inbox));
	assert_null(net_inbox_room(&inbox));
	net_inbox_fini(&inbox);
}

static void keeps_order_in_a_queue(void **state)
{
	struct net_slot *a, *b, *c, *d;

	(void)state;
	open_with(UINT64_MAX);
	assert_null(net_inbox_first(&inbox, 0));
	a = put(0, 10);
	b = put(NET_LINK_QUEUES - 1, 20);
	c = put(0, 30);
	assert_false(a->paid.operation || a->paid.bytes); /* of the frame before it */
	assert_int_equal(inbox.bytes, 60);
	assert_ptr_equal(net_inbox_take(&inbox, 0), a);
	d = put(0, 40);
	assert_ptr_equal(net_inbox_first(&inbox, 0), c);
	assert_ptr_equal(net_inbox_take(&inbox, 0), c);
	assert_ptr_equal(net_inbox_take(&inbox, 0), d);
	assert_null(net_inbox_first(&inbox, 0));
	assert_ptr_equal(net_inbox_take(&inbox, NET_LINK_QUEUES - 1), b);
	assert_int_equal(inbox.bytes, 0);
	/* An emptied queue begins anew. */
	a = put(0, 10);
	assert_ptr_equal(net_inbox_take(&inbox, 0), a);
	assert_null(net_inbox_first(&inbox, 0));
	net_inbox_fini(&inbox);
}

/* No room once so many bytes wait, whatever is free; what is out still comes. */
static void is_bounded_in_bytes(void **state)
{
	struct net_slot *out[3];

	(void)state;
	open_with(100);
	for (unsigned i = 0; i < 3; i++)
		out[i] = net_inbox_room(&inbox);
	put(1, 99);
	assert_true(net_inbox_has_room(&inbox));
	put(2, 1);
	assert_false(net_inbox_has_room(&inbox));
	assert_null(net_inbox_room(&inbox));
	for (unsigned i = 0; i < 3; i++) {
		out[i]->in.size = 1000;
		net_inbox_put(&inbox, 3, out[i]);
	}
	assert_int_equal(inbox.bytes, 3100);
	for (unsigned i = 0; i < 3; i++)
		net_inbox_give(&inbox, net_inbox_take(&inbox, 3));
	assert_null(net_inbox_room(&inbox));
	net_inbox_give(&inbox, net_inbox_take(&inbox, 2));
	assert_non_null(net_inbox_room(&inbox));
	net_inbox_fini(&inbox);
}

static void clears_all_queues(void **state)
{
	struct net_slot *out;

	(void)state;
	open_with(50);
	out = net_inbox_room(&inbox);
	for (unsigned i = 0; i < 5; i++)
		put(i * 3, 10);
	net_inbox_clear(&inbox);
	assert_int_equal(inbox.bytes, 0);
	for (unsigned i = 0; i < NET_LINK_QUEUES; i++)
		assert_null(net_inbox_first(&inbox, i));
	/* What was out is, and comes home. */
	for (unsigned i = 0; i < 7; i++)
		assert_non_null(net_inbox_room(&inbox));
	assert_null(net_inbox_room(&inbox));
	net_inbox_give(&inbox, out);
	assert_ptr_equal(net_inbox_room(&inbox), out);
	net_inbox_fini(&inbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_its_area),
		cmocka_unit_test(keeps_order_in_a_queue),
		cmocka_unit_test(is_bounded_in_bytes),
		cmocka_unit_test(clears_all_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
