/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy as a user sees it: exit status, the table, each error with its
 * file and line, and what a set of policies may not say together.
 *
 * The program under test is named by the environment: XDD_POLICY.
 */
#include "program.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static char dir[] = "/tmp/xdd-policy.XXXXXX";

struct device {
	const char *name, *backend, *client, *memory;
};

static const struct device root = {"root", "Resource = /dev/null\nReadOnly = no",
				   "Domain = 3\nDevice = xvda", ""};

static void write_text(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void write_device(const struct device *d)
{
	char text[2048], name[64];

	snprintf(name, sizeof(name), "%s.policy", d->name);
	snprintf(
		text, sizeof(text),
		"Format = 1\n[Backend]\nClass = blk\n%s\n[Client]\n%s\n[Memory]\n%s\n"
		"[Limits]\nInFlight = 1\nOperations = 1/s\nBytes = 1/s\nEvents = 1/s\n",
		d->backend, d->client, d->memory);
	write_text(name, text);
}

/* Runs the program with @args, where "@" stands for the directory. */
static int run(const char *args)
{
	return shell("$MESON_EXE_WRAPPER \"$XDD_POLICY\" %s 2>&1", args);
}

static int clean(void **state)
{
	(void)state;
	return shell("rm -f -- * .policy");
}

static void good_file(void **state)
{
	(void)state;
	write_device(&root);
	assert_int_equal(run("check root.policy"), 0);
	says("INSTANCE");
	says("root                 blk    pv      3");
	says_not("SHARED");
	assert_int_equal(run("check ."), 0);
	says("maptrack entries          353     262144");
	says("event channels             73       1023");
	says("xenstore watches           10        128");
	says("xenstore nodes             26       1000");
}

/* Each error of each file, by line, and no table. */
static void all_errors(void **state)
{
	(void)state;
	write_text("a.policy", "Format = 2\n[Backend]\nClas = blk\n");
	write_text("b.policy", "Format = 1\nnonsense\n");
	assert_int_equal(run("check a.policy b.policy gone.policy"), 2);
	says("a.policy:1: \"2\" is not a value of Format; allowed: 1\n");
	says("a.policy:3: unknown key \"Clas\"; allowed: Class, "
	     "Door");
	says("a.policy: the required key Limits.Bytes is missing");
	says("b.policy:2: a line of no known form; allowed: ");
	says("gone.policy: cannot be read: No such file");
	says_not("INSTANCE");
	assert_true(strstr(output, "a.policy:3") < strstr(output, "a.policy: the"));
}

/* What a class's section says beside the generic ones. */
static void sections(void **state)
{
	static const char head[] =
		"Format = 1\n[Backend]\nClass = blk\nResource = /dev/sda\n[Client]\n"
		"Domain = 3\nDevice = xvda\n[Limits]\nInFlight = 1\n"
		"Operations = 1/s\nBytes = 1/s\nEvents = 1/s\n";
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), "%s[Memory]\nRingPages = 3\n[Block]\nQueues = 4\n",
		 head);
	write_text("a.policy", text);
	snprintf(text, sizeof(text), "%s[Block]\nQueues = 2\n", head);
	write_text("b.policy", text);
	snprintf(text, sizeof(text), "%s[Block]\nQueues = 17\n", head);
	write_text("c.policy", text);
	assert_int_equal(run("check a.policy b.policy c.policy"), 2);
	says("a.policy:14: RingPages = 3 is too little for Queues = 4; allowed: a "
	     "page");
	says("b.policy: RingPages = 1 is too little for Queues = 2");
	says("c.policy:14: \"17\" is not a value of Queues; allowed: 1-16");
	snprintf(text, sizeof(text), "%s[Memory]\nRingPages = 4\n[Block]\nQueues = 4\n",
		 head);
	write_text("a.policy", text);
	assert_int_equal(run("check a.policy"), 0);
}

static void more_errors_than_fit(void **state)
{
	char text[1024] = "";

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		strcat(text, "x\n");
	write_text("a.policy", text);
	assert_int_equal(run("check a.policy"), 2);
	says("a.policy:64: ");
	says("a.policy: 45 more errors");
}

static void names_of_files(void **state)
{
	static const char *const names[] = {
		"a-b.policy", "A.policy", ".policy",
		"a.conf",     "a",	  "aaaaaaaaaabbbbbbbbbbccccccccccdd.policy"};

	(void)state;
	for (unsigned i = 0; i < COUNT(names); i++) {
		char args[64];

		write_text(names[i], "Format = 1\n");
		snprintf(args, sizeof(args), "check %s", names[i]);
		assert_int_equal(run(args), 2);
		says("not a name for a policy; allowed: NAME.policy");
	}
}

static void empty_directory(void **state)
{
	(void)state;
	write_text("README", "no policy");
	assert_int_equal(run("check ."), 2);
	says(".: holds no file NAME.policy");
}

/* Beside root: what a second policy may not say. */
static const struct {
	struct device second;
	int status;
	const char *says; /* NULL: nothing is wrong */
} pair_cases[] = {
	{{"two", "Resource = null:1G", "Domain = 3\nDevice = xvdb", ""}, 0, NULL},
	{{"two", "Resource = null:1G", "Domain = 4\nDevice = xvda", ""}, 0, NULL},
	{{"two", "Resource = null:1G", "Domain = 3\nDevice = xvda", ""},
	 2,
	 "two.policy:7: device xvda of this client is served by root already"},
	{{"two", "Resource = null:1G", "Domain = 3\nDevice = 51712", ""},
	 2,
	 "two.policy:7: device 51712 of this client is served by root"},
	{{"two", "Resource = null:1G", "Domain = any\nTag = x\nDevice = xvda", ""},
	 0,
	 "two.policy:8: warning: device xvda may be served by root as well"},
	{{"two", "Resource = /dev/null", "Domain = 3\nDevice = xvdb", ""},
	 2,
	 "two.policy:4: /dev/null is root's as well, and one of them writes"},
	{{"two", "Resource = /dev/../dev/null", "Domain = 3\nDevice = xvdb", ""},
	 2,
	 "two.policy:4: /dev/../dev/null is root's as well"},
	{{"two", "Resource = null:1G", "Domain = 3\nDevice = xvdb",
	  "Mode = copy\nGrantRefs = 8-9"},
	 0,
	 "two.policy:10: warning: GrantRefs 8-9 overlaps 8-32767 of root, and "
	 "copies"},
	{{"two", "Resource = null:1G", "Domain = 3\nDevice = xvdb",
	  "Mode = copy\nGrantRefs = 32768-32769"},
	 0,
	 NULL},
	{{"two", "Resource = null:1G", "Domain = 4\nDevice = xvdb", "Mode = copy"},
	 0,
	 NULL},
	{{"two", "Resource = null:1G", "Domain = 3\nDevice = xvdb", "Exclusive = no"},
	 0,
	 "two.policy: warning: GrantRefs 8-32767 overlaps"},
	{{"two", "Resource = null:1G\nIsolation = domain", "Domain = 3\nDevice = xvdb",
	  ""},
	 0,
	 NULL},
	{{"two", "Resource = null:1G\nIsolation = domain", "Domain = 4\nDevice = xvdb",
	  ""},
	 2,
	 "two.policy:7: another client than root's"},
	{{"two", "Resource = null:1G\nDoor = virtio", "Domain = 3\nDevice = xvda", ""},
	 0,
	 NULL}, /* another kind: another device */
};

static void pairs(void **state)
{
	for (unsigned i = 0; i < COUNT(pair_cases); i++) {
		clean(state);
		write_device(&root);
		write_device(&pair_cases[i].second);
		if (run("check .") != pair_cases[i].status)
			fail_msg("case %u:\n%s", i, output);
		if (pair_cases[i].says)
			says(pair_cases[i].says);
		else
			says_not(".policy:");
	}
}

static void two_of_virtio(void **state)
{
	struct device a = {"a", "Resource = null:1G\nDoor = virtio",
			   "Domain = 3\nDevice = 0", "PoolPages = 2048"};
	struct device b = a;

	(void)state;
	write_device(&a);
	b.name = "b";
	write_device(&b);
	assert_int_equal(run("check ."), 2);
	says("b.policy:8: device 0 of this client is served by a already");
	b.client = "Domain = 3\nDevice = 1";
	write_device(&b);
	assert_int_equal(run("check ."), 0);
	says("maptrack entries         4098     262144"); /* a pool is mapped */
	says("b                    blk    virtio  3                1        pool");
	assert_int_equal(run("check --maptrack 4097 ."), 2);
	says("lower RingPages, DataPages or PoolPages");
	assert_int_equal(run("show a.policy"), 0);
	says("   10  Memory.PoolPages      2048\n");
	says_not("DataPages");
}

static void write_net(const char *name, const char *resource, unsigned client)
{
	char text[1024], file[64];

	snprintf(text, sizeof(text),
		 "Format = 1\n[Backend]\nClass = net\nResource = %s\n[Client]\n"
		 "Domain = %u\nDevice = 0\n[Limits]\nInFlight = 1\nOperations = 1/s\n"
		 "Bytes = 1/s\nEvents = 1/s\n[Net]\nMAC = 00:16:3e:00:00:0%u\n"
		 "Addresses = any\n",
		 resource, client, client);
	snprintf(file, sizeof(file), "%s.policy", name);
	write_text(file, text);
}

/* A link has two ends: no less, no more; and they are said to be one group. */
static void links(void **state)
{
	(void)state;
	write_net("a", "link:ivi", 3);
	assert_int_equal(run("check ."), 0);
	says("a.policy:4: warning: nobody is at the other end of link:ivi");
	says_not("ISOLATION GROUP");
	says("memory (MiB)               14          -"); /* a ring's MiB is in it */
	write_net("a", "null:", 3);
	assert_int_equal(run("check ."), 0);
	says("memory (MiB)               13          -");
	write_net("a", "link:ivi", 3);
	write_net("b", "link:ivi", 4);
	write_net("c", "link:ivi2", 5);
	write_net("d", "null:", 6);
	assert_int_equal(run("check ."), 0);
	says("c.policy:4: warning: nobody is at the other end of link:ivi2");
	says_not("a.policy");
	says_not("b.policy");
	says("LINK                 ONE ISOLATION GROUP\n"
	     "ivi                  a (client 3) and b (client 4)\n"
	     "What the policy of one lets its client send reaches the other with no "
	     "kernel between.\n");
	says_not("ivi2                 c");
	write_net("c", "link:ivi", 5);
	assert_int_equal(run("check ."), 2);
	says("c.policy:4: link:ivi has two ends, and two others have them");
	says_not("a.policy:4: link");
	says_not("b.policy:4: link");
	assert_int_equal(run("show c.policy"), 0);
	says("    -  (isolation group)     with whoever else names link:ivi\n");
	assert_int_equal(run("show d.policy"), 0);
	says_not("isolation group");
	write_net("c", "link:Ivi", 5);
	assert_int_equal(run("check c.policy"), 2);
	says("c.policy:4: Backend.Resource = link:Ivi is no link's name; allowed: "
	     "link:NAME");
}

static void write_sound(const char *name, unsigned client, const char *streams)
{
	char text[1024], file[64];

	snprintf(
		text, sizeof(text),
		"Format = 1\n[Backend]\nClass = snd\nResource = alsa:\n[Client]\n"
		"Domain = %u\nDevice = 0\n[Memory]\nClientPages = both\nRingPages = 4\n"
		"[Limits]\nInFlight = 1\nOperations = 1/s\nBytes = 1/s\nEvents = 1/s\n"
		"[Sound]\n%s\n",
		client, streams);
	snprintf(file, sizeof(file), "%s.policy", name);
	write_text(file, text);
}

/* Who may record is said; and what has one user has one. */
static void sounds(void **state)
{
	(void)state;
	write_sound("a", 3, "Stream0 = 0/0 playback hw:0,0");
	assert_int_equal(run("check ."), 0);
	says_not("RECORDED");
	says_not("warning");
	write_sound("b", 4,
		    "Stream0 = 0/0 playback plughw:0,0\n"
		    "Stream1 = 0/1 capture hw:0,0\nCapture = yes");
	assert_int_equal(run("check ."), 0);
	says("b.policy:17: warning: Sound.Stream0 is plughw:0,0, as is Stream0 of a: "
	     "hardware has one user");
	says_not("a.policy");
	says("RECORDED FROM        BY\n"
	     "hw:0,0               b (client 4)\n");
	write_sound("a", 3, "Stream0 = 0/0 playback other");
	assert_int_equal(run("check ."), 0);
	says_not("warning");
	write_sound("b", 4, "Stream0 = 0/0 playback other");
	assert_int_equal(run("check ."), 0);
	says("b.policy:17: warning: Sound.Stream0 is other, as is Stream0 of a: a PCM "
	     "has "
	     "one user");
	says("Mixed = yes in both");
	write_sound("a", 3, "Stream0 = 0/0 playback null");
	write_sound("b", 4, "Stream0 = 0/0 playback null");
	assert_int_equal(run("check ."), 0);
	says_not("warning");
	write_sound("b", 4, "Stream0 = 0/0 capture hw:0,0");
	assert_int_equal(run("check ."), 2);
	says_not("RECORDED");
}

#define MIXED "Stream0 = 0/0 playback speakers\nMixed = yes"

/* All that are mixed are one group, whatever they name; and what is hardware is so. */
static void mixed(void **state)
{
	(void)state;
	write_sound("a", 3, MIXED);
	assert_int_equal(run("check ."), 0);
	says_not("ISOLATION GROUP");
	write_sound("b", 4, "Stream0 = 0/0 playback speakers");
	assert_int_equal(run("check ."), 0);
	says("b.policy:17: warning: Sound.Stream0 is speakers, as is Stream0 of a");
	says_not("ISOLATION GROUP");
	write_sound("b", 4, MIXED "\nStream1 = 0/1 playback hw:1,0");
	write_sound("c", 5, "Stream0 = 0/0 playback elsewhere\nMixed = yes");
	write_sound("d", 6, "Stream0 = 0/0 playback hw:0,0");
	write_net("e", "link:ivi", 7);
	write_net("f", "link:ivi", 8);
	assert_int_equal(run("check ."), 0);
	says_not("warning");
	says("LINK                 ONE ISOLATION GROUP\n"
	     "ivi                  e (client 7) and f (client 8)\n");
	says("MIXED                ONE ISOLATION GROUP\n"
	     "alsa:                a (client 3) and b (client 4) and c (client 5)\n"
	     "Their back ends trust what each of them writes: who takes over one may "
	     "take over all.\n");
	write_sound("c", 5, MIXED "\nStream1 = 0/1 playback plughw:1,0");
	assert_int_equal(run("check ."), 0);
	says("c.policy:19: warning: Sound.Stream1 is plughw:1,0, as is Stream1 of b: "
	     "hardware");
	assert_int_equal(run("show a.policy"), 0);
	says("    -  (isolation group)     with whoever else has Sound.Mixed = yes\n");
	assert_int_equal(run("show d.policy"), 0);
	says_not("isolation group");
}

static void two_tags_for_one_device(void **state)
{
	const struct device a = {"a", "Resource = null:1G",
				 "Domain = any\nTag = a\nDevice = xvda", ""};
	struct device b = {"b", "Resource = null:1G",
			   "Domain = any\nTag = b\nDevice = xvda", ""};

	(void)state;
	write_device(&a);
	write_device(&b);
	assert_int_equal(run("check ."), 0);
	says_not("served by");
	b.client = a.client;
	write_device(&b);
	assert_int_equal(run("check ."), 2);
	says("device xvda of this client is served by a already");
}

static void limits(void **state)
{
	static const struct {
		const char *option;
		unsigned need;
	} cases[] = {
		{"--maptrack", 353}, {"--pv --maptrack", 706}, {"--event-channels", 73},
		{"--watches", 10},   {"--nodes", 26},	       {"--descriptors", 1064},
		{"--memory", 10},
	};

	(void)state;
	write_device(&root);
	for (unsigned i = 0; i < COUNT(cases); i++) {
		char args[64], need[32];

		snprintf(args, sizeof(args), "check %s %u .", cases[i].option,
			 cases[i].need);
		assert_int_equal(run(args), 0);
		snprintf(args, sizeof(args), "check %s %u .", cases[i].option,
			 cases[i].need - 1);
		assert_int_equal(run(args), 2);
		snprintf(need, sizeof(need), "all instances need %u ", cases[i].need);
		says(need);
		says("SHARED");
	}
	assert_int_equal(run("check --watches 0 ."), 2);
	says("--watches takes a number from 1");
	assert_int_equal(run("check --nonsense ."), 2);
}

static void show(void **state)
{
	(void)state;
	write_device(&root);
	assert_int_equal(run("show root.policy"), 0);
	says("    1  Format                1\n");
	says("    4  Backend.Resource      /dev/null\n");
	says("    -  Backend.Door          pv\n");
	says("    -  Memory.DataPages      352\n");
	says_not(".Format ");
	says_not("PoolPages");
	says("    -  Memory.ClientPages    both\n");
	says("   13  Limits.Operations     1/s burst 1\n");
	write_text("bad.policy", "Format = 1\n");
	assert_int_equal(run("show bad.policy"), 2);
	says("bad.policy: the required key");
	says_not("VALUE");
	assert_int_equal(run("show"), 2);
}

static void usage(void **state)
{
	(void)state;
	assert_int_equal(run("--help"), 0);
	says("usage: xdd-policy check");
	assert_int_equal(run("check --help"), 0);
	assert_int_equal(run(""), 2);
	assert_int_equal(run("chek ."), 2);
	says("--help");
	assert_int_equal(run("check"), 2);
	says("Name files or a directory");
}

static void write_display(const char *name, unsigned client, const char *resource,
			  const char *connectors)
{
	char text[1024], file[64];

	snprintf(text, sizeof(text),
		 "Format = 1\n[Backend]\nClass = displ\nResource = %s\n[Client]\n"
		 "Domain = %u\nDevice = 0\n[Memory]\nRingPages = 4\n[Limits]\n"
		 "InFlight = 1\nOperations = 1/s\nBytes = 1/s\nEvents = 1/s\n"
		 "[Display]\n%s\n",
		 resource, client, connectors);
	snprintf(file, sizeof(file), "%s.policy", name);
	write_text(file, text);
}

/* Who shows on what is said; a card has one master, and a file one writer. */
static void displays(void **state)
{
	(void)state;
	write_display("a", 3, "drm:/dev/dri/card0", "Connector0 = HDMI-A-1 1024x768");
	write_display("b", 4, "drm:/dev/dri/card1",
		      "Connector0 = DP-1 640x480\nConnector1 = DP-2 640x480");
	assert_int_equal(run("check ."), 0);
	says_not("warning");
	says("SHOWN ON             OF                   BY\n"
	     "HDMI-A-1             drm:/dev/dri/card0   a (client 3)\n"
	     "DP-1                 drm:/dev/dri/card1   b (client 4)\n"
	     "DP-2                 drm:/dev/dri/card1   b (client 4)\n");
	write_display("b", 4, "drm:/dev/dri/card0", "Connector0 = DP-1 640x480");
	assert_int_equal(run("check ."), 0);
	says("b.policy:4: warning: Resource is drm:/dev/dri/card0, as is that of a: a "
	     "card has one master");
	write_display("a", 3, "png:/srv", "Connector0 = one 640x480");
	write_display("b", 4, "png:/srv", "Connector0 = two 640x480");
	assert_int_equal(run("check ."), 0);
	says_not("warning");
	write_display("b", 4, "png:/srv",
		      "Connector0 = two 640x480\nConnector1 = one 640x480");
	assert_int_equal(run("check ."), 0);
	says("b.policy:17: warning: Display.Connector1 is one, as is Connector0 of a: "
	     "both "
	     "write one file");
	write_display("b", 4, "png:/srv", "Connector0 = two");
	assert_int_equal(run("check ."), 2);
	says("NAME WIDTHxHEIGHT");
}

/* Several on one card: by leases, each with connectors of its own. */
static void leased_displays(void **state)
{
	(void)state;
	write_display("a", 3, "lease:/dev/dri/card0", "Connector0 = DP-1 640x480");
	write_display("b", 4, "lease:/dev/dri/card0", "Connector0 = DP-2 640x480");
	write_display("c", 5, "lease:/dev/dri/card1", "Connector0 = DP-1 640x480");
	assert_int_equal(run("check ."), 0);
	says_not("warning");
	write_display("b", 4, "lease:/dev/dri/card0",
		      "Connector0 = DP-2 640x480\nConnector1 = DP-1 640x480");
	assert_int_equal(run("check ."), 2);
	says("b.policy:17: Display.Connector1 is DP-1, as is Connector0 of a; allowed: "
	     "a "
	     "connector of its own");
	write_display("b", 4, "drm:/dev/dri/card0", "Connector0 = DP-2 640x480");
	assert_int_equal(run("check ."), 2);
	says("b.policy:4: Resource is drm:/dev/dri/card0, and that of a is "
	     "lease:/dev/dri/card0: a card has one master; allowed: lease: in both");
	write_display("a", 3, "drm:/dev/dri/card0", "Connector0 = DP-1 640x480");
	assert_int_equal(run("check ."), 0);
	says("with lease:/dev/dri/card0 in both they share it");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(good_file, clean),
		cmocka_unit_test_teardown(all_errors, clean),
		cmocka_unit_test_teardown(more_errors_than_fit, clean),
		cmocka_unit_test_teardown(sections, clean),
		cmocka_unit_test_teardown(names_of_files, clean),
		cmocka_unit_test_teardown(empty_directory, clean),
		cmocka_unit_test_teardown(pairs, clean),
		cmocka_unit_test_teardown(two_tags_for_one_device, clean),
		cmocka_unit_test_teardown(two_of_virtio, clean),
		cmocka_unit_test_teardown(links, clean),
		cmocka_unit_test_teardown(sounds, clean),
		cmocka_unit_test_teardown(displays, clean),
		cmocka_unit_test_teardown(leased_displays, clean),
		cmocka_unit_test_teardown(mixed, clean),
		cmocka_unit_test_teardown(limits, clean),
		cmocka_unit_test_teardown(show, clean),
		cmocka_unit_test_teardown(usage, clean),
	};

	return run_in_directory(dir, "XDD_POLICY", tests, COUNT(tests), clean);
}
