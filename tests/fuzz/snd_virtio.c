/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the virtio door of a sound device over loopxen, driven by a client that
 * does anything at any time, and by PCMs that fail.
 *
 * The first byte picks a bed; then each byte is a step (steps[]) and takes the bytes it
 * needs. Whatever the client did:
 *  1. the door's and the streams' counts fit together, the policy's and the queues'
 *     bounds hold;
 *  2. a stream is open if and only if its client prepared it, or its PCM failed;
 *  3. only what failed around the door ends its process;
 *  4. a door that is down has nothing mapped and nothing bound, and no PCM runs;
 *  5. the next client is served.
 *
 * Not the control page, which is any class's: virtio.c.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "tests/device/snd-bed.h"
#include "tests/front/virtio-le.h"
#include "tests/fuzz/fault.h"
#include "tests/hook/shared-hook.h"

#define PAGES 60 /* of the client's memory */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct snd_bed_conf confs[] = {
	{.door = POLICY_VIRTIO},
	{.door = POLICY_VIRTIO, .grant = true, .data_pages = 64, .latency = 100},
	{.door = POLICY_VIRTIO, .volume = -6000, .buffer = 16384, .streams = 1},
	{.door = POLICY_VIRTIO,
	 .grant = true,
	 .data_pages = 20,
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
	bool sound; /* the client did all as it should */
	bool shut;  /* its device is closed */
	unsigned waits;
	unsigned reads; /* until one is rewritten, or 0 */
	uint8_t with;
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

static uint32_t pick(const uint32_t *list, unsigned n)
{
	uint8_t i = byte();

	return i < n ? list[i] : word();
}

static struct vfront *front(void)
{
	return &run.bed.vfront.v;
}

static struct virtio_door *the_door(void)
{
	return &run.bed.virtio.door;
}

/* -- What must hold ------------------------------------------------------- */

/* Invariant 2. */
static void check_stream(const struct snd_virtio_stream *st)
{
	const struct snd *s = st->snd;

	if (s->state == SND_STATE_CLOSED)
		return;
	assert(st->state >= SND_VIRTIO_PREPARED);
	assert((s->state == SND_STATE_RUNNING) == (st->state == SND_VIRTIO_RUNNING) ||
	       s->error);
	assert(s->config.size <= run.bed.snd_policy.buffer);
	assert(s->config.size && !(s->position % s->unit.bytes));
	assert(s->written <= s->position + s->config.size);
	assert(st->taken <= s->position);
	for (uint32_t i = 0; i < s->config.channels; i++)
		assert(s->gain[i] <= snd_gain(run.bed.snd_policy.volume));
}

static void check_queue(const struct virtio_queue *q)
{
	uint32_t taken = q->taken - q->published, started = q->started - q->published;

	assert(started <= taken && taken <= q->setup.size);
	assert(q->open || !taken);
}

static void check(void)
{
	const struct snd_virtio *v = &run.bed.virtio;

	if (run.bed.door->is_down(&run.bed)) {
		assert(!loopxen_back_holds(run.bed.back));
		assert(!snd_card_on(&run.bed.card));
		run.shut = true;
		return;
	}
	for (uint32_t i = 0; i < SND_VIRTIO_QUEUES; i++)
		check_queue(&v->door.device.queue[i]);
	for (uint32_t i = 0; v->door.state == VIRTIO_DOOR_UP && i < v->streams; i++)
		check_stream(&v->stream[i]);
	assert(!v->door.device.busy);
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

/* A device that says nothing is not waited for. */
static bool let_run(void *owner)
{
	(void)owner;
	settle(snd_bed_run(&run.bed));
	return run.waits && run.waits--;
}

/* -- Steps ---------------------------------------------------------------- */

/* Some of what came back is the client's again. */
static void collect(void)
{
	static uint8_t bytes[8];
	uint32_t len;
	uint16_t id;

	/* A client that wrote over its rings cannot believe them. */
	for (unsigned q = 0; run.sound && q < SND_VFRONT_QUEUES; q++) {
		for (unsigned i = 0; i < 64; i++) {
			if (!snd_vfront_back(&run.bed.vfront, q, &id, bytes,
					     sizeof(bytes), &len))
				break;
		}
	}
}

static void put(unsigned queue, const void *bytes, uint32_t n, uint32_t room)
{
	if (front()->queue[queue].used.at)
		snd_vfront_put(&run.bed.vfront, queue, 1, bytes, n, room);
	settle(snd_bed_run(&run.bed));
}

static void order(void)
{
	static const uint32_t codes[] = {0x101, 0x102, 0x104, 0x105, 0x103, 0x100,
					 0x001, 0x200, 0x300, 0x302, 0x303, 0x304};
	static const uint32_t sizes[] = {3840, 4096, 8192, 65536, 1920, 64};
	static const uint32_t periods[] = {960, 1024, 4096, 4, 2048, 480};
	uint8_t bytes[64] = {0};
	uint32_t n = 24;

	le_put(bytes, 4, pick(codes, sizeof(codes) / sizeof(codes[0])));
	le_put(bytes + 4, 4, byte());
	le_put(bytes + 8, 4, pick(sizes, 6));
	le_put(bytes + 12, 4, pick(periods, 6));
	le_put(bytes + 16, 4, byte() & 16);
	bytes[20] = byte() & 15;
	bytes[21] = byte() & 31;
	bytes[22] = byte() & 15;
	if (byte() & 1)
		n = 4 + byte() % 60u;
	put(SND_VFRONT_CONTROL, bytes, n, 4 + byte() * 8u);
}

static void samples(void)
{
	static const uint32_t lengths[] = {960, 1024, 4096, 4, 2048, 480};
	static uint8_t bytes[4 + 8192];
	uint32_t n = pick(lengths, 6) % 8192u;
	bool capture = byte() & 1;

	le_put(bytes, 4, byte() & 3);
	memset(bytes + 4, byte(), n);
	if (capture)
		put(SND_VFRONT_RX, bytes, 4, n + 8);
	else
		put(SND_VFRONT_TX, bytes, 4 + n, 8);
}

static void post_event(void)
{
	put(SND_VFRONT_EVENT, "", 0, 8);
}

static void pass(void)
{
	settle(snd_bed_pass(&run.bed, (byte() + 1) * CLOCK_MS / 2));
	collect();
}

static void late(void)
{
	loopxen_advance(run.bed.x, byte() * CLOCK_MS);
}

static void kick(void)
{
	loopxen_notify(run.bed.x, run.bed.dev.front, front()->port);
	settle(snd_bed_run(&run.bed));
}

/* A chain of any shape over the client's own memory, or near it. */
static void chain(void)
{
	struct driver_queue *q = &front()->queue[byte() % SND_VFRONT_QUEUES];
	unsigned n = byte() % 6;
	uint16_t first = byte() % 64;

	run.sound = false;
	if (!q->desc.at)
		return;
	for (unsigned i = 0; i < n; i++) {
		uint64_t addr = front()->pool.base + word() % (PAGES * 4096u);
		uint32_t len = byte() & 1 ? byte() : word();

		driver_queue_raw_desc(q->desc.at, (first + i) % q->size, addr, len,
				      byte() & 7,
				      (uint16_t)((first + i + 1) % q->size));
	}
	driver_queue_raw_avail(q, driver_queue_idx(q), first);
	driver_queue_raw_idx(q, (uint16_t)(driver_queue_idx(q) + 1));
	kick();
}

static void scribble(void)
{
	struct driver_pool *pool = &front()->pool;
	uint32_t at = word();

	run.sound = false;
	for (unsigned n = byte() % 64u; n; n--, at++)
		pool->at[at % pool->bytes] = byte();
	kick();
}

/* One of the next reads of shared memory is rewritten right after it. */
static void rewrite(uint64_t k, const volatile void *p, size_t n)
{
	(void)k;
	if (run.reads && !--run.reads)
		memset((void *)(uintptr_t)p, run.with, n);
}

static void rewrite_soon(void)
{
	run.sound = false;
	run.reads = 1u + byte();
	run.with = byte();
}

static void reset(void)
{
	if (run.bed.virtio.door.state != VIRTIO_DOOR_UP)
		return;
	run.waits = 50;
	run.reads = 0;
	virtio_driver_set_status(&front()->driver, 0);
	snd_vfront_forget(&run.bed.vfront);
	driver_pool_init(&front()->pool, front()->pool.at, front()->pool.bytes,
			 front()->pool.base);
	run.sound = vfront_ready(front());
}

static void host_fails(void)
{
	struct snd_host_test *host = &run.bed.host[byte() % run.bed.card.streams];
	uint8_t how = byte();

	snd_host_test_fail(host, byte(), how);
}

static void dies(void)
{
	if (run.bed.virtio.door.state != VIRTIO_DOOR_UP)
		return;
	snd_bed_kill(&run.bed);
	settle(snd_bed_follow(&run.bed));
}

static void call_fails(void)
{
	uint8_t verb = byte(), n = byte(), how = byte();

	run.quiet = false;
	fuzz_fault(run.bed.x, verb, n, how);
}

static void limits(void)
{
	run.bed.policy.operations.per_second = 1 + byte() * 100u;
	run.bed.policy.bytes.per_second = 1 + byte() * 1000u;
	snd_virtio_limits(&run.bed.virtio, loopxen_now(run.bed.x));
	settle(snd_bed_run(&run.bed));
}

static void (*const steps[])(void) = {
	order,	    order, samples,    samples, post_event,   pass,
	pass,	    late,  kick,       chain,	scribble,     reset,
	host_fails, dies,  call_fails, limits,	rewrite_soon,
};

/* -- A run ---------------------------------------------------------------- */

static void connect(void)
{
	int r;

	run.bed.door->front_connect(&run.bed);
	front()->driver.wait = let_run;
	r = run.bed.door->connect(&run.bed, false, loopxen_now(run.bed.x));
	assert(!r);
	run.waits = 1000;
	assert(vfront_ready(front()));
}

static void begin(uint8_t which)
{
	memset(&run.quiet, 0, sizeof(run) - offsetof(typeof(run), quiet));
	run.quiet = run.sound = true;
	snd_bed_init(&run.bed, &confs[which % CONFS]);
	run.bed.vfront.pages = PAGES;
	snd_bed_start(&run.bed);
	connect();
	shared_hook_after = rewrite;
}

/* All that failed around the door fails no more. */
static void mend(void)
{
	for (unsigned verb = 0; verb < LOOPXEN_VERBS; verb++)
		loopxen_fail_left(run.bed.x, verb);
	run.bed.policy.operations = run.bed.policy.bytes =
		(struct policy_rate){1u << 30, 1u << 30};
	for (uint32_t i = 0; i < run.bed.card.streams; i++)
		snd_host_test_mend(&run.bed.host[i]);
}

/* Invariants 4 and 5. */
static void end(void)
{
	run.reads = 0;
	shared_hook_after = NULL;
	mend();
	if (!run.bed.door->is_down(&run.bed)) {
		snd_virtio_limits(&run.bed.virtio, loopxen_now(run.bed.x));
		run.bed.door->detach(&run.bed);
		if (the_door()->error)
			settle(the_door()->error);
		run.bed.door->detach(&run.bed);
		settle(snd_bed_pass(&run.bed, 2 * CLOCK_SECOND));
	}
	assert(run.bed.door->is_down(&run.bed));
	check();
	assert(run.bed.door->front_disconnect(&run.bed));
	connect();
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
