/* SPDX-License-Identifier: MIT */
/* backends/can/cmd/front-can.c, on sockets that carry whole messages as CAN_RAW's do:
 * what is a frame, what the socket dropped, what could not be written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/can/cmd/front-can.h"
#include "tests/unit/needs.h"

static struct front_can can;
static int other;

static int pair(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	can = (struct front_can){.fd = -1};
	front_can_init(&can, fds[0], true);
	other = fds[1];
	return 0;
}

static int gone(void **state)
{
	(void)state;
	front_can_close(&can);
	assert_int_equal(can.fd, -1);
	if (other >= 0)
		close(other);
	return 0;
}

static void give(const void *bytes, size_t len)
{
	assert_int_equal(send(other, bytes, len, MSG_DONTWAIT), len);
}

static void by_length(void **state)
{
	struct canfd_frame in = {.can_id = 0x123, .len = 8, .flags = 0xff};
	struct canfd_frame out[FRONT_CAN_BATCH];
	uint8_t xl[300] = {0};

	(void)state;
	memset(in.data, 0x11, sizeof(in.data));
	memset(out, 0, sizeof(out));
	give(&in, CAN_MTU); /* what stands in a classic frame's padding is no flag */
	give(&in, CANFD_MTU);
	in.flags = 0;
	give(&in, CANFD_MTU); /* older kernels do not say it twice */
	give(&in, 15);
	give(&in, 17);
	give(xl, sizeof(xl));
	in.len = 9;
	give(&in, CAN_MTU);
	in.can_id = 0x321;
	give(&in, CANFD_MTU);
	assert_int_equal(front_can_read(&can, out, FRONT_CAN_BATCH), 4);
	assert_int_equal(out[0].flags, 0);
	assert_int_equal(out[0].data[8], 0); /* nothing but the message */
	assert_int_equal(out[1].flags, 0xff);
	assert_int_equal(out[2].flags, CANFD_FDF);
	assert_int_equal(out[3].can_id, 0x321);
	assert_int_equal(front_can_read(&can, out, 1), 0);
}

static void no_more_than_asked(void **state)
{
	struct canfd_frame frame = {.len = 0}, out[FRONT_CAN_BATCH];

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		frame.can_id = i;
		give(&frame, CAN_MTU);
	}
	assert_int_equal(front_can_read(&can, out, 3), 3);
	assert_int_equal(out[2].can_id, 2);
	assert_int_equal(front_can_read(&can, out, FRONT_CAN_BATCH), 5);
	assert_int_equal(out[4].can_id, 7);
}

static void each_in_its_own_length(void **state)
{
	struct canfd_frame frames[3] = {
		{.can_id = 1, .len = 1, .flags = CANFD_BRS},
		{.can_id = 2, .len = 64, .flags = CANFD_FDF},
		{.can_id = 3, .len = 8},
	};
	uint8_t bytes[100];

	(void)state;
	assert_int_equal(front_can_write(&can, frames, 3), 0);
	assert_int_equal(recv(other, bytes, sizeof(bytes), MSG_DONTWAIT), CAN_MTU);
	assert_int_equal(bytes[5], 0);
	assert_int_equal(recv(other, bytes, sizeof(bytes), MSG_DONTWAIT), CANFD_MTU);
	assert_int_equal(recv(other, bytes, sizeof(bytes), MSG_DONTWAIT), CAN_MTU);
	assert_int_equal(bytes[0], 3);
	assert_int_equal(can.unsent, 0);
}

/* It takes no more: what does not fit is lost and counted, nothing waits. */
static void full(void **state)
{
	struct canfd_frame frames[FRONT_CAN_BATCH] = {{.can_id = 1}};
	uint64_t written = 0;
	uint8_t bytes[100];

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(front_can_write(&can, frames, FRONT_CAN_BATCH), 0);
	while (recv(other, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		written++;
	assert_in_range(written, 1, 6399);
	assert_int_equal(can.unsent, 6400 - written);
}

static void down(void **state)
{
	struct canfd_frame frames[5] = {{.can_id = 1}};

	(void)state;
	close(other);
	other = -1;
	assert_int_equal(front_can_write(&can, frames, 5), -ECONNREFUSED);
	assert_int_equal(can.unsent, 5);
	close(can.fd);
	can.fd = -1;
	assert_int_equal(front_can_read(&can, frames, 5), -EBADF);
}

/* SO_RXQ_OVFL, which the socket of an interface says as well: on one that can be had
 * anywhere. */
static void what_the_socket_dropped(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct canfd_frame frame = {.len = 0}, out[FRONT_CAN_BATCH];
	socklen_t len = sizeof(address);
	const int on = 1, small = 4096;
	uint64_t got = 0;
	int n;

	gone(state);
	front_can_init(&can, socket(AF_INET, SOCK_DGRAM, 0), true);
	other = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(can.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (setsockopt(can.fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) < 0)
		needs_skip("there is no SO_RXQ_OVFL");
	assert_int_equal(bind(can.fd, (struct sockaddr *)&address, len), 0);
	getsockname(can.fd, (struct sockaddr *)&address, &len);
	assert_int_equal(connect(other, (struct sockaddr *)&address, len), 0);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 500; i++)
			give(&frame, CAN_MTU);
		while ((n = front_can_read(&can, out, FRONT_CAN_BATCH)) > 0)
			got += (unsigned)n;
	}
	give(&frame, CAN_MTU); /* it tells with the next */
	got += (unsigned)front_can_read(&can, out, 1);
	assert_in_range(got, 1, 1400);
	assert_int_equal(can.dropped, 1501 - got);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_length, pair, gone),
		cmocka_unit_test_setup_teardown(no_more_than_asked, pair, gone),
		cmocka_unit_test_setup_teardown(each_in_its_own_length, pair, gone),
		cmocka_unit_test_setup_teardown(full, pair, gone),
		cmocka_unit_test_setup_teardown(down, pair, gone),
		cmocka_unit_test_setup_teardown(what_the_socket_dropped, pair, gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
