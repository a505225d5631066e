/* SPDX-License-Identifier: MIT */
/*
 * A CAN frame as SocketCAN's struct canfd_frame: its form, and its size on the wire.
 * Pure. CANFD_FDF marks an FD frame.
 */
#ifndef XDD_CAN_FRAME_H
#define XDD_CAN_FRAME_H

#include <linux/can.h>
#include <stdbool.h>
#include <stdint.h>

/* Is there such a frame? Identifier, flags and length fit each other and the format;
 * an error frame is none. Bytes after the data do not count. */
bool can_frame_ok(const struct canfd_frame *frame);
/* Of a frame that is ok: a length that a frame of its format can have, and zeros in all
 * that says nothing (behind the data, a remote frame's data, reserved fields). */
void can_frame_fill(struct canfd_frame *frame);
/* The same identifier, format, length, flags and data? Both are ok and filled. */
bool can_frame_same(const struct canfd_frame *a, const struct canfd_frame *b);
static inline bool can_frame_fd(const struct canfd_frame *frame)
{
	return frame->flags & CANFD_FDF;
}
/* Bytes of data: none of a remote frame. */
static inline uint32_t can_frame_bytes(const struct canfd_frame *frame)
{
	return frame->can_id & CAN_RTR_FLAG ? 0 : frame->len;
}

/* What a frame occupies on the wire, in bytes of bit times, the most that stuffing
 * can make of it, the space to the next one with it (ISO 11898-1): for the rate Bytes.
 * All bits count alike, as if an FD frame did not switch its rate. A frame of no form:
 * the least there is. */
uint32_t can_wire_bytes(const struct canfd_frame *frame);

#endif
