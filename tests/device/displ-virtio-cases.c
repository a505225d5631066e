/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tests/device/displ-virtio-cases.h"

#define FENCE	0x1122334455667788ull
#define CONTEXT 0x99aabbccu

struct displ_bed bed;
void (*gpu_failed)(void);

void gpu_up(const struct displ_bed_conf *conf)
{
	struct displ_bed_conf c = *conf;

	c.door = POLICY_VIRTIO;
	c.size = (struct displ_size){WIDTH, HEIGHT};
	displ_bed_up(&bed, &c);
}

void gpu_down(void)
{
	assert_int_equal(displ_bed_down(&bed), 0);
}

/* -- Chains ---------------------------------------------------------------------- */

void gpu_send(unsigned queue, const void *bytes, uint32_t n, uint32_t room)
{
	assert_true(
		vchain_put(&bed.chains, &bed.vfront, queue, 0x77, bytes, n, room, 0));
	vfront_push(&bed.vfront);
}

bool gpu_back(unsigned queue, uint32_t room, struct gpu_answer *out)
{
	uint8_t bytes[sizeof(out->hdr) + GPU_ANSWER_MAX];
	uint16_t id;

	displ_bed_run(&bed);
	if (gpu_failed && bed.virtio.door.error)
		gpu_failed();
	if (!vchain_back(&bed.chains, &bed.vfront, queue, &id, bytes, room, &out->len))
		return false;
	memcpy(&out->hdr, bytes, sizeof(out->hdr));
	memcpy(out->behind, bytes + sizeof(out->hdr), GPU_ANSWER_MAX);
	return true;
}

uint32_t gpu_ask(void *bytes, uint32_t n, uint32_t room, struct gpu_answer *out)
{
	struct virtio_gpu_ctrl_hdr *hdr = bytes;
	struct gpu_answer own, more;
	bool got = false;

	out = out ? out : &own;
	hdr->fence_id = FENCE;
	hdr->ctx_id = CONTEXT;
	gpu_send(0, bytes, n, room);
	for (unsigned i = 0; !(got = gpu_back(0, room, out)) && i < 3000; i++)
		displ_bed_pass(&bed, CLOCK_MS);
	assert_true(got);
	assert_false(gpu_back(0, 0, &more));
	assert_int_equal(out->hdr.fence_id, FENCE);
	assert_int_equal(out->hdr.ctx_id, CONTEXT);
	assert_int_equal(out->hdr.flags, hdr->flags & VIRTIO_GPU_FLAG_FENCE);
	assert_true(out->len >= sizeof(out->hdr));
	return out->hdr.type;
}

/* -- Verbs ------------------------------------------------------------------------- */

#define ASK(command) gpu_ask(&(command), sizeof(command), sizeof((command).hdr), NULL)

uint32_t gpu_create(uint32_t id, uint32_t format, uint32_t width, uint32_t height)
{
	struct virtio_gpu_resource_create_2d c = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
		.resource_id = id,
		.format = format,
		.width = width,
		.height = height,
	};

	return ASK(c);
}

uint32_t gpu_unref(uint32_t id)
{
	struct virtio_gpu_resource_unref c = {.hdr.type = VIRTIO_GPU_CMD_RESOURCE_UNREF,
					      .resource_id = id};

	return ASK(c);
}

uint32_t gpu_attach(uint32_t id, const struct driver_block *block, uint32_t piece)
{
	static struct {
		struct virtio_gpu_resource_attach_backing c;
		struct virtio_gpu_mem_entry entry[4096];
	} all;
	uint32_t n = 0;

	memset(&all, 0, sizeof(all));
	for (uint32_t at = 0; at < block->bytes; at += piece, n++) {
		uint32_t left = block->bytes - at;

		assert_true(n < COUNT(all.entry));
		all.entry[n].addr = block->addr + at;
		all.entry[n].length = left < piece ? left : piece;
	}
	all.c.hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING;
	all.c.resource_id = id;
	all.c.nr_entries = n;
	return gpu_ask(&all, sizeof(all.c) + n * sizeof(all.entry[0]),
		       sizeof(all.c.hdr), NULL);
}

uint32_t gpu_detach(uint32_t id)
{
	struct virtio_gpu_resource_detach_backing c = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING, .resource_id = id};

	return ASK(c);
}

uint32_t gpu_transfer(uint32_t id, const struct virtio_gpu_rect *rect, uint64_t offset)
{
	struct virtio_gpu_transfer_to_host_2d c = {
		.hdr.type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
		.r = *rect,
		.offset = offset,
		.resource_id = id,
	};

	return ASK(c);
}

uint32_t gpu_set(uint32_t head, uint32_t id, const struct virtio_gpu_rect *rect)
{
	struct virtio_gpu_set_scanout c = {
		.hdr.type = VIRTIO_GPU_CMD_SET_SCANOUT,
		.r = *rect,
		.scanout_id = head,
		.resource_id = id,
	};

	return ASK(c);
}

uint32_t gpu_flush(uint32_t id, const struct virtio_gpu_rect *rect)
{
	struct virtio_gpu_resource_flush c = {.hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH,
					      .r = *rect,
					      .resource_id = id};

	return ASK(c);
}

void gpu_send_flush(uint32_t id, const struct virtio_gpu_rect *rect, bool fence)
{
	struct virtio_gpu_resource_flush c = {.hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH,
					      .r = *rect,
					      .resource_id = id};

	c.hdr.flags = fence ? VIRTIO_GPU_FLAG_FENCE : 0;
	gpu_send(0, &c, sizeof(c), sizeof(c.hdr));
}

void gpu_send_cursor(uint32_t head, uint32_t id, uint32_t x, uint32_t y, bool update)
{
	struct virtio_gpu_update_cursor c = {
		.hdr.type = update ? VIRTIO_GPU_CMD_UPDATE_CURSOR
				   : VIRTIO_GPU_CMD_MOVE_CURSOR,
		.pos = {head, x, y, 0},
		.resource_id = id,
	};

	gpu_send(1, &c, sizeof(c), 0);
}

void gpu_cursor(uint32_t head, uint32_t id, uint32_t x, uint32_t y, bool update)
{
	struct gpu_answer answer;

	gpu_send_cursor(head, id, x, y, update);
	assert_true(gpu_back(1, 0, &answer));
	assert_int_equal(answer.len, 0);
}

/* -- Pictures ---------------------------------------------------------------------- */

struct driver_block gpu_block(uint32_t bytes)
{
	struct driver_block block = driver_pool_get(&bed.vfront.pool, bytes, 4096);

	assert_non_null(block.at);
	return block;
}

void gpu_fill(const struct driver_block *block, uint32_t pixel)
{
	uint32_t *pixels = (uint32_t *)(void *)block->at;

	for (uint32_t i = 0; i < block->bytes / 4; i++)
		pixels[i] = pixel;
}

struct driver_block gpu_picture(uint32_t id, uint32_t pixel)
{
	struct driver_block block = gpu_block(BYTES);

	gpu_fill(&block, pixel);
	assert_int_equal(gpu_create(id, FORMAT, WIDTH, HEIGHT),
			 VIRTIO_GPU_RESP_OK_NODATA);
	assert_int_equal(gpu_attach(id, &block, 4096), VIRTIO_GPU_RESP_OK_NODATA);
	assert_int_equal(gpu_transfer(id, ALL, 0), VIRTIO_GPU_RESP_OK_NODATA);
	return block;
}

void gpu_show(uint32_t id)
{
	assert_int_equal(gpu_set(0, id, ALL), VIRTIO_GPU_RESP_OK_NODATA);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
}

uint32_t gpu_pixel(uint32_t head, uint32_t x, uint32_t y)
{
	return displ_scan_test_pixel(&bed.scan, head, x, y);
}
