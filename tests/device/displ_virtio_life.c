/* SPDX-License-Identifier: MIT */
/* The virtio door of a display: resets, ends, cards that fail, deaths, and who
 * follows. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/class.h"
#include "tests/device/displ-virtio-cases.h"

#define OK	 VIRTIO_GPU_RESP_OK_NODATA
#define UNSPEC	 VIRTIO_GPU_RESP_ERR_UNSPEC
#define RESOURCE VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID

static void assert_gone(void)
{
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, DISPL_BED_GONE));
}

static void reset(void)
{
	assert_true(virtio_driver_set_status(&bed.vfront.driver, 0));
	bed.chains = (struct vchains){0};
}

/* A picture of its own, and it is seen. */
static void assert_well(void)
{
	gpu_picture(77, 0x777777);
	gpu_show(77);
	assert_true(displ_bed_sees(&bed, 0, 0x777777));
}

/* -- Ends -------------------------------------------------------------------------- */

static void a_reset_ends_all(void **state)
{
	(void)state;
	gpu_up(&(struct displ_bed_conf){.buffers = 2});
	gpu_picture(1, 0x112233);
	gpu_picture(2, 0x445566);
	gpu_show(1);
	gpu_send_flush(1, ALL, true);
	reset();
	assert_gone();
	assert_true(vfront_ready(&bed.vfront));
	assert_int_equal(gpu_unref(1), RESOURCE);
	assert_int_equal(gpu_unref(2), RESOURCE);
	assert_well();
	gpu_down();
}

static void a_wrong_driver_is_dark(void **state)
{
	static const struct {
		uint32_t readable, room;
	} tries[] = {{23, 24}, {1, 0}, {24, 23}, {24, 0}, {56, 1}};
	uint8_t bytes[64] = {0, 1};

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	for (unsigned i = 0; i < COUNT(tries); i++) {
		assert_well();
		gpu_send_flush(77, ALL, true);
		displ_bed_run(&bed);
		gpu_send(0, bytes, tries[i].readable, tries[i].room);
		displ_bed_run(&bed);
		assert_true(bed.virtio.door.device.status & VIRTIO_NEEDS_RESET);
		assert_gone();
		reset();
		assert_true(vfront_ready(&bed.vfront));
	}
	/* A cursor's has no answer, but a header. */
	gpu_send(1, bytes, 23, 0);
	displ_bed_run(&bed);
	assert_true(bed.virtio.door.device.status & VIRTIO_NEEDS_RESET);
	gpu_down();
}

static void a_detach_while_it_flies(void **state)
{
	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	gpu_picture(1, 0x112233);
	gpu_show(1);
	gpu_send_flush(1, ALL, true);
	displ_bed_run(&bed);
	displ_virtio_detach(&bed.virtio);
	assert_int_equal(bed.detached, 0);
	assert_gone();
	assert_int_equal(bed.detached, 1);
	assert_int_equal(loopxen_back_pages(bed.back), 0);
	gpu_down();
}

/* Nothing of the client before it is there, nor said to be. */
static void the_next_client_begins_anew(void **state)
{
	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	gpu_picture(1, 0x112233);
	gpu_show(1);
	displ_virtio_detach(&bed.virtio);
	assert_gone();
	assert_true(vfront_disconnect(&bed.vfront));
	assert_int_equal(displ_bed_connect(&bed), 0);
	assert_string_equal(displ_bed_back_key(&bed, "counts-0"), "0");
	assert_string_equal(displ_bed_back_key(&bed, "scanout-0"), "none");
	displ_bed_kill(&bed);
	assert_int_equal(displ_bed_follow(&bed), 0);
	assert_gone();
	assert_int_equal(gpu_unref(1), RESOURCE);
	assert_well();
	gpu_down();
}

/* A queue alone is reset: what it had is let go of, resources stay. */
static void a_queue_is_reset(void **state)
{
	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	gpu_picture(1, 0x112233);
	gpu_show(1);
	gpu_send_flush(1, ALL, true);
	displ_bed_run(&bed);
	assert_int_equal(virtio_device_reset_queue(&bed.virtio.door.device, 0),
			 VIRTIO_LATER);
	displ_bed_pass(&bed, CLOCK_MS);
	assert_false(bed.virtio.door.device.queue[0].resetting);
	assert_int_equal(bed.virtio.fenced.n, 0);
	assert_true(displ_bed_sees(&bed, 0, 0x112233));
	gpu_down();
}

/* -- A card that fails ------------------------------------------------------------- */

static void a_card_that_fails(void **state)
{
	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	gpu_picture(1, 0x112233);
	bed.scan.fail_show = -EIO;
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_int_equal(gpu_set(0, 1, ALL), UNSPEC);
	assert_int_equal(gpu_set(0, 1, ALL), OK);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0x112233));
	bed.scan.fail_show = -EIO;
	assert_int_equal(gpu_flush(1, ALL), UNSPEC);
	assert_int_equal(gpu_flush(1, ALL), OK);
	gpu_down();
}

static void a_card_that_loses_a_show(void **state)
{
	struct gpu_answer a;

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	gpu_picture(1, 0x112233);
	gpu_show(1);
	bed.scan.loses = true;
	gpu_send_flush(1, ALL, true);
	displ_bed_pass(&bed, 900 * CLOCK_MS);
	assert_false(gpu_back(0, 24, &a));
	displ_bed_pass(&bed, 200 * CLOCK_MS);
	assert_true(gpu_back(0, 24, &a));
	assert_int_equal(bed.displ.stats.lost, 1);
	bed.scan.loses = false;
	bed.scan.head[0].flying = UINT32_MAX;
	gpu_down();
}

/* -- What is kept ------------------------------------------------------------------ */

/* Each of its keys is one that its keeper lets it write. */
static void keys_of_its_own(void **state)
{
	static const char *const keys[] = {"counts-0",	"resource-79", "backing-79",
					   "scanout-3", "cursor-3",    "unplugged-0"};
	const struct class_info *info = class_info(POLICY_DISPL, POLICY_VIRTIO);

	(void)state;
	for (unsigned i = 0; i < COUNT(keys); i++)
		assert_true(class_key_matches(info->back_keys, keys[i]));
}

static void nothing_is_answered_before_it_is_kept(void **state)
{
	struct virtio_gpu_resource_create_2d create = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
		.resource_id = 1,
		.format = FORMAT,
		.width = WIDTH,
		.height = HEIGHT,
	};
	struct gpu_answer a;

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	loopxen_fail(bed.x, LOOPXEN_WRITE, 0, STORE_FULL);
	gpu_send(0, &create, sizeof(create), 24);
	displ_bed_pass(&bed, 2 * CLOCK_MS);
	assert_false(loopxen_fail_left(bed.x, LOOPXEN_WRITE));
	assert_true(gpu_back(0, 24, &a));
	assert_int_equal(a.hdr.type, OK);
	assert_string_equal(displ_bed_back_key(&bed, "resource-0"), "1 2 128 96 0");
	assert_string_equal(displ_bed_back_key(&bed, "counts-0"), "1");
	assert_int_equal(gpu_unref(1), OK);
	assert_string_equal(displ_bed_back_key(&bed, "resource-0"), "none");
	gpu_down();
}

/* -- Who follows ------------------------------------------------------------------- */

/* It shows what was shown, as it is in the pool now; and the client goes on. */
static void goes_on(void **state)
{
	struct driver_block block;

	(void)state;
	gpu_up(&(struct displ_bed_conf){.heads = 2});
	block = gpu_picture(1, 0x112233);
	gpu_picture(2, 0x445566);
	gpu_show(1);
	assert_int_equal(gpu_set(1, 2, RECT(64, 0, 64, 64)), OK);
	displ_bed_kill(&bed);
	gpu_fill(&block, 0x778899);
	assert_int_equal(displ_bed_follow(&bed), 0);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0x778899));
	assert_int_equal(gpu_pixel(1, 32, 16), 0x445566);
	assert_int_equal(gpu_pixel(1, 31, 16), 0);
	assert_int_equal(gpu_transfer(1, ALL, 0), OK);
	assert_int_equal(gpu_flush(1, ALL), OK);
	assert_int_equal(gpu_unref(1), OK);
	assert_gone();
	assert_well();
	gpu_down();
}

/* What was done and not answered is done again. */
static void does_it_again(void **state)
{
	struct virtio_gpu_resource_create_2d create = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
		.resource_id = 2,
		.format = FORMAT,
		.width = WIDTH,
		.height = HEIGHT,
	};
	struct {
		struct virtio_gpu_resource_attach_backing c;
		struct virtio_gpu_mem_entry entry;
	} attach = {{.hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
		     .resource_id = 2,
		     .nr_entries = 1},
		    {0}};
	struct driver_block block;
	struct gpu_answer a;

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	gpu_picture(1, 0x112233);
	gpu_show(1);
	block = gpu_block(BYTES);
	gpu_fill(&block, 0x445566);
	attach.entry.addr = block.addr;
	attach.entry.length = BYTES;
	gpu_send_flush(1, ALL, true);
	gpu_send(0, &create, sizeof(create), 24);
	gpu_send(0, &attach, sizeof(attach), 24);
	displ_bed_run(&bed);
	assert_int_equal(bed.virtio.stats.commands, 7);
	assert_string_equal(displ_bed_back_key(&bed, "resource-1"), "2 2 128 96 1");
	displ_bed_kill(&bed);
	assert_int_equal(displ_bed_follow(&bed), 0);
	displ_bed_pass(&bed, 4 * DISPL_TEST_BLANK);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(gpu_back(0, 24, &a));
		assert_int_equal(a.hdr.type, OK);
	}
	gpu_show(2);
	assert_true(displ_bed_sees(&bed, 0, 0x445566));
	gpu_down();
}

/* A backing in as many runs as it has pages; then its back end dies. */
static struct {
	struct virtio_gpu_resource_attach_backing c;
	struct virtio_gpu_mem_entry entry[12];
} scattered;

static void dies_with_many_runs(void)
{
	struct driver_block block;

	gpu_up(&(struct displ_bed_conf){0});
	block = gpu_block(2 * BYTES);
	gpu_fill(&block, 0x112233);
	scattered.c.hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING;
	scattered.c.resource_id = 1;
	scattered.c.nr_entries = COUNT(scattered.entry);
	for (unsigned i = 0; i < COUNT(scattered.entry); i++) {
		/* The last one first, as spares are handed out. */
		scattered.entry[COUNT(scattered.entry) - 1 - i].addr =
			block.addr + 8192 * i;
		scattered.entry[i].length = 4096;
	}
	assert_int_equal(gpu_create(1, FORMAT, WIDTH, HEIGHT), OK);
	assert_int_equal(gpu_ask(&scattered, sizeof(scattered), 24, NULL), OK);
	assert_int_equal(gpu_transfer(1, ALL, 0), OK);
	gpu_show(1);
	assert_true(displ_bed_sees(&bed, 0, 0x112233));
	displ_bed_kill(&bed);
}

static void comes_back_with_many_runs(void **state)
{
	(void)state;
	dies_with_many_runs();
	assert_string_equal(displ_bed_back_key(&bed, "resource-0"), "1 2 128 96 12");
	assert_int_equal(displ_bed_follow(&bed), 0);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0x112233));
	assert_int_equal(gpu_transfer(1, ALL, 0), OK);
	gpu_down();
}

/* More than are kept: its driver is told so, and backs it anew. */
static void comes_back_without_its_backing(void **state)
{
	char path[160];

	(void)state;
	dies_with_many_runs();
	loopxen_path(&bed.dev, STORE_BACK, "resource-0", path, sizeof(path));
	assert_true(loopxen_write(bed.x, (struct domid){0}, path, "1 2 128 96 97"));
	assert_int_equal(displ_bed_follow(&bed), 0);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0));
	assert_int_equal(gpu_transfer(1, ALL, 0), UNSPEC);
	assert_int_equal(gpu_ask(&scattered, sizeof(scattered), 24, NULL), OK);
	assert_int_equal(gpu_transfer(1, ALL, 0), OK);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	gpu_show(1);
	assert_true(displ_bed_sees(&bed, 0, 0x112233));
	gpu_down();
}

/* Killed at each write of its keys: either way the client goes on. */
static void dies_at_any_write(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 6; n++) {
		struct virtio_gpu_set_scanout set = {
			.hdr.type = VIRTIO_GPU_CMD_SET_SCANOUT,
			.r = {0, 0, WIDTH, HEIGHT},
			.resource_id = 2,
		};
		struct virtio_gpu_resource_unref unref = {
			.hdr.type = VIRTIO_GPU_CMD_RESOURCE_UNREF, .resource_id = 1};
		struct gpu_answer a;

		gpu_up(&(struct displ_bed_conf){0});
		gpu_picture(1, 0x112233);
		gpu_picture(2, 0x445566);
		gpu_show(1);
		loopxen_fail(bed.x, LOOPXEN_WRITE, n, -EIO);
		gpu_send(0, &set, sizeof(set), 24);
		gpu_send(0, &unref, sizeof(unref), 24);
		displ_bed_run(&bed);
		displ_bed_kill(&bed);
		loopxen_fail_left(bed.x, LOOPXEN_WRITE);
		assert_int_equal(displ_bed_follow(&bed), 0);
		displ_bed_pass(&bed, 4 * DISPL_TEST_BLANK);
		assert_true(displ_bed_sees(&bed, 0, 0x445566));
		assert_true(gpu_back(0, 24, &a));
		assert_int_equal(a.hdr.type, OK);
		assert_true(gpu_back(0, 24, &a));
		assert_int_equal(gpu_unref(1), RESOURCE);
		gpu_down();
	}
}

/* What stands in the directory is nobody's word: it is checked as a command is. */
static void kept_nonsense(void **state)
{
	static const char *const rows[][2] = {
		{"counts-0", "9999999"},
		{"counts-0", "1 1"},
		{"counts-0", "25"},
		{"resource-0", "0 2 128 96 1"},
		{"resource-0", "1 7 128 96 1"},
		{"resource-0", "1 2 4294967295 4294967295 1"},
		{"resource-0", "1 2 64 64 1"},
		{"resource-0", "1 2 128 96 18446744073709551615"},
		{"resource-0", "1 2 128 96 9"},
		{"resource-0", "x"},
		{"resource-1", "1 2 128 96 1"},
		{"backing-0", "0 4096"},
		{"backing-0", "18446744069414584320 49152"},
		{"backing-0", "0 18446744073709551615"},
		{"backing-0", "none"},
		{"scanout-0", "1 0 0 4294967295 96"},
		{"scanout-0", "1 128 96 128 96"},
		{"scanout-0", "1 0 0 0 0"},
		{"scanout-0", "9 0 0 128 96"},
		{"scanout-0", "4294967297 0 0 128 96"},
		{"cursor-0", "1 0 0"},
		{"cursor-0", "9 0 0"},
		{"cursor-0", "4294967297 18446744073709551615 0"},
		{"cursor-0", "0 0"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		char path[160];

		gpu_up(&(struct displ_bed_conf){0});
		gpu_picture(1, 0x112233);
		gpu_picture(2, 0x445566);
		gpu_show(1);
		displ_bed_kill(&bed);
		loopxen_path(&bed.dev, STORE_BACK, rows[i][0], path, sizeof(path));
		assert_true(loopxen_write(bed.x, (struct domid){0}, path, rows[i][1]));
		assert_int_equal(displ_bed_follow(&bed), 0);
		displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
		gpu_unref(1);
		gpu_unref(2);
		assert_well();
		gpu_down();
	}
}

/* A driver that had broken the protocol has nothing that goes on. */
static void of_a_wrong_driver(void **state)
{
	uint8_t bytes[24] = {0};

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	gpu_picture(1, 0x112233);
	gpu_show(1);
	gpu_send(0, bytes, 1, 24);
	displ_bed_run(&bed);
	displ_bed_kill(&bed);
	assert_int_equal(displ_bed_follow(&bed), 0);
	assert_gone();
	reset();
	assert_true(vfront_ready(&bed.vfront));
	assert_well();
	gpu_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reset_ends_all),
		cmocka_unit_test(a_wrong_driver_is_dark),
		cmocka_unit_test(a_detach_while_it_flies),
		cmocka_unit_test(the_next_client_begins_anew),
		cmocka_unit_test(a_queue_is_reset),
		cmocka_unit_test(a_card_that_fails),
		cmocka_unit_test(a_card_that_loses_a_show),
		cmocka_unit_test(keys_of_its_own),
		cmocka_unit_test(nothing_is_answered_before_it_is_kept),
		cmocka_unit_test(goes_on),
		cmocka_unit_test(does_it_again),
		cmocka_unit_test(comes_back_with_many_runs),
		cmocka_unit_test(comes_back_without_its_backing),
		cmocka_unit_test(dies_at_any_write),
		cmocka_unit_test(kept_nonsense),
		cmocka_unit_test(of_a_wrong_driver),
	};

	return cmocka_run_group_tests_name("displ_virtio_life", tests, NULL, NULL);
}
