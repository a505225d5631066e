/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the PV door of a disk over loopxen, driven by a client that does
 * anything at any time.
 *
 * The first byte picks a bed; then each byte is a step (steps[]) and takes the
 * bytes it needs. While all the client did was sound, each request is answered
 * once, and nothing is answered that was not asked. Whatever it did:
 *  1. the door's counts fit together, the policy's and the rings' bounds hold;
 *  2. only what failed around the door ends its process;
 *  3. a door that is down has nothing mapped, nothing bound, nothing out;
 *  4. the next client is served.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "tests/fuzz/client.h"
#include "tests/fuzz/fault.h"
#include "tests/hook/shared-hook.h"

#define SECOND 1000000000ull
#define IDS    8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct bed_conf confs[] = {
	{.mode = POLICY_MAP, .data_pages = 64, .ring_pages = 1, .discard = true},
	{.mode = POLICY_MAP,
	 .data_pages = 64,
	 .ring_pages = 1,
	 .front.persistent = true},
	{.mode = POLICY_COPY, .data_pages = 64, .ring_pages = 1, .discard = true},
	{.mode = POLICY_COPY,
	 .data_pages = 32,
	 .ring_pages = 2,
	 .queues = 2,
	 .front = {.queues = 2, .protocol = "x86_32-abi"}},
	{.mode = POLICY_MAP,
	 .data_pages = 12,
	 .ring_pages = 2,
	 .in_flight = 4,
	 .operations = {5, 10},
	 .bytes = {100000, 100000},
	 .front.order = 1},
	{.mode = POLICY_MAP,
	 .data_pages = 24,
	 .ring_pages = 4,
	 .persistent_pages = 8,
	 .queues = 2,
	 .discard = true,
	 .front = {.queues = 2, .persistent = true, .order = 1}},
	{.mode = POLICY_MAP,
	 .data_pages = 64,
	 .ring_pages = 1,
	 .read_only = true,
	 .sector_bytes = 4096,
	 .front.protocol = "x86_32-abi"},
	{.mode = POLICY_COPY,
	 .data_pages = 11,
	 .ring_pages = 1,
	 .in_flight = 2,
	 .client_pages = POLICY_READABLE},
};

#define CONFS (sizeof(confs) / sizeof(confs[0]))

static struct world {
	bool made;
	struct bed bed;
	struct client client;
	struct policy policy; /* as at first */
	struct blk_geometry geometry;
} worlds[CONFS];

static struct {
	const uint8_t *at, *end; /* what is left of the input */
	struct bed *bed;
	struct client *client;
	uint32_t in_flight; /* the most that was allowed */
	bool sound;	    /* the client did all as it should */
	bool quiet;	    /* nothing failed around the door */
	bool wakes;	    /* the client's port is open */
	bool asked[IDS];    /* and not answered */
	unsigned ids, out;  /* ids of this run; of them not answered */
} run;

/* What the next read number @left sees, or what a second look would. */
static struct {
	bool set, after, flip;
	uint8_t left, with;
} rewrite;

static uint8_t byte(void)
{
	return run.at < run.end ? *run.at++ : 0;
}

static uint16_t word(void)
{
	uint8_t low = byte();

	return (uint16_t)(byte() << 8 | low);
}

static struct front *queue(uint8_t n)
{
	return &run.client->queue[n % run.client->queues];
}

/* -- The hook ----------------------------------------------------------------- */

static void rewrite_now(const volatile void *p, size_t len)
{
	uint8_t *at = loopxen_back_client_view(run.bed->back, p);

	rewrite.set = false;
	if (!at)
		return;
	if (rewrite.flip)
		at[0] ^= rewrite.with;
	else
		memset(at, rewrite.with, len);
}

static void before_read(uint64_t k, const volatile void *p, size_t len)
{
	(void)k;
	if (rewrite.set && !rewrite.after && !rewrite.left--)
		rewrite_now(p, len);
}

static void after_read(uint64_t k, const volatile void *p, size_t len)
{
	(void)k;
	if (rewrite.set && rewrite.after && !rewrite.left--)
		rewrite_now(p, len);
}

/* -- The process and its door --------------------------------------------------- */

static void process_died(void)
{
	bed_kill(run.bed);
	assert(!bed_start_quiet(run.bed));
	run.bed->broken = 0;
}

/* Invariant 2. */
static void door_connect(bool attach)
{
	int r = blk_pv_connect(&run.bed->pv, attach, loopxen_now(run.bed->x));

	assert(r >= 0 || !run.quiet);
	assert(!r || !run.sound || !run.quiet || !run.wakes);
	if (r < 0 && r != -EAGAIN)
		process_died();
}

static void door_run(int (*how)(struct bed *bed))
{
	while (how(run.bed) < 0) {
		assert(!run.quiet);
		process_died();
		door_connect(true);
	}
}

/* Until all that is with the disk is home. */
static void door_finish(void)
{
	door_run(bed_run);
	while (run.bed->nwaiting) {
		bed_complete(run.bed, 0);
		door_run(bed_run);
	}
}

/* -- What must hold --------------------------------------------------------------- */

static void check_queue(const struct blk_queue *q)
{
	uint32_t window = q->ring.req_cons - q->ring.rsp_prod;

	assert(window <= q->ring.entries && q->ring.entries <= q->slots);
	assert(q->gathered - q->ring.rsp_prod <= window);
	assert(q->ring.req_prod - q->ring.rsp_prod <= q->ring.entries);
	assert(q->ring.pushed == q->ring.rsp_prod || q->pv->why);
}

static void check(void)
{
	const struct bed *bed = run.bed;
	const struct blk_pv *pv = &bed->pv;

	assert(pv->state <= BLK_PV_STOPPING && pv->busy <= run.in_flight);
	assert(bed->blk.busy == bed->nwaiting && pv->busy >= bed->blk.busy);
	assert(pv->stats.answers <= pv->stats.requests);
	assert(loopxen_back_pages(bed->back) <= bed->policy.data_pages);
	assert(bed->broken <= 1 && (!bed->broken || !run.sound));
	assert(!bed->policy.read_only ||
	       (!bed->blk.stats.writes && !bed->blk.stats.discards));
	if (pv->state != BLK_PV_DOWN) {
		for (uint32_t i = 0; i < pv->queues; i++)
			check_queue(&pv->queue[i]);
		return;
	}
	/* Invariant 3. */
	assert(!pv->busy && !bed->blk.busy && !loopxen_back_holds(bed->back));
}

/* The client takes its answers. */
static void collect(void)
{
	struct front_rsp rsp;

	for (unsigned i = 0; run.sound && i < run.client->queues; i++) {
		while (front_answer(&run.client->queue[i], &rsp)) {
			assert(rsp.id < run.ids && run.asked[rsp.id]);
			run.asked[rsp.id] = false;
			run.out--;
		}
	}
}

/* -- Steps: requests ----------------------------------------------------------- */

/* A client that is sound does not overwrite what was not answered. */
static bool room(const struct front *f)
{
	return run.ids < IDS && (!run.sound || f->req_prod - f->rsp_cons < f->entries);
}

static uint64_t new_id(void)
{
	run.asked[run.ids] = true;
	run.out++;
	return run.ids++;
}

static void segments(struct front_buf *bufs, unsigned n)
{
	uint8_t page = byte(), sectors = byte();

	for (unsigned i = 0; i < n; i++) {
		bufs[i] = run.client->page[(page + i) % CLIENT_PAGES];
		if (i)
			continue;
		bufs[i].first = sectors & 15;
		bufs[i].last = sectors >> 4;
	}
}

static void step_request(void)
{
	struct front_buf bufs[BLKIF_SEGMENTS_MAX];
	struct front *f = queue(byte());
	uint8_t op = byte(), n = byte() % 14;
	uint64_t sector = word();

	segments(bufs, BLKIF_SEGMENTS_MAX);
	if (room(f))
		front_rw(f, op & 7, new_id(), sector, bufs, n);
}

static void step_indirect(void)
{
	static struct front_buf bufs[BLKIF_INDIRECT_MAX];
	struct front *f = queue(byte());
	uint8_t op = byte();
	uint16_t n = byte(), sector = word();

	segments(bufs, n);
	if (room(f))
		front_indirect(f, op & 7, new_id(), sector, bufs, n,
			       &run.client->page[byte() % CLIENT_PAGES]);
}

static void step_simple(void)
{
	struct front *f = queue(byte());
	uint8_t op = byte();
	uint64_t sector = word(), sectors = word();

	if (room(f))
		front_simple(f, op & 7, new_id(), sector, sectors);
}

static void step_push(void)
{
	front_push(queue(byte()));
}

static void step_kick(void)
{
	front_kick(queue(byte()));
}

/* -- Steps: what no sound client does --------------------------------------------- */

static void step_write_ring(void)
{
	struct front *f = queue(byte());
	uint32_t at = word(), n = byte() % 128u;

	run.sound = false;
	for (; n; n--, at++)
		f->ring[at % (f->pages * XEN_PAGE_BYTES)] = byte();
}

static void step_index(void)
{
	struct front *f = queue(byte());
	uint8_t which = byte();

	run.sound = false;
	front_header(f)[which & 3] += (uint32_t)(int8_t)byte() << (which >> 3);
}

static void step_write_page(void)
{
	struct front_buf *buf = &run.client->page[byte() % CLIENT_PAGES];
	uint32_t at = word(), n = byte() % 64u;

	for (; n; n--, at++)
		buf->page[at % XEN_PAGE_BYTES] = byte();
}

static void step_rewrite(void)
{
	uint8_t how = byte();

	run.sound = false;
	rewrite.set = true;
	rewrite.after = how & 1;
	rewrite.flip = how & 2;
	rewrite.left = byte();
	rewrite.with = byte();
}

static void step_grant(void)
{
	client_toggle(run.client, byte() % CLIENT_PAGES);
}

static void step_close_port(void)
{
	struct front *f = queue(byte());

	loopxen_close(f->x, f->dev->front, f->port);
	run.wakes = false;
}

/* -- Steps: the back end's side ------------------------------------------------- */

static void step_turn(void)
{
	door_run(bed_run_now);
}

static void step_run(void)
{
	door_run(bed_run);
}

static void step_complete(void)
{
	uint8_t i = byte();

	if (run.bed->nwaiting)
		bed_complete(run.bed, i % run.bed->nwaiting);
}

static void step_fail(void)
{
	static const int errors[] = {EIO,    ENOSPC, EFAULT, EOPNOTSUPP,
				     EAGAIN, EINTR,  EDQUOT, EINVAL};
	uint8_t i = byte(), how = byte();

	if (!run.bed->nwaiting)
		return;
	i %= run.bed->nwaiting;
	if (how < 128)
		bed_fail(run.bed, i, errors[how & 7]);
	else if (run.bed->waiting[i]->left > 512u * (how & 7))
		bed_fail(run.bed, i, -512 * (how & 7)); /* a part of it is done */
}

static void step_advance(void)
{
	loopxen_advance(run.bed->x, byte() * SECOND);
	if (blk_pv_tick(&run.bed->pv, loopxen_now(run.bed->x)) >= 0)
		return;
	assert(!run.quiet);
	process_died();
	door_connect(true);
}

static void step_detach(void)
{
	blk_pv_detach(&run.bed->pv);
	if (run.bed->pv.error) {
		assert(!run.quiet);
		process_died();
	}
}

/* A new client on the same pages; what the last one waits for, it waits for. */
static void step_connect(void)
{
	if (run.bed->pv.state != BLK_PV_DOWN)
		return;
	collect();
	memset(run.asked, 0, run.ids);
	run.ids = run.out = 0;
	client_close(run.client);
	client_open(run.client);
	client_keys(run.client);
	run.sound = run.wakes = true;
	rewrite.set = false;
	run.bed->broken = 0;
	door_connect(false);
}

static void step_kill(void)
{
	bool up = run.bed->pv.state == BLK_PV_UP;

	process_died();
	if (up)
		door_connect(true);
}

static void step_resize(void)
{
	run.bed->bytes = (uint64_t)word() % (BED_SECTORS + 1) * 512;
	blk_resize(&run.bed->blk);
	if (run.bed->pv.state == BLK_PV_DOWN)
		return;
	assert(blk_pv_resized(&run.bed->pv) >= 0 || !run.quiet);
}

static void step_limits(void)
{
	struct policy *policy = &run.bed->policy;

	policy->in_flight = 1u + byte() % 16u;
	if (run.in_flight < policy->in_flight)
		run.in_flight = policy->in_flight;
	policy->operations.per_second = policy->operations.burst = 1u + word();
	blk_pv_limits(&run.bed->pv, loopxen_now(run.bed->x));
}

static void step_fault(void)
{
	uint8_t verb = byte(), n = byte(), how = byte();

	run.quiet = false;
	fuzz_fault(run.bed->x, verb, n, how);
}

static void (*const steps[])(void) = {
	step_request,	 step_push,    step_turn,	step_complete, step_indirect,
	step_simple,	 step_run,     step_kick,	step_fail,     step_write_ring,
	step_index,	 step_rewrite, step_write_page, step_grant,    step_connect,
	step_detach,	 step_kill,    step_advance,	step_limits,   step_resize,
	step_close_port, step_fault,
};

/* -- A run -------------------------------------------------------------------- */

static struct world *world(uint8_t n)
{
	struct world *w = &worlds[n % CONFS];
	struct bed_conf conf = confs[n % CONFS];

	if (w->made)
		return w;
	conf.slow = true;
	bed_init(&w->bed, &conf);
	w->bed.log.burst = 1; /* nobody reads it */
	w->bed.log.per_minute = 0;
	client_init(&w->client, &w->bed);
	w->policy = w->bed.policy;
	w->geometry = w->bed.slow.geometry;
	w->made = true;
	assert(!bed_start_quiet(&w->bed));
	return w;
}

static void run_begin(struct world *w)
{
	w->bed.policy = w->policy;
	w->bed.slow.geometry = w->geometry;
	w->bed.bytes = (uint64_t)BED_SECTORS * 512;
	run.bed = &w->bed;
	run.client = &w->client;
	run.in_flight = w->policy.in_flight;
	run.sound = run.quiet = run.wakes = true;
	run.ids = run.out = 0;
	rewrite.set = false;
	shared_hook = before_read;
	shared_hook_after = after_read;
	run.bed->broken = run.bed->detached = 0;
	blk_resize(&run.bed->blk);
	client_open(run.client);
	client_keys(run.client);
	door_connect(false);
}

/* All that was asked is answered, if nobody stood in the way. */
static void run_settle(void)
{
	for (unsigned i = 0; i < run.client->queues; i++)
		front_push(&run.client->queue[i]);
	door_finish();
	check();
	collect();
	assert(run.out == 0 || !run.sound || !run.quiet || !run.wakes ||
	       run.bed->pv.state == BLK_PV_DOWN);
}

static void run_end(void)
{
	rewrite.set = false;
	for (unsigned verb = 0; verb < LOOPXEN_VERBS; verb++)
		loopxen_fail_left(run.bed->x, verb);
	if (run.bed->pv.state == BLK_PV_UP)
		run_settle();
	blk_pv_detach(&run.bed->pv);
	door_finish();
	assert(run.bed->pv.state == BLK_PV_DOWN);
	check();
	client_close(run.client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run.at = data;
	run.end = data + size;
	run_begin(world(byte()));
	while (run.at < run.end) {
		steps[byte() % (sizeof(steps) / sizeof(steps[0]))]();
		check();
		collect();
	}
	run_end();
	return 0;
}
