/* SPDX-License-Identifier: MIT */
/* systemd/cmd/rates.c, numbers.c and unit.c: what is made of figures and of lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "systemd/cmd/rates.h"
#include "systemd/cmd/unit.h"

static struct numbers look(const char *members)
{
	static struct numbers numbers;
	char text[1024];

	snprintf(text, sizeof(text),
		 "{\"seq\":1,\"who\":\"a\",\"pid\":7,\"state\":\"b\",%s\"end\":1}",
		 members);
	assert_true(numbers_parse(&numbers, text, strlen(text)));
	return numbers;
}

static void rates(void **state)
{
	struct numbers a = look("\"requests\":100,\"errors\":1,\"read_bytes\":4096,"
				"\"write_bytes\":0,\"busy\":1,\"read_us\":[0,9],");
	struct numbers b = look("\"requests\":300,\"errors\":4,\"read_bytes\":8192,"
				"\"write_bytes\":4096,\"busy\":5,"
				"\"read_us\":[0,9,50,0,1],\"write_us\":[0,49],");
	struct rates r;

	(void)state;
	rates_between(&a, &b, 2 * CLOCK_SECOND, &r);
	assert_true(r.known);
	assert_int_equal(r.operations, 100);
	assert_int_equal(r.bytes, 4096);
	assert_int_equal(r.errors, 3);
	assert_int_equal(r.busy, 5);
	assert_int_equal(r.half, 4);
	assert_int_equal(r.most, 16);
	/* another process, a look that failed, no time, and a liar that goes back */
	b.pid = 8;
	rates_between(&a, &b, CLOCK_SECOND, &r);
	assert_false(r.known);
	b.pid = 7;
	rates_between(&(struct numbers){.there = false}, &b, CLOCK_SECOND, &r);
	assert_false(r.known);
	rates_between(&a, &b, 0, &r);
	assert_false(r.known);
	rates_between(&b, &a, CLOCK_SECOND, &r);
	assert_true(r.known);
	assert_int_equal(r.operations + r.bytes + r.errors + r.half + r.most, 0);
}

static void quantiles(void **state)
{
	struct histogram h = {.bucket = {0}};

	(void)state;
	assert_int_equal(latency_quantile(&h, 500), 0);
	h.bucket[0] = 1;
	assert_int_equal(latency_quantile(&h, 500), 1);
	assert_int_equal(latency_quantile(&h, 1000), 1);
	h.bucket[3] = 98;
	h.bucket[HISTOGRAM_BUCKETS - 1] = 1;
	assert_int_equal(latency_quantile(&h, 5), 1);
	assert_int_equal(latency_quantile(&h, 500), 8);
	assert_int_equal(latency_quantile(&h, 989), 8);
	assert_int_equal(latency_quantile(&h, 999), UINT64_MAX);
	h.bucket[3] = INT64_MAX;
	h.bucket[4] = INT64_MAX;
	h.bucket[5] = INT64_MAX; /* the sum wraps */
	latency_quantile(&h, 500);
}

static void words(void **state)
{
	static const struct {
		uint64_t n;
		const char *text;
	} rows[] = {
		{0, "0"},	   {9999, "9999"},	  {10000, "10.0k"},
		{99940, "99.9k"},  {123456, "123k"},	  {999999, "1000k"},
		{1000000, "1.0M"}, {UINT64_MAX, "18.4E"},
	};
	char out[12];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(rates_short(rows[i].n, out), rows[i].text);
	assert_string_equal(rates_latency(0, out), "-");
	assert_string_equal(rates_latency(64, out), "<64us");
	assert_string_equal(rates_latency(2048, out), "<2ms");
	assert_string_equal(rates_latency(1 << 25, out), "<34s");
	assert_string_equal(rates_latency(UINT64_MAX, out), ">=33s");
}

static struct unit units[4];
static unsigned taken;

static void take(void *to, const struct unit *unit)
{
	assert_ptr_equal(to, &taken);
	assert_in_range(taken, 0, 3);
	units[taken++] = *unit;
}

static unsigned parse(const char *text)
{
	char copy[4096];

	strcpy(copy, text);
	taken = 0;
	return units_parse(copy, 100000000, 1000, take, &taken);
}

static void parses(void **state)
{
	(void)state;
	assert_int_equal(
		parse("MainPID=12\nNRestarts=3\nId=xdd-blk-domain@a_b.service\n"
		      "ActiveState=active\nActiveEnterTimestampMonotonic=40000000\n"
		      "StatusText=a=b\tc\n\nId=xdd-keeper@x\\x2dy.service\n"
		      "ActiveState=failed\nActiveEnterTimestampMonotonic=40000000\n"
		      "NeedDaemonReload=yes\n"),
		0);
	assert_int_equal(taken, 2);
	assert_string_equal(units[0].role, "blk-domain");
	assert_string_equal(units[0].instance, "a_b");
	assert_string_equal(units[0].status, "a=b?c");
	assert_int_equal(units[0].pid, 12);
	assert_int_equal(units[0].restarts, 3);
	assert_int_equal(units[0].since, 940);
	assert_string_equal(units[1].instance, "x\\x2dy");
	assert_int_equal(units[1].since, 0);
	assert_true(units[1].stale);
	assert_int_equal(parse(""), 0);
	assert_int_equal(taken, 0);
	assert_int_equal(parse("\n\n\n"), 0);
	assert_int_equal(taken, 0);
}

static void misfits(void **state)
{
	static const char *const lines[] = {
		"Id=xdd-@a.service\n",
		"Id=xdd-blk@.service\n",
		"Id=xdd-blk.service\n",
		"Id=sshd@a.service\n",
		"Id=xdd-blk@a\n",
		"MainPID=-1\n",
		"MainPID=99999999999\n",
		"NRestarts=\n",
		"ActiveState=Active\n",
		"ActiveState=aaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		"Result=a b\n",
		"NeedDaemonReload=maybe\n",
		"Odd=1\n",
		"no line",
		"=\n",
		"ActiveEnterTimestampMonotonic=99999999999999999999\n",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_int_equal(parse(lines[i]), 1);
	snprintf(text, sizeof(text), "Id=xdd-blk@%0160d.service\n", 1);
	assert_int_equal(parse(text), 1);
	assert_int_equal(taken, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),   cmocka_unit_test(quantiles),
		cmocka_unit_test(words),   cmocka_unit_test(parses),
		cmocka_unit_test(misfits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
