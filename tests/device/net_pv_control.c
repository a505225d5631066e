/* SPDX-License-Identifier: MIT */
/* The PV door's control ring: the hash, and which queue frames come in by it. What is
 * kept mapped is net_pv_static's. */
#include "tests/device/net-control.h"

static const struct net_bed_conf plain, four = {
						.queues = 4,
						.link_queues = 4,
						.front.queues = 4,
};

/* As the front end would find it. */
static uint32_t expected_hash(const uint8_t *bytes, bool six, bool tcp)
{
	uint8_t key[NETIF_KEY_MAX], of[36];
	uint32_t size = six ? 32 : 8;

	for (unsigned i = 0; i < NETIF_KEY_MAX; i++)
		key[i] = (uint8_t)(i * 37 + 11);
	memcpy(of, bytes + (six ? 22 : 26), size);
	memcpy(of + size, bytes + (six ? 54 : 34), 4);
	return netif_toeplitz(key, of, size + (tcp ? 4 : 0));
}

enum shape { TCP, UDP, TCP_CUT };

/* To the client, with a port of its own. */
static uint32_t make(enum shape shape, bool six, uint16_t port, uint32_t payload)
{
	uint32_t size = shape == UDP ? net_frames_udp(frame, six, payload, port)
				     : net_frames_tcp(frame, six, payload, port);

	net_frames_turn(frame);
	memcpy(frame + (six ? 54 : 34), &port, 2);
	return size;
}

static void hear_like(uint32_t size, enum shape shape, bool six)
{
	struct net_link_frame like = {.size = size};

	if (shape == TCP_CUT) {
		like.offload = (struct net_offload){
			.sum = true,
			.gso = six ? NET_GSO_TCPV6 : NET_GSO_TCPV4,
			.gso_size = 1000,
		};
	}
	net_link_test_hear(&bed.link, frame, &like);
}

/* It came in @queue, with this hash and no other. */
static void assert_came_hashed(unsigned queue, uint32_t size, enum shape shape,
			       bool six, bool tcp, uint32_t hash)
{
	assert_came_bytes(queue, frame, size);
	assert_true(bed.heard.flags & NETRXF_EXTRA);
	assert_true(bed.heard.hashed);
	assert_int_equal(bed.heard.hash_algorithm, 1);
	assert_int_equal(bed.heard.hash_type, (six ? 2 : 0) + tcp);
	assert_int_equal(bed.heard.hash, hash);
	assert_int_equal(bed.heard.gso, shape == TCP_CUT ? 1 + six : 0);
	assert_int_equal(bed.heard.gso_size, shape == TCP_CUT ? 1000 : 0);
	assert_int_equal(bed.heard.slots,
			 (size + PAGE - 1) / PAGE + 1 + (shape == TCP_CUT));
}

static void post_all(unsigned n)
{
	for (unsigned queue = 0; queue < bed.front.queues; queue++)
		netfront_post(&bed.front, queue, n);
	netfront_push(&bed.front);
	run();
}

/* -- What is offered -------------------------------------------------------- */

static void offered_where_there_is_room(void **state)
{
	static const struct {
		struct net_bed_conf conf;
		const char *offered;
	} rows[] = {
		{{.ring_pages = 2}, "0"},
		{{.ring_pages = 3}, "1"},
		{{.ring_pages = 8, .queues = 4}, "0"},
		{{.ring_pages = 9, .queues = 4}, "1"},
		{{.data_pages = 34}, "0"},
		{{.data_pages = 35}, "1"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		for (unsigned has = 0; has <= 1; has++) {
			struct net_bed_conf conf = rows[i].conf;

			conf.front.control = has;
			conf.front.split = true;
			conf.front.queues = conf.queues > 1 ? conf.queues : 0;
			up(&conf);
			assert_string_equal(net_bed_back_key(&bed, "feature-ctrl-ring"),
					    rows[i].offered);
			assert_int_equal(bed.pv.control.open,
					 has && *rows[i].offered == '1');
			serves();
			down();
		}
	}
}

/* A ring that is named and is none: the device fails, and all of it is given back. */
static void names_that_are_none(void **state)
{
	static const struct {
		const char *key, *value;
	} rows[] = {
		{"ctrl-ring-ref", "x"},
		{"ctrl-ring-ref", "8000"},
		{"event-channel-ctrl", NULL},
		{"event-channel-ctrl", "63"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		const struct net_bed_conf conf = with_control(plain);

		net_bed_init(&bed, &conf);
		assert_int_equal(net_bed_start(&bed), 0);
		netfront_connect(&bed.front);
		netfront_key(&bed.front, rows[i].key, rows[i].value);
		assert_int_equal(net_pv_connect(&bed.pv, false, loopxen_now(bed.x)),
				 KEYS_FAILED);
		assert_int_equal(loopxen_back_holds(bed.back), 0);
		assert_true(netfront_disconnect(&bed.front));
		net_bed_end(&bed);
		assert_int_equal(net_bed_fini(&bed), 0);
	}
}

static void tells_what_it_has(void **state)
{
	(void)state;
	up_control(&plain);
	asks(GET_FLAGS, 0, 0, 0, NOT_SUPPORTED);
	asks(SET_FLAGS, 1, 0, 0, NOT_SUPPORTED);
	asks(SET_ALGORITHM, 2, 0, 0, INVALID);
	asks(SET_ALGORITHM, 1, 0, 0, SUCCESS);
	assert_int_equal(asks(GET_FLAGS, 0, 0, 0, SUCCESS), 15);
	assert_int_equal(asks(GET_MAPPING_SIZE, 0, 0, 0, SUCCESS), NETIF_MAPPING_MAX);
	asks(0, 0, 0, 0, NOT_SUPPORTED);
	asks(11, 1, 2, 3, NOT_SUPPORTED);
	assert_int_equal(bed.pv.stats.controls, 8);
	serves();
	down();
}

/* -- What is done ------------------------------------------------------------ */

static void spreads_by_the_table(void **state)
{
	static const uint32_t table[11] = {3, 3, 0, 1, 2, 0, 1, 3, 2, 2, 0};
	unsigned came[4] = {0};

	(void)state;
	up_control(&four);
	set_hash(15);
	set_table(table, COUNT(table));
	post_all(250);
	for (uint16_t port = 1; port <= 60; port++) {
		for (unsigned six = 0; six <= 1; six++) {
			enum shape shape = port % 3;
			bool tcp = shape != UDP;
			uint32_t size = make(shape, six, port, port * 131u), hash, at;

			hash = expected_hash(frame, six, tcp);
			at = table[hash % COUNT(table)];
			hear_like(size, shape, six);
			run();
			assert_came_hashed(at, size, shape, six, tcp, hash);
			came[at]++;
			post(at, bed.heard.slots);
		}
	}
	for (unsigned queue = 0; queue < 4; queue++) {
		assert_true(came[queue]);
		assert_nothing_came(queue);
	}
	down();
}

/* No table: by the rest. What has no hash comes as it would without, and says none. */
static void spreads_by_the_rest(void **state)
{
	(void)state;
	up_control(&four);
	set_hash(5); /* of IP alone */
	post_all(100);
	for (uint16_t port = 1; port <= 40; port++) {
		bool six = port % 2;
		uint32_t size = make(TCP, six, port, 100), hash;

		frame[30 + (six ? 20 : 0)] ^= (uint8_t)port;
		hash = expected_hash(frame, six, false);
		hear_like(size, TCP, six);
		run();
		assert_came_hashed(hash % 4, size, TCP, six, false, hash);
		hear_on(port % 4, 100, port);
		run();
		assert_came(port % 4, 100, port);
		assert_false(bed.heard.hashed);
		assert_int_equal(bed.heard.flags & NETRXF_EXTRA, 0);
	}
	down();
}

/* While frames wait, the hash changes: what is said of each is what it came with. */
static void frames_that_wait(void **state)
{
	uint32_t size, hash;

	(void)state;
	up_control(&four);
	size = make(TCP, false, 5, 100);
	hear_like(size, TCP, false);
	run();
	set_hash(15);
	set_table((const uint32_t[]){2}, 1);
	size = make(TCP, false, 5, 100);
	hash = expected_hash(frame, false, true);
	hear_like(size, TCP, false);
	run();
	asks(SET_ALGORITHM, 0, 0, 0, SUCCESS);
	hear_like(size, TCP, false);
	post_all(10);
	assert_came_bytes(0, frame, size);
	assert_false(bed.heard.hashed);
	assert_came_bytes(0, frame, size);
	assert_false(bed.heard.hashed);
	assert_came_hashed(2, size, TCP, false, true, hash);
	for (unsigned queue = 0; queue < 4; queue++)
		assert_nothing_came(queue);
	down();
}

/* Who has fewer slots than a frame and its extras need waits for all of them. */
static void extras_need_slots(void **state)
{
	uint32_t size, hash;

	(void)state;
	up_control(&plain);
	set_hash(15);
	size = make(TCP_CUT, true, 7, 9000);
	hash = expected_hash(frame, true, true);
	hear_like(size, TCP_CUT, true);
	post(0, 4);
	run();
	assert_nothing_came(0);
	assert_int_equal(bed.pv.queue[0].lacks, 5);
	post(0, 1);
	run();
	assert_came_hashed(0, size, TCP_CUT, true, true, hash);
	down();
}

/* -- What it costs ------------------------------------------------------------ */

static void requests_pay(void **state)
{
	uint64_t start;

	(void)state;
	up_control(&(struct net_bed_conf){.operations = {10, 1}});
	start = loopxen_now(bed.x);
	for (unsigned i = 0; i < 101; i++)
		ask(GET_MAPPING_SIZE, 0, 0, 0);
	push_run();
	assert_in_range(loopxen_now(bed.x) - start, 10 * SECOND - 1000,
			10 * SECOND + 1000);
	for (unsigned i = 0; i < 101; i++)
		assert_asked(SUCCESS);
	down();
}

/* One request a turn, and none of them takes a queue's place in the rates. */
static void a_flood_delays_nobody(void **state)
{
	unsigned sent = 0, asked = 0;
	uint32_t status, data;
	int got;

	(void)state;
	up_control(&plain);
	for (unsigned i = 0; i < NETFRONT_CONTROL; i++)
		ask(GET_MAPPING_SIZE, 0, 0, 0);
	netfront_push(&bed.front);
	for (unsigned i = 0; i < 50; i++) {
		put(0, 60, i);
		netfront_push(&bed.front);
		assert_int_equal(net_bed_turn(&bed), 0);
		assert_done(0, RSP_OKAY);
		assert_asked(SUCCESS);
		assert_not_asked();
	}
	down();
	up_control(&(struct net_bed_conf){.operations = {10, 1}});
	for (unsigned i = 0; i < 100; i++) {
		ask(GET_MAPPING_SIZE, 0, 0, 0);
		put(0, 60, i);
	}
	netfront_push(&bed.front);
	for (unsigned i = 0; i < 60; i++) {
		run_now();
		loopxen_advance(bed.x, SECOND / 10 + 1);
	}
	while (netfront_done(&bed.front, 0, &got))
		sent++;
	while (netfront_asked(&bed.front, &status, &data))
		asked++;
	assert_in_range(sent, 28, 32);
	assert_in_range(asked, 28, 32);
	down();
}

static void tells_of_answers(void **state)
{
	struct evport port;

	(void)state;
	up_control(&plain);
	port = bed.front.control.port;
	assert_not_asked();
	loopxen_fired(bed.x, bed.dev.front, port);
	ask(GET_MAPPING_SIZE, 0, 0, 0);
	netfront_push(&bed.front);
	run();
	assert_true(loopxen_fired(bed.x, bed.dev.front, port));
	assert_false(loopxen_fired(bed.x, bed.dev.front, bed.front.queue[0].tx_port));
	/* Nobody waits for it. */
	ask(GET_MAPPING_SIZE, 0, 0, 0);
	netfront_push(&bed.front);
	run();
	assert_false(loopxen_fired(bed.x, bed.dev.front, port));
	down();
}

/* -- Its life ------------------------------------------------------------------ */

/* What was asked of one that died is done by its successor, which has no hash. */
static void a_successor_has_none(void **state)
{
	uint32_t size;

	(void)state;
	up_control(&four);
	set_hash(15);
	set_table((const uint32_t[]){3}, 1);
	ask(GET_FLAGS, 0, 0, 0);
	ask(SET_MAPPING, named.v, 1, 0);
	netfront_push(&bed.front);
	net_bed_kill(&bed);
	assert_int_equal(net_bed_follow(&bed), 0);
	run();
	assert_asked(NOT_SUPPORTED);
	assert_asked(INVALID);
	assert_not_asked();
	post_all(4);
	size = make(TCP, false, 5, 100);
	hear_like(size, TCP, false);
	run();
	assert_came_bytes(0, frame, size);
	assert_false(bed.heard.hashed);
	/* And may be asked for one. */
	set_hash(15);
	set_table((const uint32_t[]){3}, 1);
	size = make(TCP, false, 5, 100);
	hear_like(size, TCP, false);
	run();
	assert_came_hashed(3, size, TCP, false, true,
			   expected_hash(frame, false, true));
	down();
}

static void the_next_client_has_none(void **state)
{
	uint32_t size;

	(void)state;
	up_control(&four);
	set_hash(15);
	set_table((const uint32_t[]){3}, 1);
	net_pv_detach(&bed.pv);
	run();
	net_bed_reconnect(&bed);
	assert_int_equal(bed.pv.control.hash.algorithm, NETIF_HASH_NONE);
	asks(GET_FLAGS, 0, 0, 0, NOT_SUPPORTED);
	post_all(4);
	size = make(TCP, false, 5, 100);
	hear_like(size, TCP, false);
	run();
	assert_came_bytes(0, frame, size);
	assert_false(bed.heard.hashed);
	down();
}

/* One that waits for a rate when the device goes stays in the ring. */
static void goes_while_it_waits(void **state)
{
	(void)state;
	up_control(&(struct net_bed_conf){.operations = {1, 1}});
	for (unsigned i = 0; i < 3; i++)
		ask(GET_MAPPING_SIZE, 0, 0, 0);
	netfront_push(&bed.front);
	run_now();
	assert_asked(SUCCESS);
	assert_int_equal(bed.pv.control.state, NET_PV_CONTROL_TAKEN);
	net_pv_detach(&bed.pv);
	run();
	net_bed_end(&bed);
	assert_int_equal(net_bed_follow(&bed), 0);
	run();
	assert_asked(SUCCESS);
	assert_asked(SUCCESS);
	assert_not_asked();
	down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offered_where_there_is_room),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(tells_what_it_has),
		cmocka_unit_test(spreads_by_the_table),
		cmocka_unit_test(spreads_by_the_rest),
		cmocka_unit_test(frames_that_wait),
		cmocka_unit_test(extras_need_slots),
		cmocka_unit_test(requests_pay),
		cmocka_unit_test(a_flood_delays_nobody),
		cmocka_unit_test(tells_of_answers),
		cmocka_unit_test(a_successor_has_none),
		cmocka_unit_test(the_next_client_has_none),
		cmocka_unit_test(goes_while_it_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
