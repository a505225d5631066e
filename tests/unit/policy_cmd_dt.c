/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy dt, printing: what it says for each version of Xen, that dtc
 * takes it, and which policies and options it refuses.
 */
#include "policy_cmd_dt.h"

/* What dtc makes of the output, wrapped as an integrator would include it. */
static void compiles(void)
{
	char *source = strdup(output);

	assert_non_null(source);
	write_bytes("xdd.dtsi", source, strlen(source));
	free(source);
	assert_int_equal(
		shell("printf '/dts-v1/;\\n/ {};\\n/include/ \"xdd.dtsi\"\\n' | "
		      "\"$DTC\" -I dts -O dtb -o xdd.dtb - 2>&1"),
		0);
	assert_string_equal(output, "");
	assert_int_equal(shell("\"$DTC\" -I dtb -O dts xdd.dtb"), 0);
}

static void prints_4_17(void **state)
{
	(void)state;
	assert_int_equal(dt("."), 0);
	says("need of Xen 4.17");
	says(" *   xsm=dummy\n");
	says(" *   gnttab_max_frames=79\n");
	says("dom0, which runs init-dom0less");
	says_not("gnttab_max_maptrack_frames");
	says("/ {\n"
	     "\tchosen {\n"
	     "\t\t/* domid 1: the driver domain, with no rights over others */\n"
	     "\t\tdomU1 {\n"
	     "\t\t\txen,enhanced = \"enabled\";      /* grants, event channels, "
	     "xenstore "
	     "*/\n"
	     "\t\t\t/* maps 41779 pages: 165 maptrack frames */\n"
	     "\t\t\t/* 115 event channels of 1023, which no property raises */\n"
	     "\t\t};\n"
	     "\t\t/* domid 2: client of ivi_disk maps */\n"
	     "\t\tdomU2 {\n"
	     "\t\t\txen,enhanced = \"enabled\";      /* absent: no grants, no xenstore "
	     "*/\n"
	     "\t\t\t/* grants 1433 pages: 3 grant frames */\n"
	     "\t\t};\n"
	     "\t\t/* domids 3 to 4: nodes that no policy here names */\n"
	     "\t\t/* domid 5: client of logs */\n");
	says("\t\t/* any domid, known by its Tag: radio */\n"
	     "\t\t/* each client needs xen,enhanced, and at least 1 grant frame */\n"
	     "\t};\n};\n");
	compiles();
	says("domU5 {");
	says_not("max_");
}

static void prints_4_21(void **state)
{
	(void)state;
	assert_int_equal(dt("--xen 4.21.2 --client ivi_disk=ivi --client radio=r@1 "
			    "--driver-domain 1=domD ."),
			 0);
	says("need of Xen 4.21");
	says(" *   xsm=dummy\n");
	says_not("gnttab_max");
	says("capabilities 0x4");
	says("\t\tdomD {\n");
	says("\t\t\tmax_maptrack_frames = <165>;   /* 256 maps each; 41779 pages, a "
	     "frame "
	     "to spare */\n");
	says("\t\tivi {\n"
	     "\t\t\txen,enhanced = \"enabled\";      /* absent: no grants, no xenstore "
	     "*/\n"
	     "\t\t\tmax_grant_version = <1>;       /* all that Xen on Arm offers */\n"
	     "\t\t\tmax_grant_frames = <64>;       /* 512 references each; 3 at least "
	     "*/\n"
	     "\t\t};\n");
	says("max_grant_frames = <79>;");
	says("known by its Tag: radio (r@1) */");
	compiles();
	says("max_grant_frames = <0x4f>;");
	says("max_maptrack_frames = <0xa5>;");
	says("max_grant_version = <0x01>;");
}

static void limits_by_version(void **state)
{
	static const struct {
		const char *version;
		int status, properties;
	} cases[] = {
		{"4.17", 0, 0}, {"4.17.5", 0, 0}, {"4.18", 0, 1}, {"4.19", 0, 1},
		{"4.20", 0, 1}, {"4.21", 0, 1},	  {"4.22", 0, 1}, {"4.16", 2, 0},
		{"4.2", 2, 0},	{"4.171", 2, 0},  {"", 2, 0},
	};
	char args[64];

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		snprintf(args, sizeof(args), "--xen '%s' .", cases[i].version);
		assert_int_equal(dt(args), cases[i].status);
		assert_int_equal(!!strstr(output, "max_grant_frames ="),
				 cases[i].properties);
		assert_int_equal(!!strstr(output, "gnttab_max_frames="),
				 !cases[i].properties && !cases[i].status);
		if (cases[i].status)
			says("is not for --xen; allowed: 4.17, 4.18, 4.19, 4.20, 4.21, "
			     "4.22");
	}
}

/* More maps than the default has room for; and where the defaults suffice. */
static void maptrack(void **state)
{
	(void)state;
	write_policy("big", "Domain = 2", "DataPages = 261887");
	assert_int_equal(dt("big.policy"), 0);
	says("/* maps 261888 pages: 1024 maptrack frames */");
	says_not("gnttab_max_maptrack_frames");
	write_policy("big", "Domain = 2", "DataPages = 261888");
	assert_int_equal(dt("big.policy"), 0);
	says(" *   gnttab_max_maptrack_frames=1025\n");
	write_policy("big", "Domain = 2", "Mode = copy\nDataPages = 261888");
	assert_int_equal(dt("big.policy"), 0);
	says("/* maps 1 pages: 2 maptrack frames */");
	assert_int_equal(dt("maps.policy"), 0);
	says("What 1 policy of one driver domain needs");
	says_not("gnttab_max");
	says("Xen's defaults suffice: 64 grant frames, 1024 of maptrack.");
}

/* GrantRefs that end early bound what the client should have. */
static void frames_fit_the_references(void **state)
{
	(void)state;
	write_policy("few", "Domain = 2", "GrantRefs = 8-1023");
	assert_int_equal(dt("--xen 4.18 few.policy"), 0);
	says("max_grant_frames = <2>;");
	write_policy("few", "Domain = 2", "GrantRefs = 8-1024\nDataPages = 1023");
	assert_int_equal(dt("--xen 4.18 few.policy"), 0);
	says("max_grant_frames = <3>;        /* 512 references each; 3 at least */");
	write_policy("few", "Domain = 2", "GrantRefs = 8-1023");
	write_policy("more", "Domain = 2", "GrantRefs = 1024-2047");
	assert_int_equal(dt("--xen 4.18 more.policy few.policy"), 0);
	says("max_grant_frames = <4>;");
	write_policy("few", "Domain = 2", "GrantRefs = 8-4294967295");
	assert_int_equal(dt("--xen 4.18 few.policy"), 0);
	says("max_grant_frames = <64>;");
}

/* The number that follows @label in the output. */
static unsigned number_after(const char *label)
{
	const char *at = strstr(output, label);

	assert_non_null(at);
	return (unsigned)strtoul(at + strlen(label), NULL, 10);
}

/* What dt counts is what check counts. */
static void counts_as_check_does(void **state)
{
	unsigned maps, ports;

	(void)state;
	write_policy("a", "Domain = 2", "RingPages = 16\nDataPages = 1056");
	write_policy("b", "Domain = 3", "Mode = copy\nRingPages = 2");
	write_policy("c", "Domain = any\nTag = c", "");
	assert_int_equal(xdd_policy("check ."), 0);
	maps = number_after("maptrack entries");
	ports = number_after("event channels   ");
	assert_int_equal(maps, 16 + 1056 + 2 + 1 + 352);
	assert_int_equal(dt("."), 0);
	assert_int_equal(number_after("/* maps "), maps);
	assert_int_equal(number_after("maptrack frames */\n\t\t\t/* "), ports);
}

#define SIXTY "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"

static void what_cannot_work(void **state)
{
	static const struct {
		const char *args, *says;
	} cases[] = {
		{"--driver-domain 2 .",
		 "ivi_disk.policy:7: Domain = 2 is the driver domain itself"},
		{"--client maps=a --client ivi_disk=b .",
		 "maps.policy:7: domid 2 is tied to node a, and domid 2 of ivi_disk to "
		 "b"},
		{"--client logs=a --client ivi_disk=a .",
		 "domid 5 is tied to node a, and domid 2 of ivi_disk to a"},
		{"--client maps=a --client maps=b .", "maps is tied to a and to b"},
		{"--client gone=a .", "no policy gone is named here"},
		{"--client maps=d --driver-domain 1=d .",
		 "maps is tied to d, the driver domain itself"},
		{"--client maps=domU5 --client ivi_disk=domU5 .",
		 "domids 2 and 5 would both be node domU5"},
		{"--driver-domain 1=domU2 .", "would both be node domU2"},
		{"maps.policy ./maps.policy",
		 "an instance of this name is in maps.policy"},
		{"gone.policy", "gone.policy: cannot be read"},
		{"no_such_one", "/etc/xdd/no_such_one.policy: cannot be read"},
		{"--client maps .", "allowed: NAME=NODE"},
		{"--client maps= .", "allowed: NAME=NODE"},
		{"--client =a .", "allowed: NAME=NODE"},
		{"--client 'maps=a b' .", "allowed: NAME=NODE"},
		{"--client 'maps=a*/' .", "allowed: NAME=NODE"},
		{"--client 'MAPS=a' .", "allowed: NAME=NODE"},
		{"--client maps=" SIXTY "abcd .", "allowed: NAME=NODE"},
		{"--client maps=" SIXTY "abc --driver-domain 2 .",
		 "driver domain itself"},
		{"--driver-domain 0 .", "allowed: N or N=NODE"},
		{"--driver-domain 32752 .", "allowed: N or N=NODE"},
		{"--driver-domain x=y .", "allowed: N or N=NODE"},
		{"--verify '' .", "allowed: a device tree blob"},
		{"--nonsense .", "unrecognized option"},
		{"", "dt of what?"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		assert_int_equal(dt(cases[i].args), 2);
		says(cases[i].says);
		says_not("chosen {");
	}
}

static void too_many_event_channels(void **state)
{
	(void)state;
	write_policy("a", "Domain = 2", "RingPages = 951"); /* 64 and 951 and 8 */
	assert_int_equal(dt("a.policy"), 0);
	write_policy("a", "Domain = 2", "RingPages = 952");
	assert_int_equal(dt("a.policy"), 2);
	says("all instances need 1024 event channels, and a domain of the device tree "
	     "has "
	     "1023");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(prints_4_17, four, clean),
		cmocka_unit_test_setup_teardown(prints_4_21, four, clean),
		cmocka_unit_test_setup_teardown(limits_by_version, four, clean),
		cmocka_unit_test_setup_teardown(maptrack, four, clean),
		cmocka_unit_test_setup_teardown(frames_fit_the_references, four, clean),
		cmocka_unit_test_teardown(counts_as_check_does, clean),
		cmocka_unit_test_setup_teardown(what_cannot_work, four, clean),
		cmocka_unit_test_teardown(too_many_event_channels, clean),
	};

	return run_in_directory(dir, "XDD_POLICY", tests, COUNT(tests), clean);
}
