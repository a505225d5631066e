/* SPDX-License-Identifier: MIT */
/* The PV door of a sound device: how it connects, ends, and goes on after a back end
 * that died. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/device/snd-cases.h"

#define EIO_	    (-5)
#define EINVAL_	    (-22)
#define EOPNOTSUPP_ (-95)

/* -- Connecting ----------------------------------------------------------- */

static void says_its_versions(void **state)
{
	(void)state;
	snd_bed_up(&bed, &(struct snd_bed_conf){0});
	assert_string_equal(snd_bed_back_key(&bed, "versions"), "1,2");
	assert_int_equal(snd_bed_down(&bed), 0);
}

static int connect_with(const char *key, const char *value)
{
	snd_bed_init(&bed, &(struct snd_bed_conf){.streams = 4});
	snd_bed_start(&bed);
	snd_front_connect(&bed.front);
	snd_front_key(&bed.front, key, value);
	return snd_pv_connect(&bed.pv, false, loopxen_now(bed.x));
}

static void refused(const char *key, const char *value)
{
	assert_int_equal(connect_with(key, value), KEYS_FAILED);
	assert_int_equal(loopxen_back_holds(bed.back), 0);
	snd_pv_fini(&bed.pv);
	snd_card_close(&bed.card);
	loopxen_back_free(bed.back);
	assert_true(snd_front_disconnect(&bed.front));
	assert_int_equal(snd_bed_fini(&bed), 0);
}

static void accepted(const char *key, const char *value)
{
	assert_int_equal(connect_with(key, value), 0);
	assert_int_equal(snd_bed_down(&bed), 0);
}

static void what_it_reads(void **state)
{
	(void)state;
	refused("version", "3");
	refused("version", "1,2");
	refused("1/0/type", "c");
	refused("1/1/type", "");
	refused("0/0/ring-ref", "7777");
	refused("0/0/evt-ring-ref", NULL);
	refused("0/1/event-channel", "x");
	refused("0/1/evt-event-channel", NULL);
	accepted("version", "1");
	accepted("version", "2");
	/* A stream that the client does not have, and one that the policy has not. */
	accepted("1/1/ring-ref", NULL);
	accepted("2/0/ring-ref", "12");
	/* What is the client's to rewrite decides nothing. */
	accepted("0/0/unique-id", "another");
	accepted("0/0/channels-max", "999");
	accepted("buffer-size", "4294967295");
}

static void none_of_its_streams(void **state)
{
	static const char *const refs[] = {"0/0/ring-ref", "0/1/ring-ref",
					   "1/0/ring-ref", "1/1/ring-ref"};

	(void)state;
	snd_bed_init(&bed, &(struct snd_bed_conf){.streams = 4});
	snd_bed_start(&bed);
	snd_front_connect(&bed.front);
	for (unsigned i = 0; i < COUNT(refs); i++)
		snd_front_key(&bed.front, refs[i], NULL);
	assert_int_equal(snd_pv_connect(&bed.pv, false, 0), KEYS_FAILED);
	snd_pv_fini(&bed.pv);
	snd_card_close(&bed.card);
	loopxen_back_free(bed.back);
	assert_true(snd_front_disconnect(&bed.front));
	assert_int_equal(snd_bed_fini(&bed), 0);
}

static int connect_and_open(void)
{
	struct xensnd_req req = {.operation = XENSND_OP_OPEN};
	int r = snd_bed_connect(&bed);

	if (r)
		return r;
	snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 1, false);
	req.op.open.pcm_rate = 48000;
	req.op.open.pcm_format = XENSND_PCM_FORMAT_S16_LE;
	req.op.open.pcm_channels = 2;
	req.op.open.buffer_sz = 4096;
	req.op.open.gref_directory = snd_bed_stream(&bed, 0)->directory_ref.v;
	snd_front_send(&bed.front, snd_bed_stream(&bed, 0), &req);
	return snd_bed_run(&bed);
}

/* Every call of every verb fails once while it connects and opens. */
static void each_call_fails_once(void **state)
{
	static const enum loopxen_verb verbs[] = {
		LOOPXEN_MAP,	LOOPXEN_MAP_RING, LOOPXEN_UNMAP, LOOPXEN_BIND,
		LOOPXEN_UNBIND, LOOPXEN_NOTIFY,	  LOOPXEN_READ,	 LOOPXEN_WRITE,
	};
	unsigned failed = 0;

	(void)state;
	for (unsigned v = 0; v < COUNT(verbs); v++) {
		for (unsigned n = 0; n < 64; n++) {
			int r;
			bool left;

			snd_bed_init(&bed, &(struct snd_bed_conf){0});
			snd_bed_start(&bed);
			loopxen_fail(bed.x, verbs[v], n, -EIO);
			r = connect_and_open();
			left = loopxen_fail_left(bed.x, verbs[v]);
			assert_int_equal(r, left ? 0 : -EIO);
			bed.pv.error = bed.pv.error ? bed.pv.error : -EIO;
			snd_bed_kill(&bed);
			snd_bed_fini(&bed);
			if (left)
				break;
			failed++;
		}
	}
	assert_true(failed >= 18);
}

/* -- Ends ----------------------------------------------------------------- */

static void a_client_that_dies_is_silent(void **state)
{
	struct snd_client client;
	uint64_t position;

	(void)state;
	snd_playing(&client);
	snd_client_play(&client, 33 * CLOCK_MS);
	loopxen_destroy(bed.x, bed.dev.front);
	position = bed.card.stream[0].position;
	snd_pv_detach(&bed.pv);
	assert_int_equal(snd_bed_pass(&bed, CLOCK_SECOND), 0);
	assert_int_equal(bed.detached, 1);
	assert_false(bed.host[0].running);
	assert_heard(0, 0, 0, position);
	assert_silent(0, position);
	snd_pv_fini(&bed.pv);
	snd_card_close(&bed.card);
	loopxen_back_free(bed.back);
	assert_int_equal(snd_bed_fini(&bed), 0);
}

static void it_connects_again(void **state)
{
	struct snd_client client;

	(void)state;
	snd_bed_up(&bed, &(struct snd_bed_conf){0});
	for (unsigned i = 0; i < 3; i++) {
		snd_client_open(&client, 0, &plain);
		snd_client_start(&client);
		snd_client_play(&client, 20 * CLOCK_MS);
		snd_pv_detach(&bed.pv);
		assert_int_equal(snd_bed_pass(&bed, CLOCK_SECOND), 0);
		assert_int_equal(bed.detached, i + 1);
		assert_true(snd_front_disconnect(&bed.front));
		assert_int_equal(snd_bed_connect(&bed), 0);
	}
	assert_int_equal(snd_bed_down(&bed), 0);
}

/* What was kept is what it goes on with: from where the client was told to be. */
static void a_successor_plays_on(void **state)
{
	struct snd_client client;
	uint64_t at;

	(void)state;
	snd_playing(&client);
	snd_client_play(&client, 100 * CLOCK_MS);
	assert_string_equal(snd_bed_back_key(&bed, "stream-0") + 0,
			    bed.pv.stream[0].kept.stream);
	assert_memory_equal(bed.pv.stream[0].kept.stream,
			    "running s16_le 2 48000 3840 960 ", 32);
	snd_bed_kill(&bed);
	bed.host[0].running = false;
	assert_int_equal(snd_bed_follow(&bed), 0);
	assert_int_equal(bed.card.stream[0].state, SND_STATE_RUNNING);
	assert_true(bed.card.stream[0].position >= client.position);
	assert_true(bed.card.stream[0].position <= client.position + SIZE);
	/* Its clock goes on, and its samples are heard again, in their place. */
	client.xruns = 0;
	snd_client_play(&client, 200 * CLOCK_MS);
	at = bed.host[0].nheard - SIZE;
	assert_true(bed.host[0].heard[at] || bed.host[0].heard[at + 1]);
	assert_heard(0, at, (uint64_t)bed.host[0].heard[at] - 1, SIZE / 2);
	snd_client_close(&client);
	assert_string_equal(snd_bed_back_key(&bed, "stream-0"), "closed");
	assert_int_equal(snd_bed_down(&bed), 0);
}

static void a_successor_finds(const char *kept, enum snd_state state)
{
	struct snd_client client;
	char path[160];

	snd_bed_up(&bed, &(struct snd_bed_conf){0});
	snd_client_open(&client, 0, &plain);
	snd_bed_kill(&bed);
	loopxen_path(&bed.dev, STORE_BACK, "stream-0", path, sizeof(path));
	if (kept)
		assert_true(loopxen_write(bed.x, bed.dev.back, path, kept));
	assert_int_equal(snd_bed_follow(&bed), 0);
	assert_int_equal(bed.card.stream[0].state, state);
	if (state == SND_STATE_CLOSED)
		assert_int_equal(snd_bed_rw(&bed, 0, XENSND_OP_WRITE, 0, 960), EINVAL_);
	snd_done(&client);
}

static void what_a_successor_finds(void **state)
{
	char text[SND_KEPT_MAX];

	(void)state;
	a_successor_finds(NULL, SND_STATE_OPEN);
	a_successor_finds("closed", SND_STATE_CLOSED);
	a_successor_finds("", SND_STATE_CLOSED);
	a_successor_finds("running", SND_STATE_CLOSED);
	a_successor_finds("running s16_le 2 48000 3840 960 0", SND_STATE_CLOSED);
	a_successor_finds("running s16_le 9 48000 3840 960 11", SND_STATE_CLOSED);
	snprintf(text, sizeof(text), "open s16_le 2 48000 3840 960 4294967295");
	a_successor_finds(text, SND_STATE_CLOSED);
}

/* A client may die between two answers: what it was told is what is kept. */
static void kept_before_it_is_answered(void **state)
{
	struct xensnd_req req = {.operation = XENSND_OP_CLOSE, .id = 9};
	struct snd_client client;
	struct xensnd_resp rsp;

	(void)state;
	snd_bed_up(&bed, &(struct snd_bed_conf){0});
	snd_client_open(&client, 0, &plain);
	loopxen_fail(bed.x, LOOPXEN_WRITE, 0, -EAGAIN);
	snd_front_send(&bed.front, snd_bed_stream(&bed, 0), &req);
	assert_int_equal(snd_bed_run(&bed), 0);
	assert_false(snd_front_answer(snd_bed_stream(&bed, 0), &rsp));
	assert_string_not_equal(snd_bed_back_key(&bed, "stream-0"), "closed");
	assert_int_equal(snd_bed_pass(&bed, 2 * CLOCK_MS), 0);
	assert_true(snd_front_answer(snd_bed_stream(&bed, 0), &rsp));
	assert_int_equal(rsp.id, 9);
	assert_string_equal(snd_bed_back_key(&bed, "stream-0"), "closed");
	assert_int_equal(snd_bed_down(&bed), 0);
}

/* Events of the last time that were not read say nothing of this one. */
static void an_open_blanks_what_was_not_read(void **state)
{
	struct snd_client client;
	struct xensnd_evt event;
	unsigned unread = 0;

	(void)state;
	snd_playing(&client);
	snd_bed_pass(&bed, 50 * CLOCK_MS);
	snd_client_close(&client);
	snd_client_open(&client, 0, &plain);
	for (; snd_front_event(snd_bed_stream(&bed, 0), &event); unread++)
		assert_int_equal(event.op.cur_pos.position, 0);
	assert_true(unread > 5);
	snd_client_start(&client);
	snd_client_play(&client, 50 * CLOCK_MS);
	assert_int_equal(client.xruns, 0);
	snd_done(&client);
}

/* xenstore is late for a successor, at any of its questions: it asks again, and goes
 * on. */
static void a_successor_asks_again(void **state)
{
	struct snd_client client;
	unsigned late = 0;
	bool left = false;

	(void)state;
	for (unsigned n = 0; !left; n++) {
		snd_playing(&client);
		snd_bed_kill(&bed);
		loopxen_fail(bed.x, LOOPXEN_READ, n, -EAGAIN);
		if (snd_bed_follow(&bed)) {
			late++;
			assert_int_equal(bed.pv.state, SND_PV_DOWN);
			assert_int_equal(
				snd_pv_connect(&bed.pv, true, loopxen_now(bed.x)), 0);
		}
		left = loopxen_fail_left(bed.x, LOOPXEN_READ);
		assert_int_equal(bed.card.stream[0].state, SND_STATE_RUNNING);
		snd_done(&client);
	}
	assert_true(late >= 7); /* version, what was kept, two of each stream */
}

/* What a stream was in another connection is no state of this one. */
static void a_new_connection_forgets(void **state)
{
	struct snd_client client;

	(void)state;
	snd_bed_up(&bed, &(struct snd_bed_conf){0});
	snd_client_open(&client, 0, &plain);
	snd_pv_detach(&bed.pv);
	assert_int_equal(snd_bed_pass(&bed, CLOCK_SECOND), 0);
	assert_string_not_equal(snd_bed_back_key(&bed, "stream-0"), "closed");
	assert_true(snd_front_disconnect(&bed.front));
	assert_int_equal(snd_bed_connect(&bed), 0);
	assert_string_equal(snd_bed_back_key(&bed, "stream-0"), "closed");
	assert_string_equal(snd_bed_back_key(&bed, "stream-1"), "closed");
	snd_bed_kill(&bed);
	assert_int_equal(snd_bed_follow(&bed), 0);
	snd_client_open(&client, 0, &plain);
	snd_done(&client);
}

/* Killed at any of its stores to a ring: the request is answered once, by one or the
 * other. */
static void pushed_by_neither_or_one(void **state)
{
	struct xensnd_req req = {.operation = XENSND_OP_HW_PARAM_QUERY, .id = 77};
	struct xensnd_resp rsp;

	(void)state;
	snd_bed_up(&bed, &(struct snd_bed_conf){0});
	memset(&req.op.hw_param, 0, sizeof(req.op.hw_param));
	req.op.hw_param.formats = UINT64_MAX;
	req.op.hw_param.rates.max = req.op.hw_param.channels.max = UINT32_MAX;
	req.op.hw_param.buffer.max = req.op.hw_param.period.max = UINT32_MAX;
	snd_front_send(&bed.front, snd_bed_stream(&bed, 0), &req);
	snd_bed_kill(&bed);
	assert_int_equal(snd_bed_follow(&bed), 0);
	assert_true(snd_front_answer(snd_bed_stream(&bed, 0), &rsp));
	assert_int_equal(rsp.id, 77);
	assert_int_equal(rsp.status, 0);
	assert_int_equal(rsp.resp.hw_param.rates.max, 192000);
	assert_false(snd_front_answer(snd_bed_stream(&bed, 0), &rsp));
	assert_int_equal(snd_bed_down(&bed), 0);
}

/* -- The host's PCM ------------------------------------------------------- */

static void a_pcm_that_fails(void **state)
{
	struct snd_client client;

	(void)state;
	snd_playing(&client);
	bed.host[0].fail_move = EIO_;
	snd_bed_pass(&bed, 20 * CLOCK_MS);
	assert_int_equal(bed.card.stats.failures, 1);
	assert_false(bed.host[0].running);
	/* Its stream says so, until it is opened anew. */
	assert_int_equal(snd_bed_trigger(&bed, 0, XENSND_OP_TRIGGER_STOP), 0);
	assert_int_equal(snd_bed_trigger(&bed, 0, XENSND_OP_TRIGGER_START), EIO_);
	snd_client_close(&client);
	bed.host[0].fail_set = EIO_;
	snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 1, false);
	assert_int_equal(snd_bed_open(&bed, 0, &plain), EIO_);
	bed.host[0].fail_set = EINVAL_;
	assert_int_equal(snd_bed_open(&bed, 0, &plain), EOPNOTSUPP_);
	assert_int_equal(snd_bed_open(&bed, 0, &plain), 0);
	bed.host[0].fail_start = EIO_;
	assert_int_equal(snd_bed_trigger(&bed, 0, XENSND_OP_TRIGGER_START), EIO_);
	assert_int_equal(snd_bed_simple(&bed, 0, XENSND_OP_CLOSE), 0);
	assert_int_equal(snd_bed_down(&bed), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_its_versions),
		cmocka_unit_test(what_it_reads),
		cmocka_unit_test(none_of_its_streams),
		cmocka_unit_test(each_call_fails_once),
		cmocka_unit_test(a_client_that_dies_is_silent),
		cmocka_unit_test(it_connects_again),
		cmocka_unit_test(a_successor_plays_on),
		cmocka_unit_test(what_a_successor_finds),
		cmocka_unit_test(a_successor_asks_again),
		cmocka_unit_test(a_new_connection_forgets),
		cmocka_unit_test(kept_before_it_is_answered),
		cmocka_unit_test(an_open_blanks_what_was_not_read),
		cmocka_unit_test(pushed_by_neither_or_one),
		cmocka_unit_test(a_pcm_that_fails),
	};

	return cmocka_run_group_tests_name("snd_pv_life", tests, NULL, NULL);
}
