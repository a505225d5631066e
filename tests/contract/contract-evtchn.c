/* SPDX-License-Identifier: MIT */
/* xenbus/evtchn.h. */
#include <stdio.h>
#include <string.h>

#include "tests/contract/contract.h"

static const char channel[] = "event-channel";

static int key(struct contract *c, const char *name, const char *value)
{
	return c->granter->ops->key(c->granter, name, value, value ? strlen(value) : 0);
}

/* A fresh port of the client's, bound; what was pending is taken. */
static bool bound(struct contract *c, uint32_t *theirs, struct evport *ours)
{
	struct evport port;
	char text[16];

	if (c->granter->ops->port(c->granter, theirs))
		return false;
	snprintf(text, sizeof(text), "%u", *theirs);
	if (key(c, channel, text) || evtchn_bind(c->evtchn, channel, ours))
		return false;
	contract_wait(c);
	while (evtchn_pending(c->evtchn, &port) == 1)
		evtchn_unmask(c->evtchn, port);
	return true;
}

static bool pending(struct contract *c, struct evport want)
{
	struct evport port = {0};

	contract_wait(c);
	return evtchn_pending(c->evtchn, &port) == 1 && port.v == want.v;
}

static bool unbound(struct contract *c, uint32_t theirs, struct evport ours)
{
	return evtchn_unbind(c->evtchn, ours) == EVTCHN_OK &&
	       !c->granter->ops->close(c->granter, theirs) && !key(c, channel, NULL);
}

static bool fired(struct contract *c, uint32_t theirs)
{
	contract_wait(c);
	return c->granter->ops->fired(c->granter, theirs) == 1;
}

static void binds_by_key(struct contract *c)
{
	static const char *const bad[] = {"", "x", "-1", "4294967296"};
	struct evport ours;

	CHECK(c, !key(c, channel, NULL));
	CHECK(c, evtchn_bind(c->evtchn, channel, &ours) == EVTCHN_ABSENT);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(c, !key(c, channel, bad[i]));
		CHECK(c, evtchn_bind(c->evtchn, channel, &ours) == EVTCHN_ABSENT);
	}
	CHECK(c,
	      evtchn_bind(c->evtchn, c->class->ring_keys[0], &ours) == EVTCHN_REFUSED);
	CHECK(c, !key(c, channel, "4000")); /* not offered */
	CHECK(c, evtchn_bind(c->evtchn, channel, &ours) == EVTCHN_BAD);
	CHECK(c, !key(c, channel, NULL));
}

static void binds_once(struct contract *c)
{
	struct evport ours, again;
	uint32_t theirs;

	CHECK(c, bound(c, &theirs, &ours));
	CHECK(c, evtchn_bind(c->evtchn, channel, &again) == EVTCHN_OK);
	CHECK(c, again.v == ours.v);
	CHECK(c, unbound(c, theirs, ours));
}

static void events_both_ways(struct contract *c)
{
	struct evport ours;
	uint32_t theirs;

	CHECK(c, bound(c, &theirs, &ours));
	CHECK(c, !pending(c, ours));
	CHECK(c, !c->granter->ops->send(c->granter, theirs));
	CHECK(c, pending(c, ours));
	CHECK(c, evtchn_unmask(c->evtchn, ours) == EVTCHN_OK);
	fired(c, theirs); /* whatever binding did */
	CHECK(c, !fired(c, theirs));
	CHECK(c, evtchn_notify(c->evtchn, ours) == EVTCHN_OK);
	CHECK(c, fired(c, theirs));
	CHECK(c, !fired(c, theirs));
	CHECK(c, unbound(c, theirs, ours));
}

static void masked_until_unmasked(struct contract *c)
{
	struct evport ours;
	uint32_t theirs;

	CHECK(c, bound(c, &theirs, &ours));
	CHECK(c, !c->granter->ops->send(c->granter, theirs));
	CHECK(c, pending(c, ours));
	CHECK(c, !c->granter->ops->send(c->granter, theirs));
	CHECK(c, !c->granter->ops->send(c->granter, theirs));
	CHECK(c, !pending(c, ours));
	CHECK(c, evtchn_unmask(c->evtchn, ours) == EVTCHN_OK);
	CHECK(c, pending(c, ours)); /* not lost */
	CHECK(c, evtchn_unmask(c->evtchn, ours) == EVTCHN_OK);
	CHECK(c, !pending(c, ours)); /* nor counted twice */
	CHECK(c, unbound(c, theirs, ours));
}

static void again_and_again(struct contract *c)
{
	for (unsigned round = 0; round < 20; round++) {
		struct evport ours;
		uint32_t theirs;

		CHECK(c, bound(c, &theirs, &ours));
		CHECK(c, !c->granter->ops->send(c->granter, theirs));
		CHECK(c, pending(c, ours));
		CHECK(c, unbound(c, theirs, ours));
	}
}

const struct contract_test contract_evtchn[] = {
	{"binds_by_key", binds_by_key, EVERY_MODE},
	{"binds_once", binds_once, EVERY_MODE},
	{"events_both_ways", events_both_ways, EVERY_MODE},
	{"masked_until_unmasked", masked_until_unmasked, EVERY_MODE},
	{"again_and_again", again_and_again, EVERY_MODE},
	{0},
};
