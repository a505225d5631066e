/* SPDX-License-Identifier: MIT */
/*
 * T-LIFE-1 at a disk's virtio door: resets, ends and deaths while requests are out, and
 * between any two messages. Until a reset is answered memory is the device's, after
 * that it is not touched.
 */
#include "tests/hostile/door.h"

#define ASKED 6

static void asks(unsigned queue, unsigned n, uint64_t first)
{
	for (unsigned i = 0; i < n; i++)
		assert_non_null(vfront_add(&bed.vfront, queue, first + i, BLK_VIRTIO_IN,
					   8 * i, 4096));
	vfront_push(&bed.vfront);
	door_run();
}

/* All the client's memory: who touches it again is seen. */
static uint8_t *all;

static void poison(void)
{
	memset(bed.vfront.pool.at, 0xdd, bed.vfront.pool.bytes);
	all = bed.vfront.pool.at;
}

static void not_touched(void)
{
	for (unsigned i = 0; i < 5; i++) {
		loopxen_notify(bed.x, bed.dev.front, bed.vfront.port);
		door_run();
	}
	for (size_t i = 0; i < bed.vfront.pool.bytes; i++) {
		if (all[i] != 0xdd)
			fail_msg("byte %zu was touched after the reset", i);
	}
	memset(bed.vfront.pool.at + bed.vfront.pool.bytes - 16 * 4096, 0xa5, 16 * 4096);
}

static struct bed_conf slow(unsigned i)
{
	struct bed_conf conf = door_confs[i % DOORS];

	conf.slow = true;
	return conf;
}

static void fast(void)
{
	bed.blk.store = &bed.disk.store;
}

/* @busy of them with the disk, some home, when the reset comes. */
static void t_life_1_reset_with_requests_out(void **state)
{
	uint64_t done = 0;
	uint32_t zero = 0;
	uint8_t answer[DRIVER_PAYLOAD];

	(void)state;
	for (unsigned i = 0; i < DOORS * (ASKED + 1) * 3; i++, done++) {
		unsigned n = i / DOORS % (ASKED + 1), limit = i / DOORS / (ASKED + 1);
		struct bed_conf conf = slow(i);

		conf.in_flight = limit == 0 ? 512 : limit;
		door_up(conf);
		asks(0, n, 0);
		if (n > 2)
			bed_complete(&bed, bed.nwaiting > 1);
		door_put_words(DRIVER_SET_DEVICE_STATUS, &zero, 1);
		door_put_words(DRIVER_GET_DEVICE_STATUS, &zero, 0);
		door_run();
		while (bed.nwaiting) {
			assert_false(door_answered(DRIVER_SET_DEVICE_STATUS, answer));
			bed_complete(&bed, bed.nwaiting - 1);
			door_run();
		}
		assert_true(door_answered(DRIVER_SET_DEVICE_STATUS, answer));
		assert_int_equal(le_get(answer, 4), 0);
		assert_true(door_answered(DRIVER_GET_DEVICE_STATUS, answer));
		assert_int_equal(bed.virtio.door.device.busy, 0);
		poison();
		not_touched();
		fast();
		door_is_sound("a reset");
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-LIFE-1", done, "resets with requests out");
}

/* Of one queue of two: the other serves meanwhile, and it is set up again after. */
static void t_life_1_reset_vqueue_with_requests_out(void **state)
{
	uint64_t done = 0;
	uint32_t one = 1;
	uint8_t answer[DRIVER_PAYLOAD];

	(void)state;
	for (unsigned i = 0; i < DOORS * 4 * 3; i++, done++) {
		struct bed_conf conf = slow(i);
		struct driver_queue *q = &bed.vfront.queue[1];
		unsigned n = i / DOORS % 4, limit = i / DOORS / 4;
		struct virtio_queue *ours;

		conf.in_flight = limit == 0 ? 512 : limit;
		conf.queues = conf.virtio.queues = 2;
		door_up(conf);
		ours = &bed.virtio.door.device.queue[1];
		asks(1, n, 10);
		door_put_words(DRIVER_RESET_VQUEUE, &one, 1);
		door_run();
		assert_int_equal(door_answered(DRIVER_RESET_VQUEUE, answer), !n);
		asks(0, 2, 20);
		while (bed.nwaiting) {
			bed_complete(&bed, 0);
			door_run();
		}
		assert_int_equal(driver_queue_used_idx(&bed.vfront.queue[0]), 2);
		assert_int_equal(driver_queue_used_idx(q), 0);
		if (n)
			assert_true(door_answered(DRIVER_RESET_VQUEUE, answer));
		assert_false(ours->open);
		door_is_sound("RESET_VQUEUE");
		driver_queue_init(q, q->size, q->event_idx,
				  (struct driver_block[]){q->desc, q->avail, q->used},
				  &bed.vfront.pool);
		assert_true(virtio_driver_queue(door_driver(), 1, q));
		memset(bed.vfront.request, 0, sizeof(bed.vfront.request));
		fast();
		asks(1, 3, 30);
		assert_int_equal(driver_queue_used_idx(q), 3);
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-LIFE-1", done, "resets of a queue with requests out");
}

/* A read of @pages pages, all the same one, and two pages more. */
static void offer(unsigned queue, unsigned pages)
{
	struct driver_sg sg[16] = {{door.header.addr, 16}};

	door_header(BLK_VIRTIO_IN, 8);
	for (unsigned i = 0; i < pages; i++)
		sg[1 + i] = (struct driver_sg){door.data.addr, 4096};
	sg[1 + pages] = (struct driver_sg){door.status.addr, 1};
	driver_queue_add(&bed.vfront.queue[queue], sg, 1, pages + 1, pages + 2, 0);
	vfront_push(&bed.vfront);
	door_run();
}

/* What a queue's reset drops holds pages that another queue waits for: it is looked at
 * again, without an event. */
static void t_life_1_what_is_dropped_makes_room(void **state)
{
	struct bed_conf conf = slow(3);
	uint32_t zero = 0;
	uint8_t answer[DRIVER_PAYLOAD];

	(void)state;
	conf.in_flight = 1;
	conf.data_pages = 12;
	conf.queues = conf.virtio.queues = 2;
	door_up(conf);
	offer(0, 3);
	offer(0, 3);
	assert_int_equal(bed.nwaiting, 1);
	/* Ten: what comes home does not make room enough, only what is dropped does. */
	offer(1, 8);
	assert_true(bed.virtio.door.device.queue[1].held);
	door_put_words(DRIVER_RESET_VQUEUE, &zero, 1);
	door_run();
	bed_complete(&bed, 0);
	door_run();
	assert_true(door_answered(DRIVER_RESET_VQUEUE, answer));
	assert_int_equal(bed.nwaiting, 1);
	bed_complete(&bed, 0);
	door_run();
	assert_int_equal(driver_queue_used_idx(&bed.vfront.queue[1]), 1);
	door_is_sound("a queue that waited");
	assert_int_equal(bed_down(&bed), 0);
}

/* It needs a reset, for what one of them is: what is out comes home, unanswered; what
 * was taken with it and not begun never is. */
static void t_life_1_wrong_with_requests_out(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < DOORS * ASKED; i++, done++) {
		struct driver_sg sg[2] = {{0}};
		unsigned n = i / DOORS;

		door_up(slow(i));
		asks(0, n, 0);
		sg[0] = (struct driver_sg){door.header.addr, 15};
		sg[1] = (struct driver_sg){door.status.addr, 1};
		door_header(BLK_VIRTIO_IN, 0);
		driver_queue_add(&bed.vfront.queue[0], sg, 1, 1, 2, 99);
		for (unsigned k = 0; k < 3; k++)
			vfront_add(&bed.vfront, 0, 20 + k, BLK_VIRTIO_OUT, 0, 512);
		vfront_push(&bed.vfront);
		door_run();
		door_is_wrong("one of many");
		assert_int_equal(bed.nwaiting, n); /* those behind it do not begin */
		while (bed.nwaiting) {
			bed_complete(&bed, 0);
			door_run();
		}
		assert_int_equal(driver_queue_used_idx(&bed.vfront.queue[0]), 0);
		assert_int_equal(bed.virtio.door.device.busy, 0);
		fast();
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-LIFE-1", done, "devices disabled with requests out");
}

/* A planned end in the middle of a reset, and a death: the next one ends it, and does
 * not blame the client for it. */
static void t_life_1_ends_during_a_reset(void **state)
{
	uint64_t done = 0;
	uint32_t zero = 0;
	uint8_t answer[DRIVER_PAYLOAD];

	(void)state;
	for (unsigned i = 0; i < DOORS * 4; i++, done++) {
		uint8_t id =
			i / DOORS % 2 ? DRIVER_RESET_VQUEUE : DRIVER_SET_DEVICE_STATUS;
		bool dies = i / DOORS / 2;

		door_up(slow(i));
		asks(0, ASKED, 0);
		door_put_words(id, &zero, 1);
		door_run();
		if (dies) {
			bed_kill(&bed);
		} else {
			bed_detach(&bed);
			while (bed.nwaiting)
				bed_complete(&bed, 0);
			door_run();
			assert_int_equal(bed.virtio.door.state, VIRTIO_DOOR_DOWN);
			bed_end(&bed);
		}
		assert_int_equal(bed_start_quiet(&bed), 0);
		fast();
		assert_int_equal(bed_connect(&bed, true), 0);
		assert_int_equal(bed.virtio.door.device.stats.wrong, 0);
		assert_true(door_answered(id, answer));
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-LIFE-1", done, "ends during a reset");
}

/* One message more than the dead one counted as taken, or one answer less than it gave:
 * whenever it dies its successor does it again, and nothing is wrong with that. */
static void died_between(unsigned message, bool unsaid)
{
	uint8_t *page = door_driver()->page;
	uint32_t taken = le32_acquire(page + DRIVER_DRIVER_TAKEN);
	uint32_t put = le32_acquire(page + DRIVER_DEVICE_PUT);

	bed_kill(&bed);
	le32_release(page + DRIVER_DRIVER_TAKEN, taken - 1);
	if (unsaid)
		le32_release(page + DRIVER_DEVICE_PUT, put - 1);
	assert_int_equal(bed_start_quiet(&bed), 0);
	assert_int_equal(bed_connect(&bed, true), 0);
	if (bed.virtio.door.device.stats.wrong)
		fail_msg("message %u, done again, is wrong", message);
	assert_int_equal(le32_acquire(page + DRIVER_DRIVER_TAKEN), taken);
}

static void t_life_1_dies_at_each_message(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		for (unsigned i = 0; i < DOOR_STEPS; i++) {
			for (unsigned unsaid = 0; unsaid < 2; unsaid++, done++) {
				door_up(door_confs[c]);
				for (unsigned k = 0; k <= i; k++) {
					virtio_driver_poll(door_driver());
					door_step(k);
					door_run();
				}
				if (!unsaid)
					virtio_driver_poll(door_driver());
				died_between(i, unsaid);
				for (unsigned k = i + 1; k < DOOR_STEPS; k++) {
					door_step(k);
					door_run();
					virtio_driver_poll(door_driver());
				}
				assert_int_equal(door_status(), 15);
				door_recovers();
				assert_int_equal(bed_down(&bed), 0);
			}
		}
	}
	tally("T-LIFE-1", done, "deaths between two messages");
}

/* A driver that makes no room for the answer: the message is not taken before there is
 * some, at whatever point of the way. */
static void t_life_1_answers_that_wait(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < DOOR_STEPS; i++, done++) {
		uint8_t *page;
		struct virtio_driver *d = door_driver();

		door_up(door_confs[0]);
		for (unsigned k = 0; k < i; k++) {
			door_step(k);
			door_run();
			virtio_driver_poll(d);
		}
		page = d->page;
		le32_release(page + DRIVER_DEVICE_TAKEN, d->taken - 16);
		door_step(i);
		door_run();
		assert_int_equal(le32_acquire(page + DRIVER_DRIVER_TAKEN), d->put - 1);
		le32_release(page + DRIVER_DEVICE_TAKEN, d->taken);
		loopxen_notify(bed.x, bed.dev.front, bed.vfront.port);
		door_run();
		assert_int_equal(le32_acquire(page + DRIVER_DRIVER_TAKEN), d->put);
		virtio_driver_poll(d);
		door_is_sound("an answer that waited");
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-LIFE-1", done, "answers that waited");
}

/* Each journal byte another one, at the death: its own harm at worst. */
static void t_life_1_journal_of_a_dead_one(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		door_up(door_confs[c]);
		for (unsigned i = 0; i < 4 * 96; i++, done++) {
			static const uint8_t with[] = {0x00, 0xff, 0x80};
			uint8_t *at = door_driver()->page + DRIVER_JOURNAL + i / 4;

			bed_kill(&bed);
			if (i % 4 < 3)
				*at = with[i % 4];
			else
				*at ^= 1;
			assert_int_equal(bed_start_quiet(&bed), 0);
			assert_int_equal(bed_connect(&bed, true), 0);
			door_recovers();
		}
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-LIFE-1", done, "journals that were rewritten");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(t_life_1_reset_with_requests_out),
		HOSTILE(t_life_1_reset_vqueue_with_requests_out),
		HOSTILE(t_life_1_what_is_dropped_makes_room),
		HOSTILE(t_life_1_wrong_with_requests_out),
		HOSTILE(t_life_1_ends_during_a_reset),
		HOSTILE(t_life_1_dies_at_each_message),
		HOSTILE(t_life_1_answers_that_wait),
		HOSTILE(t_life_1_journal_of_a_dead_one),
	};

	return cmocka_run_group_tests_name("virtio_life", tests, NULL, NULL);
}
