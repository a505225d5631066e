/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy explain and diff as a user sees them: the answer, the line that it names,
 * and the exit status.
 *
 * The program under test is named by the environment: XDD_POLICY.
 */
#include "program.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static char dir[] = "/tmp/xdd-policy.XXXXXX";

/* Line by line, so that the tests know the numbers. */
static const char disk[] = "Format = 1\n"
			   "[Backend]\n"
			   "Class = blk\n"
			   "Resource = /dev/null\n"
			   "[Client]\n"
			   "Domain = 3\n"
			   "Device = xvda\n"
			   "[Memory]\n"
			   "Mode = map\n"
			   "ClientPages = writable\n"
			   "DataPages = 100\n"
			   "GrantRefs = 8-107\n"
			   "[Limits]\n"
			   "InFlight = 8\n"
			   "Operations = 100/s burst 100\n"
			   "Bytes = 1M/s burst 1M\n"
			   "Events = 100/s burst 100\n";

/* @disk, with @from replaced by @to, as NAME.policy of @folder. */
static void write_policy(const char *folder, const char *name, const char *from,
			 const char *to)
{
	const char *at = strstr(disk, from);
	char path[160];
	FILE *file;

	assert_non_null(at);
	snprintf(path, sizeof(path), "%s/%s%s.policy", dir, folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%.*s%s%s", (int)(at - disk), disk, to, at + strlen(from));
	fclose(file);
}

static int run(const char *args)
{
	return shell("$MESON_EXE_WRAPPER \"$XDD_POLICY\" %s 2>&1", args);
}

static int clean(void **state)
{
	(void)state;
	return shell("rm -rf -- *.policy old new");
}

/* -- explain --------------------------------------------------------------- */

static int explain(const char *question)
{
	char args[256];

	snprintf(args, sizeof(args), "explain disk.policy may %s", question);
	return run(args);
}

static void answers(void **state)
{
	static const struct {
		const char *question;
		int status;
		const char *line; /* that decided, or that stands there too */
	} rows[] = {
		{"map 12 pages writable", 0,
		 "disk.policy:12: Memory.GrantRefs = 8-107"},
		{"map 12 pages writable", 0, "disk.policy:11: Memory.DataPages = 100"},
		{"map 12 pages writable", 0, "disk.policy:9: Memory.Mode = map"},
		{"map 12 pages writable of domain 3", 0,
		 "disk.policy:6: Client.Domain = 3"},
		{"map 12 pages writable of domain 4", 1,
		 "disk.policy:6: Client.Domain = 3"},
		{"map 100 pages writable", 0, "disk.policy:11: "},
		{"map 101 pages writable", 1, "disk.policy:11: Memory.DataPages = 100"},
		{"map 1 page readable", 1,
		 "disk.policy:10: Memory.ClientPages = writable"},
		{"map 1 page writable at 107", 0, "disk.policy:12: "},
		{"map 2 pages writable at 107", 1,
		 "disk.policy:12: Memory.GrantRefs = 8-107"},
		{"map 1 page writable at 7", 1, "disk.policy:12: "},
		{"map 1 page writable as pool", 1, "disk.policy:9: Memory.Mode = map"},
		{"map 1 page readable as ring", 0,
		 "disk.policy: Memory.RingPages = 1 (a default)"},
		{"map 2 pages readable as ring", 1,
		 "disk.policy: Memory.RingPages = 1 (a default)"},
		{"map 1 page readable as ring at 1", 0, "Memory.RingPages"},
		{"copy 1 segment to domain 3", 1, "disk.policy:9: Memory.Mode = map"},
		{"bind 1 channel", 0, "Memory.RingPages"},
		{"bind 2 channels", 1, "Memory.RingPages"},
		{"serve domain 3", 0, "disk.policy:6: Client.Domain = 3"},
		{"serve domain 2", 1, "disk.policy:6: Client.Domain = 3"},
	};

	(void)state;
	write_policy("", "disk", "", "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		int status = explain(rows[i].question);

		if (status != rows[i].status || !strstr(output, rows[i].line))
			fail_msg("%s: %d, and:\n%s", rows[i].question, status, output);
		says(status ? "no: disk may not " : "yes: disk may ");
		says(rows[i].question);
	}
}

/* What copies: both ways, and references. */
static void copies(void **state)
{
	(void)state;
	write_policy("", "disk", "Mode = map\nClientPages = writable",
		     "Mode = copy\nClientPages = writable");
	assert_int_equal(explain("copy 5 segments to domain 3 at 20"), 0);
	says("disk.policy:12: Memory.GrantRefs");
	assert_int_equal(explain("copy 5 segments from domain 3 at 20"), 1);
	says("disk.policy:10: Memory.ClientPages = writable");
	assert_int_equal(explain("copy 5 segments to domain 3 at 200"), 1);
	says("disk.policy:12: ");
	assert_int_equal(explain("map 5 pages writable"), 1);
	says("disk.policy:9: Memory.Mode = copy");
}

static void tags(void **state)
{
	(void)state;
	write_policy("", "disk", "Domain = 3", "Domain = any\nTag = ivi");
	assert_int_equal(explain("serve domain 9 tag ivi"), 0);
	says("disk.policy:7: Client.Tag = ivi");
	assert_int_equal(explain("serve domain 9 tag adas"), 1);
	assert_int_equal(explain("serve domain 9"), 1);
	says("disk.policy:7: Client.Tag = ivi");
}

static void no_questions(void **state)
{
	static const struct {
		const char *question, *wrong;
	} rows[] = {
		{"", "such as: explain ivi_disk may map 12 pages"},
		{"steal 3 pages", "\"steal\" is not understood; allowed: map N"},
		{"map pages readable", "\"without how many\""},
		{"map 3 pages", "\"without a direction\""},
		{"map 0 pages readable", "\"0\""},
		{"map 3 pages from", "\"from\""},
		{"copy 3 segments readable", "\"readable\""},
		{"map 3 4 pages readable", "\"4\""},
		{"map 1048577 pages readable", "\"1048577\""},
		{"map 3 pages readable writable", "\"writable\""},
		{"map 3 pages readable of domain", "\"domain\""},
		{"map 3 pages readable of domain 0", "\"0\""},
		{"map 3 pages readable of domain 32752", "\"32752\""},
		{"map 3 pages readable as soup", "\"soup\""},
		{"copy 3 segments from as data", "\"data\""},
		{"map 3 pages readable at 4294967295", "\"4294967295\""},
		{"serve", "\"serve without a domain\""},
	};

	(void)state;
	write_policy("", "disk", "", "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(explain(rows[i].question), 2);
		says(rows[i].wrong);
	}
	assert_int_equal(run("explain disk.policy can map 1 page readable"), 2);
	assert_int_equal(run("explain . may serve domain 3"), 2);
	says("one policy, not the directory .");
	assert_int_equal(run("explain gone.policy may serve domain 3"), 2);
	says("gone.policy: cannot be read");
}

/* -- diff ------------------------------------------------------------------ */

/* How it comes to hold. */
static const char now[] = "on a reload, at once",
		  drains[] = "on a reload, which drains",
		  restart[] = "systemctl restart xdd@disk.target";
static const struct {
	const char *from, *to, *said;
	int status;
	const char *holds;
} change[] = {
	{"DataPages = 100", "DataPages = 101", "+ Memory.DataPages     100 -> 101", 1,
	 now},
	{"DataPages = 100", "DataPages = 99", "- Memory.DataPages     100 -> 99", 0,
	 drains},
	{"ClientPages = writable", "ClientPages = both",
	 "+ Memory.ClientPages   writable -> both", 1, now},
	{"8-107", "8-108", "+ Memory.GrantRefs     8-107 -> 8-108", 1, now},
	{"8-107", "9-107", "- Memory.GrantRefs     8-107 -> 9-107", 0, drains},
	{"8-107", "9-108", "? Memory.GrantRefs     8-107 -> 9-108", 1, drains},
	{"Domain = 3", "Domain = 4", "? Client.Domain        3 -> 4", 1, restart},
	{"Domain = 3", "Domain = any\nTag = ivi", "+ Client.Domain        3 -> any", 1,
	 restart},
	{"Device = xvda", "Device = xvdb", "? Client.Device        xvda -> xvdb", 1,
	 restart},
	{"/dev/null\n[Client]\nDomain = 3\nDevice = xvda\n[Memory]\n"
	 "Mode = map\nClientPages = writable",
	 "/dev/null\nReadOnly = no\n[Client]\nDomain = 3\nDevice = xvda\n"
	 "[Memory]\nMode = map\nClientPages = both",
	 "+ Backend.ReadOnly     yes -> no", 1, restart},
	{"/dev/null\n", "/dev/null\nIsolation = domain\n",
	 "+ Backend.Isolation    process -> domain", 1, restart},
	{"/dev/null", "/dev/zero", "? Backend.Resource     /dev/null -> /dev/zero", 1,
	 restart},
	{"[Memory]\n", "[Memory]\nExclusive = no\n", "+ Memory.Exclusive     yes -> no",
	 1, now},
	{"InFlight = 8", "InFlight = 7", "- Limits.InFlight      8 -> 7", 0, drains},
	{"Events = 100/s burst 100", "Events = 99/s burst 100",
	 "- Limits.Events        100/s burst 100 -> 99/s burst 100", 0, now},
	{"Events = 100/s burst 100", "Events = 99/s burst 101",
	 "? Limits.Events        100/s burst 100 -> 99/s burst 101", 1, now},
	{"[Limits]", "[Audit]\nLevel = changes\n[Limits]",
	 "+ Audit.Level          decisions -> changes", 1, now},
	{"[Limits]", "[Audit]\nFull = stop\n[Limits]",
	 "- Audit.Full           drop-oldest -> stop", 0, now},
	{"[Limits]", "[Block]\nDiscard = yes\n[Limits]",
	 "? Block.Discard        (a default) -> yes", 1, restart},
};

static void changes(void **state)
{
	(void)state;
	assert_int_equal(shell("mkdir old new"), 0);
	write_policy("old/", "disk", "", "");
	for (size_t i = 0; i < COUNT(change); i++) {
		int status;

		write_policy("new/", "disk", change[i].from, change[i].to);
		status = run("diff old new");
		if (status != change[i].status || !strstr(output, change[i].said) ||
		    !strstr(output, change[i].holds))
			fail_msg("%s: %d, and:\n%s", change[i].to, status, output);
	}
	assert_int_equal(run("diff new/disk.policy old/disk.policy"), 1);
	says("? Block.Discard        yes -> (a default)");
	write_policy("new/", "disk", "", "");
	assert_int_equal(run("diff old new"), 0);
	assert_string_equal(output, "");
	/* What is for people alone changes nothing. */
	write_policy("new/", "disk", "[Backend]", "# Mine.\n[Backend]");
	assert_int_equal(run("diff old new"), 0);
	assert_string_equal(output, "");
}

static void comes_and_goes(void **state)
{
	(void)state;
	assert_int_equal(shell("mkdir old new"), 0);
	write_policy("old/", "disk", "", "");
	write_policy("new/", "other", "xvda", "xvdb");
	assert_int_equal(run("diff old new"), 1);
	says("other:\n  + a new instance: xdd-policy show new/other.policy\n");
	says("disk:\n  - the instance is gone\n");
	write_policy("old/", "other", "xvda", "xvdb");
	assert_int_equal(run("diff old new"), 0);
	says("disk:\n  - the instance is gone\n");
	says_not("other");
}

static void no_diffs(void **state)
{
	(void)state;
	assert_int_equal(shell("mkdir old new"), 0);
	write_policy("old/", "disk", "", "");
	write_policy("new/", "disk", "Class = blk", "Class = bulk");
	assert_int_equal(run("diff old new"), 2);
	says("new/disk.policy:3: ");
	assert_int_equal(run("diff old old/disk.policy"), 2);
	says("one is a file and the other a directory");
	write_policy("new/", "other", "", "");
	assert_int_equal(run("diff old/disk.policy new/other.policy"), 2);
	says("another instance's");
	assert_int_equal(run("diff old"), 2);
	says("diff OLD NEW");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(answers, clean),
		cmocka_unit_test_teardown(copies, clean),
		cmocka_unit_test_teardown(tags, clean),
		cmocka_unit_test_teardown(no_questions, clean),
		cmocka_unit_test_teardown(changes, clean),
		cmocka_unit_test_teardown(comes_and_goes, clean),
		cmocka_unit_test_teardown(no_diffs, clean),
	};

	return run_in_directory(dir, "XDD_POLICY", tests, COUNT(tests), clean);
}
