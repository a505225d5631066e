/* SPDX-License-Identifier: MIT */
#include "backends/can/cmd/front-store.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/number.h"
#include "policy/ids.h"

#define ANSWER_NS (10 * CLOCK_SECOND)
#define RETRY_NS  CLOCK_SECOND
/* xenstored's device while it has no xenstored: see xs_open(). */
#define LATE_NS (100 * CLOCK_MS)

enum { WRITING, WATCHING, LOOKING };

/* -- What is looked at ----------------------------------------------------- */

enum kind { NUMBER, FLAG, TEXT, VERSIONS, PATH, DOMAIN };

#define LOOK(field)  offsetof(struct front_store, look.field)
#define OFFER(field) offsetof(struct front_store, offer.field)

/* The back end's keys that matter only before Initialised come last. */
static const struct row {
	const char *key;
	bool back;
	enum kind kind;
	size_t at;
	uint64_t max; /* NUMBER */
} rows[] = {
	{"backend", false, PATH, offsetof(struct front_store, back), 0},
	{"backend-id", false, DOMAIN, LOOK(backend), 0},
	{"state", false, NUMBER, LOOK(own), STORE_RECONFIGURED},
	{"state", true, NUMBER, LOOK(back), STORE_RECONFIGURED},
	{"online", true, FLAG, LOOK(online), 0},
	{"versions", true, VERSIONS, OFFER(understood), 0},
	{"max-ring-page-order", true, NUMBER, OFFER(page_order), UINT32_MAX},
	{"feature-fd", true, FLAG, OFFER(fd), 0},
	{"feature-late-ack", true, FLAG, OFFER(late_ack), 0},
	{"feature-transmit", true, FLAG, OFFER(listens), 0},
	{"bitrate", true, NUMBER, OFFER(bitrate), UINT32_MAX},
	{"data-bitrate", true, NUMBER, OFFER(data_bitrate), UINT32_MAX},
	{"transmit-ids", true, TEXT, OFFER(transmit_ids), 0},
	{"receive-ids", true, TEXT, OFFER(receive_ids), 0},
};
#define ROWS	   (sizeof(rows) / sizeof(rows[0]))
#define ROWS_STATE 5 /* of them, those that matter in any state */

static void set_number(const struct row *row, void *at, const char *text, size_t len)
{
	uint64_t n;

	if (!number_parse(text, len, row->max, &n))
		n = 0; /* STORE_UNKNOWN, not known, one page */
	*(uint32_t *)at = (uint32_t)n;
}

_Static_assert(sizeof(enum store_state) == sizeof(uint32_t), "set_number()");

/* Without a domain that it is to be granted to, there is no device. */
static void set_domain(struct front_store *s, const char *text, size_t len)
{
	uint64_t n;

	s->look.present = number_parse(text, len, DOMID_LIMIT - 1, &n);
	if (s->look.present)
		s->look.backend = (uint16_t)n;
}

/* Text for people, from a stranger: it reaches a terminal. */
static void set_text(char *at, const char *text, size_t len)
{
	size_t n = len < FRONT_TEXT_MAX ? len : FRONT_TEXT_MAX;

	for (size_t i = 0; i < n; i++)
		at[i] = text[i];
	for (size_t i = 0; i < n; i++) {
		if (at[i] < ' ' || at[i] > '~')
			at[i] = '?';
	}
	at[n] = '\0';
}

/* "1" among what is separated by commas. */
static bool has_version(const char *text)
{
	while (text) {
		text += strspn(text, ", ");
		if (text[0] == '1' && (!text[1] || text[1] == ',' || text[1] == ' '))
			return true;
		text = strchr(text, ',');
	}
	return false;
}

static void set_path(struct front_store *s, const char *text, size_t len)
{
	s->look.present = len && len < FRONT_PATH_MAX - sizeof("/state") &&
			  text[0] == '/' && strlen(text) == len;
	snprintf(s->back, sizeof(s->back), "%s", s->look.present ? text : "");
}

/* The value of a row; @text is NULL if there is none. */
static void set_row(struct front_store *s, const struct row *row, const char *text,
		    size_t len)
{
	void *at = (char *)s + row->at;

	switch (row->kind) {
	case NUMBER:
		set_number(row, at, text ? text : "", len);
		return;
	case FLAG:
		*(bool *)at = len == 1 && text && text[0] == '1';
		if (row->at == OFFER(listens)) /* said the other way round */
			*(bool *)at = len == 1 && text && text[0] == '0';
		return;
	case TEXT:
		set_text(at, text ? text : "", len);
		return;
	case VERSIONS:
		*(bool *)at = text && has_version(text);
		return;
	case PATH:
		set_path(s, text ? text : "", len);
		return;
	case DOMAIN:
		set_domain(s, text ? text : "", len);
		return;
	}
}

/* -- One request after another --------------------------------------------- */

static void begin_look(struct front_store *s)
{
	s->row = 0;
	s->looking = true;
	s->dirty = false;
	s->look = (struct front_look){.allowed = true};
	s->offer = (struct front_offer){.understood = false};
}

static void end_look(struct front_store *s)
{
	s->looking = false;
	s->look.generation = s->seen.generation;
	if (s->look.present && strcmp(s->back, s->back_seen)) {
		s->look.generation++;
		strcpy(s->back_seen, s->back);
	}
	s->seen = s->look;
	if (s->row == ROWS) /* else it was not asked for: the last one stands */
		s->offered = s->offer;
	s->fresh = true;
}

/* Is there another row to be read? Then s->row says which. */
static bool has_row(const struct front_store *s)
{
	if (s->row && !s->look.present)
		return false;
	if (s->row == ROWS_STATE && s->look.back != STORE_INIT_WAIT)
		return false;
	return s->row < ROWS;
}

static void ask(struct front_store *s, unsigned doing, enum xs_type type,
		const char *dir, const char *key, const char *second)
{
	char path[2 * FRONT_PATH_MAX];
	bool fits;

	snprintf(path, sizeof(path), "%s%s%s", dir, key[0] ? "/" : "", key);
	s->doing = doing;
	fits = xs_send(&s->xs, &s->request, type, s->now + ANSWER_NS, path, second);
	assert(fits);
}

/* What is to be watched and is not. True if it was asked for. */
static bool watch(struct front_store *s)
{
	char state[FRONT_PATH_MAX] = "";

	if (!s->answered) /* never first: xs.h says why */
		return false;
	if (s->back[0])
		snprintf(state, sizeof(state), "%.*s/state",
			 (int)(FRONT_PATH_MAX - sizeof("/state")), s->back);
	for (unsigned i = 0; i < 2; i++) {
		const char *want = i ? state : s->front;

		if (!want[0] || s->watched[i][0])
			continue;
		snprintf(s->watched[i], sizeof(s->watched[i]), "%s", want);
		ask(s, WATCHING, XS_TYPE_WATCH, want, "", i ? "back" : "front");
		return true;
	}
	return false;
}

/* The next request, if there is something to do. */
static void next(struct front_store *s)
{
	const struct row *row;

	if (s->request.busy)
		return;
	if (s->writes) {
		ask(s, WRITING, XS_TYPE_WRITE, s->front, s->write[0].key,
		    s->write[0].value);
		return;
	}
	if (watch(s))
		return;
	if (s->dirty)
		begin_look(s);
	if (!s->looking)
		return;
	if (!has_row(s)) {
		end_look(s);
		return;
	}
	row = &rows[s->row];
	ask(s, LOOKING, XS_TYPE_READ, row->back ? s->back : s->front, row->key, NULL);
}

static bool has_work(const struct front_store *s)
{
	return s->writes || s->dirty || s->looking;
}

static void wrote(struct front_store *s, int err)
{
	if (err)
		s->write_err = err;
	memmove(&s->write[0], &s->write[1], --s->writes * sizeof(s->write[0]));
	s->dirty = true; /* invariant 1 */
}

/* A key that is not there, or not for us to see, is answered, too. */
static void looked(struct front_store *s, int err)
{
	if (err && err != -ENOENT && err != -EACCES) {
		s->err = err;
		return;
	}
	set_row(s, &rows[s->row], err ? NULL : s->request.value,
		err ? 0 : s->request.len);
	s->row++;
}

static void watching(struct front_store *s, int err)
{
	if (err && err != -EEXIST)
		s->err = err;
	s->dirty = true; /* what changed before it was set fires nothing */
}

static void answered(struct xs_request *request)
{
	struct front_store *s =
		(struct front_store *)((char *)request -
				       offsetof(struct front_store, request));
	int err = request->err;

	s->answered = true;
	if (err == -ECONNRESET || err == -ETIMEDOUT) {
		s->err = err; /* all of it is asked again (invariant 3) */
		return;
	}
	switch (s->doing) {
	case WRITING:
		wrote(s, err);
		return;
	case WATCHING:
		watching(s, err);
		return;
	case LOOKING:
		looked(s, err);
		return;
	}
}

static void fired(struct xs *xs, const char *token)
{
	struct front_store *s = (struct front_store *)xs;

	(void)token;
	s->dirty = true;
}

_Static_assert(offsetof(struct front_store, xs) == 0, "fired()");

/* -- The owner's side ------------------------------------------------------ */

void front_store_init(struct front_store *s, unsigned device, int (*open)(void))
{
	*s = (struct front_store){.open = open, .fd = -1};
	snprintf(s->front, sizeof(s->front), "device/vcan/%u", device);
	xs_init(&s->xs, fired);
	s->request.done = answered;
}

void front_store_close(struct front_store *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

void front_store_write(struct front_store *s, const char *key, const char *value)
{
	struct front_write *w = &s->write[s->writes];

	assert(s->writes < FRONT_WRITES_MAX);
	s->writes++;
	snprintf(w->key, sizeof(w->key), "%s", key);
	snprintf(w->value, sizeof(w->value), "%s", value);
	s->dirty = true;
	s->fresh = false;
}

/* Lost, or of no use: begin anew, at @retry. */
static void lose(struct front_store *s, int err, uint64_t retry)
{
	xs_reset(&s->xs);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->err = err;
	s->retry = retry;
}

static bool connect_anew(struct front_store *s, uint64_t now)
{
	if (s->retry > now)
		return false;
	s->fd = s->open();
	if (s->fd < 0) {
		lose(s, s->fd, now + (s->fd == -EAGAIN ? LATE_NS : RETRY_NS));
		return false;
	}
	memset(s->watched, 0, sizeof(s->watched));
	s->answered = s->looking = false;
	s->dirty = true;
	s->err = 0;
	return true;
}

/* The watch of a back end that is of no interest any more stays, and there are only so
 * many: they go with their connection. */
static bool watches_another(const struct front_store *s)
{
	size_t n = strlen(s->back);

	return s->watched[1][0] && s->back[0] &&
	       (strncmp(s->watched[1], s->back, n) ||
		strcmp(s->watched[1] + n, "/state"));
}

bool front_store_turn(struct front_store *s, uint64_t now)
{
	int r;

	s->now = now;
	if (s->fd < 0 && !connect_anew(s, now))
		return false;
	xs_tick(&s->xs, now);
	do {
		next(s);
		r = xs_turn(&s->xs, s->fd, now);
		s->wants_out = r > 0;
		if (watches_another(s)) {
			lose(s, 0, now);
			return false;
		}
	} while (r >= 0 && !s->err && !s->request.busy && has_work(s));
	if (r < 0 || s->err) {
		lose(s, r < 0 ? r : s->err, now + RETRY_NS);
		return false;
	}
	if (!s->fresh || has_work(s))
		return false;
	s->fresh = false;
	return true;
}

int front_store_fd(const struct front_store *s, short *events)
{
	*events = (short)(POLLIN | (s->wants_out ? POLLOUT : 0));
	return s->fd;
}

uint64_t front_store_due(const struct front_store *s)
{
	if (s->fd < 0)
		return s->retry;
	if (s->request.busy)
		return s->request.deadline;
	return has_work(s) ? 0 : UINT64_MAX;
}
