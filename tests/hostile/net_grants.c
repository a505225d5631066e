/* SPDX-License-Identifier: MIT */
/* T-NET-1 on the PV door: rings and grants that are not what they should be. */
#include "tests/hostile/net.h"

/* -- Rings
 * ------------------------------------------------------------------------------- */

static void t_net_1_indices(void **state)
{
	static const uint32_t ahead[] = {257,	     258,	 512,
					 0x7fffffff, 0x80000000, 0xffffffff};

	(void)state;
	up(&conf);
	for (unsigned i = 0; i < COUNT(ahead); i++) {
		for (unsigned rx = 0; rx <= 1; rx++) {
			struct netfront_ring *ring = rx ? &queue()->rx : &queue()->tx;

			netfront_header(ring)[0] = ring->rsp_cons + ahead[i];
			loopxen_notify(bed.x, bed.dev.front, queue()->tx_port);
			hear(60, 1);
			run();
			assert_int_equal(bed.broken, 1);
			assert_int_equal(bed.detached, 1);
			net_bed_reconnect(&bed);
			serves();
			done++;
		}
	}
	down();
	tally("T-NET-1", done, "indices that cannot be");
}

/* What was read is spoilt at once: who looks a second time sees others. But for the
 * indices, which are read anew each batch. */
static uint64_t spoilt;

static void spoil(uint64_t k, const volatile void *p, size_t len)
{
	uint8_t *at = loopxen_back_client_view(bed.back, p);

	(void)k;
	if (!at || (at >= queue()->tx.page && at < queue()->tx.page + 64) ||
	    (at >= queue()->rx.page && at < queue()->rx.page + 64))
		return;
	memset(at, 0xff, len);
	spoilt += len;
}

static void t_net_1_second_look(void **state)
{
	struct netfront_packet packet;

	(void)state;
	up(&conf);
	spoilt = 0;
	shared_hook_after = spoil;
	for (unsigned kind = 0; kind < 8; kind++) {
		make(kind, 5000, &packet);
		packet_passes(&packet);
		hear(9000, kind);
		post(0, 3);
		run();
		assert_came(0, 9000, kind);
	}
	shared_hook_after = NULL;
	assert_int_equal(spoilt, 8 * ((2 + 2 + 1) * 12 + 3 * 8) + 4 * 0 + 2 * 12);
	down();
	tally("T-NET-1", spoilt, "bytes of netif spoilt behind a read");
}

/* -- Grants
 * ------------------------------------------------------------------------------- */

/* References that are none, not for us, and not in the policy's range. */
static void t_net_1_references(void **state)
{
	static const struct domid other = {7};
	uint32_t refs[] = {0, 1, 7, 4000, 4001, 4500, 8000, 0x7fffffff, 0xffffffff};

	(void)state;
	up(&(struct net_bed_conf){.data_pages = 256, .first_ref = 8, .last_ref = 4000});
	/* A page that is there for others, and one that is granted out of the range. */
	loopxen_grant_as(bed.x, bed.dev.front, (struct gref){4000},
			 loopxen_page(bed.x, bed.dev.front), other, false);
	loopxen_grant_as(bed.x, bed.dev.front, (struct gref){4001},
			 loopxen_page(bed.x, bed.dev.front), bed.dev.back, false);
	for (unsigned i = 0; i < COUNT(refs); i++) {
		for (unsigned where = 0; where < 3; where++) {
			before();
			for (unsigned k = 0; k < 3; k++) {
				struct gref ref;
				struct netfront_tx_req req = {
					.flags = k < 2 ? NETTXF_MORE : 0,
					.size = k ? 100 : 300,
				};

				netfront_page(&bed.front, queue(), &ref);
				req.gref = k == where ? refs[i] : ref.v;
				netfront_raw(queue(), &req, false, true);
			}
			behind();
			for (unsigned k = 0; k < 3; k++)
				assert_done(0, RSP_ERROR);
			end();
		}
	}
	down();
	tally("T-NET-1", done, "references that are not for us");
}

/* A slot of the client's own making. */
static void post_as(struct gref ref, uint16_t id, uint8_t *page)
{
	uint32_t slot = queue()->rx.req_prod % NETFRONT_RING;
	struct netfront_rx_req req = {.id = id, .gref = ref.v};

	queue()->posted[slot] = req;
	queue()->rx_page[slot] = page;
	queue()->rx_ref[slot] = ref;
	memcpy(netfront_slot(&queue()->rx, queue()->rx.req_prod++), &req, sizeof(req));
}

static struct gref page_as(uint8_t **page, bool read_only)
{
	*page = loopxen_page(bed.x, bed.dev.front);
	return loopxen_grant(bed.x, bed.dev.front, *page, bed.dev.back, read_only);
}

/* One of three pages of a frame cannot be written to: all of its slots come back
 * without it; the frames before and behind arrive. */
static void slot_fails(unsigned where, struct gref bad, uint8_t *page)
{
	netfront_post(&bed.front, 0, 1 + where);
	post_as(bad, 0x777, page);
	netfront_post(&bed.front, 0, 2 - where + 1);
	hear(1000, 1);
	hear(9000, 2);
	hear(2000, 3);
	netfront_push(&bed.front);
	run();
	assert_came(0, 1000, 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(netfront_heard(&bed.front, 0, &bed.heard));
		assert_int_equal(bed.heard.status, RSP_ERROR);
	}
	assert_came(0, 2000, 3);
	assert_nothing_came(0);
	assert_int_equal(queue()->rx.rsp_cons, queue()->rx.req_prod);
	/* The page of that slot is another one from now on. */
	queue()->rx_page[(queue()->rx.req_prod - 4 + where) % NETFRONT_RING] = NULL;
	done++;
}

static void t_net_1_receive_slots(void **state)
{
	(void)state;
	up(&conf);
	for (unsigned where = 0; where < 3; where++) {
		struct gref ref;
		uint8_t *page;

		ref = page_as(&page, true);
		slot_fails(where, ref, page);
		for (unsigned i = 0; i < PAGE; i++)
			assert_int_equal(page[i], 0);
		ref = page_as(&page, false);
		assert_true(loopxen_revoke(bed.x, bed.dev.front, ref));
		slot_fails(where, ref, page);
		slot_fails(where, (struct gref){0}, page);
		slot_fails(where, (struct gref){0xffffffff}, page);
	}
	serves();
	down();
	tally("T-NET-1", done, "receive slots that cannot be written to");
}

/* The same slot, and the same page, as often as it likes: that is its own affair. */
static void t_net_1_slots_that_are_the_same(void **state)
{
	struct gref ref;
	uint8_t *page;

	(void)state;
	up(&conf);
	ref = page_as(&page, false);
	for (unsigned i = 0; i < 200; i++)
		post_as(ref, 0x111, page);
	for (unsigned i = 0; i < 100; i++)
		hear(100, i);
	netfront_push(&bed.front);
	run();
	for (unsigned i = 0; i < 100; i++) {
		assert_true(netfront_heard(&bed.front, 0, &bed.heard));
		assert_int_equal(bed.heard.size, 100);
	}
	/* The last one is what stands there. */
	to_me(100, 99);
	assert_memory_equal(page, frame, 100);
	put(0, 70, 1);
	push_run();
	assert_left(70, 1);
	assert_done(0, RSP_OKAY);
	down();
	tally("T-NET-1", 200, "receive slots that are the same");
}

/* Whoever posts nothing gets nothing, holds no more than its backlog, and sends. */
static void t_net_1_posts_nothing(void **state)
{
	(void)state;
	up(&(struct net_bed_conf){.backlog = 65536, .data_pages = 1024});
	for (unsigned i = 0; i < 3000; i++) {
		hear(1500, i);
		if (!(i % 10)) {
			put(0, 70, i);
			push_run();
			assert_left(70, i);
			assert_done(0, RSP_OKAY);
		}
		assert_true(bed.net.inbox.bytes < 65536 + 1500);
	}
	post(0, 200);
	run();
	for (unsigned i = 0; i < 200; i++)
		assert_came(0, 1500, i);
	assert_nothing_came(0);
	down();
	tally("T-NET-1", 3000, "frames for who takes none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(t_net_1_indices),
		TEST(t_net_1_second_look),
		TEST(t_net_1_references),
		TEST(t_net_1_receive_slots),
		TEST(t_net_1_slots_that_are_the_same),
		TEST(t_net_1_posts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
