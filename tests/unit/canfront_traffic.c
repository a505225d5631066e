/* SPDX-License-Identifier: MIT */
/* xdd-canfront whole, in a world of the test's (canfront-world.h): frames both ways,
 * the interface, and what the controller says of itself. */
#include "program.h"

#include <linux/can/error.h>
#include <sys/socket.h>

#include "tests/unit/canfront-world.h"

static struct front_counters *counters(void)
{
	return &world.front.traffic.n;
}

static int down(void **state)
{
	(void)state;
	world_stop();
	return 0;
}

static int up(void **state)
{
	(void)state;
	world_up("0 vcan0");
	return 0;
}

static void link_is(enum front_link_state link)
{
	world.link = link;
	(void)!send(world.link_event[1], "", 1, MSG_DONTWAIT);
	world_run(0);
}

static void back_is(const char *state)
{
	world_write(WORLD_BACK, "state", state);
	world_run(0);
}

/* -- Frames ---------------------------------------------------------------- */

static void frames_to_the_bus(void **state)
{
	struct canif_request rq;

	(void)state;
	world_send(0x123, 0, 8);
	world_send(CAN_EFF_FLAG | 0x12345678, CANFD_FDF | CANFD_BRS, 64);
	world_send(CAN_RTR_FLAG | 0x7ff, 0, 0);
	world.notified = 0;
	world_run(0);
	assert_int_equal(world.notified, 1); /* one for all */
	assert_true(world_take(&rq));
	assert_int_equal(rq.frame.can_id, 0x123);
	assert_int_equal(rq.frame.data[7], 0x23);
	world_answer(&rq, CAN_OK);
	assert_true(world_take(&rq));
	assert_int_equal(rq.frame.can_id, CAN_EFF_FLAG | 0x12345678);
	assert_int_equal(rq.frame.flags, CANFD_FDF | CANFD_BRS);
	assert_int_equal(rq.frame.len, 64);
	world_answer(&rq, CAN_OK);
	assert_true(world_take(&rq));
	assert_int_equal(rq.frame.can_id, CAN_RTR_FLAG | 0x7ff);
	world_answer(&rq, CAN_DENIED);
	assert_false(world_take(&rq));
	world_push();
	world_run(0);
	assert_int_equal(counters()->sent, 2);
	assert_int_equal(counters()->refused[XENCAN_DENIED], 1);
}

static void frames_from_the_bus(void **state)
{
	struct canfd_frame got;
	unsigned n = 0;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		for (unsigned i = 0; i <= round % 64; i++) {
			struct can_event event = {
				.kind = CAN_EVENT_FRAME,
				.frame = {.can_id = (n + i) & CAN_SFF_MASK,
					  .len = 8,
					  .flags = i % 2 ? CANFD_FDF : 0},
			};

			memset(event.frame.data, (int)i, 8);
			world_event(&event);
		}
		world_push();
		world_run(0);
		for (unsigned i = 0; i <= round % 64; i++, n++) {
			assert_true(world_receive(&got));
			assert_int_equal(got.can_id, n & CAN_SFF_MASK);
			assert_int_equal(got.flags, i % 2 ? CANFD_FDF : 0);
			assert_int_equal(got.data[7], i);
		}
		assert_false(world_receive(&got));
	}
	assert_int_equal(counters()->received, n);
}

/* Many more than the ring holds, both ways at once, none lost, none twice, in order. */
static void a_flood_both_ways(void **state)
{
	uint32_t sent = 0, got = 0, told = 0, heard = 0;
	struct canif_request rq;
	struct canfd_frame frame;

	(void)state;
	while (got < 20000 || heard < 20000) {
		for (unsigned i = 0; i < 9 && sent < 20000; i++)
			world_send(sent++ & CAN_SFF_MASK, 0, 0);
		for (unsigned i = 0; i < 17 && told < 20000; i++) {
			struct can_event event = {
				.kind = CAN_EVENT_FRAME,
				.frame = {.can_id = CAN_EFF_FLAG | told++}};

			world_event(&event);
		}
		for (; world_take(&rq); world_answer(&rq, CAN_OK)) {
			assert_int_equal(rq.frame.can_id, got & CAN_SFF_MASK);
			got++;
		}
		world_push();
		world_run(0);
		for (; world_receive(&frame); heard++)
			assert_int_equal(frame.can_id, CAN_EFF_FLAG | heard);
	}
	world_serve(CAN_OK);
	world_push();
	world_run(0);
	assert_int_equal(counters()->sent, 20000);
	assert_int_equal(heard, 20000);
}

/* The ring is full: the socket waits, and nothing is dropped or reordered. */
static void a_back_end_that_does_not_answer(void **state)
{
	struct canif_request rq;
	uint32_t sent = 0, got = 0;

	(void)state;
	for (; sent < 70; sent++) {
		world_send(sent, 0, 0);
		world_run(0);
	}
	assert_int_equal(front_ring_out(&world.front.traffic.device.tx), 62);
	assert_false(front_traffic_reads(&world.front.traffic));
	for (unsigned i = 0; i < 200 && got < sent; i++) {
		while (world_take(&rq)) {
			assert_int_equal(rq.frame.can_id, got++);
			world_answer(&rq, CAN_OK);
		}
		world_push();
		world_run(0);
	}
	assert_int_equal(got, sent);
}

static void no_fd_either_way(void **state)
{
	struct canif_request rq;
	struct canfd_frame got;
	struct can_event event = {.kind = CAN_EVENT_FRAME,
				  .frame = {.flags = CANFD_FDF}};

	(void)state;
	assert_true(world_start("0 vcan0"));
	world_attach("1");
	world_write(WORLD_BACK, "feature-fd", "0");
	back_is("2");
	world_connect();
	world_run(0);
	world_send(0x123, CANFD_FDF, 12);
	world_send(0x124, 0, 8);
	world_run(0);
	assert_true(world_take(&rq) && rq.op == CANIF_START);
	assert_true(world_take(&rq));
	assert_int_equal(rq.frame.can_id, 0x124);
	assert_false(world_take(&rq));
	assert_int_equal(counters()->no_fd, 1);
	world_stop();

	/* An interface of classic frames. */
	world_up("0 vcan0");
	world.link_fd = false;
	link_is(FRONT_LINK_UP);
	world_event(&event);
	event.frame.flags = 0;
	event.frame.can_id = 0x55;
	world_event(&event);
	world_push();
	world_run(0);
	assert_true(world_receive(&got));
	assert_int_equal(got.can_id, 0x55);
	assert_false(world_receive(&got));
	assert_int_equal(counters()->no_fd, 1);
}

/* -- The interface and the controller -------------------------------------- */

static void down_is_stop_and_up_is_start(void **state)
{
	struct canif_request rq;

	(void)state;
	link_is(FRONT_LINK_DOWN);
	assert_true(world_take(&rq) && rq.op == CANIF_STOP);
	world_answer(&rq, CAN_OK);
	world_push();
	world_run(0);
	world_send(0x123, 0, 1); /* somebody's, late */
	world_run(0);
	assert_false(world_take(&rq));
	assert_int_equal(counters()->idle, 1);
	link_is(FRONT_LINK_UP);
	assert_true(world_take(&rq) && rq.op == CANIF_START);
	assert_false(world_take(&rq)); /* the old frame is not sent */
}

static void an_interface_that_is_made_anew(void **state)
{
	struct canif_request rq;

	(void)state;
	link_is(FRONT_LINK_ABSENT);
	assert_true(world_take(&rq) && rq.op == CANIF_STOP);
	world_answer(&rq, CAN_OK);
	world_push();
	world_run(1000);
	assert_int_equal(world.front.traffic.can.fd, -1);
	world_event(&(struct can_event){.kind = CAN_EVENT_FRAME});
	world_push();
	world_run(0); /* nobody hears it */
	assert_int_equal(world.front.traffic.can.unsent, 1);
	world.link_index++;
	link_is(FRONT_LINK_UP);
	assert_true(world_take(&rq) && rq.op == CANIF_START);
	world_send(0x77, 0, 0);
	world_run(0);
	assert_true(world_take(&rq));
	assert_int_equal(rq.frame.can_id, 0x77);
}

/* The socket says that something is wrong: the interface is asked. */
static void a_socket_that_fails(void **state)
{
	struct canif_request rq;

	(void)state;
	world.link = FRONT_LINK_DOWN;
	shutdown(world.wire, SHUT_RDWR);
	close(world.wire);
	world.wire = -1;
	world_event(&(struct can_event){.kind = CAN_EVENT_FRAME});
	world_push();
	world_run(0);
	assert_true(world_take(&rq) && rq.op == CANIF_STOP);
}

static bool error_frame(canid_t classes)
{
	struct canfd_frame got;

	return world_receive(&got) && got.can_id == (CAN_ERR_FLAG | classes);
}

static void tell(enum can_state in)
{
	world_event(&(struct can_event){.kind = CAN_EVENT_STATE,
					.state = in,
					.tx_errors = CAN_COUNTER_UNKNOWN,
					.rx_errors = CAN_COUNTER_UNKNOWN});
	world_push();
	world_run(0);
}

static unsigned starts(void)
{
	struct canif_request rq;
	unsigned n = 0;

	for (; world_take(&rq); n++) {
		assert_int_equal(rq.op, CANIF_START);
		world_answer(&rq, CAN_OK);
	}
	world_push();
	return n;
}

static void bus_off_and_back(void **state)
{
	(void)state;
	tell(CAN_STATE_IS_PASSIVE);
	assert_true(error_frame(CAN_ERR_CRTL));
	tell(CAN_STATE_IS_BUS_OFF);
	assert_true(error_frame(CAN_ERR_BUSOFF));
	world_run(50);
	assert_int_equal(starts(), 0);
	world_run(100);
	assert_int_equal(starts(), 1);
	tell(CAN_STATE_IS_ACTIVE);
	assert_true(error_frame(CAN_ERR_RESTARTED));
	world_run(20000);
	assert_int_equal(starts(), 0);
	/* It stays off: at last every 5 seconds. */
	tell(CAN_STATE_IS_DOWN);
	assert_true(error_frame(CAN_ERR_BUSOFF));
	for (unsigned i = 0, n = 0; i < 60; i++) {
		world_run(1000);
		n += starts();
		if (i == 59)
			assert_in_range(n, 15, 18);
	}
	assert_int_equal(counters()->bus_offs, 1);
}

static void never_back_by_itself(void **state)
{
	(void)state;
	world_up("--restart-ms 0 0 vcan0");
	tell(CAN_STATE_IS_BUS_OFF);
	world_run(60000);
	assert_int_equal(starts(), 0);
	link_is(FRONT_LINK_DOWN);
	world_serve(CAN_OK);
	link_is(FRONT_LINK_UP);
	assert_int_equal(starts(), 1);
}

static void losses_and_errors(void **state)
{
	struct can_event error = {.kind = CAN_EVENT_ERROR,
				  .frame = {.can_id = CAN_ERR_FLAG | CAN_ERR_PROT,
					    .len = 8,
					    .data = {0, 0, 4}}};

	(void)state;
	world_event(&(struct can_event){.kind = CAN_EVENT_LOST, .lost = 41});
	world_event(
		&(struct can_event){.kind = CAN_EVENT_LOST, .lost = CAN_LOST_UNKNOWN});
	world_event(&error);
	world_push();
	world_run(0);
	assert_true(error_frame(CAN_ERR_CRTL));
	assert_true(error_frame(CAN_ERR_CRTL));
	assert_true(error_frame(CAN_ERR_PROT));
	assert_int_equal(counters()->lost, 41);
	assert_int_equal(counters()->lost_unknown, 1);
	assert_int_equal(counters()->errors, 1);
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, NULL, down)
#define UP(test)    cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UP(frames_to_the_bus),
		UP(frames_from_the_bus),
		UP(a_flood_both_ways),
		UP(a_back_end_that_does_not_answer),
		ALONE(no_fd_either_way),
		UP(down_is_stop_and_up_is_start),
		UP(an_interface_that_is_made_anew),
		UP(a_socket_that_fails),
		UP(bus_off_and_back),
		ALONE(never_back_by_itself),
		UP(losses_and_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
