/* SPDX-License-Identifier: MIT */
/*
 * T-GNT at the device: maps and copies that fail one by one, connections and
 * deaths by the thousand, references that are nobody's, and pages that their
 * owner takes back with its answer. What the keeper and the kernel's calls do
 * of this is grants_keeper.c.
 */
#include "tests/hostile/hostile.h"

static const enum policy_mode modes[] = {POLICY_MAP, POLICY_COPY};

#define REQUESTS 8
#define SEGMENTS 5

static struct front_buf buf[REQUESTS][SEGMENTS];

static void buffers(void)
{
	for (unsigned i = 0; i < REQUESTS; i++) {
		for (unsigned k = 0; k < SEGMENTS; k++)
			buf[i][k] = front_buf(&bed.front, false);
	}
}

/* A batch, the i-th to sectors of its own. */
static void ask(uint8_t op)
{
	for (unsigned i = 0; i < REQUESTS; i++)
		front_rw(&bed.front, op, i, i * 64, buf[i], SEGMENTS);
	front_push(&bed.front);
}

/* -- T-GNT-1 ----------------------------------------------------------------- */

/* The @n-th call or segment of the batch fails with @code: one request of eight
 * gets an error and its disk and pages are as they were, the others are served,
 * nothing stays mapped. */
static void one_fails(enum loopxen_verb verb, unsigned n, int code, uint8_t op)
{
	unsigned at = verb == LOOPXEN_COPY_SEG ? n / SEGMENTS : n;
	struct front_rsp rsp[REQUESTS + 1];

	memset(bed_disk(&bed, 0), 0x99, REQUESTS * 64 * 512);
	for (unsigned i = 0; i < REQUESTS; i++) {
		for (unsigned k = 0; k < SEGMENTS; k++)
			memset(buf[i][k].page, 0x11, 4096);
	}
	loopxen_fail(bed.x, verb, n, code);
	ask(op);
	assert_int_equal(bed_run(&bed), 0);
	assert_false(loopxen_fail_left(bed.x, verb));
	assert_int_equal(hostile_answers(rsp, REQUESTS + 1), REQUESTS);
	for (unsigned i = 0; i < REQUESTS; i++) {
		uint8_t to_disk = i == at || op == BLKIF_READ ? 0x99 : 0x11;
		uint8_t to_page = i != at && op == BLKIF_READ ? 0x99 : 0x11;

		assert_int_equal(rsp[i].status, i == at ? BLKIF_ERROR : BLKIF_OKAY);
		assert_int_equal(bed_disk(&bed, i * 64)[4095], to_disk);
		/* A copy that fails later than others of its request leaves those. */
		if (i != at || verb == LOOPXEN_MAP)
			assert_int_equal(buf[i][0].page[1], to_page);
		for (unsigned k = 0; k < SEGMENTS; k++)
			assert_int_equal(
				loopxen_mapped(bed.x, bed.dev.front, buf[i][k].ref), 0);
	}
	assert_int_equal(loopxen_back_pages(bed.back), 0);
}

static void t_gnt_1_each_of_a_batch_fails(void **state)
{
	static const int codes[] = {GRANTS_REFUSED, GRANTS_BAD, GRANTS_BUSY};
	uint64_t done = 0;

	(void)state;
	for (unsigned m = 0; m < 2; m++) {
		enum loopxen_verb verb = m ? LOOPXEN_COPY_SEG : LOOPXEN_MAP;
		unsigned calls = m ? REQUESTS * SEGMENTS : REQUESTS;

		hostile_up((struct bed_conf){.mode = modes[m]});
		buffers();
		for (unsigned c = 0; c < COUNT(codes); c++) {
			for (unsigned n = 0; n < calls; n++, done += 2) {
				one_fails(verb, n, codes[c], BLKIF_WRITE);
				one_fails(verb, n, codes[c], BLKIF_READ);
			}
		}
		hostile_serves();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-GNT-1", done, "maps and copies of a batch failed");
}

/* What our machine does not give ends the process, not the client's requests:
 * its successor answers them all. */
static void t_gnt_1_no_memory(void **state)
{
	struct front_rsp rsp[REQUESTS + 1];
	uint64_t done = 0;

	(void)state;
	for (unsigned n = 0; n < REQUESTS; n++, done++) {
		hostile_up((struct bed_conf){0});
		buffers();
		loopxen_fail(bed.x, LOOPXEN_MAP, n, -ENOMEM);
		ask(BLKIF_WRITE);
		assert_int_equal(bed_run(&bed), -ENOMEM);
		bed_kill(&bed);
		hostile_restart(true);
		assert_int_equal(hostile_answers(rsp, REQUESTS + 1), REQUESTS);
		for (unsigned i = 0; i < REQUESTS; i++)
			assert_int_equal(rsp[i].status, BLKIF_OKAY);
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-GNT-1", done, "maps without memory");
}

static void t_gnt_1_100000_rounds(void **state)
{
	unsigned rounds = 100000;
	struct front_rsp rsp[2];

	(void)state;
	hostile_up((struct bed_conf){0});
	buffers();
	for (unsigned i = 0; i < rounds; i++) {
		loopxen_fail(bed.x, LOOPXEN_MAP, 0, GRANTS_BAD);
		front_rw(&bed.front, BLKIF_READ, i, 0, buf[0], SEGMENTS);
		front_push(&bed.front);
		assert_int_equal(bed_run_now(&bed), 0);
		assert_int_equal(hostile_answers(rsp, 2), 1);
		assert_int_equal(rsp[0].status, BLKIF_ERROR);
	}
	assert_int_equal(loopxen_back_pages(bed.back), 0);
	hostile_serves();
	assert_int_equal(bed_down(&bed), 0);
	tally("T-GNT-1", rounds, "rounds that left nothing");
}

/* -- T-GNT-2 ----------------------------------------------------------------- */

/* One instance lives at its quota; another of the same client is as it was. */
static void t_gnt_2_a_neighbour_at_its_quota(void **state)
{
	struct policy policy;
	struct loopxen_back *other;
	struct grants_map map[32];
	struct gref refs[11];
	uint64_t done = 0;

	(void)state;
	hostile_up((struct bed_conf){.data_pages = 22, .slow = true});
	buffers();
	policy = bed.policy;
	policy.data_pages = 352;
	other = loopxen_back_new(bed.x, &policy, &bed.dev);
	for (unsigned round = 0; round < 1000; round++) {
		ask(BLKIF_READ);
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(bed.nwaiting, 22 / SEGMENTS);
		assert_int_equal(loopxen_back_pages(bed.back), 20);
		for (unsigned i = 0; i < 32; i++) {
			for (unsigned k = 0; k < 11; k++)
				refs[k] = buf[(i + k) % REQUESTS][k % SEGMENTS].ref;
			assert_int_equal(grants_map(&other->grants, refs, SEGMENTS,
						    false, &map[i]),
					 GRANTS_OK);
			done++;
		}
		assert_int_equal(loopxen_back_pages(other), 32 * SEGMENTS);
		for (unsigned i = 0; i < 32; i++)
			assert_int_equal(grants_unmap(&other->grants, &map[i]), 0);
		for (unsigned i = 0; i < REQUESTS; i++) {
			struct front_rsp rsp;

			bed_complete(&bed, 0);
			assert_int_equal(bed_run(&bed), 0);
			assert_true(loopxen_back_pages(bed.back) <= 22);
			assert_true(front_answer(&bed.front, &rsp));
			assert_int_equal(rsp.status, BLKIF_OKAY);
		}
	}
	loopxen_back_free(other);
	assert_int_equal(bed_down(&bed), 0);
	tally("T-GNT-2", done, "maps beside one at its quota");
}

/* A request that never fits is refused and holds up nobody. */
static void t_gnt_2_larger_than_the_quota(void **state)
{
	static struct front_buf many[256];
	struct front_buf table;
	uint64_t done = 0;

	(void)state;
	for (unsigned m = 0; m < 2; m++) {
		hostile_up((struct bed_conf){.mode = modes[m], .data_pages = 40});
		table = front_buf(&bed.front, false);
		for (unsigned i = 0; i < 256; i++)
			many[i] = front_buf(&bed.front, false);
		for (unsigned n = 1; n <= 256; n++, done++) {
			front_indirect(&bed.front, BLKIF_WRITE, n, 0, many, n, &table);
			assert_int_equal(bed_ask(&bed),
					 n <= 40 ? BLKIF_OKAY : BLKIF_ERROR);
			assert_int_equal(loopxen_back_pages(bed.back), 0);
		}
		hostile_serves();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-GNT-2", done, "requests around the quota");
}

/* -- T-GNT-3 ----------------------------------------------------------------- */

/* How far a connection gets, and how it ends. */
enum depth { OFFERED, CONNECTED, ASKED, HALF_DONE, DONE, DEPTHS };
enum end { DETACH, KILL, BREAK, CLIENT_FIRST, ENDS };

/* To @depth, from offered; true if it is connected. */
static bool deepen(enum depth depth)
{
	if (depth >= CONNECTED)
		assert_int_equal(bed_connect(&bed, false), 0);
	if (depth >= ASKED) {
		ask(BLKIF_WRITE);
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(bed.nwaiting, REQUESTS);
	}
	for (unsigned i = 0; depth == HALF_DONE && i < 3; i++)
		bed_complete(&bed, 1);
	while (depth == DONE && bed.nwaiting)
		bed_complete(&bed, bed.nwaiting - 1);
	return depth >= CONNECTED;
}

static void come_home(void)
{
	while (bed.nwaiting)
		bed_complete(&bed, 0);
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(bed.pv.state, BLK_PV_DOWN);
}

/* Ends it; an offer stands again afterwards. */
static void end(enum end how, bool connected)
{
	if (how == BREAK && connected) {
		front_header(&bed.front)[0] += 1000;
		front_kick(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(bed.broken, 1);
		come_home();
	} else if (how == CLIENT_FIRST && connected) {
		front_state(&bed.front, STORE_CLOSING);
		loopxen_close(bed.x, bed.dev.front, bed.front.port);
		blk_pv_detach(&bed.pv);
		come_home();
	} else if (how == KILL) {
		bed_kill(&bed);
		bed.nwaiting = 0;
	} else if (connected) {
		blk_pv_detach(&bed.pv);
		come_home();
	}
	if (connected)
		assert_true(front_disconnect(&bed.front)); /* nothing is mapped */
	for (unsigned i = 0; i < REQUESTS; i++) {
		for (unsigned k = 0; k < SEGMENTS; k++)
			assert_int_equal(
				loopxen_mapped(bed.x, bed.dev.front, buf[i][k].ref), 0);
	}
	bed.broken = bed.detached = 0;
	if (how == KILL)
		assert_int_equal(bed_start(&bed), 0);
	else
		assert_int_equal(blk_pv_offer(&bed.pv), 0);
}

/* A world of its own: a domain's pages are never freed. */
static uint64_t cycles(struct bed_conf conf, unsigned n)
{
	uint64_t kills = 0;

	bed_init(&bed, &conf);
	assert_int_equal(bed_start(&bed), 0);
	bed.front = (struct front){.x = bed.x, .dev = &bed.dev};
	buffers();
	for (unsigned i = 0; i < n; i++) {
		unsigned pick = (i * 2654435761u) >> 8;
		enum end how = pick / DEPTHS % ENDS;

		end(how, deepen(pick % DEPTHS));
		kills += how == KILL;
	}
	assert_int_equal(bed_connect(&bed, false), 0);
	bed.conf.slow = false;
	assert_int_equal(bed_down(&bed), 0);
	return kills;
}

static void t_gnt_3_ten_thousand_cycles(void **state)
{
	uint64_t kills = 0, done = 0;

	(void)state;
	for (unsigned i = 0; i < 10; i++, done += 1000) {
		kills += cycles(
			(struct bed_conf){
				.slow = true,
				.mode = modes[i % 2],
				.front.persistent = i % 4 == 2,
				.front.order = i % 3,
			},
			1000);
	}
	tally("T-GNT-3", done, "connections ended");
	tally("T-GNT-3", kills, "by kill -9");
}

/* -- T-GNT-4 ----------------------------------------------------------------- */

/* [utest->req~policy-references-in-range~1] */
static void t_gnt_4_each_position(void **state)
{
	const struct domid third = {9};
	struct front_buf good[11], bad[11];
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < 3; c++) {
		uint32_t refs[9];

		hostile_up((struct bed_conf){.mode = modes[c == 1],
					     .front.persistent = c == 2});
		loopxen_domain(bed.x, third);
		for (unsigned i = 0; i < 11; i++)
			good[i] = front_buf(&bed.front, false);
		refs[0] = 0;
		refs[1] = POLICY_FIRST_REF - 1;
		refs[2] = 5000; /* free */
		refs[3] = LOOPXEN_REFS - 1;
		refs[4] = LOOPXEN_REFS;
		refs[5] = 1u << 31;
		refs[6] = UINT32_MAX;
		refs[7] =
			loopxen_grant(bed.x, bed.dev.front, good[0].page, third, false)
				.v; /* somebody else's */
		refs[8] = front_buf(&bed.front, true).ref.v;
		for (unsigned r = 0; r < COUNT(refs); r++) {
			for (unsigned at = 0; at < 11; at++, done++) {
				memcpy(bad, good, sizeof(bad));
				bad[at].ref.v = refs[r];
				front_rw(&bed.front, BLKIF_READ, at, 0, bad, 11);
				assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
				if (r == 8) /* read-only will do for that */
					continue;
				front_rw(&bed.front, BLKIF_WRITE, at, 0, bad, 11);
				assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
			}
		}
		hostile_serves();
		hostile_untouched();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-GNT-4", done, "bad references");
}

/* The same reference in all places: one page, told eleven times. */
static void t_gnt_4_same_reference_twice(void **state)
{
	struct front_buf same[11];
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < 3; c++) {
		hostile_up((struct bed_conf){.mode = modes[c == 1],
					     .front.persistent = c == 2});
		for (unsigned i = 0; i < 11; i++)
			same[i] = i ? same[0] : front_buf(&bed.front, false);
		memset(same[0].page, 0x42, 4096);
		for (unsigned n = 2; n <= 11; n++, done++) {
			front_rw(&bed.front, BLKIF_WRITE, n, 8000, same, n);
			assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
			assert_int_equal(bed_disk(&bed, 8000 + 8 * n - 1)[511], 0x42);
			assert_true(loopxen_back_pages(bed.back) <= 1);
		}
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-GNT-4", done, "references used again in a request");
}

/* -- T-GNT-5 ----------------------------------------------------------------- */

/* A client that takes each page back in the moment in which its answer can be
 * seen: the read of rsp_event follows upon it, before any event is sent. */
static struct front_buf given[11];
static unsigned ngiven, taken_back;
static bool keeps; /* persistent: it may stay mapped, and is not used again */

static void take_back_hook(uint64_t k, const volatile void *p, size_t len)
{
	uint32_t *at = (void *)loopxen_back_client_view(bed.back, p);

	(void)k;
	(void)len;
	if (at != front_header(&bed.front) + 3 ||
	    front_header(&bed.front)[2] == bed.front.rsp_cons)
		return;
	for (; ngiven; taken_back++) {
		struct front_buf *b = &given[--ngiven];

		if (!keeps)
			assert_true(loopxen_revoke(bed.x, bed.dev.front, b->ref));
		memset(b->page, 0xdd, 4096);
	}
}

static void t_gnt_5_taken_back_at_the_answer(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < 3; c++) {
		keeps = c == 2;
		hostile_up((struct bed_conf){.mode = modes[c == 1],
					     .front.persistent = keeps});
		for (unsigned round = 0; round < 300; round++) {
			unsigned n = 1 + round % 11;

			for (unsigned i = 0; i < n; i++) {
				given[i] = front_buf(&bed.front, false);
				memset(given[i].page, (int)i + 1, 4096);
			}
			front_rw(&bed.front, round % 2 ? BLKIF_WRITE : BLKIF_READ,
				 round, 8000, given, n);
			ngiven = n;
			taken_back = 0;
			shared_hook = take_back_hook;
			assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
			shared_hook = NULL;
			assert_int_equal(taken_back, n);
			done += n;
			for (unsigned i = 0; i < n; i++) {
				for (unsigned b = 0; b < 4096; b += 61)
					assert_int_equal(given[i].page[b], 0xdd);
				if (round % 2)
					assert_int_equal(
						bed_disk(&bed, 8000 + 8 * i)[7], i + 1);
			}
		}
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-GNT-5", done, "pages taken back at their answer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(t_gnt_1_each_of_a_batch_fails),
		HOSTILE(t_gnt_1_no_memory),
		HOSTILE(t_gnt_1_100000_rounds),
		HOSTILE(t_gnt_2_a_neighbour_at_its_quota),
		HOSTILE(t_gnt_2_larger_than_the_quota),
		HOSTILE(t_gnt_3_ten_thousand_cycles),
		HOSTILE(t_gnt_4_each_position),
		HOSTILE(t_gnt_4_same_reference_twice),
		HOSTILE(t_gnt_5_taken_back_at_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
