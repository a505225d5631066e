/* SPDX-License-Identifier: MIT */
/* backends/door/virtio-device.c: status, features and what is kept of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/door/virtio-device.h"

#define MUST (VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM)
#define OWN  VIRTIO_BIT(5)

static struct virtio_device d;
static struct virtio_memory memory;
static struct policy policy = {.in_flight = 1, .mode = POLICY_POOL, .data_pages = 1};
static struct log quiet;
static unsigned settled;

static void on_describe(struct virtio_device *device)
{
	device->offered = OWN;
}

static void on_settled(struct virtio_device *device)
{
	(void)device;
	settled++;
}

static const struct virtio_class class = {
	.id = VIRTIO_ID_BLOCK,
	.request_bytes = 8,
	.describe = on_describe,
	.settled = on_settled,
};

static int set_up(void **state)
{
	struct virtio_device_conf conf = {
		.class = &class,
		.memory = &memory,
		.policy = &policy,
		.log = &quiet,
		.queues = 2,
		.queue_size = 8,
	};

	(void)state;
	log_init(&quiet, "test");
	quiet.tokens = 0;
	settled = 0;
	memory = (struct virtio_memory){.pool = true};
	assert_int_equal(virtio_device_init(&d, &conf), 0);
	on_describe(&d);
	virtio_device_begin(&d);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	virtio_device_fini(&d);
	return 0;
}

static void features(uint64_t f)
{
	virtio_device_accept(&d, 0, (uint32_t)f);
	virtio_device_accept(&d, 1, (uint32_t)(f >> 32));
}

/* Every word of eight bits from every one that can be reached, beside a second reading
 * of 2.1 and 3.1: bits in order, none taken back, DRIVER_OK behind FEATURES_OK. */
static bool may(uint32_t from, uint32_t to)
{
	static const uint32_t order[] = {VIRTIO_ACKNOWLEDGE, VIRTIO_DRIVER,
					 VIRTIO_FEATURES_OK, VIRTIO_DRIVER_OK};
	uint32_t known = 0, so_far = 0;

	for (unsigned i = 0; i < 4; i++) {
		known |= order[i];
		if (to & order[i] && (to & so_far) != so_far)
			return false;
		so_far |= order[i];
	}
	known |= VIRTIO_FAILED;
	if (to & ~(known | VIRTIO_NEEDS_RESET) || (from & known & ~to))
		return false;
	return !(to & VIRTIO_DRIVER_OK) || from & VIRTIO_FEATURES_OK;
}

static void status_table(void **state)
{
	static const uint32_t froms[] = {0, 1, 3, 11, 15, 128, 129, 131, 139, 143};

	(void)state;
	for (unsigned f = 0; f < sizeof(froms) / sizeof(froms[0]); f++) {
		for (uint32_t to = 1; to < 512; to++) {
			uint64_t wrong = d.stats.wrong;
			bool good = may(froms[f], to);

			virtio_device_set_status(&d, 0);
			features(MUST);
			if (froms[f] & 11)
				virtio_device_set_status(&d, froms[f] & 11);
			if (froms[f])
				virtio_device_set_status(&d, froms[f]);
			assert_int_equal(d.status, froms[f]);
			assert_true(d.stats.wrong == wrong);
			assert_int_equal(virtio_device_set_status(&d, to), VIRTIO_NOW);
			assert_true(d.stats.wrong == wrong + !good);
			assert_int_equal(d.status,
					 good ? to & ~(uint32_t)VIRTIO_NEEDS_RESET
					      : froms[f] | VIRTIO_NEEDS_RESET);
		}
	}
}

/* FEATURES_OK stands if what was accepted is offered and enough; told once. */
static void features_ok(void **state)
{
	uint64_t offered = virtio_device_features(&d);

	(void)state;
	assert_true(offered & OWN && offered & VIRTIO_F_INDIRECT_DESC);
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t f = offered ^ VIRTIO_BIT(bit);
		bool good = (offered & ~MUST) & VIRTIO_BIT(bit);

		virtio_device_set_status(&d, 0);
		settled = 0;
		virtio_device_set_status(&d, 3);
		features(f);
		virtio_device_set_status(&d, 11);
		assert_int_equal(d.status, good ? 11 : 3);
		assert_int_equal(settled, good);
		virtio_device_set_status(&d, 11);
		assert_int_equal(settled, good);
	}
	assert_int_equal(d.stats.wrong, 0);
	memory.pool = false;
	assert_false(virtio_device_features(&d) & VIRTIO_F_INDIRECT_DESC);
}

static void features_are_frozen(void **state)
{
	(void)state;
	virtio_device_set_status(&d, 3);
	features(MUST);
	virtio_device_accept(&d, 2, 0);
	assert_int_equal(d.stats.wrong, 0);
	virtio_device_accept(&d, 2, 1);
	assert_int_equal(d.stats.wrong, 1);
	virtio_device_set_status(&d, 0);
	features(MUST);
	virtio_device_set_status(&d, 11);
	virtio_device_accept(&d, 0, 0);
	assert_int_equal(d.stats.wrong, 2);
	assert_true(d.features == MUST);
}

/* A successor is where its predecessor was, says that something may be another, and
 * blames nobody. */
static void kept_and_restored(void **state)
{
	static const uint32_t statuses[] = {0, 1, 3, 11, 15, 143};

	(void)state;
	for (unsigned i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct virtio_kept kept;

		virtio_device_set_status(&d, 0);
		features(MUST | OWN);
		virtio_device_set_status(&d, statuses[i] & 11);
		virtio_device_set_status(&d, statuses[i] ? statuses[i] : 0);
		if (!statuses[i])
			features(MUST);
		virtio_device_keep(&d, &kept);
		tear_down(NULL);
		set_up(NULL);
		assert_int_equal(virtio_device_restore(&d, &kept), 0);
		assert_int_equal(d.status, statuses[i]);
		assert_int_equal(d.stats.wrong, 0);
		assert_true(d.event && d.generation == kept.generation + 1);
	}
}

/* While a reset waits nothing is kept: not even what a queue was. */
static void kept_during_a_reset(void **state)
{
	struct virtio_kept kept, none = {0};

	(void)state;
	features(MUST);
	virtio_device_set_status(&d, 11);
	d.queue[0].setup = (struct virtio_queue_setup){8, {16, 16, 16}};
	d.resetting = true;
	virtio_device_keep(&d, &kept);
	none.generation = d.generation;
	assert_memory_equal(&kept, &none, sizeof(kept));
}

static void restored_from_anything(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4096; i++) {
		struct virtio_kept kept;

		for (unsigned k = 0; k < sizeof(kept); k++)
			((uint8_t *)&kept)[k] =
				(uint8_t)((i * 2654435761u + k * 40503u) >> i % 13);
		kept.status &= i & 255;
		assert_int_equal(virtio_device_restore(&d, &kept), 0);
		assert_false(d.status & VIRTIO_DRIVER_OK &&
			     !(d.status & VIRTIO_FEATURES_OK));
		assert_false(d.queue[0].open || d.queue[1].open);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(status_table),	   TEST(features_ok),
		TEST(features_are_frozen), TEST(kept_and_restored),
		TEST(kept_during_a_reset), TEST(restored_from_anything),
	};

	return cmocka_run_group_tests_name("virtio_device", tests, NULL, NULL);
}
