/* SPDX-License-Identifier: MIT */
#include "backends/can/cmd/front-wire.h"

#include <endian.h>
#include <linux/can/error.h>
#include <string.h>

#include "backends/can/can-frame.h"

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

static const struct {
	uint16_t wire;
	uint8_t flag; /* struct canfd_frame's */
} fd_flags[] = {
	{XENCAN_FRAME_FD, CANFD_FDF},
	{XENCAN_FRAME_BRS, CANFD_BRS},
	{XENCAN_FRAME_ESI, CANFD_ESI},
};
#define FD_FLAGS (sizeof(fd_flags) / sizeof(fd_flags[0]))

bool front_wire_encode(const struct canfd_frame *frame, struct xencan_frame *out)
{
	struct canfd_frame f = *frame;
	bool extended = f.can_id & CAN_EFF_FLAG;
	uint16_t flags = extended ? XENCAN_FRAME_EXTENDED : 0;

	/* What else may stand there means nothing to a controller. */
	f.flags &= CANFD_FDF | CANFD_BRS | CANFD_ESI;
	if (!can_frame_ok(&f))
		return false;
	can_frame_fill(&f);
	flags |= f.can_id & CAN_RTR_FLAG ? XENCAN_FRAME_REMOTE : 0;
	for (unsigned i = 0; i < FD_FLAGS; i++)
		flags |= f.flags & fd_flags[i].flag ? fd_flags[i].wire : 0;
	*out = (struct xencan_frame){
		.id = htole32(f.can_id & (extended ? CAN_EFF_MASK : CAN_SFF_MASK)),
		.flags = htole16(flags),
		.length = htole16(f.len),
	};
	memcpy(out->data, f.data, sizeof(out->data));
	return true;
}

bool front_wire_decode(const struct xencan_frame *wire, struct canfd_frame *out)
{
	uint32_t id = le32toh(wire->id);
	uint16_t flags = le16toh(wire->flags), length = le16toh(wire->length);
	struct canfd_frame f = {.can_id = id, .len = (uint8_t)length};

	/* What struct canfd_frame cannot say, or would read as something else. */
	if (id & ~CAN_EFF_MASK || flags & ~FRAME_FLAGS || length > CANFD_MAX_DLEN)
		return false;
	f.can_id |= flags & XENCAN_FRAME_EXTENDED ? CAN_EFF_FLAG : 0;
	f.can_id |= flags & XENCAN_FRAME_REMOTE ? CAN_RTR_FLAG : 0;
	for (unsigned i = 0; i < FD_FLAGS; i++)
		f.flags |= flags & fd_flags[i].wire ? fd_flags[i].flag : 0;
	memcpy(f.data, wire->data, sizeof(f.data));
	if (!can_frame_ok(&f))
		return false;
	can_frame_fill(&f); /* the back end's bytes behind the data */
	*out = f;
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
