/* SPDX-License-Identifier: MIT */
/*
 * xdd-attach watch, without its process: domains come, go and come back, people
 * meddle, files change, xenstored goes away. Time is the test's.
 */
#include <errno.h>

#include "attach_scene.h"
#include "common/clock.h"
#include "xenbus/cmd/keep.h"

static struct keep keep;
static uint64_t now;

static void load_files(int expected)
{
	assert_int_equal(keep_load(&keep, files_dir), expected);
}

/* No domain is there yet. */
static int empty(void **state)
{
	static const struct check_options none;

	(void)state;
	files_clean();
	world_reset();
	now = 1000 * CLOCK_SECOND;
	keep_init(&keep, &world.machine, &world.say, &none);
	keep.control.tree = &world.tree;
	files_device("root", "Domain = any\nTag = ivi_root\nDevice = xvda", "drv",
		     "ivi");
	return 0;
}

static int done(void **state)
{
	(void)state;
	keep_fini(&keep);
	return 0;
}

/* What a watch does: a turn, because something fired. */
static void event(void)
{
	keep_turn(&keep, now, true);
}

/* Nothing fires; turns come when they were asked for. */
static void pass(uint64_t seconds)
{
	uint64_t end = now + seconds * CLOCK_SECOND, next;

	for (;;) {
		next = keep_turn(&keep, now, false);
		assert_true(next > now);
		if (next > end)
			break;
		now = next;
	}
	now = end;
}

static unsigned lines(void)
{
	unsigned n = 0;

	for (const char *at = world.said; (at = strchr(at, '\n')); at++)
		n++;
	return n;
}

static void count(unsigned all, unsigned attached, unsigned waiting)
{
	unsigned counts[3];

	keep_count(&keep, counts);
	assert_int_equal(counts[0], all);
	assert_int_equal(counts[1], attached);
	assert_int_equal(counts[2], waiting);
}

/* -- They come ------------------------------------------------------------------ */

static void in_any_order(void **state)
{
	(void)state;
	load_files(0);
	event();
	says("5 root: driver domain: no domain is called \"drv\"");
	count(1, 0, 1);
	world_xl_domain(5, "ivi");
	event();
	event();
	assert_int_equal(lines(), 1);
	world_xl_domain(2, "drv");
	event();
	says("5 root: vbd xvda of ivi (5) is now attached to drv (2)");
	is(BACK "/state", "1");
	count(1, 1, 0);
	event();
	pass(600);
	assert_int_equal(lines(), 2);
	assert_int_equal(world.begun, 1);
}

/* A domain without a toolstack is there before its xenstore is. */
static void before_init_dom0less(void **state)
{
	(void)state;
	files_device("root", "Domain = 9\nDevice = xvda", "drv", "9");
	load_files(0);
	world_xl_domain(2, "drv");
	world_dom0less_domain(9);
	world.domain[2].introduced = false;
	event();
	says("root: client: domain 9 has no xenstore yet");
	world.domain[2].introduced = true;
	event();
	is("/local/domain/9/device/vbd/51712/state", "1");
}

/* A domain that only got its name later: nothing fires for that. */
static void a_rename(void **state)
{
	(void)state;
	load_files(0);
	world_xl_domain(2, "drv");
	world_xl_domain(5, "nameless");
	event();
	world_write("/local/domain/5/name", "ivi");
	pass(61);
	is(FRONT "/state", "1");
}

static void we_were_restarted(void **state)
{
	unsigned begun;

	(void)state;
	load_files(0);
	world_xl_domain(2, "drv");
	world_xl_domain(5, "ivi");
	event();
	begun = world.begun;
	keep_fini(&keep);
	load_files(0);
	event();
	says("is already attached");
	assert_int_equal(world.begun, begun);
}

/* -- They go, and come back ------------------------------------------------------ */

static void attached(void)
{
	load_files(0);
	world_xl_domain(2, "drv");
	world_xl_domain(5, "ivi");
	event();
	is(FRONT "/state", "1");
	world_write(BACK "/state", "4");
	world_write(FRONT "/state", "4");
}

static void a_client_reboots(void **state)
{
	(void)state;
	attached();
	world_destroy(5, true);
	event();
	says("root: domain 5 is gone, its back end is asked to let go");
	is(BACK "/online", "0");
	is(BACK "/state", "5");
	world_xl_domain(6, "ivi");
	event();
	is("/local/domain/6/device/vbd/51712/state", "1");
	is("/local/domain/2/backend/vbd/6/51712/frontend-id", "6");
	/* A keeper removes its own; then there is nothing left to do. */
	world_remove("/local/domain/2/backend/vbd/5");
	event();
	pass(100);
	assert_false(world_said("did not let go"));
	count(1, 1, 0);
}

/* Under the number that it had, as its configuration may ask for. */
static void the_same_number_again(void **state)
{
	(void)state;
	attached();
	world_destroy(5, true);
	event();
	world_remove("/local/domain/2/backend/vbd/5");
	world_xl_domain(5, "ivi");
	event();
	is(FRONT "/state", "1");
	is(BACK "/online", "1");
}

/* The driver domain's process is dead, too. */
static void nobody_lets_go(void **state)
{
	(void)state;
	attached();
	world_destroy(5, true);
	event();
	pass(9);
	is(BACK "/online", "0");
	pass(2);
	says("4 root: the back end did not let go of domain 5");
	assert_null(world_read("/local/domain/2/backend/vbd/5"));
	assert_non_null(world_read("/local/domain/2/backend"));
}

/* Without a toolstack nobody removes what a dead domain had: we do, and only what
 * we made. */
static void a_client_without_toolstack(void **state)
{
	(void)state;
	files_device("root", "Domain = 9\nDevice = xvda", "drv", "9");
	load_files(0);
	world_xl_domain(2, "drv");
	world_dom0less_domain(9);
	event();
	world_write("/local/domain/9/data/x", "theirs");
	world_destroy(9, false);
	event();
	assert_null(world_read("/local/domain/9/device/vbd"));
	assert_null(world_read("/libxl/9/device/vbd"));
	is("/local/domain/9/data/x", "theirs");
	is("/libxl/9/type", "pvh");
	is("/local/domain/2/backend/vbd/9/51712/online", "0");
}

/* It went while we were not there. */
static void remains_of_before(void **state)
{
	(void)state;
	attached();
	keep_fini(&keep);
	world_destroy(5, true);
	world_write("/local/domain/2/backend/vbd/7/51712/params", "of a toolstack");
	load_files(0);
	event();
	is(BACK "/online", "0");
	pass(11);
	assert_null(world_read(BACK));
	is("/local/domain/2/backend/vbd/7/51712/params", "of a toolstack");
}

static void the_driver_domain_reboots(void **state)
{
	(void)state;
	attached();
	world_destroy(2, true);
	event();
	count(1, 0, 1);
	is(FRONT "/state", "4"); /* the client's until there is another */
	world_xl_domain(3, "drv");
	event();
	assert_null(world_read(FRONT)); /* it must see it go */
	assert_null(world_read(COPY));
	event();
	pass(3);
	is(FRONT "/backend", "/local/domain/3/backend/vbd/5/51712");
	is(FRONT "/backend-id", "3");
	is(FRONT "/state", "1");
	count(1, 1, 0);
}

/* -- People ----------------------------------------------------------------------- */

static void taken_away_by_hand(void **state)
{
	(void)state;
	attached();
	world_remove(FRONT);
	world_remove(BACK);
	world_remove(COPY);
	event();
	pass(600);
	assert_null(world_read(FRONT));
	says("root: was taken away, and is left so");
	count(1, 0, 0);
	world_destroy(5, true);
	world_xl_domain(6, "ivi");
	event();
	is("/local/domain/6/device/vbd/51712/state", "1");
}

/* An unplug leaves both at Closed. */
static void unplugged(void **state)
{
	unsigned begun;

	(void)state;
	attached();
	world_write(FRONT "/state", "6");
	world_write(BACK "/state", "6");
	begun = world.begun;
	event();
	pass(600);
	assert_int_equal(world.begun, begun);
	is(FRONT "/state", "6");
}

static void one_is_wrong(void **state)
{
	(void)state;
	files_device("bad", "Domain = 77\nDevice = xvdb", "drv", "ivi");
	files_device("worse", "Domain = any\nTag = t\nDevice = xvdc", "drv", "ivi");
	files_write("worse.policy", "Format = 3\n");
	attached();
	says("worse.attach: is wrong, nothing is attached by it");
	says("3 bad.policy:6: its client is domain 77, this one is domain 5");
	count(2, 1, 0);
	pass(600);
	assert_int_equal(lines(), 3);
}

static void mended(void **state)
{
	(void)state;
	world_write(COPY "/backend", "/local/domain/0/backend/vbd/5/51712");
	world_write(FRONT "/state", "4");
	load_files(0);
	world_xl_domain(2, "drv");
	world_xl_domain(5, "ivi");
	event();
	says("is a toolstack's already");
	world_remove(COPY);
	world_remove(FRONT);
	pass(31);
	is(FRONT "/state", "1");
}

static void files_change(void **state)
{
	(void)state;
	attached();
	files_device("two", "Domain = any\nTag = two\nDevice = xvdb", "drv", "ivi");
	files_write("root.attach", "rubbish\n");
	load_files(0);
	says("root.attach: is wrong, what it said before stays in force");
	event();
	is("/local/domain/5/device/vbd/51728/state", "1");
	count(2, 2, 0);
	world_destroy(5, true);
	world_xl_domain(6, "ivi");
	event();
	is("/local/domain/6/device/vbd/51712/state", "1");
	/* A file that is gone is looked after no longer; its device stays. */
	unlink(files_path("two.attach"));
	load_files(0);
	event();
	count(1, 1, 0);
	is("/local/domain/6/device/vbd/51728/state", "1");
}

static void no_directory(void **state)
{
	(void)state;
	assert_int_equal(keep_load(&keep, "/nonexistent"), -ENOENT);
	load_files(0);
	count(1, 0, 0);
	assert_int_equal(keep_load(&keep, "/nonexistent"), -ENOENT);
	count(1, 0, 0); /* what was read stays */
}

/* While xenstored goes away nothing is said of devices, nothing forgotten. */
static void xenstored_goes_away(void **state)
{
	unsigned said;

	(void)state;
	attached();
	said = lines();
	world.tree.dead = true;
	world_remove(FRONT);
	event();
	assert_int_equal(lines(), said);
	world.tree.dead = false;
	world_write(FRONT "/state", "4");
	event();
	assert_int_equal(lines(), said);
	count(1, 1, 0);
}

static void always_late(void **state)
{
	(void)state;
	load_files(0);
	world_xl_domain(2, "drv");
	world_xl_domain(5, "ivi");
	world.conflicts = 40;
	event();
	says("root: nothing written, xenstored says");
	pass(31);
	is(FRONT "/state", "1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, empty, done)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(in_any_order),
		TEST(before_init_dom0less),
		TEST(a_rename),
		TEST(we_were_restarted),
		TEST(a_client_reboots),
		TEST(the_same_number_again),
		TEST(nobody_lets_go),
		TEST(a_client_without_toolstack),
		TEST(remains_of_before),
		TEST(the_driver_domain_reboots),
		TEST(taken_away_by_hand),
		TEST(unplugged),
		TEST(one_is_wrong),
		TEST(mended),
		TEST(files_change),
		TEST(no_directory),
		TEST(xenstored_goes_away),
		TEST(always_late),
	};

	return cmocka_run_group_tests(tests, scene_begin, scene_end);
}
