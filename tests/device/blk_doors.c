/* SPDX-License-Identifier: MIT */
/*
 * What a disk's client gets, whichever door it comes through: one table of cases, run
 * through the PV door (map, persistent grants, copy) and the virtio door (pool, grant,
 * with and without indirect descriptors and event index).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/device/client.h"

static struct bed bed;
static struct client client;
static struct bed_conf variant;
static uint8_t data[CLIENT_BYTES];

static const struct {
	const char *name;
	struct bed_conf conf;
} doors[] = {
	{"pv, map", {.mode = POLICY_MAP}},
	{"pv, map, persistent", {.mode = POLICY_MAP, .front.persistent = true}},
	{"pv, copy", {.mode = POLICY_COPY}},
	{"virtio, pool",
	 {.door = POLICY_VIRTIO, .mode = POLICY_POOL, .data_pages = 1024}},
	{"virtio, pool, plain",
	 {.door = POLICY_VIRTIO,
	  .mode = POLICY_POOL,
	  .data_pages = 1024,
	  .virtio.plain = true}},
	{"virtio, grant",
	 {.door = POLICY_VIRTIO, .mode = POLICY_GRANT, .virtio.grant = true}},
	{"virtio, grant, plain",
	 {.door = POLICY_VIRTIO,
	  .mode = POLICY_GRANT,
	  .virtio.grant = true,
	  .virtio.plain = true}},
};

static void fill(uint8_t *p, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)((i * 31) ^ (i >> 8) ^ seed);
}

static void up_as(const struct bed_conf *conf)
{
	bed_up(&bed, conf);
	client_init(&client, &bed);
}

static void up(void)
{
	up_as(&variant);
}

static void down(void)
{
	assert_int_equal(bed_down(&bed), 0);
	assert_int_equal(bed.broken, 0);
	assert_int_equal(bed.virtio.door.device.stats.wrong, 0);
}

/* Every size up to the largest, written by the client, read from the disk, and back. */
static void contents(void)
{
	static uint8_t back[CLIENT_BYTES];

	up();
	for (uint32_t bytes = 512; bytes <= CLIENT_BYTES;
	     bytes += bytes < 4096 ? 512 : 4608) {
		uint64_t sector = bytes / 512 * 3;

		fill(data, bytes, bytes / 512);
		assert_int_equal(client_ask(&client, CLIENT_WRITE, sector, bytes, data),
				 CLIENT_OK);
		assert_memory_equal(bed_disk(&bed, sector), data, bytes);
		fill(bed_disk(&bed, sector), bytes, bytes / 512 + 1);
		memset(back, 0, sizeof(back));
		assert_int_equal(client_ask(&client, CLIENT_READ, sector, bytes, back),
				 CLIENT_OK);
		assert_memory_equal(bed_disk(&bed, sector), back, bytes);
	}
	down();
}

/* Many rings' worth, several in flight; each answered once, in order. */
static void many(void)
{
	uint64_t sent = 0, back = 0;
	struct client_answer answer;

	up();
	for (unsigned round = 0; sent < 4000; round++) {
		unsigned n = 1 + round * 13 % 32;

		for (unsigned i = 0; i < n; i++, sent++) {
			fill(data, 512, (unsigned)sent);
			client_add(&client, 0, sent % CLIENT_IDS, CLIENT_WRITE,
				   sent % 1000 * 8, 512, data);
		}
		client_push(&client);
		assert_int_equal(bed_run(&bed), 0);
		while (client_answer(&client, &answer)) {
			assert_int_equal(answer.result, CLIENT_OK);
			assert_true(answer.id == back % CLIENT_IDS);
			fill(data, 512, (unsigned)back);
			assert_memory_equal(bed_disk(&bed, back % 1000 * 8), data, 512);
			back++;
		}
		assert_true(back == sent);
	}
	down();
}

static void flush_and_discard(void)
{
	struct bed_conf conf = variant;

	conf.discard = true;
	up_as(&conf);
	memset(bed_disk(&bed, 64), 0x11, 4096);
	assert_int_equal(client_ask(&client, CLIENT_FLUSH, 0, 0, NULL), CLIENT_OK);
	assert_int_equal(client_ask(&client, CLIENT_DISCARD, 64, 2048, NULL),
			 CLIENT_OK);
	assert_int_equal(*bed_disk(&bed, 64), 0);
	assert_int_equal(*bed_disk(&bed, 68), 0x11);
	assert_true(bed.blk.stats.flushes == 1 && bed.blk.stats.discards == 1);
	down();
	up();
	assert_int_equal(client_ask(&client, CLIENT_DISCARD, 64, 2048, NULL),
			 CLIENT_UNSUPPORTED);
	down();
}

/* How many steps a write takes: itself, and a flush where it has to be safe. */
static unsigned steps_of_a_write(void)
{
	struct client_answer answer;
	unsigned steps = 0;

	client_add(&client, 0, 7, CLIENT_WRITE, 8, 512, data);
	client_push(&client);
	assert_int_equal(bed_run(&bed), 0);
	for (; bed.nwaiting; steps++) {
		assert_int_equal(bed.waiting[0]->step, steps ? BLK_FLUSH : BLK_WRITE);
		assert_false(client_answer(&client, &answer));
		bed_complete(&bed, 0);
		assert_int_equal(bed_run(&bed), 0);
	}
	assert_true(client_answer(&client, &answer) && answer.result == CLIENT_OK);
	return steps;
}

/* A driver that has turned the write cache off, or never heard of flushes, has its
 * answer when the disk has flushed; others ask for it. */
static void written_through(void)
{
	struct virtio_driver *d = &bed.vfront.driver;
	struct bed_conf conf = variant;
	bool accepted;

	conf.slow = true;
	up_as(&conf);
	assert_int_equal(steps_of_a_write(), 1);
	for (uint8_t cached = 0; conf.door == POLICY_VIRTIO && cached < 2; cached++) {
		assert_true(virtio_driver_set_config(
			d, bed.virtio.door.device.generation, BLK_VIRTIO_WRITEBACK,
			&cached, 1, &accepted));
		assert_true(accepted);
		assert_int_equal(steps_of_a_write(), cached ? 1 : 2);
	}
	down();
	if (conf.door != POLICY_VIRTIO)
		return;
	conf.virtio.refuses = VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_CONFIG_WCE;
	up_as(&conf);
	assert_int_equal(steps_of_a_write(), 2);
	down();
}

/* Past the end, across it, and against the rights: refused, and nothing is touched.
 * [utest->req~read-only-is-read-only~1] */
static void refused(void)
{
	struct bed_conf conf = variant;

	up();
	memset(data, 0x22, sizeof(data));
	assert_int_equal(client_ask(&client, CLIENT_WRITE, BED_SECTORS, 512, data),
			 CLIENT_ERROR);
	assert_int_equal(client_ask(&client, CLIENT_WRITE, BED_SECTORS - 1, 1024, data),
			 CLIENT_ERROR);
	assert_int_equal(client_ask(&client, CLIENT_READ, UINT64_MAX, 512, data),
			 CLIENT_ERROR);
	assert_int_equal(*bed_disk(&bed, BED_SECTORS - 1), 0);
	assert_int_equal(client_ask(&client, CLIENT_WRITE, BED_SECTORS - 1, 512, data),
			 CLIENT_OK);
	down();
	conf.read_only = true;
	up_as(&conf);
	assert_int_equal(client_ask(&client, CLIENT_WRITE, 0, 512, data), CLIENT_ERROR);
	assert_int_equal(*bed_disk(&bed, 0), 0);
	assert_int_equal(client_ask(&client, CLIENT_READ, 0, 512, data), CLIENT_OK);
	down();
	conf.read_only = false;
	conf.mode_key = "r"; /* the toolstack's word */
	up_as(&conf);
	assert_int_equal(client_ask(&client, CLIENT_WRITE, 0, 512, data), CLIENT_ERROR);
	down();
}

/* The disk answers in another order; the client hears in the order of asking. */
static void out_of_order(void)
{
	struct bed_conf conf = variant;
	struct client_answer answer;

	conf.slow = true;
	up_as(&conf);
	for (unsigned i = 0; i < 8; i++) {
		fill(data, 4096, i);
		client_add(&client, 0, i, CLIENT_WRITE, i * 8, 4096, data);
	}
	client_push(&client);
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(bed.nwaiting, 8);
	for (unsigned i = 8; i-- > 1;)
		bed_complete(&bed, i);
	assert_int_equal(bed_run(&bed), 0);
	assert_false(client_answer(&client, &answer));
	bed_fail(&bed, 0, 5);
	assert_int_equal(bed_run(&bed), 0);
	for (unsigned i = 0; i < 8; i++) {
		assert_true(client_answer(&client, &answer) && answer.id == i);
		assert_int_equal(answer.result, i ? CLIENT_OK : CLIENT_ERROR);
	}
	down();
}

/* InFlight is the most that the disk ever has. */
static void in_flight(void)
{
	struct bed_conf conf = variant;
	struct client_answer answer;
	unsigned answers = 0;

	conf.slow = true;
	conf.in_flight = 3;
	up_as(&conf);
	for (unsigned i = 0; i < 12; i++)
		client_add(&client, 0, i, CLIENT_READ, i, 512, NULL);
	client_push(&client);
	for (unsigned done = 0; done < 12; done++) {
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(bed.nwaiting, 12 - done < 3 ? 12 - done : 3);
		bed_complete(&bed, 0);
	}
	assert_int_equal(bed_run(&bed), 0);
	while (client_answer(&client, &answer))
		answers += answer.result == CLIENT_OK;
	assert_int_equal(answers, 12);
	down();
}

/* Ten a second, and five thousand bytes: what is asked for more takes its time. */
static void rates(void)
{
	struct bed_conf conf = variant;
	struct client_answer answer;
	uint64_t start;

	conf.operations = (struct policy_rate){10, 1};
	up_as(&conf);
	start = loopxen_now(bed.x);
	for (unsigned i = 0; i < 11; i++)
		client_add(&client, 0, i, CLIENT_READ, i, 512, NULL);
	client_push(&client);
	assert_int_equal(bed_run(&bed), 0);
	assert_in_range(loopxen_now(bed.x) - start, 990000000, 1010000000);
	while (client_answer(&client, &answer))
		assert_int_equal(answer.result, CLIENT_OK);
	down();
	conf.operations.burst = 0;
	conf.bytes = (struct policy_rate){5120, 512};
	up_as(&conf);
	start = loopxen_now(bed.x);
	for (unsigned i = 0; i < 11; i++)
		client_add(&client, 0, i, CLIENT_READ, i, 512, NULL);
	client_push(&client);
	assert_int_equal(bed_run(&bed), 0);
	assert_in_range(loopxen_now(bed.x) - start, 990000000, 1010000000);
	while (client_answer(&client, &answer))
		assert_int_equal(answer.result, CLIENT_OK);
	down();
}

/* Killed with requests out: the next one carries all of them out, once answered. */
static void killed(void)
{
	struct bed_conf conf = variant;
	struct client_answer answer;

	conf.slow = true;
	up_as(&conf);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 20; i++) {
			fill(data, 1024, round * 20 + i);
			client_add(&client, 0, i, CLIENT_WRITE, i * 2, 1024, data);
		}
		client_push(&client);
		assert_int_equal(bed_run(&bed), 0);
		for (unsigned i = 0; i < 5 * round; i++)
			bed_complete(&bed, i % 2);
		assert_int_equal(bed_run(&bed), 0);
		bed_kill(&bed);
		assert_int_equal(bed_start_quiet(&bed), 0);
		assert_int_equal(bed_connect(&bed, true), 0);
		while (bed.nwaiting) {
			bed_complete(&bed, 0);
			assert_int_equal(bed_run(&bed), 0);
		}
		for (unsigned i = 0; i < 20; i++) {
			assert_true(client_answer(&client, &answer) && answer.id == i);
			assert_int_equal(answer.result, CLIENT_OK);
			fill(data, 1024, round * 20 + i);
			assert_memory_equal(bed_disk(&bed, i * 2), data, 1024);
		}
		assert_false(client_answer(&client, &answer));
	}
	down();
}

/* A planned stop answers what it took; the next one goes on with what comes. */
static void restarted(void)
{
	struct bed_conf conf = variant;
	struct client_answer answer;

	conf.slow = true;
	up_as(&conf);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 10; i++)
			client_add(&client, 0, i, CLIENT_READ, i, 512, NULL);
		client_push(&client);
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(bed.nwaiting, 10);
		bed.detached = 0;
		bed_detach(&bed);
		assert_int_equal(bed.detached, 0);
		while (bed.nwaiting)
			bed_complete(&bed, 0);
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(bed.detached, 1);
		for (unsigned i = 0; i < 10; i++)
			assert_true(client_answer(&client, &answer) && answer.id == i);
		client_add(&client, 0, 63, CLIENT_READ, 1, 512, NULL);
		client_push(&client);
		bed_end(&bed);
		assert_int_equal(bed_start_quiet(&bed), 0);
		assert_int_equal(bed_connect(&bed, true), 0);
		assert_int_equal(bed.nwaiting, 1);
		bed_complete(&bed, 0);
		assert_int_equal(bed_run(&bed), 0);
		assert_true(client_answer(&client, &answer) && answer.id == 63);
	}
	down();
}

/* Each call to what is below, failing once: an error, or nothing, but never a crash, a
 * leak, or an answer that lies. */
static void faults(void)
{
	static const struct {
		enum loopxen_verb verb;
		int result;
	} calls[] = {
		{LOOPXEN_MAP, GRANTS_REFUSED},	   {LOOPXEN_MAP, GRANTS_BAD},
		{LOOPXEN_MAP_RING, GRANTS_BUSY},   {LOOPXEN_MAP_RING, -EIO},
		{LOOPXEN_COPY, GRANTS_BAD},	   {LOOPXEN_COPY_SEG, GRANTS_BAD},
		{LOOPXEN_BIND, EVTCHN_BAD},	   {LOOPXEN_MAP_POOL, GRANTS_BAD},
		{LOOPXEN_MAP_POOL, GRANTS_ABSENT}, {LOOPXEN_READ, STORE_LATE},
	};

	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		for (unsigned n = 0; n < 6; n++) {
			bool lied = false;
			int r;

			bed_init(&bed, &variant);
			assert_int_equal(bed_start(&bed), 0);
			loopxen_fail(bed.x, calls[i].verb, n, calls[i].result);
			r = bed_connect(&bed, false);
			if (!r) {
				client_init(&client, &bed);
				fill(data, 4096, n);
				lied = client_ask(&client, CLIENT_WRITE, 8, 4096,
						  data) == CLIENT_OK &&
				       memcmp(bed_disk(&bed, 8), data, 4096);
			}
			assert_false(lied);
			loopxen_fail_left(bed.x, calls[i].verb);
			bed_kill(&bed);
			bed_disconnect(&bed);
			bed_fini(&bed);
		}
	}
}

#define CASE(name)                                                                     \
	{                                                                              \
#name, name                                                            \
	}
static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	CASE(contents),	 CASE(many),	  CASE(flush_and_discard), CASE(refused),
	CASE(rates),	 CASE(in_flight), CASE(out_of_order),	   CASE(killed),
	CASE(restarted), CASE(faults),	  CASE(written_through),
};

static void run(void **state)
{
	unsigned long i = (unsigned long)(uintptr_t)*state;

	variant = doors[i % 16].conf;
	cases[i / 16].run();
}

int main(void)
{
	enum {
		DOORS = sizeof(doors) / sizeof(doors[0]),
		CASES = sizeof(cases) / sizeof(cases[0])
	};
	static struct CMUnitTest tests[DOORS * CASES];
	static char names[DOORS * CASES][64];

	for (unsigned c = 0; c < CASES; c++) {
		for (unsigned d = 0; d < DOORS; d++) {
			unsigned n = c * DOORS + d;

			snprintf(names[n], sizeof(names[n]), "%s: %s", cases[c].name,
				 doors[d].name);
			tests[n] = (struct CMUnitTest){
				.name = names[n],
				.test_func = run,
				.initial_state = (void *)(uintptr_t)(c * 16 + d),
			};
		}
	}
	return cmocka_run_group_tests_name("blk_doors", tests, NULL, NULL);
}
