/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "tests/front/virtio-driver.h"
#include "tests/front/virtio-le.h"

void virtio_driver_init(struct virtio_driver *d, void *page, void (*notify)(void *),
			bool (*wait)(void *), void *owner)
{
	memset(d, 0, sizeof(*d));
	memset(page, 0, DRIVER_PAGE);
	d->page = page;
	d->notify = notify;
	d->wait = wait;
	d->owner = owner;
}

/* -- Messages, as bytes ------------------------------------------------------- */

bool virtio_driver_put(struct virtio_driver *d, const void *bytes, unsigned n)
{
	uint8_t *slot = d->page + DRIVER_DRIVER_SLOT +
			(size_t)(d->put % DRIVER_SLOTS) * DRIVER_MESSAGE;

	assert(n <= DRIVER_MESSAGE);
	if (d->put - le32_acquire(d->page + DRIVER_DRIVER_TAKEN) >= DRIVER_SLOTS)
		return false;
	memset(slot, 0, DRIVER_MESSAGE);
	memcpy(slot, bytes, n);
	virtio_driver_raw_put(d, ++d->put);
	return true;
}

void virtio_driver_raw_put(struct virtio_driver *d, uint32_t index)
{
	le32_release(d->page + DRIVER_DRIVER_PUT, index);
	d->notify(d->owner);
}

bool virtio_driver_take(struct virtio_driver *d, uint8_t out[DRIVER_MESSAGE])
{
	uint32_t ready = le32_acquire(d->page + DRIVER_DEVICE_PUT) - d->taken;

	if (!ready || ready > DRIVER_SLOTS)
		return false;
	memcpy(out,
	       d->page + DRIVER_DEVICE_SLOT +
		       (size_t)(d->taken % DRIVER_SLOTS) * DRIVER_MESSAGE,
	       DRIVER_MESSAGE);
	le32_release(d->page + DRIVER_DEVICE_TAKEN, ++d->taken);
	if (ready == DRIVER_SLOTS) /* whom we kept waiting */
		d->notify(d->owner);
	return true;
}

static bool zeros(const uint8_t *at, unsigned n)
{
	while (n && !at[n - 1])
		n--;
	return !n;
}

/* A message of the device: an event is noted, what is left is for the caller, false
 * if it is for nobody. */
static bool mine(struct virtio_driver *d, const uint8_t *m, uint8_t type, uint8_t id)
{
	unsigned size = (unsigned)le_get(m + 6, 2);

	if (size < DRIVER_HEADER || size > DRIVER_MESSAGE || le_get(m + 2, 2) ||
	    !zeros(m + size, DRIVER_MESSAGE - size)) {
		d->strays++;
		return false;
	}
	if (m[0] == type && m[1] == id && le_get(m + 4, 2) == d->token)
		return true;
	if (m[0] == DRIVER_REQUEST && m[1] == DRIVER_EVENT_CONFIG &&
	    size == DRIVER_HEADER + 16 && !le_get(m + 4, 2)) {
		d->events++;
		d->event_status = (uint32_t)le_get(m + 8, 4);
		d->event_generation = (uint32_t)le_get(m + 12, 4);
		return false;
	}
	d->strays++;
	return false;
}

void virtio_driver_poll(struct virtio_driver *d)
{
	uint8_t m[DRIVER_MESSAGE];

	while (virtio_driver_take(d, m))
		mine(d, m, 0xff, 0); /* no such type: never */
}

bool virtio_driver_ask(struct virtio_driver *d, enum virtio_type type,
		       enum virtio_message id, const void *payload, unsigned n,
		       uint8_t answer[DRIVER_PAYLOAD], unsigned want, unsigned *more)
{
	uint8_t m[DRIVER_MESSAGE] = {(uint8_t)type, (uint8_t)id};
	unsigned got;

	assert(n <= DRIVER_PAYLOAD);
	if (!++d->token)
		d->token = 1;
	le_put(m + 4, 2, d->token);
	le_put(m + 6, 2, DRIVER_HEADER + n);
	if (n)
		memcpy(m + DRIVER_HEADER, payload, n);
	while (!virtio_driver_put(d, m, DRIVER_HEADER + n)) {
		if (!d->wait || !d->wait(d->owner))
			return false;
	}
	do {
		while (!virtio_driver_take(d, m)) {
			if (!d->wait || !d->wait(d->owner))
				return false;
		}
	} while (!mine(d, m, (uint8_t)type | 1, (uint8_t)id));
	got = (unsigned)le_get(m + 6, 2) - DRIVER_HEADER;
	if (got < want || (!more && got != want))
		return false;
	memcpy(answer, m + DRIVER_HEADER, DRIVER_PAYLOAD);
	if (more)
		*more = got;
	return true;
}

/* -- Messages, one by one ----------------------------------------------------- */

/* A request of @n words of 4 bytes. */
static bool ask(struct virtio_driver *d, enum virtio_message id, const uint32_t *word,
		unsigned n, uint8_t *answer, unsigned want)
{
	uint8_t payload[DRIVER_PAYLOAD] = {0};

	for (unsigned i = 0; i < n; i++)
		le_put(payload + 4 * i, 4, word[i]);
	return virtio_driver_ask(d, DRIVER_REQUEST, id, payload, 4 * n, answer, want,
				 NULL);
}

bool virtio_driver_info(struct virtio_driver *d, struct virtio_info *out)
{
	uint8_t a[DRIVER_PAYLOAD];

	if (!ask(d, DRIVER_GET_DEVICE_INFO, NULL, 0, a, 24))
		return false;
	out->device = (uint32_t)le_get(a, 4);
	out->vendor = (uint32_t)le_get(a + 4, 4);
	out->feature_bits = (uint32_t)le_get(a + 8, 4);
	out->config_bytes = (uint32_t)le_get(a + 12, 4);
	out->queues = (uint32_t)le_get(a + 16, 4);
	out->admin_start = (uint16_t)le_get(a + 20, 2);
	out->admin_count = (uint16_t)le_get(a + 22, 2);
	return true;
}

bool virtio_driver_get_features(struct virtio_driver *d, uint64_t *out)
{
	uint8_t a[DRIVER_PAYLOAD];
	uint32_t blocks[2] = {0, 2};

	if (!ask(d, DRIVER_GET_DEVICE_FEATURES, blocks, 2, a, 16) || le_get(a, 4) ||
	    le_get(a + 4, 4) != 2)
		return false;
	*out = le_get(a + 8, 8);
	return true;
}

bool virtio_driver_set_features(struct virtio_driver *d, uint64_t features)
{
	uint8_t a[DRIVER_PAYLOAD];
	uint32_t words[4] = {0, 2, (uint32_t)features, (uint32_t)(features >> 32)};

	return ask(d, DRIVER_SET_DRIVER_FEATURES, words, 4, a, 0);
}

bool virtio_driver_get_status(struct virtio_driver *d)
{
	uint8_t a[DRIVER_PAYLOAD];

	if (!ask(d, DRIVER_GET_DEVICE_STATUS, NULL, 0, a, 4))
		return false;
	d->status = (uint32_t)le_get(a, 4);
	return true;
}

bool virtio_driver_set_status(struct virtio_driver *d, uint32_t status)
{
	uint8_t a[DRIVER_PAYLOAD];

	if (!ask(d, DRIVER_SET_DEVICE_STATUS, &status, 1, a, 4))
		return false;
	d->status = (uint32_t)le_get(a, 4);
	return true;
}

bool virtio_driver_get_config(struct virtio_driver *d, uint32_t offset, uint32_t bytes,
			      uint8_t *out, uint32_t *generation)
{
	uint8_t a[DRIVER_PAYLOAD];
	uint32_t words[2] = {offset, bytes};

	if (!ask(d, DRIVER_GET_CONFIG, words, 2, a, 12 + bytes) ||
	    le_get(a + 4, 4) != offset || le_get(a + 8, 4) != bytes)
		return false;
	*generation = (uint32_t)le_get(a, 4);
	memcpy(out, a + 12, bytes);
	return true;
}

bool virtio_driver_set_config(struct virtio_driver *d, uint32_t generation,
			      uint32_t offset, const void *data, uint32_t bytes,
			      bool *accepted)
{
	uint8_t p[DRIVER_PAYLOAD], a[DRIVER_PAYLOAD];
	unsigned got;

	le_put(p, 4, generation);
	le_put(p + 4, 4, offset);
	le_put(p + 8, 4, bytes);
	memcpy(p + 12, data, bytes);
	if (!virtio_driver_ask(d, DRIVER_REQUEST, DRIVER_SET_CONFIG, p, 12 + bytes, a,
			       12, &got))
		return false;
	*accepted = le_get(a + 8, 4) != 0;
	return le_get(a + 4, 4) == offset && got == 12 + le_get(a + 8, 4) &&
	       got <= 12 + bytes;
}

bool virtio_driver_get_vqueue(struct virtio_driver *d, uint32_t index,
			      struct virtio_vqueue *out)
{
	uint8_t a[DRIVER_PAYLOAD];

	if (!ask(d, DRIVER_GET_VQUEUE, &index, 1, a, 40) || le_get(a, 4) != index ||
	    le_get(a + 12, 4))
		return false;
	out->index = index;
	out->max = (uint32_t)le_get(a + 4, 4);
	out->size = (uint32_t)le_get(a + 8, 4);
	out->desc = le_get(a + 16, 8);
	out->driver = le_get(a + 24, 8);
	out->device = le_get(a + 32, 8);
	return true;
}

bool virtio_driver_set_vqueue(struct virtio_driver *d, const struct virtio_vqueue *v)
{
	uint8_t p[40] = {0}, a[DRIVER_PAYLOAD];

	le_put(p, 4, v->index);
	le_put(p + 8, 4, v->size);
	le_put(p + 16, 8, v->desc);
	le_put(p + 24, 8, v->driver);
	le_put(p + 32, 8, v->device);
	return virtio_driver_ask(d, DRIVER_REQUEST, DRIVER_SET_VQUEUE, p, sizeof(p), a,
				 0, NULL);
}

bool virtio_driver_reset_vqueue(struct virtio_driver *d, uint32_t index)
{
	uint8_t a[DRIVER_PAYLOAD];

	return ask(d, DRIVER_RESET_VQUEUE, &index, 1, a, 0);
}

bool virtio_driver_ping(struct virtio_driver *d, uint32_t data)
{
	uint8_t p[4], a[DRIVER_PAYLOAD];

	le_put(p, 4, data);
	return virtio_driver_ask(d, DRIVER_BUS_REQUEST, DRIVER_PING, p, 4, a, 4,
				 NULL) &&
	       le_get(a, 4) == data;
}

/* -- The way there ------------------------------------------------------------ */

static bool add_status(struct virtio_driver *d, uint32_t bit)
{
	return virtio_driver_set_status(d, d->status | bit) && d->status & bit;
}

bool virtio_driver_begin(struct virtio_driver *d, uint64_t wanted, uint64_t *accepted)
{
	uint64_t offered;

	if (!virtio_driver_set_status(d, 0) || d->status)
		return false;
	if (!add_status(d, DRIVER_S_ACKNOWLEDGE) || !add_status(d, DRIVER_S_DRIVER))
		return false;
	if (!virtio_driver_get_features(d, &offered))
		return false;
	*accepted = offered & wanted;
	return virtio_driver_set_features(d, *accepted) &&
	       add_status(d, DRIVER_S_FEATURES_OK);
}

bool virtio_driver_queue(struct virtio_driver *d, uint32_t index,
			 const struct driver_queue *q)
{
	struct virtio_vqueue v = {
		.index = index,
		.size = q->size,
		.desc = q->desc.addr,
		.driver = q->avail.addr,
		.device = q->used.addr,
	};

	return virtio_driver_set_vqueue(d, &v);
}

bool virtio_driver_ready(struct virtio_driver *d)
{
	return add_status(d, DRIVER_S_DRIVER_OK);
}
