/* SPDX-License-Identifier: MIT */
/*
 * The contract on real Xen: started by xdd-enter in a back end's place, with
 * the keeper as seam A, and xdd-granter (granter-xen.c) in the client, which is
 * told what to do through channel.h.
 *
 *   xdd-contract
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "grant-mem/grants-keeper.h"
#include "tests/contract/channel.h"
#include "tests/contract/contract.h"
#include "xenbus/evtchn-keeper.h"
#include "xenbus/store-keeper.h"

#define ANSWER_NS (60 * CLOCK_SECOND) /* the first one: the program starts */
#define DEVICE_NS (60 * CLOCK_SECOND)
#define ASK_MS	  10

_Static_assert(CHANNEL_LINE == STORE_VALUE_MAX + 1, "a command is a value");

struct far_granter {
	struct granter granter; /* first */
	struct store *store;
	unsigned number;
	char answer[CHANNEL_LINE];
	const char *gives; /* what follows the result in it */
};

static bool answered(struct far_granter *f, int *result)
{
	unsigned number;
	int at;

	if (sscanf(f->answer, "%u %d%n", &number, result, &at) != 2 ||
	    number != f->number)
		return false;
	f->gives = f->answer + at;
	return true;
}

static int command(struct granter *g, const char *format, ...)
{
	struct far_granter *f = (struct far_granter *)g;
	uint64_t deadline = clock_now() + ANSWER_NS;
	char line[CHANNEL_LINE];
	va_list args;
	int at = snprintf(line, sizeof(line), "%u ", ++f->number), n, r;

	va_start(args, format);
	n = vsnprintf(line + at, sizeof(line) - (size_t)at, format, args);
	va_end(args);
	if (n < 0 || (size_t)(at + n) >= sizeof(line))
		return -E2BIG;
	if (store_write(f->store, CHANNEL_COMMAND, line))
		return -EIO;
	while (clock_now() < deadline) {
		r = store_read(f->store, STORE_FRONT, CHANNEL_ANSWER, f->answer,
			       sizeof(f->answer));
		if (r < 0)
			return r;
		if (r == STORE_OK && answered(f, &n))
			return n;
		poll(NULL, 0, ASK_MS);
	}
	return -ETIMEDOUT;
}

/* The next number that the answer gives. */
static int given(struct granter *g, uint32_t *out)
{
	struct far_granter *f = (struct far_granter *)g;
	int at;

	if (sscanf(f->gives, " %u%n", out, &at) != 1)
		return -EPROTO;
	f->gives += at;
	return 0;
}

static int far_grant(struct granter *g, uint32_t n, bool read_only, struct gref *refs)
{
	int r = command(g, "grant %u %u", n, read_only);

	for (uint32_t i = 0; !r && i < n; i++)
		r = given(g, &refs[i].v);
	return r;
}

static int far_revoke(struct granter *g, struct gref ref)
{
	return command(g, "revoke %u", ref.v);
}

static int far_fill(struct granter *g, struct gref ref, uint32_t offset, uint32_t len,
		    uint8_t byte)
{
	return command(g, "fill %u %u %u %u", ref.v, offset, len, byte);
}

static int far_holds(struct granter *g, struct gref ref, uint32_t offset, uint32_t len,
		     uint8_t byte)
{
	return command(g, "holds %u %u %u %u", ref.v, offset, len, byte);
}

static int far_port(struct granter *g, uint32_t *out)
{
	int r = command(g, "port");

	return r ? r : given(g, out);
}

static int far_close(struct granter *g, uint32_t port)
{
	return command(g, "close %u", port);
}

static int far_send(struct granter *g, uint32_t port)
{
	return command(g, "send %u", port);
}

static int far_fired(struct granter *g, uint32_t port)
{
	return command(g, "fired %u", port);
}

static int far_key(struct granter *g, const char *key, const char *value, size_t len)
{
	char runs[CHANNEL_LINE] = "";
	size_t at = 0;

	if (!value)
		return command(g, "remove %s", key);
	for (size_t i = 0, end; i < len && at < sizeof(runs); i = end) {
		for (end = i + 1; end < len && value[end] == value[i]; end++)
			;
		at += (size_t)snprintf(runs + at, sizeof(runs) - at, " %02xx%zu",
				       (unsigned char)value[i], end - i);
	}
	return at < sizeof(runs) ? command(g, "key %s%s", key, runs) : -E2BIG;
}

static int far_back_key(struct granter *g, const char *key, const char *value)
{
	return command(g, "back %s %s", key, value);
}

static const struct granter_ops far_ops = {
	.grant = far_grant,
	.revoke = far_revoke,
	.fill = far_fill,
	.holds = far_holds,
	.port = far_port,
	.close = far_close,
	.send = far_send,
	.fired = far_fired,
	.key = far_key,
	.back_key = far_back_key,
};

static int fail(const char *why)
{
	printf("not ok - contract: %s\n", why);
	return 1;
}

static bool policy_known(struct client *client, struct policy *policy)
{
	static char text[POLICY_TEXT_MAX];
	static struct policy_errors errors;
	int n = client_policy(client, text, sizeof(text));

	return n > 0 && !policy_parse(getenv(CLIENT_ENV_INSTANCE), text, (size_t)n,
				      policy, &errors);
}

/* "Domain = any" is, from now on, the one that the tag found. */
static bool device_known(struct store *store, struct policy *policy)
{
	uint64_t deadline = clock_now() + DEVICE_NS;
	struct store_status status = {0};

	while (!status.present && clock_now() < deadline) {
		if (store_poll(store, &status) < 0)
			return false;
		poll(NULL, 0, ASK_MS);
	}
	policy->any_domain = false;
	policy->domain = status.frontend;
	return status.present;
}

int main(void)
{
	static struct client client;
	static struct grants_keeper grants;
	static struct evtchn_keeper evtchn;
	static struct store_keeper store;
	static struct policy policy;
	static struct far_granter granter = {.granter.ops = &far_ops};
	struct contract contract = {
		.grants = &grants.grants,
		.evtchn = &evtchn.evtchn,
		.store = &store.store,
		.policy = &policy,
		.granter = &granter.granter,
	};
	unsigned failed;

	if (client_adopt(&client))
		return fail(client.why ? client.why : "cannot begin");
	evtchn_keeper_init(&evtchn, &client);
	store_keeper_init(&store, &client);
	if (grants_keeper_init(&grants, &client) || !policy_known(&client, &policy))
		return fail("no copy area, or no policy");
	if (!device_known(&store.store, &policy))
		return fail("no device");
	granter.store = &store.store;
	store_write(&store.store, "state", "2"); /* the toolstack waits for it */
	failed = contract_run(&contract);
	command(&granter.granter, "quit");
	return failed != 0;
}
