/* SPDX-License-Identifier: MIT */
/* policy/rate.c: exact to the token over any time, at any rate, stuck never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/toll.h"

#define SECOND	 1000000000ULL
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

__extension__ typedef unsigned __int128 wide;

static struct rate fresh(uint64_t per_second, uint64_t burst, uint64_t now)
{
	struct rate rate;

	rate_init(&rate, (struct policy_rate){per_second, burst}, now);
	return rate;
}

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static void burst_then_wait(void **state)
{
	struct rate rate = fresh(1000, 10, 5);
	uint64_t wait;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(rate_take(&rate, 1, 5), 0);
	wait = rate_take(&rate, 1, 5);
	assert_in_range(wait, SECOND / 1000, SECOND / 1000 + 1);
	assert_int_not_equal(rate_take(&rate, 1, 5 + SECOND / 1000 - 1), 0);
	assert_int_equal(rate_take(&rate, 1, 5 + wait), 0);
	assert_int_not_equal(rate_take(&rate, 1, 5 + wait), 0);
}

/* A refusal takes nothing. */
static void refusal_takes_nothing(void **state)
{
	struct rate rate = fresh(10, 10, 0);

	(void)state;
	assert_int_equal(rate_take(&rate, 6, 0), 0);
	for (unsigned i = 0; i < 100; i++)
		assert_int_not_equal(rate_take(&rate, 5, 0), 0);
	assert_int_equal(rate_take(&rate, 4, 0), 0);
}

/* Nothing costs nothing, and pays nothing back. */
static void nothing_is_free(void **state)
{
	struct rate rate = fresh(1, 1, 0);

	(void)state;
	assert_int_equal(rate_take(&rate, 5, 0), 0);
	assert_int_equal(rate_take(&rate, 0, 0), 0);
	assert_int_equal(rate.debt, 4);
	rate = fresh(1, 1, 0);
	assert_int_equal(rate_take(&rate, 0, 0), 0);
	assert_int_equal(rate_take(&rate, 1, 0), 0);
	assert_int_equal(rate_take(&rate, 0, 0), 0);
	assert_int_not_equal(rate_take(&rate, 1, 0), 0);
}

static void backwards_adds_nothing(void **state)
{
	struct rate rate = fresh(1000, 10, 10 * SECOND);

	(void)state;
	assert_int_equal(rate_take(&rate, 10, 10 * SECOND), 0);
	assert_int_not_equal(rate_take(&rate, 1, 0), 0);
	assert_int_not_equal(rate_take(&rate, 1, 9 * SECOND), 0);
	assert_int_not_equal(rate_take(&rate, 1, 10 * SECOND), 0);
	assert_int_equal(rate_take(&rate, 1, 10 * SECOND + SECOND / 1000), 0);
}

/* A full bucket stays at its burst, however long it is left. */
static void never_more_than_burst(void **state)
{
	struct rate rate = fresh(UINT64_MAX, 10, 0);

	(void)state;
	assert_int_equal(rate_take(&rate, 10, UINT64_MAX), 0);
	assert_int_not_equal(rate_take(&rate, 1, UINT64_MAX), 0);
}

/* Asked once a nanosecond step, or once an hour: the same sum to the token. */
static void no_drift(void **state)
{
	static const uint64_t rates[] = {1,
					 3,
					 7,
					 999,
					 1000003,
					 999999937,
					 SECOND,
					 SECOND + 1,
					 7 * SECOND + 3,
					 UINT64_MAX / 1000};
	static const uint64_t steps[] = {1,	  3,	      999,
					 1000003, 333333333,  SECOND - 1,
					 SECOND,  SECOND + 1, 3600 * SECOND + 7};

	(void)state;
	for (unsigned r = 0; r < COUNT(rates); r++) {
		for (unsigned s = 0; s < COUNT(steps); s++) {
			/* A burst that is never reached keeps all that flows in. */
			struct rate rate = fresh(rates[r], UINT64_MAX, 0);
			uint64_t now = 0;
			wide all;

			assert_int_equal(rate_take(&rate, UINT64_MAX, 0), 0);
			for (unsigned i = 0; i < 1000; i++) {
				now += steps[s];
				rate_take(&rate, UINT64_MAX, now);
			}
			all = (wide)rates[r] * now / SECOND;
			if (all < UINT64_MAX)
				assert_true(rate.tokens == (uint64_t)all);
		}
	}
}

/* A request larger than the burst passes when the bucket is full, and the
 * next one waits until all of it is paid back. */
static void larger_than_burst(void **state)
{
	struct rate rate = fresh(100, 10, 0);
	uint64_t wait;

	(void)state;
	assert_int_equal(rate_take(&rate, 1, 0), 0);
	wait = rate_take(&rate, 1000, 0); /* not full: wait for one token */
	assert_in_range(wait, SECOND / 100, SECOND / 100 + 1);
	assert_int_equal(rate_take(&rate, 1000, SECOND), 0);
	assert_int_equal(rate.debt, 990);
	wait = rate_take(&rate, 1, SECOND); /* 990 owed, and one to take */
	assert_in_range(wait, 991 * SECOND / 100, 991 * SECOND / 100 + 1);
	assert_int_not_equal(rate_take(&rate, 1, SECOND + 990 * SECOND / 100), 0);
	assert_int_equal(rate_take(&rate, 1, SECOND + 991 * SECOND / 100), 0);
}

/* The wait is enough, and is not much more than enough, for all sizes. */
static void wait_is_right(void **state)
{
	static const uint64_t values[] = {
		1,	     2,		  3,	      10,	  999,
		4096,	     1000003,	  SECOND - 1, SECOND,	  SECOND + 1,
		18446744073, 18446744074, 1ULL << 40, 1ULL << 63, UINT64_MAX - 1,
		UINT64_MAX};

	(void)state;
	for (unsigned r = 0; r < COUNT(values); r++) {
		for (unsigned b = 0; b < COUNT(values); b++) {
			for (unsigned u = 0; u < COUNT(values); u++) {
				struct rate rate = fresh(values[r], values[b], 0);
				uint64_t wait;
				wide exact;

				assert_int_equal(rate_take(&rate, values[b], 0), 0);
				exact = ((wide)(values[u] < values[b] ? values[u]
								      : values[b]) *
						 SECOND +
					 values[r] - 1) /
					values[r];
				wait = rate_take(&rate, values[u], 0);
				assert_true(wait > 0);
				if (exact >= UINT64_MAX) {
					assert_true(wait == UINT64_MAX);
					continue;
				}
				assert_true(wait >= (uint64_t)exact);
				assert_true(wait - (uint64_t)exact <= 2);
				if (wait < UINT64_MAX)
					assert_int_equal(
						rate_take(&rate, values[u], wait), 0);
			}
		}
	}
}

/* The same at random, for rates that take rounding. */
static void wait_is_enough(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (unsigned i = 0; i < 300000; i++) {
		uint64_t per_second =
			(next(&seed) << 33 | next(&seed) << 2) >> next(&seed) % 32;
		uint64_t units =
			(next(&seed) << 33 | next(&seed) << 2) >> next(&seed) % 32;
		struct rate rate = fresh(per_second | 1, UINT64_MAX, 0);
		uint64_t wait;

		assert_int_equal(rate_take(&rate, UINT64_MAX, 0), 0);
		wait = rate_take(&rate, units | 1, 0);
		if (wait < UINT64_MAX)
			assert_int_equal(rate_take(&rate, units | 1, wait), 0);
	}
}

static void the_largest_of_all(void **state)
{
	struct rate rate = fresh(1, 1, 0);

	(void)state;
	assert_int_equal(rate_take(&rate, UINT64_MAX, 0), 0);
	assert_true(rate.debt == UINT64_MAX - 1);
	assert_true(rate_take(&rate, UINT64_MAX, 0) == UINT64_MAX);
	assert_true(rate_take(&rate, 1, UINT64_MAX) > 0);

	rate = fresh(UINT64_MAX, UINT64_MAX, 0);
	assert_int_equal(rate_take(&rate, UINT64_MAX, 0), 0);
	assert_int_not_equal(rate_take(&rate, UINT64_MAX, SECOND - 1), 0);
	assert_int_equal(rate_take(&rate, UINT64_MAX, SECOND), 0);
}

static void changes(void **state)
{
	struct rate rate = fresh(10, 100, 0);

	(void)state;
	assert_int_equal(rate_take(&rate, 95, 0), 0);
	/* What flowed in before the change did so at the old rate. */
	rate_change(&rate, (struct policy_rate){1000, 50}, SECOND);
	assert_int_equal(rate.tokens, 15);
	assert_int_equal(rate_take(&rate, 15, SECOND), 0);
	assert_int_not_equal(rate_take(&rate, 1, SECOND), 0);
	assert_int_equal(rate_take(&rate, 50, 2 * SECOND), 0);
	/* Tokens that no longer fit are gone. */
	rate_change(&rate, (struct policy_rate){1000, 5}, 3 * SECOND);
	assert_int_equal(rate_take(&rate, 5, 3 * SECOND), 0);
	assert_int_not_equal(rate_take(&rate, 1, 3 * SECOND), 0);
	/* A debt is not forgiven. */
	assert_int_equal(rate_take(&rate, 1005, 4 * SECOND), 0);
	rate_change(&rate, (struct policy_rate){1000, 500}, 4 * SECOND);
	assert_int_not_equal(rate_take(&rate, 1, 5 * SECOND), 0);
	assert_int_equal(rate_take(&rate, 1, 5 * SECOND + SECOND / 1000), 0);
}

/* Any requests at any times: from the start to each moment no more than the
 * burst and the rate passed, apart from the last request's own overhang.
 * [utest->req~policy-rate-over-any-time~1] */
static void never_exceeds(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		uint64_t per_second = 1 + next(&seed) % (round % 2 ? 1000 : 1000000000);
		uint64_t burst = 1 + next(&seed) % 1000, start = next(&seed),
			 now = start;
		struct rate rate = fresh(per_second, burst, start);
		wide passed = 0;

		for (unsigned i = 0; i < 1000; i++) {
			uint64_t units = 1 + next(&seed) % (burst * 2);
			uint64_t wait;

			now += next(&seed) % 3 ? next(&seed) % SECOND
					       : next(&seed) % 100;
			wait = rate_take(&rate, units, now);
			if (!wait)
				passed += units;
			assert_true(rate.tokens <= burst);
			assert_true(passed * SECOND <=
				    ((wide)burst + rate.debt) * SECOND +
					    (wide)per_second * (now - start));
			if (wait && next(&seed) % 4 == 0) {
				now += wait;
				assert_int_equal(rate_take(&rate, units, now), 0);
				passed += units;
			}
		}
	}
}

/* What was paid is not paid again, whatever the rest has to wait for. */
static void toll(void **state)
{
	struct policy policy = {.operations = {10, 1}, .bytes = {1000, 500}};
	struct toll_paid paid = {0}, other = {0};
	uint64_t due = UINT64_MAX;
	struct toll t;

	(void)state;
	toll_init(&t, &policy, 0);
	assert_true(toll_pay(&t, &paid, 500, 0, &due));
	assert_true(due == UINT64_MAX);
	assert_true(toll_pay(&t, &paid, 500, 0, &due));
	/* An operation after 100 ms, then 500 bytes after 500 ms; plus 1 ns. */
	assert_false(toll_pay(&t, &other, 500, 0, &due));
	assert_true(due == SECOND / 10 + 1 && !other.operation);
	assert_false(toll_pay(&t, &other, 500, SECOND / 10, &due));
	assert_true(other.operation && !other.bytes);
	assert_true(due == SECOND / 10 + 1); /* only ever lowered */
	due = UINT64_MAX;
	assert_false(toll_pay(&t, &other, 500, SECOND / 10, &due));
	assert_true(due == SECOND / 2 + 1);
	assert_true(toll_pay(&t, &other, 500, SECOND / 2, &due));
	/* Without data an operation is all, and a changed policy holds at once. */
	other = (struct toll_paid){0};
	policy.operations = (struct policy_rate){1000, 1};
	toll_change(&t, &policy, SECOND / 2);
	assert_true(toll_pay(&t, &other, 0, SECOND / 2 + SECOND / 1000, &due));
}

/* A limit that a policy may leave out: all passes, until there is one. */
static void none(void **state)
{
	const struct policy_rate no = {0}, ten = {10, 2}, more = {1000, 1};
	struct rate rate;

	(void)state;
	rate_begin(&rate, no, 0);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(rate_take(&rate, UINT64_MAX, 0), 0);
	rate_become(&rate, no, 5);
	assert_int_equal(rate_take(&rate, 1, 5), 0);
	/* One comes, with a full bucket. */
	rate_become(&rate, ten, SECOND);
	assert_int_equal(rate_take(&rate, 2, SECOND), 0);
	assert_true(rate_take(&rate, 1, SECOND) > 0);
	/* Another one keeps what is in it: nothing. */
	rate_become(&rate, more, SECOND);
	assert_true(rate_take(&rate, 1, SECOND) > 0);
	assert_int_equal(rate_take(&rate, 1, SECOND + SECOND / 1000), 0);
	assert_true(rate_take(&rate, 1, SECOND + SECOND / 1000) > 0);
	/* And it goes, with what was owed. */
	rate_become(&rate, no, SECOND + SECOND / 1000);
	assert_int_equal(rate_take(&rate, 1, SECOND + SECOND / 1000), 0);
	rate_begin(&rate, ten, 0);
	assert_int_equal(rate_take(&rate, 2, 0), 0);
	assert_true(rate_take(&rate, 1, 0) > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_then_wait),
		cmocka_unit_test(refusal_takes_nothing),
		cmocka_unit_test(nothing_is_free),
		cmocka_unit_test(backwards_adds_nothing),
		cmocka_unit_test(never_more_than_burst),
		cmocka_unit_test(no_drift),
		cmocka_unit_test(larger_than_burst),
		cmocka_unit_test(wait_is_right),
		cmocka_unit_test(wait_is_enough),
		cmocka_unit_test(the_largest_of_all),
		cmocka_unit_test(changes),
		cmocka_unit_test(never_exceeds),
		cmocka_unit_test(none),
		cmocka_unit_test(toll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
