/* SPDX-License-Identifier: MIT */
/* The PV door of a sound device: what is played is what was sent, in its time; what is
 * recorded is what there was; stops, pauses and ends. */
#include <string.h>

#include "tests/device/snd-cases.h"

/* -- Playing -------------------------------------------------------------- */

static void plays_what_it_is_given(void **state)
{
	struct snd_client client;

	(void)state;
	snd_playing(&client);
	snd_client_play(&client, CLOCK_SECOND);
	assert_int_equal(client.xruns, 0);
	assert_int_equal(bed.card.stats.xruns, 0);
	assert_int_equal(bed.card.stats.silence, 0);
	/* A second of it at least, and what lies ahead. */
	assert_in_range(bed.host[0].nheard, 192000, 192000 + 2 * SIZE);
	assert_heard(0, 0, 0, bed.host[0].nheard);
	snd_done(&client);
}

/* Linux tells its application of a period when more than one has come together: it must
 * be told of each. */
static void each_period_is_told(void **state)
{
	struct snd_client client;

	(void)state;
	snd_playing(&client);
	snd_client_play(&client, CLOCK_SECOND);
	/* Two lie ahead in the PCM. */
	assert_in_range(client.elapsed, 199, 203);
	assert_in_range(bed.pv.stats.events, 199, 205);
	snd_done(&client);
}

/* 500 s. No timer's rounding adds up: position is what the PCM took, to the frame. */
static void a_hundred_thousand_periods(void **state)
{
	struct snd_client client;
	uint64_t began;

	(void)state;
	snd_playing(&client);
	began = loopxen_now(bed.x);
	while (client.elapsed < 100000) {
		assert_int_equal(snd_bed_pass(&bed, 5 * CLOCK_MS), 0);
		snd_client_turn(&client);
	}
	assert_int_equal(client.xruns, 0);
	assert_int_equal(bed.card.stats.xruns, 0);
	assert_int_equal(bed.card.stats.underruns, 0);
	assert_int_equal(bed.host[0].nheard, bed.card.stream[0].position);
	/* Drift: after as many periods as many times 5 ms have passed, but for what
	 * lies ahead in the PCM. */
	assert_in_range(loopxen_now(bed.x) - began,
			100000 * 5 * CLOCK_MS - 25 * CLOCK_MS,
			100000 * 5 * CLOCK_MS + 10 * CLOCK_MS);
	snd_done(&client);
}

/* Rates and widths that do not divide anything. */
static void odd_rates_and_formats(void **state)
{
	static const struct snd_config configs[] = {
		{SND_FORMAT_S16_LE, 2, 44100, 4 * 880, 880},
		{SND_FORMAT_U8, 1, 8000, 2000, 500},
		{SND_FORMAT_S24_LE, 6, 96000, 4 * 2304, 2304},
		{SND_FORMAT_F64_LE, 8, 48000, 3 * 4096, 4096},
		{SND_FORMAT_S32_BE, 3, 22050, 12 * 500, 12 * 100},
		{SND_FORMAT_IMA_ADPCM, 1, 8000, 1000, 250},
		{SND_FORMAT_IMA_ADPCM, 3, 8000, 3000, 300},
		{SND_FORMAT_MPEG, 2, 48000, 4000, 1000},
		{SND_FORMAT_A_LAW, 1, 8000, 800, 200},
		{SND_FORMAT_F64_LE, 2, 48000, 65536, 32768}, /* of two periods */
		{SND_FORMAT_S16_LE, 2, 48000, 1920, 960},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(configs); i++) {
		struct snd_client client;

		snd_bed_up(&bed, &(struct snd_bed_conf){0});
		snd_client_open(&client, 0, &configs[i]);
		snd_client_start(&client);
		snd_client_play(&client, CLOCK_SECOND);
		assert_int_equal(client.xruns, 0);
		assert_int_equal(bed.card.stats.silence, 0);
		assert_true(bed.host[0].nheard > 500);
		assert_heard(0, 0, 0, bed.host[0].nheard);
		snd_client_close(&client);
		assert_int_equal(snd_bed_down(&bed), 0);
	}
}

/* A client that hangs is silent, and nothing is played twice; going on, it is heard
 * from where it is then. */
static void a_late_client_is_silent(void **state)
{
	struct snd_client client;
	uint64_t heard;

	(void)state;
	snd_playing(&client);
	snd_bed_pass(&bed, CLOCK_SECOND);
	assert_heard(0, 0, 0, SIZE);
	assert_silent(0, SIZE);
	assert_int_equal(bed.card.stats.underruns, 1);
	/* Its clock runs on meanwhile. */
	assert_in_range(bed.card.stream[0].position, 192000, 192000 + 2 * SIZE);

	/* What comes too late is dropped: all of it, here. */
	heard = bed.host[0].nheard;
	snd_client_write(&client, PERIOD);
	snd_bed_pass(&bed, 100 * CLOCK_MS);
	snd_client_close(&client);
	assert_true(bed.host[0].nheard > heard);
	assert_int_equal(snd_bed_down(&bed), 0);
}

/* Samples of which the first half is too late: the second is played in its place. */
static void half_of_it_is_late(void **state)
{
	struct snd_client client;
	uint64_t position;

	(void)state;
	snd_playing(&client);
	do
		snd_bed_pass(&bed, CLOCK_MS / 4);
	while (bed.card.stream[0].position < SIZE + PERIOD / 2);
	position = bed.card.stream[0].position;
	assert_true(position < SIZE + PERIOD);
	snd_client_write(&client, PERIOD);
	assert_int_equal(bed.card.stats.late, position - SIZE);
	snd_bed_pass(&bed, 20 * CLOCK_MS);
	assert_heard(0, position, position, SIZE + PERIOD - position);
	assert_silent(0, SIZE + PERIOD);
	snd_done(&client);
}

/* -- Stops and pauses ----------------------------------------------------- */

/* What is in the PCM is played to its end, and nothing behind it. */
static void a_stop_plays_to_the_end(void **state)
{
	struct snd_client client;
	uint64_t position;

	(void)state;
	snd_playing(&client);
	snd_client_play(&client, 33 * CLOCK_MS);
	position = bed.card.stream[0].position;
	snd_client_stop(&client);
	assert_true(bed.host[0].running);
	snd_bed_pass(&bed, 25 * CLOCK_MS);
	assert_false(bed.host[0].running);
	assert_int_equal(bed.host[0].empty, 0);
	assert_heard(0, 0, 0, position);
	assert_silent(0, position);

	/* And from the ring's beginning again. */
	position = bed.host[0].nheard;
	client.sent = 0;
	snd_client_start(&client);
	snd_client_play(&client, 100 * CLOCK_MS);
	assert_int_equal(client.xruns, 0);
	assert_heard(0, position, 0, bed.host[0].nheard - position);
	snd_done(&client);
}

/* Wherever in its ring it is, the client is told where it goes on. */
static void a_stop_is_told_anywhere(void **state)
{
	(void)state;
	snd_bed_up(&bed, &(struct snd_bed_conf){0});
	for (unsigned ms = 1; ms < 45; ms++) {
		struct snd_client client;

		snd_client_open(&client, 0, &plain);
		snd_client_start(&client);
		snd_client_play(&client, ms * CLOCK_MS);
		snd_client_stop(&client);
		snd_client_close(&client);
	}
	assert_int_equal(snd_bed_down(&bed), 0);
}

/* At once, while the PCM still plays the first end. */
static void a_start_right_after_a_stop(void **state)
{
	struct snd_client client;
	uint64_t at;

	(void)state;
	snd_playing(&client);
	snd_client_play(&client, 33 * CLOCK_MS);
	snd_client_stop(&client);
	at = bed.host[0].nheard;
	client.sent = 0;
	snd_client_start(&client);
	snd_client_play(&client, 100 * CLOCK_MS);
	assert_int_equal(bed.host[0].starts, 1);
	assert_int_equal(bed.host[0].empty, 0);
	assert_heard(0, at, 0, bed.host[0].nheard - at);
	snd_done(&client);
}

static void a_pause_loses_nothing(void **state)
{
	struct snd_client client;
	uint64_t position, at;

	(void)state;
	snd_playing(&client);
	snd_client_play(&client, 33 * CLOCK_MS);
	assert_int_equal(snd_bed_trigger(&bed, 0, XENSND_OP_TRIGGER_PAUSE), 0);
	position = bed.card.stream[0].position;
	snd_bed_pass(&bed, CLOCK_SECOND);
	assert_int_equal(bed.card.stream[0].position, position);
	assert_false(bed.host[0].running);
	assert_heard(0, 0, 0, position);
	assert_silent(0, position);
	at = bed.host[0].nheard;
	assert_int_equal(snd_bed_trigger(&bed, 0, XENSND_OP_TRIGGER_RESUME), 0);
	snd_client_play(&client, 100 * CLOCK_MS);
	assert_int_equal(client.xruns, 0);
	assert_heard(0, at, position, bed.host[0].nheard - at);
	snd_done(&client);
}

/* A PCM plays to its end; the next OPEN waits for it, no other request does. */
static void an_open_waits_for_the_last_end(void **state)
{
	struct snd_client client;

	(void)state;
	snd_playing(&client);
	snd_client_play(&client, 33 * CLOCK_MS);
	snd_client_close(&client);
	assert_true(bed.host[0].running);
	snd_client_open(&client, 0, &plain);
	assert_false(bed.host[0].running);
	assert_int_equal(bed.host[0].empty, 0);
	snd_client_close(&client);

	/* One that never ends is cut. */
	snd_client_open(&client, 0, &plain);
	snd_client_start(&client);
	bed.host[0].deaf = true;
	snd_client_close(&client);
	snd_client_open(&client, 0, &plain);
	snd_done(&client);
}

/* We were late for the PCM: it is filled and started again, and the client's samples
 * are all there. */
static void the_pcm_ran_empty(void **state)
{
	struct snd_client client;

	(void)state;
	snd_playing(&client);
	snd_client_play(&client, 20 * CLOCK_MS);
	loopxen_advance(bed.x, 50 * CLOCK_MS);
	snd_client_play(&client, 100 * CLOCK_MS);
	assert_int_equal(bed.card.stats.xruns, 1);
	assert_int_equal(bed.host[0].starts, 2);
	assert_heard(0, 0, 0, bed.host[0].nheard);
	snd_done(&client);
}

/* A clock that moves by ticks runs past the end of a stream before it is looked at: the
 * client had nothing more, and we came when we had to. */
static void the_clock_jumped(void **state)
{
	(void)state;
	for (uint64_t tick = 96; tick <= 288; tick += 48) {
		struct snd_client client;

		snd_playing(&client);
		bed.host[0].tick = tick;
		snd_client_play(&client, 100 * CLOCK_MS);
		assert_int_equal(client.xruns, 0);
		assert_int_equal(bed.card.stats.underruns, 0);
		snd_bed_pass(&bed, 200 * CLOCK_MS);
		assert_int_equal(bed.card.stats.underruns, 1);
		assert_int_equal(bed.card.stats.xruns, 0);
		snd_done(&client);
	}
}

/* Nobody misses silence: a PCM that ran empty of it is started again, and we were not
 * late. */
static void silence_ran_empty(void **state)
{
	struct snd_client client;

	(void)state;
	snd_playing(&client);
	snd_client_play(&client, 20 * CLOCK_MS);
	snd_bed_pass(&bed, 200 * CLOCK_MS);
	assert_int_equal(bed.card.stats.underruns, 1);
	loopxen_advance(bed.x, 50 * CLOCK_MS);
	snd_bed_pass(&bed, 20 * CLOCK_MS);
	assert_int_equal(bed.host[0].starts, 2);
	assert_int_equal(bed.card.stats.xruns, 0);
	assert_int_equal(bed.card.stats.underruns, 1);
	snd_done(&client);
}

/* -- Recording ------------------------------------------------------------ */

static void read_period(struct snd_client *client, uint64_t *n)
{
	uint8_t *buffer = snd_bed_stream(&bed, client->stream)->buffer;
	uint32_t at = (uint32_t)(*n % SIZE);

	memset(buffer, 0xee, SIZE);
	assert_int_equal(snd_bed_rw(&bed, client->stream, XENSND_OP_READ, at, PERIOD),
			 0);
	for (uint32_t i = 0; i < PERIOD; i++, (*n)++)
		assert_int_equal(buffer[at + i], snd_host_test_byte(*n));
	for (uint32_t i = 0; i < SIZE; i++)
		assert_true((i >= at && i < at + PERIOD) || buffer[i] == 0xee);
}

static void records_what_there_is(void **state)
{
	struct snd_client client;
	struct xensnd_evt event;
	uint64_t n = 0, position = 0;

	(void)state;
	snd_bed_up(&bed, &(struct snd_bed_conf){0});
	snd_client_open(&client, 1, &plain);
	assert_int_equal(snd_bed_trigger(&bed, 1, XENSND_OP_TRIGGER_START), 0);
	for (unsigned i = 0; i < 2000; i++) {
		snd_bed_pass(&bed, CLOCK_MS / 2);
		while (snd_front_event(snd_bed_stream(&bed, 1), &event))
			position = event.op.cur_pos.position;
		while (n + PERIOD <= position)
			read_period(&client, &n);
	}
	assert_in_range(n, 190000, 192000);
	assert_int_equal(bed.card.stats.xruns, 0);
	assert_int_equal(snd_bed_trigger(&bed, 1, XENSND_OP_TRIGGER_STOP), 0);
	assert_false(bed.host[1].running);
	snd_done(&client);
}

static void both_ways_at_once(void **state)
{
	struct snd_client player, recorder;

	(void)state;
	snd_bed_up(&bed, &(struct snd_bed_conf){.streams = 4});
	snd_client_open(&player, 0, &plain);
	snd_client_open(&recorder, 3, &plain);
	snd_client_start(&player);
	assert_int_equal(snd_bed_trigger(&bed, 3, XENSND_OP_TRIGGER_START), 0);
	snd_client_play(&player, CLOCK_SECOND);
	assert_heard(0, 0, 0, bed.host[0].nheard);
	assert_in_range(bed.card.stream[3].position, 190000, 192000);
	assert_int_equal(bed.host[1].sets + bed.host[2].sets, 0);
	snd_client_close(&player);
	snd_client_close(&recorder);
	assert_int_equal(snd_bed_down(&bed), 0);
}

/* -- Rates of [Limits] ---------------------------------------------------- */

static void requests_wait_for_their_rate(void **state)
{
	const struct snd_bed_conf conf = {.operations = {10, 5}};
	struct snd_client client;
	uint64_t began;

	(void)state;
	snd_bed_up(&bed, &conf);
	snd_client_open(&client, 0, &plain);
	began = loopxen_now(bed.x);
	for (unsigned i = 0; i < 24; i++)
		snd_client_write(&client, 4);
	/* 25 with the OPEN, of which 5 are free. */
	assert_in_range(loopxen_now(bed.x) - began, 1900 * CLOCK_MS, 2100 * CLOCK_MS);
	snd_done(&client);
}

static void samples_wait_for_theirs(void **state)
{
	const struct snd_bed_conf conf = {.bytes = {9600, 960}};
	struct snd_client client;
	uint64_t began;

	(void)state;
	snd_bed_up(&bed, &conf);
	snd_client_open(&client, 0, &plain);
	began = loopxen_now(bed.x);
	for (unsigned i = 0; i < 11; i++)
		snd_client_write(&client, PERIOD);
	assert_in_range(loopxen_now(bed.x) - began, 900 * CLOCK_MS, 1100 * CLOCK_MS);
	snd_done(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plays_what_it_is_given),
		cmocka_unit_test(each_period_is_told),
		cmocka_unit_test(a_hundred_thousand_periods),
		cmocka_unit_test(odd_rates_and_formats),
		cmocka_unit_test(a_late_client_is_silent),
		cmocka_unit_test(half_of_it_is_late),
		cmocka_unit_test(a_stop_plays_to_the_end),
		cmocka_unit_test(a_stop_is_told_anywhere),
		cmocka_unit_test(a_start_right_after_a_stop),
		cmocka_unit_test(a_pause_loses_nothing),
		cmocka_unit_test(an_open_waits_for_the_last_end),
		cmocka_unit_test(the_pcm_ran_empty),
		cmocka_unit_test(the_clock_jumped),
		cmocka_unit_test(silence_ran_empty),
		cmocka_unit_test(records_what_there_is),
		cmocka_unit_test(both_ways_at_once),
		cmocka_unit_test(requests_wait_for_their_rate),
		cmocka_unit_test(samples_wait_for_theirs),
	};

	return cmocka_run_group_tests_name("snd_pv", tests, NULL, NULL);
}
