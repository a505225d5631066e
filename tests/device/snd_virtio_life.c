/* SPDX-License-Identifier: MIT */
/* The virtio door of a sound device: orders and states, stops and pauses, ends, deaths,
 * and who follows. */
#include <errno.h>
#include <string.h>

#include "tests/device/snd-virtio-cases.h"

/* -- States ------------------------------------------------------------------------ */

enum step { SET, PREPARE, RELEASE, START, STOP, STEPS };

static uint32_t step(enum step which)
{
	return which == SET ? vsnd_set(0, &vsnd_plain)
			    : vsnd_order(SND_VFRONT_SET_PARAMS + which, 0);
}

/* 5.14.6.6.1: in each state each order, by itself; and RELEASE of what is released. */
static void orders_in_their_states(void **state)
{
	static const struct {
		unsigned n;
		enum step way[4];
		bool ok[STEPS];
	} states[] = {
		{0, {SET}, {[SET] = true}},
		{1, {SET}, {[SET] = true, [PREPARE] = true, [RELEASE] = true}},
		{2,
		 {SET, PREPARE},
		 {[SET] = true, [PREPARE] = true, [RELEASE] = true, [START] = true}},
		{3, {SET, PREPARE, START}, {[STOP] = true}},
		{4, {SET, PREPARE, START, STOP}, {[RELEASE] = true, [START] = true}},
	};

	(void)state;
	for (unsigned s = 0; s < COUNT(states); s++) {
		for (unsigned o = 0; o < STEPS; o++) {
			vsnd_up(&(struct snd_bed_conf){0});
			for (unsigned i = 0; i < states[s].n; i++)
				assert_int_equal(step(states[s].way[i]), SND_VFRONT_OK);
			assert_int_equal(step((enum step)o),
					 states[s].ok[o] ? SND_VFRONT_OK
							 : SND_VFRONT_BAD_MSG);
			vsnd_down();
		}
	}
}

/* What a PCM has still to play is played before it is opened anew: the order waits. */
static void prepare_waits_for_the_end(void **state)
{
	struct vsnd_client client;
	uint64_t began;

	(void)state;
	vsnd_playing(&client, 0, false);
	vsnd_play(&client, 20 * CLOCK_MS);
	vsnd_stop(&client);
	began = loopxen_now(bed.x);
	assert_int_equal(vsnd_order(SND_VFRONT_PREPARE, 0), SND_VFRONT_OK);
	assert_in_range(loopxen_now(bed.x) - began, 5 * CLOCK_MS, 25 * CLOCK_MS);
	vsnd_down();
}

/* -- Stopping ---------------------------------------------------------------------- */

/* Linux pauses by STOP, and resumes by START: not a sample is lost or heard twice. */
static void goes_on_where_it_stopped(void **state)
{
	struct vsnd_client client;
	uint64_t gap, sent;

	(void)state;
	vsnd_playing(&client, 0, false);
	vsnd_play(&client, 50 * CLOCK_MS);
	assert_int_equal(vsnd_order(SND_VFRONT_STOP, 0), SND_VFRONT_OK);
	sent = bed.card.stream[0].position;
	snd_bed_pass(&bed, 300 * CLOCK_MS);
	vsnd_collect(&client);
	assert_false(snd_card_on(&bed.card));
	gap = bed.host[0].nheard;
	assert_heard(0, 0, 0, sent);
	assert_silent(0, sent);
	assert_int_equal(vsnd_order(SND_VFRONT_START, 0), SND_VFRONT_OK);
	vsnd_play(&client, 50 * CLOCK_MS);
	assert_heard(0, gap, sent, bed.host[0].nheard - gap);
	assert_int_equal(client.failed, 0);
	vsnd_stop(&client);
	vsnd_down();
}

/* 5.14.6.6.5.1: buffers come back first. In one batch, too, with one that is not even
 * taken. */
static void release_comes_after_its_buffers(void **state)
{
	uint8_t bytes[SND_VFRONT_XFER + PERIOD] = {0}, order[8], out[8];
	struct vsnd_client client;
	uint32_t len, back = 0;
	uint16_t id;

	(void)state;
	vsnd_up(&(struct snd_bed_conf){0});
	vsnd_open(&client, 0, &vsnd_plain);
	le_put(order, 4, SND_VFRONT_RELEASE);
	le_put(order + 4, 4, 0);
	assert_true(snd_vfront_put(&bed.vfront, SND_VFRONT_CONTROL, 1, order, 8, 4));
	for (unsigned i = 0; i < 60; i++)
		assert_true(snd_vfront_put(&bed.vfront, SND_VFRONT_TX, 2, bytes,
					   sizeof(bytes), 8));
	while (!snd_vfront_back(&bed.vfront, SND_VFRONT_CONTROL, &id, out, 4, &len)) {
		evtchn_pending(&bed.back->evtchn, &(struct evport){0});
		snd_bed_turn(&bed);
	}
	while (snd_vfront_back(&bed.vfront, SND_VFRONT_TX, &id, out, 8, &len)) {
		assert_int_equal(le_get(out, 4), SND_VFRONT_IO_ERR);
		back++;
	}
	assert_int_equal(back, 60);
	vsnd_down();
}

/* Nor before those that wait for a rate, which is not waited for in circles. */
static void release_waits_for_a_rate(void **state)
{
	uint8_t bytes[SND_VFRONT_XFER + PERIOD] = {0}, out[8];
	unsigned turns, back = 0;
	uint32_t len;
	uint16_t id;

	(void)state;
	vsnd_up(&(struct snd_bed_conf){.operations = {100, 4}});
	assert_int_equal(vsnd_set(0, &vsnd_plain), SND_VFRONT_OK);
	assert_int_equal(vsnd_order(SND_VFRONT_PREPARE, 0), SND_VFRONT_OK);
	for (unsigned i = 0; i < 20; i++)
		assert_true(snd_vfront_put(&bed.vfront, SND_VFRONT_TX, 2, bytes,
					   sizeof(bytes), 8));
	turns = bed.turns;
	assert_int_equal(vsnd_order(SND_VFRONT_RELEASE, 0), SND_VFRONT_OK);
	assert_in_range(bed.turns - turns, 15, 60);
	while (snd_vfront_back(&bed.vfront, SND_VFRONT_TX, &id, out, 8, &len))
		back++;
	assert_int_equal(back, 20);
	vsnd_down();
}

/* What is not played has no bytes to pay for. */
static void what_is_refused_pays_no_bytes(void **state)
{
	struct vsnd_client client = {.params = vsnd_plain};

	(void)state;
	vsnd_up(&(struct snd_bed_conf){.bytes = {1000, 1000}});
	for (unsigned i = 0; i < 20; i++)
		vsnd_send(&client, PERIOD);
	snd_bed_run(&bed);
	vsnd_collect(&client);
	assert_int_equal(client.failed, 20);
	vsnd_down();
}

/* What was posted for the PREPARE before is not for this one. */
static void prepared_again(void **state)
{
	struct vsnd_client client;

	(void)state;
	vsnd_up(&(struct snd_bed_conf){0});
	vsnd_open(&client, 0, &vsnd_plain);
	vsnd_send(&client, PERIOD);
	vsnd_send(&client, PERIOD);
	assert_int_equal(vsnd_order(SND_VFRONT_PREPARE, 0), SND_VFRONT_OK);
	vsnd_collect(&client);
	assert_int_equal(client.failed, 2);
	client.bytes = 0;
	vsnd_start(&client);
	vsnd_play(&client, 20 * CLOCK_MS);
	assert_heard(0, 0, 0, 20 * 192);
	vsnd_stop(&client);
	vsnd_down();
}

static void records_again(void **state)
{
	struct vsnd_client client;

	(void)state;
	vsnd_playing(&client, 1, false);
	vsnd_play(&client, 100 * CLOCK_MS);
	vsnd_stop(&client);
	vsnd_open(&client, 1, &vsnd_plain);
	client.recorded = bed.host[1].recorded;
	vsnd_start(&client);
	vsnd_play(&client, 100 * CLOCK_MS);
	assert_int_equal(client.failed + client.wrong, 0);
	assert_int_equal(bed.virtio.stats.overruns, 0);
	assert_true(client.back >= 19);
	vsnd_stop(&client);
	vsnd_down();
}

/* Linux sends RELEASE again if the first one took too long. */
static void a_second_release_is_none(void **state)
{
	struct vsnd_client client;

	(void)state;
	vsnd_playing(&client, 0, false);
	vsnd_stop(&client);
	assert_int_equal(vsnd_order(SND_VFRONT_RELEASE, 0), SND_VFRONT_OK);
	vsnd_down();
}

/* -- Ends ---------------------------------------------------------------------------
 */

static void a_reset_ends_all(void **state)
{
	static const uint32_t zeros[8];
	struct vsnd_client client;
	uint8_t bytes[8 + sizeof(zeros)] = {0};
	struct vsnd_answer a;

	(void)state;
	vsnd_playing(&client, 0, false);
	le_put(bytes, 4, SND_VFRONT_CTL_WRITE);
	assert_int_equal(vsnd_ask(bytes, sizeof(bytes), 4, NULL), SND_VFRONT_OK);
	assert_true(virtio_driver_set_status(&bed.vfront.v.driver, 0));
	assert_int_equal(bed.card.stream[0].state, SND_STATE_CLOSED);
	assert_string_equal(snd_bed_back_key(&bed, "stream-0"), "closed");
	snd_vfront_forget(&bed.vfront);
	assert_true(vfront_ready(&bed.vfront.v));
	/* And the volume is what it was. */
	le_put(bytes, 4, SND_VFRONT_CTL_READ);
	assert_int_equal(vsnd_ask(bytes, 8, 36, &a), SND_VFRONT_OK);
	assert_int_equal(le_get(a.bytes + 4, 4), 96);
	vsnd_open(&client, 0, &vsnd_plain);
	vsnd_start(&client);
	vsnd_play(&client, 20 * CLOCK_MS);
	vsnd_stop(&client);
	vsnd_down();
}

/* What a driver does wrong ends what it plays, and no more. */
static void a_wrong_driver_is_silent(void **state)
{
	struct vsnd_client client;
	uint64_t end;

	(void)state;
	vsnd_playing(&client, 0, false);
	vsnd_play(&client, 50 * CLOCK_MS);
	assert_true(snd_vfront_put(&bed.vfront, SND_VFRONT_CONTROL, 1, "", 1, 4));
	snd_bed_run(&bed);
	end = bed.card.stream[0].position;
	assert_int_equal(bed.card.stream[0].state, SND_STATE_CLOSED);
	snd_bed_pass(&bed, 100 * CLOCK_MS);
	assert_false(snd_card_on(&bed.card));
	assert_heard(0, 0, 0, end);
	assert_silent(0, end);
	vsnd_down();
}

static void a_detach_plays_to_the_end(void **state)
{
	struct vsnd_client client;
	uint64_t end;

	(void)state;
	vsnd_playing(&client, 0, false);
	vsnd_play(&client, 50 * CLOCK_MS);
	end = bed.card.stream[0].position;
	bed.door->detach(&bed);
	assert_int_equal(bed.detached, 0);
	snd_bed_pass(&bed, 100 * CLOCK_MS);
	assert_int_equal(bed.detached, 1);
	assert_heard(0, 0, 0, end);
	assert_silent(0, end);
	vsnd_down();
}

/* -- Deaths ------------------------------------------------------------------------ */

static void follow(void)
{
	snd_bed_kill(&bed);
	assert_int_equal(snd_bed_follow(&bed), 0);
}

/* The buffer that was being played is dropped, the others are played; nothing twice. */
static void a_successor_goes_on(void **state)
{
	struct vsnd_client client;

	(void)state;
	for (unsigned grant = 0; grant < 2; grant++) {
		uint64_t heard, next;

		vsnd_playing(&client, 0, grant);
		vsnd_play(&client, 53 * CLOCK_MS);
		heard = bed.host[0].nheard;
		next = (client.back + 1) * PERIOD;
		assert_true(heard <= next);
		follow();
		vsnd_play(&client, CLOCK_SECOND);
		while (!bed.host[0].heard[heard])
			heard++;
		assert_heard(0, heard, next, 100 * PERIOD);
		assert_int_equal(client.failed, 0);
		vsnd_stop(&client);
		vsnd_down();
	}
}

/* Of what had not begun nothing was heard. */
static void a_successor_plays_all_that_had_not_begun(void **state)
{
	struct vsnd_client client;

	(void)state;
	vsnd_up(&(struct snd_bed_conf){0});
	vsnd_open(&client, 0, &vsnd_plain);
	for (unsigned i = 0; i < 4; i++)
		vsnd_send(&client, PERIOD);
	snd_bed_run(&bed);
	follow();
	vsnd_start(&client);
	vsnd_play(&client, 50 * CLOCK_MS);
	assert_heard(0, 0, 0, 50 * 192);
	assert_int_equal(client.failed, 0);
	vsnd_stop(&client);
	vsnd_down();
}

static void a_successor_goes_on_recording(void **state)
{
	struct vsnd_client client;

	(void)state;
	vsnd_playing(&client, 1, false);
	vsnd_play(&client, 50 * CLOCK_MS);
	follow();
	client.recorded = bed.host[1].recorded;
	vsnd_play(&client, 100 * CLOCK_MS);
	assert_int_equal(client.failed + client.wrong, 0);
	assert_in_range(bed.virtio.stats.read_bytes, 15 * PERIOD, 20 * PERIOD);
	vsnd_stop(&client);
	vsnd_down();
}

/* In whichever state: what was ordered holds. */
static void a_successor_knows_the_state(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 4; n++) {
		static const enum step way[] = {SET, PREPARE, START, STOP};
		static const enum step next[] = {PREPARE, START, STOP, START};

		vsnd_up(&(struct snd_bed_conf){0});
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(step(way[i]), SND_VFRONT_OK);
		follow();
		assert_int_equal(step(next[n - 1]), SND_VFRONT_OK);
		vsnd_down();
	}
}

/* A device that needs a reset is not gone on with. */
static void a_successor_of_a_wrong_driver(void **state)
{
	struct vsnd_client client;
	unsigned sets;

	(void)state;
	vsnd_playing(&client, 0, false);
	assert_true(snd_vfront_put(&bed.vfront, SND_VFRONT_CONTROL, 1, "", 1, 4));
	snd_bed_run(&bed);
	sets = bed.host[0].sets;
	follow();
	assert_int_equal(bed.host[0].sets, sets);
	vsnd_down();
}

static void a_successor_is_not_louder(void **state)
{
	uint8_t bytes[8 + 32] = {0};
	struct vsnd_client client;

	(void)state;
	vsnd_playing(&client, 0, false);
	le_put(bytes, 4, SND_VFRONT_CTL_WRITE);
	for (unsigned i = 0; i < 8; i++)
		le_put(bytes + 8 + (size_t)4 * i, 4, 50);
	assert_int_equal(vsnd_ask(bytes, sizeof(bytes), 4, NULL), SND_VFRONT_OK);
	follow();
	assert_int_equal(bed.card.stream[0].gain[1], snd_gain(-46000));
	vsnd_play(&client, 20 * CLOCK_MS);
	vsnd_stop(&client);
	vsnd_down();
}

/* A PCM that a successor does not get again: the client is told, and may begin anew. */
static void a_successor_without_its_pcm(void **state)
{
	struct vsnd_client client;
	uint32_t code, data;

	(void)state;
	vsnd_playing(&client, 0, false);
	vsnd_post_event();
	vsnd_play(&client, 50 * CLOCK_MS);
	snd_bed_kill(&bed);
	bed.host[0].fail_set = -EIO;
	assert_int_equal(snd_bed_follow(&bed), 0);
	snd_bed_pass(&bed, 50 * CLOCK_MS);
	assert_true(vsnd_event(&code, &data));
	assert_int_equal(code, SND_VFRONT_XRUN);
	vsnd_collect(&client);
	vsnd_stop(&client);
	assert_int_equal(vsnd_order(SND_VFRONT_PREPARE, 0), SND_VFRONT_OK);
	vsnd_down();
}

/* -- A PCM that fails -------------------------------------------------------------- */

static void is_told_of_a_pcm_that_failed(void **state)
{
	struct vsnd_client client;
	uint32_t code, data;

	(void)state;
	vsnd_playing(&client, 0, false);
	vsnd_post_event();
	vsnd_play(&client, 50 * CLOCK_MS);
	bed.host[0].fail_move = -EIO;
	snd_bed_pass(&bed, 50 * CLOCK_MS);
	assert_true(vsnd_event(&code, &data));
	vsnd_collect(&client);
	vsnd_stop(&client);
	bed.host[0].fail_set = -EIO;
	assert_int_equal(vsnd_order(SND_VFRONT_PREPARE, 0), SND_VFRONT_IO_ERR);
	assert_int_equal(vsnd_order(SND_VFRONT_PREPARE, 0), SND_VFRONT_OK);
	vsnd_down();
}

/* It says that it ran empty, before it was ever started: it is not started so, and
 * asked again. */
static void a_pcm_that_takes_nothing_at_first(void **state)
{
	struct vsnd_client client;

	(void)state;
	vsnd_up(&(struct snd_bed_conf){0});
	vsnd_open(&client, 0, &vsnd_plain);
	bed.host[0].fail_move = -EPIPE;
	assert_int_equal(vsnd_order(SND_VFRONT_START, 0), SND_VFRONT_OK);
	vsnd_play(&client, 50 * CLOCK_MS);
	assert_int_equal(bed.card.stats.failures, 0);
	assert_true(bed.host[0].nheard > 40 * 192);
	vsnd_stop(&client);
	vsnd_down();
}

/* -- Rates ------------------------------------------------------------------------- */

/* Buffers pay their bytes: half of what it plays at is half of what is heard. */
static void buffers_pay(void **state)
{
	struct vsnd_client client;

	(void)state;
	vsnd_up(&(struct snd_bed_conf){.bytes = {96000, 2 * PERIOD}});
	vsnd_open(&client, 0, &vsnd_plain);
	vsnd_start(&client);
	vsnd_play(&client, 2 * CLOCK_SECOND);
	assert_in_range(bed.virtio.stats.written_bytes, 190000, 192000 + 3 * PERIOD);
	vsnd_stop(&client);
	vsnd_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_in_their_states),
		cmocka_unit_test(prepare_waits_for_the_end),
		cmocka_unit_test(goes_on_where_it_stopped),
		cmocka_unit_test(release_comes_after_its_buffers),
		cmocka_unit_test(release_waits_for_a_rate),
		cmocka_unit_test(what_is_refused_pays_no_bytes),
		cmocka_unit_test(prepared_again),
		cmocka_unit_test(records_again),
		cmocka_unit_test(a_second_release_is_none),
		cmocka_unit_test(a_reset_ends_all),
		cmocka_unit_test(a_wrong_driver_is_silent),
		cmocka_unit_test(a_detach_plays_to_the_end),
		cmocka_unit_test(a_successor_goes_on),
		cmocka_unit_test(a_successor_plays_all_that_had_not_begun),
		cmocka_unit_test(a_successor_goes_on_recording),
		cmocka_unit_test(a_successor_knows_the_state),
		cmocka_unit_test(a_successor_of_a_wrong_driver),
		cmocka_unit_test(a_successor_is_not_louder),
		cmocka_unit_test(a_successor_without_its_pcm),
		cmocka_unit_test(is_told_of_a_pcm_that_failed),
		cmocka_unit_test(a_pcm_that_takes_nothing_at_first),
		cmocka_unit_test(buffers_pay),
	};

	return cmocka_run_group_tests_name("snd_virtio_life", tests, NULL, NULL);
}
