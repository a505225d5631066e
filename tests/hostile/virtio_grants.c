/* SPDX-License-Identifier: MIT */
/*
 * T-GNT at a disk's virtio door: maps and copies that fail one by one, quotas,
 * references that are nobody's, pages that are taken back with their answer, and
 * nothing left behind by any end.
 */
#include <errno.h>

#include "tests/hostile/door.h"

#define REQUESTS 8
#define SEGMENTS 3 /* pages of each one's data */

static const int codes[] = {GRANTS_REFUSED, GRANTS_BAD, GRANTS_BUSY};

static struct bed_conf grant(void)
{
	return door_confs[3];
}

static unsigned mapped(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 512; i++)
		n += loopxen_mapped(bed.x, bed.dev.front,
				    (struct gref){bed.vfront.first.v + i});
	return n;
}

/* -- T-GNT-1 -------------------------------------------------------------------------
 */

/* The areas' maps, one after another: the queue is not set up, nothing of it stays. */
static void t_gnt_1_each_area_fails(void **state)
{
	uint64_t done = 0;

	(void)state;
	door_features(grant());
	for (unsigned n = 0; n < 3; n++) {
		for (unsigned c = 0; c < COUNT(codes); c++, done++) {
			uint64_t area[3] = {door.data.addr, door.data.addr + 4096,
					    door.data.addr + 8192};
			uint64_t features;

			assert_int_equal(mapped(), 0);
			loopxen_fail(bed.x, LOOPXEN_MAP, n, codes[c]);
			door_put_queue(0, 8, area);
			door_run();
			door_is_wrong("an area that cannot be mapped");
			assert_int_equal(mapped(), 0);
			door_recovers();
			assert_true(virtio_driver_begin(door_driver(), ~UINT64_C(0),
							&features));
			door_listen();
		}
	}
	assert_int_equal(bed_down(&bed), 0);
	tally("T-GNT-1", done, "areas that cannot be mapped");
}

/* Each map and each copy without memory: the process ends; its successor serves. */
static void t_gnt_1_no_memory(void **state)
{
	static const enum loopxen_verb verbs[] = {LOOPXEN_MAP, LOOPXEN_COPY,
						  LOOPXEN_UNMAP};
	uint64_t done = 0;

	(void)state;
	for (unsigned v = 0; v < COUNT(verbs); v++) {
		for (unsigned n = 0; n < 6; n++, done++) {
			struct vfront_answer answer;
			uint32_t zero = 0;

			door_up(grant());
			loopxen_fail(bed.x, verbs[v], n, -ENOMEM);
			for (unsigned i = 0; i < 8; i++) {
				uint8_t *at = vfront_add(&bed.vfront, 0, i, i % 2, 8000,
							 4096);

				memset(at, 0x42, 4096);
				vfront_push(&bed.vfront);
				if (bed_run(&bed) < 0)
					break;
			}
			if (verbs[v] != LOOPXEN_COPY) {
				door_put_words(DRIVER_SET_DEVICE_STATUS, &zero, 1);
				bed_run(&bed);
			}
			bed_kill(&bed);
			loopxen_fail_left(bed.x, verbs[v]);
			assert_int_equal(bed_start_quiet(&bed), 0);
			assert_int_equal(bed_connect(&bed, true), 0);
			while (vfront_answer(&bed.vfront, &answer))
				assert_int_equal(answer.status, BLK_VIRTIO_OK);
			door_recovers();
			assert_int_equal(bed_down(&bed), 0);
		}
	}
	tally("T-GNT-1", done, "calls without memory");
}

static void ask(uint32_t type)
{
	for (unsigned i = 0; i < REQUESTS; i++) {
		uint8_t *at =
			vfront_add(&bed.vfront, 0, i, type, 64 * i, SEGMENTS * 4096);

		assert_non_null(at);
		memset(at, 0x11, SEGMENTS * 4096);
	}
	vfront_push(&bed.vfront);
	door_run();
}

/* The @n-th segment that is copied fails: one request of eight has an error, or no
 * answer that could reach the client; its disk is as it was; it never says that all
 * went well. */
static void one_fails(unsigned n, int code, bool writes)
{
	struct vfront_answer answer;
	unsigned errors = 0, answers = 0;

	memset(bed_disk(&bed, 0), 0x99, (size_t)REQUESTS * 64 * 512);
	loopxen_fail(bed.x, LOOPXEN_COPY_SEG, n, code);
	ask(writes);
	while (vfront_answer(&bed.vfront, &answer)) {
		const uint8_t *disk = bed_disk(&bed, 64 * answer.cookie);

		answers++;
		errors += answer.status != BLK_VIRTIO_OK;
		for (unsigned k = 0; k < SEGMENTS * 4096; k += 512) {
			if (answer.status == BLK_VIRTIO_OK)
				assert_int_equal(answer.data[k], disk[k]);
			else if (answer.status == BLK_VIRTIO_IOERR && writes)
				assert_int_equal(disk[k], 0x99);
		}
		if (!writes && answer.status != BLK_VIRTIO_OK)
			assert_true(answer.len <= 1 || answer.status == 0xff);
	}
	assert_int_equal(answers, REQUESTS);
	assert_int_equal(errors, !loopxen_fail_left(bed.x, LOOPXEN_COPY_SEG));
	door_is_sound("a copy that fails");
	assert_int_equal(bed.virtio.door.memory.nfree, bed.virtio.door.memory.pages);
}

static void t_gnt_1_each_copy_fails(void **state)
{
	uint64_t done = 0;

	(void)state;
	door_up(grant());
	for (unsigned c = 0; c < COUNT(codes); c++) {
		for (unsigned n = 0; n < REQUESTS * (SEGMENTS + 2); n++, done += 2) {
			one_fails(n, codes[c], true);
			one_fails(n, codes[c], false);
		}
	}
	memset(bed_disk(&bed, 0), 0x99, (size_t)REQUESTS * 64 * 512);
	door_recovers();
	assert_int_equal(bed_down(&bed), 0);
	tally("T-GNT-1", done, "segments that cannot be copied");
}

/* What cannot be read costs operations like all else does. */
static void t_gnt_1_failures_are_paid_for(void **state)
{
	struct bed_conf conf = grant();
	uint64_t start;

	(void)state;
	conf.operations = (struct policy_rate){10, 1};
	door_up(conf);
	start = loopxen_now(bed.x);
	for (unsigned i = 0; i < 11; i++) {
		struct driver_sg sg[2] = {{UINT64_C(1) << 63 | 5000u << 12, 16},
					  {door.status.addr, 1}};
		struct driver_done d;

		door_chain(sg, 1, 1);
		door_run();
		assert_true(door_done(&d));
		assert_int_equal(*door.status.at, BLK_VIRTIO_IOERR);
	}
	assert_in_range(loopxen_now(bed.x) - start, 990000000, 1010000000);
	assert_int_equal(bed_down(&bed), 0);
}

/* -- T-GNT-2 -------------------------------------------------------------------------
 */

/* More pages of areas than RingPages has: refused, and what there was stays. */
static void t_gnt_2_areas_beyond_the_quota(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned pages = 4; pages < 10; pages++, done++) {
		struct bed_conf conf = grant();
		uint64_t area[3];

		conf.ring_pages = pages;
		conf.queues = 4;
		door_up(conf); /* the control page, and three or four of a queue */
		for (unsigned i = 0; i < 3; i++)
			area[i] = door.data.addr + 4096 * i;
		for (uint32_t i = 1; i < 4; i++) {
			door_put_queue(i, 8, area);
			door_run();
		}
		door_is_wrong("areas beyond the quota");
		assert_true(loopxen_back_holds(bed.back) <= pages + 1);
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-GNT-2", done, "quotas of areas");
}

/* Requests around what fits the copy area: served, or never; nobody hangs. */
static void t_gnt_2_larger_than_the_quota(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned quota = 6; quota < 40; quota += 11) {
		struct bed_conf conf = grant();

		conf.data_pages = quota;
		door_up(conf);
		for (unsigned n = 1; n < 45; n++, done++) {
			struct driver_done d;
			struct driver_sg sg[48] = {{door.header.addr, 16}};

			for (unsigned i = 0; i < n; i++)
				sg[1 + i] = (struct driver_sg){door.data.addr, 512};
			sg[1 + n] = (struct driver_sg){door.status.addr, 1};
			door_header(BLK_VIRTIO_IN, 0);
			door_chain(sg, 1, n + 1);
			door_run();
			if (n + 2 < quota) {
				assert_true(door_done(&d));
				assert_int_equal(*door.status.at, BLK_VIRTIO_OK);
				continue;
			}
			door_is_wrong("a chain larger than the quota");
			door_recovers();
		}
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-GNT-2", done, "requests around the quota");
}

/* Pools of one page, of as much as is allowed, and of more. */
static void t_gnt_2_pools(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < 8; i++, done++) {
		static const unsigned pages[] = {1, 2, 255, 256, 257, 511, 512, 513};
		struct bed_conf conf = door_confs[0];
		uint8_t config[8];
		uint32_t generation;
		int r;

		conf.data_pages = 512;
		conf.virtio.pages = pages[i];
		conf.virtio.size = 4;
		bed_init(&bed, &conf);
		assert_int_equal(bed_start(&bed), 0);
		r = bed_connect(&bed, false);
		if (pages[i] <= 512) {
			assert_int_equal(r, 0);
			assert_true(virtio_driver_get_config(door_driver(), 8, 8,
							     config, &generation));
			assert_true(le_get(config, 4) && le_get(config + 4, 4));
			bed_detach(&bed);
		} else {
			assert_int_equal(r, KEYS_FAILED);
		}
		assert_int_equal(loopxen_back_holds(bed.back), 0);
		bed_end(&bed);
		for (unsigned k = 0; k < pages[i]; k++)
			assert_true(
				loopxen_revoke(bed.x, bed.dev.front,
					       (struct gref){bed.vfront.first.v + k}));
		assert_int_equal(bed_fini(&bed), 0);
	}
	tally("T-GNT-2", done, "sizes of a pool");
}

/* -- T-GNT-3 -------------------------------------------------------------------------
 */

/* How far it gets, and how it ends: nothing of the client's stays mapped. */
static void t_gnt_3_cycles(void **state)
{
	uint64_t done = 0, kills = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		struct bed_conf conf = door_confs[c];

		conf.slow = true;
		for (unsigned i = 0; i < 60; i++, done++) {
			unsigned depth = i % 5, end = i / 5 % 4;
			uint32_t zero = 0;

			door_up(conf);
			for (unsigned k = 0; depth && k < 6; k++)
				vfront_add(&bed.vfront, 0, k, k % 2, 8 * k, 4096);
			vfront_push(&bed.vfront);
			door_run();
			for (unsigned k = 0; depth == 2 && k < 3; k++)
				bed_complete(&bed, 1);
			while (depth == 3 && bed.nwaiting)
				bed_complete(&bed, bed.nwaiting - 1);
			if (depth == 4)
				door_put_words(DRIVER_SET_DEVICE_STATUS, &zero, 1);
			if (end == 0) { /* broken */
				driver_queue_raw_idx(&bed.vfront.queue[0], 999);
				loopxen_notify(bed.x, bed.dev.front, bed.vfront.port);
			}
			door_run();
			if (end == 1) {
				bed_kill(&bed);
				assert_true(bed_disconnect(&bed));
				assert_int_equal(bed_fini(&bed), 0);
				kills++;
				continue;
			}
			if (end == 2) /* the client goes first */
				loopxen_close(bed.x, bed.dev.front, bed.vfront.port);
			bed_detach(&bed);
			while (bed.nwaiting)
				bed_complete(&bed, bed.nwaiting / 2);
			door_run();
			assert_int_equal(bed.virtio.door.state, VIRTIO_DOOR_DOWN);
			assert_int_equal(loopxen_back_holds(bed.back), 0);
			bed_end(&bed);
			assert_int_equal(mapped(), 0);
			assert_int_equal(bed_fini(&bed), 0);
		}
	}
	tally("T-GNT-3", done, "connections ended");
	tally("T-GNT-3", kills, "by kill -9");
}

/* A thousand set-ups of one connection. */
static void t_gnt_3_resets_leave_nothing(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		uint32_t held;

		door_up(door_confs[c]);
		held = loopxen_back_holds(bed.back);
		for (unsigned i = 0; i < 250; i++, done++) {
			door_recovers();
			assert_int_equal(loopxen_back_holds(bed.back), held);
		}
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-GNT-3", done, "resets");
}

/* -- T-GNT-4 -------------------------------------------------------------------------
 */

static void bad_refs(uint32_t refs[8], struct domid third)
{
	refs[0] = 0;
	refs[1] = 7;
	refs[2] = 5000; /* free */
	refs[3] = LOOPXEN_REFS - 1;
	refs[4] = LOOPXEN_REFS;
	refs[5] = UINT32_MAX;
	refs[6] = loopxen_grant(bed.x, bed.dev.front, door.data.at, third, false).v;
	refs[7] = loopxen_grant(bed.x, bed.dev.front, door.data.at, bed.dev.back, true)
			  .v; /* to be read only */
}

/* References that are not for us, as an area and at each place of a request. */
static void t_gnt_4_each_position(void **state)
{
	const struct domid third = {9};
	uint64_t done = 0;

	(void)state;
	for (unsigned p = 0; p < 6; p++) {
		uint32_t refs[8];

		door_up(grant());
		loopxen_domain(bed.x, third);
		bad_refs(refs, third);
		for (unsigned r = 0; r < COUNT(refs); r++, done++) {
			uint64_t addr = UINT64_C(1) << 63 | (uint64_t)refs[r] << 12;
			uint64_t area[3], features;
			struct driver_done d;
			struct driver_sg sg[3] = {{door.header.addr, 16},
						  {door.data.addr + 4096, 4096},
						  {door.status.addr, 1}};

			if (p < 3) {
				for (unsigned i = 0; i < 3; i++)
					area[i] = i == p ? addr
							 : door.data.addr +
								   4096 * (i + 1);
				virtio_driver_begin(door_driver(), ~UINT64_C(0),
						    &features);
				door_listen();
				door_put_queue(0, 8, area);
				door_run();
				door_is_wrong("an area of nobody's");
				door_recovers();
				continue;
			}
			sg[p - 3].addr = addr;
			door_header(BLK_VIRTIO_IN, 0);
			memcpy(door.data.at, door.header.at, 16);
			door_chain(sg, 1, 2);
			door_run();
			assert_true(door_done(&d));
			if (p == 3 && r == 7)
				assert_int_equal(*door.status.at, BLK_VIRTIO_OK);
			else
				assert_int_equal(*door.status.at,
						 p == 5 ? 0xff : BLK_VIRTIO_IOERR);
			assert_true(d.len <= 4097);
		}
		loopxen_revoke(bed.x, bed.dev.front, (struct gref){refs[6]});
		loopxen_revoke(bed.x, bed.dev.front, (struct gref){refs[7]});
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-GNT-4", done, "bad references");
}

/* -- T-GNT-5 -------------------------------------------------------------------------
 */

static unsigned taken_back;
static uint16_t answered;

/* The read of what the driver wants to know follows upon the used index. */
static void take_back_hook(uint64_t k, const volatile void *p, size_t len)
{
	struct driver_queue *q = &bed.vfront.queue[0];

	(void)k;
	(void)p;
	(void)len;
	if (driver_queue_used_idx(q) == answered)
		return;
	answered = driver_queue_used_idx(q);
	for (unsigned i = 0; i < DOOR_BYTES / 4096; i++, taken_back++) {
		uint32_t ref = (uint32_t)(door.data.addr >> 12) + i;

		assert_true(loopxen_revoke(bed.x, bed.dev.front, (struct gref){ref}));
	}
	memset(door.data.at, 0xdd, DOOR_BYTES);
}

static void t_gnt_5_taken_back_at_the_answer(void **state)
{
	uint64_t done = 0;

	(void)state;
	door_up(grant());
	for (unsigned i = 0; i < 400; i++) {
		struct driver_done d;
		bool writes = i % 2;

		memset(door.data.at, 0x42, DOOR_BYTES);
		answered = driver_queue_used_idx(&bed.vfront.queue[0]);
		taken_back = 0;
		door_ask(writes, 8000, 512 + i % 31 * 512);
		shared_hook = take_back_hook;
		door_run();
		shared_hook = NULL;
		assert_true(door_done(&d) && !*door.status.at);
		assert_int_equal(taken_back, DOOR_BYTES / 4096);
		done += taken_back;
		for (unsigned k = 0; k < DOOR_BYTES; k += 61)
			assert_int_equal(door.data.at[k], 0xdd);
		for (unsigned k = 0; k < DOOR_BYTES / 4096; k++)
			loopxen_grant_as(
				bed.x, bed.dev.front,
				(struct gref){(uint32_t)(door.data.addr >> 12) + k},
				door.data.at + (size_t)k * 4096, bed.dev.back, false);
	}
	memset(bed_disk(&bed, 8000), 0x99, DOOR_BYTES);
	door_recovers();
	assert_int_equal(bed_down(&bed), 0);
	tally("T-GNT-5", done, "pages taken back at their answer");
}

/* The areas are the device's until the reset was answered, and no longer. */
static void t_gnt_5_areas_after_a_reset(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++, done++) {
		uint32_t ref, word = 0;
		uint8_t id = i % 2 ? DRIVER_RESET_VQUEUE : DRIVER_SET_DEVICE_STATUS;
		uint8_t answer[DRIVER_PAYLOAD];

		if (!i)
			door_up(grant());
		ref = (uint32_t)(bed.vfront.queue[0].desc.addr >> 12);
		assert_false(loopxen_revoke(bed.x, bed.dev.front, (struct gref){ref}));
		door_put_words(id, &word, 1);
		door_run();
		assert_true(door_answered(id, answer));
		assert_int_equal(mapped(), 0);
		door_recovers();
	}
	assert_int_equal(bed_down(&bed), 0);
	tally("T-GNT-5", done, "areas given back");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(t_gnt_1_each_area_fails),
		HOSTILE(t_gnt_1_no_memory),
		HOSTILE(t_gnt_1_each_copy_fails),
		HOSTILE(t_gnt_1_failures_are_paid_for),
		HOSTILE(t_gnt_2_areas_beyond_the_quota),
		HOSTILE(t_gnt_2_larger_than_the_quota),
		HOSTILE(t_gnt_2_pools),
		HOSTILE(t_gnt_3_cycles),
		HOSTILE(t_gnt_3_resets_leave_nothing),
		HOSTILE(t_gnt_4_each_position),
		HOSTILE(t_gnt_5_taken_back_at_the_answer),
		HOSTILE(t_gnt_5_areas_after_a_reset),
	};

	return cmocka_run_group_tests_name("virtio_grants", tests, NULL, NULL);
}
