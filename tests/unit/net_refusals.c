/* SPDX-License-Identifier: MIT */
/* backends/net/net-refusals.c: what is told of frames that were refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/net/net-refusals.h"

static struct net_refusals refusals;
static uint8_t bytes[64];
static char text[512];

static int setup(void **state)
{
	(void)state;
	refusals = (struct net_refusals){0};
	memset(bytes, 0, sizeof(bytes));
	memset(text, 0x5a, sizeof(text));
	return 0;
}

static void add(enum net_verdict verdict, struct net_frame frame)
{
	frame.bytes = bytes;
	net_refusals_add(&refusals, verdict, &frame);
}

static void add_mac(uint8_t last)
{
	bytes[11] = last;
	add(NET_SPOOFED_MAC, (struct net_frame){0});
}

static void assert_text(const char *want)
{
	size_t n = net_refusals_text(&refusals, text, sizeof(text));

	assert_string_equal(text, want);
	assert_int_equal(n, strlen(want));
	/* And forgotten. */
	assert_int_equal(net_refusals_text(&refusals, text, sizeof(text)), 0);
}

static void nothing(void **state)
{
	(void)state;
	assert_int_equal(net_refusals_text(&refusals, text, sizeof(text)), 0);
}

/* The sender's, and what ARP claims if it says another. */
static void stations(void **state)
{
	static const uint8_t claim[6] = {0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

	(void)state;
	memset(bytes, 2, 6); /* where to: says nothing */
	add_mac(1);
	add_mac(1);
	add_mac(7);
	add(NET_SPOOFED_MAC, (struct net_frame){.claim_mac = claim});
	add_mac(1);
	assert_text("MAC 00:00:00:00:00:01 (3), MAC 00:00:00:00:00:07 (1), "
		    "MAC aa:bb:cc:dd:ee:ff (1)");
}

static void vlans(void **state)
{
	(void)state;
	add(NET_SPOOFED_VLAN, (struct net_frame){.tagged = true, .vlan = 4095});
	add(NET_SPOOFED_VLAN, (struct net_frame){.vlan = 3}); /* a priority tag's */
	add(NET_SPOOFED_VLAN, (struct net_frame){.stacked = true});
	assert_text("VLAN 4095 (1), VLAN 0 (2)");
}

/* What it advertises, else its source, else that there is none. */
static void addresses(void **state)
{
	struct net_frame frame = {
		.has_source = true,
		.source = {.byte = {192, 0, 2, 9}},
	};

	(void)state;
	add(NET_SPOOFED_ADDRESS, frame);
	frame.has_claim = true;
	frame.claim = (struct net_address){true, {0x20, 1, 0xd, 0xb8, [15] = 9}};
	add(NET_SPOOFED_ADDRESS, frame);
	add(NET_SPOOFED_ADDRESS, (struct net_frame){0});
	add(NET_SPOOFED_ADDRESS, frame);
	/* The same four bytes, of the other family. */
	frame.has_claim = false;
	frame.source.ipv6 = true;
	add(NET_SPOOFED_ADDRESS, frame);
	assert_text("address 192.0.2.9 (1), address 2001:db8::9 (2), "
		    "address not readable (1), address c000:209:: (1)");
}

static void kinds(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		bytes[11] = (uint8_t)i; /* makes no difference */
		add(NET_NO_MULTICAST, (struct net_frame){0});
		add(NET_NO_BROADCAST, (struct net_frame){0});
		add(NET_NO_OFFLOADS, (struct net_frame){0});
		add(NET_TOO_LONG, (struct net_frame){0});
	}
	assert_text("multicast (2), broadcast (2), offload (2), longer than MTU (2)");
}

/* A flood of different ones keeps its room, and is counted. */
static void a_flood(void **state)
{
	(void)state;
	for (unsigned i = 0; i < NET_REFUSALS + 200; i++)
		add_mac((uint8_t)i);
	assert_int_equal(refusals.used, NET_REFUSALS);
	net_refusals_text(&refusals, text, sizeof(text));
	assert_non_null(strstr(text, "MAC 00:00:00:00:00:07 (1), and 200 others"));
	assert_int_equal(refusals.used, 0);
	add_mac(200);
	assert_text("MAC 00:00:00:00:00:c8 (1)");
}

/* Whatever room there is: the text ends in it, and each refusal is counted in it. */
static void any_room(void **state)
{
	(void)state;
	for (size_t room = 64; room < 300; room++) {
		unsigned told = 0, others = 0;
		size_t n;
		char *p;

		for (unsigned i = 0; i < NET_REFUSALS; i++)
			add_mac((uint8_t)(100 + i));
		memset(text, 0x5a, sizeof(text));
		n = net_refusals_text(&refusals, text, room);
		assert_true(n < room && strlen(text) == n);
		for (size_t i = room; i < sizeof(text); i++)
			assert_int_equal(text[i], 0x5a);
		for (p = text; (p = strstr(p, "MAC ")); p++)
			told++;
		p = strstr(text, ", and ");
		if (p)
			assert_int_equal(sscanf(p, ", and %u others", &others), 1);
		assert_int_equal(told + others, NET_REFUSALS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing, setup),
		cmocka_unit_test_setup(stations, setup),
		cmocka_unit_test_setup(vlans, setup),
		cmocka_unit_test_setup(addresses, setup),
		cmocka_unit_test_setup(kinds, setup),
		cmocka_unit_test_setup(a_flood, setup),
		cmocka_unit_test_setup(any_room, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
