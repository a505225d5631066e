/* SPDX-License-Identifier: MIT */
/*
 * backends/net/net-link-tap.c, on real taps in a network namespace of its own.
 *
 * Invariants are those of net-link.h; that each buffer comes home once is checked at
 * each callback.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "backends/net/net-link.h"
#include "tests/unit/needs.h"
#include "tests/unit/net_link_host.h"

#define TAP	"tap0"
#define ONE	IFF_TAP
#define MANY	(IFF_TAP | IFF_MULTI_QUEUE)
#define INS	512
#define ROOM	70000
#define FRAMES	256
#define L3	14
#define TCP	34
#define ALL	(NET_LINK_CSUM | NET_LINK_TSO4 | NET_LINK_TSO6)
#define PAYLOAD 5000

/* A buffer is the test's, or the link's. */
struct in {
	struct net_in in;
	bool out;
};

static struct scene {
	struct loop loop;
	struct net_link *link;
	int host; /* a packet socket */
	struct in in[INS];
	unsigned given, limit; /* of in: with the link or heard; at most */
	uint32_t room;
	unsigned rooms, nones; /* asked; without success */
	unsigned heards, unuseds, sents, faileds;
	struct net_in *heard[INS];
	int res, err; /* of the last */
} t;

static uint8_t memory[INS][ROOM + 1];
static struct net_out outs[FRAMES];
static uint8_t frames[FRAMES][ROOM];
static uint8_t got[ROOM];
static struct virtio_net_hdr header;

/* -- What the link tells ---------------------------------------------------------- */

static void on_sent(struct net_link *link, struct net_out *out, int res)
{
	assert_ptr_equal(link, t.link);
	assert_int_equal(t.faileds, 0);
	assert_ptr_equal(out, &outs[t.sents]); /* in order */
	t.sents++;
	t.res = res;
}

static struct net_in *on_room(struct net_link *link, unsigned queue)
{
	struct in *in = &t.in[t.given];

	assert_true(queue < link->queues);
	t.rooms++;
	while (in->out && in < &t.in[INS - 1])
		in++;
	if (t.given == t.limit || in->out) {
		t.nones++;
		return NULL;
	}
	t.given++;
	in->out = true;
	in->in = (struct net_in){.bytes = memory[in - t.in], .room = t.room};
	memory[in - t.in][t.room] = 0x5a;
	return &in->in;
}

static void home(struct net_in *in)
{
	struct in *which = (struct in *)in;

	assert_int_equal(t.faileds, 0);
	assert_true(which->out);
	assert_int_equal(in->bytes[t.room], 0x5a); /* nothing beyond it */
	which->out = false;
}

static void on_heard(struct net_link *link, struct net_in *in)
{
	(void)link;
	home(in);
	((struct in *)in)->out = true; /* not to be given again */
	assert_true(t.heards < INS);
	t.heard[t.heards++] = in;
}

static void on_unused(struct net_link *link, struct net_in *in)
{
	(void)link;
	home(in);
	t.given--;
	t.unuseds++;
}

static void on_failed(struct net_link *link, int err)
{
	(void)link;
	t.faileds++;
	t.err = err;
}

static const struct net_link_user user = {
	.sent = on_sent,
	.room = on_room,
	.heard = on_heard,
	.unused = on_unused,
	.failed = on_failed,
};

/* -- Scene ------------------------------------------------------------------------ */

static int open_link(const char *name, unsigned queues)
{
	struct net_link_conf conf = {.queues = queues, .loop = &t.loop};
	int r = net_link_open(&t.link, name, &conf);

	if (r)
		return r;
	t.link->user = &user;
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.host = -1;
	t.limit = INS;
	t.room = ROOM;
	assert_int_equal(loop_init(&t.loop, 256), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (t.link)
		net_link_close(t.link);
	loop_fini(&t.loop);
	if (t.host >= 0)
		close(t.host);
	host_remove(TAP);
	return 0;
}

/* Open, up, and somebody is there. */
static void ready(int flags, unsigned queues)
{
	host_make(TAP, flags);
	host_up(TAP, true);
	assert_int_equal(open_link(TAP, queues), 0);
	assert_int_equal(loop_seal(&t.loop), 0);
	t.host = host_listen(TAP);
	assert_int_equal(net_link_carrier(t.link, true), 0);
	assert_true(host_has_carrier(TAP));
}

static void turn(void)
{
	assert_int_equal(loop_turn(&t.loop, true), 0);
}

/* Turns until so many were heard; how many it took. */
static unsigned hear(unsigned frames_in_all)
{
	unsigned turns = 0;

	for (; t.heards < frames_in_all && turns < 1000; turns++)
		turn();
	assert_int_equal(t.heards, frames_in_all);
	return turns;
}

static void sent(unsigned frames_in_all)
{
	for (int i = 0; i < 1000 && t.sents < frames_in_all; i++)
		turn();
	assert_int_equal(t.sents, frames_in_all);
}

/* Of a kind that nothing on this host takes for its own; its number is in it. */
static uint8_t *plain(unsigned i, size_t size)
{
	uint8_t *f = frames[i];

	memset(f, (int)i, size);
	memcpy(f, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x88\xb5", 14);
	if (size > 17) {
		f[14] = (uint8_t)(i >> 8);
		f[15] = (uint8_t)i;
	}
	return f;
}

static void send_plain(unsigned i, size_t size, unsigned queue)
{
	outs[i] = (struct net_out){
		.bytes = plain(i, size), .size = (uint32_t)size, .queue = queue};
	net_link_send(t.link, &outs[i]);
}

static void host_says(unsigned i, size_t size)
{
	assert_true(host_send(t.host, NULL, plain(i, size), size));
}

static uint16_t sum(const uint8_t *at, size_t bytes, uint32_t sum)
{
	for (size_t i = 0; i < bytes; i++)
		sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* TCP over IPv4, its sum that of the pseudo header. */
static uint8_t *tcp(size_t payload, unsigned port)
{
	static const uint8_t ip[20] = {0x45, 0, 0,  0, 0, 0, 0,	 0, 64, 6,
				       0,    0, 10, 0, 0, 1, 10, 0, 0,	2};
	uint8_t *f = frames[0];

	memset(f, 0x11, TCP + 20 + payload);
	memcpy(f, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0", 14);
	memcpy(f + L3, ip, sizeof(ip));
	put16(f + L3 + 2, (unsigned)(40 + payload));
	put16(f + L3 + 10, (uint16_t)~sum(f + L3, 20, 0));
	memset(f + TCP, 0, 20);
	put16(f + TCP, port);
	put16(f + TCP + 2, 80);
	f[TCP + 12] = 5 << 4;
	f[TCP + 13] = 0x10;
	put16(f + TCP + 16, sum(f + L3 + 12, 8, (uint32_t)(6 + 20 + payload)));
	return f;
}

/* A whole TCP frame whose sum is right. */
static bool sum_is_right(const uint8_t *f, size_t size)
{
	size_t bytes = size - TCP;

	return sum(f + TCP, bytes, sum(f + L3 + 12, 8, (uint32_t)(6 + bytes))) ==
	       0xffff;
}

static const struct virtio_net_hdr cut = {
	.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
	.hdr_len = TCP + 20,
	.gso_size = 1000,
	.csum_start = TCP,
	.csum_offset = 16,
};

/* -- Opening ---------------------------------------------------------------------- */

static void names(void **state)
{
	static const char *const bad[] = {"",	 ".",	"..",	 "a/b",
					  "a:b", "a b", "tap%d", "abcdefghijklmnop"};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(open_link(bad[i], 1), -EINVAL);
	assert_null(t.link);
}

static unsigned descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Each way to fail, and nothing is left open. */
static void opening_fails(void **state)
{
	unsigned before = descriptors();
	int held;

	(void)state;
	assert_int_equal(open_link(TAP, 1), -ENODEV);
	assert_int_equal(if_nametoindex(TAP), 0); /* and was not made */
	assert_int_equal(open_link("lo", 1), -EPERM);
	host_make(TAP, IFF_TUN);
	assert_int_equal(open_link(TAP, 1), -EPERM);
	host_remove(TAP);
	host_make(TAP, ONE);
	held = host_hold(TAP, ONE);
	assert_int_equal(open_link(TAP, 1), -EBUSY);
	close(held);
	host_remove(TAP);
	host_make(TAP, MANY);
	held = host_hold(TAP, MANY);
	assert_int_equal(open_link(TAP, 1), -EBUSY);
	assert_int_equal(open_link(TAP, 3), -EBUSY);
	close(held);
	host_remove(TAP);
	held = host_hold(TAP, MANY); /* not to stay */
	assert_int_equal(open_link(TAP, 1), -ENODEV);
	close(held);
	assert_int_equal(descriptors(), before);
	assert_null(t.link);
}

static int open_without_capability(void)
{
	host_drop_capabilities();
	return -open_link(TAP, 2);
}

static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void no_capability_is_needed(void **state)
{
	(void)state;
	assert_int_equal(in_child(open_without_capability), ENODEV);
	host_make(TAP, MANY);
	assert_int_equal(in_child(open_without_capability), 0);
	host_remove(TAP);
	host_make(TAP, ONE);
	assert_int_equal(in_child(open_without_capability), 0);
}

static void another_users(void **state)
{
	(void)state;
	if (!host_is_root())
		needs_skip("there is no other user here");
	host_give_to(TAP, ONE, 12345);
	assert_int_equal(in_child(open_without_capability), EPERM);
}

static void queues(void **state)
{
	static const struct {
		int flags;
		unsigned wanted, has;
	} rows[] = {
		{ONE, 1, 1}, {ONE, 4, 1}, {MANY, 1, 1}, {MANY, 4, 4}, {MANY, 16, 16}};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		host_make(TAP, rows[i].flags);
		assert_int_equal(open_link(TAP, rows[i].wanted), 0);
		assert_int_equal(t.link->queues, rows[i].has);
		net_link_close(t.link);
		host_remove(TAP);
	}
	t.link = NULL;
}

/* What another left is not there, nor anybody. */
static void begins_anew(void **state)
{
	int other, bytes = 12;

	(void)state;
	ready(ONE, 1);
	assert_int_equal(net_link_offloads(t.link, ALL), 0);
	net_link_close(t.link);
	t.link = NULL;
	loop_fini(&t.loop);
	other = host_hold(TAP, ONE | IFF_VNET_HDR);
	assert_int_equal(ioctl(other, TUNSETVNETHDRSZ, &bytes), 0);
	close(other);
	assert_int_equal(loop_init(&t.loop, 256), 0);
	assert_int_equal(open_link(TAP, 1), 0);
	assert_int_equal(loop_seal(&t.loop), 0);
	assert_false(host_has_carrier(TAP));
	assert_int_equal(net_link_carrier(t.link, true), 0);
	assert_true(host_has_carrier(TAP));
	net_link_more(t.link, 0);
	assert_true(host_send(t.host, &cut, tcp(PAYLOAD, 1), TCP + 20 + PAYLOAD));
	hear(5);
	assert_int_equal(t.heard[0]->offload.gso, NET_GSO_NONE);
	assert_int_equal(t.heard[0]->size, TCP + 20 + 1000);
}

/* -- To the host ------------------------------------------------------------------ */

static void frames_leave(void **state)
{
	static const size_t sizes[] = {14, 60, 61, 1514};

	(void)state;
	ready(ONE, 1);
	for (unsigned i = 0; i < 4; i++)
		send_plain(i, sizes[i], 0);
	sent(4);
	assert_int_equal(t.res, 0);
	assert_int_equal(t.link->stats.sent, 4);
	assert_int_equal(t.link->stats.sent_bytes, 14 + 60 + 61 + 1514);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(host_hear(t.host, &header, got, sizeof(got)),
				 sizes[i]);
		assert_memory_equal(got, frames[i], sizes[i]);
		assert_int_equal(header.flags, 0);
		assert_int_equal(header.gso_type, 0);
	}
}

/* One call of the kernel takes them all. */
static void many_leave_at_once(void **state)
{
	(void)state;
	ready(ONE, 1);
	for (unsigned i = 0; i < 200; i++)
		send_plain(i, 100, 0);
	turn();
	assert_int_equal(t.sents, 200);
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(host_hear(t.host, &header, got, sizeof(got)), 100);
		assert_int_equal(got[15], i);
	}
}

static void offloads_leave(void **state)
{
	(void)state;
	ready(ONE, 1);
	outs[0] = (struct net_out){
		.bytes = tcp(PAYLOAD, 1),
		.size = TCP + 20 + PAYLOAD,
		.offload = {true, TCP, 16, NET_GSO_TCPV4, 1000, TCP + 20},
	};
	net_link_send(t.link, &outs[0]);
	sent(1);
	assert_int_equal(t.res, 0);
	assert_int_equal(host_hear(t.host, &header, got, sizeof(got)),
			 TCP + 20 + PAYLOAD);
	assert_int_equal(header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(header.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(header.gso_size, 1000);
	assert_int_equal(header.csum_start, TCP);
	assert_int_equal(header.csum_offset, 16);
}

/* What the host does not take is lost, and that is all. */
static void lost(void **state)
{
	(void)state;
	ready(ONE, 1);
	outs[0] = (struct net_out){
		.bytes = plain(0, 60), .size = 60, .offload = {true, 59, 16}};
	net_link_send(t.link, &outs[0]);
	sent(1);
	assert_int_equal(t.res, -EINVAL);
	host_up(TAP, false);
	send_plain(1, 60, 0);
	sent(2);
	assert_int_equal(t.res, -EIO);
	assert_int_equal(t.link->stats.lost, 2);
	assert_int_equal(t.link->stats.sent, 0);
	host_up(TAP, true);
	send_plain(2, 60, 0);
	sent(3);
	assert_int_equal(t.res, 0);
	assert_int_equal(t.faileds, 0);
}

static void gone(void **state)
{
	(void)state;
	ready(ONE, 1);
	net_link_more(t.link, 0);
	assert_int_equal(loop_turn(&t.loop, false), 0);
	host_remove(TAP);
	for (int i = 0; i < 100 && !t.faileds; i++)
		turn();
	assert_int_equal(t.faileds, 1);
	assert_true(t.err == -EBADFD || t.err == -ENODEV);
	send_plain(0, 60, 0); /* it is told nothing more */
	net_link_more(t.link, 0);
	assert_int_equal(loop_turn(&t.loop, false), 0);
	assert_int_equal(t.sents, 0);
	assert_int_equal(t.faileds, 1);
}

/* Who sends only finds out as well. */
static void gone_while_sending(void **state)
{
	(void)state;
	ready(ONE, 1);
	host_remove(TAP);
	send_plain(0, 60, 0);
	send_plain(1, 60, 0);
	turn();
	assert_int_equal(t.faileds, 1);
	assert_int_equal(t.sents, 0);
}

/* -- From the host ---------------------------------------------------------------- */

static void frames_come(void **state)
{
	static const size_t sizes[] = {14, 60, 61, 1514};
	size_t bytes = 0;

	(void)state;
	ready(ONE, 1);
	net_link_more(t.link, 0);
	assert_int_equal(t.rooms, 2);
	net_link_more(t.link, 0); /* as it is said anyway */
	assert_int_equal(t.rooms, 2);
	for (unsigned i = 0; i < 4; i++)
		host_says(i, sizes[i]);
	hear(4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(t.heard[i]->size, sizes[i]);
		assert_memory_equal(t.heard[i]->bytes, frames[i], sizes[i]);
		assert_false(t.heard[i]->offload.sum);
		assert_int_equal(t.heard[i]->offload.gso, NET_GSO_NONE);
		bytes += sizes[i];
	}
	assert_int_equal(t.link->stats.received, 4);
	assert_int_equal(t.link->stats.received_bytes, bytes);
	assert_int_equal(t.link->stats.unfit, 0);
}

/* 2, 4, 8 and so on to 64: a call of the kernel for each batch. */
static void many_come_in_few_turns(void **state)
{
	(void)state;
	ready(ONE, 1);
	for (unsigned i = 0; i < FRAMES; i++)
		host_says(i, 60);
	net_link_more(t.link, 0);
	assert_int_equal(hear(FRAMES), 9);
	for (unsigned i = 0; i < FRAMES; i++)
		assert_int_equal(t.heard[i]->bytes[15], i);
}

/* One by one: a turn each, but for a look in vain now and then. */
static void few_come_in_a_turn_each(void **state)
{
	unsigned turns = 0;

	(void)state;
	ready(ONE, 1);
	net_link_more(t.link, 0);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(loop_turn(&t.loop, false), 0);
		host_says(i, 60);
		turns += hear(i + 1);
	}
	assert_true(turns <= 100 + 2 * 100 / 8);
	assert_true(t.unuseds <= 2 + 100 / 8);
	/* And nothing is held that is not needed. */
	assert_true(t.given - t.heards <= 2);
}

/* After a burst, too. */
static void a_burst_is_forgotten(void **state)
{
	(void)state;
	ready(ONE, 1);
	for (unsigned i = 0; i < 200; i++)
		host_says(i, 60);
	net_link_more(t.link, 0);
	hear(200);
	for (unsigned i = 200; i < 204; i++) {
		assert_int_equal(loop_turn(&t.loop, false), 0);
		host_says(i, 60);
		hear(i + 1);
	}
	assert_true(t.given - t.heards <= 2);
}

/* Whatever is in the way: in order, once each, and a buffer home for each. */
static void in_order_at_any_pace(void **state)
{
	unsigned said = 0;

	(void)state;
	ready(ONE, 1);
	net_link_more(t.link, 0);
	for (unsigned step = 1; said < FRAMES; step = step * 5 % 37) {
		for (unsigned i = 0; i < step && said < FRAMES; i++)
			host_says(said++, 60);
		assert_int_equal(loop_turn(&t.loop, false), 0);
	}
	hear(FRAMES);
	for (unsigned i = 0; i < FRAMES; i++)
		assert_int_equal(t.heard[i]->bytes[15], i);
}

static void without_room_nothing_is_asked(void **state)
{
	(void)state;
	ready(ONE, 1);
	t.limit = 3;
	for (unsigned i = 0; i < 10; i++)
		host_says(i, 60);
	assert_int_equal(loop_turn(&t.loop, false), 0);
	assert_int_equal(t.rooms, 0); /* before the first net_link_more() */
	net_link_more(t.link, 0);
	hear(3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(loop_turn(&t.loop, false), 0);
	assert_int_equal(t.heards, 3);
	assert_int_equal(t.nones, 1);
	t.limit = 5;
	net_link_more(t.link, 0);
	hear(5);
	assert_int_equal(t.nones, 2);
	t.limit = INS;
	net_link_more(t.link, 0);
	hear(10);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(t.heard[i]->bytes[15], i);
}

static void too_large_for_its_buffer(void **state)
{
	(void)state;
	ready(ONE, 1);
	t.room = 100;
	net_link_more(t.link, 0);
	host_says(0, 101);
	host_says(1, 100);
	host_says(2, 1514);
	host_says(3, 99);
	hear(2);
	assert_int_equal(t.heard[0]->size, 100);
	assert_memory_equal(t.heard[0]->bytes, frames[1], 100);
	assert_int_equal(t.heard[1]->size, 99);
	assert_int_equal(t.link->stats.unfit, 2);
	assert_int_equal(t.link->stats.received, 2);
}

static void offloads_come(void **state)
{
	const struct net_in *in;

	(void)state;
	ready(ONE, 1);
	assert_int_equal(net_link_offloads(t.link, NET_LINK_TSO4), -EINVAL);
	assert_int_equal(net_link_offloads(t.link, ALL), 0);
	net_link_more(t.link, 0);
	assert_true(host_send(t.host, &cut, tcp(PAYLOAD, 1), TCP + 20 + PAYLOAD));
	hear(1);
	in = t.heard[0];
	assert_int_equal(in->size, TCP + 20 + PAYLOAD);
	assert_memory_equal(in->bytes, frames[0], in->size);
	assert_true(in->validated);
	assert_true(in->offload.sum);
	assert_int_equal(in->offload.start, TCP);
	assert_int_equal(in->offload.offset, 16);
	assert_int_equal(in->offload.gso, NET_GSO_TCPV4);
	assert_int_equal(in->offload.gso_size, 1000);
	assert_int_equal(in->offload.header, TCP + 20);
}

/* A sum alone, then not even that. */
static void offloads_that_were_not_asked_for(void **state)
{
	(void)state;
	ready(ONE, 1);
	net_link_more(t.link, 0);
	for (unsigned offloads = NET_LINK_CSUM, n = 5;; offloads = 0, n += 5) {
		assert_int_equal(net_link_offloads(t.link, offloads), 0);
		assert_true(
			host_send(t.host, &cut, tcp(PAYLOAD, 1), TCP + 20 + PAYLOAD));
		hear(n);
		for (unsigned i = n - 5; i < n; i++) {
			const struct net_in *in = t.heard[i];

			assert_int_equal(in->size, TCP + 20 + 1000);
			assert_int_equal(in->offload.gso, NET_GSO_NONE);
			assert_true(in->offload.sum
					    ? offloads
					    : sum_is_right(in->bytes, in->size));
		}
		if (!offloads)
			break;
	}
}

static void nobody_hears_without_a_carrier(void **state)
{
	(void)state;
	ready(ONE, 1);
	net_link_more(t.link, 0);
	assert_int_equal(net_link_carrier(t.link, false), 0);
	assert_false(host_has_carrier(TAP));
	host_send(t.host, NULL, plain(0, 60), 60);
	assert_int_equal(net_link_carrier(t.link, true), 0);
	assert_true(host_has_carrier(TAP));
	host_says(1, 60);
	hear(1);
	assert_int_equal(t.heard[0]->bytes[15], 1);
}

/* -- Several queues ---------------------------------------------------------------- */

static void flows_have_their_queues(void **state)
{
	unsigned heard[4] = {0}, used = 0;

	(void)state;
	ready(MANY, 4);
	for (unsigned queue = 0; queue < 4; queue++)
		net_link_more(t.link, queue);
	for (unsigned port = 0; port < 64; port++)
		assert_true(host_send(t.host, NULL, tcp(10, 1000 + port), TCP + 30));
	hear(64);
	for (unsigned i = 0; i < 64; i++)
		heard[t.heard[i]->queue]++;
	for (unsigned queue = 0; queue < 4; queue++)
		used += heard[queue] > 0;
	assert_true(used > 1);
}

/* What is asked of one says nothing of another. */
static void queues_starve_alone(void **state)
{
	(void)state;
	ready(MANY, 2);
	net_link_more(t.link, 1);
	for (unsigned port = 0; port < 64; port++)
		assert_true(host_send(t.host, NULL, tcp(10, 1000 + port), TCP + 30));
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_turn(&t.loop, false), 0);
	assert_true(t.heards > 0 && t.heards < 64);
	for (unsigned i = 0; i < t.heards; i++)
		assert_int_equal(t.heard[i]->queue, 1);
	net_link_more(t.link, 0);
	hear(64);
}

static void any_queue_sends(void **state)
{
	(void)state;
	ready(MANY, 16);
	for (unsigned i = 0; i < 16; i++) {
		send_plain(i, 60, i);
		sent(i + 1);
		assert_int_equal(host_hear(t.host, &header, got, sizeof(got)), 60);
		assert_int_equal(got[15], i);
	}
}

/* Which queue a flow is sent from is where its answers come. */
static void answers_come_to_their_queue(void **state)
{
	uint8_t mac[6], *f;

	(void)state;
	ready(MANY, 4);
	for (unsigned queue = 0; queue < 4; queue++)
		net_link_more(t.link, queue);
	for (unsigned i = 0; i < 4; i++) {
		f = tcp(10, 1000 + i);
		outs[i] = (struct net_out){.bytes = f, .size = TCP + 30, .queue = i};
		net_link_send(t.link, &outs[i]);
		sent(i + 1);
		memcpy(mac, f, 6);
		memcpy(f, f + 6, 6);
		memcpy(f + 6, mac, 6);
		memcpy(f + L3 + 12, "\x0a\0\0\2\x0a\0\0\1", 8);
		put16(f + TCP, 80);
		put16(f + TCP + 2, 1000 + i);
		assert_true(host_send(t.host, NULL, f, TCP + 30));
		hear(i + 1);
		assert_int_equal(t.heard[i]->queue, i);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names),
		TEST(opening_fails),
		TEST(no_capability_is_needed),
		TEST(another_users),
		TEST(queues),
		TEST(begins_anew),
		TEST(frames_leave),
		TEST(many_leave_at_once),
		TEST(offloads_leave),
		TEST(lost),
		TEST(gone),
		TEST(gone_while_sending),
		TEST(frames_come),
		TEST(many_come_in_few_turns),
		TEST(few_come_in_a_turn_each),
		TEST(a_burst_is_forgotten),
		TEST(in_order_at_any_pace),
		TEST(without_room_nothing_is_asked),
		TEST(too_large_for_its_buffer),
		TEST(offloads_come),
		TEST(offloads_that_were_not_asked_for),
		TEST(nobody_hears_without_a_carrier),
		TEST(flows_have_their_queues),
		TEST(queues_starve_alone),
		TEST(any_queue_sends),
		TEST(answers_come_to_their_queue),
	};
	const char *why = needs_io_uring() ? host_enter() : "no io_uring here";

	if (why)
		return needs_skip_all(tests, sizeof(tests) / sizeof(tests[0]), why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
