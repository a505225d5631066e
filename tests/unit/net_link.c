/* SPDX-License-Identifier: MIT */
/* backends/net/net-link.h: the links that are none of the host's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "backends/net/net-link.h"

#define ROOM 100
#define INS  4

/* What one end's user is told. */
struct end {
	struct net_link *link;
	unsigned sents, rooms, heards, unuseds;
	int res; /* of the last sent */
	struct net_in in[INS];
	uint8_t bytes[INS][ROOM];
	unsigned given;	    /* of in */
	unsigned available; /* of in */
	struct net_in *heard;
};

static struct end one, other;
static uint8_t frame[ROOM + 1];
static struct net_out out;

static struct end *end_of(struct net_link *link)
{
	return link->owner;
}

static void on_sent(struct net_link *link, struct net_out *which, int res)
{
	assert_ptr_equal(which, &out);
	end_of(link)->sents++;
	end_of(link)->res = res;
}

static struct net_in *on_room(struct net_link *link, unsigned queue)
{
	struct end *end = end_of(link);
	struct net_in *in;

	(void)queue;
	end->rooms++;
	if (end->given == end->available)
		return NULL;
	in = &end->in[end->given];
	*in = (struct net_in){.bytes = end->bytes[end->given++], .room = ROOM};
	return in;
}

static void on_heard(struct net_link *link, struct net_in *in)
{
	end_of(link)->heards++;
	end_of(link)->heard = in;
}

static void on_unused(struct net_link *link, struct net_in *in)
{
	(void)in;
	end_of(link)->unuseds++;
	end_of(link)->given--;
}

static void on_failed(struct net_link *link, int err)
{
	(void)link;
	(void)err;
	fail();
}

static const struct net_link_user user = {
	.sent = on_sent,
	.room = on_room,
	.heard = on_heard,
	.unused = on_unused,
	.failed = on_failed,
};

static void begin(struct end *end, struct net_link *link)
{
	*end = (struct end){.link = link, .available = INS};
	link->user = &user;
	link->owner = end;
}

static int set_up(void **state)
{
	struct net_link *links[2];

	(void)state;
	assert_int_equal(net_link_pair_open(&links[0], &links[1], 2), 0);
	begin(&one, links[0]);
	begin(&other, links[1]);
	for (unsigned i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)i;
	out = (struct net_out){.bytes = frame, .size = 60};
	return 0;
}

static void send_it(void)
{
	net_link_send(one.link, &out);
}

static void connected(void)
{
	assert_int_equal(net_link_carrier(other.link, true), 0);
	net_link_more(other.link, 0);
	net_link_more(other.link, 1);
}

/* -- The pair -------------------------------------------------------------------- */

static void a_frame_comes(void **state)
{
	(void)state;
	connected();
	out.queue = 1;
	send_it();
	assert_int_equal(one.sents, 1);
	assert_int_equal(one.res, 0);
	assert_int_equal(other.heards, 1);
	assert_int_equal(other.heard->size, 60);
	assert_int_equal(other.heard->queue, 1);
	assert_false(other.heard->validated);
	assert_false(other.heard->offload.sum);
	assert_memory_equal(other.bytes[0], frame, 60);
	assert_int_equal(one.link->stats.sent, 1);
	assert_int_equal(one.link->stats.sent_bytes, 60);
	assert_int_equal(other.link->stats.received, 1);
	assert_int_equal(other.link->stats.received_bytes, 60);
	assert_int_equal(one.heards, 0);
}

/* Once it said that there is none, a queue is asked no more. */
static void no_room(void **state)
{
	(void)state;
	connected();
	other.available = 1;
	send_it();
	for (int i = 0; i < 3; i++)
		send_it();
	assert_int_equal(other.rooms, 2);
	assert_int_equal(other.heards, 1);
	assert_int_equal(one.sents, 4);
	assert_int_equal(one.res, -ENOBUFS);
	assert_int_equal(one.link->stats.lost, 3);
	assert_int_equal(one.link->stats.sent, 1);
	out.queue = 1; /* another's is asked */
	send_it();
	assert_int_equal(other.rooms, 3);
	out.queue = 0;
	other.available = 2;
	net_link_more(other.link, 0);
	send_it();
	assert_int_equal(other.heards, 2);
	assert_int_equal(one.res, 0);
}

static void before_the_first_more(void **state)
{
	(void)state;
	assert_int_equal(net_link_carrier(other.link, true), 0);
	net_link_more(other.link, 1);
	send_it();
	assert_int_equal(other.rooms, 0);
	assert_int_equal(one.res, -ENOBUFS);
}

static void nobody_there(void **state)
{
	(void)state;
	net_link_more(other.link, 0);
	send_it();
	connected();
	assert_int_equal(net_link_carrier(other.link, false), 0);
	send_it();
	assert_int_equal(other.rooms, 0);
	assert_int_equal(one.link->stats.lost, 2);
}

static void too_large(void **state)
{
	(void)state;
	connected();
	out.size = ROOM + 1;
	send_it();
	out.size = NET_HEADER - 1;
	send_it();
	assert_int_equal(other.unuseds, 2);
	assert_int_equal(other.link->stats.unfit, 2);
	assert_int_equal(one.res, 0); /* it left */
	out.size = ROOM;
	send_it();
	out.size = NET_HEADER;
	send_it();
	assert_int_equal(other.heards, 2);
	assert_int_equal(other.unuseds, 2);
}

/* What was not asked for to be left undone does not come. */
static void offloads(void **state)
{
	static const struct {
		struct net_offload offload;
		unsigned needs;
	} rows[] = {
		{{.sum = true, .start = 34, .offset = 16}, NET_LINK_CSUM},
		{{.sum = true, .gso = NET_GSO_TCPV4}, NET_LINK_CSUM | NET_LINK_TSO4},
		{{.sum = true, .gso = NET_GSO_TCPV6}, NET_LINK_CSUM | NET_LINK_TSO6},
		{{.sum = true, .gso = NET_GSO_UDP}, NET_LINK_CSUM | NET_LINK_USO},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned asked = 0; asked <= NET_LINK_ALL; asked++) {
			bool good = !(rows[i].needs & ~asked), csum = asked & 1;

			set_up(NULL);
			connected();
			assert_int_equal(net_link_offloads(other.link, asked),
					 csum || !asked ? 0 : -EINVAL);
			if (asked && !csum)
				continue;
			out.offload = rows[i].offload;
			send_it();
			assert_int_equal(other.heards, good);
			assert_int_equal(other.unuseds, !good);
			if (!good)
				continue;
			assert_true(other.heard->validated);
			assert_memory_equal(&other.heard->offload, &out.offload,
					    sizeof(out.offload));
		}
	}
}

static void numbers_of_queues(void **state)
{
	const struct net_link_conf none = {.queues = 0}, most = {.queues = 16},
				   more = {.queues = 17};
	struct net_link *a, *b;

	(void)state;
	assert_int_equal(net_link_pair_open(&a, &b, 0), -EINVAL);
	assert_int_equal(net_link_pair_open(&a, &b, 17), -EINVAL);
	assert_int_equal(net_link_open(&a, "null:", &none), -EINVAL);
	assert_int_equal(net_link_open(&a, "null:", &more), -EINVAL);
	assert_int_equal(net_link_tap_open(&a, "lo", &none), -EINVAL);
	assert_int_equal(net_link_tap_open(&a, "lo", &more), -EINVAL);
	assert_int_equal(net_link_pair_open(&a, &b, 16), 0);
	assert_int_equal(b->queues, 16);
	net_link_close(a);
	assert_int_equal(net_link_open(&a, "null:", &most), 0);
	assert_int_equal(a->queues, 16);
	net_link_close(a);
}

/* -- None ------------------------------------------------------------------------ */

static void null_takes_all(void **state)
{
	const struct net_link_conf conf = {.queues = 3};
	struct net_link *link;

	(void)state;
	assert_int_equal(net_link_open(&link, "null:", &conf), 0);
	begin(&one, link);
	assert_int_equal(link->queues, 3);
	assert_int_equal(net_link_offloads(link, NET_LINK_CSUM), 0);
	assert_int_equal(net_link_carrier(link, true), 0);
	net_link_more(link, 2);
	out.queue = 2;
	send_it();
	assert_int_equal(one.sents, 1);
	assert_int_equal(one.res, 0);
	assert_int_equal(link->stats.sent, 1);
	assert_int_equal(link->stats.sent_bytes, 60);
	assert_int_equal(one.rooms, 0);
	net_link_close(link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_frame_comes, set_up),
		cmocka_unit_test_setup(no_room, set_up),
		cmocka_unit_test_setup(before_the_first_more, set_up),
		cmocka_unit_test_setup(nobody_there, set_up),
		cmocka_unit_test_setup(too_large, set_up),
		cmocka_unit_test_setup(offloads, set_up),
		cmocka_unit_test_setup(numbers_of_queues, set_up),
		cmocka_unit_test_setup(null_takes_all, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
