/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "policy/class.h"
#include "tests/device/snd-bed.h"

#define BED_TURNS 100000 /* more than a client can ask for while time stands still */

static void bed_policy(struct snd_bed *bed)
{
	const struct snd_bed_conf *conf = &bed->conf;
	struct policy_rate free = {1000000000, 1000000000};
	struct policy_rate much = {1ull << 50, 1ull << 50};
	struct snd_policy *snd = &bed->snd_policy;

	bed->policy = (struct policy){
		.class = POLICY_SND,
		.domain = bed->dev.front,
		.door = conf->door,
		.mode = conf->door == POLICY_PV ? POLICY_MAP
			: conf->grant		? POLICY_GRANT
						: POLICY_POOL,
		.client_pages = conf->readable ? POLICY_READABLE : POLICY_BOTH,
		.ring_pages = conf->ring_pages ? conf->ring_pages : 16,
		.data_pages = conf->data_pages ? conf->data_pages : 600,
		.first_ref = {8},
		.last_ref = {LOOPXEN_REFS - 1},
		.in_flight = 64,
		.operations = conf->operations.burst ? conf->operations : free,
		.bytes = conf->bytes.burst ? conf->bytes : much,
		.events = free,
	};
	snd_policy_init(snd);
	snd->streams = conf->streams ? conf->streams : 2;
	for (uint32_t i = 0; i < snd->streams; i++)
		snd->stream[i] = (struct snd_policy_stream){
			true, (uint8_t)(i / 2), (uint8_t)(i % 2), i % 2, "test"};
	snd->capture = true;
	snd->formats = conf->formats ? conf->formats : SND_FORMATS_ALL;
	snd->buffer = conf->buffer ? conf->buffer : SND_BUFFER_MAX;
	snd->period = conf->period ? conf->period : SND_PERIOD_MIN;
	snd->latency = conf->latency ? conf->latency : 20;
	snd->volume = conf->volume;
}

/* -- The world ------------------------------------------------------------ */

void snd_bed_init(struct snd_bed *bed, const struct snd_bed_conf *conf)
{
	static const char *const at[] = {"0/0", "0/1", "1/0", "1/1",
					 "2/0", "2/1", "3/0", "3/1"};

	memset(bed, 0, sizeof(*bed));
	bed->conf = *conf;
	bed->dev = (struct loopxen_device){{2}, {3}, NULL, 0};
	bed->dev.kind = class_info(POLICY_SND, conf->door)->kind;
	bed->door = conf->door == POLICY_PV ? &snd_bed_pv : &snd_bed_virtio;
	bed_policy(bed);
	bed->x = loopxen_new();
	loopxen_domain(bed->x, bed->dev.back);
	loopxen_domain(bed->x, bed->dev.front);
	loopxen_attach(bed->x, &bed->dev, "w", "snd");
	bed->front.x = bed->x;
	bed->front.dev = &bed->dev;
	bed->front.streams = bed->snd_policy.streams;
	for (uint32_t i = 0; i < bed->front.streams; i++) {
		bed->front.stream[i].at = at[i];
		bed->front.stream[i].type = i % 2 ? "c" : "p";
		snd_host_test_open(&bed->host[i], i % 2);
	}
	log_init(&bed->log, "test");
	bed->log.tokens = 0; /* silent: the tests provoke what it would say */
}

unsigned snd_bed_fini(struct snd_bed *bed)
{
	for (uint32_t i = 0; i < bed->front.streams; i++)
		snd_host_test_free(&bed->host[i]);
	return loopxen_free(bed->x);
}

/* -- A process ------------------------------------------------------------------------
 */

/* As snd_card_open(), on PCMs of the tests. */
static void bed_card(struct snd_bed *bed)
{
	bed->card = (struct snd_card){0};
	for (; bed->card.streams < bed->snd_policy.streams; bed->card.streams++) {
		uint32_t i = bed->card.streams;
		const struct snd_conf conf = {
			.policy = &bed->snd_policy,
			.stream = &bed->snd_policy.stream[i],
			.host = &bed->host[i].host,
			.stats = &bed->card.stats,
			.size_max = bed->conf.door == POLICY_PV
					    ? snd_pv_size_max(&bed->policy,
							      &bed->snd_policy)
					    : snd_virtio_size_max(&bed->snd_policy),
		};
		int r = snd_init(&bed->card.stream[i], &conf);

		assert(!r);
	}
}

static void bed_process(struct snd_bed *bed)
{
	struct keys keys;
	int r;

	bed_card(bed);
	bed->back = loopxen_back_new(bed->x, &bed->policy, &bed->dev);
	keys = (struct keys){&bed->back->store, &bed->back->grants, &bed->back->evtchn,
			     &bed->log};
	r = bed->door->init(bed, &keys);
	assert(!r);
	bed->again = false;
}

void snd_bed_start(struct snd_bed *bed)
{
	int r;

	bed_process(bed);
	r = bed->door->offer(bed);
	assert(!r);
}

static void bed_end(struct snd_bed *bed)
{
	bed->door->fini(bed);
	snd_card_close(&bed->card);
}

void snd_bed_kill(struct snd_bed *bed)
{
	loopxen_back_kill(bed->back);
	bed->door->died(bed); /* it is not detached, and never will be */
	bed_end(bed);
	/* Linux closes its PCMs. */
	for (uint32_t i = 0; i < bed->front.streams; i++)
		bed->host[i].set = bed->host[i].running = false;
}

int snd_bed_follow(struct snd_bed *bed)
{
	int r;

	bed_process(bed);
	r = bed->door->connect(bed, true, loopxen_now(bed->x));
	return r ? r : snd_bed_run(bed);
}

int snd_bed_connect(struct snd_bed *bed)
{
	int r;

	bed->door->front_connect(bed);
	r = bed->door->connect(bed, false, loopxen_now(bed->x));
	if (r)
		return r;
	if (!bed->door->front_ready(bed))
		return -EPROTO;
	return snd_bed_run(bed);
}

void snd_bed_up(struct snd_bed *bed, const struct snd_bed_conf *conf)
{
	int r;

	snd_bed_init(bed, conf);
	snd_bed_start(bed);
	r = snd_bed_connect(bed);
	assert(!r);
}

unsigned snd_bed_down(struct snd_bed *bed)
{
	unsigned leaks = 0;

	if (!bed->door->is_down(bed)) {
		bed->door->detach(bed);
		snd_bed_pass(bed, 2 * CLOCK_SECOND);
	}
	assert(bed->detached && bed->door->is_down(bed));
	bed_end(bed);
	loopxen_back_free(bed->back);
	leaks += !bed->door->front_disconnect(bed);
	return leaks + snd_bed_fini(bed);
}

/* -- The loop ------------------------------------------------------------- */

static uint64_t bed_due(const struct snd_bed *bed)
{
	uint64_t door = bed->door->due(bed), card = snd_card_due(&bed->card);

	return door < card ? door : card;
}

int snd_bed_turn(struct snd_bed *bed)
{
	uint64_t now = loopxen_now(bed->x);
	int r;

	bed->turns++;
	snd_card_turn(&bed->card, now);
	r = bed->door->turn(bed, now);
	if (!r && bed_due(bed) > now && bed->door->arm(bed))
		bed->again = true;
	return r;
}

int snd_bed_run(struct snd_bed *bed)
{
	unsigned turns = 0;

	while (!bed->door->is_down(bed)) {
		struct evport port;
		bool fired = evtchn_pending(&bed->back->evtchn, &port) == 1;
		int r;

		if (!fired && !bed->again && bed_due(bed) > loopxen_now(bed->x))
			break;
		bed->again = false;
		assert(turns++ < BED_TURNS);
		r = snd_bed_turn(bed);
		if (r < 0)
			return r;
		if (fired && !bed->door->is_down(bed))
			evtchn_unmask(&bed->back->evtchn, port);
	}
	return 0;
}

int snd_bed_pass(struct snd_bed *bed, uint64_t ns)
{
	uint64_t end = loopxen_now(bed->x) + ns;

	for (;;) {
		uint64_t now = loopxen_now(bed->x), due;
		int r = snd_bed_run(bed);

		if (r < 0)
			return r;
		due = bed->door->is_down(bed) ? end : bed_due(bed);
		if (now >= end)
			return 0;
		loopxen_advance(bed->x, (due < end ? due : end) - now);
	}
}

/* -- The client ----------------------------------------------------------- */

struct xensnd_resp snd_bed_ask(struct snd_bed *bed, uint32_t stream,
			       struct xensnd_req *req)
{
	struct snd_front_stream *s = snd_bed_stream(bed, stream);
	struct xensnd_resp answer, more;
	bool got;

	req->id = s->id++;
	snd_front_send(&bed->front, s, req);
	snd_bed_run(bed);
	for (unsigned i = 0; !(got = snd_front_answer(s, &answer)) && i < 3000; i++)
		snd_bed_pass(bed, CLOCK_MS);
	assert(got);
	assert(answer.id == req->id && answer.operation == req->operation);
	got = snd_front_answer(s, &more);
	assert(!got);
	return answer;
}

int32_t snd_bed_open(struct snd_bed *bed, uint32_t stream,
		     const struct snd_config *config)
{
	struct xensnd_req req = {.operation = XENSND_OP_OPEN};

	req.op.open.pcm_rate = config->rate;
	req.op.open.pcm_format = (uint8_t)config->format;
	req.op.open.pcm_channels = (uint8_t)config->channels;
	req.op.open.buffer_sz = config->size;
	req.op.open.period_sz = config->period;
	req.op.open.gref_directory = snd_bed_stream(bed, stream)->directory_ref.v;
	return snd_bed_ask(bed, stream, &req).status;
}

int32_t snd_bed_simple(struct snd_bed *bed, uint32_t stream, uint8_t operation)
{
	struct xensnd_req req = {.operation = operation};

	return snd_bed_ask(bed, stream, &req).status;
}

int32_t snd_bed_trigger(struct snd_bed *bed, uint32_t stream, uint8_t type)
{
	struct xensnd_req req = {.operation = XENSND_OP_TRIGGER};

	req.op.trigger.type = type;
	return snd_bed_ask(bed, stream, &req).status;
}

int32_t snd_bed_rw(struct snd_bed *bed, uint32_t stream, uint8_t operation,
		   uint32_t offset, uint32_t len)
{
	struct xensnd_req req = {.operation = operation};

	req.op.rw.offset = offset;
	req.op.rw.length = len;
	return snd_bed_ask(bed, stream, &req).status;
}

const char *snd_bed_back_key(struct snd_bed *bed, const char *key)
{
	char path[160];

	loopxen_path(&bed->dev, STORE_BACK, key, path, sizeof(path));
	return loopxen_read(bed->x, bed->dev.front, path);
}
