/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy check of a directory, what two policies of one class name both: taps,
 * addresses, identifiers of a bus, files of sound; and that all of it is said at once.
 *
 * The program under test is named by the environment: XDD_POLICY.
 */
#include "policy_cmd_dt.h"

static int check(void)
{
	return xdd_policy("check .");
}

static void write_net(const char *name, unsigned client, const char *resource,
		      unsigned mac)
{
	char class[64], who[64], net[128];

	snprintf(class, sizeof(class), "net\nResource = %s", resource);
	snprintf(who, sizeof(who), "Domain = %u\nDevice = 0", client);
	snprintf(net, sizeof(net),
		 "[Net]\nMAC = 00:16:3e:00:00:%02x\nAddresses = any\n", mac);
	write_class(name, who, class, net);
}

static void networks(void **state)
{
	(void)state;
	write_net("a", 3, "tap0", 1);
	write_net("b", 4, "tap1", 2);
	assert_int_equal(check(), 0);
	says_not("a's");
	write_net("b", 4, "tap0", 1);
	assert_int_equal(check(), 2);
	says("b.policy:4: tap0 is a's as well, and a tap is of one client; give each "
	     "its "
	     "own");
	says("b.policy:14: warning: MAC is that of a as well");
	/* What is no tap, any number may have. */
	write_net("a", 3, "null:", 1);
	write_net("b", 4, "null:", 2);
	assert_int_equal(check(), 0);
	write_net("a", 3, "link:wire", 1);
	write_net("b", 4, "link:wire", 2);
	assert_int_equal(check(), 0);
	says_not("is a's as well");
}

static void write_can(const char *name, const char *resource, const char *transmit)
{
	char class[64], can[128];

	snprintf(class, sizeof(class), "can\nResource = %s", resource);
	snprintf(can, sizeof(can), "[Can]\nTransmit = %s\nReceive = all\n", transmit);
	write_class(name,
		    name[0] == 'a' ? "Domain = 3\nDevice = 0"
				   : "Domain = 4\nDevice = 0",
		    class, can);
}

/* An identifier in both lists; NULL: there is none. */
static const struct {
	const char *a, *b, *id;
} lists[] = {
	{"none", "none", NULL},
	{"none", "all", NULL},
	{"all", "all", "000"},
	{"123", "123", "123"},
	{"123", "124", NULL},
	{"123", "00000123", NULL},
	{"100-1FF", "1FF-2FF", "1FF"},
	{"100-1FF", "200-2FF", NULL},
	{"18DA0000-18DAFFFF", "18DAF110", "18DAF110"},
	{"100:700", "300:300", NULL},
	{"100:700", "001:00F", "101"},
	{"100:700", "200:700", NULL},
	{"020:0F0", "300-35F", "320"},
	{"020:0F0", "330-3FF", NULL},
	{"020:0F0", "230-32F", "320"},
	{"005:00F", "126-12F", NULL},
	{"005:00F", "126-135", "135"},
	{"000:001", "7FF", NULL},
	{"000:000", "7FF", "7FF"},
	{"001:001", "7FE-7FF", "7FF"},
	{"10000000:1F000000", "0FFFFFFF-10000001", "10000000"},
	{"050, 123-130", "001, 12F", "12F"},
};

static void buses(void **state)
{
	char expected[160];

	(void)state;
	for (unsigned i = 0; i < COUNT(lists); i++) {
		write_can("a", "can0", lists[i].a);
		write_can("b", "can0", lists[i].b);
		assert_int_equal(check(), 0);
		snprintf(expected, sizeof(expected),
			 "b.policy:14: warning: Can.Transmit has %s, as has that of a, "
			 "on "
			 "can0: an identifier of a bus has one sender; take it",
			 lists[i].id ? lists[i].id : "");
		if (lists[i].id ? !strstr(output, expected)
				: !!strstr(output, "one sender"))
			fail_msg("case %u:\n%s", i, output);
		write_can("a", "can0", lists[i].b);
		write_can("b", "can0", lists[i].a);
		assert_int_equal(check(), 0);
		if (lists[i].id ? !strstr(output, expected)
				: !!strstr(output, "one sender"))
			fail_msg("case %u, the other way round:\n%s", i, output);
	}
	write_can("a", "can0", "123");
	write_can("b", "can1", "123");
	assert_int_equal(check(), 0);
	says_not("one sender");
	says("SENT ON              IDENTIFIERS          BY\n"
	     "can0                 123                  a (client 3)\n"
	     "can1                 123                  b (client 4)\n");
	write_can("b", "can1", "none");
	assert_int_equal(check(), 0);
	says_not("can1                 ");
	assert_int_equal(xdd_policy("check --json ."), 0);
	says("    \"sent\": [\n      {\n        \"bus\": \"can0\",\n        "
	     "\"identifiers\": \"123\",\n        \"instance\": \"a\"\n      }\n    ],");
	write_can("a", "null:", "123");
	write_can("b", "null:", "123");
	assert_int_equal(check(), 0);
	says_not("one sender");
}

static void write_sound(const char *name, const char *folder, const char *stream)
{
	char class[64], sound[256];

	snprintf(class, sizeof(class), "snd\nResource = file:%s", folder);
	snprintf(sound, sizeof(sound),
		 "[Memory]\nRingPages = 4\nClientPages = both\n[Sound]\nCapture = yes\n"
		 "Stream0 = 0/0 capture in\nStream1 = %s\n",
		 stream);
	write_class(name,
		    name[0] == 'a' ? "Domain = 3\nDevice = 0"
				   : "Domain = 4\nDevice = 0",
		    class, sound);
}

/* Two that play to one file; what both record from, nobody writes. */
static void sound_files(void **state)
{
	(void)state;
	write_sound("a", "/srv", "0/1 playback out");
	write_sound("b", "/srv", "0/1 playback out");
	assert_int_equal(check(), 0);
	says("b.policy:19: warning: Sound.Stream1 is out, as is Stream1 of a: both "
	     "write "
	     "one file; name another");
	says_not("Stream0 is");
	write_sound("b", "/srv", "0/1 playback other");
	assert_int_equal(check(), 0);
	says_not("one file");
	write_sound("b", "/tmp", "0/1 playback out");
	assert_int_equal(check(), 0);
	says_not("one file");
}

/* A directory with something wrong in each way: all of it in one run. */
static void all_at_once(void **state)
{
	(void)state;
	write_bytes("broken.policy", "Format = 2\n", 11);
	write_net("a", 3, "tap0", 1);
	write_net("b", 3, "tap0", 2);
	write_can("c", "can0", "123");
	write_can("d", "can0", "123");
	assert_int_equal(check(), 2);
	says("broken.policy:1: ");
	says("b.policy:7: device 0 of this client is served by a already");
	says("b.policy:4: tap0 is a's");
	says("d.policy:14: warning: Can.Transmit has 123");
	says("d.policy:7: device 0 of this client is served by c already");
	says_not("SHARED");
	/* The sums are judged as soon as every file can be read. */
	shell("rm broken.policy");
	assert_int_equal(xdd_policy("check --watches 1 ."), 2);
	says("b.policy:4: tap0 is a's");
	says("all instances need 16 xenstore watches");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(networks, clean),
		cmocka_unit_test_teardown(buses, clean),
		cmocka_unit_test_teardown(sound_files, clean),
		cmocka_unit_test_teardown(all_at_once, clean),
	};

	return run_in_directory(dir, "XDD_POLICY", tests, COUNT(tests), clean);
}
