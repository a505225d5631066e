/* SPDX-License-Identifier: MIT */
/* The PV door of a network device: what a client hears, whole and as it was sent. */
#include "tests/device/net-cases.h"

static const struct net_bed_conf plain;

static void hears_each_size(void **state)
{
	(void)state;
	up(&plain);
	for (uint32_t size = 14; size <= 65535; size += size < 300 ? 1 : 611) {
		uint32_t slots = (size + PAGE - 1) / PAGE;

		post(0, slots);
		hear(size, size);
		run();
		assert_came(0, size, size);
		assert_int_equal(bed.heard.slots, slots);
		assert_int_equal(bed.heard.flags & ~NETRXF_MORE, 0);
		assert_nothing_came(0);
	}
	post(0, 17);
	hear(65535, 7);
	run();
	assert_came(0, 65535, 7);
	down();
}

/* What is left undone, and that it was. */
static void hears_what_is_undone(void **state)
{
	static const struct {
		struct net_offload offload;
		bool validated;
		uint16_t flags;
		uint8_t gso;
	} rows[] = {
		{{0}, false, 0, 0},
		{{0}, true, NETRXF_VALIDATED, 0},
		{{.sum = true}, false, NETRXF_VALIDATED | NETRXF_BLANK, 0},
		{{.sum = true, .gso = NET_GSO_TCPV4, .gso_size = 1448},
		 true,
		 NETRXF_VALIDATED | NETRXF_BLANK | NETRXF_EXTRA,
		 1},
		{{.sum = true, .gso = NET_GSO_TCPV6, .gso_size = 1428},
		 true,
		 NETRXF_VALIDATED | NETRXF_BLANK | NETRXF_EXTRA,
		 2},
	};

	(void)state;
	up(&plain);
	for (unsigned i = 0; i < COUNT(rows); i++) {
		for (uint32_t size = 1000; size < 20000; size += 9000) {
			struct net_link_frame like = {
				.size = size,
				.offload = rows[i].offload,
				.validated = rows[i].validated,
			};

			to_me(size, i);
			net_link_test_hear(&bed.link, frame, &like);
			post(0, 6);
			run();
			assert_came(0, size, i);
			assert_int_equal(bed.heard.flags & ~NETRXF_MORE, rows[i].flags);
			assert_int_equal(bed.heard.gso, rows[i].gso);
			assert_int_equal(bed.heard.gso_size, rows[i].offload.gso_size);
			assert_int_equal(bed.heard.slots,
					 (size + PAGE - 1) / PAGE + !!rows[i].gso);
		}
	}
	down();
}

/* What the front end chose is what the link may leave undone. */
static void asks_for_what_it_takes(void **state)
{
	static const struct {
		struct netfront_conf front;
		bool no_offloads;
		unsigned allowed;
	} rows[] = {
		{{0}, false, ALL_UNDONE},
		{{0}, true, 0},
		{{.no_csum = true}, false, 0},
		{{.no_csum6 = true}, false, 0},
		{{.no_gso = true}, false, NET_LINK_CSUM},
		{{.no_sg = true}, false, NET_LINK_CSUM},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		up(&(struct net_bed_conf){.front = rows[i].front,
					  .no_offloads = rows[i].no_offloads});
		assert_int_equal(bed.link.allowed, rows[i].allowed);
		post(0, 8);
		hear(4097, 1);
		hear(4096, 2);
		run();
		/* Without scatter-gather a frame is of one page. */
		if (rows[i].front.no_sg)
			assert_int_equal(bed.net.stats.unfit, 1);
		else if (!rows[i].no_offloads)
			assert_came(0, 4097, 1);
		else
			assert_came(0, 4097, 1);
		assert_came(0, 4096, 2);
		down();
	}
}

/* Less slots than it needs: it waits without a turn, until there are enough. */
static void waits_for_slots(void **state)
{
	uint64_t kicks;

	(void)state;
	up(&plain);
	post(0, 2);
	hear(3 * PAGE + 1, 1);
	hear(60, 2);
	run();
	assert_nothing_came(0);
	kicks = bed.front.queue[0].kicks;
	/* One more is no reason for an event, the fourth is. */
	post(0, 1);
	run();
	assert_int_equal(bed.front.queue[0].kicks, kicks);
	assert_nothing_came(0);
	post(0, 1);
	assert_int_equal(bed.front.queue[0].kicks, kicks + 1);
	run();
	assert_came(0, 3 * PAGE + 1, 1);
	assert_nothing_came(0);
	post(0, 1);
	run();
	assert_came(0, 60, 2);
	down();
}

/* The order to cut needs a slot as well. */
static void an_extra_needs_a_slot(void **state)
{
	struct net_link_frame like = {
		.size = 2 * PAGE,
		.offload = {.sum = true, .gso = NET_GSO_TCPV4, .gso_size = 1448},
	};

	(void)state;
	up(&plain);
	post(0, 2);
	to_me(like.size, 1);
	net_link_test_hear(&bed.link, frame, &like);
	run();
	assert_nothing_came(0);
	post(0, 1);
	run();
	assert_came(0, like.size, 1);
	assert_int_equal(bed.heard.slots, 3);
	down();
}

/* While nothing waits for a slot, posting one wakes nobody. */
static void slots_are_posted_silently(void **state)
{
	uint64_t kicks;

	(void)state;
	up(&plain);
	post(0, 4);
	run();
	kicks = bed.front.queue[0].kicks;
	for (unsigned i = 0; i < 300; i++) {
		hear(60, i);
		run();
		assert_came(0, 60, i);
		post(0, 1);
		run();
	}
	assert_int_equal(bed.front.queue[0].kicks, kicks);
	down();
}

/* A client that posts late, and all at once, gets all, whatever starved meanwhile. */
static void posts_late(void **state)
{
	(void)state;
	for (unsigned ahead = 0; ahead <= 8; ahead += 8) {
		up(&(struct net_bed_conf){.backlog = 65536, .ahead = ahead});
		for (unsigned i = 0; i < 200; i++)
			hear(1500, i);
		run();
		assert_true(bed.link.waiting[0].n > 100);
		assert_true(bed.net.inbox.bytes < 65536 + 1500 * (ahead + 1));
		post(0, 256);
		run();
		for (unsigned i = 0; i < 200; i++)
			assert_came(0, 1500, i);
		assert_nothing_came(0);
		down();
	}
}

static void receive_rates(void **state)
{
	uint64_t start;

	(void)state;
	up(&(struct net_bed_conf){.receive_bytes = {100000, 10000}});
	post(0, 255);
	run();
	start = loopxen_now(bed.x);
	for (unsigned i = 0; i < 101; i++)
		hear(10000, i);
	for (unsigned i = 0; i < 101; i++) {
		run();
		assert_came(0, 10000, i);
		post(0, 3);
		if (i == 70) /* later: as many as the ring has slots for came at once */
			run();
	}
	assert_in_range(loopxen_now(bed.x) - start, 10 * SECOND - 1000,
			10 * SECOND + 1000);
	down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hears_each_size),
		cmocka_unit_test(hears_what_is_undone),
		cmocka_unit_test(asks_for_what_it_takes),
		cmocka_unit_test(waits_for_slots),
		cmocka_unit_test(an_extra_needs_a_slot),
		cmocka_unit_test(slots_are_posted_silently),
		cmocka_unit_test(posts_late),
		cmocka_unit_test(receive_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
