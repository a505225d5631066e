/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the PV door of a network device over loopxen, driven by a client that
 * does anything at any time, and by a link that does, too.
 *
 * The first byte picks a bed; then each byte is a step (steps[]) and takes the bytes it
 * needs. While all the client did was sound, each entry is answered once, in order and
 * as what it is, and frames come whole (net-front-pv.c looks). Whatever it did:
 *  1. what left is a frame that the policy allows, and what is left undone of it is
 *     sound;
 *  2. the door's counts fit together, the policy's and the rings' bounds hold;
 *  3. only what failed around the door ends its process;
 *  4. a door that is down has nothing mapped, nothing bound, nothing out;
 *  5. the next client is served.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/device/net-bed.h"
#include "tests/fuzz/fault.h"
#include "tests/fuzz/net-control.h"
#include "tests/hook/shared-hook.h"

#define MS   1000000ull
#define PAGE 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct net_bed_conf confs[] = {
	{.data_pages = 64, .mtu = 9000},
	{.data_pages = 64, .holds = true, .in_flight = 4, .front.split = true},
	{.data_pages = 20, .no_offloads = true, .holds = true, .ahead = 3},
	{.data_pages = 200,
	 .queues = 3,
	 .link_queues = 2,
	 .addresses = "192.0.2.2 2001:db8::/64",
	 .no_multicast = true,
	 .no_broadcast = true,
	 .front = {.queues = 3, .split = true, .groups = true}},
	{.data_pages = 64,
	 .holds = true,
	 .in_flight = 2,
	 .operations = {50, 5},
	 .bytes = {20000, 2000},
	 .receive_packets = {50, 5},
	 .receive_bytes = {20000, 2000},
	 .backlog = 65536},
	{.data_pages = 64,
	 .vlans = "5 untagged",
	 .front = {.no_sg = true, .groups = true}},
	{.data_pages = 200,
	 .mode = POLICY_GRANT,
	 .ring_pages = 60,
	 .queues = 3,
	 .front = {.queues = 3, .control = true}},
	{.data_pages = 64,
	 .operations = {50, 5},
	 .front = {.control = true, .split = true}},
};

#define CONFS (sizeof(confs) / sizeof(confs[0]))

static struct world {
	bool made;
	struct net_bed bed;
	struct policy policy; /* as at first */
	struct fuzz_named named;
} worlds[CONFS];

static struct {
	const uint8_t *at, *end; /* what is left of the input */
	struct net_bed *bed;
	const struct world *world;
	uint32_t in_flight; /* the most that was allowed */
	bool sound;	    /* the client did all as it should */
	bool quiet;	    /* nothing failed around the door */
	bool wakes;	    /* the client's ports are open */
	/* What the next read number @left sees, or (@after) what a second look would.
	 */
	struct {
		bool set, after, flip;
		uint8_t left, with;
	} rewrite;
	uint8_t frame[NET_FRAMES_ROOM];
} run;

static uint8_t byte(void)
{
	return run.at < run.end ? *run.at++ : 0;
}

static uint16_t word(void)
{
	uint8_t low = byte();

	return (uint16_t)(low | byte() << 8);
}

static unsigned queue(void)
{
	return byte() % run.bed->front.queues;
}

static struct netfront_ring *ring(uint8_t n)
{
	struct netfront *f = &run.bed->front;
	struct netfront_queue *q = &f->queue[n / 2 % f->queues];

	if (n & 128 && f->conf.control)
		return &f->control.ring;
	return n & 1 ? &q->rx : &q->tx;
}

/* -- Reads that are rewritten ----------------------------------------- */

static void rewrite_now(const volatile void *p, size_t len)
{
	uint8_t *at = loopxen_back_client_view(run.bed->back, p);

	run.rewrite.set = false;
	for (size_t i = 0; at && i < len; i++)
		at[i] = run.rewrite.flip ? at[i] ^ run.rewrite.with : run.rewrite.with;
}

static void before_read(uint64_t k, const volatile void *p, size_t len)
{
	(void)k;
	if (run.rewrite.set && !run.rewrite.after && !run.rewrite.left--)
		rewrite_now(p, len);
}

static void after_read(uint64_t k, const volatile void *p, size_t len)
{
	(void)k;
	if (run.rewrite.set && run.rewrite.after && !run.rewrite.left--)
		rewrite_now(p, len);
}

/* -- The process and its door ----------------------------------------- */

static void process_died(void)
{
	int r;

	net_bed_kill(run.bed);
	r = net_bed_start_quiet(run.bed);
	assert(!r);
	run.bed->broken = 0;
}

/* Invariant 3. */
static void door_connect(bool attach)
{
	int r = net_pv_connect(&run.bed->pv, attach, loopxen_now(run.bed->x));

	assert(r >= 0 || !run.quiet);
	assert(!r || !run.sound || !run.quiet || !run.wakes);
	if (r < 0 && r != -EAGAIN)
		process_died();
}

static void door_run(int (*how)(struct net_bed *bed))
{
	while (how(run.bed) < 0) {
		assert(!run.quiet);
		process_died();
		door_connect(true);
	}
}

/* -- What must hold --------------------------------------------------- */

/* Invariant 1, as somebody else would judge it. */
static void check_frame(struct net_link_frame *out)
{
	const struct net_policy *policy = &run.bed->net_policy;
	uint32_t beside = NET_BESIDE + (out->offload.gso ? out->offload.header : 0);
	struct net_offload offload = out->offload;
	struct net_frame frame;

	net_frame_parse(out->bytes, out->size, &frame);
	assert(net_rules_judge(&policy->rules, &frame) == NET_PASS);
	assert(net_offload_check(&frame, &offload));
	assert(offload.header == out->offload.header);
	if (offload.gso == NET_GSO_NONE)
		assert(out->size <= policy->mtu + beside);
	else
		assert(policy->offloads && offload.gso_size <= policy->mtu);
}

static void check_ring(const struct pv_ring *r)
{
	assert(r->req_cons - r->rsp_prod <= r->entries);
	assert(r->req_prod - r->rsp_prod <= r->entries);
	assert(r->pushed == r->rsp_prod || run.bed->pv.why);
}

static void check_queue(const struct net_pv_queue *q)
{
	assert(q->started - q->answered <= q->taken - q->answered);
	assert(q->taken - q->answered <= NET_PV_TX_SLOTS);
	assert(q->lacks <= NETIF_SLOTS_MAX + 2 && q->runs.used <= q->runs.bytes);
}

static void check(void)
{
	struct net_bed *bed = run.bed;
	const struct net_pv *pv = &bed->pv;
	uint32_t room = bed->net.inbox.slots ? bed->net.inbox.slot[0].in.room : 0;
	struct net_link_frame *out;

	while ((out = net_link_test_seen(&bed->link))) {
		check_frame(out);
		free(out);
	}
	assert(pv->busy <= run.in_flight && pv->busy == bed->net.out);
	assert(pv->stats.errors <= pv->stats.answers);
	assert(bed->net.inbox.bytes <= bed->net_policy.backlog + 8ull * room);
	assert(bed->broken <= 1 && (!bed->broken || !run.sound));
	for (unsigned i = 0; pv->state != NET_PV_DOWN && i < pv->queues; i++) {
		check_ring(&pv->queue[i].tx);
		check_ring(&pv->queue[i].rx);
		check_queue(&pv->queue[i]);
	}
	fuzz_control_check(bed);
	/* Invariant 4. */
	if (pv->state == NET_PV_DOWN)
		assert(!pv->busy && !bed->link.nheld && !bed->net.inbox.bytes &&
		       !loopxen_back_holds(bed->back));
}

/* The client takes its answers, and what came. */
static void collect(void)
{
	int status;

	if (run.sound)
		fuzz_control_collect(run.bed);
	for (unsigned i = 0; run.sound && i < run.bed->front.queues; i++) {
		while (netfront_done(&run.bed->front, i, &status))
			;
		while (netfront_heard(&run.bed->front, i, &run.bed->heard))
			;
	}
}

/* -- Steps: packets --------------------------------------------------- */

static uint32_t make(uint8_t how, uint32_t size)
{
	uint32_t n = size < NET_HEADER ? NET_HEADER : size;

	if (how & 1)
		n = net_frames_tcp(run.frame, how & 4, size, how);
	else if (how & 2)
		n = net_frames_udp(run.frame, how & 4, size, how);
	else
		net_frames_plain(run.frame, n, how);
	if (how & 8)
		n = net_frames_tag(run.frame, n, 0x8100, how >> 5);
	if (how & 16)
		net_frames_to_group(run.frame, how >> 6);
	return n;
}

static void step_plain(void)
{
	struct netfront_packet packet = {.bytes = run.frame};

	packet.size = make(0, byte() * 8u);
	netfront_send(&run.bed->front, queue(), &packet);
}

/* Of any shape: sound as entries, whatever it is as a packet. */
static void step_packet(void)
{
	uint8_t how = byte(), shape = byte();
	uint32_t piece[NETIF_SLOTS_MAX + 4] = {0}, left;
	struct netfront_packet packet = {
		.bytes = run.frame,
		.size = make(how, word() % 60000),
		.flags = shape & 3,
		.gso = shape >> 2 & 3,
		.hash = shape & 16,
		.offset = word() % PAGE,
	};

	packet.gso_size = word();
	left = packet.size;
	if (shape & 32) {
		packet.piece = piece;
		packet.pieces = 1 + byte() % (NETIF_SLOTS_MAX + 2);
		for (unsigned i = 0; i < packet.pieces; i++) {
			uint32_t want = i + 1 < packet.pieces ? byte() * 16u : left;

			piece[i] = want < left ? want : left;
			piece[i] = piece[i] < PAGE ? piece[i] : PAGE;
			left -= piece[i];
		}
	}
	netfront_send(&run.bed->front, queue(), &packet);
}

static void step_group(void)
{
	uint8_t mac[6] = {byte() & 3, 0, 0x5e, 0, 0, byte()};
	unsigned q = queue();

	if (netfront_room(&run.bed->front.queue[q]) >= 2)
		netfront_group(&run.bed->front, q, mac, mac[5] & 1);
}

static void step_raw(void)
{
	struct netfront_queue *q = &run.bed->front.queue[queue()];
	uint8_t entry[12] = {0};
	struct gref ref;

	run.sound = false;
	netfront_page(&run.bed->front, q, &ref);
	memcpy(entry, &ref.v, 4);
	for (unsigned i = byte() & 1 ? 0 : 4; i < sizeof(entry); i++)
		entry[i] = byte();
	netfront_raw(q, entry, false, true);
}

static void step_post(void)
{
	unsigned i = queue(), n = byte() % 40;
	const struct netfront_queue *q = &run.bed->front.queue[i];
	uint32_t room = NETFRONT_RING - (q->rx.req_prod - q->rx.rsp_cons);

	if (room <= NETFRONT_RING)
		netfront_post(&run.bed->front, i, n < room ? n : room);
}

static void step_control(void)
{
	fuzz_control_ask(run.bed, &run.world->named, byte);
}

static void step_push(void)
{
	netfront_push(&run.bed->front);
}

static void step_kick(void)
{
	const struct netfront_queue *q = &run.bed->front.queue[queue()];

	loopxen_notify(run.bed->x, run.bed->dev.front,
		       byte() & 1 ? q->tx_port : q->rx_port);
}

/* -- Steps: what no sound client does --------------------------------- */

static void step_write_ring(void)
{
	struct netfront_ring *r = ring(byte());
	uint32_t at = word(), n = byte() % 64u;

	run.sound = false;
	for (; n; n--, at++)
		r->page[at % PAGE] = byte();
}

static void step_index(void)
{
	struct netfront_ring *r = ring(byte());
	uint8_t which = byte();

	run.sound = false;
	netfront_header(r)[which & 3] += (uint32_t)(int8_t)byte() << (which >> 3);
}

static void step_rewrite(void)
{
	uint8_t how = byte();

	run.sound = false;
	run.rewrite.set = true;
	run.rewrite.after = how & 1;
	run.rewrite.flip = how & 2;
	run.rewrite.left = byte();
	run.rewrite.with = byte();
}

static void step_close_port(void)
{
	loopxen_close(run.bed->x, run.bed->dev.front, run.bed->front.queue[0].tx_port);
	run.wakes = false;
}

/* -- Steps: the link -------------------------------------------------- */

static void step_leave(void)
{
	static const int results[] = {0, 0, 0, -EIO, -ENOBUFS};
	uint8_t how = byte();

	if (run.bed->link.nheld)
		net_link_test_leave(&run.bed->link, results[how % 5]);
}

static void step_leave_all(void)
{
	net_link_test_leave_all(&run.bed->link);
}

static void step_hear(void)
{
	uint8_t how = byte(), undone = byte();
	struct net_link_frame like = {
		.size = make(how, word()),
		.queue = undone >> 4,
		.validated = undone & 8,
		.offload = {.sum = undone & 4, .gso = undone & 3, .gso_size = 1000},
	};

	like.queue %= run.bed->link.link.queues;
	if (like.size > NET_FRAME_MAX)
		like.size = NET_FRAME_MAX;
	if (!(how & 16))
		net_frames_turn(run.frame);
	if (run.bed->link.waiting[like.queue].n < 64)
		net_link_test_hear(&run.bed->link, run.frame, &like);
}

static void step_unuse(void)
{
	net_link_test_unuse(&run.bed->link);
}

/* -- Steps: the back end's side --------------------------------------- */

static void step_turn(void)
{
	door_run(net_bed_run_now);
}

/* A link gives back what it has while it is waited for. */
static void step_advance(void)
{
	if (run.bed->pv.state == NET_PV_STOPPING)
		net_link_test_leave_all(&run.bed->link);
	loopxen_advance(run.bed->x, byte() * 10 * MS);
}

static void step_detach(void)
{
	net_pv_detach(&run.bed->pv);
	if (run.bed->pv.error) {
		assert(!run.quiet);
		process_died();
	}
}

/* A new client on the same pages; what the last one waits for, it waits for. */
static void step_connect(void)
{
	bool clean;

	if (run.bed->pv.state != NET_PV_DOWN)
		return;
	collect();
	clean = netfront_disconnect(&run.bed->front);
	assert(clean);
	netfront_connect(&run.bed->front);
	run.sound = run.wakes = true;
	run.rewrite.set = false;
	run.bed->broken = 0;
	door_connect(false);
}

static void step_kill(void)
{
	bool up = run.bed->pv.state == NET_PV_UP;

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
	net_pv_limits(&run.bed->pv, loopxen_now(run.bed->x));
}

static void step_fault(void)
{
	uint8_t verb = byte(), n = byte();

	run.quiet = false;
	fuzz_fault(run.bed->x, verb, n % 16, byte());
}

static void (*const steps[])(void) = {
	step_plain,   step_packet,     step_push,	step_turn,   step_post,
	step_hear,    step_leave,      step_leave_all,	step_group,  step_raw,
	step_advance, step_kick,       step_write_ring, step_index,  step_rewrite,
	step_connect, step_detach,     step_kill,	step_limits, step_unuse,
	step_fault,   step_close_port, step_control,
};

/* -- A run ------------------------------------------------------------ */

static struct world *world(uint8_t n)
{
	struct world *w = &worlds[n % CONFS];
	int r;

	if (w->made)
		return w;
	net_bed_init(&w->bed, &confs[n % CONFS]);
	w->bed.log.burst = 1; /* nobody reads it */
	w->bed.log.per_minute = 0;
	w->policy = w->bed.policy;
	w->made = true;
	r = net_bed_start_quiet(&w->bed);
	assert(!r);
	fuzz_control_name(&w->named, &w->bed);
	return w;
}

static void run_begin(struct world *w)
{
	w->bed.policy = w->policy;
	run.bed = &w->bed;
	run.world = w;
	run.in_flight = w->policy.in_flight;
	run.sound = run.quiet = run.wakes = true;
	run.rewrite.set = false;
	shared_hook = before_read;
	shared_hook_after = after_read;
	w->bed.broken = w->bed.detached = 0;
	netfront_connect(&w->bed.front);
	door_connect(false);
}

/* All that was asked is answered, if nobody stood in the way. */
static void run_settle(void)
{
	const struct netfront *f = &run.bed->front;

	netfront_push(&run.bed->front);
	run.bed->link.holds = false;
	net_link_test_leave_all(&run.bed->link);
	door_run(net_bed_run);
	check();
	collect();
	if (!run.sound || !run.quiet || !run.wakes || run.bed->pv.state == NET_PV_DOWN)
		return;
	for (unsigned i = 0; i < f->queues; i++)
		assert(f->queue[i].tx.rsp_cons == f->queue[i].tx.req_prod);
	fuzz_control_settled(run.bed);
}

static void run_end(void)
{
	bool clean;

	run.rewrite.set = false;
	for (unsigned verb = 0; verb < LOOPXEN_VERBS; verb++)
		loopxen_fail_left(run.bed->x, verb);
	if (run.bed->pv.state == NET_PV_UP)
		run_settle();
	run.bed->link.holds = false;
	net_link_test_leave_all(&run.bed->link);
	net_pv_detach(&run.bed->pv);
	door_run(net_bed_run);
	assert(run.bed->pv.state == NET_PV_DOWN);
	check();
	clean = netfront_disconnect(&run.bed->front);
	assert(clean);
	run.bed->link.holds = run.bed->conf.holds;
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
