/* SPDX-License-Identifier: MIT */
/*
 * What a back end may say to its keeper, and what becomes of it: each message
 * well said, refused and malformed.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/clock.h"
#include "tests/unit/keeper-asserts.h"

static void test_map(void **state)
{
	(void)state;
	assert_int_equal(map(100, 16), WIRE_OK);
	assert_int_equal(m.mapped.pages, 16);
	assert_int_equal(world.k->maps.usage.data_pages, 16);
	assert_int_equal(map(200, 1), WIRE_REFUSED); /* DataPages */
	assert_int_equal(world.added, 1);
}

/* [utest->req~pages-are-charged-first~1] */
static void test_map_refused(void **state)
{
	(void)state;
	assert_int_equal(map(1000, 2), WIRE_REFUSED); /* GrantRefs */
	assert_int_equal(map(7, 1), WIRE_REFUSED);
	world.add_error = -ENOMEM;
	assert_int_equal(map(100, 1), WIRE_ENOMEM);
	world.add_error = 0;
	assert_true(maps_empty(&world.k->maps));
	world_set("backend/vbd/3/51712/frontend", NULL);
	world_fire();
	world_turn(CLOCK_SECOND);
	assert_int_equal(map(100, 1), WIRE_NO_DEVICE);
	assert_int_equal(world.kills, 0);
}

/* [utest->req~protocol-or-death~1] */
static void test_map_malformed(void **state)
{
	(void)state;
	fresh()->map.n = 1;
	m.map.ref[0].v = 100;
	m.map.ref[1].v = 1; /* unused, not zero */
	assert_int_equal(CALL(WIRE_MAP, map), WIRE_MALFORMED);
	assert_killed();
	world_connect();
	world.kills = 0;
	assert_int_equal(map(100, 257), WIRE_MALFORMED);
	assert_killed();
	world_connect();
	world.kills = 0;
	assert_int_equal(map(100, 0), WIRE_MALFORMED);
	assert_killed();
}

/* [utest->req~keeper-reads-the-numbers~1] */
static void test_map_ring(void **state)
{
	(void)state;
	fresh()->map_ring.n = 2;
	strcpy(m.map_ring.key[0], "ring-ref0");
	strcpy(m.map_ring.key[1], "ring-ref1");
	assert_int_equal(CALL(WIRE_MAP_RING, map_ring), WIRE_OK);
	assert_int_equal(m.mapped.pages, 2);
	assert_int_equal(world.k->maps.usage.ring_pages, 2);
	fresh()->map_ring.n = 1;
	strcpy(m.map_ring.key[0], "event-channel"); /* not a ring's key */
	assert_int_equal(CALL(WIRE_MAP_RING, map_ring), WIRE_REFUSED);
	fresh()->map_ring.n = 1;
	strcpy(m.map_ring.key[0], "ring-ref7");
	assert_int_equal(CALL(WIRE_MAP_RING, map_ring), WIRE_ABSENT);
	world_set("/local/domain/3/device/vbd/51712/ring-ref7", "0x10");
	fresh()->map_ring.n = 1;
	strcpy(m.map_ring.key[0], "ring-ref7");
	assert_int_equal(CALL(WIRE_MAP_RING, map_ring), WIRE_ABSENT);
	fresh()->map_ring.n = 17;
	assert_int_equal(CALL(WIRE_MAP_RING, map_ring), WIRE_MALFORMED);
	assert_killed();
}

static void test_unmap(void **state)
{
	uint32_t id;

	(void)state;
	assert_int_equal(map(100, 16), WIRE_OK);
	id = m.mapped.id;
	fresh()->unmap.id = id;
	assert_int_equal(CALL(WIRE_UNMAP, unmap), WIRE_OK);
	assert_true(maps_empty(&world.k->maps));
	fresh()->unmap.id = id; /* once is enough */
	assert_int_equal(CALL(WIRE_UNMAP, unmap), WIRE_MALFORMED);
	assert_killed();
}

/* A back end that says that it munmapped and did not is killed for it.
 * [utest->req~who-keeps-is-killed~1] */
static void test_unmap_lie(void **state)
{
	(void)state;
	world.release = RELEASE_NEVER;
	assert_int_equal(map(100, 16), WIRE_OK);
	m.unmap = (struct wire_unmap){m.mapped.id, 0};
	assert_int_equal(CALL(WIRE_UNMAP, unmap), WIRE_OK);
	assert_int_equal(world.k->maps.usage.data_pages, 16);
	assert_int_equal(map(200, 1), WIRE_REFUSED);
	world_turn(4 * CLOCK_SECOND);
	assert_int_equal(world.kills, 0);
	world_turn(2 * CLOCK_SECOND);
	assert_killed();
}

static const char *queue_key(unsigned queue, const char *name)
{
	static char key[64];

	snprintf(key, sizeof(key), "queue-%u/%s", queue, name);
	return key;
}

static int queue_calls(unsigned queue, uint32_t *port)
{
	int r;

	fresh()->map_ring.n = 1;
	strcpy(m.map_ring.key[0], queue_key(queue, "ring-ref"));
	r = CALL(WIRE_MAP_RING, map_ring);
	strcpy(fresh()->name.key, queue_key(queue, "event-channel"));
	assert_int_equal(CALL(WIRE_BIND, name), r);
	*port = m.bound.port;
	return r;
}

/* A ring and a port for each queue, as many as RingPages; all kept for the next
 * back end. */
static void test_queues(void **state)
{
	uint32_t port[5], again;
	char path[128], value[8];

	(void)state;
	for (unsigned q = 0; q < 5; q++) {
		snprintf(path, sizeof(path), "/local/domain/3/device/vbd/51712/%s",
			 queue_key(q, "ring-ref"));
		snprintf(value, sizeof(value), "%u", 700 + q);
		world_set(path, value);
		snprintf(path, sizeof(path), "/local/domain/3/device/vbd/51712/%s",
			 queue_key(q, "event-channel"));
		snprintf(value, sizeof(value), "%u", 40 + q);
		world_set(path, value);
	}
	for (unsigned q = 0; q < 5; q++)
		assert_int_equal(queue_calls(q, &port[q]),
				 q < 4 ? WIRE_OK : WIRE_REFUSED);
	assert_int_equal(world.k->maps.usage.ring_pages, 4);
	peer_dead(world.k);
	world_connect();
	for (unsigned q = 4; q--;) {
		assert_int_equal(queue_calls(q, &again), WIRE_OK);
		assert_int_equal(again, port[q]);
	}
	assert_int_equal(world.binds, 4);
	assert_int_equal(world.unbinds, 0);
}

/* [utest->req~keeper-reads-the-numbers~1] */
static void test_bind(void **state)
{
	unsigned fds;
	uint32_t port;

	(void)state;
	strcpy(fresh()->name.key, "event-channel");
	assert_int_equal(world_call(&m, WIRE_BIND, sizeof(m.name), &fds), WIRE_OK);
	assert_int_equal(fds, 1);
	port = m.bound.port;
	/* a back end that was started again gets the same port */
	peer_dead(world.k);
	world_connect();
	strcpy(fresh()->name.key, "event-channel");
	assert_int_equal(world_call(&m, WIRE_BIND, sizeof(m.name), &fds), WIRE_OK);
	assert_int_equal(m.bound.port, port);
	assert_int_equal(world.binds, 1);
	/* the client offers another one */
	world_set("/local/domain/3/device/vbd/51712/event-channel", "18");
	strcpy(fresh()->name.key, "event-channel");
	assert_int_equal(CALL(WIRE_BIND, name), WIRE_OK);
	assert_int_not_equal(m.bound.port, port);
	assert_int_equal(world.unbinds, 1);
	m.port = (struct wire_port){m.bound.port, 0};
	assert_int_equal(CALL(WIRE_UNBIND, port), WIRE_OK);
	assert_int_equal(world.k->maps.usage.binds, 0);
	fresh()->port.port = 12345;
	assert_int_equal(CALL(WIRE_UNBIND, port), WIRE_REFUSED);
	strcpy(fresh()->name.key, "ring-ref");
	assert_int_equal(CALL(WIRE_BIND, name), WIRE_REFUSED);
	world.bind_error = -EINVAL;
	strcpy(fresh()->name.key, "event-channel");
	assert_int_equal(CALL(WIRE_BIND, name), WIRE_BAD);
}

/* [utest->req~keys-are-of-the-device~1] */
static void test_read(void **state)
{
	static const char *const bad[] = {"",	   "/",	 "a//b", "../state",
					  "State", "a/", "a\nb"};

	(void)state;
	fresh()->read.side = 1;
	strcpy(m.read.key, "online");
	assert_int_equal(CALL(WIRE_READ, read), WIRE_OK);
	assert_string_equal(m.value.value, "1");
	fresh()->read.side = 0;
	strcpy(m.read.key, "online");
	assert_int_equal(CALL(WIRE_READ, read), WIRE_ABSENT);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		strcpy(fresh()->read.key, bad[i]);
		assert_int_equal(CALL(WIRE_READ, read), WIRE_REFUSED);
	}
	memset(fresh()->read.key, 'a', WIRE_KEY_BYTES);
	assert_int_equal(CALL(WIRE_READ, read), WIRE_REFUSED);
	strcpy(fresh()->read.key, "a");
	m.read.key[9] = 'b'; /* after the NUL */
	assert_int_equal(CALL(WIRE_READ, read), WIRE_REFUSED);
	fresh()->read.side = 2;
	assert_int_equal(CALL(WIRE_READ, read), WIRE_MALFORMED);
	assert_killed();
}

static void test_read_long(void **state)
{
	char value[300];

	(void)state;
	memset(value, 'v', sizeof(value));
	value[256] = '\0';
	world_set("/local/domain/3/device/vbd/51712/info", value);
	strcpy(fresh()->read.key, "info");
	assert_int_equal(CALL(WIRE_READ, read), WIRE_TOO_LONG);
	value[255] = '\0';
	world_set("/local/domain/3/device/vbd/51712/info", value);
	strcpy(fresh()->read.key, "info");
	assert_int_equal(CALL(WIRE_READ, read), WIRE_OK);
	assert_int_equal(strlen(m.value.value), 255);
}

/* [utest->req~xenstored-is-not-waited-for~1] */
static void test_read_late(void **state)
{
	(void)state;
	world.silent = true;
	strcpy(fresh()->read.key, "state");
	assert_int_equal(CALL(WIRE_READ, read), -1);
	world_turn(4 * CLOCK_SECOND);
	assert_true(world_receive(&m, NULL) > 0);
	assert_int_equal(m.header.result, WIRE_LATE);
}

/* While one waits the socket is not read, and a device that goes answers it. */
static void test_read_gone(void **state)
{
	(void)state;
	world.silent = true;
	strcpy(fresh()->name.key, "event-channel");
	assert_int_equal(CALL(WIRE_BIND, name), -1);
	assert_true(world.k->peer.waits);
	keeper_revoke(world.k, "the device went away", true);
	assert_true(world_receive(&m, NULL) > 0);
	assert_int_equal(m.header.result, WIRE_NO_DEVICE);
	assert_false(world.k->peer.waits);
}

/* [utest->req~keys-are-of-the-device~1] */
static void test_write(void **state)
{
	(void)state;
	strcpy(fresh()->write.key, "state");
	strcpy(m.write.value, "2");
	assert_int_equal(CALL(WIRE_WRITE, write), WIRE_OK);
	world_turn(0);
	assert_string_equal(world.last_write, "backend/vbd/3/51712/state=2");
	strcpy(fresh()->write.key, "frontend");
	assert_int_equal(CALL(WIRE_WRITE, write), WIRE_REFUSED);
	strcpy(fresh()->write.key, "state");
	m.write.value[5] = 'x';
	assert_int_equal(CALL(WIRE_WRITE, write), WIRE_MALFORMED);
	assert_killed();
}

/* Writes outlive a xenstored that is late, in order, and are bounded. */
static void test_write_retried(void **state)
{
	(void)state;
	world.write_error = "EAGAIN";
	for (unsigned i = 0; i < DEVICE_WRITES; i++) {
		strcpy(fresh()->write.key, i ? "info" : "state");
		snprintf(m.write.value, sizeof(m.write.value), "%u", i);
		assert_int_equal(CALL(WIRE_WRITE, write), WIRE_OK);
	}
	strcpy(fresh()->write.key, "state");
	assert_int_equal(CALL(WIRE_WRITE, write), WIRE_FULL);
	assert_string_equal(world.last_write, "backend/vbd/3/51712/state=0");
	world.write_error = NULL;
	for (unsigned i = 0; i < 30; i++)
		world_turn(CLOCK_SECOND);
	assert_string_equal(world.last_write, "backend/vbd/3/51712/info=63");
	assert_int_equal(world.k->device.writes, 0);
}

static void test_remove(void **state)
{
	(void)state;
	assert_int_equal(map(100, 4), WIRE_OK);
	assert_int_equal(world_call(fresh(), WIRE_REMOVE, 0, NULL), WIRE_OK);
	world_turn(CLOCK_SECOND);
	world_fire();
	world_turn(CLOCK_SECOND);
	assert_false(world.k->device.seen.present);
	assert_int_equal(world_call(fresh(), WIRE_REMOVE, 0, NULL), WIRE_NO_DEVICE);
	while (world_receive(&m, NULL) > 0)
		;
	world_turn(6 * CLOCK_SECOND); /* its pages are still mapped */
	assert_killed();
}

/* [utest->req~protocol-or-death~1] */
static void test_malformed(void **state)
{
	char bytes[sizeof(m) + 16] = {0};

	(void)state;
	for (unsigned type = 0; type < 70; type++) {
		for (unsigned len = 0; len < 12; len += 4) {
			if (type >= WIRE_HELLO && type <= WIRE_REMOVE && len == 8)
				continue; /* may be right */
			world_connect();
			memcpy(bytes, &(struct wire_header){(uint16_t)type, 0, 1}, 8);
			if (!len)
				len = sizeof(bytes);
			assert_true(send(world.peer, bytes, len, 0) > 0);
			peer_read(world.k);
			assert_int_equal(world.kills, 1);
			peer_dead(world.k);
			world.kills = 0;
			if (len == sizeof(bytes))
				len = 0;
		}
	}
}

static unsigned open_files(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 512; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* [utest->req~protocol-or-death~1] */
static void t_vq_7_descriptors_to_the_keeper(void **state)
{
	unsigned before = open_files();
	int fds[200], null = open("/dev/null", O_RDONLY);
	union {
		char bytes[CMSG_SPACE(sizeof(fds))];
		struct cmsghdr header;
	} control = {0};
	struct wire_header header = {WIRE_REMOVE, 0, 1};
	struct iovec iov = {&header, sizeof(header)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		fds[i] = null;
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
	assert_true(sendmsg(world.peer, &msg, 0) > 0);
	close(null);
	peer_read(world.k);
	assert_int_equal(world.kills, 1);
	assert_int_equal(open_files(), before - 1); /* our end of the socket */
	assert_int_equal(world.k->device.writes, 0);
}

/* One that never reads is killed for it, and nobody waits. */
static void test_deaf(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100000 && !world.kills; i++) {
		struct wire_message w = {.header = {WIRE_UNBIND, 0, i}, .port = {1, 0}};

		assert_true(send(world.peer, &w, sizeof(w.header) + sizeof(w.port), 0) >
			    0);
		peer_read(world.k);
	}
	assert_int_equal(world.kills, 1);
}

/* A flood takes its turns; snapshots do not pile up before one who is slow. */
static void test_flood(void **state)
{
	struct wire_message w = {.header = {WIRE_UNBIND, 0, 1}, .port = {1, 0}};
	unsigned handled = 0, statuses = 0;

	(void)state;
	for (unsigned i = 0; i < 3 * PEER_MESSAGES; i++)
		assert_true(send(world.peer, &w, sizeof(w.header) + sizeof(w.port), 0) >
			    0);
	peer_read(world.k);
	while (world_receive(&m, NULL) > 0)
		handled++;
	assert_int_equal(handled, PEER_MESSAGES);
	peer_read(world.k);
	peer_read(world.k);
	while (world_receive(&m, NULL) > 0)
		;
	for (unsigned i = 0; i < 50; i++) {
		world_set("/local/domain/3/device/vbd/51712/state", i % 2 ? "4" : "5");
		world_fire();
		world_turn(CLOCK_SECOND);
	}
	while (world_receive(&m, NULL) > 0)
		statuses++;
	assert_in_range(statuses, 1, 2);
}

static int setup_copy(void **state)
{
	static char policy[2048];
	char *at;

	(void)state;
	strcpy(policy, WORLD_POLICY);
	at = strstr(policy, "Mode = map");
	memmove(at + 11, at + 10, strlen(at + 10) + 1);
	memcpy(at, "Mode = copy", 11);
	world_init(policy);
	world_device();
	world_connect();
	return 0;
}

static int copy(struct wire_seg seg)
{
	fresh()->copy.n = 1;
	m.copy.seg[0] = seg;
	return CALL(WIRE_COPY, copy);
}

static void test_copy(void **state)
{
	uint8_t *area = world.k->peer.area;

	(void)state;
	assert_int_equal(world.k->peer.area_bytes, 16 * 4096);
	assert_int_equal(copy((struct wire_seg){100, 0, 4096, 15 * 4096, 0}), WIRE_OK);
	assert_int_equal(area[16 * 4096 - 1], 0x5a);
	assert_int_equal(m.copied.status[0], WIRE_OK);
	assert_int_equal(copy((struct wire_seg){99, 0, 1, 0, 1}), WIRE_OK);
	assert_int_equal(m.copied.status[0], WIRE_BAD);
	assert_int_equal(copy((struct wire_seg){1001, 0, 1, 0, 0}), WIRE_REFUSED);
	assert_int_equal(map(100, 1), WIRE_REFUSED); /* Mode */
}

/* [utest->req~copies-stay-in-bounds~1] */
static void test_copy_malformed(void **state)
{
	static const struct wire_seg bad[] = {
		{100, 0, 0, 0, 0},     {100, 1, 4096, 0, 0},
		{100, 4096, 1, 0, 0},  {100, 0, 65535, 0, 0},
		{100, 0, 1, 65536, 0}, {100, 0, 2, 65535, 0},
		{100, 0, 1, 0, 2},     {100, 0, 16, UINT32_MAX, 0},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(copy(bad[i]), WIRE_MALFORMED);
		assert_killed();
		world_connect();
		world.kills = 0;
	}
	assert_int_equal(world.copies, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(map, setup),
		TEST(map_refused, setup),
		TEST(map_malformed, setup),
		TEST(map_ring, setup),
		TEST(unmap, setup),
		TEST(unmap_lie, setup),
		TEST(bind, setup),
		TEST(read, setup),
		TEST(queues, setup),
		TEST(read_long, setup),
		TEST(read_late, setup),
		TEST(read_gone, setup),
		TEST(write, setup),
		TEST(write_retried, setup),
		TEST(remove, setup),
		TEST(malformed, setup),
		cmocka_unit_test_setup_teardown(t_vq_7_descriptors_to_the_keeper, setup,
						teardown),
		TEST(deaf, setup),
		TEST(flood, setup),
		TEST(copy, setup_copy),
		TEST(copy_malformed, setup_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
