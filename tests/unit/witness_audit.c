/* SPDX-License-Identifier: MIT */
/* What xdd-witness finds of policies and audit logs, and what it takes from them: one
 * cause is one finding, with what a log in doubt might have explained. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/witness_scene.h"

#define HASH	  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ALL_OF_IT "8-9,40,42,50 port 20"

static void test_edited(void **state)
{
	(void)state;
	edited("c2_disk", "1000/s", "1001/s");
	judged(NULL);
	finds("policy-edited 2");
	in_words("c2_disk: its policy is another than the one that is in force");
}

/* A policy that was loaded anew is in force, and what is held stays held. */
static void test_reloaded(void **state)
{
	char members[256];

	(void)state;
	edited("c2_disk", "1000/s", "1001/s");
	judged(NULL);
	logged("c2_disk", "reload", "\"text\":\"the new policy is in force\"");
	snprintf(members, sizeof(members), "\"policy\":\"%s\",\"boot\":\"b1\"",
		 scene.instances.at[0]->digest);
	logged("c2_disk", "start", members);
	judged(NULL);
	finds("");
}

/* Whoever has started again holds nothing of before. */
static void test_restarted(void **state)
{
	(void)state;
	logged("c2_disk", "start", "\"boot\":\"b1\"");
	judged(NULL);
	finds("map-not-logged 2 8-9,40,42,50, event-not-bound 2 20");
	logged("c2_disk", "device", "\"text\":\"backend/vbd/2/51712, generation 1\"");
	judged(NULL);
	finds("map-not-logged 2 8-9,40,42,50, event-not-bound 2 20");
}

static void test_released(void **state)
{
	(void)state;
	logged("c2_disk", "unmap", "\"id\":65538");
	judged(NULL);
	finds("map-not-logged 2 40,42");
	logged("c2_disk", "disconnect", "\"text\":\"all it held is given back\"");
	judged(NULL);
	finds("map-not-logged 2 8-9,40,42,50"); /* its channel is kept for the next */
	logged("c2_disk", "stop", "\"connected\":0");
	judged(NULL);
	finds("map-not-logged 2 8-9,40,42,50, event-not-bound 2 20");
}

static void test_missing(void **state)
{
	(void)state;
	shell_in_folder("rm -r log/c2_disk");
	judged(NULL);
	finds("audit-missing 2 " ALL_OF_IT);
	in_words("c2_disk: its audit log is not there; 5 pages of domain 2 mapped "
		 "(8-9,40,42,50) may be its; event channel 20 may be its");
	shell_in_folder("mkdir log/c2_disk");
	judged(NULL);
	finds("audit-missing 2 " ALL_OF_IT);
}

static void test_unreadable(void **state)
{
	(void)state;
	shell_in_folder("rm -r log/c2_disk && mkdir -p log/c2_disk/audit.log");
	judged(NULL);
	finds("audit-unreadable 2 " ALL_OF_IT);
	shell_in_folder("rm -r log/c2_disk && mkdir log/c2_disk && "
			"truncate -s 100M log/c2_disk/audit.log");
	judged(NULL);
	finds("audit-unreadable 2 " ALL_OF_IT);
}

static void test_silent_log(void **state)
{
	(void)state;
	shell_in_folder(": >log/c3_sound/audit.log");
	judged(NULL);
	finds("audit-chain 3");
	shell_in_folder("rm -r log/c3_sound && mkdir log/c3_sound");
	logged("c3_sound", "xenstore", "\"domid\":1");
	judged(NULL);
	finds("audit-silent 3");
}

/* Each line taken out in turn. */
static void test_line_taken_out(void **state)
{
	(void)state;
	shell_in_folder("cp log/c2_disk/audit.log kept");
	for (unsigned line = 1; line < 8; line++) {
		shell_in_folder("sed %ud kept >log/c2_disk/audit.log", line);
		judged(NULL);
		assert_int_equal(findings.n, 1);
		assert_int_equal(findings.at[0]->kind, AUDIT_CHAIN);
		in_words("c2_disk: its audit log is not what was written: ");
	}
	shell_in_folder("rm kept");
}

static void test_heads(void **state)
{
	char heads[256];
	const struct record *log;

	(void)state;
	judged(NULL);
	log = &scene.instances.at[0]->log;
	snprintf(heads, sizeof(heads), "# noted\nc2_disk %u:%s\n", (unsigned)log->last,
		 log->head);
	judged(heads);
	finds("");
	/* What came later is no better known than without. */
	logged("c2_disk", "refused", "\"text\":\"map\"");
	judged(heads);
	finds("");
}

static void test_cut(void **state)
{
	char heads[256];
	const struct record *log;

	(void)state;
	judged(NULL);
	log = &scene.instances.at[1]->log;
	snprintf(heads, sizeof(heads), "c3_sound %u:%s", (unsigned)log->last,
		 log->head);
	shell_in_folder("sed -i '$d' log/c3_sound/audit.log");
	judged(NULL);
	finds(""); /* nobody can see it without a head */
	judged(heads);
	finds("audit-chain 3");
}

/* The whole log, made anew: only its head is another. */
static void test_made_anew(void **state)
{
	char heads[256];
	const struct record *log;

	(void)state;
	judged(NULL);
	log = &scene.instances.at[1]->log;
	snprintf(heads, sizeof(heads), "c3_sound %u:%s", (unsigned)log->last,
		 log->head);
	forged("c3_sound", "\"keeper\":\"\"", "\"keeper\":\"x\"");
	judged(NULL);
	finds("");
	judged(heads);
	finds("audit-chain 3");
}

static void test_bad_heads(void **state)
{
	static const char *const bad[] = {"c2_disk", "c2_disk 1:2", "nobody 1:" HASH};
	char etc[64], log[64], heads[64];

	(void)state;
	snprintf(etc, sizeof(etc), "%s/etc", folder);
	snprintf(log, sizeof(log), "%s/log", folder);
	snprintf(heads, sizeof(heads), "%s/heads", folder);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		shell_in_folder("echo '%s' >heads", bad[i]);
		assert_non_null(instances_read(&scene.instances, etc, log, heads));
		assert_int_equal(scene.instances.n, 0);
	}
	assert_non_null(instances_read(&scene.instances, log, log, NULL));
	assert_non_null(instances_read(&scene.instances, etc, heads, NULL));
	assert_non_null(instances_read(&scene.instances, etc, log, etc));
}

static void test_boot(void **state)
{
	(void)state;
	forged("c3_sound", "\"boot\":\"b1\"", "\"boot\":\"b0\"");
	forged("c3_sound", "\"time\":\"2", "\"time\":\"1");
	judged(NULL);
	finds("audit-boot 3");
	in_words("b0, not b1");
	scene.boot = "b0";
	judged(NULL);
	finds("audit-boot 2"); /* its lines are believed, and it is told */
}

static void test_domain(void **state)
{
	(void)state;
	forged("c2_disk", "\"domid\":1", "\"domid\":9");
	judged(NULL);
	finds("audit-domain 2");
	in_words("written in domain 9");
}

static void test_stray_log(void **state)
{
	(void)state;
	shell_in_folder("rm etc/c2_disk.policy");
	judged(NULL);
	finds("audit-stray 2 " ALL_OF_IT);
}

static void test_bad_policy(void **state)
{
	(void)state;
	edited("c2_disk", "Class = blk", "Class = blk\nClass = net");
	judged(NULL);
	finds("policy-bad 2 " ALL_OF_IT);
	in_words("c2_disk: its policy is none: line 5: ");
	shell_in_folder("cp etc/c3_sound.policy etc/No-name.policy");
	edited("c2_disk", "\nClass = net", "");
	judged(NULL);
	finds("policy-bad");
	in_words("its name is none of an instance");
}

static const struct {
	const char *event, *members;
} odd[] = {
	{"map",
	 "\"id\":1,\"purpose\":\"data\",\"writable\":1,\"pages\":2,\"refs\":\"8\""},
	{"map",
	 "\"id\":1,\"purpose\":\"data\",\"writable\":1,\"pages\":1,\"refs\":\"\""},
	{"map",
	 "\"id\":1,\"purpose\":\"data\",\"writable\":1,\"pages\":1,\"refs\":\"08\""},
	{"map",
	 "\"id\":1,\"purpose\":\"data\",\"writable\":1,\"pages\":1,\"refs\":\"8,\""},
	{"map",
	 "\"id\":1,\"purpose\":\"data\",\"writable\":1,\"pages\":1,\"refs\":\"8-8\""},
	{"map",
	 "\"id\":1,\"purpose\":\"data\",\"writable\":1,\"pages\":2,\"refs\":\"9-8\""},
	{"map", "\"id\":1,\"purpose\":\"data\",\"writable\":1,\"pages\":65537,\"refs\":"
		"\"1-65537\""},
	{"map", "\"id\":1,\"purpose\":\"data\",\"writable\":1,\"pages\":70000,\"refs\":"
		"\"8+69999\""},
	{"map", "\"id\":1,\"purpose\":\"data\",\"writable\":1,\"pages\":0,\"refs\":"
		"\"4294967295-4294967296\""},
	{"map",
	 "\"id\":1,\"purpose\":\"what\",\"writable\":1,\"pages\":1,\"refs\":\"8\""},
	{"map", "\"id\":65538,\"purpose\":\"data\",\"writable\":1,\"pages\":1,\"refs\":"
		"\"8\""},
	{"unmap", "\"id\":1"},
	{"unmap", "\"id\":131074"},
	{"device", "\"text\":\"backend/vbd/x/51712\""},
	{"device", "\"text\":\"backend/vbd/99999/51712\""},
	{"device", "\"text\":\"\""},
	{"bind", "\"text\":\"event-channel 5\""},
	{"bind", "\"text\":\"event-channel 5 to 20 or so\""},
	{"bind", "\"text\":\"\""},
};

static void test_odd(void **state)
{
	(void)state;
	shell_in_folder("cp -r log/c2_disk kept");
	for (unsigned i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		shell_in_folder("rm -r log/c2_disk && cp -r kept log/c2_disk");
		logged("c2_disk", odd[i].event, odd[i].members);
		judged(NULL);
		if (findings.n != 1 || findings.at[0]->kind != AUDIT_ODD)
			fail_msg("%s %s", odd[i].event, odd[i].members);
		in_words("seq 8: ");
	}
	shell_in_folder("rm -r kept");
}

/* Of nobody's device nothing is mapped, and nothing bound. */
static void test_no_device(void **state)
{
	(void)state;
	logged("c3_sound", "map",
	       "\"id\":1,\"purpose\":\"ring\",\"writable\":1,\"pages\":1,\"refs\":"
	       "\"8\"");
	judged(NULL);
	finds("audit-odd 3");
	shell_in_folder("sed -i '$d' log/c3_sound/audit.log");
	logged("c3_sound", "bind", "\"text\":\"event-channel 5 to 20\"");
	judged(NULL);
	finds("audit-odd 3");
	shell_in_folder("sed -i '$d' log/c3_sound/audit.log");
	/* nor of the one that was there before a start */
	logged("c2_disk", "start", "\"boot\":\"b1\"");
	logged("c2_disk", "bind", "\"text\":\"event-channel 5 to 20\"");
	judged(NULL);
	assert_int_equal(findings.at[0]->kind, AUDIT_ODD);
}

/* A device that came anew has no channel of the one before. */
static void test_new_device(void **state)
{
	(void)state;
	logged("c2_disk", "device", "\"text\":\"backend/vbd/2/51712, generation 2\"");
	judged(NULL);
	finds("event-not-bound 2 20");
}

/* As many as it likes, and no more than a keeper can have. */
static void test_binds(void **state)
{
	char members[96];

	(void)state;
	for (unsigned i = 0; i < RECORD_BINDS - 1; i++) {
		snprintf(members, sizeof(members),
			 "\"text\":\"queue-%u/event-channel 5 to %u\"", i, 100 + i);
		logged("c2_disk", "bind", members);
	}
	judged(NULL);
	finds("");
	logged("c2_disk", "bind", "\"text\":\"another 5 to 7\"");
	judged(NULL);
	finds("audit-odd 2");
}

/* The log was full twice, and its first lines are gone: the start, and the first maps.
 */
static void drop_oldest(void)
{
	struct audit audit;
	char path[96];

	snprintf(path, sizeof(path), "%s/log/c2_disk", folder);
	assert_int_equal(audit_open(&audit, path, AUDIT_FILE_BYTES, false), 0);
	for (unsigned i = 0; i < 9000; i++)
		audit_line(&audit, "refused", "\"text\":\"%0100u\"", i);
	close(audit.fd);
	close(audit.dir);
}

static void test_dropped(void **state)
{
	(void)state;
	drop_oldest();
	logged("c2_disk", "map",
	       "\"id\":65542,\"purpose\":\"data\",\"writable\":1,\"pages\":1,\"refs\":"
	       "\"60\",\"line\":0");
	logged("c2_disk", "unmap", "\"id\":77");
	/* an unmapping that was lost, too */
	logged("c2_disk", "map",
	       "\"id\":65542,\"purpose\":\"data\",\"writable\":1,\"pages\":1,\"refs\":"
	       "\"61\",\"line\":0");
	pinned(2, 61, TESTED, 2, 0);
	pinned(2, 1000, TESTED, 2, 0);
	judged(NULL);
	finds("audit-dropped 2 8-9,40,42,50,1000 port 20");
	in_words("c2_disk: its audit log begins with seq ");
	/* 1000 is no data's, and 8 and 9, which may be, are counted as such */
	scene.accept_dropped = true;
	judged(NULL);
	finds("");
	for (unsigned ref = 100; ref < 108; ref++)
		pinned(2, ref, TESTED, 2, 0);
	judged(NULL);
	finds("audit-dropped 2 1000");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_edited),     TEST(test_reloaded),
		TEST(test_restarted),  TEST(test_released),
		TEST(test_missing),    TEST(test_unreadable),
		TEST(test_silent_log), TEST(test_line_taken_out),
		TEST(test_heads),      TEST(test_cut),
		TEST(test_made_anew),  TEST(test_bad_heads),
		TEST(test_boot),       TEST(test_domain),
		TEST(test_stray_log),  TEST(test_bad_policy),
		TEST(test_odd),	       TEST(test_binds),
		TEST(test_dropped),    TEST(test_no_device),
		TEST(test_new_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
