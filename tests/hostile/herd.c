/* SPDX-License-Identifier: MIT */
#include "tests/hostile/herd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define NODES	1024
#define WATCHES (2 * HERD_MAX)
#define PENDING 65536 /* bytes on their way to one keeper */
#define QUEUE	HERD_MAX
#define NEVER	UINT64_MAX

#define CLIENT_NS (100 * CLOCK_MS)

struct herd herd;

static struct keeper keepers[HERD_MAX];
static char names[HERD_MAX][8], dir[64];
static struct node {
	char path[96];
	char value[5000];
	size_t len;
	bool there;
} nodes[NODES];

static struct connection {
	bool open, lost;
	char pending[PENDING];
	size_t bytes;
	char watch[2][XS_REQUEST_MAX + 32];
	bool broken; /* the next bytes are of a forbidden length */
	uint64_t wake;
} connections[HERD_MAX];

static struct {
	uint64_t at;
	const char *state; /* to be written then */
	uint32_t told;	   /* the generation that was told Connected */
} clients[HERD_MAX];

static struct {
	unsigned from;
	struct xs_message m;
} queue[QUEUE];
static unsigned queued, turning;
static uint64_t serving_until;

/* --- xenstored --------------------------------------------------------------- */

static struct node *node_of(const char *path)
{
	for (unsigned i = 0; i < NODES && nodes[i].path[0]; i++) {
		if (!strcmp(nodes[i].path, path))
			return &nodes[i];
	}
	return NULL;
}

/* A keeper's own paths are relative to its domain's home. */
static const char *absolute(const char *path)
{
	static char whole[XS_REQUEST_MAX + 32];

	if (path[0] == '/')
		return path;
	snprintf(whole, sizeof(whole), "/local/domain/1/%s", path);
	return whole;
}

static void deliver(unsigned i, const struct xs_header *h, const void *payload)
{
	struct connection *c = &connections[i];

	if (!c->open || c->lost)
		return;
	assert(c->bytes + sizeof(*h) + h->len <= PENDING);
	memcpy(c->pending + c->bytes, h, sizeof(*h));
	memcpy(c->pending + c->bytes + sizeof(*h), payload, h->len);
	c->bytes += sizeof(*h) + h->len;
	c->wake = herd.now;
}

static void fire(const char *path)
{
	char event[XS_REQUEST_MAX + 64];

	for (unsigned i = 0; i < herd.n; i++) {
		for (unsigned w = 0; w < 2; w++) {
			const char *top = connections[i].watch[w];
			size_t n = strlen(top);
			struct xs_header h = {.type = XS_TYPE_EVENT};

			if (!n || strncmp(path, top, n) || (path[n] && path[n] != '/'))
				continue;
			h.len = (uint32_t)snprintf(event, sizeof(event), "%s%cw", path,
						   0) +
				1;
			if (connections[i].bytes + sizeof(h) + h.len <= PENDING / 2)
				deliver(i, &h, event);
		}
	}
}

void herd_set(const char *path, const char *value, size_t len)
{
	struct node *node = node_of(path);

	for (unsigned i = 0; i < NODES && !node; i++) {
		if (!nodes[i].path[0])
			node = &nodes[i];
	}
	assert(node && len < sizeof(node->value));
	snprintf(node->path, sizeof(node->path), "%s", path);
	node->there = value;
	node->len = len;
	if (value)
		memcpy(node->value, value, len);
	node->value[len] = '\0';
	fire(path);
}

const char *herd_get(const char *path)
{
	const struct node *node = node_of(path);

	return node && node->there ? node->value : NULL;
}

static void answer(unsigned i, const struct xs_header *to, const char *value,
		   size_t len)
{
	struct xs_header h = *to;

	h.len = (uint32_t)len;
	deliver(i, &h, value);
}

static void answer_error(unsigned i, const struct xs_header *to, const char *name)
{
	struct xs_header h = *to;

	h.type = XS_TYPE_ERROR;
	answer(i, &h, name, strlen(name) + 1);
}

static void set_watch(unsigned i, const struct xs_message *m)
{
	struct connection *c = &connections[i];
	char *slot = c->watch[0][0] ? c->watch[1] : c->watch[0];

	assert(!slot[0]); /* keeper-device.h, invariant 3 */
	snprintf(slot, sizeof(c->watch[0]), "%s", absolute(m->payload));
}

static void do_watch(unsigned i, const struct xs_message *m)
{
	struct xs_header h = {.type = XS_TYPE_EVENT};
	char event[XS_REQUEST_MAX + 64];

	set_watch(i, m);
	answer(i, &m->header, "OK", 3);
	h.len = (uint32_t)snprintf(event, sizeof(event), "%s%cw", m->payload, 0) + 1;
	deliver(i, &h, event); /* a new watch fires once */
}

/* What blkfront does about its back end's state, a while later. */
static void client_sees(unsigned i, const char *path, const char *value)
{
	if (strcmp(path, herd_back(i, "state")) ||
	    (strcmp(value, "2") && strcmp(value, "4")))
		return;
	clients[i].at = herd.now + CLIENT_NS;
	clients[i].state = value[0] == '2' ? "3" : "4";
}

static void client_acts(unsigned i)
{
	clients[i].at = NEVER;
	if (herd_get(herd_front(i, "state")))
		herd_set(herd_front(i, "state"), clients[i].state, 1);
}

/* Its own domid, its devices, its client's keys, its own status: nothing else. */
static bool is_ours(unsigned i, const char *path)
{
	char own[64];

	snprintf(own, sizeof(own), "/local/domain/1/drivers/xdd/%s/status", names[i]);
	return !strcmp(path, "/local/domain/1/domid") || !strcmp(path, own) ||
	       !strncmp(path, herd_back(i, ""), strlen(herd_back(i, "")) - 1) ||
	       !strncmp(path, herd_front(i, ""), strlen(herd_front(i, "")));
}

static void handle(unsigned i, const struct xs_message *m)
{
	const struct xs_header *h = &m->header;
	const char *path = absolute(m->payload);
	size_t first = strlen(m->payload) + 1;
	const struct node *node = node_of(path);
	char value[XS_REQUEST_MAX + 1] = "";

	herd.stray += !is_ours(i, path);
	if (h->type == XS_TYPE_WATCH) {
		do_watch(i, m);
	} else if (h->type == XS_TYPE_WRITE) {
		memcpy(value, m->payload + first, h->len - first);
		answer(i, h, "OK", 3);
		herd_set(path, value, h->len - first);
		client_sees(i, path, value);
	} else if (h->type == XS_TYPE_RM) {
		answer(i, h, "OK", 3);
	} else if (node && node->there) {
		answer(i, h, node->value, node->len);
	} else {
		answer_error(i, h, "ENOENT");
	}
}

/* True: the fault took its place. */
static bool meets_fault(unsigned i, const struct xs_message *m)
{
	struct xs_header strange = {.type = XS_TYPE_READ, .id = 0xdead, .len = 4};

	if (!herd.fault_at || --herd.fault_at)
		return false;
	herd.fault_type = m->header.type;
	if (m->header.type == XS_TYPE_WATCH &&
	    !strcmp(herd.error ? herd.error : "", "EEXIST"))
		set_watch(i, m); /* or it would lie */
	if (herd.fault == HERD_ERROR)
		answer_error(i, &m->header, herd.error);
	if (herd.fault == HERD_LOST)
		connections[i].lost = true;
	if (herd.fault == HERD_OVERSIZED)
		connections[i].broken = true;
	connections[i].wake = herd.now;
	if (herd.fault != HERD_STRANGE)
		return true;
	deliver(i, &strange, "rubb");
	strange.type = XS_TYPE_ERROR;
	deliver(i, &strange, "ENO");
	return false;
}

static void serve_one(void)
{
	struct xs_message m = queue[0].m;
	unsigned from = queue[0].from;
	uint64_t bucket = (herd.now - herd.since) / herd.bucket_ns;

	memmove(queue, queue + 1, --queued * sizeof(queue[0]));
	serving_until = herd.now + HERD_SERVICE_NS;
	herd.requests++;
	if (bucket < 1000)
		herd.in_ms[bucket]++;
	if (connections[from].open && !meets_fault(from, &m))
		handle(from, &m);
}

void herd_count(uint64_t ns)
{
	herd.requests = herd.stray = 0;
	memset(herd.in_ms, 0, sizeof(herd.in_ms));
	herd.bucket_ns = ns;
	herd.since = herd.now;
}

uint32_t herd_busiest(void)
{
	uint32_t most = 0;

	for (unsigned i = 0; i < 1000; i++)
		most = herd.in_ms[i] > most ? herd.in_ms[i] : most;
	return most;
}

void herd_lose(void)
{
	herd.away = true;
	queued = 0;
	for (unsigned i = 0; i < herd.n; i++) {
		connections[i].lost = true;
		connections[i].wake = herd.now;
	}
}

/* --- In place of xs-xen.c ----------------------------------------------------- */

int xs_open(void)
{
	struct connection *c = &connections[turning];

	herd.opens++;
	if (herd.away)
		return -ENXIO;
	*c = (struct connection){.open = true, .wake = NEVER};
	return eventfd(0, EFD_CLOEXEC);
}

int xs_turn(struct xs *xs, int fd, uint64_t now)
{
	struct connection *c = &connections[turning];
	static const uint32_t forbidden[] = {XS_TYPE_READ, 1, 0, XS_PAYLOAD_MAX + 1};
	const char *out;
	size_t n;
	int r;

	(void)fd;
	if (c->lost)
		c->open = false;
	if (!c->open)
		return -EIO;
	if (c->broken)
		return xs_input(xs, (const char *)forbidden, sizeof(forbidden));
	r = xs_input(xs, c->pending, c->bytes);
	c->bytes = 0;
	if (r)
		return r;
	n = xs_output(xs, now, &out);
	if (!n)
		return 0;
	assert(queued < QUEUE && n <= sizeof(queue[0].m)); /* xs.h, invariant 1 */
	queue[queued].from = turning;
	memcpy(&queue[queued++].m, out, n);
	xs_wrote(xs, (int64_t)n);
	return 0;
}

/* --- Time --------------------------------------------------------------------- */

/* Keepers that are woken together run one after the other on a real machine. */
static void turn(unsigned i)
{
	struct keeper *k = herd.keeper[i];
	uint32_t generation = k->device.generation;
	uint64_t next, later;

	turning = i;
	k->now = herd.now + i * 7001;
	connections[i].wake = NEVER;
	if (k->peer.fd >= 0 && !k->peer.waits)
		peer_read(k);
	maps_confirm(&k->maps);
	keeper_xenbus(k);
	next = keeper_turn(k);
	keeper_xenbus(k);
	later = k->now + CLOCK_SECOND; /* as keeper.c waits */
	next = next < later ? next : later;
	if (k->device.generation != generation) { /* a back end offers */
		static const char *const keys[] = {
			"feature-flush-cache",
			"feature-barrier",
			"feature-persistent",
			"feature-max-indirect-segments",
			"max-ring-page-order",
			"feature-discard",
			"sectors",
			"sector-size",
			"physical-sector-size",
			"info",
		};

		for (unsigned n = 0; n < sizeof(keys) / sizeof(keys[0]); n++)
			device_write(k, keys[n], "0");
		device_write(k, "state", "2");
		next = herd.now;
	}
	if (k->device.seen.number[DEVICE_FRONT] == 3 &&
	    k->device.seen.number[DEVICE_BACK] == 2 && clients[i].told != generation) {
		clients[i].told = generation;
		device_write(k, "state", "4");
		next = herd.now;
	}
	next = next > herd.now ? next : herd.now + 1;
	connections[i].wake = next < connections[i].wake ? next : connections[i].wake;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* To the next thing that is due, not past @end. */
static void advance(uint64_t end)
{
	uint64_t next = end;

	if (queued)
		next = serving_until > herd.now ? serving_until : herd.now;
	for (unsigned i = 0; i < herd.n; i++)
		next = earlier(next, earlier(connections[i].wake, clients[i].at));
	herd.now = next > end ? end : next > herd.now ? next : herd.now;
	if (queued && serving_until <= herd.now)
		serve_one();
	for (unsigned i = 0; i < herd.n; i++) {
		if (clients[i].at <= herd.now)
			client_acts(i);
		if (connections[i].wake <= herd.now)
			turn(i);
	}
}

uint64_t herd_until(bool (*done)(void), uint64_t ns)
{
	uint64_t start = herd.now, end = herd.now + ns;

	while (herd.now < end && !(done && done()))
		advance(end);
	return herd.now - start;
}

void herd_run(uint64_t ns)
{
	herd_until(NULL, ns);
}

bool herd_all_connected(void)
{
	for (unsigned i = 0; i < herd.n; i++) {
		const struct device *d = &herd.keeper[i]->device;

		if (!d->seen.present || d->seen.number[DEVICE_BACK] != 4 ||
		    d->seen.number[DEVICE_FRONT] != 4 || d->due || d->ask.busy)
			return false;
	}
	return true;
}

/* --- Keepers ---------------------------------------------------------------- */

static void keeper_new(unsigned i)
{
	struct keeper *k = &keepers[i];
	char path[512];
	int r;

	herd.keeper[i] = k;
	herd.peer[i] = -1;
	memset(k, 0, offsetof(struct keeper, maps));
	memset(&k->xs, 0, sizeof(*k) - offsetof(struct keeper, xs));
	memset(&k->maps.usage, 0, sizeof(k->maps.usage));
	snprintf(names[i], sizeof(names[i]), "k%u", i);
	snprintf(path, sizeof(path), "%s/%s.policy", dir, names[i]);
	herd_policy(i, path);
	k->name = names[i];
	k->policy_dir = k->ledger_dir = dir;
	keeper_init(k, 5 * CLOCK_SECOND);
	k->log.burst = k->log.per_minute = 1; /* one line a minute of ours */
	k->log.tokens = 0;
	r = keeper_policy_load(k, false);
	assert(!r);
	audit_open(&k->audit, "/nowhere", AUDIT_FILE_BYTES, false);
	device_init(k);
	r = calls_init(k);
	assert(!r);
	k->device.status = NULL;
	connections[i] = (struct connection){.wake = 0};
	clients[i].at = NEVER;
	clients[i].told = 0;
}

void herd_init(unsigned n)
{
	memset(&herd, 0, sizeof(herd));
	memset(nodes, 0, sizeof(nodes));
	queued = 0;
	serving_until = 0;
	herd.n = n;
	herd.now = 1000 * CLOCK_SECOND;
	herd_count(CLOCK_MS);
	snprintf(dir, sizeof(dir), "/tmp/xdd-herd-XXXXXX");
	assert(mkdtemp(dir));
	herd_set("/local/domain/1/domid", "1", 1);
	for (unsigned i = 0; i < n; i++)
		keeper_new(i);
}

void herd_fini(void)
{
	char command[96];

	for (unsigned i = 0; i < herd.n; i++) {
		struct keeper *k = herd.keeper[i];

		if (k->peer.pidfd >= 0)
			peer_dead(k);
		calls_forget(k, true);
		if (herd.peer[i] >= 0)
			close(herd.peer[i]);
		if (k->xenbus >= 0)
			close(k->xenbus);
		close(k->policy_fd);
		close(k->peer.area_fd);
	}
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert(!system(command));
}

void herd_serve(unsigned i)
{
	struct peer *p = &herd.keeper[i]->peer;
	int pair[2], r;

	if (p->pidfd >= 0)
		peer_dead(herd.keeper[i]);
	if (herd.peer[i] >= 0)
		close(herd.peer[i]);
	r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair);
	assert(!r);
	herd.peer[i] = pair[0];
	p->fd = pair[1];
	p->pidfd = eventfd(0, EFD_CLOEXEC);
	registrar_open(&herd.keeper[i]->registrar);
	p->stage = PEER_SERVING;
	herd.keeper[i]->device.status = NULL;
}

int herd_call(unsigned i, struct wire_message *m, unsigned type, size_t body)
{
	static uint32_t id;
	char control[256];
	uint64_t end = herd.now + 10 * CLOCK_SECOND;

	m->header = (struct wire_header){(uint16_t)type, 0, ++id};
	if (send(herd.peer[i], m, sizeof(m->header) + body, MSG_NOSIGNAL) < 0)
		return -1;
	connections[i].wake = herd.now;
	while (herd.now < end) {
		struct iovec iov = {m, sizeof(*m)};
		struct msghdr msg = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t n;
		int fd;

		advance(herd.now + CLOCK_MS);
		n = recvmsg(herd.peer[i], &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n > 0 && CMSG_FIRSTHDR(&msg)) {
			memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
			close(fd);
		}
		if (n > 0 && m->header.type != WIRE_STATUS)
			return m->header.id == id ? m->header.result : -1;
		if (!n)
			return -1;
	}
	return -1;
}
