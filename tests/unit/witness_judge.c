/* SPDX-License-Identifier: MIT */
/* What xdd-witness finds of grants and event channels: witness-judge.h, line by line of
 * what it says is explained. witness_audit.c is the same for policies and logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/witness_scene.h"

static void test_silent(void **state)
{
	(void)state;
	judged(NULL);
	finds("");
	assert_int_equal(scene.instances.at[0]->ring, 2);
	assert_int_equal(scene.instances.at[0]->data, 3);
	assert_int_equal(scene.instances.at[0]->ports, 1);
}

/* What nobody registered; what of it is not of this client, or not ours, is not meant.
 */
static void test_not_logged(void **state)
{
	(void)state;
	pinned(2, 60, TESTED, 2, 0);
	pinned(2, 61, TESTED, 0, 2);
	pinned(2, 70, TESTED, 0, 2);
	pinned(2, 0, 0, 1, 0);	    /* its console */
	pinned(TESTED, 9, 0, 2, 0); /* the control domain */
	pinned(TESTED, 10, TESTED, 2, 0);
	judged(NULL);
	finds("map-not-logged 2 60-61,70");
	in_words("3 pages of domain 2 mapped (60-61,70): no audit log");
}

static void test_no_policy(void **state)
{
	(void)state;
	pinned(4, 8, TESTED, 2, 0);
	pinned(5, 40, TESTED, 0, 2);
	judged(NULL);
	finds("map-no-policy 4 8, map-no-policy 5 40");
	in_words("1 page of domain 4 mapped (8): no policy names this client");
}

/* A domain's pages are registered for that domain alone: others have the same numbers.
 */
static void test_another_client(void **state)
{
	(void)state;
	pinned(3, 40, TESTED, 0, 2);
	judged(NULL);
	finds("map-not-logged 3 40");
}

/* The client that the policy names is another than the one in the log. */
static void test_log_of_another_client(void **state)
{
	(void)state;
	forged("c2_disk", "backend/vbd/2/", "backend/vbd/4/");
	judged(NULL);
	finds("map-not-logged 2 8-9,40,42,50, event-not-bound 2 20");
}

static void test_writable(void **state)
{
	(void)state;
	pinned(2, 51, TESTED, 2, 0);
	logged("c2_disk", "map",
	       "\"id\":65542,\"purpose\":\"data\",\"writable\":0,\"pages\":1,\"refs\":"
	       "\"51\",\"line\":0");
	logged("c2_disk", "map",
	       "\"id\":65543,\"purpose\":\"data\",\"writable\":0,\"pages\":1,\"refs\":"
	       "\"51\",\"line\":0");
	judged(NULL);
	finds("map-writable 2 51");
	in_words("c2_disk registered them for reading");
}

static void test_read_only_client(void **state)
{
	(void)state;
	pinned(3, 70, TESTED, 2, 0);
	pinned(3, 71, TESTED, 0, 2);
	judged(NULL);
	finds("map-read-only 3 70, map-not-logged 3 71");
	in_words("1 page of domain 3 mapped writable (70): its policies let its data "
		 "be read "
		 "alone (ClientPages)");
}

static void test_too_often(void **state)
{
	(void)state;
	pinned(2, 43, TESTED, 2, 0);
	pinned(2, 45, TESTED, 4, 0);
	logged("c2_disk", "map",
	       "\"id\":65542,\"purpose\":\"data\",\"writable\":1,\"pages\":4,\"refs\":"
	       "\"43-45,45\",\"line\":0");
	judged(NULL);
	finds("");
	pinned(2, 44, TESTED, 2, 1);
	judged(NULL);
	finds("map-too-often 2 44");
	in_words("more often than c2_disk registered them");
}

/* Where one mapping makes one pin. */
static void test_too_often_hvm(void **state)
{
	(void)state;
	scene.pins = 1;
	pinned(2, 43, TESTED, 1, 0);
	judged(NULL);
	finds("map-too-often 2 8-9,40,42,50, map-not-logged 2 43");
}

/* In the log, and yet against the policy. */
static void test_outside(void **state)
{
	(void)state;
	pinned(2, 1000, TESTED, 2, 0);
	logged("c2_disk", "map",
	       "\"id\":65542,\"purpose\":\"data\",\"writable\":1,\"pages\":1,\"refs\":"
	       "\"1000\",\"line\":0");
	judged(NULL);
	finds("map-outside-policy 2 1000");
	assert_string_equal(findings.at[0]->detail, "Memory.GrantRefs, line 15");
}

static void test_outside_direction(void **state)
{
	(void)state;
	logged("c3_sound", "device", "\"text\":\"backend/vsnd/3/0, generation 1\"");
	logged("c3_sound", "map",
	       "\"id\":65542,\"purpose\":\"data\",\"writable\":1,\"pages\":1,\"refs\":"
	       "\"60\",\"line\":0");
	logged("c3_sound", "map",
	       "\"id\":65543,\"purpose\":\"ring\",\"writable\":1,\"pages\":1,\"refs\":"
	       "\"8\",\"line\":0");
	pinned(3, 60, TESTED, 2, 0);
	pinned(3, 8, TESTED, 2, 0); /* a ring is written, always */
	judged(NULL);
	finds("map-outside-policy 3 60");
	assert_string_equal(findings.at[0]->detail, "Memory.ClientPages, line 0");
}

static void test_outside_mode(void **state)
{
	(void)state;
	logged("c2_disk", "map",
	       "\"id\":65542,\"purpose\":\"pool\",\"writable\":1,\"pages\":1,\"refs\":"
	       "\"60\",\"line\":0");
	pinned(2, 60, TESTED, 2, 0);
	judged(NULL);
	finds("map-outside-policy 2 60");
	assert_string_equal(findings.at[0]->detail, "Memory.Mode, line 0");
}

/* Data that is only copied is never mapped. */
static void test_outside_mode_copy(void **state)
{
	(void)state;
	edited("c3_sound", "Class = snd", "Class = net");
	edited("c3_sound", "alsa:", "tap_c3");
	edited("c3_sound", "DataPages = 12", "DataPages = 1024");
	edited("c3_sound", "InFlight = 16", "InFlight = 512");
	logged("c3_sound", "device", "\"text\":\"backend/vif/3/0, generation 1\"");
	logged("c3_sound", "map",
	       "\"id\":65542,\"purpose\":\"data\",\"writable\":1,\"pages\":1,\"refs\":"
	       "\"60\",\"line\":0");
	pinned(3, 60, TESTED, 2, 0);
	judged(NULL);
	finds("policy-edited 3, map-outside-policy 3 60");
	assert_string_equal(findings.at[1]->detail, "Memory.Mode, line 0");
}

/* 12 pages of data and 2 of rings are allowed. */
static void test_too_many(void **state)
{
	(void)state;
	logged("c2_disk", "map",
	       "\"id\":65542,\"purpose\":\"data\",\"writable\":1,\"pages\":10,\"refs\":"
	       "\"100-109\",\"line\":0");
	for (unsigned ref = 100; ref < 109; ref++)
		pinned(2, ref, TESTED, 2, 0);
	judged(NULL);
	finds(""); /* registered is not mapped */
	pinned(2, 109, TESTED, 2, 0);
	judged(NULL);
	finds("map-too-many 2");
	in_words("13 pages of domain 2 mapped by what c2_disk registered, and its "
		 "policy "
		 "allows 12 (Memory.DataPages, line 14)");
}

static void test_too_many_rings(void **state)
{
	(void)state;
	logged("c2_disk", "map",
	       "\"id\":65542,\"purpose\":\"ring\",\"writable\":1,\"pages\":1,\"refs\":"
	       "\"2000\",\"line\":0");
	pinned(2, 2000, TESTED, 2, 0);
	judged(NULL);
	finds("map-too-many 2");
	in_words("allows 2 (Memory.RingPages, line 13)");
}

/* Pages that a line had no room for: so many, of this direction, within the policy. */
static void test_unlisted(void **state)
{
	(void)state;
	logged("c2_disk", "map",
	       "\"id\":65542,\"purpose\":\"data\",\"writable\":0,\"pages\":4,\"refs\":"
	       "\"100-101+2\",\"line\":0");
	pinned(2, 100, TESTED, 0, 2);
	pinned(2, 200, TESTED, 0, 2);
	pinned(2, 300, TESTED, 0, 2);
	judged(NULL);
	finds("");
	pinned(2, 310, TESTED, 0, 2);
	judged(NULL);
	finds("map-not-logged 2 310");
}

static void test_unlisted_direction(void **state)
{
	(void)state;
	logged("c2_disk", "map",
	       "\"id\":65542,\"purpose\":\"data\",\"writable\":0,\"pages\":3,\"refs\":"
	       "\"100+2\",\"line\":0");
	pinned(2, 200, TESTED, 2, 0);
	pinned(2, 2000, TESTED, 0, 2);
	judged(NULL);
	finds("map-not-logged 2 200,2000");
}

/* Where no map is in the log, the policy alone says what may be. */
static void test_level_changes(void **state)
{
	(void)state;
	edited("c2_disk", "[Limits]", "[Audit]\nLevel = changes\n\n[Limits]");
	shell_in_folder("rm -r log/c2_disk; mkdir log/c2_disk");
	logged("c2_disk", "start", "\"instance\":\"c2_disk\",\"boot\":\"b1\"");
	logged("c2_disk", "device", "\"text\":\"backend/vbd/2/51712, generation 1\"");
	logged("c2_disk", "bind", "\"text\":\"event-channel 5 to 20\"");
	judged(NULL);
	finds("");
	for (unsigned ref = 100; ref < 110; ref++)
		pinned(2, ref, TESTED, 2, 0);
	judged(NULL);
	finds("map-not-logged 2 109");
}

static void test_by_other(void **state)
{
	(void)state;
	pinned(2, 60, 3, 0, 2);
	pinned(2, 61, 3, 0, 2);
	pinned(3, 62, 4, 2, 0);
	pinned(TESTED, 5, 2, 2, 0);
	scene.device[scene.devices++] = (struct scene_device){{3}, {4}};
	judged(NULL);
	finds("map-by-other 1 5, map-by-other 2 60-61");
	assert_int_equal(findings.at[0]->user, 2);
	assert_int_equal(findings.at[1]->user, 3);
}

static void test_ports(void **state)
{
	(void)state;
	port_to(40, 2, 5); /* another local port than is logged */
	port_to(41, 3, 5); /* of another client */
	port_to(42, 4, 9); /* whom no policy names */
	port_offered(43, 2);
	port_to(44, 0, 9);
	port_to(45, 0, 10);
	port_offered(46, 0);
	scene.named[scene.nameds++] = (struct scene_named){{45}, {0}};
	scene.named[scene.nameds++] = (struct scene_named){{42}, {0}}; /* of another */
	judged(NULL);
	finds("event-not-bound 2 40, event-not-bound 3 41, event-no-policy 4 42, "
	      "event-offered 2 43, event-control 0 44,46");
	in_words("event channel 40 bound to domain 2: no audit log");
}

/* The remote port belongs to it. */
static void test_port_elsewhere(void **state)
{
	(void)state;
	scene.port[0].remote_port.v = 6;
	judged(NULL);
	finds("event-not-bound 2 20");
}

static void test_bound_anew(void **state)
{
	(void)state;
	logged("c2_disk", "bind", "\"text\":\"event-channel 6 to 21\"");
	judged(NULL);
	finds("event-not-bound 2 20");
	port_to(21, 2, 6);
	judged(NULL);
	finds("event-not-bound 2 20");
}

static void test_too_many_ports(void **state)
{
	(void)state;
	logged("c2_disk", "bind", "\"text\":\"queue-1/event-channel 6 to 21\"");
	logged("c2_disk", "bind", "\"text\":\"queue-2/event-channel 7 to 22\"");
	port_to(21, 2, 6);
	judged(NULL);
	finds("");
	port_to(22, 2, 7);
	judged(NULL);
	finds("event-too-many 2");
	in_words("3 event channels to domain 2 bound by c2_disk, and its policy allows "
		 "2");
}

static void test_maptrack(void **state)
{
	(void)state;
	judged(NULL);
	scene.usage.table[TESTED].maptrack = scene.usage.table[TESTED].maptrack_max;
	findings_free(&findings);
	judge(&scene, &findings);
	finds("maptrack-full");
}

/* One cause is one line, of bounded length. */
static void test_many(void **state)
{
	(void)state;
	for (unsigned ref = 100; ref < 300; ref += 2)
		pinned(2, ref, TESTED, 2, 0);
	judged(NULL);
	assert_int_equal(findings.n, 1);
	assert_int_equal(findings.at[0]->n, 100);
	in_words("100 pages of domain 2 mapped (100,102,104,");
	in_words(" more): no audit log");
	assert_true(strlen(findings.at[0]->refs) < FINDING_REFS);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_silent),
		TEST(test_not_logged),
		TEST(test_no_policy),
		TEST(test_another_client),
		TEST(test_log_of_another_client),
		TEST(test_writable),
		TEST(test_read_only_client),
		TEST(test_too_often),
		TEST(test_too_often_hvm),
		TEST(test_outside),
		TEST(test_outside_direction),
		TEST(test_outside_mode),
		TEST(test_outside_mode_copy),
		TEST(test_too_many),
		TEST(test_too_many_rings),
		TEST(test_unlisted),
		TEST(test_unlisted_direction),
		TEST(test_level_changes),
		TEST(test_by_other),
		TEST(test_ports),
		TEST(test_port_elsewhere),
		TEST(test_bound_anew),
		TEST(test_too_many_ports),
		TEST(test_maptrack),
		TEST(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
