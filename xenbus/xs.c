/* SPDX-License-Identifier: MIT */
/* The xenstore wire protocol, its pure core: see xs.h. */
#include "xenbus/xs.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	int err;
} errors[] = {
	{"ENOENT", -ENOENT}, {"EACCES", -EACCES}, {"EPERM", -EACCES},
	{"EEXIST", -EEXIST}, {"EINVAL", -EINVAL}, {"EAGAIN", -EAGAIN},
	{"ENOSPC", -ENOSPC}, {"ENOMEM", -ENOMEM}, {"E2BIG", -E2BIG},
};

void xs_init(struct xs *xs, void (*event)(struct xs *xs, const char *token))
{
	*xs = (struct xs){.event = event};
}

bool xs_send(struct xs *xs, struct xs_request *request, enum xs_type type,
	     uint64_t deadline, const char *path, const char *second)
{
	struct xs_message *m = &request->message;
	size_t n = strlen(path) + 1, more = 0;

	assert(!request->busy && xs->queued < XS_QUEUE_MAX);
	if (second) /* a token ends with a NUL, a value does not */
		more = strlen(second) + (type != XS_TYPE_WRITE);
	if (n > sizeof(m->payload) || more > sizeof(m->payload) - n)
		return false;
	memcpy(m->payload, path, n);
	if (more)
		memcpy(m->payload + n, second, more);
	m->header = (struct xs_header){.type = type, .len = (uint32_t)(n + more)};
	request->deadline = deadline;
	request->busy = true;
	xs->queue[xs->queued++] = request;
	return true;
}

/* Takes @request out of the queue; what is with xenstored stays owed. */
static void forget(struct xs *xs, struct xs_request *request)
{
	unsigned i;

	for (i = 0; xs->queue[i] != request; i++)
		assert(i + 1 < xs->queued);
	memmove(&xs->queue[i], &xs->queue[i + 1],
		(--xs->queued - i) * sizeof(xs->queue[0]));
	if (xs->current == request)
		xs->current = NULL;
	request->busy = false;
}

static void finish(struct xs *xs, struct xs_request *request, int err,
		   const char *value, size_t len)
{
	forget(xs, request);
	request->err = err;
	request->value = value;
	request->len = len;
	request->done(request);
}

void xs_cancel(struct xs *xs, struct xs_request *request)
{
	if (request->busy)
		forget(xs, request);
}

size_t xs_output(struct xs *xs, uint64_t now, const char **out)
{
	if (xs->state == XS_IDLE && xs->queued) {
		xs->current = xs->queue[0];
		xs->out = xs->current->message;
		if (!++xs->last_id) /* 0 is the kernel's own answer */
			xs->last_id = 1;
		xs->out.header.id = xs->last_id;
		xs->state = XS_SENDING;
		xs->written = 0;
		xs->sent_ns = now;
	}
	if (xs->state != XS_SENDING)
		return 0;
	*out = (const char *)&xs->out + xs->written;
	return sizeof(xs->out.header) + xs->out.header.len - xs->written;
}

static void answered(struct xs *xs, int err, const char *value, size_t len)
{
	struct xs_request *request = xs->current;

	xs->state = XS_IDLE;
	if (request)
		finish(xs, request, err, value, len);
}

void xs_wrote(struct xs *xs, int64_t n)
{
	if (n < 0) {
		answered(xs, (int)n, "", 0);
		return;
	}
	xs->written += (size_t)n;
	if (xs->written == sizeof(xs->out.header) + xs->out.header.len)
		xs->state = XS_OWED;
}

static int error_of(const char *name)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (!strcmp(errors[i].name, name))
			return errors[i].err;
	}
	return -EIO;
}

/* [impl->req~xenstored-is-bounded~1] */
static void dispatch(struct xs *xs, const struct xs_header *header, const char *payload)
{
	bool watch = xs->out.header.type == XS_TYPE_WATCH;
	bool error = header->type == XS_TYPE_ERROR;
	size_t path = strnlen(payload, header->len) + 1;

	if (header->type == XS_TYPE_EVENT) {
		if (path < header->len) /* a path, then a token */
			xs->event(xs, payload + path);
		return;
	}
	if (xs->state != XS_OWED || (!error && header->type != xs->out.header.type) ||
	    (header->id != xs->out.header.id && !(watch && !header->id)))
		return;
	answered(xs, error ? error_of(payload) : 0, payload, header->len);
}

/* Byte by byte: a message is 4 KiB at most, and no length is trusted on the way.
 * [impl->req~xenstored-is-bounded~1] */
int xs_input(struct xs *xs, const char *bytes, size_t n)
{
	struct xs_header header;

	for (size_t i = 0; i < n; i++) {
		xs->in[xs->have++] = bytes[i];
		if (xs->have < sizeof(header))
			continue;
		memcpy(&header, xs->in, sizeof(header));
		if (header.len > XS_PAYLOAD_MAX) { /* invariant 4 */
			xs->have = 0;
			return -EBADMSG;
		}
		if (xs->have < sizeof(header) + header.len)
			continue;
		xs->in[xs->have] = '\0';
		xs->have = 0;
		dispatch(xs, &header, xs->in + sizeof(header));
	}
	return 0;
}

/* [impl->req~xenstored-is-not-waited-for~1] */
void xs_tick(struct xs *xs, uint64_t now)
{
	for (unsigned i = xs->queued; i-- > 0;) {
		if (i < xs->queued && xs->queue[i]->deadline <= now)
			finish(xs, xs->queue[i], -ETIMEDOUT, "", 0);
	}
}

bool xs_stuck(const struct xs *xs, uint64_t now)
{
	return xs->state != XS_IDLE && now - xs->sent_ns > XS_STUCK_NS;
}

void xs_reset(struct xs *xs)
{
	xs->state = XS_IDLE;
	xs->have = 0;
	for (unsigned n = xs->queued; n && xs->queued; n--)
		finish(xs, xs->queue[0], -ECONNRESET, "", 0);
}
