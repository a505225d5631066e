/* SPDX-License-Identifier: MIT */
/*
 * T-LIFE-1 at the journal of a virtio device: who dies at any point of writing it, in
 * whatever order its bytes get to the page, is followed by one that is where the dead
 * one was, before what it wrote down or after it. Never between the two, and never
 * wrong.
 */
#include "tests/hostile/door.h"

#define WRITES_MAX 32

/* What one step wrote to the control page, in order. */
static struct write {
	size_t at, len;
	uint8_t bytes[DRIVER_PAGE];
} writes[WRITES_MAX];
static unsigned nwrites;

static void note_write(const volatile void *p, const void *src, size_t len)
{
	uintptr_t page = (uintptr_t)bed.virtio.door.msg.page;
	struct write *w = &writes[nwrites];

	if ((uintptr_t)p < page || (uintptr_t)p - page >= DRIVER_PAGE)
		return;
	assert_true(nwrites < WRITES_MAX);
	w->at = (uintptr_t)p - page;
	w->len = len;
	memcpy(w->bytes, src, len);
	nwrites++;
}

/* In what order a write's bytes get there; the k-th of @len. */
enum order { FORWARDS, BACKWARDS, ODD_WORDS_FIRST, ORDERS };

static size_t nth(enum order order, size_t k, size_t len)
{
	size_t odd = len / 8 * 4; /* bytes in the words of odd numbers */

	if (order == BACKWARDS)
		return len - 1 - k;
	if (order == FORWARDS || len % 8)
		return k;
	return k < odd ? k / 4 * 8 + 4 + k % 4 : (k - odd) / 4 * 8 + k % 4;
}

/* Before a step and after it. */
static struct virtio_kept before, after;

/* Another process's device, beside the one that did not die: whose memory it borrows.
 */
static struct virtio_device device;

/* It follows one that died and left @page. @news: one so far was where the step ends,
 * so that nothing goes back. */
static void follows(uint8_t page[DRIVER_PAGE], bool *news, const char *what)
{
	static struct virtio_msg msg;
	struct virtio_kept now;

	assert_int_equal(virtio_msg_connect(&msg, &device, page, true), 0);
	if (device.stats.wrong)
		fail_msg("%s: its successor says that something is wrong", what);
	virtio_device_keep(&device, &now);
	now.generation--; /* it says that something may have changed */
	if (!memcmp(&now, &after, sizeof(now)) && memcmp(&before, &after, sizeof(now)))
		*news = true;
	else if (*news || memcmp(&now, &before, sizeof(now)))
		fail_msg("%s: its successor is elsewhere", what);
	assert_int_equal(virtio_device_end(&device), 0);
}

/* At each byte of each of the step's writes, beginning with @page; the number of them.
 */
static uint64_t dies_everywhere(unsigned step, enum order order, const uint8_t *begin)
{
	static uint8_t page[DRIVER_PAGE];
	bool is_same = !memcmp(&before, &after, sizeof(after)), news = false;
	uint64_t done = 0;
	char what[80];

	memcpy(page, begin, DRIVER_PAGE);
	for (unsigned i = 0; i < nwrites; i++) {
		const struct write *w = &writes[i];

		/* A word is there or is not. */
		for (size_t k = 0; w->len > 4 && k < w->len; k++, done++) {
			size_t at = nth(order, k, w->len);

			snprintf(what, sizeof(what), "step %u, write %u, byte %zu (%d)",
				 step, i, k, order);
			follows(page, &news, what);
			page[w->at + at] = w->bytes[at];
		}
		memcpy(page + w->at, w->bytes, w->len);
		snprintf(what, sizeof(what), "step %u, after write %u", step, i);
		follows(page, &news, what);
		/* What was said is kept. */
		if (w->at == DRIVER_DEVICE_PUT && news == is_same)
			fail_msg("%s: the driver knows more than the journal", what);
		done++;
	}
	assert_true(news != is_same);
	return done;
}

/* Step @i with each write seen; @page is what was there before it. */
static void watched_step(unsigned i, uint8_t page[DRIVER_PAGE])
{
	nwrites = 0;
	virtio_device_keep(&bed.virtio.door.device, &before);
	door_step(i);
	memcpy(page, door_driver()->page, DRIVER_PAGE);
	shared_hook_before_write = note_write;
	door_run();
	shared_hook_before_write = NULL;
	virtio_device_keep(&bed.virtio.door.device, &after);
}

/* So many were written before this one that their number starts anew on the way. */
static void numbers_wrap(void)
{
	struct virtio_msg *msg = &bed.virtio.door.msg;
	uint32_t more = (UINT32_MAX - 4 - msg->journal) & ~1u;

	for (unsigned i = 0; i < 2; i++) {
		uint8_t *number = door_driver()->page + DRIVER_JOURNAL + 4 +
				  i * (sizeof(before) + 8);

		le_put(number, 4, le_get(number, 4) + more);
	}
	msg->journal += more;
}

static void t_life_1_dies_at_each_byte_of_its_journal(void **state)
{
	static uint8_t page[DRIVER_PAGE];
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		for (unsigned i = 0; i < DOOR_STEPS; i++) {
			door_up(door_confs[c]);
			if (c % 2)
				numbers_wrap();
			for (unsigned k = 0; k < i; k++) {
				door_step(k);
				door_run();
				virtio_driver_poll(door_driver());
			}
			watched_step(i, page);
			assert_int_equal(virtio_device_init(
						 &device, &bed.virtio.door.device.conf),
					 0);
			device.conf.class->describe(&device);
			for (int order = 0; order < ORDERS; order++)
				done += dies_everywhere(i, order, page);
			virtio_device_fini(&device);
			virtio_driver_poll(door_driver());
			door_recovers();
			assert_int_equal(bed_down(&bed), 0);
		}
	}
	tally("T-LIFE-1", done, "deaths within a journal");
}

/* A successor's journal is the newest, whatever it found: the third is where it was. */
static void dies_again(void)
{
	struct virtio_kept now;

	virtio_device_keep(&bed.virtio.door.device, &before);
	bed_kill(&bed);
	assert_int_equal(bed_start_quiet(&bed), 0);
	assert_int_equal(bed_connect(&bed, true), 0);
	virtio_device_keep(&bed.virtio.door.device, &now);
	now.generation--;
	assert_memory_equal(&now, &before, sizeof(now));
	assert_int_equal(bed.virtio.door.device.stats.wrong, 0);
}

/* The way goes on from wherever: the driver notices nothing, of a second death neither.
 */
static void t_life_1_dies_in_its_journal_and_all_goes_on(void **state)
{
	static uint8_t page[DRIVER_PAGE];
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < DOORS * DOOR_STEPS * 4; i++, done++) {
		unsigned step = i / DOORS % DOOR_STEPS, at = i / DOORS / DOOR_STEPS;

		door_up(door_confs[i % DOORS]);
		for (unsigned k = 0; k < step; k++) {
			door_step(k);
			door_run();
			virtio_driver_poll(door_driver());
		}
		watched_step(step, page);
		bed_kill(&bed);
		/* Half way through one of its writes. */
		at %= nwrites;
		for (unsigned w = 0; w < at; w++)
			memcpy(page + writes[w].at, writes[w].bytes, writes[w].len);
		if (writes[at].len > 4)
			memcpy(page + writes[at].at, writes[at].bytes,
			       writes[at].len / 2);
		memcpy(door_driver()->page, page, DRIVER_PAGE);
		assert_int_equal(bed_start_quiet(&bed), 0);
		assert_int_equal(bed_connect(&bed, true), 0);
		for (unsigned k = step + 1; k < DOOR_STEPS; k++) {
			virtio_driver_poll(door_driver());
			door_step(k);
			door_run();
		}
		assert_int_equal(bed.virtio.door.device.stats.wrong, 0);
		assert_int_equal(door_status(), 15);
		dies_again();
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-LIFE-1", done, "ways gone on after a death within a journal");
}

static bool let_run(void *owner)
{
	(void)owner;
	door_run();
	return true;
}

/* Who says that it is connected has a journal: the next one attaches to it. */
static void t_life_1_dies_before_its_first_turn(void **state)
{
	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		bed_init(&bed, &door_confs[c]);
		assert_int_equal(bed_start(&bed), 0);
		bed.vfront.run = let_run;
		vfront_connect(&bed.vfront, bed.x, &bed.dev, &bed.conf.virtio);
		assert_int_equal(
			blk_virtio_connect(&bed.virtio, false, loopxen_now(bed.x)), 0);
		bed_kill(&bed);
		assert_int_equal(bed_start_quiet(&bed), 0);
		assert_int_equal(bed_connect(&bed, true), 0);
		assert_int_equal(bed.virtio.door.device.stats.wrong, 0);
		assert_int_equal(door_status(), 0);
		assert_true(vfront_ready(&bed.vfront));
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-LIFE-1", DOORS, "deaths before the first turn");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(t_life_1_dies_at_each_byte_of_its_journal),
		HOSTILE(t_life_1_dies_in_its_journal_and_all_goes_on),
		HOSTILE(t_life_1_dies_before_its_first_turn),
	};

	return cmocka_run_group_tests_name("virtio_journal", tests, NULL, NULL);
}
