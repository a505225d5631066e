/* SPDX-License-Identifier: MIT */
/* virtio-gpu's wire, against Linux's own header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/virtio_gpu.h>

#include "backends/displ/displ-virtio-wire.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	uint32_t ours, type, bytes;
} commands[] = {
	{DISPL_VIRTIO_GET_DISPLAY_INFO, VIRTIO_GPU_CMD_GET_DISPLAY_INFO,
	 sizeof(struct virtio_gpu_ctrl_hdr)},
	{DISPL_VIRTIO_RESOURCE_CREATE_2D, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
	 sizeof(struct virtio_gpu_resource_create_2d)},
	{DISPL_VIRTIO_RESOURCE_UNREF, VIRTIO_GPU_CMD_RESOURCE_UNREF,
	 sizeof(struct virtio_gpu_resource_unref)},
	{DISPL_VIRTIO_SET_SCANOUT, VIRTIO_GPU_CMD_SET_SCANOUT,
	 sizeof(struct virtio_gpu_set_scanout)},
	{DISPL_VIRTIO_RESOURCE_FLUSH, VIRTIO_GPU_CMD_RESOURCE_FLUSH,
	 sizeof(struct virtio_gpu_resource_flush)},
	{DISPL_VIRTIO_TRANSFER_TO_HOST_2D, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
	 sizeof(struct virtio_gpu_transfer_to_host_2d)},
	{DISPL_VIRTIO_ATTACH_BACKING, VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
	 sizeof(struct virtio_gpu_resource_attach_backing)},
	{DISPL_VIRTIO_DETACH_BACKING, VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING,
	 sizeof(struct virtio_gpu_resource_detach_backing)},
	{DISPL_VIRTIO_GET_EDID, VIRTIO_GPU_CMD_GET_EDID,
	 sizeof(struct virtio_gpu_cmd_get_edid)},
	{DISPL_VIRTIO_UPDATE_CURSOR, VIRTIO_GPU_CMD_UPDATE_CURSOR,
	 sizeof(struct virtio_gpu_update_cursor)},
	{DISPL_VIRTIO_MOVE_CURSOR, VIRTIO_GPU_CMD_MOVE_CURSOR,
	 sizeof(struct virtio_gpu_update_cursor)},
};

static void numbers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(commands); i++)
		assert_int_equal(commands[i].ours, commands[i].type);
	assert_int_equal(DISPL_VIRTIO_OK, VIRTIO_GPU_RESP_OK_NODATA);
	assert_int_equal(DISPL_VIRTIO_OK_DISPLAY_INFO, VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	assert_int_equal(DISPL_VIRTIO_OK_EDID, VIRTIO_GPU_RESP_OK_EDID);
	assert_int_equal(DISPL_VIRTIO_UNSPEC, VIRTIO_GPU_RESP_ERR_UNSPEC);
	assert_int_equal(DISPL_VIRTIO_OUT_OF_MEMORY, VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
	assert_int_equal(DISPL_VIRTIO_BAD_SCANOUT,
			 VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID);
	assert_int_equal(DISPL_VIRTIO_BAD_RESOURCE,
			 VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	assert_int_equal(DISPL_VIRTIO_BAD_CONTEXT,
			 VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID);
	assert_int_equal(DISPL_VIRTIO_BAD_PARAMETER,
			 VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
	assert_int_equal(DISPL_VIRTIO_FLAG_FENCE, VIRTIO_GPU_FLAG_FENCE);
	assert_int_equal(DISPL_VIRTIO_F_EDID, 1u << VIRTIO_GPU_F_EDID);
	assert_int_equal(DISPL_VIRTIO_CONFIG_CLEAR,
			 offsetof(struct virtio_gpu_config, events_clear));
	assert_int_equal(DISPL_VIRTIO_CONFIG_SCANOUTS,
			 offsetof(struct virtio_gpu_config, num_scanouts));
	assert_int_equal(DISPL_VIRTIO_CONFIG_CAPSETS,
			 offsetof(struct virtio_gpu_config, num_capsets));
	assert_int_equal(DISPL_VIRTIO_CONFIG_BYTES, sizeof(struct virtio_gpu_config));
}

/* Of all 16-bit types those alone; none of them is longer than there is room for. */
static void lengths(void **state)
{
	uint32_t known = 0;

	(void)state;
	for (uint32_t type = 0; type < 0x10000; type++)
		known += displ_virtio_bytes(type) != 0;
	assert_int_equal(known, COUNT(commands));
	for (unsigned i = 0; i < COUNT(commands); i++) {
		assert_int_equal(displ_virtio_bytes(commands[i].type),
				 commands[i].bytes);
		assert_true(commands[i].bytes <= DISPL_VIRTIO_COMMAND_MAX);
	}
	assert_int_equal(displ_virtio_bytes(0x10100), 0);
	assert_int_equal(DISPL_VIRTIO_HEADER, sizeof(struct virtio_gpu_ctrl_hdr));
	assert_int_equal(DISPL_VIRTIO_ENTRY, sizeof(struct virtio_gpu_mem_entry));
	assert_int_equal(DISPL_VIRTIO_HEADER + DISPL_VIRTIO_INFO,
			 sizeof(struct virtio_gpu_resp_display_info));
	assert_int_equal(DISPL_VIRTIO_HEADER + DISPL_VIRTIO_EDID,
			 sizeof(struct virtio_gpu_resp_edid));
}

static struct displ_virtio_command decoded(const void *bytes)
{
	struct displ_virtio_command c;

	displ_virtio_decode_header(bytes, &c);
	displ_virtio_decode((const uint8_t *)bytes + DISPL_VIRTIO_HEADER, &c);
	return c;
}

#define HDR(t)                                                                         \
	{                                                                              \
		.type = (t), .flags = 1, .fence_id = 0x1122334455667788,               \
		.ctx_id = 0xabcdef01                                                   \
	}
#define HEX(v) 0x01010101u * (v)

static void assert_rect(const struct displ_rect *rect)
{
	assert_int_equal(rect->x, HEX(1));
	assert_int_equal(rect->y, HEX(2));
	assert_int_equal(rect->width, HEX(3));
	assert_int_equal(rect->height, HEX(4));
}

static void resources(void **state)
{
	struct virtio_gpu_resource_create_2d create = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_CREATE_2D), HEX(1), HEX(2), HEX(3), HEX(4)};
	struct virtio_gpu_resource_unref unref = {HDR(VIRTIO_GPU_CMD_RESOURCE_UNREF),
						  HEX(1), 0};
	struct virtio_gpu_resource_attach_backing attach = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING), HEX(1), HEX(2)};
	struct virtio_gpu_resource_detach_backing detach = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING), HEX(1), 0};
	struct virtio_gpu_mem_entry entry = {0x1122334455667788, HEX(5), HEX(6)};
	struct displ_virtio_entry e = displ_virtio_decode_entry((uint8_t *)&entry);
	struct displ_virtio_command c = decoded(&create);

	(void)state;
	assert_int_equal(c.type, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D);
	assert_int_equal(c.flags, 1);
	assert_int_equal(c.fence, 0x1122334455667788);
	assert_int_equal(c.context, 0xabcdef01);
	assert_int_equal(c.resource, HEX(1));
	assert_int_equal(c.format, HEX(2));
	assert_int_equal(c.size.width, HEX(3));
	assert_int_equal(c.size.height, HEX(4));
	assert_int_equal(decoded(&unref).resource, HEX(1));
	assert_int_equal(decoded(&attach).resource, HEX(1));
	assert_int_equal(decoded(&attach).entries, HEX(2));
	assert_int_equal(decoded(&detach).resource, HEX(1));
	assert_int_equal(e.addr, 0x1122334455667788);
	assert_int_equal(e.len, HEX(5));
}

static void what_is_shown(void **state)
{
	struct virtio_gpu_set_scanout set = {HDR(VIRTIO_GPU_CMD_SET_SCANOUT),
					     {HEX(1), HEX(2), HEX(3), HEX(4)},
					     HEX(5),
					     HEX(6)};
	struct virtio_gpu_resource_flush flush = {HDR(VIRTIO_GPU_CMD_RESOURCE_FLUSH),
						  {HEX(1), HEX(2), HEX(3), HEX(4)},
						  HEX(5),
						  0};
	struct virtio_gpu_transfer_to_host_2d transfer = {
		HDR(VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D),
		{HEX(1), HEX(2), HEX(3), HEX(4)},
		0x1122334455667788,
		HEX(5),
		0};
	struct virtio_gpu_update_cursor cursor = {HDR(VIRTIO_GPU_CMD_UPDATE_CURSOR),
						  {HEX(1), 0xfffffff0, HEX(3), HEX(4)},
						  HEX(5),
						  HEX(6),
						  HEX(7),
						  0};
	struct virtio_gpu_cmd_get_edid edid = {HDR(VIRTIO_GPU_CMD_GET_EDID), HEX(1), 0};
	struct displ_virtio_command c = decoded(&set);

	(void)state;
	assert_rect(&c.rect);
	assert_int_equal(c.scanout, HEX(5));
	assert_int_equal(c.resource, HEX(6));
	c = decoded(&flush);
	assert_rect(&c.rect);
	assert_int_equal(c.resource, HEX(5));
	c = decoded(&transfer);
	assert_rect(&c.rect);
	assert_int_equal(c.offset, 0x1122334455667788);
	assert_int_equal(c.resource, HEX(5));
	c = decoded(&cursor);
	assert_int_equal(c.scanout, HEX(1));
	assert_int_equal(c.x, -16);
	assert_int_equal(c.y, HEX(3));
	assert_int_equal(c.resource, HEX(5));
	assert_int_equal(decoded(&edid).scanout, HEX(1));
}

static void formats(void **state)
{
	static const uint32_t known[] = {
		VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM, VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM,
		VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM, VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM,
		VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM, VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM,
	};
	/* Of a pixel whose bytes are 1, 2, 3, 4 in memory. */
	static const uint32_t pixels[] = {0x04030201, 0xff030201, 0x01020304,
					  0xff020304, 0x04010203, 0xff040302,
					  0x01040302, 0xff010203};
	const uint8_t bytes[] = {1, 2, 3, 4};
	enum displ_format format;
	uint32_t n = 0, out;

	(void)state;
	for (uint32_t i = 0; i < 0x1000; i++)
		n += displ_virtio_format(i, &format);
	assert_int_equal(n, COUNT(known));
	for (unsigned i = 0; i < COUNT(known); i++) {
		assert_true(displ_virtio_format(known[i], &format));
		displ_format_row(format, bytes, &out, 1);
		assert_int_equal(out, pixels[i]);
	}
}

static void answers(void **state)
{
	struct virtio_gpu_ctrl_hdr ask = HDR(VIRTIO_GPU_CMD_SET_SCANOUT), hdr;
	struct displ_virtio_command c;

	(void)state;
	ask.flags = 0xffffffff;
	ask.ring_idx = 0xff;
	displ_virtio_decode_header((uint8_t *)&ask, &c);
	memset(&hdr, 0xee, sizeof(hdr));
	displ_virtio_encode(&c, DISPL_VIRTIO_BAD_SCANOUT, (uint8_t *)&hdr);
	assert_int_equal(hdr.type, VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID);
	assert_int_equal(hdr.flags, VIRTIO_GPU_FLAG_FENCE);
	assert_int_equal(hdr.fence_id, ask.fence_id);
	assert_int_equal(hdr.ctx_id, ask.ctx_id);
	assert_int_equal(hdr.ring_idx, 0);
	c.flags = 0xfffffffe;
	displ_virtio_encode(&c, DISPL_VIRTIO_OK, (uint8_t *)&hdr);
	assert_int_equal(hdr.flags, 0);
}

static void edids(void **state)
{
	static uint8_t edid[2048];
	struct virtio_gpu_resp_edid out;

	(void)state;
	memset(edid, 0x5a, sizeof(edid));
	memset(&out, 0xee, sizeof(out));
	displ_virtio_put_edid(edid, 128, (uint8_t *)&out.size);
	assert_int_equal(out.size, 128);
	assert_int_equal(out.padding, 0);
	assert_int_equal(out.edid[127], 0x5a);
	assert_int_equal(out.edid[128], 0);
	displ_virtio_put_edid(edid, sizeof(edid), (uint8_t *)&out.size);
	assert_int_equal(out.size, 1024);
	assert_int_equal(out.edid[1023], 0x5a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),   cmocka_unit_test(lengths),
		cmocka_unit_test(resources), cmocka_unit_test(what_is_shown),
		cmocka_unit_test(formats),   cmocka_unit_test(answers),
		cmocka_unit_test(edids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
