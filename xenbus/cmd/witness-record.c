/* SPDX-License-Identifier: MIT */
/* What an audit log says is held: see witness-record.h. */
#include "xenbus/cmd/witness-record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "grant-mem/maps.h"

/* One registration; @refs as its line has them. */
struct held {
	uint32_t id, pages, unlisted;
	struct domid client;
	uint8_t purpose, writable;
	char *refs;
};

struct replay {
	struct record *log;
	struct held *held[MAPS_SLOTS];
	uint64_t now; /* pages */
	bool reloaded;
};

static void odd(struct trail *trail, const char *what)
{
	struct replay *r = trail->reader;
	struct record *log = r->log;

	if (log->state == RECORD_GOOD || log->state == RECORD_EMPTY) {
		log->state = RECORD_ODD;
		snprintf(log->where, sizeof(log->where), "%s:%u, seq %" PRIu64 ": %s",
			 trail->at.path, trail->at.line, trail->at.seq, what);
	}
}

static void drop(struct replay *r, uint32_t id)
{
	struct held **at = &r->held[id % MAPS_SLOTS];

	if (!*at)
		return;
	r->now -= (*at)->pages;
	free((*at)->refs);
	free(*at);
	*at = NULL;
}

static void drop_all(struct replay *r)
{
	for (uint32_t i = 0; i < MAPS_SLOTS; i++)
		drop(r, i);
}

static bool ends(const char *text, size_t len, uint64_t *out)
{
	return number_parse(text, len, UINT32_MAX, out);
}

/* One run of "8-11,17": its references, and where the next is; 0: it is none. */
static uint32_t run_of(const char **at, uint32_t *first)
{
	size_t len = strcspn(*at, ",+"), dash = strcspn(*at, "-,+");
	uint64_t from, to;

	if (!ends(*at, dash, &from))
		return 0;
	to = from;
	if (dash < len && (!ends(*at + dash + 1, len - dash - 1, &to) || to <= from))
		return 0;
	if (to - from >= MAPS_SLOTS)
		return 0;
	*at += len;
	*first = (uint32_t)from;
	return (uint32_t)(to - from) + 1;
}

/* How many pages "8-11,17+5" names, and how many it has no room for (+5); 0: it is of
 * another form. @each: for those that are named, or NULL. */
static uint32_t walk(const char *refs, uint32_t *unlisted,
		     void (*each)(void *owner, struct gref ref), void *owner)
{
	uint64_t more = 0;
	uint32_t n = 0, run, first;

	do {
		refs += n ? 1 : 0;
		run = run_of(&refs, &first);
		if (!run || run > MAPS_SLOTS - n)
			return 0;
		for (uint32_t i = 0; each && i < run; i++)
			each(owner, (struct gref){first + i});
		n += run;
	} while (*refs == ',');
	if (*refs && !number_parse(refs + 1, strlen(refs + 1), MAPS_SLOTS - n, &more))
		return 0;
	*unlisted = (uint32_t)more;
	return n + (uint32_t)more;
}

static bool purpose_of(const char *text, uint8_t *out)
{
	static const char *const names[] = {"ring", "data", "pool"};

	for (uint8_t i = 0; i < 3; i++) {
		if (!strcmp(text, names[i])) {
			*out = i;
			return true;
		}
	}
	return false;
}

/* Some of what led here may be missing: dropped when the log was full, or lost. */
static bool has_gaps(const struct trail *trail)
{
	const struct replay *r = trail->reader;

	return trail->chain.first || r->log->lost;
}

/* RECORD_NONE may have been said in a line that is gone. */
static bool knows_client(const struct trail *trail)
{
	const struct replay *r = trail->reader;

	return r->log->client != RECORD_NONE || has_gaps(trail);
}

static struct domid client_now(const struct replay *r)
{
	uint32_t client = r->log->client;

	return (struct domid){client == RECORD_NONE ? RECORD_ANY : (uint16_t)client};
}

static void on_map(struct trail *trail, const struct entry *entry)
{
	struct replay *r = trail->reader;
	struct held *h, held = {.id = (uint32_t)entry_number(entry, "id"),
				.pages = (uint32_t)entry_number(entry, "pages"),
				.client = client_now(r),
				.writable = entry_number(entry, "writable") != 0};
	const char *refs = entry_text(entry, "refs");

	if (has_gaps(trail))
		drop(r, held.id);
	if (!purpose_of(entry_text(entry, "purpose"), &held.purpose) ||
	    !knows_client(trail) || r->held[held.id % MAPS_SLOTS] || !held.pages ||
	    held.pages > MAPS_SLOTS - r->now ||
	    walk(refs, &held.unlisted, NULL, NULL) != held.pages) {
		odd(trail, "a map that no keeper makes");
		return;
	}
	h = malloc(sizeof(*h));
	held.refs = strdup(refs);
	if (!h || !held.refs)
		abort();
	*h = held;
	r->held[held.id % MAPS_SLOTS] = h;
	r->now += held.pages;
}

static void on_unmap(struct trail *trail, const struct entry *entry)
{
	struct replay *r = trail->reader;
	uint32_t id = (uint32_t)entry_number(entry, "id");
	const struct held *h = r->held[id % MAPS_SLOTS];

	if (h && h->id == id)
		drop(r, id);
	else if (!has_gaps(trail))
		odd(trail, "an unmapping of what is not mapped");
}

static void on_disconnect(struct trail *trail, const struct entry *entry)
{
	(void)entry;
	drop_all(trail->reader);
}

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%.*s", (int)size - 1, from);
}

/* Of a policy that was loaded anew only the hash is another. */
static void on_start(struct trail *trail, const struct entry *entry)
{
	struct replay *r = trail->reader;
	struct record *log = r->log;

	copy(log->policy, sizeof(log->policy), entry_text(entry, "policy"));
	copy(log->boot, sizeof(log->boot), entry_text(entry, "boot"));
	if (log->state == RECORD_EMPTY)
		log->state = RECORD_GOOD;
	if (r->reloaded)
		return;
	drop_all(r);
	log->binds = 0;
	log->client = log->domid = RECORD_NONE;
	log->stopped = false;
	copy(log->started, sizeof(log->started), entry->time);
}

static void on_stop(struct trail *trail, const struct entry *entry)
{
	struct replay *r = trail->reader;

	on_disconnect(trail, entry);
	r->log->binds = 0;
	r->log->stopped = true;
}

static void on_xenstore(struct trail *trail, const struct entry *entry)
{
	struct replay *r = trail->reader;

	r->log->domid = (uint32_t)entry_number(entry, "domid");
}

/* "backend/KIND/DOMID/DEVICE, generation N"; its channels are bound anew. */
static void on_device(struct trail *trail, const struct entry *entry)
{
	struct replay *r = trail->reader;
	const char *text = entry_text(entry, "text");
	uint64_t client;
	int at = 0;

	if (sscanf(text, "backend/%*63[a-z0-9_]/%n", &at) < 0 || !at ||
	    !number_parse(text + at, strcspn(text + at, "/"), DOMID_LIMIT - 1,
			  &client)) {
		odd(trail, "a device that no keeper finds");
		return;
	}
	r->log->client = (uint32_t)client;
	r->log->binds = 0;
}

/* "event-channel 9 to 23" */
static void on_bind(struct trail *trail, const struct entry *entry)
{
	struct replay *r = trail->reader;
	struct record *log = r->log;
	struct record_bind bind = {.client = client_now(r)}, *at = log->bind;
	char none;

	if (sscanf(entry_text(entry, "text"), "%63s %" SCNu32 " to %" SCNu32 "%c",
		   bind.key, &bind.remote, &bind.local, &none) != 3 ||
	    !knows_client(trail)) {
		odd(trail, "a bind that no keeper makes");
		return;
	}
	while (at < log->bind + log->binds && strcmp(at->key, bind.key))
		at++;
	if (at == log->bind + RECORD_BINDS) {
		odd(trail, "more event channels than a keeper binds");
		return;
	}
	log->binds += at == log->bind + log->binds;
	*at = bind;
}

static void take(struct trail *trail, const struct entry *entry)
{
	static const struct {
		const char *event;
		void (*on)(struct trail *trail, const struct entry *entry);
	} rows[] = {
		{"bind", on_bind},
		{"device", on_device},
		{"disconnect", on_disconnect},
		{"map", on_map},
		{"start", on_start},
		{"stop", on_stop},
		{"unmap", on_unmap},
		{"xenstore", on_xenstore},
	};
	struct replay *r = trail->reader;

	r->log->lost += entry->lost;
	copy(r->log->ended, sizeof(r->log->ended), entry->time);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!strcmp(entry->event, rows[i].event))
			rows[i].on(trail, entry);
	}
	r->reloaded = !strcmp(entry->event, "reload") &&
		      !strcmp(entry_text(entry, "text"), "the new policy is in force");
}

static void found(struct trail *trail, const struct chain_finding *finding)
{
	struct replay *r = trail->reader;
	const struct chain_place *at = &finding->at;

	if (r->log->findings++)
		return;
	snprintf(r->log->where, sizeof(r->log->where), "%s:%u, seq %" PRIu64,
		 at->path ? at->path : trail->path[1], at->line, at->seq);
}

struct flatten {
	struct record *log;
	const struct held *held;
};

static void add_page(void *owner, struct gref ref)
{
	const struct flatten *f = owner;

	f->log->page[f->log->pages++] = (struct record_page){
		ref, f->held->client, 1, f->held->writable, f->held->purpose};
}

static int by_ref(const void *a, const void *b)
{
	const struct record_page *x = a, *y = b;

	if (x->client.v != y->client.v)
		return x->client.v < y->client.v ? -1 : 1;
	return x->ref.v < y->ref.v ? -1 : x->ref.v > y->ref.v;
}

/* A page is there once, with how often it is registered. */
static void merge(struct record *log)
{
	uint32_t n = 0;

	qsort(log->page, log->pages, sizeof(*log->page), by_ref);
	for (uint32_t i = 0; i < log->pages; i++) {
		struct record_page *page = &log->page[i];

		if (n && !by_ref(&log->page[n - 1], page)) {
			log->page[n - 1].times++;
			log->page[n - 1].writable += page->writable;
		} else {
			log->page[n++] = *page;
		}
	}
	log->pages = n;
}

static void flatten(struct replay *r)
{
	struct flatten f = {.log = r->log};
	struct record_unlisted *unlisted;
	uint32_t none;

	if (!r->now)
		return;
	r->log->page = calloc(r->now, sizeof(*r->log->page));
	if (!r->log->page)
		abort();
	for (uint32_t i = 0; i < MAPS_SLOTS; i++) {
		f.held = r->held[i];
		if (!f.held)
			continue;
		walk(f.held->refs, &none, add_page, &f);
		unlisted = &r->log->unlisted[f.held->purpose];
		unlisted->pages += f.held->unlisted;
		unlisted->writable += f.held->writable ? f.held->unlisted : 0;
	}
	merge(r->log);
}

void record_read(struct record *log, const char *path, const struct chain_head *head)
{
	static struct replay replay;
	static struct trail trail;
	int err;

	*log = (struct record){
		.state = RECORD_EMPTY, .domid = RECORD_NONE, .client = RECORD_NONE};
	replay = (struct replay){.log = log};
	trail = (struct trail){
		.entry = take, .found = found, .head = head, .reader = &replay};
	err = trail_read(&trail, path);
	if (err) {
		log->state = err == -ENOENT ? RECORD_ABSENT : RECORD_UNREADABLE;
		log->err = err;
	} else {
		log->first = trail.chain.first;
		log->last = trail.chain.last.seq;
		memcpy(log->head, trail.chain.hash, sizeof(log->head));
	}
	if (!err && log->findings)
		log->state = RECORD_BROKEN;
	flatten(&replay);
	drop_all(&replay);
}

void record_free(struct record *log)
{
	free(log->page);
	log->page = NULL;
	log->pages = 0;
}

const struct record_page *record_page_of(const struct record *log, struct domid client,
					 struct gref ref)
{
	struct record_page key = {.ref = ref, .client = client}, *found;

	if (!log->pages)
		return NULL;
	found = bsearch(&key, log->page, log->pages, sizeof(*log->page), by_ref);
	if (found)
		return found;
	key.client.v = RECORD_ANY;
	return bsearch(&key, log->page, log->pages, sizeof(*log->page), by_ref);
}
