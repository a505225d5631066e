/* SPDX-License-Identifier: MIT */
/* backends/can/can-frame.c: which frames there are, and what they occupy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/can/can-frame.h"

#define EFF CAN_EFF_FLAG
#define RTR CAN_RTR_FLAG

/* The rules once more, said otherwise: one reason after the other. */
static bool expect_ok(uint32_t can_id, unsigned flags, unsigned len)
{
	uint32_t id = can_id & 0x1fffffff;

	if (can_id & CAN_ERR_FLAG)
		return false;
	if (!(can_id & EFF) && id > 0x7ff)
		return false;
	if (flags & ~7u)
		return false;
	if (flags & 4)
		return len <= 64 && !(can_id & RTR);
	return len <= 8 && !(flags & 3);
}

static void every_form(void **state)
{
	static const uint32_t ids[] = {0, 0x7ff, 0x800, 0x1fffffff};

	(void)state;
	for (unsigned i = 0; i < 4 * 8; i++) {
		uint32_t can_id = ids[i / 8] | (i % 8) << 29;

		for (unsigned j = 0; j < 256 * 256; j++) {
			const struct canfd_frame frame = {
				.can_id = can_id,
				.len = (uint8_t)(j / 256),
				.flags = (uint8_t)j,
			};

			if (can_frame_ok(&frame) != expect_ok(can_id, j % 256, j / 256))
				fail_msg("%x, %u bytes, flags %x", can_id, j / 256,
					 j % 256);
		}
	}
}

static void filled(void **state)
{
	static const struct {
		canid_t can_id;
		uint8_t flags, len, to, kept;
	} rows[] = {
		{0x123, 0, 0, 0, 0},	      {0x123, 0, 8, 8, 8},
		{0x123, 0, 3, 3, 3},	      {0x123 | RTR, 0, 8, 8, 0},
		{0x123, CANFD_FDF, 0, 0, 0},  {0x123, CANFD_FDF, 8, 8, 8},
		{0x123, CANFD_FDF, 9, 12, 9}, {0x123, CANFD_FDF, 12, 12, 12},
		{0, CANFD_FDF, 13, 16, 13},   {0, CANFD_FDF, 17, 20, 17},
		{0, CANFD_FDF, 21, 24, 21},   {0, CANFD_FDF, 24, 24, 24},
		{0, CANFD_FDF, 25, 32, 25},   {0, CANFD_FDF, 32, 32, 32},
		{0, CANFD_FDF, 33, 48, 33},   {0, CANFD_FDF, 48, 48, 48},
		{0, CANFD_FDF, 49, 64, 49},   {0, CANFD_FDF, 64, 64, 64},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct canfd_frame frame;

		memset(&frame, 0xaa, sizeof(frame));
		frame.can_id = rows[i].can_id;
		frame.flags = rows[i].flags;
		frame.len = rows[i].len;
		can_frame_fill(&frame);
		assert_int_equal(frame.len, rows[i].to);
		assert_int_equal(frame.can_id, rows[i].can_id);
		assert_int_equal(frame.flags, rows[i].flags);
		assert_int_equal(frame.__res0 | frame.__res1, 0);
		for (unsigned b = 0; b < sizeof(frame.data); b++)
			assert_int_equal(frame.data[b], b < rows[i].kept ? 0xaa : 0);
	}
}

static void sameness(void **state)
{
	const struct canfd_frame a = {
		.can_id = 0x123, .flags = CANFD_FDF, .len = 12, .data = {1, 2, 3}};
	struct canfd_frame b = a;

	(void)state;
	assert_true(can_frame_same(&a, &b));
	b.data[12] = 1; /* behind the data */
	assert_true(can_frame_same(&a, &b));
	b.data[11] = 1;
	assert_false(can_frame_same(&a, &b));
	b = a;
	b.can_id |= EFF;
	assert_false(can_frame_same(&a, &b));
	b = a;
	b.flags |= CANFD_BRS;
	assert_false(can_frame_same(&a, &b));
	b = a;
	b.len = 16;
	assert_false(can_frame_same(&a, &b));
}

/* -- On the wire ----------------------------------------------------------------------
 */

/* The most bits that @n become, by doing it: five equal ones, and then a change after
 * every four, of which the stuffed bit makes five again. */
static uint32_t stuffed(uint32_t n)
{
	uint32_t bits = 0, run = 0;
	int level = -1, bit = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (i >= 5 ? (i - 5) % 4 == 0 : i == 0)
			bit = !bit;
		bits++;
		run = bit == level ? run + 1 : 1;
		level = bit;
		if (run == 5) { /* a bit of the other level follows, and counts */
			bits++;
			level = !level;
			run = 1;
		}
	}
	return bits;
}

/* Field by field, as ISO 11898-1 has a frame. */
static uint32_t classic_bits(bool extended, uint32_t bytes)
{
	uint32_t sof = 1, base = 11, rtr = 1, ide = 1, r0 = 1, dlc = 4, crc = 15;
	uint32_t srr = extended, extension = extended ? 18 : 0, r1 = extended;
	uint32_t del = 1, ack = 2, eof = 7, space = 3;

	return stuffed(sof + base + srr + ide + extension + rtr + r1 + r0 + dlc +
		       bytes * 8 + crc) +
	       del + ack + eof + space;
}

/* Before the count of stuff bits, and after every four bits of it and of the check sum,
 * stands a fixed one. */
static uint32_t fd_bits(bool extended, uint32_t bytes)
{
	uint32_t sof = 1, base = 11, rrs = 1, ide = 1, fdf = 1, res = 1, brs = 1,
		 esi = 1, dlc = 4;
	uint32_t srr = extended, extension = extended ? 18 : 0;
	uint32_t checked = 4 + (bytes <= 16 ? 17 : 21), fixed = 1 + (checked - 1) / 4;
	uint32_t del = 1, ack = 2, eof = 7, space = 3;

	return stuffed(sof + base + srr + ide + extension + rrs + fdf + res + brs +
		       esi + dlc + bytes * 8) +
	       checked + fixed + del + ack + eof + space;
}

static uint32_t wire(canid_t can_id, unsigned flags, unsigned len)
{
	const struct canfd_frame frame = {
		.can_id = can_id, .flags = (uint8_t)flags, .len = (uint8_t)len};

	return can_wire_bytes(&frame);
}

static uint32_t up(uint32_t bits)
{
	return (bits + 7) / 8;
}

static void wire_bytes(void **state)
{
	static const uint8_t fd[] = {0, 1,  2,	3,  4,	5,  6,	7,
				     8, 12, 16, 20, 24, 32, 48, 64};

	(void)state;
	for (uint32_t n = 0; n <= 8; n++) {
		assert_int_equal(wire(0x123, 0, n), up(classic_bits(false, n)));
		assert_int_equal(wire(EFF | 0x123, 0, n), up(classic_bits(true, n)));
		assert_int_equal(wire(RTR | 0x123, 0, n), up(classic_bits(false, 0)));
		assert_int_equal(wire(EFF | RTR, 0, n), up(classic_bits(true, 0)));
	}
	for (unsigned i = 0; i < sizeof(fd); i++) {
		for (unsigned n = i ? fd[i - 1] + 1u : 0; n <= fd[i]; n++) {
			assert_int_equal(wire(1, CANFD_FDF, n),
					 up(fd_bits(false, fd[i])));
			assert_int_equal(wire(EFF | 1, CANFD_FDF | CANFD_BRS, n),
					 up(fd_bits(true, fd[i])));
		}
	}
}

/* Sums that are well known. */
static void wire_known(void **state)
{
	(void)state;
	assert_int_equal(classic_bits(false, 8), 135);
	assert_int_equal(classic_bits(true, 8), 160);
	assert_int_equal(classic_bits(false, 0), 55);
	assert_int_equal(wire(0x123, 0, 8), 17);
	assert_int_equal(wire(EFF, 0, 8), 20);
}

static void wire_of_no_frame(void **state)
{
	(void)state;
	assert_int_equal(wire(0x800, 0, 8), 7);
	assert_int_equal(wire(0, 0, 65), 7);
	assert_int_equal(wire(CAN_ERR_FLAG | EFF, 0, 8), 7);
	assert_int_equal(wire(RTR, CANFD_FDF, 64), 7);
	assert_int_equal(wire(0, 0, 0), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form), cmocka_unit_test(filled),
		cmocka_unit_test(sameness),   cmocka_unit_test(wire_bytes),
		cmocka_unit_test(wire_known), cmocka_unit_test(wire_of_no_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
