/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "backends/host-doors.h"

int doors_adopt(struct doors *doors, char *text, size_t size)
{
	int r = client_adopt(&doors->client);

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
	return 0;
}

bool doors_changed(const struct doors *doors)
{
	return doors->client.changed || doors->client.error;
}

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
	if (!memcmp(&now, policy, sizeof(now)))
		return false;
	*policy = now;
	return true;
}
