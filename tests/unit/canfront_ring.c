/* SPDX-License-Identifier: MIT */
/* backends/can/cmd/front-ring.c against the back end's half, and T-RING-2 the other
 * way round: indices that a hostile back end writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/can/cmd/front-ring.h"
#include "backends/door/pv-ring.h"

#define RSP_PROD  8
#define REQ_EVENT 4

static _Alignas(4096) uint8_t page[FRONT_PAGES_MAX * FRONT_PAGE];
static struct front_ring front;
static struct pv_ring back;

static void make(uint32_t pages)
{
	memset(page, 0xa5, sizeof(page));
	front_ring_init(&front, page, pages);
	assert_int_equal(
		pv_ring_init(&back, page, pages * FRONT_PAGE, XENCAN_ENTRY, false),
		PV_RING_OK);
}

static int fresh(void **state)
{
	(void)state;
	make(1);
	return 0;
}

static void ask(uint64_t number)
{
	uint8_t entry[XENCAN_ENTRY] = {0};

	memcpy(entry + 40, &number, 8);
	front_ring_put(&front, entry);
}

static uint64_t asked(void)
{
	uint8_t entry[XENCAN_ENTRY];
	uint64_t number;

	assert_int_equal(pv_ring_take(&back, entry), PV_RING_OK);
	memcpy(&number, entry + 40, 8);
	return number;
}

static void answer(uint64_t number)
{
	pv_ring_put(&back, &number, sizeof(number));
}

static uint64_t answered(void)
{
	uint8_t entry[XENCAN_ENTRY];
	uint64_t number;

	assert_int_equal(front_ring_take(&front, entry), FRONT_RING_OK);
	memcpy(&number, entry, 8);
	return number;
}

static void set_rsp_prod(uint32_t value)
{
	memcpy(page + RSP_PROD, &value, 4);
}

static void both_see_one_ring(void **state)
{
	static const uint8_t zeros[64 - 16];

	(void)state;
	for (uint32_t pages = 1; pages <= FRONT_PAGES_MAX; pages *= 2) {
		make(pages);
		assert_int_equal(front.entries, 32 * pages);
		assert_int_equal(back.entries, front.entries);
		assert_memory_equal(page + 16, zeros, sizeof(zeros));
		assert_int_equal(front_ring_room(&front), front.entries);
	}
}

/* Many rounds of all batch sizes, on each size of ring. */
static void all_comes_through(void **state)
{
	(void)state;
	for (uint32_t pages = 1; pages <= FRONT_PAGES_MAX; pages *= 2) {
		uint64_t sent = 0, got = 0, back_again = 0;

		make(pages);
		for (unsigned round = 0; round < 2000; round++) {
			unsigned n = 1 + round * 7 % front.entries;

			for (unsigned i = 0; i < n; i++)
				ask(sent++);
			front_ring_publish(&front);
			for (unsigned i = 0; i < n; i++) {
				assert_true(asked() == got);
				answer(got++);
			}
			pv_ring_push(&back);
			for (unsigned i = 0; i < n; i++)
				assert_true(answered() == back_again++);
			assert_int_equal(front_ring_out(&front), 0);
		}
	}
}

static void wraps(void **state)
{
	(void)state;
	front.req_prod = front.published = front.rsp_cons = front.rsp_prod =
		UINT32_MAX - 5;
	set_rsp_prod(UINT32_MAX - 5);
	memcpy(page, &(uint32_t){UINT32_MAX - 5}, 4);
	memcpy(page + REQ_EVENT, &(uint32_t){UINT32_MAX - 4}, 4);
	assert_int_equal(pv_ring_init(&back, page, FRONT_PAGE, XENCAN_ENTRY, true),
			 PV_RING_OK);
	for (unsigned i = 0; i < 32; i++)
		ask(i);
	assert_int_equal(front_ring_room(&front), 0);
	assert_true(front_ring_publish(&front));
	for (unsigned i = 0; i < 32; i++) {
		assert_true(asked() == i);
		answer(i);
	}
	pv_ring_push(&back);
	for (unsigned i = 0; i < 32; i++)
		assert_true(answered() == i);
	assert_int_equal(front_ring_room(&front), 32);
}

static void nothing_before_it_is_published(void **state)
{
	uint8_t entry[XENCAN_ENTRY];

	(void)state;
	ask(1);
	assert_int_equal(pv_ring_take(&back, entry), PV_RING_EMPTY);
	assert_true(front_ring_publish(&front));
	assert_false(front_ring_publish(&front)); /* nothing new */
	assert_true(asked() == 1);
}

static void notifies_when_asked(void **state)
{
	(void)state;
	assert_false(pv_ring_final_check(&back));
	ask(1);
	assert_true(front_ring_publish(&front)); /* it was armed */
	ask(2);
	assert_false(front_ring_publish(&front)); /* and is no more */
	asked();
	asked();
	assert_false(pv_ring_final_check(&back));
	ask(3);
	ask(4);
	assert_true(front_ring_publish(&front)); /* one for a batch */
}

static void is_woken_as_it_asked(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++)
		ask(i);
	front_ring_publish(&front);
	for (unsigned i = 0; i < 6; i++)
		asked();
	assert_false(front_ring_rest(&front, 1));
	answer(0);
	assert_true(pv_ring_push(&back));
	assert_true(front_ring_rest(&front, 1)); /* do not sleep */
	answered();
	assert_false(front_ring_rest(&front, 3));
	answer(1);
	assert_false(pv_ring_push(&back));
	answer(2);
	assert_false(pv_ring_push(&back));
	answer(3);
	assert_true(pv_ring_push(&back));
}

/* More answers than were asked for: however many, at rest or with requests out. */
static void hostile_indices(void **state)
{
	static const uint32_t ahead[] = {1,  2,	       31,	   32,
					 33, 1u << 31, UINT32_MAX, UINT32_MAX - 31};
	uint8_t entry[XENCAN_ENTRY];

	(void)state;
	for (unsigned out = 0; out <= 32; out++) {
		for (unsigned i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
			make(1);
			for (unsigned k = 0; k < out; k++)
				ask(k);
			front_ring_publish(&front);
			set_rsp_prod(out + ahead[i]);
			if (out + ahead[i] <= out) /* behind: of those that are out */
				continue;
			assert_true(front_ring_rest(&front, 1));
			assert_int_equal(front_ring_take(&front, entry),
					 FRONT_RING_BROKEN);
			set_rsp_prod(0); /* it does not heal */
			assert_int_equal(front_ring_take(&front, entry),
					 FRONT_RING_BROKEN);
			assert_int_equal(front.rsp_cons, 0);
		}
	}
}

/* What was put and not published was not asked. */
static void answers_to_what_was_not_published(void **state)
{
	uint8_t entry[XENCAN_ENTRY];

	(void)state;
	ask(1);
	front_ring_publish(&front);
	ask(2);
	set_rsp_prod(2);
	assert_int_equal(front_ring_take(&front, entry), FRONT_RING_BROKEN);
}

/* An index that goes back is more than a ring ahead. */
static void the_index_goes_back(void **state)
{
	uint8_t entry[XENCAN_ENTRY];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		ask(i);
	front_ring_publish(&front);
	set_rsp_prod(3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(front_ring_take(&front, entry), FRONT_RING_OK);
	set_rsp_prod(2);
	assert_int_equal(front_ring_take(&front, entry), FRONT_RING_BROKEN);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(both_see_one_ring, fresh),
		cmocka_unit_test_setup(all_comes_through, fresh),
		cmocka_unit_test_setup(wraps, fresh),
		cmocka_unit_test_setup(nothing_before_it_is_published, fresh),
		cmocka_unit_test_setup(notifies_when_asked, fresh),
		cmocka_unit_test_setup(is_woken_as_it_asked, fresh),
		cmocka_unit_test_setup(hostile_indices, fresh),
		cmocka_unit_test_setup(answers_to_what_was_not_published, fresh),
		cmocka_unit_test_setup(the_index_goes_back, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
