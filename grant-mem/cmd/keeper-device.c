/* SPDX-License-Identifier: MIT */
/* The xenstore side of a keeper: see keeper-device.h. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/number.h"
#include "grant-mem/cmd/keeper.h"
#include "xenbus/store.h"

#define ANSWER_NS  (3 * CLOCK_SECOND)
#define RETRY_NS   CLOCK_SECOND
#define KERNEL_NS  (5 * CLOCK_SECOND)
#define BACKOFF_NS (100 * CLOCK_MS)
#define DOUBLINGS  6 /* of it at most */

/* The questions of a scan. Those from TAG on are about one candidate. */
enum step {
	OWN_ID,
	WATCH_ROOT,
	LIST,
	TAG,
	FRONTEND,
	WATCH_FRONT,
	NUMBERS,
	LAST = NUMBERS + DEVICE_FRONT,
};

static uint32_t number(const struct xs_request *answer)
{
	uint64_t n = 0;

	if (!answer->err)
		number_parse(answer->value, answer->len, UINT32_MAX, &n);
	return (uint32_t)n;
}

static bool is_text(const struct xs_request *answer)
{
	return !answer->err && strlen(answer->value) == answer->len;
}

static void candidate(struct keeper *k, uint32_t frontend)
{
	struct device_view *v = &k->device.next;

	memset(v, 0, sizeof(*v));
	v->frontend.v = (uint16_t)frontend;
	snprintf(v->back, sizeof(v->back), "backend/%s/%u/%u", k->class->kind, frontend,
		 k->device_id);
}

static bool next_candidate(struct keeper *k)
{
	struct device *d = &k->device;
	uint64_t frontend;

	while (d->list_at < d->list_len) {
		const char *name = d->list + d->list_at;
		size_t len = strlen(name);

		d->list_at += len + 1;
		if (!number_parse(name, len, DOMID_LIMIT - 1, &frontend))
			continue;
		candidate(k, (uint32_t)frontend);
		return true;
	}
	return false;
}

static bool got_own_id(struct keeper *k)
{
	struct device *d = &k->device;

	audit_line(&k->audit, "xenstore", "\"domid\":%u", number(&d->ask));
	return d->answered = true;
}

/* The front end that is served comes first, should a tag be there twice. */
static bool got_list(struct keeper *k)
{
	struct device *d = &k->device;

	d->list_len = d->ask.len;
	memcpy(d->list, d->ask.value, d->ask.len + 1);
	if (!d->seen.present)
		return next_candidate(k);
	candidate(k, d->seen.frontend.v);
	return true;
}

static bool got_tag(struct keeper *k)
{
	const struct xs_request *a = &k->device.ask;

	return is_text(a) &&
	       policy_may_serve(&k->policy, k->device.next.frontend, a->value).allowed;
}

/* [impl->req~front-end-is-its-clients~1] */
static bool got_frontend(struct keeper *k)
{
	const struct xs_request *a = &k->device.ask;
	struct device_view *v = &k->device.next;
	char home[32];
	int n = snprintf(home, sizeof(home), "/local/domain/%u/", v->frontend.v);

	if (!is_text(a) || a->len > DEVICE_PATH_MAX ||
	    strncmp(a->value, home, (size_t)n))
		return false;
	memcpy(v->front, a->value, a->len + 1);
	return true;
}

static void want_scan(struct device *d, uint64_t at)
{
	if (!d->due || at < d->due_at)
		d->due_at = at;
	d->due = true;
}

/* A watch that xenstored refuses, since all may have too many of them (E2BIG), is
 * asked for again with the next scan, which does not wait for it then. */
static bool got_watch(struct keeper *k)
{
	struct device *d = &k->device;
	bool set = !d->ask.err || d->ask.err == -EEXIST;

	if (!set)
		want_scan(d, keeper_later(k, RETRY_NS));
	else if (d->step == WATCH_ROOT)
		d->watching = true;
	else
		memcpy(d->watched, d->next.front, sizeof(d->watched));
	return true;
}

static bool got_number(struct keeper *k)
{
	struct device_view *v = &k->device.next;

	v->number[k->device.step - NUMBERS] = number(&k->device.ask);
	v->front_gone = k->device.step == LAST && k->device.ask.err;
	return v->number[DEVICE_FRONTEND_ID] == v->frontend.v;
}

#define IN(field) offsetof(struct device, field)

static const struct question {
	enum xs_type type;
	size_t base;	 /* the string in struct device that the path begins with */
	const char *key; /* and how it goes on; TAG's is the class's */
	bool (*got)(struct keeper *k); /* looks at d->ask; false: no device here */
} questions[] = {
	[OWN_ID] = {XS_TYPE_READ, IN(none), "domid", got_own_id},
	[WATCH_ROOT] = {XS_TYPE_WATCH, IN(root), "", got_watch},
	[LIST] = {XS_TYPE_DIRECTORY, IN(root), "", got_list},
	[TAG] = {XS_TYPE_READ, IN(next.back), "/", got_tag},
	[FRONTEND] = {XS_TYPE_READ, IN(next.back), "/frontend", got_frontend},
	[WATCH_FRONT] = {XS_TYPE_WATCH, IN(next.front), "/state", got_watch},
	{XS_TYPE_READ, IN(next.back), "/frontend-id", got_number}, /* NUMBERS */
	{XS_TYPE_READ, IN(next.back), "/online", got_number},
	{XS_TYPE_READ, IN(next.back), "/state", got_number},
	[LAST] = {XS_TYPE_READ, IN(next.front), "/state", got_number},
};

/* A front end is watched once a connection: see commit(). */
static bool is_asked(const struct keeper *k, unsigned step)
{
	return !(step == OWN_ID && k->device.answered) &&
	       !(step == WATCH_ROOT && k->device.watching) &&
	       !(step == LIST && !k->policy.any_domain) &&
	       !(step == TAG && !k->policy.tag[0]) &&
	       !(step == WATCH_FRONT && k->device.watched[0]);
}

static void ask(struct keeper *k, unsigned step)
{
	struct device *d = &k->device;
	const struct question *q;
	char path[2 * DEVICE_PATH_MAX];

	while (!is_asked(k, step))
		step++;
	q = &questions[step];
	d->step = step;
	snprintf(path, sizeof(path), "%s%s%s", (const char *)d + q->base, q->key,
		 step == TAG ? k->class->tag_key : "");
	xs_send(&k->xs, &d->ask, q->type, k->now + ANSWER_NS, path,
		q->type == XS_TYPE_WATCH ? "w" : NULL);
}

/* True if a back end of the kernel has the device: said once, looked at again.
 * [impl->req~kernels-back-ends-are-not-fought~1] */
static bool kernel_serves(struct keeper *k)
{
	struct device *d = &k->device;
	char link[96];

	snprintf(link, sizeof(link), "/sys/bus/xen-backend/devices/%s-%u-%u/driver",
		 k->class->kind, d->next.frontend.v, k->device_id);
	if (access(link, F_OK))
		return d->kernel_told = false;
	if (!d->kernel_told)
		keeper_event(
			k, LOG_LEVEL_ERROR, "taken",
			"not served, a back end of the kernel has it: blacklist its "
			"module in modprobe.d, or unbind it at %s",
			link);
	want_scan(d, k->now + KERNEL_NS);
	return d->kernel_told = true;
}

static void appeared(struct keeper *k)
{
	struct device *d = &k->device;

	d->generation++;
	xs_cancel(&k->xs, &d->put); /* it, and what waits, was for the one before */
	d->writes = 0;
	log_name(&k->log, k->name, d->seen.frontend.v, k->policy.device);
	keeper_event(k, LOG_LEVEL_NOTICE, "device", "%s, generation %u", d->seen.back,
		     d->generation);
}

/* A device that is at Initialising again is a new one: only the toolstack
 * writes that. [impl->req~memory-is-revoked~1] */
static void commit(struct keeper *k, bool found)
{
	struct device *d = &k->device;
	struct device_view was = d->seen;
	bool fresh;

	/* Another front end than the one watched: a new connection has no watches. */
	if (found)
		d->astray = d->watched[0] && strcmp(d->watched, d->next.front);
	d->next.present = found && !kernel_serves(k);
	d->seen = d->next;
	fresh = d->seen.present &&
		(!was.present || strcmp(d->seen.front, was.front) ||
		 (d->seen.number[DEVICE_BACK] == STORE_INITIALISING &&
		  was.number[DEVICE_BACK] > STORE_INITIALISING));
	if (was.present && (!d->seen.present || fresh))
		keeper_revoke(k, "the device went away", true);
	else if (d->seen.front_gone && !was.front_gone)
		keeper_revoke(k, "the client went away", true);
	else if (d->seen.number[DEVICE_FRONT] == STORE_CLOSED &&
		 was.number[DEVICE_FRONT] != STORE_CLOSED)
		keeper_revoke(k, "the client closed it", false);
	else if (k->peer.pidfd < 0 && was.number[DEVICE_FRONT] == STORE_CONNECTED &&
		 d->seen.number[DEVICE_FRONT] != STORE_CONNECTED)
		calls_forget(k, true); /* kept for a back end that did not come back */
	if (fresh)
		appeared(k);
	if (!memcmp(&was, &d->seen, sizeof(was)))
		return;
	k->peer.status_due = true;
	keeper_status(k);
	if (audit_may(&k->audit)) /* a client can make it flap */
		audit_line(&k->audit, "state",
			   "\"present\":%u,\"online\":%u,\"back\":%u,"
			   "\"front\":%u",
			   d->seen.present, d->seen.number[DEVICE_ONLINE],
			   d->seen.number[DEVICE_BACK], d->seen.number[DEVICE_FRONT]);
}

/* What xenstored says for good; anything else may be better later. */
static bool is_final(int err)
{
	return !err || err == -ENOENT || err == -EACCES || err == -EEXIST ||
	       err == -EINVAL || err == -E2BIG;
}

/* Invariant 5. @same: the one just asked for has the tag of what is served.
 * [impl->req~front-end-is-its-clients~1] */
static void next_rival(struct keeper *k, bool same)
{
	struct device *d = &k->device;
	unsigned rival = d->next.frontend.v;

	if (same && rival != d->rival) {
		d->rival = rival;
		keeper_event(k, LOG_LEVEL_WARNING, "refused",
			     "domain %u reaches for the device of domain %u", rival,
			     d->seen.frontend.v);
	}
	while (next_candidate(k)) {
		if (d->next.frontend.v != d->seen.frontend.v) {
			ask(k, TAG);
			return;
		}
	}
}

static void end_scan(struct keeper *k, bool found)
{
	commit(k, found);
	if (!found || !k->policy.any_domain)
		return;
	k->device.committed = true;
	k->device.list_at = 0;
	next_rival(k, false);
}

static void scanned(struct xs_request *request)
{
	struct keeper *k = keeper_of(request, device.ask);
	struct device *d = &k->device;
	bool found;

	if (!is_final(request->err)) {
		want_scan(d, keeper_later(k, RETRY_NS));
		return;
	}
	found = questions[d->step].got(k);
	if (d->committed)
		next_rival(k, found);
	else if (found && d->step < LAST)
		ask(k, d->step + 1);
	else if (!found && next_candidate(k))
		ask(k, TAG);
	else
		end_scan(k, found);
}

void device_event(struct xs *xs, const char *token)
{
	(void)token;
	want_scan(&keeper_of(xs, xs)->device, 0);
}

static void put_done(struct xs_request *request)
{
	struct keeper *k = keeper_of(request, device.put);
	struct device *d = &k->device;

	if (!is_final(request->err)) {
		d->put_at = keeper_later(k, BACKOFF_NS << d->put_failures);
		d->put_failures += d->put_failures < DOUBLINGS;
		return;
	}
	if (request->err)
		keeper_event(k, LOG_LEVEL_WARNING, "refused",
			     "a write, by xenstored: %s", strerror(-request->err));
	d->put_failures = 0;
	if (!d->status_put) {
		d->write_first = (d->write_first + 1) % DEVICE_WRITES;
		d->writes--;
	} else if (d->status == d->status_put) {
		d->status = NULL;
	}
}

static void start_put(struct keeper *k)
{
	struct device *d = &k->device;
	const struct device_write *w = &d->write[d->write_first];
	const char *value = d->status ? d->status : w->key[0] ? w->value : NULL;
	char path[2 * DEVICE_PATH_MAX];

	if (d->status)
		snprintf(path, sizeof(path), "drivers/xdd/%s/status", k->name);
	else
		snprintf(path, sizeof(path), "%s%s%s", d->seen.back, value ? "/" : "",
			 w->key);
	d->status_put = d->status;
	xs_send(&k->xs, &d->put, value ? XS_TYPE_WRITE : XS_TYPE_RM, k->now + ANSWER_NS,
		path, value);
}

bool device_write(struct keeper *k, const char *key, const char *value)
{
	struct device *d = &k->device;
	struct device_write *w =
		&d->write[(d->write_first + d->writes) % DEVICE_WRITES];

	if (d->writes == DEVICE_WRITES)
		return false;
	snprintf(w->key, sizeof(w->key), "%s", key);
	snprintf(w->value, sizeof(w->value), "%s", value);
	d->writes++;
	return true;
}

void device_init(struct keeper *k)
{
	struct device *d = &k->device;

	d->ask.done = scanned;
	d->put.done = put_done;
	d->status = "dead"; /* until a back end begins */
	candidate(k, k->policy.domain.v);
	if (k->policy.any_domain)
		snprintf(d->root, sizeof(d->root), "backend/%s", k->class->kind);
	else
		memcpy(d->root, d->next.back, sizeof(d->root));
}

void device_reconnect(struct keeper *k)
{
	struct device *d = &k->device;

	d->watching = d->answered = d->astray = false;
	d->watched[0] = '\0';
	want_scan(d, 0);
}

/* [impl->req~watches-are-coalesced~1] */
uint64_t device_turn(struct keeper *k)
{
	struct device *d = &k->device;
	uint64_t next = UINT64_MAX,
		 scan = d->due_at > d->scan_at ? d->due_at : d->scan_at;
	bool put = d->status || (d->writes && d->seen.present);

	if (d->due && !d->ask.busy && k->now >= scan) {
		d->due = false;
		d->scan_at = k->now + DEVICE_SCAN_NS;
		d->list_at = d->list_len = 0;
		d->committed = false;
		candidate(k, k->policy.domain.v);
		ask(k, OWN_ID);
	} else if (d->due && !d->ask.busy) {
		next = scan;
	}
	if (put && !d->put.busy && k->now >= d->put_at)
		start_put(k);
	else if (put && !d->put.busy && d->put_at < next)
		next = d->put_at;
	return next;
}
