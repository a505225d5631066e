/* SPDX-License-Identifier: MIT */
/*
 * T-VQ at a disk's virtio door: chains, what they hold and where they lie. Whatever it
 * is, it is answered, with a length that was written, or the device needs a reset.
 */
#include "tests/hostile/door.h"

#define NEXT	 VIRTQ_DESC_F_NEXT
#define WRITE	 VIRTQ_DESC_F_WRITE
#define INDIRECT VIRTQ_DESC_F_INDIRECT
#define RUN	 (1u << 20) /* of a pool */

static const uint32_t types[] = {BLK_VIRTIO_IN,
				 BLK_VIRTIO_OUT,
				 BLK_VIRTIO_FLUSH,
				 BLK_VIRTIO_GET_ID,
				 BLK_VIRTIO_DISCARD,
				 BLK_VIRTIO_WRITE_ZEROES,
				 77};

static bool grants(void)
{
	return bed.conf.mode == POLICY_GRANT;
}

/* It was answered, and no more was written than there is room for; or, @wrong, not. */
static void outcome(const char *what, bool wrong, uint64_t room)
{
	struct driver_done done;

	door_run();
	if (wrong) {
		assert_false(door_done(&done));
		door_is_wrong(what);
		door_recovers();
		return;
	}
	door_is_sound(what);
	if (!door_done(&done))
		fail_msg("%s: no answer", what);
	assert_true(done.len <= room);
	door_listen();
}

/* -- T-VQ-2 ------------------------------------------------------------------------ */

/* One length at one of the three places, of the client's own memory or beyond. */
static bool length_is_wrong(bool writes, unsigned at, uint32_t len)
{
	uint64_t left = bed.vfront.pool.bytes - (door.data.addr - bed.vfront.pool.base);

	/* A header may go on in the next buffer, if that is to be read. */
	if (!len || (!at && len < 16 && !writes))
		return true;
	/* Of grants no more than a batch has; of a pool what is in one run. */
	return grants() ? len > 200 * 4096 : len > left || len > RUN;
}

static void one_length(uint32_t type, bool writes, unsigned at, uint32_t len)
{
	uint64_t room = 0;
	struct driver_sg sg[3] = {
		{door.header.addr, 16}, {door.data.addr, 4096}, {door.status.addr, 1}};

	/* There is room for the long ones behind it. */
	if (len > 64)
		sg[at].addr = door.data.addr;
	door_header(type, 8000);
	if (!at && len > 64)
		memcpy(door.data.at, door.header.at, 16);
	else
		memset(door.data.at, 0, 16);
	sg[at].len = len;
	for (unsigned i = 1 + writes; i < 3; i++)
		room += sg[i].len;
	door_chain(sg, 1 + writes, 2 - writes);
	outcome("a length", length_is_wrong(writes, at, len), room);
}

static void t_vq_2_lengths_of_a_request(void **state)
{
	static const uint32_t lens[] = {
		0, 1, 15, 16, 17, 511, 512, 513, 1u << 31, UINT32_MAX - 1, UINT32_MAX};
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		struct bed_conf conf = door_confs[c];

		conf.discard = true;
		door_up(conf);
		for (unsigned t = 0; t < COUNT(types); t++) {
			for (unsigned k = 0; k < 6 * COUNT(lens); k++, done++) {
				one_length(types[t], k % 2, k / 2 % 3, lens[k / 6]);
				memset(bed_disk(&bed, 0), 0x99,
				       (size_t)BED_SECTORS * 512);
			}
		}
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-2", done, "lengths in requests");
}

/* As few as there can be, and in each order: nothing to read, nothing to write. */
static void t_vq_2_shapes(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		door_up(door_confs[c]);
		for (unsigned t = 0; t < COUNT(types); t++) {
			for (unsigned i = 1; i < 16; i++, done++) {
				unsigned readable = i % 4, writable = i / 4;
				struct driver_sg sg[6];

				door_header(types[t], 8000);
				for (unsigned k = 0; k < readable + writable; k++)
					sg[k] = (struct driver_sg){
						(k ? door.data : door.header).addr,
						k ? 512 : 16};
				door_chain(sg, readable, writable);
				outcome("a shape", !readable || !writable,
					512ull * writable);
			}
		}
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-2", done, "shapes of requests");
}

/* Around the end of each run and past it: runs are no neighbours in the device.
 * [utest->req~addresses-are-in-the-pool~1] */
static void t_vq_2_past_the_end_of_a_run(void **state)
{
	static const uint32_t lens[] = {1,	   511,	       512,	      513,
					4096,	   RUN - 1,    RUN,	      RUN + 1,
					RUN + 512, RUN + 4096, 2 * RUN - 512, 2 * RUN};
	uint64_t done = 0;

	(void)state;
	door_up(door_confs[0]);
	for (unsigned l = 0; l < COUNT(lens); l++) {
		for (int off = -1; off <= 2; off++) {
			for (unsigned writes = 0; writes < 2; writes++, done++) {
				uint64_t base = bed.vfront.pool.base, end = 2 * RUN;
				uint64_t at = off < 0	 ? 0
					      : off == 0 ? RUN - 512
					      : off == 1 ? RUN
							 : 2 * RUN - 512;
				struct driver_sg sg[3] = {{door.header.addr, 16},
							  {base + at, lens[l]},
							  {door.status.addr, 1}};
				bool good = at + lens[l] <= end &&
					    at % RUN + lens[l] <= RUN;

				if (good && lens[l] > 4096)
					continue; /* it would reach the queue */
				door_header(writes, BED_SECTORS + 1);
				door_chain(sg, 1 + writes, 2 - writes);
				outcome("past a run", !good, lens[l] + 1ull);
			}
		}
	}
	door_recovers();
	assert_int_equal(bed_down(&bed), 0);
	tally("T-VQ-2", done, "ranges at the end of a run");
}

/* Of a DISCARD and a WRITE_ZEROES: one range, as long as was offered. */
static void t_vq_2_ranges(void **state)
{
	static const struct {
		uint64_t sector;
		uint32_t sectors, flags;
		bool good;
	} ranges[] = {
		{8000, 8, 0, true},
		{8000, 0, 0, false},
		{BED_SECTORS - 1, 1, 2, false},
		{BED_SECTORS - 1, 2, 0, false},
		{UINT64_MAX, 1, 0, false},
		{UINT64_MAX - 7, 16, 0, false},
		{0, (1u << 21) + 1, 0, false},
		{0, 1u << 31, 0, false},
		{0, UINT32_MAX, 0, false},
	};
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		struct bed_conf conf = door_confs[c];

		conf.discard = true;
		door_up(conf);
		for (unsigned k = 0; k < 2 * COUNT(ranges); k++, done++) {
			struct driver_sg sg[3] = {{door.header.addr, 16},
						  {door.data.addr, 16},
						  {door.status.addr, 1}};

			door_header(k % 2 ? BLK_VIRTIO_DISCARD
					  : BLK_VIRTIO_WRITE_ZEROES,
				    0);
			le_put(door.data.at, 8, ranges[k / 2].sector);
			le_put(door.data.at + 8, 4, ranges[k / 2].sectors);
			le_put(door.data.at + 12, 4, ranges[k / 2].flags);
			door_chain(sg, 2, 1);
			outcome("a range", false, 1);
			assert_int_equal(*door.status.at == BLK_VIRTIO_OK,
					 ranges[k / 2].good);
		}
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-2", done, "ranges to discard and to zero");
}

/* A disk that is larger than what one request may zero or discard. */
static void t_vq_2_no_larger_range_than_offered(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct bed_conf conf = door_confs[0];
		struct driver_sg sg[3];

		conf.discard = conf.slow = true;
		door_up(conf);
		bed.bytes = UINT64_C(1) << 40;
		blk_resize(&bed.blk);
		sg[0] = (struct driver_sg){door.header.addr, 16};
		sg[1] = (struct driver_sg){door.data.addr, 16};
		sg[2] = (struct driver_sg){door.status.addr, 1};
		for (unsigned over = 0; over < 2; over++) {
			door_header(i ? BLK_VIRTIO_DISCARD : BLK_VIRTIO_WRITE_ZEROES,
				    0);
			le_put(door.data.at + 8, 4, (1u << 21) + over);
			door_chain(sg, 2, 1);
			door_run();
			assert_int_equal(bed.nwaiting, !over);
			if (!over)
				bed_fail(&bed, 0, 5);
			door_run();
			assert_int_equal(*door.status.at, BLK_VIRTIO_IOERR);
		}
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* -- T-VQ-3 --------------------------------------------------------------------------
 */

/* A table of descriptors that is wrong, direct, or in a table of the client's memory.
 */
static const struct {
	const char *name;
	bool indirect, plain; /* only so: with INDIRECT, without it */
	struct {
		uint16_t flags, next;
		uint32_t len;
	} desc[3];
} chains[] = {
	{"a loop of one", false, false, {{NEXT, 0, 16}}},
	{"a loop of two", false, false, {{NEXT, 1, 16}, {NEXT, 0, 16}}},
	{"next outside", false, false, {{NEXT, 128, 16}}},
	{"next far outside", false, false, {{NEXT, 0xffff, 16}}},
	{"writable first", false, false, {{NEXT | WRITE, 1, 16}, {0, 0, 16}}},
	{"a table not offered", false, true, {{INDIRECT, 0, 16}}},
	{"a table with a next", true, false, {{INDIRECT | NEXT, 1, 16}}},
	{"a table in itself", true, false, {{INDIRECT, 0, 32}}},
	{"an empty table", true, false, {{INDIRECT, 0, 0}}},
	{"half a descriptor", true, false, {{INDIRECT, 0, 24}}},
	{"a table too long", true, false, {{INDIRECT, 0, 16 * 129}}},
	{"a table of 2^32", true, false, {{INDIRECT, 0, UINT32_MAX - 15}}},
};

static void t_vq_3_chains(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		bool offered = c == 0;

		door_up(door_confs[c]);
		for (unsigned i = 0; i < COUNT(chains); i++, done++) {
			struct driver_queue *q = &bed.vfront.queue[0];
			uint64_t addr =
				chains[i].indirect ? door.data.addr : door.header.addr;

			if (chains[i].plain && offered)
				continue;
			for (unsigned k = 0; k < 3; k++) {
				driver_queue_raw_desc(q->desc.at, k, addr,
						      chains[i].desc[k].len,
						      chains[i].desc[k].flags,
						      chains[i].desc[k].next);
				driver_queue_raw_desc(door.data.at, k, door.data.addr,
						      32, INDIRECT, 0);
			}
			driver_queue_raw_avail(q, q->added, 0);
			driver_queue_raw_idx(q, (uint16_t)(q->added + 1));
			loopxen_notify(bed.x, bed.dev.front, bed.vfront.port);
			door_run();
			door_is_wrong(chains[i].name);
			door_recovers();
		}
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-3", done, "chains that cannot be");
}

/* Addresses of nobody, at each place. [utest->req~addresses-are-in-the-pool~1] */
static void t_vq_3_addresses(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		uint64_t end, addrs[16];

		door_up(door_confs[c]);
		end = bed.vfront.pool.base + bed.vfront.pool.bytes;
		addrs[0] = 0;
		addrs[1] = end;
		addrs[2] = end - 8;
		addrs[3] = UINT64_MAX;
		addrs[4] = UINT64_MAX - 15;
		addrs[5] = bed.vfront.pool.base ^ UINT64_C(1) << 63;
		addrs[6] = bed.vfront.pool.base | UINT64_C(1) << 44;
		addrs[7] = bed.vfront.pool.base | UINT64_C(1) << 62;
		addrs[8] = (UINT64_C(1) << 63 | UINT64_C(1) << 44) - 8;
		addrs[9] = (UINT64_C(1) << 32) - 8;
		for (unsigned i = 0; i < 10 * 3; i++, done++) {
			struct driver_sg sg[3] = {{door.header.addr, 16},
						  {door.data.addr, 512},
						  {door.status.addr, 1}};
			struct driver_done d;
			unsigned at = i % 3;

			door_header(BLK_VIRTIO_IN, 8000);
			sg[at].addr = addrs[i / 3];
			sg[at].len = sg[at].len < 16 ? 16 : sg[at].len;
			door_chain(sg, 1, 2);
			door_run();
			/* A reference that is not granted is a request's failure. */
			if (grants() && !(door_status() & DRIVER_S_NEEDS_RESET))
				assert_true(door_done(&d));
			else
				door_is_wrong("an address of nobody");
			assert_int_not_equal(*door.status.at, BLK_VIRTIO_OK);
			door_recovers();
		}
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-3", done, "addresses of nobody");
}

/* -- T-VQ-5 --------------------------------------------------------------------------
 */

/* As many as the queue has entries, of which InFlight are with the disk; a head that is
 * still out, or an index beyond: wrong, and what is out comes home first. */
static void t_vq_5_in_flight(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < DOORS * 3 * 4; i++, done++) {
		struct bed_conf conf = door_confs[i % DOORS];
		unsigned how = i / DOORS % 3, limit = 1 + i / DOORS / 3 * 2;
		struct driver_queue *q = &bed.vfront.queue[0];
		int head = 0;

		conf.slow = true;
		conf.in_flight = limit;
		conf.virtio.size = 32;
		door_up(conf);
		for (unsigned k = 0; k < 10; k++)
			head = door_ask(false, 8 * k, 512);
		door_run();
		assert_int_equal(bed.nwaiting, limit);
		if (how == 0) { /* once more */
			driver_queue_raw_avail(q, q->added, (uint16_t)head);
			driver_queue_raw_idx(q, (uint16_t)(q->added + 1));
		} else { /* more than there are; back */
			driver_queue_raw_idx(
				q, (uint16_t)(q->added + (how == 1 ? 33 : -2)));
		}
		for (unsigned k = 0; k < 10 && bed.nwaiting; k++) {
			loopxen_notify(bed.x, bed.dev.front, bed.vfront.port);
			door_run();
			assert_true(bed.nwaiting <= limit);
			assert_true(bed.virtio.door.device.busy <= limit);
			bed_complete(&bed, 0);
			door_run();
		}
		door_is_wrong("more than can be in flight");
		bed.blk.store = &bed.disk.store;
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-5", done, "queues with too much in flight");
}

/* Each entry of a queue is out, and the index goes on: that is wrong when it is seen,
 * not when some answer has been swallowed. */
static void t_vq_5_beyond_a_full_queue(void **state)
{
	struct bed_conf conf = door_confs[0];
	struct driver_queue *q = &bed.vfront.queue[0];
	struct driver_sg sg[3];

	(void)state;
	conf.slow = true;
	conf.virtio.size = 4;
	door_up(conf);
	sg[0] = (struct driver_sg){door.header.addr, 16};
	sg[1] = (struct driver_sg){door.data.addr, 512};
	sg[2] = (struct driver_sg){door.status.addr, 1};
	door_header(BLK_VIRTIO_IN, 16);
	for (unsigned k = 0; k < 4; k++)
		driver_queue_add(q, sg, 1, 2, 0, k);
	driver_queue_publish(q);
	loopxen_notify(bed.x, bed.dev.front, bed.vfront.port);
	door_run();
	assert_int_equal(bed.nwaiting, 4);
	driver_queue_raw_idx(q, 5);
	loopxen_notify(bed.x, bed.dev.front, bed.vfront.port);
	door_run();
	door_is_wrong("an index beyond a full queue");
	while (bed.nwaiting)
		bed_complete(&bed, 0);
	door_run();
	bed.blk.store = &bed.disk.store;
	door_recovers();
	assert_int_equal(bed_down(&bed), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(t_vq_2_lengths_of_a_request),
		HOSTILE(t_vq_2_shapes),
		HOSTILE(t_vq_2_past_the_end_of_a_run),
		HOSTILE(t_vq_2_ranges),
		HOSTILE(t_vq_2_no_larger_range_than_offered),
		HOSTILE(t_vq_3_chains),
		HOSTILE(t_vq_3_addresses),
		HOSTILE(t_vq_5_in_flight),
		HOSTILE(t_vq_5_beyond_a_full_queue),
	};

	return cmocka_run_group_tests_name("virtio_chain", tests, NULL, NULL);
}
