/* SPDX-License-Identifier: MIT */
/*
 * The two rings of a CAN controller in hostile hands: bytes that change while they are
 * read, as an enumeration of all reads; indices that cannot be; what answers give away;
 * and storms of events.
 */
#include <stdlib.h>

#include "tests/device/can-cases.h"
#include "tests/hook/shared-hook.h"
#include "tests/hostile/tally.h"

#define REQ_PROD  0
#define REQ_EVENT 1
#define RSP_PROD  2
#define RSP_EVENT 3

static const struct can_bed_conf conf = {.transmit = "100-1ff", .errors = true};

static int reset(void **state)
{
	(void)state;
	shared_hook = NULL;
	shared_hook_after = NULL;
	return 0;
}

static struct can_front_ring *tx(void)
{
	return &bed.pv_front.tx;
}

static struct can_front_ring *rx(void)
{
	return &bed.pv_front.rx;
}

static bool in_header(const uint8_t *at)
{
	return (at >= tx()->page && at < tx()->page + 64) ||
	       (at >= rx()->page && at < rx()->page + 64);
}

static void serves(void)
{
	struct canfd_frame frame = can_frame(0x123, 8, 9);
	uint32_t seen = bed.test.nseen;

	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
	assert_int_equal(bed.test.nseen, seen + 1);
}

/* -- T-RING-1 -------------------------------------------------------------- */

#define ASKED 12

static void ask_frame(uint16_t id, uint32_t can_id, uint16_t flags, uint16_t length)
{
	struct xencan_tx_req req = {
		.id = id,
		.frame = {.id = can_id, .flags = flags, .length = length},
	};

	for (unsigned i = 0; i < sizeof(req.frame.data); i++)
		req.frame.data[i] = (uint8_t)(id + i);
	can_front_raw(tx(), &req);
}

/* A bit of everything, in one batch; something is heard, too. */
static void ask(void)
{
	struct canfd_frame other = can_frame(0x222, 5, 0x99);
	const struct can_front_ops *ops = bed.front->ops;

	for (unsigned i = 0; i < 6; i++)
		ops->post(bed.front);
	ops->control(bed.front, 0, true);
	ask_frame(1, 0x101, 0, 8);
	ask_frame(2, 0x102, XENCAN_FRAME_FD | XENCAN_FRAME_BRS, 33);
	ask_frame(3, 0x103, XENCAN_FRAME_REMOTE, 4);
	ask_frame(4, 0x204, 0, 8);
	ask_frame(5, 0x105, 0, 65);
	ops->control(bed.front, 6, false);
	ask_frame(7, 0x107, 0, 8);
	ops->control(bed.front, 8, true);
	ask_frame(9, 0x109, XENCAN_FRAME_FD, 64);
	ask_frame(10, 0x80a, 0, 1);
	ask_frame(11, 0x10b, XENCAN_FRAME_EXTENDED, 1);
	ops->push(bed.front);
	shared_hook_reads = 0;
	run();
	can_bus_test_hear(&bed.test, &other);
	can_bus_test_error(&bed.test, CAN_ERR_CRTL, CAN_ERR_CRTL_RX_WARNING);
	run();
}

struct outcome {
	unsigned answers, events;
	struct xencan_tx_rsp answer[32];
	struct xencan_rx_rsp event[32];
	uint32_t nseen;
	struct canfd_frame seen[32];
};

static void take_outcome(struct outcome *o)
{
	const struct xencan_tx_rsp *rsp;

	memset(o, 0, sizeof(*o));
	while (o->answers < 32 && (rsp = can_front_next(&bed.pv_front))) {
		o->answer[o->answers] = *rsp;
		o->answer[o->answers++].time = 0;
	}
	while (o->events < 32 && can_front_header(rx())[RSP_PROD] != rx()->rsp_cons) {
		memcpy(&o->event[o->events], can_front_slot(rx(), rx()->rsp_cons++),
		       sizeof(o->event[0]));
		o->event[o->events++].time = 0;
	}
	o->nseen = bed.test.nseen;
	memcpy(o->seen, bed.test.seen, sizeof(o->seen));
}

static void assert_as_asked(const struct outcome *o)
{
	static const uint8_t status[ASKED] = {XENCAN_OK, XENCAN_OK,	 XENCAN_OK,
					      XENCAN_OK, XENCAN_DENIED,	 XENCAN_INVALID,
					      XENCAN_OK, XENCAN_STOPPED, XENCAN_OK,
					      XENCAN_OK, XENCAN_INVALID, XENCAN_DENIED};

	assert_int_equal(o->answers, ASKED);
	for (unsigned i = 0; i < ASKED; i++) {
		assert_int_equal(o->answer[i].id, i);
		assert_int_equal(o->answer[i].status, status[i]);
	}
	assert_int_equal(o->nseen, 4);
	assert_int_equal(o->seen[1].len, 48);
	assert_int_equal(o->seen[1].data[32], 34);
	assert_int_equal(o->seen[1].data[33], 0);
	assert_int_equal(o->events, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(o->event[i].id, i);
	assert_int_equal(o->event[0].type, XENCAN_RX_FRAME);
	assert_int_equal(o->event[1].type, XENCAN_RX_ERROR);
	assert_int_equal(o->event[2].type, XENCAN_RX_STATE);
}

/* What was read is spoilt at once, each byte in its own way: who looks a second time
 * sees others. But for the indices, which are read anew each batch. */
static uint64_t spoilt;
static unsigned spoil_how;

static void spoil_hook(uint64_t k, const volatile void *p, size_t len)
{
	uint8_t *at = loopxen_back_client_view(bed.back, p);

	(void)k;
	if (!at || in_header(at))
		return;
	for (size_t i = 0; i < len; i++)
		at[i] ^= spoil_how ? (uint8_t)(1u << (spoil_how - 1)) : 0xff;
	spoilt += len;
}

static void t_ring_1_can_second_look(void **state)
{
	struct outcome outcome;

	(void)state;
	spoilt = 0;
	for (spoil_how = 0; spoil_how <= 8; spoil_how++) {
		up_as(&conf);
		shared_hook_after = spoil_hook;
		ask();
		shared_hook_after = NULL;
		take_outcome(&outcome);
		assert_as_asked(&outcome);
		down();
	}
	assert_int_equal(spoilt, 9 * ASKED * XENCAN_ENTRY);
	tally("T-RING-1", spoilt, "bytes of canif spoilt behind a read");
}

/* The k-th read sees what the client made of it just before, for all k. */
static uint64_t rewrite_k;
static int rewrite_with;
static bool rewrite_hit;

static void rewrite_hook(uint64_t k, const volatile void *p, size_t len)
{
	uint8_t *at;

	if (k != rewrite_k)
		return;
	at = loopxen_back_client_view(bed.back, p);
	rewrite_hit = at;
	for (size_t i = 0; at && i < len; i++)
		at[i] = rewrite_with < 0 ? (uint8_t)rand() : (uint8_t)rewrite_with;
}

/* Whatever was asked for: what is on the bus is a frame, and one that may be. */
static void assert_bus_is_clean(void)
{
	for (uint32_t i = 0; i < bed.test.nseen; i++) {
		const struct canfd_frame *frame = &bed.test.seen[i];

		assert_true(can_frame_ok(frame));
		assert_true(can_rules_pass(&bed.can_policy.transmit, frame->can_id));
	}
}

/* [utest->req~shared-bytes-are-read-once~1] */
static void t_ring_1_can_rewrite_each_read(void **state)
{
	static const int with[] = {0x00, 0xff, 0x01, 0x02, 0x04,
				   0x7f, 0x80, -1,   -1,   -1};
	uint64_t done = 0;

	(void)state;
	for (unsigned w = 0; w < COUNT(with); w++) {
		bool last = false;

		rewrite_with = with[w];
		for (rewrite_k = 0; !last; rewrite_k++) {
			rewrite_hit = false;
			up_as(&conf);
			shared_hook = rewrite_hook;
			ask();
			shared_hook = NULL;
			last = rewrite_k >= shared_hook_reads;
			done += rewrite_hit;
			assert_bus_is_clean();
			assert_int_equal(bed.pv.busy, 0);
			assert_int_equal(can_bed_down(&bed), 0);
		}
		assert_true(rewrite_k > ASKED);
	}
	tally("T-RING-1", done, "rewrites before a read of canif");
}

/* A successor reads indices and the journal once, too; and no entry of a slot. */
static void t_ring_1_can_rewrite_at_attach(void **state)
{
	struct can_bed_conf slow = conf;
	uint64_t done = 0, reads = 1;

	(void)state;
	slow.holds = true;
	for (rewrite_k = 0; rewrite_k < reads; rewrite_k++) {
		on_as(&slow);
		can_bed_post(&bed, 4);
		ask_frame(1, 0x101, 0, 8);
		ask_frame(2, 0x102, 0, 8);
		bed.front->ops->push(bed.front);
		run();
		can_bed_kill(&bed);
		bed.test.holds = false;
		rewrite_with = 0x5a;
		shared_hook_reads = 0;
		shared_hook = rewrite_hook;
		can_bed_follow(&bed);
		shared_hook = NULL;
		reads = shared_hook_reads;
		assert_bus_is_clean();
		/* Indices that cannot be fail the attach. */
		if (bed.door->is_down(&bed)) {
			assert_int_equal(loopxen_back_holds(bed.back), 0);
			bed.detached = 1;
		}
		assert_int_equal(can_bed_down(&bed), 0);
		done++;
	}
	assert_true(done > 5);
	tally("T-RING-1", done, "rewrites at an attach of canif");
}

/* -- T-RING-2 -------------------------------------------------------------- */

/* Connected, with all indices at @start, as after so many requests; and started. */
static void up_at(const struct can_bed_conf *with, uint32_t start)
{
	on_as(with);
	can_bed_kill(&bed);
	for (unsigned i = 0; i < 2; i++) {
		struct can_front_ring *ring = i ? rx() : tx();
		uint32_t *header = can_front_header(ring);

		header[REQ_PROD] = header[RSP_PROD] = start;
		header[REQ_EVENT] = header[RSP_EVENT] = start + 1;
		ring->req_prod = ring->rsp_cons = start;
	}
	assert_int_equal(can_bed_follow(&bed), 0);
}

static void t_ring_2_can_wraps_at_2_32(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned order = 0; order <= 3; order++) {
		struct can_bed_conf with = {.front.order = order};
		uint16_t sent = 0, back = 0;

		up_at(&with, UINT32_MAX - 100);
		can_bed_post(&bed, 32);
		run();
		assert_lost(CAN_LOST_UNKNOWN);
		can_bed_post(&bed, 1);
		for (unsigned round = 0; round < 40; round++) {
			for (unsigned i = 0; i < round % 32; i++, sent++) {
				struct canfd_frame frame = some_frame(sent);

				assert_true(
					bed.front->ops->send(bed.front, sent, &frame));
				can_bus_test_hear(&bed.test, &frame);
			}
			bed.front->ops->push(bed.front);
			run();
			for (; back != sent; back++) {
				struct canfd_frame frame = some_frame(back);

				assert_answer(back, CAN_OK);
				assert_came(&frame, false);
				can_bed_post(&bed, 1);
			}
		}
		assert_true(bed.pv.tx.req_cons < 1000 && bed.pv.rx.req_cons < 1000);
		done += sent;
		down();
	}
	tally("T-RING-2", done, "frames both ways across 2^32");
}

/* One index that cannot be, while frames are on their way: the device is broken, with a
 * reason and no more than a look; nothing is said any more, and all is given back. */
static void jump(struct can_front_ring *ring, uint32_t by)
{
	uint32_t tx_said, rx_said;
	struct canfd_frame frame = can_frame(0x101, 8, 1);

	for (uint16_t i = 0; i < 3; i++)
		can_bed_send(&bed, i, &frame);
	can_bed_post(&bed, 3);
	run();
	tx_said = can_front_header(tx())[RSP_PROD];
	rx_said = can_front_header(rx())[RSP_PROD];
	can_front_header(ring)[REQ_PROD] += by;
	can_bus_test_write(&bed.test, 0);
	can_bus_test_hear(&bed.test, &frame);
	shared_hook_reads = 0;
	bed.front->ops->kick(bed.front);
	run();
	assert_true(shared_hook_reads <= 4);
	assert_int_equal(bed.broken, 1);
	assert_non_null(bed.why);
	assert_int_equal(bed.detached, 1);
	/* On the transmit ring, what was home when the other broke may be. */
	if (ring == tx())
		assert_int_equal(can_front_header(tx())[RSP_PROD], tx_said);
	assert_int_equal(can_front_header(rx())[RSP_PROD], rx_said);
	assert_int_equal(loopxen_back_holds(bed.back), 0);
	assert_int_equal(bed.test.bus.waiting, 0);
	can_bed_reconnect(&bed);
	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
}

/* [utest->req~indices-that-cannot-be~1] */
static void t_ring_2_can_index_abuse(void **state)
{
	struct can_bed_conf slow = conf;
	uint64_t done = 0;

	(void)state;
	slow.holds = true;
	on_as(&slow);
	for (unsigned which = 0; which < 2; which++) {
		for (uint32_t i = 1; i <= 40; i++, done += 2) {
			jump(which ? rx() : tx(), 32 - 3 + i);
			/* Slots that were only posted may be taken back. */
			jump(which ? rx() : tx(), -i - (which ? 3 : 0));
		}
		for (unsigned bit = 6; bit < 32; bit++, done++)
			jump(which ? rx() : tx(), 1u << bit);
	}
	bed.test.holds = false;
	serves();
	down();
	tally("T-RING-2", done, "indices of canif that cannot be");
}

/* A client that is always a whole ring ahead, on both: each turn ends all the same. */
static void race_hook(uint64_t k, const volatile void *p, size_t len)
{
	uint32_t *at = (void *)loopxen_back_client_view(bed.back, p);

	(void)k;
	(void)len;
	if (at == can_front_header(tx()))
		*at = bed.pv.tx.rsp_prod + tx()->entries;
	if (at == can_front_header(rx()))
		*at = bed.pv.rx.rsp_prod + rx()->entries;
}

static void t_ring_2_can_client_runs_ahead(void **state)
{
	struct canfd_frame other = can_frame(0x222, 5, 0x99);
	uint64_t turns = 0;

	(void)state;
	for (unsigned order = 0; order <= 3; order++) {
		struct can_bed_conf with = {.front.order = order};

		on_as(&with);
		shared_hook = race_hook;
		for (unsigned i = 0; i < 200; i++, turns++) {
			uint64_t before = bed.pv.stats.requests;

			bed.test.nseen = 0;
			can_bus_test_hear(&bed.test, &other);
			shared_hook_reads = 0;
			assert_int_equal(can_bed_turn(&bed), 0);
			assert_true(bed.pv.stats.requests - before <= tx()->entries);
			assert_true(shared_hook_reads <= 2 * tx()->entries + 10);
		}
		shared_hook = NULL;
		assert_true(bed.pv.stats.requests > 1000);
		assert_int_equal(bed.broken, 0);
		assert_int_equal(can_bed_down(&bed), 0);
	}
	tally("T-RING-2", turns, "turns of a CAN client that runs ahead");
}

/* Garbage in the response half harms only its writer. */
static void t_ring_2_can_response_half(void **state)
{
	(void)state;
	on_as(&conf);
	for (uint32_t v = 0; v < 64; v++) {
		struct canfd_frame other = can_frame(v, 1, v);

		for (unsigned i = 0; i < 2; i++) {
			uint32_t *header = can_front_header(i ? rx() : tx());

			header[REQ_EVENT] = v * 0x04030201;
			header[RSP_PROD] = v * 0x12345678;
			header[RSP_EVENT] = v * 0x89abcdef;
		}
		can_bus_test_hear(&bed.test, &other);
		bed.front->ops->kick(bed.front);
		run();
	}
	assert_int_equal(bed.broken, 0);
	assert_int_equal(can_bed_down(&bed), 0);
	tally("T-RING-2", 64 * 6, "words of canif's response halves");
}

/* -- T-RING-3 -------------------------------------------------------------- */

/* What the stack below us holds, a function of ours inherits. */
static __attribute__((noinline)) void poison_stack(uint8_t with)
{
	volatile uint8_t stack[32768];

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = with;
}

static void published(uint8_t poison, uint8_t *out)
{
	up_as(&conf);
	memset(tx()->page + 16, poison, 4096 - 16);
	memset(rx()->page + 16, poison, 4096 - 16);
	poison_stack(poison);
	ask();
	memcpy(out, tx()->page, 4096);
	memcpy(out + 4096, rx()->page, 4096);
	assert_int_equal(can_bed_down(&bed), 0);
}

/* Two poisons: a byte that was published is the same in both, and of an answered slot
 * each byte was published. What is not answered is as the client left it.
 * [utest->req~answers-say-nothing-old~1] */
static void t_ring_3_can_published_bytes(void **state)
{
	static uint8_t a5[2 * 4096], c3[2 * 4096];
	uint64_t bytes = 0;

	(void)state;
	published(0xa5, a5);
	published(0xc3, c3);
	for (unsigned ring = 0; ring < 2; ring++) {
		unsigned answered = ring ? 3 : ASKED, posted = ring ? 6 : ASKED;

		for (size_t i = 0; i < 4096; i++, bytes++) {
			uint8_t a = a5[ring * 4096 + i], c = c3[ring * 4096 + i];

			if (i < 64)
				assert_true(a == c || (a == 0xa5 && c == 0xc3));
			else if (i < 64 + answered * XENCAN_ENTRY)
				assert_int_equal(a, c);
			else if (i >= 64 + posted * XENCAN_ENTRY)
				assert_true(a == 0xa5 && c == 0xc3);
		}
	}
	tally("T-RING-3", bytes, "bytes of canif compared");
}

/* -- T-EVT ------------------------------------------------------------------ */

/* Events for nothing: a turn each at most, and nothing comes of it. */
static void t_evt_1_can_storm_in(void **state)
{
	uint64_t writes, notifies, reads;

	(void)state;
	on_as(&conf);
	can_bed_post(&bed, 8);
	run();
	writes = loopxen_calls(bed.x, LOOPXEN_WRITE);
	notifies = loopxen_calls(bed.x, LOOPXEN_NOTIFY);
	shared_hook_reads = 0;
	for (unsigned i = 0; i < 5000; i++) {
		bed.front->ops->kick(bed.front);
		run();
	}
	reads = shared_hook_reads;
	assert_true(reads <= 5000 * 4);
	assert_int_equal(loopxen_calls(bed.x, LOOPXEN_WRITE), writes);
	assert_int_equal(loopxen_calls(bed.x, LOOPXEN_NOTIFY), notifies);
	serves();
	down();
	tally("T-EVT-1", 5000, "events for nothing, of a CAN client");
}

/* A client that asks for an event for each answer, on both rings, gets one a turn. */
static void t_evt_2_can_storm_out(void **state)
{
	struct canfd_frame frame = can_frame(0x101, 8, 1);
	uint64_t turns = 0;

	(void)state;
	on_as(&conf);
	for (unsigned round = 0; round < 200; round++) {
		struct can_front_answer answer;
		struct can_event event;
		uint64_t before;

		can_bed_post(&bed, 16);
		run();
		for (uint16_t i = 0; i < 16; i++) {
			can_bus_test_hear(&bed.test, &frame);
			assert_true(bed.front->ops->send(bed.front, i, &frame));
		}
		can_front_header(tx())[RSP_EVENT] = tx()->rsp_cons + 1;
		can_front_header(rx())[RSP_EVENT] = rx()->rsp_cons + 1;
		bed.front->ops->push(bed.front);
		before = loopxen_calls(bed.x, LOOPXEN_NOTIFY);
		assert_int_equal(can_bed_turn(&bed), 0);
		assert_int_equal(loopxen_calls(bed.x, LOOPXEN_NOTIFY), before + 1);
		turns++;
		run();
		while (can_bed_answer(&bed, &answer) || can_bed_event(&bed, &event))
			;
	}
	down();
	tally("T-EVT-2", turns, "turns that told of both rings of canif");
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(t_ring_1_can_second_look),
		TEST(t_ring_1_can_rewrite_each_read),
		TEST(t_ring_1_can_rewrite_at_attach),
		TEST(t_ring_2_can_wraps_at_2_32),
		TEST(t_ring_2_can_index_abuse),
		TEST(t_ring_2_can_client_runs_ahead),
		TEST(t_ring_2_can_response_half),
		TEST(t_ring_3_can_published_bytes),
		TEST(t_evt_1_can_storm_in),
		TEST(t_evt_2_can_storm_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
