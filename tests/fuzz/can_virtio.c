/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the virtio door of a CAN controller over loopxen, driven by a client
 * that does anything at any time, and by a bus that does, too.
 *
 * The first byte picks a bed; then each byte is a step (steps[]) and takes the bytes it
 * needs. While all the client did was sound, its device needs no reset, and each
 * message is answered once. Whatever it did:
 *  1. what is on the bus is a frame, and one that the policy allows;
 *  2. the door's counts fit together, the policy's and the queues' bounds hold;
 *  3. only what failed around the door ends its process;
 *  4. a door that is down has nothing mapped, nothing bound, nothing out;
 *  5. after a reset, and for the next client, it serves.
 *
 * Not the control page, which is any class's: virtio.c.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "tests/device/can-bed.h"
#include "tests/front/virtio-le.h"
#include "tests/fuzz/can-input.h"
#include "tests/fuzz/fault.h"

#define MS    1000000ull
#define PAGES 40 /* of the client's memory */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct can_bed_conf confs[] = {
	{.mode = POLICY_POOL},
	{.mode = POLICY_GRANT, .data_pages = 64, .front.grant = true},
	{.mode = POLICY_POOL,
	 .holds = true,
	 .in_flight = 4,
	 .transmit = "100-1ff,00000100-000001ff",
	 .front = {.late_ack = true, .plain = true}},
	{.mode = POLICY_GRANT,
	 .data_pages = 20,
	 .holds = true,
	 .mute = true,
	 .in_flight = 6,
	 .receive_queue = 16,
	 .errors = true,
	 .front = {.late_ack = true, .grant = true, .plain = true}},
	{.mode = POLICY_POOL,
	 .no_fd = true,
	 .operations = {50, 5},
	 .bytes = {2000, 200},
	 .receive_rate = {50, 5},
	 .receive_queue = 16,
	 .overflow = CAN_DROP_NEWEST},
	{.mode = POLICY_GRANT,
	 .data_pages = 16,
	 .listen_only = true,
	 .front.grant = true},
};

#define CONFS (sizeof(confs) / sizeof(confs[0]))

static struct world {
	bool made;
	struct can_bed bed;
	struct policy policy; /* as at first */
} worlds[CONFS];

static struct {
	struct can_bed *bed;
	struct can_front_virtio *front;
	uint32_t in_flight; /* the most that was allowed */
	bool sound;	    /* the client did all as it should */
	bool quiet;	    /* nothing failed around the door */
	bool ready;	    /* the driver set DRIVER_OK */
	unsigned asked;	    /* frames and orders, not answered */
	unsigned waits;
} run;

static uint8_t byte(void)
{
	return can_input_byte();
}

static uint16_t word(void)
{
	return can_input_word();
}

static struct virtio_door *the_door(void)
{
	return &run.bed->virtio.door;
}

/* -- The process and its door ----------------------------------------------- */

static void process_died(void)
{
	int r;

	can_bed_kill(run.bed);
	r = can_bed_start_quiet(run.bed);
	assert(!r);
}

/* Invariant 3. */
static void door_connect(bool attach)
{
	int r = run.bed->door->connect(run.bed, attach, loopxen_now(run.bed->x));

	assert(r >= 0 || !run.quiet);
	assert(!r || !run.sound || !run.quiet);
	if (r < 0 && r != -EAGAIN)
		process_died();
}

static void door_run(int (*how)(struct can_bed *bed))
{
	while (how(run.bed) < 0) {
		assert(!run.quiet);
		process_died();
		door_connect(true);
	}
}

/* Until the bus has done all that it was given. */
static void door_finish(void)
{
	door_run(can_bed_run);
	while (run.bed->test.bus.waiting || run.bed->test.nwritten) {
		while (run.bed->test.bus.waiting)
			can_bus_test_write(&run.bed->test, 0);
		while (run.bed->test.nwritten)
			can_bus_test_echo(&run.bed->test);
		door_run(can_bed_run);
	}
}

/* -- What must hold --------------------------------------------------------- */

static void check_queue(const struct virtio_queue *q)
{
	uint32_t taken = q->taken - q->published, started = q->started - q->published;

	assert(started <= taken && taken <= q->setup.size);
	assert(q->open || (!taken && !q->area[0].at && !q->area[2].at));
	assert(!q->resetting || q->open);
}

static void check(void)
{
	const struct can_bed *bed = run.bed;
	const struct virtio_device *d = &the_door()->device;
	const struct virtio_memory *m = &the_door()->memory;

	can_input_check_bus();
	assert(d->busy <= run.in_flight);
	assert(!run.sound || !run.quiet || !d->stats.wrong);
	for (uint32_t i = 0; i < CAN_VIRTIO_QUEUES; i++)
		check_queue(&d->queue[i]);
	assert(!can_busy(&bed->can) || bed->virtio.connected);
	if (virtio_device_idle(d))
		assert(!d->busy && m->nfree == m->pages && !can_busy(&bed->can));
	if (the_door()->state != VIRTIO_DOOR_DOWN)
		return;
	assert(!bed->virtio.connected && !bed->test.bus.waiting);
	assert(!loopxen_back_holds(bed->back));
}

/* The client takes its answers, and what came. */
static void collect(void)
{
	const struct can_front_ops *ops = run.bed->front->ops;
	struct can_front_answer answer;
	struct can_event event;

	if (!run.sound || !run.ready)
		return;
	while (ops->answer(run.bed->front, &answer) ||
	       ops->controlled(run.bed->front, &answer)) {
		assert(run.asked);
		run.asked--;
	}
	run.waits = 20;
	while (ops->event(run.bed->front, &event))
		assert(event.kind != CAN_EVENT_FRAME || can_frame_ok(&event.frame));
}

/* -- Steps: a sound driver's ---------------------------------------------------- */

static void step_frame(void)
{
	struct canfd_frame frame = can_frame(word() & CAN_SFF_MASK, 8, 7);
	uint8_t how = byte();

	frame.len = how >> 3 & 15;
	if (how & 1)
		frame.can_id |= CAN_EFF_FLAG | (uint32_t)byte() << 16;
	if (how & 2)
		frame.can_id |= CAN_RTR_FLAG;
	if (how & 4)
		frame.flags = CANFD_FDF;
	if (run.ready)
		run.asked += run.bed->front->ops->send(run.bed->front, 1, &frame);
}

/* Any header, and any data behind it; which is sound, too. */
static void step_header(void)
{
	uint8_t bytes[CAN_FRONT_HEADER + 64] = {0};

	can_front_header_put(bytes, word() & 0x201, byte(), (uint32_t)byte() << 13,
			     word() | (uint32_t)(byte() & 3) << 28);
	if (run.ready)
		run.asked += can_front_chain(run.front, CAN_FRONT_TX, 2, bytes,
					     CAN_FRONT_HEADER + byte() % 65u, 1);
}

static void step_start(void)
{
	if (run.ready)
		run.asked += run.bed->front->ops->control(run.bed->front, 3, true);
}

static void step_stop(void)
{
	if (run.ready)
		run.asked += run.bed->front->ops->control(run.bed->front, 4, false);
}

static void step_order(void)
{
	uint8_t bytes[2] = {byte(), byte() & 3};

	if (run.ready)
		run.asked +=
			can_front_chain(run.front, CAN_FRONT_CONTROL, 5, bytes, 2, 1);
}

static void step_post(void)
{
	for (unsigned n = byte() % 40; run.ready && n; n--)
		run.bed->front->ops->post(run.bed->front);
}

static void step_push(void)
{
	if (run.ready)
		run.bed->front->ops->push(run.bed->front);
}

static void step_kick(void)
{
	run.bed->front->ops->kick(run.bed->front);
}

/* The page as the device has it, whatever was read of it in between. */
static void resync(void)
{
	struct virtio_driver *d = &run.front->v.driver;

	can_input.rewrite.set = false;
	for (unsigned i = 0; i < 3; i++) {
		d->taken = the_door()->msg.put;
		le32_release(d->page + DRIVER_DEVICE_PUT, d->taken);
		le32_release(d->page + DRIVER_DEVICE_TAKEN, d->taken);
		step_kick();
		door_run(can_bed_run);
	}
	d->taken = the_door()->msg.put;
	le32_release(d->page + DRIVER_DEVICE_TAKEN, d->taken);
	d->put = the_door()->msg.taken;
	le32_release(d->page + DRIVER_DRIVER_PUT, d->put);
	le32_release(d->page + DRIVER_DRIVER_TAKEN, d->put);
}

/* Reset and set up as a sound driver does. Invariant 5. */
static void step_ready(void)
{
	struct vfront *v = &run.front->v;
	bool came;

	if (the_door()->state != VIRTIO_DOOR_UP)
		return;
	if (!run.sound)
		resync();
	driver_pool_init(&v->pool, v->pool.at, v->pool.bytes, v->pool.base);
	run.waits = 200;
	run.ready = false;
	run.asked = 0;
	the_door()->device.stats.wrong = 0;
	came = vfront_ready(v);
	assert(came || !run.quiet || the_door()->state != VIRTIO_DOOR_UP);
	can_front_forget(run.front);
	run.sound = run.ready = came;
}

/* One queue, reset and set up again: what it had is gone. */
static void step_reset_queue(void)
{
	unsigned queue = byte() % CAN_FRONT_QUEUES;
	struct vfront *v = &run.front->v;
	struct driver_queue *q = &v->queue[queue];

	if (!run.ready || !run.sound || the_door()->state != VIRTIO_DOOR_UP)
		return;
	run.waits = 200;
	run.sound = virtio_driver_reset_vqueue(&v->driver, queue);
	assert(run.sound || !run.quiet);
	if (!run.sound)
		return;
	collect();
	if (queue != CAN_FRONT_RX)
		run.asked -= (uint16_t)(q->added - q->got);
	driver_queue_init(q, q->size, q->event_idx,
			  (struct driver_block[]){q->desc, q->avail, q->used},
			  &v->pool);
	run.sound = virtio_driver_queue(&v->driver, queue, q);
	assert(run.sound || !run.quiet);
}

/* -- Steps: what no sound driver does -------------------------------------------- */

static void step_write_memory(void)
{
	uint32_t at = word() * 4u, n = byte() % 64u;
	struct driver_pool *pool = &run.front->v.pool;

	run.sound = false;
	for (; n; n--, at++)
		pool->at[at % pool->bytes] = byte();
}

static void step_index(void)
{
	struct driver_queue *q = &run.front->v.queue[byte() % CAN_FRONT_QUEUES];
	int8_t by = (int8_t)byte();

	run.sound = false;
	if (!run.ready)
		return;
	driver_queue_raw_idx(q, (uint16_t)(driver_queue_idx(q) + by));
	step_kick();
}

/* A chain of any shape over the client's own memory, or near it. */
static void step_chain(void)
{
	struct driver_queue *q = &run.front->v.queue[byte() % CAN_FRONT_QUEUES];
	unsigned n = byte() % 6;
	uint16_t first = byte() % 128;

	run.sound = false;
	if (!run.ready)
		return;
	for (unsigned i = 0; i < n; i++) {
		uint64_t addr = run.front->v.pool.base + word() * 3u;
		uint32_t len = byte() & 1 ? byte() : word();

		driver_queue_raw_desc(q->desc.at, (first + i) % q->size, addr, len,
				      byte() & 7,
				      (uint16_t)((first + i + 1) % q->size));
	}
	driver_queue_raw_avail(q, driver_queue_idx(q), first);
	driver_queue_raw_idx(q, (uint16_t)(driver_queue_idx(q) + 1));
	step_kick();
}

static void step_rewrite(void)
{
	run.sound = false;
	can_input_rewrite();
}

/* -- Steps: the back end's side --------------------------------------------------- */

static void step_turn(void)
{
	door_run(can_bed_run_now);
}

static void step_run(void)
{
	door_run(can_bed_run);
}

static void step_advance(void)
{
	loopxen_advance(run.bed->x, byte() * 20 * MS);
}

static void step_kill(void)
{
	bool up = the_door()->state == VIRTIO_DOOR_UP;

	process_died();
	if (up)
		door_connect(true);
}

static void step_detach(void)
{
	can_bed_detach(run.bed);
	if (the_door()->error) {
		assert(!run.quiet);
		process_died();
	}
}

static void step_restart(void)
{
	step_detach();
	door_run(can_bed_run);
	if (the_door()->state != VIRTIO_DOOR_DOWN) { /* it died of a fault instead */
		assert(!run.quiet);
		return;
	}
	door_connect(true);
}

static void client_open(void)
{
	run.front->pages = PAGES;
	run.front->again = true;
	run.bed->front->ops->connect(run.bed->front);
	run.sound = true;
	run.ready = false;
	run.asked = 0;
}

static void client_close(void)
{
	bool clean = run.bed->front->ops->disconnect(run.bed->front);

	assert(clean);
}

static void step_connect(void)
{
	if (the_door()->state != VIRTIO_DOOR_DOWN)
		return;
	client_close();
	client_open();
	can_input.rewrite.set = false;
	door_connect(false);
	step_ready();
}

static void step_limits(void)
{
	struct policy *policy = &run.bed->policy;

	policy->in_flight = 1u + byte() % 16u;
	if (run.in_flight < policy->in_flight)
		run.in_flight = policy->in_flight;
	policy->operations.per_second = policy->operations.burst = 1u + word();
	run.bed->door->limits(run.bed, loopxen_now(run.bed->x));
}

static void step_fault(void)
{
	uint8_t verb = byte(), n = byte(), how = byte();

	run.quiet = false;
	fuzz_fault(run.bed->x, verb, n, how);
}

static void (*const steps[])(void) = {
	step_frame,	step_push,	   step_turn,	      step_header,
	step_run,	step_chain,	   step_start,	      step_stop,
	step_order,	step_post,	   can_input_written, can_input_echo,
	can_input_hear, can_input_error,   can_input_down,    step_index,
	step_kick,	step_write_memory, step_rewrite,      step_ready,
	step_kill,	step_detach,	   step_restart,      step_reset_queue,
	step_advance,	step_connect,	   step_limits,	      step_fault,
};

/* -- A run ---------------------------------------------------------------------- */

/* Time passes; a device that says nothing is not waited for. */
static bool let_run(void *owner)
{
	(void)owner;
	door_run(can_bed_run);
	return run.waits && run.waits--;
}

static struct world *world(uint8_t n)
{
	struct world *w = &worlds[n % CONFS];
	struct can_bed_conf conf = confs[n % CONFS];
	int r;

	if (w->made)
		return w;
	conf.door = POLICY_VIRTIO;
	can_bed_init(&w->bed, &conf);
	w->bed.log.burst = 1; /* nobody reads it */
	w->bed.log.per_minute = 0;
	w->bed.front->run = let_run;
	w->policy = w->bed.policy;
	w->made = true;
	r = can_bed_start_quiet(&w->bed);
	assert(!r);
	return w;
}

static void run_begin(struct world *w)
{
	w->bed.policy = w->policy;
	run.bed = &w->bed;
	run.front = &w->bed.virtio_front;
	run.in_flight = w->policy.in_flight;
	run.quiet = true;
	can_input_watch(run.bed);
	client_open();
	the_door()->device.stats.wrong = 0;
	door_connect(false);
	step_ready();
}

/* All that was asked is answered, if nobody stood in the way. */
static void run_settle(void)
{
	step_push();
	step_kick();
	door_finish();
	check();
	collect();
	assert(!run.asked || !run.sound || !run.quiet);
	step_ready(); /* which serves again, whatever was before */
	if (!run.ready)
		return;
	step_start();
	step_push();
	door_finish();
	collect();
	assert(!run.asked || !run.quiet);
}

static void run_end(void)
{
	can_input.rewrite.set = false;
	for (unsigned verb = 0; verb < LOOPXEN_VERBS; verb++)
		loopxen_fail_left(run.bed->x, verb);
	if (the_door()->state == VIRTIO_DOOR_UP)
		run_settle();
	can_bed_detach(run.bed);
	door_run(can_bed_run);
	assert(the_door()->state == VIRTIO_DOOR_DOWN);
	check();
	client_close();
	run.bed->test.holds = run.bed->conf.holds;
	run.bed->test.mute = run.bed->conf.mute;
	can_bus_test_reopen(&run.bed->test);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	can_input.at = data;
	can_input.end = data + size;
	run_begin(world(byte()));
	while (can_input.at < can_input.end) {
		steps[byte() % (sizeof(steps) / sizeof(steps[0]))]();
		check();
		collect();
	}
	run_end();
	return 0;
}
