/* SPDX-License-Identifier: MIT */
/*
 * From struct host_door's verbs to those of a door that has the same, for its own type:
 * PREFIX_offer(), PREFIX_arm() and so on, as every door's header has them.
 *
 * Not a door: a file that glues one to host.c says HOST_FORWARD() once, and
 * HOST_FORWARDED in its struct host_door; and so with the others.
 */
#ifndef XDD_HOST_FORWARD_H
#define XDD_HOST_FORWARD_H

#include "backends/host.h"
#include "common/clock.h"

/* @of(host) is the door. */
#define HOST_FORWARD(prefix, of)                                                       \
	static int forward_offer(struct host *host)                                    \
	{                                                                              \
		return prefix##_offer(of(host));                                       \
	}                                                                              \
                                                                                       \
	static bool forward_arm(struct host *host)                                     \
	{                                                                              \
		return prefix##_arm(of(host));                                         \
	}                                                                              \
                                                                                       \
	static bool forward_pending(const struct host *host)                           \
	{                                                                              \
		return prefix##_pending(of(host));                                     \
	}                                                                              \
                                                                                       \
	static void forward_detach(struct host *host)                                  \
	{                                                                              \
		prefix##_detach(of(host));                                             \
	}                                                                              \
                                                                                       \
	static void forward_limits(struct host *host)                                  \
	{                                                                              \
		prefix##_limits(of(host), clock_now());                                \
	}

#define HOST_FORWARDED                                                                 \
	.offer = forward_offer, .arm = forward_arm, .pending = forward_pending,        \
	.detach = forward_detach, .limits = forward_limits

/* Of a class whose core has a turn of its own, before the door's: @core_of(host) is
 * that core. */
#define HOST_FORWARD_TURNS(core, core_of, prefix, of)                                  \
	static int forward_turn(struct host *host, uint64_t now)                       \
	{                                                                              \
		int r = core##_turn(core_of(host), now);                               \
                                                                                       \
		return r < 0 ? r : prefix##_turn(of(host), now);                       \
	}                                                                              \
                                                                                       \
	static uint64_t forward_due(struct host *host)                                 \
	{                                                                              \
		uint64_t first = core##_due(core_of(host));                            \
		uint64_t second = prefix##_due(of(host));                              \
                                                                                       \
		return first < second ? first : second;                                \
	}

#define HOST_FORWARDED_TURNS .turn = forward_turn, .due = forward_due

/* What a door tells of itself: @type is its own. */
#define HOST_TOLD_DETACHED(type)                                                       \
	static void told_detached(struct type *door)                                   \
	{                                                                              \
		host_detached(door->conf.owner);                                       \
	}

#define HOST_TOLD_BROKEN(type)                                                         \
	static void told_broken(struct type *door, const char *why)                    \
	{                                                                              \
		host_broken(door->conf.owner, why);                                    \
	}

#endif
