/* SPDX-License-Identifier: MIT */
/* Devices that are kept attached: see keep.h. */
#include "xenbus/cmd/keep.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "policy/class.h"
#include "xenbus/cmd/apply.h"

#define SUFFIX ".attach"

/* Invariant 3. What fails because xenstored goes away is no device's fault. */
static void say_once(struct say *to, enum log_level level, const char *text)
{
	struct keep *k = (struct keep *)((char *)to - offsetof(struct keep, say));
	char *said =
		k->at->said[level < LOG_LEVEL_NOTICE ? level - LOG_LEVEL_ERROR : 2];

	if (k->control.tree->dead || !strcmp(said, text))
		return;
	snprintf(said, SAY_MAX, "%s", text);
	k->outer->line(k->outer, level, text);
}

void keep_init(struct keep *k, struct machine *machine, struct say *say,
	       const struct check_options *check)
{
	*k = (struct keep){
		.control = {.machine = machine},
		.check = *check,
		.say.line = say_once,
		.outer = say,
	};
	k->check.waits = true;
	k->control.say = &k->say;
}

static void free_all(struct keep_device *devices)
{
	while (devices) {
		struct keep_device *next = devices->next;

		free(devices);
		devices = next;
	}
}

void keep_fini(struct keep *k)
{
	free_all(k->devices);
	k->devices = NULL;
}

/* -- The directory ------------------------------------------------------------- */

static struct keep_device *find_file(struct keep_device *devices, const char *path)
{
	while (devices && strcmp(devices->target.path, path))
		devices = devices->next;
	return devices;
}

/* A file that has become wrong leaves what it said before in force. */
static struct keep_device *load_file(struct keep *k, const char *path)
{
	struct keep_device *old = find_file(k->devices, path);
	struct keep_device *new = calloc(1, sizeof(*new));
	const struct target_options none = {0};
	struct report report = {0};
	bool good;

	if (!new)
		return NULL;
	good = target_read(path, &none, &new->target, &report);
	if (!good)
		say(k->outer, LOG_LEVEL_ERROR,
		    old ? "%s: is wrong, what it said before stays in force"
			: "%s: is wrong, nothing is attached by it",
		    path);
	if (good && old) {
		new->attached = old->attached;
		new->back = old->back;
		new->front = old->front;
		new->close_by = old->close_by;
	} else if (old) {
		*new = *old;
	} else if (!good) {
		free(new);
		new = NULL;
	}
	return new;
}

static int is_attach(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name), suffix = strlen(SUFFIX);

	return len > suffix && entry->d_name[0] != '.' &&
	       !strcmp(entry->d_name + len - suffix, SUFFIX);
}

int keep_load(struct keep *k, const char *directory)
{
	struct keep_device *devices = NULL, **last = &devices;
	char path[PATH_MAX];
	struct dirent **names;
	int n = scandir(directory, &names, is_attach, alphasort);

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (snprintf(path, sizeof(path), "%s/%s", directory, names[i]->d_name) <
		    (int)sizeof(path)) {
			*last = load_file(k, path);
			last = *last ? &(*last)->next : last;
			*last = NULL;
		}
		free(names[i]);
	}
	free(names);
	free_all(k->devices);
	k->devices = devices;
	return 0;
}

/* -- Clients that are gone ----------------------------------------------------- */

static void sooner(struct keep_device *d, uint64_t at)
{
	if (at < d->due)
		d->due = at;
}

/* Invariant 2: @front is gone, and the device that it had of @back is ours. */
static void release(struct keep *k, struct keep_device *d, struct domid back,
		    struct domid front)
{
	struct control *c = &k->control;
	const struct plan_input in = {
		.policy = &d->target.loaded.policy, .back = back, .front = front};
	struct plan_paths paths;
	char mark[TREE_VALUE_MAX + 1];
	bool asked;

	plan_find(&in, &paths);
	asked = !tree_number(c->tree, paths.back, "online", 1, 0);
	if (!asked || !d->close_by) {
		if (!tree_read(c->tree, paths.copy, PLAN_MARK, mark) &&
		    !strcmp(mark, in.policy->name))
			apply_remove(c->tree, &paths, APPLY_FRONT | APPLY_COPY);
		apply_offline(c->tree, paths.back);
		d->close_by = k->now + KEEP_CLOSE_NS;
		say(c->say, LOG_LEVEL_NOTICE,
		    "%s: domain %u is gone, its back end is asked to let go",
		    in.policy->name, front.v);
	} else if (k->now >= d->close_by) {
		say(c->say, LOG_LEVEL_WARNING,
		    "%s: the back end did not let go of domain %u, which is gone; its "
		    "directory is removed",
		    in.policy->name, front.v);
		apply_remove(c->tree, &paths, APPLY_BACK);
		return;
	}
	sooner(d, d->close_by);
}

static bool is_remains(struct keep *k, const struct keep_device *d, struct domid back,
		       const char *client, struct domid *front)
{
	const struct policy *policy = &d->target.loaded.policy;
	struct plan_input in = {.policy = policy, .back = back};
	struct plan_paths paths;
	char mark[TREE_VALUE_MAX + 1];
	uint64_t number;

	if (!number_parse(client, strlen(client), DOMID_LIMIT - 1, &number))
		return false;
	in.front.v = (uint16_t)number;
	plan_find(&in, &paths);
	*front = in.front;
	return !tree_read(k->control.tree, paths.back, PLAN_MARK, mark) &&
	       !strcmp(mark, policy->name) && domains_gone(&k->control, in.front);
}

/* What a client left with the driver domain, also before we were started. */
static void sweep(struct keep *k, struct keep_device *d)
{
	struct control *c = &k->control;
	struct domid back, front;
	char dir[TREE_PATH_MAX + 1], **clients;
	unsigned n, found = 0;

	if (domains_find(c, d->target.conf.backend, &back))
		return;
	snprintf(dir, sizeof(dir), "/local/domain/%u/backend/%s", back.v,
		 class_info(d->target.loaded.policy.class, d->target.loaded.policy.door)
			 ->kind);
	if (c->tree->ops->list(c->tree, dir, &clients, &n)) {
		d->close_by = 0;
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		if (!is_remains(k, d, back, clients[i], &front))
			continue;
		release(k, d, back, front);
		found++;
	}
	free(clients);
	if (!found)
		d->close_by = 0;
}

/* -- One device ---------------------------------------------------------------- */

static void now_attached(struct keep *k, struct keep_device *d,
			 const struct checked *found, const char *how)
{
	d->attached = true;
	d->back = found->back.id;
	d->front = found->front.id;
	memset(d->said, 0, sizeof(d->said));
	attach_said(&k->control, found, how);
}

static void look(struct keep *k, struct keep_device *d)
{
	struct control *c = &k->control;
	struct checked found;
	enum check check;
	bool before;

	k->at = d;
	d->due = k->now + KEEP_LOOK_NS;
	sweep(k, d);
	/* Its number may be given anew. */
	if (d->attached && (domains_gone(c, d->front) || domains_gone(c, d->back)))
		d->attached = false;
	check = check_target(c, &d->target, &k->check, &found);
	d->waiting = check == CHECK_ABSENT;
	d->away = false;
	if (check == CHECK_REFUSED)
		sooner(d, k->now + KEEP_RETRY_NS);
	if (check == CHECK_REFUSED || check == CHECK_ABSENT)
		return;
	before = d->attached && d->back.v == found.back.id.v &&
		 d->front.v == found.front.id.v;
	if (check == CHECK_SAME) {
		if (!before)
			now_attached(k, d, &found, "is already");
	} else if (before) {
		d->away = true; /* invariant 1 */
		say(c->say, LOG_LEVEL_NOTICE, "%s: was taken away, and is left so",
		    d->target.loaded.policy.name);
	} else if (check == CHECK_STALE) {
		attach_clear(c, &found);
		sooner(d, k->now + ATTACH_PAUSE_NS);
	} else if (attach_write(c, &found)) {
		now_attached(k, d, &found, "is now");
	} else {
		sooner(d, k->now + KEEP_RETRY_NS);
	}
}

uint64_t keep_turn(struct keep *k, uint64_t now, bool all)
{
	uint64_t next = now + KEEP_LOOK_NS;

	k->now = now;
	for (struct keep_device *d = k->devices; d; d = d->next) {
		if ((all || d->due <= now) && !k->control.tree->dead)
			look(k, d);
		if (d->due < next)
			next = d->due;
	}
	return next;
}

void keep_count(const struct keep *k, unsigned count[3])
{
	memset(count, 0, 3 * sizeof(*count));
	for (const struct keep_device *d = k->devices; d; d = d->next) {
		count[0]++;
		count[1] += d->attached && !d->waiting && !d->away;
		count[2] += d->waiting;
	}
}
