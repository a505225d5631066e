/* SPDX-License-Identifier: MIT */
/*
 * backends/displ/displ-edid.c: each field of what it makes, read as E-EDID 1.4 has it,
 * and timings as others have them (edid-decode --cvt, VESA's DMT).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/displ/displ-edid.h"

static uint8_t edid[DISPL_EDID_BLOCK];

static void make(uint32_t width, uint32_t height, const char *name)
{
	memset(edid, 0xee, sizeof(edid));
	assert_true(displ_edid_make((struct displ_size){width, height}, name, edid));
	assert_true(displ_edid_ok(edid, sizeof(edid)));
}

static bool makes(uint32_t width, uint32_t height)
{
	uint8_t out[DISPL_EDID_BLOCK];

	return displ_edid_make((struct displ_size){width, height}, "x", out);
}

/* -- The block ------------------------------------------------------------- */

static void monitor(void **state)
{
	static const uint8_t begins[] = {
		0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, /* header */
		0x60, 0x84,					/* XDD */
		0x01, 0x00, 0x00, 0x00, 0x00, 0x00,		/* model, no serial */
		0xff, 35,					/* the model of 2025 */
		1,    4,					/* version */
		0xa0, 0,    0,	  120,	0x06, /* digital, no size, gamma, features */
		0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54, /* sRGB */
		0,    0,    0,				     /* established: none */
		1,    1,    1,	  1,	1,    1,    1,	  1, /* standard: none */
		1,    1,    1,	  1,	1,    1,    1,	  1,
	};
	static const uint8_t spare[18] = {0, 0, 0, 0x10};
	uint8_t sum = 0;

	(void)state;
	make(1920, 1080, "Virtual-1");
	assert_int_equal(sizeof(begins), 54);
	assert_memory_equal(edid, begins, sizeof(begins));
	assert_memory_equal(edid + 108, spare, sizeof(spare));
	assert_int_equal(edid[126], 0);
	for (unsigned i = 0; i < sizeof(edid); i++)
		sum = (uint8_t)(sum + edid[i]);
	assert_int_equal(sum, 0);
}

/* A detailed timing, as one reads it. */
struct read_timing {
	uint32_t clock; /* 10 kHz */
	uint32_t h_active, h_blank, h_front, h_sync, h_mm, h_border;
	uint32_t v_active, v_blank, v_front, v_sync, v_mm, v_border;
	uint8_t flags;
};

static struct read_timing timing(void)
{
	const uint8_t *d = edid + 54;

	return (struct read_timing){
		.clock = d[0] + 256u * d[1],
		.h_active = d[2] + 16u * (d[4] & 0xf0),
		.h_blank = d[3] + 256u * (d[4] & 0x0f),
		.v_active = d[5] + 16u * (d[7] & 0xf0),
		.v_blank = d[6] + 256u * (d[7] & 0x0f),
		.h_front = d[8] + 4u * (d[11] & 0xc0),
		.h_sync = d[9] + 16u * (d[11] & 0x30),
		.v_front = d[10] / 16u + 4u * (d[11] & 0x0c),
		.v_sync = (d[10] & 0x0fu) + 16u * (d[11] & 0x03),
		.h_mm = d[12] + 16u * (d[14] & 0xf0),
		.v_mm = d[13] + 256u * (d[14] & 0x0f),
		.h_border = d[15],
		.v_border = d[16],
		.flags = d[17],
	};
}

static const struct row {
	uint32_t width, height;
	uint32_t clock; /* 10 kHz */
	uint32_t v_sync, v_back;
	uint8_t h_khz, mhz; /* limits: from this one on to the next, up to tens */
} rows[] = {
	{1920, 1080, 13850, 5, 23, 66, 14}, {3840, 2160, 53325, 5, 54, 133, 54},
	{2560, 1600, 26850, 6, 37, 98, 27}, {1280, 1024, 9100, 7, 20, 63, 10},
	{1024, 768, 5600, 4, 15, 47, 6},    {1360, 768, 7200, 5, 14, 47, 8},
	{1366, 768, 7225, 5, 14, 47, 8},    {1600, 1200, 13025, 4, 28, 74, 14},
	{800, 480, 2850, 7, 6, 29, 3},	    {1080, 1920, 14675, 10, 42, 118, 15},
	{1920, 720, 9225, 10, 8, 44, 10},   {4088, 2300, 60300, 5, 58, 141, 61},
};

static void timings(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct read_timing t;

		make(row->width, row->height, "x");
		t = timing();
		assert_int_equal(t.clock, row->clock);
		assert_int_equal(t.h_active, row->width);
		assert_int_equal(t.h_blank, 160);
		assert_int_equal(t.h_front, 48);
		assert_int_equal(t.h_sync, 32);
		assert_int_equal(t.v_active, row->height);
		assert_int_equal(t.v_blank, 3 + row->v_sync + row->v_back);
		assert_int_equal(t.v_front, 3);
		assert_int_equal(t.v_sync, row->v_sync);
		assert_int_equal(t.h_mm + t.v_mm + t.h_border + t.v_border, 0);
		assert_int_equal(t.flags, 0x1a);
	}
}

static void limits(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t h = rows[i].h_khz;
		const uint8_t want[18] = {0,	       0,   0,
					  0xfd,	       0,   59,
					  60,	       h,   (uint8_t)(h + 1),
					  rows[i].mhz, 1,   '\n',
					  ' ',	       ' ', ' ',
					  ' ',	       ' ', ' '};

		make(rows[i].width, rows[i].height, "x");
		assert_memory_equal(edid + 90, want, sizeof(want));
	}
}

static void names(void **state)
{
	static const struct {
		const char *name, *is;
	} cases[] = {
		{"Virtual-1", "Virtual-1\n   "},
		{"", "\n            "},
		{"twelve chars", "twelve chars\n"},
		{"thirteen char", "thirteen char"},
		{"fourteen chars", "fourteen char"},
		{"caf\xc3\xa9\n~", "caf???~\n     "},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static const uint8_t begins[5] = {0, 0, 0, 0xfc, 0};

		make(1920, 1080, cases[i].name);
		assert_memory_equal(edid + 72, begins, 5);
		assert_memory_equal(edid + 77, cases[i].is, 13);
	}
}

/* What its fields can hold, and the first that they cannot. */
static void bounds(void **state)
{
	static const uint8_t untouched[DISPL_EDID_BLOCK];
	uint8_t out[DISPL_EDID_BLOCK] = {0};

	(void)state;
	assert_true(makes(DISPL_SIZE_MIN, DISPL_SIZE_MIN));
	assert_true(makes(4095, 64));
	assert_true(makes(64, 4095));
	assert_false(makes(4096, 64));
	assert_false(makes(64, 4096));
	assert_false(makes(0, 64));
	assert_false(makes(64, 0));
	/* 655.35 MHz is not a multiple of 0.25: 655.25 and 655.5. */
	make(4095, 2496, "x");
	assert_int_equal(timing().clock, 65525);
	assert_false(makes(4095, 2497));
	assert_false(makes(DISPL_SIZE_MAX, DISPL_SIZE_MAX));
	assert_false(displ_edid_make((struct displ_size){4095, 2497}, "x", out));
	assert_memory_equal(out, untouched, sizeof(out));
}

/* -- A file ---------------------------------------------------------------- */

static uint8_t file[257 * DISPL_EDID_BLOCK];

static void fill(unsigned extensions)
{
	make(1920, 1080, "x");
	memset(file, 0, sizeof(file));
	memcpy(file, edid, sizeof(edid));
	file[126] = (uint8_t)extensions;
	file[127] = (uint8_t)(edid[127] - extensions);
	for (unsigned i = 1; i <= extensions; i++) {
		file[i * DISPL_EDID_BLOCK] = 2;
		file[i * DISPL_EDID_BLOCK + 127] = 0xfe;
	}
}

static void files(void **state)
{
	(void)state;
	for (unsigned n = 0; n < DISPL_EDID_BLOCKS_MAX; n++) {
		fill(n);
		assert_true(displ_edid_ok(file, (n + 1) * DISPL_EDID_BLOCK));
		assert_false(displ_edid_ok(file, n * DISPL_EDID_BLOCK));
		assert_false(displ_edid_ok(file, (n + 2) * DISPL_EDID_BLOCK));
	}
	fill(255);
	assert_false(displ_edid_ok(file, 256 * DISPL_EDID_BLOCK - 1));
	/* 257 blocks of which it says, in 8 bits, that there is one. */
	fill(0);
	assert_false(displ_edid_ok(file, sizeof(file)));
	assert_false(displ_edid_ok(file, 0));
	assert_false(displ_edid_ok(file, 127));
}

/* Any byte of any block; and of the header even where the sum is right. */
static void broken(void **state)
{
	(void)state;
	fill(2);
	for (unsigned i = 0; i < 3 * DISPL_EDID_BLOCK; i++) {
		file[i] ^= 0x40;
		assert_false(displ_edid_ok(file, 3 * DISPL_EDID_BLOCK));
		file[i] ^= 0x40;
	}
	for (unsigned i = 0; i < 8; i++) {
		file[i]++;
		file[127]--;
		assert_false(displ_edid_ok(file, 3 * DISPL_EDID_BLOCK));
		file[i]--;
		file[127]++;
	}
	assert_true(displ_edid_ok(file, 3 * DISPL_EDID_BLOCK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(monitor), cmocka_unit_test(timings),
		cmocka_unit_test(limits),  cmocka_unit_test(names),
		cmocka_unit_test(bounds),  cmocka_unit_test(files),
		cmocka_unit_test(broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
