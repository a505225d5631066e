/* SPDX-License-Identifier: MIT */
/*
 * T-SND-1 on the PV door, and the defects of other back ends (a directory that goes
 * round, offsets that are not checked, READ before OPEN): a client breaks its own
 * stream at most, and is answered.
 */
#include <errno.h>
#include <string.h>

#include "tests/device/snd-cases.h"
#include "tests/hook/shared-hook.h"
#include "tests/hostile/tally.h"

#define EACCES_	    (-13)
#define EINVAL_	    (-22)
#define EOPNOTSUPP_ (-95)

static const uint32_t edges[] = {
	0,     1,	   2,	       3,	   4,	       959,
	960,   961,	   SIZE - 1,   SIZE,	   SIZE + 1,   4096,
	65535, 0x7fffffff, 0x80000000, 0xfffff000, 0xfffffffc, 0xffffffff,
};

/* Both streams are served as if nothing had been. */
static void assert_well(void)
{
	struct snd_client client;

	assert_false(bed.broken);
	for (uint32_t i = 0; i < 2; i++) {
		snd_bed_simple(&bed, i, XENSND_OP_CLOSE);
		assert_true(snd_front_unbuffer(&bed.front, snd_bed_stream(&bed, i)));
	}
	snd_client_open(&client, 0, &plain);
	snd_client_start(&client);
	snd_client_play(&client, 50 * CLOCK_MS);
	assert_int_equal(client.xruns, 0);
	snd_client_close(&client);
}

static void up(void)
{
	snd_bed_up(&bed, &(struct snd_bed_conf){0});
}

static void down(void)
{
	assert_well();
	assert_int_equal(snd_bed_down(&bed), 0);
}

/* [utest->req~samples-lie-in-their-buffer~1] */
static void t_snd_1_every_offset_and_length(void **state)
{
	static const uint8_t operations[] = {
		XENSND_OP_READ,	      XENSND_OP_WRITE, XENSND_OP_SET_VOLUME,
		XENSND_OP_GET_VOLUME, XENSND_OP_MUTE,  XENSND_OP_UNMUTE,
	};
	struct snd_client player, recorder;
	uint64_t done = 0;

	(void)state;
	up();
	snd_client_open(&player, 0, &plain);
	snd_client_open(&recorder, 1, &plain);
	for (unsigned o = 0; o < COUNT(operations); o++) {
		for (unsigned i = 0; i < COUNT(edges) * COUNT(edges) * 2; i++) {
			uint32_t offset = edges[i / 2 / COUNT(edges)];
			uint32_t len = edges[i / 2 % COUNT(edges)];
			int32_t status =
				snd_bed_rw(&bed, i % 2, operations[o], offset, len);
			bool inside = offset <= SIZE && len <= SIZE - offset;
			bool moves = operations[o] <= XENSND_OP_WRITE;
			bool way = !moves || (operations[o] == XENSND_OP_READ) == i % 2;
			bool fits =
				moves ? len && !(len % 4) && !(offset % 4) : len >= 8;

			assert_int_equal(status, inside && way && fits ? 0 : EINVAL_);
			done++;
		}
	}
	tally("T-SND-1", done, "offsets and lengths");
	down();
}

static void t_snd_1_every_operation(void **state)
{
	(void)state;
	up();
	for (unsigned operation = 0; operation < 256; operation++) {
		int32_t status = snd_bed_simple(&bed, 0, (uint8_t)operation);

		if (operation == XENSND_OP_CLOSE)
			assert_int_equal(status, 0);
		else if (operation > XENSND_OP_HW_PARAM_QUERY)
			assert_int_equal(status, EOPNOTSUPP_);
		else
			assert_int_equal(status, EINVAL_); /* it is not open */
	}
	for (unsigned type = 0; type < 256; type++)
		assert_int_equal(snd_bed_trigger(&bed, 0, (uint8_t)type),
				 type > 3 ? EOPNOTSUPP_ : EINVAL_);
	tally("T-SND-1", 512, "operations and triggers");
	down();
}

/* What OPEN says, one field after another. */
static void t_snd_1_every_open(void **state)
{
	(void)state;
	up();
	snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 4, false);
	for (unsigned field = 0; field < 5; field++) {
		for (unsigned i = 0; i < COUNT(edges) + 256; i++) {
			uint32_t value = i < COUNT(edges) ? edges[i]
							  : i - (uint32_t)COUNT(edges);
			struct snd_config config = plain;
			int32_t status;

			config.rate = field == 0 ? value : config.rate;
			config.format = field == 1 ? (enum snd_format)(uint8_t)value
						   : config.format;
			config.channels = field == 2 ? value : config.channels;
			config.size = field == 3 ? value : config.size;
			config.period = field == 4 ? value : config.period;
			status = snd_bed_open(&bed, 0, &config);
			if (!status)
				assert_int_equal(
					snd_bed_simple(&bed, 0, XENSND_OP_CLOSE), 0);
			assert_true(!status || status == EINVAL_ ||
				    status == EOPNOTSUPP_ || status == EACCES_);
			if (field == 3 && (value % 4 || !value || value > 16384))
				assert_int_not_equal(status, 0);
			if (field == 4 && (value % 4 || value > SIZE))
				assert_int_not_equal(status, 0);
			if (field == 2 && !(uint8_t)value)
				assert_int_not_equal(status, 0);
		}
	}
	tally("T-SND-1", 5 * (COUNT(edges) + 256), "fields of OPEN");
	down();
}

static void t_snd_1_open_twice(void **state)
{
	struct snd_config other = plain;
	struct snd_client client;

	(void)state;
	up();
	snd_client_open(&client, 0, &plain);
	other.rate = 44100;
	assert_int_equal(snd_bed_open(&bed, 0, &other), EINVAL_);
	assert_int_equal(snd_bed_open(&bed, 0, &plain), EINVAL_);
	assert_int_equal(bed.card.stream[0].config.rate, 48000);
	assert_int_equal(bed.host[0].sets, 1);
	snd_client_start(&client);
	assert_int_equal(snd_bed_trigger(&bed, 0, XENSND_OP_TRIGGER_START), EINVAL_);
	assert_int_equal(snd_bed_trigger(&bed, 0, XENSND_OP_TRIGGER_RESUME), EINVAL_);
	assert_int_equal(snd_bed_open(&bed, 0, &other), EINVAL_);
	down();
}

/* -- The directory -------------------------------------------------------- */

static uint32_t *directory(void)
{
	return (uint32_t *)(void *)snd_bed_stream(&bed, 0)->directory;
}

static int32_t open_pages(uint32_t pages)
{
	struct snd_config config = plain;

	config.size = pages * 4096;
	return snd_bed_open(&bed, 0, &config);
}

/* It names itself as the next page, for ever; and a page of no grant as one behind. */
static void t_snd_1_a_directory_that_goes_round(void **state)
{
	(void)state;
	up();
	snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 256, false);
	directory()[0] = snd_bed_stream(&bed, 0)->directory_ref.v;
	assert_int_equal(open_pages(256), 0);
	snd_bed_simple(&bed, 0, XENSND_OP_CLOSE);
	directory()[0] = UINT32_MAX;
	assert_int_equal(open_pages(256), 0);
	down();
}

static void t_gnt_4_references_that_are_none(void **state)
{
	static const uint32_t refs[] = {0, 7, 5000, LOOPXEN_REFS, UINT32_MAX};

	(void)state;
	up();
	for (uint32_t at = 0; at < 4; at++) {
		for (unsigned i = 0; i < COUNT(refs); i++) {
			snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 4, false);
			directory()[1 + at] = refs[i];
			assert_int_not_equal(open_pages(4), 0);
			assert_true(snd_front_unbuffer(&bed.front,
						       snd_bed_stream(&bed, 0)));
		}
	}
	/* The directory itself; one page twice; a page that is the directory. */
	snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 4, false);
	snd_bed_stream(&bed, 0)->directory_ref.v += 5000;
	assert_int_not_equal(open_pages(4), 0);
	snd_bed_stream(&bed, 0)->directory_ref.v -= 5000;
	directory()[4] = directory()[1];
	assert_int_equal(open_pages(4), EINVAL_);
	directory()[4] = snd_bed_stream(&bed, 0)->directory_ref.v;
	assert_int_equal(open_pages(4), 0);
	snd_bed_simple(&bed, 0, XENSND_OP_CLOSE);
	assert_int_equal(loopxen_back_pages(bed.back), 0);
	down();
}

/* More than DataPages leaves beside the directory, or than a map may have. */
static void t_snd_1_a_buffer_that_is_too_large(void **state)
{
	const struct snd_bed_conf conf = {.data_pages = 9};

	(void)state;
	snd_bed_up(&bed, &conf);
	snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 257, false);
	assert_int_equal(open_pages(8), 0);
	snd_bed_simple(&bed, 0, XENSND_OP_CLOSE);
	assert_int_equal(open_pages(9), EACCES_);
	assert_int_equal(open_pages(256), EACCES_);
	assert_int_equal(open_pages(0x100000), EINVAL_); /* 2^32 is 0 */
	down();
}

/* A microphone's samples need pages that may be written. */
static void t_snd_1_pages_of_the_wrong_kind(void **state)
{
	(void)state;
	up();
	snd_front_buffer(&bed.front, snd_bed_stream(&bed, 1), 1, true);
	assert_int_equal(snd_bed_open(&bed, 1, &plain), EINVAL_);
	/* Playback's are only ever read. */
	snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 1, true);
	assert_int_equal(snd_bed_open(&bed, 0, &plain), 0);
	down();
}

/* -- The pages of rings --------------------------------------------------- */

static void t_ring_2_a_ring_that_runs_away(void **state)
{
	static const uint32_t prods[] = {33, 1000, 0x80000000, 0xffffffff};

	(void)state;
	for (unsigned i = 0; i < COUNT(prods); i++) {
		up();
		snd_front_header(snd_bed_stream(&bed, 0))[0] = prods[i];
		loopxen_notify(bed.x, bed.dev.front, snd_bed_stream(&bed, 0)->port);
		snd_bed_pass(&bed, CLOCK_SECOND);
		assert_int_equal(bed.broken, 1);
		assert_int_equal(bed.detached, 1);
		assert_int_equal(snd_bed_down(&bed), 0);
	}
}

/* A client that reads no event, or says it has read what is not there: it is told no
 * more, and plays on. */
static void t_snd_1_a_page_of_events_that_is_full(void **state)
{
	static const uint32_t conses[] = {0, 1, 64, 0x80000000, 0xffffffff};

	(void)state;
	for (unsigned i = 0; i < COUNT(conses); i++) {
		struct xensnd_event_page *page;
		struct snd_client client;
		struct xensnd_evt poison;

		up();
		snd_client_open(&client, 0, &plain);
		page = (struct xensnd_event_page *)(void *)snd_bed_stream(&bed, 0)
			       ->events;
		memset(&poison, 0xa5, sizeof(poison));
		page->in_cons = conses[i];
		snd_client_start(&client);
		snd_bed_pass(&bed, CLOCK_SECOND);
		assert_true(page->in_prod <= 64);
		assert_true(bed.pv.stats.full > 100);
		assert_in_range(bed.card.stream[0].position, 192000, 200000);
		/* Read, they come again. */
		page->in_cons = page->in_prod;
		assert_int_equal(snd_bed_pass(&bed, CLOCK_SECOND / 100), 0);
		assert_true(page->in_prod != page->in_cons);
		page->in_cons = page->in_prod;
		down();
	}
}

/* What an attach finds in that page decides nothing. */
static void t_snd_1_a_position_that_is_none(void **state)
{
	static const uint64_t positions[] = {1, 3, UINT64_MAX / 4 + 1, UINT64_MAX};

	(void)state;
	for (unsigned i = 0; i < COUNT(positions); i++) {
		struct xensnd_event_page *page;
		struct snd_client client;

		up();
		snd_client_open(&client, 0, &plain);
		snd_client_start(&client);
		snd_client_play(&client, 50 * CLOCK_MS);
		page = (struct xensnd_event_page *)(void *)snd_bed_stream(&bed, 0)
			       ->events;
		XENSND_IN_RING_REF(page, page->in_prod - 1).op.cur_pos.position =
			positions[i];
		snd_bed_kill(&bed);
		bed.host[0].running = false;
		assert_int_equal(snd_bed_follow(&bed), 0);
		assert_int_equal(bed.card.stream[0].position % 4, 0);
		assert_int_equal(snd_bed_pass(&bed, CLOCK_SECOND), 0);
		assert_true(bed.card.stream[0].position < UINT64_MAX / 2);
		page->in_cons = page->in_prod;
		down();
	}
}

/* -- Words that change while they are read -------------------------------- */

static uint64_t which;
static uint8_t with;

static void rewrite(uint64_t k, const volatile void *p, size_t len)
{
	uint8_t *view = loopxen_back_client_view(bed.back, p);

	if (view && k == which)
		memset(view, with, len);
}

/* Asks, and looks at no answer: who rewrites a ring may have none. */
static void post(uint8_t operation, uint32_t first, uint32_t second)
{
	struct xensnd_req req = {.operation = operation};

	if (bed.broken)
		return;
	req.op.rw.offset = first;
	req.op.rw.length = second;
	snd_front_send(&bed.front, snd_bed_stream(&bed, 0), &req);
	snd_bed_run(&bed);
}

/* Reads of shared memory that the scene makes. */
static uint64_t scene(uint64_t k, uint8_t value)
{
	struct xensnd_req req = {.operation = XENSND_OP_OPEN};

	up();
	snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 1, false);
	which = k;
	with = value;
	shared_hook_reads = 0;
	shared_hook = rewrite;
	req.op.open.pcm_rate = 48000;
	req.op.open.pcm_format = XENSND_PCM_FORMAT_S16_LE;
	req.op.open.pcm_channels = 2;
	req.op.open.buffer_sz = SIZE;
	req.op.open.period_sz = PERIOD;
	req.op.open.gref_directory = snd_bed_stream(&bed, 0)->directory_ref.v;
	snd_front_send(&bed.front, snd_bed_stream(&bed, 0), &req);
	snd_bed_run(&bed);
	post(XENSND_OP_WRITE, 0, PERIOD);
	post(XENSND_OP_SET_VOLUME, 0, 8);
	post(XENSND_OP_GET_VOLUME, 0, 8);
	post(XENSND_OP_TRIGGER, XENSND_OP_TRIGGER_START, 0);
	snd_bed_pass(&bed, 10 * CLOCK_MS);
	post(XENSND_OP_CLOSE, 0, 0);
	shared_hook = NULL;
	assert_int_equal(bed.pv.error, 0);
	assert_int_equal(snd_bed_down(&bed), 0);
	return shared_hook_reads;
}

/* [utest->req~shared-bytes-are-read-once~1] */
static void t_ring_1_each_read_is_rewritten(void **state)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0xff};
	uint64_t reads = scene(UINT64_MAX, 0);

	(void)state;
	assert_in_range(reads, 12, 200);
	for (unsigned i = 0; i < COUNT(values); i++) {
		for (uint64_t k = 0; k < reads; k++)
			scene(k, values[i]);
	}
	tally("T-RING-1", reads * COUNT(values), "reads that see other bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_snd_1_every_offset_and_length),
		cmocka_unit_test(t_snd_1_every_operation),
		cmocka_unit_test(t_snd_1_every_open),
		cmocka_unit_test(t_snd_1_open_twice),
		cmocka_unit_test(t_snd_1_a_directory_that_goes_round),
		cmocka_unit_test(t_gnt_4_references_that_are_none),
		cmocka_unit_test(t_snd_1_a_buffer_that_is_too_large),
		cmocka_unit_test(t_snd_1_pages_of_the_wrong_kind),
		cmocka_unit_test(t_ring_2_a_ring_that_runs_away),
		cmocka_unit_test(t_snd_1_a_page_of_events_that_is_full),
		cmocka_unit_test(t_snd_1_a_position_that_is_none),
		cmocka_unit_test(t_ring_1_each_read_is_rewritten),
	};

	return cmocka_run_group_tests_name("snd", tests, NULL, NULL);
}
