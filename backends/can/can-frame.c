/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/can/can-frame.h"

#define FD_FLAGS (CANFD_BRS | CANFD_ESI | CANFD_FDF)

static bool frame_id_ok(canid_t can_id)
{
	canid_t max = can_id & CAN_EFF_FLAG ? CAN_EFF_MASK : CAN_SFF_MASK;

	return (can_id & ~(CAN_EFF_FLAG | CAN_RTR_FLAG)) <= max;
}

bool can_frame_ok(const struct canfd_frame *frame)
{
	bool remote = frame->can_id & CAN_RTR_FLAG;

	if (!frame_id_ok(frame->can_id))
		return false;
	if (!can_frame_fd(frame))
		return !frame->flags && frame->len <= CAN_MAX_DLEN;
	return !remote && !(frame->flags & ~FD_FLAGS) && frame->len <= CANFD_MAX_DLEN;
}

/* The next length that an FD frame can have. */
static uint8_t frame_fd_length(uint8_t len)
{
	uint8_t step = len <= 8 ? 1 : len <= 24 ? 4 : len <= 32 ? 8 : 16;

	return (uint8_t)((len + step - 1) / step * step);
}

void can_frame_fill(struct canfd_frame *frame)
{
	uint32_t bytes = can_frame_bytes(frame);

	memset(frame->data + bytes, 0, sizeof(frame->data) - bytes);
	frame->__res0 = frame->__res1 = 0;
	if (can_frame_fd(frame))
		frame->len = frame_fd_length(frame->len);
}

bool can_frame_same(const struct canfd_frame *a, const struct canfd_frame *b)
{
	return a->can_id == b->can_id && a->len == b->len && a->flags == b->flags &&
	       !memcmp(a->data, b->data, can_frame_bytes(a));
}

/* Bits from the start of the frame to the last in which stuffing depends on what they
 * are, and those behind, the space to the next frame (3) with them. */
struct wire {
	uint32_t head; /* without data */
	uint32_t tail;
};

/* Start 1, identifier 11, RTR 1, IDE 1, r0 1, length 4, check sum 15 | delimiter 1,
 * acknowledgement 2, end 7, space 3. Extended: SRR 1, identifier 18, r1 1 more. */
static const struct wire wire_classic[] = {{34, 13}, {54, 13}};
/* Start 1, identifier 11, RRS 1, IDE 1, FDF 1, res 1, BRS 1, ESI 1, length 4 | count
 * of stuff bits 4, check sum 17, fixed stuff bits 6, and then as above. Extended: SRR
 * 1, identifier 18 more. */
static const struct wire wire_fd[] = {{22, 40}, {41, 40}};
/* With more than 16 bytes: a check sum of 21, and one more fixed stuff bit. */
#define WIRE_LONG_BYTES 16
#define WIRE_LONG_BITS	5

uint32_t can_wire_bytes(const struct canfd_frame *frame)
{
	static const struct canfd_frame least;
	bool fd, extended;
	uint32_t bytes, stuffed, tail;
	const struct wire *wire;

	if (!can_frame_ok(frame))
		frame = &least;
	fd = can_frame_fd(frame);
	extended = frame->can_id & CAN_EFF_FLAG;
	wire = fd ? &wire_fd[extended] : &wire_classic[extended];
	bytes = fd ? frame_fd_length(frame->len) : can_frame_bytes(frame);
	stuffed = wire->head + bytes * 8;
	tail = wire->tail + (fd && bytes > WIRE_LONG_BYTES ? WIRE_LONG_BITS : 0);
	/* After five equal bits stands another, which may be the first of the next. */
	return (stuffed + (stuffed - 1) / 4 + tail + 7) / 8;
}
