/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the ring of a named link, both sides of it, and whoever writes to its
 * memory between their steps and at any of their reads.
 *
 * net-link-ring.h's invariants hold: nothing outside of the area is touched (the
 * sanitizer), a frame has the size of one, each side's own indices can be those of a
 * ring, and two sides that are left alone agree again.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/net/net-link-ring.h"
#include "tests/hook/shared-hook.h"

#define FRAME 100

struct input {
	const uint8_t *at;
	size_t left;
};

struct world {
	uint8_t *area;
	struct net_ring_out out;
	struct net_ring_in in;
	struct input input;
	unsigned rewrite; /* so many reads from now; 0: none */
};

static struct world world;
static uint8_t area[NET_RING_AREA] __attribute__((aligned(64)));
static uint8_t frame[NET_RING_FRAME_MAX], got[NET_RING_FRAME_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* 0 where there is no more. */
static uint32_t take(unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes && world.input.left; i++) {
		value = value << 8 | *world.input.at++;
		world.input.left--;
	}
	return value;
}

static void rewrite(uint64_t k, const volatile void *p, size_t len)
{
	uint32_t value;

	(void)k;
	if (!world.rewrite || --world.rewrite)
		return;
	value = take(4);
	memcpy((void *)(uintptr_t)p, &value, len < sizeof(value) ? len : sizeof(value));
}

static void scribble_word(void)
{
	struct net_ring_control *words = (struct net_ring_control *)(void *)world.area;
	uint32_t *const word[] = {&words->put, &words->taken, &words->wake,
				  &words->takes};

	*word[take(1) % 4] = take(4);
}

static void scribble_head(void)
{
	uint32_t at = take(2) * NET_RING_ALIGN % NET_RING_BYTES, size = take(3);

	memcpy(world.area + NET_RING_CONTROL + at, &size, sizeof(size));
}

static void put(void)
{
	struct net_ring_head head = {.size = take(2)};

	if (!net_ring_out_room(&world.out, head.size))
		return;
	net_ring_out_write(&world.out, 0, frame, head.size);
	net_ring_out_push(&world.out, &head);
}

static enum net_ring_look look(void)
{
	struct net_ring_head head;
	enum net_ring_look r = net_ring_in_look(&world.in, &head);

	if (r != NET_RING_FRAME)
		return r;
	must(head.size >= NET_HEADER && head.size <= NET_RING_FRAME_MAX);
	net_ring_in_read(&world.in, got);
	net_ring_in_pop(&world.in);
	return r;
}

static void step(void)
{
	switch (take(1) % 11) {
	case 0:
		scribble_word();
		break;
	case 1:
		scribble_head();
		break;
	case 2:
		put();
		break;
	case 3:
		look();
		break;
	case 4:
		net_ring_in_publish(&world.in);
		break;
	case 5:
		net_ring_in_wait(&world.in);
		break;
	case 6:
		net_ring_out_wakes(&world.out);
		break;
	case 7:
		net_ring_out_heal(&world.out);
		break;
	case 8:
		net_ring_in_discard(&world.in);
		break;
	case 9:
		net_ring_out_begin(&world.out, world.area);
		net_ring_in_begin(&world.in, world.area);
		break;
	case 10:
		world.rewrite = take(1);
		break;
	}
	must(world.out.put - world.out.taken <= NET_RING_BYTES);
	must(!((world.out.put | world.out.taken | world.in.taken) &
	       (NET_RING_ALIGN - 1)));
}

static void drain(void)
{
	while (look() != NET_RING_EMPTY)
		;
	net_ring_in_publish(&world.in);
}

/* Left alone, and told: the second frame comes at the latest. */
static void agree(void)
{
	struct net_ring_head head = {.size = FRAME};

	for (unsigned i = 0; i < 2; i++) {
		net_ring_out_heal(&world.out);
		drain();
	}
	must(net_ring_out_room(&world.out, FRAME));
	net_ring_out_write(&world.out, 0, frame, FRAME);
	net_ring_out_push(&world.out, &head);
	memset(got, 0, FRAME);
	must(look() == NET_RING_FRAME && !memcmp(got, frame, FRAME));
	must(look() == NET_RING_EMPTY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	world = (struct world){.area = area, .input = {data, size}};
	memset(area, 0, sizeof(area));
	memset(frame, 0x5a, sizeof(frame));
	net_ring_out_begin(&world.out, world.area);
	net_ring_in_begin(&world.in, world.area);
	shared_hook = rewrite;
	while (world.input.left)
		step();
	world.rewrite = 0;
	agree();
	shared_hook = NULL;
	return 0;
}
