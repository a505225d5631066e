/* SPDX-License-Identifier: MIT */
/*
 * The cases that a client can play on real Xen, against its own disk:
 *
 *   xdd-hostile-front DEVICE CASE...	"51728 requests indices"
 *
 * Each begins with a device in any state, prints "ok - T-..." lines, and leaves it
 * connected. That nobody else noticed is for the control script to see.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/hostile/front-xen.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define STORM_MS 5000

static bool refused(void)
{
	int status;

	evil_push();
	status = evil_answer();
	return status == -1 || status == -2;
}

/* -- Requests, references ---------------------------------------------------------- */

static bool bad_segments(const struct page *page)
{
	static const uint8_t rows[][3] = {{0, 0, 7},	{12, 0, 7}, {255, 0, 7},
					  {1, 1, 0},	{1, 0, 8},  {1, 8, 8},
					  {1, 255, 255}};
	bool good = true;

	for (unsigned i = 0; i < COUNT(rows); i++) {
		uint8_t *e = evil_rw(WRITE, 0, page, rows[i][0]);

		e[28] = rows[i][1];
		e[29] = rows[i][2];
		good &= refused();
	}
	return good;
}

static bool bad_ranges(const struct page *page)
{
	const uint64_t sectors[] = {us.sectors, us.sectors - 7, 1ull << 55,
				    1ull << 63, UINT64_MAX,	UINT64_MAX - 7};
	bool good = true;

	for (unsigned i = 0; i < COUNT(sectors); i++) {
		evil_rw(WRITE, sectors[i], page, 1);
		good &= refused();
		evil_rw(READ, sectors[i], page, 1);
		good &= refused();
		memcpy(evil_entry(DISCARD, i) + 16, &sectors[i], 8);
		good &= refused();
	}
	return good;
}

static bool bad_operations(const struct page *page)
{
	bool good = true;

	for (unsigned op = 0; op < 256; op++) {
		uint8_t *e = evil_entry((uint8_t)op, op);

		memset(e + 1, 0xff, 7);
		memset(e + 16, 0xff, ENTRY - 16);
		good &= refused();
	}
	for (unsigned n = 0; n < 65279; n += n < 4 ? 1 : 13001) {
		uint16_t n16 = (uint16_t)(n ? n + 256 : 0);
		uint8_t *e = evil_entry(INDIRECT, n);

		e[1] = n % 2 ? WRITE : INDIRECT;
		memcpy(e + 2, &n16, 2);
		memcpy(e + 28, &page->ref, 4);
		good &= refused();
	}
	return good;
}

static void requests(void)
{
	bool up = evil_connect();
	struct page page = evil_page(us.backend, false);

	up = up && page.at;
	evil_check(up && bad_segments(&page), "T-BLK-1 segments that are wrong");
	evil_check(up && bad_ranges(&page), "T-BLK-1 ranges that are not on the disk");
	evil_check(up && bad_operations(&page), "T-BLK-1 operations that are none");
	evil_check(up && evil_serves(), "T-BLK-1 and the disk serves on");
}

static void references(void)
{
	bool up = evil_connect(), good = true;
	struct page own = evil_page(us.backend, false);
	struct page foreign = evil_page(0, false);
	struct page readable = evil_page(us.backend, true);
	const uint32_t refs[] = {0, 1, 7, 30000, 60000, 1u << 24, 1u << 31, UINT32_MAX};

	up = up && own.at && foreign.at && readable.at;
	for (unsigned i = 0; up && i < COUNT(refs); i++) {
		struct page page = {.ref = refs[i]};

		evil_rw(WRITE, 0, &page, 1);
		good &= refused();
		evil_rw(READ, 0, &page, 11);
		good &= refused();
	}
	evil_check(up && good,
		   "T-GNT-4 references that are free, reserved, out of range");
	if (up)
		evil_rw(READ, 0, &foreign, 1);
	evil_check(up && refused(), "T-GNT-4 a page of another domain's");
	if (up)
		evil_rw(READ, 0, &readable, 1);
	evil_check(up && refused(), "T-GNT-4 a readable page to be written");
	if (up)
		evil_rw(WRITE, 0, &us.ring, 1);
	evil_check(up && refused(), "T-GNT-4 the ring's own page as data");
	evil_check(up && evil_serves(), "T-GNT-4 and the disk serves on");
}

/* -- Indices, states, keys ------------------------------------------------------- */

static void indices(void)
{
	static const uint32_t jumps[] = {33, 1000, 1u << 31, (uint32_t)-1,
					 (uint32_t)-32};
	bool broken = true, reasons = true, serves = true;

	for (unsigned i = 0; i < COUNT(jumps); i++) {
		if (!evil_connect() || !evil_serves()) {
			serves = false;
			break;
		}
		us.req_prod += jumps[i];
		evil_push();
		broken &= evil_wait(6);
		reasons &= evil_back_has("xdd-reason");
	}
	evil_check(broken, "T-RING-2 indices that cannot be close the device");
	evil_check(reasons, "T-RING-2 with a reason in xenstore");
	evil_check(serves && evil_connect() && evil_serves(),
		   "T-RING-2 and it can be connected again");
}

static void keys(void)
{
	static char huge[1500];
	static const struct {
		const char *key, *value;
	} rows[] = {
		{"ring-ref", ""},
		{"ring-ref", "-8"},
		{"ring-ref", "0x8"},
		{"ring-ref", "99999999999"},
		{"ring-ref", "60000"},
		{"ring-ref", "%n%n%n"},
		{"ring-ref", huge},
		{"event-channel", "0"},
		{"event-channel", "4294967295"},
		{"event-channel", " 1"},
		{"event-channel", "../../0"},
		{"protocol", "x86_16-abi"},
		{"protocol", huge},
		{"ring-page-order", "31"},
		{"ring-page-order", "-1"},
	};
	unsigned closed = 0;

	memset(huge, '8', sizeof(huge) - 1);
	for (unsigned i = 0; i < COUNT(rows); i++) {
		if (!evil_heal() || !evil_offer())
			break;
		evil_key(rows[i].key, rows[i].value, strlen(rows[i].value));
		evil_number("state", 3);
		closed += evil_wait(6);
	}
	evil_check(closed == COUNT(rows),
		   "T-XS-3 keys that are not what they should be");
	evil_check(evil_connect() && evil_serves(),
		   "T-XS-3 and it can be connected again");
}

static void states(void)
{
	static const char *const values[] = {"1", "2", "3", "4", "5", "6", "7",
					     "8", "0", "9", "",	 "x", "-1"};
	uint32_t seed = 1;

	if (evil_connect()) {
		for (unsigned i = 0; i < 3000; i++) {
			const char *v;

			seed = seed * 1664525u + 1013904223u;
			v = values[(seed >> 16) % COUNT(values)];
			evil_key("state", seed >> 29 ? v : NULL, strlen(v));
			if (seed >> 27 == 5)
				usleep(20000);
		}
	}
	evil_check(evil_connect() && evil_serves(), "T-XS-2 a state that flaps");
}

static void writes(void)
{
	uint64_t end = evil_ms() + STORM_MS, n = 0;
	bool up = evil_connect();

	for (; up && evil_ms() < end; n++)
		evil_number("state", n % 2 ? 4 : 7);
	evil_number("state", 4);
	printf("tally: T-XS-1 %llu writes on real Xen\n", (unsigned long long)n);
	evil_check(up && evil_serves(), "T-XS-1 a flood of writes");
}

/* -- Storms, ends ----------------------------------------------------------------- */

static void events(void)
{
	bool up = evil_connect();
	uint64_t end = evil_ms() + STORM_MS, n = 0;

	for (; up && evil_ms() < end; n += 64) {
		for (unsigned i = 0; i < 64; i++)
			evil_notify();
	}
	printf("tally: T-EVT-1 %llu events on real Xen\n", (unsigned long long)n);
	evil_check(up && evil_serves(), "T-EVT-1 a storm of events");
}

static void noise(void)
{
	bool up = evil_connect();
	uint64_t end = evil_ms() + STORM_MS, n = 0;
	int status = -2;

	while (up && status < 0 && evil_ms() < end) {
		for (unsigned i = 0; i < ENTRIES; i++)
			evil_entry((uint8_t)(100 + i), i);
		evil_push();
		for (unsigned i = 0; i < ENTRIES && status < 0; i++, n++)
			status = evil_answer();
	}
	printf("tally: T-RES-3 %llu malformed requests on real Xen\n",
	       (unsigned long long)n);
	evil_check(up && status < 0 && evil_serves(), "T-RES-3 a flood of the log");
}

/* Connected and left, with requests under way, as fast as it goes; the last time
 * without a word. */
static void ends(void)
{
	struct page page = evil_page(us.backend, false);
	unsigned i, rounds = 20;

	for (i = 0; i < rounds && page.at && evil_connect(); i++) {
		for (unsigned k = 0; k < ENTRIES; k++)
			evil_rw(k % 2 ? WRITE : READ, k * 8, &page, 1);
		evil_push();
	}
	evil_check(i == rounds, "T-GNT-3 connected and left with requests under way");
	printf("tally: T-GNT-3 %u connections on real Xen\n", rounds);
	fflush(stdout);
	if (!us.failed)
		_exit(0);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{"requests", requests}, {"references", references}, {"indices", indices},
	{"keys", keys},		{"states", states},	    {"writes", writes},
	{"events", events},	{"noise", noise},	    {"ends", ends},
};

int main(int argc, char **argv)
{
	if (argc < 3 || !evil_open(argv[1])) {
		fprintf(stderr, "usage: xdd-hostile-front DEVICE CASE...\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		unsigned c = 0;

		while (c < COUNT(cases) && strcmp(cases[c].name, argv[i]))
			c++;
		if (c == COUNT(cases)) {
			fprintf(stderr, "no case %s\n", argv[i]);
			return 2;
		}
		cases[c].run();
	}
	return us.failed;
}
