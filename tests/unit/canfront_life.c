/* SPDX-License-Identifier: MIT */
/* backends/can/cmd/front-life.c before the back end's life (xenbus/life.c), in every
 * state that either may have been left in; and before states that make no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/can/cmd/front-life.h"
#include "xenbus/life.h"

static struct {
	/* xenstore */
	bool present, online;
	uint32_t generation;
	enum store_state own, back;

	struct front_life front;
	bool granted, serving;
	unsigned offers, connects, drops;
	int refuse_offer;
	enum store_state last; /* the front end wrote */

	struct life life;
	bool mapped, back_alive, refuse_connect;
	unsigned stale; /* times that it mapped what was not granted */
	uint64_t now;
} w;

/* -- The front end's side -------------------------------------------------- */

static int front_offer(struct front_life *life)
{
	(void)life;
	assert_false(w.granted);
	if (w.refuse_offer)
		return w.refuse_offer;
	w.granted = true;
	w.offers++;
	return 0;
}

static void front_connected(struct front_life *life)
{
	(void)life;
	assert_true(w.granted && !w.serving);
	w.serving = true;
	w.connects++;
}

static void front_drop(struct front_life *life)
{
	(void)life;
	assert_true(w.granted);
	w.granted = w.serving = false;
	w.drops++;
}

static void front_write(struct front_life *life, enum store_state state)
{
	(void)life;
	assert_true(w.present); /* invariant 3 */
	/* Invariant 2: not to one that may hold what we granted. */
	if (state == STORE_INITIALISING)
		assert_true(!w.mapped && w.back != STORE_CONNECTED &&
			    w.back != STORE_CLOSING);
	w.own = w.last = state;
}

static const struct front_life_ops front_ops = {front_offer, front_connected,
						front_drop, front_write};

/* -- The back end's -------------------------------------------------------- */

static int back_offer(struct life *life)
{
	(void)life;
	return 0;
}

static int back_connect(struct life *life, bool attach)
{
	(void)life;
	(void)attach;
	if (w.refuse_connect)
		return 1;
	if (!w.granted) {
		w.stale++;
		return 1;
	}
	w.mapped = true;
	return 0;
}

static void back_detach(struct life *life)
{
	w.mapped = false;
	life_detached(life);
}

static int back_write(struct life *life, enum store_state state)
{
	(void)life;
	w.back = state;
	return 0;
}

static int back_remove(struct life *life)
{
	(void)life;
	w.present = false;
	return 0;
}

static const struct life_ops back_ops = {back_offer, back_connect, back_detach,
					 back_write, back_remove};

/* -- The world ------------------------------------------------------------- */

static int fresh(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	w.now = CLOCK_SECOND;
	front_life_init(&w.front, &front_ops);
	life_init(&w.life, &back_ops);
	return 0;
}

/* The toolstack makes the device. */
static void attach_device(void)
{
	w.present = w.online = true;
	w.generation++;
	w.own = w.back = STORE_INITIALISING;
}

static void look(void)
{
	struct front_look seen = {
		.present = w.present,
		.allowed = true,
		.online = w.online,
		.backend = 1,
		.generation = w.generation,
		.own = w.own,
		.back = w.back,
	};

	front_life_update(&w.front, &seen, w.now);
	/* Invariant 1. */
	assert_int_equal(w.granted, w.front.phase == FRONT_OFFERED ||
					    w.front.phase == FRONT_CONNECTED ||
					    w.front.phase == FRONT_CLOSING);
	assert_int_equal(w.serving && w.front.phase != FRONT_CLOSING,
			 w.front.phase == FRONT_CONNECTED);
}

static void back_look(void)
{
	struct store_status status = {
		.present = w.present,
		.online = w.online,
		.generation = w.generation,
		.frontend = {2},
		.front = w.own,
		.back = w.back,
	};

	if (w.back_alive)
		assert_int_equal(life_update(&w.life, &status), 0);
}

/* Until nothing moves; with time, half a second a round. */
static void run(unsigned seconds)
{
	for (unsigned i = 0; i < 2 * seconds; i++) {
		for (unsigned k = 0; k < 8; k++) {
			look();
			back_look();
		}
		w.now += CLOCK_SECOND / 2;
		front_life_tick(&w.front, w.now);
		if (w.back_alive && i % 2)
			life_tick(&w.life);
	}
}

static void up(void)
{
	attach_device();
	w.back_alive = true;
	run(2);
	assert_true(w.serving && w.mapped);
	assert_int_equal(w.own, STORE_CONNECTED);
	assert_int_equal(w.back, STORE_CONNECTED);
}

static void any_order(void **state)
{
	for (unsigned order = 0; order < 2; order++) {
		fresh(state);
		run(1);
		assert_int_equal(w.front.phase, FRONT_ABSENT);
		w.back_alive = order;
		run(1);
		attach_device();
		run(2);
		w.back_alive = true;
		run(2);
		assert_true(w.serving);
		assert_int_equal(w.offers, 1);
	}
}

/* Whatever states both sides were left in by whoever died. */
static void any_leftover(void **state)
{
	unsigned n = 0;

	for (unsigned own = 0; own <= STORE_RECONFIGURED; own++) {
		for (unsigned back = 0; back <= STORE_RECONFIGURED; back++) {
			for (unsigned late = 0; late < 2; late++) {
				fresh(state);
				attach_device();
				w.own = own;
				w.back = back;
				w.back_alive = !late;
				run(2);
				w.back_alive = true;
				run(5);
				if (!w.serving || !w.mapped)
					fail_msg("own %u, back %u, late %u: front %u, "
						 "%u/%u",
						 own, back, late, w.front.phase, w.own,
						 w.back);
				n++;
			}
		}
	}
	assert_int_equal(n, 9 * 9 * 2);
}

static void the_back_end_closes_and_comes_back(void **state)
{
	(void)state;
	up();
	life_fail(&w.life); /* Closing, Closed */
	run(3);
	assert_true(w.serving);
	assert_int_equal(w.connects, 2);
	assert_int_equal(w.drops, 1);
}

static void the_back_end_is_restarted(void **state)
{
	(void)state;
	up();
	life_init(&w.life, &back_ops); /* a successor attaches */
	w.back_alive = false;
	run(3);
	w.back_alive = true;
	run(3);
	assert_true(w.serving);
	assert_int_equal(w.connects, 1);
}

static void the_toolstack_takes_it_away(void **state)
{
	(void)state;
	up();
	w.online = false;
	w.back = STORE_CLOSING;
	run(1);
	assert_false(w.serving);
	assert_int_equal(w.own, STORE_CLOSED);
	run(10); /* the back end removes its directory */
	assert_false(w.present);
	assert_int_equal(w.front.phase, FRONT_ABSENT);
	attach_device();
	run(3);
	assert_true(w.serving);
}

/* Gone between two looks, and there again: nothing is written into what is not ours. */
static void gone_at_once(void **state)
{
	(void)state;
	up();
	w.present = false;
	w.mapped = false;
	look();
	assert_false(w.granted);
	assert_int_equal(w.front.phase, FRONT_ABSENT);
	up();
	w.mapped = false;
	life_init(&w.life, &back_ops);
	attach_device();
	run(3);
	assert_true(w.serving);
	assert_int_equal(w.connects, 3);
}

static void another_is_in_our_place(void **state)
{
	(void)state;
	up();
	w.own = STORE_INITIALISING; /* the device was made anew, unseen */
	w.back = STORE_INITIALISING;
	w.mapped = false;
	life_init(&w.life, &back_ops);
	run(3);
	assert_true(w.serving);
	assert_int_equal(w.drops, 1);
}

/* It names another back end, and all else looks as it did. */
static void another_back_end(void **state)
{
	(void)state;
	up();
	w.generation++;
	look();
	assert_int_equal(w.drops, 1);
	assert_false(w.serving);
	assert_int_equal(w.own, STORE_CLOSED);
}

static void ends_politely(void **state)
{
	(void)state;
	up();
	front_life_end(&w.front, w.now);
	assert_int_equal(w.own, STORE_CLOSING);
	assert_true(w.granted);
	look(); /* before the back end has seen it */
	assert_int_equal(w.front.phase, FRONT_CLOSING);
	back_look();
	assert_int_equal(w.back, STORE_CLOSING);
	look();
	assert_int_equal(w.own, STORE_CLOSED);
	assert_true(w.granted); /* it may still be mapped */
	back_look();
	look();
	assert_int_equal(w.front.phase, FRONT_ENDED);
	assert_false(w.granted || w.mapped);
	run(3); /* and nothing begins anew */
	assert_int_equal(w.own, STORE_CLOSED);
	assert_int_equal(w.offers, 1);
}

static void ends_without_a_back_end(void **state)
{
	(void)state;
	up();
	w.back_alive = false;
	front_life_end(&w.front, w.now);
	run(2);
	assert_int_equal(w.front.phase, FRONT_CLOSING);
	run(2);
	assert_int_equal(w.front.phase, FRONT_ENDED);
	assert_int_equal(w.own, STORE_CLOSED);
	assert_false(w.granted);
}

static void ends_in_any_phase(void **state)
{
	(void)state;
	front_life_end(&w.front, w.now);
	assert_int_equal(w.front.phase, FRONT_ENDED);
	fresh(state);
	attach_device();
	run(1);
	front_life_end(&w.front, w.now);
	assert_int_equal(w.front.phase, FRONT_ENDED);
	fresh(state);
	up();
	front_life_end(&w.front, w.now);
	w.present = false; /* meanwhile */
	w.mapped = false;
	look();
	assert_int_equal(w.front.phase, FRONT_ENDED);
}

/* A back end that always breaks the protocol is tried less and less often. */
static void a_hostile_back_end_waits(void **state)
{
	unsigned before;

	(void)state;
	up();
	for (unsigned second = 0; second < 600; second++) {
		front_life_break(&w.front, w.now);
		run(1);
	}
	assert_in_range(w.offers, 15, 30);
	before = w.offers + !w.granted;
	run(60);
	assert_int_equal(w.offers, before);
	run(70); /* connected for a minute: forgiven */
	assert_true(w.serving);
	front_life_break(&w.front, w.now);
	life_fail(&w.life);
	run(4);
	assert_true(w.serving);
}

static void a_refused_connection_waits(void **state)
{
	(void)state;
	attach_device();
	w.back_alive = w.refuse_connect = true;
	run(60);
	assert_in_range(w.offers, 5, 8);
	assert_false(w.granted);
	w.refuse_connect = false;
	run(40);
	assert_true(w.serving);
}

static void no_page_to_grant(void **state)
{
	(void)state;
	attach_device();
	w.back_alive = true;
	w.refuse_offer = -28;
	run(20);
	assert_int_equal(w.front.phase, FRONT_WAITING);
	assert_int_equal(w.own, STORE_INITIALISING);
	w.refuse_offer = 0;
	run(40);
	assert_true(w.serving);
}

/* Any states at any time: the invariants hold (look() and front_write() judge). */
static void states_that_flap(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < 300000; i++) {
		seed = seed * 1664525u + 1013904223u;
		w.present = (seed >> 28) != 3;
		w.online = (seed >> 29) & 1;
		w.back = (seed >> 16) % 9;
		if ((seed >> 8) % 7 == 0)
			w.own = (seed >> 20) % 9;
		if ((seed >> 8) % 31 == 0)
			w.generation++;
		look();
		if ((seed >> 8) % 13 == 0)
			front_life_break(&w.front, w.now);
		w.now += (seed >> 24) * CLOCK_MS;
		front_life_tick(&w.front, w.now);
		assert_true(front_life_due(&w.front) > w.now);
	}
	assert_in_range(w.connects, 100, 300000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(any_order, fresh),
		cmocka_unit_test_setup(any_leftover, fresh),
		cmocka_unit_test_setup(the_back_end_closes_and_comes_back, fresh),
		cmocka_unit_test_setup(the_back_end_is_restarted, fresh),
		cmocka_unit_test_setup(the_toolstack_takes_it_away, fresh),
		cmocka_unit_test_setup(gone_at_once, fresh),
		cmocka_unit_test_setup(another_is_in_our_place, fresh),
		cmocka_unit_test_setup(another_back_end, fresh),
		cmocka_unit_test_setup(ends_politely, fresh),
		cmocka_unit_test_setup(ends_without_a_back_end, fresh),
		cmocka_unit_test_setup(ends_in_any_phase, fresh),
		cmocka_unit_test_setup(a_hostile_back_end_waits, fresh),
		cmocka_unit_test_setup(a_refused_connection_waits, fresh),
		cmocka_unit_test_setup(no_page_to_grant, fresh),
		cmocka_unit_test_setup(states_that_flap, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
