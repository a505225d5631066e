/* SPDX-License-Identifier: MIT */
/*
 * T-VQ at a disk's virtio door: chains and areas that lie on the queue itself, on the
 * control page, or on each other. The client spoils its own device at worst.
 */
#include "tests/hostile/door.h"

static bool grants(void)
{
	return bed.conf.mode == POLICY_GRANT;
}

/* It was answered, and no more was written than there is room for. */
static void outcome(const char *what, uint64_t room)
{
	struct driver_done done;

	door_run();
	door_is_sound(what);
	if (!door_done(&done))
		fail_msg("%s: no answer", what);
	assert_true(done.len <= room);
	door_listen();
}

/* -- T-VQ-4 --------------------------------------------------------------------------
 */

/* What is written lies on the queue itself: each byte of its areas, as a status, and as
 * a sector's data. The client spoils its own device at worst. */
static void t_vq_4_buffers_on_the_queue(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		struct bed_conf conf = door_confs[c];

		conf.virtio.size = 8;
		door_up(conf);
		for (unsigned i = 0; i < 2 * (16 * 8 + 22 + 70); i++, done++) {
			struct driver_queue *q = &bed.vfront.queue[0];
			unsigned at = i / 2;
			uint64_t addr = at < 128   ? q->desc.addr + at
					: at < 150 ? q->avail.addr + at - 128
						   : q->used.addr + at - 150;
			struct driver_sg sg[3] = {{door.header.addr, 16},
						  {door.data.addr, 512},
						  {door.status.addr, 1}};

			sg[1 + i % 2].addr = addr;
			door_header(BLK_VIRTIO_IN, 16);
			door_chain(sg, 1, 2);
			door_run();
			door_listen();
			loopxen_notify(bed.x, bed.dev.front, bed.vfront.port);
			door_run();
			door_recovers();
		}
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-4", done, "buffers on the queue");
}

/* Of grants also on the control page: its indices, its messages, the journal. */
static void t_vq_4_buffers_on_the_control_page(void **state)
{
	uint64_t done = 0;

	(void)state;
	door_up(door_confs[2]);
	for (unsigned at = 0; at < 4096; at += at < 0x100 ? 4 : 32, done++) {
		uint64_t page = UINT64_C(1) << 63 | (uint64_t)bed.vfront.control.v
							    << 12;
		struct driver_sg sg[3] = {{door.header.addr, 16},
					  {page + at, at <= 4096 - 512 ? 512 : 1},
					  {page + at, 1}};

		door_header(BLK_VIRTIO_IN, 16);
		door_chain(sg, 1, 2);
		door_run();
		loopxen_notify(bed.x, bed.dev.front, bed.vfront.port);
		door_run();
		bed_kill(&bed); /* and a successor reads what stands there */
		assert_int_equal(bed_start_quiet(&bed), 0);
		bed_connect(&bed, true);
		door_recovers();
	}
	assert_int_equal(bed_down(&bed), 0);
	tally("T-VQ-4", done, "buffers on the control page");
}

/* The areas on each other, all ways, and (grants) on the control page. */
static void t_vq_4_areas_on_each_other(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		door_features(door_confs[c]);
		for (unsigned i = 0; i < 64; i++, done++) {
			uint64_t page = UINT64_C(1) << 63 |
					(uint64_t)bed.vfront.control.v << 12;
			uint64_t on[4] = {door.data.addr, door.data.addr + 16,
					  door.data.addr + 4096,
					  grants() ? page : door.data.addr};
			uint64_t area[3] = {on[i % 4], on[i / 4 % 4], on[i / 16]};
			uint64_t features;

			door_put_queue(0, 8, area);
			door_run();
			virtio_driver_ready(door_driver());
			memset(door.data.at, (int)i + 1, 256);
			for (unsigned k = 0; k < 10; k++) {
				le_put(door.data.at + 2, 2, k);
				loopxen_notify(bed.x, bed.dev.front, bed.vfront.port);
				door_run();
			}
			door_recovers();
			assert_true(virtio_driver_begin(door_driver(), ~UINT64_C(0),
							&features));
		}
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-4", done, "areas on each other");
}

static void reoffer_hook(uint64_t k, const volatile void *p, size_t len)
{
	struct driver_queue *q = &bed.vfront.queue[0];
	uint8_t *at = loopxen_back_client_view(bed.back, p);
	uint16_t used = driver_queue_used_idx(q);

	(void)k;
	(void)len;
	if (at && at >= q->avail.at && at < q->avail.at + 4 + 2 * q->size + 2)
		driver_queue_raw_idx(q, (uint16_t)(used + 1));
}

/* A chain that is offered again in the moment in which it comes back: turns end. */
static void t_vq_4_offered_again_at_once(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		struct driver_queue *q = &bed.vfront.queue[0];

		door_up(door_confs[c]);
		memset(q->avail.at + 4, 0, 2 * q->size);
		assert_int_equal(door_ask(false, 16, 512), 0);
		shared_hook = reoffer_hook;
		for (unsigned i = 0; i < 1000; i++) {
			uint64_t before = bed.virtio.door.device.stats.taken;

			assert_int_equal(bed_turn(&bed), 0);
			assert_true(bed.virtio.door.device.stats.taken <=
				    before + q->size);
		}
		done += bed.virtio.door.device.stats.taken;
		shared_hook = NULL;
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	assert_true(done > DOORS * 500);
	tally("T-VQ-4", done, "chains offered again at once");
}

/* -- T-VQ-9 --------------------------------------------------------------------------
 */

/* The same bytes as header, as data and as status, all ways: answered, in order. */
static void t_vq_9_aliases(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		door_up(door_confs[c]);
		for (unsigned i = 0; i < 2 * 27; i++, done++) {
			uint64_t at[3] = {door.header.addr, door.data.addr,
					  door.status.addr};
			struct driver_sg sg[3] = {{at[i / 2 % 3], 16},
						  {at[i / 6 % 3], 512},
						  {at[i / 18 % 3], 1}};
			bool writes = i % 2;

			le_put(door.data.at, 4, writes);
			le_put(door.data.at + 4, 4, 0);
			le_put(door.data.at + 8, 8, 8000);
			door_header(writes, 8000);
			memcpy(door.status.at, door.data.at, 16);
			door_chain(sg, 1 + writes, 2 - writes);
			outcome("an alias", writes ? 1 : 513);
		}
		memset(bed_disk(&bed, 0), 0x99, (size_t)BED_SECTORS * 512);
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-9", done, "buffers that are the same");
}

static void t_vq_9_one_page_many_times(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < DOORS; c++) {
		door_up(door_confs[c]);
		for (unsigned n = 1; n <= 60; n++, done += 2) {
			struct driver_sg sg[64];

			for (unsigned writes = 0; writes < 2; writes++) {
				sg[0] = (struct driver_sg){door.header.addr, 16};
				for (unsigned i = 0; i < n; i++)
					sg[1 + i] = (struct driver_sg){door.data.addr,
								       4096};
				sg[1 + n] = (struct driver_sg){door.status.addr, 1};
				door_header(writes, 16);
				memset(bed_disk(&bed, 16), 0x51, n * 4096);
				memset(door.data.at, 0x51, 4096);
				door_chain(sg, writes ? 1 + n : 1, writes ? 1 : n + 1);
				outcome("a page many times", n * 4096 + 1);
				assert_int_equal(*door.status.at, BLK_VIRTIO_OK);
				assert_int_equal(door.data.at[4095], 0x51);
			}
		}
		memset(bed_disk(&bed, 0), 0x99, (size_t)BED_SECTORS * 512);
		door_recovers();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-VQ-9", done, "one page, many times");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(t_vq_4_buffers_on_the_queue),
		HOSTILE(t_vq_4_buffers_on_the_control_page),
		HOSTILE(t_vq_4_areas_on_each_other),
		HOSTILE(t_vq_4_offered_again_at_once),
		HOSTILE(t_vq_9_aliases),
		HOSTILE(t_vq_9_one_page_many_times),
	};

	return cmocka_run_group_tests_name("virtio_alias", tests, NULL, NULL);
}
