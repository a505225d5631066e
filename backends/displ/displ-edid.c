/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/displ/displ-edid.h"
#include "backends/displ/displ-timing.h"

#define CLOCK_UNIT   10000 /* Hz, of a detailed timing */
#define FIELD_MAX    4095
#define CLOCK_MAX    (65535ull * CLOCK_UNIT)
#define CLOCK_LIMITS 10000000 /* Hz, of the range limits */

/* Places in the block (section 3). */
enum {
	AT_MAKER = 8,
	AT_MODEL = 10,
	AT_YEAR = 16,
	AT_VERSION = 18,
	AT_DISPLAY = 20,
	AT_COLOURS = 25,
	AT_STANDARD = 38,
	AT_TIMING = 54,
	AT_NAME = 72,
	AT_LIMITS = 90,
	AT_SPARE = 108,
	AT_EXTENSIONS = 126,
	AT_SUM = 127,
	TEXT = 5, /* within a descriptor */
};

static const uint8_t header[8] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
/* sRGB's (section 3.7): red, green, blue, white. */
static const uint8_t colours[10] = {0xee, 0x91, 0xa3, 0x54, 0x4c,
				    0x99, 0x26, 0x0f, 0x50, 0x54};

/* -- The block ------------------------------------------------------------- */

/* Section 3.10.2. */
static void put_timing(uint8_t *at, const struct displ_timing *t)
{
	uint32_t clock = (uint32_t)(t->clock / CLOCK_UNIT);
	uint32_t v_blank = t->v_total - t->v_active;

	at[0] = (uint8_t)clock;
	at[1] = (uint8_t)(clock >> 8);
	at[2] = (uint8_t)t->h_active;
	at[3] = (uint8_t)DISPL_TIMING_H_BLANK;
	at[4] = (uint8_t)(t->h_active >> 8 << 4 | DISPL_TIMING_H_BLANK >> 8);
	at[5] = (uint8_t)t->v_active;
	at[6] = (uint8_t)v_blank;
	at[7] = (uint8_t)(t->v_active >> 8 << 4 | v_blank >> 8);
	at[8] = DISPL_TIMING_H_FRONT;
	at[9] = DISPL_TIMING_H_SYNC;
	at[10] = (uint8_t)(DISPL_TIMING_V_FRONT << 4 | t->v_sync);
	/* 11 to 16: no upper bits of these, no size in mm, no border. */
	at[17] = 0x1a; /* digital, separate syncs: horizontal +, vertical - */
}

/* Section 3.10.3: a descriptor that is no timing. */
static void put_descriptor(uint8_t *at, uint8_t tag)
{
	at[3] = tag;
}

/* Section 3.10.3.4. */
static void put_name(uint8_t *at, const char *name)
{
	size_t n = strnlen(name, DISPL_EDID_NAME_MAX);

	put_descriptor(at, 0xfc);
	memset(at + TEXT, ' ', DISPL_EDID_NAME_MAX);
	for (size_t i = 0; i < n; i++)
		at[TEXT + i] =
			name[i] >= ' ' && name[i] <= '~' ? (uint8_t)name[i] : '?';
	if (n < DISPL_EDID_NAME_MAX)
		at[TEXT + n] = '\n';
}

/* Section 3.10.3.3.1: around the one timing. */
static void put_limits(uint8_t *at, const struct displ_timing *t)
{
	uint64_t lines = t->clock / t->h_total;		/* a second */
	uint32_t rate = (uint32_t)(lines / t->v_total); /* rounded down */

	put_descriptor(at, 0xfd);
	at[5] = (uint8_t)rate;
	at[6] = (uint8_t)(rate + 1);
	at[7] = (uint8_t)(lines / 1000);
	at[8] = (uint8_t)(lines / 1000 + 1);
	at[9] = (uint8_t)((t->clock + CLOCK_LIMITS - 1) / CLOCK_LIMITS);
	at[10] = 0x01; /* no formula for others */
	at[11] = '\n';
	memset(at + 12, ' ', 6);
}

static void put_sum(uint8_t *block)
{
	uint8_t sum = 0;

	for (unsigned i = 0; i < AT_SUM; i++)
		sum = (uint8_t)(sum + block[i]);
	block[AT_SUM] = (uint8_t)-sum;
}

/* Sections 3.4 to 3.9. */
static void put_monitor(uint8_t *block)
{
	memcpy(block, header, sizeof(header));
	block[AT_MAKER] = ('X' - '@') << 2 | ('D' - '@') >> 3;
	block[AT_MAKER + 1] = (('D' - '@') & 7) << 5 | ('D' - '@');
	block[AT_MODEL] = 1;
	block[AT_YEAR] = 0xff; /* the model's, from 1990 on */
	block[AT_YEAR + 1] = 2025 - 1990;
	block[AT_VERSION] = 1;
	block[AT_VERSION + 1] = 4;
	block[AT_DISPLAY] = 0xa0;     /* digital, 8 bits of a colour */
	block[AT_DISPLAY + 3] = 120;  /* gamma 2.2; before it: its size is not known */
	block[AT_DISPLAY + 4] = 0x06; /* sRGB; its first timing is its own */
	memcpy(block + AT_COLOURS, colours, sizeof(colours));
	memset(block + AT_STANDARD, 0x01, AT_TIMING - AT_STANDARD); /* none */
}

bool displ_edid_make(struct displ_size size, const char *name,
		     uint8_t out[DISPL_EDID_BLOCK])
{
	struct displ_timing timing;

	if (!size.width || !size.height || size.width > FIELD_MAX ||
	    size.height > FIELD_MAX)
		return false;
	timing = displ_timing_reduced(size);
	if (timing.clock > CLOCK_MAX)
		return false;
	memset(out, 0, DISPL_EDID_BLOCK);
	put_monitor(out);
	put_timing(out + AT_TIMING, &timing);
	put_name(out + AT_NAME, name);
	put_limits(out + AT_LIMITS, &timing);
	put_descriptor(out + AT_SPARE, 0x10);
	put_sum(out);
	return true;
}

/* -- A file ---------------------------------------------------------------- */

bool displ_edid_ok(const uint8_t *bytes, size_t n)
{
	size_t blocks = n / DISPL_EDID_BLOCK;

	if (!n || n % DISPL_EDID_BLOCK || memcmp(bytes, header, sizeof(header)) ||
	    bytes[AT_EXTENSIONS] + (size_t)1 != blocks)
		return false;
	for (size_t i = 0; i < blocks; i++) {
		uint8_t sum = 0;

		for (unsigned j = 0; j < DISPL_EDID_BLOCK; j++)
			sum = (uint8_t)(sum + bytes[i * DISPL_EDID_BLOCK + j]);
		if (sum)
			return false;
	}
	return true;
}
