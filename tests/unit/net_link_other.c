/* SPDX-License-Identifier: MIT */
/* backends/net/net-link-named.c, and an other end that is not what it should be; then
 * two that are, in two processes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/needs.h"
#include "tests/unit/net_link_named_scene.h"

/* -- An other end that is taken over ---------------------------------------------- */

/* A frame that was put by hand into what end 1 hears. */
static void put_by_hand(const struct net_vnet_header *header, uint32_t size)
{
	struct net_ring_head head = {.size = size, .offload = *header};
	struct net_ring_out ring;

	net_ring_out_begin(&ring, area_to(1));
	assert_true(net_ring_out_room(&ring, size));
	net_ring_out_write(&ring, 0, frame, size);
	net_ring_out_push(&ring, &head);
}

static void wake_by_hand(unsigned i)
{
	int fd = open(path(i ? "wake1" : "wake0"), O_WRONLY | O_NONBLOCK);

	assert_int_equal(write(fd, "", 1), 1);
	close(fd);
}

static void hears_by_hand(const struct net_vnet_header *header, uint32_t size,
			  bool good)
{
	unsigned heards = ends[1].heards;
	uint64_t unfit = ends[1].link->stats.unfit;

	put_by_hand(header, size);
	wake_by_hand(1);
	turns(1);
	assert_int_equal(ends[1].heards, heards + good);
	assert_int_equal(ends[1].link->stats.unfit, unfit + !good);
}

/* As from a client: what contradicts the frame is not handed on. */
static void offloads_that_contradict_the_frame(void **state)
{
	static const struct {
		struct net_vnet_header
			header; /* flags, gso, hdr_len, size, start, off */
		bool good;
	} rows[] = {
		{{0, 0, 0, 0, 0, 0}, true},
		{{1, 0, 0, 0, TCP, 16}, true},
		{{1, 0, 0, 0, 13, 16}, false}, /* within the header of Ethernet */
		{{1, 0, 0, 0, 1000, 54}, false},
		{{1, 0, 0, 0, 1000, 52}, true}, /* the last two bytes */
		{{1, 0, 0, 0, 1000, 53}, false},
		{{1, 0, 0, 0, 0xffff, 0xffff}, false},
		{{1, 1, 54, 100, TCP, 16}, true},
		{{1, 1, 0xffff, 100, TCP, 16}, true}, /* nobody's word is taken */
		{{0, 1, 54, 100, 0, 0}, false},	      /* without its sum */
		{{1, 1, 54, 0, TCP, 16}, false},      /* in segments of nothing */
		{{1, 1, 54, 100, TCP + 1, 16}, false},
		{{1, 1, 54, 100, TCP, 15}, false},
		{{1, 4, 54, 100, TCP, 16}, false}, /* TCP over IPv6: it is not */
		{{1, 5, 42, 100, TCP, 6}, false},
		{{1, 3, 42, 100, TCP, 6}, false},
		{{1, 0x81, 54, 100, TCP, 16}, false},
		{{1, 0xff, 54, 100, TCP, 16}, false},
	};

	(void)state;
	both();
	close_end(0);
	tcp(1000);
	for (unsigned i = 0; i < COUNT(rows); i++)
		hears_by_hand(&rows[i].header, 1054, rows[i].good);
	frame[TCP + 12] = 4 << 4; /* a header of TCP that is too short */
	hears_by_hand(&rows[7].header, 1054, false);
	frame[TCP + 12] = 15 << 4;
	hears_by_hand(&rows[7].header, TCP + 60, false); /* and one that is all */
}

static const uint32_t indices[] = {
	0,	    1,		15,	    16,		17,	    NET_RING_BYTES - 16,
	0x00100000, 0x00100010, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff,
	0xfff00000, 0xffeffff0, 0x000fff00,
};

static void second_comes(unsigned from)
{
	unsigned before = ends[!from].heards;

	send_plain(from, 1000);
	settle();
	send_plain(from, 1000);
	settle();
	assert_true(ends[!from].heards > before);
	assert_memory_equal(ends[!from].heard->bytes, frame, 1000);
}

/* Any words, in either ring: it hears what are frames, drops the others, and goes on
 * as soon as the other does. */
static void any_words(void **state)
{
	(void)state;
	both();
	for (unsigned i = 0; i < COUNT(indices); i++) {
		for (unsigned j = 0; j < COUNT(indices); j++) {
			words(1)->put = indices[i];
			words(0)->taken = indices[j];
			words(1)->wake = words(0)->wake = indices[i] ^ indices[j];
			wake_by_hand(0);
			wake_by_hand(1);
			settle();
		}
	}
	/* The other end begins anew, and with it all is well. */
	close_end(0);
	open_end(0);
	connect_end(0, ALL);
	settle();
	second_comes(0);
	second_comes(1);
}

/* Who is there sleeps, and knows nothing of what the one before wrote: who comes wakes
 * him, and he says again what is his. */
static void words_while_it_sleeps(void **state)
{
	static const uint32_t more[] = {16, 160, NET_RING_BYTES, 0x80000000,
					0xfffffff0};
	uint32_t takes;

	(void)state;
	both();
	for (unsigned i = 0; i < COUNT(more); i++) {
		words(1)->put += more[i]; /* by the one that puts */
		close_end(0);
		open_end(0);
		connect_end(0, ALL);
		settle();
		second_comes(0);
		takes = words(1)->takes;
		close_end(1);
		words(1)->takes = takes;
		words(1)->put += more[i]; /* by the one that takes */
		open_end(1);
		connect_end(1, ALL);
		settle();
		second_comes(0);
		second_comes(1);
	}
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Wake-ups without end that bring nothing, and an index that moves without end: end 1
 * turns about a thousand times a second, and still hears what there is. */
static void floods(void **state)
{
	static const char noise[256];
	double until;
	unsigned n = 0;
	pid_t pid;
	int fd;

	(void)state;
	both();
	fd = open(path("wake1"), O_WRONLY | O_NONBLOCK);
	pid = fork();
	while (!pid)
		((volatile struct net_ring_control *)words(1))->put += 16;
	until = seconds() + 0.3;
	while (seconds() < until) {
		(void)!write(fd, noise, sizeof(noise));
		n++;
		assert_int_equal(loop_turn(&ends[1].loop, true), 0);
	}
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(n < 900); /* two timers of a millisecond each, and the first few */
	assert_int_equal(ends[1].heards, 0);
	close_end(0);
	open_end(0);
	connect_end(0, ALL);
	turns(0);
	for (unsigned i = 0; i < 100 && ends[1].heards < 1; i++) {
		send_plain(0, 60);
		turns(0);
		assert_int_equal(loop_turn(&ends[1].loop, true), 0);
	}
	assert_true(ends[1].heards >= 1);
}

/* An end that reads none of its wake-ups costs the sender nothing. */
static void wakes_nobody_reads(void **state)
{
	static char noise[4096];
	int fd;

	(void)state;
	both();
	fd = open(path("wake1"), O_RDWR | O_NONBLOCK);
	close_end(1);
	while (write(fd, noise, sizeof(noise)) > 0)
		;
	words(1)->takes = 0x78640187;
	for (unsigned i = 0; i < 100; i++) {
		words(1)->wake = words(1)->put; /* it waits, for ever */
		send_plain(0, 60);
		assert_int_equal(loop_turn(&ends[0].loop, false), 0);
	}
	assert_false(loop_ready(&ends[0].loop));
	/* Nor does a wait for something else last longer. */
	alarm(20);
	words(1)->wake = words(1)->put;
	send_plain(0, 60);
	wake_by_hand(0);
	assert_int_equal(loop_turn(&ends[0].loop, true), 0);
	alarm(0);
	assert_int_equal(ends[0].link->stats.sent, 101);
	close(fd);
}

/* -- Two processes ---------------------------------------------------------------- */

#define ROUNDS 3000

static unsigned rounds;

/* Each frame that is heard is answered by one. */
static void echo(struct net_in *in)
{
	struct net_out back = {.bytes = in->bytes, .size = in->size};

	net_link_send(ends[1].link, &back);
}

static int other_process(void)
{
	alarm(60);
	open_end(1);
	ends[1].look = echo;
	connect_end(1, ALL);
	while (!loop_turn(&ends[1].loop, true))
		;
	return 1;
}

static void answered(struct net_in *in)
{
	assert_memory_equal(in->bytes, frame, in->size);
	rounds++;
}

/* No wake-up is ever missed, one frame at a time and several at once. */
static void back_and_forth(void **state)
{
	pid_t pid;

	(void)state;
	open_end(0);
	connect_end(0, ALL);
	pid = fork();
	if (!pid)
		_exit(other_process());
	ends[0].look = answered;
	alarm(60); /* a wake-up that is missed is a wait without end */
	out.offload = (struct net_offload){0};
	while (send_from(0, 60) == -ENETDOWN)
		usleep(1000);
	for (unsigned sent = 1; rounds < ROUNDS;) {
		assert_int_equal(loop_turn(&ends[0].loop, true), 0);
		for (; sent < ROUNDS && sent - rounds < 1 + sent % 7; sent++)
			send_plain(0, 60 + sent % 1400);
	}
	alarm(0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(rounds, ROUNDS);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(offloads_that_contradict_the_frame),
		TEST(any_words),
		TEST(words_while_it_sleeps),
		TEST(floods),
		TEST(wakes_nobody_reads),
		TEST(back_and_forth),
	};

	if (!needs_io_uring())
		return needs_skip_all(tests, COUNT(tests), "no io_uring here");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
