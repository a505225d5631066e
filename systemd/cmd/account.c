/* SPDX-License-Identifier: MIT */
#include "systemd/cmd/account.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "grant-mem/cmd/audit-sum.h"
#include "systemd/cmd/place.h"
#include "systemd/cmd/plain.h"
#include "xenbus/store.h"

/* A reader of one log. */
struct reader {
	struct account *account;
	struct sum sum;
	bool reloaded; /* the line before told of a new policy */
};

/* A policy that was loaded anew is no new process. */
static void on_start(struct reader *r, const struct entry *entry)
{
	struct account *a = r->account;

	PLAIN(a->policy, entry_text(entry, "policy"));
	if (r->reloaded)
		return;
	a->present = a->connected = a->back_end = false;
	a->domid = ENTRY_NO_CLIENT;
	*a->since = '\0';
}

static void on_stop(struct reader *r, const struct entry *entry)
{
	(void)entry;
	r->account->present = r->account->connected = r->account->back_end = false;
	*r->account->since = '\0';
}

static void on_device(struct reader *r, const struct entry *entry)
{
	r->account->domid = entry_client(entry);
}

static void on_state(struct reader *r, const struct entry *entry)
{
	struct account *a = r->account;
	bool before = a->connected;

	a->present = entry_number(entry, "present");
	a->connected = a->present && entry_number(entry, "back") == STORE_CONNECTED &&
		       entry_number(entry, "front") == STORE_CONNECTED;
	if (!a->connected)
		*a->since = '\0';
	else if (!before)
		strcpy(a->since, entry->time);
}

static void on_connect(struct reader *r, const struct entry *entry)
{
	(void)entry;
	r->account->back_end = true;
}

static void on_disconnect(struct reader *r, const struct entry *entry)
{
	r->account->back_end = false;
	if (entry->seq >= r->account->mark)
		r->account->let_go = true;
}

static void on_refused(struct reader *r, const struct entry *entry)
{
	PLAIN(r->account->refusal, entry_text(entry, "text"));
	strcpy(r->account->refused_at, entry->time);
}

static void on_revoke(struct reader *r, const struct entry *entry)
{
	if (entry->seq >= r->account->mark)
		r->account->revoked = true;
}

static void on_reload(struct reader *r, const struct entry *entry)
{
	if (entry->seq >= r->account->mark)
		r->account->reload = r->sum.reloaded ? RELOAD_TAKEN : RELOAD_REFUSED;
}

static void take(struct trail *trail, const struct entry *entry)
{
	static const struct {
		const char *event;
		void (*on)(struct reader *r, const struct entry *entry);
	} rows[] = {
		{"connect", on_connect},
		{"device", on_device},
		{"disconnect", on_disconnect},
		{"refused", on_refused},
		{"reload", on_reload},
		{"revoke", on_revoke},
		{"start", on_start},
		{"state", on_state},
		{"stop", on_stop},
	};
	struct reader *r = trail->reader;

	r->reloaded = r->sum.reloaded;
	sum_add(&r->sum, entry);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!strcmp(entry->event, rows[i].event))
			rows[i].on(r, entry);
	}
}

static void add_up(struct account *account, const struct sum *sum)
{
	account->lines = sum->lines;
	account->refused = sum->refused;
	account->reported = sum->reported;
	account->lost = sum->lost;
	account->mapped = sum->now;
	account->most = sum->most;
	account->copied = sum->copied;
	account->reloads = sum->reloads;
}

/* Of the newer file: it is the one that grows, and another when it was rotated. */
static struct account_stamp stamp_of(const char *name)
{
	char path[PLACE_MAX], log[PLACE_MAX + 16];
	struct stat st;

	if (!place(path, PLACE_LOGS, name))
		return (struct account_stamp){0};
	snprintf(log, sizeof(log), "%s/audit.log", path);
	if (stat(log, &st))
		return (struct account_stamp){0};
	return (struct account_stamp){st.st_ino, (uint64_t)st.st_size,
				      (uint64_t)st.st_mtim.tv_sec * CLOCK_SECOND +
					      (uint64_t)st.st_mtim.tv_nsec};
}

void account_reread(struct account *account, const struct account *last,
		    const char *name)
{
	struct account_stamp now = stamp_of(name);

	if (now.file && !memcmp(&now, &last->stamp, sizeof(now)))
		*account = *last;
	else
		account_read(account, name);
}

void account_read(struct account *account, const char *name)
{
	static struct reader reader;
	static struct trail trail;
	char path[PLACE_MAX];

	*account = (struct account){.mark = account->mark, .domid = ENTRY_NO_CLIENT};
	account->stamp = stamp_of(name);
	reader = (struct reader){.account = account};
	trail = (struct trail){.entry = take, .reader = &reader};
	account->err = place(path, PLACE_LOGS, name) ? trail_read(&trail, path)
						     : -ENAMETOOLONG;
	if (account->err)
		return;
	account->there = true;
	account->sound = !trail.findings;
	account->seq = trail.chain.last.seq;
	strcpy(account->hash, trail.chain.hash);
	add_up(account, &reader.sum);
}
