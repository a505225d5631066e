/* SPDX-License-Identifier: MIT */
/*
 * What the back end of a virtio device may map: the run of pages that a key of the
 * client's names, and with Mode = grant the areas of a virtqueue.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/clock.h"
#include "tests/unit/keeper-asserts.h"

static int setup_virtio(const char *policy)
{
	world_init(policy);
	world_device();
	world_connect();
	return 0;
}

static int setup_pool(void **state)
{
	(void)state;
	return setup_virtio(WORLD_VIRTIO("PoolPages = 16\n"));
}

static int setup_grant(void **state)
{
	(void)state;
	return setup_virtio(WORLD_VIRTIO("Mode = grant\nDataPages = 16\n"));
}

static int map_pool(const char *key)
{
	strcpy(fresh()->name.key, key);
	return CALL(WIRE_MAP_POOL, name);
}

static int map_control(void)
{
	fresh()->map_ring.n = 1;
	strcpy(m.map_ring.key[0], "control-ref");
	return CALL(WIRE_MAP_RING, map_ring);
}

static int copy(uint32_t ref)
{
	fresh()->copy.n = 1;
	m.copy.seg[0] = (struct wire_seg){ref, 0, 4096, 0, 1};
	return CALL(WIRE_COPY, copy);
}

/* [utest->req~decisions-are-on-record~1] */
static void test_map_pool(void **state)
{
	(void)state;
	assert_int_equal(map_control(), WIRE_OK);
	assert_int_equal(map_pool("pool-ref0"), WIRE_OK);
	assert_int_equal(m.mapped.pages, 8);
	assert_int_equal(map_pool("pool-ref1"), WIRE_OK);
	assert_int_equal(world.k->maps.usage.data_pages, 16);
	assert_int_equal(world.k->maps.usage.ring_pages, 1);
	assert_true(audited("\"purpose\":\"pool\",\"writable\":1,\"pages\":8,"
			    "\"refs\":\"108-115\""));
	assert_true(audited("\"purpose\":\"ring\",\"writable\":1,\"pages\":1,"
			    "\"refs\":\"8\""));
	/* All again: what the key says, and no more of it. */
	assert_int_equal(map_pool("pool-ref0"), WIRE_REFUSED);
	assert_true(audited("map of a pool: Memory.PoolPages, line 11"));
	assert_int_equal(map_pool("pool-ref2"), WIRE_ABSENT);
	assert_int_equal(map(100, 1), WIRE_REFUSED); /* Mode */
	assert_int_equal(world.added, 3);
}

/* [utest->req~keeper-reads-the-numbers~1] */
static void test_map_pool_names(void **state)
{
	static const char *const bad[] = {
		"control-ref",	"event-channel", "state",      "pool-ref", "pool-ref01",
		"../pool-ref0", "ring-ref",	 "pool-ref0/", ""};

	(void)state;
	world_front("ring-ref", "100+1");
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(map_pool(bad[i]), WIRE_REFUSED);
	fresh()->map_ring.n = 1;
	strcpy(m.map_ring.key[0], "pool-ref0"); /* nor the other way round */
	assert_int_equal(CALL(WIRE_MAP_RING, map_ring), WIRE_REFUSED);
	strcpy(fresh()->name.key, "pool-ref0");
	assert_int_equal(CALL(WIRE_BIND, name), WIRE_REFUSED);
	assert_int_equal(world.added, 0);
	world_back("frontend", NULL);
	world_fire();
	world_turn(CLOCK_SECOND);
	assert_int_equal(map_pool("pool-ref0"), WIRE_NO_DEVICE);
}

/* What a client may write there. [utest->req~keeper-numbers-are-strict~1] */
static void test_map_pool_values(void **state)
{
	static const struct {
		const char *value;
		int result;
	} cases[] = {
		{"", WIRE_ABSENT},
		{"+", WIRE_ABSENT},
		{"100", WIRE_ABSENT},
		{"100+", WIRE_ABSENT},
		{"+1", WIRE_ABSENT},
		{"100+0", WIRE_ABSENT},
		{"100+257", WIRE_ABSENT},
		{"0100+1", WIRE_ABSENT},
		{"100+01", WIRE_ABSENT},
		{"-100+1", WIRE_ABSENT},
		{"100+-1", WIRE_ABSENT},
		{"100 +1", WIRE_ABSENT},
		{"100+1 ", WIRE_ABSENT},
		{"100+1+1", WIRE_ABSENT},
		{"100-101", WIRE_ABSENT},
		{"0x64+1", WIRE_ABSENT},
		{"100+1\n", WIRE_ABSENT},
		{"4294967296+1", WIRE_ABSENT},
		{"4294967295+2", WIRE_ABSENT},
		{"4294967041+256", WIRE_ABSENT},
		{"18446744073709551615+2", WIRE_ABSENT},
		{"100+18446744073709551617", WIRE_ABSENT},
		{"4294967295+1", WIRE_REFUSED}, /* a run, outside GrantRefs */
		{"4294967040+256", WIRE_REFUSED},
		{"7+2", WIRE_REFUSED},
		{"1000+2", WIRE_REFUSED},
		{"100+17", WIRE_REFUSED}, /* PoolPages */
		{"100+256", WIRE_REFUSED},
		{"8+16", WIRE_OK},
		{"1000+1", WIRE_REFUSED}, /* all 16 are held */
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_front("pool-ref0", cases[i].value);
		if (map_pool("pool-ref0") != cases[i].result)
			fail_msg("\"%s\": %u", cases[i].value, m.header.result);
	}
	assert_int_equal(world.added, 1);
	assert_int_equal(world.kills, 0);
}

/* The control page is none of the pool, whatever the client says. */
static void test_map_pool_ring(void **state)
{
	(void)state;
	world_front("pool-ref1", "8+8");
	assert_int_equal(map_control(), WIRE_OK);
	assert_int_equal(map_pool("pool-ref1"), WIRE_REFUSED);
	assert_int_equal(map_control(), WIRE_REFUSED); /* RingPages */
}

static void test_pool_of_pv(void **state)
{
	(void)state;
	world_front("pool-ref0", "100+1");
	assert_int_equal(map_pool("pool-ref0"), WIRE_REFUSED);
	assert_int_equal(map_pool("ring-ref"), WIRE_REFUSED);
	assert_int_equal(world.added, 0);
}

/* Mode = grant: areas by number are pages of a ring, and in GrantRefs; so is then
 * the control page. There is no pool. */
static void test_areas(void **state)
{
	(void)state;
	world_front("control-ref", "7");
	assert_int_equal(map_control(), WIRE_REFUSED);
	world_front("control-ref", "1000");
	assert_int_equal(map_control(), WIRE_OK);
	assert_int_equal(map(999, 3), WIRE_REFUSED);
	assert_int_equal(map(7, 1), WIRE_REFUSED);
	assert_int_equal(map(200, 4), WIRE_REFUSED); /* RingPages is 4 */
	assert_int_equal(map(200, 3), WIRE_OK);
	assert_int_equal(world.k->maps.usage.ring_pages, 4);
	assert_int_equal(world.k->maps.usage.data_pages, 0);
	assert_true(audited("\"purpose\":\"ring\",\"writable\":0,\"pages\":3,"
			    "\"refs\":\"200-202\""));
	assert_int_equal(map_pool("pool-ref0"), WIRE_REFUSED);
	assert_int_equal(copy(300), WIRE_OK);
	assert_int_equal(copy(1001), WIRE_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(map_pool, setup_pool),	   TEST(map_pool_names, setup_pool),
		TEST(map_pool_values, setup_pool), TEST(map_pool_ring, setup_pool),
		TEST(pool_of_pv, setup),	   TEST(areas, setup_grant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
