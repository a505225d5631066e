// SPDX-License-Identifier: GPL-2.0-only
/*
 * A frame on the wire and a frame of SocketCAN's.
 *
 * Pure but for the skb. FD frames carry neither BRS nor ESI on this wire: a sender's are
 * left out, a receiver's are not set.
 *
 * Invariants:
 *  1. what is sent is well-formed, and of a kind that was negotiated; all its bytes are
 *     of the frame, or zeros;
 *  2. of what came, nothing is used that xcan_valid() did not pass.
 */
#include <linux/can/skb.h>
#include <linux/string.h>

#include "virtio-can.h"

static bool xcan_can_send(const struct xcan_device *xc, canid_t id, bool fd)
{
	if (id & CAN_ERR_FLAG)
		return false;
	if (fd)
		return xc->fd && !(id & CAN_RTR_FLAG);
	return xc->classic && (xc->rtr || !(id & CAN_RTR_FLAG));
}

unsigned int xcan_encode(const struct xcan_device *xc, const struct sk_buff *skb,
			 struct xcan_frame *frame)
{
	const struct canfd_frame *from = (const struct canfd_frame *)skb->data;
	bool fd = skb->len == CANFD_MTU;
	canid_t id = from->can_id;
	unsigned int used = min_t(unsigned int, from->len, fd ? CANFD_MAX_DLEN : CAN_MAX_DLEN);
	unsigned int length = used;
	u32 flags = 0;

	if (!xcan_can_send(xc, id, fd))
		return 0;
	/* A bus knows no FD frame of 9 bytes: such a one is padded. */
	if (fd) {
		flags |= XCAN_FLAG_FD;
		length = canfd_sanitize_len(used);
	}
	if (id & CAN_RTR_FLAG) {
		flags |= XCAN_FLAG_RTR;
		used = 0;
	}
	if (id & CAN_EFF_FLAG)
		flags |= XCAN_FLAG_EXTENDED;
	memset(frame, 0, sizeof(*frame));
	frame->type = cpu_to_le16(XCAN_MSG_TX);
	frame->length = cpu_to_le16(length);
	frame->flags = cpu_to_le32(flags);
	frame->id = cpu_to_le32(id & (id & CAN_EFF_FLAG ? CAN_EFF_MASK : CAN_SFF_MASK));
	memcpy(frame->data, from->data, used);
	return XCAN_HEADER + length;
}

bool xcan_valid(const struct xcan_device *xc, const struct xcan_frame *frame,
		unsigned int bytes)
{
	unsigned int length = le16_to_cpu(frame->length);
	u32 flags = le32_to_cpu(frame->flags), id = le32_to_cpu(frame->id);
	bool fd = flags & XCAN_FLAG_FD, rtr = flags & XCAN_FLAG_RTR;

	if (bytes < XCAN_HEADER || bytes > sizeof(*frame))
		return false;
	if (le16_to_cpu(frame->type) != XCAN_MSG_RX || (flags & ~XCAN_FLAGS))
		return false;
	if (fd ? !xc->fd || rtr : !xc->classic || (rtr && !xc->rtr))
		return false;
	if (id > (flags & XCAN_FLAG_EXTENDED ? CAN_EFF_MASK : CAN_SFF_MASK))
		return false;
	if (length > (fd ? CANFD_MAX_DLEN : CAN_MAX_DLEN))
		return false;
	/* A remote frame's length is that of the answer: it has no data. */
	return rtr || length <= bytes - XCAN_HEADER;
}

struct sk_buff *xcan_decode(struct net_device *netdev, const struct xcan_frame *frame)
{
	unsigned int length = le16_to_cpu(frame->length);
	u32 flags = le32_to_cpu(frame->flags);
	canid_t id = le32_to_cpu(frame->id);
	struct canfd_frame *fd;
	struct can_frame *classic;
	struct sk_buff *skb;

	if (flags & XCAN_FLAG_EXTENDED)
		id |= CAN_EFF_FLAG;
	if (flags & XCAN_FLAG_FD) {
		skb = alloc_canfd_skb(netdev, &fd);
		if (!skb)
			return NULL;
		fd->can_id = id;
		fd->len = canfd_sanitize_len(length);
		memcpy(fd->data, frame->data, length);
		return skb;
	}
	skb = alloc_can_skb(netdev, &classic);
	if (!skb)
		return NULL;
	classic->can_id = id;
	classic->len = length;
	if (flags & XCAN_FLAG_RTR)
		classic->can_id |= CAN_RTR_FLAG;
	else
		memcpy(classic->data, frame->data, length);
	return skb;
}
