/* SPDX-License-Identifier: MIT */
/* common/cpu.c */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cpu.h"

static cpu_set_t before;

static int save(void **state)
{
	(void)state;
	return sched_getaffinity(0, sizeof(before), &before);
}

static int restore(void **state)
{
	(void)state;
	return sched_setaffinity(0, sizeof(before), &before);
}

/* Once on each processor that we may have. */
static void on_each(void (*check)(int cpu))
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		cpu_set_t one;

		if (!CPU_ISSET(cpu, &before))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
		check(cpu);
	}
}

static void stays_on(int cpu)
{
	cpu_set_t now;

	assert_int_equal(cpu_stay(), 0);
	assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
	assert_int_equal(CPU_COUNT(&now), 1);
	assert_true(CPU_ISSET(cpu, &now));
}

/* Where it is by chance: it may have been moved again by then. */
static void stays_somewhere(int cpu)
{
	(void)cpu;
	assert_int_equal(restore(NULL), 0);
	assert_int_equal(cpu_stay(), 0);
	stays_on(sched_getcpu());
}

static void stays_where_it_is(void **state)
{
	(void)state;
	on_each(stays_somewhere);
}

/* Whoever gave it a processor keeps his say. */
static void takes_no_other(void **state)
{
	(void)state;
	on_each(stays_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(stays_where_it_is, restore),
		cmocka_unit_test_teardown(takes_no_other, restore),
	};

	return cmocka_run_group_tests_name("cpu", tests, save, NULL);
}
