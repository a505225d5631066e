/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <linux/can/error.h>
#include <stddef.h>
#include <string.h>

#include "backends/can/canif-decode.h"

/* The header promises a layout without a compiler's padding. */
_Static_assert(sizeof(struct xencan_frame) == 72, "canif.h");
_Static_assert(sizeof(struct xencan_tx_req) == XENCAN_ENTRY, "canif.h");
_Static_assert(sizeof(struct xencan_tx_rsp) == CANIF_ANSWER, "canif.h");
_Static_assert(sizeof(struct xencan_rx_req) == XENCAN_ENTRY, "canif.h");
_Static_assert(sizeof(struct xencan_rx_rsp) == 88, "canif.h");
_Static_assert(offsetof(struct xencan_rx_req, id) == 0 &&
		       offsetof(struct xencan_rx_rsp, id) == 0 &&
		       sizeof(((struct xencan_rx_rsp *)0)->id) == CANIF_SLOT_ID,
	       "a slot is answered around its id");
_Static_assert((int)CAN_STATE_IS_DOWN == XENCAN_STATE_DOWN,
	       "states have the same values");
_Static_assert(CAN_LOST_UNKNOWN == XENCAN_LOST_UNKNOWN, "canif.h");
_Static_assert(CAN_COUNTER_UNKNOWN == XENCAN_COUNTER_UNKNOWN, "canif.h");
_Static_assert(CAN_ERR_TX_TIMEOUT == XENCAN_ERROR_TX_TIMEOUT &&
		       CAN_ERR_LOSTARB == XENCAN_ERROR_ARBITRATION &&
		       CAN_ERR_CRTL == XENCAN_ERROR_CONTROLLER &&
		       CAN_ERR_PROT == XENCAN_ERROR_PROTOCOL &&
		       CAN_ERR_TRX == XENCAN_ERROR_TRANSCEIVER &&
		       CAN_ERR_ACK == XENCAN_ERROR_NO_ACK &&
		       CAN_ERR_BUSOFF == XENCAN_ERROR_BUS_OFF &&
		       CAN_ERR_BUSERROR == XENCAN_ERROR_BUS &&
		       CAN_ERR_RESTARTED == XENCAN_ERROR_RESTARTED,
	       "an error frame's classes are SocketCAN's");

#define ERROR_CLASSES                                                                  \
	(XENCAN_ERROR_TX_TIMEOUT | XENCAN_ERROR_ARBITRATION |                          \
	 XENCAN_ERROR_CONTROLLER | XENCAN_ERROR_PROTOCOL | XENCAN_ERROR_TRANSCEIVER |  \
	 XENCAN_ERROR_NO_ACK | XENCAN_ERROR_BUS_OFF | XENCAN_ERROR_BUS |               \
	 XENCAN_ERROR_RESTARTED)

/* OWN is said by the back end alone. */
#define FLAGS_SENT                                                                     \
	(XENCAN_FRAME_EXTENDED | XENCAN_FRAME_REMOTE | XENCAN_FRAME_FD |               \
	 XENCAN_FRAME_BRS | XENCAN_FRAME_ESI)

static enum canif_verdict decode_frame(const struct xencan_frame *wire,
				       struct canfd_frame *out)
{
	uint32_t id = le32toh(wire->id);
	uint16_t flags = le16toh(wire->flags), length = le16toh(wire->length);

	/* Invariants 1 and 2. */
	if (id & ~CAN_EFF_MASK || flags & ~FLAGS_SENT || length > XENCAN_DATA_MAX)
		return CANIF_BAD_FRAME;
	out->can_id = id;
	if (flags & XENCAN_FRAME_EXTENDED)
		out->can_id |= CAN_EFF_FLAG;
	if (flags & XENCAN_FRAME_REMOTE)
		out->can_id |= CAN_RTR_FLAG;
	if (flags & XENCAN_FRAME_FD)
		out->flags |= CANFD_FDF;
	if (flags & XENCAN_FRAME_BRS)
		out->flags |= CANFD_BRS;
	if (flags & XENCAN_FRAME_ESI)
		out->flags |= CANFD_ESI;
	out->len = (uint8_t)length;
	memcpy(out->data, wire->data, length);
	return CANIF_GOOD;
}

enum canif_verdict canif_decode(const uint8_t *entry, struct canif_request *rq)
{
	struct xencan_tx_req wire;

	memcpy(&wire, entry, sizeof(wire));
	*rq = (struct canif_request){
		.id = le16toh(wire.id),
		.operation = wire.operation,
	};
	switch (wire.operation) {
	case XENCAN_OP_FRAME:
		rq->op = CANIF_FRAME;
		return decode_frame(&wire.frame, &rq->frame);
	case XENCAN_OP_START:
		rq->op = CANIF_START;
		return CANIF_GOOD;
	case XENCAN_OP_STOP:
		rq->op = CANIF_STOP;
		return CANIF_GOOD;
	default:
		return CANIF_BAD_OPERATION;
	}
}

static uint8_t encode_status(enum can_status status)
{
	switch (status) {
	case CAN_OK:
		return XENCAN_OK;
	case CAN_INVALID:
		return XENCAN_INVALID;
	case CAN_UNSUPPORTED:
		return XENCAN_UNSUPPORTED;
	case CAN_DENIED:
		return XENCAN_DENIED;
	case CAN_STOPPED:
		return XENCAN_STOPPED;
	case CAN_CANCELED:
		return XENCAN_CANCELED;
	case CAN_BUS_OFF:
		return XENCAN_BUS_OFF;
	case CAN_FAILED:
	case CAN_STATUSES:
		break;
	}
	return XENCAN_FAILED;
}

void canif_encode(const struct canif_request *rq, enum can_status status, uint64_t time,
		  uint8_t *out)
{
	struct xencan_tx_rsp wire = {
		.id = htole16(rq->id),
		.operation = rq->operation,
		.status = encode_status(status),
		.time = htole64(time),
	};

	memcpy(out, &wire, sizeof(wire));
}

static void encode_frame(const struct can_event *event, struct xencan_frame *wire)
{
	const struct canfd_frame *frame = &event->frame;
	bool extended = frame->can_id & CAN_EFF_FLAG;
	bool remote = frame->can_id & CAN_RTR_FLAG;
	uint16_t flags = 0;

	flags |= extended ? XENCAN_FRAME_EXTENDED : 0;
	flags |= remote ? XENCAN_FRAME_REMOTE : 0;
	flags |= frame->flags & CANFD_FDF ? XENCAN_FRAME_FD : 0;
	flags |= frame->flags & CANFD_BRS ? XENCAN_FRAME_BRS : 0;
	flags |= frame->flags & CANFD_ESI ? XENCAN_FRAME_ESI : 0;
	flags |= event->own ? XENCAN_FRAME_OWN : 0;
	wire->id = htole32(frame->can_id & (extended ? CAN_EFF_MASK : CAN_SFF_MASK));
	wire->flags = htole16(flags);
	wire->length = htole16(frame->len);
	if (!remote && frame->len <= XENCAN_DATA_MAX)
		memcpy(wire->data, frame->data, frame->len);
}

void canif_encode_event(const struct can_event *event, uint8_t *out)
{
	struct xencan_rx_rsp wire = {.time = htole64(event->time)};

	switch (event->kind) {
	case CAN_EVENT_FRAME:
		wire.type = XENCAN_RX_FRAME;
		encode_frame(event, &wire.u.frame);
		break;
	case CAN_EVENT_STATE:
		wire.type = XENCAN_RX_STATE;
		wire.u.state.state = (uint8_t)event->state;
		wire.u.state.tx_errors = htole16(event->tx_errors);
		wire.u.state.rx_errors = htole16(event->rx_errors);
		break;
	case CAN_EVENT_ERROR:
		wire.type = XENCAN_RX_ERROR;
		wire.u.error.classes = htole32(event->frame.can_id & ERROR_CLASSES);
		memcpy(wire.u.error.data, event->frame.data, sizeof(wire.u.error.data));
		break;
	case CAN_EVENT_LOST:
		wire.type = XENCAN_RX_LOST;
		wire.u.lost.frames = htole32(event->lost);
		break;
	}
	memcpy(out, &wire, sizeof(wire));
	memset(out + sizeof(wire), 0, XENCAN_ENTRY - sizeof(wire));
}
