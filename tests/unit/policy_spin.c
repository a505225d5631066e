/* SPDX-License-Identifier: MIT */
/* policy/spin.c: never past its budget, longer while it pays, shorter while not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/spin.h"

#define SECOND 1000000000ULL

static struct spin fresh(uint32_t time_us, uint32_t share)
{
	struct spin spin;

	spin_init(&spin, (struct spin_policy){time_us, share}, SECOND);
	return spin;
}

static void off_is_never(void **state)
{
	struct spin spin = fresh(0, 100);

	(void)state;
	for (uint64_t now = SECOND; now < 3 * SECOND; now += SECOND / 100)
		assert_int_equal(spin_window(&spin, now), 0);
}

/* Whatever it finds, and however often it is asked, over any time. */
static void within_its_share(void **state)
{
	(void)state;
	for (uint32_t share = 1; share <= 100; share += 33) {
		struct spin spin = fresh(200, share);
		uint64_t now = SECOND, spent = 0;

		for (unsigned i = 0; i < 200000; i++) {
			uint64_t window = spin_window(&spin, now);

			assert_true(window <= 200000);
			spin_done(&spin, window, true);
			spent += window;
			now += window + 5000;
			assert_true(spent <=
				    (now - SECOND) * share / 100 + SPIN_BURST_NS);
		}
		assert_int_equal(spin.spent, spent);
		/* And it is used, not only kept to. */
		assert_true(spent >= (now - SECOND) * (share < 90 ? share : 90) / 110);
	}
}

static void saves_up_no_more_than_a_burst(void **state)
{
	struct spin spin = fresh(1000, 100);
	uint64_t now = SECOND + 3600 * SECOND, spent = 0, window;

	(void)state;
	while ((window = spin_window(&spin, now))) {
		spin_done(&spin, window, true);
		spent += window;
	}
	assert_int_equal(spent, SPIN_BURST_NS);
}

static void adapts(void **state)
{
	struct spin spin = fresh(100, 100);
	uint64_t now = SECOND, window = spin_window(&spin, now), next;
	unsigned waits = 0;

	(void)state;
	assert_int_equal(window, 100000);
	for (; window; window = next) {
		spin_done(&spin, window, false);
		now += SECOND;
		next = spin_window(&spin, now);
		assert_true(!next || next == window / 2);
	}
	for (; !window; waits++)
		window = spin_window(&spin, now += SECOND);
	assert_in_range(waits, 10, 100);
	assert_int_equal(window, 100000);
	spin_done(&spin, window, false);
	spin_done(&spin, 10, true);
	assert_int_equal(spin_window(&spin, now), 100000);
}

/* A clock that stands or goes back gives nothing. */
static void time_that_stands(void **state)
{
	struct spin spin = fresh(1000, 100);
	uint64_t spent = 0, window;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		window = spin_window(&spin, i % 2 ? SECOND : SECOND / 2);
		spin_done(&spin, window, true);
		spent += window;
	}
	assert_true(spent <= SPIN_BURST_NS);
}

/* What overruns its window is owed. */
static void overrun(void **state)
{
	struct spin spin = fresh(100, 10);
	uint64_t now = SECOND;

	(void)state;
	assert_true(spin_window(&spin, now));
	spin_done(&spin, SECOND, true);
	assert_int_equal(spin_window(&spin, now + 9 * SECOND), 0);
	assert_true(spin_window(&spin, now + 11 * SECOND));
}

/* One who is answered before the next turn stays eager; one who is not waits, and
 * tries again only after many turns. */
static void eager(void **state)
{
	struct spin spin = {0};
	unsigned tried = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		assert_true(spin_eager(&spin));
		spin_turned(&spin, true);
		spin_turned(&spin, i % 2); /* a wait, which says nothing */
	}
	for (unsigned i = 0; i < 1000; i++) {
		tried += spin_eager(&spin);
		spin_turned(&spin, !spin.eager);
	}
	assert_in_range(tried, 10, 20);
}

static void keys(void **state)
{
	struct spin_policy policy = {0};

	(void)state;
	assert_null(spin_set_time(&policy, "50"));
	assert_int_equal(policy.time_us, 50);
	assert_null(spin_set_share(&policy, "25"));
	assert_int_equal(policy.share, 25);
	assert_non_null(spin_set_time(&policy, "1001"));
	assert_non_null(spin_set_time(&policy, "-1"));
	assert_non_null(spin_set_share(&policy, "0"));
	assert_non_null(spin_set_share(&policy, "101"));
	assert_non_null(spin_set_share(&policy, "50us"));
	assert_int_equal(policy.time_us, 50);
	assert_int_equal(policy.share, 25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_is_never),
		cmocka_unit_test(within_its_share),
		cmocka_unit_test(saves_up_no_more_than_a_burst),
		cmocka_unit_test(adapts),
		cmocka_unit_test(time_that_stands),
		cmocka_unit_test(overrun),
		cmocka_unit_test(eager),
		cmocka_unit_test(keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
