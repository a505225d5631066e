/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "xenbus/evtchn-keeper.h"
#include "xenbus/evtchn-notify.h"

/* What each result of the keeper is to our caller. */
static const int evtchn_results[] = {
	[WIRE_OK] = EVTCHN_OK,
	[WIRE_REFUSED] = EVTCHN_REFUSED,
	[WIRE_BAD] = EVTCHN_BAD,
	[WIRE_BUSY] = -EPROTO,
	[WIRE_ABSENT] = EVTCHN_ABSENT,
	[WIRE_TOO_LONG] = EVTCHN_ABSENT, /* so long a value is no number */
	[WIRE_LATE] = EVTCHN_LATE,
	[WIRE_FULL] = -EPROTO,
	[WIRE_MALFORMED] = -EPROTO,
	[WIRE_VERSION] = -EPROTO,
	[WIRE_NO_DEVICE] = EVTCHN_ABSENT,
	[WIRE_ENOMEM] = -ENOMEM,
};

static struct client *evtchn_client(struct evtchn *e)
{
	return ((struct evtchn_keeper *)e)->client; /* its first member */
}

static int evtchn_call(struct client *c, enum wire_type type, int *fd)
{
	int r = client_call(c, type, fd);

	if (r < 0)
		return r;
	r = evtchn_results[r];
	if (r == -EPROTO)
		return client_misfit(c,
				     "the keeper did not understand an event request");
	return r;
}

static int evtchn_keeper_bind(struct evtchn *e, const char *key, struct evport *out)
{
	struct client *c = evtchn_client(e);
	struct wire_message *m = client_request(c);
	int fd, r;

	assert(strlen(key) < sizeof(m->name.key));
	strcpy(m->name.key, key);
	r = evtchn_call(c, WIRE_BIND, &fd);
	if (r)
		return r;
	if (e->fd >= 0)
		close(e->fd);
	e->fd = fd;
	out->v = m->bound.port;
	return EVTCHN_OK;
}

static int evtchn_keeper_unbind(struct evtchn *e, struct evport port)
{
	struct client *c = evtchn_client(e);
	struct wire_message *m = client_request(c);

	m->port.port = port.v;
	return evtchn_call(c, WIRE_UNBIND, NULL);
}

static int evtchn_keeper_notify(struct evtchn *e, struct evport port)
{
	return evtchn_notify_fd(e->fd, port);
}

static int evtchn_keeper_unmask(struct evtchn *e, struct evport port)
{
	return write(e->fd, &port.v, sizeof(port.v)) < 0 ? -errno : 0;
}

static int evtchn_keeper_pending(struct evtchn *e, struct evport *out)
{
	uint32_t port;
	ssize_t n;

	if (e->fd < 0)
		return 0;
	n = read(e->fd, &port, sizeof(port));
	if (n == sizeof(port)) {
		out->v = port;
		return 1;
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	return n > 0 ? -EIO : 0;
}

static const struct evtchn_ops evtchn_keeper_ops = {
	.bind = evtchn_keeper_bind,
	.unbind = evtchn_keeper_unbind,
	.notify = evtchn_keeper_notify,
	.unmask = evtchn_keeper_unmask,
	.pending = evtchn_keeper_pending,
};

void evtchn_keeper_init(struct evtchn_keeper *k, struct client *c)
{
	*k = (struct evtchn_keeper){
		.evtchn = {.ops = &evtchn_keeper_ops, .fd = -1},
		.client = c,
	};
}

void evtchn_keeper_fini(struct evtchn_keeper *k)
{
	if (k->evtchn.fd >= 0)
		close(k->evtchn.fd);
	k->evtchn.fd = -1;
}
