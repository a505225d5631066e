/* SPDX-License-Identifier: MIT */
/*
 * xdd-canfront as it is called: options, and what it says where there is no Xen, no
 * interface, no CAN. The program under test is named by the environment:
 * XDD_CANFRONT.
 */
#include "program.h"

#include "backends/can/cmd/front-options.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct front_options options;
static char why[256];

static bool reads(const char *line)
{
	char text[512] = "xdd-canfront ", *argv[64];
	int argc = 0;

	strncat(text, line, sizeof(text) - strlen(text) - 1);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	why[0] = '\0';
	return front_options_read(argc, argv, &options, why, sizeof(why));
}

static void defaults(void **state)
{
	(void)state;
	assert_true(reads("0 vcan0"));
	assert_int_equal(options.device, 0);
	assert_string_equal(options.interface, "vcan0");
	assert_int_equal(options.ring_pages, 2);
	assert_int_equal(options.restart_ms, 100);
	assert_int_equal(options.backends, 0);
	assert_false(options.late_ack || options.verbose || options.help);
	for (unsigned domain = 0; domain < 0x7ff0; domain += 100)
		assert_true(front_options_allow(&options, (uint16_t)domain));
}

static void all_of_them(void **state)
{
	(void)state;
	assert_true(reads("--backends 1,3,5-7 --late-ack --restart-ms 0 "
			  "--ring-pages auto --verbose 65535:can-fifteen.chr"));
	assert_int_equal(options.device, 65535);
	assert_string_equal(options.interface, "can-fifteen.chr");
	assert_int_equal(options.ring_pages, FRONT_PAGES_AUTO);
	assert_int_equal(options.restart_ms, 0);
	assert_true(options.late_ack && options.verbose);
	for (unsigned domain = 0; domain < 20; domain++)
		assert_int_equal(front_options_allow(&options, (uint16_t)domain),
				 domain == 1 || domain == 3 ||
					 (domain >= 5 && domain <= 7));
	assert_true(reads("1 vcan1 --ring-pages 8")); /* in any order */
	assert_int_equal(options.ring_pages, 8);
	assert_true(reads("--help"));
	assert_true(options.help);
}

static const struct {
	const char *args, *says;
} wrong[] = {
	{"", "DEVICE and INTERFACE"},
	{"0", "DEVICE and INTERFACE"},
	{"0 vcan0 vcan1", "DEVICE and INTERFACE"},
	{"0:", "interface \"\""},
	{":vcan0", "device \":vcan0\""},
	{"x vcan0", "device \"x\": a number"},
	{"-1 vcan0", "no such option"},
	{"01 vcan0", "device \"01\""},
	{"65536 vcan0", "device \"65536\""},
	{"0x0 vcan0", "device \"0x0\""},
	{"0 sixteen.letters.", "1 to 15 characters"},
	{"0 a/b", "interface \"a/b\""},
	{"0:a:b", "interface \"a:b\""},
	{"--ring-pages 3 0 vcan0", "1, 2, 4, 8 or auto"},
	{"--ring-pages 16 0 vcan0", "1, 2, 4, 8 or auto"},
	{"--ring-pages 0 0 vcan0", "1, 2, 4, 8 or auto"},
	{"--restart-ms -1 0 vcan0", "milliseconds, 0 to 3600000"},
	{"--restart-ms 3600001 0 vcan0", "milliseconds, 0 to 3600000"},
	{"--backends , 0 vcan0", "domain numbers and ranges"},
	{"--backends 1, 0 vcan0", "domain numbers and ranges"},
	{"--backends 7-5 0 vcan0", "domain numbers and ranges"},
	{"--backends 5- 0 vcan0", "domain numbers and ranges"},
	{"--backends 32752 0 vcan0", "domain numbers and ranges"},
	{"--backends 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,"
	 "26,27,28,29,30,31,32,33 0 vcan0",
	 "domain numbers and ranges"},
	{"--backend 1 --nope 0 vcan0", "no such option"},
	{"0 vcan0 --restart-ms", "it takes a value"},
};

static void wrong_commands(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(wrong); i++) {
		memset(&options, 0x5a, sizeof(options));
		if (reads(wrong[i].args))
			fail_msg("\"%s\" was accepted", wrong[i].args);
		if (!strstr(why, wrong[i].says))
			fail_msg("\"%s\": no \"%s\" in \"%s\"", wrong[i].args,
				 wrong[i].says, why);
		assert_int_equal(((uint8_t *)&options)[0], 0x5a); /* untouched */
	}
}

static int run(const char *args)
{
	return shell("$MESON_EXE_WRAPPER \"$XDD_CANFRONT\" %s 2>&1", args);
}

static void one_line(void)
{
	assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
}

static void the_program(void **state)
{
	(void)state;
	if (!getenv("XDD_CANFRONT"))
		skip();
	assert_int_equal(run("--help"), 0);
	says("usage: xdd-canfront");
	assert_int_equal(run("-h 0 vcan0"), 0);
	assert_int_equal(run("0"), 2);
	says("DEVICE and INTERFACE");
	one_line();
	assert_int_equal(run("--ring-pages 3 0 vcan0"), 2);
	one_line();
}

/* What is missing, and the command that makes it. */
static void what_is_missing(void **state)
{
	(void)state;
	if (!getenv("XDD_CANFRONT"))
		skip();
	assert_int_equal(run("0 nosuchcan0"), 1);
	says("there is no interface nosuchcan0: ip link add dev nosuchcan0 type vcan "
	     "&& ip link set nosuchcan0 mtu 72 up");
	one_line();
	assert_int_equal(run("0:lo"), 1);
	says("lo is no CAN interface");
	one_line();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),	   cmocka_unit_test(all_of_them),
		cmocka_unit_test(wrong_commands),  cmocka_unit_test(the_program),
		cmocka_unit_test(what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
