/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: a back end that says anything to its keeper, while the client
 * changes its nodes and the kernel confirms or does not.
 *
 * A step is an instruction and its bytes. Whatever comes, what is charged fits
 * the policy, and when the back end is dead nothing is charged any more.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/unit/keeper-world.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	world_init(WORLD_POLICY);
	world.k->log.burst = 1; /* nobody reads it */
	world.k->log.per_minute = 1;
	return 0;
}

/* Keys by door: those that a back end names, and those that are changed. */
static const char *const names[][8] = {
	{"ring-ref", "ring-ref0", "ring-ref1", "state", "ring-ref9", "event-channel",
	 "online", "a/b"},
	{"control-ref", "pool-ref0", "pool-ref1", "state", "pool-ref9", "event-channel",
	 "online", "a/b"},
};
static const char *const keys[][8] = {
	{"state", "online", "frontend", "ring-ref", "ring-ref0", "event-channel",
	 "frontend-id", "ring-ref1"},
	{"state", "online", "frontend", "control-ref", "pool-ref0", "event-channel",
	 "frontend-id", "pool-ref1"},
};

static void say(uint8_t type, const uint8_t *bytes, size_t n)
{
	static const uint16_t bodies[] = {
		0,
		sizeof(struct wire_hello),
		0,
		sizeof(struct wire_map),
		sizeof(struct wire_map_ring),
		sizeof(struct wire_unmap),
		sizeof(struct wire_copy),
		sizeof(struct wire_name),
		sizeof(struct wire_port),
		sizeof(struct wire_read),
		sizeof(struct wire_write),
		0,
		sizeof(struct wire_name),
	};
	enum policy_door door = world.k->policy.door;
	bool named = type == WIRE_BIND || type == WIRE_MAP_POOL;
	static struct wire_message m;
	size_t body = type < 13 ? bodies[type] : n;

	memset(&m, 0, sizeof(m));
	m.header.type = type;
	m.header.id = 1;
	memcpy((char *)&m + sizeof(m.header), bytes,
	       n < sizeof(m) - sizeof(m.header) ? n : sizeof(m) - sizeof(m.header));
	if (type == WIRE_MAP_RING) { /* names are hard to guess */
		m.map_ring.n &= 7;
		memset(m.map_ring.key, 0, sizeof(m.map_ring.key));
		for (uint32_t i = 0; i < m.map_ring.n; i++)
			strcpy(m.map_ring.key[i],
			       names[door][bytes[n ? i % n : 0] % 8]);
	} else if ((named || type == WIRE_READ || type == WIRE_WRITE) && n > 4) {
		char *key = named		? m.name.key
			    : type == WIRE_READ ? m.read.key
						: m.write.key;

		memset(key, 0, WIRE_KEY_BYTES);
		strcpy(key, names[door][bytes[4] % 8]);
	}
	if (body > sizeof(m) - sizeof(m.header))
		body = sizeof(m) - sizeof(m.header);
	(void)!send(world.peer, &m, sizeof(m.header) + body,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void change_node(const uint8_t *bytes, size_t n)
{
	enum policy_door door = world.k->policy.door;
	char value[300] = "";

	if (n < 2)
		return;
	memcpy(value, bytes + 2, n - 2 < 299 ? n - 2 : 299);
	(bytes[0] & 1 ? world_front : world_back)(keys[door][bytes[1] % 8],
						  bytes[0] & 2 ? NULL : value);
	world_fire();
}

static void step(uint8_t what, const uint8_t *bytes, size_t n)
{
	if (what < 16)
		say(what, bytes, n);
	else if (what == 16)
		change_node(bytes, n);
	else if (what == 17)
		world.release = n % 3;
	else if (what == 18)
		world_turn(n * CLOCK_SECOND);
	else if (what == 19)
		world.silent = n & 1;
	else if (what == 20)
		world_device();
	else if (what == 21)
		(void)!send(world.peer, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	else
		world_turn(0);
}

static void check(void)
{
	const struct keeper *k = world.k;

	if (k->maps.usage.data_pages > k->policy.data_pages ||
	    k->maps.usage.ring_pages > k->policy.ring_pages ||
	    k->maps.usage.binds > k->policy.ring_pages)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire_message m;
	const uint8_t *end = data + size;

	world.silent = false;
	world.release = RELEASE_AT_ONCE;
	world.pendings = 0;
	if (size && *data >= 0xfe) { /* else the door is PV */
		world_door(POLICY_VIRTIO, *data == 0xff ? POLICY_POOL : POLICY_GRANT);
		data++;
	} else if (world.k->policy.door != POLICY_PV) {
		world_door(POLICY_PV, POLICY_MAP);
	}
	world_device();
	world_connect();
	if (size & 1)
		world.k->peer.stage = PEER_STRANGER;
	while (end - data >= 2 && world.k->peer.fd >= 0) {
		size_t rest = (size_t)(end - data) - 2,
		       n = data[1] < rest ? data[1] : rest;

		step(data[0] % 24, data + 2, n);
		data += 2 + n;
		world_turn(0);
		check();
		while (world_receive(&m, NULL) > 0)
			;
	}
	if (world.k->peer.pidfd >= 0)
		peer_dead(world.k);
	calls_forget(world.k, true);
	if (!maps_empty(&world.k->maps) || world.k->maps.usage.binds ||
	    world.k->peer.waits)
		abort();
	return 0;
}
