/* SPDX-License-Identifier: MIT */
/*
 * The life of a device against a scripted store: which states are written, in
 * which order, and when the owner is asked to connect, detach and remove.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "xenbus/life.h"

/* What the life asked for, as letters: o offer, c connect, a attach, d detach,
 * r remove, and digits for states written. */
static char asked[64];
static int connect_result;
static bool queue_full;
static int offer_result;
static bool detach_at_once;
static struct life life;
static struct store_status st;

static void note(char c)
{
	size_t n = strlen(asked);

	assert_true(n < sizeof(asked) - 1);
	asked[n] = c;
	asked[n + 1] = '\0';
}

static int on_offer(struct life *l)
{
	(void)l;
	note('o');
	return offer_result;
}

static int on_connect(struct life *l, bool attach)
{
	(void)l;
	note(attach ? 'a' : 'c');
	return connect_result;
}

static void on_detach(struct life *l)
{
	note('d');
	if (detach_at_once)
		assert_int_equal(life_detached(l), 0);
}

static int on_set_state(struct life *l, enum store_state state)
{
	(void)l;
	if (queue_full)
		return -EAGAIN;
	note((char)('0' + (int)state));
	st.back = state;
	return 0;
}

static int on_remove(struct life *l)
{
	(void)l;
	if (queue_full)
		return -EAGAIN;
	note('r');
	return 0;
}

static const struct life_ops ops = {
	.offer = on_offer,
	.connect = on_connect,
	.detach = on_detach,
	.set_state = on_set_state,
	.remove = on_remove,
};

static int set_up(void **state)
{
	(void)state;
	asked[0] = '\0';
	connect_result = 0;
	offer_result = 0;
	queue_full = false;
	detach_at_once = true;
	st = (struct store_status){
		.present = true,
		.online = true,
		.generation = 1,
		.frontend = {3},
		.device = 51712,
		.front = STORE_INITIALISING,
		.back = STORE_INITIALISING,
	};
	life_init(&life, &ops);
	return 0;
}

/* The store now says @front; the life should ask for @want, end in @end. */
static void front(enum store_state state, const char *want, enum life_state end)
{
	asked[0] = '\0';
	st.front = state;
	assert_int_equal(life_update(&life, &st), 0);
	assert_string_equal(asked, want);
	assert_int_equal(life.state, end);
}

/* Time passes: nothing is asked for but what @want says, in the last tick. */
static void ticks(const char *want)
{
	for (int i = 0; i < LIFE_REMOVE_TICKS - 1; i++) {
		asked[0] = '\0';
		assert_int_equal(life_tick(&life), 0);
		assert_string_equal(asked, "");
	}
	assert_int_equal(life_tick(&life), 0);
	assert_string_equal(asked, want);
	for (int i = 0; i < 5; i++)
		assert_int_equal(life_tick(&life), 0);
	assert_string_equal(asked, want);
}

static void connected(void)
{
	front(STORE_INITIALISING, "o2", LIFE_WAITING);
	front(STORE_INITIALISED, "c4", LIFE_CONNECTED);
	front(STORE_CONNECTED, "", LIFE_CONNECTED);
}

static void online_device_is_never_removed(void **state)
{
	(void)state;
	ticks("");
	connected();
	ticks("");
	front(STORE_CLOSED, "d6", LIFE_CLOSED);
	ticks("");
}

static void ordinary_life(void **state)
{
	(void)state;
	connected();
	front(STORE_CLOSING, "5", LIFE_CONNECTED);
	front(STORE_CLOSED, "d6", LIFE_CLOSED);
}

static void init_wait_stays_until_the_client_acts(void **state)
{
	(void)state;
	front(STORE_INITIALISING, "o2", LIFE_WAITING);
	for (int i = 0; i < 5; i++)
		front(STORE_INITIALISING, "", LIFE_WAITING);
	front(STORE_UNKNOWN, "", LIFE_WAITING);
}

static void driver_reloaded(void **state)
{
	(void)state;
	connected();
	front(STORE_CLOSED, "d6", LIFE_CLOSED);
	front(STORE_INITIALISING, "o2", LIFE_WAITING);
	front(STORE_INITIALISED, "c4", LIFE_CONNECTED);
}

static void removal_deletes_the_directory_once(void **state)
{
	(void)state;
	connected();
	st.online = false;
	front(STORE_CONNECTED, "", LIFE_CONNECTED);
	front(STORE_CLOSING, "5", LIFE_CONNECTED);
	front(STORE_CLOSED, "d6", LIFE_CLOSED);
	ticks("r");
	front(STORE_CLOSED, "", LIFE_CLOSED);
	st.present = false;
	front(STORE_UNKNOWN, "", LIFE_ABSENT);
}

static void removal_before_any_client(void **state)
{
	(void)state;
	front(STORE_INITIALISING, "o2", LIFE_WAITING);
	st.online = false;
	front(STORE_INITIALISING, "6", LIFE_CLOSED);
	ticks("r");
}

static void client_destroyed(void **state)
{
	(void)state;
	connected();
	st.online = false;
	front(STORE_UNKNOWN, "d6", LIFE_CLOSED);
	ticks("r");
}

static void found_offline(void **state)
{
	(void)state;
	st.online = false;
	st.back = STORE_CLOSING;
	front(STORE_UNKNOWN, "6", LIFE_CLOSED);
	ticks("r");
}

static void new_domid_replaces_the_old_one(void **state)
{
	(void)state;
	connected();
	st.generation = 2;
	st.back = STORE_INITIALISING;
	st.frontend = (struct domid){4};
	front(STORE_INITIALISING, "do2", LIFE_WAITING);
	front(STORE_INITIALISED, "c4", LIFE_CONNECTED);
}

static void directory_vanishes(void **state)
{
	(void)state;
	connected();
	st.present = false;
	front(STORE_UNKNOWN, "d", LIFE_ABSENT);
}

/* [utest->req~what-lives-is-attached-to~1] */
static void planned_restart_walks_no_state_back(void **state)
{
	(void)state;
	connected();
	detach_at_once = false;
	asked[0] = '\0';
	assert_false(life_stop(&life));
	assert_string_equal(asked, "d");
	assert_int_equal(life_detached(&life), 0);
	assert_string_equal(asked, "d");
	assert_int_equal(life.state, LIFE_ABSENT);
	/* The next process finds both sides connected, and attaches. */
	life_init(&life, &ops);
	front(STORE_CONNECTED, "a", LIFE_CONNECTED);
}

static void started_between_the_clients_steps(void **state)
{
	(void)state;
	/* Our predecessor wrote InitWait and died; the client went on. */
	st.back = STORE_INIT_WAIT;
	front(STORE_INITIALISED, "oc4", LIFE_CONNECTED);
}

static void client_that_cannot_be_connected(void **state)
{
	(void)state;
	connect_result = 1;
	front(STORE_INITIALISING, "o2", LIFE_WAITING);
	front(STORE_INITIALISED, "c56", LIFE_FAILED);
	front(STORE_INITIALISED, "", LIFE_FAILED);
	front(STORE_CLOSED, "", LIFE_FAILED);
	connect_result = 0;
	front(STORE_INITIALISING, "o2", LIFE_WAITING);
}

static void connect_asks_again(void **state)
{
	(void)state;
	front(STORE_INITIALISING, "o2", LIFE_WAITING);
	connect_result = -EAGAIN;
	front(STORE_INITIALISED, "c", LIFE_WAITING);
	connect_result = 0;
	front(STORE_INITIALISED, "c4", LIFE_CONNECTED);
}

static void our_own_trouble_goes_up(void **state)
{
	(void)state;
	front(STORE_INITIALISING, "o2", LIFE_WAITING);
	connect_result = -EPIPE;
	st.front = STORE_INITIALISED;
	assert_int_equal(life_update(&life, &st), -EPIPE);
}

/* [utest->req~who-breaks-loses-its-device~1] */
static void broken_ring_fails_the_device(void **state)
{
	(void)state;
	connected();
	detach_at_once = false;
	asked[0] = '\0';
	assert_int_equal(life_fail(&life), 0);
	assert_string_equal(asked, "5d");
	assert_int_equal(life_detached(&life), 0);
	assert_string_equal(asked, "5d6");
	assert_int_equal(life.state, LIFE_FAILED);
	front(STORE_CONNECTED, "", LIFE_FAILED);
}

static void revoked_then_allowed_again(void **state)
{
	(void)state;
	connected();
	st.release = true;
	front(STORE_CONNECTED, "d", LIFE_ABSENT);
	front(STORE_CONNECTED, "", LIFE_ABSENT);
	st.release = false;
	front(STORE_CONNECTED, "a", LIFE_CONNECTED);
}

static void full_queue_loses_no_state(void **state)
{
	(void)state;
	offer_result = -EAGAIN;
	front(STORE_INITIALISING, "o", LIFE_ABSENT);
	offer_result = 0;
	queue_full = true;
	front(STORE_INITIALISING, "o", LIFE_WAITING);
	front(STORE_INITIALISING, "", LIFE_WAITING);
	queue_full = false;
	front(STORE_INITIALISING, "2", LIFE_WAITING);
	queue_full = true;
	front(STORE_INITIALISED, "c", LIFE_CONNECTED);
	queue_full = false;
	front(STORE_INITIALISED, "4", LIFE_CONNECTED);
	queue_full = true;
	st.online = false;
	front(STORE_CLOSED, "d", LIFE_CLOSED);
	ticks("");
	queue_full = false;
	front(STORE_CLOSED, "6", LIFE_CLOSED);
	queue_full = true;
	ticks("");
	queue_full = false;
	assert_int_equal(life_tick(&life), 0);
	assert_string_equal(asked, "r");
}

/* Connected is said once more, and tried until the queue takes it; in no other
 * state, nor while the client is closing. */
static void connected_is_repeated(void **state)
{
	(void)state;
	assert_int_equal(life_repeat(&life), 0);
	front(STORE_INITIALISING, "o2", LIFE_WAITING);
	assert_int_equal(life_repeat(&life), 0);
	assert_string_equal(asked, "o2");
	front(STORE_INITIALISED, "c4", LIFE_CONNECTED);
	asked[0] = '\0';
	assert_int_equal(life_repeat(&life), 0);
	assert_string_equal(asked, "4");
	front(STORE_CONNECTED, "", LIFE_CONNECTED);
	queue_full = true;
	assert_int_equal(life_repeat(&life), 0);
	front(STORE_CONNECTED, "", LIFE_CONNECTED);
	queue_full = false;
	front(STORE_CONNECTED, "4", LIFE_CONNECTED);
	front(STORE_CONNECTED, "", LIFE_CONNECTED);
	front(STORE_CLOSING, "5", LIFE_CONNECTED);
	assert_int_equal(life_repeat(&life), 0);
	assert_string_equal(asked, "5");
}

/* Whatever the client writes, in whatever order: no state outside the table
 * (life.c asserts), connected and detached strictly in turn, and never more
 * than a handful of writes an update. [utest->req~states-come-in-any-order~1] */
static void any_sequence_of_states(void **state)
{
	uint32_t seed = 1;
	int connects = 0, detaches = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		seed = seed * 1664525u + 1013904223u;
		asked[0] = '\0';
		connect_result = (seed >> 8) % 5 == 0 ? 1 : 0;
		st.front = (enum store_state)((seed >> 12) % 9);
		st.online = (seed >> 16) % 8 != 0;
		st.present = (seed >> 20) % 16 != 0;
		if ((seed >> 24) % 32 == 0) {
			st.generation++;
			st.back = STORE_INITIALISING;
		}
		assert_int_equal(life_update(&life, &st), 0);
		assert_true(strlen(asked) <= 8);
		for (const char *c = asked; *c; c++) {
			detaches += *c == 'd';
			if ((*c == 'c' || *c == 'a') && !connect_result)
				connects++;
			assert_in_range(connects - detaches, 0, 1);
		}
	}
	assert_true(connects > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ordinary_life, set_up),
		cmocka_unit_test_setup(online_device_is_never_removed, set_up),
		cmocka_unit_test_setup(init_wait_stays_until_the_client_acts, set_up),
		cmocka_unit_test_setup(driver_reloaded, set_up),
		cmocka_unit_test_setup(removal_deletes_the_directory_once, set_up),
		cmocka_unit_test_setup(removal_before_any_client, set_up),
		cmocka_unit_test_setup(client_destroyed, set_up),
		cmocka_unit_test_setup(found_offline, set_up),
		cmocka_unit_test_setup(new_domid_replaces_the_old_one, set_up),
		cmocka_unit_test_setup(directory_vanishes, set_up),
		cmocka_unit_test_setup(planned_restart_walks_no_state_back, set_up),
		cmocka_unit_test_setup(started_between_the_clients_steps, set_up),
		cmocka_unit_test_setup(client_that_cannot_be_connected, set_up),
		cmocka_unit_test_setup(connect_asks_again, set_up),
		cmocka_unit_test_setup(our_own_trouble_goes_up, set_up),
		cmocka_unit_test_setup(broken_ring_fails_the_device, set_up),
		cmocka_unit_test_setup(revoked_then_allowed_again, set_up),
		cmocka_unit_test_setup(full_queue_loses_no_state, set_up),
		cmocka_unit_test_setup(connected_is_repeated, set_up),
		cmocka_unit_test_setup(any_sequence_of_states, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
