/* SPDX-License-Identifier: MIT */
/* policy/class.c: key patterns and device numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/class.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static void patterns(void **state)
{
	static const char *const list[] = {"plain", "ring-ref#", "queue-#/ring-ref#",
					   "#/#/x", "#",	 NULL};
	static const struct {
		const char *key;
		bool matches;
	} cases[] = {
		{"plain", true},
		{"plai", false},
		{"plain2", false},
		{"", false},
		{"ring-ref", false},
		{"ring-ref0", true},
		{"ring-ref15", true},
		{"ring-ref4294967295", true},
		{"ring-ref4294967296", false},
		{"ring-ref99999999999999999999999999", false},
		{"ring-ref00", false},
		{"ring-ref01", false},
		{"ring-ref-1", false},
		{"ring-ref1x", false},
		{"queue-0/ring-ref0", true},
		{"queue-/ring-ref0", false},
		{"queue-0/ring-ref", false},
		{"queue-0/../ring-ref0", false},
		{"queue-#/ring-ref#", false},
		{"0/1/x", true},
		{"0/1/2", false},
		{"0/x", false},
		{"7", true},
		{"#", false},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		if (class_key_matches(list, cases[i].key) != cases[i].matches)
			fail_msg("\"%s\"", cases[i].key);
	}
	assert_false(class_key_matches((const char *const[]){NULL}, "plain"));
}

static void links(void **state)
{
	static const char *const none[] = {
		"link:",    "link:A",  "link:a-b",
		"link:a/b", "link:..", "link",
		"null:",    "ivi0",    "Link:a",
		" link:a",  "link: a", "link:abcdefghijklmnopqrstuvwxyz012345"};
	struct policy policy = {.class = POLICY_NET, .resource = "link:ivi_2"};

	(void)state;
	assert_string_equal(class_link(&policy), "ivi_2");
	policy.class = POLICY_CAN;
	assert_null(class_link(&policy));
	policy.class = POLICY_NET;
	for (unsigned i = 0; i < COUNT(none); i++) {
		strcpy(policy.resource, none[i]);
		assert_null(class_link(&policy));
	}
}

static void rows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * (POLICY_CAN + 1); i++) {
		bool virtio = i % 2;
		const struct class_info *info = class_info(i / 2, virtio);

		assert_non_null(info->name);
		assert_non_null(info->kind);
		assert_non_null(info->section);
		assert_non_null(info->tag_key);
		assert_true(info->ring_pages >= 1);
		/* What a class has no use for it may not reach: frames lie in rings. */
		assert_int_equal(!info->data_pages, i / 2 == POLICY_CAN && !virtio);
		assert_in_range(info->client_pages, POLICY_READABLE, POLICY_BOTH);
		assert_true(info->mode == (virtio ? POLICY_POOL : POLICY_MAP) ||
			    (!virtio && info->mode == POLICY_COPY));
		assert_non_null(info->ring_keys[0]);
		assert_non_null(info->event_keys[0]);
		/* No list at all would be any key. */
		assert_non_null(info->pool_keys);
		assert_int_equal(!!info->pool_keys[0], virtio);
		assert_true(class_key_matches(info->back_keys, "state"));
		assert_true(class_key_matches(info->back_keys, "xdd-reason"));
		/* The tag is the toolstack's: never a key that a back end may write. */
		assert_false(class_key_matches(info->back_keys, info->tag_key));
		assert_false(class_key_matches(info->back_keys, "frontend"));
		assert_false(class_key_matches(info->back_keys, "frontend-id"));
		assert_false(class_key_matches(info->back_keys, "hotplug-status"));
	}
}

/* One device has one kind for each door, and nothing else of its class changes. */
static void doors(void **state)
{
	static const char *const bad[] = {"pool-ref", "pool-ref0/x", "ring-ref",
					  "state"};

	(void)state;
	for (unsigned i = 0; i <= POLICY_CAN; i++) {
		const struct class_info *pv = class_info(i, POLICY_PV);
		const struct class_info *info = class_info(i, POLICY_VIRTIO);
		char kind[32];

		snprintf(kind, sizeof(kind), "vmsg_%s", pv->name);
		assert_string_equal(info->kind, kind);
		assert_string_equal(info->name, pv->name);
		assert_string_equal(info->section, pv->section);
		assert_string_equal(info->tag_key, pv->tag_key);
		assert_int_equal(info->data_pages, i == POLICY_CAN   ? 64
						   : i == POLICY_SND ? 128
								     : pv->data_pages);
		assert_int_equal(info->client_pages, POLICY_BOTH);
		assert_int_equal(info->ring_pages, 1);
		assert_true(class_key_matches(info->ring_keys, "control-ref"));
		assert_true(class_key_matches(info->pool_keys, "pool-ref0"));
		assert_true(class_key_matches(info->pool_keys, "pool-ref63"));
		assert_true(class_key_matches(info->event_keys, "event-channel"));
		assert_true(class_key_matches(info->back_keys, "versions"));
		assert_true(class_key_matches(info->back_keys, "memory"));
		assert_true(class_key_matches(info->back_keys, "pool-pages"));
		/* What one class keeps, no other may write. */
		assert_int_equal(class_key_matches(info->back_keys, "controller"),
				 i == POLICY_CAN);
		assert_int_equal(class_key_matches(info->back_keys, "stream-7"),
				 i == POLICY_SND);
		assert_int_equal(class_key_matches(info->back_keys, "levels-7"),
				 i == POLICY_SND);
		assert_false(class_key_matches(info->ring_keys, "pool-ref0"));
		assert_false(class_key_matches(info->pool_keys, "control-ref"));
		for (unsigned k = 0; k < COUNT(bad); k++) {
			assert_false(class_key_matches(info->pool_keys, bad[k]));
			assert_false(class_key_matches(pv->pool_keys, bad[k]));
		}
		assert_false(class_key_matches(pv->pool_keys, "pool-ref0"));
	}
}

static void keys_of_classes(void **state)
{
	static const struct {
		enum policy_class class;
		const char *ring, *event;
	} cases[] = {
		{POLICY_BLK, "ring-ref", "event-channel"},
		{POLICY_BLK, "ring-ref3", "queue-2/event-channel"},
		{POLICY_BLK, "queue-1/ring-ref", "event-channel"},
		{POLICY_BLK, "queue-1/ring-ref7", "event-channel"},
		{POLICY_NET, "tx-ring-ref", "event-channel-tx"},
		{POLICY_NET, "queue-3/rx-ring-ref", "queue-3/event-channel-rx"},
		{POLICY_NET, "ctrl-ring-ref", "event-channel-ctrl"},
		{POLICY_SND, "0/1/ring-ref", "0/1/event-channel"},
		{POLICY_SND, "0/0/evt-ring-ref", "0/0/evt-event-channel"},
		{POLICY_DISPL, "0/req-ring-ref", "0/req-event-channel"},
		{POLICY_DISPL, "1/evt-ring-ref", "1/evt-event-channel"},
		{POLICY_CAN, "rx-ring-ref", "event-channel"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		const struct class_info *info = class_info(cases[i].class, POLICY_PV);

		assert_true(class_key_matches(info->ring_keys, cases[i].ring));
		assert_true(class_key_matches(info->event_keys, cases[i].event));
		assert_false(class_key_matches(info->ring_keys, cases[i].event));
		assert_false(class_key_matches(info->event_keys, cases[i].ring));
		assert_false(class_key_matches(info->back_keys, cases[i].ring));
	}
	/* What the back end of a disk writes, and what its toolstack does. */
	for (unsigned i = 0; i < 2; i++) {
		static const char *const its[] = {"sectors", "feature-flush-cache"};
		static const char *const not [] = {"params", "physical-device"};
		const char *const *keys = class_info(POLICY_BLK, POLICY_PV)->back_keys;

		assert_true(class_key_matches(keys, its[i]));
		assert_false(class_key_matches(keys, not [i]));
	}
}

static const struct {
	enum policy_class class;
	const char *device;
	int64_t id; /* -1: none */
} device_cases[] = {
	{POLICY_BLK, "xvda", 51712},
	{POLICY_BLK, "xvda1", 51713},
	{POLICY_BLK, "xvda15", 51727},
	{POLICY_BLK, "xvdb", 51728},
	{POLICY_BLK, "xvdp", 51952},
	{POLICY_BLK, "xvdp15", 51967},
	{POLICY_BLK, "xvda16", 268435456 + 16},
	{POLICY_BLK, "xvda255", 268435456 + 255},
	{POLICY_BLK, "xvda256", -1},
	{POLICY_BLK, "xvdq", 268435456 + (16 << 8)},
	{POLICY_BLK, "xvdz", 268435456 + (25 << 8)},
	{POLICY_BLK, "xvdaa", 268435456 + (26 << 8)},
	{POLICY_BLK, "xvdab3", 268435456 + (27 << 8) + 3},
	{POLICY_BLK, "xvdbgqcv", 268435456 + (1048575 << 8)},
	{POLICY_BLK, "xvdbgqcv255", 536870911},
	{POLICY_BLK, "xvdbgqcw", -1},
	{POLICY_BLK, "xvdzzzzzzzzzzzzzzzzzzzzzzzzzzzz", -1},
	/* 2^64 + 1 in letters: a sum that wraps would be xvda */
	{POLICY_BLK, "xvdgkgwbylwrxtlpq", -1},
	{POLICY_BLK, "sda", 2048},
	{POLICY_BLK, "sdb1", 2065},
	{POLICY_BLK, "sdp15", 2303},
	{POLICY_BLK, "sdq", -1},
	{POLICY_BLK, "sda16", -1},
	{POLICY_BLK, "hda", 768},
	{POLICY_BLK, "hda63", 831},
	{POLICY_BLK, "hda64", -1},
	{POLICY_BLK, "hdb", 832},
	{POLICY_BLK, "hdc", 5632},
	{POLICY_BLK, "hdd2", 5698},
	{POLICY_BLK, "hde", -1},
	{POLICY_BLK, "51712", 51712},
	{POLICY_BLK, "0", 0},
	{POLICY_BLK, "536870911", 536870911},
	{POLICY_BLK, "536870912", -1},
	{POLICY_BLK, "0xca00", -1},
	{POLICY_BLK, "051712", -1},
	{POLICY_BLK, "xvd", -1},
	{POLICY_BLK, "xvd1", -1},
	{POLICY_BLK, "xvda0", -1},
	{POLICY_BLK, "xvda01", -1},
	{POLICY_BLK, "xvdA", -1},
	{POLICY_BLK, "xvda1p1", -1},
	{POLICY_BLK, "xvda4294967297", -1},
	{POLICY_BLK, "vda", -1},
	{POLICY_BLK, "", -1},
	{POLICY_NET, "0", 0},
	{POLICY_NET, "2147483647", 2147483647},
	{POLICY_NET, "2147483648", -1},
	{POLICY_NET, "xvda", -1},
	{POLICY_SND, "-1", -1},
	{POLICY_DISPL, "3", 3},
	{POLICY_CAN, "can0", -1},
};

static void devices(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(device_cases); i++) {
		uint32_t id = 0xdeadbeef;
		bool ok = class_device_id(device_cases[i].class, device_cases[i].device,
					  &id);

		if (ok != (device_cases[i].id >= 0) ||
		    id != (ok ? (uint32_t)device_cases[i].id : 0xdeadbeef))
			fail_msg("\"%s\" gives %d, %u", device_cases[i].device, ok, id);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns),
		cmocka_unit_test(links),
		cmocka_unit_test(rows),
		cmocka_unit_test(doors),
		cmocka_unit_test(keys_of_classes),
		cmocka_unit_test(devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
