/* SPDX-License-Identifier: MIT */
/* backends/displ/displ-route.c: what is chosen, and that all that can be had is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/displ/displ-route.h"

#define NO DISPL_NO_CRTC

static struct displ_route route;

static void begin(uint32_t crtcs)
{
	memset(&route, 0, sizeof(route));
	route.crtcs = crtcs;
}

static void head(uint32_t possible, uint32_t now)
{
	route.head[route.heads++] = (struct displ_route_end){possible, now};
}

static void plane(uint32_t possible, uint32_t now)
{
	route.plane[route.planes++] = (struct displ_route_end){possible, now};
}

static void is(uint32_t which, uint32_t crtc, uint32_t of)
{
	assert_int_equal(route.crtc[which], crtc);
	assert_int_equal(route.of[which], of);
}

static void keeps_what_it_has(void **state)
{
	(void)state;
	begin(3);
	head(7, 2);
	head(7, 1);
	plane(1, NO);
	plane(2, NO);
	plane(4, NO);
	assert_true(displ_route_find(&route));
	is(0, 2, 2);
	is(1, 1, 1);
	assert_false(displ_route_shares(&route, 0));
	assert_false(displ_route_shares(&route, 1));
}

/* One that has none takes nobody's: not another head's, nor a stranger's. */
static void takes_what_nobody_has(void **state)
{
	(void)state;
	begin(4);
	head(15, NO);
	head(15, 0);
	plane(15, NO);
	plane(15, NO);
	route.others = 1 << 1;
	assert_true(displ_route_find(&route));
	is(0, 2, 0);
	is(1, 0, 1);
	assert_false(displ_route_shares(&route, 0));
}

/* And where there is no other, somebody's, which is said. */
static void takes_what_somebody_has(void **state)
{
	(void)state;
	begin(1);
	head(1, NO);
	plane(1, NO);
	route.others = 1;
	assert_true(displ_route_find(&route));
	is(0, 0, 0);
	assert_true(displ_route_shares(&route, 0));

	begin(2);
	head(1, 1);
	head(2, 0);
	plane(3, NO);
	plane(3, NO);
	assert_true(displ_route_find(&route));
	is(0, 0, 0);
	is(1, 1, 1);
	assert_true(displ_route_shares(&route, 0));
	assert_true(displ_route_shares(&route, 1));
}

static void planes_stay(void **state)
{
	(void)state;
	begin(2);
	head(3, 1);
	plane(3, 0);
	plane(3, NO);
	plane(3, 1);
	assert_true(displ_route_find(&route));
	is(0, 1, 2);
	route.plane[2].now = 0;
	assert_true(displ_route_find(&route));
	is(0, 1, 1);
	route.plane[1].now = 0;
	assert_true(displ_route_find(&route));
	is(0, 1, 0);
}

/* The first head gives up what it would like best. */
static void all_or_none(void **state)
{
	(void)state;
	begin(2);
	head(3, 0);
	head(1, NO);
	plane(3, NO);
	plane(1, NO);
	assert_true(displ_route_find(&route));
	is(0, 1, 0);
	is(1, 0, 1);
	assert_true(displ_route_shares(&route, 1));
	route.planes = 1;
	assert_false(displ_route_find(&route));
}

static void what_cannot_be(void **state)
{
	(void)state;
	begin(1);
	head(1, 0);
	head(1, NO);
	plane(1, NO);
	plane(1, NO);
	assert_false(displ_route_find(&route)); /* one CRTC */
	begin(1);
	head(2, NO);
	plane(3, NO);
	assert_false(displ_route_find(&route)); /* one that is not there */
	begin(2);
	head(2, NO);
	plane(1, NO);
	assert_false(displ_route_find(&route)); /* another one's plane */
	begin(2);
	head(3, NO);
	assert_false(displ_route_find(&route)); /* no plane */
}

/* A plane that does not know what a head shows is another head's. */
static void unfit_planes(void **state)
{
	(void)state;
	begin(2);
	head(3, NO);
	head(3, NO);
	plane(3, NO);
	plane(3, NO);
	route.unfit[0] = 1;
	assert_true(displ_route_find(&route));
	is(0, 0, 1);
	is(1, 1, 0);
	route.unfit[1] = 1;
	assert_false(displ_route_find(&route));
}

/* As many as there may be: found at once, if they can be had; and a search that would
 * outlast us all ends. */
static void many_heads(void **state)
{
	(void)state;
	begin(DISPL_ROUTE_HEADS_MAX);
	for (uint32_t i = 0; i < DISPL_ROUTE_HEADS_MAX; i++) {
		head(0xffff, NO);
		plane(0xffff, NO);
	}
	assert_true(displ_route_find(&route));
	assert_int_equal(route.steps, DISPL_ROUTE_HEADS_MAX);
	is(15, 15, 15);
	route.crtcs--;
	assert_false(displ_route_find(&route));
	assert_int_equal(route.steps, DISPL_ROUTE_STEPS);
}

/* Invariant 1 over all small cards: it is found just if any choice does. */
static bool any(uint32_t possible[2], uint32_t planes[2])
{
	for (uint32_t choice = 0; choice < 16; choice++) {
		uint32_t a = choice & 1, b = choice >> 1 & 1;
		uint32_t p = choice >> 2 & 1, q = choice >> 3 & 1;

		if (a != b && p != q && possible[0] >> a & 1 && possible[1] >> b & 1 &&
		    planes[p] >> a & 1 && planes[q] >> b & 1)
			return true;
	}
	return false;
}

static void small_cards(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 4 * 4 * 4 * 4 * 9; i++) {
		uint32_t possible[2] = {i & 3, i >> 2 & 3};
		uint32_t planes[2] = {i >> 4 & 3, i >> 6 & 3}, now = i >> 8;

		begin(2);
		head(possible[0], now % 3 < 2 ? now % 3 : NO);
		head(possible[1], now / 3 < 2 ? now / 3 : NO);
		plane(planes[0], NO);
		plane(planes[1], NO);
		assert_int_equal(displ_route_find(&route), any(possible, planes));
		for (uint32_t h = 0; any(possible, planes) && h < 2; h++) {
			assert_true(possible[h] >> route.crtc[h] & 1);
			assert_true(planes[route.of[h]] >> route.crtc[h] & 1);
			assert_true(route.crtc[0] != route.crtc[1]);
			assert_true(route.of[0] != route.of[1]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_it_has),
		cmocka_unit_test(takes_what_nobody_has),
		cmocka_unit_test(takes_what_somebody_has),
		cmocka_unit_test(planes_stay),
		cmocka_unit_test(all_or_none),
		cmocka_unit_test(what_cannot_be),
		cmocka_unit_test(unfit_planes),
		cmocka_unit_test(many_heads),
		cmocka_unit_test(small_cards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
