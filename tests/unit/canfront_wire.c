/* SPDX-License-Identifier: MIT */
/* backends/can/cmd/front-wire.c: against the back end's decoder, and what a hostile
 * back end may write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <endian.h>
#include <linux/can/error.h>

#include "backends/can/can-frame.h"
#include "backends/can/canif-decode.h"
#include "backends/can/cmd/front-wire.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct canfd_frame frame_of(canid_t id, uint8_t flags, uint8_t len)
{
	struct canfd_frame frame = {.can_id = id, .flags = flags, .len = len};

	for (unsigned i = 0; i < len && i < CANFD_MAX_DLEN; i++)
		frame.data[i] = (uint8_t)(i * 37 + 1);
	return frame;
}

/* Each form of frame, out and in again by way of the back end. */
static void through_the_back_end(const struct canfd_frame *frame)
{
	struct xencan_tx_req req = {.operation = XENCAN_OP_FRAME};
	struct canfd_frame want = *frame, got;
	struct canif_request rq;
	struct can_event event = {.kind = CAN_EVENT_FRAME};
	uint8_t entry[XENCAN_ENTRY];
	struct xencan_rx_rsp rsp;

	can_frame_fill(&want);
	assert_true(front_wire_encode(frame, &req.frame));
	memcpy(entry, &req, sizeof(req));
	assert_int_equal(canif_decode(entry, &rq), CANIF_GOOD);
	assert_true(can_frame_ok(&rq.frame));
	assert_true(can_frame_same(&rq.frame, &want));

	event.frame = rq.frame;
	canif_encode_event(&event, entry);
	memcpy(&rsp, entry, sizeof(rsp));
	memset(&got, 0xa5, sizeof(got));
	assert_true(front_wire_decode(&rsp.u.frame, &got));
	assert_memory_equal(&got, &want, sizeof(got));
}

static void frames_of_each_form(void **state)
{
	static const canid_t ids[] = {0,
				      0x7ff,
				      0x123,
				      CAN_EFF_FLAG,
				      CAN_EFF_FLAG | 0x7ff,
				      CAN_EFF_FLAG | CAN_EFF_MASK,
				      CAN_RTR_FLAG | 0x123,
				      CAN_RTR_FLAG | CAN_EFF_FLAG | 0x12345678};
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT(ids); i++) {
		for (uint8_t flags = 0; flags < 8; flags++) {
			for (uint8_t len = 0; len <= 64; len++) {
				struct canfd_frame f = frame_of(ids[i], flags, len);

				if (!can_frame_ok(&f))
					continue;
				through_the_back_end(&f);
				n++;
			}
		}
	}
	assert_int_equal(n, 8 * 9 + 6 * 4 * 65);
}

static void what_is_no_frame(void **state)
{
	static const struct {
		canid_t id;
		uint8_t flags, len;
	} rows[] = {
		{CAN_ERR_FLAG | CAN_ERR_BUSOFF, 0, 8},
		{0x800, 0, 0},
		{0x123, 0, 9},
		{CAN_RTR_FLAG, CANFD_FDF, 0},
		{0x123, CANFD_BRS, 8},
		{0x123, CANFD_FDF, 65},
		{CAN_EFF_FLAG | CAN_ERR_FLAG, 0, 0},
	};
	struct xencan_frame out, before;

	(void)state;
	memset(&out, 0x5a, sizeof(out));
	before = out;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct canfd_frame f = frame_of(rows[i].id, rows[i].flags, rows[i].len);

		assert_false(front_wire_encode(&f, &out));
		assert_memory_equal(&out, &before, sizeof(out));
	}
}

/* Flags that only a program can have set say nothing to a controller. */
static void unknown_flags_are_dropped(void **state)
{
	struct canfd_frame f = frame_of(0x123, CANFD_FDF | 0xf8, 12);
	struct xencan_frame out;

	(void)state;
	assert_true(front_wire_encode(&f, &out));
	assert_int_equal(le16toh(out.flags), XENCAN_FRAME_FD);
}

static struct xencan_frame wire_of(uint32_t id, uint16_t flags, uint16_t length)
{
	struct xencan_frame wire = {htole32(id), htole16(flags), htole16(length), {0}};

	memset(wire.data, 0xee, sizeof(wire.data));
	return wire;
}

/* Each flag word, each length that matters, each kind of identifier: what is accepted
 * is a frame, and no byte behind its data is the back end's. */
static void hostile_frames(void **state)
{
	static const uint32_t ids[] = {0,	   0x7ff,      0x800,	  0x1fffffff,
				       0x20000000, 0x80000123, UINT32_MAX};
	static const uint16_t lengths[] = {0, 1, 8, 9, 12, 63, 64, 65, 72, 2048, 65535};
	struct canfd_frame out;
	unsigned accepted = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT(ids); i++) {
		for (unsigned k = 0; k < COUNT(lengths); k++) {
			for (uint32_t flags = 0; flags <= UINT16_MAX; flags++) {
				struct xencan_frame wire =
					wire_of(ids[i], (uint16_t)flags, lengths[k]);

				if (!front_wire_decode(&wire, &out))
					continue;
				accepted++;
				if (!can_frame_ok(&out) || lengths[k] > 64 ||
				    flags >= XENCAN_FRAME_OWN ||
				    (ids[i] != (out.can_id & CAN_EFF_MASK)))
					fail_msg("id %x flags %x length %u", ids[i],
						 flags, lengths[k]);
				for (unsigned b = lengths[k]; b < 64; b++)
					assert_int_equal(out.data[b], 0);
			}
		}
	}
	/* standard ids 2, extended 4; classic 3 lengths twice (data, remote), FD 7
	 * lengths with BRS and ESI */
	assert_int_equal(accepted, (2 + 4) * (3 * 2 + 7 * 4));
}

static void an_odd_length_is_filled_up(void **state)
{
	struct xencan_frame wire = wire_of(1, XENCAN_FRAME_FD, 9);
	struct canfd_frame out;

	(void)state;
	assert_true(front_wire_decode(&wire, &out));
	assert_int_equal(out.len, 12);
	assert_int_equal(out.data[8], 0xee);
	assert_int_equal(out.data[9], 0);
}

static const struct {
	unsigned before, after;
	uint16_t tx, rx;
	canid_t classes; /* 0: no error frame */
	uint8_t detail;
} states[] = {
	{XENCAN_STATE_STOPPED, XENCAN_STATE_ACTIVE, 0, 0, 0, 0},
	{XENCAN_STATE_ACTIVE, XENCAN_STATE_ACTIVE, 0, 0, 0, 0},
	{XENCAN_STATE_BUS_OFF, XENCAN_STATE_STOPPED, 0, 0, 0, 0},
	{XENCAN_STATE_ACTIVE, XENCAN_STATE_WARNING, 96, 3, CAN_ERR_CRTL | 0x200,
	 CAN_ERR_CRTL_TX_WARNING},
	{XENCAN_STATE_ACTIVE, XENCAN_STATE_WARNING, 3, 97, CAN_ERR_CRTL | 0x200,
	 CAN_ERR_CRTL_RX_WARNING},
	{XENCAN_STATE_WARNING, XENCAN_STATE_PASSIVE, 128, 128, CAN_ERR_CRTL | 0x200,
	 CAN_ERR_CRTL_TX_PASSIVE | CAN_ERR_CRTL_RX_PASSIVE},
	{XENCAN_STATE_WARNING, XENCAN_STATE_PASSIVE, XENCAN_COUNTER_UNKNOWN, 0,
	 CAN_ERR_CRTL, CAN_ERR_CRTL_TX_PASSIVE | CAN_ERR_CRTL_RX_PASSIVE},
	{XENCAN_STATE_PASSIVE, XENCAN_STATE_ACTIVE, 1, 1, CAN_ERR_CRTL | 0x200,
	 CAN_ERR_CRTL_ACTIVE},
	{XENCAN_STATE_PASSIVE, XENCAN_STATE_BUS_OFF, 300, 0, CAN_ERR_BUSOFF | 0x200, 0},
	{XENCAN_STATE_ACTIVE, XENCAN_STATE_DOWN, XENCAN_COUNTER_UNKNOWN,
	 XENCAN_COUNTER_UNKNOWN, CAN_ERR_BUSOFF, 0},
	{XENCAN_STATE_BUS_OFF, XENCAN_STATE_ACTIVE, 0, 0, CAN_ERR_RESTARTED | 0x200, 0},
	{XENCAN_STATE_DOWN, XENCAN_STATE_ACTIVE, XENCAN_COUNTER_UNKNOWN,
	 XENCAN_COUNTER_UNKNOWN, CAN_ERR_RESTARTED, 0},
	{XENCAN_STATE_STOPPED, XENCAN_STATE_BUS_OFF, 0, 0, CAN_ERR_BUSOFF | 0x200, 0},
};

static void states_are_error_frames(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(states); i++) {
		struct xencan_rx_state wire = {
			.state = (uint8_t)states[i].after,
			.tx_errors = htole16(states[i].tx),
			.rx_errors = htole16(states[i].rx),
		};
		struct canfd_frame out = {.can_id = 0};
		bool told = front_wire_state(states[i].before, &wire, &out);

		assert_int_equal(told, !!states[i].classes);
		if (!told)
			continue;
		assert_int_equal(out.can_id, CAN_ERR_FLAG | states[i].classes);
		assert_int_equal(out.data[1], states[i].detail);
		assert_int_equal(out.len, CAN_ERR_DLC);
		assert_int_equal(out.flags, 0);
		if (states[i].classes & 0x200)
			assert_int_equal(out.data[6],
					 states[i].tx > 255 ? 255 : states[i].tx);
	}
}

static void errors_keep_what_is_known(void **state)
{
	struct xencan_rx_error wire = {
		.classes = htole32(CAN_ERR_PROT | CAN_ERR_ACK | 0xfffffe00),
		.data = {1, 2, 3, 4, 5, 6, 7, 8},
	};
	static const uint8_t data[8] = {1, 2, 3, 4, 5};
	struct canfd_frame out;

	(void)state;
	assert_true(front_wire_error(&wire, &out));
	assert_int_equal(out.can_id, CAN_ERR_FLAG | CAN_ERR_PROT | CAN_ERR_ACK);
	assert_memory_equal(out.data, data, 8);
	wire.classes = htole32(0xfffffe00);
	assert_false(front_wire_error(&wire, &out));
	front_wire_lost(&out);
	assert_int_equal(out.can_id, CAN_ERR_FLAG | CAN_ERR_CRTL);
	assert_int_equal(out.data[1], CAN_ERR_CRTL_RX_OVERFLOW);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_each_form),
		cmocka_unit_test(what_is_no_frame),
		cmocka_unit_test(unknown_flags_are_dropped),
		cmocka_unit_test(hostile_frames),
		cmocka_unit_test(an_odd_length_is_filled_up),
		cmocka_unit_test(states_are_error_frames),
		cmocka_unit_test(errors_keep_what_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
