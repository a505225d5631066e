/* SPDX-License-Identifier: MIT */
#include "backends/displ/displ-route.h"

#define COSTS 3 /* of a move: none, nobody's, somebody's */

static bool is_taken(const uint32_t *taken, uint32_t n, uint32_t which)
{
	for (uint32_t i = 0; i < n; i++) {
		if (taken[i] == which)
			return true;
	}
	return false;
}

static unsigned crtc_cost(const struct displ_route *route, uint32_t head, uint32_t crtc)
{
	if (route->head[head].now == crtc)
		return 0;
	for (uint32_t i = 0; i < route->heads; i++) {
		if (route->head[i].now == crtc)
			return 2;
	}
	return route->others >> crtc & 1 ? 2 : 1;
}

static unsigned plane_cost(const struct displ_route *route, uint32_t plane,
			   uint32_t crtc)
{
	if (route->plane[plane].now == crtc)
		return 0;
	return route->plane[plane].now == DISPL_NO_CRTC ? 1 : 2;
}

static bool route_from(struct displ_route *route, uint32_t head);

static bool with_crtc(struct displ_route *route, uint32_t head, uint32_t crtc)
{
	route->crtc[head] = crtc;
	for (unsigned cost = 0; cost < COSTS; cost++) {
		for (uint32_t i = 0; i < route->planes; i++) {
			route->of[head] = i;
			if (route->plane[i].possible >> crtc & 1 &&
			    !(route->unfit[i] >> head & 1) &&
			    plane_cost(route, i, crtc) == cost &&
			    !is_taken(route->of, head, i) &&
			    route_from(route, head + 1))
				return true;
		}
	}
	return false;
}

/* From @head on; false: not with what those before it have. */
static bool route_from(struct displ_route *route, uint32_t head)
{
	if (head == route->heads)
		return true;
	if (route->steps == DISPL_ROUTE_STEPS)
		return false;
	route->steps++;
	for (unsigned cost = 0; cost < COSTS; cost++) {
		for (uint32_t i = 0; i < route->crtcs; i++) {
			if (route->head[head].possible >> i & 1 &&
			    crtc_cost(route, head, i) == cost &&
			    !is_taken(route->crtc, head, i) &&
			    with_crtc(route, head, i))
				return true;
		}
	}
	return false;
}

bool displ_route_find(struct displ_route *route)
{
	route->steps = 0;
	return route_from(route, 0);
}

bool displ_route_shares(const struct displ_route *route, uint32_t head)
{
	uint32_t crtc = route->crtc[head];

	for (uint32_t i = 0; i < route->heads; i++) {
		if (i != head && route->head[i].now == crtc)
			return true;
	}
	return route->others >> crtc & 1;
}
