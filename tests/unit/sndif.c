/* SPDX-License-Identifier: MIT */
/* backends/snd/sndif-decode.c against Xen's own header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <xen/xen.h>
#include <xen/errno.h>
#include <xen/grant_table.h>
#include <xen/io/ring.h>
#include <xen/io/sndif.h>

#include "backends/door/pv-directory.h"
#include "backends/snd/sndif.h"

static struct xensnd_req req;
static struct sndif_request rq;

static enum sndif_verdict decode(uint8_t operation)
{
	req.operation = operation;
	req.id = 0x1234;
	memset(&rq, 0xee, sizeof(rq));
	return sndif_decode((const uint8_t *)&req, &rq);
}

static void sizes_and_numbers(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct xensnd_req), SNDIF_ENTRY);
	assert_int_equal(sizeof(struct xensnd_resp), SNDIF_ENTRY);
	assert_int_equal(sizeof(struct xensnd_evt), SNDIF_ENTRY);
	assert_int_equal(4096 / sizeof(grant_ref_t) - 1, PV_DIRECTORY_REFS);
	assert_int_equal(XENSND_OP_OPEN, SNDIF_OPEN);
	assert_int_equal(XENSND_OP_CLOSE, SNDIF_CLOSE);
	assert_int_equal(XENSND_OP_READ, SNDIF_READ);
	assert_int_equal(XENSND_OP_WRITE, SNDIF_WRITE);
	assert_int_equal(XENSND_OP_SET_VOLUME, SNDIF_SET_VOLUME);
	assert_int_equal(XENSND_OP_GET_VOLUME, SNDIF_GET_VOLUME);
	assert_int_equal(XENSND_OP_MUTE, SNDIF_MUTE);
	assert_int_equal(XENSND_OP_UNMUTE, SNDIF_UNMUTE);
	assert_int_equal(XENSND_OP_TRIGGER, SNDIF_TRIGGER);
	assert_int_equal(XENSND_OP_HW_PARAM_QUERY, SNDIF_QUERY);
	assert_int_equal(XENSND_OP_TRIGGER_START, SNDIF_START);
	assert_int_equal(XENSND_OP_TRIGGER_PAUSE, SNDIF_PAUSE);
	assert_int_equal(XENSND_OP_TRIGGER_STOP, SNDIF_STOP);
	assert_int_equal(XENSND_OP_TRIGGER_RESUME, SNDIF_RESUME);
}

static void formats(void **state)
{
	static const struct {
		int number;
		const char *name;
	} theirs[] = {
		{XENSND_PCM_FORMAT_S8, XENSND_PCM_FORMAT_S8_STR},
		{XENSND_PCM_FORMAT_U8, XENSND_PCM_FORMAT_U8_STR},
		{XENSND_PCM_FORMAT_S16_LE, XENSND_PCM_FORMAT_S16_LE_STR},
		{XENSND_PCM_FORMAT_S16_BE, XENSND_PCM_FORMAT_S16_BE_STR},
		{XENSND_PCM_FORMAT_U16_LE, XENSND_PCM_FORMAT_U16_LE_STR},
		{XENSND_PCM_FORMAT_U16_BE, XENSND_PCM_FORMAT_U16_BE_STR},
		{XENSND_PCM_FORMAT_S24_LE, XENSND_PCM_FORMAT_S24_LE_STR},
		{XENSND_PCM_FORMAT_S24_BE, XENSND_PCM_FORMAT_S24_BE_STR},
		{XENSND_PCM_FORMAT_U24_LE, XENSND_PCM_FORMAT_U24_LE_STR},
		{XENSND_PCM_FORMAT_U24_BE, XENSND_PCM_FORMAT_U24_BE_STR},
		{XENSND_PCM_FORMAT_S32_LE, XENSND_PCM_FORMAT_S32_LE_STR},
		{XENSND_PCM_FORMAT_S32_BE, XENSND_PCM_FORMAT_S32_BE_STR},
		{XENSND_PCM_FORMAT_U32_LE, XENSND_PCM_FORMAT_U32_LE_STR},
		{XENSND_PCM_FORMAT_U32_BE, XENSND_PCM_FORMAT_U32_BE_STR},
		{XENSND_PCM_FORMAT_F32_LE, XENSND_PCM_FORMAT_F32_LE_STR},
		{XENSND_PCM_FORMAT_F32_BE, XENSND_PCM_FORMAT_F32_BE_STR},
		{XENSND_PCM_FORMAT_F64_LE, XENSND_PCM_FORMAT_F64_LE_STR},
		{XENSND_PCM_FORMAT_F64_BE, XENSND_PCM_FORMAT_F64_BE_STR},
		{XENSND_PCM_FORMAT_IEC958_SUBFRAME_LE,
		 XENSND_PCM_FORMAT_IEC958_SUBFRAME_LE_STR},
		{XENSND_PCM_FORMAT_IEC958_SUBFRAME_BE,
		 XENSND_PCM_FORMAT_IEC958_SUBFRAME_BE_STR},
		{XENSND_PCM_FORMAT_MU_LAW, XENSND_PCM_FORMAT_MU_LAW_STR},
		{XENSND_PCM_FORMAT_A_LAW, XENSND_PCM_FORMAT_A_LAW_STR},
		{XENSND_PCM_FORMAT_IMA_ADPCM, XENSND_PCM_FORMAT_IMA_ADPCM_STR},
		{XENSND_PCM_FORMAT_MPEG, XENSND_PCM_FORMAT_MPEG_STR},
		{XENSND_PCM_FORMAT_GSM, XENSND_PCM_FORMAT_GSM_STR},
	};

	(void)state;
	assert_int_equal(sizeof(theirs) / sizeof(theirs[0]), SND_FORMATS);
	for (unsigned i = 0; i < SND_FORMATS; i++) {
		enum snd_format format;

		assert_int_equal(theirs[i].number, i);
		assert_true(snd_format_parse(theirs[i].name, &format));
		assert_int_equal(format, i);
		assert_string_equal(snd_format_info(format)->name, theirs[i].name);
	}
}

static void an_open(void **state)
{
	(void)state;
	memset(&req, 0xa5, sizeof(req));
	req.op.open.pcm_rate = 48001;
	req.op.open.pcm_format = 200;
	req.op.open.pcm_channels = 255;
	req.op.open.buffer_sz = 0xdeadbeef;
	req.op.open.gref_directory = 0xcafe;
	req.op.open.period_sz = 0x12345678;
	assert_int_equal(decode(XENSND_OP_OPEN), SNDIF_GOOD);
	assert_int_equal(rq.id, 0x1234);
	assert_int_equal(rq.operation, XENSND_OP_OPEN);
	assert_int_equal(rq.op, SNDIF_OPEN);
	assert_int_equal(rq.open.config.rate, 48001);
	assert_int_equal(rq.open.config.format, 200);
	assert_int_equal(rq.open.config.channels, 255);
	assert_int_equal(rq.open.config.size, 0xdeadbeef);
	assert_int_equal(rq.open.config.period, 0x12345678);
	assert_int_equal(rq.open.directory.v, 0xcafe);
}

static void what_has_an_offset(void **state)
{
	(void)state;
	for (uint8_t op = XENSND_OP_READ; op <= XENSND_OP_UNMUTE; op++) {
		memset(&req, 0xa5, sizeof(req));
		req.op.rw.offset = 0x01020304;
		req.op.rw.length = 0xf1f2f3f4;
		assert_int_equal(decode(op), SNDIF_GOOD);
		assert_int_equal(rq.op, op);
		assert_int_equal(rq.rw.offset, 0x01020304);
		assert_int_equal(rq.rw.len, 0xf1f2f3f4);
	}
}

static void triggers(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		memset(&req, 0xa5, sizeof(req));
		req.op.trigger.type = (uint8_t)type;
		assert_int_equal(decode(XENSND_OP_TRIGGER),
				 type < 4 ? SNDIF_GOOD : SNDIF_BAD_TRIGGER);
		assert_int_equal(rq.id, 0x1234);
		assert_int_equal(rq.operation, XENSND_OP_TRIGGER);
		if (type < 4)
			assert_int_equal(rq.trigger, type);
	}
}

static void what_there_is_not(void **state)
{
	(void)state;
	for (unsigned op = XENSND_OP_HW_PARAM_QUERY + 1; op < 256; op++) {
		assert_int_equal(decode((uint8_t)op), SNDIF_BAD_OPERATION);
		assert_int_equal(rq.id, 0x1234);
		assert_int_equal(rq.operation, op);
	}
}

static void a_query_there_and_back(void **state)
{
	const struct xensnd_query_hw_param asked = {
		.formats = 0x0123456789abcdef,
		.rates = {1, 2},
		.channels = {3, 4},
		.buffer = {5, 6},
		.period = {7, 0xffffffff},
	};
	struct xensnd_resp rsp = {0};

	(void)state;
	memset(&req, 0xa5, sizeof(req));
	req.op.hw_param = asked;
	assert_int_equal(decode(XENSND_OP_HW_PARAM_QUERY), SNDIF_GOOD);
	assert_int_equal(rq.query.rate.max, 2);
	assert_int_equal(rq.query.channels.min, 3);
	assert_int_equal(rq.query.buffer.max, 6);
	assert_int_equal(rq.query.period.min, 7);
	assert_int_equal(sndif_encode(&rq, SND_OK, (uint8_t *)&rsp),
			 SNDIF_ANSWER_QUERY);
	assert_memory_equal(&rsp.resp.hw_param, &asked, sizeof(asked));
	assert_int_equal(rsp.id, 0x1234);
	assert_int_equal(rsp.operation, XENSND_OP_HW_PARAM_QUERY);
	assert_int_equal(rsp.status, 0);

	/* Refused, nothing of it comes back. */
	memset(&rsp, 0xee, sizeof(rsp));
	assert_int_equal(sndif_encode(&rq, SND_INVALID, (uint8_t *)&rsp), SNDIF_ANSWER);
	assert_int_equal(rsp.status, -XEN_EINVAL);
	assert_int_equal(rsp.resp.hw_param.formats, 0);
}

static void each_status(void **state)
{
	static const int32_t theirs[SND_STATUSES] = {
		[SND_OK] = 0,
		[SND_INVALID] = -XEN_EINVAL,
		[SND_UNSUPPORTED] = -XEN_EOPNOTSUPP,
		[SND_DENIED] = -XEN_EACCES,
		[SND_FAILED] = -XEN_EIO,
		[SND_LATER] = -XEN_EIO,
	};
	struct xensnd_resp rsp;

	(void)state;
	decode(XENSND_OP_CLOSE);
	for (unsigned i = 0; i < SND_STATUSES; i++) {
		memset(&rsp, 0xee, sizeof(rsp));
		assert_int_equal(sndif_encode(&rq, (enum snd_status)i, (uint8_t *)&rsp),
				 SNDIF_ANSWER);
		assert_int_equal(rsp.status, theirs[i]);
		assert_int_equal(rsp.reserved, 0);
	}
}

static void a_position(void **state)
{
	struct xensnd_evt event;

	(void)state;
	memset(&event, 0xee, sizeof(event));
	sndif_encode_position(0xfedc, 0x0123456789abcdef, (uint8_t *)&event);
	assert_int_equal(event.id, 0xfedc);
	assert_int_equal(event.type, XENSND_EVT_CUR_POS);
	assert_true(event.op.cur_pos.position == 0x0123456789abcdef);
	assert_int_equal(offsetof(struct xensnd_evt, op.cur_pos.position),
			 SNDIF_POSITION);
	for (unsigned i = 16; i < sizeof(event); i++)
		assert_int_equal(((const uint8_t *)&event)[i], 0);
}

/* A back end killed while it writes the answer over the request, low bytes first: what
 * is there then, asked again, has the same answer (pv_ring_put()). */
static void half_an_answer_is_a_request(void **state)
{
	static const uint32_t mins[] = {0, 1, 0xff, 0x1580, 5512, 0x1ff00};
	static const uint32_t maxs[] = {0xffffffff, 0x2ee01, 192000, 0x2edff, 0x20000};
	const struct snd_policy policy = {.formats = 0x1555555,
					  .rate = {5512, 192000},
					  .channels = {2, 6},
					  .period = 0x123};
	struct snd_host host = {.caps = {0x1f0fff, {4000, 96000}, {1, 8}}};
	const struct snd s = {
		.conf = {.policy = &policy, .host = &host, .size_max = 0x10001}};

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		const struct snd_range range = {mins[i % 6], maxs[i / 6]};
		struct xensnd_query_hw_param asked = {
			.formats = 0x1234567f0f,
			.rates = {range.min, range.max},
			.channels = {range.min & 3, range.max},
			.buffer = {range.min & 0xfff, range.max},
			.period = {range.min & 0xff, range.max},
		};
		uint8_t answer[SNDIF_ANSWER_QUERY], again[SNDIF_ANSWER_QUERY];

		memset(&req, 0, sizeof(req));
		req.op.hw_param = asked;
		decode(XENSND_OP_HW_PARAM_QUERY);
		if (snd_query(&s, &rq.query) != SND_OK)
			continue;
		sndif_encode(&rq, SND_OK, answer);
		for (unsigned words = 0; words < 1u << SNDIF_ANSWER_QUERY / 4;
		     words++) {
			req.op.hw_param = asked;
			for (unsigned w = 0; w < SNDIF_ANSWER_QUERY / 4; w++) {
				if (words >> w & 1)
					memcpy((uint8_t *)&req + 4 * w, answer + 4 * w,
					       4);
			}
			decode(XENSND_OP_HW_PARAM_QUERY);
			assert_int_equal(snd_query(&s, &rq.query), SND_OK);
			sndif_encode(&rq, SND_OK, again);
			assert_memory_equal(again, answer, sizeof(answer));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_and_numbers),
		cmocka_unit_test(formats),
		cmocka_unit_test(an_open),
		cmocka_unit_test(what_has_an_offset),
		cmocka_unit_test(triggers),
		cmocka_unit_test(what_there_is_not),
		cmocka_unit_test(a_query_there_and_back),
		cmocka_unit_test(each_status),
		cmocka_unit_test(a_position),
		cmocka_unit_test(half_an_answer_is_a_request),
	};

	return cmocka_run_group_tests_name("sndif", tests, NULL, NULL);
}
