/* SPDX-License-Identifier: MIT */
/******************************************************************************
 * canif.h
 *
 * Controller Area Network: the PV protocol between a client's front end and the
 * back end that stands at the bus for it.
 *
 * One device is one CAN controller with one bus behind it. Frames are classic
 * (ISO 11898-1, 11 and 29 bit identifiers, remote frames) or FD (up to 64 bytes,
 * bit rate switch). XL has its place in the layout and is not in version 1.
 *
 * All fields are little-endian, all structures are laid out as written, without
 * padding of a compiler's. Fields named "reserved" are 0 when sent and ignored
 * when received. Nothing in this file is asked of a compiler but C99.
 *
 *
 * Xenstore
 * ========
 *
 *   /local/domain/CLIENT/device/vcan/ID              owned by the client
 *   /local/domain/BACKEND-DOMAIN/backend/vcan/CLIENT/ID   by the back end
 *
 * Back end's keys, there when its state is InitWait. A number is decimal.
 *
 *   versions            versions that it speaks, comma-separated: "1"
 *   max-ring-page-order 0 to 3: pages of one ring are at most 2 to its power
 *   feature-fd          1: FD frames may be sent, and may come
 *   feature-late-ack    1: it can tell when a frame was on the wire
 *   feature-transmit    0: it only listens; every frame to be sent is answered
 *                       XENCAN_DENIED
 *   transmit-ids        which identifiers the client may send, and which it may
 *   receive-ids         hear, for people to read: "none", "all", or a list of
 *                       ID, FIRST-LAST and ID:MASK in hexadecimal, of 3 digits
 *                       (11 bit) or 8 (29 bit), cut off with "..." when long
 *   bitrate             of the bus, bit/s: of arbitration, of an FD frame's data.
 *   data-bitrate        Absent or 0: not known. The client sets neither
 *   sample-point        in thousandths of a bit
 *   data-sample-point
 *   controller          what enum xencan_state it is in, as a number; kept
 *                       current for people and for the next back end
 *
 * Front end's keys, there when its state is Initialised.
 *
 *   version             the one chosen: "1"
 *   ring-page-order     of both rings; absent: 0
 *   tx-ring-ref         grant references of the rings' pages, granted writable.
 *   rx-ring-ref         With ring-page-order: tx-ring-ref0, tx-ring-ref1 ...
 *   event-channel       an unbound port for the back end's domain; one for both
 *   late-ack            1: XENCAN_OK means that the frame was on the wire. 0 or
 *                       absent, or without feature-late-ack: that the back end's
 *                       own host took it
 *   receive-own         1: what this client sent comes back to it as well, marked
 *                       XENCAN_FRAME_OWN, when it was on the wire. 0 or absent:
 *                       it does not, as with a controller
 *
 *   front end           back end         meaning
 *   Initialising (1)    InitWait (2)     the back end's keys are there
 *   Initialised (3)     InitWait (2)     the front end's keys are there
 *   Initialised (3)     Connected (4)    rings are mapped; requests are answered
 *   Connected (4)       Connected (4)    in use
 *   Closing (5), Closed (6)  Closed (6)  nothing of the client's is mapped any more
 *
 * A front end that wants to begin anew waits for Closed, then for InitWait.
 *
 *
 * Rings
 * =====
 *
 * Both are shared rings as xen/io/ring.h has them, of entries of XENCAN_ENTRY
 * bytes: 32 in a page, 64, 128, 256 in 2, 4, 8. Where that header is used:
 *
 *   DEFINE_RING_TYPES(xencan_tx, struct xencan_tx_req, struct xencan_tx_rsp);
 *   DEFINE_RING_TYPES(xencan_rx, struct xencan_rx_req, struct xencan_rx_rsp);
 *
 * (the union of each is XENCAN_ENTRY bytes). Answers of a ring come in the order
 * of its requests. In the 48 padding bytes of a ring's header, which front ends
 * clear and leave alone, a back end may keep what its successor needs.
 *
 * Transmit ring. A request is one frame, or starts or stops the controller. It
 * is answered when that is done, or cannot be. At most as many are out as there
 * are entries.
 *
 * Receive ring. A request is a slot that waits for something to happen: the back
 * end answers the oldest with one frame, one change of the controller's state, one
 * bus error or one report of loss. Who posts no slots gets nothing, and loses
 * frames once the back end's queue is full: each loss is counted, and told at the
 * place where it happened.
 *
 *
 * The controller
 * ==============
 *
 * It begins stopped. START lets it take part in the bus, STOP ends that: frames
 * that were not on the wire by then are answered XENCAN_CANCELED, frames that
 * wait in the back end's queue are forgotten. Both are requests of the transmit
 * ring; they overtake frames that wait for a rate or for the bus, but are
 * answered in their turn. While stopped, frames are answered XENCAN_STOPPED.
 *
 * Bus-off: frames that were not on the wire are answered XENCAN_BUS_OFF, as are
 * new ones, until the client sends START. How the host's own controller comes
 * back to the bus is its administrator's.
 *
 * When the back end is started again while both sides are Connected, a front end
 * has nothing to do. Frames that were taken and not answered are sent by the
 * successor: a frame can be on the wire twice, as CAN itself allows. What was
 * heard meanwhile is lost, and reported: XENCAN_LOST_UNKNOWN. A controller that was
 * off the bus still is, which is told again.
 *****************************************************************************/
#ifndef XEN_PUBLIC_IO_CANIF_H
#define XEN_PUBLIC_IO_CANIF_H

#include <stdint.h>

#define XENCAN_VERSION 1
#define XENCAN_ENTRY   96 /* bytes of an entry of either ring */

/* -- A frame ----------------------------------------------------------------- */

/*
 * EXTENDED: the identifier has 29 bits. REMOTE: a remote frame, whose length says how
 * much is asked for; it has no data, and is never FD. BRS: the data of an FD frame are
 * sent at data-bitrate. ESI: the sender of an FD frame is error passive; a controller
 * sets its own when it sends. OWN: received, this client sent it. Another flag, or one
 * that does not fit the frame: XENCAN_INVALID.
 */
#define XENCAN_FRAME_EXTENDED 0x0001
#define XENCAN_FRAME_REMOTE   0x0002
#define XENCAN_FRAME_FD	      0x0004
#define XENCAN_FRAME_BRS      0x0008
#define XENCAN_FRAME_ESI      0x0010
#define XENCAN_FRAME_OWN      0x0020
/* Bit 8 and up are for XL (version 2), whose data is too long for an entry: the
 * last 16 bytes of data[] then name a granted page, and length is up to 2048. */

#define XENCAN_DATA_MAX 64

struct xencan_frame {
	uint32_t id;	/* below 0x800, or with EXTENDED below 0x20000000 */
	uint16_t flags; /* XENCAN_FRAME_* */
	/* Bytes: 0 to 8; FD: 0 to 64, and what is no length of an FD frame (9 to 11,
	 * ...) is filled up with zeros. */
	uint16_t length;
	uint8_t data[XENCAN_DATA_MAX];
};

/* -- Transmit ring ------------------------------------------------------------- */

#define XENCAN_OP_FRAME 0
#define XENCAN_OP_START 1
#define XENCAN_OP_STOP	2

struct xencan_tx_req {
	uint16_t id;	   /* the front end's, echoed */
	uint8_t operation; /* XENCAN_OP_* */
	uint8_t reserved[5];
	struct xencan_frame frame; /* of OP_FRAME */
	uint8_t more[16];	   /* 0; for XL */
};

/* What became of it. */
#define XENCAN_OK	   0
#define XENCAN_INVALID	   1 /* no such operation, or no such frame */
#define XENCAN_UNSUPPORTED 2 /* FD without feature-fd */
#define XENCAN_DENIED	   3 /* the back end's policy: this identifier, or any */
#define XENCAN_STOPPED	   4
#define XENCAN_CANCELED	   5 /* by STOP; it may have been on the wire all the same */
#define XENCAN_BUS_OFF	   6
#define XENCAN_FAILED	   7 /* the host lost it */

struct xencan_tx_rsp {
	uint16_t id;
	uint8_t operation;
	uint8_t status; /* XENCAN_OK ... */
	uint8_t reserved[4];
	/* When, in ns of a clock that only grows and is the same for both rings of a
	 * device; it starts anew with the back end's domain. 0: not known. */
	uint64_t time;
};

/* -- Receive ring -------------------------------------------------------------- */

struct xencan_rx_req {
	uint16_t id; /* the front end's, echoed */
	uint8_t reserved[XENCAN_ENTRY - 2];
};

#define XENCAN_RX_FRAME 0 /* u.frame */
#define XENCAN_RX_STATE 1 /* u.state: it is another one */
#define XENCAN_RX_ERROR 2 /* u.error: something happened on the bus */
#define XENCAN_RX_LOST	3 /* u.lost: what was lost at this place */

/* As ISO 11898-1 names them, and STOPPED. */
#define XENCAN_STATE_STOPPED 0
#define XENCAN_STATE_ACTIVE  1
#define XENCAN_STATE_WARNING 2 /* a counter reached 96 */
#define XENCAN_STATE_PASSIVE 3 /* 128 */
#define XENCAN_STATE_BUS_OFF 4
#define XENCAN_STATE_DOWN    5 /* the host's interface is down; as BUS_OFF */

#define XENCAN_COUNTER_UNKNOWN 0xffff

struct xencan_rx_state {
	uint8_t state; /* XENCAN_STATE_* */
	uint8_t reserved[3];
	uint16_t tx_errors, rx_errors; /* or XENCAN_COUNTER_UNKNOWN */
};

/* Bits, and details of some as Linux's linux/can/error.h has them. */
#define XENCAN_ERROR_TX_TIMEOUT	 0x001
#define XENCAN_ERROR_ARBITRATION 0x002 /* data[0]: at which bit, 0: not known */
#define XENCAN_ERROR_CONTROLLER	 0x004 /* data[1] */
#define XENCAN_ERROR_PROTOCOL	 0x008 /* data[2]: kind, data[3]: where */
#define XENCAN_ERROR_TRANSCEIVER 0x010 /* data[4] */
#define XENCAN_ERROR_NO_ACK	 0x020
#define XENCAN_ERROR_BUS_OFF	 0x040
#define XENCAN_ERROR_BUS	 0x080
#define XENCAN_ERROR_RESTARTED	 0x100

struct xencan_rx_error {
	uint32_t classes; /* XENCAN_ERROR_* */
	uint8_t data[8];
};

#define XENCAN_LOST_UNKNOWN 0xffffffff /* the back end was not there */

struct xencan_rx_lost {
	uint32_t frames; /* that there was no room for */
};

struct xencan_rx_rsp {
	uint16_t id;
	uint8_t type; /* XENCAN_RX_* */
	uint8_t reserved[5];
	union {
		struct xencan_frame frame;
		struct xencan_rx_state state;
		struct xencan_rx_error error;
		struct xencan_rx_lost lost;
	} u;
	uint64_t time; /* as in struct xencan_tx_rsp */
};

#endif
