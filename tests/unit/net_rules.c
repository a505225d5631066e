/* SPDX-License-Identifier: MIT */
/* backends/net/net-rules.c: lists as a policy has them, and what they let pass. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/net/net-rules.h"

/* -- From text ----------------------------------------------------------------------
 */

static void macs(void **state)
{
	static const uint8_t mac[6] = {0x00, 0x16, 0x3e, 0xaB, 0xCd, 0xff};
	static const char *const wrong[] = {
		"",
		"00:16:3e:ab:cd",
		"00:16:3e:ab:cd:ff:00",
		"00:16:3e:ab:cd:f",
		"00:16:3e:ab:cd:fff",
		"00-16-3e-ab-cd-ff",
		"0:16:3e:ab:cd:ff",
		"00:16:3e:ab:cd:fg",
		"00:00:00:00:00:00",
		"01:00:5e:00:00:01",
		"ff:ff:ff:ff:ff:ff",
		"00:16:3e:ab:cd:ff/48",
		"none",
		"Any",
	};
	struct net_macs list, before;
	uint8_t out[6];

	(void)state;
	assert_true(net_mac_parse("00:16:3e:AB:cD:ff", out));
	assert_memory_equal(out, mac, 6);
	memset(&before, 0x5a, sizeof(before));
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (net_mac_parse(wrong[i], out))
			fail_msg("\"%s\"", wrong[i]);
		assert_memory_equal(out, mac, 6);
		list = before;
		if (net_macs_parse(wrong[i], &list))
			fail_msg("\"%s\"", wrong[i]);
		assert_memory_equal(&list, &before, sizeof(list));
	}
	assert_true(net_macs_parse("any", &list));
	assert_true(list.any && !list.n);
	assert_true(net_macs_parse("00:16:3e:00:00:01, 00:16:3e:00:00:02", &list));
	assert_int_equal(list.n, 2);
	assert_int_equal(list.mac[1][5], 2);
	assert_false(list.any);
}

/* @n of them, each another. */
static void full(void **state)
{
	char text[2048];
	struct net_addresses addresses;
	struct net_macs list;

	(void)state;
	for (unsigned n = NET_MACS_MAX; n <= NET_MACS_MAX + 1; n++) {
		size_t used = 0;

		for (unsigned i = 0; i < n; i++)
			used += (size_t)snprintf(text + used, sizeof(text) - used,
						 "%s00:16:3e:00:00:%02x", i ? "," : "",
						 i);
		assert_int_equal(net_macs_parse(text, &list), n == NET_MACS_MAX);
	}
	for (unsigned n = NET_ADDRESSES_MAX; n <= NET_ADDRESSES_MAX + 1; n++) {
		size_t used = 0;

		for (unsigned i = 0; i < n; i++)
			used += (size_t)snprintf(text + used, sizeof(text) - used,
						 "%s192.0.2.%u", i ? " " : "", i);
		assert_int_equal(net_addresses_parse(text, &addresses),
				 n == NET_ADDRESSES_MAX);
	}
}

static bool has_vlan(const struct net_vlans *vlans, unsigned vlan)
{
	return vlans->set[vlan / 64] >> vlan % 64 & 1;
}

static void vlans(void **state)
{
	static const char *const wrong[] = {
		"",	  "0",	   "4095",	 "4096", "1-",	   "-1",	 "5-4",
		"1-4095", "1-2-3", "untagged-5", "5,",	 "tagged", "5-untagged", "none",
	};
	struct net_vlans list, before;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		list = before;
		if (net_vlans_parse(wrong[i], &list))
			fail_msg("\"%s\"", wrong[i]);
		assert_memory_equal(&list, &before, sizeof(list));
	}
	assert_true(net_vlans_parse("untagged, 5, 62-66 4094", &list));
	assert_false(list.any);
	for (unsigned vlan = 0; vlan < NET_VLANS; vlan++)
		assert_int_equal(has_vlan(&list, vlan),
				 vlan == 0 || vlan == 5 || (vlan >= 62 && vlan <= 66) ||
					 vlan == 4094);
	assert_true(net_vlans_parse("1-4094", &list));
	assert_false(has_vlan(&list, 0));
	assert_true(has_vlan(&list, 1) && has_vlan(&list, 4094));
	assert_true(net_vlans_parse("any", &list));
	assert_true(list.any);
}

static void addresses(void **state)
{
	static const char *const wrong[] = {
		"",
		"192.0.2",
		"192.0.2.256",
		"192.0.2.1/",
		"192.0.2.1/33",
		"192.0.2.1/24",
		"192.0.2.128/24",
		"2001:db8::/129",
		"2001:db8::1/64",
		"::/x",
		"any,192.0.2.1",
		"192.0.2.1/24/8",
		"0192.0.2.1",
		"1.2.3.4.5",
		"fe80::1%eth0",
		"2001:db8:0:0:8000::/64",
		"None",
		"192.0.2.0/024",
	};
	struct net_addresses list, before;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		list = before;
		if (net_addresses_parse(wrong[i], &list))
			fail_msg("\"%s\"", wrong[i]);
		assert_memory_equal(&list, &before, sizeof(list));
	}
	assert_true(net_addresses_parse("none", &list));
	assert_true(!list.any && !list.n);
	assert_true(net_addresses_parse("any", &list));
	assert_true(list.any && !list.n);
	assert_true(net_addresses_parse("192.0.2.1,10.0.0.0/8 2001:db8::/33, fe80::1",
					&list));
	assert_int_equal(list.n, 4);
	assert_int_equal(list.prefix[0].bits, 32);
	assert_int_equal(list.prefix[1].bits, 8);
	assert_int_equal(list.prefix[2].bits, 33);
	assert_true(list.prefix[2].address.ipv6);
	assert_int_equal(list.prefix[3].bits, 128);
}

/* -- What passes --------------------------------------------------------------------
 */

static struct net_rules rules(const char *sources, const char *vlans,
			      const char *addresses)
{
	struct net_rules out = {.multicast = true, .broadcast = true};

	assert_true(net_macs_parse(sources, &out.sources));
	assert_true(net_vlans_parse(vlans, &out.vlans));
	assert_true(net_addresses_parse(addresses, &out.addresses));
	return out;
}

static const char *const mine = "02:00:00:00:00:02";

/* A frame from that station; the caller says the rest. */
static uint8_t bytes[2048];
static struct net_frame frame_of(uint16_t type, uint32_t size)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	struct net_frame frame;

	memcpy(bytes, macs, 12);
	bytes[12] = (uint8_t)(type >> 8);
	bytes[13] = (uint8_t)type;
	net_frame_parse(bytes, size, &frame);
	return frame;
}

static enum net_verdict judge(const struct net_rules *rules, uint16_t type,
			      uint32_t size)
{
	struct net_frame frame = frame_of(type, size);

	return net_rules_judge(rules, &frame);
}

/* [utest->req~client-sends-as-itself~1] */
static void stations(void **state)
{
	struct net_rules own = rules(mine, "untagged", "any");
	struct net_rules other =
		rules("02:00:00:00:00:03 02:00:00:00:00:12", "any", "any");
	struct net_rules any = rules("any", "any", "any"), none = {0};

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(judge(&own, 0x88b5, 60), NET_PASS);
	assert_int_equal(judge(&other, 0x88b5, 60), NET_SPOOFED_MAC);
	assert_int_equal(judge(&any, 0x88b5, 60), NET_PASS);
	assert_int_equal(judge(&none, 0x88b5, 60), NET_SPOOFED_MAC);
}

/* ARP says where an address is: at this station, or it is spoofed too. */
static void stations_of_arp(void **state)
{
	static const uint8_t arp[] = {0, 1, 8, 0, 6, 4,	  0, 2, 2,
				      0, 0, 0, 0, 2, 192, 0, 2, 7};
	struct net_rules own = rules(mine, "untagged", "192.0.2.7");

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes + 14, arp, sizeof(arp));
	assert_int_equal(judge(&own, 0x0806, 60), NET_PASS);
	bytes[14 + 8 + 5] = 3;
	assert_int_equal(judge(&own, 0x0806, 60), NET_SPOOFED_MAC);
	bytes[14 + 8 + 5] = 2;
	bytes[14 + 14 + 3] = 8;
	assert_int_equal(judge(&own, 0x0806, 60), NET_SPOOFED_ADDRESS);
	memset(bytes + 14 + 14, 0, 4); /* an address probe */
	assert_int_equal(judge(&own, 0x0806, 60), NET_PASS);
	bytes[14 + 4] = 8; /* of another kind of address */
	assert_int_equal(judge(&own, 0x0806, 60), NET_SPOOFED_ADDRESS);
}

static void tagged(void **state)
{
	struct net_rules untagged = rules("any", "untagged", "any");
	struct net_rules five = rules("any", "5", "any");
	struct net_rules any = rules("any", "any", "any");
	static const struct {
		uint16_t tag, inner;
		enum net_verdict untagged, five;
	} rows[] = {
		{5, 0x88b5, NET_SPOOFED_VLAN, NET_PASS},
		{0xe005, 0x88b5, NET_SPOOFED_VLAN, NET_PASS}, /* priority 7 */
		{6, 0x88b5, NET_SPOOFED_VLAN, NET_SPOOFED_VLAN},
		{0xe000, 0x88b5, NET_PASS, NET_SPOOFED_VLAN}, /* a priority alone */
		{0x0fff, 0x88b5, NET_SPOOFED_VLAN, NET_SPOOFED_VLAN},
		{5, 0x8100, NET_SPOOFED_VLAN, NET_SPOOFED_VLAN}, /* one more within */
		{0, 0x8100, NET_SPOOFED_VLAN, NET_SPOOFED_VLAN},
		{5, 0x88a8, NET_SPOOFED_VLAN, NET_SPOOFED_VLAN},
	};

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(judge(&untagged, 0x88b5, 60), NET_PASS);
	assert_int_equal(judge(&five, 0x88b5, 60), NET_SPOOFED_VLAN);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bytes[14] = (uint8_t)(rows[i].tag >> 8);
		bytes[15] = (uint8_t)rows[i].tag;
		bytes[16] = (uint8_t)(rows[i].inner >> 8);
		bytes[17] = (uint8_t)rows[i].inner;
		assert_int_equal(judge(&untagged, 0x8100, 60), rows[i].untagged);
		assert_int_equal(judge(&five, 0x8100, 60), rows[i].five);
		assert_int_equal(judge(&any, 0x8100, 60), NET_PASS);
		assert_int_equal(judge(&five, 0x88a8, 60), NET_SPOOFED_VLAN);
	}
	/* A tag that is cut off is none that can be read. */
	assert_int_equal(judge(&five, 0x8100, 17), NET_SPOOFED_VLAN);
	assert_int_equal(judge(&untagged, 0x8100, 17), NET_SPOOFED_VLAN);
}

/* Each bit of an address counts, as far as the prefix has it. */
static void prefixes(void **state)
{
	static const uint8_t ipv4[20] = {0x45, 0, 0, 20, [12] = 192, 0, 2, 7};
	static const uint8_t ipv6[40] = {
		0x60, [6] = IPPROTO_NONE, [8] = 0x20, 0x01, 0x0d, 0xb8, [23] = 7};

	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		unsigned max = v6 ? 128 : 32, at = v6 ? 22 : 26;

		for (unsigned bits = 0; bits <= max; bits++) {
			struct net_rules own = {.sources.any = true, .vlans.any = true};
			struct net_prefix *prefix = &own.addresses.prefix[0];

			own.addresses.n = 1;
			prefix->bits = (uint8_t)bits;
			prefix->address.ipv6 = v6;
			memcpy(prefix->address.byte, v6 ? ipv6 + 8 : ipv4 + 12,
			       max / 8);
			for (unsigned i = bits; i < max; i++)
				prefix->address.byte[i / 8] &=
					(uint8_t) ~(0x80 >> i % 8);
			for (unsigned flip = 0; flip < max; flip++) {
				memcpy(bytes + 14, v6 ? ipv6 : ipv4, v6 ? 40 : 20);
				bytes[at + flip / 8] ^= (uint8_t)(0x80 >> flip % 8);
				assert_int_equal(judge(&own, v6 ? 0x86dd : 0x0800, 60),
						 flip >= bits ? NET_PASS
							      : NET_SPOOFED_ADDRESS);
			}
		}
	}
}

static void families(void **state)
{
	static const uint8_t ipv4[20] = {0x45, 0, 0, 20, [12] = 192, 0, 2, 7};
	static const uint8_t ipv6[40] = {
		0x60, [6] = IPPROTO_NONE, [8] = 0x20, 0x01, 0x0d, 0xb8};
	struct net_rules all4 = rules("any", "any", "0.0.0.0/0");
	struct net_rules all6 = rules("any", "any", "::/0");
	struct net_rules none = rules("any", "any", "none");

	(void)state;
	memcpy(bytes + 14, ipv4, 20);
	assert_int_equal(judge(&all4, 0x0800, 60), NET_PASS);
	assert_int_equal(judge(&all6, 0x0800, 60), NET_SPOOFED_ADDRESS);
	assert_int_equal(judge(&none, 0x0800, 60), NET_SPOOFED_ADDRESS);
	assert_int_equal(judge(&all4, 0x0800, 33), NET_SPOOFED_ADDRESS); /* cut short */
	assert_int_equal(judge(&all4, 0x88b5, 60), NET_SPOOFED_ADDRESS); /* no IP */
	memset(bytes + 14 + 12, 0, 4); /* nobody's: DHCP */
	assert_int_equal(judge(&none, 0x0800, 60), NET_PASS);
	memcpy(bytes + 14, ipv6, 40);
	assert_int_equal(judge(&all6, 0x86dd, 60), NET_PASS);
	assert_int_equal(judge(&all4, 0x86dd, 60), NET_SPOOFED_ADDRESS);
	memset(bytes + 14 + 8, 0, 16); /* duplicate address detection */
	assert_int_equal(judge(&none, 0x86dd, 60), NET_PASS);
}

/* Who advertises an address is it, whatever the source of his packet is.
 * [utest->req~client-sends-as-itself~1] */
static void advertisements(void **state)
{
	static const uint8_t ipv6[40] = {
		0x60, [5] = 24, [6] = IPPROTO_ICMPV6, [8] = 0xfe, 0x80, [23] = 2};
	struct net_rules own = rules("any", "any", "fe80::2");

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes + 14, ipv6, 40);
	bytes[54] = 136;
	memcpy(bytes + 62, ipv6 + 8, 16);
	assert_int_equal(judge(&own, 0x86dd, 78), NET_PASS);
	bytes[77] = 3;
	assert_int_equal(judge(&own, 0x86dd, 78), NET_SPOOFED_ADDRESS);
	bytes[54] = 135; /* to ask for another one is nothing else than to ask */
	assert_int_equal(judge(&own, 0x86dd, 78), NET_PASS);
	bytes[54] = 136;
	memset(bytes + 62, 0, 16);
	assert_int_equal(judge(&own, 0x86dd, 78), NET_SPOOFED_ADDRESS);
}

/* Nor are headers before it a way around that. */
static void advertisements_behind_headers(void **state)
{
	static const uint8_t ipv6[40] = {0x60, [8] = 0xfe, 0x80, [23] = 2};
	struct net_rules own = rules("any", "any", "fe80::2");

	(void)state;
	for (unsigned n = 0; n < 12; n++) {
		unsigned at = 54 + n * 8;

		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes + 14, ipv6, 40);
		bytes[19] = (uint8_t)(n * 8 + 24);
		bytes[20] = n ? IPPROTO_DSTOPTS : IPPROTO_ICMPV6;
		for (unsigned i = 0; i < n; i++)
			bytes[54 + i * 8] =
				i + 1 < n ? IPPROTO_DSTOPTS : IPPROTO_ICMPV6;
		bytes[at] = 136;
		memcpy(bytes + at + 8, ipv6 + 8, 16);
		assert_int_equal(judge(&own, 0x86dd, at + 24),
				 n <= NET_EXTENSIONS ? NET_PASS : NET_SPOOFED_ADDRESS);
		bytes[at + 23] = 3;
		assert_int_equal(judge(&own, 0x86dd, at + 24), NET_SPOOFED_ADDRESS);
	}
}

static void groups(void **state)
{
	struct net_rules own = rules("any", "any", "any");
	struct net_frame frame;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		own.multicast = i & 1;
		own.broadcast = i & 2;
		frame = frame_of(0x88b5, 60);
		assert_int_equal(net_rules_judge(&own, &frame), NET_PASS);
		frame.cast = NET_MULTICAST;
		assert_int_equal(net_rules_judge(&own, &frame),
				 i & 1 ? NET_PASS : NET_NO_MULTICAST);
		frame.cast = NET_BROADCAST;
		assert_int_equal(net_rules_judge(&own, &frame),
				 i & 2 ? NET_PASS : NET_NO_BROADCAST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macs),
		cmocka_unit_test(full),
		cmocka_unit_test(vlans),
		cmocka_unit_test(addresses),
		cmocka_unit_test(stations),
		cmocka_unit_test(stations_of_arp),
		cmocka_unit_test(tagged),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(families),
		cmocka_unit_test(advertisements),
		cmocka_unit_test(advertisements_behind_headers),
		cmocka_unit_test(groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
