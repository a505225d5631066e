/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the PV door of a sound device over loopxen, driven by a client that does
 * anything at any time, and by PCMs that fail.
 *
 * The first byte picks a bed; then each byte is a step (steps[]) and takes the bytes it
 * needs. Whatever the client did:
 *  1. the streams' counts fit together, the policy's and the rings' bounds hold;
 *  2. a stream that is closed has nothing mapped, and one that is open its buffer;
 *  3. only what failed around the door ends its process;
 *  4. a door that is down has nothing mapped and nothing bound, and no PCM runs;
 *  5. the next client is served.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "tests/device/snd-bed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct snd_bed_conf confs[] = {
	{.streams = 2},
	{.streams = 4, .data_pages = 40, .buffer = 65536, .latency = 100},
	{.streams = 1, .data_pages = 3, .readable = true, .volume = -6000},
	{.streams = 2,
	 .formats = 1 << SND_FORMAT_S16_LE | 1 << SND_FORMAT_IMA_ADPCM,
	 .period = 1024,
	 .operations = {200, 20},
	 .bytes = {20000, 4000}},
};

#define CONFS (sizeof(confs) / sizeof(confs[0]))

static struct {
	struct snd_bed bed;
	const uint8_t *at, *end;
	bool quiet; /* nothing failed around the door */
	bool shut;  /* its device was closed, for what the client did */
} run;

static uint8_t byte(void)
{
	return run.at < run.end ? *run.at++ : 0;
}

static uint32_t word(void)
{
	uint32_t v = byte();

	for (unsigned i = 1; i < 4; i++)
		v |= (uint32_t)byte() << 8 * i;
	return v;
}

static struct snd_front_stream *stream(void)
{
	return snd_bed_stream(&run.bed, byte() % run.bed.snd_policy.streams);
}

/* -- What must hold ------------------------------------------------------- */

static void check_stream(const struct snd_pv_stream *st)
{
	const struct snd *s = st->snd;

	assert(st->channel.ring.req_cons - st->channel.ring.rsp_prod <=
	       st->channel.ring.entries);
	assert(st->channel.events.prod == st->channel.events.pushed || run.bed.pv.why);
	assert((s->state == SND_STATE_CLOSED) == !st->buffer.addr);
	if (s->state == SND_STATE_CLOSED)
		return;
	assert(s->config.size <= run.bed.snd_policy.buffer);
	assert(s->config.size && !(s->position % s->unit.bytes));
	assert(s->written <= s->position + s->config.size);
	for (uint32_t i = 0; i < s->config.channels; i++)
		assert(s->gain[i] <= snd_gain(run.bed.snd_policy.volume));
}

static void check(void)
{
	const struct snd_pv *pv = &run.bed.pv;

	assert(pv->stats.answers <= pv->stats.requests);
	assert(run.bed.broken <= 1);
	if (pv->state == SND_PV_DOWN) {
		assert(!loopxen_back_holds(run.bed.back));
		assert(!snd_card_on(&run.bed.card));
		run.shut = true;
		return;
	}
	for (uint32_t i = 0; pv->state == SND_PV_UP && i < pv->streams; i++) {
		if (pv->stream[i].channel.open)
			check_stream(&pv->stream[i]);
	}
	assert(loopxen_back_pages(run.bed.back) <= run.bed.policy.data_pages);
}

/* Invariant 3. */
static void settle(int r)
{
	while (r < 0) {
		assert(!run.quiet);
		snd_bed_kill(&run.bed);
		r = snd_bed_follow(&run.bed);
	}
	run.shut = run.shut || r > 0;
}

/* -- Steps ---------------------------------------------------------------- */

static uint32_t pick(const uint32_t *list, unsigned n)
{
	uint8_t i = byte();

	return i < n ? list[i] : word();
}

static void ask_open(struct snd_front_stream *s, struct xensnd_req *req)
{
	static const uint32_t sizes[] = {3840, 4096, 8192, 65536, 1920, 64};
	static const uint32_t periods[] = {960, 0, 1024, 4096, 4, 2048};
	static const uint32_t rates[] = {48000, 44100, 8000, 192000, 1};

	req->op.open.pcm_rate = pick(rates, 5);
	req->op.open.pcm_format = byte();
	req->op.open.pcm_channels = byte();
	req->op.open.buffer_sz = pick(sizes, 6);
	req->op.open.period_sz = pick(periods, 6);
	req->op.open.gref_directory = byte() & 1 ? word() : s->directory_ref.v;
}

/* A request that is one; the front end's ring has room for it. */
static void ask(void)
{
	static const uint32_t offsets[] = {0, 960, 1920, 2880, 1024, 4096};
	struct snd_front_stream *s = stream();
	struct xensnd_req req = {.id = s->id++, .operation = byte() % 11};
	struct xensnd_resp rsp;

	/* What was scribbled there may say that there are very many. */
	for (unsigned i = 0; i < 64 && snd_front_answer(s, &rsp); i++)
		;
	if (s->req_prod - s->rsp_cons >= 32)
		return;
	if (req.operation == XENSND_OP_OPEN) {
		ask_open(s, &req);
	} else if (req.operation == XENSND_OP_TRIGGER) {
		req.op.trigger.type = byte();
	} else if (req.operation == XENSND_OP_HW_PARAM_QUERY) {
		req.op.hw_param.formats = word();
		memset(&req.op.hw_param.rates, byte(), 4 + byte() % 28);
	} else {
		req.op.rw.offset = pick(offsets, 6);
		req.op.rw.length = pick(offsets + 1, 5);
	}
	snd_front_send(&run.bed.front, s, &req);
	settle(snd_bed_run(&run.bed));
}

static void pass(void)
{
	settle(snd_bed_pass(&run.bed, (byte() + 1) * CLOCK_MS / 2));
}

static void late(void)
{
	loopxen_advance(run.bed.x, byte() * CLOCK_MS);
}

/* Bytes of a page that is shared, and an event. */
static void scribble(void)
{
	struct snd_front_stream *s = stream();
	uint8_t which = byte() % 4;
	uint8_t *page = which == 0   ? s->ring
			: which == 1 ? s->events
			: which == 2 ? s->directory
				     : s->buffer;
	uint32_t at = word() % 4096, value = word();

	if (byte() & 1)
		at %= 64;
	at &= ~3u;
	memcpy(page + at, &value, 4);
	loopxen_notify(run.bed.x, run.bed.dev.front, s->port);
	settle(snd_bed_run(&run.bed));
}

static void listen(void)
{
	struct xensnd_event_page *page = (void *)stream()->events;

	page->in_cons = page->in_prod;
}

static void host_fails(void)
{
	struct snd_host_test *host = &run.bed.host[byte() % run.bed.card.streams];
	uint8_t how = byte();

	snd_host_test_fail(host, byte(), how);
}

static void dies(void)
{
	snd_bed_kill(&run.bed);
	settle(snd_bed_follow(&run.bed));
}

static void call_fails(void)
{
	static const struct {
		enum loopxen_verb verb;
		int result;
		bool around; /* it is not the client's doing */
	} faults[] = {
		{LOOPXEN_MAP, GRANTS_BAD, false}, {LOOPXEN_MAP, GRANTS_BUSY, false},
		{LOOPXEN_MAP, -EIO, true},	  {LOOPXEN_NOTIFY, -EIO, true},
		{LOOPXEN_WRITE, -EAGAIN, false},  {LOOPXEN_WRITE, -EIO, true},
	};
	uint8_t i = byte() % (sizeof(faults) / sizeof(faults[0]));

	loopxen_fail(run.bed.x, faults[i].verb, byte() % 3, faults[i].result);
	run.quiet = run.quiet && !faults[i].around;
}

static void limits(void)
{
	run.bed.policy.operations.per_second = 1 + byte() * 100u;
	run.bed.policy.bytes.per_second = 1 + byte() * 1000u;
	snd_pv_limits(&run.bed.pv, loopxen_now(run.bed.x));
	settle(snd_bed_run(&run.bed));
}

static void (*const steps[])(void) = {
	ask,	  ask,	  ask,	      ask,  pass,	pass,	late,
	scribble, listen, host_fails, dies, call_fails, limits,
};

/* -- A run ---------------------------------------------------------------- */

static void begin(uint8_t which)
{
	memset(&run.quiet, 0, sizeof(run) - offsetof(typeof(run), quiet));
	run.quiet = true;
	snd_bed_up(&run.bed, &confs[which % CONFS]);
	for (uint32_t i = 0; i < run.bed.front.streams; i++)
		snd_front_buffer(&run.bed.front, snd_bed_stream(&run.bed, i), 16,
				 false);
}

/* Invariants 4 and 5. */
static void end(void)
{
	struct snd_config config = {SND_FORMAT_S16_LE, 1, 48000, 4096, 2048};
	int32_t status;

	loopxen_fail(run.bed.x, LOOPXEN_MAP, 1000000, 0);
	loopxen_fail(run.bed.x, LOOPXEN_NOTIFY, 1000000, 0);
	loopxen_fail(run.bed.x, LOOPXEN_WRITE, 1000000, 0);
	run.bed.policy.operations = run.bed.policy.bytes =
		(struct policy_rate){1u << 30, 1u << 30};
	if (run.bed.pv.state != SND_PV_DOWN) {
		snd_pv_limits(&run.bed.pv, loopxen_now(run.bed.x));
		snd_pv_detach(&run.bed.pv);
		settle(snd_bed_pass(&run.bed, 2 * CLOCK_SECOND));
	}
	assert(run.bed.pv.state == SND_PV_DOWN);
	check();
	assert(snd_front_disconnect(&run.bed.front));
	for (uint32_t i = 0; i < run.bed.card.streams; i++)
		snd_host_test_mend(&run.bed.host[i]);
	run.bed.broken = 0;
	settle(snd_bed_connect(&run.bed));
	snd_front_buffer(&run.bed.front, snd_bed_stream(&run.bed, 0), 1, false);
	status = snd_bed_open(&run.bed, 0, &config);
	assert(!status);
	assert(!snd_bed_down(&run.bed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run.at = data;
	run.end = data + size;
	begin(byte());
	while (run.at < run.end && !run.shut) {
		steps[byte() % (sizeof(steps) / sizeof(steps[0]))]();
		check();
	}
	end();
	return 0;
}
