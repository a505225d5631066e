/* SPDX-License-Identifier: MIT */
/* backends/door/virtqueue.c against a driver that was written from the specification
 * (tests/front/): what a sound one sees. The others: tests/hostile/virtqueue.c. */
#include "tests/hook/shared-hook.h"
#include "tests/unit/virtqueue_scene.h"

static int fresh(void **state)
{
	(void)state;
	shared_hook = NULL;
	scene_begin(16, true);
	return 0;
}

/* -- Chains ------------------------------------------------------------------- */

static void gives_what_was_added(void **state)
{
	uint64_t cookie = 0;

	(void)state;
	for (unsigned n = 1; n <= 16; n++) {
		for (unsigned readable = 0; readable <= n; readable++, cookie++) {
			int head = scene_add(readable, n - readable, n, cookie);
			struct driver_done done;

			assert_true(head >= 0);
			assert_int_equal(scene_take(), VIRTQUEUE_EMPTY);
			driver_queue_publish(&s.front);
			assert_int_equal(scene_take(), VIRTQUEUE_OK);
			scene_is(readable, n - readable, cookie);
			assert_int_equal(s.chain.head, head);
			assert_int_equal(scene_take(), VIRTQUEUE_EMPTY);
			virtqueue_put(&s.vq, (uint16_t)head, 7);
			virtqueue_push(&s.vq);
			assert_int_equal(driver_queue_get(&s.front, &done), DRIVER_GOT);
			assert_true(done.cookie == cookie && done.len == 7);
			assert_int_equal(driver_queue_get(&s.front, &done),
					 DRIVER_NOTHING);
		}
	}
}

/* All in a table, or some before it (2.7.5.3.2); up to as many as entries. */
static void gives_what_is_in_a_table(void **state)
{
	struct driver_done done;
	uint64_t cookie = 0;

	(void)state;
	for (unsigned n = 1; n <= 16; n++) {
		for (unsigned direct = 0; direct < n; direct++) {
			for (unsigned r = 0; r <= n; r += n > 4 ? 3 : 1, cookie++) {
				assert_true(scene_add(r, n - r, direct, cookie) >= 0);
				driver_queue_publish(&s.front);
				assert_int_equal(scene_take(), VIRTQUEUE_OK);
				scene_is(r, n - r, cookie);
				virtqueue_put(&s.vq, s.chain.head, 0);
				virtqueue_push(&s.vq);
				assert_int_equal(driver_queue_get(&s.front, &done),
						 DRIVER_GOT);
			}
		}
	}
}

/* Of flags only three bits mean something; of those WRITE nothing on a table. */
static void ignores_flags_without_meaning(void **state)
{
	struct driver_block table = driver_pool_get(&s.pool, 32, 16);

	(void)state;
	scene_desc(3, 100, 10, 0xfff8 | VIRTQ_DESC_F_NEXT, 9);
	scene_desc(9, 200, 20, 0xfff8 | VIRTQ_DESC_F_WRITE, 0xffff);
	scene_offer(3);
	assert_int_equal(scene_take(), VIRTQUEUE_OK);
	assert_true(s.chain.readable == 1 && s.chain.writable == 1);
	assert_true(s.chain.buffer[1].addr == 200 && s.chain.buffer[1].len == 20);

	driver_queue_raw_desc(table.at, 0, 300, 30, VIRTQ_DESC_F_NEXT, 1);
	driver_queue_raw_desc(table.at, 1, 400, 40, VIRTQ_DESC_F_WRITE, 0);
	scene_desc(5, table.addr, 32, VIRTQ_DESC_F_INDIRECT | VIRTQ_DESC_F_WRITE, 77);
	scene_offer(5);
	assert_int_equal(scene_take(), VIRTQUEUE_OK);
	assert_true(s.chain.readable == 1 && s.chain.writable == 1);
	assert_true(s.chain.buffer[0].addr == 300 && s.chain.buffer[1].addr == 400);
}

/* A table need not lie where a descriptor of the queue would. */
static void takes_a_table_at_any_address(void **state)
{
	struct driver_block block = driver_pool_get(&s.pool, 64, 16);

	(void)state;
	for (uint16_t i = 1; i < 16; i++) {
		driver_queue_raw_desc(block.at + i, 0, i, i, 0, 0);
		scene_desc(i, block.addr + i, 16, VIRTQ_DESC_F_INDIRECT, 0);
		scene_offer(i);
		assert_int_equal(scene_take(), VIRTQUEUE_OK);
		assert_true(s.chain.readable == 1 && s.chain.buffer[0].addr == i);
	}
}

/* -- The rings ---------------------------------------------------------------- */

static void publishes_with_the_push(void **state)
{
	struct driver_done done;
	uint16_t head[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		scene_add(1, 1, 2, i);
		driver_queue_publish(&s.front);
		assert_int_equal(scene_take(), VIRTQUEUE_OK);
		head[i] = s.chain.head;
	}
	assert_int_equal(virtqueue_out(&s.vq), 4);
	assert_false(virtqueue_push(&s.vq));
	for (unsigned i = 0; i < 3; i++)
		virtqueue_put(&s.vq, head[2 - i], 10 + i);
	assert_int_equal(virtqueue_out(&s.vq), 1);
	assert_int_equal(driver_queue_get(&s.front, &done), DRIVER_NOTHING);
	virtqueue_push(&s.vq);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(driver_queue_get(&s.front, &done), DRIVER_GOT);
		assert_true(done.cookie == 2 - i && done.len == 10 + i);
	}
	assert_int_equal(driver_queue_get(&s.front, &done), DRIVER_NOTHING);
}

/* Every size, from just below the wrap of the 16-bit indices, in and out of order. */
static void wraps_at_65536(void **state)
{
	(void)state;
	for (uint16_t size = 2; size <= VIRTQUEUE_SIZE_MAX; size *= 2) {
		uint64_t sent = 0, got = 0;

		scene_begin_at(size, size & 0xaa, (uint16_t)(65536 - 3 * size));
		for (unsigned round = 0; round < 60; round++) {
			unsigned n = 1 + round * 7 % size;
			uint16_t head[VIRTQUEUE_SIZE_MAX];
			struct driver_done done;

			for (unsigned i = 0; i < n; i++)
				assert_true(scene_add(i % 2, 1 - i % 2, 1, sent + i) >=
					    0);
			driver_queue_publish(&s.front);
			for (unsigned i = 0; i < n; i++) {
				assert_int_equal(scene_take(), VIRTQUEUE_OK);
				scene_is(i % 2, 1 - i % 2, sent++);
				head[round % 2 ? n - 1 - i : i] = s.chain.head;
			}
			assert_int_equal(scene_take(), VIRTQUEUE_EMPTY);
			for (unsigned i = 0; i < n; i++)
				virtqueue_put(&s.vq, head[i], i);
			virtqueue_push(&s.vq);
			for (unsigned i = 0; i < n; i++, got++) {
				assert_int_equal(driver_queue_get(&s.front, &done),
						 DRIVER_GOT);
				assert_int_equal(done.head, head[i]);
				assert_int_equal(done.len, i);
			}
		}
		assert_true(got == sent && sent > 3u * size);
	}
}

static void begins_an_area_that_was_used(void **state)
{
	(void)state;
	memset(s.area[2].at, 0xa5, s.area[2].bytes);
	assert_int_equal(virtqueue_init(&s.vq, &s.conf, false), VIRTQUEUE_OK);
	assert_int_equal(driver_queue_used_idx(&s.front), 0);
	assert_int_equal(driver_queue_used_flags(&s.front), 0);
	assert_int_equal(s.area[2].at[4], 0xa5);
}

/* -- Who wants to hear of what ------------------------------------------------ */

/* Said at length: was an element written at index @event, of those from @old on? */
static bool says(uint16_t event, uint16_t old, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if ((uint16_t)(old + i) == event)
			return true;
	}
	return false;
}

/* Each push of 1 to 8 elements, around the wrap, with each event index near. */
static void notifies_as_used_event_says(void **state)
{
	static const uint16_t starts[] = {0, 5, 32765, 65530, 65535};

	(void)state;
	for (unsigned a = 0; a < COUNT(starts); a++) {
		for (unsigned n = 1; n <= 8; n++) {
			for (int by = -300; by <= 300; by++) {
				uint16_t event = (uint16_t)(starts[a] + by);

				scene_begin_at(8, true, starts[a]);
				for (unsigned i = 0; i < n; i++)
					scene_add(1, 0, 1, i);
				driver_queue_publish(&s.front);
				for (unsigned i = 0; i < n; i++) {
					assert_int_equal(scene_take(), VIRTQUEUE_OK);
					virtqueue_put(&s.vq, s.chain.head, 0);
				}
				driver_queue_raw_used_event(&s.front, event);
				driver_queue_raw_flags(&s.front, 1); /* says nothing */
				assert_int_equal(virtqueue_push(&s.vq),
						 says(event, starts[a], n));
				assert_false(virtqueue_push(&s.vq));
			}
		}
	}
}

static void notifies_as_flags_say(void **state)
{
	static const uint16_t flags[] = {0, 1, 2, 3, 0xfffe, 0xffff};

	(void)state;
	scene_begin(16, false);
	for (unsigned i = 0; i < COUNT(flags); i++) {
		scene_add(1, 0, 1, i);
		driver_queue_publish(&s.front);
		assert_int_equal(scene_take(), VIRTQUEUE_OK);
		virtqueue_put(&s.vq, s.chain.head, 0);
		driver_queue_raw_flags(&s.front, flags[i]);
		driver_queue_raw_used_event(&s.front, (uint16_t)i); /* says nothing */
		assert_int_equal(virtqueue_push(&s.vq), !(flags[i] & 1));
		assert_false(virtqueue_push(&s.vq));
	}
}

/* Asleep it is told of the first chain, awake of none. */
static void is_told_when_it_armed(void **state)
{
	struct driver_done done;

	(void)state;
	for (unsigned how = 0; how < 2; how++) {
		scene_begin_at(4, how, 65530);
		for (unsigned round = 0; round < 12; round++) {
			assert_false(virtqueue_arm(&s.vq));
			assert_false(virtqueue_pending(&s.vq));
			scene_add(1, 0, 1, 1);
			assert_true(driver_queue_publish(&s.front));
			assert_true(virtqueue_pending(&s.vq));
			assert_int_equal(scene_take(), VIRTQUEUE_OK);
			virtqueue_put(&s.vq, s.chain.head, 0);
			for (unsigned i = 0; i < 3; i++) {
				scene_add(1, 0, 1, 1);
				assert_false(driver_queue_publish(&s.front));
			}
			assert_true(virtqueue_arm(&s.vq)); /* do not sleep */
			for (unsigned i = 0; i < 3; i++) {
				assert_true(virtqueue_pending(&s.vq));
				assert_true(virtqueue_arm(&s.vq));
				assert_int_equal(scene_take(), VIRTQUEUE_OK);
				virtqueue_put(&s.vq, s.chain.head, 0);
			}
			virtqueue_push(&s.vq);
			while (driver_queue_get(&s.front, &done) == DRIVER_GOT)
				;
			assert_int_equal(driver_queue_out(&s.front), 0);
		}
		/* With an event index the flags are 0 (2.7.10.2). */
		assert_int_equal(driver_queue_used_flags(&s.front), how ? 0 : 1);
	}
}

/* The driver publishes at any read of ours while we arm: it notifies, or we see it. */
static bool raced, told;

static void race_hook(uint64_t k, const volatile void *p, size_t len)
{
	(void)k;
	(void)p;
	(void)len;
	raced = true;
	shared_hook = NULL;
	scene_add(1, 0, 1, 1);
	told = driver_queue_publish(&s.front);
}

static void loses_no_wake_up(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 2; how++) {
		for (unsigned after = 0; after < 2; after++) {
			bool seen;

			scene_begin(4, how);
			scene_add(1, 0, 1, 1);
			driver_queue_publish(&s.front);
			assert_int_equal(scene_take(), VIRTQUEUE_OK);
			raced = false;
			*(after ? &shared_hook_after : &shared_hook) = race_hook;
			seen = virtqueue_arm(&s.vq);
			shared_hook = shared_hook_after = NULL;
			assert_true(raced);
			assert_true(seen || told);
		}
	}
}

/* The driver arms while we push: at our read of its wish the index is there. */
static void wish_hook(uint64_t k, const volatile void *p, size_t len)
{
	(void)k;
	(void)p;
	(void)len;
	raced = driver_queue_arm(&s.front);
}

static void publishes_before_it_asks(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 2; how++) {
		scene_begin(4, how);
		scene_add(1, 0, 1, 1);
		driver_queue_publish(&s.front);
		assert_int_equal(scene_take(), VIRTQUEUE_OK);
		virtqueue_put(&s.vq, s.chain.head, 0);
		raced = false;
		shared_hook = wish_hook;
		virtqueue_push(&s.vq);
		shared_hook = NULL;
		assert_true(raced);
	}
}

/* -- A successor -------------------------------------------------------------- */

/* Killed with any number taken, put and pushed: what is not in the used ring is
 * there again, in order, and the first push notifies whatever the driver wants. */
static void attach_after(unsigned taken, unsigned put, unsigned pushed, bool event_idx)
{
	struct driver_done done;
	uint16_t head[8];

	scene_begin_at(8, event_idx, 65533);
	for (unsigned i = 0; i < 8; i++)
		scene_add(1, 0, 1, i);
	driver_queue_publish(&s.front);
	for (unsigned i = 0; i < taken; i++) {
		assert_int_equal(scene_take(), VIRTQUEUE_OK);
		head[i] = s.chain.head;
	}
	for (unsigned i = 0; i < put; i++) {
		virtqueue_put(&s.vq, head[i], i);
		if (i + 1 == pushed)
			virtqueue_push(&s.vq);
	}
	memset(&s.vq, 0xa5, sizeof(s.vq));
	assert_int_equal(virtqueue_init(&s.vq, &s.conf, true), VIRTQUEUE_OK);
	assert_int_equal(virtqueue_out(&s.vq), 0);
	driver_queue_quiet(&s.front);
	for (unsigned i = pushed; i < 8; i++) {
		assert_true(virtqueue_pending(&s.vq));
		assert_int_equal(scene_take(), VIRTQUEUE_OK);
		scene_is(1, 0, i);
		virtqueue_put(&s.vq, s.chain.head, i);
		assert_int_equal(virtqueue_push(&s.vq), i == pushed);
	}
	assert_int_equal(scene_take(), VIRTQUEUE_EMPTY);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(driver_queue_get(&s.front, &done), DRIVER_GOT);
		assert_true(done.cookie == i && done.len == i);
	}
}

static void attaches_where_used_elements_end(void **state)
{
	(void)state;
	for (unsigned taken = 0; taken <= 8; taken++) {
		for (unsigned put = 0; put <= taken; put++) {
			for (unsigned pushed = 0; pushed <= put; pushed++) {
				attach_after(taken, put, pushed, true);
				attach_after(taken, put, pushed, false);
			}
		}
	}
}

/* A predecessor that told the driver not to notify is no more. */
static void attached_is_told_when_it_armed(void **state)
{
	(void)state;
	scene_begin(4, false);
	scene_add(1, 0, 1, 1);
	driver_queue_publish(&s.front);
	assert_int_equal(scene_take(), VIRTQUEUE_OK);
	assert_int_equal(driver_queue_used_flags(&s.front), 1);
	assert_int_equal(virtqueue_init(&s.vq, &s.conf, true), VIRTQUEUE_OK);
	assert_int_equal(scene_take(), VIRTQUEUE_OK);
	assert_false(virtqueue_arm(&s.vq));
	scene_add(1, 0, 1, 1);
	assert_true(driver_queue_publish(&s.front));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_what_was_added),
		TEST(gives_what_is_in_a_table),
		TEST(ignores_flags_without_meaning),
		TEST(takes_a_table_at_any_address),
		TEST(publishes_with_the_push),
		TEST(wraps_at_65536),
		TEST(begins_an_area_that_was_used),
		TEST(notifies_as_used_event_says),
		TEST(notifies_as_flags_say),
		TEST(is_told_when_it_armed),
		TEST(loses_no_wake_up),
		TEST(publishes_before_it_asks),
		TEST(attaches_where_used_elements_end),
		TEST(attached_is_told_when_it_armed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
