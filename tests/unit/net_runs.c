/* SPDX-License-Identifier: MIT */
/* backends/net/net-runs.h: runs in one piece that never meet, given back in any order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "backends/net/net-runs.h"

#define AREA 256u
#define RUNS 64u

static uint8_t area[AREA + 64];
static struct net_runs runs;

static int set_up(void **state)
{
	(void)state;
	memset(area, 0, sizeof(area));
	net_runs_init(&runs, area, AREA);
	return 0;
}

static void all_of_it(void **state)
{
	struct net_run run, more;

	(void)state;
	assert_false(net_runs_take(&runs, &run, AREA + 1));
	assert_false(net_runs_take(&runs, &run, UINT32_MAX));
	for (unsigned i = 0; i < 3; i++) {
		assert_true(net_runs_take(&runs, &run, AREA));
		assert_ptr_equal(run.at, area);
		assert_false(net_runs_take(&runs, &more, 1));
		net_runs_give(&runs, &run);
	}
}

/* What does not fit behind the last one is at the beginning, and takes what is left
 * there along. */
static void around_the_end(void **state)
{
	struct net_run first, second, third, fourth;

	(void)state;
	assert_true(net_runs_take(&runs, &first, 96));
	assert_true(net_runs_take(&runs, &second, 96));
	assert_false(net_runs_take(&runs, &third, 80));
	net_runs_give(&runs, &first);
	assert_true(net_runs_take(&runs, &third, 80));
	assert_ptr_equal(third.at, area);
	assert_true(net_runs_take(&runs, &fourth, 16));
	assert_ptr_equal(fourth.at, area + 80);
	assert_false(net_runs_take(&runs, &first, 1));
	net_runs_give(&runs, &second);
	net_runs_give(&runs, &third);
	net_runs_give(&runs, &fourth);
	assert_true(net_runs_take(&runs, &first, AREA));
}

/* A younger one that is given back early waits for the older ones. */
static void in_any_order(void **state)
{
	struct net_run run[4], more;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_true(net_runs_take(&runs, &run[i], 64));
	net_runs_give(&runs, &run[1]);
	net_runs_give(&runs, &run[3]);
	assert_false(net_runs_take(&runs, &more, 1));
	net_runs_give(&runs, &run[0]);
	assert_false(net_runs_take(&runs, &more, 129));
	assert_true(net_runs_take(&runs, &more, 128));
	assert_ptr_equal(more.at, area);
}

static void cleared(void **state)
{
	struct net_run run;

	(void)state;
	assert_true(net_runs_take(&runs, &run, 100));
	net_runs_clear(&runs);
	assert_true(net_runs_take(&runs, &run, AREA));
	net_runs_give(&runs, &run);
	assert_true(net_runs_take(&runs, &run, AREA));
}

/* Each has its mark in all of its bytes for as long as it is out. */
static void never_meet(void **state)
{
	static struct net_run run[RUNS];
	uint32_t size[RUNS] = {0}, out = 0;

	(void)state;
	srand(1);
	for (unsigned n = 0; n < 20000; n++) {
		unsigned i = (unsigned)rand() % RUNS;

		if (!size[i]) {
			uint32_t want = 1 + (uint32_t)rand() % 60;

			/* Its bytes may not be free yet. */
			for (const struct net_run *r = runs.first; r; r = r->next) {
				if (r == &run[i])
					want = 0;
			}
			if (!want || !net_runs_take(&runs, &run[i], want))
				continue;
			size[i] = want;
			out++;
			assert_true(run[i].at >= area &&
				    run[i].at + want <= area + AREA);
			memset(run[i].at, (int)i + 1, want);
			continue;
		}
		for (uint32_t k = 0; k < size[i]; k++)
			assert_int_equal(run[i].at[k], i + 1);
		net_runs_give(&runs, &run[i]);
		size[i] = 0;
		out--;
	}
	for (unsigned i = 0; i < RUNS; i++) {
		if (size[i])
			net_runs_give(&runs, &run[i]);
	}
	assert_null(runs.first);
	assert_int_equal(runs.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_of_it, set_up),
		cmocka_unit_test_setup(around_the_end, set_up),
		cmocka_unit_test_setup(in_any_order, set_up),
		cmocka_unit_test_setup(cleared, set_up),
		cmocka_unit_test_setup(never_meet, set_up),
	};

	return cmocka_run_group_tests_name("net_runs", tests, NULL, NULL);
}
