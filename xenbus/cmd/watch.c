/* SPDX-License-Identifier: MIT */
/*
 * xdd-attach watch, the process: waits for xenstored, for domains to come and go,
 * and for SIGHUP; see keep.h for what it does then.
 *
 * A dead xenstored shows only when it is asked (tree-xen.c): at least each ASK_NS.
 * SIGTERM has its default action: nothing is held that would have to be undone.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/notify.h"
#include "xenbus/cmd/keep.h"

#define ASK_NS	  (5 * CLOCK_SECOND)
#define RETRY_NS  CLOCK_SECOND
#define RETRY_MAX (30 * CLOCK_SECOND)

struct watch {
	struct keep keep;
	struct say say;
	struct log log;
	struct notify notify;
	const char *directory;
	uint64_t retry; /* the next wait for xenstored */
	bool told;	/* that it is not there */
	int signals;
	char status[128];
};

static void to_journal(struct say *to, enum log_level level, const char *text)
{
	struct watch *w = (struct watch *)((char *)to - offsetof(struct watch, say));

	log_line(&w->log, level, "%s", text);
}

static void tell_status(struct watch *w)
{
	unsigned count[3];
	char status[sizeof(w->status)];

	keep_count(&w->keep, count);
	snprintf(status, sizeof(status), "STATUS=%u devices: %u attached, %u waiting%s",
		 count[0], count[1], count[2],
		 w->keep.control.tree ? "" : "; xenstored is not there");
	if (!strcmp(status, w->status))
		return;
	strcpy(w->status, status);
	notify_send(&w->notify, status);
}

static int read_files(struct watch *w)
{
	int r = keep_load(&w->keep, w->directory);

	if (r)
		say_error(&w->say, "%s cannot be read: %s", w->directory, strerror(-r));
	return r;
}

/* True if there is a connection, with its watches. */
static bool connected(struct watch *w)
{
	struct tree *t = tree_open();

	if (t && !t->ops->watch(t, "@introduceDomain") &&
	    !t->ops->watch(t, "@releaseDomain")) {
		w->keep.control.tree = t;
		w->retry = RETRY_NS;
		if (w->told)
			say(&w->say, LOG_LEVEL_NOTICE, "xenstored is there");
		w->told = false;
		return true;
	}
	if (t)
		t->ops->close(t);
	if (!w->told)
		say(&w->say, LOG_LEVEL_NOTICE,
		    "xenstored is not there yet; waiting for it");
	w->told = true;
	return false;
}

static void disconnect(struct watch *w)
{
	struct tree *t = w->keep.control.tree;

	t->ops->close(t);
	w->keep.control.tree = NULL;
	w->told = true;
	say(&w->say, LOG_LEVEL_WARNING, "xenstored is gone; connecting anew");
}

/* One look at everything; returns how long to wait then. */
static uint64_t turn(struct watch *w, bool reloaded)
{
	uint64_t now = clock_now(), next;
	bool fresh = false;
	int fired;

	if (!w->keep.control.tree) {
		tell_status(w); /* connecting may take as long as xenstored does */
		fresh = connected(w);
	}
	if (!w->keep.control.tree) {
		next = w->retry;
		w->retry = next * 2 < RETRY_MAX ? next * 2 : RETRY_MAX;
		return next;
	}
	fired = w->keep.control.tree->ops->fired(w->keep.control.tree);
	next = keep_turn(&w->keep, now, fresh || reloaded || fired > 0);
	tell_status(w);
	if (w->keep.control.tree->dead) {
		disconnect(w);
		return w->retry;
	}
	now = clock_now();
	next = next > now ? next - now : 0;
	return next < ASK_NS ? next : ASK_NS;
}

static void wait_for(struct watch *w, uint64_t ns)
{
	struct pollfd polls[2] = {{.fd = w->signals, .events = POLLIN},
				  {.fd = -1, .events = POLLIN}};
	struct timespec ts = {(time_t)(ns / CLOCK_SECOND), (long)(ns % CLOCK_SECOND)};

	if (w->keep.control.tree)
		polls[1].fd = w->keep.control.tree->fd;
	ppoll(polls, 2, &ts, NULL);
}

static bool hung_up(struct watch *w)
{
	struct signalfd_siginfo info;

	return read(w->signals, &info, sizeof(info)) == sizeof(info);
}

static int open_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int watch_main(const struct command *command)
{
	static struct watch w;
	bool reloaded = false;
	int r;

	w.say.line = to_journal;
	w.retry = RETRY_NS;
	w.directory = command->n ? command->names[0] : TARGET_DIRECTORY;
	w.signals = open_signals();
	log_init(&w.log, "xdd-attach");
	w.log.burst = 0; /* what is said once needs no limit */
	keep_init(&w.keep, command->control->machine, &w.say, &command->options->check);
	r = w.signals < 0 ? -errno : notify_open(&w.notify);
	if (r) {
		say_error(&w.say, "cannot start: %s", strerror(-r));
		return EXIT_FAILED;
	}
	if (read_files(&w))
		return EXIT_COMMAND;
	notify_send(&w.notify, "READY=1");
	for (;;) {
		wait_for(&w, turn(&w, reloaded));
		reloaded = hung_up(&w);
		if (reloaded) {
			read_files(&w);
			say(&w.say, LOG_LEVEL_NOTICE, "%s read again", w.directory);
		}
	}
}
