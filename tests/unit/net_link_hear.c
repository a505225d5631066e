/* SPDX-License-Identifier: MIT */
/* backends/net/net-link-tap.c, on real taps: frames from the host, and several queues.
 */

#include "tests/unit/needs.h"
#include "tests/unit/net_link_scene.h"

static uint8_t got[ROOM];
static struct virtio_net_hdr header;

/* -- From the host ---------------------------------------------------------------- */

static void frames_come(void **state)
{
	static const size_t sizes[] = {14, 60, 61, 1514};
	size_t bytes = 0;

	(void)state;
	ready(ONE, 1);
	net_link_more(t.link, 0);
	assert_int_equal(t.rooms, 2);
	net_link_more(t.link, 0); /* as it is said anyway */
	assert_int_equal(t.rooms, 2);
	for (unsigned i = 0; i < 4; i++)
		host_says(i, sizes[i]);
	hear(4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(t.heard[i]->size, sizes[i]);
		assert_memory_equal(t.heard[i]->bytes, frames[i], sizes[i]);
		assert_false(t.heard[i]->offload.sum);
		assert_int_equal(t.heard[i]->offload.gso, NET_GSO_NONE);
		bytes += sizes[i];
	}
	assert_int_equal(t.link->stats.received, 4);
	assert_int_equal(t.link->stats.received_bytes, bytes);
	assert_int_equal(t.link->stats.unfit, 0);
}

/* 2, 4, 8 and so on to 64: a call of the kernel for each batch. */
static void many_come_in_few_turns(void **state)
{
	(void)state;
	ready(ONE, 1);
	for (unsigned i = 0; i < FRAMES; i++)
		host_says(i, 60);
	net_link_more(t.link, 0);
	assert_int_equal(hear(FRAMES), 9);
	for (unsigned i = 0; i < FRAMES; i++)
		assert_int_equal(t.heard[i]->bytes[15], i);
}

/* One by one: a turn each, but for a look in vain now and then. */
static void few_come_in_a_turn_each(void **state)
{
	unsigned turns = 0;

	(void)state;
	ready(ONE, 1);
	net_link_more(t.link, 0);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(loop_turn(&t.loop, false), 0);
		host_says(i, 60);
		turns += hear(i + 1);
	}
	assert_true(turns <= 100 + 2 * 100 / 8);
	assert_true(t.unuseds <= 2 + 100 / 8);
	/* And nothing is held that is not needed. */
	assert_true(t.given - t.heards <= 2);
}

/* After a burst, too. */
static void a_burst_is_forgotten(void **state)
{
	(void)state;
	ready(ONE, 1);
	for (unsigned i = 0; i < 200; i++)
		host_says(i, 60);
	net_link_more(t.link, 0);
	hear(200);
	for (unsigned i = 200; i < 204; i++) {
		assert_int_equal(loop_turn(&t.loop, false), 0);
		host_says(i, 60);
		hear(i + 1);
	}
	assert_true(t.given - t.heards <= 2);
}

/* Whatever is in the way: in order, once each, and a buffer home for each. */
static void in_order_at_any_pace(void **state)
{
	unsigned said = 0;

	(void)state;
	ready(ONE, 1);
	net_link_more(t.link, 0);
	for (unsigned step = 1; said < FRAMES; step = step * 5 % 37) {
		for (unsigned i = 0; i < step && said < FRAMES; i++)
			host_says(said++, 60);
		assert_int_equal(loop_turn(&t.loop, false), 0);
	}
	hear(FRAMES);
	for (unsigned i = 0; i < FRAMES; i++)
		assert_int_equal(t.heard[i]->bytes[15], i);
}

static void without_room_nothing_is_asked(void **state)
{
	(void)state;
	ready(ONE, 1);
	t.limit = 3;
	for (unsigned i = 0; i < 10; i++)
		host_says(i, 60);
	assert_int_equal(loop_turn(&t.loop, false), 0);
	assert_int_equal(t.rooms, 0); /* before the first net_link_more() */
	net_link_more(t.link, 0);
	hear(3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(loop_turn(&t.loop, false), 0);
	assert_int_equal(t.heards, 3);
	assert_int_equal(t.nones, 1);
	t.limit = 5;
	net_link_more(t.link, 0);
	hear(5);
	assert_int_equal(t.nones, 2);
	t.limit = INS;
	net_link_more(t.link, 0);
	hear(10);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(t.heard[i]->bytes[15], i);
}

static void too_large_for_its_buffer(void **state)
{
	(void)state;
	ready(ONE, 1);
	t.room = 100;
	net_link_more(t.link, 0);
	host_says(0, 101);
	host_says(1, 100);
	host_says(2, 1514);
	host_says(3, 99);
	hear(2);
	assert_int_equal(t.heard[0]->size, 100);
	assert_memory_equal(t.heard[0]->bytes, frames[1], 100);
	assert_int_equal(t.heard[1]->size, 99);
	assert_int_equal(t.link->stats.unfit, 2);
	assert_int_equal(t.link->stats.received, 2);
}

static void offloads_come(void **state)
{
	const struct net_in *in;

	(void)state;
	ready(ONE, 1);
	assert_int_equal(net_link_offloads(t.link, NET_LINK_TSO4), -EINVAL);
	assert_int_equal(net_link_offloads(t.link, ALL), 0);
	net_link_more(t.link, 0);
	assert_true(host_send(t.host, &cut, tcp(PAYLOAD, 1), TCP + 20 + PAYLOAD));
	hear(1);
	in = t.heard[0];
	assert_int_equal(in->size, TCP + 20 + PAYLOAD);
	assert_memory_equal(in->bytes, frames[0], in->size);
	assert_true(in->validated);
	assert_true(in->offload.sum);
	assert_int_equal(in->offload.start, TCP);
	assert_int_equal(in->offload.offset, 16);
	assert_int_equal(in->offload.gso, NET_GSO_TCPV4);
	assert_int_equal(in->offload.gso_size, 1000);
	assert_int_equal(in->offload.header, TCP + 20);
}

/* UDP, of a kernel that can: whole, and the way back; without it cut by the kernel. */
static void udp_comes_uncut(void **state)
{
	struct virtio_net_hdr udp_cut = cut;
	const struct net_in *in;

	(void)state;
	ready(ONE, 1);
	if (!(t.link->offloads & NET_LINK_USO)) {
		print_message("needs a tap of Linux 6.2\n");
		skip();
	}
	udp_cut.gso_type = 5;
	udp_cut.hdr_len = TCP + 8;
	udp_cut.csum_offset = 6;
	assert_int_equal(net_link_offloads(t.link, ALL | NET_LINK_USO), 0);
	net_link_more(t.link, 0);
	assert_true(host_send(t.host, &udp_cut, udp(PAYLOAD), TCP + 8 + PAYLOAD));
	hear(1);
	in = t.heard[0];
	assert_int_equal(in->size, TCP + 8 + PAYLOAD);
	assert_memory_equal(in->bytes, frames[0], in->size);
	assert_int_equal(in->offload.gso, NET_GSO_UDP);
	assert_int_equal(in->offload.gso_size, 1000);
	assert_int_equal(in->offload.header, TCP + 8);
	assert_int_equal(net_link_offloads(t.link, ALL), 0);
	assert_true(host_send(t.host, &udp_cut, udp(PAYLOAD), TCP + 8 + PAYLOAD));
	hear(1 + PAYLOAD / 1000);
	assert_int_equal(t.heard[1]->offload.gso, NET_GSO_NONE);
	assert_int_equal(t.heard[1]->size, TCP + 8 + 1000);
}

/* A sum alone, then not even that. */
static void offloads_that_were_not_asked_for(void **state)
{
	(void)state;
	ready(ONE, 1);
	net_link_more(t.link, 0);
	for (unsigned offloads = NET_LINK_CSUM, n = 5;; offloads = 0, n += 5) {
		assert_int_equal(net_link_offloads(t.link, offloads), 0);
		assert_true(
			host_send(t.host, &cut, tcp(PAYLOAD, 1), TCP + 20 + PAYLOAD));
		hear(n);
		for (unsigned i = n - 5; i < n; i++) {
			const struct net_in *in = t.heard[i];

			assert_int_equal(in->size, TCP + 20 + 1000);
			assert_int_equal(in->offload.gso, NET_GSO_NONE);
			assert_true(in->offload.sum
					    ? offloads
					    : sum_is_right(in->bytes, in->size));
		}
		if (!offloads)
			break;
	}
}

static void nobody_hears_without_a_carrier(void **state)
{
	(void)state;
	ready(ONE, 1);
	net_link_more(t.link, 0);
	assert_int_equal(net_link_carrier(t.link, false), 0);
	assert_false(host_has_carrier(TAP));
	host_send(t.host, NULL, plain(0, 60), 60);
	assert_int_equal(net_link_carrier(t.link, true), 0);
	assert_true(host_has_carrier(TAP));
	host_says(1, 60);
	hear(1);
	assert_int_equal(t.heard[0]->bytes[15], 1);
}

/* -- Several queues ---------------------------------------------------------------- */

static void flows_have_their_queues(void **state)
{
	unsigned heard[4] = {0}, used = 0;

	(void)state;
	ready(MANY, 4);
	for (unsigned queue = 0; queue < 4; queue++)
		net_link_more(t.link, queue);
	for (unsigned port = 0; port < 64; port++)
		assert_true(host_send(t.host, NULL, tcp(10, 1000 + port), TCP + 30));
	hear(64);
	for (unsigned i = 0; i < 64; i++)
		heard[t.heard[i]->queue]++;
	for (unsigned queue = 0; queue < 4; queue++)
		used += heard[queue] > 0;
	assert_true(used > 1);
}

/* What is asked of one says nothing of another. */
static void queues_starve_alone(void **state)
{
	(void)state;
	ready(MANY, 2);
	net_link_more(t.link, 1);
	for (unsigned port = 0; port < 64; port++)
		assert_true(host_send(t.host, NULL, tcp(10, 1000 + port), TCP + 30));
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_turn(&t.loop, false), 0);
	assert_true(t.heards > 0 && t.heards < 64);
	for (unsigned i = 0; i < t.heards; i++)
		assert_int_equal(t.heard[i]->queue, 1);
	net_link_more(t.link, 0);
	hear(64);
}

static void any_queue_sends(void **state)
{
	(void)state;
	ready(MANY, 16);
	for (unsigned i = 0; i < 16; i++) {
		send_plain(i, 60, i);
		sent(i + 1);
		assert_int_equal(host_hear(t.host, &header, got, sizeof(got)), 60);
		assert_int_equal(got[15], i);
	}
}

/* Which queue a flow is sent from is where its answers come. */
static void answers_come_to_their_queue(void **state)
{
	uint8_t mac[6], *f;

	(void)state;
	ready(MANY, 4);
	for (unsigned queue = 0; queue < 4; queue++)
		net_link_more(t.link, queue);
	for (unsigned i = 0; i < 4; i++) {
		f = tcp(10, 1000 + i);
		outs[i] = (struct net_out){.bytes = f, .size = TCP + 30, .queue = i};
		net_link_send(t.link, &outs[i]);
		sent(i + 1);
		memcpy(mac, f, 6);
		memcpy(f, f + 6, 6);
		memcpy(f + 6, mac, 6);
		memcpy(f + L3 + 12, "\x0a\0\0\2\x0a\0\0\1", 8);
		put16(f + TCP, 80);
		put16(f + TCP + 2, 1000 + i);
		assert_true(host_send(t.host, NULL, f, TCP + 30));
		hear(i + 1);
		assert_int_equal(t.heard[i]->queue, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_come),
		TEST(many_come_in_few_turns),
		TEST(few_come_in_a_turn_each),
		TEST(a_burst_is_forgotten),
		TEST(in_order_at_any_pace),
		TEST(without_room_nothing_is_asked),
		TEST(too_large_for_its_buffer),
		TEST(offloads_come),
		TEST(udp_comes_uncut),
		TEST(offloads_that_were_not_asked_for),
		TEST(nobody_hears_without_a_carrier),
		TEST(flows_have_their_queues),
		TEST(queues_starve_alone),
		TEST(any_queue_sends),
		TEST(answers_come_to_their_queue),
	};
	const char *why = needs_io_uring() ? host_enter() : "no io_uring here";

	if (why)
		return needs_skip_all(tests, sizeof(tests) / sizeof(tests[0]), why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
