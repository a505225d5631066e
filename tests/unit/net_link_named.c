/* SPDX-License-Identifier: MIT */
/* backends/net/net-link-named.c: opening it, frames both ways, who is there, and what
 * is left undone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/needs.h"
#include "tests/unit/net_link_named_scene.h"

/* -- Opening ---------------------------------------------------------------------- */

static unsigned descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int try_open(void)
{
	struct net_link_conf conf = CONF(&ends[0].loop);
	struct net_link *link = NULL;
	int r = net_link_named_open(&link, dir, &conf);

	if (!r)
		net_link_close(link);
	else
		assert_null(link);
	return r;
}

static void names(void **state)
{
	static const char *const bad[] = {"link:",
					  "link:A",
					  "link:a/b",
					  "link:..",
					  "link:a-b",
					  "link:a b",
					  "link:abcdefghijklmnopqrstuvwxyz012345"};
	struct net_link_conf conf = CONF(&ends[0].loop);
	struct net_link *link;

	(void)state;
	for (unsigned i = 0; i < COUNT(bad); i++)
		assert_int_equal(net_link_open(&link, bad[i], &conf), -EINVAL);
	assert_int_equal(net_link_open(&link, "link:never_made_by_anybody", &conf),
			 -ENOENT);
	conf.queues = 0;
	assert_int_equal(net_link_named_open(&link, dir, &conf), -EINVAL);
}

/* Each way to fail, and nothing is left open, or locked. */
static void opening_fails(void **state)
{
	unsigned before;

	(void)state;
	assert_int_equal(loop_init(&ends[0].loop, 64), 0);
	before = descriptors();
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(try_open(), 0);
	make("memory", NET_LINK_NAMED_BYTES - 1);
	assert_int_equal(try_open(), -ERANGE);
	make("memory", NET_LINK_NAMED_BYTES + 4096);
	assert_int_equal(try_open(), -ERANGE);
	unlink(path("memory"));
	assert_int_equal(try_open(), -ENOENT);
	make("memory", 4096);
	assert_int_equal(truncate(path("memory"), NET_LINK_NAMED_BYTES), 0);
	assert_int_equal(try_open(), -ERANGE); /* with holes */
	make("memory", NET_LINK_NAMED_BYTES);
	unlink(path("wake1"));
	assert_int_equal(try_open(), -ENOENT);
	make("wake1", 10);
	assert_int_equal(try_open(), -ERANGE);
	assert_int_equal(descriptors(), before);
	loop_fini(&ends[0].loop);
}

static void two_ends_and_no_third(void **state)
{
	(void)state;
	open_end(0);
	open_end(1);
	assert_int_equal(try_open(), -EBUSY);
	close_end(0);
	assert_int_equal(loop_init(&ends[0].loop, 64), 0);
	assert_int_equal(try_open(), 0);
	loop_fini(&ends[0].loop);
	open_end(0);
	assert_int_equal(try_open(), -EBUSY);
}

/* Invariant 2: nothing here names the memory any more, and yet it is ours. */
static void no_descriptor_is_kept(void **state)
{
	char name[64], target[256];
	struct dirent *entry;
	DIR *fds;

	(void)state;
	open_end(0);
	fds = opendir("/proc/self/fd");
	assert_non_null(fds);
	while ((entry = readdir(fds))) {
		ssize_t n;

		snprintf(name, sizeof(name), "/proc/self/fd/%.16s", entry->d_name);
		n = readlink(name, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		assert_null(strstr(target, dir));
	}
	closedir(fds);
}

/* -- Frames ----------------------------------------------------------------------- */

static void frames_come(void **state)
{
	static const uint32_t sizes[] = {14, 60, 61, 1514, 9018, 65000, LARGEST};
	uint64_t bytes = 0;

	(void)state;
	both();
	for (unsigned i = 0; i < COUNT(sizes); i++) {
		for (unsigned from = 0; from < 2; from++) {
			send_plain(from, sizes[i]);
			turns(from);
			turns(!from);
			assert_int_equal(ends[!from].heards, i + 1);
			assert_int_equal(ends[!from].heard->size, sizes[i]);
			assert_memory_equal(ends[!from].heard->bytes, frame, sizes[i]);
			assert_false(ends[!from].heard->offload.sum);
			assert_int_equal(ends[!from].heard->offload.gso, NET_GSO_NONE);
			assert_false(ends[!from].heard->validated);
		}
		bytes += sizes[i];
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(ends[i].link->stats.sent, COUNT(sizes));
		assert_int_equal(ends[i].link->stats.received, COUNT(sizes));
		assert_int_equal(ends[i].link->stats.sent_bytes, bytes);
		assert_int_equal(ends[i].link->stats.received_bytes, bytes);
		assert_int_equal(ends[i].link->stats.unfit, 0);
		assert_int_equal(ends[i].link->stats.lost, 0);
	}
	assert_int_equal(send_from(0, LARGEST + 1), -EMSGSIZE);
	assert_int_equal(send_from(0, NET_HEADER - 1), -EMSGSIZE);
}

/* A turn's frames are one wake-up. Of the kernel's calls one sends 200 frames; to hear
 * them there are four, each for 64 at most. */
static void many_are_one_wake_up(void **state)
{
	(void)state;
	both();
	for (unsigned i = 0; i < 200; i++)
		send_plain(0, 64);
	assert_int_equal(turns(0), 1);
	assert_int_equal(wakes(1), 1);
	assert_in_range(turns(1), 4, 5);
	assert_int_equal(ends[1].heards, 200);
	/* Who does not wait is not woken. */
	ends[1].available = 0;
	send_plain(0, 64);
	turns(0);
	turns(1);
	for (unsigned i = 0; i < 100; i++)
		send_plain(0, 64);
	turns(0);
	assert_int_equal(wakes(1), 0);
	ends[1].available = INS;
	net_link_more(ends[1].link, 0);
	turns(1);
	assert_int_equal(ends[1].heards, 301);
}

static void without_room_nothing_is_taken(void **state)
{
	(void)state;
	open_end(0);
	open_end(1);
	connect_end(0, 0);
	assert_int_equal(net_link_carrier(ends[1].link, true), 0);
	for (unsigned i = 0; i < 10; i++)
		send_plain(0, 60);
	settle();
	assert_int_equal(ends[1].rooms, 0); /* before the first net_link_more() */
	ends[1].keep = true;
	ends[1].available = 3;
	net_link_more(ends[1].link, 0);
	settle();
	assert_int_equal(ends[1].heards, 3);
	assert_int_equal(ends[1].rooms, 4);
	send_plain(0, 60);
	settle();
	assert_int_equal(ends[1].rooms, 4); /* not asked again */
	ends[1].available = INS;
	net_link_more(ends[1].link, 0);
	settle();
	assert_int_equal(ends[1].heards, 11);
}

/* What was put when a wake-up had left, and nobody was told so yet, is told of. */
static void none_is_missed(void **state)
{
	(void)state;
	both();
	send_plain(0, 60);
	io_uring_submit(&ends[0].loop.ring); /* it is on its way, and not called back */
	turns(1);
	assert_int_equal(ends[1].heards, 1);
	send_plain(0, 60);
	turns(0);
	turns(1);
	assert_int_equal(ends[1].heards, 2);
}

/* Of those that are to be cut a ring holds fifteen, for one call, and two to hear them.
 */
static void large_ones_are_few_calls(void **state)
{
	unsigned sending = 0, hearing = 0;

	(void)state;
	both();
	tcp(60000);
	out.offload = cut;
	for (unsigned n = 0; n < 14; n++) {
		for (unsigned i = 0; i < 15; i++)
			assert_int_equal(send_from(0, TCP + 20 + 60000), 0);
		sending += turns(0);
		assert_int_equal(wakes(1), 1);
		hearing += turns(1);
	}
	assert_int_equal(ends[1].heards, 14 * 15);
	assert_int_equal(sending, 14);
	assert_true(hearing <= 14 * 3);
}

/* What waits there is kept, what is more is lost, and the sender is told so. */
static void full(void **state)
{
	unsigned n = 0;

	(void)state;
	both();
	ends[1].available = 0;
	out.offload = (struct net_offload){0};
	while (!send_from(0, LARGEST))
		n++;
	assert_int_equal(n, NET_RING_BYTES / 65584);
	assert_int_equal(ends[0].res, -ENOBUFS);
	assert_int_equal(ends[0].link->stats.lost, 1);
	settle();
	ends[1].available = INS;
	net_link_more(ends[1].link, 0);
	settle();
	assert_int_equal(ends[1].heards, n);
	send_plain(0, LARGEST);
	settle();
	assert_int_equal(ends[1].heards, n + 1);
	assert_memory_equal(ends[1].heard->bytes, frame, LARGEST);
}

static void too_large_for_its_buffer(void **state)
{
	(void)state;
	both();
	ends[1].room = 100;
	send_plain(0, 101);
	send_plain(0, 100);
	settle();
	assert_int_equal(ends[1].heards, 1);
	assert_int_equal(ends[1].heard->size, 100);
	assert_int_equal(ends[1].unuseds, 1);
	assert_int_equal(ends[1].link->stats.unfit, 1);
}

/* -- Who is there ----------------------------------------------------------------- */

static void nobody_there(void **state)
{
	(void)state;
	open_end(0);
	connect_end(0, ALL);
	out.offload = (struct net_offload){0};
	assert_int_equal(send_from(0, 60), -ENETDOWN); /* no process */
	open_end(1);
	assert_int_equal(send_from(0, 60), -ENETDOWN); /* no client */
	connect_end(1, ALL);
	send_plain(0, 60);
	settle();
	assert_int_equal(ends[1].heards, 1);
	assert_int_equal(net_link_carrier(ends[1].link, false), 0);
	assert_int_equal(send_from(0, 60), -ENETDOWN);
	connect_end(1, ALL);
	send_plain(0, 60);
	close_end(1);
	assert_int_equal(send_from(0, 60), -ENETDOWN);
	assert_int_equal(ends[0].link->stats.lost, 4);
}

/* What was put for a client that is gone is not the next one's. */
static void the_next_hears_nothing_of_before(void **state)
{
	uint32_t takes;

	(void)state;
	both();
	takes = words(1)->takes;
	ends[1].available = 0;
	send_plain(0, 60);
	send_plain(0, 60);
	settle();
	assert_int_equal(net_link_carrier(ends[1].link, false), 0);
	ends[1].available = INS;
	net_link_more(ends[1].link, 0); /* as net_disconnect() */
	words(1)->takes = takes;	/* to an other that puts all the same */
	send_plain(0, 60);
	settle();
	assert_int_equal(ends[1].heards, 0);
	connect_end(1, ALL);
	settle();
	assert_int_equal(ends[1].heards, 0);
	send_plain(0, 61);
	settle();
	assert_int_equal(ends[1].heards, 1);
	assert_int_equal(ends[1].heard->size, 61);
}

/* Nor what was put while its back end was dead, which could say nothing. */
static void comes_again(void **state)
{
	uint32_t takes;

	(void)state;
	both();
	for (unsigned round = 0; round < 5; round++) {
		unsigned i = round & 1;

		takes = words(i)->takes;
		close_end(i);
		words(i)->takes = takes; /* as one that was killed leaves it */
		send_plain(!i, 60);
		open_end(i);
		connect_end(i, ALL);
		settle();
		assert_int_equal(ends[i].heards, 0);
		for (unsigned from = 0; from < 2; from++) {
			unsigned before = ends[!from].heards;

			send_plain(from, 1514);
			settle();
			assert_int_equal(ends[!from].heards, before + 1);
			assert_memory_equal(ends[!from].heard->bytes, frame, 1514);
		}
	}
}

/* Another layout is nobody. */
static void speaks_another_layout(void **state)
{
	uint32_t takes;

	(void)state;
	both();
	takes = words(1)->takes;
	words(1)->takes = takes ^ 0x100;
	assert_int_equal(send_from(0, 60), -ENETDOWN);
	words(1)->takes = takes;
	assert_int_equal(send_from(0, 60), 0);
}
/* -- What is left undone ---------------------------------------------------------- */

static void offloads_come(void **state)
{
	(void)state;
	both();
	tcp(60000);
	out.offload = cut;
	assert_int_equal(send_from(0, TCP + 20 + 60000), 0);
	settle();
	assert_int_equal(ends[1].heards, 1);
	assert_memory_equal(&ends[1].heard->offload, &cut, sizeof(cut));
	assert_true(ends[1].heard->validated);
	assert_memory_equal(ends[1].heard->bytes, frame, TCP + 20 + 60000);
	out.offload = blank;
	assert_int_equal(send_from(0, TCP + 20 + 60000), 0);
	settle();
	assert_memory_equal(&ends[1].heard->offload, &blank, sizeof(blank));
}

/* The sum is made, also one of an odd number of bytes. */
static void offloads_that_the_other_does_not_take(void **state)
{
	static const struct net_offload udp = {true, TCP, 16, NET_GSO_UDP, 1000, 42};

	(void)state;
	both();
	connect_end(1, 0);
	for (uint32_t payload = 999; payload <= 1000; payload++) {
		const struct net_in *in;

		tcp(payload);
		out.offload = blank;
		assert_int_equal(send_from(0, TCP + 20 + payload), 0);
		settle();
		in = ends[1].heard;
		assert_int_equal(ends[1].heards, payload - 998);
		assert_int_equal(in->size, TCP + 20 + payload);
		assert_false(in->offload.sum);
		assert_int_equal(sum(in->bytes + TCP, in->size - TCP,
				     sum(in->bytes + 26, 8, 6 + 20 + payload)),
				 0xffff);
		assert_memory_equal(in->bytes, frame, TCP + 16);
		assert_memory_equal(in->bytes + TCP + 18, frame + TCP + 18,
				    in->size - TCP - 18);
	}
	out.offload = udp; /* nobody takes it, and nothing here cuts it */
	assert_int_equal(send_from(0, TCP + 1020), -EOPNOTSUPP);
	assert_int_equal(net_link_offloads(ends[1].link, NET_LINK_TSO4), -EINVAL);
}
/* Heard one by one: their payload is what was sent, and what is theirs of the headers
 * (net_cut). */
static uint32_t payload_heard, segments, undone;

static void hear_segment(struct net_in *in)
{
	uint32_t n = in->size - TCP - 20;

	assert_memory_equal(in->bytes + TCP + 20, frame + TCP + 20 + payload_heard, n);
	assert_int_equal(in->offload.gso, NET_GSO_NONE);
	if (in->offload.sum)
		undone++;
	else
		assert_int_equal(sum(in->bytes + TCP, in->size - TCP,
				     sum(in->bytes + 26, 8, 6 + 20 + n)),
				 0xffff);
	payload_heard += n;
	segments++;
}

/* An end that takes no frame to be cut gets it cut, with or without its sums. */
static void what_is_to_be_cut_is_cut(void **state)
{
	(void)state;
	both();
	ends[1].look = hear_segment;
	tcp(60001);
	for (unsigned i = 0; i < 3; i++) {
		static const unsigned takes[] = {0, NET_LINK_CSUM,
						 NET_LINK_CSUM | NET_LINK_TSO6};

		payload_heard = segments = undone = 0;
		connect_end(1, takes[i]);
		out.offload = cut;
		assert_int_equal(send_from(0, TCP + 20 + 60001), 0);
		settle();
		assert_int_equal(segments, 61);
		assert_int_equal(payload_heard, 60001);
		assert_int_equal(undone, i ? 61 : 0);
	}
	assert_int_equal(ends[0].link->stats.sent, 3);
	out.offload.gso_size = 10; /* in six thousand */
	assert_int_equal(send_from(0, TCP + 20 + 60001), -EOPNOTSUPP);
	connect_end(1, NET_LINK_CSUM | NET_LINK_TSO4);
	ends[1].look = NULL;
	assert_int_equal(send_from(0, TCP + 20 + 60001), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names),
		TEST(opening_fails),
		TEST(two_ends_and_no_third),
		TEST(no_descriptor_is_kept),
		TEST(frames_come),
		TEST(many_are_one_wake_up),
		TEST(none_is_missed),
		TEST(large_ones_are_few_calls),
		TEST(without_room_nothing_is_taken),
		TEST(full),
		TEST(too_large_for_its_buffer),
		TEST(nobody_there),
		TEST(the_next_hears_nothing_of_before),
		TEST(comes_again),
		TEST(speaks_another_layout),
		TEST(offloads_come),
		TEST(offloads_that_the_other_does_not_take),
		TEST(what_is_to_be_cut_is_cut),
	};

	if (!needs_io_uring())
		return needs_skip_all(tests, COUNT(tests), "no io_uring here");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
