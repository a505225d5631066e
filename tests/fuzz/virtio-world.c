/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/virtio-world.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/front/virtio-le.h"

#define RUN 256 /* pages of one pool-ref */

static const struct bed_conf confs[] = {
	{.mode = POLICY_POOL, .data_pages = 64, .discard = true},
	{.mode = POLICY_GRANT, .data_pages = 64, .discard = true},
	{.mode = POLICY_POOL,
	 .data_pages = 64,
	 .queues = 2,
	 .in_flight = 2,
	 .virtio = {.plain = true, .queues = 2, .size = 8}},
	{.mode = POLICY_GRANT,
	 .data_pages = 12,
	 .queues = 2,
	 .in_flight = 3,
	 .virtio = {.plain = true, .queues = 2, .size = 8}},
	{.mode = POLICY_POOL, .data_pages = 512, .virtio = {.pages = 300, .size = 4}},
	{.mode = POLICY_GRANT,
	 .data_pages = 24,
	 .ring_pages = 5,
	 .operations = {5, 10},
	 .bytes = {100000, 100000}},
	{.mode = POLICY_POOL,
	 .data_pages = 64,
	 .read_only = true,
	 .sector_bytes = 4096,
	 .operations = {5, 10}},
};

#define CONFS (sizeof(confs) / sizeof(confs[0]))

static struct virtio_world worlds[CONFS];

struct virtio_run run;

struct virtio_rewrite rewrite;

struct virtio_door *the_door(void)
{
	return &run.bed->virtio.door;
}

/* -- The hook -------------------------------------------------------------------- */

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

void virtio_before_read(uint64_t k, const volatile void *p, size_t len)
{
	(void)k;
	if (rewrite.set && !rewrite.after && !rewrite.left--)
		rewrite_now(p, len);
}

void virtio_after_read(uint64_t k, const volatile void *p, size_t len)
{
	(void)k;
	if (rewrite.set && rewrite.after && !rewrite.left--)
		rewrite_now(p, len);
}

/* -- The process and its door ------------------------------------------------------ */

void process_died(void)
{
	bed_kill(run.bed);
	assert(!bed_start_quiet(run.bed));
}

/* Invariant 2. */
void door_connect(bool attach)
{
	int r = blk_virtio_connect(&run.bed->virtio, attach, loopxen_now(run.bed->x));

	assert(r >= 0 || !run.quiet);
	assert(!r || !run.sound || !run.quiet);
	if (r < 0 && r != -EAGAIN)
		process_died();
}

void door_run(int (*how)(struct bed *bed))
{
	while (how(run.bed) < 0) {
		assert(!run.quiet);
		process_died();
		door_connect(true);
	}
}

/* Until all that is with the disk is home. */
void door_finish(void)
{
	door_run(bed_run);
	while (run.bed->nwaiting) {
		bed_complete(run.bed, 0);
		door_run(bed_run);
	}
}

/* -- What must hold ------------------------------------------------------------------
 */

static void check_queue(const struct virtio_queue *q)
{
	uint32_t taken = q->taken - q->published, started = q->started - q->published;

	assert(started <= taken && taken <= q->setup.size);
	assert(q->open || (!taken && !q->area[0].at && !q->area[2].at));
	assert(!q->resetting || q->open);
}

void virtio_check(void)
{
	const struct bed *bed = run.bed;
	const struct virtio_door *door = the_door();
	const struct virtio_device *d = &door->device;

	assert(d->busy <= run.in_flight);
	assert(bed->blk.busy == bed->nwaiting && d->busy >= bed->blk.busy);
	assert(!run.sound || !run.quiet || !d->stats.wrong);
	assert(!bed->policy.read_only ||
	       (!bed->blk.stats.writes && !bed->blk.stats.discards));
	for (uint32_t i = 0; i < d->conf.queues; i++)
		check_queue(&d->queue[i]);
	if (virtio_device_idle(d))
		assert(!d->busy && door->memory.nfree == door->memory.pages);
	if (door->state == VIRTIO_DOOR_DOWN)
		assert(!bed->blk.busy && !loopxen_back_holds(bed->back));
}

/* The client takes its answers. */
void client_collect(void)
{
	struct vfront_answer answer;

	while (run.sound && run.ready && vfront_answer(run.front, &answer)) {
		assert(run.out);
		run.out--;
		if (run.quiet)
			assert(answer.status <= 2);
	}
}

/* -- The client ----------------------------------------------------------------------
 */

void client_notify(void *owner)
{
	(void)owner;
	loopxen_notify(run.bed->x, run.bed->dev.front, run.front->port);
}

/* Time passes, the disk works; a device that says nothing is not waited for. */
static bool client_wait(void *owner)
{
	(void)owner;
	door_run(bed_run);
	if (run.bed->nwaiting)
		bed_complete(run.bed, 0);
	return run.waits && run.waits--;
}

static unsigned pool_pages(void)
{
	return run.bed->conf.virtio.pages ? run.bed->conf.virtio.pages : VIRTIO_PAGES;
}

static void client_grant(unsigned i)
{
	loopxen_grant_as(
		run.bed->x, run.bed->dev.front, (struct gref){VIRTIO_FIRST + i},
		run.world->pool + (size_t)i * XEN_PAGE_BYTES, run.bed->dev.back, false);
}

static void client_number(const char *key, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	vfront_key(run.front, key, text);
}

static void client_keys(void)
{
	bool grant = run.bed->conf.mode == POLICY_GRANT;
	unsigned pages = pool_pages();
	char text[32];

	vfront_key(run.front, "version", "1");
	vfront_key(run.front, "memory", grant ? "grant" : "pool");
	client_number("control-ref", run.front->control.v);
	client_number("event-channel", run.front->port.v);
	snprintf(text, sizeof(text), "%u+%u", VIRTIO_FIRST, pages < RUN ? pages : RUN);
	vfront_key(run.front, "pool-ref0", grant ? NULL : text);
	snprintf(text, sizeof(text), "%u+%u", VIRTIO_FIRST + RUN, pages - RUN);
	vfront_key(run.front, "pool-ref1", !grant && pages > RUN ? text : NULL);
}

void client_open(void)
{
	struct bed *bed = run.bed;
	struct vfront *f = run.front;
	bool grant = bed->conf.mode == POLICY_GRANT;

	*f = (struct vfront){.x = bed->x, .dev = &bed->dev, .conf = bed->conf.virtio};
	f->conf.grant = grant;
	f->conf.size = f->conf.size ? f->conf.size : 16;
	f->conf.queues = f->conf.queues ? f->conf.queues : 1;
	f->page = run.world->page;
	f->control = (struct gref){8};
	f->first = (struct gref){VIRTIO_FIRST};
	f->port = loopxen_port(bed->x, bed->dev.front, bed->dev.back);
	loopxen_grant_as(bed->x, bed->dev.front, f->control, f->page, bed->dev.back,
			 false);
	for (unsigned i = 0; i < pool_pages(); i++)
		client_grant(i);
	memset(run.world->pool, 0, VIRTIO_PAGES * XEN_PAGE_BYTES);
	memset(run.revoked, 0, sizeof(run.revoked));
	virtio_driver_init(&f->driver, f->page, client_notify, client_wait, NULL);
	client_keys();
	run.sound = true;
	run.ready = false;
	run.out = 0;
}

void client_close(void)
{
	struct bed *bed = run.bed;

	loopxen_close(bed->x, bed->dev.front, run.front->port);
	assert(loopxen_revoke(bed->x, bed->dev.front, run.front->control));
	for (unsigned i = 0; i < pool_pages(); i++) {
		if (i >= VIRTIO_PAGES || !run.revoked[i])
			assert(loopxen_revoke(bed->x, bed->dev.front,
					      (struct gref){VIRTIO_FIRST + i}));
	}
}

/* The page as the device has it; its own indices it may have to be told again. */
static void client_resync(void)
{
	struct virtio_driver *d = &run.front->driver;

	rewrite.set = false;
	for (unsigned i = 0; i < 3; i++) {
		d->taken = the_door()->msg.put;
		le32_release(d->page + DRIVER_DEVICE_PUT, d->taken);
		le32_release(d->page + DRIVER_DEVICE_TAKEN, d->taken);
		client_notify(NULL);
		door_finish();
	}
	d->taken = the_door()->msg.put;
	le32_release(d->page + DRIVER_DEVICE_TAKEN, d->taken);
	d->put = the_door()->msg.taken;
	le32_release(d->page + DRIVER_DRIVER_PUT, d->put);
	le32_release(d->page + DRIVER_DRIVER_TAKEN, d->put);
}

/* Reset and set up as a sound driver does. Invariant 4. */
void client_ready(void)
{
	struct vfront *f = run.front;
	bool came;

	if (the_door()->state != VIRTIO_DOOR_UP)
		return;
	if (!run.sound)
		client_resync();
	for (unsigned i = 0; i < VIRTIO_PAGES; i++) {
		if (run.revoked[i])
			client_grant(i);
		run.revoked[i] = false;
	}
	memset(f->request, 0, sizeof(f->request));
	driver_pool_init(&f->pool, run.world->pool, pool_pages() * XEN_PAGE_BYTES,
			 run.bed->conf.mode == POLICY_GRANT
				 ? UINT64_C(1) << 63 | (uint64_t)VIRTIO_FIRST << 12
				 : DRIVER_POOL_BASE);
	run.waits = VIRTIO_WAITS;
	run.out = 0;
	run.ready = false;
	the_door()->device.stats.wrong = 0;
	came = vfront_ready(f);
	assert(came || !run.quiet || the_door()->state != VIRTIO_DOOR_UP);
	run.sound = run.ready = came;
}

/* -- Worlds ---------------------------------------------------------------------- */

struct virtio_world *virtio_world(uint8_t n)
{
	struct virtio_world *w = &worlds[n % CONFS];
	struct bed_conf conf = confs[n % CONFS];
	unsigned pages = conf.virtio.pages ? conf.virtio.pages : VIRTIO_PAGES;

	if (w->made)
		return w;
	conf.slow = true;
	conf.door = POLICY_VIRTIO;
	bed_init(&w->bed, &conf);
	w->bed.log.burst = 1; /* nobody reads it */
	w->bed.log.per_minute = 0;
	w->page = loopxen_page(w->bed.x, w->bed.dev.front);
	w->pool = loopxen_page(w->bed.x, w->bed.dev.front);
	for (unsigned i = 1; i < pages; i++)
		loopxen_page(w->bed.x, w->bed.dev.front); /* its neighbours */
	w->policy = w->bed.policy;
	w->geometry = w->bed.slow.geometry;
	w->made = true;
	assert(!bed_start_quiet(&w->bed));
	return w;
}
