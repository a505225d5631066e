/* SPDX-License-Identifier: MIT */
/* The PV door of a sound device: what a client may ask for, and how loud it is. */
#include <string.h>

#include "tests/device/snd-cases.h"

#define EACCES_	    (-13)
#define EINVAL_	    (-22)
#define EOPNOTSUPP_ (-95)

/* -- Queries -------------------------------------------------------------- */

static const struct snd_range any = {0, UINT32_MAX};

static int32_t query(struct xensnd_query_hw_param *q)
{
	struct xensnd_req req = {.operation = XENSND_OP_HW_PARAM_QUERY};
	struct xensnd_resp rsp;

	req.op.hw_param = *q;
	rsp = snd_bed_ask(&bed, 0, &req);
	*q = rsp.resp.hw_param;
	return rsp.status;
}

static void everything(struct xensnd_query_hw_param *q)
{
	*q = (struct xensnd_query_hw_param){
		.formats = UINT64_MAX,
		.rates = {any.min, any.max},
		.channels = {any.min, any.max},
		.buffer = {any.min, any.max},
		.period = {any.min, any.max},
	};
}

static void a_query_narrows(void **state)
{
	const struct snd_bed_conf conf = {
		.formats = 1 << SND_FORMAT_S16_LE | 1 << SND_FORMAT_S32_LE,
		.buffer = 16384,
		.period = 120,
	};
	struct xensnd_query_hw_param q;

	(void)state;
	snd_bed_up(&bed, &conf);
	everything(&q);
	assert_int_equal(query(&q), 0);
	assert_int_equal(q.formats, 0x404);
	assert_int_equal(q.rates.min, 5512);
	assert_int_equal(q.rates.max, 192000);
	assert_int_equal(q.channels.min, 1);
	assert_int_equal(q.channels.max, 8);
	assert_int_equal(q.period.min, 120);
	assert_int_equal(q.buffer.max, 8192);
	/* What is said again changes nothing. */
	assert_int_equal(query(&q), 0);
	assert_int_equal(q.buffer.max, 8192);

	q.channels.min = 8;
	q.formats = 0x400;
	assert_int_equal(query(&q), 0);
	assert_int_equal(q.buffer.max, 16384 / 32);

	everything(&q);
	q.formats = 1;
	assert_int_equal(query(&q), EINVAL_);
	everything(&q);
	q.rates.min = 200000;
	assert_int_equal(query(&q), EINVAL_);
	everything(&q);
	q.channels.max = 0;
	assert_int_equal(query(&q), EINVAL_);
	everything(&q);
	q.period.max = 119;
	assert_int_equal(query(&q), EINVAL_);
	everything(&q);
	q.buffer.min = 8193;
	assert_int_equal(query(&q), EINVAL_);
	assert_int_equal(snd_bed_down(&bed), 0);
}

/* -- Loudness ------------------------------------------------------------- */

static int32_t set_words(uint8_t operation, uint32_t first, uint32_t second)
{
	uint8_t *buffer = snd_bed_stream(&bed, 0)->buffer;

	memcpy(buffer + 4096, &first, 4);
	memcpy(buffer + 4100, &second, 4);
	return snd_bed_rw(&bed, 0, operation, 4096, 8);
}

static int16_t heard_sample(uint64_t at)
{
	int16_t sample;

	memcpy(&sample, bed.host[0].heard + at, 2);
	return sample;
}

/* A constant in both channels, until all of the ring is it; the samples heard last. */
static void play_constant(int16_t value, int16_t *left, int16_t *right)
{
	uint8_t *buffer = snd_bed_stream(&bed, 0)->buffer;

	for (unsigned i = 0; i < 40; i++) {
		const struct snd *s = &bed.card.stream[0];

		while (s->written < s->position + 6144) {
			uint32_t at = (uint32_t)(s->written % 8192);

			for (uint32_t k = 0; k < 1024; k += 2)
				memcpy(buffer + at + k, &value, 2);
			assert_int_equal(snd_bed_rw(&bed, 0, XENSND_OP_WRITE, at, 1024),
					 0);
		}
		snd_bed_pass(&bed, 5333333);
	}
	*left = heard_sample(bed.host[0].nheard - 4 - 4 * 64);
	*right = heard_sample(bed.host[0].nheard - 2 - 4 * 64);
}

static void volume_is_in_the_samples(void **state)
{
	static const struct snd_config config = {SND_FORMAT_S16_LE, 2, 48000, 8192,
						 1024};
	int16_t left, right;
	uint32_t words[2];

	(void)state;
	snd_bed_up(&bed, &(struct snd_bed_conf){0});
	snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 2, false);
	assert_int_equal(snd_bed_open(&bed, 0, &config), 0);
	assert_int_equal(snd_bed_trigger(&bed, 0, XENSND_OP_TRIGGER_START), 0);
	play_constant(10000, &left, &right);
	assert_int_equal(left, 10000);
	assert_int_equal(right, 10000);

	/* -6.020 dB is half; the other channel is as it was. */
	assert_int_equal(set_words(XENSND_OP_SET_VOLUME, (uint32_t)-6020, 0), 0);
	play_constant(10000, &left, &right);
	assert_in_range(left, 4999, 5002);
	assert_int_equal(right, 10000);
	assert_int_equal(set_words(XENSND_OP_GET_VOLUME, 7, 7), 0);
	memcpy(words, snd_bed_stream(&bed, 0)->buffer + 4096, 8);
	assert_int_equal((int32_t)words[0], -6020);
	assert_int_equal(words[1], 0);

	assert_int_equal(set_words(XENSND_OP_MUTE, 0, 1), 0);
	play_constant(10000, &left, &right);
	assert_in_range(left, 4999, 5002);
	assert_int_equal(right, 0);
	assert_int_equal(set_words(XENSND_OP_UNMUTE, 1, 1), 0);
	play_constant(10000, &left, &right);
	assert_in_range(left, 4999, 5002);
	assert_int_equal(right, 10000);

	/* Louder than the policy's Volume there is nothing. */
	assert_int_equal(set_words(XENSND_OP_SET_VOLUME, 6000, INT32_MAX), 0);
	play_constant(10000, &left, &right);
	assert_int_equal(left, 10000);
	assert_int_equal(right, 10000);
	assert_int_equal(set_words(XENSND_OP_SET_VOLUME, (uint32_t)INT32_MIN, 0), 0);
	play_constant(10000, &left, &right);
	assert_int_equal(left, 0);
	assert_int_equal(snd_bed_down(&bed), 0);
}

/* A back end that follows one that died knows what was set. */
static void a_successor_is_as_loud(void **state)
{
	static const struct snd_config config = {SND_FORMAT_S16_LE, 2, 48000, 8192,
						 1024};

	(void)state;
	snd_bed_up(&bed, &(struct snd_bed_conf){0});
	snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 2, false);
	assert_int_equal(snd_bed_open(&bed, 0, &config), 0);
	assert_int_equal(set_words(XENSND_OP_SET_VOLUME, (uint32_t)-6020, 0), 0);
	assert_int_equal(set_words(XENSND_OP_MUTE, 0, 1), 0);
	assert_int_equal(snd_bed_trigger(&bed, 0, XENSND_OP_TRIGGER_START), 0);
	snd_bed_kill(&bed);
	assert_int_equal(snd_bed_follow(&bed), 0);
	assert_int_equal(bed.card.stream[0].state, SND_STATE_RUNNING);
	assert_int_equal(bed.card.stream[0].gain[0], snd_gain(-6020));
	assert_int_equal(bed.card.stream[0].gain[1], 0);
	assert_int_equal(snd_bed_down(&bed), 0);
}

/* [utest->req~no-louder-than-the-policy~1] */
static void the_policy_has_a_ceiling(void **state)
{
	static const struct snd_config config = {SND_FORMAT_S16_LE, 2, 48000, 8192,
						 1024};
	static const struct snd_config law = {SND_FORMAT_MU_LAW, 2, 48000, 8192, 1024};
	const struct snd_bed_conf conf = {.volume = -6020, .readable = true};
	int16_t left, right;

	(void)state;
	snd_bed_up(&bed, &conf);
	snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 2, true);
	/* What cannot be made softer cannot be had. */
	assert_int_equal(snd_bed_open(&bed, 0, &law), EOPNOTSUPP_);
	assert_int_equal(snd_bed_open(&bed, 0, &config), 0);
	assert_int_equal(snd_bed_trigger(&bed, 0, XENSND_OP_TRIGGER_START), 0);
	play_constant(10000, &left, &right);
	assert_in_range(left, 4999, 5002);
	assert_int_equal(set_words(XENSND_OP_SET_VOLUME, 0, 0), 0);
	play_constant(10000, &left, &right);
	assert_in_range(left, 4999, 5002);
	/* Its pages may only be read: the answer has no place. */
	assert_int_equal(set_words(XENSND_OP_GET_VOLUME, 7, 7), EACCES_);
	assert_int_equal(snd_bed_down(&bed), 0);
}

static void what_is_not_linear_has_no_volume(void **state)
{
	static const struct snd_config law = {SND_FORMAT_MU_LAW, 2, 48000, 8192, 1024};

	(void)state;
	snd_bed_up(&bed, &(struct snd_bed_conf){0});
	snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 2, false);
	assert_int_equal(snd_bed_open(&bed, 0, &law), 0);
	assert_int_equal(set_words(XENSND_OP_SET_VOLUME, 0, 0), EOPNOTSUPP_);
	assert_int_equal(set_words(XENSND_OP_GET_VOLUME, 0, 0), EOPNOTSUPP_);
	assert_int_equal(set_words(XENSND_OP_MUTE, 1, 1), EOPNOTSUPP_);
	assert_int_equal(snd_bed_down(&bed), 0);
}

/* A client takes its pages back before its volume is told: the stream ends, and
 * nothing else. */
static void pages_that_go_while_volume_is_told(void **state)
{
	static const struct snd_config config = {SND_FORMAT_S16_LE, 2, 48000, 8192,
						 1024};

	(void)state;
	snd_bed_up(&bed, &(struct snd_bed_conf){0});
	for (unsigned i = 0; i < 2; i++) {
		snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 2, false);
		assert_int_equal(snd_bed_open(&bed, 0, &config), 0);
		loopxen_fail(bed.x, LOOPXEN_MAP, i, GRANTS_BAD);
		assert_int_equal(set_words(XENSND_OP_GET_VOLUME, 0, 0), EINVAL_);
		assert_int_equal(snd_bed_rw(&bed, 0, XENSND_OP_WRITE, 0, 960), EINVAL_);
		assert_true(snd_front_unbuffer(&bed.front, snd_bed_stream(&bed, 0)));
	}
	assert_false(bed.broken);
	assert_int_equal(snd_bed_down(&bed), 0);
}

/* Without room for the buffer twice the question is refused, and the stream goes on. */
static void no_room_for_an_answer(void **state)
{
	static const struct snd_config config = {SND_FORMAT_S16_LE, 2, 48000, 8192,
						 1024};
	static const struct {
		uint32_t pages;
		int32_t status;
	} rows[] = {{3, EACCES_}, {4, 0}};

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		const struct snd_bed_conf conf = {.data_pages = rows[i].pages};

		snd_bed_up(&bed, &conf);
		snd_front_buffer(&bed.front, snd_bed_stream(&bed, 0), 2, false);
		assert_int_equal(snd_bed_open(&bed, 0, &config), 0);
		assert_int_equal(set_words(XENSND_OP_GET_VOLUME, 0, 0), rows[i].status);
		assert_int_equal(snd_bed_rw(&bed, 0, XENSND_OP_WRITE, 0, 960), 0);
		assert_int_equal(snd_bed_down(&bed), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_narrows),
		cmocka_unit_test(volume_is_in_the_samples),
		cmocka_unit_test(a_successor_is_as_loud),
		cmocka_unit_test(the_policy_has_a_ceiling),
		cmocka_unit_test(what_is_not_linear_has_no_volume),
		cmocka_unit_test(pages_that_go_while_volume_is_told),
		cmocka_unit_test(no_room_for_an_answer),
	};

	return cmocka_run_group_tests_name("snd_pv_loud", tests, NULL, NULL);
}
