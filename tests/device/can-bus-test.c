/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "backends/can/can-frame.h"
#include "tests/device/can-bus-test.h"

static struct can_bus_test *test_of(struct can_bus *bus)
{
	return (struct can_bus_test *)bus;
}

static struct canfd_frame take(struct canfd_frame *list, uint32_t *n)
{
	struct canfd_frame first = list[0];

	assert(*n);
	memmove(list, list + 1, --*n * sizeof(*list));
	return first;
}

/* -- On the wire ---------------------------------------------------------- */

static void echo(struct can_bus_test *t)
{
	struct canfd_frame frame = take(t->written, &t->nwritten);

	t->bus.received++;
	t->bus.user->heard(&t->bus, &frame, true, t->now);
}

static void write_one(struct can_bus_test *t, int res)
{
	struct canfd_frame frame = take(t->given, &t->bus.waiting);

	if (!res) {
		assert(t->nseen < CAN_BUS_TEST_SEEN);
		t->bus.sent++;
		t->seen[t->nseen++] = frame;
	}
	if (!res && t->bus.echo && t->nwritten < CAN_BUS_TEST_SEEN)
		t->written[t->nwritten++] = frame;
	t->bus.user->written(&t->bus, res);
	if (t->nwritten && !res && !t->mute)
		echo(t);
}

static void test_send(struct can_bus *bus, const struct canfd_frame *frame)
{
	struct can_bus_test *t = test_of(bus);

	assert(bus->waiting < CAN_BUS_WINDOW);
	t->given[bus->waiting++] = *frame;
	if (!t->holds)
		write_one(t, 0);
}

static void test_drop(struct can_bus *bus)
{
	while (bus->waiting)
		write_one(test_of(bus), -ECANCELED);
}

static void test_turn(struct can_bus *bus, uint64_t now)
{
	test_of(bus)->now = now;
}

static void test_close(struct can_bus *bus)
{
	(void)bus;
}

static const struct can_bus_ops test_ops = {
	.send = test_send,
	.drop = test_drop,
	.turn = test_turn,
	.close = test_close,
};

void can_bus_test_open(struct can_bus_test *t, bool fd, bool has_echo)
{
	t->bus = (struct can_bus){
		.ops = &test_ops, .fd = fd, .echo = has_echo, .due = UINT64_MAX};
	can_bus_test_reopen(t);
	t->nseen = 0;
}

void can_bus_test_reopen(struct can_bus_test *t)
{
	t->bus.waiting = t->nwritten = 0;
	t->used = false;
}

/* -- The test's words ----------------------------------------------------- */

void can_bus_test_write(struct can_bus_test *t, int res)
{
	t->used = true;
	write_one(t, res);
}

void can_bus_test_write_all(struct can_bus_test *t)
{
	/* What is given meanwhile is not meant. */
	for (uint32_t n = t->bus.waiting; n; n--)
		can_bus_test_write(t, 0);
}

void can_bus_test_down(struct can_bus_test *t)
{
	t->used = true;
	if (!t->bus.waiting)
		t->bus.user->down(&t->bus);
	while (t->bus.waiting)
		write_one(t, -ENETDOWN);
}

void can_bus_test_echo(struct can_bus_test *t)
{
	t->used = true;
	echo(t);
}

void can_bus_test_hear(struct can_bus_test *t, const struct canfd_frame *frame)
{
	t->used = true;
	t->bus.received++;
	t->bus.user->heard(&t->bus, frame, false, t->now);
}

void can_bus_test_error(struct can_bus_test *t, canid_t classes, uint8_t controller)
{
	struct canfd_frame frame = {
		.can_id = CAN_ERR_FLAG | classes,
		.len = CAN_ERR_DLC,
		.data = {[1] = controller},
	};

	t->used = true;
	t->bus.user->heard(&t->bus, &frame, false, t->now);
}

/* -- Frames --------------------------------------------------------------- */

struct canfd_frame can_frame(canid_t id, uint8_t len, unsigned seed)
{
	struct canfd_frame frame = {.can_id = id, .len = len};

	for (unsigned i = 0; i < len && i < sizeof(frame.data); i++)
		frame.data[i] = (uint8_t)(seed >> 8 * (i % 4));
	return frame;
}

struct canfd_frame can_frame_of_fd(canid_t id, uint8_t len, unsigned seed)
{
	struct canfd_frame frame = can_frame(id, len, seed);

	frame.flags = CANFD_FDF;
	return frame;
}

struct canfd_frame can_frame_rtr(canid_t id, uint8_t len)
{
	return (struct canfd_frame){.can_id = id | CAN_RTR_FLAG, .len = len};
}

bool can_frame_is(const struct canfd_frame *a, const struct canfd_frame *b)
{
	struct canfd_frame x = *a, y = *b;

	can_frame_fill(&x);
	can_frame_fill(&y);
	return can_frame_same(&x, &y);
}
