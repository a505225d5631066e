/* SPDX-License-Identifier: MIT */
/* What xdd-probe asks its keeper for: what the policy denies, names outside
 * the device, and more than one voice. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/number.h"
#include "grant-mem/cmd/probe.h"

#define NO_POLICY   "the policy is not known"
#define NO_CLIENT   "no client is there"
#define LOST	    "the keeper is gone"
#define MAX_BATCHES 512
#define ANSWER_MS   2000

/* What each result says of a thing that must be refused. */
static int keeper_verdict(struct probe *p, int r)
{
	static const char *const words[] = {
		[WIRE_REFUSED] = "refused by policy",
		[WIRE_BAD] = "refused by the kernel or Xen",
		[WIRE_BUSY] = "held already",
		[WIRE_MALFORMED] = "not a message",
	};

	if (r == WIRE_OK)
		return 0;
	if (r < 0)
		return probe_skip(p, LOST);
	if (r == WIRE_NO_DEVICE)
		return probe_skip(p, NO_CLIENT);
	if (r == WIRE_LATE || r == WIRE_FULL || r == WIRE_ENOMEM)
		return probe_skip(p, "the keeper had no answer");
	if ((unsigned)r < sizeof(words) / sizeof(words[0]) && words[r])
		return probe_said(p, words[r]);
	return -EDOM; /* it looked the name up: that is no refusal */
}

static int keeper_map(struct probe *p, const uint32_t *refs, uint32_t n, bool writable)
{
	struct wire_message *m = client_request(&p->client);

	m->map.n = n;
	m->map.writable = writable;
	memcpy(m->map.ref, refs, n * sizeof(*refs));
	return client_call(&p->client, WIRE_MAP, NULL);
}

static void keeper_unmap(struct probe *p, uint32_t id)
{
	client_request(&p->client)->unmap.id = id;
	client_call(&p->client, WIRE_UNMAP, NULL);
}

/* One map that must be refused; let go of it if it was not. */
static int keeper_map_verdict(struct probe *p, const uint32_t *refs, uint32_t n,
			      bool writable)
{
	int r = keeper_map(p, refs, n, writable);

	if (r == WIRE_OK)
		keeper_unmap(p, p->client.message.mapped.id);
	return keeper_verdict(p, r);
}

static bool usual_direction(const struct probe *p)
{
	return p->policy.client_pages & POLICY_WRITABLE;
}

static int probe_map_outside(struct probe *p, const struct probe_try *try)
{
	uint32_t ref = p->policy.last_ref.v + 1;

	(void)try;
	if (!p->policy_known)
		return probe_skip(p, NO_POLICY);
	if (p->policy.first_ref.v)
		ref = p->policy.first_ref.v - 1;
	else if (!ref)
		return probe_skip(p, "GrantRefs leaves nothing out");
	return keeper_map_verdict(p, &ref, 1, usual_direction(p));
}

static int probe_map_direction(struct probe *p, const struct probe_try *try)
{
	uint32_t ref = p->policy.first_ref.v;

	(void)try;
	if (!p->policy_known)
		return probe_skip(p, NO_POLICY);
	if (p->policy.client_pages == POLICY_BOTH)
		return probe_skip(p, "ClientPages allows both");
	return keeper_map_verdict(p, &ref, 1, !usual_direction(p));
}

static int probe_map_twice(struct probe *p, const struct probe_try *try)
{
	uint32_t refs[2] = {p->policy.first_ref.v, p->policy.first_ref.v};

	(void)try;
	if (!p->policy_known)
		return probe_skip(p, NO_POLICY);
	if (!p->policy.exclusive)
		return probe_skip(p, "Exclusive = no");
	return keeper_map_verdict(p, refs, 2, usual_direction(p));
}

/* One page more than DataPages, in as many maps as it takes. */
static int probe_map_quota(struct probe *p, const struct probe_try *try)
{
	static uint32_t ids[MAX_BATCHES];
	uint32_t refs[WIRE_REFS_MAX], mapped = 0, held = 0;
	uint32_t want = p->policy.data_pages + 1;
	int r = WIRE_OK;

	(void)try;
	if (!p->policy_known)
		return probe_skip(p, NO_POLICY);
	if (p->policy.last_ref.v - p->policy.first_ref.v < want - 1 ||
	    want > MAX_BATCHES * WIRE_REFS_MAX)
		return probe_skip(p, "GrantRefs is narrower than DataPages");
	while (r == WIRE_OK && mapped < want) {
		uint32_t n =
			want - mapped < WIRE_REFS_MAX ? want - mapped : WIRE_REFS_MAX;

		for (uint32_t i = 0; i < n; i++)
			refs[i] = p->policy.first_ref.v + mapped + i;
		r = keeper_map(p, refs, n, usual_direction(p));
		if (r == WIRE_OK)
			ids[held++] = p->client.message.mapped.id;
		mapped += n;
	}
	while (held && r >= 0)
		keeper_unmap(p, ids[--held]);
	return keeper_verdict(p, r);
}

static int keeper_read(struct probe *p, enum store_side side, const char *key)
{
	struct wire_message *m = client_request(&p->client);

	m->read.side = side;
	snprintf(m->read.key, sizeof(m->read.key), "%s", key);
	return client_call(&p->client, WIRE_READ, NULL);
}

/* The number that the client's ring key holds, asked for as data. */
static int probe_map_ring_ref(struct probe *p, const struct probe_try *try)
{
	const char *value = p->client.message.value.value;
	struct wire_message *m;
	uint64_t ref;
	uint32_t data, id;
	int r;

	(void)try;
	if (p->policy.mode == POLICY_GRANT)
		return probe_skip(p, "with Mode = grant rings are named by number");
	if (!p->present || !p->policy_known ||
	    keeper_read(p, STORE_FRONT, p->ring_key) ||
	    !number_parse(value, strnlen(value, WIRE_VALUE_BYTES), UINT32_MAX, &ref))
		return probe_skip(p, "no client is there, or it offers no ring");
	data = (uint32_t)ref;
	m = client_request(&p->client);
	m->map_ring.n = 1;
	memcpy(m->map_ring.key[0], p->ring_key, sizeof(p->ring_key));
	if (client_call(&p->client, WIRE_MAP_RING, NULL))
		return probe_skip(p, "the ring could not be registered");
	id = p->client.message.mapped.id;
	r = keeper_map_verdict(p, &data, 1, usual_direction(p));
	keeper_unmap(p, id);
	return r;
}

/* A pool by the key of a ring: no class has that. */
static int probe_map_pool(struct probe *p, const struct probe_try *try)
{
	struct wire_message *m = client_request(&p->client);
	int r;

	(void)try;
	if (!p->policy_known)
		return probe_skip(p, NO_POLICY);
	memcpy(m->name.key, p->ring_key, sizeof(p->ring_key));
	r = client_call(&p->client, WIRE_MAP_POOL, NULL);
	if (r == WIRE_OK)
		keeper_unmap(p, p->client.message.mapped.id);
	return keeper_verdict(p, r);
}

static int probe_copy(struct probe *p, const struct probe_try *try)
{
	struct wire_message *m = client_request(&p->client);
	bool copies = p->policy.mode == POLICY_COPY || p->policy.mode == POLICY_GRANT;
	int r;

	(void)try;
	if (!p->policy_known)
		return probe_skip(p, NO_POLICY);
	if (copies && !p->policy.first_ref.v && p->policy.last_ref.v == UINT32_MAX)
		return probe_skip(p, "GrantRefs leaves nothing out");
	m->copy.n = 1;
	m->copy.seg[0].len = 1;
	m->copy.seg[0].to_client = 1;
	m->copy.seg[0].ref = !copies		     ? p->policy.first_ref.v
			     : p->policy.first_ref.v ? p->policy.first_ref.v - 1
						     : p->policy.last_ref.v + 1;
	r = client_call(&p->client, WIRE_COPY, NULL);
	if (r == WIRE_OK && p->client.message.copied.status[0] > 0)
		r = p->client.message.copied.status[0];
	return keeper_verdict(p, r);
}

static int probe_bind(struct probe *p, const struct probe_try *try)
{
	static const char *const keys[] = {"state", "../event-channel", "backend-id"};
	struct wire_message *m = client_request(&p->client);
	int fds[WIRE_FD_COUNT];
	int r;

	strcpy(m->name.key, keys[try->arg]);
	r = client_call(&p->client, WIRE_BIND, fds);
	if (r == WIRE_OK)
		close(fds[0]);
	return keeper_verdict(p, r);
}

static int probe_read(struct probe *p, const struct probe_try *try)
{
	static const char *const keys[] = {"../state", "/local/domain/0/name",
					   "../../../../name"};
	int r = keeper_read(p, STORE_FRONT, keys[try->arg]);

	if (r > 0 && r != WIRE_ABSENT && r != WIRE_NO_DEVICE)
		r = keeper_read(p, STORE_BACK, keys[try->arg]);
	return keeper_verdict(p, r);
}

static int probe_write(struct probe *p, const struct probe_try *try)
{
	static const char *const keys[] = {"frontend", "params",    "online",
					   "../state", "/tool/xdd", "frontend-id"};
	struct wire_message *m = client_request(&p->client);

	strcpy(m->write.key, keys[try->arg]);
	strcpy(m->write.value, "0");
	return keeper_verdict(p, client_call(&p->client, WIRE_WRITE, NULL));
}

/* What the protocol does not allow is answered by death. */
static int keeper_kills(struct probe *p)
{
	usleep(ANSWER_MS * 1000);
	p->text = "still alive";
	return 0;
}

static int probe_unmap(struct probe *p, const struct probe_try *try)
{
	client_request(&p->client)->unmap.id = (uint32_t)try->arg;
	client_call(&p->client, WIRE_UNMAP, NULL);
	return keeper_kills(p);
}

static int probe_hello_again(struct probe *p, const struct probe_try *try)
{
	(void)try;
	client_hello(&p->client, "blk");
	return keeper_kills(p);
}

static int probe_cut_short(struct probe *p, const struct probe_try *try)
{
	struct wire_header header = {.type = WIRE_MAP, .id = 1};

	(void)try;
	(void)!send(p->client.fd, &header, sizeof(header), MSG_NOSIGNAL);
	return keeper_kills(p);
}

static int probe_unbind(struct probe *p, const struct probe_try *try)
{
	int r;

	client_request(&p->client)->port.port = (uint32_t)try->arg;
	r = client_call(&p->client, WIRE_UNBIND, NULL);
	return r == WIRE_NO_DEVICE || r == WIRE_ABSENT ? probe_said(p, "no such port")
						       : keeper_verdict(p, r);
}

static int probe_send_fd(struct probe *p, const struct probe_try *try)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct wire_header header = {.type = WIRE_BEGIN};
	struct iovec iov = {&header, sizeof(header)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	(void)try;
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &p->client.fds[WIRE_FD_GNTDEV_RW], sizeof(int));
	return sendmsg(p->client.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno
									    : 0;
}

/* Two requests at once: the second only waits, and gets nothing by it. */
static int probe_two_at_once(struct probe *p, const struct probe_try *try)
{
	struct wire_message *m = client_request(&p->client);
	struct client *c = &p->client;
	const struct wire_header *h = &c->message.header;
	size_t len = sizeof(*h) + sizeof(struct wire_write);
	uint32_t expected = c->id + 1;

	(void)try;
	for (int i = 0; i < 2; i++) {
		m->header = (struct wire_header){.type = WIRE_WRITE, .id = ++c->id};
		strcpy(m->write.key, "frontend");
		if (send(c->fd, m, len, MSG_NOSIGNAL) < 0)
			return probe_skip(p, LOST);
	}
	while (expected <= c->id) {
		struct pollfd pfd = {.fd = c->fd, .events = POLLIN};
		ssize_t n;

		if (poll(&pfd, 1, ANSWER_MS) <= 0)
			return probe_skip(p, "the keeper did not answer");
		n = recv(c->fd, &c->message, sizeof(c->message), MSG_DONTWAIT);
		if (n < (ssize_t)sizeof(*h))
			return probe_skip(p, LOST);
		if (h->type == WIRE_STATUS) {
			c->status = c->message.status;
			c->changed = true;
			continue;
		}
		if (h->id != expected++ || h->result == WIRE_OK)
			return 0; /* out of turn */
	}
	return probe_said(p, "one after the other");
}

/* Another connection to @path gets no welcome. */
static int keeper_call_at(struct probe *p, const char *path)
{
	static struct client c;
	const char *class = p->policy_known
				    ? class_info(p->policy.class, p->policy.door)->name
				    : "blk";
	int r = client_connect(&c, path);

	if (r)
		return r;
	c.timeout_ms = ANSWER_MS;
	r = client_hello(&c, class);
	client_fini(&c);
	if (!r)
		return 0;
	return probe_said(p, r == -ETIMEDOUT ? "no answer" : "hung up");
}

static int probe_second(struct probe *p, const struct probe_try *try)
{
	(void)try;
	if (!p->socket[0])
		return probe_skip(p, "the socket has no name");
	return keeper_call_at(p, p->socket);
}

static int probe_others(struct probe *p, const struct probe_try *try)
{
	int r = PROBE_SAID;

	(void)try;
	if (!p->others_count)
		return probe_said(p, "none in sight");
	for (unsigned i = 0; i < p->others_count && r < 0; i++)
		r = keeper_call_at(p, p->others[i]);
	return r;
}

#define KEEPER(name, proves, fn, arg)                                                  \
	{                                                                              \
		"ask-" name, proves, fn, arg, PROBE_KEEPER, PROBE_EPERM, PROBE_ALWAYS, \
			false                                                          \
	}

#define FATAL(name, proves, fn, arg)                                                   \
	{                                                                              \
		"ask-" name, proves, fn, arg, PROBE_KEEPER, PROBE_EPERM, PROBE_FATAL,  \
			false                                                          \
	}

const struct probe_try probe_keeper[] = {
	KEEPER("map-outside", "maps inside GrantRefs alone", probe_map_outside, 0),
	KEEPER("map-direction", "maps as ClientPages says", probe_map_direction, 0),
	KEEPER("map-quota", "maps no more than DataPages", probe_map_quota, 0),
	KEEPER("map-twice", "an exclusive reference is mapped once", probe_map_twice,
	       0),
	KEEPER("map-ring-ref", "a ring's page is not data", probe_map_ring_ref, 0),
	KEEPER("map-pool", "names a pool by its keys alone", probe_map_pool, 0),
	KEEPER("copy", "copies as Mode and GrantRefs say", probe_copy, 0),
	KEEPER("unbind-unknown", "lets go of its own ports alone", probe_unbind, 1),
	KEEPER("bind-state", "binds event keys alone", probe_bind, 0),
	KEEPER("bind-parent", "binds inside its device alone", probe_bind, 1),
	KEEPER("bind-number", "chooses no port by a number", probe_bind, 2),
	KEEPER("read-parent", "reads inside its device alone", probe_read, 0),
	KEEPER("read-absolute", "reads inside its device alone", probe_read, 1),
	KEEPER("read-far", "reads inside its device alone", probe_read, 2),
	KEEPER("write-frontend", "points at no other front end", probe_write, 0),
	KEEPER("write-params", "the toolstack's keys are the toolstack's", probe_write,
	       1),
	KEEPER("write-online", "the toolstack's keys are the toolstack's", probe_write,
	       2),
	KEEPER("write-parent", "writes inside its directory alone", probe_write, 3),
	KEEPER("write-absolute", "writes inside its directory alone", probe_write, 4),
	KEEPER("write-frontend-id", "names no other client", probe_write, 5),
	FATAL("unmap-unknown", "lets go of its own maps alone", probe_unmap,
	      0x7fffffff),
	FATAL("hello-again", "enters once", probe_hello_again, 0),
	FATAL("cut-short", "speaks the protocol or nothing", probe_cut_short, 0),
	KEEPER("two-at-once", "a second request only waits", probe_two_at_once, 0),
	{"ask-with-descriptor", "sends its keeper no descriptor", probe_send_fd, 0,
	 PROBE_DOOR, PROBE_EPERM, PROBE_ALWAYS, false},
	{"ask-second-connection", "has one voice", probe_second, 0, PROBE_KEEPER,
	 PROBE_FILE, PROBE_ALWAYS, false},
	{"ask-other-keepers", "has one keeper", probe_others, 0, PROBE_UNIT, PROBE_FILE,
	 PROBE_ALWAYS, false},
	{0},
};
