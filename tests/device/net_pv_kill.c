/* SPDX-License-Identifier: MIT */
/*
 * A process that is killed just before any of its writes to a ring, or in the middle of
 * it: its successor answers each entry that was not answered, once, and as what it is.
 */
#include "tests/device/net-control.h"
#include "tests/hook/shared-hook.h"

#define PACKETS	 6
#define SLOTS	 12
#define REQUESTS 3

static const struct net_bed_conf conf;

/* The rings as the process leaves them that dies at its write number @at. */
static struct {
	uint64_t at, writes;
	bool half, hit;
	uint8_t tx[PAGE], rx[PAGE], control[PAGE];
} death;

static uint8_t *put_in(const uint8_t *page, uint8_t *copy, const uint8_t *at)
{
	return at >= page && at < page + PAGE ? copy + (at - page) : NULL;
}

static void die(const volatile void *p, const void *src, size_t len)
{
	const struct netfront_queue *q = &bed.front.queue[0];
	const uint8_t *at = loopxen_back_client_view(bed.back, p);
	uint8_t *copy;

	if (!at || death.writes++ != death.at)
		return;
	death.hit = true;
	memcpy(death.tx, q->tx.page, PAGE);
	memcpy(death.rx, q->rx.page, PAGE);
	memcpy(death.control, bed.front.control.ring.page, PAGE);
	copy = put_in(q->tx.page, death.tx, at);
	if (!copy)
		copy = put_in(q->rx.page, death.rx, at);
	if (!copy)
		copy = put_in(bed.front.control.ring.page, death.control, at);
	assert_non_null(copy);
	/* What is a word is written or not. */
	if (death.half && len > 4)
		memcpy(copy, src, len / 2);
}

static void send_tcp(bool six, uint32_t payload, bool hash)
{
	struct netfront_packet packet = {
		.bytes = frame,
		.size = net_frames_tcp(frame, six, payload, payload),
		.flags = NETTXF_BLANK,
		.gso = six ? 2 : 1,
		.gso_size = 1000,
		.hash = hash,
	};

	assert_true(netfront_send(&bed.front, 0, &packet));
}

static void hear_tcp(bool six, uint32_t payload)
{
	uint32_t size = net_frames_tcp(frame, six, payload, payload);
	struct net_link_frame like = {
		.size = size,
		.offload = {.sum = true,
			    .gso = six ? NET_GSO_TCPV6 : NET_GSO_TCPV4,
			    .gso_size = 1000},
	};

	net_frames_turn(frame);
	net_link_test_hear(&bed.link, frame, &like);
}

/* Of all shapes, in one batch; the last is an order of a group. Some frames have a hash
 * beside their order to cut. */
static void ask_all(void)
{
	static const uint8_t group[6] = {1, 0, 0x5e, 0, 0, 9};

	put(0, 100, 1);
	send_tcp(false, 9000, true);
	send_tcp(true, 600, false);
	put(0, 8000, 2);
	send_tcp(false, 4096, false);
	netfront_group(&bed.front, 0, group, true);
	for (unsigned i = 0; i < REQUESTS; i++)
		ask(GET_MAPPING_SIZE, 0, 0, 0);
	netfront_post(&bed.front, 0, SLOTS);
	hear(100, 1);
	hear_tcp(false, 9000);
	hear(5000, 2);
	hear_tcp(true, 700);
	netfront_push(&bed.front);
}

/* The process goes on to the end of its turns, and that was never so. */
static void run_and_die(void)
{
	struct netfront_queue *q = &bed.front.queue[0];

	death.writes = 0;
	death.hit = false;
	shared_hook_before_write = die;
	run();
	shared_hook_before_write = NULL;
	net_bed_kill(&bed);
	if (!death.hit)
		return;
	memcpy(q->tx.page, death.tx, PAGE);
	memcpy(q->rx.page, death.rx, PAGE);
	memcpy(bed.front.control.ring.page, death.control, PAGE);
}

/* Each packet is answered, once; in the ring nothing is left. The front end looks at
 * the rest: ids, extras, order. */
static void assert_all_answered(void)
{
	const struct netfront_queue *q = &bed.front.queue[0];
	int status;

	for (unsigned i = 0; i < PACKETS; i++)
		assert_true(netfront_done(&bed.front, 0, &status));
	assert_false(netfront_done(&bed.front, 0, &status));
	assert_int_equal(q->tx.rsp_cons, q->tx.req_prod);
	assert_false(q->begun);
	for (unsigned i = 0; i < REQUESTS; i++)
		assert_int_equal(assert_asked(SUCCESS), NETIF_MAPPING_MAX);
	assert_not_asked();
}

/* What came is right, or said to be lost: never other bytes. */
static void assert_frames_are_whole(void)
{
	while (netfront_heard(&bed.front, 0, &bed.heard)) {
		if (bed.heard.status < 0)
			continue;
		switch (bed.heard.size) {
		case 100:
			to_me(100, 1);
			break;
		case 5000:
			to_me(5000, 2);
			break;
		case 9054:
			net_frames_tcp(frame, false, 9000, 9000);
			net_frames_turn(frame);
			assert_int_equal(bed.heard.gso, 1);
			break;
		case 774:
			net_frames_tcp(frame, true, 700, 700);
			net_frames_turn(frame);
			assert_int_equal(bed.heard.gso, 2);
			break;
		default:
			fail_msg("a frame of %u bytes", bed.heard.size);
		}
		assert_memory_equal(bed.heard.bytes, frame, bed.heard.size);
	}
}

/* What left, before and after: packets that were sent, and no other bytes. */
static void assert_packets_are_whole(void)
{
	struct net_link_frame *out;

	while ((out = net_link_test_seen(&bed.link))) {
		switch (out->size) {
		case 100:
			net_frames_plain(frame, 100, 1);
			break;
		case 8000:
			net_frames_plain(frame, 8000, 2);
			break;
		case 9054:
			net_frames_tcp(frame, false, 9000, 9000);
			break;
		case 674:
			net_frames_tcp(frame, true, 600, 600);
			break;
		case 4150:
			net_frames_tcp(frame, false, 4096, 4096);
			break;
		default:
			fail_msg("a packet of %u bytes", out->size);
		}
		assert_memory_equal(out->bytes, frame, out->size);
		free(out);
	}
	for (unsigned i = 0; i < NET_VERDICTS; i++)
		assert_int_equal(bed.net.stats.refused[i], 0);
	assert_int_equal(bed.net.stats.malformed, 0);
}

static void at_each_write(void **state)
{
	uint64_t deaths = 0;

	(void)state;
	for (unsigned half = 0; half <= 1; half++) {
		death.half = half;
		for (death.at = 0;; death.at++) {
			const struct netfront_queue *q = &bed.front.queue[0];

			up_control(&conf);
			bed.front.halves = true;
			set_hash(15);
			ask_all();
			run_and_die();
			assert_int_equal(net_bed_follow(&bed), 0);
			run();
			assert_packets_are_whole();
			assert_all_answered();
			assert_frames_are_whole();
			assert_true(q->rx.req_prod - q->rx.rsp_cons <= SLOTS);
			/* The next ones are as if nothing had been. */
			bed.front.halves = false;
			put(0, 3000, 7);
			send_tcp(false, 9000, true);
			push_run();
			assert_left(3000, 7);
			net_frames_tcp(frame, false, 9000, 9000);
			assert_left_bytes(frame, 9054);
			assert_done(0, RSP_OKAY);
			assert_done(0, RSP_OKAY);
			post(0, 4);
			hear(9000, 5);
			run();
			assert_came(0, 9000, 5);
			down();
			if (!death.hit)
				break;
			deaths++;
		}
	}
	assert_true(deaths > 300);
	printf("%u deaths\n", (unsigned)deaths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_each_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
