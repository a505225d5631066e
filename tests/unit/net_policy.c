/* SPDX-License-Identifier: MIT */
/* backends/net/net-policy.c: section [Net]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/net/net-policy.h"

#define LEAST "MAC = 00:16:3e:00:00:01\nAddresses = any\n"

static struct net_policy policy;
static struct policy_errors errors;

static unsigned parse(const char *lines)
{
	char text[1024];

	snprintf(text, sizeof(text), "[Net]\n%s", lines);
	net_policy_init(&policy);
	errors.count = 0;
	return policy_parse_section(text, strlen(text), "Net", net_policy_keys, &policy,
				    &errors);
}

static unsigned fit(const struct policy *generic, const char *lines)
{
	assert_int_equal(parse(lines), 0);
	net_policy_fit(generic, &policy, &errors);
	if (!errors.count)
		net_policy_complete(&policy);
	return errors.count;
}

static const struct policy copies = {.mode = POLICY_COPY, .ring_pages = 2};

/* The client is one station, without a VLAN, and sends to no group. */
static void defaults(void **state)
{
	static const uint8_t mac[6] = {0, 0x16, 0x3e, 0, 0, 1};

	(void)state;
	assert_int_equal(fit(&copies, LEAST), 0);
	assert_memory_equal(policy.mac, mac, 6);
	assert_int_equal(policy.rules.sources.n, 1);
	assert_false(policy.rules.sources.any);
	assert_memory_equal(policy.rules.sources.mac[0], mac, 6);
	assert_false(policy.rules.vlans.any);
	assert_true(policy.rules.vlans.set[0] == 1);
	for (unsigned i = 1; i < NET_VLANS / 64; i++)
		assert_true(policy.rules.vlans.set[i] == 0);
	assert_true(policy.rules.addresses.any);
	assert_false(policy.rules.multicast);
	assert_false(policy.rules.broadcast);
	assert_true(policy.offloads);
	assert_int_equal(policy.queues, 1);
	assert_int_equal(policy.mtu, 1500);
	assert_int_equal(policy.backlog, 1048576);
	assert_int_equal(policy.speed, 0);
}

static void all_keys(void **state)
{
	const struct policy generic = {.mode = POLICY_COPY, .ring_pages = 8};

	(void)state;
	assert_int_equal(
		fit(&generic,
		    "MAC = 00:16:3e:00:00:01\nSources = 00:16:3e:00:00:02\n"
		    "VLANs = 5-7\nAddresses = 192.0.2.1 fe80::/10\nMulticast = yes\n"
		    "Broadcast = yes\nOffloads = no\nQueues = 4\nMTU = 9000\n"
		    "Backlog = 65536\nReceivePackets = 10000/s burst 100\n"
		    "ReceiveBytes = 10M/s\n"),
		0);
	assert_int_equal(policy.mac[5], 1);
	assert_int_equal(policy.rules.sources.n, 1);
	assert_int_equal(policy.rules.sources.mac[0][5], 2);
	assert_true(policy.rules.vlans.set[0] == 0xe0);
	assert_int_equal(policy.rules.addresses.n, 2);
	assert_true(policy.rules.multicast && policy.rules.broadcast);
	assert_false(policy.offloads);
	assert_int_equal(policy.queues, 4);
	assert_int_equal(policy.mtu, 9000);
	assert_int_equal(policy.backlog, 65536);
}

static void bad_values(void **state)
{
	static const char *const lines[] = {
		"Sources = none",  "VLANs = 0",		 "Multicast = 1",
		"Broadcast = arp", "Offloads = tso",	 "Queues = 0",
		"Queues = 17",	   "MTU = 67",		 "MTU = 9001",
		"Backlog = 1M",	   "Backlog = 65535",	 "Backlog = 67108865",
		"Link = eth0",	   "Resource = eth0",	 "Speed = 0",
		"Speed = 1G",	   "Speed = 2147483648",
	};
	char text[256];

	(void)state;
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), LEAST "%s\n", lines[i]);
		if (parse(text) != 1)
			fail_msg("%s", lines[i]);
		assert_int_equal(errors.error[0].line, 4);
	}
	assert_int_equal(parse("MAC = 01:00:00:00:00:01\nAddresses = any\n"), 1);
	assert_int_equal(parse("MAC = 00:16:3e:00:00:01\nAddresses = all\n"), 1);
	/* Each of the two is required: who a client is has to be said. */
	assert_int_equal(parse("Addresses = any\n"), 1);
	assert_int_equal(parse("MAC = 00:16:3e:00:00:01\n"), 1);
	assert_int_equal(parse(""), 2);
}

static void what_does_not_go_together(void **state)
{
	const struct policy maps = {.mode = POLICY_MAP, .ring_pages = 2};
	const struct policy keeps = {.mode = POLICY_GRANT, .ring_pages = 2};
	const struct policy pool = {
		.door = POLICY_VIRTIO, .mode = POLICY_POOL, .ring_pages = 1};
	struct policy granted = {
		.door = POLICY_VIRTIO, .mode = POLICY_GRANT, .ring_pages = 10};
	const char *mac = "MAC = 00:16:3e:00:00:01\n";
	char text[256];

	(void)state;
	assert_int_equal(fit(&maps, LEAST), 1);
	assert_string_equal(errors.error[0].allowed, "Mode = copy, grant");
	assert_int_equal(fit(&keeps, LEAST), 0);
	assert_int_equal(fit(&keeps, LEAST "Queues = 2\n"), 1);
	assert_int_equal(fit(&copies, LEAST "Queues = 2\n"), 1);
	assert_int_equal(fit(&copies, LEAST "Speed = 1000\n"), 1);
	assert_int_equal(fit(&pool, LEAST "Speed = 2147483647\n"), 0);
	assert_int_equal(policy.speed, 2147483647);
	assert_int_equal(fit(&pool, LEAST "Queues = 7\n"), 0);
	assert_int_equal(fit(&pool, LEAST "Queues = 8\n"), 1);
	/* A control page, and three for each virtqueue. */
	assert_int_equal(fit(&granted, LEAST "Queues = 1\n"), 0);
	assert_int_equal(fit(&granted, LEAST "Queues = 2\n"), 1);
	granted.ring_pages = 16;
	assert_int_equal(fit(&granted, LEAST "Queues = 2\n"), 0);
	snprintf(text, sizeof(text), "%sAddresses = 192.0.2.1\n", mac);
	assert_int_equal(fit(&copies, text), 1);
	snprintf(text, sizeof(text), "%sAddresses = 192.0.2.1\nBroadcast = yes\n", mac);
	assert_int_equal(fit(&copies, text), 0);
	snprintf(text, sizeof(text), "%sAddresses = fe80::/10\n", mac);
	assert_int_equal(fit(&copies, text), 0);
	snprintf(text, sizeof(text), "%sAddresses = none\n", mac);
	assert_int_equal(fit(&copies, text), 0);
}

/* A link's name, and a process that opens nothing more. */
static void named_links(void **state)
{
	struct policy link = {.class = POLICY_NET,
			      .mode = POLICY_COPY,
			      .ring_pages = 2,
			      .resource = "link:ivi"};

	(void)state;
	link.line[POLICY_KEY_RESOURCE] = 4;
	link.line[POLICY_KEY_ISOLATION] = 5;
	assert_int_equal(fit(&link, LEAST), 0);
	link.isolation = POLICY_DOMAIN;
	assert_int_equal(fit(&link, LEAST), 1);
	assert_int_equal(errors.error[0].line, 5);
	link.isolation = POLICY_PROCESS;
	strcpy(link.resource, "link:Ivi");
	assert_int_equal(fit(&link, LEAST), 1);
	assert_int_equal(errors.error[0].line, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(all_keys),
		cmocka_unit_test(bad_values),
		cmocka_unit_test(what_does_not_go_together),
		cmocka_unit_test(named_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
