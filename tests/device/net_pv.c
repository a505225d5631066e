/* SPDX-License-Identifier: MIT */
/* The PV door of a network device: what a client sends, and queues of both ways. What
 * it hears is net_pv_hear's. */
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
		{"feature-ctrl-ring", {"1", "1"}},
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

/* Each way alone is told of, at the port that it has. */
static void tells_of_each_way(void **state)
{
	(void)state;
	for (unsigned split = 0; split <= 1; split++) {
		const struct netfront_queue *q = &bed.front.queue[0];

		up(&(struct net_bed_conf){.front.split = split});
		post(0, 2);
		run();
		loopxen_fired(bed.x, bed.dev.front, q->tx_port);
		loopxen_fired(bed.x, bed.dev.front, q->rx_port);
		hear(60, 1);
		run();
		assert_true(loopxen_fired(bed.x, bed.dev.front, q->rx_port));
		assert_false(loopxen_fired(bed.x, bed.dev.front, q->tx_port));
		put(0, 60, 1);
		push_run();
		assert_true(loopxen_fired(bed.x, bed.dev.front, q->tx_port));
		assert_false(loopxen_fired(bed.x, bed.dev.front, q->rx_port));
		down();
	}
}

/* What a rate lets pass, all queues share. */
static void queues_share_rates(void **state)
{
	unsigned sent[3] = {0};

	(void)state;
	up(&(struct net_bed_conf){
		.queues = 3, .operations = {10, 1}, .front.queues = 3});
	for (unsigned queue = 0; queue < 3; queue++) {
		for (unsigned i = 0; i < 50; i++)
			put(queue, 60 + queue, i);
	}
	netfront_push(&bed.front);
	for (unsigned i = 0; i < 60; i++) {
		run_now();
		loopxen_advance(bed.x, SECOND / 10 + 1);
	}
	for (unsigned queue = 0; queue < 3; queue++) {
		int status;

		while (netfront_done(&bed.front, queue, &status))
			sent[queue]++;
		assert_in_range(sent[queue], 18, 22);
	}
	down();
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
		cmocka_unit_test(small_areas),
		cmocka_unit_test(longer_than_the_area),
		cmocka_unit_test(queues),
		cmocka_unit_test(tells_once),
		cmocka_unit_test(tells_of_each_way),
		cmocka_unit_test(queues_share_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
