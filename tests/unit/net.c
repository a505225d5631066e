/* SPDX-License-Identifier: MIT */
/* backends/net/net.c: what becomes of a client's frames. What comes: net_hear.c. */
#include "tests/unit/net_scene.h"

/* The Internet checksum over @bytes from @at on, beginning with @sum; not inverted. */
static uint16_t sum_of(const uint8_t *at, uint32_t bytes, uint32_t sum)
{
	for (uint32_t i = 0; i < bytes; i++)
		sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* -- What may leave -------------------------------------------------------- */

static void leaves_as_it_is(void **state)
{
	static const uint32_t sizes[] = {14, 15, 60, 1513, 1514};

	(void)state;
	scene_up();
	for (unsigned i = 0; i < COUNT(sizes); i++) {
		struct net_link_frame *frame;
		struct net_offload none = {0};

		send_plain(net_frames_plain(next_bytes(), sizes[i], i));
		frame = expect_left();
		assert_memory_equal(&frame->offload, &none, sizeof(none));
		free(frame);
	}
	assert_int_equal(scene.net.stats.sent, 5);
	assert_int_equal(scene.net.stats.sent_bytes, 14 + 15 + 60 + 1513 + 1514);
	assert_int_equal(scene.net.out, 0);
}

static void what_is_no_frame(void **state)
{
	(void)state;
	scene_up();
	for (uint32_t size = 0; size < NET_HEADER; size++) {
		net_frames_plain(next_bytes(), 14, 1);
		send_plain(size);
		expect_home(NET_MALFORMED);
	}
	assert_int_equal(scene.net.stats.malformed, NET_HEADER);
	assert_null(net_link_test_seen(&scene.link));
}

/* Each rule that a frame breaks alone; counted, and remembered with what it was.
 * [utest->req~client-sends-as-itself~1] */
static void each_refusal_is_counted(void **state)
{
	char text[512];
	uint8_t *at;

	(void)state;
	assert_true(net_addresses_parse(NET_FRAMES_IP, &scene.policy.rules.addresses));
	scene.policy.offloads = false;
	scene_up();
	at = next_bytes();
	net_frames_plain(at, 60, 1);
	at[11] = 3;
	send_plain(60);
	expect_refused(NET_SPOOFED_MAC, 1);
	at = next_bytes();
	send_plain(net_frames_tag(at, net_frames_tcp(at, false, 10, 1), 0x8100, 9));
	expect_refused(NET_SPOOFED_VLAN, 1);
	send_plain(net_frames_tcp(next_bytes(), true, 10, 1));
	expect_refused(NET_SPOOFED_ADDRESS, 1);
	at = next_bytes();
	net_frames_tcp(at, false, 10, 1);
	net_frames_to_group(at, 7);
	send_plain(64);
	expect_refused(NET_NO_MULTICAST, 1);
	at = next_bytes();
	net_frames_tcp(at, false, 10, 1);
	net_frames_to_all(at);
	send_plain(64);
	expect_refused(NET_NO_BROADCAST, 1);
	send_as(0, net_frames_tcp(next_bytes(), false, 3000, 1), true,
		(struct net_offload){.gso = NET_GSO_TCPV4, .gso_size = 1000});
	expect_refused(NET_NO_OFFLOADS, 1);
	send_plain(net_frames_tcp(next_bytes(), false, 1461, 1));
	expect_refused(NET_TOO_LONG, 1);
	send_plain(net_frames_tcp(next_bytes(), false, 1460, 1));
	free(expect_left());
	net_refusals_text(&scene.net.refusals, text, sizeof(text));
	assert_string_equal(text, "MAC 02:00:00:00:00:03 (1), VLAN 9 (1), "
				  "address 2001:db8::2 (1), multicast (1), "
				  "broadcast (1), offload (1), longer than MTU (1)");
}

/* The first rule that is broken is the one that is told: rules, offloads, length. */
static void one_refusal_a_frame(void **state)
{
	struct net_offload cut = {.gso = NET_GSO_TCPV4, .gso_size = 9000};
	uint8_t *at;

	(void)state;
	scene.policy.offloads = false;
	scene_up();
	at = next_bytes();
	net_frames_tcp(at, false, 20000, 1);
	net_frames_to_all(at);
	at[11] = 9;
	send_as(0, 20054, true, cut);
	expect_refused(NET_SPOOFED_MAC, 1);
	at = next_bytes();
	net_frames_tcp(at, false, 20000, 1);
	net_frames_to_all(at);
	send_as(0, 20054, true, cut);
	expect_refused(NET_NO_BROADCAST, 1);
	send_as(0, net_frames_tcp(next_bytes(), false, 20000, 1), true, cut);
	expect_refused(NET_NO_OFFLOADS, 1);
	for (unsigned i = 0, n = 0; i < NET_VERDICTS; i++) {
		n += (unsigned)scene.net.stats.refused[i];
		assert_true(i < NET_VERDICTS - 1 || n == 3);
	}
	assert_int_equal(scene.net.stats.malformed, 0);
}

/* An MTU counts what is behind Ethernet's header and the tags. */
static void mtu(void **state)
{
	static const struct {
		uint16_t tags[2];
		uint32_t beside;
	} rows[] = {
		{{0, 0}, 14},
		{{0x8100, 0}, 18},
		{{0x88a8, 0x8100}, 22},
		{{0x88a8, 0}, 22},
	};
	uint64_t long_ones = 0;

	(void)state;
	scene.policy.mtu = 576;
	scene.policy.rules.vlans.any = true;
	scene_up();
	for (unsigned i = 0; i < COUNT(rows); i++) {
		for (uint32_t more = 0; more <= 1; more++) {
			uint32_t size = 576 + rows[i].beside + more;
			uint8_t *at = next_bytes();

			net_frames_plain(at, size, i);
			for (unsigned k = 2; k-- > 0;) {
				if (rows[i].tags[k])
					net_frames_tag(at, size, rows[i].tags[k], 5);
			}
			send_plain(size);
			if (more)
				expect_refused(NET_TOO_LONG, ++long_ones);
			else
				free(expect_left());
		}
	}
	/* A priority tag is none that an MTU leaves out. */
	net_frames_tag(next_bytes(), net_frames_plain(next_bytes(), 591, 1), 0x8100, 0);
	send_plain(591);
	expect_refused(NET_TOO_LONG, ++long_ones);
}

/* What is cut counts as long as its segments are. */
static void mtu_of_segments(void **state)
{
	uint64_t long_ones = 0;

	(void)state;
	scene_up();
	for (unsigned six = 0; six <= 1; six++) {
		uint32_t header = six ? NET_FRAMES_TCPV6 : NET_FRAMES_TCP;
		struct net_offload cut = {.gso = six ? NET_GSO_TCPV6 : NET_GSO_TCPV4};

		for (uint16_t more = 0; more <= 1; more++) {
			struct net_link_frame *frame;

			cut.gso_size = (uint16_t)(1514 - header + more);
			send_as(0, net_frames_tcp(next_bytes(), six, 60000, 1), true,
				cut);
			if (more) {
				expect_refused(NET_TOO_LONG, ++long_ones);
				continue;
			}
			frame = expect_left();
			assert_int_equal(frame->offload.gso, cut.gso);
			assert_int_equal(frame->offload.gso_size, cut.gso_size);
			assert_int_equal(frame->offload.header, header);
			free(frame);
		}
	}
}

/* -- What is left to be done ----------------------------------------------- */

/* A sum that is blank is found, and named; nothing is written to it. */
static void finds_the_sum(void **state)
{
	static const struct {
		bool udp, six;
		uint16_t start, offset;
	} rows[] = {
		{false, false, 34, 16},
		{false, true, 54, 16},
		{true, false, 34, 6},
		{true, true, 54, 6},
	};

	(void)state;
	scene_up();
	for (unsigned i = 0; i < COUNT(rows); i++) {
		uint8_t *at = next_bytes(), before[200];
		struct net_link_frame *frame;
		uint32_t size = rows[i].udp ? net_frames_udp(at, rows[i].six, 50, i)
					    : net_frames_tcp(at, rows[i].six, 50, i);

		memcpy(before, at, size);
		send_as(0, size, true, (struct net_offload){0});
		frame = expect_left();
		assert_memory_equal(frame->bytes, before, size);
		assert_true(frame->offload.sum);
		assert_int_equal(frame->offload.start, rows[i].start);
		assert_int_equal(frame->offload.offset, rows[i].offset);
		free(frame);
	}
	/* What has none cannot be asked for it. */
	send_as(0, net_frames_plain(next_bytes(), 60, 1), true,
		(struct net_offload){0});
	expect_home(NET_MALFORMED);
}

/* A sum whose place was named keeps it, if that is in the frame. */
static void keeps_a_named_sum(void **state)
{
	struct net_offload named = {.sum = true, .start = 20, .offset = 38};
	struct net_link_frame *frame;

	(void)state;
	scene_up();
	send_as(0, net_frames_plain(next_bytes(), 60, 1), false, named);
	frame = expect_left();
	assert_true(frame->offload.sum);
	assert_int_equal(frame->offload.start, 20);
	assert_int_equal(frame->offload.offset, 38);
	free(frame);
	named.offset = 39;
	send_as(0, net_frames_plain(next_bytes(), 60, 1), false, named);
	expect_home(NET_MALFORMED);
	assert_null(net_link_test_seen(&scene.link));
}

/* A frame that is to be cut and has its sum: that of the pseudo header takes its place,
 * and no other byte changes. */
static void a_cut_frame_has_its_sum_made_anew(void **state)
{
	(void)state;
	scene_up();
	for (unsigned six = 0; six <= 1; six++) {
		struct net_offload cut = {.gso = six ? NET_GSO_TCPV6 : NET_GSO_TCPV4,
					  .gso_size = 1000};
		uint32_t tcp = six ? 54 : 34, size;
		uint8_t *at = next_bytes(), want[4096];
		struct net_link_frame *frame;
		uint16_t sum;

		size = net_frames_tcp(at, six, 3000, 1);
		memcpy(want, at, size);
		sum = six ? sum_of(at + 22, 32, 6 + 3020)
			  : sum_of(at + 26, 8, 6 + 3020);
		want[tcp + 16] = (uint8_t)(sum >> 8);
		want[tcp + 17] = (uint8_t)sum;
		send_as(0, size, false, cut);
		frame = expect_left();
		assert_memory_equal(frame->bytes, want, size);
		assert_true(frame->offload.sum);
		assert_int_equal(frame->offload.start, tcp);
		assert_int_equal(frame->offload.offset, 16);
		free(frame);
	}
}

/* What contradicts the frame is no frame at all. */
static void unsound_offloads(void **state)
{
	static const struct net_offload rows[] = {
		{.gso = NET_GSO_TCPV6, .gso_size = 1000},
		{.gso = NET_GSO_UDP, .gso_size = 1000},
		{.gso = NET_GSO_TCPV4, .gso_size = 0},
	};

	(void)state;
	scene_up();
	for (unsigned i = 0; i < COUNT(rows); i++) {
		send_as(0, net_frames_tcp(next_bytes(), false, 3000, 1), true, rows[i]);
		expect_home(NET_MALFORMED);
	}
	/* No payload that could be cut. */
	send_as(0, net_frames_tcp(next_bytes(), false, 0, 1), true,
		(struct net_offload){.gso = NET_GSO_TCPV4, .gso_size = 1000});
	expect_home(NET_MALFORMED);
	assert_int_equal(scene.net.stats.malformed, 4);
	assert_null(net_link_test_seen(&scene.link));
}

/* With Offloads = no a sum is still left undone: that is no frame that grows. */
static void no_offloads_leaves_sums(void **state)
{
	struct net_link_frame *frame;

	(void)state;
	scene.policy.offloads = false;
	scene_up();
	send_as(0, net_frames_tcp(next_bytes(), false, 100, 1), true,
		(struct net_offload){0});
	frame = expect_left();
	assert_true(frame->offload.sum);
	free(frame);
}

/* -- Its way and its end --------------------------------------------------- */

static void queues_are_spread(void **state)
{
	(void)state;
	scene.client.queues = 5;
	scene_open(3);
	scene_connect();
	for (unsigned queue = 0; queue < 5; queue++) {
		struct net_link_frame *frame;

		send_as(queue, net_frames_plain(next_bytes(), 60, queue), false,
			(struct net_offload){0});
		frame = expect_left();
		assert_int_equal(frame->queue, queue % 3);
		free(frame);
	}
}

/* Each comes home when it left, and as it left. */
static void comes_home_once(void **state)
{
	(void)state;
	scene_open(1);
	scene.link.holds = true;
	scene_connect();
	for (unsigned i = 0; i < 3; i++)
		send_plain(net_frames_plain(next_bytes(), 100 + i, i));
	assert_int_equal(scene.homes, 0);
	assert_int_equal(scene.net.out, 3);
	net_link_test_leave(&scene.link, 0);
	net_link_test_leave(&scene.link, -EIO);
	net_link_test_leave(&scene.link, 0);
	assert_int_equal(scene.homes, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_ptr_equal(scene.who[i], &scene.tx[i]);
		assert_int_equal(scene.home[i], i == 1 ? NET_LOST : NET_SENT);
	}
	assert_int_equal(scene.net.out, 0);
	assert_int_equal(scene.net.stats.lost, 1);
	assert_int_equal(scene.net.stats.sent, 2);
	assert_int_equal(scene.net.stats.sent_bytes, 202);
}

/* What the link has comes home after the client is gone, too. */
static void disconnect_with_frames_out(void **state)
{
	(void)state;
	scene_open(1);
	scene.link.holds = true;
	scene_connect();
	send_plain(net_frames_plain(next_bytes(), 100, 1));
	send_plain(net_frames_plain(next_bytes(), 100, 2));
	assert_int_equal(net_disconnect(&scene.net), 0);
	assert_false(scene.link.carrier);
	assert_int_equal(scene.net.out, 2);
	assert_int_equal(net_due(&scene.net), UINT64_MAX);
	net_link_test_leave_all(&scene.link);
	assert_int_equal(scene.homes, 2);
	assert_int_equal(scene.net.out, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(leaves_as_it_is),
		scene_test(what_is_no_frame),
		scene_test(each_refusal_is_counted),
		scene_test(one_refusal_a_frame),
		scene_test(mtu),
		scene_test(mtu_of_segments),
		scene_test(finds_the_sum),
		scene_test(keeps_a_named_sum),
		scene_test(a_cut_frame_has_its_sum_made_anew),
		scene_test(unsound_offloads),
		scene_test(no_offloads_leaves_sums),
		scene_test(queues_are_spread),
		scene_test(comes_home_once),
		scene_test(disconnect_with_frames_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
