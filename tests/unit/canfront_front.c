/* SPDX-License-Identifier: MIT */
/* xdd-canfront whole, in a world of the test's (canfront-world.h): how it connects, how
 * it ends, and a back end that means harm. Frames: canfront_traffic.c. */
#include "program.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>

#include "tests/unit/canfront-world.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct front_counters *counters(void)
{
	return &world.front.traffic.n;
}

static int down(void **state)
{
	(void)state;
	world_stop();
	return 0;
}

static int up(void **state)
{
	(void)state;
	world_up("0 vcan0");
	return 0;
}

static int up_auto(void **state)
{
	(void)state;
	world_up("--ring-pages auto 0 vcan0");
	return 0;
}

static void back_is(const char *state)
{
	world_write(WORLD_BACK, "state", state);
	world_run(0);
}

static unsigned starts(void)
{
	struct canif_request rq;
	unsigned n = 0;

	for (; world_take(&rq); n++) {
		assert_int_equal(rq.op, CANIF_START);
		world_answer(&rq, CAN_OK);
	}
	world_push();
	return n;
}

/* -- Connecting ------------------------------------------------------------ */

/* Or its frames could overtake each other on a virtual interface. */
static void stays_on_one_processor(void **state)
{
	cpu_set_t cpus;

	(void)state;
	memset(&cpus, 0xff, sizeof(cpus));
	assert_int_equal(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
	assert_true(world_start("0 vcan0"));
	assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	assert_int_equal(CPU_COUNT(&cpus), 1);
}

static void each_comes_when_it_likes(void **state)
{
	(void)state;
	assert_true(world_start("0 vcan0"));
	world_run(1000);
	assert_int_equal(world.front.life.phase, FRONT_ABSENT);
	assert_int_equal(world.ports, 0);
	world_attach("1");
	world_run(100);
	assert_int_equal(world.front.life.phase, FRONT_WAITING);
	back_is("2");
	assert_string_equal(world_read(WORLD_FRONT, "ring-page-order"), "1");
	assert_string_equal(world_read(WORLD_FRONT, "late-ack"), "0");
	world_connect();
	world_run(0);
	assert_string_equal(world_read(WORLD_FRONT, "state"), "4");
	assert_int_equal(world.connections, 2); /* one was to see whether it may */
}

static void as_many_pages_as_there_may_be(void **state)
{
	static const struct {
		const char *line, *most, *order;
	} rows[] = {
		{"--ring-pages 8 0 vcan0", "3", "3"},
		{"--ring-pages 8 0 vcan0", "1", "1"},
		{"--ring-pages 1 0 vcan0", "3", "0"},
		{"--ring-pages auto 0:vcan0", "2", "2"},
		{"--ring-pages auto 0 vcan0", "99", "3"},
		{"0 vcan0", "0", "0"},
		{"0 vcan0", "junk", "0"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		assert_true(world_start(rows[i].line));
		world_attach("1");
		world_write(WORLD_BACK, "max-ring-page-order", rows[i].most);
		back_is("2");
		assert_string_equal(world_read(WORLD_FRONT, "ring-page-order"),
				    rows[i].order);
		world_connect();
		world_run(0);
		assert_true(world.front.traffic.connected);
		if (!strcmp(rows[i].order, "0"))
			assert_string_equal(world_read(WORLD_FRONT, "tx-ring-ref"),
					    "100");
		if (i + 1 < COUNT(rows))
			world_stop();
	}
}

static void late_ack_if_both_want(void **state)
{
	(void)state;
	assert_true(world_start("--late-ack 0 vcan0"));
	world_attach("2");
	world_run(0);
	assert_string_equal(world_read(WORLD_FRONT, "late-ack"), "1");
	world_stop();
	assert_true(world_start("--late-ack 0 vcan0"));
	world_attach("1");
	world_write(WORLD_BACK, "feature-late-ack", NULL);
	back_is("2");
	assert_string_equal(world_read(WORLD_FRONT, "late-ack"), "0");
}

static void only_back_ends_that_are_allowed(void **state)
{
	(void)state;
	assert_true(world_start("--backends 3,5-7 0 vcan0"));
	world_attach("2");
	world_run(5000);
	assert_int_equal(world.ports, 0);
	assert_string_equal(world_read(WORLD_FRONT, "state"), "1");
	assert_non_null(strstr(world.front.said, "--backends does not allow"));
}

/* What a hostile toolstack, or a back end, may write. */
static void keys_that_are_not_what_they_should_be(void **state)
{
	static char huge[290];
	static const struct {
		const char *dir, *key, *value;
	} rows[] = {
		{WORLD_FRONT, "backend", ""},
		{WORLD_FRONT, "backend", "backend/vcan/2/0"},
		{WORLD_FRONT, "backend", huge},
		{WORLD_FRONT, "backend-id", NULL},
		{WORLD_FRONT, "backend-id", "-1"},
		{WORLD_FRONT, "backend-id", "32752"},
		{WORLD_BACK, "versions", NULL},
		{WORLD_BACK, "versions", "10,2"},
		{WORLD_BACK, "versions", huge},
		{WORLD_BACK, "state", "02"},
		{WORLD_BACK, "state", huge},
	};

	(void)state;
	memset(huge, '/', sizeof(huge) - 1);
	for (unsigned i = 0; i < COUNT(rows); i++) {
		assert_true(world_start("0 vcan0"));
		world_attach("2");
		world_write(rows[i].dir, rows[i].key, rows[i].value);
		world_run(3000);
		if (world.ports)
			fail_msg("%s = %s", rows[i].key, rows[i].value);
		/* and it heals */
		world_remove(WORLD_FRONT);
		world_attach("2");
		world_run(40000);
		assert_int_equal(world.ports, 1);
		if (i + 1 < COUNT(rows))
			world_stop();
	}
}

static void versions_in_a_list(void **state)
{
	(void)state;
	assert_true(world_start("0 vcan0"));
	world_attach("1");
	world_write(WORLD_BACK, "versions", "3, 2,1");
	back_is("2");
	assert_int_equal(world.ports, 1);
}

static void xenstore_comes_late_and_goes(void **state)
{
	struct canif_request rq;

	(void)state;
	assert_true(world_start("0 vcan0"));
	close(world.store);
	world.store = -1;
	front_store_close(&world.front.store);
	world.store_errno = -EAGAIN;
	world_run(2000);
	assert_non_null(strstr(world.front.said, "started before it"));
	world.store_errno = 0;
	world_attach("2");
	world_run(1000);
	world_connect();
	world_run(0);
	assert_true(world.front.traffic.connected);
	/* It dies: what is served is served on. */
	close(world.store);
	world.store = -1;
	world.store_errno = -ECONNREFUSED;
	world_run(5000);
	assert_true(world.front.traffic.connected);
	world_send(0x123, 0, 1);
	world_run(0);
	assert_true(world_take(&rq) && rq.op == CANIF_START);
	assert_true(world_take(&rq) && rq.frame.can_id == 0x123);
	/* And what happened meanwhile is seen when it is there again. */
	world_write(WORLD_BACK, "state", "5");
	world.store_errno = 0;
	world_run(3000);
	assert_false(world.front.traffic.connected);
	assert_string_equal(world_read(WORLD_FRONT, "state"), "6");
}

static void a_mute_xenstored_is_left(void **state)
{
	unsigned before;

	(void)state;
	before = world.connections;
	world.store_mute = true;
	world_write(WORLD_BACK, "state", "4");
	world_run(30000);
	assert_in_range(world.connections, before + 1, before + 4);
	assert_true(world.front.traffic.connected);
	world.store_mute = false;
	world_run(15000);
	back_is("6");
	assert_false(world.front.traffic.connected);
}

/* The device moves to other back ends, again and again: watches do not pile up (the
 * world counts them). */
static void other_back_ends(void **state)
{
	char back[64];

	(void)state;
	assert_true(world_start("0 vcan0"));
	for (unsigned i = 0; i < 20; i++) {
		snprintf(back, sizeof(back), "/local/domain/1/backend/vcan/2/%u", i);
		world_write(back, "state", "2");
		world_write(back, "versions", "1");
		world_write(WORLD_FRONT, "backend-id", "1");
		world_write(WORLD_FRONT, "state", "1");
		world_write(WORLD_FRONT, "backend", back);
		world_run(200);
		assert_int_equal(world.ports, 1);
		world_write(back, "state", "4");
		world_run(200);
		assert_int_equal(world.front.life.phase, FRONT_CONNECTED);
		world_remove(WORLD_FRONT);
		world_remove(back);
		world_run(200);
		assert_int_equal(world.ports, 0);
		/* Restored, we would have granted nothing of it: each has its own. */
		assert_int_equal(world.granted, (i + 1) * 2 * world.pages);
	}
}

/* -- Ends ------------------------------------------------------------------ */

static void the_back_end_goes_and_comes(void **state)
{
	(void)state;
	back_is("5");
	assert_string_equal(world_read(WORLD_FRONT, "state"), "6");
	assert_int_equal(world.ports, 0);
	back_is("6");
	assert_string_equal(world_read(WORLD_FRONT, "state"), "6");
	world_run(1000);
	assert_string_equal(world_read(WORLD_FRONT, "state"), "1");
	world_send(0x123, 0, 0);
	world_run(0);
	assert_int_equal(counters()->idle, 1); /* nobody is there */
	back_is("2");
	world_connect();
	world_run(0);
	assert_int_equal(starts(), 1);
}

/* Whatever it does, and whatever it says of its rings: it is granted pages once for
 * each size, and no more. */
static void a_back_end_that_never_lets_go(void **state)
{
	static const char *const orders[] = {"1", "0", "3", "2", "3", "0", "1", "3"};

	(void)state;
	for (unsigned i = 0; i < 24; i++) {
		world_write(WORLD_BACK, "max-ring-page-order", orders[i % 8]);
		back_is("6");
		world_run(33000);
		back_is("2");
		world_connect();
		world_run(0);
		assert_true(world.front.traffic.connected);
	}
	assert_int_equal(world.granted, 2 * 8); /* world_up() had the most at once */
}

/* Frames that cannot be, from a back end that means harm. */
static void a_hostile_back_end(void **state)
{
	static const struct {
		uint32_t id;
		uint16_t flags, length;
	} rows[] = {
		{0x800, 0, 0},
		{0x123, 0, 9},
		{0x123, 4, 65},
		{0x123, 0, 2048},
		{0x123, 6, 8},
		{0x20000000, 1, 8},
		{0x123, XENCAN_FRAME_OWN, 8},
		{0x123, 0x100, 8},
	};
	struct canfd_frame got;

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct xencan_rx_rsp rsp = {
			.u.frame = {rows[i].id, rows[i].flags, rows[i].length, {0}}};
		uint8_t entry[XENCAN_ENTRY] = {0};
		uint32_t n;

		memcpy(entry, &rsp, sizeof(rsp));
		pv_ring_posted(&world.rx, &n);
		pv_ring_fill(&world.rx, entry);
		world_push();
		world_run(0);
		assert_string_equal(world_read(WORLD_FRONT, "state"), "6");
		assert_int_equal(world.ports, 0);
		assert_false(world_receive(&got));
		back_is("6");
		assert_string_equal(world_read(WORLD_FRONT, "state"),
				    "6"); /* it waits */
		world_run(33000);
		assert_string_equal(world_read(WORLD_FRONT, "state"), "1");
		back_is("2");
		world_connect();
		world_run(0);
		assert_int_equal(starts(), 1);
	}
}

/* A back end's index runs, whatever it says in xenstore. */
static void hostile_indices(void **state)
{
	(void)state;
	for (unsigned ring = 0; ring < 2; ring++) {
		memset((uint8_t *)world.page[ring] + 8, 0xff, 4);
		(void)!send(world.event[1], "", 1, MSG_DONTWAIT);
		world_run(0);
		assert_int_equal(world.ports, 0);
		back_is("6");
		world_run(33000);
		back_is("2");
		world_connect();
		world_run(0);
		assert_int_equal(starts(), 1);
	}
}

static void no_page_to_grant(void **state)
{
	(void)state;
	assert_true(world_start("0 vcan0"));
	world.xen_errno = -ENOSPC;
	world_attach("2");
	world_run(1500);
	assert_string_equal(world_read(WORLD_FRONT, "state"), "1");
	world.xen_errno = 0;
	world_run(10000);
	assert_string_equal(world_read(WORLD_FRONT, "state"), "3");
}

static void ends_in_order(void **state)
{
	struct canif_request rq;

	(void)state;
	front_end(&world.front, world.now);
	world_run(0);
	assert_true(world_take(&rq) && rq.op == CANIF_STOP);
	assert_string_equal(world_read(WORLD_FRONT, "state"), "4");
	world_answer(&rq, CAN_OK);
	world_push();
	world_run(0);
	assert_string_equal(world_read(WORLD_FRONT, "state"), "5");
	assert_int_equal(world.ports, 1);
	back_is("5");
	assert_string_equal(world_read(WORLD_FRONT, "state"), "6");
	assert_int_equal(world.ports, 1); /* it may still be mapped */
	back_is("6");
	assert_int_equal(world.ports, 0);
	assert_true(front_ended(&world.front));
}

static void ends_without_an_answer(void **state)
{
	(void)state;
	front_end(&world.front, world.now);
	world_run(900);
	assert_string_equal(world_read(WORLD_FRONT, "state"), "4");
	world_run(200);
	assert_string_equal(world_read(WORLD_FRONT, "state"), "5");
	world_run(3000);
	assert_string_equal(world_read(WORLD_FRONT, "state"), "6");
	assert_int_equal(world.ports, 0);
	assert_true(front_ended(&world.front));
}

static void an_event_channel_that_fails(void **state)
{
	(void)state;
	world.evtchn_fails = true;
	(void)!send(world.event[1], "", 1, MSG_DONTWAIT);
	world_run(0);
	assert_true(front_ended(&world.front) && world.front.failed);
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, NULL, down)
#define UP(test)    cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ALONE(stays_on_one_processor),
		ALONE(each_comes_when_it_likes),
		ALONE(as_many_pages_as_there_may_be),
		ALONE(late_ack_if_both_want),
		ALONE(only_back_ends_that_are_allowed),
		ALONE(keys_that_are_not_what_they_should_be),
		ALONE(versions_in_a_list),
		ALONE(xenstore_comes_late_and_goes),
		UP(a_mute_xenstored_is_left),
		ALONE(other_back_ends),
		UP(the_back_end_goes_and_comes),
		cmocka_unit_test_setup_teardown(a_back_end_that_never_lets_go, up_auto,
						down),
		UP(a_hostile_back_end),
		UP(hostile_indices),
		ALONE(no_page_to_grant),
		UP(ends_in_order),
		UP(ends_without_an_answer),
		UP(an_event_channel_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
