/* SPDX-License-Identifier: MIT */
/*
 * T-RING of a virtqueue: areas that change while they are read, as an enumeration of
 * all reads and of what they change to; indices that cannot be; and what used elements
 * give away.
 */
#include "tests/hook/shared-hook.h"
#include "tests/unit/virtqueue_scene.h"

#define SIZE 16

static int fresh(void **state)
{
	(void)state;
	shared_hook = shared_hook_after = NULL;
	scene_begin(SIZE, true);
	return 0;
}

/* -- T-RING-1: bytes that change while they are read --------------------------- */

static struct {
	struct virtqueue_chain chain[SIZE];
	uint32_t chains;
	uint64_t reads;
	uint8_t used[6 + 8 * SIZE];
	bool notify;
} want, got;

#define FIRST_READS 5 /* of the first chain: index, head, 3 descriptors */

/* Direct, in a table, both; 5 chains, 13 descriptors of the queue. */
static void asks(void)
{
	scene_begin(SIZE, true);
	scene_add(2, 1, 3, 11);
	scene_add(1, 4, 0, 22);
	scene_add(3, 2, 2, 33);
	scene_add(0, 5, 5, 44);
	scene_add(1, 0, 1, 55);
	driver_queue_publish(&s.front);
}

/* What the device makes of it. False: broken on the way. */
static bool outcome(void *into)
{
	__typeof__(want) *o = into;

	memset(o, 0, sizeof(*o));
	shared_hook_reads = 0;
	while (o->chains < SIZE &&
	       virtqueue_take(&s.vq, &o->chain[o->chains]) == VIRTQUEUE_OK) {
		virtqueue_put(&s.vq, o->chain[o->chains].head, o->chains);
		o->chains++;
	}
	o->notify = virtqueue_push(&s.vq);
	o->reads = shared_hook_reads;
	memcpy(o->used, s.area[2].at, sizeof(o->used));
	return !s.vq.why;
}

static uint64_t rewrite_k, rewrites;
static unsigned rewrite_how;
static size_t rewrite_len; /* of that read; 0: it was not there */
static bool rewrite_index; /* it was one that is looked at anew */

#define WHOLE 4 /* ways to rewrite all of it; the others are a byte each */

static void rewrite(uint64_t k, const volatile void *p, size_t len)
{
	uint8_t *at = (uint8_t *)(uintptr_t)p;
	uint8_t *avail = s.area[1].at;
	unsigned byte = (rewrite_how - WHOLE) / 2;

	if (k != rewrite_k)
		return;
	rewrite_len = len;
	rewrite_index = at == avail + 2;
	rewrites++;
	if (rewrite_how == 0)
		memset(at, 0, len);
	else if (rewrite_how == 1)
		memset(at, 0xff, len);
	else if (rewrite_how == 2)
		memset(at, 0x80, len);
	else if (rewrite_how == 3) /* another good descriptor, another good head */
		memcpy(at, "\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0", len);
	else
		at[byte] ^= rewrite_how % 2 ? 0xff : 0x01;
}

/* Right after each read: nothing of what comes of it is other. Of the index a
 * second look is meant: what was given before it is the same.
 * [utest->req~shared-bytes-are-read-once~1] */
static void t_ring_1_queue_rewritten_after_each_read(void **state)
{
	(void)state;
	asks();
	assert_true(outcome(&want));
	assert_int_equal(want.chains, 5);
	assert_true(want.reads > 13 + 5 + 8);
	rewrites = 0;
	for (rewrite_k = 0; rewrite_k < want.reads; rewrite_k++) {
		rewrite_how = 0;
		do {
			asks();
			shared_hook_after = rewrite;
			outcome(&got);
			shared_hook_after = NULL;
			if (!rewrite_index) {
				assert_memory_equal(&got, &want, sizeof(want));
				continue;
			}
			assert_true(got.chains >= 5);
			assert_memory_equal(got.chain, want.chain,
					    5 * sizeof(got.chain[0]));
		} while (++rewrite_how < WHOLE + 2 * rewrite_len);
	}
	assert_true(rewrites > 500);
	tally("T-RING-1", rewrites, "rewrites after a virtqueue's read");
}

/* What was taken is whole, whatever was read. */
static void chains_are_sound(void)
{
	for (unsigned c = 0; c < got.chains; c++) {
		const struct virtqueue_chain *chain = &got.chain[c];
		unsigned n = (unsigned)chain->readable + chain->writable;
		uint64_t bytes = 0;

		assert_in_range(n, 1, SIZE);
		assert_true(chain->head < SIZE);
		for (unsigned i = 0; i < n; i++) {
			assert_true(chain->buffer[i].len);
			bytes += chain->buffer[i].len;
		}
		assert_true(bytes <= UINT64_C(1) << 32);
	}
}

/* Right before each read: it is a driver that wrote so at first. */
static void t_ring_1_queue_rewritten_before_each_read(void **state)
{
	uint64_t broken = 0;

	(void)state;
	asks();
	outcome(&want);
	rewrites = 0;
	for (rewrite_k = 0; rewrite_k < want.reads; rewrite_k++) {
		rewrite_how = 0;
		do {
			asks();
			shared_hook = rewrite;
			broken += !outcome(&got);
			shared_hook = NULL;
			assert_true(got.reads <= SIZE * (3 + SIZE) + 3);
			chains_are_sound();
			if (rewrite_k >= FIRST_READS)
				assert_memory_equal(got.chain, want.chain,
						    sizeof(got.chain[0]));
		} while (++rewrite_how < WHOLE + 2 * rewrite_len);
	}
	assert_true(broken > rewrites / 4 && broken < rewrites);
	tally("T-RING-1", rewrites, "rewrites before a virtqueue's read");
}

/* Of what one chain is made of, no byte is read twice. */
static uint8_t reads_of[3][16 * SIZE], reads_of_pool[POOL_BYTES];

static void count_hook(uint64_t k, const volatile void *p, size_t len)
{
	const uint8_t *at = (const uint8_t *)(uintptr_t)p;

	(void)k;
	for (size_t i = 0; i < len; i++) {
		if (at >= s.memory && at < s.memory + POOL_BYTES)
			reads_of_pool[at - s.memory + i]++;
		for (unsigned a = 0; a < 3; a++) {
			if (at >= s.area[a].at && at < s.area[a].at + s.area[a].bytes)
				reads_of[a][at - s.area[a].at + i]++;
		}
	}
}

static void t_ring_1_queue_reads_each_byte_once(void **state)
{
	uint64_t bytes = 0;

	(void)state;
	asks();
	memset(reads_of, 0, sizeof(reads_of));
	memset(reads_of_pool, 0, sizeof(reads_of_pool));
	shared_hook = count_hook;
	assert_true(outcome(&want));
	shared_hook = NULL;
	for (unsigned i = 0; i < 16 * SIZE; i++) {
		assert_true(reads_of[0][i] <= 1);
		assert_true(i < 4 || i >= 4 + 2 * SIZE || reads_of[1][i] <= 1);
		assert_int_equal(reads_of[2][i], 0); /* nothing of what is ours */
		bytes += reads_of[0][i];
	}
	for (unsigned i = 0; i < POOL_BYTES; i++) {
		assert_true(reads_of_pool[i] <= 1);
		bytes += reads_of_pool[i];
	}
	assert_int_equal(bytes, 16 * (13 + 8));
	tally("T-RING-1", bytes, "bytes of descriptors, each read once");
}

/* -- T-RING-2, T-RING-3 ------------------------------------------------------- */

/* @busy chains out, @put of them put and not pushed; then an index. */
static void index_is(uint16_t start, unsigned busy, unsigned put, uint16_t by, bool can)
{
	scene_begin_at(SIZE, true, start);
	for (unsigned i = 0; i < busy; i++) {
		scene_add(1, 0, 1, i);
		driver_queue_publish(&s.front);
		assert_int_equal(scene_take(), VIRTQUEUE_OK);
		if (i < put)
			virtqueue_put(&s.vq, s.chain.head, 0);
	}
	driver_queue_raw_idx(&s.front, (uint16_t)(start + by));
	shared_hook_reads = 0;
	assert_int_equal(virtqueue_pending(&s.vq), by != busy);
	if (can) {
		assert_int_equal(virtqueue_arm(&s.vq), by != busy);
		return;
	}
	assert_true(virtqueue_arm(&s.vq)); /* the take will say so */
	scene_broken();
	assert_true(shared_hook_reads <= 3);
	assert_int_equal(virtqueue_out(&s.vq), busy - put);
}

/* [utest->req~indices-that-cannot-be~1] */
static void t_ring_2_queue_index_abuse(void **state)
{
	static const uint16_t starts[] = {0, 77, 32760, 65520, 65535};
	uint64_t done = 0;

	(void)state;
	for (unsigned a = 0; a < COUNT(starts); a++) {
		for (unsigned busy = 0; busy <= SIZE; busy += 4) {
			for (unsigned put = 0; put <= busy; put += 4) {
				for (unsigned by = 0; by < 65536; by++) {
					bool can = by >= busy && by <= SIZE;

					if (by > 40 && by % 251 && by < 65500)
						continue;
					index_is(starts[a], busy, put, (uint16_t)by,
						 can);
					done++;
				}
			}
		}
	}
	tally("T-RING-2", done, "available indices");
}

static void t_ring_2_queue_index_at_attach(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned by = 0; by < 65536; by++, done++) {
		scene_begin_at(SIZE, true, 65530);
		driver_queue_raw_idx(&s.front, (uint16_t)(65530 + by));
		assert_int_equal(virtqueue_init(&s.vq, &s.conf, true),
				 by <= SIZE ? VIRTQUEUE_OK : VIRTQUEUE_BROKEN);
		assert_true(!s.vq.why == (by <= SIZE));
		by += by > 40 && by < 65400 ? 123 : 0;
	}
	tally("T-RING-2", done, "available indices at an attach");
}

/* Nothing but what was put is written, and each byte of it is of the answer. */
static void t_ring_3_used_elements(void **state)
{
	uint64_t bytes = 0;

	(void)state;
	for (unsigned n = 1; n <= SIZE; n++) {
		scene_begin(SIZE, true);
		memset(s.area[2].at + 4, 0xa5, s.area[2].bytes - 4);
		for (unsigned i = 0; i < n; i++)
			scene_add(1, 0, 1, i);
		driver_queue_publish(&s.front);
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(scene_take(), VIRTQUEUE_OK);
			virtqueue_put(&s.vq, s.chain.head, 0x01020300 + i);
		}
		virtqueue_push(&s.vq);
		assert_int_equal(driver_queue_used_idx(&s.front), n);
		assert_int_equal(driver_queue_used_flags(&s.front), 0);
		for (unsigned i = 4; i < s.area[2].bytes; i++, bytes++) {
			uint8_t element[8] = {(uint8_t)((i - 4) / 8), 0, 0, 0,
					      (uint8_t)((i - 4) / 8), 3, 2, 1};
			bool put = i < 4 + 8 * n;

			assert_int_equal(s.area[2].at[i],
					 put ? element[(i - 4) % 8] : 0xa5);
		}
	}
	tally("T-RING-3", bytes, "bytes of a used ring");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(t_ring_1_queue_rewritten_after_each_read),
		TEST(t_ring_1_queue_rewritten_before_each_read),
		TEST(t_ring_1_queue_reads_each_byte_once),
		TEST(t_ring_2_queue_index_abuse),
		TEST(t_ring_2_queue_index_at_attach),
		TEST(t_ring_3_used_elements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
