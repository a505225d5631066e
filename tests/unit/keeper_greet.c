/* SPDX-License-Identifier: MIT */
/* How a back end and its keeper meet: which versions, which class, and who is told of
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/clock.h"
#include "tests/unit/keeper-asserts.h"

static void test_hello(void **state)
{
	const struct policy_rate receive[POLICY_RECEIVES] = {{11, 12}, {13, 14}};
	unsigned fds;

	(void)state;
	world.k->peer.stage = PEER_STRANGER;
	memcpy(world.k->policy.receive, receive, sizeof(receive));
	fresh()->hello = (struct wire_hello){1, 1, "blk"};
	assert_int_equal(world_call(&m, WIRE_HELLO, sizeof(m.hello), &fds), WIRE_OK);
	assert_int_equal(fds, WIRE_FD_COUNT);
	assert_int_equal(m.welcome.version, 1);
	assert_int_equal(m.welcome.policy_bytes, strlen(WORLD_POLICY));
	assert_int_equal(world_call(fresh(), WIRE_BEGIN, 0, &fds), WIRE_OK);
	assert_int_equal(m.begin.limits.in_flight, 32);
	assert_memory_equal(m.begin.limits.receive, receive, sizeof(receive));
	world_turn(CLOCK_SECOND);
	assert_true(world_receive(&m, NULL) > 0);
	assert_int_equal(m.header.type, WIRE_STATUS);
	assert_memory_equal(m.status.limits.receive, receive, sizeof(receive));
	assert_int_equal(m.status.flags, WIRE_PRESENT | WIRE_ONLINE);
	assert_int_equal(m.status.front, 3);
	assert_int_equal(m.status.frontend, 3);
	assert_int_equal(m.status.device, 51712);
}

/* To systemd, as soon as it is so: a back end that came to a device which was known. */
static void test_told_of(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char text[128] = "";
	unsigned fds;

	(void)state;
	snprintf(at.sun_path, sizeof(at.sun_path), "/tmp/xdd-notify.%d", getpid());
	assert_int_equal(bind(fd, (void *)&at, sizeof(at)), 0);
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
	world.k->peer.stage = PEER_GREETED;
	assert_int_equal(world_call(fresh(), WIRE_BEGIN, 0, &fds), WIRE_OK);
	unsetenv("NOTIFY_SOCKET");
	unlink(at.sun_path);
	assert_true(recv(fd, text, sizeof(text) - 1, 0) > 0);
	close(fd);
	assert_string_equal(text, "STATUS=serving d3 xvda, generation 1");
}

/* Of a back end a release ahead, or behind: the newest that both speak. */
static void test_hello_neighbour(void **state)
{
	unsigned fds;

	(void)state;
	world.k->peer.stage = PEER_STRANGER;
	fresh()->hello = (struct wire_hello){0, WIRE_VERSION_MAX + 1, "blk"};
	assert_int_equal(world_call(&m, WIRE_HELLO, sizeof(m.hello), &fds), WIRE_OK);
	assert_int_equal(m.welcome.version, WIRE_VERSION_MAX);
}

static void test_hello_refused(void **state)
{
	(void)state;
	world.k->peer.stage = PEER_STRANGER;
	fresh()->hello =
		(struct wire_hello){WIRE_VERSION_MAX + 1, WIRE_VERSION_MAX + 2, "blk"};
	assert_int_equal(CALL(WIRE_HELLO, hello), WIRE_VERSION);
	assert_int_equal(world.kills, 0); /* it was given nothing */
	assert_int_equal(world.k->peer.pidfd, -1);
	world_connect();
	world.k->peer.stage = PEER_STRANGER;
	fresh()->hello = (struct wire_hello){1, 1, "net"};
	assert_int_equal(CALL(WIRE_HELLO, hello), WIRE_REFUSED);
	assert_int_equal(world.kills, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hello, setup),
		TEST(told_of, setup),
		TEST(hello_neighbour, setup),
		TEST(hello_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
