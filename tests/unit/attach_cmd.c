/* SPDX-License-Identifier: MIT */
/*
 * xdd-attach attach, on a xenstore and a Xen in memory: what it writes, what it
 * refuses, and that nothing is written then.
 */
#include <errno.h>

#include "attach_scene.h"
#include "xenbus/cmd/apply.h"

/* Refused, with a line, and not a node written. */
static void refused(char *name, const char *text)
{
	unsigned nodes = world_count(), writes = world.writes;

	assert_int_equal(attach(name), EXIT_FAILED);
	says(text);
	assert_int_equal(world_count(), nodes);
	assert_int_equal(world.writes, writes);
}

/* -- What is written ----------------------------------------------------------- */

static void attaches(void **state)
{
	(void)state;
	assert_int_equal(attach("root"), 0);
	says("5 root: vbd xvda of ivi (5) is now attached to drv (2), tag ivi_root");
	is(FRONT "/backend", BACK);
	is(BACK "/params", "ivi_root");
	is(BACK "/state", "1");
	is(COPY "/xdd-attach", "root");
	assert_true(world_may_read(2, FRONT "/state"));
	assert_true(world_may_read(5, BACK "/state"));
	assert_false(world_may_read(5, COPY));
	assert_false(world_may_read(2, COPY "/params"));
	assert_int_equal(world.begun, 1);
}

/* A domain without a toolstack: the driver domain must be able to list what is
 * there for it, and what was there keeps its permissions. */
static void between_dom0less_domains(void **state)
{
	(void)state;
	world_dom0less_domain(7);
	world_dom0less_domain(8);
	files_device("d", "Domain = 8\nDevice = xvda", "dom0less-7", "8");
	assert_int_equal(attach("d"), 0);
	assert_true(world_may_read(7, "/local/domain/7/backend"));
	assert_true(world_may_read(7, "/local/domain/7/backend/vbd"));
	assert_true(world_may_read(7, "/local/domain/7/backend/vbd/8"));
	assert_false(world_may_read(8, "/local/domain/7/backend/vbd"));
	assert_true(world_may_read(8, "/local/domain/8/device/vbd"));
	assert_int_equal(world_node("/local/domain/8/device")->perms.owner.v, 8);
	assert_int_equal(world_node("/local/domain/7/backend")->perms.owner.v, 0);
	is("/local/domain/7/backend/vbd/8/51712/params", "d");
	is("/libxl/8/type", "pvh");
	world_write("/local/domain/8/name", "x\n<0>y");
	assert_int_equal(attach("d"), 0);
	says("xvda of x?<0>y (8) is already attached to dom0less-7 (7)");
}

static void twice(void **state)
{
	unsigned writes;

	(void)state;
	assert_int_equal(attach("root"), 0);
	writes = world.writes;
	assert_int_equal(attach("root"), 0);
	says("is already attached");
	assert_int_equal(world.writes, writes);
}

static void by_path_and_options(void **state)
{
	(void)state;
	unlink(files_path("root.attach"));
	assert_int_equal(attach((char *)files_path("root.policy")), EXIT_COMMAND);
	options.target.backend = "2";
	options.target.client = "ivi";
	assert_int_equal(attach((char *)files_path("root.policy")), 0);
	is(BACK "/online", "1");
}

static void option_overrides_file(void **state)
{
	(void)state;
	world_xl_domain(6, "other");
	options.target.client = "other";
	assert_int_equal(attach("root"), 0);
	assert_null(world_read(FRONT));
	is("/local/domain/6/device/vbd/51712/backend-id", "2");
}

static void policy_elsewhere(void **state)
{
	char text[512];

	(void)state;
	snprintf(text, sizeof(text),
		 "Format = 1\n# both\n[Attach]\nBackend = drv\nClient = ivi\n"
		 "Policy = %s\n",
		 files_path("root.policy"));
	files_write("other.attach", text);
	assert_int_equal(attach("other"), 0);
	is(COPY "/xdd-attach", "root");
}

/* -- Conflicts ------------------------------------------------------------------ */

static void tries_again(void **state)
{
	(void)state;
	world.conflicts = 3;
	assert_int_equal(attach("root"), 0);
	assert_int_equal(world.begun, 4);
	is(FRONT "/state", "1");
}

static void gives_up(void **state)
{
	unsigned nodes = world_count();

	(void)state;
	world.conflicts = 1000;
	assert_int_equal(attach("root"), EXIT_FAILED);
	says("root: nothing written, xenstored says: Resource temporarily");
	says("try again");
	assert_int_equal(world.begun, APPLY_TRIES);
	assert_int_equal(world_count(), nodes);
}

/* xenstored refuses one of the writes: none is left. */
static void a_write_fails(void **state)
{
	unsigned nodes = world_count();

	(void)state;
	world.fail = -ENOSPC;
	assert_int_equal(attach("root"), EXIT_FAILED);
	says("No space left on device");
	assert_int_equal(world_count(), nodes);
	assert_false(world.in_transaction);
}

/* Somebody writes while the transaction is open, which xenstored then refuses. */
static void a_real_conflict(void **state)
{
	(void)state;
	world.meddle = "/local/domain/5/data/x";
	assert_int_equal(attach("root"), 0);
	assert_int_equal(world.begun, 2);
	is("/local/domain/5/data/x", "");
	is(FRONT "/state", "1");
}

/* And what they write is this device. */
static void a_race_for_the_device(void **state)
{
	(void)state;
	world.meddle = COPY;
	assert_int_equal(attach("root"), EXIT_FAILED);
	says("root: somebody attached the device at the same moment");
	is(COPY, "");
	assert_null(world_read(FRONT));
	assert_null(world_read("/local/domain/2/backend"));
}

/* Between the look and the transaction. */
static void a_toolstack_was_faster(void **state)
{
	static struct plan plan;
	static struct policy policy = {
		.name = "x", .class = POLICY_BLK, .device = "xvda"};
	const struct plan_input in = {
		.policy = &policy, .back = {2}, .front = {5}, .text = ""};

	(void)state;
	plan_make(&in, &plan);
	world_write(COPY "/backend", "/local/domain/0/backend/vbd/5/51712");
	assert_int_equal(apply_write(&world.tree, &plan), -EEXIST);
	assert_null(world_read(FRONT));
}

/* -- Refusals -------------------------------------------------------------------- */

static void domains_that_are_not_there(void **state)
{
	(void)state;
	files_device("a", "Domain = any\nTag = a\nDevice = xvda", "nobody", "ivi");
	refused("a", "3 a: driver domain: no domain is called \"nobody\"; start it");
	files_device("b", "Domain = any\nTag = a\nDevice = xvda", "drv", "77");
	refused("b", "3 b: client: there is no domain 77");
	world.domain[2].is.dying = true; /* ivi */
	refused("root", "root: client: no domain is called \"ivi\"");
	options.target.client = "5";
	refused("root", "root: client: domain 5 is being destroyed");
	world.domain[2].is.dying = false;
	world.domain[2].is.shutdown = true;
	refused("root", "root: client: domain 5 has shut down");
	world.domain[2].is.shutdown = false;
	world.domain[2].introduced = false;
	refused("root", "root: client: domain 5 has no xenstore yet");
	says("init-dom0less");
}

static void kept_apart_by_silo(void **state)
{
	(void)state;
	files_device("a", "Domain = any\nTag = a\nDevice = xvda", "drv", "ivi");
	assert_int_equal(attach("a"), 0);
	assert_false(world_said("SILO"));
	world.silo = true;
	files_device("b", "Domain = any\nTag = b\nDevice = xvdb", "drv", "ivi");
	assert_int_equal(attach("b"), 0);
	says("b: this Xen seems to run XSM SILO");
}

static void roles(void **state)
{
	(void)state;
	files_device("a", "Domain = any\nTag = a\nDevice = xvda", "drv", "2");
	refused("a", "a: domain 2 is named as driver domain and as client");
	files_device("b", "Domain = any\nTag = a\nDevice = xvda", "drv", "0");
	refused("b", "b: client: domain 0 is the control domain");
	files_device("c", "Domain = any\nTag = a\nDevice = xvda", "Domain-0", "ivi");
	refused("c", "c: driver domain: domain 0 is privileged");
	options.check.privileged_backend = true;
	assert_int_equal(attach("c"), 0);
}

static void another_number(void **state)
{
	(void)state;
	files_device("a", "Domain = 9\nDevice = xvda", "drv", "ivi");
	refused("a", "3 a.policy:6: its client is domain 9, this one is domain 5");
}

static void a_virtio_device(void **state)
{
	(void)state;
	files_write("v.policy", "Format = 1\n[Backend]\nClass = blk\nDoor = virtio\n"
				"Resource = /dev/null\n[Client]\nDomain = 5\n"
				"Device = xvda\n" FILES_TAIL);
	files_write("v.attach", "Format = 1\n[Attach]\nBackend = drv\nClient = ivi\n");
	world.domain[2].is.grant_frames = 2;
	refused("v", "v.policy: RingPages and PoolPages are 1025, and domain 5 can "
		     "grant 1016 pages");
	world.domain[2].is.grant_frames = 64;
	assert_int_equal(attach("v"), 0);
	says("5 v: vmsg_blk xvda of ivi (5) is now attached to drv (2), tag v");
	is("/local/domain/2/backend/vmsg_blk/5/51712/params", "v");
	is("/local/domain/5/device/vmsg_blk/51712/state", "1");
	assert_int_equal(attach("v"), 0);
	says("5 v: vmsg_blk xvda of ivi (5) is already attached to drv (2)");
	assert_int_equal(attach("root"), 0); /* the same device by another door */
	is("/local/domain/5/device/vbd/51712/state", "1");
}

static void grants(void **state)
{
	(void)state;
	world.domain[2].is.grant_frames = 1;
	world.domain[2].is.grant_version = 2;
	refused("root",
		"root.policy: RingPages and DataPages are 353, and domain 5 can "
		"grant 248 pages");
	world.domain[2].is.grant_version = 1;
	files_write("r.policy",
		    FILES_HEAD "[Client]\nDomain = 5\nDevice = xvda\n[Memory]\n"
			       "GrantRefs = 600-700\n" FILES_TAIL);
	files_write("r.attach", "Format = 1\n[Attach]\nBackend = drv\nClient = ivi\n");
	refused("r", "r.policy:9: GrantRefs begins at 600, and the last reference of "
		     "domain 5 is 511");
	assert_int_equal(attach("root"), 0);
	says("4 root.policy: GrantRefs ends at 32767 (the default), and the last");
}

static void more_references_than_are_allowed(void **state)
{
	(void)state;
	world.domain[2].is.grant_frames = 128;
	assert_int_equal(attach("root"), 0);
	says("4 root.policy: domain 5 may use references up to 65535");
	says("say GrantRefs = 8-65535");
}

/* A domain that was started without a toolstack may write its own name. */
static void forged_names(void **state)
{
	(void)state;
	world_dom0less_domain(9);
	world_write("/local/domain/9/name", "ivi");
	assert_int_equal(attach("root"), 0);
	is(FRONT "/state", "1"); /* of the real one, though 9 is younger */
	world_write("/local/domain/9/name", "gone");
	options.target.client = "gone";
	refused("root", "root: client: a domain calls itself \"gone\", but");
	world_write("/local/domain/9/name", "dom0less-7");
	options.target.client = "dom0less-7";
	refused("root", "a domain calls itself \"dom0less-7\"");
}

static void the_youngest_of_one_name(void **state)
{
	(void)state;
	world_xl_domain(6, "ivi");
	assert_int_equal(attach("root"), 0);
	assert_null(world_read(FRONT));
	is("/local/domain/6/device/vbd/51712/state", "1");
}

static void a_toolstacks_device(void **state)
{
	(void)state;
	world_write(COPY "/backend", BACK);
	world_write(BACK "/state", "4");
	world_write(FRONT "/state", "4");
	refused("root", "root: device xvda of domain 5 is a toolstack's already");
	assert_int_equal(detach("root"), EXIT_FAILED);
	says("was attached by a toolstack");
}

static void ours_but_different(void **state)
{
	(void)state;
	assert_int_equal(attach("root"), 0);
	files_device("root", "Domain = any\nTag = new\nDevice = xvda", "drv", "ivi");
	refused("root", "is attached with another tag; xdd-attach detach it first");
	files_device("root", "Domain = any\nTag = ivi_root\nDevice = xvda", "drv",
		     "ivi");
	world_xl_domain(3, "drv2");
	options.target.backend = "drv2";
	refused("root", "is served by another driver domain");
	options.target.backend = NULL;
	world_write(BACK "/online", "0");
	refused("root", "is being detached; wait");
}

static void a_tag_twice(void **state)
{
	(void)state;
	assert_int_equal(attach("root"), 0);
	world_xl_domain(6, "two");
	options.target.client = "two";
	refused("root",
		"root: the driver domain serves tag \"ivi_root\" as device xvda "
		"to domain 5");
	world_destroy(5, true); /* its directory at the back end is left */
	assert_int_equal(attach("root"), 0);
}

static void by_hand(void **state)
{
	(void)state;
	world_write(FRONT "/backend", "/local/domain/9/backend/vbd/5/51712");
	world_write("/local/domain/9/backend/vbd/5/51712/state", "4");
	refused("root", "is there, written by hand");
	options.force = true;
	assert_int_equal(detach("root"), 0);
	options.force = false;
	assert_int_equal(attach("root"), 0);
}

/* The driver domain was started anew: a new number, the other half is gone. */
static void the_back_end_is_gone(void **state)
{
	(void)state;
	assert_int_equal(attach("root"), 0);
	world_destroy(2, false);
	world_xl_domain(3, "drv");
	assert_int_equal(attach("root"), 0);
	says("one half of the device is gone");
	is(FRONT "/backend", "/local/domain/3/backend/vbd/5/51712");
	assert_null(world_read(BACK)); /* of a domain that is no more */
	assert_true(world.now >= ATTACH_PAUSE_NS);
}

/* -- Files that are wrong --------------------------------------------------------- */

static void wrong_files(void **state)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
		{"a.attach", "Format = 2\n[Attach]\nBackend = drv\nClient = ivi\n"},
		{"b.attach", "[Attach]\nBackend = drv\nClient = ivi\n"},
		{"c.attach", "Format = 1\n[Attach]\nBackend = drv\n"},
		{"d.attach", "Format = 1\n[Attach]\nBackend = drv\nClient = a b\n"},
		{"e.attach", "Format = 1\n[Else]\nBackend = drv\nClient = ivi\n"},
		{"f.attach",
		 "Format = 1\n[Attach]\nBackend = drv\nClient = ivi\nX = y\n"},
		{"g.attach", "Format = 1\nBackend = drv\n[Attach]\nBackend = drv\n"
			     "Client = ivi\n"},
		{"h.attach", "Format = 1\n[Attach]\nBackend = drv\nClient = ivi\n"
			     "[Attach]\n"},
		{"i.attach", "Format = 1\n[Attach]\nBackend = drv\nClient = ivi\n"
			     "Policy = x\n"},
		{"j.attach", "Format = 1\nFormat = 1\n[Attach]\nBackend = drv\n"
			     "Client = ivi\n"},
		{"k.attach",
		 "Format = 1\n[Attach]\nBackend = drv\nClient = ivi\nrubbish\n"},
		{"l.policy", "Format = 1\n"},
	};
	unsigned nodes = world_count();

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char name[2] = {cases[i].name[0], '\0'};

		files_device(name, "Domain = any\nTag = t\nDevice = xvda", "drv",
			     "ivi");
		files_write(cases[i].name, cases[i].text);
		if (attach(name) != EXIT_COMMAND)
			fail_msg("%s was accepted", cases[i].name);
	}
	assert_int_equal(attach("No-Name"), EXIT_COMMAND);
	assert_int_equal(attach("missing"), EXIT_COMMAND);
	assert_int_equal(world_count(), nodes);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(attaches),
		TEST(between_dom0less_domains),
		TEST(twice),
		TEST(by_path_and_options),
		TEST(option_overrides_file),
		TEST(policy_elsewhere),
		TEST(tries_again),
		TEST(gives_up),
		TEST(a_write_fails),
		TEST(a_real_conflict),
		TEST(a_race_for_the_device),
		TEST(a_toolstack_was_faster),
		TEST(domains_that_are_not_there),
		TEST(kept_apart_by_silo),
		TEST(roles),
		TEST(another_number),
		TEST(a_virtio_device),
		TEST(grants),
		TEST(more_references_than_are_allowed),
		TEST(forged_names),
		TEST(the_youngest_of_one_name),
		TEST(a_toolstacks_device),
		TEST(ours_but_different),
		TEST(a_tag_twice),
		TEST(by_hand),
		TEST(the_back_end_is_gone),
		TEST(wrong_files),
	};

	return cmocka_run_group_tests(tests, scene_begin, scene_end);
}
