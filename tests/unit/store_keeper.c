/* SPDX-License-Identifier: MIT */
/* Xenstore and event channels through a scripted keeper. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <cmocka.h>

#include "tests/unit/client_pair.h"
#include "xenbus/evtchn-keeper.h"
#include "xenbus/store-keeper.h"

static struct pair pair;
static struct store_keeper keeper;
static struct store *store;
static struct evtchn_keeper evtchn_keeper;
static struct evtchn *evtchn;

static int set_up(void **state)
{
	(void)state;
	pair_init(&pair);
	store_keeper_init(&keeper, &pair.client);
	store = &keeper.store;
	evtchn_keeper_init(&evtchn_keeper, &pair.client);
	evtchn = &evtchn_keeper.evtchn;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	evtchn_keeper_fini(&evtchn_keeper);
	pair_fini(&pair);
	return 0;
}

static void reads(void **state)
{
	char value[STORE_VALUE_MAX + 1];

	(void)state;
	strcpy(pair_message(&pair)->value.value, "51712");
	pair_reply(&pair, WIRE_READ, WIRE_OK, sizeof(struct wire_value));
	assert_int_equal(
		store_read(store, STORE_FRONT, "virtual-device", value, sizeof(value)),
		STORE_OK);
	assert_string_equal(value, "51712");
	pair_request(&pair);
	assert_int_equal(pair.message.read.side, STORE_FRONT);
	assert_string_equal(pair.message.read.key, "virtual-device");
}

static void read_results(void **state)
{
	static const struct {
		enum wire_result result;
		int status;
	} cases[] = {
		{WIRE_ABSENT, STORE_ABSENT},	{WIRE_TOO_LONG, STORE_TOO_LONG},
		{WIRE_REFUSED, STORE_REFUSED},	{WIRE_BAD, STORE_REFUSED},
		{WIRE_LATE, STORE_LATE},	{WIRE_FULL, STORE_FULL},
		{WIRE_NO_DEVICE, STORE_ABSENT}, {WIRE_ENOMEM, -ENOMEM},
		{WIRE_BUSY, -EPROTO},
	};
	char value[STORE_VALUE_MAX + 1] = "as it was";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pair_result(&pair, WIRE_READ, cases[i].result);
		assert_int_equal(
			store_read(store, STORE_BACK, "state", value, sizeof(value)),
			cases[i].status);
		assert_string_equal(value, "as it was");
	}
}

static void value_without_end(void **state)
{
	char value[STORE_VALUE_MAX + 1];

	(void)state;
	memset(pair_message(&pair)->value.value, 'x', WIRE_VALUE_BYTES);
	pair_reply(&pair, WIRE_READ, WIRE_OK, sizeof(struct wire_value));
	assert_int_equal(store_read(store, STORE_BACK, "state", value, sizeof(value)),
			 -EPROTO);
}

static void writes_and_removes(void **state)
{
	(void)state;
	pair_result(&pair, WIRE_WRITE, WIRE_OK);
	assert_int_equal(store_write(store, "state", "4"), STORE_OK);
	pair_request(&pair);
	assert_string_equal(pair.message.write.key, "state");
	assert_string_equal(pair.message.write.value, "4");
	pair_result(&pair, WIRE_REMOVE, WIRE_OK);
	assert_int_equal(store_remove(store), STORE_OK);
	assert_int_equal(pair_request(&pair), sizeof(struct wire_header));
	pair_result(&pair, WIRE_WRITE, WIRE_FULL);
	assert_int_equal(store_write(store, "state", "4"), STORE_FULL);
}

static void status(void **state)
{
	struct store_status s;

	(void)state;
	assert_int_equal(store->fd, pair.client.fd);
	assert_int_equal(store_poll(store, &s), 0);
	assert_false(s.present);
	pair_status(&pair, WIRE_PRESENT | WIRE_ONLINE, 1, 1);
	pair_status(&pair, WIRE_PRESENT | WIRE_RELEASE, 3, 4);
	assert_int_equal(store_poll(store, &s), 1);
	assert_true(s.present);
	assert_false(s.online);
	assert_true(s.release);
	assert_int_equal(s.generation, 3);
	assert_int_equal(s.front, STORE_CONNECTED);
	assert_int_equal(store_poll(store, &s), 0);
	pair_status(&pair, 0, 3, 77); /* a state that is none */
	assert_int_equal(store_poll(store, &s), 1);
	assert_int_equal(s.front, STORE_UNKNOWN);
}

/* One that came with a reply is not lost. */
static void status_with_a_reply(void **state)
{
	struct store_status s;

	(void)state;
	pair_status(&pair, WIRE_PRESENT, 8, 3);
	pair_result(&pair, WIRE_WRITE, WIRE_OK);
	assert_int_equal(store_write(store, "state", "2"), STORE_OK);
	assert_int_equal(store_poll(store, &s), 1);
	assert_int_equal(s.generation, 8);
	assert_int_equal(store_poll(store, &s), 0);
}

static void keeper_gone(void **state)
{
	struct store_status s = {.generation = 5};

	(void)state;
	close(pair.keeper);
	pair.keeper = -1;
	assert_int_equal(store_poll(store, &s), -EPIPE);
	assert_int_equal(s.generation, 5);
	assert_int_equal(store_write(store, "state", "4"), -EPIPE);
}

static void will_bind(uint32_t port, int fd)
{
	pair_message(&pair)->bound.port = port;
	pair_reply_fds(&pair, WIRE_BIND, WIRE_OK, sizeof(struct wire_bound), &fd, 1, 1);
}

/* What a pipe says to a call that is not its own: ENOTTY, but from an emulator
 * that does not know the call ENOSYS. */
static int not_its_call(int fd)
{
	return ioctl(fd, _IO('E', 0xff)) < 0 ? -errno : 0;
}

/* A pipe's end plays the device: what it holds is pending. */
static void events(void **state)
{
	struct evport port = {0};
	uint32_t pending = 11;
	int pipes[2];

	(void)state;
	assert_int_equal(evtchn_pending(evtchn, &port), 0); /* not bound yet */
	assert_int_equal(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), 0);
	will_bind(11, pipes[0]);
	assert_int_equal(evtchn_bind(evtchn, "event-channel", &port), EVTCHN_OK);
	assert_int_equal(port.v, 11);
	assert_int_equal(evtchn_pending(evtchn, &port), 0);
	assert_int_equal(write(pipes[1], &pending, 4), 4);
	assert_int_equal(evtchn_pending(evtchn, &port), 1);
	assert_int_equal(port.v, 11);
	/* It got that far. */
	assert_int_equal(evtchn_notify(evtchn, port), not_its_call(pipes[0]));
	assert_int_equal(evtchn_unmask(evtchn, port), -EBADF); /* a reading end */
	pair_request(&pair);
	assert_string_equal(pair.message.name.key, "event-channel");
	pair_result(&pair, WIRE_UNBIND, WIRE_OK);
	assert_int_equal(evtchn_unbind(evtchn, port), EVTCHN_OK);
	close(pipes[0]);
	close(pipes[1]);
}

/* The newest descriptor is the one; the one before is closed. */
static void bind_again(void **state)
{
	struct evport port;
	int pipes[2], first;

	(void)state;
	assert_int_equal(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), 0);
	will_bind(11, pipes[0]);
	assert_int_equal(evtchn_bind(evtchn, "event-channel", &port), EVTCHN_OK);
	first = evtchn->fd;
	will_bind(12, pipes[1]);
	assert_int_equal(evtchn_bind(evtchn, "event-channel", &port), EVTCHN_OK);
	assert_int_equal(port.v, 12);
	assert_int_not_equal(evtchn->fd, first);
	assert_int_equal(fcntl(first, F_GETFD), -1);
	assert_int_equal(evtchn_unmask(evtchn, port), 0);
	close(pipes[0]);
	close(pipes[1]);
}

static void bind_results(void **state)
{
	static const struct {
		enum wire_result result;
		int status;
	} cases[] = {
		{WIRE_REFUSED, EVTCHN_REFUSED},
		{WIRE_BAD, EVTCHN_BAD},
		{WIRE_ABSENT, EVTCHN_ABSENT},
		{WIRE_LATE, EVTCHN_LATE},
		{WIRE_NO_DEVICE, EVTCHN_ABSENT},
		{WIRE_ENOMEM, -ENOMEM},
		{WIRE_BUSY, -EPROTO},
	};
	struct evport port = {3};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pair_result(&pair, WIRE_BIND, cases[i].result);
		assert_int_equal(evtchn_bind(evtchn, "event-channel", &port),
				 cases[i].status);
		assert_int_equal(port.v, 3);
		assert_int_equal(evtchn->fd, -1);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads),
		TEST(read_results),
		TEST(value_without_end),
		TEST(writes_and_removes),
		TEST(status),
		TEST(status_with_a_reply),
		TEST(keeper_gone),
		TEST(events),
		TEST(bind_again),
		TEST(bind_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
