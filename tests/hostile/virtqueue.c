/* SPDX-License-Identifier: MIT */
/*
 * T-VQ, as far as the queue itself can tell: what a driver may write into its areas.
 * T-RING of a virtqueue is in virtqueue_ring.c; that verdicts are those of a second
 * reading of the specification, in virtqueue_model.c; what a device makes of buffers
 * is the devices' to show.
 */
#include "tests/hook/shared-hook.h"
#include "tests/unit/virtqueue_scene.h"

#define SIZE	 16
#define NEXT	 VIRTQ_DESC_F_NEXT
#define WRITE	 VIRTQ_DESC_F_WRITE
#define INDIRECT VIRTQ_DESC_F_INDIRECT

static int fresh(void **state)
{
	(void)state;
	shared_hook = shared_hook_after = NULL;
	scene_begin(SIZE, true);
	return 0;
}

/* A table of @n sound descriptors in the pool. */
static struct driver_block sound_table(unsigned n)
{
	struct driver_block table = driver_pool_get(&s.pool, 16 * n, 16);

	for (unsigned i = 0; i < n; i++)
		driver_queue_raw_desc(table.at, i, 7000 + i, 70,
				      i < n - 1 ? NEXT : WRITE, (uint16_t)(i + 1));
	return table;
}

/* -- T-VQ-1: what a queue is does not change while it lives --------------------- */

static void t_vq_1_areas_are_as_at_the_start(void **state)
{
	struct virtqueue_conf was = s.conf;

	(void)state;
	memset(&s.conf, 0xa5, sizeof(s.conf));
	for (unsigned i = 0; i < 3 * SIZE; i++) {
		struct driver_done done;

		scene_add(1, 1, i % 3, i);
		driver_queue_publish(&s.front);
		assert_int_equal(scene_take(), VIRTQUEUE_OK);
		scene_is(1, 1, i);
		virtqueue_put(&s.vq, s.chain.head, i);
		virtqueue_push(&s.vq);
		assert_int_equal(driver_queue_get(&s.front, &done), DRIVER_GOT);
		assert_int_equal(done.cookie, i);
	}
	s.conf = was;
}

/* -- T-VQ-2: lengths ---------------------------------------------------------- */

/* At each position of a chain, direct and in a table, each length: as it is, or
 * refused if there is nothing in it or more than virtio lets a chain have. */
static void t_vq_2_length_at_each_position(void **state)
{
	static const uint32_t lens[] = {0,
					1,
					2,
					15,
					16,
					17,
					511,
					512,
					513,
					65535,
					65536,
					1u << 31,
					UINT32_MAX - 15,
					UINT32_MAX - 1,
					UINT32_MAX};
	uint64_t done = 0;

	(void)state;
	for (unsigned l = 0; l < COUNT(lens); l++) {
		for (unsigned i = 0; i < 2 * SIZE; i++, done++) {
			bool direct = i < SIZE;
			struct driver_block table;
			uint8_t *at;
			bool good;

			scene_begin(SIZE, true);
			table = sound_table(SIZE);
			at = direct ? s.area[0].at : table.at;
			memcpy(s.area[0].at, table.at, 16 * SIZE);
			memcpy(at + 16 * (i % SIZE) + 8, &lens[l], 4);
			if (!direct)
				scene_desc(0, table.addr, 16 * SIZE, INDIRECT, 0);
			scene_offer(0);
			good = lens[l] &&
			       70 * (SIZE - 1) + (uint64_t)lens[l] <= UINT64_C(1) << 32;
			if (!good) {
				scene_broken();
				continue;
			}
			assert_int_equal(scene_take(), VIRTQUEUE_OK);
			assert_int_equal(s.chain.readable + s.chain.writable, SIZE);
			assert_int_equal(s.chain.buffer[i % SIZE].len, lens[l]);
		}
	}
	tally("T-VQ-2", done, "lengths of a buffer, at each position");
}

/* 2^32 bytes are a chain's, one more is not. */
static void t_vq_2_bytes_of_a_chain(void **state)
{
	(void)state;
	scene_desc(0, 0, UINT32_MAX, NEXT, 1);
	scene_desc(1, 0, 1, 0, 0);
	scene_offer(0);
	assert_int_equal(scene_take(), VIRTQUEUE_OK);
	scene_desc(2, 0, UINT32_MAX, NEXT, 3);
	scene_desc(3, 0, 2, WRITE, 0);
	scene_offer(2);
	scene_broken();
}

/* -- T-VQ-3: chains ----------------------------------------------------------- */

static void t_vq_3_self_loop(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (uint16_t i = 0; i < SIZE; i++, done++) {
		scene_begin(SIZE, true);
		scene_desc(i, 1, 1, NEXT, i);
		scene_offer(i);
		shared_hook_reads = 0;
		scene_broken();
		assert_true(shared_hook_reads <= SIZE + 3);
	}
	tally("T-VQ-3", done, "loops of one descriptor");
}

/* Each way into a loop of each length, direct and in a table.
 * [utest->req~chains-that-cannot-be~1] */
static void t_vq_3_loops(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned last = 1; last < SIZE; last++) {
		for (unsigned back = 0; back <= last; back++, done += 2) {
			struct driver_block table;

			for (unsigned direct = 0; direct < 2; direct++) {
				uint8_t *at;

				scene_begin(SIZE, true);
				table = sound_table(SIZE);
				memcpy(s.area[0].at, table.at, 16 * SIZE);
				at = direct ? s.area[0].at : table.at;
				driver_queue_raw_desc(at, last, 9, 9, NEXT,
						      (uint16_t)back);
				if (!direct)
					scene_desc(0, table.addr, 16 * (last + 1),
						   INDIRECT, 0);
				scene_offer(0);
				shared_hook_reads = 0;
				scene_broken();
				assert_true(shared_hook_reads <= SIZE + 4);
			}
		}
	}
	tally("T-VQ-3", done, "loops");
}

/* As many buffers as entries are a chain, direct ones and the table's together.
 * [utest->req~chains-that-cannot-be~1] */
static void t_vq_3_chain_longer_than_queue(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned before = 0; before < SIZE; before++) {
		for (unsigned in = 1; in <= SIZE; in++, done++) {
			struct driver_block table;

			scene_begin(SIZE, true);
			table = sound_table(in);
			for (unsigned i = 0; i < before; i++)
				scene_desc(i, 1, 1, NEXT, (uint16_t)(i + 1));
			scene_desc(before, table.addr, 16 * in, INDIRECT, 0);
			scene_offer(0);
			if (before + in > SIZE) {
				scene_broken();
				continue;
			}
			assert_int_equal(scene_take(), VIRTQUEUE_OK);
			assert_int_equal(s.chain.readable, before + in - 1);
			assert_int_equal(s.chain.writable, 1);
		}
	}
	tally("T-VQ-3", done, "lengths of a chain");
}

/* [utest->req~chains-that-cannot-be~1] */
static void t_vq_3_next_out_of_range(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned next = 0; next < 65536; next += next < 40 ? 1 : 99, done += 2) {
		struct driver_block table;

		scene_begin(SIZE, true);
		scene_desc(0, 1, 1, NEXT, (uint16_t)next);
		for (unsigned i = 1; i < SIZE; i++)
			scene_desc(i, 1, 1, 0, 0xffff); /* no NEXT: says nothing */
		scene_offer(0);
		if (next && next < SIZE)
			assert_int_equal(scene_take(), VIRTQUEUE_OK);
		else
			scene_broken();
		scene_begin(SIZE, true);
		table = sound_table(
			6); /* more, behind a table that is said to have 3 */
		driver_queue_raw_desc(table.at, 0, 1, 1, NEXT, (uint16_t)next);
		scene_desc(5, table.addr, 16 * 3, INDIRECT, 0);
		driver_queue_raw_desc(table.at, 1, 1, 1, 0, 9);
		driver_queue_raw_desc(table.at, 2, 1, 1, 0, 9);
		scene_offer(5);
		if (next == 1 || next == 2)
			assert_int_equal(scene_take(), VIRTQUEUE_OK);
		else
			scene_broken();
	}
	tally("T-VQ-3", done, "next descriptors");
}

static void t_vq_3_head_out_of_range(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned head = SIZE; head < 65536; head += 1 + head / 20, done++) {
		scene_begin(SIZE, true);
		scene_offer((uint16_t)head);
		scene_broken();
	}
	tally("T-VQ-3", done, "heads outside the queue");
}

/* [utest->req~chains-that-cannot-be~1] */
static void t_vq_3_nested_indirect(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct driver_block inner, outer;

		scene_begin(SIZE, true);
		inner = sound_table(2);
		outer = sound_table(4);
		driver_queue_raw_desc(outer.at, i, inner.addr, 32, INDIRECT, 0);
		scene_desc(1, outer.addr, 64, INDIRECT, 0);
		scene_offer(1);
		scene_broken();
		scene_begin(SIZE, true); /* a table that is in itself */
		outer = sound_table(4);
		driver_queue_raw_desc(outer.at, i, outer.addr, 64, INDIRECT, 0);
		scene_desc(1, outer.addr, 64, INDIRECT, 0);
		scene_offer(1);
		scene_broken();
	}
	tally("T-VQ-3", 8, "tables in tables");
}

static void t_vq_3_indirect_with_next(void **state)
{
	struct driver_block table = sound_table(2);

	(void)state;
	scene_desc(0, table.addr, 32, INDIRECT | NEXT, 1);
	scene_desc(1, 1, 1, WRITE, 0);
	scene_offer(0);
	scene_broken();
}

/* Not a multiple of 16, none, more than entries. */
static void t_vq_3_indirect_length(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (uint32_t i = 0; i < 800; i++, done++) {
		uint32_t len = i < 600 ? i : i < 700 ? 0xffffffff - (i - 600) : i << 20;
		struct driver_block table;

		scene_begin(SIZE, true);
		table = sound_table(SIZE);
		driver_queue_raw_desc(table.at, 0, 1, 1, 0, 0);
		scene_desc(0, table.addr, len, INDIRECT, 0);
		scene_offer(0);
		if (len && len % 16 == 0 && len <= 16 * SIZE)
			assert_int_equal(scene_take(), VIRTQUEUE_OK);
		else
			scene_broken();
	}
	tally("T-VQ-3", done, "lengths of a table");
}

static void t_vq_3_indirect_of_nobody(void **state)
{
	static const uint64_t addrs[] = {0,
					 4096,
					 DRIVER_POOL_BASE - 16,
					 DRIVER_POOL_BASE + POOL_BYTES - 16,
					 DRIVER_POOL_BASE + POOL_BYTES,
					 UINT64_MAX - 31,
					 UINT64_C(1) << 63};

	(void)state;
	for (unsigned i = 0; i < COUNT(addrs); i++) {
		scene_begin(SIZE, true);
		scene_desc(0, addrs[i], 32, INDIRECT, 0);
		scene_offer(0);
		scene_broken();
	}
	scene_begin(SIZE, true);
	s.conf.table = NULL; /* it was not negotiated */
	virtqueue_init(&s.vq, &s.conf, false);
	scene_desc(0, sound_table(2).addr, 32, INDIRECT, 0);
	scene_offer(0);
	scene_broken();
	tally("T-VQ-3", COUNT(addrs) + 1, "tables that are not the driver's");
}

static void t_vq_3_readable_behind_writable(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned flags = 0; flags < 64; flags++, done++) {
		bool good = true, writable = false;

		scene_begin(SIZE, true);
		for (unsigned i = 0; i < 6; i++) {
			bool w = flags >> i & 1;

			scene_desc(i, 1, 1, (w ? WRITE : 0) | (i < 5 ? NEXT : 0),
				   (uint16_t)(i + 1));
			good = good && (w || !writable);
			writable = writable || w;
		}
		scene_offer(0);
		if (good)
			assert_int_equal(scene_take(), VIRTQUEUE_OK);
		else
			scene_broken();
	}
	tally("T-VQ-3", done, "orders of a chain");
}

/* -- T-VQ-4: what we write comes to lie in the queue itself -------------------- */

/* A buffer to write that is an area: written with anything while chains are out,
 * between any two calls. Nothing gets out of bounds. */
static void t_vq_4_buffers_alias_the_areas(void **state)
{
	uint64_t done = 0;
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 3000; round++, done++) {
		unsigned area = round % 3;
		uint16_t head[SIZE];
		unsigned out = 0;

		scene_begin(SIZE, round % 2);
		for (unsigned i = 0; i < SIZE; i++)
			scene_add(0, 1, 1, i);
		driver_queue_publish(&s.front);
		for (unsigned i = 0; i < 3 * SIZE; i++) {
			seed = seed * 1664525 + 1013904223;
			s.area[area].at[(seed >> 8) % s.area[area].bytes] =
				seed >> 24 & (area ? 0xff : 0x1f);
			if (scene_take() == VIRTQUEUE_OK) {
				assert_true(s.chain.readable + s.chain.writable <=
					    SIZE);
				assert_true(out < SIZE);
				head[out++] = s.chain.head;
			}
			if (out && seed >> 30 == 0) {
				virtqueue_put(&s.vq, head[--out], seed);
				virtqueue_push(&s.vq);
			}
			assert_int_equal(virtqueue_out(&s.vq), out);
		}
	}
	tally("T-VQ-4", done, "queues that their buffers lie on");
}

/* -- T-VQ-5: in flight -------------------------------------------------------- */

/* Again while it is out, and while it is put but not pushed; not once it is back. */
static void t_vq_5_head_in_flight(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (uint16_t size = 2; size <= VIRTQUEUE_SIZE_MAX; size *= 2) {
		for (uint16_t h = 0; h<size; h += size> 64 ? 21 : 1, done += 3) {
			for (unsigned how = 0; how < 3; how++) {
				scene_begin(size, true);
				scene_desc(h, 1, 1, 0, 0);
				scene_offer(h);
				assert_int_equal(scene_take(), VIRTQUEUE_OK);
				if (how)
					virtqueue_put(&s.vq, h, 0);
				if (how == 2)
					virtqueue_push(&s.vq);
				scene_offer(h);
				if (how == 2)
					assert_int_equal(scene_take(), VIRTQUEUE_OK);
				else
					scene_broken();
			}
		}
	}
	tally("T-VQ-5", done, "heads made available again");
}

/* In one batch, with one look. */
static void t_vq_5_head_twice_in_a_batch(void **state)
{
	(void)state;
	scene_desc(4, 1, 1, 0, 0);
	driver_queue_raw_avail(&s.front, s.front.added++, 4);
	scene_offer(4);
	assert_int_equal(scene_take(), VIRTQUEUE_OK);
	scene_broken();
	assert_int_equal(virtqueue_out(&s.vq), 1);
	virtqueue_put(&s.vq, 4, 0); /* it comes home all the same */
	assert_int_equal(virtqueue_out(&s.vq), 0);
	assert_false(virtqueue_push(&s.vq));
	assert_int_equal(driver_queue_used_idx(&s.front), 0);
}

/* No more are out than there are entries, whatever the index says. */
static void t_vq_5_no_more_than_entries(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < SIZE; i++) {
		scene_desc(i, 1, 1, 0, 0);
		scene_offer(i);
		assert_int_equal(scene_take(), VIRTQUEUE_OK);
	}
	assert_int_equal(virtqueue_out(&s.vq), SIZE);
	assert_int_equal(scene_take(), VIRTQUEUE_EMPTY);
	scene_offer(0);
	scene_broken();
	assert_int_equal(virtqueue_out(&s.vq), SIZE);
}

/* -- T-VQ-9: nothing, and the same twice ---------------------------------------- */

/* The same bytes to be read and written, twice and overlapping, are the driver's own
 * affair: they are given as they are, and counted. */
static void t_vq_9_the_same_buffer_twice(void **state)
{
	(void)state;
	scene_desc(0, 0x5000, 4096, NEXT, 1);
	scene_desc(1, 0x5000, 4096, NEXT, 2);
	scene_desc(2, 0x5800, 4096, NEXT | WRITE, 3);
	scene_desc(3, 0x5000, 4096, WRITE, 0);
	scene_offer(0);
	assert_int_equal(scene_take(), VIRTQUEUE_OK);
	assert_true(s.chain.readable == 2 && s.chain.writable == 2);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(s.chain.buffer[i].addr, i == 2 ? 0x5800 : 0x5000);
}

/* Two chains that share their last descriptors. */
static void t_vq_9_chains_that_meet(void **state)
{
	(void)state;
	scene_desc(0, 1, 10, NEXT, 2);
	scene_desc(1, 2, 20, NEXT, 2);
	scene_desc(2, 3, 30, WRITE, 0);
	scene_offer(0);
	scene_offer(1);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(scene_take(), VIRTQUEUE_OK);
		assert_true(s.chain.readable == 1 && s.chain.writable == 1);
		assert_int_equal(s.chain.buffer[1].addr, 3);
	}
}

/* Nothing to read, nothing to write: each of either, in each place. */
static void t_vq_9_buffer_without_bytes(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		for (unsigned readable = 0; readable <= 8; readable++, done++) {
			scene_begin(SIZE, true);
			for (unsigned j = 0; j < 8; j++)
				scene_desc(j, 1, j != i,
					   (j < readable ? 0 : WRITE) |
						   (j < 7 ? NEXT : 0),
					   (uint16_t)(j + 1));
			scene_offer(0);
			scene_broken();
		}
	}
	tally("T-VQ-9", done, "buffers without bytes");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(t_vq_1_areas_are_as_at_the_start),
		TEST(t_vq_2_length_at_each_position),
		TEST(t_vq_2_bytes_of_a_chain),
		TEST(t_vq_3_self_loop),
		TEST(t_vq_3_loops),
		TEST(t_vq_3_chain_longer_than_queue),
		TEST(t_vq_3_next_out_of_range),
		TEST(t_vq_3_head_out_of_range),
		TEST(t_vq_3_nested_indirect),
		TEST(t_vq_3_indirect_with_next),
		TEST(t_vq_3_indirect_length),
		TEST(t_vq_3_indirect_of_nobody),
		TEST(t_vq_3_readable_behind_writable),
		TEST(t_vq_4_buffers_alias_the_areas),
		TEST(t_vq_5_head_in_flight),
		TEST(t_vq_5_head_twice_in_a_batch),
		TEST(t_vq_5_no_more_than_entries),
		TEST(t_vq_9_the_same_buffer_twice),
		TEST(t_vq_9_chains_that_meet),
		TEST(t_vq_9_buffer_without_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
