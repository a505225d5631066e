/* SPDX-License-Identifier: MIT */
/* What a back end asks for, and what it gets: see keeper-peer.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/number.h"
#include "grant-mem/cmd/keeper.h"
#include "xenbus/store.h"

#define FETCH_NS (STORE_READ_MS * CLOCK_MS)

static bool is_zero(const void *p, size_t n)
{
	const uint8_t *byte = p;

	return !n || (!*byte && !memcmp(byte, byte + 1, n - 1));
}

/* [a-z0-9/-], no empty component, NUL-padded. [impl->req~keys-are-of-the-device~1] */
static bool key_ok(const char key[WIRE_KEY_BYTES])
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789/-";
	size_t n = key[WIRE_KEY_BYTES - 1] ? 0 : strspn(key, set);

	return n && is_zero(key + n, WIRE_KEY_BYTES - n) && key[0] != '/' &&
	       key[n - 1] != '/' && !strstr(key, "//");
}

static bool servable(const struct keeper *k)
{
	return k->device.seen.present && !k->peer.release_by;
}

static int refuse(struct keeper *k, const char *what, enum policy_key key)
{
	keeper_event(k, LOG_LEVEL_WARNING, "refused", "%s: %s, line %u", what,
		     policy_key_name(key), k->policy.line[key]);
	return WIRE_REFUSED;
}

int calls_init(struct keeper *k)
{
	struct peer *p = &k->peer;
	bool copies = k->policy.mode == POLICY_COPY || k->policy.mode == POLICY_GRANT;
	size_t bytes = copies ? (size_t)k->policy.data_pages * XEN_PAGE_BYTES : 0;
	int fd = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)bytes) ||
	    fcntl(fd, F_ADD_SEALS, KEEPER_SEALS))
		return -errno;
	if (bytes)
		p->area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p->area_bytes = bytes;
	p->area_fd = fd;
	return p->area == MAP_FAILED ? -errno : 0;
}

static int on_hello(struct keeper *k)
{
	const struct wire_hello *hello = &k->peer.in.hello;
	const struct registrar *r = &k->registrar;
	struct peer *p = &k->peer;
	const int fds[] = {r->rw, r->ro, p->area_fd, k->policy_fd};
	char class[sizeof(hello->class)] = "";

	memcpy(class, k->class->name, strlen(k->class->name));
	if (hello->version_min > WIRE_VERSION_MAX ||
	    hello->version_max < WIRE_VERSION_MIN)
		return WIRE_VERSION;
	if (memcmp(class, hello->class, sizeof(class)))
		return refuse(k, "a program of another class", POLICY_KEY_CLASS);
	if (r->rw < 0)
		return WIRE_ENOMEM;
	p->out.welcome = (struct wire_welcome){.version = wire_version(hello),
					       .copy_bytes = p->area_bytes,
					       .policy_bytes = k->policy_bytes};
	memcpy(p->out_fd, fds, sizeof(fds));
	p->out_fds = WIRE_FD_COUNT;
	p->stage = PEER_GREETED;
	return WIRE_OK;
}

struct wire_limits calls_limits(const struct keeper *k)
{
	const struct policy *p = &k->policy;

	return (struct wire_limits){p->in_flight,  0,
				    p->operations, p->bytes,
				    p->events,	   {p->receive[0], p->receive[1]}};
}

static int on_begin(struct keeper *k)
{
	memcpy(k->peer.out.begin.digest, k->digest, sizeof(k->digest));
	k->peer.out.begin.limits = calls_limits(k);
	k->peer.stage = PEER_SERVING;
	k->peer.status_due = true;
	k->device.status = "ready";
	keeper_status(k);
	return WIRE_OK;
}

/* "8-11,17", as far as it fits; then "+" and how many more. */
static const char *runs_of(const struct gref *refs, uint32_t n)
{
	static char out[160];
	size_t at = 0;

	for (uint32_t i = 0, run; i < n; i += run) {
		run = gref_run(refs + i, n - i);
		if (at > sizeof(out) - 40) {
			snprintf(out + at, sizeof(out) - at, "+%u", n - i);
			break;
		}
		at += (size_t)snprintf(out + at, sizeof(out) - at,
				       run > 1 ? "%s%u-%u" : "%s%u", i ? "," : "",
				       refs[i].v, refs[i].v + run - 1);
	}
	return out;
}

/* [impl->req~decisions-are-on-record~1] */
static int map(struct keeper *k, enum policy_purpose purpose, const struct gref *refs,
	       uint32_t n, bool writable)
{
	static const char *const whats[] = {"map of a ring", "map", "map of a pool"};
	static const char *const purposes[] = {"ring", "data", "pool"};
	struct wire_mapped *out = &k->peer.out.mapped;
	const char *what = whats[purpose];
	enum wire_result result;
	struct verdict v;

	v = policy_may_map(&k->policy, &k->maps.usage, purpose, refs, n, writable);
	if (!v.allowed || audit_full(&k->audit))
		return refuse(k, what, v.allowed ? POLICY_KEY_AUDIT_FULL : v.key);
	if (!keeper_share(k))
		return WIRE_ENOMEM;
	result = maps_add(&k->maps, k->device.seen.frontend, purpose, refs, n, writable,
			  out);
	if (result == WIRE_BUSY || result == WIRE_REFUSED)
		refuse(k, what, POLICY_KEY_EXCLUSIVE);
	if (result == WIRE_OK && k->policy.audit_level == POLICY_AUDIT_DECISIONS)
		audit_line(&k->audit, "map",
			   "\"id\":%u,\"purpose\":\"%s\",\"writable\":%u,"
			   "\"pages\":%u,\"refs\":\"%s\",\"line\":%u",
			   out->id, purposes[purpose], writable, n, runs_of(refs, n),
			   v.line);
	return result;
}

static int on_map(struct keeper *k)
{
	const struct wire_map *m = &k->peer.in.map;
	bool area = k->policy.mode == POLICY_GRANT; /* of a virtqueue */

	if (!m->n || m->n > WIRE_REFS_MAX || m->writable > 1 ||
	    !is_zero(&m->ref[m->n], (WIRE_REFS_MAX - m->n) * sizeof(m->ref[0])))
		return WIRE_MALFORMED;
	if (!servable(k))
		return WIRE_NO_DEVICE;
	return map(k, area ? POLICY_PURPOSE_RING : POLICY_PURPOSE_DATA, m->ref, m->n,
		   m->writable);
}

static int on_unmap(struct keeper *k)
{
	const struct wire_unmap *m = &k->peer.in.unmap;

	if (m->reserved || !maps_release(&k->maps, m->id, k->now))
		return WIRE_MALFORMED;
	if (k->policy.audit_level == POLICY_AUDIT_DECISIONS)
		audit_line(&k->audit, "unmap", "\"id\":%u", m->id);
	return WIRE_OK;
}

/* [impl->req~copies-stay-in-bounds~1] */
static bool seg_fits(const struct keeper *k, const struct wire_seg *s)
{
	return s->len && s->len <= XEN_PAGE_BYTES &&
	       s->offset <= XEN_PAGE_BYTES - s->len && s->len <= k->peer.area_bytes &&
	       s->local <= k->peer.area_bytes - s->len && s->to_client <= 1;
}

static int on_copy(struct keeper *k)
{
	const struct wire_copy *m = &k->peer.in.copy;
	uint64_t bytes = 0;
	int err;

	if (!m->n || m->n > WIRE_REFS_MAX || m->reserved ||
	    !is_zero(&m->seg[m->n], (WIRE_REFS_MAX - m->n) * sizeof(m->seg[0])))
		return WIRE_MALFORMED;
	if (!servable(k))
		return WIRE_NO_DEVICE;
	for (const struct wire_seg *s = m->seg; s < m->seg + m->n; s++) {
		struct verdict v = policy_may_copy(&k->policy, (struct gref){s->ref},
						   m->n, s->to_client);

		if (!v.allowed)
			return refuse(k, "copy", v.key);
		if (!seg_fits(k, s))
			return WIRE_MALFORMED;
		bytes += s->len;
	}
	err = registrar_copy(&k->registrar, k->device.seen.frontend, m->seg, m->n,
			     k->peer.area, k->peer.out.copied.status);
	if (!err)
		audit_copied(&k->audit, m->n, bytes);
	return err ? WIRE_BAD : WIRE_OK;
}

/* By its key, or (NULL) by its port; port 0: a free one. */
static struct peer_bind *bound(struct keeper *k, const char *key, uint32_t local)
{
	for (struct peer_bind *b = k->peer.bind; b < k->peer.bind + PEER_BINDS; b++) {
		if (key ? b->local && !strcmp(b->key, key) : b->local == local)
			return b;
	}
	return NULL;
}

static void unbind(struct keeper *k, struct peer_bind *b)
{
	registrar_unbind(&k->registrar, (struct evport){b->local});
	b->local = 0;
	k->maps.usage.binds--;
}

/* A key with the port it had before keeps its channel, as a back end that was
 * started again expects; unmasked, since the one before may have died on it. */
static int bind_port(struct keeper *k, const char *key, uint32_t remote)
{
	struct peer_bind *b = bound(k, key, 0);
	struct verdict v;
	int port;

	if (b && b->remote != remote) {
		unbind(k, b);
		b = NULL;
	}
	if (!b) {
		v = policy_may_bind(&k->policy, &k->maps.usage);
		b = bound(k, NULL, 0);
		if (!v.allowed || !b)
			return refuse(k, "event channel", v.key);
		port = registrar_bind(&k->registrar, k->device.seen.frontend,
				      (struct evport){remote});
		if (port < 0)
			return WIRE_BAD;
		k->maps.usage.binds++;
		memcpy(b->key, key, WIRE_KEY_BYTES);
		b->remote = remote;
		b->local = (uint32_t)port;
		keeper_event(k, LOG_LEVEL_DEBUG, "bind", "%s %u to %d", key, remote,
			     port);
	}
	registrar_unmask(&k->registrar, (struct evport){b->local});
	k->peer.out.bound.port = b->local;
	k->peer.out_fd[0] = k->registrar.events;
	k->peer.out_fds = 1;
	return WIRE_OK;
}

static int on_unbind(struct keeper *k)
{
	const struct wire_port *m = &k->peer.in.port;
	struct peer_bind *b = m->port ? bound(k, NULL, m->port) : NULL;

	if (m->reserved)
		return WIRE_MALFORMED;
	if (!b)
		return WIRE_REFUSED;
	unbind(k, b);
	return WIRE_OK;
}

static void fetch_next(struct keeper *k)
{
	struct peer *p = &k->peer;
	char path[DEVICE_PATH_MAX + WIRE_KEY_BYTES + 2];

	snprintf(path, sizeof(path), "%s/%s", p->fetch_dir, p->key[p->fetched]);
	xs_send(&k->xs, &p->fetch, XS_TYPE_READ, p->fetch_by, path, NULL);
}

/* Read @n keys that @in names, all of them among @allowed (NULL: any), in the front
 * end's directory or (@back) in our own. [impl->req~keeper-reads-the-numbers~1] */
static int fetch(struct keeper *k, char (*key)[WIRE_KEY_BYTES], uint32_t n,
		 const char *const *allowed, bool back)
{
	struct peer *p = &k->peer;

	for (uint32_t i = 0; i < n; i++) {
		if (!key_ok(key[i]) || (allowed && !class_key_matches(allowed, key[i])))
			return refuse(k, "a key not of its class", POLICY_KEY_CLASS);
	}
	if (allowed ? !servable(k) : !k->device.seen.present)
		return WIRE_NO_DEVICE;
	p->fetch_dir = back ? k->device.seen.back : k->device.seen.front;
	p->fetch_by = k->now + FETCH_NS;
	p->key = key;
	p->keys = n;
	p->fetched = 0;
	fetch_next(k);
	return CALLS_WAITS;
}

static int on_map_ring(struct keeper *k)
{
	struct wire_map_ring *m = &k->peer.in.map_ring;

	if (!m->n || m->n > WIRE_KEYS_MAX || m->reserved ||
	    !is_zero(m->key + m->n, (WIRE_KEYS_MAX - m->n) * WIRE_KEY_BYTES))
		return WIRE_MALFORMED;
	return fetch(k, m->key, m->n, k->class->ring_keys, false);
}

static int on_name(struct keeper *k)
{
	bool bind = k->peer.in.header.type == WIRE_BIND;

	return fetch(k, &k->peer.in.name.key, 1,
		     bind ? k->class->event_keys : k->class->pool_keys, false);
}

static int on_read(struct keeper *k)
{
	struct wire_read *m = &k->peer.in.read;

	if (m->side > STORE_BACK || m->reserved)
		return WIRE_MALFORMED;
	return fetch(k, &m->key, 1, NULL, m->side == STORE_BACK);
}

static int fetched_text(struct peer *p)
{
	if (p->fetch.len >= WIRE_VALUE_BYTES || strlen(p->fetch.value) != p->fetch.len)
		return WIRE_TOO_LONG;
	memcpy(p->out.value.value, p->fetch.value, p->fetch.len);
	return WIRE_OK;
}

/* [impl->req~keeper-numbers-are-strict~1] */
static int fetched_number(struct keeper *k)
{
	struct peer *p = &k->peer;
	uint64_t number;

	if (!number_parse(p->fetch.value, p->fetch.len, UINT32_MAX, &number))
		return WIRE_ABSENT;
	if (p->in.header.type == WIRE_BIND)
		return bind_port(k, p->in.name.key, (uint32_t)number);
	p->ref[p->fetched++].v = (uint32_t)number;
	if (p->fetched == p->keys)
		return map(k, POLICY_PURPOSE_RING, p->ref, p->keys, true);
	fetch_next(k);
	return CALLS_WAITS;
}

/* "FIRST+COUNT" of a pool. [impl->req~keeper-numbers-are-strict~1] */
static int fetched_run(struct keeper *k)
{
	const struct xs_request *f = &k->peer.fetch;
	const char *plus = memchr(f->value, '+', f->len);
	size_t len = plus ? (size_t)(plus - f->value) : 0;
	struct gref *ref = k->peer.ref;
	uint64_t first, n;

	if (!plus || !number_parse(f->value, len, UINT32_MAX, &first) ||
	    !number_parse(plus + 1, f->len - len - 1, WIRE_REFS_MAX, &n) || !n ||
	    first + n - 1 > UINT32_MAX)
		return WIRE_ABSENT;
	for (uint32_t i = 0; i < n; i++)
		ref[i].v = (uint32_t)first + i;
	return map(k, POLICY_PURPOSE_POOL, ref, (uint32_t)n, true);
}

/* [impl->req~xenstored-is-not-waited-for~1] */
void calls_fetched(struct xs_request *request)
{
	struct keeper *k = keeper_of(request, peer.fetch);
	int result;

	if (request->err == -ENOENT)
		result = WIRE_ABSENT;
	else if (request->err)
		result = request->err == -EACCES ? WIRE_BAD : WIRE_LATE;
	else if (k->peer.in.header.type == WIRE_READ)
		result = fetched_text(&k->peer);
	else if (k->peer.in.header.type == WIRE_MAP_POOL)
		result = fetched_run(k);
	else
		result = fetched_number(k);
	if (result != CALLS_WAITS)
		peer_reply(k, result);
}

void calls_forget(struct keeper *k, bool channels)
{
	xs_cancel(&k->xs, &k->peer.fetch);
	if (k->peer.waits)
		peer_reply(k, WIRE_NO_DEVICE);
	for (unsigned i = 0; channels && i < PEER_BINDS; i++) {
		if (k->peer.bind[i].local)
			unbind(k, &k->peer.bind[i]);
	}
	if (channels && k->registrar.events >= 0) {
		close(k->registrar.events); /* the next client may be another one */
		k->registrar.events = -1;
	}
}

/* What a back end says of its client, under keys that are ours and no protocol's, goes
 * on record: as the back end's own word. [impl->req~decisions-are-on-record~1] */
static void report(struct keeper *k, const struct wire_write *m)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789 ,.:;()-+/_'";
	bool plain = !m->value[strspn(m->value, set)];

	if (!strncmp(m->key, "xdd-", 4))
		keeper_event(k, LOG_LEVEL_WARNING, "reported", "%s: %s", m->key,
			     plain ? m->value : "?");
}

/* [impl->req~keys-are-of-the-device~1] */
static int on_write(struct keeper *k)
{
	const struct wire_write *m = &k->peer.in.write;
	size_t n = strnlen(m->value, WIRE_VALUE_BYTES);

	if (n == WIRE_VALUE_BYTES || !is_zero(m->value + n, WIRE_VALUE_BYTES - n))
		return WIRE_MALFORMED;
	if (!key_ok(m->key) || !class_key_matches(k->class->back_keys, m->key))
		return refuse(k, "a write not of its class", POLICY_KEY_CLASS);
	if (!k->device.seen.present)
		return WIRE_NO_DEVICE;
	report(k, m);
	return device_write(k, m->key, m->value) ? WIRE_OK : WIRE_FULL;
}

static int on_remove(struct keeper *k)
{
	if (!k->device.seen.present)
		return WIRE_NO_DEVICE;
	return device_write(k, "", "") ? WIRE_OK : WIRE_FULL;
}

#define BODY(member) sizeof(((struct wire_message *)NULL)->member)

static const struct call {
	uint16_t body, reply; /* bytes after the header */
	enum peer_stage stage;
	int (*handle)(struct keeper *k);
} calls[] = {
	[WIRE_HELLO] = {BODY(hello), BODY(welcome), PEER_STRANGER, on_hello},
	[WIRE_BEGIN] = {0, BODY(begin), PEER_GREETED, on_begin},
	[WIRE_MAP] = {BODY(map), BODY(mapped), PEER_SERVING, on_map},
	[WIRE_MAP_RING] = {BODY(map_ring), BODY(mapped), PEER_SERVING, on_map_ring},
	[WIRE_UNMAP] = {BODY(unmap), 0, PEER_SERVING, on_unmap},
	[WIRE_COPY] = {BODY(copy), BODY(copied), PEER_SERVING, on_copy},
	[WIRE_BIND] = {BODY(name), BODY(bound), PEER_SERVING, on_name},
	[WIRE_UNBIND] = {BODY(port), 0, PEER_SERVING, on_unbind},
	[WIRE_READ] = {BODY(read), BODY(value), PEER_SERVING, on_read},
	[WIRE_WRITE] = {BODY(write), 0, PEER_SERVING, on_write},
	[WIRE_REMOVE] = {0, 0, PEER_SERVING, on_remove},
	[WIRE_MAP_POOL] = {BODY(name), BODY(mapped), PEER_SERVING, on_name},
};

size_t calls_reply_bytes(unsigned type)
{
	return calls[type].reply;
}

/* [impl->req~protocol-or-death~1] */
int calls_handle(struct keeper *k, size_t len)
{
	const struct wire_header *h = &k->peer.in.header;
	const struct call *call = calls;

	if (h->type < sizeof(calls) / sizeof(calls[0]))
		call += h->type;
	if (!call->handle || h->result || len != sizeof(*h) + call->body ||
	    call->stage != k->peer.stage)
		return WIRE_MALFORMED;
	return call->handle(k);
}
