/* SPDX-License-Identifier: MIT */
/*
 * xdd-witness as it is called, on files: what it exits with, and what it prints.
 *
 * The program under test is named by the environment: XDD_WITNESS.
 */
#include "program.h"

#include <sha2.h>

#include "grant-mem/audit.h"
#include "tests/unit/witness_dump.h"

static char dir[] = "/tmp/xdd-witness-cmd.XXXXXX";

static const char policy[] =
	"Format = 1\n\n[Backend]\nClass = blk\nResource = memory:16M\n"
	"ReadOnly = no\n\n[Client]\nDomain = any\nTag = c2\n"
	"Device = xvda\n\n[Memory]\nDataPages = 64\n\n[Limits]\n"
	"InFlight = 16\nOperations = 1000/s\nBytes = 1M/s\n"
	"Events = 1000/s\n";

static int run(const char *args)
{
	return shell("$MESON_EXE_WRAPPER \"$XDD_WITNESS\" %s 2>&1", args);
}

#define FILES "--console dmesg --policies etc --audit log "

static void write_dump(const char *name)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	for (unsigned i = 0; i < DUMP_LINES; i++)
		fprintf(f, "%s\n", dump_lines[i]);
	fclose(f);
}

static void write_policy(void)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/etc/c2_disk.policy", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(policy, f);
	fclose(f);
}

static int begin(void **state)
{
	char path[64], digest[65];
	struct audit audit;

	(void)state;
	assert_int_equal(shell("rm -rf etc log && mkdir -p etc log/c2_disk"), 0);
	write_dump("dmesg");
	write_policy();
	SHA256Data((const uint8_t *)policy, strlen(policy), digest);
	snprintf(path, sizeof(path), "%s/log/c2_disk", dir);
	assert_int_equal(audit_open(&audit, path, AUDIT_FILE_BYTES, false), 0);
	audit_line(&audit, "start", "\"policy\":\"%s\",\"boot\":\"b1\"", digest);
	audit_line(&audit, "xenstore", "\"domid\":%u", 1);
	audit_line(&audit, "device", "\"text\":\"backend/vbd/%u/51712, generation 1\"",
		   2);
	audit_line(&audit, "map",
		   "\"id\":%u,\"purpose\":\"data\",\"writable\":1,\"pages\":3,\"refs\":"
		   "\"41-42,4660\",\"line\":0",
		   1);
	audit_line(&audit, "map",
		   "\"id\":%u,\"purpose\":\"data\",\"writable\":0,\"pages\":1,\"refs\":"
		   "\"43\",\"line\":0",
		   9);
	/* a device's pins were put in: two registrations' worth of them, and more */
	audit_line(&audit, "map",
		   "\"id\":%u,\"purpose\":\"data\",\"writable\":1,\"pages\":2,\"refs\":"
		   "\"4660,4660\",\"line\":0",
		   11);
	close(audit.fd);
	close(audit.dir);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	return shell("rm -rf etc log dmesg cut heads");
}

static void test_help(void **state)
{
	(void)state;
	assert_int_equal(run("--help"), 0);
	says("usage: xdd-witness");
	assert_int_equal(run("x --json -h"), 0);
}

static void test_silent(void **state)
{
	(void)state;
	assert_int_equal(run(FILES "--client c2_disk=2 1"), 0);
	assert_string_equal(output, "");
}

static void test_unexplained(void **state)
{
	(void)state;
	assert_int_equal(run(FILES "1"), 1);
	assert_string_equal(
		output, "1: 4 pages of domain 2 mapped (41-43,4660): no policy names "
			"this client; find who maps in the driver domain: its "
			"kernel's back ends, xl devd, whoever has /dev/xen/gntdev "
			"open; or bring the policy\n");
	assert_int_equal(shell("rm -r log/c2_disk"), 0);
	assert_int_equal(run(FILES "--client c2_disk=2 1"), 1);
	says("1: c2_disk: its audit log is not there; 4 pages of domain 2");
}

static void test_json(void **state)
{
	(void)state;
	assert_int_equal(run(FILES "--json --client c2_disk=2 1"), 0);
	says("{\"format\":1,\"domain\":1,\"name\":\"1\",\"explained\":true,\"grant_"
	     "table\":{"
	     "\"frames\":1,\"frames_max\":64},\"maptrack\":{\"frames\":18,\"frames_"
	     "max\":1024},"
	     "\"maps\":[{\"client\":2,\"pages\":4,\"writable\":3}],\"event_channels\":"
	     "null,");
	says("\"instance\":\"c2_disk\",\"client\":2,\"policy_sha256\":\"");
	says("\"ring_pages\":0,\"data_pages\":4,\"event_channels\":0,\"log\":{"
	     "\"state\":"
	     "\"good\",\"first_seq\":0,\"last_seq\":5,");
	says("\"unexplained\":[],\"further\":0}\n");
	assert_int_equal(run(FILES "--json 1"), 1);
	says("\"explained\":false,");
	says("\"unexplained\":[{\"kind\":\"map-no-policy\",\"instance\":null,"
	     "\"client\":2,"
	     "\"count\":4,\"which\":\"41-43,4660\",\"why\":\"4 pages of domain 2");
}

/* A folder's name is a driver domain's word, too. */
static void test_hostile_names(void **state)
{
	(void)state;
	assert_int_equal(shell("mkdir \"log/$(printf '\\033[2J\\377')\""), 0);
	assert_int_equal(run(FILES "--client c2_disk=2 1"), 1);
	says("1: \\x1b[2J\\xff: there is an audit log, and no policy");
	assert_int_equal(run(FILES "--json --client c2_disk=2 1"), 1);
	for (const char *c = output; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
}

static void test_fetch(void **state)
{
	(void)state;
	assert_int_equal(shell("mv log kept"), 0);
	assert_int_equal(run(FILES "--fetch 'mv kept log' --client c2_disk=2 1"), 0);
	assert_int_equal(run(FILES "--fetch false --client c2_disk=2 1"), 2);
	says("false: it failed: nothing is judged");
}

static const struct {
	const char *args, *says;
} wrong[] = {
	{"", "--policies and --audit: which folders"},
	{"--policies etc 1", "--policies and --audit: which folders"},
	{FILES, "which driver domain?"},
	{FILES "1 2", "which driver domain?"},
	{"--policies etc --audit log --client c2_disk=2 1",
	 "--client is for --console"},
	{FILES "--nothing 1", "see xdd-witness --help"},
	{FILES "--json=1 1", "see xdd-witness --help"},
	{FILES "drv", "drv: with --console a domain is a number"},
	{FILES "40000", "40000: with --console a domain is a number"},
	{FILES "7", "dmesg: the dump has no such domain"},
	{FILES "--client c2_disk 1", "c2_disk: no NAME=N"},
	{FILES "--client other=2 1", "other=2: no NAME=N"},
	{FILES "--client c2_disk=02 1", "c2_disk=02: no NAME=N"},
	{FILES "--heads none 1", "the heads in none cannot be read"},
	{"--console none --policies etc --audit log 1", "none: No such file"},
	{"--console cut --policies etc --audit log 1",
	 "cut: the dump has lost its beginning"},
	{"--console dmesg --policies none --audit log 1",
	 "the policies in none cannot be"},
	{"--console dmesg --policies log --audit log 1",
	 "log holds no file NAME.policy"},
	{"--console dmesg --policies etc --audit none 1",
	 "the audit logs in none cannot be"},
};

static void test_wrong(void **state)
{
	(void)state;
	assert_int_equal(shell("sed 1,4d dmesg >cut"), 0);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		if (run(wrong[i].args) != 2)
			fail_msg("\"%s\" was accepted", wrong[i].args);
		says("xdd-witness: ");
		says(wrong[i].says);
	}
}

static void test_without_xen(void **state)
{
	(void)state;
	if (!access("/dev/xen/privcmd", F_OK))
		skip();
	assert_int_equal(run("--policies etc --audit log drv"), 2);
	says("xdd-witness: Xen cannot be asked: run this as root in the control "
	     "domain");
}

#define TEST(test) cmocka_unit_test_setup(test, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_help),  TEST(test_silent),	    TEST(test_unexplained),
		TEST(test_json),  TEST(test_hostile_names), TEST(test_fetch),
		TEST(test_wrong), TEST(test_without_xen),
	};

	return run_in_directory(dir, "XDD_WITNESS", tests,
				sizeof(tests) / sizeof(*tests), clean);
}
