/* SPDX-License-Identifier: MIT */
#include "backends/can/cmd/front-wire.h"

#include <endian.h>
#include <linux/can/error.h>
#include <string.h>

/* linux/can/error.h of Linux before 6.0 has it not. */
#define ERR_COUNTERS 0x200u

#define FRAME_FLAGS                                                                    \
	(XENCAN_FRAME_EXTENDED | XENCAN_FRAME_REMOTE | XENCAN_FRAME_FD |               \
	 XENCAN_FRAME_BRS | XENCAN_FRAME_ESI)
/* Values are those of linux/can/error.h. */
#define ERROR_CLASSES                                                                  \
	(XENCAN_ERROR_TX_TIMEOUT | XENCAN_ERROR_ARBITRATION |                          \
	 XENCAN_ERROR_CONTROLLER | XENCAN_ERROR_PROTOCOL | XENCAN_ERROR_TRANSCEIVER |  \
	 XENCAN_ERROR_NO_ACK | XENCAN_ERROR_BUS_OFF | XENCAN_ERROR_BUS |               \
	 XENCAN_ERROR_RESTARTED)

_Static_assert(XENCAN_ERROR_TX_TIMEOUT == CAN_ERR_TX_TIMEOUT &&
		       XENCAN_ERROR_ARBITRATION == CAN_ERR_LOSTARB &&
		       XENCAN_ERROR_CONTROLLER == CAN_ERR_CRTL &&
		       XENCAN_ERROR_PROTOCOL == CAN_ERR_PROT &&
		       XENCAN_ERROR_TRANSCEIVER == CAN_ERR_TRX &&
		       XENCAN_ERROR_NO_ACK == CAN_ERR_ACK &&
		       XENCAN_ERROR_BUS_OFF == CAN_ERR_BUSOFF &&
		       XENCAN_ERROR_BUS == CAN_ERR_BUSERROR &&
		       XENCAN_ERROR_RESTARTED == CAN_ERR_RESTARTED,
	       "error classes are told as they come");

/* The next length that an FD frame can have. */
static uint8_t fd_length(uint8_t length)
{
	static const uint8_t lengths[] = {8, 12, 16, 20, 24, 32, 48, 64};
	unsigned i = 0;

	if (length <= 8)
		return length;
	while (lengths[i] < length)
		i++;
	return lengths[i];
}

static bool is_sound(uint32_t id, uint16_t flags, uint16_t length)
{
	bool fd = flags & XENCAN_FRAME_FD;

	if (flags & ~FRAME_FLAGS)
		return false;
	if (id > (flags & XENCAN_FRAME_EXTENDED ? CAN_EFF_MASK : CAN_SFF_MASK))
		return false;
	if (fd)
		return !(flags & XENCAN_FRAME_REMOTE) && length <= CANFD_MAX_DLEN;
	return !(flags & (XENCAN_FRAME_BRS | XENCAN_FRAME_ESI)) &&
	       length <= CAN_MAX_DLEN;
}

bool front_wire_encode(const struct canfd_frame *frame, struct xencan_frame *out)
{
	bool extended = frame->can_id & CAN_EFF_FLAG;
	uint32_t id = frame->can_id & CAN_EFF_MASK;
	uint16_t flags = extended ? XENCAN_FRAME_EXTENDED : 0;
	uint16_t length = frame->len;

	if (frame->can_id & CAN_ERR_FLAG)
		return false;
	if (frame->can_id & CAN_RTR_FLAG)
		flags |= XENCAN_FRAME_REMOTE;
	if (frame->flags & CANFD_FDF) {
		flags |= XENCAN_FRAME_FD;
		flags |= frame->flags & CANFD_BRS ? XENCAN_FRAME_BRS : 0;
		flags |= frame->flags & CANFD_ESI ? XENCAN_FRAME_ESI : 0;
	}
	if (!is_sound(id, flags, length))
		return false;
	*out = (struct xencan_frame){.id = htole32(id), .flags = htole16(flags)};
	if (!(flags & XENCAN_FRAME_REMOTE))
		memcpy(out->data, frame->data, length);
	if (flags & XENCAN_FRAME_FD)
		length = fd_length((uint8_t)length);
	out->length = htole16(length);
	return true;
}

bool front_wire_decode(const struct xencan_frame *wire, struct canfd_frame *out)
{
	uint32_t id = le32toh(wire->id);
	uint16_t flags = le16toh(wire->flags), length = le16toh(wire->length);

	if (!is_sound(id, flags, length))
		return false;
	*out = (struct canfd_frame){.can_id = id, .len = (uint8_t)length};
	if (flags & XENCAN_FRAME_EXTENDED)
		out->can_id |= CAN_EFF_FLAG;
	if (flags & XENCAN_FRAME_REMOTE)
		out->can_id |= CAN_RTR_FLAG;
	else
		memcpy(out->data, wire->data, length);
	if (flags & XENCAN_FRAME_FD) {
		out->len = fd_length(out->len);
		out->flags = CANFD_FDF;
		out->flags |= flags & XENCAN_FRAME_BRS ? CANFD_BRS : 0;
		out->flags |= flags & XENCAN_FRAME_ESI ? CANFD_ESI : 0;
	}
	return true;
}

static void error_frame(struct canfd_frame *out, uint32_t classes)
{
	*out = (struct canfd_frame){.can_id = CAN_ERR_FLAG | classes,
				    .len = CAN_ERR_DLC};
}

/* As the kernel does it: the counter that is ahead says which side it is. */
static uint8_t side(const struct xencan_rx_state *wire, uint8_t tx, uint8_t rx)
{
	uint16_t tx_errors = le16toh(wire->tx_errors),
		 rx_errors = le16toh(wire->rx_errors);

	if (tx_errors == XENCAN_COUNTER_UNKNOWN || rx_errors == XENCAN_COUNTER_UNKNOWN)
		return tx | rx;
	return (uint8_t)((tx_errors >= rx_errors ? tx : 0) |
			 (tx_errors <= rx_errors ? rx : 0));
}

static void add_counters(const struct xencan_rx_state *wire, struct canfd_frame *out)
{
	uint16_t tx = le16toh(wire->tx_errors), rx = le16toh(wire->rx_errors);

	if (tx == XENCAN_COUNTER_UNKNOWN || rx == XENCAN_COUNTER_UNKNOWN)
		return;
	out->can_id |= ERR_COUNTERS;
	out->data[6] = (uint8_t)(tx < UINT8_MAX ? tx : UINT8_MAX);
	out->data[7] = (uint8_t)(rx < UINT8_MAX ? rx : UINT8_MAX);
}

static bool is_off(unsigned state)
{
	return state == XENCAN_STATE_BUS_OFF || state == XENCAN_STATE_DOWN;
}

bool front_wire_state(unsigned before, const struct xencan_rx_state *wire,
		      struct canfd_frame *out)
{
	uint8_t detail = 0;

	if (wire->state == before || wire->state == XENCAN_STATE_STOPPED)
		return false;
	if (is_off(wire->state)) {
		error_frame(out, CAN_ERR_BUSOFF);
	} else if (is_off(before) && wire->state == XENCAN_STATE_ACTIVE) {
		error_frame(out, CAN_ERR_RESTARTED);
	} else {
		if (wire->state == XENCAN_STATE_WARNING)
			detail = side(wire, CAN_ERR_CRTL_TX_WARNING,
				      CAN_ERR_CRTL_RX_WARNING);
		else if (wire->state == XENCAN_STATE_PASSIVE)
			detail = side(wire, CAN_ERR_CRTL_TX_PASSIVE,
				      CAN_ERR_CRTL_RX_PASSIVE);
		else if (before == XENCAN_STATE_STOPPED)
			return false; /* it was started */
		else
			detail = CAN_ERR_CRTL_ACTIVE;
		error_frame(out, CAN_ERR_CRTL);
		out->data[1] = detail;
	}
	add_counters(wire, out);
	return true;
}

bool front_wire_error(const struct xencan_rx_error *wire, struct canfd_frame *out)
{
	uint32_t classes = le32toh(wire->classes) & ERROR_CLASSES;

	if (!classes)
		return false;
	error_frame(out, classes);
	/* 5 is reserved; 6 and 7 are counters, which no class here announces. */
	memcpy(out->data, wire->data, 5);
	return true;
}

void front_wire_lost(struct canfd_frame *out)
{
	error_frame(out, CAN_ERR_CRTL);
	out->data[1] = CAN_ERR_CRTL_RX_OVERFLOW;
}

const char *front_wire_state_name(unsigned state)
{
	static const char *const names[] = {
		[XENCAN_STATE_STOPPED] = "stopped", [XENCAN_STATE_ACTIVE] = "active",
		[XENCAN_STATE_WARNING] = "warning", [XENCAN_STATE_PASSIVE] = "passive",
		[XENCAN_STATE_BUS_OFF] = "bus-off", [XENCAN_STATE_DOWN] = "down",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : NULL;
}
