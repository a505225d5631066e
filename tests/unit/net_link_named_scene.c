/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/net_link_named_scene.h"

struct end ends[2];
uint8_t frame[LARGEST];
struct net_out out;
char dir[] = "/tmp/xdd-link.XXXXXX";
static uint8_t buffers[2][INS][ROOM];
static uint8_t *memory; /* the third hand's */

/* -- An end's user ---------------------------------------------------------------- */

static struct end *end_of(struct net_link *link)
{
	return link->owner;
}

static void on_sent(struct net_link *link, struct net_out *which, int res)
{
	(void)which;
	end_of(link)->sents++;
	end_of(link)->res = res;
}

static struct net_in *on_room(struct net_link *link, unsigned queue)
{
	struct end *e = end_of(link);
	unsigned i = 0, given = 0;

	assert_int_equal(queue, 0);
	e->rooms++;
	for (i = 0; i < INS; i++)
		given += e->given[i];
	if (given >= e->available)
		return NULL;
	for (i = 0; e->given[i]; i++)
		;
	e->given[i] = true;
	e->in[i] = (struct net_in){.bytes = buffers[e - ends][i], .room = e->room};
	return &e->in[i];
}

static void home(struct end *e, struct net_in *in)
{
	size_t i = (size_t)(in - e->in);

	assert_true(i < INS && e->given[i]);
	e->given[i] = e->keep;
}

static void on_heard(struct net_link *link, struct net_in *in)
{
	struct end *e = end_of(link);

	assert_true(in->size >= NET_HEADER && in->size <= in->room && !in->queue);
	home(e, in);
	e->heards++;
	e->heard = in;
	if (e->look)
		e->look(in);
}

static void on_unused(struct net_link *link, struct net_in *in)
{
	home(end_of(link), in);
	end_of(link)->unuseds++;
}

static void on_failed(struct net_link *link, int err)
{
	(void)link;
	fail_msg("failed: %d", err);
}

static const struct net_link_user user = {
	.sent = on_sent,
	.room = on_room,
	.heard = on_heard,
	.unused = on_unused,
	.failed = on_failed,
};

/* -- Scene ------------------------------------------------------------------------ */

const char *path(const char *name)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s/%s", dir, name);
	return text;
}

void make(const char *name, long bytes)
{
	int fd = open(path(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(posix_fallocate(fd, 0, bytes), 0);
	close(fd);
}

int set_up(void **state)
{
	int fd;

	(void)state;
	memset(ends, 0, sizeof(ends));
	strcpy(dir, "/tmp/xdd-link.XXXXXX");
	assert_non_null(mkdtemp(dir));
	make("memory", NET_LINK_NAMED_BYTES);
	assert_int_equal(mkfifo(path("wake0"), 0600), 0);
	assert_int_equal(mkfifo(path("wake1"), 0600), 0);
	fd = open(path("memory"), O_RDWR | O_CLOEXEC);
	memory = mmap(NULL, NET_LINK_NAMED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	assert_true(memory != MAP_FAILED);
	close(fd);
	for (uint32_t i = 0; i < LARGEST; i++)
		frame[i] = (uint8_t)(i * 7 + (i >> 8));
	memcpy(frame, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x88\xb5", 14);
	return 0;
}

void close_end(unsigned i)
{
	if (!ends[i].link)
		return;
	net_link_close(ends[i].link);
	loop_fini(&ends[i].loop);
	ends[i].link = NULL;
}

int tear_down(void **state)
{
	(void)state;
	close_end(0);
	close_end(1);
	munmap(memory, NET_LINK_NAMED_BYTES);
	unlink(path("memory"));
	unlink(path("wake0"));
	unlink(path("wake1"));
	rmdir(dir);
	return 0;
}

void open_end(unsigned i)
{
	struct net_link_conf conf = CONF(&ends[i].loop);

	ends[i] = (struct end){.available = INS, .room = ROOM};
	assert_int_equal(loop_init(&ends[i].loop, 64), 0);
	assert_int_equal(net_link_named_open(&ends[i].link, dir, &conf), 0);
	assert_int_equal(ends[i].link->queues, 1);
	ends[i].link->user = &user;
	ends[i].link->owner = &ends[i];
	assert_int_equal(net_link_carrier(ends[i].link, false), 0); /* as net_init() */
	assert_int_equal(loop_seal(&ends[i].loop), 0);
}

void connect_end(unsigned i, unsigned offloads)
{
	assert_int_equal(net_link_offloads(ends[i].link, offloads), 0);
	assert_int_equal(net_link_carrier(ends[i].link, true), 0);
	net_link_more(ends[i].link, 0);
}

/* What can be done without waiting; how often the kernel was called. */
unsigned turns(unsigned i)
{
	unsigned n = 0, idle = 0;

	while (idle < 2) {
		struct pollfd fd = {ends[i].loop.ring.ring_fd, POLLIN, 0};

		if (!loop_queued(&ends[i].loop) && !loop_ready(&ends[i].loop) &&
		    poll(&fd, 1, 1) == 0) {
			idle++;
			continue;
		}
		assert_int_equal(loop_turn(&ends[i].loop, false), 0);
		idle = 0;
		assert_true(n++ < 1000);
	}
	return n;
}

void settle(void)
{
	for (unsigned n = 0; n < 3; n++) {
		turns(0);
		turns(1);
	}
}

void both(void)
{
	open_end(0);
	open_end(1);
	connect_end(0, ALL);
	connect_end(1, ALL);
	settle();
}

int send_from(unsigned i, uint32_t size)
{
	unsigned before = ends[i].sents;

	out.bytes = frame;
	out.size = size;
	out.queue = 0;
	net_link_send(ends[i].link, &out);
	assert_int_equal(ends[i].sents, before + 1);
	return ends[i].res;
}

void send_plain(unsigned i, uint32_t size)
{
	out.offload = (struct net_offload){0};
	assert_int_equal(send_from(i, size), 0);
}

/* Wake-ups that wait for end @i. */
int wakes(unsigned i)
{
	int fd = open(path(i ? "wake1" : "wake0"), O_RDONLY | O_NONBLOCK), n = -1;

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, FIONREAD, &n), 0);
	close(fd);
	return n;
}

/* What end @i reads; @i writes `taken`, `wake` and `takes` there. */
uint8_t *area_to(unsigned i)
{
	return memory + (size_t)!i * NET_RING_AREA;
}

struct net_ring_control *words(unsigned i)
{
	return (struct net_ring_control *)(void *)area_to(i);
}

/* -- Frames ----------------------------------------------------------------------- */

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

uint16_t sum(const uint8_t *at, size_t bytes, uint32_t sum)
{
	for (size_t i = 0; i < bytes; i++)
		sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* TCP over IPv4, its sum that of the pseudo header. */
void tcp(uint32_t payload)
{
	static const uint8_t ip[20] = {0x45, 0, 0,  0, 0, 0, 0,	 0, 64, 6,
				       0,    0, 10, 0, 0, 1, 10, 0, 0,	2};

	memcpy(frame + 12, "\x08\0", 2);
	memcpy(frame + 14, ip, sizeof(ip));
	put16(frame + 16, 40 + payload);
	memset(frame + TCP, 0, 20);
	frame[TCP + 12] = 5 << 4;
	put16(frame + TCP + 16, sum(frame + 26, 8, 6 + 20 + payload));
}

const struct net_offload cut = {true, TCP, 16, NET_GSO_TCPV4, 1000, TCP + 20};
const struct net_offload blank = {.sum = true, .start = TCP, .offset = 16};
