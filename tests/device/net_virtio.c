/* SPDX-License-Identifier: MIT */
/*
 * A network device's virtio door: what it says it is, frames both ways with all that is
 * left undone, its orders, its life. What a hostile driver does is
 * net_virtio_hostile.c.
 */
#include "tests/device/net-virtio-cases.h"

/* -- What it is ----------------------------------------------------------------------
 */

static void what_it_is(void **state)
{
	const uint64_t always =
		NET_FRONT_F_MTU | NET_FRONT_F_MAC | NET_FRONT_F_MRG_RXBUF |
		NET_FRONT_F_STATUS | NET_FRONT_F_CTRL_VQ | NET_FRONT_F_CTRL_RX |
		NET_FRONT_F_CTRL_VLAN | NET_FRONT_F_ANNOUNCE | NET_FRONT_F_CTRL_MAC;
	const uint64_t host = NET_FRONT_F_CSUM | NET_FRONT_F_HOST_TSO4 |
			      NET_FRONT_F_HOST_TSO6 | NET_FRONT_F_HOST_USO;
	const uint64_t known = 0x0fffffff | NET_FRONT_F_HOST_USO | GUEST_ALL;
	const struct {
		struct net_bed_conf conf;
		uint64_t more;
	} rows[] = {
		{{0}, host | GUEST_ALL},
		{{.no_offloads = true}, 0},
		{{.link_without = NET_LINK_CSUM}, host},
		{{.link_without = NET_LINK_TSO6},
		 host | (GUEST_ALL & ~NET_FRONT_F_GUEST_TSO6)},
		{{.link_without = NET_LINK_USO},
		 (host & ~NET_FRONT_F_HOST_USO) |
			 (GUEST_ALL &
			  ~(NET_FRONT_F_GUEST_USO4 | NET_FRONT_F_GUEST_USO6))},
		{{.queues = 4, .mtu = 9000}, host | GUEST_ALL | NET_FRONT_F_MQ},
		{{.queues = 7}, host | GUEST_ALL | NET_FRONT_F_MQ},
		{{.speed = 2500}, host | GUEST_ALL},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct virtio_driver *d = &bed.vfront.v.driver;
		uint32_t queues = rows[i].conf.queues ? rows[i].conf.queues : 1;
		struct virtio_vqueue queue;
		struct virtio_info info;
		uint64_t offered;
		uint8_t config[12], speed[5];

		up_as(&rows[i].conf);
		assert_true(virtio_driver_info(d, &info));
		assert_int_equal(info.device, 1);
		assert_int_equal(info.queues, 2 * queues + 1);
		assert_int_equal(info.config_bytes, rows[i].conf.speed ? 17 : 12);
		assert_true(virtio_driver_get_features(d, &offered));
		assert_int_equal(offered & known, always | rows[i].more);
		assert_int_equal(offered >> 63, rows[i].conf.speed != 0);
		assert_true(virtio_driver_get_vqueue(d, 0, &queue));
		assert_int_equal(queue.max, 256);
		read_config(config);
		assert_memory_equal(config, "\2\0\0\0\0\2", 6);
		assert_int_equal(config[6], 1);
		assert_int_equal(config[8], queues);
		assert_int_equal(config[10] | config[11] << 8,
				 rows[i].conf.mtu ? rows[i].conf.mtu : 1500);
		if (rows[i].conf.speed) {
			read_config_at(12, 5, speed);
			assert_memory_equal(speed, "\xc4\x09\0\0\1", 5);
		}
		down();
	}
}

/* What it keeps for frames to the client is no more than the policy's pages, or than is
 * of use; and there is room for one at least. */
static void how_much_it_takes(void **state)
{
	static const struct {
		uint32_t pages, mtu;
		bool no_offloads;
		uint32_t slots;
	} rows[] = {
		{1024, 1500, false, 1024 / 17}, {17, 1500, false, 1},
		{64, 1500, true, 64},		{64, 9000, true, 64 / 3},
		{4096, 1500, true, 256},
	};
	struct net_bed_conf conf = {.door = POLICY_VIRTIO, .mode = POLICY_POOL};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		conf.data_pages = rows[i].pages;
		conf.mtu = rows[i].mtu;
		conf.no_offloads = rows[i].no_offloads;
		net_bed_init(&bed, &conf);
		assert_int_equal(net_bed_start(&bed), 0);
		assert_int_equal(bed.net.inbox.slots, rows[i].slots);
		net_bed_end(&bed);
		net_bed_fini(&bed);
	}
	conf = (struct net_bed_conf){
		.door = POLICY_VIRTIO, .mode = POLICY_POOL, .data_pages = 16};
	net_bed_init(&bed, &conf);
	assert_int_equal(net_bed_start(&bed), -EINVAL);
	net_bed_fini(&bed);
}

/* What needs another feature is not agreed to without it. */
static void features_alone(void **state)
{
	static const uint64_t rows[][2] = {
		{NET_FRONT_F_CSUM, NET_FRONT_F_HOST_TSO6},
		{NET_FRONT_F_CSUM, NET_FRONT_F_HOST_TSO4},
		{NET_FRONT_F_GUEST_CSUM, NET_FRONT_F_GUEST_TSO6},
		{NET_FRONT_F_GUEST_CSUM, NET_FRONT_F_GUEST_TSO4},
		{NET_FRONT_F_CSUM, NET_FRONT_F_HOST_USO},
		{NET_FRONT_F_GUEST_CSUM, NET_FRONT_F_GUEST_USO4},
		{NET_FRONT_F_GUEST_CSUM, NET_FRONT_F_GUEST_USO6},
		{NET_FRONT_F_CTRL_VQ, NET_FRONT_F_MQ},
		{NET_FRONT_F_CTRL_VQ, NET_FRONT_F_CTRL_RX},
		{NET_FRONT_F_CTRL_VQ, NET_FRONT_F_CTRL_VLAN},
		{NET_FRONT_F_CTRL_VQ, NET_FRONT_F_ANNOUNCE},
		{NET_FRONT_F_CTRL_VQ, NET_FRONT_F_CTRL_MAC},
	};

	(void)state;
	up_as(&(struct net_bed_conf){.queues = 2});
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct virtio_driver *d = &bed.vfront.v.driver;
		uint64_t got, base = DRIVER_FEATURE(32) | DRIVER_FEATURE(33);

		assert_false(virtio_driver_begin(d, base | rows[i][1], &got));
		assert_true(
			virtio_driver_begin(d, base | rows[i][1] | rows[i][0], &got));
	}
	assert_true(net_front_ready(&bed.vfront));
	down();
}

/* -- From the client -----------------------------------------------------------------
 */

/* However the driver cuts them: also within the header, and within Ethernet's. */
static void sends(void **state)
{
	static const uint32_t sizes[] = {14, 15, 60, 1000, 1513, 1514};
	static const uint32_t pieces[] = {0, 256, 1500};

	(void)state;
	up();
	for (unsigned i = 0; i < 6; i++) {
		for (unsigned k = 0; k < 3; k++) {
			bed.vfront.piece = pieces[k];
			net_frames_plain(frame, sizes[i], i);
			ask(&(struct net_front_header){0}, sizes[i]);
			assert_left(sizes[i], &(struct net_offload){0});
		}
	}
	for (uint32_t piece = 1; piece <= 140; piece++) {
		bed.vfront.piece = piece;
		net_frames_plain(frame, 128, piece);
		ask(&(struct net_front_header){0}, 128);
		assert_left(128, &(struct net_offload){0});
	}
	assert_int_equal(bed.virtio.stats.packets, 18 + 140);
	assert_int_equal(bed.virtio.stats.malformed, 0);
	down();
}

/* Many at once come home in order, and the memory they lie in goes around. */
static void sends_many(void **state)
{
	(void)state;
	up();
	for (unsigned n = 0; n < 40; n++) {
		for (uint16_t i = 0; i < 32; i++) {
			uint32_t size = net_frames_plain(frame, 1000 + i, i + n);

			assert_true(net_front_send(&bed.vfront, 0, i,
						   &(struct net_front_header){0}, frame,
						   size));
		}
		net_front_push(&bed.vfront);
		run();
		for (uint16_t i = 0; i < 32; i++) {
			assert_sent(i);
			net_frames_plain(frame, 1000 + i, i + n);
			assert_left(1000 + i, &(struct net_offload){0});
		}
	}
	assert_null(bed.virtio.pair[0].runs.first);
	down();
}

static void sends_undone(void **state)
{
	struct net_front_header header = {.flags = NET_FRONT_NEEDS_CSUM,
					  .header = 7777};
	struct net_offload offload = {.sum = true};
	uint32_t size;

	(void)state;
	up();
	size = net_frames_udp(frame, false, 500, 1);
	header.start = offload.start = 34;
	header.offset = offload.offset = 6;
	ask(&header, size);
	assert_left(size, &offload);
	for (unsigned six = 0; six < 2; six++) {
		for (uint32_t payload = 1; payload < 65400; payload += 13001) {
			size = net_frames_tcp(frame, six, payload, 1);
			header.gso = six ? 4 : 1;
			header.gso_size = offload.gso_size = 1400;
			offload.gso = six ? NET_GSO_TCPV6 : NET_GSO_TCPV4;
			header.start = offload.start = six ? 54 : 34;
			header.offset = offload.offset = 16;
			offload.header = (uint16_t)(offload.start + 20);
			ask(&header, size);
			assert_left(size, &offload);
		}
	}
	down();
}

/* What is not known of the flags is ignored. */
static void flags_to_ignore(void **state)
{
	(void)state;
	up();
	net_frames_plain(frame, 60, 1);
	ask(&(struct net_front_header){.flags = 0xfe, .buffers = 9}, 60);
	assert_left(60, &(struct net_offload){0});
	down();
}

/* -- To the client -------------------------------------------------------------------
 */

/* A frame as a whole in as many buffers as it takes, however small they are. */
static void receives(void **state)
{
	static const uint32_t buffers[] = {12, 13, 64, 1526, 4096};
	static const uint32_t sizes[] = {14, 60, 1012, 1513, 1514};

	(void)state;
	up();
	for (unsigned b = 0; b < 5; b++) {
		for (unsigned i = 0; i < 5; i++) {
			uint32_t n = (sizes[i] + 12 + buffers[b] - 1) / buffers[b];
			struct net_front_header header;

			assert_true(net_front_post(&bed.vfront, 0, n, buffers[b]));
			net_front_push(&bed.vfront);
			run();
			hear_plain(sizes[i], i);
			run();
			assert_came(0, sizes[i], &header);
			assert_int_equal(header.flags, 0);
			assert_int_equal(header.gso, 0);
			assert_int_equal(header.gso_size, 0);
			assert_int_equal(header.buffers, n);
			assert_nothing_came(0);
		}
	}
	assert_int_equal(bed.virtio.stats.undelivered, 0);
	assert_int_equal(bed.net.stats.unfit, 0);
	assert_int_equal(bed.vfront.empty, 0);
	down();
}

static void receives_undone(void **state)
{
	(void)state;
	up();
	assert_int_equal(bed.link.allowed, NET_LINK_ALL);
	for (unsigned six = 0; six < 2; six++) {
		for (uint32_t payload = 1; payload < 65400; payload += 21101) {
			struct net_link_frame like = {
				.offload = {.sum = true,
					    .start = six ? 54 : 34,
					    .offset = 16,
					    .gso = six ? NET_GSO_TCPV6 : NET_GSO_TCPV4,
					    .gso_size = 1400,
					    .header = six ? 74 : 54}};
			struct net_front_header header;

			assert_true(net_front_post(&bed.vfront, 0, 17, 4096));
			net_front_push(&bed.vfront);
			like.size = net_frames_tcp(frame, six, payload, 1);
			net_frames_turn(frame);
			net_link_test_hear(&bed.link, frame, &like);
			run();
			assert_came(0, like.size, &header);
			assert_int_equal(header.flags, NET_FRONT_NEEDS_CSUM);
			assert_int_equal(header.gso, six ? 4 : 1);
			assert_int_equal(header.header, like.offload.header);
			assert_int_equal(header.gso_size, 1400);
			assert_int_equal(header.start, like.offload.start);
			assert_int_equal(header.offset, 16);
			assert_int_equal(header.buffers,
					 (like.size + 12 + 4095) / 4096);
			/* What is left of the buffers is used first. */
			while (driver_queue_out(&bed.vfront.v.queue[0])) {
				hear_plain(60, 1);
				run();
				assert_came(0, 60, &header);
			}
		}
	}
	down();
}

/* A sum that is right is said to be so to who asked for it, and to nobody else. */
static void validated(void **state)
{
	(void)state;
	for (unsigned refuses = 0; refuses < 2; refuses++) {
		struct net_link_frame like = {.size = 60, .validated = true};
		struct net_front_header header;

		up_without(refuses ? GUEST_ALL : 0);
		assert_true(bed.link.carrier);
		if (refuses)
			assert_int_equal(bed.link.allowed, 0);
		assert_true(net_front_post(&bed.vfront, 0, 2, 1526));
		net_front_push(&bed.vfront);
		net_frames_plain(frame, 60, 1);
		net_frames_turn(frame);
		net_link_test_hear(&bed.link, frame, &like);
		run();
		assert_came(0, 60, &header);
		assert_int_equal(header.flags, refuses ? 0 : NET_FRONT_DATA_VALID);
		/* What the link says against its orders is not passed on. */
		like.offload = (struct net_offload){.sum = true, .start = 34};
		net_link_test_hear(&bed.link, frame, &like);
		run();
		if (refuses)
			assert_nothing_came(0);
		else
			assert_came(0, 60, &header);
		assert_int_equal(bed.net.stats.unfit, refuses);
		down();
	}
}

/* Without MRG_RXBUF one buffer holds a frame, or it is dropped, and holds up nobody. */
static void one_buffer(void **state)
{
	struct net_front_header header;

	(void)state;
	up_without(NET_FRONT_F_MRG_RXBUF);
	assert_true(net_front_post(&bed.vfront, 0, 1, 100));
	assert_true(net_front_post(&bed.vfront, 0, 1, 65562));
	net_front_push(&bed.vfront);
	run();
	hear_plain(89, 1);
	run();
	assert_nothing_came(0);
	assert_int_equal(bed.net.stats.unfit, 1);
	hear_plain(88, 2);
	run();
	assert_came(0, 88, &header);
	assert_int_equal(header.buffers, 1);
	hear_plain(1514, 3);
	run();
	assert_came(0, 1514, &header);
	hear_plain(60, 4);
	run();
	assert_nothing_came(0);
	assert_int_equal(bed.net.stats.unfit, 1);
	assert_true(net_front_post(&bed.vfront, 0, 1, 100));
	net_front_push(&bed.vfront);
	run();
	assert_came(0, 60, &header);
	down();
}

/* A frame waits for as many buffers as it takes, and the driver is asked for an event
 * only then. */
static void buffers_come_one_by_one(void **state)
{
	struct net_front_header header;

	(void)state;
	up();
	hear_plain(1514, 1);
	run();
	for (unsigned i = 0; i < 3; i++) {
		assert_nothing_came(0);
		assert_true(net_front_post(&bed.vfront, 0, 1, 400));
		net_front_push(&bed.vfront);
		run();
	}
	assert_nothing_came(0);
	assert_true(net_front_post(&bed.vfront, 0, 1, 400));
	assert_true(driver_queue_publish(&bed.vfront.v.queue[0]));
	loopxen_notify(bed.x, bed.dev.front, bed.vfront.v.port);
	run();
	assert_came(0, 1514, &header);
	assert_int_equal(header.buffers, 4);
	/* Nothing waits. */
	assert_true(net_front_post(&bed.vfront, 0, 8, 400));
	net_front_push(&bed.vfront);
	run();
	for (unsigned i = 0; i < 300; i++) {
		hear_plain(100, i);
		run();
		assert_came(0, 100, &header);
		assert_true(net_front_post(&bed.vfront, 0, 1, 400));
		assert_false(driver_queue_publish(&bed.vfront.v.queue[0]));
	}
	down();
}

/* More than the Backlog waits at the host, and comes. */
static void backlog(void **state)
{
	struct net_front_header header;

	(void)state;
	up_as(&(struct net_bed_conf){.backlog = 65536});
	for (unsigned i = 0; i < 200; i++)
		hear_plain(1514, i);
	run();
	assert_in_range(bed.link.waiting[0].n, 200 - 65536 / 1514 - 2,
			200 - 65536 / 1514);
	for (unsigned i = 0; i < 200; i++) {
		assert_true(net_front_post(&bed.vfront, 0, 1, 2048));
		net_front_push(&bed.vfront);
		run();
		turned(1514, i);
		assert_came(0, 1514, &header);
	}
	assert_int_equal(bed.link.waiting[0].n, 0);
	down();
}

/* -- What it costs -------------------------------------------------------------------
 */

static void rates(void **state)
{
	static const struct {
		struct policy_rate operations, bytes;
		uint32_t size; /* of each frame */
		unsigned at_once, then;
	} rows[] = {
		{{10, 5}, {0}, 60, 5, 10},
		{{0}, {3000, 6000}, 1000, 6, 3},
		{{10, 5}, {0}, 13, 5, 10}, /* no frames, but not for nothing */
	};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct net_bed_conf conf = {.operations = rows[i].operations,
					    .bytes = rows[i].bytes};
		uint64_t start;
		uint16_t id;
		unsigned n = 0;

		up_as(&conf);
		loopxen_advance(bed.x, 10 * SECOND);
		start = loopxen_now(bed.x);
		net_frames_plain(frame, 1514, 1);
		for (uint16_t k = 0; k < rows[i].at_once + rows[i].then; k++)
			assert_true(net_front_send(&bed.vfront, 0, k,
						   &(struct net_front_header){0}, frame,
						   rows[i].size));
		net_front_push(&bed.vfront);
		run_now();
		while (net_front_sent(&bed.vfront, 0, &id))
			n++;
		assert_int_equal(n, rows[i].at_once);
		run();
		while (net_front_sent(&bed.vfront, 0, &id))
			n++;
		assert_int_equal(n, rows[i].at_once + rows[i].then);
		assert_in_range(loopxen_now(bed.x) - start, SECOND - SECOND / 100,
				SECOND + SECOND / 100);
		down();
	}
}

static void orders_cost(void **state)
{
	uint64_t start;

	(void)state;
	up_as(&(struct net_bed_conf){.operations = {10, 5}});
	loopxen_advance(bed.x, 10 * SECOND);
	start = loopxen_now(bed.x);
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(net_front_order(&bed.vfront, 9, 9, "", 0), 1);
	assert_in_range(loopxen_now(bed.x) - start, SECOND - SECOND / 100,
			SECOND + SECOND / 100);
	down();
}

static void in_flight(void **state)
{
	(void)state;
	up_as(&(struct net_bed_conf){.in_flight = 4, .holds = true});
	for (uint16_t i = 0; i < 10; i++) {
		net_frames_plain(frame, 60, i);
		assert_true(net_front_send(&bed.vfront, 0, i,
					   &(struct net_front_header){0}, frame, 60));
	}
	net_front_push(&bed.vfront);
	run();
	assert_int_equal(bed.link.nheld, 4);
	assert_true(net_virtio_due(&bed.virtio) > loopxen_now(bed.x));
	net_link_test_leave(&bed.link, 0);
	assert_true(net_virtio_due(&bed.virtio) <= loopxen_now(bed.x));
	run();
	assert_int_equal(bed.link.nheld, 4);
	assert_sent(0);
	while (bed.link.nheld) {
		net_link_test_leave_all(&bed.link);
		run();
	}
	for (uint16_t i = 1; i < 10; i++)
		assert_sent(i);
	down();
}

/* A frame that is refused at once comes home before those that the host has, and what
 * it lay in is not given to another one too early. */
static void home_out_of_order(void **state)
{
	(void)state;
	up_as(&(struct net_bed_conf){.holds = true});
	for (unsigned n = 0; n < 100; n++) {
		for (uint16_t i = 0; i < 30; i++) {
			net_frames_plain(frame, 1500, i);
			frame[6] = i & 1 ? 4 : 2; /* another's address */
			assert_true(net_front_send(&bed.vfront, 0, i,
						   &(struct net_front_header){0}, frame,
						   1500));
		}
		net_front_push(&bed.vfront);
		run();
		assert_int_equal(bed.link.nheld, 15);
		net_link_test_leave_all(&bed.link);
		run();
		for (uint16_t i = 0; i < 30; i++) {
			assert_sent(i);
			net_frames_plain(frame, 1500, i);
			if (!(i & 1))
				assert_left(1500, &(struct net_offload){0});
		}
	}
	assert_int_equal(bed.net.stats.refused[NET_SPOOFED_MAC], 1500);
	down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_is),
		cmocka_unit_test(how_much_it_takes),
		cmocka_unit_test(features_alone),
		every_memory(sends),
		every_memory(sends_many),
		every_memory(sends_undone),
		cmocka_unit_test(flags_to_ignore),
		every_memory(receives),
		every_memory(receives_undone),
		cmocka_unit_test(validated),
		every_memory(one_buffer),
		every_memory(buffers_come_one_by_one),
		every_memory(backlog),
		every_memory(rates),
		cmocka_unit_test(orders_cost),
		every_memory(in_flight),
		every_memory(home_out_of_order),
	};

	return cmocka_run_group_tests_name("net_virtio", tests, NULL, NULL);
}
