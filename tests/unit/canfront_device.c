/* SPDX-License-Identifier: MIT */
/* backends/can/cmd/front-device.c: two rings and a controller, before a back end of
 * the test's, sound or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <endian.h>

#include "backends/can/canif-decode.h"
#include "backends/can/cmd/front-device.h"
#include "backends/door/pv-ring.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static _Alignas(4096) uint8_t pages[2][FRONT_PAGE];
static struct front_device device;
static struct pv_ring tx, rx;

static int fresh(void **state)
{
	(void)state;
	front_device_init(&device, pages[0], pages[1], 1);
	front_device_publish(&device);
	assert_int_equal(pv_ring_init(&tx, pages[0], FRONT_PAGE, XENCAN_ENTRY, false),
			 PV_RING_OK);
	assert_int_equal(pv_ring_init_posted(&rx, pages[1], FRONT_PAGE, XENCAN_ENTRY, 0,
					     CANIF_SLOT_ID, false),
			 PV_RING_OK);
	return 0;
}

/* The next request as the back end has it; false: there is none. */
static bool took(struct canif_request *rq)
{
	uint8_t entry[XENCAN_ENTRY];

	return pv_ring_take(&tx, entry) == PV_RING_OK &&
	       canif_decode(entry, rq) == CANIF_GOOD;
}

static void answer(const struct canif_request *rq, enum can_status status)
{
	uint8_t bytes[CANIF_ANSWER];

	canif_encode(rq, status, 0, bytes);
	pv_ring_put(&tx, bytes, sizeof(bytes));
	pv_ring_push(&tx);
}

/* Takes what there is and answers it. */
static unsigned serve(enum can_status status)
{
	struct canif_request rq;
	unsigned n = 0;

	for (; took(&rq); n++)
		answer(&rq, status);
	return n;
}

static void start(void)
{
	struct front_answer answered;

	front_device_want(&device, true);
	assert_true(front_device_publish(&device));
	assert_int_equal(serve(CAN_OK), 1);
	assert_int_equal(front_device_answer(&device, &answered), FRONT_RING_OK);
	assert_int_equal(answered.operation, XENCAN_OP_START);
	assert_true(front_device_settled(&device));
}

static bool send_id(canid_t id)
{
	struct canfd_frame frame = {.can_id = id, .len = 1};

	return front_device_send(&device, &frame);
}

static void slots_are_all_posted(void **state)
{
	struct can_event event = {.kind = CAN_EVENT_FRAME, .frame = {.can_id = 1}};
	struct xencan_rx_rsp rsp;
	uint8_t entry[XENCAN_ENTRY];
	uint32_t n, total = 0;

	(void)state;
	for (unsigned round = 1; round <= 100; round++) {
		assert_int_equal(pv_ring_posted(&rx, &n), PV_RING_OK);
		assert_int_equal(n, 32);
		for (unsigned i = 0; i < round % 33; i++) {
			event.time = total + i;
			canif_encode_event(&event, entry);
			pv_ring_fill(&rx, entry);
		}
		pv_ring_push(&rx);
		for (; front_device_event(&device, &rsp) == FRONT_RING_OK; total++)
			assert_true(le64toh(rsp.time) == total);
		front_device_publish(&device);
	}
	assert_null(device.broken);
}

static void nothing_is_sent_before_start(void **state)
{
	struct canif_request rq;

	(void)state;
	assert_int_equal(front_device_room(&device), 0);
	front_device_publish(&device);
	assert_false(took(&rq));
	start();
	assert_int_equal(front_device_room(&device), 30);
	front_device_want(&device, false);
	assert_int_equal(front_device_room(&device), 0);
}

/* However full the ring is, STOP and START find their way. */
static void commands_find_room(void **state)
{
	struct canif_request rq;
	struct front_answer answered;
	unsigned n = 0;

	(void)state;
	start();
	while (front_device_room(&device)) {
		assert_true(send_id(n));
		n++;
	}
	assert_int_equal(n, 30);
	front_device_publish(&device);
	front_device_want(&device, false);
	front_device_publish(&device);
	front_device_want(&device, true);
	front_device_publish(&device);
	for (unsigned i = 0; i < n; i++) {
		assert_true(took(&rq));
		assert_int_equal(rq.op, CANIF_FRAME);
		assert_int_equal(rq.frame.can_id, i);
		answer(&rq, CAN_CANCELED);
	}
	assert_true(took(&rq) && rq.op == CANIF_STOP);
	answer(&rq, CAN_OK);
	/* A third one waits until one of two is answered. */
	front_device_want(&device, false);
	front_device_publish(&device);
	assert_false(front_device_settled(&device));
	assert_true(took(&rq) && rq.op == CANIF_START);
	answer(&rq, CAN_OK);
	assert_false(took(&rq));
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(front_device_answer(&device, &answered),
				 FRONT_RING_OK);
		assert_int_equal(answered.can_id, i);
		assert_int_equal(answered.status, XENCAN_CANCELED);
	}
	assert_int_equal(front_device_answer(&device, &answered), FRONT_RING_OK);
	assert_int_equal(front_device_answer(&device, &answered), FRONT_RING_OK);
	front_device_publish(&device);
	assert_true(took(&rq) && rq.op == CANIF_STOP);
	answer(&rq, CAN_OK);
	assert_int_equal(front_device_answer(&device, &answered), FRONT_RING_OK);
	assert_true(front_device_settled(&device));
}

static void restart_is_one_more_start(void **state)
{
	struct canif_request rq;

	(void)state;
	front_device_restart(&device); /* it is not to be started */
	front_device_publish(&device);
	assert_false(took(&rq));
	start();
	front_device_restart(&device);
	front_device_publish(&device);
	assert_true(took(&rq) && rq.op == CANIF_START);
	front_device_publish(&device);
	assert_false(took(&rq)); /* once */
}

/* Ids and indices over their wraps. */
static void a_long_life(void **state)
{
	struct front_answer answered;
	uint32_t sent = 0, got = 0;

	(void)state;
	start();
	while (sent < 3 * 65536) {
		for (unsigned i = 0; i < 29 && front_device_room(&device); i++)
			assert_true(send_id(sent++ & CAN_SFF_MASK));
		front_device_publish(&device);
		serve(CAN_OK);
		while (front_device_answer(&device, &answered) == FRONT_RING_OK)
			assert_int_equal(answered.can_id, got++ & CAN_SFF_MASK);
	}
	assert_null(device.broken);
	assert_int_equal(got, sent);
}

static void no_frame_is_not_sent(void **state)
{
	struct canfd_frame frame = {.can_id = CAN_ERR_FLAG | 1, .len = 8};
	struct canif_request rq;

	(void)state;
	start();
	assert_false(front_device_send(&device, &frame));
	front_device_publish(&device);
	assert_false(took(&rq));
}

/* -- Hostile --------------------------------------------------------------- */

static void broken(const char *why)
{
	struct front_answer answered;
	struct xencan_rx_rsp rsp;

	assert_non_null(device.broken);
	if (!strstr(device.broken, why))
		fail_msg("\"%s\", not \"%s\"", device.broken, why);
	assert_int_equal(front_device_answer(&device, &answered), FRONT_RING_BROKEN);
	assert_int_equal(front_device_event(&device, &rsp), FRONT_RING_BROKEN);
	assert_int_equal(front_device_room(&device), 0);
	assert_false(front_device_publish(&device));
	assert_false(front_device_rest(&device));
}

/* Each id but the right one, each operation, each status. */
static void hostile_answers(void **state)
{
	struct front_answer answered;
	unsigned sound = 0;

	for (uint32_t what = 0; what < 65536 + 256 + 256; what++) {
		struct xencan_tx_rsp rsp = {.id = 0};
		struct canif_request rq;
		bool good;

		fresh(state);
		start();
		assert_true(send_id(0x123));
		front_device_publish(&device);
		assert_true(took(&rq));
		rsp.id = htole16(what < 65536 ? (uint16_t)what : rq.id);
		rsp.operation = what >= 65536 && what < 65536 + 256
					? (uint8_t)(what - 65536)
					: XENCAN_OP_FRAME;
		rsp.status = what >= 65536 + 256 ? (uint8_t)(what - 65792) : XENCAN_OK;
		pv_ring_put(&tx, &rsp, sizeof(rsp));
		pv_ring_push(&tx);
		good = le16toh(rsp.id) == rq.id && rsp.operation == XENCAN_OP_FRAME &&
		       rsp.status < FRONT_STATUSES;
		assert_int_equal(front_device_answer(&device, &answered),
				 good ? FRONT_RING_OK : FRONT_RING_BROKEN);
		sound += good;
		if (!good)
			broken(what >= 65536 + 256 ? "status" : "another request");
	}
	assert_int_equal(sound, 1 + 1 + FRONT_STATUSES);
}

static void put_event(uint16_t id, uint8_t type, uint8_t state)
{
	struct xencan_rx_rsp rsp = {.id = htole16(id), .type = type};
	uint32_t one = 1;

	rsp.u.state.state = state;
	memcpy(pages[1] + 64, &rsp, sizeof(rsp));
	memcpy(pages[1] + 8, &one, 4); /* rsp_prod */
}

static void hostile_events(void **state)
{
	struct xencan_rx_rsp rsp;

	for (unsigned id = 0; id < 65536; id++) {
		fresh(state);
		put_event((uint16_t)id, XENCAN_RX_FRAME, 0);
		assert_int_equal(front_device_event(&device, &rsp),
				 id ? FRONT_RING_BROKEN : FRONT_RING_OK);
		if (id)
			broken("another slot");
	}
	for (unsigned type = 0; type < 256; type++) {
		for (unsigned in = 0; in < 256; in++) {
			bool good =
				type <= XENCAN_RX_LOST &&
				(type != XENCAN_RX_STATE || in <= XENCAN_STATE_DOWN);

			fresh(state);
			put_event(0, (uint8_t)type, (uint8_t)in);
			assert_int_equal(front_device_event(&device, &rsp),
					 good ? FRONT_RING_OK : FRONT_RING_BROKEN);
			if (!good)
				broken(type > XENCAN_RX_LOST ? "no kind" : "state");
		}
	}
}

static void hostile_indices(void **state)
{
	for (unsigned ring = 0; ring < 2; ring++) {
		for (unsigned bit = 6; bit < 32; bit++) {
			struct front_answer answered;
			struct xencan_rx_rsp rsp;
			uint32_t prod = 1u << bit;

			fresh(state);
			memcpy(pages[ring] + 8, &prod, 4);
			assert_true(front_device_rest(&device)); /* do not sleep */
			assert_int_equal(ring ? front_device_event(&device, &rsp)
					      : front_device_answer(&device, &answered),
					 FRONT_RING_BROKEN);
			broken("more answers than requests");
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(slots_are_all_posted, fresh),
		cmocka_unit_test_setup(nothing_is_sent_before_start, fresh),
		cmocka_unit_test_setup(commands_find_room, fresh),
		cmocka_unit_test_setup(restart_is_one_more_start, fresh),
		cmocka_unit_test_setup(a_long_life, fresh),
		cmocka_unit_test_setup(no_frame_is_not_sent, fresh),
		cmocka_unit_test_setup(hostile_answers, fresh),
		cmocka_unit_test_setup(hostile_events, fresh),
		cmocka_unit_test_setup(hostile_indices, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
