/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the virtio door of a disk over loopxen, behind the control page, driven
 * by a client that does anything at any time.
 *
 * The first byte picks a bed; then each byte is a step (steps[]) and takes the bytes it
 * needs. While all the client did was sound, its device needs no reset, and each
 * request is answered once. Whatever it did:
 *  1. the door's counts fit together, the policy's and the queues' bounds hold;
 *  2. only what failed around the door ends its process;
 *  3. a door that is down has nothing mapped, nothing bound, nothing out;
 *  4. after a reset, and for the next client, it serves.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "tests/front/virtio-le.h"
#include "tests/fuzz/fault.h"
#include "tests/fuzz/virtio-world.h"
#include "tests/hook/shared-hook.h"

#define SECOND 1000000000ull
#define IDS    64 /* requests out */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t byte(void)
{
	return run.at < run.end ? *run.at++ : 0;
}

static uint16_t word(void)
{
	uint8_t low = byte();

	return (uint16_t)(byte() << 8 | low);
}

/* -- Steps: a sound driver's ------------------------------------------------------ */

static void step_request(void)
{
	static const uint8_t types[] = {BLK_VIRTIO_IN,	    BLK_VIRTIO_OUT,
					BLK_VIRTIO_FLUSH,   BLK_VIRTIO_GET_ID,
					BLK_VIRTIO_DISCARD, BLK_VIRTIO_WRITE_ZEROES,
					BLK_VIRTIO_IN,	    99};
	uint8_t queue = byte(), type = types[byte() & 7];
	uint64_t sector = word();
	uint32_t bytes = byte() * 128u % 8193;

	if (!run.ready)
		return;
	for (unsigned id = 0; id < IDS; id++) {
		struct vfront_request *r = &run.front->request[id];

		if (r->out || r->header.at)
			continue;
		if (vfront_add(run.front, queue % run.front->conf.queues, id, type,
			       sector, bytes)) {
			run.out++;
			return;
		}
		driver_pool_put(&run.front->pool, &r->header);
		driver_pool_put(&run.front->pool, &r->data);
		driver_pool_put(&run.front->pool, &r->status);
		memset(r, 0, sizeof(*r));
		return;
	}
}

static void step_push(void)
{
	if (run.ready)
		vfront_push(run.front);
}

static void step_kick(void)
{
	client_notify(NULL);
}

static void step_ready(void)
{
	client_ready();
}

/* One queue, reset and set up again: what it had is gone. */
static void step_reset_queue(void)
{
	struct vfront *f = run.front;
	unsigned i = byte() % f->conf.queues;
	struct driver_queue *q = &f->queue[i];

	if (!run.ready || !run.sound || the_door()->state != VIRTIO_DOOR_UP)
		return;
	run.waits = VIRTIO_WAITS;
	if (!virtio_driver_reset_vqueue(&f->driver, i)) {
		assert(!run.quiet);
		run.sound = false;
		return;
	}
	client_collect();
	for (unsigned id = 0; id < IDS; id++) {
		if (!f->request[id].out || f->request[id].queue != i)
			continue;
		driver_pool_put(&f->pool, &f->request[id].header);
		driver_pool_put(&f->pool, &f->request[id].data);
		driver_pool_put(&f->pool, &f->request[id].status);
		memset(&f->request[id], 0, sizeof(f->request[id]));
		run.out--;
	}
	driver_queue_free(q);
	run.sound = driver_queue_new(q, f->conf.size, f->features & DRIVER_F_EVENT_IDX,
				     &f->pool) &&
		    virtio_driver_queue(&f->driver, i, q);
	assert(run.sound || !run.quiet);
}

static void step_config(void)
{
	struct virtio_driver *d = &run.front->driver;
	uint8_t data[44] = {0}, n = byte() % 44 + 1, offset = byte() % 16;
	uint32_t generation;
	bool accepted;

	if (!run.ready || !run.sound || the_door()->state != VIRTIO_DOOR_UP)
		return;
	run.waits = VIRTIO_WAITS;
	virtio_driver_get_config(d, offset, n, data, &generation);
	data[0] = byte() & 1;
	virtio_driver_set_config(d, generation, 32, data, 1, &accepted);
	virtio_driver_poll(d);
}

/* -- Steps: what no sound driver does ------------------------------------------------
 */

static void step_message(void)
{
	uint8_t m[DRIVER_MESSAGE] = {0}, n = byte() % 65;
	uint8_t *page = run.front->page;

	run.sound = false;
	m[0] = byte() & 3;
	m[1] = byte() % 0x44;
	m[4] = 1;
	le_put(m + 6, 2, n < 8 ? word() : n);
	for (unsigned i = 8; i < n; i++)
		m[i] = byte();
	memcpy(page + DRIVER_DRIVER_SLOT + run.front->driver.put % 16 * 64, m, 64);
	le32_release(page + DRIVER_DRIVER_PUT, ++run.front->driver.put);
	if (n & 1)
		client_notify(NULL);
}

static void step_write_page(void)
{
	uint32_t at = word(), n = byte() % 64u;

	run.sound = false;
	for (; n; n--, at++)
		run.front->page[at % XEN_PAGE_BYTES] = byte();
}

static void step_write_pool(void)
{
	uint32_t at = word() * 4u, n = byte() % 64u;

	run.sound = false;
	for (; n; n--, at++)
		run.world->pool[at % (VIRTIO_PAGES * XEN_PAGE_BYTES)] = byte();
}

static void step_index(void)
{
	struct driver_queue *q = &run.front->queue[byte() % run.front->conf.queues];
	int8_t by = (int8_t)byte();

	run.sound = false;
	if (!run.ready)
		return;
	driver_queue_raw_idx(q, (uint16_t)(driver_queue_idx(q) + by));
	client_notify(NULL);
}

/* A chain of raw descriptors, near what is sound. */
static void step_chain(void)
{
	static const uint64_t bases[] = {
		0, 16, 4096, 1u << 20, 300u << 12, UINT64_C(1) << 44, 8, UINT64_MAX};
	struct driver_queue *q = &run.front->queue[byte() % run.front->conf.queues];
	unsigned n = byte() % 6;
	uint16_t first = byte() % run.front->conf.size;

	run.sound = false;
	if (!run.ready)
		return;
	for (unsigned i = 0; i < n; i++) {
		uint64_t addr = run.front->pool.base + bases[byte() & 7] + word();
		uint32_t len = word();

		len = len > 0xff00 ? len << 16 | len : len;
		driver_queue_raw_desc(q->desc.at, (first + i) % q->size, addr, len,
				      byte() & 7, (first + i + 1) % q->size);
	}
	driver_queue_raw_avail(q, driver_queue_idx(q), first);
	driver_queue_raw_idx(q, (uint16_t)(driver_queue_idx(q) + 1));
	client_notify(NULL);
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

static void step_revoke(void)
{
	unsigned i = byte() % VIRTIO_PAGES;

	run.sound = false;
	if (!run.revoked[i])
		run.revoked[i] = loopxen_revoke(run.bed->x, run.bed->dev.front,
						(struct gref){VIRTIO_FIRST + i});
}

/* -- Steps: the back end's side -----------------------------------------------------
 */

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

	if (run.bed->nwaiting)
		bed_fail(run.bed, i % run.bed->nwaiting, errors[how & 7]);
}

static void step_advance(void)
{
	loopxen_advance(run.bed->x, byte() * SECOND);
}

static void step_kill(void)
{
	bool up = the_door()->state == VIRTIO_DOOR_UP;

	process_died();
	if (up)
		door_connect(true);
}

/* A planned end; what follows goes on, or (after step_connect()) begins anew. */
static void step_detach(void)
{
	virtio_door_detach(the_door());
	if (the_door()->error) {
		assert(!run.quiet);
		process_died();
	}
}

static void step_restart(void)
{
	step_detach();
	door_finish();
	if (the_door()->state != VIRTIO_DOOR_DOWN) { /* it died of a fault instead */
		assert(!run.quiet);
		return;
	}
	door_connect(true);
	assert(the_door()->state == VIRTIO_DOOR_UP || !run.sound || !run.quiet);
}

static void step_connect(void)
{
	if (the_door()->state != VIRTIO_DOOR_DOWN)
		return;
	client_close();
	client_open();
	rewrite.set = false;
	door_connect(false);
	the_door()->device.stats.wrong = 0;
	client_ready();
}

static void step_resize(void)
{
	run.bed->bytes = (uint64_t)word() % (BED_SECTORS + 1) * 512;
	blk_resize(&run.bed->blk);
	blk_virtio_resized(&run.bed->virtio);
}

static void step_limits(void)
{
	struct policy *policy = &run.bed->policy;

	policy->in_flight = 1u + byte() % 16u;
	if (run.in_flight < policy->in_flight)
		run.in_flight = policy->in_flight;
	policy->operations.per_second = policy->operations.burst = 1u + word();
	blk_virtio_limits(&run.bed->virtio, loopxen_now(run.bed->x));
}

static void step_fault(void)
{
	uint8_t verb = byte(), n = byte(), how = byte();

	run.quiet = false;
	fuzz_fault(run.bed->x, verb, n, how);
}

static void (*const steps[])(void) = {
	step_request, step_push,    step_turn,	     step_complete,    step_run,
	step_chain,   step_message, step_write_page, step_write_pool,  step_index,
	step_rewrite, step_revoke,  step_ready,	     step_reset_queue, step_config,
	step_kick,    step_fail,    step_advance,    step_kill,	       step_detach,
	step_restart, step_connect, step_resize,     step_limits,      step_fault,
};

/* -- A run ---------------------------------------------------------------------- */

static void run_begin(struct virtio_world *w)
{
	w->bed.policy = w->policy;
	w->bed.slow.geometry = w->geometry;
	w->bed.bytes = (uint64_t)BED_SECTORS * 512;
	run.world = w;
	run.bed = &w->bed;
	run.front = &w->bed.vfront;
	run.in_flight = w->policy.in_flight;
	run.quiet = true;
	rewrite.set = false;
	shared_hook = virtio_before_read;
	shared_hook_after = virtio_after_read;
	w->bed.blk.stats = (struct blk_stats){0};
	blk_resize(&w->bed.blk);
	client_open();
	the_door()->device.stats.wrong = 0;
	door_connect(false);
	client_ready();
}

/* All that was asked is answered, if nobody stood in the way. */
static void run_settle(void)
{
	step_push();
	client_notify(NULL);
	door_finish();
	virtio_check();
	client_collect();
	assert(!run.out || !run.sound || !run.quiet);
	client_ready(); /* which serves again, whatever was before */
	if (!run.ready)
		return;
	step_request();
	step_push();
	door_finish();
	virtio_check();
	client_collect();
	assert(!run.out || !run.quiet);
}

static void run_end(void)
{
	rewrite.set = false;
	for (unsigned verb = 0; verb < LOOPXEN_VERBS; verb++)
		loopxen_fail_left(run.bed->x, verb);
	if (the_door()->state == VIRTIO_DOOR_UP)
		run_settle();
	virtio_door_detach(the_door());
	door_finish();
	assert(the_door()->state == VIRTIO_DOOR_DOWN);
	virtio_check();
	client_close();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run.at = data;
	run.end = data + size;
	run_begin(virtio_world(byte()));
	while (run.at < run.end) {
		steps[byte() % (sizeof(steps) / sizeof(steps[0]))]();
		virtio_check();
		client_collect();
	}
	run_end();
	return 0;
}
