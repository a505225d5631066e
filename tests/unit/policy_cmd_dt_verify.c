/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy dt --verify: each way in which a tree and a set of policies can
 * fail to fit, and trees that are no trees.
 */
#include "policy_cmd_dt.h"

#include <libfdt.h>

#define LINE(text)	 "xen,xen-bootargs = \"" text "\";"
#define DOM0		 "m { compatible = \"multiboot,kernel\", \"multiboot,module\"; };"
#define NODE(name, rest) name " { compatible = \"xen,domain\"; cpus = <1>; " rest " };"
#define ON		 "xen,enhanced = \"enabled\"; "
#define HEAD		 LINE("console=dtuart xsm=dummy") DOM0
#define GOOD		 HEAD NODE("domD", ON) NODE("ivi", ON)

static void build(const char *chosen)
{
	char text[4096];

	snprintf(text, sizeof(text), "/dts-v1/; / { chosen { %s }; };", chosen);
	write_bytes("t.dts", text, strlen(text));
	if (shell("\"$DTC\" -q -O dtb -o t.dtb t.dts 2>&1"))
		fail_msg("%s\n%s", text, output);
}

#define TIED "--client maps=ivi --driver-domain 1=domD maps.policy"

/* Against maps: Domain = 2, 353 pages. */
static const struct {
	const char *args, *chosen;
	int status;
	const char *says; /* NULL: no word but the table */
} verify_cases[] = {
	{TIED, GOOD, 0, NULL},
	{TIED, GOOD NODE("third", ""), 0, NULL},
	{TIED,
	 HEAD NODE("domD", ON) "x { compatible = \"xen,other\"; };" NODE("ivi", ON), 0,
	 NULL},
	{TIED,
	 HEAD
	 "domD { compatible = \"a\", \"Xen,Domain\"; xen,enhanced; };" NODE("ivi", ON),
	 0, NULL},
	{TIED, HEAD NODE("domD", ON) NODE("ivi", "xen,enhanced;"), 0, NULL},
	/* order and number */
	{TIED, HEAD NODE("domD", ON) NODE("new", ON) NODE("ivi", ON), 2,
	 "maps.policy:7: Domain = 2 will be node new, and its client is to be node "
	 "ivi, "
	 "which is domid 3"},
	{TIED, HEAD NODE("ivi", ON) NODE("domD", ON), 2,
	 "the driver domain is to be node domD, but domid 1 will be node ivi"},
	{TIED, HEAD NODE("ivi", ON), 2,
	 "maps.policy:7: Domain = 2 has no node, and its"},
	{TIED, HEAD NODE("domD", ON) NODE("other", ON), 2,
	 "maps.policy:7: its client is to be node ivi, and t.dtb has not exactly one"},
	{"maps.policy", HEAD NODE("domD", ON), 2,
	 "maps.policy:7: Domain = 2 has no node: t.dtb has 1 nodes"},
	{"--driver-domain 4 maps.policy", GOOD, 2,
	 "t.dtb: the driver domain is to be domid 4, and there are 2 nodes"},
	{"maps.policy", GOOD, 0, "maps?\n\n?: by its number alone"},
	/* enhanced */
	{TIED, HEAD NODE("domD", ON) NODE("ivi", ""), 2,
	 "maps.policy:7: node ivi, the client, is not xen,enhanced"},
	{TIED, HEAD NODE("domD", ON) NODE("ivi", "xen,enhanced = \"disabled\";"), 2,
	 "node ivi, the client, is not xen,enhanced"},
	{TIED, HEAD NODE("domD", ON) NODE("ivi", "xen,enhanced = \"no-xenstore\";"), 2,
	 "node ivi, the client, is enhanced without xenstore"},
	{TIED, HEAD NODE("domD", ON) NODE("ivi", "xen,enhanced = \"legacy\";"), 2,
	 "node ivi, the client, is xen,enhanced = \"legacy\", which this Xen takes "
	 "for"},
	{"--xen 4.21 " TIED,
	 HEAD NODE("domD", ON) NODE("ivi", "xen,enhanced = \"legacy\";"), 2,
	 "for which Xen 4.21 and 4.22 leave xenstore undone"},
	{TIED, HEAD NODE("domD", "") NODE("ivi", ON), 2,
	 "t.dtb: node domD, the driver domain, is not xen,enhanced"},
	/* command line */
	{TIED, LINE("xsm=silo") DOM0 NODE("domD", ON) NODE("ivi", ON), 2,
	 "t.dtb: Xen's command line says xsm=silo"},
	{TIED, LINE("xsm=dummy xsm=silo") DOM0 NODE("domD", ON) NODE("ivi", ON), 2,
	 "says xsm=silo"},
	{TIED,
	 LINE("xsm=silo  xsm=dummy xsm=other") DOM0 NODE("domD", ON) NODE("ivi", ON), 0,
	 NULL},
	{TIED, LINE("console=dtuart") DOM0 NODE("domD", ON) NODE("ivi", ON), 0,
	 "t.dtb: warning: Xen's command line says no xsm=, and the default on Arm is "
	 "SILO"},
	{TIED, "bootargs = \"xsm=dummy\";" DOM0 NODE("domD", ON) NODE("ivi", ON), 0,
	 "warning: there is no command line for Xen in /chosen"},
	{TIED,
	 "xen,dom0-bootargs = \"\"; bootargs = \"xsm=dummy\";" DOM0 NODE("domD", ON)
		 NODE("ivi", ON),
	 0, NULL},
	{TIED, LINE("xsm=flask") DOM0 NODE("domD", ON) NODE("ivi", ON), 0,
	 "warning: Xen's command line says xsm=flask"},
	/* who runs xenstore */
	{TIED, LINE("xsm=dummy") NODE("domD", ON) NODE("ivi", ON), 0,
	 "warning: names no kernel for dom0: unless"},
	{TIED,
	 LINE("xsm=dummy") "modules { " DOM0 " };" NODE("domD", ON) NODE("ivi", ON), 0,
	 NULL},
	{"--xen 4.21 " TIED, LINE("xsm=dummy") NODE("domD", ON) NODE("ivi", ON), 0,
	 "names no kernel for dom0, nor a node with capabilities 0x4"},
	{"--xen 4.21 " TIED,
	 LINE("xsm=dummy") NODE("domD", ON) NODE("ivi", ON)
		 NODE("store", "capabilities = <4>;"),
	 0, NULL},
	{TIED,
	 HEAD NODE("domD", ON) NODE("ivi", ON) NODE("store", "capabilities = <4>;"), 0,
	 "warning: node store: Xen 4.17 reads no capabilities"},
	{"--xen 4.22 " TIED,
	 HEAD NODE("domD", ON "capabilities = <1>;") NODE("ivi", ON), 0,
	 "warning: node domD, the driver domain, has capabilities 0x1"},
	/* grant and maptrack frames: 361 references, 2 + 1 maptrack frames */
	{"--xen 4.18 " TIED,
	 HEAD NODE("domD", ON "max_maptrack_frames = <3>;") NODE("ivi", ON), 0, NULL},
	{"--xen 4.18 " TIED,
	 HEAD NODE("domD", ON "max_maptrack_frames = <2>;") NODE("ivi", ON), 2,
	 "node domD, the driver domain, has 2 maptrack frames; its policies need 3; "
	 "raise "
	 "max_maptrack_frames"},
	{TIED,
	 LINE("xsm=dummy gnttab_max_maptrack_frames=0x2") DOM0 NODE("domD", ON)
		 NODE("ivi", ON),
	 2,
	 "has 2 maptrack frames; its policies need 3; raise "
	 "gnttab_max_maptrack_frames"},
	{TIED,
	 LINE("xsm=dummy gnttab_max_maptrack_frames=2x") DOM0 NODE("domD", ON)
		 NODE("ivi", ON),
	 0, NULL},
	{TIED, HEAD NODE("domD", ON "max_maptrack_frames = <2>;") NODE("ivi", ON), 0,
	 "t.dtb: warning: node domD: Xen 4.17 reads no limits for grants from a node"},
	{"--xen 4.18 " TIED,
	 HEAD NODE("domD", ON) NODE("ivi", ON "max_grant_frames = <1>;"), 0, NULL},
	{"--xen 4.18 --client maps=ivi maps.policy ivi_disk.policy",
	 HEAD NODE("domD", ON) NODE("ivi", ON "max_grant_frames = <2>;"), 2,
	 "maps.policy: node ivi, the client, has 2 grant frames; its policies need 3; "
	 "raise "
	 "max_grant_frames"},
	{"maps.policy ivi_disk.policy",
	 LINE("xsm=dummy gnttab_max_frames=2") DOM0 NODE("domD", ON) NODE("ivi", ON), 2,
	 "ivi_disk.policy:11: node ivi, the client, has 2 grant frames; its policies "
	 "need "
	 "3; raise gnttab_max_frames"},
	{"--xen 4.18 " TIED,
	 HEAD NODE("domD", ON) NODE("ivi", ON "max_grant_frames = <65>;"), 0,
	 "maps.policy: warning: node ivi, the client, has references to 33279, "
	 "GrantRefs "
	 "ends at 32767"},
	{"--xen 4.18 " TIED,
	 HEAD NODE("domD", ON) NODE("ivi", ON "max_grant_frames = <0>;"), 2,
	 "node ivi: 0 grant frames, 1024 maptrack frames: Xen stops at boot"},
	{"--xen 4.18 " TIED,
	 HEAD NODE("domD", ON) NODE("ivi", ON)
		 NODE("o", "max_maptrack_frames = <0x80000000>;"),
	 2, "node o: 64 grant frames, 2147483648 maptrack frames: Xen stops"},
	{"--xen 4.18 " TIED,
	 HEAD NODE("domD", ON) NODE("ivi", ON "max_grant_version = <2>;"), 2,
	 "node ivi: grant version 2, and this Xen offers 1 to 1: it stops at boot"},
	{"--xen 4.18 " TIED,
	 HEAD NODE("domD", ON) NODE("ivi", ON "max_grant_version = <0>;"), 2,
	 "node ivi: grant version 0"},
	{"--xen 4.18 " TIED,
	 LINE("gnttab=transitive=0,max-ver:2 xsm=dummy") DOM0 NODE("domD", ON)
		 NODE("ivi", ON "max_grant_version = <2>;"),
	 0, NULL},
	/* what the number does not say: any, with a Tag */
	{"radio.policy maps.policy", GOOD, 0, "  any  by Tag"},
	{"--client radio=ivi radio.policy", GOOD, 0,
	 "warning: node ivi, the client, has references to 32767, GrantRefs ends at "
	 "1023"},
	{"--client radio=domD radio.policy", GOOD, 2,
	 "radio.policy:7: node domD is the driver domain itself"},
	{"--client radio=gone radio.policy", GOOD, 2,
	 "radio.policy:7: its client is to be node gone"},
	{"--client radio=o radio.policy", GOOD NODE("o", ""), 2,
	 "radio.policy:7: node o, the client, is not xen,enhanced"},
	{"--xen 4.18 high.policy",
	 HEAD NODE("domD", ON) NODE("ivi", ON "max_grant_frames = <1>;"), 2,
	 "high.policy:11: node ivi, the client, has references 0-511, none of them in"},
};

static void verifies(void **state)
{
	char args[256];

	(void)state;
	write_policy("high", "Domain = 2", "DataPages = 1\nGrantRefs = 512-1023");
	for (unsigned i = 0; i < COUNT(verify_cases); i++) {
		const char *wanted = verify_cases[i].says;

		build(verify_cases[i].chosen);
		snprintf(args, sizeof(args), "--verify t.dtb %s", verify_cases[i].args);
		if (dt(args) != verify_cases[i].status)
			fail_msg("case %u:\n%s", i, output);
		says("DOMID  NODE");
		if (wanted && !strstr(output, wanted))
			fail_msg("case %u: no \"%s\" in:\n%s", i, wanted, output);
		if (!wanted && (strstr(output, "t.dtb:") || strstr(output, ".policy:")))
			fail_msg("case %u:\n%s", i, output);
	}
}

static void the_table(void **state)
{
	(void)state;
	build(GOOD NODE("o", "max_grant_frames = <7>;"));
	assert_int_equal(dt("--xen 4.18 --verify t.dtb " TIED " radio.policy"), 0);
	says("    1  domD                 enabled               64            1024  "
	     "(driver "
	     "domain)\n"
	     "    2  ivi                  enabled               64            1024  "
	     "maps\n"
	     "    3  o                    no                     7            1024 \n"
	     "  any  by Tag               -                      -               -  "
	     "radio\n");
	says_not("?:");
}

/* What is printed, put into the tree it was printed for, is right. */
static void printed_is_verified(void **state)
{
	(void)state;
	build(LINE("xsm=dummy") DOM0 NODE("domU1", "") NODE("domU2", "")
		      NODE("domU3", "") NODE("domU4", "") NODE("domU5", ""));
	assert_int_equal(dt("--xen 4.20 --verify t.dtb ."), 2);
	assert_int_equal(dt("--xen 4.20 . > xdd.dtsi"), 0);
	assert_int_equal(shell("echo '/include/ \"xdd.dtsi\"' >> t.dts && "
			       "\"$DTC\" -q -O dtb -o t.dtb t.dts"),
			 0);
	assert_int_equal(dt("--xen 4.20 --verify t.dtb ."), 0);
	says_not("t.dtb:");
}

static const char *judge(const void *blob, size_t len)
{
	int status;

	write_bytes("bad.dtb", blob, len);
	status = dt("--xen 4.20 --verify bad.dtb maps.policy");
	assert_true(status == 0 || status == 2);
	for (const char *c = output; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
	return status ? output : NULL;
}

static size_t read_blob(char *blob, size_t size)
{
	char path[128];
	size_t len;
	FILE *file;

	build(GOOD);
	snprintf(path, sizeof(path), "%s/t.dtb", dir);
	file = fopen(path, "r");
	assert_non_null(file);
	len = fread(blob, 1, size, file);
	fclose(file);
	return len;
}

static void broken_blobs(void **state)
{
	static char blob[(2 << 20) + 1];
	size_t len = read_blob(blob, sizeof(blob));

	(void)state;
	assert_null(judge(blob, len));
	for (size_t cut = len - 1; cut < len; cut -= 5) { /* until it wraps */
		assert_non_null(judge(blob, cut));
		says(": no tree to verify against");
	}
	for (size_t at = 0; at < len; at++) {
		blob[at] ^= (char)(1u << at % 8 | 0x80);
		judge(blob, len);
		blob[at] ^= (char)(1u << at % 8 | 0x80);
	}
	assert_non_null(judge(blob, sizeof(blob)));
	says("is larger than the 2 MiB that Xen takes");
	assert_non_null(judge("not a tree", 10));
	says("bad.dtb: ");
	assert_int_equal(dt("--verify gone.dtb maps.policy"), 2);
	says("gone.dtb: No such file");
	assert_int_equal(dt("--verify . maps.policy"), 2);
}

static char made[2 << 20];

static void make_begin(void)
{
	assert_int_equal(fdt_create(made, sizeof(made)), 0);
	assert_int_equal(fdt_finish_reservemap(made), 0);
	assert_int_equal(fdt_begin_node(made, ""), 0);
	assert_int_equal(fdt_begin_node(made, "chosen"), 0);
}

static void make_domain(const char *name)
{
	assert_int_equal(fdt_begin_node(made, name), 0);
	assert_int_equal(fdt_property_string(made, "compatible", "xen,domain"), 0);
	assert_int_equal(fdt_property(made, "xen,enhanced", "enabled", 7), 0);
	assert_int_equal(fdt_property(made, "max_grant_frames", "\1\2\3", 3), 0);
	assert_int_equal(fdt_end_node(made), 0);
}

static const char *make_end(void)
{
	assert_int_equal(fdt_end_node(made), 0);
	assert_int_equal(fdt_end_node(made), 0);
	assert_int_equal(fdt_finish(made), 0);
	return judge(made, fdt_totalsize(made));
}

/* Sound by libfdt's rules, and still not what anybody would write. */
static void strange_blobs(void **state)
{
	char name[5000];

	(void)state;
	make_begin(); /* names that would paint the terminal, or do not end */
	make_domain("\033[31mred");
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	make_domain(name);
	assert_null(make_end());
	says("?[31mred ");
	says("xx? enabled ");
	/* unterminated xen,enhanced is enabled, a short cell is not there */
	says("enabled               64            1024");

	make_begin(); /* two of one name */
	make_domain("d");
	make_domain("ivi");
	make_domain("ivi");
	make_end();
	assert_int_equal(dt("--verify bad.dtb --client maps=ivi maps.policy"), 2);
	says("has not exactly one domain of this name");

	make_begin(); /* a compatible that is not terminated, and no domain */
	assert_int_equal(fdt_property(made, "xen,xen-bootargs", "xsm=silo", 8), 0);
	assert_int_equal(fdt_begin_node(made, "d"), 0);
	assert_int_equal(fdt_property(made, "compatible", "xen,domain", 10), 0);
	assert_int_equal(fdt_end_node(made), 0);
	assert_non_null(make_end());
	says("has no node \"xen,domain\" in /chosen");

	make_begin(); /* a command line that is not terminated */
	assert_int_equal(fdt_property(made, "xen,xen-bootargs", "xsm=silo", 8), 0);
	make_domain("d");
	make_domain("ivi");
	assert_non_null(make_end());
	says("says xsm=silo, which");
}

static void deep_and_many(void **state)
{
	char name[16];

	(void)state;
	make_begin();
	for (unsigned i = 0; i < 20000; i++)
		assert_int_equal(fdt_begin_node(made, "n"), 0);
	for (unsigned i = 0; i < 20000; i++)
		assert_int_equal(fdt_end_node(made), 0);
	assert_non_null(make_end());
	says("has no node \"xen,domain\"");

	for (unsigned n = 32751; n <= 32752; n++) {
		make_begin();
		for (unsigned i = 0; i < n; i++) {
			snprintf(name, sizeof(name), "%x", i);
			assert_int_equal(fdt_begin_node(made, name), 0);
			assert_int_equal(
				fdt_property_string(made, "compatible", "xen,domain"),
				0);
			assert_int_equal(fdt_end_node(made), 0);
		}
		assert_non_null(make_end());
		if (n == 32751)
			says("32751  7fee ");
		else
			says("has more domains than Xen has domids");
	}
}

static void no_chosen(void **state)
{
	(void)state;
	write_bytes("t.dts", "/dts-v1/; / { x; };", 19);
	assert_int_equal(shell("\"$DTC\" -q -O dtb -o t.dtb t.dts"), 0);
	assert_int_equal(dt("--verify t.dtb maps.policy"), 2);
	says("t.dtb: has no node /chosen: no tree to verify against");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(verifies, four, clean),
		cmocka_unit_test_setup_teardown(the_table, four, clean),
		cmocka_unit_test_setup_teardown(printed_is_verified, four, clean),
		cmocka_unit_test_setup_teardown(broken_blobs, four, clean),
		cmocka_unit_test_setup_teardown(strange_blobs, four, clean),
		cmocka_unit_test_setup_teardown(deep_and_many, four, clean),
		cmocka_unit_test_setup_teardown(no_chosen, four, clean),
	};

	return run_in_directory(dir, "XDD_POLICY", tests, COUNT(tests), clean);
}
