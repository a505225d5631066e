/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy learn: what is proposed of a log that the keeper's code wrote, that it is
 * a policy which makes nothing possible, and what is not learned, and why.
 *
 * The program under test is named by the environment: XDD_POLICY.
 */
#include "policy_cmd_dt.h"

#include "grant-mem/audit.h"

#define HEAD   "Format = 1\n[Backend]\nClass = blk\nResource = null:1G\n"
#define CLIENT "[Client]\nDomain = 3\nDevice = xvda\n"
#define LIMITS "[Limits]\nInFlight = 1\nOperations = 1/s\nBytes = 1/s\nEvents = 1/s\n"

static const char disk[] =
	HEAD "ReadOnly = no\n" CLIENT LIMITS
	     "# what it may have\n[Memory]\nRingPages = 16\nDataPages = 100\n"
	     "GrantRefs = 8-1000\n";

static struct audit audit;

static void write_disk(const char *text)
{
	write_bytes("disk.policy", text, strlen(text));
}

static void begin(const char *instance)
{
	char path[64];

	shell("rm -rf log && mkdir log");
	snprintf(path, sizeof(path), "%s/log", dir);
	assert_int_equal(audit_open(&audit, path, AUDIT_FILE_BYTES, false), 0);
	audit_line(&audit, "start",
		   "\"instance\":\"%s\",\"class\":\"blk\",\"boot\":\"b1\"", instance);
}

static void map(unsigned id, const char *purpose, unsigned writable, unsigned pages,
		const char *refs)
{
	audit_line(&audit, "map",
		   "\"id\":%u,\"purpose\":\"%s\",\"writable\":%u,\"pages\":%u,"
		   "\"refs\":\"%s\",\"line\":0",
		   id, purpose, writable, pages, refs);
}

static void unmap(unsigned id)
{
	audit_line(&audit, "unmap", "\"id\":%u", id);
}

static void end(void)
{
	close(audit.fd);
	close(audit.dir);
}

/* Seq 0 to 5: a ring, and 12 pages at once of references from 20 to 40. */
static void some_use(void)
{
	begin("disk");
	map(0, "ring", 1, 2, "900-901");
	map(2, "data", 1, 11, "20-30");
	unmap(2);
	map(3, "data", 0, 4, "31,33-34,40");
	map(7, "data", 1, 8, "20-27");
	end();
}

static int clean_all(void **state)
{
	(void)state;
	return shell("rm -rf -- * .err");
}

static int learn(const char *args)
{
	char all[256];

	snprintf(all, sizeof(all), "learn %s disk.policy log", args);
	return xdd_policy(all);
}

/* What is proposed is a policy, and makes nothing possible. */
static void is_no_more(void)
{
	assert_int_equal(
		shell("mkdir -p new && $MESON_EXE_WRAPPER \"$XDD_POLICY\" learn "
		      "disk.policy log >new/disk.policy"),
		0);
	assert_int_equal(xdd_policy("check new/disk.policy"), 0);
	if (xdd_policy("diff disk.policy new/disk.policy"))
		fail_msg("more becomes possible:\n%s", output);
	says_not("  + ");
	says_not("  ? ");
}

static void proposes(void **state)
{
	(void)state;
	write_disk(disk);
	some_use();
	assert_int_equal(learn(""), 0);
	says("# A proposal: what log used, from 20");
	says(" (UTC), in 6 lines.\n# What was not used in that time is not allowed. ");
	says("# Not learned: Limits are in no audit log; what was used of them is in "
	     "/run/xdd-stats/disk/stats.\n" HEAD "ReadOnly = no\n" CLIENT LIMITS
	     "# what it may have\n[Memory]\n"
	     "# learned: at most 2 pages at once, by line 1 of the log; 16 were "
	     "allowed\n"
	     "RingPages = 2\n"
	     "# learned: at most 12 pages at once, by line 5 of the log; 100 were "
	     "allowed\n"
	     "DataPages = 12\n"
	     "# learned: the least and the most of those that were mapped; 8-1000 were "
	     "allowed\n"
	     "GrantRefs = 20-40\n");
	says_not("Kept");
	says_not("ClientPages");
	is_no_more();
	says("Memory.RingPages     16 -> 2");
	says("Memory.GrantRefs     8-1000 -> 20-40");
}

/* Percent more, rounded up, and never more than is allowed. */
static void spare(void **state)
{
	(void)state;
	write_disk(disk);
	some_use();
	assert_int_equal(learn("--spare 10"), 0);
	says("RingPages = 3\n");
	says("DataPages = 14\n");
	says("GrantRefs = 20-40\n");
	assert_int_equal(learn("--spare 1000"), 0);
	says("\nRingPages = 16\n");
	says("\nDataPages = 100\n");
	assert_int_equal(learn("--spare -1"), 2);
	says("--spare takes a percentage, 0 to 1000");
	assert_int_equal(learn("--spare 1001"), 2);
}

/* Keys that no line sets come into [Memory], which is made if it is not there. */
static void defaults(void **state)
{
	(void)state;
	write_disk(HEAD "ReadOnly = no\n" CLIENT LIMITS);
	some_use();
	assert_int_equal(learn(""), 0);
	says(LIMITS "\n[Memory]\n# learned: at most 12 pages at once, by line 5 of the "
		    "log; 352 were allowed\nDataPages = 12\n# learned: the least");
	says_not("RingPages"); /* one, where two were mapped */
	is_no_more();
	write_disk(HEAD "ReadOnly = no\n" CLIENT "[Memory]\nExclusive = no\n" LIMITS);
	assert_int_equal(learn(""), 0);
	says(CLIENT "[Memory]\n# learned");
	says("GrantRefs = 20-40\nExclusive = no\n[Limits]\n");
	is_no_more();
}

static void direction(void **state)
{
	(void)state;
	/* One that is only read: its pages are written. */
	write_disk(HEAD CLIENT LIMITS "[Memory]\nClientPages = both\n");
	begin("disk");
	map(1, "data", 1, 1, "20");
	end();
	assert_int_equal(learn(""), 0);
	says("# learned: each of 1 maps was to write\nClientPages = writable\n");
	is_no_more();
	/* What its class needs, stays, and why. */
	write_disk(disk);
	assert_int_equal(learn(""), 0);
	says("# Kept: Memory.ClientPages = both, though each of 1 maps was to write. "
	     "writable would not do: Memory.ClientPages: a disk with ReadOnly = no");
	says_not("\nClientPages");
	says("\nDataPages = 1\n");
	is_no_more();
	write_disk(HEAD CLIENT LIMITS "[Block]\nQueues = 4\n[Memory]\nRingPages = 8\n");
	begin("disk");
	map(1, "ring", 1, 2, "20-21");
	end();
	assert_int_equal(learn(""), 0);
	says("# Kept: Memory.RingPages = 8, though at most 2 pages at once");
	says("\nRingPages = 8\n");
	says("# Not learned: no data page was mapped: nothing is known of them.");
	is_no_more();
}

static void what_is_not_known(void **state)
{
	(void)state;
	write_disk(disk);
	begin("disk");
	map(1, "data", 1, 9, "20,22,24,26+5");
	end();
	assert_int_equal(learn(""), 0);
	says("# Not learned: GrantRefs: some maps had more references than a line");
	says("\nGrantRefs = 8-1000\n");
	says("\nDataPages = 9\n");
	begin("disk");
	map(1, "data", 1, 1, "20");
	audit.lost = 3;
	unmap(1);
	end();
	assert_int_equal(learn(""), 0);
	says("# Not learned: 3 lines were lost: what they had is not allowed either.");
	write_disk(HEAD CLIENT LIMITS "[Memory]\nMode = copy\nRingPages = 4\n");
	begin("disk");
	map(1, "ring", 1, 1, "20");
	audit_line(&audit, "copies", "\"segments\":9,\"bytes\":%u", 4096);
	end();
	assert_int_equal(learn(""), 0);
	says("# Not learned: Mode = copy: of copies a log has sums, and no references, "
	     "no "
	     "direction.");
	says("\nRingPages = 1\n");
	says_not("GrantRefs");
	is_no_more();
}

static void pool(void **state)
{
	(void)state;
	write_disk("Format = 1\n[Backend]\nClass = blk\nDoor = virtio\nResource = "
		   "null:1G\n"
		   "[Client]\nDomain = 3\nDevice = 0\n" LIMITS
		   "[Memory]\nPoolPages = 2048\n");
	begin("disk");
	map(1, "ring", 1, 1, "900");
	map(2, "pool", 1, 256, "1000-1255");
	map(3, "pool", 1, 256, "1256-1511");
	end();
	assert_int_equal(learn(""), 0);
	says("\nPoolPages = 512\n");
	says("\nGrantRefs = 1000-1511\n");
	says_not("ClientPages"); /* a pool is for both */
	is_no_more();
}

/* What is mapped when a keeper starts, or its back end goes, is mapped no more. */
static void new_lives(void **state)
{
	(void)state;
	write_disk(disk);
	begin("disk");
	map(1, "data", 1, 10, "20-29");
	audit_line(&audit, "disconnect", "\"text\":\"%s\"",
		   "all it held is given back");
	map(2, "data", 0, 10, "30-39");
	audit_line(&audit, "start",
		   "\"instance\":\"disk\",\"class\":\"blk\",\"boot\":\"%s\"", "b2");
	map(3, "data", 1, 10, "40-49");
	end();
	assert_int_equal(learn(""), 0);
	says("DataPages = 10\n");
	says("GrantRefs = 20-49\n");
}

/* Whatever a log says, it can only take away. */
static void hostile_logs(void **state)
{
	static const char *const refs[] = {"0-4294967295",
					   "1",
					   "99999999999999999999",
					   "30-20",
					   "-",
					   "20-",
					   "",
					   ",",
					   "20,,21",
					   "20-30-40",
					   "5000-6000",
					   "\\n[Memory]\\nMode = copy",
					   "20+\\u0007"};

	(void)state;
	write_disk(disk);
	for (unsigned i = 0; i < COUNT(refs); i++) {
		begin("disk");
		map(1, "data", 1, 4294967295u, refs[i]);
		map(2, "data", 0, 0, refs[i]);
		map(3, "no\\u001bsuch", 2, 7, refs[i]);
		end();
		assert_int_equal(learn(""), 0);
		is_no_more();
	}
	says_not("\033");
}

/* A log of a wider policy: what both have. */
static void wider_logs(void **state)
{
	(void)state;
	write_disk(disk);
	begin("disk");
	map(1, "data", 1, 50, "1-50");
	end();
	assert_int_equal(learn(""), 0);
	says("\nGrantRefs = 8-50\n");
	begin("disk");
	map(1, "data", 1, 50, "5000-5049");
	end();
	assert_int_equal(learn(""), 0);
	says("\nGrantRefs = 8-1000\n");
	says_not("Kept: Memory.GrantRefs");
	write_disk(HEAD "ReadOnly = no\n" CLIENT LIMITS
			"[Memory]\nGrantRefs = 20-40\nDataPages = 30\n");
	begin("disk");
	map(1, "data", 1, 50, "15-35");
	end();
	assert_int_equal(learn(""), 0);
	says("\nGrantRefs = 20-35\nDataPages = 30\n");
	is_no_more();
}

static void refused_logs(void **state)
{
	(void)state;
	write_disk(disk);
	assert_int_equal(learn(""), 2);
	says("log: there is no audit.log here: name an instance's directory");
	begin("other");
	map(1, "data", 1, 1, "20");
	end();
	assert_int_equal(learn(""), 2);
	says("log: the log of another instance");
	begin("disk");
	end();
	assert_int_equal(learn(""), 2);
	says("log: no map is in it; let the client run");
	some_use();
	assert_int_equal(shell("sed -i 3s/11/12/ log/audit.log"), 0);
	assert_int_equal(learn(""), 2);
	says("log: its chain is broken, and nothing is learned of it");
	says_not("# A proposal");
	some_use();
	write_disk(HEAD CLIENT LIMITS "[Audit]\nLevel = changes\n");
	assert_int_equal(learn(""), 2);
	says("log: with Level = changes no map is in a log; say Level = decisions");
	write_disk("Format = 2\n");
	assert_int_equal(learn(""), 2);
	says("disk.policy:1: ");
	assert_int_equal(xdd_policy("learn disk.policy"), 2);
	says("learn takes a policy and its log");
}

static void as_json(void **state)
{
	(void)state;
	write_disk("# \377\n" HEAD "ReadOnly = no\n" CLIENT LIMITS
		   "[Memory]\nDataPages = 100\nRingPages = 2\nGrantRefs = 20-40\n");
	some_use();
	assert_int_equal(learn("--json"), 0);
	says("    \"keys\": [\n      {\n        \"key\": \"Memory.DataPages\",\n"
	     "        \"before\": \"100\",\n        \"now\": \"12\",\n"
	     "        \"why\": \"at most 12 pages at once, by line 5 of the log; 100 "
	     "were "
	     "allowed\",\n        \"kept\": null\n      }\n    ],\n"
	     "    \"not_learned\": [\n      \"Limits are in no audit log; ");
	says("    \"policy\": \"# ?\\nFormat = 1\\n");
	says("\\nDataPages = 12\\nRingPages = 2\\nGrantRefs = 20-40\\n\"\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(proposes, clean_all),
		cmocka_unit_test_teardown(spare, clean_all),
		cmocka_unit_test_teardown(defaults, clean_all),
		cmocka_unit_test_teardown(direction, clean_all),
		cmocka_unit_test_teardown(what_is_not_known, clean_all),
		cmocka_unit_test_teardown(pool, clean_all),
		cmocka_unit_test_teardown(new_lives, clean_all),
		cmocka_unit_test_teardown(hostile_logs, clean_all),
		cmocka_unit_test_teardown(wider_logs, clean_all),
		cmocka_unit_test_teardown(refused_logs, clean_all),
		cmocka_unit_test_teardown(as_json, clean_all),
	};

	return run_in_directory(dir, "XDD_POLICY", tests, COUNT(tests), clean_all);
}
