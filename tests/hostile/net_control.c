/* SPDX-License-Identifier: MIT */
/* T-NET-2 on the PV door: requests of the control ring that cannot be. Beside whatever
 * is asked the queues are served, and what was set before stands. */
#include "tests/device/net-control.h"
#include "tests/hook/shared-hook.h"
#include "tests/hostile/tally.h"

#define GRANT .mode = POLICY_GRANT, .ring_pages = 1024

static const struct net_bed_conf plain = {.queues = 2, .front.queues = 2};
static const struct net_bed_conf grant = {GRANT, .queues = 2, .front.queues = 2};
static const uint32_t edges[] = {
	0,	    1,		2,	    127,	128,	    129,
	255,	    256,	511,	    512,	513,	    1023,
	1024,	    1025,	4095,	    4096,	4097,	    32767,
	32768,	    65535,	65536,	    0x3fffffff, 0x40000000, 0x7fffffff,
	0x80000000, 0xc0000000, 0xffffff80, 0xfffffffe, 0xffffffff,
};
static uint64_t done;

static int reset(void **state)
{
	(void)state;
	shared_hook = NULL;
	shared_hook_after = NULL;
	done = 0;
	return 0;
}

static struct netfront_queue *queue(unsigned i)
{
	return &bed.front.queue[i];
}

/* Asked between two packets, of two queues: what the answer is; both leave. */
static uint32_t tries(uint16_t type, uint32_t d0, uint32_t d1, uint32_t d2)
{
	uint32_t status = 99, data;

	put(0, 100, (unsigned)done);
	ask(type, d0, d1, d2);
	put(1, 100, (unsigned)done);
	push_run();
	assert_left(100, (unsigned)done);
	assert_left(100, (unsigned)done);
	assert_done(0, RSP_OKAY);
	assert_done(1, RSP_OKAY);
	assert_true(netfront_asked(&bed.front, &status, &data));
	assert_not_asked();
	assert_int_equal(bed.broken, 0);
	done++;
	return status;
}

/* -- The hash ------------------------------------------------------------------------
 */

static void t_net_2_mapping_ranges(void **state)
{
	(void)state;
	up_control(&plain);
	set_hash(15);
	memset(named_page, 0, PAGE);
	for (unsigned s = 0; s < COUNT(edges); s++) {
		uint32_t size = edges[s];

		assert_int_equal(tries(SET_MAPPING_SIZE, size, 0, 0),
				 size <= 128 ? SUCCESS : INVALID);
		for (unsigned i = 0; size <= 128 && i < COUNT(edges) * COUNT(edges);
		     i++) {
			uint32_t n = edges[i / COUNT(edges)],
				 at = edges[i % COUNT(edges)];
			bool fits = (uint64_t)n + at <= size;

			assert_int_equal(tries(SET_MAPPING, named.v, n, at),
					 fits	   ? SUCCESS
					 : n > 128 ? OVERFLOW
						   : INVALID);
		}
	}
	down();
	tally("T-NET-2", done, "ranges of the hash's table");
}

/* Of 0 to 64 KiB, and beyond: none but 40 is kept. */
static void t_net_2_key_sizes(void **state)
{
	struct netif_hash before;

	(void)state;
	up_control(&plain);
	set_hash(15);
	before = bed.pv.control.hash;
	for (uint32_t size = NETIF_KEY_MAX + 1; size <= 65536;
	     size += size < 200 ? 1 : 97)
		assert_int_equal(tries(SET_KEY, named.v, size, 0), OVERFLOW);
	for (unsigned i = 0; i < COUNT(edges); i++)
		assert_int_equal(tries(SET_KEY, named.v, edges[i], 0),
				 edges[i] <= NETIF_KEY_MAX ? SUCCESS : OVERFLOW);
	set_hash(15);
	assert_memory_equal(&before, &bed.pv.control.hash, sizeof(before));
	down();
	tally("T-NET-2", done, "sizes of keys");
}

static void t_net_2_entries_that_are_no_queues(void **state)
{
	uint32_t *table;

	(void)state;
	up_control(&plain);
	set_hash(15);
	table = (uint32_t *)(void *)named_page;
	assert_int_equal(tries(SET_MAPPING_SIZE, 128, 0, 0), SUCCESS);
	for (unsigned i = 0; i < COUNT(edges); i++) {
		for (uint32_t at = 0; at < 128; at += 9) {
			for (uint32_t k = 0; k < 128; k++)
				table[k] = k == at ? edges[i] : 1;
			assert_int_equal(tries(SET_MAPPING, named.v, 128, 0),
					 edges[i] < 2 ? SUCCESS : INVALID);
			for (uint32_t k = 0; k < 128; k++)
				assert_true(bed.pv.control.hash.mapping[k] < 2);
		}
	}
	down();
	tally("T-NET-2", done, "entries of the hash's table");
}

static void t_net_2_types_flags_algorithms(void **state)
{
	(void)state;
	up_control(&plain);
	for (uint32_t type = 0; type <= UINT16_MAX; type += type < 300 ? 1 : 251) {
		uint32_t status;

		if (type >= GET_FLAGS && type <= DEL_GREFS)
			continue;
		status = tries((uint16_t)type, 1, named.v, 1);
		assert_int_equal(status, NOT_SUPPORTED);
	}
	for (unsigned i = 0; i < COUNT(edges); i++)
		assert_int_equal(tries(SET_FLAGS, edges[i], 0, 0), NOT_SUPPORTED);
	for (unsigned i = 0; i < COUNT(edges); i++)
		assert_int_equal(tries(SET_ALGORITHM, edges[i], 0, 0),
				 edges[i] <= 1 ? SUCCESS : INVALID);
	assert_int_equal(tries(SET_ALGORITHM, 1, 0, 0), SUCCESS);
	for (unsigned i = 0; i < COUNT(edges); i++)
		assert_int_equal(tries(SET_FLAGS, edges[i], 0, 0),
				 edges[i] <= 15 ? SUCCESS : INVALID);
	down();
	tally("T-NET-2", done, "types, flags and algorithms");
}

/* -- Pages that are named -------------------------------------------------------------
 */

/* Free, of others, out of the policy's range, revoked. A page that cannot be written to
 * can be read. */
static void t_net_2_references(void **state)
{
	static const struct domid other = {7};
	struct gref gone, foreign, read_only;
	uint32_t refs[7];

	(void)state;
	up_control(&(struct net_bed_conf){GRANT, .queues = 2, .front.queues = 2,
					  .last_ref = 4000});
	set_hash(15);
	assert_int_equal(tries(SET_MAPPING_SIZE, 16, 0, 0), SUCCESS);
	gone = loopxen_grant(bed.x, bed.dev.front, named_page, bed.dev.back, false);
	assert_true(loopxen_revoke(bed.x, bed.dev.front, gone));
	foreign = loopxen_grant(bed.x, bed.dev.front, named_page, other, false);
	loopxen_grant_as(bed.x, bed.dev.front, (struct gref){4001}, named_page,
			 bed.dev.back, false);
	read_only = loopxen_grant(bed.x, bed.dev.front, named_page, bed.dev.back, true);
	memcpy(refs,
	       (const uint32_t[]){gone.v, foreign.v, 4001, 0, 7, 8000, 0xffffffff},
	       sizeof(refs));
	memset(named_page, 0, PAGE);
	for (unsigned i = 0; i < COUNT(refs); i++) {
		const struct netif_hash before = bed.pv.control.hash;

		assert_int_equal(tries(SET_KEY, refs[i], 40, 0), INVALID);
		assert_int_equal(tries(SET_MAPPING, refs[i], 16, 0), INVALID);
		assert_int_equal(tries(ADD_GREFS, 0, refs[i], 4), INVALID);
		assert_int_equal(tries(DEL_GREFS, 0, refs[i], 4), INVALID);
		assert_memory_equal(&before, &bed.pv.control.hash, sizeof(before));
		/* As one of a list. */
		list_grefs(&(struct gref){refs[i]}, 1, i % 2);
		assert_int_equal(tries(ADD_GREFS, 0, named.v, 1), INVALID);
		assert_int_equal(bed.pv.queue[0].statics.n, 0);
	}
	memset(named_page, 0, PAGE);
	assert_int_equal(tries(SET_KEY, read_only.v, 40, 0), SUCCESS);
	assert_int_equal(tries(SET_MAPPING, read_only.v, 16, 0), SUCCESS);
	/* What became of each cannot be said there. */
	assert_int_equal(tries(DEL_GREFS, 0, read_only.v, 4), INVALID);
	down();
	tally("T-NET-2", done, "references that are not for us");
}

/* The page of the list, a page of a ring, one page under many references: they are its
 * client's, and cost nobody else anything. */
static void t_net_2_references_of_its_own(void **state)
{
	struct gref refs[8];

	(void)state;
	up_control(&grant);
	refs[0] = named;
	refs[1] = bed.front.control.ring.ref;
	refs[2] = queue(0)->tx.ref;
	refs[3] = queue(0)->rx.ref;
	for (unsigned i = 4; i < COUNT(refs); i++)
		refs[i] = loopxen_grant(bed.x, bed.dev.front, named_page, bed.dev.back,
					false);
	list_grefs(refs, COUNT(refs), 0);
	assert_int_equal(tries(ADD_GREFS, 0, named.v, COUNT(refs)), SUCCESS);
	/* And once more, by either queue. */
	assert_int_equal(tries(ADD_GREFS, 0, named.v, COUNT(refs)), INVALID);
	assert_int_equal(tries(ADD_GREFS, 1, named.v, COUNT(refs)), SUCCESS);
	assert_int_equal(tries(DEL_GREFS, 0, named.v, COUNT(refs)), SUCCESS);
	assert_int_equal(mapped(refs + 4, 4), 4);
	/* A list that is itself kept mapped, and is let go of by itself. */
	list_grefs(refs, COUNT(refs), 0);
	assert_int_equal(tries(DEL_GREFS, 1, named.v, COUNT(refs)), SUCCESS);
	assert_int_equal(mapped(refs + 4, 4), 0);
	assert_int_equal(mapped(&named, 1), 0);
	down();
	tally("T-NET-2", done, "references of its own");
}

/* -- Lists
 * ----------------------------------------------------------------------------- */

static void t_net_2_lists(void **state)
{
	(void)state;
	up_control(&grant);
	grant_slots(0);
	for (unsigned i = 0; i < COUNT(edges); i++) {
		uint32_t n = edges[i];

		/* More than a queue has room for, or a page. */
		list_grefs(queue(0)->tx_ref, 256, 1);
		memset(named_page + 256 * sizeof(struct netfront_gref), 0,
		       PAGE - 256 * sizeof(struct netfront_gref));
		assert_int_equal(tries(ADD_GREFS, 0, named.v, n),
				 n <= 256 ? SUCCESS : INVALID);
		assert_int_equal(bed.pv.queue[0].statics.n, n <= 256 ? n : 0);
		/* Another queue has none of them. */
		assert_int_equal(tries(DEL_GREFS, 1, named.v, n),
				 n <= 512 ? SUCCESS : INVALID);
		assert_int_equal(bed.pv.queue[0].statics.n, n <= 256 ? n : 0);
		list_grefs(queue(0)->tx_ref, 256, 1);
		assert_int_equal(tries(DEL_GREFS, 0, named.v, n),
				 n <= 512 ? SUCCESS : INVALID);
		assert_int_equal(bed.pv.queue[0].statics.n, 0);
		assert_int_equal(mapped(queue(0)->tx_ref, 256), 0);
	}
	for (unsigned i = 0; i < COUNT(edges); i++) {
		bool there = edges[i] < 2;

		list_grefs(queue(0)->tx_ref, 1, 1);
		assert_int_equal(tries(GET_GREFS, edges[i], 0, 0),
				 there ? SUCCESS : INVALID);
		assert_int_equal(tries(ADD_GREFS, edges[i], named.v, 1),
				 there ? SUCCESS : INVALID);
		assert_int_equal(tries(DEL_GREFS, edges[i], named.v, 1),
				 there ? SUCCESS : INVALID);
	}
	down();
	tally("T-NET-2", done, "lists of references, and queues");
}

static void t_net_2_flags_of_references(void **state)
{
	(void)state;
	up_control(&grant);
	grant_slots(0);
	for (uint32_t flags = 2; flags <= UINT16_MAX; flags = flags * 2 + flags % 3) {
		list_grefs(queue(0)->rx_ref, 8, 0);
		((struct netfront_gref *)(void *)named_page)[7].flags = (uint16_t)flags;
		assert_int_equal(tries(ADD_GREFS, 0, named.v, 8), INVALID);
		assert_int_equal(mapped(queue(0)->rx_ref, 8), 0);
	}
	down();
	tally("T-NET-2", done, "flags of references");
}

/* 513 of one queue, one by one: no more than was said. */
static void t_net_2_more_than_there_is_room_for(void **state)
{
	struct gref refs[513];

	(void)state;
	up_control(&(struct net_bed_conf){GRANT});
	for (unsigned i = 0; i < COUNT(refs); i++) {
		refs[i] = loopxen_grant(bed.x, bed.dev.front, named_page, bed.dev.back,
					false);
		add_grefs(0, &refs[i], 1, 0, i < 512 ? SUCCESS : INVALID);
	}
	assert_int_equal(mapped(refs, COUNT(refs)), 512);
	down();
	tally("T-NET-2", COUNT(refs), "references of one queue");
}

/* -- While it is read
 * -------------------------------------------------------------------
 */

static struct {
	uint64_t at;
	bool hit;
	uint8_t with;
} rewrite;

/* What the read number @at of the control ring or of a page that is kept mapped sees,
 * or what a second look would. */
static void rewrite_read(uint64_t k, const volatile void *p, size_t len)
{
	uint8_t *at = loopxen_back_client_view(bed.back, p);

	if (k != rewrite.at || !at)
		return;
	rewrite.hit = true;
	memset(at, rewrite.with, len);
}

/* Each read of a whole course of requests and frames is rewritten, before it or behind
 * it. The device may fail for it, and no more. */
static void course(void)
{
	static const uint32_t table[4] = {1, 0, 1, 1};
	unsigned i;

	ask(SET_ALGORITHM, 1, 0, 0);
	ask(SET_FLAGS, 15, 0, 0);
	ask(SET_KEY, named.v, 8, 0);
	ask(SET_MAPPING_SIZE, 4, 0, 0);
	memcpy(named_page, table, sizeof(table));
	ask(SET_MAPPING, named.v, 4, 0);
	netfront_push(&bed.front);
	assert_int_equal(net_bed_run(&bed), 0);
	list_grefs(queue(0)->tx_ref, 3, 1);
	ask(ADD_GREFS, 0, named.v, 3);
	netfront_push(&bed.front);
	assert_int_equal(net_bed_run(&bed), 0);
	for (i = 0; i < 2; i++) {
		put(0, 3000, i);
		hear(3000, i);
	}
	netfront_post(&bed.front, 0, 4);
	netfront_push(&bed.front);
	assert_int_equal(net_bed_run(&bed), 0);
	list_grefs(queue(0)->tx_ref, 3, 1);
	ask(DEL_GREFS, 0, named.v, 3);
	netfront_push(&bed.front);
	assert_int_equal(net_bed_run(&bed), 0);
}

static void t_net_2_reads_that_change(void **state)
{
	static const uint8_t with[] = {0, 0xff};

	(void)state;
	for (unsigned w = 0; w < 2 * COUNT(with); w++) {
		for (rewrite.at = 0;; rewrite.at++) {
			struct net_link_frame *out;

			up_control(&grant);
			grant_slots(0);
			rewrite.with = with[w / 2];
			rewrite.hit = false;
			shared_hook_reads = 0;
			if (w % 2)
				shared_hook_after = rewrite_read;
			else
				shared_hook = rewrite_read;
			course();
			shared_hook = shared_hook_after = NULL;
			while ((out = net_link_test_seen(&bed.link)))
				free(out);
			assert_true(bed.broken <= 1);
			if (bed.pv.state == NET_PV_DOWN)
				assert_int_equal(loopxen_back_holds(bed.back), 0);
			else
				assert_int_equal(bed.broken, 0);
			bed.broken = 0;
			if (bed.pv.state != NET_PV_DOWN) {
				net_pv_detach(&bed.pv);
				assert_int_equal(net_bed_run(&bed), 0);
			}
			/* The next client is served. */
			net_bed_reconnect(&bed);
			serves();
			asks(GET_MAPPING_SIZE, 0, 0, 0, SUCCESS);
			assert_int_equal(net_bed_down(&bed), 0);
			if (!rewrite.hit && shared_hook_reads < rewrite.at)
				break;
			done++;
		}
	}
	assert_true(done > 100);
	tally("T-NET-2", done, "reads that change what they see");
}

/* All that was read is spoilt behind it: who looked twice would see it. */
static uint64_t spoilt;

static void spoil(uint64_t k, const volatile void *p, size_t len)
{
	uint8_t *at = loopxen_back_client_view(bed.back, p);
	const uint8_t *ring = bed.front.control.ring.page;

	(void)k;
	if (!at || (at >= ring && at < ring + 64) ||
	    (at >= queue(0)->tx.page && at < queue(0)->tx.page + 64) ||
	    (at >= queue(0)->rx.page && at < queue(0)->rx.page + 64) ||
	    (at >= queue(1)->tx.page && at < queue(1)->tx.page + 64))
		return;
	memset(at, 0xff, len);
	spoilt += len;
}

static void t_net_2_second_look(void **state)
{
	(void)state;
	up_control(&grant);
	grant_slots(0);
	shared_hook_after = spoil;
	spoilt = 0;
	set_hash(15);
	set_table((const uint32_t[]){1, 0}, 2);
	/* A page that is kept mapped, spoilt once it was read. */
	add_grefs(0, queue(0)->tx_ref, 256, 1, SUCCESS);
	for (unsigned i = 0; i < 20; i++) {
		put(0, 5000, i);
		push_run();
		assert_left(5000, i);
		assert_done(0, RSP_OKAY);
	}
	shared_hook_after = NULL;
	assert_int_equal(spoilt, 6 * 16 + 20 * (5000 + 2 * 12));
	down();
	tally("T-NET-2", spoilt, "bytes spoilt behind a read");
}

/* -- The ring -------------------------------------------------------------------------
 */

static void t_net_2_indices(void **state)
{
	static const uint32_t ahead[] = {129,	     130,	 256,
					 0x7fffffff, 0x80000000, 0xffffffff};

	(void)state;
	up_control(&plain);
	for (unsigned i = 0; i < COUNT(ahead); i++) {
		struct netfront_ring *ring = &bed.front.control.ring;

		asks(GET_MAPPING_SIZE, 0, 0, 0, SUCCESS);
		netfront_header(ring)[0] = ring->rsp_cons + ahead[i];
		loopxen_notify(bed.x, bed.dev.front, bed.front.control.port);
		run();
		assert_int_equal(bed.broken, 1);
		assert_string_equal(bed.why,
				    "the control ring's index is too far ahead");
		assert_int_equal(bed.detached, 1);
		net_bed_reconnect(&bed);
		serves();
		done++;
	}
	down();
	tally("T-NET-2", done, "indices that cannot be");
}

/* The ring is full for as long as frames go both ways: none waits for it, and each turn
 * answers one. */
static void t_net_2_flood(void **state)
{
	uint64_t asked = 0;
	uint32_t status, data;

	(void)state;
	up_control(&grant);
	grant_slots(0);
	post(0, 250);
	for (unsigned i = 0; i < 2000; i++) {
		uint64_t maps = loopxen_calls(bed.x, LOOPXEN_MAP);

		list_grefs(queue(0)->tx_ref, 256, 1);
		while (netfront_ask(&bed.front, i % 2 ? ADD_GREFS : DEL_GREFS, 0,
				    named.v, 256))
			;
		put(0, 100, i);
		hear(100, i);
		netfront_push(&bed.front);
		assert_int_equal(net_bed_turn(&bed), 0);
		assert_left(100, i);
		assert_done(0, RSP_OKAY);
		assert_came(0, 100, i);
		post(0, 1);
		assert_true(loopxen_calls(bed.x, LOOPXEN_MAP) <= maps + NET_PV_STEPS);
		while (netfront_asked(&bed.front, &status, &data))
			asked++;
	}
	assert_true(asked >= 2000 / (256 / NET_PV_STEPS + 1));
	run();
	down();
	tally("T-NET-2", asked, "requests of a flood");
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(t_net_2_mapping_ranges),
		TEST(t_net_2_key_sizes),
		TEST(t_net_2_entries_that_are_no_queues),
		TEST(t_net_2_types_flags_algorithms),
		TEST(t_net_2_references),
		TEST(t_net_2_references_of_its_own),
		TEST(t_net_2_lists),
		TEST(t_net_2_flags_of_references),
		TEST(t_net_2_more_than_there_is_room_for),
		TEST(t_net_2_reads_that_change),
		TEST(t_net_2_second_look),
		TEST(t_net_2_indices),
		TEST(t_net_2_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
