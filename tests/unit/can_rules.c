/* SPDX-License-Identifier: MIT */
/* backends/can/can-rules.c: lists of identifiers, and the host's filters from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/can/can-rules.h"

#define EFF CAN_EFF_FLAG

static struct can_rules parsed(const char *text)
{
	struct can_rules rules;

	if (!can_rules_parse(text, &rules))
		fail_msg("%s", text);
	return rules;
}

static void forms(void **state)
{
	static const struct {
		const char *text;
		struct can_rule rule;
	} rows[] = {
		{"123", {false, false, 0x123, 0x123}},
		{"7fF", {false, false, 0x7ff, 0x7ff}},
		{"00000123", {true, false, 0x123, 0x123}},
		{"1FFFFFFF", {true, false, 0x1fffffff, 0x1fffffff}},
		{"100-1ff", {false, false, 0x100, 0x1ff}},
		{"100-100", {false, false, 0x100, 0x100}},
		{"18da00f1-18daFFf1", {true, false, 0x18da00f1, 0x18dafff1}},
		{"123:7F0", {false, true, 0x123, 0x7f0}},
		{"123:000", {false, true, 0x123, 0}},
		{"18DA00F1:1FFF00FF", {true, true, 0x18da00f1, 0x1fff00ff}},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct can_rules rules = parsed(rows[i].text);

		assert_int_equal(rules.n, 1);
		assert_int_equal(rules.rule[0].extended, rows[i].rule.extended);
		assert_int_equal(rules.rule[0].masked, rows[i].rule.masked);
		assert_int_equal(rules.rule[0].first, rows[i].rule.first);
		assert_int_equal(rules.rule[0].last, rows[i].rule.last);
	}
	assert_int_equal(parsed("none").n, 0);
	assert_int_equal(parsed("123,456").n, 2);
	assert_int_equal(parsed("123 456").n, 2);
	assert_int_equal(parsed("123 ,  00000456, 700-7FF").n, 3);
}

static void wrong(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"12",
		"1234",
		"800",
		"20000000",
		"123456789",
		"0x123",
		"12g",
		"123-",
		"123-12",
		"200-100",
		"123:",
		"123:800",
		"123:1FFFFFFF",
		"123-00000200",
		"00000100-200",
		"12345678:DFFFFFFF",
		",123",
		"123,",
		"123,,456",
		"123, ",
		" 123",
		"123 ",
		"123;456",
		"all,123",
		"123 all",
		"none none",
		"All",
		"123-200-300",
		"123:700:600",
		"-123",
		"123\t456",
		"123:7F0-7FF",
		"all ",
	};
	struct can_rules rules, before;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		rules = before;
		if (can_rules_parse(texts[i], &rules))
			fail_msg("\"%s\"", texts[i]);
		assert_memory_equal(&rules, &before, sizeof(rules));
	}
}

/* @n entries, each another. */
static const char *list_of(unsigned n)
{
	static char text[1024];
	size_t used = 0;

	for (unsigned i = 0; i < n; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%03x",
					 i ? "," : "", 2 * i);
	return text;
}

static void as_many_as_there_are(void **state)
{
	struct can_rules rules;

	(void)state;
	assert_true(can_rules_parse(list_of(CAN_RULES_MAX), &rules));
	assert_int_equal(rules.n, CAN_RULES_MAX);
	assert_true(can_rules_pass(&rules, 2 * (CAN_RULES_MAX - 1)));
	assert_false(can_rules_parse(list_of(CAN_RULES_MAX + 1), &rules));
}

static void passing(void **state)
{
	static const struct {
		const char *text;
		canid_t can_id;
		bool passes;
	} rows[] = {
		{"none", 0, false},
		{"none", EFF, false},
		{"all", 0, true},
		{"all", 0x7ff, true},
		{"all", EFF, true},
		{"all", EFF | 0x1fffffff, true},
		{"123", 0x123, true},
		{"123", 0x123 | CAN_RTR_FLAG, true},
		{"123", 0x122, false},
		{"123", 0x124, false},
		{"123", 0x123 | EFF, false},
		{"00000123", 0x123, false},
		{"00000123", 0x123 | EFF, true},
		{"00000123", 0x123 | EFF | CAN_RTR_FLAG, true},
		{"100-1FF", 0x0ff, false},
		{"100-1FF", 0x100, true},
		{"100-1FF", 0x1ff, true},
		{"100-1FF", 0x200, false},
		{"100-1FF", 0x180 | EFF, false},
		{"123:7F0", 0x12f, true},
		{"123:7F0", 0x120, true},
		{"123:7F0", 0x130, false},
		{"123:7F0", 0x523, false},
		{"123:000", 0x7ff, true},
		{"123:000", EFF | 0x7ff, false},
		{"18DA00F1:1FFF00FF", EFF | 0x18da55f1, true},
		{"18DA00F1:1FFF00FF", EFF | 0x18da55f2, false},
		{"100,300", 0x300, true},
		{"100,300", 0x200, false},
		/* What has no identifier, or none of its format. */
		{"all", CAN_ERR_FLAG, false},
		{"all", CAN_ERR_FLAG | 0x123, false},
		{"all", CAN_ERR_FLAG | EFF, false},
		{"123:7FF", CAN_ERR_FLAG | 0x123, false},
		{"00000123:1FFFFFFF", CAN_ERR_FLAG | EFF | 0x123, false},
		{"000:000", 0x800, false},
		{"all", 0x800, false},
		{"all", 0x1fffffff, false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct can_rules rules = parsed(rows[i].text);

		if (can_rules_pass(&rules, rows[i].can_id) != rows[i].passes)
			fail_msg("%s, %x", rows[i].text, rows[i].can_id);
	}
}

static void text_again(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{"none", NULL},
		{"all", NULL},
		{"123", NULL},
		{"000-7FF", NULL},
		{"000-7FF,00000000-1FFFFFFF", "all"},
		{"00000000-1FFFFFFF,000-7FF", NULL},
		{"123-123", "123"},
		{"18da00f1:1fff00ff 7ab", "18DA00F1:1FFF00FF,7AB"},
		{"123:7FF", NULL},
		{"00000000:1FFFFFFF", NULL},
	};
	char text[1024];

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct can_rules rules = parsed(rows[i].from);

		can_rules_text(&rules, text, sizeof(text));
		assert_string_equal(text, rows[i].to ? rows[i].to : rows[i].from);
	}
}

/* Wherever it is cut off, an entry is whole, and as many are there as fit. */
static void text_cut_off(void **state)
{
	static const char whole[] = "123,456-789,12345678:1FFFFFFF,001";
	struct can_rules rules = parsed(whole);
	char text[64];

	(void)state;
	for (size_t size = sizeof("..."); size < sizeof(text) - 1; size++) {
		size_t kept, next;

		memset(text, 'x', sizeof(text));
		can_rules_text(&rules, text, size + 1);
		assert_true(strlen(text) <= size);
		assert_int_equal(text[size + 1], 'x');
		if (size >= strlen(whole)) {
			assert_string_equal(text, whole);
			continue;
		}
		kept = strlen(text) - strlen("...");
		assert_string_equal(text + kept, "...");
		assert_memory_equal(text, whole, kept);
		assert_true(!kept || whole[kept - 1] == ',');
		next = kept + strcspn(whole + kept, ",");
		assert_true(next + strlen(",...") > size);
	}
}

/* -- Filters -------------------------------------------------------------------------
 */

/* As the kernel does. */
static bool filters_pass(const struct can_filter *filter, uint32_t n, canid_t can_id)
{
	for (uint32_t i = 0; i < n; i++) {
		assert_false(filter[i].can_id & CAN_INV_FILTER);
		assert_false(filter[i].can_mask & CAN_ERR_FLAG);
		if (!((can_id ^ filter[i].can_id) & filter[i].can_mask))
			return true;
	}
	return false;
}

/* Never narrower; @exact: nor wider. All standard identifiers. */
static void compare_standard(const struct can_rules *rules,
			     const struct can_filter *filter, uint32_t n, bool exact)
{
	for (canid_t id = 0; id <= CAN_SFF_MASK; id++) {
		bool passes = can_rules_pass(rules, id);
		bool filtered = filters_pass(filter, n, id);

		if (passes && !filtered)
			fail_msg("%03x does not get here", id);
		if (exact && filtered && !passes)
			fail_msg("%03x gets here", id);
		assert_int_equal(filtered, filters_pass(filter, n, id | CAN_RTR_FLAG));
	}
}

static void compare_at(const struct can_rules *rules, const struct can_filter *filter,
		       uint32_t n, bool exact, uint32_t id)
{
	canid_t can_id = (id & CAN_EFF_MASK) | EFF;
	bool passes = can_rules_pass(rules, can_id);
	bool filtered = filters_pass(filter, n, can_id);

	assert_false(passes && !filtered);
	assert_false(exact && filtered && !passes);
}

static uint32_t seed = 1;

static uint32_t chance(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 3;
}

/* Extended ones are too many: the edges of all that is named, and some by chance. */
static void compare_extended(const struct can_rules *rules,
			     const struct can_filter *filter, uint32_t n, bool exact)
{
	for (uint32_t near = 0; near < 5; near++) {
		for (uint32_t i = 0; i < rules->n; i++) {
			compare_at(rules, filter, n, exact,
				   rules->rule[i].first + near - 2);
			compare_at(rules, filter, n, exact,
				   rules->rule[i].last + near - 2);
		}
		for (uint32_t i = 0; i < n; i++) {
			uint32_t free = ~filter[i].can_mask & CAN_EFF_MASK;

			compare_at(rules, filter, n, exact,
				   filter[i].can_id + near - 2);
			compare_at(rules, filter, n, exact,
				   (filter[i].can_id | free) + near - 2);
		}
	}
	for (uint32_t i = 0; i < 2000; i++)
		compare_at(rules, filter, n, exact, chance());
}

static void compare(const struct can_rules *rules, uint32_t max, bool exact)
{
	struct can_filter filter[CAN_FILTERS_MAX + 1];
	uint32_t n;

	memset(filter, 0xee, sizeof(filter));
	n = can_rules_filters(rules, filter, max);
	assert_true(n <= max);
	assert_int_equal(filter[max].can_id, 0xeeeeeeee);
	assert_true(n || !rules->n);
	compare_standard(rules, filter, n, exact);
	compare_extended(rules, filter, n, exact);
}

static void filters_exact(void **state)
{
	static const char *const texts[] = {
		"none",
		"all",
		"123",
		"7FF",
		"00000000",
		"1FFFFFFF",
		"123:7F0",
		"123:000",
		"18DA00F1:1FFF00FF",
		"001-7FE",
		"000-7FF",
		"100-1FF",
		"0FF-100",
		"00000001-1FFFFFFE",
		"123,00000456-00000789,7F0-7FF",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct can_rules rules = parsed(texts[i]);

		compare(&rules, CAN_FILTERS_MAX, true);
	}
}

/* All ranges there are, over a part of the identifiers, with as little room as can be.
 */
static void filters_of_every_range(void **state)
{
	struct can_rules rules = {.n = 1};
	struct can_filter filter[CAN_FILTERS_MAX];

	(void)state;
	for (uint32_t first = 0x3f0; first < 0x410; first++) {
		for (uint32_t last = first; last < 0x410; last++) {
			rules.rule[0] = (struct can_rule){false, false, first, last};
			for (uint32_t max = 1; max < 12; max++)
				compare_standard(&rules, filter,
						 can_rules_filters(&rules, filter, max),
						 false);
			compare_standard(&rules, filter,
					 can_rules_filters(&rules, filter, 20), true);
		}
	}
}

static void filters_with_little_room(void **state)
{
	static const uint32_t rooms[] = {1, 2, 63, 64, 65, 128, 500, 512};
	struct can_rules rules = {.n = CAN_RULES_MAX};

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < rules.n; i++) {
			bool extended = chance() & 1;
			uint32_t max = extended ? CAN_EFF_MASK : CAN_SFF_MASK;
			uint32_t a = chance() & max, b = chance() & max;

			rules.rule[i] = (struct can_rule){extended, !(chance() & 7),
							  a < b ? a : b, a < b ? b : a};
		}
		for (unsigned i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
			compare(&rules, rooms[i], false);
	}
}

static uint64_t filter_width(const struct can_filter *filter)
{
	return 1ull << __builtin_popcount(~filter->can_mask & CAN_EFF_MASK);
}

/* Long lists of long ranges: what passes beyond them is less than half as much. */
static void filters_are_narrow(void **state)
{
	struct can_filter filter[CAN_FILTERS_MAX];
	struct can_rules rules = {.n = CAN_RULES_MAX};
	uint64_t meant = 0, passing = 0;
	uint32_t n;

	(void)state;
	for (uint32_t i = 0; i < rules.n; i++) {
		uint32_t first = (i << 23) + (chance() & 0x3fffff);
		uint32_t last = first + (chance() & 0x3fffff);

		rules.rule[i] = (struct can_rule){true, false, first, last};
		meant += last - first + 1;
	}
	n = can_rules_filters(&rules, filter, CAN_FILTERS_MAX);
	assert_true(n > CAN_FILTERS_MAX / 2);
	for (uint32_t i = 0; i < n; i++)
		passing += filter_width(&filter[i]);
	assert_true(passing < meant + meant / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(wrong),
		cmocka_unit_test(as_many_as_there_are),
		cmocka_unit_test(passing),
		cmocka_unit_test(text_again),
		cmocka_unit_test(text_cut_off),
		cmocka_unit_test(filters_exact),
		cmocka_unit_test(filters_of_every_range),
		cmocka_unit_test(filters_with_little_room),
		cmocka_unit_test(filters_are_narrow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
