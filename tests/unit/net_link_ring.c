/* SPDX-License-Identifier: MIT */
/* backends/net/net-link-ring.c, with each read of shared memory watched: what two
 * honest sides see, and what one sees that writes anything anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "backends/net/net-link-ring.h"
#include "tests/hook/shared-hook.h"

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define HEAD	   sizeof(struct net_ring_head)
#define ENTRY(n)   (uint32_t)(HEAD + ((n) + 15u) / 16 * 16)
#define LARGEST	   NET_RING_FRAME_MAX
#define BYTES	   NET_RING_BYTES
#define LOOKS_MOST 70000 /* a ring of the smallest entries has fewer */

static uint8_t *area; /* of its own, so that a look beyond it is seen */
static struct net_ring_control *words;
static struct net_ring_out out;
static struct net_ring_in in;
static uint8_t frame[LARGEST], got[LARGEST];

static void begin_at(uint32_t index)
{
	words->put = words->taken = index;
	net_ring_out_begin(&out, area);
	net_ring_in_begin(&in, area);
}

static int set_up(void **state)
{
	(void)state;
	shared_hook = shared_hook_after = NULL;
	area = aligned_alloc(64, NET_RING_AREA);
	assert_non_null(area);
	memset(area, 0, NET_RING_AREA);
	words = (struct net_ring_control *)(void *)area;
	for (uint32_t i = 0; i < LARGEST; i++)
		frame[i] = (uint8_t)(i * 7 + (i >> 8));
	begin_at(0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(area);
	return 0;
}

static bool put(uint32_t size)
{
	struct net_ring_head head = {.size = size, .offload = {.gso_size = 77}};

	if (!net_ring_out_room(&out, size))
		return false;
	net_ring_out_write(&out, 0, frame, size);
	net_ring_out_push(&out, &head);
	return true;
}

static enum net_ring_look look(uint32_t *size)
{
	struct net_ring_head head;
	enum net_ring_look r = net_ring_in_look(&in, &head);

	if (r != NET_RING_FRAME)
		return r;
	assert_true(head.size >= NET_HEADER && head.size <= LARGEST);
	net_ring_in_read(&in, got);
	net_ring_in_pop(&in);
	*size = head.size;
	return r;
}

static void take(uint32_t expected)
{
	uint32_t size = 0;

	assert_int_equal(look(&size), NET_RING_FRAME);
	assert_int_equal(size, expected);
	assert_memory_equal(got, frame, size);
}

static void empty(void)
{
	uint32_t size;

	assert_int_equal(look(&size), NET_RING_EMPTY);
}

/* -- Two honest sides ------------------------------------------------------------- */

static void nothing_is_there(void **state)
{
	(void)state;
	empty();
	net_ring_in_publish(&in);
	assert_int_equal(words->taken, 0);
	assert_true(net_ring_in_wait(&in));
	assert_false(net_ring_out_heal(&out));
	assert_false(net_ring_out_wakes(&out)); /* nothing was put */
}

/* Each size, and each place where it can lie across the end. */
static void any_size_comes_whole(void **state)
{
	(void)state;
	for (uint32_t size = NET_HEADER; size <= LARGEST;
	     size += size < 2100 ? 1 : 97) {
		assert_true(put(size));
		take(size);
		net_ring_in_publish(&in);
	}
	assert_true(put(LARGEST));
	take(LARGEST);
	empty();
	assert_false(net_ring_out_room(&out, LARGEST + 1));
}

static void across_the_end_at_any_place(void **state)
{
	static const uint32_t sizes[] = {14, 15, 16, 17, 60, 1514, LARGEST};

	(void)state;
	for (unsigned i = 0; i < COUNT(sizes); i++) {
		for (uint32_t back = 0; back <= ENTRY(sizes[i]) + 16; back += 16) {
			begin_at(BYTES - back);
			assert_true(put(sizes[i]));
			take(sizes[i]);
			empty();
		}
	}
}

static void indices_run_over(void **state)
{
	(void)state;
	begin_at(0xffffffc0);
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(put(60));
		assert_true(put(LARGEST));
		take(60);
		take(LARGEST);
		net_ring_in_publish(&in);
		empty();
	}
	assert_true(out.put < 0xffffffc0);
}

/* As many as fit, and not one more before the other says that it is done. */
static void full(void **state)
{
	static const uint32_t sizes[] = {14, 17, 1514, LARGEST};

	(void)state;
	for (unsigned i = 0; i < COUNT(sizes); i++) {
		uint32_t most = BYTES / ENTRY(sizes[i]), n = 0;

		begin_at(BYTES - 32);
		while (put(sizes[i]))
			n++;
		assert_int_equal(n, most);
		take(sizes[i]);
		assert_false(put(sizes[i]));
		net_ring_in_publish(&in);
		assert_true(put(sizes[i]));
		assert_false(put(sizes[i]));
		for (n = 0; n < most; n++)
			take(sizes[i]);
		empty();
	}
}

static void discarded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		assert_true(put(60));
	net_ring_in_discard(&in);
	assert_int_equal(words->taken, out.put);
	empty();
	assert_true(put(61));
	take(61);
}

/* The one after it goes on where it was; what was not done with is there still. */
static void goes_on_where_it_was(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(put(100 + i));
	take(100);
	net_ring_in_publish(&in);
	take(101);
	net_ring_in_begin(&in, area);
	net_ring_out_begin(&out, area);
	assert_true(put(103));
	take(101);
	take(102);
	take(103);
	empty();
}

/* One wake-up a wait, however many are put; none for who does not wait. */
static void wakes_once(void **state)
{
	unsigned wakes = 0;

	(void)state;
	assert_true(net_ring_in_wait(&in));
	for (unsigned i = 0; i < 100; i++) {
		assert_true(put(60));
		wakes += net_ring_out_wakes(&out);
	}
	assert_int_equal(wakes, 1);
	assert_false(net_ring_in_wait(&in)); /* something is there */
	for (unsigned i = 0; i < 100; i++)
		take(60);
	assert_true(put(60));
	assert_false(net_ring_out_wakes(&out)); /* it has not said that it waits */
	take(60);
	empty();
	assert_true(net_ring_in_wait(&in));
	assert_true(put(60));
	assert_true(put(60)); /* two at once */
	assert_true(net_ring_out_wakes(&out));
}

/* -- One that is not -------------------------------------------------------------- */

static const uint32_t indices[] = {
	0,	    1,		15,	    16,		17,	    32,
	48,	    64,		4096,	    BYTES - 16, BYTES - 1,  BYTES,
	BYTES + 1,  BYTES + 15, BYTES + 16, BYTES * 2,	0x7fffffff, 0x80000000,
	0xfffffff0, 0xffffffff, 0xffefffff, 0xfff00000, 0xfff00040, 0xfff00030,
};

/* From any state that it left: it ends, in memory of its own (the sanitizer), and what
 * it says is a frame has the size of one. */
static void looks_that_end(void)
{
	uint32_t size, looks = 0;

	while (look(&size) != NET_RING_EMPTY)
		assert_true(looks++ < LOOKS_MOST);
	assert_true((in.taken & 15) == 0);
}

static void any_index_of_who_puts(void **state)
{
	(void)state;
	for (unsigned fill = 0; fill < 3; fill++) {
		static const uint8_t with[] = {0, 0x10, 0xff};

		memset(area + NET_RING_CONTROL, with[fill], BYTES);
		for (unsigned i = 0; i < COUNT(indices); i++) {
			for (unsigned j = 0; j < COUNT(indices); j++) {
				words->taken = indices[i];
				net_ring_in_begin(&in, area);
				words->put = indices[j];
				looks_that_end();
				assert_true(net_ring_in_wait(&in));
			}
		}
	}
}

/* Sizes of a frame: what is no frame, or is not there as far as that, is dropped with
 * all that there is. */
static void any_size_that_is_said(void **state)
{
	static const uint32_t sizes[] = {0,	    1,		13,	    14,
					 32,	    33,		LARGEST,    LARGEST + 1,
					 BYTES,	    0x7fffffff, 0x80000000, 0xfffffff0,
					 0xffffffff};

	(void)state;
	for (unsigned i = 0; i < COUNT(sizes); i++) {
		struct net_ring_head head = {.size = sizes[i]};
		bool good = sizes[i] >= 14 && sizes[i] <= 32;
		uint32_t size;

		begin_at(BYTES - 16);
		memcpy(area + NET_RING_CONTROL + BYTES - 16, &head, sizeof(head));
		words->put = BYTES - 16 + ENTRY(32);
		assert_int_equal(look(&size), good ? NET_RING_FRAME : NET_RING_BROKEN);
		if (!good)
			empty();
	}
}

/* With 64 bytes put: what it may say is done with is none, all, or between them, or a
 * ring's worth before that. */
static void any_index_of_who_takes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(indices); i++) {
		uint32_t taken = indices[i], in_it = 64 - taken;
		bool good = in_it <= BYTES && in_it % 16 == 0;

		begin_at(0);
		assert_true(put(48));
		out.taken = out.put - BYTES; /* as if full: it has to look */
		words->taken = taken;
		assert_int_equal(net_ring_out_room(&out, 16),
				 good && BYTES - in_it >= 32);
		assert_true(out.put - out.taken <= BYTES);
		words->put = 4; /* somebody else's word */
		assert_true(net_ring_out_heal(&out));
		assert_int_equal(words->put, 64);
		assert_int_equal(net_ring_out_heal(&out), !good);
	}
}

/* Whatever stands there when it begins, there is a ring. */
static void begins_from_anything(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(indices); i++) {
		for (unsigned j = 0; j < COUNT(indices); j++) {
			words->put = indices[i];
			words->taken = indices[j];
			net_ring_out_begin(&out, area);
			assert_true(out.put - out.taken <= BYTES);
			assert_false((out.put | out.taken) & 15);
			assert_int_equal(words->put, out.put);
		}
	}
}

/* Each byte that decides is read once: what a second look would see is poison. */
static void poison(uint64_t k, const volatile void *p, size_t len)
{
	(void)k;
	memset((void *)(uintptr_t)p, 0xee, len);
}

static void reads_once(void **state)
{
	uint32_t size;

	(void)state;
	for (uint32_t back = 0; back <= 160; back += 16) {
		begin_at(BYTES - back);
		assert_true(put(100));
		shared_hook_reads = 0;
		shared_hook_after = poison;
		assert_int_equal(look(&size), NET_RING_FRAME);
		shared_hook_after = NULL;
		assert_int_equal(size, 100);
		assert_memory_equal(got, frame, 100);
		/* The index, the head, the frame in a piece or two. */
		assert_int_equal(shared_hook_reads,
				 back > 16 && back < 16 + 100 ? 4 : 3);
	}
}

/* Another index at each read of a life of the side that puts. */
static uint64_t which;
static uint32_t instead;

static void rewrite(uint64_t k, const volatile void *p, size_t len)
{
	if (k == which && len == 4)
		memcpy((void *)(uintptr_t)p, &instead, 4);
}

static void rewritten_at_each_read(void **state)
{
	(void)state;
	for (which = 0; which < 12; which++) {
		for (unsigned i = 0; i < COUNT(indices); i++) {
			begin_at(BYTES - 64);
			shared_hook_reads = 0;
			instead = indices[i];
			shared_hook = rewrite;
			for (unsigned n = 0; n < 4; n++) {
				put(n & 1 ? 60 : LARGEST);
				net_ring_out_wakes(&out);
				net_ring_out_heal(&out);
				looks_that_end();
				net_ring_in_publish(&in);
				net_ring_in_wait(&in);
			}
			shared_hook = NULL;
			assert_true(out.put - out.taken <= BYTES);
		}
	}
}

/* Invariant 3, by what the link does: who begins to take discards, and who is told
 * heals. Then frames come again, the first or the second at the latest. */
static void heals(uint32_t put_word, uint32_t taken_word, bool new_out, bool new_in)
{
	uint32_t size = 0;
	unsigned tries = 0;

	words->put = put_word;
	words->taken = taken_word;
	if (new_out)
		net_ring_out_begin(&out, area);
	if (new_in) {
		net_ring_in_begin(&in, area);
		net_ring_in_discard(&in);
	}
	for (; tries < 3; tries++) {
		bool came = false;

		net_ring_out_heal(&out);
		looks_that_end();
		net_ring_in_publish(&in);
		net_ring_in_wait(&in);
		if (put(333) && net_ring_out_wakes(&out)) {
			while (look(&size) == NET_RING_FRAME)
				came = size == 333 && !memcmp(got, frame, size);
		}
		net_ring_in_publish(&in);
		if (came)
			break;
	}
	if (tries == 3)
		fail_msg("put %#x taken %#x new %d %d", put_word, taken_word, new_out,
			 new_in);
}

static void heals_from_anything(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(indices); i++) {
		for (unsigned j = 0; j < COUNT(indices); j++) {
			for (unsigned who = 1; who < 4; who++) {
				begin_at(4096);
				assert_true(put(60));
				take(60);
				net_ring_in_publish(&in);
				heals(indices[i], indices[j], who & 1, who & 2);
			}
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_there),
		TEST(any_size_comes_whole),
		TEST(across_the_end_at_any_place),
		TEST(indices_run_over),
		TEST(full),
		TEST(discarded),
		TEST(goes_on_where_it_was),
		TEST(wakes_once),
		TEST(any_index_of_who_puts),
		TEST(any_size_that_is_said),
		TEST(any_index_of_who_takes),
		TEST(begins_from_anything),
		TEST(reads_once),
		TEST(rewritten_at_each_read),
		TEST(heals_from_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
