/* SPDX-License-Identifier: MIT */
/* The driver of these tests, against a device of a few lines: what goes over the
 * control page is what the page says, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/front/virtio-driver.h"

static _Alignas(4096) uint8_t page[DRIVER_PAGE];
static uint8_t memory[3 << 20];
static struct virtio_driver driver;
static struct driver_pool pool;
static unsigned events;

/* What the device answers next, and what it was asked. */
static struct {
	uint8_t payload[DRIVER_PAYLOAD], asked[DRIVER_MESSAGE];
	unsigned n;
	bool event_first, silent, other_token, trails;
	bool stern;	  /* it plays a device: status and features */
	uint32_t refuses; /* status bits that it does not set */
	uint64_t offers, accepted;
} device;

static uint32_t word(unsigned at)
{
	uint32_t v;

	memcpy(&v, page + at, 4);
	return v;
}

static void word_is(unsigned at, uint32_t v)
{
	memcpy(page + at, &v, 4);
}

static void say(const uint8_t *m, unsigned n)
{
	uint32_t put = word(0x080);

	memset(page + 0x500 + put % 16 * 64, 0, 64);
	memcpy(page + 0x500 + put % 16 * 64, m, n);
	word_is(0x080, put + 1);
}

static void say_event(void)
{
	static const uint8_t event[24] = {0, 0x40, 0, 0, 0, 0, 24, 0, 0x4f, 0, 0, 0, 9};

	say(event, sizeof(event));
}

/* What a device of status and features alone says to a message. */
static void play(const uint8_t *m)
{
	device.n = 0;
	if (m[1] == 0x08) {
		device.n = 4;
		memcpy(device.payload, m + 8, 4);
		device.payload[0] &= (uint8_t)~device.refuses;
	} else if (m[1] == 0x03) {
		device.n = 16;
		memcpy(device.payload, m + 8, 8);
		memcpy(device.payload + 8, &device.offers, 8);
	} else if (m[1] == 0x04) {
		memcpy(&device.accepted, m + 16, 8);
	}
}

static void notify(void *owner)
{
	uint8_t m[64];

	assert_ptr_equal(owner, &device);
	events++;
	while (!device.silent && word(0x040) != word(0x000)) {
		memcpy(device.asked, page + 0x100 + word(0x040) % 16 * 64, 64);
		if (device.event_first)
			say_event();
		if (device.stern)
			play(device.asked);
		memcpy(m, device.asked, 8);
		m[0] |= 1;
		m[4] = (uint8_t)(m[4] + device.other_token);
		m[6] = (uint8_t)(8 + device.n);
		memcpy(m + 8, device.payload, device.n);
		say(m, 8 + device.n);
		if (device.trails)
			page[0x500 + (word(0x080) - 1) % 16 * 64 + 8 + device.n] = 1;
		word_is(0x040, word(0x040) + 1);
	}
}

static int fresh(void **state)
{
	(void)state;
	memset(page, 0xa5, sizeof(page));
	memset(&device, 0, sizeof(device));
	events = 0;
	virtio_driver_init(&driver, page, notify, NULL, &device);
	driver_pool_init(&pool, memory, sizeof(memory), DRIVER_POOL_BASE);
	return 0;
}

#define ASKED(...)                                                                     \
	do {                                                                           \
		static const uint8_t want[64] = {__VA_ARGS__};                         \
		assert_memory_equal(device.asked, want, 64);                           \
	} while (0)

static void asks_as_the_page_says(void **state)
{
	struct virtio_vqueue v = {3,	       0,	    64,
				  0x100001000, 0x100002000, 0x8000000000003004};
	uint32_t generation;
	uint8_t data[4];
	bool accepted;

	(void)state;
	device.n = 24;
	assert_true(virtio_driver_info(&driver, &(struct virtio_info){0}));
	ASKED(0, 2, 0, 0, 1, 0, 8, 0);
	device.n = 0;
	assert_true(virtio_driver_set_features(&driver, 0x0000000330000205));
	ASKED(0, 4, 0, 0, 2, 0, 24, 0, 0, 0, 0, 0, 2, 0, 0, 0, 5, 2, 0, 0x30, 3);
	assert_true(virtio_driver_set_vqueue(&driver, &v));
	ASKED(0, 0xa, 0, 0, 3, 0, 48, 0, 3, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0,
	      0, 0, 0x10, 0, 0, 1, 0, 0, 0, 0, 0x20, 0, 0, 1, 0, 0, 0, 4, 0x30, 0, 0, 0,
	      0, 0, 0x80);
	assert_true(virtio_driver_reset_vqueue(&driver, 7));
	ASKED(0, 0xb, 0, 0, 4, 0, 12, 0, 7);
	device.n = 16;
	memcpy(device.payload,
	       (uint8_t[]){9, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 'a', 'b'}, 14);
	assert_true(virtio_driver_get_config(&driver, 8, 4, data, &generation));
	ASKED(0, 5, 0, 0, 5, 0, 16, 0, 8, 0, 0, 0, 4);
	assert_true(generation == 9 && data[0] == 'a' && data[1] == 'b');
	assert_true(virtio_driver_set_config(&driver, 9, 8, "wxyz", 4, &accepted));
	ASKED(0, 6, 0, 0, 6, 0, 24, 0, 9, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 'w', 'x',
	      'y', 'z');
	assert_true(accepted);
	device.n = 4;
	memcpy(device.payload, (uint8_t[]){0x44, 0x33, 0x22, 0x11}, 4);
	assert_true(virtio_driver_ping(&driver, 0x11223344));
	ASKED(2, 3, 0, 0, 7, 0, 12, 0, 0x44, 0x33, 0x22, 0x11);
	assert_int_equal(events, 7);
	assert_int_equal(driver.strays, 0);
}

static void reads_what_was_answered(void **state)
{
	struct virtio_vqueue v;
	struct virtio_info info;
	uint64_t features;

	(void)state;
	for (unsigned i = 0; i < DRIVER_PAYLOAD; i++)
		device.payload[i] = (uint8_t)i;
	device.n = 24;
	assert_true(virtio_driver_info(&driver, &info));
	assert_true(info.device == 0x03020100 && info.queues == 0x13121110);
	assert_true(info.admin_start == 0x1514 && info.admin_count == 0x1716);
	device.n = 40;
	memset(device.payload + 12, 0, 4);
	assert_true(virtio_driver_get_vqueue(&driver, 0x03020100, &v));
	assert_true(v.max == 0x07060504 && v.size == 0x0b0a0908);
	assert_true(v.device == 0x2726252423222120);
	memcpy(device.payload,
	       (uint8_t[]){0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0x30, 3, 0, 0}, 15);
	device.payload[15] = 0;
	device.n = 16;
	assert_true(virtio_driver_get_features(&driver, &features));
	assert_true(features == 0x330000001);
	device.n = 4;
	device.payload[0] = 0x4f;
	assert_true(virtio_driver_get_status(&driver));
	assert_int_equal(driver.status, 0x4f);
}

/* Of what it did not ask for nothing is taken for an answer. */
static void takes_no_other_answer(void **state)
{
	(void)state;
	device.event_first = true;
	device.n = 4;
	assert_true(virtio_driver_ping(&driver, 0));
	assert_true(driver.events == 1 && driver.strays == 0);
	assert_true(driver.event_status == 0x4f && driver.event_generation == 9);
	device.n = 5; /* of another length */
	assert_false(virtio_driver_ping(&driver, 0));
	device.n = 4;
	device.other_token = true;
	assert_false(virtio_driver_ping(&driver, 0));
	assert_int_equal(driver.strays, 1);
	device.other_token = false;
	device.trails = true; /* something behind its end */
	assert_false(virtio_driver_ping(&driver, 0));
	assert_int_equal(driver.strays, 2);
	device.silent = true;
	assert_false(virtio_driver_ping(&driver, 0));
	say_event();
	virtio_driver_poll(&driver);
	assert_int_equal(driver.events, 5);
}

/* No bit is set before its turn, and what the device refuses is no way there. */
static void goes_the_way_to_driver_ok(void **state)
{
	uint64_t accepted;

	(void)state;
	device.stern = true;
	device.offers =
		DRIVER_F_VERSION_1 | DRIVER_F_ACCESS_PLATFORM | DRIVER_FEATURE(9);
	assert_true(virtio_driver_begin(&driver,
					DRIVER_F_VERSION_1 | DRIVER_F_ACCESS_PLATFORM |
						DRIVER_F_EVENT_IDX,
					&accepted));
	assert_true(accepted == (DRIVER_F_VERSION_1 | DRIVER_F_ACCESS_PLATFORM));
	assert_true(device.accepted == accepted);
	assert_int_equal(driver.status, 0x0b);
	assert_true(virtio_driver_ready(&driver));
	assert_int_equal(driver.status, 0x0f);
	device.refuses = DRIVER_S_FEATURES_OK;
	assert_false(virtio_driver_begin(&driver, 0, &accepted));
	device.refuses = DRIVER_S_DRIVER_OK;
	assert_true(virtio_driver_begin(&driver, 0, &accepted));
	assert_false(virtio_driver_ready(&driver));
}

/* More than a lap of each queue, across 2^32, and a queue that is full. */
static void queues_wrap_and_fill(void **state)
{
	uint8_t m[64];

	(void)state;
	driver.put = driver.taken = UINT32_MAX - 20;
	for (unsigned at = 0; at < 0x100; at += 0x40)
		word_is(at, driver.put);
	device.n = 4;
	for (unsigned i = 0; i < 50; i++)
		assert_true(virtio_driver_ping(&driver, 0));
	device.silent = true;
	for (unsigned i = 0; i < 16; i++)
		assert_true(virtio_driver_put(&driver, "raw", 3));
	assert_false(virtio_driver_put(&driver, "raw", 3));
	for (unsigned i = 3; i < 64; i++) /* nothing of the lap before */
		assert_int_equal(page[0x100 + i], 0);
	assert_false(virtio_driver_take(&driver, m));
	events = 0;
	for (unsigned i = 0; i < 16; i++)
		say_event();
	for (unsigned i = 0; i < 16; i++)
		assert_true(virtio_driver_take(&driver, m));
	assert_false(virtio_driver_take(&driver, m));
	assert_int_equal(events, 1); /* the device had to wait */
	assert_int_equal(word(0x0c0), word(0x080));
	virtio_driver_raw_put(&driver, 4711);
	assert_int_equal(word(0), 4711);
}

static void pool_gives_what_is_free(void **state)
{
	struct driver_block a = driver_pool_get(&pool, 100, 1), b, c;

	(void)state;
	b = driver_pool_get(&pool, 4096, 4096);
	assert_true(b.at == memory + 4096 && b.addr == DRIVER_POOL_BASE + 4096);
	driver_pool_put(&pool, &a);
	c = driver_pool_get(&pool, 90, 16);
	assert_ptr_equal(c.at, a.at);
	assert_int_equal(c.bytes, 90);
	driver_pool_put(&pool, &c);
	a = driver_pool_get(&pool, 100, 1);
	driver_pool_get(&pool, 3, 1);
	b = driver_pool_get(&pool, 70, 1);
	driver_pool_put(&pool, &b);
	c = driver_pool_get(&pool, 64, 4096); /* there is a free one, not aligned */
	assert_int_equal((c.at - memory) % 4096, 0);
	c = driver_pool_get(&pool, DRIVER_POOL_RUN, 1); /* not across 1 MiB */
	assert_ptr_equal(c.at, memory + DRIVER_POOL_RUN);
	c = driver_pool_get(&pool, DRIVER_POOL_RUN - 1, 1);
	assert_ptr_equal(c.at, memory + 2 * DRIVER_POOL_RUN);
	assert_non_null(driver_pool_get(&pool, 1, 1).at);
	assert_null(driver_pool_get(&pool, 100, 1).at);
	assert_null(driver_pool_get(&pool, DRIVER_POOL_RUN + 1, 1).at);
	driver_pool_put(&pool, &(struct driver_block){0});
}

/* A queue is what it needs of the pool, and gives it back. */
static void queue_is_made_of_the_pool(void **state)
{
	struct driver_queue q;
	struct driver_sg sg = {1, 1};
	struct driver_done done;
	unsigned blocks;

	(void)state;
	assert_true(driver_queue_new(&q, 8, true, &pool));
	assert_true(driver_queue_add(&q, &sg, 1, 0, 0, 1) >= 0);
	driver_queue_publish(&q);
	assert_int_equal(driver_queue_get(&q, &done), DRIVER_NOTHING);
	q.used.at[2] = 2; /* more than there were */
	assert_int_equal(driver_queue_get(&q, &done), DRIVER_WRONG);
	q.used.at[2] = 1;
	q.used.at[4] = 5; /* that was not */
	assert_int_equal(driver_queue_get(&q, &done), DRIVER_WRONG);
	q.used.at[5] = 1; /* that cannot be */
	assert_int_equal(driver_queue_get(&q, &done), DRIVER_WRONG);
	driver_queue_free(&q);
	blocks = pool.blocks;
	assert_true(driver_queue_new(&q, 8, true, &pool));
	assert_int_equal(pool.blocks, blocks);
	driver_pool_init(&pool, memory, 200, 0);
	assert_false(driver_queue_new(&q, 8, true, &pool));
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(asks_as_the_page_says),	 TEST(reads_what_was_answered),
		TEST(takes_no_other_answer),	 TEST(goes_the_way_to_driver_ok),
		TEST(queues_wrap_and_fill),	 TEST(pool_gives_what_is_free),
		TEST(queue_is_made_of_the_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
