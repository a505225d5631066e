/* SPDX-License-Identifier: MIT */
/* The virtio door of a sound device: what it says it has; what is played is what was
 * sent, in its time; what is recorded is what there was; loudness. */
#include <string.h>

#include "tests/device/snd-virtio-cases.h"

/* -- What it has ------------------------------------------------------------------- */

static uint32_t config(uint32_t offset)
{
	uint8_t word[4];
	uint32_t generation;

	assert_true(virtio_driver_get_config(&bed.vfront.v.driver, offset, 4, word,
					     &generation));
	return (uint32_t)le_get(word, 4);
}

static void says_what_it_has(void **state)
{
	/* Of the wire's formats those that sndif has, too, in its little endian. */
	const uint64_t formats = 0x7f | 0x3full << 15 | 1ull << 24;
	struct vsnd_answer a;

	(void)state;
	vsnd_up(&(struct snd_bed_conf){0});
	assert_int_equal(config(0), 2);
	assert_int_equal(config(4), 2);
	assert_int_equal(config(8), 10);
	assert_int_equal(config(12), 4);
	assert_int_equal(vsnd_info(SND_VFRONT_PCM_INFO, 0, 2, 32, 68, &a),
			 SND_VFRONT_OK);
	assert_int_equal(a.len, 68);
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *at = a.bytes + 4 + (size_t)i * 32;

		assert_int_equal(le_get(at, 4), 0);
		assert_int_equal(le_get(at + 4, 4), SND_VFRONT_F_XRUNS);
		assert_int_equal(le_get(at + 8, 8), formats);
		/* 5512 to 192000, with 12000 and 24000, without 384000. */
		assert_int_equal(le_get(at + 16, 8), 0xdfff);
		assert_int_equal(at[24], i);
		assert_int_equal(at[25], 1);
		assert_int_equal(at[26], 8);
		assert_int_equal(le_get(at + 27, 4) | at[31], 0);
	}
	assert_int_equal(vsnd_info(SND_VFRONT_JACK_INFO, 1, 1, 24, 28, &a),
			 SND_VFRONT_OK);
	assert_int_equal(a.len, 28);
	assert_int_equal(le_get(a.bytes + 4 + 12, 4), 0x20); /* it records */
	assert_int_equal(a.bytes[4 + 16], 1);
	vsnd_down();
}

static void says_where_channels_are(void **state)
{
	static const uint8_t six[] = {1, 6, 3, 4, 5, 6, 7, 8, 0};
	struct vsnd_answer a;

	(void)state;
	vsnd_up(&(struct snd_bed_conf){0});
	assert_int_equal(vsnd_info(SND_VFRONT_CHMAP_INFO, 0, 10, 24, 244, &a),
			 SND_VFRONT_OK);
	assert_int_equal(a.len, 244);
	assert_memory_equal(a.bytes + 4 + 8 * 24 + 4, six, sizeof(six));
	vsnd_down();
}

/* Fewer channels: fewer maps, fewer values; and a ceiling that is in dB. */
static void policy_narrows_what_it_has(void **state)
{
	struct vsnd_answer a;

	(void)state;
	snd_bed_init(&bed, &(struct snd_bed_conf){.door = POLICY_VIRTIO,
						  .volume = -6500,
						  .formats = 1u << SND_FORMAT_S16_LE |
							     1u << SND_FORMAT_A_LAW});
	bed.snd_policy.channels = (struct snd_range){2, 4};
	bed.snd_policy.rate = (struct snd_range){44100, 48000};
	snd_bed_start(&bed);
	assert_int_equal(snd_bed_connect(&bed), 0);
	assert_int_equal(config(8), 4);
	assert_int_equal(vsnd_info(SND_VFRONT_PCM_INFO, 0, 1, 32, 36, &a),
			 SND_VFRONT_OK);
	assert_int_equal(le_get(a.bytes + 12, 8), 1 << SND_VFRONT_S16);
	assert_int_equal(le_get(a.bytes + 20, 8), 1 << 6 | 1 << 7);
	assert_int_equal(a.bytes[4 + 25], 2);
	assert_int_equal(a.bytes[4 + 26], 4);
	assert_int_equal(vsnd_info(SND_VFRONT_CTL_INFO, 0, 1, 96, 100, &a),
			 SND_VFRONT_OK);
	assert_int_equal(le_get(a.bytes + 4 + 16, 4), 4);
	assert_int_equal(le_get(a.bytes + 4 + 72 + 4, 4), 96 - 7);
	vsnd_down();
}

static void says_what_controls_there_are(void **state)
{
	static const char *const names[] = {"PCM Playback Volume",
					    "PCM Playback Switch", "PCM Capture Volume",
					    "PCM Capture Switch"};
	/* 64 bits aligned as the driver's compiler has it. */
	static const struct {
		uint32_t size, range;
	} layouts[] = {{96, 72}, {92, 68}};
	struct vsnd_answer a;

	(void)state;
	vsnd_up(&(struct snd_bed_conf){0});
	for (unsigned l = 0; l < COUNT(layouts); l++) {
		uint32_t size = layouts[l].size;

		assert_int_equal(
			vsnd_info(SND_VFRONT_CTL_INFO, 0, 4, size, 4 + 4 * size, &a),
			SND_VFRONT_OK);
		for (unsigned i = 0; i < 4; i++) {
			const uint8_t *at = a.bytes + 4 + (size_t)i * size;

			assert_int_equal(le_get(at + 4, 4), i % 2 ? 0 : 2 | i / 2);
			assert_int_equal(le_get(at + 8, 4), i % 2 ? 0 : 1);
			assert_int_equal(le_get(at + 12, 4), i % 2 ? 3 : 19);
			assert_int_equal(le_get(at + 16, 4), 8);
			assert_string_equal((const char *)at + 24, names[i]);
			assert_int_equal(le_get(at + layouts[l].range, 4), 0);
			assert_int_equal(le_get(at + layouts[l].range + 4, 4),
					 i % 2 ? 1 : 96);
			assert_int_equal(le_get(at + layouts[l].range + 8, 4), 1);
		}
	}
	vsnd_down();
}

/* -- Playing and recording --------------------------------------------------------- */

static void plays_what_it_is_given(void **state)
{
	struct vsnd_client client;

	(void)state;
	for (unsigned grant = 0; grant < 2; grant++) {
		vsnd_playing(&client, 0, grant);
		vsnd_play(&client, CLOCK_SECOND);
		assert_int_equal(bed.card.stats.xruns, 0);
		assert_int_equal(bed.card.stats.silence, 0);
		assert_in_range(bed.host[0].nheard, 192000, 192000 + 2 * SIZE);
		assert_heard(0, 0, 0, bed.host[0].nheard);
		assert_int_equal(client.failed, 0);
		/* Each came back when the PCM had it, and not before. */
		assert_in_range(client.back, 200, 204);
		assert_in_range(client.latency_most, 1, 20 * 192);
		vsnd_stop(&client);
		assert_int_equal(client.failed, 4);
		vsnd_down();
	}
}

static void records_what_there_is(void **state)
{
	struct vsnd_client client;

	(void)state;
	for (unsigned grant = 0; grant < 2; grant++) {
		vsnd_playing(&client, 1, grant);
		vsnd_play(&client, CLOCK_SECOND);
		assert_int_equal(bed.card.stats.xruns, 0);
		assert_int_equal(client.failed + client.wrong, 0);
		assert_in_range(client.recorded, 190000, 192000);
		vsnd_stop(&client);
		vsnd_down();
	}
}

static void both_at_once(void **state)
{
	struct vsnd_client plays, hears;

	(void)state;
	vsnd_playing(&plays, 0, false);
	vsnd_open(&hears, 1, &vsnd_plain);
	vsnd_start(&hears);
	for (unsigned i = 0; i < 400; i++) {
		vsnd_play(&plays, CLOCK_MS / 2);
		vsnd_play(&hears, CLOCK_MS / 2);
	}
	assert_heard(0, 0, 0, bed.host[0].nheard);
	assert_int_equal(hears.wrong + hears.failed + plays.failed, 0);
	vsnd_stop(&hears);
	vsnd_play(&plays, 100 * CLOCK_MS);
	assert_heard(0, 0, 0, bed.host[0].nheard);
	vsnd_stop(&plays);
	vsnd_down();
}

static void all_formats_and_odd_rates(void **state)
{
	(void)state;
	for (uint8_t format = 0; format < 26; format++) {
		for (uint8_t rate = 0; rate < 16; rate += 3) {
			struct vsnd_params p = {65536, 16384, 0, 2, format, rate};
			struct vsnd_client client;
			enum snd_format ours;

			if (!snd_virtio_format(format, &ours))
				continue;
			vsnd_up(&(struct snd_bed_conf){0});
			vsnd_open(&client, 0, &p);
			vsnd_start(&client);
			vsnd_play(&client, 100 * CLOCK_MS);
			assert_true(bed.host[0].nheard > 0);
			assert_heard(0, 0, 0, bed.host[0].nheard);
			assert_int_equal(bed.host[0].host.params.format, ours);
			vsnd_stop(&client);
			vsnd_down();
		}
	}
}

/* A wake-up a period, though each brings a buffer back and a new one. */
static void few_turns(void **state)
{
	struct vsnd_client client;
	unsigned turns;

	(void)state;
	vsnd_playing(&client, 0, false);
	vsnd_play(&client, 100 * CLOCK_MS);
	turns = bed.turns;
	vsnd_play(&client, CLOCK_SECOND);
	assert_in_range(bed.turns - turns, 200, 220);
	vsnd_stop(&client);
	vsnd_down();
}

/* 500 s: no xrun, and no timer's rounding adds up. */
static void a_hundred_thousand_periods(void **state)
{
	struct vsnd_client client;
	uint64_t began;

	(void)state;
	vsnd_playing(&client, 0, false);
	began = loopxen_now(bed.x);
	while (client.back < 100000)
		vsnd_play(&client, CLOCK_MS / 2);
	assert_int_equal(bed.card.stats.xruns + bed.card.stats.underruns, 0);
	assert_int_equal(client.failed, 0);
	assert_in_range(loopxen_now(bed.x) - began,
			100000 * 5 * CLOCK_MS - 25 * CLOCK_MS,
			100000 * 5 * CLOCK_MS + 10 * CLOCK_MS);
	vsnd_stop(&client);
	vsnd_down();
}

/* -- Late clients ------------------------------------------------------------------ */

/* Silence, once; an event, once; and what comes then is heard whole. */
static void is_told_of_an_underrun(void **state)
{
	struct vsnd_client client;
	uint32_t code, data;
	uint64_t heard, sent;

	(void)state;
	vsnd_playing(&client, 0, false);
	vsnd_post_event();
	vsnd_post_event();
	vsnd_play(&client, 20 * CLOCK_MS);
	assert_false(vsnd_event(&code, &data));
	sent = client.bytes;
	snd_bed_pass(&bed, 200 * CLOCK_MS);
	assert_true(vsnd_event(&code, &data));
	assert_int_equal(code, SND_VFRONT_XRUN);
	assert_int_equal(data, 0);
	assert_false(vsnd_event(&code, &data));
	assert_heard(0, 0, 0, sent);
	assert_silent(0, sent);
	vsnd_collect(&client);
	assert_int_equal(client.out, 0);
	heard = bed.host[0].nheard;
	vsnd_play(&client, 20 * CLOCK_MS);
	while (!bed.host[0].heard[heard])
		heard++;
	assert_heard(0, heard, sent, 4 * PERIOD);
	assert_int_equal(bed.card.stats.late, 0);
	vsnd_stop(&client);
	vsnd_down();
}

static void is_not_told_what_it_did_not_ask_for(void **state)
{
	struct vsnd_params p = vsnd_plain;
	struct vsnd_client client;
	uint32_t code, data;

	(void)state;
	p.features = 0;
	vsnd_up(&(struct snd_bed_conf){0});
	vsnd_open(&client, 0, &p);
	vsnd_post_event();
	vsnd_start(&client);
	snd_bed_pass(&bed, 200 * CLOCK_MS);
	assert_false(vsnd_event(&code, &data));
	vsnd_collect(&client);
	vsnd_stop(&client);
	vsnd_down();
}

/* What was not taken in time is gone, the oldest first. */
static void is_told_of_an_overrun(void **state)
{
	struct vsnd_client client;
	uint32_t code, data;

	(void)state;
	vsnd_playing(&client, 1, false);
	vsnd_post_event();
	snd_bed_pass(&bed, 100 * CLOCK_MS);
	assert_true(vsnd_event(&code, &data));
	assert_int_equal(code, SND_VFRONT_XRUN);
	assert_int_equal(data, 1);
	vsnd_collect(&client);
	assert_int_equal(client.wrong, 0);
	assert_int_equal(client.recorded, SIZE);
	/* It goes on with what is there. */
	assert_true(bed.virtio.stats.overruns > 0);
	for (unsigned i = 0; i < 4; i++)
		vsnd_send(&client, PERIOD);
	snd_bed_run(&bed);
	client.recorded = bed.virtio.stream[1].taken - SIZE;
	vsnd_play(&client, 20 * CLOCK_MS);
	assert_int_equal(client.wrong, 0);
	vsnd_stop(&client);
	vsnd_down();
}

/* -- Loudness ---------------------------------------------------------------------- */

static uint32_t write_control(uint32_t id, const uint32_t *values, unsigned n)
{
	uint8_t bytes[8 + 512] = {0};

	le_put(bytes, 4, SND_VFRONT_CTL_WRITE);
	le_put(bytes + 4, 4, id);
	for (unsigned i = 0; i < n; i++)
		le_put(bytes + 8 + (size_t)4 * i, 4, values[i]);
	return vsnd_ask(bytes, sizeof(bytes), 4, NULL);
}

static uint32_t read_control(uint32_t id, unsigned channel)
{
	uint8_t bytes[8];
	struct vsnd_answer a;

	le_put(bytes, 4, SND_VFRONT_CTL_READ);
	le_put(bytes + 4, 4, id);
	assert_int_equal(vsnd_ask(bytes, sizeof(bytes), 516, &a), SND_VFRONT_OK);
	assert_int_equal(a.len, 4 + 8 * 4);
	return (uint32_t)le_get(a.bytes + 4 + (size_t)4 * channel, 4);
}

static int16_t heard16(uint64_t sample)
{
	return (int16_t)le_get(bed.host[0].heard + 2 * sample, 2);
}

/* Samples of @channel from the @from-th on are @gain (2^24 is 1) of the pattern's. */
static void assert_scaled(uint64_t from, unsigned channel, uint32_t gain)
{
	for (uint64_t i = from + channel; i < bed.host[0].nheard / 2; i += 2) {
		int16_t sent = (int16_t)(snd_client_byte(2 * i) |
					 snd_client_byte(2 * i + 1) << 8);
		double want = sent * (double)gain / (1 << 24);

		assert_true(heard16(i) >= want - 1 && heard16(i) <= want + 1);
	}
}

static void is_as_loud_as_its_control(void **state)
{
	static const uint32_t softer[8] = {96 - 6, 96, 96, 96, 96, 96, 96, 96};
	static const uint32_t half[8] = {1, 0, 1, 1, 1, 1, 1, 1};
	struct vsnd_client client;
	uint64_t from;

	(void)state;
	vsnd_playing(&client, 0, false);
	vsnd_play(&client, 50 * CLOCK_MS);
	from = bed.host[0].nheard / 2;
	assert_int_equal(read_control(0, 0), 96);
	assert_int_equal(read_control(1, 1), 1);
	assert_int_equal(write_control(0, softer, 8), SND_VFRONT_OK);
	assert_int_equal(write_control(1, half, 8), SND_VFRONT_OK);
	assert_int_equal(read_control(0, 0), 90);
	assert_int_equal(read_control(1, 1), 0);
	vsnd_play(&client, 50 * CLOCK_MS);
	assert_heard(0, 0, 0, 2 * from);
	assert_scaled(from, 0, snd_gain(-6000));
	assert_scaled(from, 1, 0);
	/* And so it stays, whatever stops and starts. */
	vsnd_stop(&client);
	assert_int_equal(vsnd_order(SND_VFRONT_PREPARE, 0), SND_VFRONT_OK);
	assert_int_equal(bed.card.stream[0].gain[0], snd_gain(-6000));
	assert_int_equal(bed.card.stream[0].gain[1], 0);
	vsnd_down();
}

/* [utest->req~no-louder-than-the-policy~1] */
static void no_louder_than_the_policy(void **state)
{
	static const uint32_t most[8] = {84, 84, 84, 84, 84, 84, 84, 84};
	static const uint32_t more[8] = {84, 84, 84, 84, 84, 84, 84, 85};
	struct vsnd_client client;

	(void)state;
	vsnd_up(&(struct snd_bed_conf){.volume = -12000});
	assert_int_equal(read_control(0, 0), 84);
	assert_int_equal(write_control(0, most, 8), SND_VFRONT_OK);
	assert_int_equal(write_control(0, more, 8), SND_VFRONT_BAD_MSG);
	vsnd_open(&client, 0, &vsnd_plain);
	vsnd_start(&client);
	vsnd_play(&client, 50 * CLOCK_MS);
	assert_scaled(0, 0, snd_gain(-12000));
	vsnd_stop(&client);
	vsnd_down();
}

/* -96 dB to 0 in steps of 1, the lowest of which is silence. */
static void has_a_scale(void **state)
{
	uint8_t bytes[8];
	struct vsnd_answer a;

	(void)state;
	vsnd_up(&(struct snd_bed_conf){0});
	le_put(bytes, 4, SND_VFRONT_CTL_TLV_READ);
	le_put(bytes + 4, 4, 2);
	assert_int_equal(vsnd_ask(bytes, sizeof(bytes), 4 + 64, &a), SND_VFRONT_OK);
	assert_int_equal(a.len, 20);
	assert_int_equal(le_get(a.bytes + 4, 4), 1);
	assert_int_equal(le_get(a.bytes + 8, 4), 8);
	assert_int_equal((int32_t)le_get(a.bytes + 12, 4), -9600);
	assert_int_equal(le_get(a.bytes + 16, 4), 0x10064);
	assert_int_equal(vsnd_ask(bytes, sizeof(bytes), 4 + 6, &a), SND_VFRONT_OK);
	assert_int_equal(a.len, 10);
	vsnd_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_it_has),
		cmocka_unit_test(says_where_channels_are),
		cmocka_unit_test(policy_narrows_what_it_has),
		cmocka_unit_test(says_what_controls_there_are),
		cmocka_unit_test(plays_what_it_is_given),
		cmocka_unit_test(records_what_there_is),
		cmocka_unit_test(both_at_once),
		cmocka_unit_test(all_formats_and_odd_rates),
		cmocka_unit_test(few_turns),
		cmocka_unit_test(a_hundred_thousand_periods),
		cmocka_unit_test(is_told_of_an_underrun),
		cmocka_unit_test(is_not_told_what_it_did_not_ask_for),
		cmocka_unit_test(is_told_of_an_overrun),
		cmocka_unit_test(is_as_loud_as_its_control),
		cmocka_unit_test(no_louder_than_the_policy),
		cmocka_unit_test(has_a_scale),
	};

	return cmocka_run_group_tests_name("snd_virtio", tests, NULL, NULL);
}
