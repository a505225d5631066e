/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy xl: the line of each class as xl is to read it (the bed's scenario "xl"
 * has it read them), and what is not given by xl, with the reason and the command.
 *
 * The program under test is named by the environment: XDD_POLICY.
 */
#include "policy_cmd_dt.h"

#define ANY(tag, device) "Domain = any\nTag = " tag "\nDevice = " device
#define ONE(device)	 "Domain = 3\nDevice = " device
#define HEAD		 "# Devices that the domain drv serves one client: xdd-policy(8).\n"
#define NET		 "[Net]\nMAC = 00:16:3E:00:00:0a\nAddresses = any\n"
#define SOUND		 "[Memory]\nRingPages = 8\nClientPages = both\n[Sound]\nCapture = yes\n"
#define DISPLAY		 "[Memory]\nRingPages = 4\n[Display]\n"

static int xl(const char *args)
{
	char all[512];

	snprintf(all, sizeof(all), "xl %s", args);
	return xdd_policy(all);
}

/* Without its warnings. */
static int xl_lines(const char *args)
{
	return shell("$MESON_EXE_WRAPPER \"$XDD_POLICY\" xl %s 2>/dev/null", args);
}

/* All of its output. */
static void prints(const char *args, const char *expected)
{
	assert_int_equal(xl(args), 0);
	if (strcmp(output, expected))
		fail_msg("%s: it says\n%s\nnot\n%s", args, output, expected);
}

static void disks(void **state)
{
	(void)state;
	write_class("a", ANY("ivi", "xvda"), "blk\nResource = null:1G\nReadOnly = no",
		    "");
	write_class("b", ANY("maps", "51728"), "blk\nResource = null:1G", "");
	prints("a.policy",
	       HEAD "disk = [\n\t\"format=raw,vdev=xvda,access=w,backendtype=phy,"
		    "backend=drv,target=ivi\" ]\n");
	/* By their numbers, in whatever order they are named. */
	prints("b.policy a.policy",
	       HEAD "disk = [\n\t\"format=raw,vdev=xvda,access=w,backendtype=phy,"
		    "backend=drv,target=ivi\",\n\t\"format=raw,vdev=51728,access=r,"
		    "backendtype=phy,backend=drv,target=maps\" ]\n");
	assert_int_equal(xl("--backend other b.policy"), 0);
	says("backend=other,target=maps\"");
	says("# Devices that the domain other serves");
	/* Without a tag, as xdd-attach would; but the number will not last. */
	write_class("c", ONE("xvdc"), "blk\nResource = null:1G", "");
	assert_int_equal(xl("c.policy"), 0);
	says("vdev=xvdc,access=r,backendtype=phy,backend=drv,target=c\"");
	says("c.policy:6: warning: Domain = 3, and xl gives a client another number "
	     "each "
	     "time it starts; Domain = any and a Tag");
}

static void networks(void **state)
{
	(void)state;
	write_class("a", ANY("ivi", "2"), "net\nResource = tap0", NET);
	prints("a.policy", HEAD "vif = [\n\t\"type=vif,devid=2,mac=00:16:3e:00:00:0a,"
				"mtu=1500,backend=drv,vifname=ivi\" ]\n");
	write_class("a", ANY("ivi", "2"), "net\nResource = tap0", NET "MTU = 9000\n");
	assert_int_equal(xl("a.policy"), 0);
	says("mtu=9000,");
}

static void cards(void **state)
{
	(void)state;
	write_class("a", ONE("0"), "snd\nResource = null:",
		    SOUND "Stream0 = 0/0 playback x\nStream1 = 0/1 capture y\n"
			  "Stream2 = 1/0 playback z\nFormats = s8, s32_be, float64_be\n"
			  "Rates = 44100-48000\nChannels = 2-4\nBuffer = 65536\n");
	assert_int_equal(xl_lines("a.policy"), 0);
	says(HEAD
	     "vsnd = [\n\t[\n\t\t\"CARD, backend=drv, short-name=a, channels-min=2, "
	     "channels-max=4, buffer-size=65536, sample-rates=44100;48000, "
	     "sample-formats=s8;s32_be\",\n\t\t\"PCM, name=PCM 0\",\n"
	     "\t\t\"STREAM, unique-id=0, type=p\",\n"
	     "\t\t\"STREAM, unique-id=1, type=c\",\n\t\t\"PCM, name=PCM 1\",\n"
	     "\t\t\"STREAM, unique-id=2, type=p\" ] ]\n"
	     "# a: xl leaves out the formats float64_be, which it calls otherwise");
	write_class("a", ONE("0"), "snd\nResource = null:",
		    SOUND "Stream0 = 0/0 playback x\nFormats = s8\n");
	assert_int_equal(xl("a.policy"), 0);
	says_not("leaves out");
}

/* xl counts from 0: what has other numbers is not to be had by it. */
static void streams_that_are_not_counted(void **state)
{
	static const char *const streams[] = {
		"Stream0 = 1/0 playback x\n",
		"Stream0 = 0/1 playback x\n",
		"Stream0 = 0/0 playback x\nStream1 = 0/2 capture y\n",
		"Stream0 = 0/0 playback x\nStream1 = 2/0 playback y\n",
		"Stream0 = 0/0 playback x\nStream1 = 1/0 playback y\n"
		"Stream2 = 0/1 capture z\n",
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(streams); i++) {
		char section[256];

		snprintf(section, sizeof(section), SOUND "%s[Audit]\nLevel = changes\n",
			 streams[i]);
		write_class("a", ONE("0"), "snd\nResource = null:", section);
		assert_int_equal(xl("a.policy"), 0);
		says_not("vsnd = ");
		says("# a: xl numbers PCMs and their streams from 0 in their order, "
		     "and "
		     "these are others. When the client runs:\n"
		     "#   xdd-attach attach --backend drv --client 3 a.policy\n");
	}
}

static void displays(void **state)
{
	(void)state;
	write_class("a", ONE("0"), "displ\nResource = null:",
		    DISPLAY "Connector0 = HDMI-A-1 1920x1080\nConnector1 = b 64x80\n");
	assert_int_equal(xl_lines("a.policy"), 0);
	says(HEAD "vdispl = [\n\t\"backend=drv,be-alloc=0,"
		  "connectors=HDMI-A-1:1920x1080;b:64x80\" ]\n");
	write_class("a", ONE("0"),
		    "displ\nResource = null:", DISPLAY "Connector0 = a;b 640x480\n");
	assert_int_equal(xl("a.policy"), 0);
	says_not("vdispl");
	says("# a: an xl.cfg cannot have the name of its connector. When");
}

static void places(void **state)
{
	(void)state;
	write_class("a", ONE("1"),
		    "displ\nResource = null:", DISPLAY "Connector0 = one 640x480\n");
	assert_int_equal(xl("a.policy"), 0);
	says_not("vdispl");
	says("# a: xl numbers such devices from 0, and none here has the number before "
	     "it. When");
	write_class("b", ONE("0"),
		    "displ\nResource = null:", DISPLAY "Connector0 = two 640x480\n");
	assert_int_equal(xl("a.policy b.policy"), 0);
	says("connectors=two:640x480\",\n\t\"backend=drv,be-alloc=0,connectors=one:");
	says_not("# a:");
}

/* What xl has no word for, or cannot write the tag of. */
static void attached(void **state)
{
	static const struct {
		const char *class, *client, *rest, *why;
	} cases[] = {
		{"can\nResource = can0", ANY("t", "0"), "[Can]\nTransmit = none\n",
		 "xl has no word for it"},
		{"blk\nDoor = virtio\nResource = null:1G", ANY("t", "0"), "",
		 "xl has no word for it"},
		{"snd\nResource = null:", ANY("t", "0"),
		 SOUND "Stream0 = 0/0 capture x\n",
		 "xl writes no tag for it, and its policy goes by one"},
		{"displ\nResource = null:", "Domain = 3\nTag = t\nDevice = 0",
		 DISPLAY "Connector0 = x 64x64\n",
		 "xl writes no tag for it, and its policy goes by one"},
		{"blk\nResource = null:1G", ANY("a\",\"b", "xvda"), "",
		 "an xl.cfg cannot have its tag"},
		{"blk\nResource = null:1G", ANY("a\\", "xvda"), "",
		 "an xl.cfg cannot have its tag"},
		{"net\nResource = tap0", ANY("a,script=x", "0"), NET,
		 "an xl.cfg cannot have its tag"},
	};
	char expected[256];

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		write_class("a", cases[i].client, cases[i].class, cases[i].rest);
		snprintf(expected, sizeof(expected),
			 HEAD "# a: %s. When the client runs:\n#   xdd-attach attach "
			      "--backend drv --client ivi a.policy\n",
			 cases[i].why);
		assert_int_equal(xl_lines("--client ivi a.policy"), 0);
		if (strcmp(output, expected))
			fail_msg("case %u: it says\n%s\nnot\n%s", i, output, expected);
	}
	write_class("a", ANY("t", "0"), "can\nResource = can0",
		    "[Can]\nTransmit = none\n");
	assert_int_equal(xl("a.policy"), 0);
	says("--client CLIENT a.policy");
	assert_int_equal(shell("mkdir \"$(printf 'x\\ny')\" && mv a.policy x*"), 0);
	assert_int_equal(xl("x*"), 0);
	says("--client CLIENT x\\x0ay/a.policy\n");
	shell("rm -r x*");
}

static void one_client(void **state)
{
	(void)state;
	write_class("a", ONE("xvda"), "blk\nResource = null:1G", "");
	write_class("b", "Domain = 4\nDevice = xvdb", "blk\nResource = null:1G", "");
	assert_int_equal(xl("a.policy b.policy"), 2);
	says("b.policy:6: its client is domain 4, and that of a domain 3; an xl.cfg is "
	     "one "
	     "client's");
	says_not("disk = ");
	write_class("b", ANY("t", "51712"), "blk\nResource = null:1G", "");
	assert_int_equal(xl("a.policy b.policy"), 2);
	says("b.policy:8: device 51712 is a's already; name one of the two");
	write_class("b", ANY("t", "0"), "net\nResource = tap0", NET);
	assert_int_equal(xl("."), 0);
	says("disk = [");
	says("vif = [");
}

static void usage(void **state)
{
	(void)state;
	assert_int_equal(xl(""), 2);
	says("xl for what? Name the instances");
	assert_int_equal(xl("--backend 'a b' a"), 2);
	says("\"a b\" is no domain; allowed: letters");
	assert_int_equal(xl("--nonsense a"), 2);
	says("see xdd-policy --help");
	assert_int_equal(xl("gone.policy"), 2);
	says("gone.policy: cannot be read");
	says_not("# Devices");
}

static void as_json(void **state)
{
	(void)state;
	write_class("a", ANY("ivi", "xvda"), "blk\nResource = null:1G", "");
	write_class("b", ANY("t", "0"), "can\nResource = can0",
		    "[Can]\nTransmit = none\n");
	write_class("c", ONE("0"), "snd\nResource = null:",
		    SOUND "Stream0 = 0/0 playback x\nFormats = float_le, s8\n");
	assert_int_equal(xl("--json b.policy a.policy c.policy"), 0);
	says("    \"backend\": \"drv\",\n    \"devices\": [\n      {\n"
	     "        \"instance\": \"a\",\n        \"word\": \"disk\",\n"
	     "        \"spec\": \"format=raw,vdev=xvda,access=r,backendtype=phy,"
	     "backend=drv,target=ivi\",\n        \"leaves_out\": null,\n"
	     "        \"why_not\": null,\n        \"command\": null\n      },\n");
	says("        \"word\": \"vsnd\",\n        \"spec\": [\n          \"CARD, ");
	says("        \"leaves_out\": \"float_le\",\n");
	says("        \"instance\": \"b\",\n        \"word\": null,\n"
	     "        \"spec\": null,\n        \"leaves_out\": null,\n"
	     "        \"why_not\": \"xl has no word for it\",\n"
	     "        \"command\": \"xdd-attach attach --backend drv --client CLIENT "
	     "b.policy\"\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(disks, clean),
		cmocka_unit_test_teardown(networks, clean),
		cmocka_unit_test_teardown(cards, clean),
		cmocka_unit_test_teardown(streams_that_are_not_counted, clean),
		cmocka_unit_test_teardown(displays, clean),
		cmocka_unit_test_teardown(places, clean),
		cmocka_unit_test_teardown(attached, clean),
		cmocka_unit_test_teardown(one_client, clean),
		cmocka_unit_test_teardown(usage, clean),
		cmocka_unit_test_teardown(as_json, clean),
	};

	return run_in_directory(dir, "XDD_POLICY", tests, COUNT(tests), clean);
}
