/* SPDX-License-Identifier: MIT */
/*
 * The life of a keeper's device, client, policy and connection, and what has
 * to be let go when one of them ends.
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
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/clock.h"
#include "tests/unit/keeper-asserts.h"

/* Let go in time: nobody is killed, and the flag goes away.
 * [utest->req~memory-is-revoked~1] */
static void test_revoke(void **state)
{
	uint32_t id, generation = world.k->device.generation;

	(void)state;
	assert_int_equal(map(100, 4), WIRE_OK);
	id = m.mapped.id;
	world_set("/local/domain/3/device/vbd/51712/state", NULL); /* client died */
	world_fire();
	world_turn(CLOCK_SECOND);
	assert_true(world_receive(&m, NULL) > 0);
	assert_int_equal(m.status.flags, WIRE_PRESENT | WIRE_ONLINE | WIRE_RELEASE);
	assert_int_equal(m.status.generation, generation);
	assert_int_equal(map(200, 1), WIRE_NO_DEVICE);
	fresh()->unmap.id = id;
	assert_int_equal(CALL(WIRE_UNMAP, unmap), WIRE_OK);
	world_turn(10 * CLOCK_SECOND);
	assert_int_equal(world.kills, 0);
	assert_true(world_receive(&m, NULL) > 0);
	assert_int_equal(m.status.flags, WIRE_PRESENT | WIRE_ONLINE);
}

static void test_generation(void **state)
{
	uint32_t generation = world.k->device.generation;

	(void)state;
	world_set("backend/vbd/3/51712/state", "4");
	world_fire();
	world_turn(CLOCK_SECOND);
	assert_int_equal(world.k->device.generation, generation);
	world_set("backend/vbd/3/51712/state", "1"); /* a new one, seen late */
	world_fire();
	world_turn(CLOCK_SECOND);
	assert_int_equal(world.k->device.generation, generation + 1);
}

/* [utest->req~watches-are-coalesced~1] */
static void test_storm(void **state)
{
	unsigned reads = world.reads;

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		world_fire();
	world_turn(0);
	assert_true(world.reads - reads < 20);
}

/* [utest->req~references-are-exclusive~1] */
static void test_exclusive(void **state)
{
	char path[128];
	struct flock lock = {.l_type = F_WRLCK, .l_start = 105, .l_len = 1};
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/dom3", world.dir);
	fd = open(path, O_RDWR | O_CREAT, 0660);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_int_equal(map(100, 8), WIRE_BUSY);
	assert_true(maps_empty(&world.k->maps));
	assert_int_equal(map(100, 5), WIRE_OK);
	lock.l_start = 102;
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), -1);
	lock.l_start = 106; /* what the refused call took is free again */
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	close(fd);
}

static void write_policy(const char *from, const char *to)
{
	static char text[2048];
	char path[128], *at;
	FILE *f;

	strcpy(text, WORLD_POLICY);
	at = strstr(text, from);
	assert_non_null(at);
	memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
	memcpy(at, to, strlen(to));
	snprintf(path, sizeof(path), "%s/test.policy", world.dir);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
}

/* [utest->req~memory-is-revoked~1] [utest->req~reload-is-whole~1] */
static void test_reload(void **state)
{
	(void)state;
	assert_int_equal(map(100, 4), WIRE_OK);
	write_policy("InFlight = 32", "InFlight = 16"); /* nothing has to go */
	assert_int_equal(keeper_policy_load(world.k, true), 0);
	assert_int_equal(world.k->peer.release_by, 0);
	assert_int_equal(world.k->policy.in_flight, 16);
	write_policy("Device = xvda", "Device = xvdb");
	assert_int_not_equal(keeper_policy_load(world.k, true), 0);
	write_policy("Domain = 3", "Domain = many");
	assert_int_not_equal(keeper_policy_load(world.k, true), 0);
	assert_int_equal(world.k->policy.in_flight, 16);
	write_policy("GrantRefs = 8-1000", "GrantRefs = 8-50");
	assert_int_equal(keeper_policy_load(world.k, true), 0);
	assert_int_not_equal(world.k->peer.release_by, 0);
	world_turn(6 * CLOCK_SECOND);
	assert_killed();
}

static int setup_any(void **state)
{
	static char policy[2048];
	char *at;

	(void)state;
	strcpy(policy, WORLD_POLICY);
	at = strstr(policy, "Domain = 3");
	memmove(at + 23, at + 10, strlen(at + 10) + 1);
	memcpy(at, "Domain = any\nTag = disk", 23);
	world_init(policy);
	return 0;
}

/* By its tag, among others; found again under the next domid.
 * [utest->req~policy-one-client~1] */
static void test_any(void **state)
{
	(void)state;
	world_set("backend/vbd/2/51712/frontend-id", "2");
	world_set("backend/vbd/2/51712/params", "other");
	world_set("backend/vbd/7/51712/frontend-id", "7");
	world_set("backend/vbd/7/51712/frontend", "/local/domain/7/device/vbd/51712");
	world_set("backend/vbd/7/51712/params", "disk");
	world_set("backend/vbd/7/51712/state", "1");
	world_fire();
	world_turn(CLOCK_SECOND);
	assert_true(world.k->device.seen.present);
	assert_int_equal(world.k->device.seen.frontend.v, 7);
	assert_int_equal(world.k->device.generation, 1);
	world_set("backend/vbd/7/51712/params", NULL);
	world_set("backend/vbd/7/51712/frontend-id", NULL);
	world_set("backend/vbd/9/51712/frontend-id", "9");
	world_set("backend/vbd/9/51712/frontend", "/local/domain/9/device/vbd/51712");
	world_set("backend/vbd/9/51712/params", "disk");
	world_fire();
	world_turn(CLOCK_SECOND);
	assert_int_equal(world.k->device.seen.frontend.v, 9);
	assert_int_equal(world.k->device.generation, 2);
	assert_true(world.k->device.astray); /* the watch is on the old front end */
}

/* Another domain with the same tag is refused, and takes over only when the
 * first is gone. [utest->req~front-end-is-its-clients~1] */
static void test_rival(void **state)
{
	(void)state;
	world_set("backend/vbd/7/51712/frontend-id", "7");
	world_set("backend/vbd/7/51712/frontend", "/local/domain/7/device/vbd/51712");
	world_set("backend/vbd/7/51712/params", "disk");
	world_fire();
	world_turn(CLOCK_SECOND);
	assert_int_equal(world.k->device.seen.frontend.v, 7);
	assert_int_equal(world.k->device.rival, 0);
	world_set("backend/vbd/5/51712/frontend-id", "5");
	world_set("backend/vbd/5/51712/frontend", "/local/domain/5/device/vbd/51712");
	world_set("backend/vbd/5/51712/params", "disk");
	world_set("backend/vbd/6/51712/frontend-id", "6");
	world_set("backend/vbd/6/51712/params", "other");
	world_fire();
	world_turn(CLOCK_SECOND);
	assert_int_equal(world.k->device.seen.frontend.v, 7);
	assert_int_equal(world.k->device.generation, 1);
	assert_int_equal(world.k->device.rival, 5);
	world_set("backend/vbd/7/51712/params", NULL);
	world_set("backend/vbd/7/51712/frontend-id", NULL);
	world_fire();
	world_turn(CLOCK_SECOND);
	assert_int_equal(world.k->device.seen.frontend.v, 5);
	assert_int_equal(world.k->device.generation, 2);
}

/* A client that closed its end has nothing mapped any more, or its back end is
 * killed for it. [utest->req~who-keeps-is-killed~1] */
static void test_closed(void **state)
{
	(void)state;
	assert_int_equal(map(100, 4), WIRE_OK);
	world_set("/local/domain/3/device/vbd/51712/state", "6");
	world_fire();
	world_turn(CLOCK_SECOND);
	assert_true(world_receive(&m, NULL) > 0);
	assert_true(m.status.flags & WIRE_RELEASE);
	world_turn(10 * CLOCK_SECOND);
	assert_int_equal(world.kills, 1);
}

/* The toolstack's word is checked against itself.
 * [utest->req~front-end-is-its-clients~1] */
static void test_frontend_lies(void **state)
{
	(void)state;
	world_set("backend/vbd/3/51712/frontend", "/local/domain/30/device/vbd/51712");
	world_fire();
	world_turn(CLOCK_SECOND);
	assert_false(world.k->device.seen.present);
	world_set("backend/vbd/3/51712/frontend", "/local/domain/3/device/vbd/51712");
	world_set("backend/vbd/3/51712/frontend-id", "4");
	world_fire();
	world_turn(CLOCK_SECOND);
	assert_false(world.k->device.seen.present);
}

static int listener(struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	at->sun_family = AF_UNIX;
	snprintf(at->sun_path, sizeof(at->sun_path), "%s/keeper", world.dir);
	assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof(*at)), 0);
	assert_int_equal(listen(fd, 2), 0);
	return fd;
}

/* [utest->req~one-back-end-at-a-time~1] */
static void test_connect(void **state)
{
	struct sockaddr_un at = {0};
	int fd = listener(&at), first, second;
	char byte;

	(void)state;
	peer_dead(world.k);
	first = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	second = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(first, (struct sockaddr *)&at, sizeof(at)), 0);
	peer_connect(world.k, accept(fd, NULL, NULL));
	assert_true(world.k->peer.pidfd >= 0);
	assert_int_equal(world.k->peer.stage, PEER_STRANGER);
	assert_int_equal(connect(second, (struct sockaddr *)&at, sizeof(at)), 0);
	peer_connect(world.k, accept(fd, NULL, NULL));
	assert_int_equal(recv(second, &byte, 1, 0), 0); /* one at a time */
	close(first);
	peer_read(world.k);
	assert_int_equal(world.k->peer.pidfd, -1);
	close(second);
	close(fd);
}

/* What a back end reports of its client is on record, as what it is, and cannot forge a
 * line of it. [utest->req~decisions-are-on-record~1] */
static void test_reported(void **state)
{
	(void)state;
	strcpy(fresh()->write.key, "xdd-reason");
	strcpy(m.write.value, "the ring's index (7) jumped");
	assert_int_equal(CALL(WIRE_WRITE, write), WIRE_OK);
	assert_true(audited("\"event\":\"reported\",\"lost\":0,\"text\":\"xdd-reason: "
			    "the ring's index (7) jumped\""));
	strcpy(fresh()->write.key, "xdd-reason");
	strcpy(m.write.value, "x\",\"event\":\"forged");
	assert_int_equal(CALL(WIRE_WRITE, write), WIRE_OK);
	assert_true(audited("\"text\":\"xdd-reason: ?\""));
	assert_false(audited("forged"));
	strcpy(fresh()->write.key, "info");
	strcpy(m.write.value, "8");
	assert_int_equal(CALL(WIRE_WRITE, write), WIRE_OK);
	assert_false(audited("info"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(revoke, setup),	    TEST(generation, setup),
		TEST(storm, setup),	    TEST(exclusive, setup),
		TEST(reload, setup),	    TEST(any, setup_any),
		TEST(frontend_lies, setup), TEST(connect, setup),
		TEST(rival, setup_any),	    TEST(closed, setup),
		TEST(reported, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
