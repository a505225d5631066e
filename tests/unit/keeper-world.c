/* SPDX-License-Identifier: MIT */
#include "tests/unit/keeper-world.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

#define NODES 64

static struct keeper keeper;
struct world world;

static struct {
	char path[160];
	char value[600];
	bool there;
} nodes[NODES];

/* In place of the C library's: nobody is killed in a test. */
int pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags)
{
	(void)pidfd, (void)sig, (void)info, (void)flags;
	world.kills++;
	return 0;
}

/* --- the kernel: in place of registrar-xen.c --- */

int registrar_open(struct registrar *r)
{
	r->rw = open("/dev/null", O_RDWR | O_CLOEXEC);
	r->ro = open("/dev/null", O_RDONLY | O_CLOEXEC);
	world.opens++;
	return 0;
}

int registrar_add(struct registrar *r, struct domid client, const struct gref *refs,
		  uint32_t n, bool writable, uint64_t *index)
{
	(void)r, (void)client, (void)refs, (void)writable;
	if (world.add_error)
		return world.add_error;
	world.added++;
	*index = (uint64_t)world.next_index * XEN_PAGE_BYTES;
	world.next_index += n;
	return 0;
}

int registrar_drop(struct registrar *r, bool writable, uint64_t index, uint32_t n,
		   unsigned pair)
{
	(void)r, (void)writable, (void)index, (void)n;
	world.dropped++;
	assert(world.pendings < REGISTRAR_PAIRS);
	if (world.release != RELEASE_NEVER)
		world.pending[world.pendings++] = pair;
	return 0;
}

int registrar_dropped(struct registrar *r)
{
	(void)r;
	if (!world.pendings || world.release == RELEASE_LATE)
		return -EAGAIN;
	return (int)world.pending[--world.pendings];
}

int registrar_copy(struct registrar *r, struct domid client,
		   const struct wire_seg *segs, uint32_t n, uint8_t *area,
		   int8_t *status)
{
	(void)r, (void)client;
	for (uint32_t i = 0; i < n; i++) {
		if (!segs[i].to_client)
			memset(area + segs[i].local, 0x5a, segs[i].len);
		status[i] = segs[i].ref == 99 ? WIRE_BAD : WIRE_OK;
	}
	world.copies += n;
	return 0;
}

int registrar_bind(struct registrar *r, struct domid client, struct evport remote)
{
	(void)client, (void)remote;
	if (world.bind_error)
		return world.bind_error;
	if (r->events < 0)
		r->events = open("/dev/null", O_RDWR | O_CLOEXEC);
	world.binds++;
	return (int)++world.next_port;
}

void registrar_unmask(struct registrar *r, struct evport local)
{
	(void)r, (void)local;
}

int registrar_unbind(struct registrar *r, struct evport local)
{
	(void)r, (void)local;
	world.unbinds++;
	return 0;
}

/* --- xenstored --- */

void world_set(const char *path, const char *value)
{
	unsigned i, free = NODES;

	for (i = 0; i < NODES; i++) {
		if (nodes[i].there && !strcmp(nodes[i].path, path))
			break;
		if (!nodes[i].there && free == NODES)
			free = i;
	}
	if (i == NODES)
		i = free;
	if (i == NODES) /* a fuzzer's store is full */
		return;
	snprintf(nodes[i].path, sizeof(nodes[i].path), "%s", path);
	nodes[i].there = value;
	if (value)
		snprintf(nodes[i].value, sizeof(nodes[i].value), "%s", value);
}

static void answer(const struct xs_header *to, unsigned type, const char *value,
		   size_t len)
{
	struct xs_header h = *to;

	h.type = type;
	h.len = (uint32_t)len;
	assert(!xs_input(&world.k->xs, (const char *)&h, sizeof(h)));
	assert(!xs_input(&world.k->xs, value, len));
}

static void answer_error(const struct xs_header *to, const char *name)
{
	answer(to, XS_TYPE_ERROR, name, strlen(name) + 1);
}

static void do_read(const struct xs_header *h, const char *path)
{
	world.reads++;
	for (unsigned i = 0; i < NODES; i++) {
		if (nodes[i].there && !strcmp(nodes[i].path, path)) {
			answer(h, h->type, nodes[i].value, strlen(nodes[i].value));
			return;
		}
	}
	answer_error(h, "ENOENT");
}

static void do_directory(const struct xs_header *h, const char *path)
{
	char list[512];
	size_t n = 0, len = strlen(path);

	for (unsigned i = 0; i < NODES; i++) {
		const char *name = nodes[i].path + len + 1;

		if (!nodes[i].there || strncmp(nodes[i].path, path, len) ||
		    nodes[i].path[len] != '/' || !strstr(nodes[i].path, "/frontend-id"))
			continue;
		memcpy(list + n, name, strcspn(name, "/"));
		n += strcspn(name, "/");
		list[n++] = '\0';
	}
	answer(h, h->type, list, n);
}

static void do_remove(const char *path)
{
	for (unsigned i = 0; i < NODES; i++) {
		if (!strncmp(nodes[i].path, path, strlen(path)))
			nodes[i].there = false;
	}
}

static void handle(const struct xs_message *m)
{
	const struct xs_header *h = &m->header;
	size_t path = strlen(m->payload) + 1;
	char value[600] = "";

	if (h->type == XS_TYPE_READ) {
		do_read(h, m->payload);
		return;
	}
	if (h->type == XS_TYPE_DIRECTORY) {
		do_directory(h, m->payload);
		return;
	}
	if (h->type == XS_TYPE_WRITE) {
		memcpy(value, m->payload + path, h->len - path);
		snprintf(world.last_write, sizeof(world.last_write), "%.200s=%.255s",
			 m->payload, value);
		if (world.write_error) {
			answer_error(h, world.write_error);
			return;
		}
		world_set(m->payload, value);
	} else if (h->type == XS_TYPE_RM) {
		do_remove(m->payload);
	} else {
		assert(h->type == XS_TYPE_WATCH);
		world.watches++;
	}
	answer(h, h->type, "OK", 3);
}

void world_pump(void)
{
	const char *out;
	size_t n;

	for (unsigned i = 0; !world.silent && i < 64; i++) {
		struct xs_message m;

		n = xs_output(&world.k->xs, world.k->now, &out);
		if (!n)
			return;
		assert(n <= sizeof(m));
		memcpy(&m, out, n);
		xs_wrote(&world.k->xs, (int64_t)n);
		handle(&m);
	}
}

void world_fire(void)
{
	struct xs_header h = {.type = XS_TYPE_EVENT, .len = 4};

	assert(!xs_input(&world.k->xs, (const char *)&h, sizeof(h)));
	assert(!xs_input(&world.k->xs, "b\0w", 4));
}

/* --- the keeper --- */

void world_init(const char *policy)
{
	struct keeper *k = &keeper;
	char path[128];
	FILE *f;

	memset(&world, 0, sizeof(world));
	memset(nodes, 0, sizeof(nodes));
	memset(k, 0, offsetof(struct keeper, maps));
	memset(&k->xs, 0, sizeof(*k) - offsetof(struct keeper, xs));
	world.k = k;
	world.peer = -1;
	snprintf(world.dir, sizeof(world.dir), "/tmp/xdd-keeper-XXXXXX");
	assert(mkdtemp(world.dir));
	snprintf(path, sizeof(path), "%s/test.policy", world.dir);
	f = fopen(path, "w");
	assert(f);
	fputs(policy, f);
	fclose(f);
	k->name = "test";
	k->policy_dir = k->ledger_dir = world.dir;
	keeper_init(k, 5 * CLOCK_SECOND);
	assert(!keeper_policy_load(k, false));
	audit_open(&k->audit, world.dir, AUDIT_FILE_BYTES,
		   k->policy.audit_full == POLICY_FULL_STOP);
	device_init(k);
	assert(!calls_init(k));
	k->xenbus = 1000; /* not used but as "there is one" */
	world_set("domid", "2");
	device_reconnect(k);
	world_turn(0);
}

void world_fini(void)
{
	char command[128];

	if (world.k->peer.pidfd >= 0)
		peer_dead(world.k);
	calls_forget(world.k, true);
	if (world.peer >= 0)
		close(world.peer);
	if (world.k->maps.ledger >= 0)
		close(world.k->maps.ledger);
	close(world.k->audit.fd);
	close(world.k->audit.dir);
	close(world.k->policy_fd);
	close(world.k->peer.area_fd);
	snprintf(command, sizeof(command), "rm -rf %s", world.dir);
	assert(!system(command));
}

void world_turn(uint64_t ns)
{
	struct keeper *k = world.k;

	k->now += ns;
	for (unsigned i = 0; i < 8; i++) {
		keeper_turn(k);
		world_pump();
		k->now += 3 * CLOCK_MS;
		if (k->peer.fd >= 0 && !k->peer.waits)
			peer_read(k);
	}
}

static void set_at(const char *parent, const char *key, const char *value)
{
	char path[160];

	snprintf(path, sizeof(path), parent, world.k->class->kind, key);
	world_set(path, value);
}

void world_front(const char *key, const char *value)
{
	set_at("/local/domain/3/device/%s/51712/%s", key, value);
}

void world_back(const char *key, const char *value)
{
	set_at("backend/%s/3/51712/%s", key, value);
}

void world_door(enum policy_door door, enum policy_mode mode)
{
	struct keeper *k = world.k;

	k->policy.door = door;
	k->policy.mode = mode;
	k->class = class_info(k->policy.class, door);
	device_init(k);
	device_reconnect(k);
}

void world_device(void)
{
	bool pv = world.k->policy.door == POLICY_PV;
	char front[64];

	snprintf(front, sizeof(front), "/local/domain/3/device/%s/51712",
		 world.k->class->kind);
	world_back("frontend", front);
	world_back("frontend-id", "3");
	world_back("online", "1");
	world_back("state", "1");
	world_front("state", "3");
	world_front(pv ? "ring-ref" : "control-ref", "8");
	world_front(pv ? "ring-ref0" : "pool-ref0", pv ? "9" : "100+8");
	world_front(pv ? "ring-ref1" : "pool-ref1", pv ? "10" : "108+8");
	world_front("event-channel", "17");
	world_fire();
	world_turn(CLOCK_SECOND);
}

void world_connect(void)
{
	int pair[2];

	if (world.peer >= 0)
		close(world.peer);
	assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			   pair));
	world.peer = pair[0];
	world.k->peer.fd = pair[1];
	world.k->peer.pidfd = eventfd(0, EFD_CLOEXEC);
	registrar_open(&world.k->registrar);
	world.k->peer.stage = PEER_SERVING;
	world.k->peer.status_due = false;
}

int world_receive(struct wire_message *m, unsigned *fds)
{
	union {
		char bytes[256];
		struct cmsghdr header;
	} control;
	struct iovec iov = {m, sizeof(*m)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(world.peer, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	unsigned count = c ? (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int)) : 0;

	for (unsigned i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
		close(fd);
	}
	if (fds)
		*fds = count;
	return (int)n;
}

int world_call(struct wire_message *m, unsigned type, size_t body, unsigned *fds)
{
	static uint32_t id;
	int n;

	m->header = (struct wire_header){(uint16_t)type, 0, ++id};
	assert(send(world.peer, m, sizeof(m->header) + body, MSG_NOSIGNAL) > 0);
	world_turn(0);
	do
		n = world_receive(m, fds);
	while (n > 0 && m->header.type == WIRE_STATUS);
	if (n <= 0)
		return -1;
	assert(m->header.id == id && m->header.type == type);
	return m->header.result;
}
