/* SPDX-License-Identifier: MIT */
/*
 * T-NET-1 and T-NET-2 on a network device's virtio door: what no sound driver writes.
 * A chain that is none needs a reset, after which all is well; a header or an order
 * that is none costs its client what a good one does, and nothing leaves.
 */
#include "tests/device/net-virtio-cases.h"

static bool needs_reset(void)
{
	assert_true(virtio_driver_get_status(&bed.vfront.v.driver));
	return bed.vfront.v.driver.status & DRIVER_S_NEEDS_RESET;
}

/* A reset undoes it. */
static void well_again(void)
{
	struct net_front_header header;

	net_front_forget(&bed.vfront);
	bed.vfront.piece = 0;
	assert_true(net_front_ready(&bed.vfront));
	assert_false(needs_reset());
	net_frames_plain(frame, 60, 1);
	ask(&(struct net_front_header){0}, 60);
	assert_left(60, &(struct net_offload){0});
	assert_true(net_front_post(&bed.vfront, 0, 1, 1526));
	net_front_push(&bed.vfront);
	hear_plain(60, 1);
	run();
	assert_came(0, 60, &header);
	assert_int_equal(net_front_order(&bed.vfront, 0, 0, "\1", 1), 0);
}

/* -- Chains --------------------------------------------------------------------------
 */

static void chains_that_are_none(void **state)
{
	static const struct {
		unsigned queue;
		uint32_t readable, room;
	} rows[] = {
		{0, 0, 11}, /* no room for a header */
		{0, 0, 1},    {0, 12, 0},
		{0, 1, 1526}, /* to be read */
		{1, 11, 0},   /* no header */
		{1, 1, 0},    {1, 0, 100},
		{1, 100, 1}, /* room, where there is nothing to say */
		{2, 1, 1},   /* no name */
		{2, 100, 0}, /* no room for its answer */
		{2, 0, 100},
	};
	static const uint8_t zeros[128];

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t wrong;

		up();
		wrong = bed.virtio.door.device.stats.wrong;
		assert_true(net_front_post(&bed.vfront, 0, 4, 1526));
		assert_true(net_front_chain(&bed.vfront, rows[i].queue, 1, zeros,
					    rows[i].readable, rows[i].room));
		net_front_push(&bed.vfront);
		run();
		assert_true(needs_reset());
		assert_int_equal(bed.virtio.door.device.stats.wrong, wrong + 1);
		assert_false(bed.net.connected);
		assert_none_left();
		/* Nothing is served meanwhile. */
		hear_plain(60, 1);
		run();
		assert_nothing_came(0);
		well_again();
		down();
	}
}

/* A chain that is none behind frames that the host still has. */
static void none_behind_frames(void **state)
{
	uint16_t id;

	(void)state;
	up_as(&(struct net_bed_conf){.holds = true});
	net_frames_plain(frame, 60, 1);
	for (uint16_t i = 0; i < 3; i++)
		assert_true(net_front_send(&bed.vfront, 0, i,
					   &(struct net_front_header){0}, frame, 60));
	assert_true(net_front_chain(&bed.vfront, 1, 1, frame, 11, 0));
	net_front_push(&bed.vfront);
	run();
	assert_true(needs_reset());
	assert_int_equal(bed.link.nheld, 3);
	net_link_test_leave_all(&bed.link);
	run();
	assert_false(net_front_sent(&bed.vfront, 0, &id));
	for (uint16_t i = 0; i < 3; i++)
		assert_left(60, &(struct net_offload){0});
	bed.link.holds = false;
	well_again();
	down();
}

static void queues_not_negotiated(void **state)
{
	(void)state;
	/* 3: its pair was not; 4: no control queue there. */
	for (unsigned queue = 3; queue <= 4; queue++) {
		net_bed_init(&bed, &(struct net_bed_conf){.door = POLICY_VIRTIO,
							  .mode = POLICY_POOL,
							  .queues = 2});
		bed.vfront.conf.refuses = NET_FRONT_F_MQ;
		assert_int_equal(net_bed_start(&bed), 0);
		assert_int_equal(net_bed_connect(&bed, false), 0);
		assert_true(net_front_chain(&bed.vfront, queue, 1, frame, 64, 0));
		net_front_push(&bed.vfront);
		run();
		assert_true(needs_reset());
		assert_none_left();
		well_again();
		down();
	}
}

/* -- Headers -------------------------------------------------------------------------
 */

/* It is back, was paid for, and nothing left. */
static void assert_refused(const struct net_front_header *header, uint32_t size)
{
	uint64_t malformed = bed.virtio.stats.malformed;

	ask(header, size);
	assert_none_left();
	assert_int_equal(bed.virtio.stats.malformed, malformed + 1);
	assert_false(needs_reset());
	assert_null(bed.virtio.pair[0].runs.first);
}

static void lengths(void **state)
{
	const struct net_front_header none = {0};
	struct net_front_header cut = {.flags = NET_FRONT_NEEDS_CSUM,
				       .gso = 1,
				       .gso_size = 1400,
				       .start = 34,
				       .offset = 16};
	uint32_t size;

	(void)state;
	up();
	net_frames_plain(frame, 1514, 1);
	for (uint32_t n = 0; n < 14; n++)
		assert_refused(&none, n);
	ask(&none, 14);
	assert_left(14, &(struct net_offload){0});
	/* Longer than the MTU: a rule of the policy's. */
	net_frames_plain(frame, 1519, 1);
	ask(&none, 1519);
	assert_none_left();
	assert_int_equal(bed.net.stats.refused[NET_TOO_LONG], 1);
	memset(frame, 0, sizeof(frame));
	size = net_frames_tcp(frame, false, 65000, 1);
	assert_true(size < 65550);
	ask(&cut, 65550);
	assert_left(65550, &(struct net_offload){.sum = true,
						 .start = 34,
						 .offset = 16,
						 .gso = NET_GSO_TCPV4,
						 .gso_size = 1400,
						 .header = 54});
	assert_refused(&cut, 65551);
	assert_refused(&cut, 66000 - 12);
	down();
}

/* What was not negotiated is no header. */
static void offloads_not_negotiated(void **state)
{
	static const struct {
		uint64_t refuses;
		unsigned six; /* of those that are refused then; 2: both */
	} rows[] = {
		{NET_FRONT_F_HOST_TSO4, 0},
		{NET_FRONT_F_HOST_TSO6, 1},
		{NET_FRONT_F_CSUM | NET_FRONT_F_HOST_TSO4 | NET_FRONT_F_HOST_TSO6 |
			 NET_FRONT_F_HOST_USO,
		 2},
	};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		up_without(rows[i].refuses);
		for (unsigned six = 0; six < 2; six++) {
			uint32_t size = net_frames_tcp(frame, six, 3000, 1);
			struct net_front_header header = {
				.flags = NET_FRONT_NEEDS_CSUM,
				.gso = six ? 4 : 1,
				.gso_size = 1400,
				.start = six ? 54 : 34,
				.offset = 16,
			};

			if (rows[i].six != six && rows[i].six != 2) {
				ask(&header, size);
				free(net_link_test_seen(&bed.link));
				continue;
			}
			assert_refused(&header, size);
		}
		if (rows[i].six == 2) {
			uint32_t size = net_frames_udp(frame, false, 100, 1);

			assert_refused(&(struct net_front_header){.flags = 1,
								  .start = 34,
								  .offset = 6},
				       size);
		}
		down();
	}
}

/* Every kind of cutting that there is not, with and without ECN. */
static void kinds_of_cutting(void **state)
{
	uint32_t size;

	(void)state;
	up();
	size = net_frames_tcp(frame, false, 3000, 1);
	for (unsigned gso = 0; gso < 256; gso++) {
		const struct net_front_header header = {.flags = NET_FRONT_NEEDS_CSUM,
							.gso = (uint8_t)gso,
							.gso_size = 1400,
							.start = 34,
							.offset = 16};

		if (gso > 1)
			assert_refused(&header, size);
	}
	down();
}

/* Places that lie outside, and sizes that cut nothing. */
static void contradictions(void **state)
{
	uint32_t size;

	(void)state;
	up();
	size = net_frames_tcp(frame, false, 1000, 1);
	for (unsigned i = 0; i <= 0xffff; i += i < 0x200 ? 1 : 0x1111) {
		struct net_front_header sum = {.flags = NET_FRONT_NEEDS_CSUM,
					       .start = (uint16_t)i,
					       .offset = 16};
		struct net_front_header far = {.flags = NET_FRONT_NEEDS_CSUM,
					       .start = 34,
					       .offset = (uint16_t)i};
		struct net_front_header cut = {.flags = NET_FRONT_NEEDS_CSUM,
					       .gso = 1,
					       .gso_size = 900,
					       .start = (uint16_t)i,
					       .offset = 16};

		if (i < 14 || i + 16 + 2 > size)
			assert_refused(&sum, size);
		if (34 + i + 2 > size)
			assert_refused(&far, size);
		if (i != 34)
			assert_refused(&cut, size);
	}
	assert_refused(
		&(struct net_front_header){
			.flags = 1, .gso = 1, .start = 34, .offset = 16},
		size);
	/* No payload; not TCP; not of this family; a header that ends behind. */
	assert_refused(
		&(struct net_front_header){
			.flags = 1, .gso = 1, .gso_size = 9, .start = 34, .offset = 16},
		54);
	assert_refused(
		&(struct net_front_header){
			.flags = 1, .gso = 4, .gso_size = 9, .start = 34, .offset = 16},
		size);
	frame[34 + 12] = 0xf0;
	assert_refused(
		&(struct net_front_header){
			.flags = 1, .gso = 1, .gso_size = 9, .start = 34, .offset = 16},
		34 + 60);
	frame[34 + 12] = 0x40;
	assert_refused(
		&(struct net_front_header){
			.flags = 1, .gso = 1, .gso_size = 9, .start = 34, .offset = 16},
		size);
	size = net_frames_udp(frame, false, 1000, 1);
	assert_refused(
		&(struct net_front_header){
			.flags = 1, .gso = 1, .gso_size = 9, .start = 34, .offset = 16},
		size);
	down();
}

/* -- Buffers -------------------------------------------------------------------------
 */

/* A whole ring of buffers that do not hold a frame: it is dropped, as nothing else can
 * come of it, and what fits comes. */
static void ring_of_small_buffers(void **state)
{
	struct net_front_header header;
	unsigned ring;

	(void)state;
	up_as(&(struct net_bed_conf){.mtu = 9000});
	ring = bed.vfront.v.conf.size;
	assert_true(net_front_post(&bed.vfront, 0, ring, 12));
	net_front_push(&bed.vfront);
	run();
	hear_plain(ring * 12 - 11, 1);
	run();
	assert_nothing_came(0);
	assert_int_equal(bed.net.stats.unfit, 1);
	if (!by_grants()) { /* as many pages as the copy area has */
		hear_plain(ring * 12 - 12, 2);
		run();
		assert_came(0, ring * 12 - 12, &header);
		assert_int_equal(header.buffers, ring);
	} else {
		hear_plain(60, 2);
		run();
		assert_came(0, 60, &header);
	}
	down();
}

/* Who posts nothing: what waits is bounded, and his sending goes on. */
static void who_posts_nothing(void **state)
{
	(void)state;
	up_as(&(struct net_bed_conf){.backlog = 65536});
	for (unsigned i = 0; i < 1000; i++)
		hear_plain(1514, i);
	run();
	assert_in_range(bed.net.inbox.bytes, 65536, 65536 + 1514);
	net_frames_plain(frame, 60, 1);
	ask(&(struct net_front_header){0}, 60);
	assert_left(60, &(struct net_offload){0});
	down();
}

/* By grants: one that was taken back costs its frame, and no other's. */
static void buffer_not_granted(void **state)
{
	struct net_front_header header;
	uint64_t addr;

	(void)state;
	if (!by_grants())
		return;
	up();
	/* A page that nothing else of the driver's lies in. */
	driver_pool_get(&bed.vfront.v.pool, 4096, 4096);
	assert_true(net_front_post(&bed.vfront, 0, 1, 4096));
	assert_true(net_front_post(&bed.vfront, 0, 1, 1526));
	addr = bed.vfront.chains.chain[0].block.addr & ~(UINT64_C(1) << 63);
	assert_int_equal(addr % 4096, 0);
	assert_true(loopxen_revoke(bed.x, bed.dev.front,
				   (struct gref){(uint32_t)(addr / 4096)}));
	net_front_push(&bed.vfront);
	hear_plain(60, 1);
	hear_plain(60, 2);
	run();
	assert_int_equal(bed.virtio.stats.undelivered, 1);
	assert_came(0, 60, &header);
	assert_int_equal(bed.vfront.empty, 1);
	assert_false(needs_reset());
	/* So that it can be taken back. */
	loopxen_grant_as(bed.x, bed.dev.front, (struct gref){(uint32_t)(addr / 4096)},
			 bed.vfront.chains.chain[0].block.at, bed.dev.back, false);
	down();
}

/* -- Orders --------------------------------------------------------------------------
 */

/* Every name with every length that is not its own. */
static void orders_that_are_none(void **state)
{
	static const int own[256][256] = {
		[0] = {1, 1},
		[1] = {8, 6},
		[2] = {2, 2},
		[3] = {0},
	};
	uint8_t bytes[16] = {0};

	(void)state;
	up();
	for (unsigned class = 0; class < 8; class ++) {
		for (unsigned command = 0; command < 8; command++) {
			bool known =
				(class <= 2 && command < 2) || (class == 3 && !command);

			for (uint32_t n = 0; n < 12; n++) {
				bytes[0] = (uint8_t) class;
				bytes[1] = (uint8_t)command;
				if (known && (int)n == own[class][command])
					continue;
				assert_int_equal(
					net_front_order_raw(&bed.vfront, bytes, 2 + n),
					1);
			}
		}
	}
	bytes[0] = bytes[1] = 0xff;
	assert_int_equal(net_front_order_raw(&bed.vfront, bytes, 8), 1);
	assert_false(needs_reset());
	well_again();
	down();
}

/* Tables that say more than they have, and nothing of which is believed. */
static void tables_that_lie(void **state)
{
	static const uint32_t counts[] = {
		1,	    2,		10,	    11,		0x2aaaaaab,
		0x55555556, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};

	(void)state;
	up();
	for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		uint8_t table[64] = {0};

		le_put(table, 4, counts[i]);
		assert_int_equal(net_front_order(&bed.vfront, 1, 0, table, 4), 1);
		assert_int_equal(net_front_order(&bed.vfront, 1, 0, table, 8), 1);
		if (counts[i] > 9)
			assert_int_equal(net_front_order(&bed.vfront, 1, 0, table, 64),
					 1);
		le_put(table, 4, 0);
		le_put(table + 4, 4, counts[i]);
		assert_int_equal(net_front_order(&bed.vfront, 1, 0, table, 8), 1);
		assert_int_equal(net_front_order(&bed.vfront, 1, 0, table, 63), 1);
	}
	assert_true(bed.virtio.untold);
	down();
}

/* An index that is too far ahead, and a chain that goes in circles. */
static void rings_that_are_none(void **state)
{
	(void)state;
	for (unsigned queue = 0; queue < 3; queue++) {
		for (unsigned i = 0; i < 2; i++) {
			struct driver_queue *q;

			up();
			q = &bed.vfront.v.queue[queue];
			if (i) {
				driver_queue_raw_desc(q->desc.at, 0, DRIVER_POOL_BASE,
						      64, VIRTQ_DESC_F_NEXT, 0);
				driver_queue_raw_avail(q, 0, 0);
				driver_queue_raw_idx(q, 1);
			} else {
				driver_queue_raw_idx(q, 300);
			}
			loopxen_notify(bed.x, bed.dev.front, bed.vfront.v.port);
			run();
			assert_true(needs_reset());
			well_again();
			down();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		every_memory(chains_that_are_none),
		every_memory(none_behind_frames),
		cmocka_unit_test(queues_not_negotiated),
		every_memory(lengths),
		cmocka_unit_test(offloads_not_negotiated),
		cmocka_unit_test(kinds_of_cutting),
		every_memory(contradictions),
		every_memory(ring_of_small_buffers),
		every_memory(who_posts_nothing),
		every_memory(buffer_not_granted),
		every_memory(orders_that_are_none),
		every_memory(tables_that_lie),
		cmocka_unit_test(rings_that_are_none),
	};

	return cmocka_run_group_tests_name("net_virtio_hostile", tests, NULL, NULL);
}
