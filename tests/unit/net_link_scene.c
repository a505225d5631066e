/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "tests/unit/net_link_scene.h"

struct scene t;
static uint8_t memory[INS][ROOM + 1];
struct net_out outs[FRAMES];
uint8_t frames[FRAMES][ROOM];

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

int open_link(const char *name, unsigned queues)
{
	struct net_link_conf conf = {.queues = queues, .loop = &t.loop};
	int r = net_link_open(&t.link, name, &conf);

	if (r)
		return r;
	t.link->user = &user;
	return 0;
}

int set_up(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.host = -1;
	t.limit = INS;
	t.room = ROOM;
	assert_int_equal(loop_init(&t.loop, 256), 0);
	return 0;
}

int tear_down(void **state)
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
void ready(int flags, unsigned queues)
{
	host_make(TAP, flags);
	host_up(TAP, true);
	assert_int_equal(open_link(TAP, queues), 0);
	assert_int_equal(loop_seal(&t.loop), 0);
	t.host = host_listen(TAP);
	assert_int_equal(net_link_carrier(t.link, true), 0);
	assert_true(host_has_carrier(TAP));
}

void turn(void)
{
	assert_int_equal(loop_turn(&t.loop, true), 0);
}

/* Turns until so many were heard; how many it took. */
unsigned hear(unsigned frames_in_all)
{
	unsigned turns = 0;

	for (; t.heards < frames_in_all && turns < 1000; turns++)
		turn();
	assert_int_equal(t.heards, frames_in_all);
	return turns;
}

void sent(unsigned frames_in_all)
{
	for (int i = 0; i < 1000 && t.sents < frames_in_all; i++)
		turn();
	assert_int_equal(t.sents, frames_in_all);
}

/* Of a kind that nothing on this host takes for its own; its number is in it. */
uint8_t *plain(unsigned i, size_t size)
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

void send_plain(unsigned i, size_t size, unsigned queue)
{
	outs[i] = (struct net_out){
		.bytes = plain(i, size), .size = (uint32_t)size, .queue = queue};
	net_link_send(t.link, &outs[i]);
}

void host_says(unsigned i, size_t size)
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

void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* TCP over IPv4, its sum that of the pseudo header. */
uint8_t *tcp(size_t payload, unsigned port)
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

uint8_t *udp(size_t payload)
{
	uint8_t *f = tcp(payload, 53); /* of which the headers are shorter */

	f[L3 + 9] = 17;
	put16(f + L3 + 2, (unsigned)(28 + payload));
	put16(f + L3 + 10, 0);
	put16(f + L3 + 10, (uint16_t)~sum(f + L3, 20, 0));
	put16(f + TCP + 4, (unsigned)(8 + payload));
	put16(f + TCP + 6, sum(f + L3 + 12, 8, (uint32_t)(17 + 8 + payload)));
	return f;
}

/* A whole TCP frame whose sum is right. */
bool sum_is_right(const uint8_t *f, size_t size)
{
	size_t bytes = size - TCP;

	return sum(f + TCP, bytes, sum(f + L3 + 12, 8, (uint32_t)(6 + bytes))) ==
	       0xffff;
}

const struct virtio_net_hdr cut = {
	.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
	.hdr_len = TCP + 20,
	.gso_size = 1000,
	.csum_start = TCP,
	.csum_offset = 16,
};
