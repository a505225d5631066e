/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the xenstore wire client, fed with any bytes at any time.
 *
 * Each input byte is an instruction: send, flush, tick, cancel, reset, or feed
 * some of the bytes that follow. Each request is done once, or cancelled.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "xenbus/xs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct xs xs;
static struct xs_request requests[XS_QUEUE_MAX];
static unsigned asked, done;

static void on_done(struct xs_request *request)
{
	if (request->busy || request->value[request->len] ||
	    strlen(request->value) > XS_PAYLOAD_MAX || request->len > XS_PAYLOAD_MAX)
		abort();
	done++;
}

static void on_event(struct xs *x, const char *token)
{
	if (x != &xs || strlen(token) > XS_PAYLOAD_MAX)
		abort();
}

static void send_one(struct xs_request *request, uint8_t how)
{
	static const enum xs_type types[] = {XS_TYPE_READ, XS_TYPE_WRITE, XS_TYPE_WATCH,
					     XS_TYPE_RM};

	if (request->busy)
		return;
	request->done = on_done;
	asked += xs_send(&xs, request, types[how & 3], how, "backend/vbd/3/51712/state",
			 how & 1 ? "2" : NULL);
}

static void flush(uint8_t n)
{
	const char *out;
	size_t len = xs_output(&xs, n, &out);

	if (len)
		xs_wrote(&xs, n == 255 ? -5 : n && n < len ? n : (int64_t)len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;

	for (unsigned i = 0; i < XS_QUEUE_MAX; i++)
		requests[i].busy = false;
	xs_init(&xs, on_event);
	asked = done = 0;
	while (end - data >= 2) {
		uint8_t what = data[0], n = data[1];
		size_t rest = (size_t)(end - data) - 2, feed = n < rest ? n : rest;
		struct xs_request *request = &requests[n % XS_QUEUE_MAX];

		data += 2;
		switch (what % 6) {
		case 0:
			send_one(request, n);
			break;
		case 1:
			flush(n);
			break;
		case 2:
			xs_tick(&xs, n);
			break;
		case 3:
			done += request->busy;
			xs_cancel(&xs, request);
			break;
		case 4:
			xs_reset(&xs);
			break;
		case 5:
			if (xs_input(&xs, (const char *)data, feed))
				xs_reset(&xs);
			data += feed;
			break;
		}
	}
	xs_reset(&xs);
	if (asked != done || xs.queued)
		abort();
	return 0;
}
