/* SPDX-License-Identifier: MIT */
/*
 * bench-can - a station on a CAN interface, for measuring what forwards its frames.
 *
 *   ping IFACE ID COUNT US   sends COUNT frames ID, a random time of US on average
 * apart (Poisson), each with a number; waits for ID + 1 with the same: "frames lost p50
 * p99 p99.9" of the round trip, in us pong IFACE ID            answers each frame ID
 * with ID + 1; until it is killed send IFACE ID COUNT BATCH US   bursts of BATCH
 * frames, one every US, with numbers count IFACE ID COUNT     takes COUNT frames ID, or
 * as many as come until none has for two seconds: "frames lost reordered"
 *
 * Sends what the interface takes, and waits where its queue is full.
 */
#include <errno.h>
#include <linux/can.h>
#include <linux/can/raw.h>
#include <math.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

#define PINGS_MAX  100000u
#define ANSWER_MS  1000
#define QUIET_MS   2000
#define SOCKET_BUF (1 << 20)

static void die(const char *what)
{
	fprintf(stderr, "bench-can: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Only frames @hears come in. */
static int station(const char *interface, canid_t hears)
{
	struct can_filter filter = {hears, CAN_EFF_FLAG | CAN_RTR_FLAG | CAN_SFF_MASK};
	struct sockaddr_can addr = {.can_family = AF_CAN};
	int fd = socket(AF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW), size = SOCKET_BUF;

	addr.can_ifindex = (int)if_nametoindex(interface);
	if (fd < 0 || !addr.can_ifindex ||
	    setsockopt(fd, SOL_CAN_RAW, CAN_RAW_FILTER, &filter, sizeof(filter)) ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die(interface);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

static void say(int fd, canid_t id, uint32_t number)
{
	struct can_frame frame = {.can_id = id, .len = 8};

	memcpy(frame.data, &number, sizeof(number));
	while (write(fd, &frame, sizeof(frame)) < 0) {
		if (errno != ENOBUFS)
			die("write");
		usleep(200);
	}
}

/* False: nothing came for @ms. */
static bool hear(int fd, int ms, struct can_frame *frame)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};

	if (poll(&poller, 1, ms) <= 0)
		return false;
	if (read(fd, frame, sizeof(*frame)) != sizeof(*frame))
		die("read");
	return true;
}

static uint32_t number_of(const struct can_frame *frame)
{
	uint32_t number;

	memcpy(&number, frame->data, sizeof(number));
	return number;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static double micros(const uint64_t *sorted, uint32_t n, double part)
{
	uint32_t at = (uint32_t)(part * n);

	return n ? (double)sorted[at < n ? at : n - 1] / 1e3 : NAN;
}

static void ping(int fd, canid_t id, uint32_t count, double us)
{
	static uint64_t took[PINGS_MAX];
	uint32_t n = 0, lost = 0;

	srand48(1);
	for (uint32_t i = 0; i < count; i++) {
		struct can_frame frame;
		uint64_t start;
		bool heard;

		usleep((useconds_t)(-log(1 - drand48()) * us));
		start = clock_now();
		say(fd, id, i);
		do
			heard = hear(fd, ANSWER_MS, &frame);
		while (heard && number_of(&frame) != i);
		if (heard)
			took[n++] = clock_now() - start;
		else
			lost++;
	}
	qsort(took, n, sizeof(took[0]), by_value);
	printf("%u %u %.1f %.1f %.1f\n", n, lost, micros(took, n, 0.5),
	       micros(took, n, 0.99), micros(took, n, 0.999));
}

static void pong(int fd, canid_t id)
{
	struct can_frame frame;

	while (hear(fd, -1, &frame))
		say(fd, id + 1, number_of(&frame));
}

static void bursts(int fd, canid_t id, uint32_t count, uint32_t batch, uint32_t us)
{
	uint64_t next = clock_now();

	for (uint32_t i = 0; i < count; i++) {
		if (i % batch == 0 && i) {
			uint64_t now = clock_now();

			next += us * 1000ull;
			if (next > now)
				usleep((useconds_t)((next - now) / 1000));
		}
		say(fd, id, i);
	}
}

static void count_frames(int fd, uint32_t count)
{
	uint32_t n = 0, next = 0, lost = 0, late = 0;
	struct can_frame frame;

	while (n < count && hear(fd, n ? QUIET_MS : 60000, &frame)) {
		uint32_t number = number_of(&frame);

		n++;
		if (number < next) {
			late++;
			continue;
		}
		lost += number - next;
		next = number + 1;
	}
	printf("%u %u %u\n", n, lost, late);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 3 ? argv[1] : "";
	canid_t id = argc > 3 ? (canid_t)strtoul(argv[3], NULL, 16) : 0;
	uint32_t number[3] = {0};

	for (int i = 4; i < argc && i < 7; i++)
		number[i - 4] = (uint32_t)strtoul(argv[i], NULL, 10);
	if (!strcmp(verb, "ping") && argc == 6 && number[0] <= PINGS_MAX)
		ping(station(argv[2], id + 1), id, number[0], number[1]);
	else if (!strcmp(verb, "pong") && argc == 4)
		pong(station(argv[2], id), id);
	else if (!strcmp(verb, "send") && argc == 7 && number[1])
		bursts(station(argv[2], CAN_SFF_MASK), id, number[0], number[1],
		       number[2]);
	else if (!strcmp(verb, "count") && argc == 5)
		count_frames(station(argv[2], id), number[0]);
	else
		return fprintf(stderr, "usage: bench-can ping|pong|send|count IFACE ID "
				       "[COUNT [BATCH] US]\n"),
		       2;
	return 0;
}
