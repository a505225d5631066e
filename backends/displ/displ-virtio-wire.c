/* SPDX-License-Identifier: MIT */
#include "backends/displ/displ-virtio-wire.h"

#include <string.h>

/* -- Commands -------------------------------------------------------------- */

static struct displ_rect get_rect(const uint8_t *at)
{
	return (struct displ_rect){virtio_le32(at), virtio_le32(at + 4),
				   virtio_le32(at + 8), virtio_le32(at + 12)};
}

static void get_nothing(const uint8_t *at, struct displ_virtio_command *out)
{
	(void)at;
	(void)out;
}

static void get_resource(const uint8_t *at, struct displ_virtio_command *out)
{
	out->resource = virtio_le32(at);
}

static void get_scanout(const uint8_t *at, struct displ_virtio_command *out)
{
	out->scanout = virtio_le32(at);
}

static void get_create(const uint8_t *at, struct displ_virtio_command *out)
{
	out->resource = virtio_le32(at);
	out->format = virtio_le32(at + 4);
	out->size = (struct displ_size){virtio_le32(at + 8), virtio_le32(at + 12)};
}

static void get_set_scanout(const uint8_t *at, struct displ_virtio_command *out)
{
	out->rect = get_rect(at);
	out->scanout = virtio_le32(at + 16);
	out->resource = virtio_le32(at + 20);
}

static void get_flush(const uint8_t *at, struct displ_virtio_command *out)
{
	out->rect = get_rect(at);
	out->resource = virtio_le32(at + 16);
}

static void get_transfer(const uint8_t *at, struct displ_virtio_command *out)
{
	out->rect = get_rect(at);
	out->offset = virtio_le64(at + 16);
	out->resource = virtio_le32(at + 24);
}

static void get_attach(const uint8_t *at, struct displ_virtio_command *out)
{
	out->resource = virtio_le32(at);
	out->entries = virtio_le32(at + 4);
}

/* Where a hot spot is makes no difference to what is shown. */
static void get_cursor(const uint8_t *at, struct displ_virtio_command *out)
{
	out->scanout = virtio_le32(at);
	out->x = (int32_t)virtio_le32(at + 4);
	out->y = (int32_t)virtio_le32(at + 8);
	out->resource = virtio_le32(at + 16);
}

static const struct layout {
	enum displ_virtio_type type;
	uint32_t bytes; /* header included */
	void (*get)(const uint8_t *at, struct displ_virtio_command *out);
} layouts[] = {
	{DISPL_VIRTIO_GET_DISPLAY_INFO, 24, get_nothing},
	{DISPL_VIRTIO_RESOURCE_CREATE_2D, 40, get_create},
	{DISPL_VIRTIO_RESOURCE_UNREF, 32, get_resource},
	{DISPL_VIRTIO_SET_SCANOUT, 48, get_set_scanout},
	{DISPL_VIRTIO_RESOURCE_FLUSH, 48, get_flush},
	{DISPL_VIRTIO_TRANSFER_TO_HOST_2D, 56, get_transfer},
	{DISPL_VIRTIO_ATTACH_BACKING, 32, get_attach},
	{DISPL_VIRTIO_DETACH_BACKING, 32, get_resource},
	{DISPL_VIRTIO_GET_EDID, 32, get_scanout},
	{DISPL_VIRTIO_UPDATE_CURSOR, 56, get_cursor},
	{DISPL_VIRTIO_MOVE_CURSOR, 56, get_cursor},
};

static const struct layout *layout_of(uint32_t type)
{
	for (unsigned i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		if (layouts[i].type == type)
			return &layouts[i];
	}
	return NULL;
}

uint32_t displ_virtio_bytes(uint32_t type)
{
	const struct layout *layout = layout_of(type);

	return layout ? layout->bytes : 0;
}

void displ_virtio_decode_header(const uint8_t *bytes, struct displ_virtio_command *out)
{
	*out = (struct displ_virtio_command){
		.type = virtio_le32(bytes),
		.flags = virtio_le32(bytes + 4),
		.fence = virtio_le64(bytes + 8),
		.context = virtio_le32(bytes + 16),
	};
}

void displ_virtio_decode(const uint8_t *bytes, struct displ_virtio_command *out)
{
	const struct layout *layout = layout_of(out->type);

	if (layout)
		layout->get(bytes, out);
}

struct displ_virtio_entry displ_virtio_decode_entry(const uint8_t *bytes)
{
	return (struct displ_virtio_entry){virtio_le64(bytes), virtio_le32(bytes + 8)};
}

/* By the order of a pixel's bytes, where DRM has that of a little-endian number's bits
 * from the top (5.7.6.8). */
bool displ_virtio_format(uint32_t wire, enum displ_format *out)
{
	static const struct {
		uint32_t wire;
		enum displ_format format;
	} formats[] = {
		{1, DISPL_ARGB8888},   /* B8G8R8A8 */
		{2, DISPL_XRGB8888},   /* B8G8R8X8 */
		{3, DISPL_BGRA8888},   /* A8R8G8B8 */
		{4, DISPL_BGRX8888},   /* X8R8G8B8 */
		{67, DISPL_ABGR8888},  /* R8G8B8A8 */
		{68, DISPL_RGBX8888},  /* X8B8G8R8 */
		{121, DISPL_RGBA8888}, /* A8B8G8R8 */
		{134, DISPL_XBGR8888}, /* R8G8B8X8 */
	};

	for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (formats[i].wire == wire) {
			*out = formats[i].format;
			return true;
		}
	}
	return false;
}

/* -- Answers --------------------------------------------------------------- */

void displ_virtio_encode(const struct displ_virtio_command *command,
			 enum displ_virtio_answer answer, uint8_t *out)
{
	memset(out, 0, DISPL_VIRTIO_HEADER);
	virtio_put32(out, answer);
	virtio_put32(out + 4, command->flags & DISPL_VIRTIO_FLAG_FENCE);
	virtio_put64(out + 8, command->fence);
	virtio_put32(out + 16, command->context);
}

void displ_virtio_put_info(const struct displ_policy *policy, uint32_t unplugged,
			   uint8_t *out)
{
	uint32_t x = 0;

	memset(out, 0, DISPL_VIRTIO_INFO);
	for (uint32_t i = 0; i < policy->heads; i++, out += 24) {
		virtio_put32(out, x);
		virtio_put32(out + 8, policy->head[i].size.width);
		virtio_put32(out + 12, policy->head[i].size.height);
		virtio_put32(out + 16, !(unplugged >> i & 1)); /* enabled */
		x += policy->head[i].size.width;
	}
}

void displ_virtio_put_edid(const uint8_t *edid, uint32_t n, uint8_t *out)
{
	if (n > DISPL_VIRTIO_EDID_MAX)
		n = DISPL_VIRTIO_EDID_MAX;
	memset(out, 0, DISPL_VIRTIO_EDID);
	virtio_put32(out, n);
	memcpy(out + 8, edid, n);
}
