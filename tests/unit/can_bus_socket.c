/* SPDX-License-Identifier: MIT */
/* backends/can/can-bus-socket.c: opening, and what comes. */
#include <sched.h>

#include "tests/unit/can_bus_scene.h"
#include "tests/unit/needs.h"

/* -- Opening --------------------------------------------------------------------- */

static void asked_of_the_kernel(void **state)
{
	(void)state;
	assert_true(can_rules_parse("123,456", &t.receive));
	assert_true(can_rules_parse("00000001", &t.transmit));
	opened();
	assert_true(t.bus->fd);
	assert_true(t.bus->echo);
	assert_int_equal(t.fd_frames, 1);
	assert_int_equal(t.own_msgs, 1);
	assert_int_equal(t.errors, CAN_ERR_MASK);
	/* The union of both lists, or a late acknowledgement would never come. */
	assert_int_equal(t.filters, 3);
	assert_int_equal(t.filter[0].can_id, 0x123);
	assert_int_equal(t.filter[1].can_id, 0x456);
	assert_int_equal(t.filter[2].can_id, CAN_EFF_FLAG | 1);
}

/* On one processor, or frames could overtake each other on a virtual interface. */
static void stays_on_one_processor(void **state)
{
	cpu_set_t cpus;

	(void)state;
	memset(&cpus, 0xff, sizeof(cpus));
	assert_int_equal(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
	opened();
	assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	assert_int_equal(CPU_COUNT(&cpus), 1);
}

static void asked_by_a_narrow_policy(void **state)
{
	(void)state;
	assert_true(can_rules_parse("none", &t.receive));
	assert_int_equal(try_open("can0", false), 0);
	assert_false(t.bus->fd);
	assert_int_equal(t.filters, 0);
	assert_int_equal(t.fd_frames, 0);
}

static void longest_lists(void **state)
{
	(void)state;
	t.receive.n = t.transmit.n = CAN_RULES_MAX;
	for (uint32_t i = 0; i < CAN_RULES_MAX; i++)
		t.receive.rule[i] = t.transmit.rule[i] = (struct can_rule){
			true, false, (i << 20) + 1, (i << 20) + 99999};
	opened();
	assert_true(t.filters > CAN_FILTERS_MAX / 2);
}

static void names(void **state)
{
	static const char *const bad[] = {"", "can0123456789abc", "a/b", "memory:1",
					  "a b"};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(try_open(bad[i], false), -EINVAL);
	assert_null(t.bus);
}

/* Each way to fail, and nothing is left open. */
static void opening_fails(void **state)
{
	int next = open("/dev/null", O_RDONLY), again;

	(void)state;
	close(next);
	t.socket_errno = EAFNOSUPPORT;
	assert_int_equal(try_open("can0", false), -EAFNOSUPPORT);
	t.socket_errno = EPROTONOSUPPORT;
	assert_int_equal(try_open("can0", false), -EAFNOSUPPORT);
	t.socket_errno = EPERM;
	assert_int_equal(try_open("can0", false), -EPERM);
	t.socket_errno = 0;
	t.option_errno = ENOMEM;
	assert_int_equal(try_open("can0", false), -ENOMEM);
	close(t.host);
	t.option_errno = 0;
	t.index_errno = ENODEV;
	assert_int_equal(try_open("can0", false), -ENODEV);
	close(t.host);
	t.index_errno = 0;
	t.mtu = CAN_MTU;
	assert_int_equal(try_open("can0", true), -EPROTONOSUPPORT);
	close(t.host);
	t.mtu = CANFD_MTU;
	t.bind_errno = ENODEV;
	assert_int_equal(try_open("can0", true), -ENODEV);
	close(t.host);
	t.bind_errno = 0;
	t.host = -1;
	assert_null(t.bus);
	again = open("/dev/null", O_RDONLY);
	assert_int_equal(again, next);
	close(again);
}

/* -- Receiving ------------------------------------------------------------------- */

static void frames_come(void **state)
{
	struct canfd_frame fd = {.can_id = CAN_EFF_FLAG | 0x12345678,
				 .len = 12,
				 .flags = CANFD_BRS | 0x80,
				 .data = {1, 2, 3}};

	(void)state;
	opened();
	host_gives_id(0x123);
	host_gives(&fd, CANFD_MTU);
	host_gives_id(OWN_ID);
	turn();
	assert_int_equal(t.heards, 3);
	assert_int_equal(t.heard[0].can_id, 0x123);
	assert_int_equal(t.heard[0].flags, 0);
	assert_int_equal(t.heard[0].data[0], 7);
	assert_int_equal(t.heard[0].data[1], 0); /* behind the data */
	assert_false(t.own[0]);
	assert_int_equal(t.heard[1].can_id, fd.can_id);
	assert_int_equal(t.heard[1].flags, CANFD_FDF | CANFD_BRS);
	assert_int_equal(t.heard[1].len, 12);
	assert_memory_equal(t.heard[1].data, fd.data, 64);
	assert_true(t.own[2]);
	assert_int_equal(t.bus->received, 3);
	/* And again: it is listened to as before. */
	host_gives_id(0x124);
	turn();
	assert_int_equal(t.heards, 4);
}

static void remote_frames_have_no_data(void **state)
{
	struct can_frame frame = {.can_id = 0x123 | CAN_RTR_FLAG, .len = 8};

	(void)state;
	opened();
	memset(frame.data, 0xaa, sizeof(frame.data));
	host_gives(&frame, CAN_MTU);
	turn();
	assert_int_equal(t.heard[0].len, 8);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(t.heard[0].data[i], 0);
}

/* Whatever another process puts there. */
static void no_frames(void **state)
{
	uint8_t bytes[128];
	struct canfd_frame frame = {.can_id = 0x123};

	(void)state;
	opened();
	memset(bytes, 0xff, sizeof(bytes));
	for (size_t size = 1; size < sizeof(bytes); size++)
		host_gives(bytes, size);
	for (unsigned len = 9; len < 256; len += 19) {
		frame.len = (uint8_t)len;
		host_gives(&frame, CAN_MTU);
	}
	frame.len = 65;
	host_gives(&frame, CANFD_MTU);
	frame.len = 8;
	frame.can_id = 0x800;
	host_gives(&frame, CAN_MTU);
	frame.can_id = CAN_RTR_FLAG | 1;
	host_gives(&frame, CANFD_MTU);
	frame.can_id = CAN_ERR_FLAG | CAN_ERR_BUSOFF;
	host_gives(&frame, CANFD_MTU);
	memset(bytes, 0, sizeof(bytes)); /* one, and more behind it */
	host_gives(bytes, CANFD_MTU + 1);
	host_gives_id(0x123);
	for (int i = 0; i < 8 && t.heards < 2; i++)
		turn();
	/* All ones in the size of a frame are an error frame by its flag. */
	assert_int_equal(t.heards, 2);
	assert_int_equal(t.heard[0].can_id, CAN_ERR_FLAG | CAN_ERR_MASK);
	assert_int_equal(t.heard[0].flags, 0);
	assert_int_equal(t.heard[1].can_id, 0x123);
	assert_int_equal(t.failed, 0);
}

static void error_frames(void **state)
{
	struct can_frame frame = {.can_id = CAN_ERR_FLAG | CAN_EFF_FLAG | CAN_RTR_FLAG |
					    CAN_ERR_BUSOFF | CAN_ERR_CNT,
				  .len = 7};

	(void)state;
	opened();
	memset(frame.data, 0xaa, sizeof(frame.data));
	host_gives(&frame, CAN_MTU);
	turn();
	assert_int_equal(t.heards, 1);
	assert_int_equal(t.heard[0].can_id,
			 CAN_ERR_FLAG | CAN_ERR_BUSOFF | CAN_ERR_CNT);
	assert_int_equal(t.heard[0].len, 8);
	assert_int_equal(t.heard[0].data[6], 0xaa);
	assert_int_equal(t.heard[0].data[7], 0);
	assert_int_equal(t.bus->received, 0);
}

/* A turn of ours is not for ever, however much lies there; and nothing is forgotten. */
static void bounded_turns(void **state)
{
	uint32_t n = 5 * CAN_BUS_BATCH, before;
	int bytes = 1 << 22, turns = 0;

	(void)state;
	opened();
	__real_setsockopt(t.host, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	for (uint32_t i = 0; i < n; i++)
		host_gives_id(i);
	while (t.heards < n) {
		before = t.heards;
		turn();
		assert_true(t.heards - before <= 4 * CAN_BUS_BATCH);
		assert_true(++turns < 10);
	}
	assert_true(turns >= 2);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(t.heard[i].can_id, i);
}

static void times(void **state)
{
	uint64_t start = clock_now();

	(void)state;
	opened();
	for (uint32_t i = 0; i < 4; i++)
		host_gives_id(i);
	usleep(20000);
	turn();
	for (uint32_t i = 0; i < 4; i++) {
		/* Its two clocks may be read apart, on a machine that is busy. */
		assert_true(t.time[i] >= (i ? t.time[i - 1] : start - CLOCK_SECOND));
		/* When the host had it, not when we took it. */
		assert_true(t.time[i] < clock_now() - 10 * CLOCK_MS);
	}
}

/* The wall clock was set: ours only grows, and says nothing of what is to come. */
static void times_while_the_clock_is_set(void **state)
{
	(void)state;
	opened();
	host_gives_id(1);
	turn();
	t.step = 3600;
	host_gives_id(2);
	turn();
	assert_true(t.time[1] >= t.time[0] && t.time[1] <= clock_now());
	t.step = -3600;
	host_gives_id(3);
	turn();
	assert_true(t.time[2] == t.time[1]);
	t.step = 0;
	host_gives_id(4);
	turn();
	assert_true(t.time[3] >= t.time[2] && t.time[3] <= clock_now());
}

static void lost_by_the_host(void **state)
{
	(void)state;
	opened();
	host_gives_id(0x100);
	t.lost = 5;
	host_gives_id(LOST_ID);
	turn();
	assert_int_equal(t.bus->overruns, 5);
	t.lost = 2; /* it has come around */
	host_gives_id(LOST_ID);
	turn();
	assert_int_equal(t.bus->overruns, 0x100000000ull + 2);
	host_gives_id(0x100);
	turn();
	assert_int_equal(t.bus->overruns, 0x100000000ull + 2);
}

static void interface_down(void **state)
{
	(void)state;
	opened();
	t.receive_errno = ENETDOWN;
	host_gives_id(0x100);
	turn();
	assert_int_equal(t.downs, 1);
	assert_int_equal(t.heards, 1); /* what lay there before */
	host_gives_id(0x101);
	turn();
	assert_int_equal(t.heards, 2);
	assert_int_equal(t.failed, 0);
}

static void interface_gone(void **state)
{
	(void)state;
	opened();
	t.receive_errno = ENODEV;
	host_gives_id(0x100);
	turn();
	assert_int_equal(t.failed, -ENODEV);
	assert_false(loop_queued(&t.loop)); /* it is listened to no more */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bus_test(asked_of_the_kernel),
		bus_test(stays_on_one_processor),
		bus_test(asked_by_a_narrow_policy),
		bus_test(longest_lists),
		bus_test(names),
		bus_test(opening_fails),
		bus_test(frames_come),
		bus_test(remote_frames_have_no_data),
		bus_test(no_frames),
		bus_test(error_frames),
		bus_test(bounded_turns),
		bus_test(times),
		bus_test(times_while_the_clock_is_set),
		bus_test(lost_by_the_host),
		bus_test(interface_down),
		bus_test(interface_gone),
	};

	if (!needs_io_uring())
		return needs_skip_all(tests, sizeof(tests) / sizeof(tests[0]),
				      "no io_uring here");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
