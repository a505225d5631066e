/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/host-doors.h"
#include "grant-mem/seal.h"

int doors_adopt(struct doors *doors, const struct domain_who *who, char *text,
		size_t size)
{
	int r;

	doors->inner = !getenv(CLIENT_ENV_INSTANCE);
	if (doors->inner)
		r = domain_open(&doors->domain, &doors->client, who);
	else
		r = client_adopt(&doors->client);
	if (!r)
		r = client_policy(&doors->client, text, size);
	if (r < 0)
		doors->why = doors->client.why ? doors->client.why : strerror(-r);
	return r;
}

int doors_open(struct doors *doors)
{
	int r = grants_keeper_init(&doors->grants, &doors->client);

	if (r < 0) {
		doors->why = "the copy area cannot be mapped";
		return r;
	}
	evtchn_keeper_init(&doors->evtchn, &doors->client);
	store_keeper_init(&doors->store, &doors->client);
	if (doors->inner)
		doors->store.store.fd = doors->domain.fd;
	return 0;
}

int doors_seal(const struct doors *doors, bool mixes)
{
	assert(!doors->inner || !mixes);
	if (doors->inner)
		return seal_last_domain();
	return mixes ? seal_last_mixed() : seal_last();
}

void doors_turn(struct doors *doors)
{
	if (doors->inner)
		domain_turn(&doors->domain);
}

void doors_close(struct doors *doors)
{
	if (doors->inner)
		domain_close(&doors->domain);
}

bool doors_changed(const struct doors *doors)
{
	return doors->client.changed || doors->client.error;
}

/* [impl->req~operations-and-bytes-are-limited~1] */
bool doors_limits(const struct doors *doors, struct policy *policy)
{
	const struct wire_limits *w = &doors->client.status.limits;
	struct policy now = *policy;

	if (!w->in_flight)
		return false; /* no snapshot yet */
	now.in_flight = w->in_flight;
	now.operations = w->operations;
	now.bytes = w->bytes;
	now.events = w->events;
	memcpy(now.receive, w->receive, sizeof(now.receive));
	if (!memcmp(&now, policy, sizeof(now)))
		return false;
	*policy = now;
	return true;
}
