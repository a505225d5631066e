/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the virtio door of a display over loopxen, driven by a client that does
 * anything at any time, and by a card that fails.
 *
 * The first byte picks a bed; then each byte is a step (steps[]) and takes the bytes it
 * needs. Whatever the client did:
 *  1. the door's counts fit together, the policy's and the queues' bounds hold;
 *  2. what a head scans out is a resource that there is, within it, or nothing; no two
 *     resources have an id in common, and a backing lies in the pool;
 *  3. only what failed around the door ends its process;
 *  4. a door that is down has nothing mapped and nothing bound, and its heads are dark;
 *  5. the next client is served.
 *
 * Not the control page, which is any class's: virtio.c.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "tests/device/displ-bed.h"
#include "tests/front/virtio-le.h"
#include "tests/fuzz/fault.h"
#include "tests/hook/shared-hook.h"

#define PAGES  60 /* of the client's memory */
#define WIDTH  96
#define HEIGHT 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIZE .door = POLICY_VIRTIO, .pages = PAGES, .size = {WIDTH, HEIGHT}

static const struct displ_bed_conf confs[] = {
	{SIZE, .heads = 2},
	{SIZE, .heads = 4, .buffers = 2, .in_flight = 2},
	{SIZE, .formats = 1u << DISPL_XRGB8888, .flips = {20, 2}, .alpha = true},
	{SIZE, .heads = 2, .operations = {200, 20}, .bytes = {500000, 30000}},
};

#define CONFS (sizeof(confs) / sizeof(confs[0]))

static struct {
	struct displ_bed bed;
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

	return i < 224 ? list[i % n] : word();
}

static struct vfront *front(void)
{
	return &run.bed.vfront;
}

static struct virtio_door *the_door(void)
{
	return &run.bed.virtio.door;
}

/* -- What must hold ------------------------------------------------------- */

/* Invariant 2. */
static void check_resource(const struct displ_virtio_resource *r)
{
	const struct displ_virtio_resources *rs = &run.bed.virtio.resources;
	uint64_t bytes = 0;

	if (!r->id) {
		assert(!r->runs);
		return;
	}
	assert(displ_virtio_resource(rs, r->id) == r);
	assert(r->size.width && r->size.width <= WIDTH);
	assert(r->size.height && r->size.height <= HEIGHT);
	assert(r->runs <= r->runs_max);
	for (uint32_t i = 0; i < r->runs; i++) {
		assert(r->run[i].at == bytes);
		assert(r->run[i].addr >= VIRTIO_POOL_BASE);
		assert(r->run[i].addr - VIRTIO_POOL_BASE + r->run[i].bytes <=
		       PAGES * 4096u);
		bytes += r->run[i].bytes;
	}
	assert(bytes == r->bytes);
}

static void check_scanout(const struct displ_virtio_scanout *s)
{
	const struct displ_virtio_resource *r;

	if (s->place == DISPL_VIRTIO_NONE)
		return;
	assert(s->place < run.bed.virtio.resources.places);
	r = &run.bed.virtio.resources.place[s->place];
	assert(r->id && displ_rect_in(&s->rect, r->size));
}

static void check_queue(const struct virtio_queue *q)
{
	uint32_t taken = q->taken - q->published, started = q->started - q->published;

	assert(started <= taken && taken <= q->setup.size);
	assert(q->open || !taken);
}

static void check(void)
{
	const struct displ_virtio *v = &run.bed.virtio;

	if (run.bed.door->is_down(&run.bed)) {
		assert(!loopxen_back_holds(run.bed.back));
		for (uint32_t i = 0; i < v->heads; i++)
			assert(!run.bed.displ.head[i].lit);
		run.shut = true;
		return;
	}
	for (uint32_t i = 0; i < DISPL_VIRTIO_QUEUES; i++)
		check_queue(&v->door.device.queue[i]);
	for (uint32_t i = 0; i < v->resources.places; i++)
		check_resource(&v->resources.place[i]);
	for (uint32_t i = 0; i < v->heads; i++)
		check_scanout(&v->scanout[i]);
	assert(v->fenced.n <= v->door.device.busy);
	assert(v->door.device.busy <= run.bed.policy.in_flight);
}

/* Invariant 3. */
static void settle(int r)
{
	while (r < 0) {
		assert(!run.quiet);
		displ_bed_kill(&run.bed);
		r = displ_bed_follow(&run.bed);
		run.bed.scan.whole = 0;
	}
	run.shut = run.shut || r > 0;
}

/* A device that says nothing is not waited for. */
static bool let_run(void *owner)
{
	(void)owner;
	settle(displ_bed_run(&run.bed));
	return run.waits && run.waits--;
}

/* -- Steps ---------------------------------------------------------------- */

/* Some of what came back is the client's again. */
static void collect(void)
{
	uint32_t len;
	uint16_t id;

	/* A client that wrote over its rings cannot believe them. */
	for (unsigned q = 0; run.sound && q < DISPL_VIRTIO_QUEUES; q++) {
		for (unsigned i = 0; i < 64; i++) {
			if (!vchain_back(&run.bed.chains, front(), q, &id, NULL, 0,
					 &len))
				break;
		}
	}
}

static void put(unsigned queue, const void *bytes, uint32_t n, uint32_t room)
{
	if (front()->queue[queue].used.at &&
	    vchain_put(&run.bed.chains, front(), queue, 1, bytes, n, room, 0))
		vfront_push(front());
	settle(displ_bed_run(&run.bed));
}

static const uint32_t ids[] = {1, 2, 3, 4, 0};

static void put_rect(uint8_t *at)
{
	static const uint32_t from[] = {0, 0, 0, 32, 1, 63};
	static const uint32_t width[] = {WIDTH, WIDTH, 64, 32, 16, 1};
	static const uint32_t height[] = {HEIGHT, HEIGHT, 64, 32, 16, 1};

	le_put(at, 4, pick(from, 6));
	le_put(at + 4, 4, pick(from, 6));
	le_put(at + 8, 4, pick(width, 6));
	le_put(at + 12, 4, pick(height, 6));
}

/* A header, with a fence or not. */
static void put_header(uint8_t *at, uint32_t type)
{
	le_put(at, 4, type);
	le_put(at + 4, 4, byte() & 3);
	le_put(at + 8, 8, word());
}

static void create(void)
{
	static const uint32_t formats[] = {2, 1, 3, 4, 67, 68, 121, 134};
	static const uint32_t width[] = {WIDTH, WIDTH, 64, 80, 16};
	static const uint32_t height[] = {HEIGHT, HEIGHT, 64, 50, 16};
	uint8_t bytes[40] = {0};

	put_header(bytes, 0x101);
	le_put(bytes + 24, 4, pick(ids, 5));
	le_put(bytes + 28, 4, pick(formats, 8));
	le_put(bytes + 32, 4, pick(width, 5));
	le_put(bytes + 36, 4, pick(height, 5));
	put(0, bytes, sizeof(bytes), 24);
}

static void attach(void)
{
	static const uint32_t lengths[] = {WIDTH * HEIGHT * 4, 4096, 8192, 1000, 65536};
	uint8_t bytes[32 + 16 * 15] = {0};
	uint32_t n = byte() % 16;

	put_header(bytes, 0x106);
	le_put(bytes + 24, 4, pick(ids, 5));
	le_put(bytes + 28, 4, n);
	for (uint32_t i = 0; i < n; i++) {
		le_put(bytes + 32 + 16 * i, 8,
		       front()->pool.base + word() % (PAGES * 4096u));
		le_put(bytes + 40 + 16 * i, 4, pick(lengths, 5));
	}
	put(0, bytes, 32 + 16 * n, 24);
}

/* UNREF, DETACH_BACKING, GET_EDID, GET_DISPLAY_INFO, or none. */
static void simple(void)
{
	static const uint32_t types[] = {0x102, 0x107, 0x10a, 0x100, 0x10c};
	uint8_t bytes[32] = {0};

	put_header(bytes, pick(types, 5));
	le_put(bytes + 24, 4, pick(ids, 5));
	put(0, bytes, sizeof(bytes), 24 + byte() * 5u);
}

static void transfer(void)
{
	static const uint32_t offsets[] = {0, 0, 4, WIDTH * 4, 100000};
	uint8_t bytes[56] = {0};

	put_header(bytes, 0x105);
	put_rect(bytes + 24);
	le_put(bytes + 40, 8, pick(offsets, 5));
	le_put(bytes + 48, 4, pick(ids, 5));
	put(0, bytes, sizeof(bytes), 24);
}

static void set(void)
{
	uint8_t bytes[48] = {0};

	put_header(bytes, 0x103);
	put_rect(bytes + 24);
	le_put(bytes + 40, 4, byte() & 7);
	le_put(bytes + 44, 4, pick(ids, 5));
	put(0, bytes, sizeof(bytes), 24);
}

static void flush(void)
{
	uint8_t bytes[48] = {0};

	put_header(bytes, 0x104);
	put_rect(bytes + 24);
	le_put(bytes + 40, 4, pick(ids, 5));
	put(0, bytes, sizeof(bytes), 24);
}

static void point(void)
{
	uint8_t bytes[56] = {0};

	put_header(bytes, 0x300 + (byte() & 1));
	le_put(bytes + 24, 4, byte() & 7);
	le_put(bytes + 28, 4, (uint32_t)(int8_t)byte());
	le_put(bytes + 32, 4, (uint32_t)(int8_t)byte());
	le_put(bytes + 40, 4, pick(ids, 5));
	put(1, bytes, sizeof(bytes), byte() & 24);
}

/* Any bytes. */
static void junk(void)
{
	uint8_t bytes[64];
	uint32_t n = 1 + byte() % sizeof(bytes);

	for (uint32_t i = 0; i < n; i++)
		bytes[i] = byte();
	put(byte() & 1, bytes, n, byte());
}

static void pass(void)
{
	settle(displ_bed_pass(&run.bed, (byte() + 1) * CLOCK_MS / 2));
	collect();
}

static void late(void)
{
	loopxen_advance(run.bed.x, byte() * CLOCK_MS);
}

static void kick(void)
{
	loopxen_notify(run.bed.x, run.bed.dev.front, front()->port);
	settle(displ_bed_run(&run.bed));
}

/* A chain of any shape over the client's own memory, or near it. */
static void chain(void)
{
	struct driver_queue *q = &front()->queue[byte() % DISPL_VIRTIO_QUEUES];
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
	run.bed.chains = (struct vchains){0};
	driver_pool_init(&front()->pool, front()->pool.at, front()->pool.bytes,
			 front()->pool.base);
	run.sound = vfront_ready(front());
}

static void card_fails(void)
{
	if (byte() & 1)
		run.bed.scan.fail_show = -EIO;
	else
		run.bed.scan.fail_look = -EIO;
}

static void dies(void)
{
	if (run.bed.virtio.door.state != VIRTIO_DOOR_UP)
		return;
	displ_bed_kill(&run.bed);
	settle(displ_bed_follow(&run.bed));
	run.bed.scan.whole = 0;
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
	run.bed.policy.bytes.per_second = 1 + byte() * 10000u;
	displ_virtio_limits(&run.bed.virtio, loopxen_now(run.bed.x));
	settle(displ_bed_run(&run.bed));
}

static void (*const steps[])(void) = {
	create, attach,	    transfer, set,	  flush,  point,	simple,
	junk,	pass,	    pass,     late,	  kick,	  chain,	scribble,
	reset,	card_fails, dies,     call_fails, limits, rewrite_soon,
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
	displ_bed_init(&run.bed, &confs[which % CONFS]);
	displ_bed_start(&run.bed);
	run.bed.scan.whole = 0; /* of pointers */
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
	run.bed.scan.fail_show = run.bed.scan.fail_look = 0;
}

/* Invariants 4 and 5. */
static void end(void)
{
	run.reads = 0;
	shared_hook_after = NULL;
	mend();
	if (!run.bed.door->is_down(&run.bed)) {
		displ_virtio_limits(&run.bed.virtio, loopxen_now(run.bed.x));
		run.bed.door->detach(&run.bed);
		if (the_door()->error)
			settle(the_door()->error);
		run.bed.door->detach(&run.bed);
		settle(displ_bed_pass(&run.bed, 3 * CLOCK_SECOND));
	}
	assert(run.bed.door->is_down(&run.bed));
	check();
	assert(run.bed.door->front_disconnect(&run.bed));
	connect();
	assert(!displ_bed_down(&run.bed));
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
