/* SPDX-License-Identifier: MIT */
/*
 * T-XS at the keeper: floods of watch events, keys that are no numbers, each
 * request of a keeper's failing in each way, and forty keepers that lose
 * xenstored, or get their clients back, all at once.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/hostile/herd.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void tally(const char *name, uint64_t n, const char *what)
{
	printf("tally: %s %" PRIu64 " %s\n", name, n, what);
	fflush(stdout);
}

static long resident_pages(void)
{
	long size, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &size, &resident), 2);
	fclose(f);
	return resident;
}

/* @n keepers whose devices are there, all connected. */
static void up(unsigned n)
{
	herd_init(n);
	for (unsigned i = 0; i < n; i++)
		herd_attach(i);
	assert_true(herd_until(herd_all_connected, 20 * CLOCK_SECOND) <
		    20 * CLOCK_SECOND);
}

/* -- T-XS-1 ------------------------------------------------------------------ */

#define FLOOD 1000000u

/* [utest->req~watches-are-coalesced~1] */
static void t_xs_1_a_million_writes(void **state)
{
	struct wire_message m;
	long before;

	(void)state;
	up(1);
	herd_serve(0); /* and reads nothing */
	herd_run(CLOCK_SECOND);
	before = resident_pages();
	herd_count(CLOCK_MS);
	for (unsigned i = 0; i < FLOOD; i++) {
		herd_set(herd_front(0, "state"), i % 2 ? "4" : "5", 1);
		if (i % 100 == 99)
			herd_run(100 * CLOCK_US);
	}
	/* In that second: no more than a scan each 20 ms, of six questions. */
	assert_true(herd.requests <= 51 * 6);
	assert_true(herd_busiest() <= 6);
	/* What is kept of a write is less than any allocation would be; the rest is
	 * code that is touched for the first time, and a sanitizer's shadow. */
	assert_true((resident_pages() - before) * getpagesize() < 8 * FLOOD);
	/* And no more than one word of it waits for the back end. */
	assert_true(recv(herd.peer[0], &m, sizeof(m), MSG_DONTWAIT) > 0);
	assert_true(recv(herd.peer[0], &m, sizeof(m), MSG_DONTWAIT) < 0);
	herd_set(herd_front(0, "state"), "6", 1);
	herd_run(CLOCK_SECOND);
	while (recv(herd.peer[0], &m, sizeof(m), MSG_DONTWAIT) > 0)
		assert_int_equal(m.header.type, WIRE_STATUS);
	assert_int_equal(m.status.front, 6); /* the last one is what counts */
	tally("T-XS-1", FLOOD, "writes of a front end's state");
	tally("T-XS-1", herd.requests, "requests they made us send");
	herd_fini();
}

/* -- T-XS-3 ------------------------------------------------------------------ */

static char huge[4096];

#define TEXT(s) s, sizeof(s) - 1

static const struct {
	const char *text;
	size_t len;
	int64_t number; /* -1: it is none */
} values[] = {
	{TEXT("0"), 0},
	{TEXT("1"), 1},
	{TEXT("6"), 6},
	{TEXT("9"), 9},
	{TEXT("4294967295"), 4294967295},
	{TEXT("4294967296"), -1},
	{TEXT("4294967304"), -1}, /* 8, were it cut to 32 bits */
	{TEXT("18446744073709551624"), -1},
	{TEXT("340282366920938463463374607431768211464"), -1},
	{TEXT(""), -1},
	{TEXT(" 8"), -1},
	{TEXT("8 "), -1},
	{TEXT("8\n"), -1},
	{TEXT("\t8"), -1},
	{TEXT("08"), -1},
	{TEXT("00"), -1},
	{TEXT("+8"), -1},
	{TEXT("-8"), -1},
	{TEXT("-4294967288"), -1},
	{TEXT("0x8"), -1},
	{TEXT("8h"), -1},
	{TEXT("8.0"), -1},
	{TEXT("8e0"), -1},
	{TEXT("8,9"), -1},
	{TEXT("\0"), -1},
	{TEXT("8\0"), -1},
	{TEXT("8\0009"), -1},
	{TEXT("\x38\xc2\xa0"), -1},
	{TEXT("\xef\xbc\x98"), -1}, /* a wide 8 */
	{TEXT("%n%n%s%s"), -1},
	{TEXT("%99999999d"), -1},
	{TEXT("/local/domain/0/name"), -1},
	{TEXT("../../../0/name"), -1},
	{TEXT("8\",\"x\":\"y"), -1},
	{huge, 255, -1},
	{huge, 256, -1},
	{huge, sizeof(huge), -1},
};

static void call_key(struct wire_message *m, unsigned type, const char *key)
{
	memset(m, 0, sizeof(*m));
	if (type == WIRE_MAP_RING) {
		m->map_ring.n = 1;
		strcpy(m->map_ring.key[0], key);
	} else if (type == WIRE_READ) {
		strcpy(m->read.key, key);
	} else {
		strcpy(m->name.key, key);
	}
}

/* A number by which something is mapped or bound. */
static void number_key(unsigned type, const char *key, unsigned v, size_t body)
{
	static struct wire_message m;
	uint64_t registered = herd.registered;
	int want = values[v].number < 0 ? WIRE_ABSENT : WIRE_OK;

	herd_set(herd_front(0, key), values[v].text, values[v].len);
	herd_count(CLOCK_MS);
	call_key(&m, type, key);
	assert_int_equal(herd_call(0, &m, type, body), want);
	assert_int_equal(herd.requests, 1); /* it is read once */
	assert_int_equal(herd.stray, 0);
	if (want == WIRE_ABSENT) {
		assert_int_equal(herd.registered, registered);
	} else if (type == WIRE_MAP_RING) {
		assert_int_equal(herd.last_ref, values[v].number);
		memset((char *)&m.unmap, 0, sizeof(m.unmap));
		m.unmap.id = herd.keeper[0]->maps.high ? m.mapped.id : 0;
	} else {
		assert_int_equal(herd.last_port, values[v].number);
		herd.last_port = 0;
	}
}

/* [utest->req~keeper-numbers-are-strict~1] */
static void t_xs_3_keys_of_numbers(void **state)
{
	static struct wire_message m;
	uint64_t done = 0;

	(void)state;
	memset(huge, '8', sizeof(huge));
	up(1);
	for (unsigned v = 0; v < COUNT(values); v++, done += 2) {
		herd_serve(0); /* what the one before held is given back */
		number_key(WIRE_MAP_RING, "ring-ref", v, sizeof(m.map_ring));
		number_key(WIRE_BIND, "event-channel", v, sizeof(m.name));
	}
	assert_true(herd.keeper[0]->peer.fd >= 0);
	tally("T-XS-3", done, "values of a keeper's number keys");
	herd_fini();
}

static void t_xs_3_keys_of_text(void **state)
{
	static const char *const keys[] = {"protocol", "feature-persistent", "state",
					   "ring-page-order"};
	static struct wire_message m;
	uint64_t done = 0;

	(void)state;
	memset(huge, '8', sizeof(huge));
	up(1);
	herd_serve(0);
	for (unsigned v = 0; v < COUNT(values); v++) {
		bool fits = values[v].len <= 255 &&
			    !memchr(values[v].text, 0, values[v].len);

		for (unsigned k = 0; k < COUNT(keys); k++, done++) {
			herd_set(herd_front(0, keys[k]), values[v].text, values[v].len);
			herd_run(CLOCK_SECOND);
			herd_count(CLOCK_MS);
			call_key(&m, WIRE_READ, keys[k]);
			assert_int_equal(herd_call(0, &m, WIRE_READ, sizeof(m.read)),
					 fits ? WIRE_OK : WIRE_TOO_LONG);
			if (fits)
				assert_memory_equal(m.value.value, values[v].text,
						    values[v].len);
			assert_int_equal(herd.requests, 1);
			assert_int_equal(herd.stray, 0);
		}
		/* The state, as the keeper read it. */
		assert_int_equal(herd.keeper[0]->device.seen.number[DEVICE_FRONT],
				 values[v].number < 0 ? 0 : values[v].number);
	}
	tally("T-XS-3", done, "values of a keeper's text keys");
	herd_fini();
}

/* A back end names the key; what is no plain name is refused unread.
 * [utest->req~keeper-reads-the-numbers~1] [utest->req~keys-are-of-the-device~1] */
static void t_xs_3_names_of_keys(void **state)
{
	static const char *const names[] = {
		"../../2/name",
		"/local/domain/0/name",
		"a//b",
		"",
		"ring-ref/",
		"ring ref",
		"ring-ref\n",
		"%s",
		"A",
		"ring-ref.",
		"~",
		"-/../x",
		"state%n",
		"\x01",
	};
	static const unsigned types[] = {WIRE_MAP_RING, WIRE_BIND, WIRE_READ};
	static struct wire_message m;
	size_t bodies[] = {sizeof(m.map_ring), sizeof(m.name), sizeof(m.read)};
	uint64_t done = 0;

	(void)state;
	up(1);
	herd_serve(0);
	for (unsigned n = 0; n < COUNT(names); n++) {
		for (unsigned t = 0; t < COUNT(types); t++, done++) {
			herd_count(CLOCK_MS);
			call_key(&m, types[t], names[n]);
			assert_int_equal(herd_call(0, &m, types[t], bodies[t]),
					 WIRE_REFUSED);
			assert_int_equal(herd.requests, 0);
		}
	}
	tally("T-XS-3", done, "names that are no keys");
	herd_fini();
}

/* -- T-XS-4 ------------------------------------------------------------------ */

#define BOUND (120 * CLOCK_SECOND) /* 30 s without an answer come first */

static const struct fault {
	enum herd_fault fault;
	const char *error;
	bool final; /* it may be taken for an answer: no such key, too long a value;
		       not of a watch: that there are too many will pass */
} faults[] = {
	{HERD_ERROR, "EQUOTA", false}, {HERD_ERROR, "ENOSPC", false},
	{HERD_ERROR, "EAGAIN", false}, {HERD_ERROR, "ENOMEM", false},
	{HERD_ERROR, "EBUSY", false},  {HERD_ERROR, "EIO", false},
	{HERD_ERROR, "EROFS", false},  {HERD_ERROR, "", false},
	{HERD_ERROR, "EEXIST", true},  {HERD_ERROR, "E2BIG", true},
	{HERD_ERROR, "ENOENT", true},  {HERD_ERROR, "EACCES", true},
	{HERD_ERROR, "EINVAL", true},  {HERD_SILENT, NULL, false},
	{HERD_LOST, NULL, false},      {HERD_OVERSIZED, NULL, false},
	{HERD_STRANGE, NULL, false},
};

/* From nothing to a connected device, whose ring a back end then maps. The
 * @n-th request fails; false: there are not so many. */
static bool fails_at(const struct fault *f, unsigned n, uint64_t *requests)
{
	static struct wire_message m;
	uint64_t took;
	bool met, final;
	int r;

	herd_init(1);
	herd.fault = f->fault;
	herd.error = f->error;
	herd.fault_at = n;
	herd_attach(0);
	took = herd_until(herd_all_connected, BOUND);
	final = f->final && herd.fault_type != XS_TYPE_WATCH;
	if (final && took == BOUND) { /* the next device is none the worse */
		herd_detach(0);
		herd_run(5 * CLOCK_SECOND);
		herd_attach(0);
		took = herd_until(herd_all_connected, BOUND);
	}
	if (took == BOUND)
		fail_msg("not connected after %s (%u) at request %u", f->error,
			 f->fault, n);
	herd_serve(0);
	call_key(&m, WIRE_MAP_RING, "ring-ref");
	r = herd_call(0, &m, WIRE_MAP_RING, sizeof(m.map_ring));
	met = !herd.fault_at;
	if (r == WIRE_LATE || (final && r)) { /* the back end asks again */
		herd_run(40 * CLOCK_SECOND);
		call_key(&m, WIRE_MAP_RING, "ring-ref");
		r = herd_call(0, &m, WIRE_MAP_RING, sizeof(m.map_ring));
	}
	assert_int_equal(r, WIRE_OK);
	*requests = herd.requests;
	assert_int_equal(herd.stray, 0);
	herd_fini();
	return met;
}

/* [utest->req~xenstored-is-bounded~1] */
static void t_xs_4_the_nth_request_fails(void **state)
{
	uint64_t done = 0, usual, requests;

	(void)state;
	assert_false(fails_at(&faults[0], 100000, &usual));
	for (unsigned f = 0; f < COUNT(faults); f++) {
		unsigned n = 1;

		for (; fails_at(&faults[f], n, &requests); n++, done++)
			assert_true(requests <= 3 * usual + 60);
		assert_true(n > 15);
	}
	tally("T-XS-4", done, "requests of a keeper failed");
}

/* What fails as long as it lasts is not asked again and again. */
static void t_xs_4_all_requests_fail(void **state)
{
	static const char *const errors[] = {"EQUOTA", "EAGAIN", "ENOMEM", "ENOSPC"};
	uint64_t done = 0;

	(void)state;
	for (unsigned e = 0; e < COUNT(errors); e++) {
		up(1);
		herd.fault = HERD_ERROR;
		herd.error = errors[e];
		herd_count(CLOCK_SECOND);
		device_write(herd.keeper[0], "info", "0");
		herd_set(herd_front(0, "state"), "5", 1);
		for (unsigned s = 0; s < 600; s++) {
			herd.fault_at = 1;
			herd_run(100 * CLOCK_MS);
		}
		/* One question and one write that are asked again, at most ten of
		 * them a second at first, and later one in six. */
		assert_true(herd_busiest() <= 15);
		assert_true(herd.requests <= 150);
		done += herd.requests;
		herd.fault_at = 0;
		herd_run(15 * CLOCK_SECOND);
		assert_string_equal(herd_get(herd_back(0, "info")), "0");
		assert_int_equal(herd.keeper[0]->device.seen.number[DEVICE_FRONT], 5);
		herd_fini();
	}
	tally("T-XS-4", done, "requests in four minutes of refusals");
}

/* -- Forty at once ------------------------------------------------------------- */

static bool all_back(void)
{
	for (unsigned i = 0; i < herd.n; i++) {
		const struct device *d = &herd.keeper[i]->device;

		if (!d->answered || !d->watching || !d->watched[0] || d->due ||
		    d->ask.busy)
			return false;
	}
	return herd_all_connected();
}

static void t_xs_4_forty_lose_xenstored(void **state)
{
	static const uint64_t away[] = {CLOCK_MS, 200 * CLOCK_MS, 5 * CLOCK_SECOND,
					60 * CLOCK_SECOND};

	(void)state;
	for (unsigned a = 0; a < COUNT(away); a++) {
		uint64_t opens, took;

		up(HERD_MAX);
		herd_run(3 * CLOCK_SECOND + a * 123456789);
		opens = herd.opens;
		herd_lose();
		herd_run(away[a]);
		/* While it is away each tries once a second. */
		assert_true(herd.opens - opens <=
			    HERD_MAX * (away[a] / CLOCK_SECOND + 1));
		herd.away = false;
		herd_count(10 * CLOCK_MS);
		took = herd_until(all_back, 10 * CLOCK_SECOND);
		printf("# forty lose xenstored for %5llu ms: back after %llu ms, "
		       "%llu requests, at most %u in 10 ms\n",
		       (unsigned long long)(away[a] / CLOCK_MS),
		       (unsigned long long)(took / CLOCK_MS),
		       (unsigned long long)herd.requests, herd_busiest());
		assert_true(took < 3 * CLOCK_SECOND);
		assert_true(herd.requests <= HERD_MAX * 15);
		/* It can serve 200 in that time; in step they would ask for all. */
		assert_true(herd_busiest() <= 50);
		tally("T-XS-4", HERD_MAX, "keepers lost xenstored at once");
		herd_fini();
	}
}

static void t_xs_4_forty_get_their_clients_back(void **state)
{
	uint64_t took;

	(void)state;
	up(HERD_MAX);
	herd_run(3 * CLOCK_SECOND);
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < HERD_MAX; i++)
			herd_detach(i);
		herd_run(2 * CLOCK_SECOND);
		herd_count(10 * CLOCK_MS);
		for (unsigned i = 0; i < HERD_MAX; i++)
			herd_attach(i);
		took = herd_until(herd_all_connected, 10 * CLOCK_SECOND);
		printf("# forty clients come back: connected after %llu ms, "
		       "%llu requests, at most %u in 10 ms\n",
		       (unsigned long long)(took / CLOCK_MS),
		       (unsigned long long)herd.requests, herd_busiest());
		assert_true(took < 2 * CLOCK_SECOND);
		assert_true(herd.requests <= HERD_MAX * 60);
	}
	tally("T-XS-4", 5 * HERD_MAX, "devices came back at once");
	herd_fini();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_xs_1_a_million_writes),
		cmocka_unit_test(t_xs_3_keys_of_numbers),
		cmocka_unit_test(t_xs_3_keys_of_text),
		cmocka_unit_test(t_xs_3_names_of_keys),
		cmocka_unit_test(t_xs_4_the_nth_request_fails),
		cmocka_unit_test(t_xs_4_all_requests_fail),
		cmocka_unit_test(t_xs_4_forty_lose_xenstored),
		cmocka_unit_test(t_xs_4_forty_get_their_clients_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
