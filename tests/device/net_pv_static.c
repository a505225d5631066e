/* SPDX-License-Identifier: MIT */
/* The PV door's static grants: pages that a client has kept mapped. */
#include "tests/device/net-control.h"

#define GRANT .mode = POLICY_GRANT, .ring_pages = 1024

static const struct net_bed_conf grant = {GRANT};

static struct netfront_queue *queue(unsigned i)
{
	return &bed.front.queue[i];
}

static void up_static(const struct net_bed_conf *conf)
{
	up_control(conf);
	for (unsigned i = 0; i < bed.front.queues; i++)
		grant_slots(i);
}

static uint64_t copies(void)
{
	return loopxen_calls(bed.x, LOOPXEN_COPY);
}

static void sends(unsigned on, uint32_t size, unsigned seed)
{
	put(on, size, seed);
	push_run();
	assert_left(size, seed);
	assert_done(on, RSP_OKAY);
}

static void hears(uint32_t size, unsigned seed)
{
	hear(size, seed);
	post(0, (size + PAGE - 1) / PAGE);
	run();
	assert_came(0, size, seed);
}

/* -- How many ----------------------------------------------------------------- */

static void as_many_as_fit(void **state)
{
	static const struct {
		struct net_bed_conf conf;
		uint32_t max;
	} rows[] = {
		{{GRANT}, 512},
		{{.mode = POLICY_GRANT, .ring_pages = 1024, .queues = 4}, 253},
		{{.mode = POLICY_GRANT, .ring_pages = 13}, 10},
		{{.mode = POLICY_GRANT, .ring_pages = 4}, 1},
		{{.mode = POLICY_GRANT, .ring_pages = 3}, 0},
		{{.mode = POLICY_COPY, .ring_pages = 1024}, 0},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		uint32_t max = rows[i].max;

		up_static(&rows[i].conf);
		assert_int_equal(asks(GET_GREFS, 0, 0, 0, SUCCESS), max);
		asks(GET_GREFS, bed.front.queues, 0, 0, INVALID);
		asks(GET_GREFS, UINT32_MAX, 0, 0, INVALID);
		if (!max) {
			add_grefs(0, queue(0)->tx_ref, 1, 1, NOT_SUPPORTED);
			asks(DEL_GREFS, 0, named.v, 1, NOT_SUPPORTED);
			assert_int_equal(mapped(queue(0)->tx_ref, 1), 0);
		} else if (max < 256) {
			add_grefs(0, queue(0)->tx_ref, max + 1, 1, INVALID);
			assert_int_equal(mapped(queue(0)->tx_ref, max + 1), 0);
			add_grefs(0, queue(0)->tx_ref, max, 1, SUCCESS);
			assert_int_equal(mapped(queue(0)->tx_ref, max), max);
			add_grefs(0, queue(0)->tx_ref + max, 1, 1, INVALID);
		}
		sends(0, 3000, 1);
		hears(3000, 1);
		down();
	}
}

/* -- What they are for ----------------------------------------------------------- */

/* All slots of both rings: not one call of the keeper for any frame. */
static void no_copy_is_made(void **state)
{
	uint64_t before;

	(void)state;
	up_static(&grant);
	add_grefs(0, queue(0)->tx_ref, NETFRONT_RING, 1, SUCCESS);
	add_grefs(0, queue(0)->rx_ref, NETFRONT_RING, 0, SUCCESS);
	assert_int_equal(mapped(queue(0)->tx_ref, NETFRONT_RING), NETFRONT_RING);
	assert_int_equal(mapped(queue(0)->rx_ref, NETFRONT_RING), NETFRONT_RING);
	before = copies();
	for (unsigned i = 0; i < 600; i++) {
		sends(0, 14 + i * 13, i);
		hears(14 + i * 13, i);
	}
	assert_int_equal(copies(), before);
	assert_true(bed.pv.stats.direct > 1200);
	assert_int_equal(bed.pv.stats.refused, 0);
	down();
}

/* Some pieces of a packet, some slots of a frame: what is not mapped is copied. */
static void some_of_each(void **state)
{
	struct gref some[NETFRONT_RING];
	uint64_t before;
	unsigned n = 0;

	(void)state;
	up_static(&grant);
	for (unsigned i = 0; i < NETFRONT_RING; i += 2)
		some[n++] = queue(0)->tx_ref[i];
	add_grefs(0, some, n, 1, SUCCESS);
	for (unsigned i = 0; i < n; i++)
		some[i] = queue(0)->rx_ref[i * 2 + 1];
	add_grefs(0, some, n, 0, SUCCESS);
	before = copies();
	for (unsigned i = 0; i < 400; i++) {
		sends(0, 9000 - i, i);
		hears(9000 - i, i);
	}
	assert_int_equal(copies(), before + 2 * 400);
	assert_in_range(bed.pv.stats.direct, 2 * 400, 4 * 400);
	down();
}

/* One that is mapped to be read takes no frame: that slot is filled by a copy. */
static void read_only_takes_no_frame(void **state)
{
	uint64_t before;

	(void)state;
	up_static(&grant);
	add_grefs(0, queue(0)->rx_ref, NETFRONT_RING, 1, SUCCESS);
	before = copies();
	hears(4000, 1);
	assert_int_equal(copies(), before + 1);
	assert_int_equal(bed.pv.stats.direct, 0);
	/* A page that its client may only have read cannot be had otherwise. */
	add_grefs(0, queue(0)->tx_ref, 1, 0, INVALID);
	add_grefs(0, queue(0)->tx_ref, 1, 1, SUCCESS);
	down();
}

/* They are of the queue that they were named for. */
static void of_one_queue(void **state)
{
	uint64_t before;

	(void)state;
	up_static(&(struct net_bed_conf){GRANT, .queues = 2, .front.queues = 2});
	add_grefs(1, queue(1)->tx_ref, 200, 1, SUCCESS);
	before = copies();
	sends(1, 500, 1);
	assert_int_equal(copies(), before);
	sends(0, 500, 2);
	assert_int_equal(copies(), before + 1);
	down();
}

/* -- Given back ------------------------------------------------------------------- */

static void let_go(void **state)
{
	struct gref refs[4];
	uint64_t before;

	(void)state;
	up_static(&grant);
	add_grefs(0, queue(0)->tx_ref, 100, 1, SUCCESS);
	/* One that is, one that is not, one twice. */
	refs[0] = queue(0)->tx_ref[0];
	refs[1] = queue(0)->tx_ref[100];
	refs[2] = queue(0)->tx_ref[50];
	refs[3] = queue(0)->tx_ref[0];
	list_grefs(refs, 4, 0);
	assert_int_equal(asks(DEL_GREFS, 0, named.v, 4, SUCCESS), 2);
	assert_int_equal(listed_status(0), SUCCESS);
	assert_int_equal(listed_status(1), INVALID);
	assert_int_equal(listed_status(2), SUCCESS);
	assert_int_equal(listed_status(3), INVALID);
	assert_int_equal(listed_status(4), 0x7777);
	assert_int_equal(mapped(refs, 3), 0);
	assert_true(loopxen_revoke(bed.x, bed.dev.front, refs[2]));
	/* The others stay, and that one is copied again. */
	assert_int_equal(mapped(queue(0)->tx_ref, 50), 49);
	before = copies();
	sends(0, 500, 1);
	assert_int_equal(copies(), before + 1);
	sends(0, 500, 2);
	assert_int_equal(copies(), before + 1);
	/* And may be mapped once more. */
	add_grefs(0, refs, 1, 1, SUCCESS);
	assert_int_equal(mapped(refs, 1), 1);
	queue(0)->tx_page[50] = NULL;
	down();
}

/* All, in any order, and again: none is lost, none stands twice. */
static void goes_round(void **state)
{
	struct gref refs[2 * NETFRONT_RING];
	bool is[2 * NETFRONT_RING] = {0};
	unsigned n = 0;

	(void)state;
	srand(270);
	up_static(&grant);
	memcpy(refs, queue(0)->tx_ref, sizeof(refs) / 2);
	memcpy(refs + NETFRONT_RING, queue(0)->rx_ref, sizeof(refs) / 2);
	for (unsigned round = 0; round < 1500; round++) {
		unsigned i = (unsigned)rand() % COUNT(refs);

		if (is[i]) {
			list_grefs(&refs[i], 1, 0);
			assert_int_equal(asks(DEL_GREFS, 0, named.v, 1, SUCCESS), 1);
		} else {
			add_grefs(0, &refs[i], 1, 1, SUCCESS);
		}
		is[i] = !is[i];
		n += is[i] ? 1u : -1u;
		assert_int_equal(bed.pv.queue[0].statics.n, n);
		assert_int_equal(mapped(&refs[i], 1), is[i]);
	}
	for (unsigned i = 0; i < COUNT(refs); i++)
		assert_int_equal(mapped(&refs[i], 1), is[i]);
	down();
}

/* -- Refused ------------------------------------------------------------------------
 */

/* One of many cannot be: none is mapped, whichever it is. */
static void all_or_none(void **state)
{
	struct gref refs[80];

	(void)state;
	up_static(&grant);
	for (unsigned at = 0; at < COUNT(refs); at++) {
		memcpy(refs, queue(0)->tx_ref, sizeof(refs));
		refs[at].v = at % 3 ? 8000 + at : refs[(at + 1) % COUNT(refs)].v;
		add_grefs(0, refs, COUNT(refs), 1, INVALID);
		assert_int_equal(mapped(queue(0)->tx_ref, COUNT(refs)), 0);
		assert_int_equal(bed.pv.queue[0].statics.n, 0);
	}
	/* One that is there stays, though its list is refused. */
	add_grefs(0, queue(0)->tx_ref + 40, 1, 1, SUCCESS);
	add_grefs(0, queue(0)->tx_ref, COUNT(refs), 1, INVALID);
	assert_int_equal(mapped(queue(0)->tx_ref, COUNT(refs)), 1);
	assert_int_equal(mapped(queue(0)->tx_ref + 40, 1), 1);
	down();
}

/* The keeper's quota is asked for each, and is not the door's to pass. */
static void quota(void **state)
{
	(void)state;
	up_static(&(struct net_bed_conf){.mode = POLICY_GRANT, .ring_pages = 100});
	bed.policy.ring_pages = 50; /* for the keeper; the door was told 100 */
	assert_int_equal(asks(GET_GREFS, 0, 0, 0, SUCCESS), 97);
	add_grefs(0, queue(0)->tx_ref, 48, 1, INVALID);
	assert_int_equal(mapped(queue(0)->tx_ref, 48), 0);
	assert_int_equal(loopxen_back_pages(bed.back), 0);
	add_grefs(0, queue(0)->tx_ref, 47, 1, SUCCESS);
	assert_int_equal(mapped(queue(0)->tx_ref, 47), 47);
	add_grefs(0, queue(0)->tx_ref + 47, 1, 1, INVALID);
	sends(0, 500, 1);
	down();
}

/* Nor is GrantRefs. */
static void references_of_the_policy(void **state)
{
	(void)state;
	up_static(&(struct net_bed_conf){GRANT, .last_ref = 200});
	add_grefs(0, queue(0)->tx_ref, 10, 1, SUCCESS);
	assert_true(queue(0)->tx_ref[250].v > 200);
	add_grefs(0, queue(0)->tx_ref + 250, 1, 1, INVALID);
	down();
}

/* -- What they cost -------------------------------------------------------------------
 */

static void each_page_pays(void **state)
{
	uint64_t start;

	(void)state;
	up_static(&(struct net_bed_conf){GRANT, .operations = {10, 1}});
	start = loopxen_now(bed.x);
	add_grefs(0, queue(0)->tx_ref, 100, 1, SUCCESS);
	assert_in_range(loopxen_now(bed.x) - start, 10 * SECOND - 1000,
			10 * SECOND + 1000);
	list_grefs(queue(0)->tx_ref, 100, 0);
	assert_int_equal(asks(DEL_GREFS, 0, named.v, 100, SUCCESS), 100);
	assert_in_range(loopxen_now(bed.x) - start, 20 * SECOND, 21 * SECOND);
	down();
}

/* So many pages a turn; a queue goes on between them. */
static void a_long_list_delays_nobody(void **state)
{
	unsigned turns = 0;
	uint32_t status, data;

	(void)state;
	up_static(&grant);
	list_grefs(queue(0)->tx_ref, 256, 1);
	ask(ADD_GREFS, 0, named.v, 256);
	for (; !netfront_asked(&bed.front, &status, &data); turns++) {
		uint64_t maps = loopxen_calls(bed.x, LOOPXEN_MAP);

		put(0, 60, turns);
		netfront_push(&bed.front);
		assert_int_equal(net_bed_turn(&bed), 0);
		assert_true(loopxen_calls(bed.x, LOOPXEN_MAP) <= maps + NET_PV_STEPS);
		assert_left(60, turns);
		assert_done(0, RSP_OKAY);
	}
	assert_int_equal(status, SUCCESS);
	assert_int_equal(turns, 256 / NET_PV_STEPS);
	down();
}

/* -- Their life
 * ------------------------------------------------------------------------ */

/* Whoever goes, in the middle of whatever, leaves nothing mapped. */
static void nothing_is_left(void **state)
{
	(void)state;
	for (unsigned del = 0; del <= 1; del++) {
		for (unsigned turns = 0; turns <= 10; turns++) {
			up_static(&grant);
			if (del)
				add_grefs(0, queue(0)->rx_ref, 256, 0, SUCCESS);
			list_grefs(queue(0)->rx_ref, 256, 0);
			ask(del ? DEL_GREFS : ADD_GREFS, 0, named.v, 256);
			netfront_push(&bed.front);
			for (unsigned i = 0; i < turns; i++)
				assert_int_equal(net_bed_turn(&bed), 0);
			down();
		}
	}
}

/* A successor keeps none: each works by a copy, and may be mapped anew. */
static void a_successor_has_none(void **state)
{
	uint64_t before;

	(void)state;
	up_static(&grant);
	add_grefs(0, queue(0)->tx_ref, 256, 1, SUCCESS);
	list_grefs(queue(0)->rx_ref, 256, 0);
	ask(ADD_GREFS, 0, named.v, 256);
	netfront_push(&bed.front);
	assert_int_equal(net_bed_turn(&bed), 0);
	net_bed_kill(&bed);
	assert_int_equal(mapped(queue(0)->tx_ref, 256), 0);
	assert_int_equal(mapped(queue(0)->rx_ref, 256), 0);
	assert_int_equal(net_bed_follow(&bed), 0);
	run();
	/* What was not answered is done, from its beginning. */
	assert_asked(SUCCESS);
	assert_int_equal(mapped(queue(0)->rx_ref, 256), 256);
	before = copies();
	sends(0, 500, 1);
	assert_int_equal(copies(), before + 1);
	hears(500, 1);
	assert_int_equal(copies(), before + 1);
	list_grefs(queue(0)->tx_ref, 256, 0);
	assert_int_equal(asks(DEL_GREFS, 0, named.v, 256, SUCCESS), 0);
	assert_int_equal(listed_status(0), INVALID);
	add_grefs(0, queue(0)->tx_ref, 256, 1, SUCCESS);
	down();
}

/* The next client of the same process has none of the last one's. */
static void the_next_client_has_none(void **state)
{
	(void)state;
	up_static(&grant);
	add_grefs(0, queue(0)->tx_ref, 256, 1, SUCCESS);
	net_pv_detach(&bed.pv);
	run();
	assert_int_equal(mapped(queue(0)->tx_ref, 256), 0);
	assert_int_equal(loopxen_back_holds(bed.back), 0);
	net_bed_reconnect(&bed);
	list_grefs(queue(0)->tx_ref, 1, 0);
	assert_int_equal(asks(DEL_GREFS, 0, named.v, 1, SUCCESS), 0);
	sends(0, 500, 1);
	down();
}

/* Our own environment fails at a map, an unmap, a copy: the process ends, and leaves
 * nothing. */
static void calls_fail(void **state)
{
	static const enum loopxen_verb verbs[] = {LOOPXEN_MAP, LOOPXEN_UNMAP,
						  LOOPXEN_COPY, LOOPXEN_NOTIFY};

	(void)state;
	for (unsigned v = 0; v < COUNT(verbs); v++) {
		for (unsigned n = 0; n < 4; n++) {
			up_static(&grant);
			list_grefs(queue(0)->tx_ref, 40, 1);
			ask(ADD_GREFS, 0, named.v, 40);
			ask(DEL_GREFS, 0, named.v, 40);
			netfront_push(&bed.front);
			loopxen_fail(bed.x, verbs[v], n, -EIO);
			if (net_bed_run(&bed)) {
				net_bed_kill(&bed);
				assert_int_equal(mapped(queue(0)->tx_ref, 40), 0);
				assert_int_equal(net_bed_follow(&bed), 0);
				run();
			}
			loopxen_fail_left(bed.x, verbs[v]);
			sends(0, 500, n);
			down();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_as_fit),
		cmocka_unit_test(no_copy_is_made),
		cmocka_unit_test(some_of_each),
		cmocka_unit_test(read_only_takes_no_frame),
		cmocka_unit_test(of_one_queue),
		cmocka_unit_test(let_go),
		cmocka_unit_test(goes_round),
		cmocka_unit_test(all_or_none),
		cmocka_unit_test(quota),
		cmocka_unit_test(references_of_the_policy),
		cmocka_unit_test(each_page_pays),
		cmocka_unit_test(a_long_list_delays_nobody),
		cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(a_successor_has_none),
		cmocka_unit_test(the_next_client_has_none),
		cmocka_unit_test(calls_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
