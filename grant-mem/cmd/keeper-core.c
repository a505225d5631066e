/* SPDX-License-Identifier: MIT */
/* What the parts of a keeper share, and what is due by time: see keeper.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "grant-mem/cmd/keeper.h"
#include "grant-mem/ledger.h"

/* [impl->req~decisions-are-on-record~1] */
void keeper_event(struct keeper *k, enum log_level level, const char *event,
		  const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	k->log.event = event;
	if (level != LOG_LEVEL_DEBUG)
		log_line(&k->log, level, "%s: %s", event, text);
	k->log.event = NULL;
	if (level != LOG_LEVEL_WARNING || audit_may(&k->audit))
		audit_line(&k->audit, event, "\"text\":\"%s\"", text);
}

/* [impl->req~memory-is-revoked~1] */
void keeper_revoke(struct keeper *k, const char *why, bool channels)
{
	calls_forget(k, channels);
	if (maps_empty(&k->maps) || k->peer.release_by)
		return;
	k->peer.release_by = k->now + k->maps.release_ns;
	k->peer.status_due = true;
	keeper_event(k, LOG_LEVEL_NOTICE, "revoke",
		     "%s: %u ring and %u data pages have to go", why,
		     k->maps.usage.ring_pages, k->maps.usage.data_pages);
}

bool keeper_share(struct keeper *k)
{
	struct domid client = k->device.seen.frontend;
	int *ledger = &k->maps.ledger;

	if (!k->policy.exclusive || (*ledger >= 0 && k->shared.v == client.v))
		return true;
	if (*ledger >= 0) { /* nothing is mapped of the client before */
		ledger_unlock_all(*ledger);
		close(*ledger);
		keeper_store("ledger", k->shared.v, -1);
	}
	*ledger = ledger_open(k->ledger_dir, client);
	k->shared = client;
	if (*ledger >= 0)
		keeper_store("ledger", client.v, *ledger);
	else
		keeper_event(k, LOG_LEVEL_WARNING, "failed", "ledger in %s: %s",
			     k->ledger_dir, strerror(-*ledger));
	return *ledger >= 0;
}

void keeper_init(struct keeper *k, uint64_t release_ns)
{
	log_init(&k->log, k->name);
	k->now = clock_now();
	k->registrar = (struct registrar){-1, -1, -1, -1, {{0, 0}}};
	k->xenbus = k->policy_fd = k->peer.fd = k->peer.pidfd = -1;
	k->peer.fetch.done = calls_fetched;
	maps_init(&k->maps, &k->registrar, release_ns);
	xs_init(&k->xs, device_event);
}

uint64_t keeper_turn(struct keeper *k)
{
	uint64_t next = k->xenbus_at, at;

	xs_tick(&k->xs, k->now);
	if (k->xenbus >= 0)
		next = device_turn(k);
	at = peer_turn(k);
	next = at < next ? at : next;
	at = audit_tick(&k->audit, k->now);
	return at < next ? at : next;
}
