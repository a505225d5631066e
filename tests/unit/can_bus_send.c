/* SPDX-License-Identifier: MIT */
/* backends/can/can-bus-socket.c: what goes. */
#include "tests/unit/can_bus_scene.h"
#include "tests/unit/needs.h"

static void give(canid_t can_id)
{
	const struct canfd_frame frame = {.can_id = can_id, .len = 1, .data = {1}};

	can_bus_send(t.bus, &frame);
}

/* The next that the kernel got. */
static void expect_sent(canid_t can_id)
{
	struct canfd_frame frame;

	assert_int_equal(recv(t.host, &frame, sizeof(frame), MSG_DONTWAIT), CAN_MTU);
	assert_int_equal(frame.can_id, can_id);
}

static void expect_none_sent(void)
{
	struct canfd_frame frame;

	assert_int_equal(recv(t.host, &frame, sizeof(frame), MSG_DONTWAIT), -1);
}

static void sent_at_once(void **state)
{
	const struct canfd_frame fd = {
		.can_id = 1, .flags = CANFD_FDF | CANFD_BRS, .len = 64, .data = {9}};
	struct canfd_frame got;

	(void)state;
	opened();
	give(0x123);
	assert_int_equal(t.writtens, 1);
	assert_int_equal(t.written[0], 0);
	expect_sent(0x123);
	can_bus_send(t.bus, &fd);
	assert_int_equal(recv(t.host, &got, sizeof(got), MSG_DONTWAIT), CANFD_MTU);
	assert_memory_equal(&got, &fd, sizeof(fd));
	assert_int_equal(t.bus->sent, 2);
	assert_int_equal(t.bus->waiting, 0);
}

/* A turn is due @ms after what was done since @before. */
static void expect_due(uint64_t before, uint64_t ms)
{
	assert_true(t.bus->due >= before + ms * CLOCK_MS);
	assert_true(t.bus->due <= clock_now() + ms * CLOCK_MS);
}

static void no_room(int err)
{
	uint64_t before = clock_now(), due;

	opened();
	t.write_errno = err;
	t.write_budget = 1;
	for (canid_t id = 1; id <= 4; id++)
		give(id);
	assert_int_equal(t.writtens, 1);
	assert_int_equal(t.bus->waiting, 3);
	expect_sent(1);
	expect_none_sent();
	expect_due(before, 1);
	/* By time: twice as long each time, to 16 ms. */
	for (uint64_t ms = 2; ms < 100; ms *= 2) {
		due = t.bus->due;
		can_bus_turn(t.bus, due - 1);
		assert_true(t.bus->due == due);
		before = clock_now();
		can_bus_turn(t.bus, due);
		expect_due(before, ms < 16 ? ms : 16);
	}
	t.write_errno = 0;
	can_bus_turn(t.bus, t.bus->due);
	assert_int_equal(t.writtens, 4);
	for (canid_t id = 2; id <= 4; id++)
		expect_sent(id);
	assert_true(t.bus->due == UINT64_MAX);
	/* The time begins anew. */
	t.write_errno = err;
	before = clock_now();
	give(5);
	expect_due(before, 1);
}

static void no_room_in_the_queue(void **state)
{
	(void)state;
	no_room(ENOBUFS);
}

static void no_room_in_the_socket(void **state)
{
	(void)state;
	no_room(EAGAIN);
}

/* One that was on the wire has made room. */
static void tried_when_one_was_heard(void **state)
{
	(void)state;
	opened();
	t.write_errno = ENOBUFS;
	give(1);
	give(2);
	t.write_errno = 0;
	host_gives_id(0x100);
	assert_int_equal(loop_turn(&t.loop, true), 0);
	expect_none_sent();
	host_gives_id(OWN_ID);
	assert_int_equal(loop_turn(&t.loop, true), 0);
	expect_sent(1);
	expect_sent(2);
	assert_int_equal(t.writtens, 2);
	assert_true(t.bus->due == UINT64_MAX);
}

/* What written() brings is behind those that wait. */
static void order_from_within(void **state)
{
	const struct canfd_frame answer = {.can_id = 9, .len = 1};

	(void)state;
	opened();
	t.write_errno = ENOBUFS;
	give(1);
	give(2);
	t.write_errno = 0;
	t.answer = &answer;
	can_bus_turn(t.bus, t.bus->due);
	expect_sent(1);
	expect_sent(2);
	expect_sent(9);
	assert_int_equal(t.writtens, 3);
}

/* As much as there may be, again and again: the ring of those that wait turns. */
static void windows(void **state)
{
	(void)state;
	opened();
	for (canid_t round = 0; round < 5; round++) {
		t.write_errno = ENOBUFS;
		t.write_budget = 0;
		for (canid_t id = 0; id < CAN_BUS_WINDOW - round; id++)
			give(id);
		assert_int_equal(t.bus->waiting, CAN_BUS_WINDOW - round);
		t.write_errno = 0;
		can_bus_turn(t.bus, t.bus->due);
		for (canid_t id = 0; id < CAN_BUS_WINDOW - round; id++)
			expect_sent(id);
	}
}

static void dropped(void **state)
{
	(void)state;
	opened();
	t.write_errno = ENOBUFS;
	t.write_budget = 1;
	give(1);
	give(2);
	give(3);
	can_bus_drop(t.bus);
	assert_int_equal(t.writtens, 3);
	assert_int_equal(t.written[0], 0);
	assert_int_equal(t.written[1], -ECANCELED);
	assert_int_equal(t.written[2], -ECANCELED);
	assert_int_equal(t.bus->waiting, 0);
	assert_true(t.bus->due == UINT64_MAX);
	t.write_errno = 0;
	give(4);
	expect_sent(1);
	expect_sent(4);
}

static void down_while_sending(void **state)
{
	(void)state;
	opened();
	t.write_errno = ENOBUFS;
	give(1);
	give(2);
	t.write_errno = ENETDOWN;
	t.up_again = true; /* the second is not tried any more */
	can_bus_turn(t.bus, t.bus->due);
	assert_int_equal(t.writtens, 2);
	assert_int_equal(t.written[0], -ENETDOWN);
	assert_int_equal(t.written[1], -ENETDOWN);
	expect_none_sent();
	t.write_errno = ENETDOWN;
	give(3);
	assert_int_equal(t.written[2], -ENETDOWN);
	t.write_errno = 0;
	give(4);
	assert_int_equal(t.written[3], 0);
	expect_sent(4);
	assert_int_equal(t.bus->sent, 1);
}

/* One that the host does not want is told, and the next goes on. */
static void not_wanted(void **state)
{
	(void)state;
	opened();
	t.write_errno = EINVAL;
	give(1);
	t.write_errno = 0;
	give(2);
	assert_int_equal(t.writtens, 2);
	assert_int_equal(t.written[0], -EINVAL);
	expect_sent(2);
	assert_int_equal(t.failed, 0);
}

static void gone_while_sending(void **state)
{
	(void)state;
	opened();
	t.write_errno = ENXIO;
	give(1);
	give(2);
	assert_int_equal(t.failed, -ENODEV);
	assert_int_equal(t.writtens, 0); /* a successor sends them again */
	t.write_errno = 0;
	can_bus_turn(t.bus, UINT64_MAX - 1);
	expect_none_sent();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bus_test(sent_at_once),
		bus_test(no_room_in_the_queue),
		bus_test(no_room_in_the_socket),
		bus_test(tried_when_one_was_heard),
		bus_test(order_from_within),
		bus_test(windows),
		bus_test(dropped),
		bus_test(down_while_sending),
		bus_test(not_wanted),
		bus_test(gone_while_sending),
	};

	if (!needs_io_uring())
		return needs_skip_all(tests, sizeof(tests) / sizeof(tests[0]),
				      "no io_uring here");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
