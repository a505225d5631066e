/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "xenbus/store-keeper.h"

_Static_assert(STORE_VALUE_MAX == WIRE_VALUE_BYTES - 1, "a value and its NUL");

/* What each result of the keeper is to our caller. */
static const int store_results[] = {
	[WIRE_OK] = STORE_OK,
	[WIRE_REFUSED] = STORE_REFUSED,
	[WIRE_BAD] = STORE_REFUSED, /* by xenstored: not ours to read or write */
	[WIRE_BUSY] = -EPROTO,
	[WIRE_ABSENT] = STORE_ABSENT,
	[WIRE_TOO_LONG] = STORE_TOO_LONG,
	[WIRE_LATE] = STORE_LATE,
	[WIRE_FULL] = STORE_FULL,
	[WIRE_MALFORMED] = -EPROTO,
	[WIRE_VERSION] = -EPROTO,
	[WIRE_NO_DEVICE] = STORE_ABSENT,
	[WIRE_ENOMEM] = -ENOMEM,
};

static struct client *store_client(struct store *s)
{
	return ((struct store_keeper *)s)->client; /* its first member */
}

static int store_call(struct client *c, enum wire_type type)
{
	int r = client_call(c, type, NULL);

	if (r < 0)
		return r;
	r = store_results[r];
	if (r == -EPROTO)
		return client_misfit(c,
				     "the keeper did not understand a store request");
	return r;
}

static int store_keeper_read(struct store *s, enum store_side side, const char *key,
			     char *value, size_t size)
{
	struct client *c = store_client(s);
	struct wire_message *m = client_request(c);
	int r;

	assert(strlen(key) < sizeof(m->read.key) && size > STORE_VALUE_MAX);
	m->read.side = side;
	strcpy(m->read.key, key);
	r = store_call(c, WIRE_READ);
	if (r)
		return r;
	if (m->value.value[WIRE_VALUE_BYTES - 1])
		return client_misfit(c, "the keeper sent a value without an end");
	memcpy(value, m->value.value, WIRE_VALUE_BYTES);
	return STORE_OK;
}

static int store_keeper_write(struct store *s, const char *key, const char *value)
{
	struct client *c = store_client(s);
	struct wire_message *m = client_request(c);

	assert(strlen(key) < sizeof(m->write.key) && strlen(value) <= STORE_VALUE_MAX);
	strcpy(m->write.key, key);
	strcpy(m->write.value, value);
	return store_call(c, WIRE_WRITE);
}

static int store_keeper_remove(struct store *s)
{
	struct client *c = store_client(s);

	client_request(c);
	return store_call(c, WIRE_REMOVE);
}

static enum store_state store_state(uint32_t value)
{
	return value <= STORE_RECONFIGURED ? (enum store_state)value : STORE_UNKNOWN;
}

static int store_keeper_poll(struct store *s, struct store_status *out)
{
	struct client *c = store_client(s);
	const struct wire_status *w = &c->status;
	int r = client_poll(c);

	if (r < 0)
		return r;
	*out = (struct store_status){
		.present = w->flags & WIRE_PRESENT,
		.online = w->flags & WIRE_ONLINE,
		.release = w->flags & WIRE_RELEASE,
		.generation = w->generation,
		.frontend = {(uint16_t)w->frontend},
		.device = w->device,
		.front = store_state(w->front),
		.back = store_state(w->back),
	};
	r = c->changed;
	c->changed = false;
	return r;
}

static const struct store_ops store_keeper_ops = {
	.read = store_keeper_read,
	.write = store_keeper_write,
	.remove = store_keeper_remove,
	.poll = store_keeper_poll,
};

void store_keeper_init(struct store_keeper *k, struct client *c)
{
	*k = (struct store_keeper){
		.store = {.ops = &store_keeper_ops, .fd = c->fd},
		.client = c,
	};
}
