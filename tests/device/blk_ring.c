/* SPDX-License-Identifier: MIT */
/*
 * The shared ring in hostile hands: bytes that change while they are read
 * (T-RING-1, as an enumeration of all reads), indices that cannot be
 * (T-RING-2), and what answers may give away (T-RING-3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/device/bed.h"
#include "tests/hook/shared-hook.h"

static struct bed bed;

static int reset(void **state)
{
	(void)state;
	shared_hook = NULL;
	return 0;
}

/* The device still works. */
static void assert_serves(void)
{
	struct front_buf buf = front_buf(&bed.front, false);

	memset(buf.page, 0x42, 4096);
	front_rw(&bed.front, BLKIF_WRITE, 4242, 8000, &buf, 1);
	assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
	assert_memory_equal(bed_disk(&bed, 8000), buf.page, 4096);
}

static void up(struct bed_conf conf)
{
	bed_up(&bed, &conf);
	memset(bed_disk(&bed, 0), 0x99, (size_t)BED_SECTORS * 512);
}

/* -- T-RING-1 ---------------------------------------------------------------- */

static struct front_buf r1_buf[20], r1_table;
static int16_t r1_status[8];
static uint64_t r1_id[8];

/* A bit of everything, in one batch. */
static void r1_ask(void)
{
	struct front *f = &bed.front;

	r1_table = front_buf(f, false);
	for (unsigned i = 0; i < 20; i++) {
		r1_buf[i] = front_buf(f, false);
		memset(r1_buf[i].page, (int)i + 1, 4096);
	}
	front_rw(f, BLKIF_WRITE, 11, 16, r1_buf, 3);
	front_rw(f, BLKIF_READ, 12, 4000, r1_buf + 3, 2);
	front_indirect(f, BLKIF_WRITE, 13, 80, r1_buf + 5, 15, &r1_table);
	front_simple(f, BLKIF_DISCARD, 14, 5000, 8);
	front_simple(f, BLKIF_FLUSH, 15, 0, 0);
	front_rw(f, BLKIF_WRITE, 16, BED_SECTORS, r1_buf, 1);
}

/* Runs it; returns the answers that came, in r1_status and r1_id. */
static unsigned r1_run(void)
{
	struct front_rsp rsp;
	unsigned n = 0;

	front_push(&bed.front);
	shared_hook_reads = 0;
	assert_int_equal(bed_run(&bed), 0);
	while (n < 8 && front_answer(&bed.front, &rsp)) {
		r1_id[n] = rsp.id;
		r1_status[n++] = rsp.status;
	}
	return n;
}

static void r1_up(struct bed_conf conf)
{
	conf.discard = true;
	up(conf);
	r1_ask();
}

static const struct bed_conf r1_confs[] = {
	{.mode = POLICY_MAP},
	{.mode = POLICY_MAP, .front.persistent = true},
	{.mode = POLICY_COPY},
	{.mode = POLICY_MAP, .front.protocol = "x86_32-abi"},
};

#define R1_CONFS (sizeof(r1_confs) / sizeof(r1_confs[0]))

static void r1_assert_right(unsigned answers)
{
	static const int16_t want[] = {0, 0, 0, 0, 0, BLKIF_ERROR};

	assert_int_equal(answers, 6);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(r1_status[i], want[i]);
		assert_true(r1_id[i] == 11 + i);
	}
	assert_int_equal(bed_disk(&bed, 16)[0], 1);
	assert_int_equal(bed_disk(&bed, 39)[511], 3);
	assert_int_equal(bed_disk(&bed, 40)[0], 0x99);
	assert_int_equal(bed_disk(&bed, 80)[0], 6);
	assert_int_equal(bed_disk(&bed, 80 + 14 * 8)[0], 20);
	assert_int_equal(r1_buf[3].page[0], 0x99);
	assert_int_equal(r1_buf[4].page[4095], 0x99);
}

/* What was read is spoilt at once: who looks a second time sees other bytes.
 * But for the ring's own indices, which are read anew each batch. */
static uint8_t *spoil_at; /* as its owner sees it, however we map it by then */
static size_t spoil_len;

static void spoil_hook(uint64_t k, const volatile void *p, size_t len)
{
	(void)k;
	if (spoil_at &&
	    (spoil_at < bed.front.ring || spoil_at >= bed.front.ring + 64)) {
		for (size_t i = 0; i < spoil_len; i++)
			spoil_at[i] ^= 0xff;
	}
	spoil_at = loopxen_back_client_view(bed.back, p);
	spoil_len = len;
}

static void t_ring_1_second_look(void **state)
{
	(void)state;
	for (unsigned c = 0; c < R1_CONFS; c++) {
		r1_up(r1_confs[c]);
		shared_hook = spoil_hook;
		spoil_at = NULL;
		r1_assert_right(r1_run());
		shared_hook = NULL;
		assert_true(shared_hook_reads > 10);
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* The k-th read sees what the client made of it just before, for all k. */
static uint64_t rewrite_k;
static uint8_t rewrite_with;

static void rewrite_hook(uint64_t k, const volatile void *p, size_t len)
{
	uint8_t *at;

	if (k != rewrite_k)
		return;
	at = loopxen_back_client_view(bed.back, p);
	for (size_t i = 0; at && i < len; i++)
		at[i] = rewrite_with == 0x5a ? (uint8_t)rand() : rewrite_with;
}

static void t_ring_1_rewrite_each_read(void **state)
{
	static const uint8_t with[] = {0x00, 0xff, 0x01, 0x06, 0x7f, 0x5a};

	(void)state;
	for (unsigned c = 0; c < R1_CONFS; c++) {
		for (unsigned w = 0; w < sizeof(with); w++) {
			rewrite_with = with[w];
			for (rewrite_k = 0;; rewrite_k++) {
				bool last;

				r1_up(r1_confs[c]);
				shared_hook = rewrite_hook;
				r1_run();
				shared_hook = NULL;
				last = rewrite_k >= shared_hook_reads;
				/* Whatever was rewritten was the client's own to
				 * ask for; all is home, nothing stays mapped. */
				assert_int_equal(bed.blk.busy, 0);
				assert_int_equal(bed_down(&bed), 0);
				if (last)
					break;
			}
			assert_true(rewrite_k > 10);
		}
	}
}

/* -- T-RING-2, 3 -------------------------------------------------------------- */

static void t_ring_2_index_abuse(void **state)
{
	static const uint32_t jumps[] = {33, 512, 1u << 31, UINT32_MAX};

	(void)state;
	for (unsigned i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		uint64_t reads;

		up((struct bed_conf){.front.persistent = true});
		assert_serves();
		front_header(&bed.front)[0] += jumps[i];
		shared_hook_reads = 0;
		front_kick(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
		reads = shared_hook_reads;
		assert_true(reads < 20);
		assert_int_equal(bed.broken, 1);
		assert_int_equal(bed.detached, 1);
		assert_int_equal(loopxen_back_pages(bed.back), 0);
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* Broken while requests are with the disk: they come home first. */
static void t_ring_2_broken_in_flight(void **state)
{
	struct front_buf buf;

	(void)state;
	up((struct bed_conf){.slow = true});
	buf = front_buf(&bed.front, false);
	front_rw(&bed.front, BLKIF_READ, 1, 0, &buf, 1);
	front_rw(&bed.front, BLKIF_READ, 2, 0, &buf, 1);
	front_push(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
	front_header(&bed.front)[0] += 1000;
	bed_complete(&bed, 0);
	front_kick(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(bed.broken, 1);
	assert_int_equal(bed.detached, 0);
	assert_int_equal(front_header(&bed.front)[2], 0); /* nothing is said */
	assert_int_equal(loopxen_mapped(bed.x, bed.dev.front, buf.ref), 1);
	bed_complete(&bed, 0);
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(bed.broken, 1);
	assert_int_equal(bed.detached, 1);
	assert_int_equal(front_header(&bed.front)[2], 0);
	assert_int_equal(loopxen_mapped(bed.x, bed.dev.front, buf.ref), 0);
	assert_int_equal(bed_down(&bed), 0);
}

/* Garbage in the response half harms only its writer. */
static void t_ring_2_response_half(void **state)
{
	(void)state;
	up((struct bed_conf){0});
	for (uint32_t v = 0; v < 64; v++) {
		front_header(&bed.front)[1] = v * 0x04030201;
		front_header(&bed.front)[2] = v * 0x12345678;
		front_header(&bed.front)[3] = v * 0x89abcdef;
		front_kick(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
	}
	assert_int_equal(bed.broken, 0);
	assert_int_equal(bed_down(&bed), 0);
}

static void t_ring_3_answers_say_nothing_else(void **state)
{
	static const char *const protocols[] = {"x86_64-abi", "x86_32-abi"};

	(void)state;
	for (unsigned p = 0; p < 2; p++) {
		struct front_rsp rsp;
		uint8_t want[BLKIF_ENTRY_MAX] = {0};
		uint64_t id = 0xfedcba9876543210;
		int16_t status = BLKIF_ERROR;

		up((struct bed_conf){.front.protocol = protocols[p]});
		front_simple(&bed.front, BLKIF_DISCARD, id, 0, 0);
		front_push(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
		assert_true(front_answer(&bed.front, &rsp));
		memcpy(want, &id, 8);
		want[8] = BLKIF_DISCARD;
		memcpy(want + 10, &status, 2);
		assert_memory_equal(rsp.raw, want, bed.front.at->entry);
		/* The next slot is as the client left it. */
		assert_int_equal(rsp.raw[bed.front.at->entry], 0xa5);
		assert_int_equal(bed_down(&bed), 0);
	}
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(t_ring_1_second_look),   TEST(t_ring_1_rewrite_each_read),
		TEST(t_ring_2_index_abuse),   TEST(t_ring_2_broken_in_flight),
		TEST(t_ring_2_response_half), TEST(t_ring_3_answers_say_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
