/* SPDX-License-Identifier: MIT */
/* The PV door of a network device: frames both ways, whole and as they were sent. */
#include "tests/device/net-cases.h"

static const struct net_bed_conf plain;

/* -- Out -------------------------------------------------------------------- */

static void offers_what_it_has(void **state)
{
	static const struct {
		const char *key, *value[2]; /* with Offloads, without */
	} rows[] = {
		{"feature-rx-copy", {"1", "1"}},
		{"feature-rx-flip", {"0", "0"}},
		{"feature-sg", {"1", "1"}},
		{"feature-gso-tcpv4", {"1", "0"}},
		{"feature-gso-tcpv6", {"1", "0"}},
		{"feature-ipv6-csum-offload", {"1", "0"}},
		{"feature-multicast-control", {"1", "1"}},
		{"feature-dynamic-multicast-control", {"1", "1"}},
		{"feature-split-event-channels", {"1", "1"}},
		{"feature-ctrl-ring", {"0", "0"}},
		{"multi-queue-max-queues", {"1", "3"}},
	};

	(void)state;
	for (unsigned no = 0; no <= 1; no++) {
		struct net_bed_conf conf = {.no_offloads = no, .queues = no ? 3 : 1};

		net_bed_init(&bed, &conf);
		assert_int_equal(net_bed_start(&bed), 0);
		for (unsigned i = 0; i < COUNT(rows); i++) {
			const char *value = net_bed_back_key(&bed, rows[i].key);

			assert_non_null(value);
			assert_string_equal(value, rows[i].value[no]);
		}
		net_bed_end(&bed);
		assert_int_equal(net_bed_fini(&bed), 0);
	}
}

/* TCP to be cut is as long as a packet can be; else the MTU is the end. */
static void send_tcp(bool six, uint32_t size, unsigned seed, const uint32_t *piece,
		     unsigned pieces, uint16_t offset)
{
	uint32_t header = six ? NET_FRAMES_TCPV6 : NET_FRAMES_TCP;
	struct netfront_packet packet = {
		.bytes = frame,
		.size = size,
		.piece = piece,
		.pieces = pieces,
		.offset = offset,
		.flags = NETTXF_BLANK | NETTXF_VALIDATED,
		.gso = six ? 2 : 1,
		.gso_size = 1400,
		.hash = seed % 2,
	};

	net_frames_tcp(frame, six, size - header, seed);
	assert_true(netfront_send(&bed.front, 0, &packet));
}

static void assert_left_tcp(bool six, uint32_t size)
{
	struct net_link_frame *out = net_link_test_seen(&bed.link);

	assert_non_null(out);
	assert_int_equal(out->size, size);
	assert_memory_equal(out->bytes, frame, size);
	assert_true(out->offload.sum);
	assert_int_equal(out->offload.start, six ? 54 : 34);
	assert_int_equal(out->offload.offset, 16);
	assert_int_equal(out->offload.gso, six ? NET_GSO_TCPV6 : NET_GSO_TCPV4);
	assert_int_equal(out->offload.gso_size, 1400);
	assert_int_equal(out->offload.header, six ? 74 : 54);
	free(out);
	assert_done(0, RSP_OKAY);
}

static void sends_each_size(void **state)
{
	(void)state;
	up(&plain);
	for (uint32_t size = 14; size <= 9014; size += size < 200 ? 1 : 37) {
		put(0, size, size);
		push_run();
		assert_left(size, size);
		assert_done(0, RSP_OKAY);
	}
	for (uint32_t size = 100; size <= 65535; size += 4095) {
		for (unsigned six = 0; six <= 1; six++) {
			send_tcp(six, size, size, NULL, 0, 0);
			push_run();
			assert_left_tcp(six, size);
		}
	}
	send_tcp(false, 65535, 1, NULL, 0, 0);
	push_run();
	assert_left_tcp(false, 65535);
	assert_nothing_left();
	down();
}

/* Up to 18 pieces, of any lengths, anywhere in their pages. */
static void sends_pieces_of_any_shape(void **state)
{
	(void)state;
	srand(4711);
	up(&plain);
	for (unsigned round = 0; round < 1500; round++) {
		uint32_t piece[NETIF_SLOTS_MAX], size = 0;
		unsigned n = 1 + (unsigned)rand() % NETIF_SLOTS_MAX;
		bool six = rand() % 2;

		for (unsigned i = 0; i < n; i++) {
			uint32_t max = round % 3 ? 200 : 3600;

			piece[i] = (uint32_t)rand() % (max + 1);
			size += piece[i];
		}
		if (size < 80) {
			piece[0] += 80;
			size += 80;
		}
		send_tcp(six, size, round, piece, n, (uint16_t)(rand() % 4096));
		push_run();
		assert_left_tcp(six, size);
	}
	assert_nothing_left();
	down();
}

/* A blank sum alone, with what has one and with what has none. */
static void sends_blank_sums(void **state)
{
	struct netfront_packet packet = {.bytes = frame, .flags = NETTXF_BLANK};
	struct net_link_frame *out;

	(void)state;
	up(&plain);
	for (unsigned six = 0; six <= 1; six++) {
		packet.size = net_frames_udp(frame, six, 500, 1);
		assert_true(netfront_send(&bed.front, 0, &packet));
		push_run();
		out = net_link_test_seen(&bed.link);
		assert_non_null(out);
		assert_true(out->offload.sum);
		assert_int_equal(out->offload.start, six ? 54 : 34);
		assert_int_equal(out->offload.offset, 6);
		assert_int_equal(out->offload.gso, NET_GSO_NONE);
		free(out);
		assert_done(0, RSP_OKAY);
	}
	packet.size = net_frames_plain(frame, 100, 1);
	assert_true(netfront_send(&bed.front, 0, &packet));
	push_run();
	assert_done(0, RSP_ERROR);
	assert_nothing_left();
	assert_int_equal(bed.pv.stats.malformed, 1);
	down();
}

/* The policy's no, the host's no. */
static void says_what_became_of_it(void **state)
{
	struct netfront_packet packet = {.bytes = frame, .size = 60};

	(void)state;
	up(&(struct net_bed_conf){.holds = true});
	net_frames_plain(frame, 60, 1);
	frame[11] = 9;
	assert_true(netfront_send(&bed.front, 0, &packet));
	for (unsigned i = 0; i < 3; i++)
		put(0, 60, i);
	push_run();
	assert_done(0, RSP_DROPPED);
	assert_not_done(0);
	net_link_test_leave(&bed.link, 0);
	net_link_test_leave(&bed.link, -EIO);
	run();
	assert_done(0, RSP_OKAY);
	assert_done(0, RSP_DROPPED);
	assert_not_done(0);
	net_link_test_leave(&bed.link, 0);
	run();
	assert_done(0, RSP_OKAY);
	assert_int_equal(bed.net.stats.refused[NET_SPOOFED_MAC], 1);
	down();
}

/* Later ones are home first: answers keep the ring's order, and none is early. */
static void answers_in_order(void **state)
{
	struct netfront_packet bad = {.bytes = frame, .size = 60, .flags = 1};

	(void)state;
	up(&(struct net_bed_conf){.holds = true});
	put(0, 60, 1);
	net_frames_plain(frame, 60, 2);
	assert_true(netfront_send(&bed.front, 0, &bad));
	push_run();
	assert_not_done(0);
	net_link_test_leave(&bed.link, 0);
	run();
	assert_done(0, RSP_OKAY);
	assert_done(0, RSP_ERROR);
	down();
}

static void in_flight(void **state)
{
	(void)state;
	for (uint32_t max = 1; max <= 7; max += 3) {
		up(&(struct net_bed_conf){.holds = true, .in_flight = max});
		for (unsigned i = 0; i < 20; i++)
			put(0, 60 + i, i);
		push_run();
		for (unsigned i = 0; i < 20; i++) {
			uint32_t left = 20 - i;

			assert_int_equal(bed.link.nheld, left < max ? left : max);
			net_link_test_leave(&bed.link, 0);
			run();
			assert_left(60 + i, i);
			assert_done(0, RSP_OKAY);
		}
		down();
	}
}

/* Ten a second, then a hundred bytes a second; to a thousandth. */
static void rates(void **state)
{
	uint64_t start;

	(void)state;
	up(&(struct net_bed_conf){.operations = {10, 5}});
	start = loopxen_now(bed.x);
	for (unsigned i = 0; i < 105; i++)
		put(0, 60, i);
	push_run();
	assert_in_range(loopxen_now(bed.x) - start, 10 * SECOND - 1000,
			10 * SECOND + 1000);
	for (unsigned i = 0; i < 105; i++)
		assert_left(60, i);
	down();
	up(&(struct net_bed_conf){.bytes = {10000, 1000}});
	start = loopxen_now(bed.x);
	for (unsigned i = 0; i < 101; i++)
		put(0, 1000, i);
	push_run();
	assert_in_range(loopxen_now(bed.x) - start, 10 * SECOND - 1000,
			10 * SECOND + 1000);
	down();
}

/* What is no packet pays as well: an operation an entry. */
static void nothing_costs_nothing(void **state)
{
	uint8_t group[6] = {1, 0, 0x5e, 0, 0, 1};
	uint64_t start;

	(void)state;
	up(&(struct net_bed_conf){.operations = {10, 2}, .front.groups = true});
	start = loopxen_now(bed.x);
	for (unsigned i = 0; i < 51; i++)
		netfront_group(&bed.front, 0, group, i % 2);
	push_run();
	assert_in_range(loopxen_now(bed.x) - start, 10 * SECOND - 1000,
			10 * SECOND + 1000);
	for (unsigned i = 0; i < 51; i++)
		assert_done(0, RSP_OKAY);
	assert_int_equal(bed.pv.stats.orders, 51);
	down();
}

static void limits_change(void **state)
{
	(void)state;
	up(&(struct net_bed_conf){.operations = {1, 2}, .holds = true, .in_flight = 1});
	for (unsigned i = 0; i < 10; i++)
		put(0, 60, i);
	netfront_push(&bed.front);
	run_now();
	assert_int_equal(bed.link.nheld, 1);
	bed.policy.in_flight = 5;
	bed.policy.operations = (struct policy_rate){1000, 1000};
	net_pv_limits(&bed.pv, loopxen_now(bed.x));
	run();
	assert_int_equal(bed.link.nheld, 5);
	bed.link.holds = false;
	net_link_test_leave_all(&bed.link);
	run();
	for (unsigned i = 0; i < 10; i++)
		assert_done(0, RSP_OKAY);
	down();
}

/* -- In --------------------------------------------------------------------- */

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

/* -- Both ------------------------------------------------------------------- */

/* DataPages as few as they can be: the area goes round thousands of times. */
static void small_areas(void **state)
{
	static const struct {
		struct net_bed_conf conf;
		uint32_t max;
	} rows[] = {
		{{.data_pages = 34}, 9014},
		{{.data_pages = 40, .holds = true, .in_flight = 9}, 9014},
		{{.data_pages = 18, .no_offloads = true, .mtu = 1500}, 1514},
	};

	(void)state;
	srand(815);
	for (unsigned r = 0; r < COUNT(rows); r++) {
		unsigned sent = 0, left = 0, heard = 0, came = 0;
		uint32_t sizes[256], heards[256];

		up(&rows[r].conf);
		post(0, 250);
		while (left < 4000 || came < 4000) {
			for (unsigned n = (unsigned)rand() % 20; n; n--) {
				uint32_t size =
					14 + (uint32_t)rand() % (rows[r].max - 13);

				if (sent - left > 60)
					break;
				sizes[sent % 256] = size;
				put(0, size, sent++);
			}
			for (unsigned n = (unsigned)rand() % 9; n; n--) {
				heards[heard % 256] =
					14 + (uint32_t)rand() % (rows[r].max - 13);
				hear(heards[heard % 256], heard);
				heard++;
			}
			push_run();
			while (bed.link.nheld) {
				net_link_test_leave(&bed.link, 0);
				run();
			}
			for (; left != sent; left++) {
				assert_left(sizes[left % 256], left);
				assert_done(0, RSP_OKAY);
			}
			for (; came != heard; came++) {
				assert_came(0, heards[came % 256], came);
				post(0, bed.heard.slots);
				run();
			}
		}
		assert_nothing_left();
		down();
	}
	/* Fewer than that. */
	net_bed_init(&bed, &(struct net_bed_conf){.data_pages = 33});
	assert_int_equal(net_bed_start(&bed), -EINVAL);
	assert_int_equal(net_bed_fini(&bed), 0);
	net_bed_init(&bed, &(struct net_bed_conf){
				   .data_pages = 17, .no_offloads = true, .mtu = 1500});
	assert_int_equal(net_bed_start(&bed), -EINVAL);
	assert_int_equal(net_bed_fini(&bed), 0);
}

/* A packet that no part of the area could hold is answered, and holds up nobody. */
static void longer_than_the_area(void **state)
{
	(void)state;
	up(&(struct net_bed_conf){.data_pages = 20, .no_offloads = true, .mtu = 1500});
	put(0, 60, 1);
	send_tcp(false, 60000, 2, NULL, 0, 0);
	put(0, 60, 3);
	push_run();
	assert_left(60, 1);
	assert_left(60, 3);
	assert_done(0, RSP_OKAY);
	assert_done(0, RSP_ERROR);
	assert_done(0, RSP_OKAY);
	down();
}

static void queues(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 4; n++) {
		for (unsigned split = 0; split <= 1; split++) {
			up(&(struct net_bed_conf){
				.queues = 4,
				.link_queues = 4,
				.front = {.queues = n, .split = split}});
			for (unsigned queue = 0; queue < n; queue++) {
				for (unsigned i = 0; i < 10; i++)
					put(queue, 100 + queue, i);
				netfront_post(&bed.front, queue, 20);
			}
			for (unsigned i = 0; i < 40; i++)
				hear_on(i % 4, 200, i);
			push_run();
			for (unsigned queue = 0; queue < n; queue++) {
				for (unsigned i = 0; i < 10; i++)
					assert_done(queue, RSP_OKAY);
				for (unsigned i = 0; i < 40 && n == 4; i++) {
					if (i % 4 == queue)
						assert_came(queue, 200, i);
				}
			}
			assert_int_equal(bed.link.seen.n, 10 * n);
			down();
		}
	}
}

/* One event a port for all of a turn, and only for who asked. */
static void tells_once(void **state)
{
	(void)state;
	for (unsigned split = 0; split <= 1; split++) {
		struct netfront_queue *q = &bed.front.queue[0];
		uint64_t before;

		up(&(struct net_bed_conf){.front.split = split});
		post(0, 60);
		run();
		before = loopxen_calls(bed.x, LOOPXEN_NOTIFY);
		for (unsigned i = 0; i < 30; i++) {
			put(0, 60, i);
			hear(60, i);
		}
		netfront_push(&bed.front);
		assert_int_equal(net_bed_turn(&bed), 0);
		assert_int_equal(loopxen_calls(bed.x, LOOPXEN_NOTIFY),
				 before + 1 + split);
		assert_true(loopxen_fired(bed.x, bed.dev.front, q->tx_port));
		if (split)
			assert_true(loopxen_fired(bed.x, bed.dev.front, q->rx_port));
		run();
		/* Nothing was fetched, so nobody waits for an event. */
		before = loopxen_calls(bed.x, LOOPXEN_NOTIFY);
		put(0, 60, 1);
		hear(60, 1);
		push_run();
		assert_int_equal(loopxen_calls(bed.x, LOOPXEN_NOTIFY), before);
		down();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offers_what_it_has),
		cmocka_unit_test(sends_each_size),
		cmocka_unit_test(sends_pieces_of_any_shape),
		cmocka_unit_test(sends_blank_sums),
		cmocka_unit_test(says_what_became_of_it),
		cmocka_unit_test(answers_in_order),
		cmocka_unit_test(in_flight),
		cmocka_unit_test(rates),
		cmocka_unit_test(nothing_costs_nothing),
		cmocka_unit_test(limits_change),
		cmocka_unit_test(hears_each_size),
		cmocka_unit_test(hears_what_is_undone),
		cmocka_unit_test(asks_for_what_it_takes),
		cmocka_unit_test(waits_for_slots),
		cmocka_unit_test(slots_are_posted_silently),
		cmocka_unit_test(posts_late),
		cmocka_unit_test(receive_rates),
		cmocka_unit_test(small_areas),
		cmocka_unit_test(longer_than_the_area),
		cmocka_unit_test(queues),
		cmocka_unit_test(tells_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
