/* SPDX-License-Identifier: MIT */
/*
 * A disk through the deaths and returns of both its ends, and with each call
 * of the seam failing once.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/device/bed.h"

static struct bed bed;

static unsigned answers(struct front_rsp *rsp, unsigned max)
{
	unsigned n = 0;

	while (n < max && front_answer(&bed.front, &rsp[n]))
		n++;
	return n;
}

static void ask_writes(struct front_buf *buf, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		buf[i] = front_buf(&bed.front, false);
		memset(buf[i].page, (int)i + 1, 4096);
		front_rw(&bed.front, BLKIF_WRITE, 100 + i, i * 8, &buf[i], 1);
	}
	front_push(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
}

static void answers_in_ring_order(void **state)
{
	struct bed_conf conf = {.slow = true};
	struct front_buf buf[8];
	struct front_rsp rsp[8];

	(void)state;
	bed_up(&bed, &conf);
	ask_writes(buf, 8);
	assert_int_equal(bed.nwaiting, 8);
	bed_complete(&bed, 3);
	bed_complete(&bed, 1);
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(answers(rsp, 8), 0);
	/* But its memory is given back already. */
	assert_int_equal(loopxen_mapped(bed.x, bed.dev.front, buf[3].ref), 0);
	bed_complete(&bed, 0);
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(answers(rsp, 8), 2);
	assert_true(rsp[0].id == 100 && rsp[1].id == 101);
	while (bed.nwaiting)
		bed_complete(&bed, bed.nwaiting - 1);
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(answers(rsp, 8), 6);
	assert_true(rsp[0].id == 102 && rsp[5].id == 107);
	assert_int_equal(bed_down(&bed), 0);
}

/* Killed with requests in flight, some done and none answered: the next one
 * finds them in the ring. [utest->req~successor-answers-the-rest~1] */
static void attaches_after_death(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 6; c++) {
		struct bed_conf conf = {
			.slow = true,
			.mode = c % 2 ? POLICY_COPY : POLICY_MAP,
			.front.persistent = c / 2 == 1,
			.front.order = c / 2,
		};
		struct front_buf buf[8];
		struct front_rsp rsp[8];

		bed_up(&bed, &conf);
		ask_writes(buf, 8);
		bed_complete(&bed, 0);
		assert_int_equal(bed_run(&bed), 0);
		bed_complete(&bed, 5); /* done, waits for the older ones */
		assert_int_equal(bed_run(&bed), 0);
		bed_kill(&bed);
		memset(bed_disk(&bed, 8), 0, 7 * 4096);

		assert_int_equal(bed_start(&bed), 0);
		assert_int_equal(bed_connect(&bed, true), 0);
		/* An event, since the dead one may have owed it. */
		assert_true(loopxen_fired(bed.x, bed.dev.front, bed.front.port));
		assert_int_equal(bed.nwaiting, 7);
		while (bed.nwaiting)
			bed_complete(&bed, 0);
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(answers(rsp, 8), 8);
		for (unsigned i = 0; i < 8; i++) {
			assert_true(rsp[i].id == 100 + i && !rsp[i].status);
			assert_int_equal(bed_disk(&bed, i * 8)[0], i + 1);
		}
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* What the dead one answered without telling is told by the next. */
static void tells_what_the_dead_did(void **state)
{
	struct bed_conf conf = {0};
	struct front_buf buf[1];
	struct front_rsp rsp[1];

	(void)state;
	bed_up(&bed, &conf);
	loopxen_fail(bed.x, LOOPXEN_NOTIFY, 0, -EIO);
	buf[0] = front_buf(&bed.front, false);
	front_rw(&bed.front, BLKIF_WRITE, 1, 0, buf, 1);
	front_push(&bed.front);
	assert_int_equal(bed_run(&bed), -EIO);
	bed_kill(&bed);
	assert_false(loopxen_fired(bed.x, bed.dev.front, bed.front.port));
	assert_int_equal(bed_start(&bed), 0);
	assert_int_equal(bed_connect(&bed, true), 0);
	assert_true(loopxen_fired(bed.x, bed.dev.front, bed.front.port));
	assert_int_equal(answers(rsp, 1), 1);
	assert_int_equal(bed.pv.stats.requests, 0); /* and not done twice */
	assert_int_equal(bed_down(&bed), 0);
}

/* A read that failed delivers nothing, least of all what the area held. */
static void failed_reads_deliver_nothing(void **state)
{
	static const int errors[] = {EIO, ENOSPC, EFAULT};

	(void)state;
	for (unsigned c = 0; c < 6; c++) {
		struct bed_conf conf = {
			.slow = true,
			.mode = c % 2 ? POLICY_COPY : POLICY_MAP,
		};
		struct front_buf buf[2];
		struct front_rsp rsp[2];

		bed_up(&bed, &conf);
		ask_writes(buf, 1); /* leaves its bytes in the area */
		bed_complete(&bed, 0);
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(answers(rsp, 1), 1);
		buf[1] = front_buf(&bed.front, false);
		front_rw(&bed.front, BLKIF_READ, 2, 0, &buf[1], 1);
		front_push(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
		bed_fail(&bed, 0, errors[c / 2]);
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(answers(rsp, 1), 1);
		assert_int_equal(rsp[0].status, BLKIF_ERROR);
		for (unsigned i = 0; i < 4096; i++)
			assert_int_equal(buf[1].page[i], 0);
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* A planned stop: what is with the disk is answered, what waits stays. */
static void stop_leaves_what_waits(void **state)
{
	struct bed_conf conf = {.slow = true, .in_flight = 2};
	struct front_buf buf[8];
	struct front_rsp rsp[8];

	(void)state;
	bed_up(&bed, &conf);
	ask_writes(buf, 8);
	assert_int_equal(bed.nwaiting, 2);
	blk_pv_detach(&bed.pv);
	assert_int_equal(bed.detached, 0);
	assert_int_equal(loopxen_mapped(bed.x, bed.dev.front, buf[0].ref), 1);
	bed_complete(&bed, 0);
	bed_complete(&bed, 0);
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(bed.detached, 1);
	assert_int_equal(answers(rsp, 8), 2);
	blk_pv_fini(&bed.pv);
	loopxen_back_free(bed.back);
	bed.detached = 0;

	bed.conf.slow = false;
	assert_int_equal(bed_start(&bed), 0);
	assert_int_equal(bed_connect(&bed, true), 0);
	assert_int_equal(answers(rsp, 8), 6);
	assert_true(rsp[0].id == 102 && rsp[5].id == 107);
	assert_int_equal(bed_down(&bed), 0);
}

/* T-GNT-3, T-BLK-3: many connections, nothing left behind by any. */
static void connects_again_and_again(void **state)
{
	struct bed_conf conf = {.front.persistent = true};
	struct front_buf buf[4];

	(void)state;
	bed_up(&bed, &conf);
	for (unsigned round = 0; round < 300; round++) {
		for (unsigned i = 0; i < 4; i++)
			buf[i] = front_buf(&bed.front, false);
		front_rw(&bed.front, BLKIF_WRITE, round, 0, buf, 4);
		assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
		assert_int_equal(loopxen_back_pages(bed.back),
				 bed.conf.front.persistent ? 4 : 0);
		blk_pv_detach(&bed.pv);
		assert_int_equal(bed.detached, round + 1);
		assert_int_equal(loopxen_back_pages(bed.back), 0);
		for (unsigned i = 0; i < 4; i++)
			assert_true(loopxen_revoke(bed.x, bed.dev.front, buf[i].ref));
		assert_true(front_disconnect(&bed.front));
		bed.conf.front.persistent = round % 2;
		bed.conf.front.order = round % 5;
		assert_int_equal(blk_pv_offer(&bed.pv), 0);
		assert_int_equal(bed_connect(&bed, false), 0);
	}
	assert_int_equal(bed_down(&bed), 0);
}

static void client_dies(void **state)
{
	struct bed_conf conf = {.slow = true, .front.persistent = true};
	struct front_buf buf[4];

	(void)state;
	for (unsigned c = 0; c < 2; c++) {
		conf.mode = c ? POLICY_COPY : POLICY_MAP;
		bed_up(&bed, &conf);
		ask_writes(buf, 4);
		loopxen_destroy(bed.x, bed.dev.front);
		blk_pv_detach(&bed.pv);
		while (bed.nwaiting)
			bed_complete(&bed, 0);
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(bed.detached, 1);
		blk_pv_fini(&bed.pv);
		loopxen_back_free(bed.back);
		assert_int_equal(bed_fini(&bed), 0);
	}
}

/* T-XS-3: each key of the front end, wrong. */
static void keys(void **state)
{
	static const struct {
		const char *key, *value;
	} rows[] = {
		{"protocol", "x86_16-abi"},
		{"protocol", ""},
		{"ring-page-order", "3"},
		{"ring-page-order", "-1"},
		{"ring-page-order", "4294967296"},
		{"ring-page-order", "0x1"},
		{"ring-page-order", "1"}, /* and no ring-ref0 */
		{"ring-ref", NULL},
		{"ring-ref", ""},
		{"ring-ref", "-8"},
		{"ring-ref", "8x"},
		{"ring-ref", "0"},
		{"ring-ref", "7777"},
		{"ring-ref", "99999999999"},
		{"num-ring-pages", "3"},
		{"num-ring-pages", "0"},
		{"num-ring-pages", "8"},
		{"num-ring-pages", "2"}, /* and no ring-ref0 */
		{"num-ring-pages", "x"},
		{"multi-queue-num-queues", "0"},
		{"multi-queue-num-queues", "2"}, /* one was offered */
		{"multi-queue-num-queues", "1x"},
		{"event-channel", NULL},
		{"event-channel", "0"},
		{"event-channel", "63"},
		{"event-channel", "4000000000"},
		{"event-channel", "%n"},
	};
	struct bed_conf conf = {.ring_pages = 4};

	(void)state;
	bed_init(&bed, &conf);
	assert_int_equal(bed_start(&bed), 0);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		front_connect(&bed.front, bed.x, &bed.dev, &conf.front);
		front_key(&bed.front, rows[i].key, rows[i].value);
		assert_true(blk_pv_connect(&bed.pv, false, 0) > 0);
		front_key(&bed.front, rows[i].key, NULL);
		assert_true(front_disconnect(&bed.front));
	}
	assert_int_equal(bed_connect(&bed, false), 0);
	assert_int_equal(bed_down(&bed), 0);
}

static void xenstore_is_late(void **state)
{
	static const struct {
		enum loopxen_verb verb;
		int result;
	} rows[] = {
		{LOOPXEN_READ, STORE_LATE},
		{LOOPXEN_MAP_RING, GRANTS_LATE},
		{LOOPXEN_BIND, EVTCHN_LATE},
	};
	struct bed_conf conf = {0};

	(void)state;
	bed_init(&bed, &conf);
	assert_int_equal(bed_start(&bed), 0);
	front_connect(&bed.front, bed.x, &bed.dev, &conf.front);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		loopxen_fail(bed.x, rows[i].verb, 0, rows[i].result);
		assert_int_equal(blk_pv_connect(&bed.pv, false, 0), -EAGAIN);
	}
	loopxen_fail(bed.x, LOOPXEN_WRITE, 3, STORE_FULL);
	assert_int_equal(blk_pv_offer(&bed.pv), -EAGAIN);
	assert_int_equal(blk_pv_offer(&bed.pv), 0);
	assert_int_equal(blk_pv_connect(&bed.pv, false, 0), 0);
	assert_int_equal(bed_down(&bed), 0);
}

static void garbled_ring_is_not_attached(void **state)
{
	struct bed_conf conf = {0};

	(void)state;
	bed_up(&bed, &conf);
	bed_kill(&bed);
	front_header(&bed.front)[2] += 77;
	assert_int_equal(bed_start(&bed), 0);
	assert_true(blk_pv_connect(&bed.pv, true, 0) > 0);
	bed.detached = 1;
	assert_int_equal(bed_down(&bed), 0);
}

static unsigned resized(uint64_t sectors)
{
	bed.bytes = sectors * 512;
	blk_resize(&bed.blk);
	return (unsigned)blk_pv_resized(&bed.pv);
}

static int16_t ask_read(uint64_t sector)
{
	struct front_buf buf = front_buf(&bed.front, false);
	struct front_rsp rsp;

	front_rw(&bed.front, BLKIF_READ, 1, sector, &buf, 1);
	front_push(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
	while (bed.nwaiting)
		bed_complete(&bed, 0);
	assert_int_equal(bed_run(&bed), 0);
	assert_true(front_answer(&bed.front, &rsp));
	return rsp.status;
}

/* The disk's size changes while it is served, while it waits, and while nobody
 * serves it. */
static void resizes(void **state)
{
	struct bed_conf conf = {.slow = true};

	(void)state;
	bed_init(&bed, &conf);
	assert_int_equal(bed_start(&bed), 0);
	assert_int_equal(resized(BED_SECTORS), 0);
	assert_int_equal(resized(1000), 1);
	assert_string_equal(bed_back_key(&bed, "sectors"), "1000");
	assert_int_equal(bed_connect(&bed, false), 0);
	assert_int_equal(resized(1000), 0);
	assert_int_equal(ask_read(1000), BLKIF_ERROR);
	loopxen_fail(bed.x, LOOPXEN_WRITE, 0, STORE_FULL);
	assert_int_equal(resized(2000), 0); /* later */
	assert_string_equal(bed_back_key(&bed, "sectors"), "1000");
	assert_int_equal(resized(2000), 1);
	assert_string_equal(bed_back_key(&bed, "sectors"), "2000");
	assert_int_equal(ask_read(1992), BLKIF_OKAY);
	assert_int_equal(ask_read(1993), BLKIF_ERROR);
	assert_int_equal(resized(1992), 1);
	assert_int_equal(ask_read(1992), BLKIF_ERROR);
	bed_kill(&bed);
	bed.bytes = 3000 * 512;
	assert_int_equal(bed_start_quiet(&bed), 0);
	assert_int_equal(bed_connect(&bed, true), 0);
	assert_string_equal(bed_back_key(&bed, "sectors"), "1992");
	assert_int_equal(ask_read(2992), BLKIF_OKAY);
	assert_int_equal(blk_pv_resized(&bed.pv), 1);
	assert_string_equal(bed_back_key(&bed, "sectors"), "3000");
	assert_int_equal(blk_pv_resized(&bed.pv), 0);
	assert_int_equal(bed_down(&bed), 0);
}

/* A client's pages that it does not use come back to it, and to it alone. */
static void idle_pages_are_given_back(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 3; c++) {
		struct bed_conf conf = {
			.mode = c == 2 ? POLICY_COPY : POLICY_MAP,
			.front.persistent = true,
		};
		struct front_buf buf[2];
		uint64_t start;

		bed_init(&bed, &conf);
		bed.block.persistent_idle = c == 1 ? 0 : 60;
		assert_int_equal(bed_start(&bed), 0);
		assert_int_equal(blk_pv_tick(&bed.pv, loopxen_now(bed.x)), 0);
		assert_int_equal(bed_connect(&bed, false), 0);
		start = loopxen_now(bed.x);
		for (unsigned i = 0; i < 2; i++) {
			loopxen_advance(bed.x, 30 * 1000000000ull);
			buf[i] = front_buf(&bed.front, false);
			front_rw(&bed.front, BLKIF_WRITE, i, 0, &buf[i], 1);
			assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
		}
		for (unsigned s = 1; s < 200; s++) {
			unsigned first = c < 2 && (c || s < 90),
				 second = c < 2 && (c || s < 120);

			if (s * 1000000000ull <= loopxen_now(bed.x) - start)
				continue;
			loopxen_advance(bed.x, 1000000000ull);
			assert_int_equal(blk_pv_tick(&bed.pv, loopxen_now(bed.x)), 0);
			assert_int_equal(
				loopxen_mapped(bed.x, bed.dev.front, buf[0].ref),
				first);
			assert_int_equal(
				loopxen_mapped(bed.x, bed.dev.front, buf[1].ref),
				second);
		}
		/* And are mapped again when they are used. */
		front_rw(&bed.front, BLKIF_WRITE, 2, 0, buf, 2);
		assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* -- Each call of each verb fails once ---------------------------------------- */

#define FAULT_REQUESTS 9

static void fault_ask(void)
{
	static struct front_buf buf[60];
	struct front_buf table = front_buf(&bed.front, false);

	for (unsigned i = 0; i < 60; i++) {
		buf[i] = front_buf(&bed.front, false);
		memset(buf[i].page, (int)i + 1, 4096);
	}
	for (unsigned i = 0; i < 6; i++)
		front_rw(&bed.front, i % 2 ? BLKIF_READ : BLKIF_WRITE, i, i * 80,
			 buf + i * 5, 5);
	front_indirect(&bed.front, BLKIF_WRITE, 6, 1000, buf + 30, 30, &table);
	front_simple(&bed.front, BLKIF_FLUSH, 7, 0, 0);
	front_rw(&bed.front, BLKIF_READ, 8, 2000, buf, 11);
	front_push(&bed.front);
}

/* What the host does when its environment fails: end, and start again. */
static void fault_restart(bool attach)
{
	bed_kill(&bed);
	assert_int_equal(bed_start(&bed), 0);
	if (!attach)
		bed_disconnect(&bed);
	assert_int_equal(bed_connect(&bed, attach), 0);
}

/* Connect, ask, answer, detach. A negative result restarts the back end, and
 * all requests are answered; a positive one is the client's own loss. */
static void fault_scenario(const struct bed_conf *conf, enum loopxen_verb verb,
			   unsigned n, int result)
{
	struct front_rsp rsp[FAULT_REQUESTS];
	unsigned failed = 0;
	int r;

	bed_init(&bed, conf);
	assert_int_equal(bed_start(&bed), 0);
	loopxen_fail(bed.x, verb, n, result);
	r = bed_connect(&bed, false);
	if (r == -EAGAIN || r > 0) {
		bed_disconnect(&bed);
		assert_int_equal(bed_connect(&bed, false), 0);
	} else if (r < 0) {
		fault_restart(false);
	}
	fault_ask();
	if (bed_run(&bed) < 0)
		fault_restart(true);
	assert_int_equal(answers(rsp, FAULT_REQUESTS), FAULT_REQUESTS);
	for (unsigned i = 0; i < FAULT_REQUESTS; i++) {
		assert_true(rsp[i].id == i);
		failed += rsp[i].status != BLKIF_OKAY;
	}
	assert_true(failed <= (result > 0 ? FAULT_REQUESTS : 0));
	blk_pv_detach(&bed.pv);
	if (bed.pv.state == BLK_PV_DOWN && bed.detached) {
		assert_int_equal(bed_down(&bed), 0);
		return;
	}
	assert_true(blk_pv_turn(&bed.pv, loopxen_now(bed.x)) < 0);
	bed_kill(&bed);
	assert_true(bed_disconnect(&bed));
	assert_int_equal(bed_fini(&bed), 0);
}

static void every_call_fails_once(void **state)
{
	static const struct {
		enum loopxen_verb verb;
		int result;
	} rows[] = {
		{LOOPXEN_MAP, GRANTS_REFUSED},
		{LOOPXEN_MAP, GRANTS_BAD},
		{LOOPXEN_MAP, GRANTS_BUSY},
		{LOOPXEN_MAP, -ENOMEM},
		{LOOPXEN_MAP_RING, GRANTS_REFUSED},
		{LOOPXEN_MAP_RING, GRANTS_BAD},
		{LOOPXEN_MAP_RING, GRANTS_LATE},
		{LOOPXEN_MAP_RING, -EPIPE},
		{LOOPXEN_UNMAP, -EPIPE},
		{LOOPXEN_COPY, -EPIPE},
		{LOOPXEN_COPY, GRANTS_REFUSED},
		{LOOPXEN_COPY_SEG, GRANTS_BAD},
		{LOOPXEN_BIND, EVTCHN_BAD},
		{LOOPXEN_BIND, -EPIPE},
		{LOOPXEN_UNBIND, -EPIPE},
		{LOOPXEN_NOTIFY, -EPIPE},
		{LOOPXEN_NOTIFY, EVTCHN_BAD},
		{LOOPXEN_READ, STORE_LATE},
		{LOOPXEN_READ, -EPIPE},
	};
	static const struct bed_conf confs[] = {
		{.mode = POLICY_MAP},
		{.mode = POLICY_MAP, .data_pages = 40, .front.persistent = true},
		{.mode = POLICY_COPY},
		{.mode = POLICY_MAP, .queues = 3, .front.queues = 3, .front.order = 1},
	};

	(void)state;
	for (unsigned c = 0; c < sizeof(confs) / sizeof(confs[0]); c++) {
		for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			uint64_t calls;

			/* How often the verb is called when nothing fails. */
			fault_scenario(&confs[c], LOOPXEN_POLL, 0, 0);
			bed_up(&bed, &confs[c]);
			fault_ask();
			assert_int_equal(bed_run(&bed), 0);
			blk_pv_detach(&bed.pv);
			calls = loopxen_calls(bed.x, rows[i].verb);
			assert_int_equal(bed_down(&bed), 0);
			for (unsigned n = 0; n < calls; n++)
				fault_scenario(&confs[c], rows[i].verb, n,
					       rows[i].result);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_in_ring_order),
		cmocka_unit_test(attaches_after_death),
		cmocka_unit_test(tells_what_the_dead_did),
		cmocka_unit_test(failed_reads_deliver_nothing),
		cmocka_unit_test(stop_leaves_what_waits),
		cmocka_unit_test(connects_again_and_again),
		cmocka_unit_test(client_dies),
		cmocka_unit_test(keys),
		cmocka_unit_test(xenstore_is_late),
		cmocka_unit_test(garbled_ring_is_not_attached),
		cmocka_unit_test(resizes),
		cmocka_unit_test(idle_pages_are_given_back),
		cmocka_unit_test(every_call_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
