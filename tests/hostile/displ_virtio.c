/* SPDX-License-Identifier: MIT */
/*
 * T-FB-1 on the virtio door: a client breaks its own picture at most, and is answered,
 * or its device needs a reset. What would have been read or painted elsewhere is the
 * sanitizers' to find.
 */
#include <string.h>

#include "tests/device/displ-virtio-cases.h"
#include "tests/hook/shared-hook.h"
#include "tests/hostile/tally.h"

#define OK	  VIRTIO_GPU_RESP_OK_NODATA
#define UNSPEC	  VIRTIO_GPU_RESP_ERR_UNSPEC
#define MEMORY	  VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY
#define SCANOUT	  VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID
#define RESOURCE  VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID
#define PARAMETER VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER

static const uint32_t edges[] = {
	0,	1,	    WIDTH - 1,	WIDTH,	    WIDTH + 1,	HEIGHT - 1,
	HEIGHT, HEIGHT + 1, 0x7fffffff, 0x80000000, 0xffffff80, 0xffffffff,
};

static const uint32_t ids[] = {0,  2,	       3,	   79,	       80,
			       81, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};

static struct driver_block block;

static void up(void)
{
	gpu_up(&(struct displ_bed_conf){.heads = 2});
	block = gpu_picture(1, 0x112233);
	gpu_show(1);
}

/* It is served as if nothing had been. */
static void assert_well(void)
{
	gpu_fill(&block, 0x445566);
	gpu_unref(1);
	assert_int_equal(gpu_create(1, FORMAT, WIDTH, HEIGHT), OK);
	assert_int_equal(gpu_attach(1, &block, 4096), OK);
	assert_int_equal(gpu_transfer(1, ALL, 0), OK);
	gpu_show(1);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0x445566));
}

static bool in(const struct virtio_gpu_rect *r, uint64_t width, uint64_t height)
{
	return r->width && r->height && (uint64_t)r->x + r->width <= width &&
	       (uint64_t)r->y + r->height <= height;
}

/* -- Ids --------------------------------------------------------------------------- */

static void t_fb_1_resources_that_are_not(void **state)
{
	(void)state;
	up();
	for (unsigned i = 0; i < COUNT(ids); i++) {
		assert_int_equal(gpu_unref(ids[i]), RESOURCE);
		assert_int_equal(gpu_detach(ids[i]), RESOURCE);
		assert_int_equal(gpu_attach(ids[i], &block, 4096), RESOURCE);
		assert_int_equal(gpu_transfer(ids[i], ALL, 0), RESOURCE);
		assert_int_equal(gpu_flush(ids[i], ALL), RESOURCE);
		if (ids[i])
			assert_int_equal(gpu_set(0, ids[i], ALL), RESOURCE);
		gpu_cursor(0, ids[i], 0, 0, true);
	}
	assert_true(displ_bed_sees(&bed, 0, 0x112233));
	assert_well();
	gpu_down();
	tally("T-FB-1", COUNT(ids) * 7, "resources that are not");
}

/* CVE-2016-10029: an index behind the scan-outs. */
static void t_fb_1_scanouts_that_are_not(void **state)
{
	uint64_t done = 0;

	(void)state;
	up();
	for (unsigned i = 0; i < COUNT(ids); i++) {
		struct virtio_gpu_cmd_get_edid edid = {
			.hdr.type = VIRTIO_GPU_CMD_GET_EDID, .scanout = ids[i]};

		if (ids[i] < 2)
			continue;
		assert_int_equal(gpu_set(ids[i], 1, ALL), SCANOUT);
		assert_int_equal(gpu_set(ids[i], 0, ALL), SCANOUT);
		assert_int_equal(gpu_ask(&edid, sizeof(edid), 1056, NULL), SCANOUT);
		gpu_cursor(ids[i], 1, 0, 0, true);
		gpu_cursor(ids[i], 0, 0, 0, false);
		done += 5;
	}
	assert_well();
	gpu_down();
	tally("T-FB-1", done, "scan-outs that are not");
}

/* An id is used again, while its picture is on its way, shown, flushed, pointed with.
 */
static void t_fb_1_after_it_is_gone(void **state)
{
	(void)state;
	up();
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(gpu_flush(1, ALL), OK);
		assert_int_equal(gpu_set(1, 1, RECT(0, 0, 64, 64)), OK);
		gpu_cursor(0, 1, 10, 10, true);
		assert_int_equal(gpu_unref(1), OK);
		assert_int_equal(gpu_transfer(1, ALL, 0), RESOURCE);
		assert_int_equal(gpu_flush(1, ALL), RESOURCE);
		assert_int_equal(gpu_create(1, FORMAT, WIDTH, HEIGHT), OK);
		assert_int_equal(gpu_transfer(1, ALL, 0), UNSPEC);
		assert_int_equal(gpu_flush(1, ALL), OK);
		assert_int_equal(gpu_attach(1, &block, 4096), OK);
		assert_int_equal(gpu_transfer(1, ALL, 0), OK);
		assert_int_equal(gpu_set(0, 1, ALL), OK);
	}
	assert_well();
	gpu_down();
	tally("T-FB-1", 20, "resources used after they are gone");
}

/* -- Geometry ------------------------------------------------------------------------
 */

static void t_fb_1_sizes_and_formats(void **state)
{
	uint64_t done = 0;

	(void)state;
	up();
	for (unsigned w = 0; w < COUNT(edges); w++) {
		for (unsigned h = 0; h < COUNT(edges); h++) {
			bool ok = edges[w] && edges[h] && edges[w] <= WIDTH &&
				  edges[h] <= HEIGHT;
			uint32_t answer = gpu_create(2, FORMAT, edges[w], edges[h]);

			assert_int_equal(answer, ok			? OK
						 : edges[w] && edges[h] ? MEMORY
									: PARAMETER);
			if (ok)
				assert_int_equal(gpu_unref(2), OK);
			done++;
		}
	}
	for (uint32_t f = 0; f < 300; f++)
		done += gpu_create(2, f, WIDTH, HEIGHT) == OK && gpu_unref(2) == OK;
	assert_well();
	gpu_down();
	tally("T-FB-1", done, "sizes and formats");
}

/* Each rect of the edges, for all three that have one. */
static void t_fb_1_every_rect(void **state)
{
	uint64_t done = 0;

	(void)state;
	up();
	for (unsigned i = 0; i < COUNT(edges) * COUNT(edges); i++) {
		for (unsigned k = 0; k < COUNT(edges) * COUNT(edges); k++) {
			struct virtio_gpu_rect r = {
				edges[i / COUNT(edges)], edges[i % COUNT(edges)],
				edges[k / COUNT(edges)], edges[k % COUNT(edges)]};
			bool ok = in(&r, WIDTH, HEIGHT);

			/* Those that are none, and some of those that are. */
			if (ok && (i + k) % 7)
				continue;
			assert_int_equal(gpu_transfer(1, &r, 0), ok ? OK : PARAMETER);
			assert_int_equal(gpu_set(1, 1, &r), ok ? OK : PARAMETER);
			if (!ok)
				assert_int_equal(gpu_flush(1, &r), PARAMETER);
			done++;
		}
	}
	assert_well();
	gpu_down();
	tally("T-FB-1", done, "rects");
}

/* offset + rows that wraps, or ends one byte behind the backing. */
static void t_fb_1_offsets(void **state)
{
	static const uint64_t offsets[] = {0,
					   1,
					   BYTES - 4,
					   BYTES,
					   BYTES + 1,
					   UINT32_MAX,
					   1ull << 32,
					   1ull << 63,
					   UINT64_MAX,
					   UINT64_MAX - 3,
					   UINT64_MAX - BYTES,
					   UINT64_MAX - BYTES + 1};
	uint64_t done = 0;

	(void)state;
	up();
	for (unsigned o = 0; o < COUNT(offsets); o++) {
		for (uint32_t h = 1; h <= HEIGHT; h += 5) {
			for (uint32_t w = 1; w <= WIDTH; w += 13) {
				uint64_t span = ((uint64_t)h - 1) * WIDTH * 4 + w * 4;
				bool ok = offsets[o] <= BYTES &&
					  span <= BYTES - offsets[o];

				assert_int_equal(
					gpu_transfer(1, RECT(0, 0, w, h), offsets[o]),
					ok ? OK : PARAMETER);
				done++;
			}
		}
	}
	assert_well();
	gpu_down();
	tally("T-FB-1", done, "offsets");
}

/* -- Backing -------------------------------------------------------------------------
 */

struct attach {
	struct virtio_gpu_resource_attach_backing c;
	struct virtio_gpu_mem_entry entry[64];
};

static uint32_t attach(struct attach *a, uint32_t entries, uint32_t says)
{
	a->c = (struct virtio_gpu_resource_attach_backing){
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
		.resource_id = 1,
		.nr_entries = says,
	};
	return gpu_ask(a, (uint32_t)(sizeof(a->c) + entries * sizeof(a->entry[0])), 24,
		       NULL);
}

/* An entry that is no memory of the pool, at each place among those that are. */
static void t_fb_1_entries_elsewhere(void **state)
{
	const uint64_t pool = 512 * 4096;
	const struct virtio_gpu_mem_entry bad[] = {
		{0, 4096, 0},
		{0x1000, 4096, 0},
		{DRIVER_POOL_BASE - 1, 4096, 0},
		{DRIVER_POOL_BASE, 0, 0},
		{DRIVER_POOL_BASE, UINT32_MAX, 0},
		{DRIVER_POOL_BASE, DRIVER_POOL_RUN + 1, 0},
		{DRIVER_POOL_BASE + DRIVER_POOL_RUN - 1, 2, 0},
		{DRIVER_POOL_BASE + pool, 1, 0},
		{DRIVER_POOL_BASE + pool - 1, 2, 0},
		{UINT64_MAX, 1, 0},
		{UINT64_MAX - 4095, 4096, 0},
		{1ull << 63, 4096, 0},
		{1ull << 63 | 8ull << 12, 4096, 0},
	};
	uint64_t done = 0;

	(void)state;
	up();
	for (unsigned b = 0; b < COUNT(bad); b++) {
		for (unsigned at = 0; at < 40; at += 3) {
			struct attach a = {0};

			for (unsigned i = 0; i < 40; i++) {
				a.entry[i].addr = block.addr + 1024ull * (i % 12);
				a.entry[i].length = 1024;
			}
			a.entry[at] = bad[b];
			assert_int_equal(gpu_detach(1), OK);
			assert_int_equal(attach(&a, 40, 40), PARAMETER);
			assert_int_equal(gpu_transfer(1, RECT(0, 0, 1, 1), 0), UNSPEC);
			done++;
		}
	}
	assert_well();
	gpu_down();
	tally("T-FB-1", done, "entries elsewhere");
}

/* More entries than there are bytes of, or fewer; the rest is not looked at. */
static void t_fb_1_counts_of_entries(void **state)
{
	static const uint32_t says[] = {
		0, 1, 4, 5, 0x0fffffff, 0x10000000, 0x10000001, 0x80000000, UINT32_MAX};
	struct attach a = {0};

	(void)state;
	up();
	for (unsigned i = 0; i < 64; i++) {
		a.entry[i].addr = block.addr;
		a.entry[i].length = 4096;
	}
	for (unsigned i = 0; i < COUNT(says); i++) {
		assert_int_equal(gpu_detach(1), OK);
		assert_int_equal(attach(&a, 4, says[i]),
				 says[i] && says[i] <= 4 ? OK : PARAMETER);
	}
	/* As many runs as there can be, each elsewhere, and one more. */
	assert_int_equal(gpu_detach(1), OK);
	assert_int_equal(attach(&a, 40, 40), OK);
	assert_int_equal(bed.virtio.resources.place[0].runs, 40);
	assert_int_equal(gpu_detach(1), OK);
	assert_int_equal(attach(&a, 41, 41), MEMORY);
	assert_int_equal(gpu_transfer(1, RECT(0, 0, 1, 1), 0), UNSPEC);
	assert_well();
	gpu_down();
	tally("T-FB-1", COUNT(says), "counts of entries");
}

/* The same byte again and again: it is what it is; and the queues' own memory may be
 * shown, too, and is only read. */
static void t_fb_1_a_backing_of_aliases(void **state)
{
	struct attach a = {0};

	(void)state;
	up();
	for (unsigned i = 0; i < 40; i++) {
		a.entry[i].addr = DRIVER_POOL_BASE + 7 * i;
		a.entry[i].length = 40000;
	}
	assert_int_equal(gpu_detach(1), OK);
	assert_int_equal(attach(&a, 40, 40), OK);
	assert_int_equal(gpu_transfer(1, ALL, 40 * 40000ull - BYTES), OK);
	assert_int_equal(gpu_transfer(1, ALL, 40 * 40000ull - BYTES + 1), PARAMETER);
	assert_int_equal(gpu_flush(1, ALL), OK);
	assert_well();
	gpu_down();
	tally("T-FB-1", 40, "entries of the same bytes");
}

/* -- Commands ------------------------------------------------------------------------
 */

/* Each command, cut off at each byte, and with each room for its answer: it is
 * answered, or the device needs a reset. */
static void t_vq_2_every_length(void **state)
{
	static const uint32_t types[] = {0x100, 0x101, 0x102, 0x103, 0x104, 0x105,
					 0x106, 0x107, 0x10a, 0x10c, 0x300, 0x301};
	static const uint8_t lengths[] = {1,  8,  23, 24, 25, 31, 32, 33, 39,
					  40, 41, 47, 48, 49, 55, 56, 57, 60};
	const struct displ_bed_conf conf = {.pages = 64};
	uint64_t done = 0;

	(void)state;
	gpu_up(&conf);
	for (unsigned t = 0; t < COUNT(types); t++) {
		for (unsigned queue = 0; queue < 2; queue++) {
			for (unsigned i = 0; i < COUNT(lengths); i++) {
				uint32_t n = lengths[i];
				uint32_t room = (n * 7 + t) % 50;
				bool wrong = n < 24 || (!queue && room < 24);
				uint8_t bytes[60] = {0};
				struct gpu_answer a = {0};

				memcpy(bytes, &types[t], 4);
				gpu_send(queue, bytes, n, room);
				assert_int_equal(gpu_back(queue, room, &a), !wrong);
				assert_int_equal(bed.virtio.door.device.status &
							 VIRTIO_NEEDS_RESET,
						 wrong ? VIRTIO_NEEDS_RESET : 0);
				assert_true(wrong || a.len <= room);
				done++;
				if (!wrong)
					continue;
				gpu_down();
				gpu_up(&conf);
			}
		}
	}
	block = gpu_picture(1, 0);
	assert_well();
	gpu_down();
	tally("T-VQ-2", done, "commands of each length");
}

/* More commands than are served at once, none of which can be: they wait, in order. */
static void t_vq_5_more_than_can_be_shown(void **state)
{
	struct gpu_answer a;
	unsigned back = 0;

	(void)state;
	gpu_up(&(struct displ_bed_conf){.in_flight = 2});
	block = gpu_picture(1, 0x112233);
	gpu_show(1);
	for (unsigned i = 0; i < 40; i++)
		gpu_send_flush(1, ALL, true);
	for (unsigned i = 0; i < 200 && back < 40; i++) {
		assert_true(bed.virtio.door.device.busy <= 2);
		displ_bed_pass(&bed, CLOCK_MS * 5);
		while (gpu_back(0, 24, &a))
			back++;
	}
	assert_int_equal(back, 40);
	assert_well();
	gpu_down();
	tally("T-VQ-5", 40, "commands that wait for a show");
}

/* -- Read once ------------------------------------------------------------------------
 */

static uint8_t *victim;
static uint32_t victim_bytes;
static uint64_t at_read, rewrites;

/* The client rewrites all of its command as soon as the k-th part of it was read. */
static void rewrite(uint64_t k, const volatile void *at, size_t n)
{
	const uint8_t *p = loopxen_back_client_view(bed.back, at);

	(void)n;
	if (p < victim || p >= victim + victim_bytes || k < at_read)
		return;
	memset(victim, 0xff, (size_t)(p - victim) + n);
	rewrites++;
}

static struct vchain *last_chain(void)
{
	struct vchain *last = NULL;

	for (unsigned i = 0; i < VCHAIN_BLOCKS; i++) {
		if (bed.chains.chain[i].out)
			last = &bed.chains.chain[i];
	}
	return last;
}

/* What was decided is what was read: of a command, and of each entry of a backing. */
static void t_fb_1_commands_read_once(void **state)
{
	struct attach a = {.c = {.hdr = {.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
					 .flags = VIRTIO_GPU_FLAG_FENCE,
					 .fence_id = 5},
				 .resource_id = 1,
				 .nr_entries = 40}};
	struct gpu_answer answer;

	(void)state;
	up();
	assert_int_equal(gpu_detach(1), OK);
	for (unsigned i = 0; i < 40; i++) {
		a.entry[i].addr = block.addr;
		a.entry[i].length = 1024;
	}
	rewrites = 0;
	assert_true(vchain_put(&bed.chains, &bed.vfront, 0, 0x77, &a,
			       sizeof(a.c) + 40 * 16, 24, 0));
	victim = last_chain()->block.at;
	victim_bytes = sizeof(a.c) + 40 * 16;
	shared_hook_after = rewrite;
	vfront_push(&bed.vfront);
	displ_bed_run(&bed);
	shared_hook_after = NULL;
	/* The header, what is behind it, entries in two pieces. */
	assert_int_equal(rewrites, 4);
	assert_true(gpu_back(0, 24, &answer));
	assert_int_equal(answer.hdr.type, OK);
	assert_int_equal(answer.hdr.fence_id, 5);
	assert_int_equal(bed.virtio.resources.place[0].runs, 40);
	assert_int_equal(bed.virtio.resources.place[0].bytes, 40 * 1024);
	assert_well();
	gpu_down();
	tally("T-FB-1", rewrites, "rewrites of a command");
}

/* Of a picture each byte is read once: what is seen was there at some time. */
static uint64_t read_bytes;

static void count(uint64_t k, const volatile void *at, size_t n)
{
	const uint8_t *p = loopxen_back_client_view(bed.back, at);

	(void)k;
	if (p >= victim && p < victim + victim_bytes)
		read_bytes += n;
}

static void t_fb_1_pixels_read_once(void **state)
{
	(void)state;
	up();
	victim = bed.vfront.pool.at + (block.addr - DRIVER_POOL_BASE);
	victim_bytes = BYTES;
	read_bytes = 0;
	shared_hook_after = count;
	assert_int_equal(gpu_set(1, 1, RECT(0, 0, 64, 64)), OK);
	assert_int_equal(gpu_flush(1, ALL), OK);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_int_equal(read_bytes, 0);
	gpu_transfer(1, ALL, 0);
	shared_hook_after = NULL;
	assert_int_equal(read_bytes, BYTES);
	gpu_down();
	tally("T-FB-1", BYTES, "bytes of a picture read once");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_fb_1_resources_that_are_not),
		cmocka_unit_test(t_fb_1_scanouts_that_are_not),
		cmocka_unit_test(t_fb_1_after_it_is_gone),
		cmocka_unit_test(t_fb_1_sizes_and_formats),
		cmocka_unit_test(t_fb_1_every_rect),
		cmocka_unit_test(t_fb_1_offsets),
		cmocka_unit_test(t_fb_1_entries_elsewhere),
		cmocka_unit_test(t_fb_1_counts_of_entries),
		cmocka_unit_test(t_fb_1_a_backing_of_aliases),
		cmocka_unit_test(t_vq_2_every_length),
		cmocka_unit_test(t_vq_5_more_than_can_be_shown),
		cmocka_unit_test(t_fb_1_commands_read_once),
		cmocka_unit_test(t_fb_1_pixels_read_once),
	};

	return cmocka_run_group_tests_name("displ_virtio", tests, NULL, NULL);
}
