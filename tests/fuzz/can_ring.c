/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the PV door of a CAN controller over loopxen, driven by a client that
 * does anything at any time, and by a bus that does, too.
 *
 * The first byte picks a bed; then each byte is a step (steps[]) and takes the bytes it
 * needs. While all the client did was sound, each request is answered once, in order,
 * and nothing is answered that was not asked. Whatever it did:
 *  1. what is on the bus is a frame, and one that the policy allows;
 *  2. the door's counts fit together, the policy's and the rings' bounds hold;
 *  3. only what failed around the door ends its process;
 *  4. a door that is down has nothing mapped, nothing bound, nothing out;
 *  5. the next client is served.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "tests/device/can-bed.h"
#include "tests/fuzz/can-input.h"

#define MS  1000000ull
#define OUT 256 /* requests of a ring */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct can_bed_conf confs[] = {
	{.ring_pages = 2},
	{.ring_pages = 2, .holds = true, .in_flight = 4, .front.late_ack = true},
	{.ring_pages = 16, .holds = true, .front = {.order = 2, .own = true}},
	{.ring_pages = 4,
	 .transmit = "100-1ff,00000100-000001ff",
	 .receive = "000-3ff",
	 .no_fd = true,
	 .receive_queue = 16,
	 .errors = true,
	 .front.order = 1},
	{.ring_pages = 2,
	 .holds = true,
	 .mute = true,
	 .in_flight = 2,
	 .operations = {50, 5},
	 .bytes = {2000, 200},
	 .receive_rate = {50, 5},
	 .receive_queue = 16,
	 .overflow = CAN_DROP_NEWEST,
	 .front.late_ack = true},
	{.ring_pages = 2, .listen_only = true, .errors = true},
	{.ring_pages = 2, .no_echo = true, .front = {.late_ack = true, .own = true}},
};

#define CONFS (sizeof(confs) / sizeof(confs[0]))

static struct world {
	bool made;
	struct can_bed bed;
	struct policy policy; /* as at first */
} worlds[CONFS];

static struct {
	struct can_bed *bed;
	uint32_t in_flight; /* the most that was allowed */
	bool sound;	    /* the client did all as it should */
	bool quiet;	    /* nothing failed around the door */
	bool wakes;	    /* the client's port is open */
	struct {
		uint16_t id;
		uint8_t operation;
	} out[OUT];	      /* asked and not answered, oldest first */
	unsigned first, last; /* of them: indices that only grow */
	uint16_t ids;
} run;

static uint8_t byte(void)
{
	return can_input_byte();
}

static uint16_t word(void)
{
	return can_input_word();
}

static struct can_front_ring *ring(uint8_t n)
{
	return n & 1 ? &run.bed->pv_front.rx : &run.bed->pv_front.tx;
}

/* -- The process and its door ----------------------------------------------- */

static void process_died(void)
{
	int r;

	can_bed_kill(run.bed);
	r = can_bed_start_quiet(run.bed);
	assert(!r);
	run.bed->broken = 0;
}

/* Invariant 3. */
static void door_connect(bool attach)
{
	uint64_t now = loopxen_now(run.bed->x);
	int r = run.bed->door->connect(run.bed, attach, now);

	assert(r >= 0 || !run.quiet);
	assert(!r || !run.sound || !run.quiet || !run.wakes);
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

/* -- What must hold --------------------------------------------------------- */

static void check_ring(const struct pv_ring *r)
{
	assert(r->req_cons - r->rsp_prod <= r->entries);
	assert(r->req_prod - r->rsp_prod <= r->entries);
	assert(r->pushed == r->rsp_prod || run.bed->pv.why);
}

static void check(void)
{
	const struct can_bed *bed = run.bed;
	const struct can_pv *pv = &bed->pv;

	can_input_check_bus();
	assert(pv->busy <= run.in_flight && pv->stats.answers <= pv->stats.requests);
	assert(bed->broken <= 1 && (!bed->broken || !run.sound));
	if (pv->state != CAN_PV_DOWN) {
		check_ring(&pv->tx);
		check_ring(&pv->rx);
		assert(pv->started - pv->tx.rsp_prod <=
		       pv->tx.req_cons - pv->tx.rsp_prod);
		assert(pv->tx.entries <= pv->slots && pv->owed <= pv->slots);
		return;
	}
	/* Invariant 4. */
	assert(!pv->busy && !can_busy(&bed->can) && !bed->test.bus.waiting);
	assert(!loopxen_back_holds(bed->back));
}

/* The client takes its answers, and what came. */
static void collect(void)
{
	const struct xencan_tx_rsp *rsp;
	struct can_event event;

	if (!run.sound)
		return;
	while ((rsp = can_front_next(&run.bed->pv_front))) {
		unsigned i = run.first++ % OUT;

		assert(run.first <= run.last);
		assert(rsp->id == run.out[i].id &&
		       rsp->operation == run.out[i].operation);
	}
	while (can_bed_event(run.bed, &event))
		assert(event.kind != CAN_EVENT_FRAME || can_frame_ok(&event.frame));
}

/* -- Steps: requests --------------------------------------------------------- */

static void asked(uint8_t operation)
{
	run.out[run.last % OUT].id = run.ids++;
	run.out[run.last++ % OUT].operation = operation;
}

/* A client that is sound does not overwrite what was not answered. */
static bool room(void)
{
	const struct can_front_ring *tx = ring(0);

	return !run.sound || tx->req_prod - tx->rsp_cons < tx->entries;
}

static void ask(const struct xencan_tx_req *req)
{
	if (!room())
		return;
	can_front_raw(ring(0), req);
	asked(req->operation);
}

static void step_frame(void)
{
	struct xencan_tx_req req = {.id = run.ids};

	req.frame.flags = byte() & 0x3f;
	req.frame.id = word();
	if (req.frame.flags & XENCAN_FRAME_EXTENDED)
		req.frame.id |= (uint32_t)word() << 16;
	req.frame.length = byte();
	memset(req.frame.data, byte(), sizeof(req.frame.data));
	ask(&req);
}

static void step_plain(void)
{
	struct xencan_tx_req req = {.id = run.ids};

	req.frame.id = 0x100u + byte();
	req.frame.length = 8;
	ask(&req);
}

static void step_raw(void)
{
	uint8_t bytes[XENCAN_ENTRY] = {0};
	struct xencan_tx_req req;

	for (unsigned i = 0, n = byte() % sizeof(bytes); i < n; i++)
		bytes[i] = byte();
	memcpy(&req, bytes, sizeof(req));
	req.id = run.ids;
	ask(&req);
}

static void step_start(void)
{
	struct xencan_tx_req req = {.id = run.ids, .operation = XENCAN_OP_START};

	ask(&req);
}

static void step_stop(void)
{
	struct xencan_tx_req req = {.id = run.ids, .operation = XENCAN_OP_STOP};

	ask(&req);
}

static void step_post(void)
{
	for (unsigned n = byte() % 40; n; n--)
		run.bed->front->ops->post(run.bed->front);
}

static void step_push(void)
{
	run.bed->front->ops->push(run.bed->front);
}

static void step_kick(void)
{
	run.bed->front->ops->kick(run.bed->front);
}

/* -- Steps: what no sound client does ---------------------------------------- */

static void step_write_ring(void)
{
	struct can_front_ring *r = ring(byte());
	uint32_t at = word(), n = byte() % 128u;

	run.sound = false;
	for (; n; n--, at++)
		r->page[at % (r->pages * XEN_PAGE_BYTES)] = byte();
}

static void step_index(void)
{
	struct can_front_ring *r = ring(byte());
	uint8_t which = byte();

	run.sound = false;
	can_front_header(r)[which & 3] += (uint32_t)(int8_t)byte() << (which >> 3);
}

static void step_rewrite(void)
{
	run.sound = false;
	can_input_rewrite();
}

static void step_close_port(void)
{
	loopxen_close(run.bed->x, run.bed->dev.front, run.bed->pv_front.port);
	run.wakes = false;
}

/* -- Steps: the bus ------------------------------------------------------------ */

static void step_written_all(void)
{
	can_bus_test_write_all(&run.bed->test);
}

/* -- Steps: the back end's side -------------------------------------------------- */

static void step_turn(void)
{
	door_run(can_bed_run_now);
}

static void step_advance(void)
{
	loopxen_advance(run.bed->x, byte() * 10 * MS);
}

static void step_detach(void)
{
	can_bed_detach(run.bed);
	if (run.bed->pv.error) {
		assert(!run.quiet);
		process_died();
	}
}

/* A new client on the same pages; what the last one waits for, it waits for. */
static void step_connect(void)
{
	struct can_front *f = run.bed->front;
	bool clean;

	if (!run.bed->door->is_down(run.bed))
		return;
	collect();
	clean = f->ops->disconnect(f);
	assert(clean);
	f->ops->connect(f);
	run.first = run.last = 0;
	run.sound = run.wakes = true;
	can_input.rewrite.set = false;
	run.bed->broken = 0;
	door_connect(false);
}

static void step_kill(void)
{
	bool up = run.bed->pv.state == CAN_PV_UP;

	process_died();
	if (up)
		door_connect(true);
}

static void step_limits(void)
{
	struct policy *policy = &run.bed->policy;

	policy->in_flight = 1u + byte() % 16u;
	if (run.in_flight < policy->in_flight)
		run.in_flight = policy->in_flight;
	policy->operations.per_second = policy->operations.burst = 1u + word();
	can_pv_limits(&run.bed->pv, loopxen_now(run.bed->x));
}

static void step_fault(void)
{
	static const struct {
		enum loopxen_verb verb;
		int result;
	} faults[] = {
		{LOOPXEN_MAP_RING, -EIO},	{LOOPXEN_MAP_RING, GRANTS_LATE},
		{LOOPXEN_MAP_RING, GRANTS_BAD}, {LOOPXEN_UNMAP, -EIO},
		{LOOPXEN_BIND, -EIO},		{LOOPXEN_BIND, EVTCHN_LATE},
		{LOOPXEN_UNBIND, -EIO},		{LOOPXEN_NOTIFY, -EIO},
		{LOOPXEN_READ, STORE_LATE},	{LOOPXEN_READ, -EIO},
		{LOOPXEN_WRITE, STORE_FULL},	{LOOPXEN_WRITE, -EIO},
	};
	uint8_t which = byte() % (sizeof(faults) / sizeof(faults[0])), n = byte();

	run.quiet = false;
	loopxen_fail(run.bed->x, faults[which].verb, n % 16, faults[which].result);
}

static void (*const steps[])(void) = {
	step_plain,	   step_frame,	     step_push,	     step_turn,
	step_start,	   step_stop,	     step_post,	     can_input_hear,
	can_input_written, step_written_all, can_input_echo, step_raw,
	step_advance,	   can_input_error,  step_kick,	     step_write_ring,
	step_index,	   step_rewrite,     step_connect,   step_detach,
	step_kill,	   step_limits,	     can_input_down, step_close_port,
	step_fault,
};

/* -- A run --------------------------------------------------------------------- */

static struct world *world(uint8_t n)
{
	struct world *w = &worlds[n % CONFS];
	int r;

	if (w->made)
		return w;
	can_bed_init(&w->bed, &confs[n % CONFS]);
	w->bed.log.burst = 1; /* nobody reads it */
	w->bed.log.per_minute = 0;
	w->policy = w->bed.policy;
	w->made = true;
	r = can_bed_start_quiet(&w->bed);
	assert(!r);
	return w;
}

static void run_begin(struct world *w)
{
	struct can_front *f = w->bed.front;

	w->bed.policy = w->policy;
	run.bed = &w->bed;
	run.in_flight = w->policy.in_flight;
	run.sound = run.quiet = run.wakes = true;
	run.first = run.last = run.ids = 0;
	can_input_watch(run.bed);
	w->bed.broken = w->bed.detached = 0;
	f->ops->connect(f);
	door_connect(false);
}

/* All that was asked is answered, if nobody stood in the way. */
static void run_settle(void)
{
	run.bed->front->ops->push(run.bed->front);
	run.bed->test.holds = run.bed->test.mute = false;
	for (unsigned i = 0; i < 8; i++) {
		door_run(can_bed_run);
		can_bus_test_write_all(&run.bed->test);
		while (run.bed->test.nwritten)
			can_bus_test_echo(&run.bed->test);
		check();
	}
	collect();
	assert(run.first == run.last || !run.sound || !run.quiet || !run.wakes ||
	       run.bed->door->is_down(run.bed));
}

static void run_end(void)
{
	const struct can_bed_conf *conf = &run.bed->conf;
	bool clean;

	can_input.rewrite.set = false;
	for (unsigned verb = 0; verb < LOOPXEN_VERBS; verb++)
		loopxen_fail_left(run.bed->x, verb);
	if (run.bed->pv.state == CAN_PV_UP)
		run_settle();
	can_bed_detach(run.bed);
	door_run(can_bed_run);
	assert(run.bed->door->is_down(run.bed));
	check();
	clean = run.bed->front->ops->disconnect(run.bed->front);
	assert(clean);
	run.bed->test.holds = conf->holds;
	run.bed->test.mute = conf->mute;
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
