/* SPDX-License-Identifier: MIT */
/* The virtio door of a display: what it says of itself, resources, transfers, scan-outs
 * and fences. Lives and deaths are displ_virtio_life.c, pointers
 * displ_virtio_cursor.c. */
#include <string.h>

#include "tests/device/displ-virtio-cases.h"

#define OK	  VIRTIO_GPU_RESP_OK_NODATA
#define UNSPEC	  VIRTIO_GPU_RESP_ERR_UNSPEC
#define MEMORY	  VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY
#define SCANOUT	  VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID
#define RESOURCE  VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID
#define PARAMETER VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER

/* -- What it says ------------------------------------------------------------------ */

static void device(void **state)
{
	(void)state;
	gpu_up(&(struct displ_bed_conf){.heads = 3});
	assert_int_equal(bed.vfront.features & 0xffffff,
			 DRIVER_FEATURE(VIRTIO_GPU_F_EDID));
	assert_int_equal(virtio_le32(bed.virtio.door.device.config + 8), 3);
	assert_int_equal(virtio_le32(bed.virtio.door.device.config + 12), 0);
	gpu_down();
}

static void display_info(void **state)
{
	struct virtio_gpu_ctrl_hdr c = {.type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO};
	struct virtio_gpu_resp_display_info info;
	struct gpu_answer a;

	(void)state;
	gpu_up(&(struct displ_bed_conf){.heads = 2});
	assert_int_equal(gpu_ask(&c, sizeof(c), sizeof(info), &a),
			 VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	assert_int_equal(a.len, sizeof(info));
	memcpy(&info.pmodes, a.behind, sizeof(info.pmodes));
	for (uint32_t i = 0; i < VIRTIO_GPU_MAX_SCANOUTS; i++) {
		assert_int_equal(info.pmodes[i].enabled, i < 2);
		assert_int_equal(info.pmodes[i].r.x, i < 2 ? i * WIDTH : 0);
		assert_int_equal(info.pmodes[i].r.y, 0);
		assert_int_equal(info.pmodes[i].r.width, i < 2 ? WIDTH : 0);
		assert_int_equal(info.pmodes[i].r.height, i < 2 ? HEIGHT : 0);
	}
	/* It does not get what it has no room for. */
	assert_int_equal(gpu_ask(&c, sizeof(c), sizeof(info) - 1, &a), PARAMETER);
	assert_int_equal(a.len, sizeof(c));
	gpu_down();
}

static void edid(void **state)
{
	struct virtio_gpu_cmd_get_edid c = {.hdr.type = VIRTIO_GPU_CMD_GET_EDID};
	struct virtio_gpu_resp_edid edid;
	struct gpu_answer a;

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	assert_int_equal(gpu_ask(&c, sizeof(c), sizeof(edid), &a),
			 VIRTIO_GPU_RESP_OK_EDID);
	memcpy(&edid.size, a.behind, sizeof(edid) - sizeof(edid.hdr));
	assert_int_equal(edid.size, sizeof(bed.edid));
	assert_memory_equal(edid.edid, bed.edid, sizeof(bed.edid));
	for (unsigned i = sizeof(bed.edid); i < sizeof(edid.edid); i++)
		assert_int_equal(edid.edid[i], 0);
	c.scanout = 1;
	assert_int_equal(gpu_ask(&c, sizeof(c), sizeof(edid), &a), SCANOUT);
	gpu_down();
	gpu_up(&(struct displ_bed_conf){.refuses = DRIVER_FEATURE(VIRTIO_GPU_F_EDID)});
	c.scanout = 0;
	assert_int_equal(gpu_ask(&c, sizeof(c), sizeof(edid), &a), UNSPEC);
	gpu_down();
}

/* Blobs, capability sets, contexts, 3D, and what is no command. */
static void what_it_has_not(void **state)
{
	static const uint32_t types[] = {0,	0x108,	0x109,	   0x10b, 0x10c,
					 0x10d, 0x200,	0x204,	   0x207, 0x300,
					 0x301, 0x1100, 0xffffffff};
	uint8_t bytes[128] = {0};

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	for (unsigned i = 0; i < COUNT(types); i++) {
		memcpy(bytes, &types[i], 4);
		assert_int_equal(gpu_ask(bytes, sizeof(bytes), 24, NULL), UNSPEC);
	}
	assert_int_equal(bed.virtio.stats.malformed, COUNT(types));
	gpu_down();
}

/* -- Resources ------------------------------------------------------------------- */

static void creates(void **state)
{
	(void)state;
	gpu_up(&(struct displ_bed_conf){.buffers = 2, .formats = 1u << DISPL_XRGB8888});
	assert_int_equal(gpu_create(0, FORMAT, WIDTH, HEIGHT), RESOURCE);
	assert_int_equal(gpu_create(1, FORMAT, 0, HEIGHT), PARAMETER);
	assert_int_equal(gpu_create(1, FORMAT, WIDTH, 0), PARAMETER);
	assert_int_equal(gpu_create(1, 5, WIDTH, HEIGHT), PARAMETER);
	assert_int_equal(gpu_create(1, VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM, WIDTH, HEIGHT),
			 PARAMETER);
	assert_int_equal(gpu_create(1, FORMAT, WIDTH + 1, HEIGHT), MEMORY);
	assert_int_equal(gpu_create(1, FORMAT, WIDTH, HEIGHT + 1), MEMORY);
	assert_int_equal(gpu_create(1, FORMAT, 0x10000, 0x10000), MEMORY);
	assert_int_equal(gpu_create(1, FORMAT, WIDTH, HEIGHT), OK);
	assert_int_equal(gpu_create(1, FORMAT, WIDTH, HEIGHT), RESOURCE);
	assert_int_equal(gpu_create(0xffffffff, FORMAT, WIDTH, HEIGHT), OK);
	assert_int_equal(gpu_create(3, FORMAT, WIDTH, HEIGHT), MEMORY);
	assert_int_equal(gpu_unref(3), RESOURCE);
	assert_int_equal(gpu_unref(1), OK);
	assert_int_equal(gpu_create(3, FORMAT, WIDTH, HEIGHT), OK);
	/* Cursors are beside them, of any format; none of them is shown so. */
	for (uint32_t i = 0; i < DISPL_VIRTIO_SMALL; i++)
		assert_int_equal(
			gpu_create(10 + i, VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM, 64, 64),
			OK);
	assert_int_equal(gpu_create(9, FORMAT, 64, 64), MEMORY);
	assert_int_equal(gpu_set(0, 10, RECT(0, 0, 64, 64)), PARAMETER);
	gpu_down();
}

static void backing(void **state)
{
	struct driver_block block, hole;

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	block = gpu_block(BYTES);
	assert_int_equal(gpu_attach(1, &block, 4096), RESOURCE);
	assert_int_equal(gpu_create(1, FORMAT, WIDTH, HEIGHT), OK);
	assert_int_equal(gpu_transfer(1, ALL, 0), UNSPEC);
	hole = block;
	hole.addr = 0x1000;
	assert_int_equal(gpu_attach(1, &hole, 4096), PARAMETER);
	assert_int_equal(gpu_transfer(1, ALL, 0), UNSPEC);
	assert_int_equal(gpu_attach(1, &block, 4096), OK);
	assert_int_equal(bed.virtio.resources.place[0].runs, 1);
	assert_int_equal(gpu_attach(1, &block, 4096), UNSPEC);
	assert_int_equal(gpu_transfer(1, ALL, 0), OK);
	assert_int_equal(gpu_detach(1), OK);
	assert_int_equal(gpu_transfer(1, ALL, 0), UNSPEC);
	assert_int_equal(gpu_detach(2), RESOURCE);
	/* Any cut will do that is no more than twice its pages. */
	assert_int_equal(gpu_attach(1, &block, 1500), OK);
	assert_int_equal(gpu_transfer(1, ALL, 0), OK);
	assert_int_equal(gpu_detach(1), OK);
	assert_int_equal(gpu_attach(1, &block, 256), MEMORY);
	gpu_down();
}

/* Part of it, from wherever the driver says; and where one run of the pool ends. */
static void transfers(void **state)
{
	struct driver_block block;
	uint32_t *pixels;

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	/* All there is around the end of the first run. */
	do
		block = gpu_block(BYTES);
	while (block.addr < DRIVER_POOL_BASE + DRIVER_POOL_RUN + BYTES);
	block.addr = DRIVER_POOL_BASE + DRIVER_POOL_RUN - BYTES / 2;
	pixels = (uint32_t *)(void *)(bed.vfront.pool.at + DRIVER_POOL_RUN - BYTES / 2);
	assert_int_equal(gpu_create(1, FORMAT, WIDTH, HEIGHT), OK);
	for (uint32_t i = 0; i < PIXELS; i++)
		pixels[i] = i;
	assert_int_equal(gpu_attach(1, &block, 4096), OK);
	assert_int_equal(bed.virtio.resources.place[0].runs, 1);
	assert_int_equal(gpu_transfer(1, ALL, 0), OK);
	gpu_show(1);
	for (uint32_t i = 0; i < PIXELS; i++)
		assert_int_equal(gpu_pixel(0, i % WIDTH, i / WIDTH), i);
	/* The rows of a rect, a picture's width apart. */
	for (uint32_t i = 0; i < PIXELS; i++)
		pixels[i] = 0x800000 + i;
	assert_int_equal(gpu_transfer(1, RECT(10, 20, 30, 40), 4 * (7 * WIDTH + 5)),
			 OK);
	assert_int_equal(gpu_flush(1, RECT(10, 20, 30, 40)), OK);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	for (uint32_t i = 0; i < PIXELS; i++) {
		uint32_t x = i % WIDTH, y = i / WIDTH;
		bool in = x >= 10 && x < 40 && y >= 20 && y < 60;

		assert_int_equal(gpu_pixel(0, x, y),
				 in ? 0x800000 + (y - 13) * WIDTH + x - 5 : i);
	}
	gpu_down();
}

static void transfers_within(void **state)
{
	static const struct {
		struct virtio_gpu_rect rect;
		uint64_t offset;
		uint32_t answer;
	} tries[] = {
		{{0, 0, WIDTH, HEIGHT}, 0, OK},
		{{0, 0, WIDTH, HEIGHT}, 1, PARAMETER},
		{{0, 0, WIDTH, 1}, BYTES - WIDTH * 4, OK},
		{{0, 0, WIDTH, 1}, BYTES - WIDTH * 4 + 1, PARAMETER},
		{{0, 0, WIDTH, 1}, UINT64_MAX, PARAMETER},
		{{0, 0, WIDTH, 1}, UINT64_MAX - WIDTH * 4 + 1, PARAMETER},
		{{0, 0, 1, HEIGHT}, WIDTH * 4 - 4, OK},
		{{0, 0, 1, HEIGHT}, WIDTH * 4 - 3, PARAMETER},
		{{WIDTH - 1, HEIGHT - 1, 1, 1}, BYTES - 4, OK},
		{{WIDTH - 1, HEIGHT - 1, 1, 1}, BYTES - 3, PARAMETER},
		{{WIDTH, 0, 1, 1}, 0, PARAMETER},
		{{0, HEIGHT, 1, 1}, 0, PARAMETER},
		{{0, 0, 0, 1}, 0, PARAMETER},
		{{0, 0, 1, 0}, 0, PARAMETER},
		{{1, 0, UINT32_MAX, 1}, 0, PARAMETER},
		{{0, 1, 1, UINT32_MAX}, 0, PARAMETER},
	};

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	gpu_picture(1, 0);
	for (unsigned i = 0; i < COUNT(tries); i++)
		assert_int_equal(gpu_transfer(1, &tries[i].rect, tries[i].offset),
				 tries[i].answer);
	assert_int_equal(gpu_transfer(2, ALL, 0), RESOURCE);
	gpu_down();
}

/* -- Scan-outs --------------------------------------------------------------------- */

/* Black, then what is transferred; the same canvas, and nothing is copied for it. */
static void shows(void **state)
{
	struct driver_block block;
	uint64_t copied;

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, DISPL_BED_GONE));
	block = gpu_picture(1, 0x112233);
	gpu_show(1);
	assert_true(displ_bed_sees(&bed, 0, 0x112233));
	gpu_fill(&block, 0x445566);
	assert_int_equal(gpu_transfer(1, ALL, 0), OK);
	copied = bed.displ.stats.copied;
	assert_int_equal(gpu_flush(1, ALL), OK);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0x445566));
	assert_int_equal(bed.displ.stats.copied, copied);
	assert_int_equal(gpu_set(0, 0, RECT(0, 0, 0, 0)), OK);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, DISPL_BED_GONE));
	gpu_down();
}

static void sets_within(void **state)
{
	(void)state;
	gpu_up(&(struct displ_bed_conf){.heads = 2});
	gpu_picture(1, 0x112233);
	assert_int_equal(gpu_set(2, 1, ALL), SCANOUT);
	assert_int_equal(gpu_set(0xffffffff, 1, ALL), SCANOUT);
	assert_int_equal(gpu_set(2, 0, ALL), SCANOUT);
	assert_int_equal(gpu_set(0, 2, ALL), RESOURCE);
	assert_int_equal(gpu_set(0, 1, RECT(0, 0, WIDTH + 1, HEIGHT)), PARAMETER);
	assert_int_equal(gpu_set(0, 1, RECT(1, 0, WIDTH, HEIGHT)), PARAMETER);
	assert_int_equal(gpu_set(0, 1, RECT(1, 1, 0xffffffff, 1)), PARAMETER);
	assert_int_equal(gpu_set(0, 1, RECT(0, 0, 0, 1)), PARAMETER);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, DISPL_BED_GONE));
	assert_int_equal(gpu_flush(2, ALL), RESOURCE);
	assert_int_equal(gpu_flush(1, RECT(0, 0, WIDTH + 1, 1)), PARAMETER);
	/* Nobody shows it. */
	assert_int_equal(gpu_flush(1, ALL), OK);
	assert_false(displ_flies(&bed.displ));
	gpu_down();
}

/* A smaller one stands in the middle, black around it, whatever was there. */
static void smaller(void **state)
{
	struct driver_block block;

	(void)state;
	gpu_up(&(struct displ_bed_conf){.buffers = 1});
	gpu_picture(1, 0x112233);
	gpu_show(1);
	assert_int_equal(gpu_unref(1), OK);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	block = gpu_block(100 * 80 * 4);
	gpu_fill(&block, 0x445566);
	assert_int_equal(gpu_create(2, FORMAT, 100, 80), OK);
	assert_int_equal(gpu_attach(2, &block, 4096), OK);
	assert_int_equal(gpu_transfer(2, RECT(0, 0, 100, 80), 0), OK);
	assert_int_equal(gpu_set(0, 2, RECT(0, 0, 100, 80)), OK);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	for (uint32_t i = 0; i < PIXELS; i++) {
		uint32_t x = i % WIDTH, y = i / WIDTH;
		bool in = x >= 14 && x < 114 && y >= 8 && y < 88;

		assert_int_equal(gpu_pixel(0, x, y), in ? 0x445566 : 0);
	}
	gpu_down();
}

/* Part of a resource on each head, copied at a FLUSH that touches it. */
static void parts(void **state)
{
	struct driver_block block;
	uint32_t *pixels;

	(void)state;
	gpu_up(&(struct displ_bed_conf){.heads = 2});
	block = gpu_picture(1, 0);
	pixels = (uint32_t *)(void *)block.at;
	for (uint32_t i = 0; i < PIXELS; i++)
		pixels[i] = i % WIDTH < 64 ? 0x111111 : 0x222222;
	assert_int_equal(gpu_transfer(1, ALL, 0), OK);
	assert_int_equal(gpu_set(0, 1, RECT(0, 0, 64, HEIGHT)), OK);
	assert_int_equal(gpu_set(1, 1, RECT(64, 0, 64, HEIGHT)), OK);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_int_equal(gpu_pixel(0, 31, 0), 0);
	assert_int_equal(gpu_pixel(0, 32, 0), 0x111111);
	assert_int_equal(gpu_pixel(0, 95, 95), 0x111111);
	assert_int_equal(gpu_pixel(0, 96, 0), 0);
	assert_int_equal(gpu_pixel(1, 32, 0), 0x222222);
	gpu_fill(&block, 0x333333);
	assert_int_equal(gpu_transfer(1, ALL, 0), OK);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_int_equal(gpu_pixel(0, 40, 40), 0x111111);
	assert_int_equal(gpu_flush(1, RECT(0, 0, 64, 1)), OK);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_int_equal(gpu_pixel(0, 40, 40), 0x333333);
	assert_int_equal(gpu_pixel(1, 40, 40), 0x222222);
	assert_int_equal(gpu_flush(1, RECT(63, 0, 2, 1)), OK);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_int_equal(gpu_pixel(1, 40, 40), 0x333333);
	gpu_down();
}

/* What a small one has is copied, too, in its own format. */
static void small_ones(void **state)
{
	struct driver_block block;

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	block = gpu_block(64 * 64 * 4);
	gpu_fill(&block, 0x00332211);
	assert_int_equal(gpu_create(1, VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM, 64, 64), OK);
	assert_int_equal(gpu_attach(1, &block, 4096), OK);
	assert_int_equal(gpu_transfer(1, RECT(0, 0, 64, 64), 0), OK);
	assert_int_equal(gpu_set(0, 1, RECT(0, 0, 64, 64)), OK);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_int_equal(gpu_pixel(0, 31, 16), 0);
	assert_int_equal(gpu_pixel(0, 32, 16), 0x112233);
	assert_int_equal(gpu_pixel(0, 95, 79), 0x112233);
	gpu_down();
}

/* By the order of its bytes in memory, which are 1, 2, 3, 4. */
static void formats(void **state)
{
	static const struct {
		uint32_t format, seen;
	} tries[] = {
		{VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 0x030201},
		{VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, 0x030201},
		{VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM, 0x020304},
		{VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM, 0x020304},
		{VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM, 0x010203},
		{VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM, 0x040302},
		{VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM, 0x040302},
		{VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM, 0x010203},
	};
	struct driver_block block;

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	block = gpu_block(BYTES);
	gpu_fill(&block, 0x04030201);
	for (uint32_t i = 0; i < COUNT(tries); i++) {
		assert_int_equal(gpu_create(1 + i, tries[i].format, WIDTH, HEIGHT), OK);
		assert_int_equal(gpu_attach(1 + i, &block, 4096), OK);
		assert_int_equal(gpu_transfer(1 + i, ALL, 0), OK);
		gpu_show(1 + i);
		assert_true(displ_bed_sees(&bed, 0, tries[i].seen));
	}
	gpu_down();
}

/* -- Fences ------------------------------------------------------------------------ */

/* A FLUSH is answered at the blank, if it has a fence, and else at once. */
static void fences(void **state)
{
	struct gpu_answer a;

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	gpu_picture(1, 0x112233);
	gpu_show(1);
	gpu_send_flush(1, ALL, false);
	assert_true(gpu_back(0, 24, &a));
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	gpu_send_flush(1, ALL, true);
	assert_false(gpu_back(0, 24, &a));
	assert_true(displ_flies(&bed.displ));
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_true(gpu_back(0, 24, &a));
	assert_int_equal(a.hdr.type, OK);
	assert_int_equal(a.hdr.flags, VIRTIO_GPU_FLAG_FENCE);
	assert_false(displ_flies(&bed.displ));
	gpu_down();
}

/* As Linux flips: a scan-out of the next one, and a FLUSH. Both are one show, and their
 * fences come 60 times a second. */
static void page_flips(void **state)
{
	uint64_t began, shows;

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	gpu_picture(1, 0x111111);
	gpu_picture(2, 0x222222);
	gpu_show(1);
	began = loopxen_now(bed.x);
	shows = bed.scan.head[0].shows;
	for (uint32_t i = 0; i < 60; i++) {
		struct gpu_answer a;
		bool got = false;

		assert_int_equal(gpu_set(0, 2 - i % 2, ALL), OK);
		gpu_send_flush(2 - i % 2, ALL, true);
		while (!(got = gpu_back(0, 24, &a)))
			displ_bed_pass(&bed, CLOCK_MS);
		assert_true(displ_bed_sees(&bed, 0, i % 2 ? 0x111111 : 0x222222));
	}
	assert_int_equal(bed.scan.head[0].shows - shows, 60);
	assert_in_range(loopxen_now(bed.x) - began, 58 * DISPL_TEST_BLANK,
			63 * DISPL_TEST_BLANK);
	gpu_down();
}

/* It waits for what flies; so does what is behind it, and nothing turns in circles. */
static void flushes_wait(void **state)
{
	struct gpu_answer a;
	unsigned turns;

	(void)state;
	gpu_up(&(struct displ_bed_conf){.heads = 1});
	gpu_picture(1, 0x112233);
	assert_int_equal(gpu_set(0, 1, RECT(0, 0, 64, 64)), OK);
	turns = bed.turns;
	gpu_send_flush(1, ALL, false);
	gpu_send_flush(1, ALL, true);
	assert_false(gpu_back(0, 24, &a));
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_true(gpu_back(0, 24, &a));
	assert_false(gpu_back(0, 24, &a));
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_true(gpu_back(0, 24, &a));
	assert_true(bed.turns - turns < 12);
	gpu_down();
}

/* Two heads show it: the fence waits for both. */
static void fence_of_two_heads(void **state)
{
	struct gpu_answer a;

	(void)state;
	gpu_up(&(struct displ_bed_conf){.heads = 2});
	gpu_picture(1, 0x112233);
	gpu_show(1);
	assert_int_equal(gpu_set(1, 1, ALL), OK);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 1, 0x112233));
	gpu_send_flush(1, ALL, true);
	assert_false(gpu_back(0, 24, &a));
	assert_true(bed.displ.head[0].telling && bed.displ.head[1].telling);
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_true(gpu_back(0, 24, &a));
	gpu_down();
}

/* Who is let go of need not be waited for. */
static void fence_of_the_dark(void **state)
{
	struct virtio_gpu_resource_unref unref = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_UNREF, .resource_id = 1};
	struct gpu_answer a;

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	gpu_picture(1, 0x112233);
	gpu_show(1);
	gpu_send_flush(1, ALL, true);
	gpu_send(0, &unref, sizeof(unref), 24);
	assert_true(gpu_back(0, 24, &a));
	assert_int_equal(a.hdr.flags, VIRTIO_GPU_FLAG_FENCE);
	assert_true(gpu_back(0, 24, &a));
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, DISPL_BED_GONE));
	gpu_down();
}

/* -- Limits ------------------------------------------------------------------------ */

/* So are scan-outs that follow each other, which are a page flip's half. */
static void flips_at_their_rate(void **state)
{
	uint64_t began;

	(void)state;
	gpu_up(&(struct displ_bed_conf){.flips = {10, 1}});
	gpu_picture(1, 0x112233);
	gpu_show(1);
	began = loopxen_now(bed.x);
	for (unsigned i = 0; i < 11; i++) {
		assert_int_equal(gpu_flush(1, ALL), OK);
		displ_bed_pass(&bed, DISPL_TEST_BLANK);
	}
	assert_in_range(loopxen_now(bed.x) - began, 1000 * CLOCK_MS, 1250 * CLOCK_MS);
	began = loopxen_now(bed.x);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(gpu_set(0, 1, ALL), OK);
	assert_in_range(loopxen_now(bed.x) - began, 900 * CLOCK_MS, 1200 * CLOCK_MS);
	gpu_down();
}

static void operations_at_their_rate(void **state)
{
	uint64_t began;

	(void)state;
	gpu_up(&(struct displ_bed_conf){.operations = {100, 4}});
	began = loopxen_now(bed.x);
	for (unsigned i = 0; i < 24; i++)
		assert_int_equal(gpu_unref(1), RESOURCE);
	assert_in_range(loopxen_now(bed.x) - began, 190 * CLOCK_MS, 220 * CLOCK_MS);
	gpu_down();
}

/* What is copied, and what is cleared, by its bytes. */
static void bytes_at_their_rate(void **state)
{
	uint64_t began;

	(void)state;
	gpu_up(&(struct displ_bed_conf){.bytes = {10 * BYTES, BYTES}});
	gpu_picture(1, 0x112233);
	displ_bed_pass(&bed, CLOCK_SECOND);
	began = loopxen_now(bed.x);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(gpu_transfer(1, ALL, 0), OK);
	assert_in_range(loopxen_now(bed.x) - began, 490 * CLOCK_MS, 620 * CLOCK_MS);
	displ_bed_pass(&bed, CLOCK_SECOND);
	began = loopxen_now(bed.x);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(gpu_create(2 + i, FORMAT, WIDTH, HEIGHT), OK);
	assert_in_range(loopxen_now(bed.x) - began, 490 * CLOCK_MS, 620 * CLOCK_MS);
	gpu_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device),
		cmocka_unit_test(display_info),
		cmocka_unit_test(edid),
		cmocka_unit_test(what_it_has_not),
		cmocka_unit_test(creates),
		cmocka_unit_test(backing),
		cmocka_unit_test(transfers),
		cmocka_unit_test(transfers_within),
		cmocka_unit_test(shows),
		cmocka_unit_test(sets_within),
		cmocka_unit_test(smaller),
		cmocka_unit_test(parts),
		cmocka_unit_test(small_ones),
		cmocka_unit_test(formats),
		cmocka_unit_test(fences),
		cmocka_unit_test(page_flips),
		cmocka_unit_test(flushes_wait),
		cmocka_unit_test(fence_of_two_heads),
		cmocka_unit_test(fence_of_the_dark),
		cmocka_unit_test(flips_at_their_rate),
		cmocka_unit_test(operations_at_their_rate),
		cmocka_unit_test(bytes_at_their_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
