/* SPDX-License-Identifier: MIT */
/* canif.h against Xen's ring macros, and backends/can/canif-decode.c: each field of a
 * request and of an answer stands where the header says, and none is read as another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The barriers that the header wants from its user. */
#define mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/ring.h>

#include "backends/can/canif-decode.h"

DEFINE_RING_TYPES(xencan_tx, struct xencan_tx_req, struct xencan_tx_rsp);
DEFINE_RING_TYPES(xencan_rx, struct xencan_rx_req, struct xencan_rx_rsp);

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void rings_are_as_the_header_says(void **state)
{
	static const uint32_t entries[] = {32, 64, 128, 256};

	(void)state;
	assert_int_equal(sizeof(union xencan_tx_sring_entry), XENCAN_ENTRY);
	assert_int_equal(sizeof(union xencan_rx_sring_entry), XENCAN_ENTRY);
	for (unsigned order = 0; order < COUNT(entries); order++) {
		assert_int_equal(__CONST_RING_SIZE(xencan_tx, 4096u << order),
				 entries[order]);
		assert_int_equal(__CONST_RING_SIZE(xencan_rx, 4096u << order),
				 entries[order]);
	}
}

/* By hand, byte for byte. */
static const uint8_t request[XENCAN_ENTRY] = {
	0x34, 0x12, 0,	  9,	9, 9, 9, 9, /* id, operation, reserved */
	0x78, 0x56, 0x34, 0x12,		    /* id of the frame */
	0x1d, 0,			    /* EXTENDED, FD, BRS, ESI */
	20,   0,			    /* length */
	1,    2,    3,
};

static void fields_stand_where_the_header_says(void **state)
{
	struct canif_request rq;

	(void)state;
	memset(&rq, 0xa5, sizeof(rq));
	assert_int_equal(canif_decode(request, &rq), CANIF_GOOD);
	assert_int_equal(rq.id, 0x1234);
	assert_int_equal(rq.operation, XENCAN_OP_FRAME);
	assert_int_equal(rq.op, CANIF_FRAME);
	assert_int_equal(rq.frame.can_id, CAN_EFF_FLAG | 0x12345678);
	assert_int_equal(rq.frame.flags, CANFD_FDF | CANFD_BRS | CANFD_ESI);
	assert_int_equal(rq.frame.len, 20);
	assert_memory_equal(rq.frame.data, request + 16, 20);
}

static void what_is_behind_the_data_is_dropped(void **state)
{
	uint8_t entry[XENCAN_ENTRY];
	struct canif_request rq;

	(void)state;
	for (uint8_t len = 0; len <= 64; len++) {
		memset(entry, 0xee, sizeof(entry));
		memcpy(entry, request, 14);
		entry[14] = len;
		entry[15] = 0;
		assert_int_equal(canif_decode(entry, &rq), CANIF_GOOD);
		assert_int_equal(rq.frame.len, len);
		for (unsigned i = 0; i < 64; i++)
			assert_int_equal(rq.frame.data[i], i < len ? 0xee : 0);
	}
}

/* Each bit of the three fields: said as it is, or refused. */
static void no_bit_is_lost(void **state)
{
	static const uint32_t flags[] = {
		[0] = CAN_EFF_FLAG, [1] = CAN_RTR_FLAG, [2] = CANFD_FDF,
		[3] = CANFD_BRS,    [4] = CANFD_ESI,
	};
	uint8_t entry[XENCAN_ENTRY] = {0};
	struct canif_request rq;

	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		bool good =
			bit < 29 || (bit >= 32 && bit < 37) || (bit >= 48 && bit < 55);

		memset(entry, 0, sizeof(entry));
		entry[8 + bit / 8] = (uint8_t)(1u << bit % 8);
		assert_int_equal(canif_decode(entry, &rq),
				 good ? CANIF_GOOD : CANIF_BAD_FRAME);
		if (!good)
			continue;
		assert_int_equal(rq.frame.len, bit >= 48 ? 1u << (bit - 48) : 0);
		if (bit < 29)
			assert_int_equal(rq.frame.can_id, 1u << bit);
		if (bit >= 32 && bit < 34)
			assert_int_equal(rq.frame.can_id, flags[bit - 32]);
		if (bit >= 34 && bit < 37)
			assert_int_equal(rq.frame.flags, flags[bit - 32]);
	}
	for (unsigned length = 65; length <= UINT16_MAX; length++) {
		memset(entry, 0, sizeof(entry));
		entry[14] = (uint8_t)length;
		entry[15] = (uint8_t)(length >> 8);
		assert_int_equal(canif_decode(entry, &rq), CANIF_BAD_FRAME);
	}
}

static void operations(void **state)
{
	uint8_t entry[XENCAN_ENTRY];
	struct canif_request rq;

	(void)state;
	for (unsigned op = 0; op <= UINT8_MAX; op++) {
		memset(entry, 0xff, sizeof(entry));
		entry[2] = (uint8_t)op;
		assert_int_equal(canif_decode(entry, &rq),
				 op == 0   ? CANIF_BAD_FRAME
				 : op <= 2 ? CANIF_GOOD
					   : CANIF_BAD_OPERATION);
		assert_int_equal(rq.id, 0xffff);
		assert_int_equal(rq.operation, op);
		assert_int_equal(rq.op, op == 1	  ? CANIF_START
					: op == 2 ? CANIF_STOP
						  : CANIF_FRAME);
	}
}

static void answers(void **state)
{
	static const uint8_t wire[CAN_STATUSES] = {
		[CAN_OK] = 0,	   [CAN_INVALID] = 1, [CAN_UNSUPPORTED] = 2,
		[CAN_DENIED] = 3,  [CAN_STOPPED] = 4, [CAN_CANCELED] = 5,
		[CAN_BUS_OFF] = 6, [CAN_FAILED] = 7,
	};
	const struct canif_request rq = {.id = 0x1234, .operation = 0xfe};
	uint8_t out[CANIF_ANSWER];

	(void)state;
	for (unsigned s = 0; s < CAN_STATUSES; s++) {
		const uint8_t want[CANIF_ANSWER] = {
			0x34, 0x12, 0xfe, wire[s], 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1};

		memset(out, 0xa5, sizeof(out));
		canif_encode(&rq, (enum can_status)s, 0x0102030405060708, out);
		assert_memory_equal(out, want, sizeof(want));
	}
}

static void assert_event(const struct can_event *event, const uint8_t *want, size_t n)
{
	uint8_t out[XENCAN_ENTRY];

	memset(out, 0xa5, sizeof(out));
	canif_encode_event(event, out);
	assert_memory_equal(out, want, n);
	for (size_t i = n; i < XENCAN_ENTRY; i++)
		assert_int_equal(out[i], i == 80 ? 0x42 : 0); /* the time */
}

static void events(void **state)
{
	struct can_event event = {.kind = CAN_EVENT_FRAME, .own = true, .time = 0x42};
	static const uint8_t frame[] = {0,    0,    0,	  0, 0, 0, 0, 0, 0x78, 0x56,
					0x34, 0x12, 0x3d, 0, 3, 0, 7, 8, 9};
	static const uint8_t remote[] = {0,    0, 0, 0, 0, 0, 0, 0,
					 0x23, 1, 0, 0, 2, 0, 8, 0};
	static const uint8_t passive[] = {0, 0, 1, 0, 0, 0, 0,	  0,
					  3, 0, 0, 0, 1, 2, 0xff, 0xff};
	static const uint8_t error[] = {0, 0, 2, 0, 0, 0, 0, 0, 0xff, 1,
					0, 0, 1, 2, 3, 4, 5, 6, 7,    8};
	static const uint8_t lost[] = {0, 0, 3, 0, 0, 0, 0, 0, 4, 3, 2, 1};

	(void)state;
	event.frame = (struct canfd_frame){.can_id = CAN_EFF_FLAG | 0x12345678,
					   .flags = CANFD_FDF | CANFD_BRS | CANFD_ESI,
					   .len = 3,
					   .data = {7, 8, 9, 10}};
	assert_event(&event, frame, sizeof(frame));
	event.own = false;
	event.frame = (struct canfd_frame){
		.can_id = CAN_RTR_FLAG | 0x123, .len = 8, .data = {1, 2}};
	assert_event(&event, remote, sizeof(remote));
	event.kind = CAN_EVENT_STATE;
	event.state = CAN_STATE_IS_PASSIVE;
	event.tx_errors = 0x201;
	event.rx_errors = CAN_COUNTER_UNKNOWN;
	assert_event(&event, passive, sizeof(passive));
	event.kind = CAN_EVENT_ERROR;
	event.frame = (struct canfd_frame){.can_id = CAN_ERR_FLAG | 0x3ff,
					   .data = {1, 2, 3, 4, 5, 6, 7, 8, 9}};
	assert_event(&event, error, sizeof(error));
	event.kind = CAN_EVENT_LOST;
	event.lost = 0x01020304;
	assert_event(&event, lost, sizeof(lost));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rings_are_as_the_header_says),
		cmocka_unit_test(fields_stand_where_the_header_says),
		cmocka_unit_test(what_is_behind_the_data_is_dropped),
		cmocka_unit_test(no_bit_is_lost),
		cmocka_unit_test(operations),
		cmocka_unit_test(answers),
		cmocka_unit_test(events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
