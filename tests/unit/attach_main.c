/* SPDX-License-Identifier: MIT */
/*
 * xdd-attach as it is called: commands, options, and what it says where no Xen is.
 *
 * The program under test is named by the environment: XDD_ATTACH.
 */
#include "program.h"

static int run(const char *args)
{
	return shell("$MESON_EXE_WRAPPER \"$XDD_ATTACH\" %s 2>&1", args);
}

static void helps(void **state)
{
	(void)state;
	assert_int_equal(run("--help"), 0);
	says("usage: xdd-attach attach [OPTION...] NAME|FILE...");
	assert_int_equal(run("detach --force x -h"), 0);
	says("Exit status");
}

/* Options belong to commands. */
static const struct {
	const char *args, *says;
} wrong[] = {
	{"", "attach, detach, list or watch?"},
	{"atach x", "attach, detach, list or watch?"},
	{"attach", "attach takes a NAME or a FILE"},
	{"detach --client 3", "detach takes a NAME or a FILE"},
	{"list x", "list takes nothing but options"},
	{"watch a b", "watch takes one directory"},
	{"--watch a b", "--watch takes one directory"},
	{"attach --force x", "unrecognized option"},
	{"attach --json x", "unrecognized option"},
	{"list --client 3", "unrecognized option"},
	{"watch --backend 3", "unrecognized option"},
	{"attach --client", "requires an argument"},
};

static void wrong_commands(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		if (run(wrong[i].args) != 2)
			fail_msg("\"%s\" was accepted", wrong[i].args);
		says(wrong[i].says);
	}
}

static void without_xen(void **state)
{
	static const char *const commands[] = {"attach x", "detach x", "list", "watch"};

	(void)state;
	if (!access("/dev/xen/privcmd", F_OK))
		skip();
	for (unsigned i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		assert_int_equal(run(commands[i]), 1);
		says("Xen cannot be asked: ");
		says("as root in the control domain");
		assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(helps),
		cmocka_unit_test(wrong_commands),
		cmocka_unit_test(without_xen),
	};

	if (!getenv("XDD_ATTACH")) {
		fputs("XDD_ATTACH does not name the program to test\n", stderr);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
