/* SPDX-License-Identifier: MIT */
/* policy/decide.c: each reason to refuse, and a quota that is never exceeded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/decide.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static struct policy base(void)
{
	struct policy policy = {
		.name = "ivi",
		.resource = "/dev/x",
		.domain = {3},
		.device = "xvda",
		.mode = POLICY_MAP,
		.client_pages = POLICY_BOTH,
		.ring_pages = 4,
		.data_pages = 10,
		.first_ref = {8},
		.last_ref = {100},
		.in_flight = 32,
		.operations = {1000, 100},
	};

	for (unsigned i = 0; i < POLICY_KEY_COUNT; i++)
		policy.line[i] = (uint16_t)(i + 1);
	return policy;
}

static void expect(struct verdict verdict, bool allowed, enum policy_key key)
{
	assert_int_equal(verdict.allowed, allowed);
	assert_int_equal(verdict.key, key);
	assert_int_equal(verdict.line, key + 1);
}

static const struct {
	enum policy_mode mode;
	enum policy_pages pages;
	uint32_t held, n, ref;
	bool writable, allowed;
	enum policy_key key;
} map_cases[] = {
	{POLICY_MAP, POLICY_BOTH, 0, 1, 8, true, true, POLICY_KEY_GRANT_REFS},
	{POLICY_MAP, POLICY_BOTH, 0, 1, 100, false, true, POLICY_KEY_GRANT_REFS},
	{POLICY_POOL, POLICY_BOTH, 0, 10, 50, true, false, POLICY_KEY_MODE},
	{POLICY_COPY, POLICY_BOTH, 0, 1, 50, true, false, POLICY_KEY_MODE},
	{POLICY_GRANT, POLICY_BOTH, 0, 1, 50, false, false, POLICY_KEY_MODE},
	{POLICY_MAP, POLICY_READABLE, 0, 1, 50, false, true, POLICY_KEY_GRANT_REFS},
	{POLICY_MAP, POLICY_READABLE, 0, 1, 50, true, false, POLICY_KEY_CLIENT_PAGES},
	{POLICY_MAP, POLICY_WRITABLE, 0, 1, 50, true, true, POLICY_KEY_GRANT_REFS},
	{POLICY_MAP, POLICY_WRITABLE, 0, 1, 50, false, false, POLICY_KEY_CLIENT_PAGES},
	{POLICY_MAP, POLICY_BOTH, 0, 0, 50, true, false, POLICY_KEY_DATA_PAGES},
	{POLICY_MAP, POLICY_BOTH, 0, 10, 50, true, true, POLICY_KEY_GRANT_REFS},
	{POLICY_MAP, POLICY_BOTH, 0, 11, 50, true, false, POLICY_KEY_DATA_PAGES},
	{POLICY_MAP, POLICY_BOTH, 9, 1, 50, true, true, POLICY_KEY_GRANT_REFS},
	{POLICY_MAP, POLICY_BOTH, 10, 1, 50, true, false, POLICY_KEY_DATA_PAGES},
	{POLICY_MAP, POLICY_BOTH, 9, 2, 50, true, false, POLICY_KEY_DATA_PAGES},
	/* more is held than a narrowed policy allows; sums that wrap */
	{POLICY_MAP, POLICY_BOTH, 11, 1, 50, true, false, POLICY_KEY_DATA_PAGES},
	{POLICY_MAP, POLICY_BOTH, UINT32_MAX, 1, 50, true, false,
	 POLICY_KEY_DATA_PAGES},
	{POLICY_MAP, POLICY_BOTH, 2, UINT32_MAX, 50, true, false,
	 POLICY_KEY_DATA_PAGES},
	{POLICY_MAP, POLICY_BOTH, UINT32_MAX, UINT32_MAX, 50, true, false,
	 POLICY_KEY_DATA_PAGES},
	{POLICY_MAP, POLICY_BOTH, 0, 1, 7, true, false, POLICY_KEY_GRANT_REFS},
	{POLICY_MAP, POLICY_BOTH, 0, 1, 101, true, false, POLICY_KEY_GRANT_REFS},
	{POLICY_MAP, POLICY_BOTH, 0, 1, 0, true, false, POLICY_KEY_GRANT_REFS},
	{POLICY_MAP, POLICY_BOTH, 0, 1, UINT32_MAX, true, false, POLICY_KEY_GRANT_REFS},
};

/* [utest->req~policy-mode-and-direction~1] */
static void data_maps(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(map_cases); i++) {
		struct policy policy = base();
		/* Only data counts for data. */
		struct policy_usage usage = {UINT32_MAX, map_cases[i].held, UINT32_MAX};
		struct gref refs[10];

		for (unsigned j = 0; j < COUNT(refs); j++)
			refs[j].v = map_cases[i].ref;
		policy.mode = map_cases[i].mode;
		policy.client_pages = map_cases[i].pages;
		expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_DATA, refs,
				      map_cases[i].n, map_cases[i].writable),
		       map_cases[i].allowed, map_cases[i].key);
	}
}

/* One reference outside refuses all of them, wherever it stands.
 * [utest->req~policy-references-in-range~1] */
static void one_stray_reference(void **state)
{
	struct policy policy = base();
	struct policy_usage usage = {0};

	(void)state;
	for (unsigned stray = 0; stray < 10; stray++) {
		struct gref refs[10];

		for (unsigned j = 0; j < 10; j++)
			refs[j].v = j == stray ? 101 : 8 + j;
		expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_DATA, refs, 10,
				      true),
		       false, POLICY_KEY_GRANT_REFS);
		refs[stray].v = 100;
		expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_DATA, refs, 10,
				      true),
		       true, POLICY_KEY_GRANT_REFS);
	}
}

/* The ends of all references there are. */
static void reference_limits(void **state)
{
	struct policy policy = base();
	struct policy_usage usage = {0};
	struct gref last = {UINT32_MAX}, first = {8};

	(void)state;
	policy.last_ref.v = UINT32_MAX;
	expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_DATA, &last, 1, true),
	       true, POLICY_KEY_GRANT_REFS);
	policy.first_ref.v = UINT32_MAX;
	expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_DATA, &last, 1, true),
	       true, POLICY_KEY_GRANT_REFS);
	expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_DATA, &first, 1, true),
	       false, POLICY_KEY_GRANT_REFS);
}

/* A ring's references are the client's choice: its pages alone are counted. */
static void ring_maps(void **state)
{
	struct policy policy = base();
	struct policy_usage usage = {0, UINT32_MAX, UINT32_MAX};
	struct gref refs[4] = {{0}, {1}, {UINT32_MAX}, {9}};

	(void)state;
	policy.mode = POLICY_COPY;
	policy.client_pages = POLICY_READABLE;
	expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_RING, refs, 4, true),
	       true, POLICY_KEY_RING_PAGES);
	expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_RING, refs, 0, true),
	       false, POLICY_KEY_RING_PAGES);
	expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_RING, refs, 5, true),
	       false, POLICY_KEY_RING_PAGES);
	usage.ring_pages = 1;
	expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_RING, refs, 4, true),
	       false, POLICY_KEY_RING_PAGES);
	expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_RING, refs, 3, true),
	       true, POLICY_KEY_RING_PAGES);
	usage.ring_pages = UINT32_MAX;
	expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_RING, refs, 1, true),
	       false, POLICY_KEY_RING_PAGES);
}

/* A pool is mapped where Mode says so, and is bounded by PoolPages and GrantRefs.
 * [utest->req~policy-mode-and-direction~1] */
static void pool_maps(void **state)
{
	static const struct {
		enum policy_mode mode;
		uint32_t held, n, first;
		bool allowed;
		enum policy_key key;
	} cases[] = {
		{POLICY_POOL, 0, 10, 8, true, POLICY_KEY_GRANT_REFS},
		{POLICY_POOL, 9, 1, 100, true, POLICY_KEY_GRANT_REFS},
		{POLICY_POOL, 0, 10, 91, true, POLICY_KEY_GRANT_REFS},
		{POLICY_POOL, 0, 0, 8, false, POLICY_KEY_POOL_PAGES},
		{POLICY_POOL, 0, 11, 8, false, POLICY_KEY_POOL_PAGES},
		{POLICY_POOL, 10, 1, 8, false, POLICY_KEY_POOL_PAGES},
		{POLICY_POOL, UINT32_MAX, 1, 8, false, POLICY_KEY_POOL_PAGES},
		{POLICY_POOL, 0, 10, 92, false, POLICY_KEY_GRANT_REFS},
		{POLICY_POOL, 0, 1, 7, false, POLICY_KEY_GRANT_REFS},
		{POLICY_MAP, 0, 1, 8, false, POLICY_KEY_MODE},
		{POLICY_COPY, 0, 1, 8, false, POLICY_KEY_MODE},
		{POLICY_GRANT, 0, 1, 8, false, POLICY_KEY_MODE},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct policy policy = base();
		struct policy_usage usage = {UINT32_MAX, cases[i].held, UINT32_MAX};
		struct gref refs[11];

		for (unsigned j = 0; j < COUNT(refs); j++)
			refs[j].v = cases[i].first + j;
		policy.mode = cases[i].mode;
		expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_POOL, refs,
				      cases[i].n, true),
		       cases[i].allowed, cases[i].key);
	}
}

/* With Mode = grant a ring may be named by number, so the range holds for it.
 * [utest->req~policy-references-in-range~1] */
static void areas_are_in_range(void **state)
{
	struct policy policy = base();
	struct policy_usage usage = {1, UINT32_MAX, UINT32_MAX};
	struct gref refs[4] = {{8}, {100}, {50}, {50}};

	(void)state;
	policy.mode = POLICY_GRANT;
	for (unsigned writable = 0; writable < 2; writable++) {
		expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_RING, refs, 3,
				      writable),
		       true, POLICY_KEY_GRANT_REFS);
		expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_RING, refs, 4,
				      writable),
		       false, POLICY_KEY_RING_PAGES);
	}
	for (unsigned stray = 0; stray < 3; stray++) {
		struct gref was = refs[stray];

		refs[stray].v = stray % 2 ? 101 : 7;
		expect(policy_may_map(&policy, &usage, POLICY_PURPOSE_RING, refs, 3,
				      true),
		       false, POLICY_KEY_GRANT_REFS);
		refs[stray] = was;
	}
}

/* [utest->req~policy-mode-and-direction~1] */
static void copies(void **state)
{
	static const struct {
		enum policy_mode mode;
		enum policy_pages pages;
		uint32_t n, ref;
		bool to_client, allowed;
		enum policy_key key;
	} cases[] = {
		{POLICY_COPY, POLICY_BOTH, 1, 8, true, true, POLICY_KEY_GRANT_REFS},
		{POLICY_GRANT, POLICY_BOTH, 10, 100, false, true,
		 POLICY_KEY_GRANT_REFS},
		{POLICY_MAP, POLICY_BOTH, 1, 8, true, false, POLICY_KEY_MODE},
		{POLICY_POOL, POLICY_BOTH, 1, 8, false, false, POLICY_KEY_MODE},
		{POLICY_COPY, POLICY_READABLE, 1, 8, false, true,
		 POLICY_KEY_GRANT_REFS},
		{POLICY_COPY, POLICY_READABLE, 1, 8, true, false,
		 POLICY_KEY_CLIENT_PAGES},
		{POLICY_COPY, POLICY_WRITABLE, 1, 8, true, true, POLICY_KEY_GRANT_REFS},
		{POLICY_COPY, POLICY_WRITABLE, 1, 8, false, false,
		 POLICY_KEY_CLIENT_PAGES},
		{POLICY_COPY, POLICY_BOTH, 0, 8, true, false, POLICY_KEY_DATA_PAGES},
		{POLICY_COPY, POLICY_BOTH, 11, 8, true, false, POLICY_KEY_DATA_PAGES},
		{POLICY_COPY, POLICY_BOTH, UINT32_MAX, 8, true, false,
		 POLICY_KEY_DATA_PAGES},
		{POLICY_COPY, POLICY_BOTH, 1, 7, true, false, POLICY_KEY_GRANT_REFS},
		{POLICY_COPY, POLICY_BOTH, 1, 101, false, false, POLICY_KEY_GRANT_REFS},
		{POLICY_COPY, POLICY_BOTH, 1, UINT32_MAX, true, false,
		 POLICY_KEY_GRANT_REFS},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct policy policy = base();

		policy.mode = cases[i].mode;
		policy.client_pages = cases[i].pages;
		expect(policy_may_copy(&policy, (struct gref){cases[i].ref}, cases[i].n,
				       cases[i].to_client),
		       cases[i].allowed, cases[i].key);
	}
}

/* [utest->req~policy-quota~1] */
static void binds(void **state)
{
	struct policy policy = base();
	struct policy_usage usage = {UINT32_MAX, UINT32_MAX, 0};

	(void)state;
	for (; usage.binds < 4; usage.binds++)
		expect(policy_may_bind(&policy, &usage), true, POLICY_KEY_RING_PAGES);
	expect(policy_may_bind(&policy, &usage), false, POLICY_KEY_RING_PAGES);
	usage.binds = UINT32_MAX;
	expect(policy_may_bind(&policy, &usage), false, POLICY_KEY_RING_PAGES);
}

/* [utest->req~policy-one-client~1] */
static void clients(void **state)
{
	static const struct {
		bool any;
		uint16_t domain;
		const char *tag;
		uint16_t asks;
		const char *shows;
		bool allowed;
		enum policy_key key;
	} cases[] = {
		{false, 3, "", 3, "", true, POLICY_KEY_DOMAIN},
		{false, 3, "", 3, "whatever", true, POLICY_KEY_DOMAIN},
		{false, 3, "", 4, "", false, POLICY_KEY_DOMAIN},
		{false, 3, "ivi", 3, "ivi", true, POLICY_KEY_DOMAIN},
		{false, 3, "ivi", 3, "", false, POLICY_KEY_TAG},
		{false, 3, "ivi", 3, "ivi2", false, POLICY_KEY_TAG},
		{false, 3, "ivi", 4, "ivi", false, POLICY_KEY_DOMAIN},
		{true, 0, "ivi", 1, "ivi", true, POLICY_KEY_TAG},
		{true, 0, "ivi", 32751, "ivi", true, POLICY_KEY_TAG},
		{true, 0, "ivi", 9, "iv", false, POLICY_KEY_TAG},
		{true, 0, "ivi", 9, "", false, POLICY_KEY_TAG},
		/* the control domain and the reserved ones are no clients */
		{true, 0, "ivi", 0, "ivi", false, POLICY_KEY_DOMAIN},
		{true, 0, "ivi", 0x7ff0, "ivi", false, POLICY_KEY_DOMAIN},
		{true, 0, "ivi", 0xffff, "ivi", false, POLICY_KEY_DOMAIN},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct policy policy = base();

		policy.any_domain = cases[i].any;
		policy.domain.v = cases[i].domain;
		strcpy(policy.tag, cases[i].tag);
		expect(policy_may_serve(&policy, (struct domid){cases[i].asks},
					cases[i].shows),
		       cases[i].allowed, cases[i].key);
	}
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Any order of maps, releases and reloads: what is charged on an allowed
 * verdict never takes usage past the policy of that moment.
 * [utest->req~policy-quota~1] */
static void quota_is_never_exceeded(void **state)
{
	struct policy policy = base();
	struct policy_usage usage = {0};
	static struct gref refs[64];
	uint32_t seed = 1, allowed = 0;

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		refs[i].v = 8 + i;
	for (unsigned step = 0; step < 200000; step++) {
		enum policy_purpose purpose = next(&seed) % 3;
		uint32_t n = next(&seed) % 16 ? next(&seed) % 12
					      : UINT32_MAX - next(&seed) % 12;
		uint32_t *held = purpose == POLICY_PURPOSE_RING ? &usage.ring_pages
								: &usage.data_pages;
		uint32_t *limit = purpose == POLICY_PURPOSE_RING ? &policy.ring_pages
								 : &policy.data_pages;

		if (next(&seed) % 64 == 0)
			policy.mode = next(&seed) % 2 ? POLICY_POOL : POLICY_MAP;
		if (next(&seed) % 64 == 0)
			*limit = 1 + next(&seed) % 20;
		if (next(&seed) % 3 == 0 && *held) {
			policy_refund(&usage, purpose, 1 + next(&seed) % *held);
			continue;
		}
		if (!policy_may_map(&policy, &usage, purpose, refs, n, true).allowed)
			continue;
		policy_charge(&usage, purpose, n);
		assert_true(*held <= *limit);
		allowed++;
	}
	assert_true(allowed > 10000);
}

static void charge_and_refund(void **state)
{
	struct policy_usage usage = {0};

	(void)state;
	policy_charge(&usage, POLICY_PURPOSE_RING, 3);
	policy_charge(&usage, POLICY_PURPOSE_DATA, 5);
	assert_int_equal(usage.ring_pages, 3);
	assert_int_equal(usage.data_pages, 5);
	policy_refund(&usage, POLICY_PURPOSE_DATA, 5);
	policy_refund(&usage, POLICY_PURPOSE_RING, 1);
	policy_charge(&usage, POLICY_PURPOSE_POOL, 2);
	assert_int_equal(usage.data_pages, 2);
	policy_refund(&usage, POLICY_PURPOSE_POOL, 2);
	assert_int_equal(usage.ring_pages, 2);
	assert_int_equal(usage.data_pages, 0);
	assert_int_equal(usage.binds, 0);
}

/* What each change of a policy means for a device that runs. */
static void reloads(void **state)
{
	struct policy a = base(), b;

	(void)state;
#define CHANGE(narrows, restart, ...)                                                  \
	do {                                                                           \
		b = a;                                                                 \
		__VA_ARGS__;                                                           \
		assert_int_equal(policy_narrows(&a, &b), narrows);                     \
		assert_int_equal(policy_needs_restart(&a, &b), restart);               \
	} while (0)
	CHANGE(0, 0, (void)0);
	CHANGE(0, 0, b.line[3] = 99);
	CHANGE(0, 0, b.ring_pages++);
	CHANGE(1, 0, b.ring_pages--);
	CHANGE(0, 0, b.data_pages++);
	CHANGE(1, 0, b.data_pages--);
	CHANGE(1, 0, b.first_ref.v++);
	CHANGE(0, 0, b.last_ref.v++);
	CHANGE(1, 0, b.last_ref.v--);
	CHANGE(0, 0, b.in_flight++);
	CHANGE(1, 0, b.in_flight--);
	CHANGE(1, 0, b.client_pages = POLICY_READABLE);
	CHANGE(1, 0, b.client_pages = POLICY_WRITABLE);
	CHANGE(1, 0, b.exclusive = true);
	CHANGE(1, 0, b.read_only = true);
	CHANGE(0, 0, b.operations.per_second--);
	CHANGE(0, 0, b.receive[POLICY_RECEIVE_BYTES].per_second++);
	CHANGE(0, 0, b.audit_level = POLICY_AUDIT_DECISIONS);
	CHANGE(0, 1, b.class = POLICY_NET);
	CHANGE(0, 1, b.door = POLICY_VIRTIO);
	CHANGE(0, 1, strcpy(b.resource, "/dev/y"));
	CHANGE(0, 1, b.any_domain = true);
	CHANGE(0, 1, b.domain.v = 4);
	CHANGE(0, 1, strcpy(b.tag, "x"));
	CHANGE(0, 1, strcpy(b.device, "xvdb"));
	CHANGE(0, 1, b.mode = POLICY_COPY);
	CHANGE(0, 1, b.isolation = POLICY_DOMAIN);
	CHANGE(0, 1, b.class_section++);
	a.read_only = a.exclusive = true;
	a.client_pages = POLICY_WRITABLE;
	CHANGE(0, 1, b.read_only = false);
	CHANGE(0, 0, b.exclusive = false);
	CHANGE(0, 0, b.client_pages = POLICY_BOTH);
	CHANGE(1, 0, b.client_pages = POLICY_READABLE);
#undef CHANGE
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_maps),
		cmocka_unit_test(one_stray_reference),
		cmocka_unit_test(reference_limits),
		cmocka_unit_test(ring_maps),
		cmocka_unit_test(pool_maps),
		cmocka_unit_test(areas_are_in_range),
		cmocka_unit_test(copies),
		cmocka_unit_test(binds),
		cmocka_unit_test(clients),
		cmocka_unit_test(quota_is_never_exceeded),
		cmocka_unit_test(charge_and_refund),
		cmocka_unit_test(reloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
