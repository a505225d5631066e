/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "backends/host.h"
#include "common/clock.h"

#define HOST_ENTRIES 1024 /* ops that can exist at once, with room */
#define HOST_TICK_NS CLOCK_SECOND
#define HOST_REST_NS (5 * CLOCK_MS)
#define HOST_CONFIG  2 /* the exit status after which no unit tries again */

static volatile sig_atomic_t host_told_to_stop;

static void host_on_signal(int sig)
{
	(void)sig;
	host_told_to_stop = 1;
}

static struct host *host_of(struct life *life)
{
	return (struct host *)((char *)life - offsetof(struct host, life));
}

#define HOST_FROM(op, member)                                                          \
	((struct host *)((char *)(op)-offsetof(struct host, member)))

static void host_end(struct host *host, int result, const char *why)
{
	if (host->loop.stop)
		return;
	if (result)
		log_line(&host->log, LOG_LEVEL_ERROR, "%s", why);
	host->result = result;
	host->loop.stop = true;
}

/* Our environment failed; the unit starts us again. */
static void host_check(struct host *host, int r, const char *what)
{
	char why[96];

	if (r >= 0)
		return;
	snprintf(why, sizeof(why), "%s: %s", what, strerror(-r));
	host_end(host, 1, why);
}

/* -- What the life asks for ----------------------------------------------- */

static int host_offer(struct life *life)
{
	struct host *host = host_of(life);

	log_name(&host->log, host->policy.name, life->status.frontend.v,
		 host->policy.device);
	return host->door->offer(host);
}

static int host_connect(struct life *life, bool attach)
{
	struct host *host = host_of(life);
	int r;

	log_name(&host->log, host->policy.name, life->status.frontend.v,
		 host->policy.device);
	r = host->door->connect(host, attach);
	if (r)
		return r;
	log_line(&host->log, LOG_LEVEL_INFO, attach ? "attached again" : "connected");
	/* What fired while nobody listened may be lost: open the ports; the turn
	 * that follows looks at the rings. */
	for (unsigned i = 0; i < host->ports; i++)
		evtchn_unmask(host->evtchn, host->port[i]);
	events_listen(&host->events, host->evtchn->fd);
	return 0;
}

static void host_detach(struct life *life)
{
	struct host *host = host_of(life);

	log_line(&host->log, LOG_LEVEL_INFO, "detaching");
	host->door->detach(host);
}

/* A full queue is tried again; no other positive code can come here. */
static int host_again(int r)
{
	return r > 0 ? -EAGAIN : r;
}

static int host_set_state(struct life *life, enum store_state state)
{
	char value[4];

	snprintf(value, sizeof(value), "%d", state);
	return host_again(store_write(host_of(life)->store, "state", value));
}

static int host_remove(struct life *life)
{
	return host_again(store_remove(host_of(life)->store));
}

static const struct life_ops host_life_ops = {
	.offer = host_offer,
	.connect = host_connect,
	.detach = host_detach,
	.set_state = host_set_state,
	.remove = host_remove,
};

void host_detached(struct host *host)
{
	events_stop(&host->events);
	host_check(host, life_detached(&host->life), "xenstore");
	if (host->stopping)
		host_end(host, 0, NULL);
}

void host_repeat(struct host *host)
{
	host_check(host, life_repeat(&host->life), "xenstore");
}

/* [impl->req~who-breaks-loses-its-device~1] */
void host_broken(struct host *host, const char *why)
{
	log_line(&host->log, LOG_LEVEL_WARNING,
		 "the client broke the protocol, its device is closed: %s", why);
	store_write(host->store, "xdd-reason", why);
	host_check(host, life_fail(&host->life), "xenstore");
}

/* -- The store, the clock ------------------------------------------------- */

static void host_update(struct host *host)
{
	struct store_status status;
	int r;

	doors_turn(&host->doors);
	r = store_poll(host->store, &status);
	if (r < 0) {
		host_end(host, 1,
			 host->doors.client.why ? host->doors.client.why
						: "the keeper is gone");
		return;
	}
	if (doors_limits(&host->doors, &host->policy)) {
		rate_change(&host->events.rate, host->policy.events, clock_now());
		host->door->limits(host);
		if (host->class->limits)
			host->class->limits(host);
	}
	if (r)
		host_check(host, life_update(&host->life, &status), "the device");
}

/* Each reply to a call of ours makes the socket ready, too: while there are calls, it
 * is looked at now and then, not once a call. */
static void host_listen(struct host *host)
{
	uint32_t calls = host->doors.client.id;

	if (calls == host->calls || host->doors.inner)
		loop_poll(&host->loop, &host->store_op, LOOP_FILE_KEEPER);
	else
		loop_timer(&host->loop, &host->rest_op, HOST_REST_NS);
	host->calls = calls;
}

static void host_store_ready(struct loop_op *op, int res)
{
	struct host *host = HOST_FROM(op, store_op);

	(void)res;
	host_update(host);
	if (!host->loop.stop)
		host_listen(host);
}

static void host_rested(struct loop_op *op, int res)
{
	(void)res;
	loop_poll(&HOST_FROM(op, rest_op)->loop, &HOST_FROM(op, rest_op)->store_op,
		  LOOP_FILE_KEEPER);
}

/* A line for systemctl status, at once when the state is another one; the numbers
 * in it, and the file of them, once a second. */
static void host_show(struct host *host)
{
	const char *state = life_name(host->life.state);
	char line[sizeof(host->shown)], brief[64];

	stats_write(&host->stats, host->log.who, state);
	stats_brief(&host->stats, brief, sizeof(brief));
	snprintf(line, sizeof(line), "STATUS=%s: %s%s%s%s", host->log.who, state,
		 *brief ? "; " : "", brief, host->doors.inner ? ", NO KEEPER" : "");
	host->shown_state = host->life.state;
	if (!strcmp(line, host->shown))
		return;
	strcpy(host->shown, line);
	notify_send(&host->notify, line);
}

static void host_tick(struct loop_op *op, int res)
{
	struct host *host = HOST_FROM(op, tick_op);
	struct store_status status = host->life.status;
	uint64_t now = clock_now();

	(void)res;
	notify_send(&host->notify, "WATCHDOG=1");
	/* What said "ask again" is asked again; the rest stays as it is. */
	host_check(host, life_update(&host->life, &status), "the device");
	host_check(host, life_tick(&host->life), "xenstore");
	if (host->class->tick)
		host_check(host, host->class->tick(host, now), "the device");
	host_check(host, host->door->tick(host, now), "the device");
	host_show(host);
	loop_timer(&host->loop, &host->tick_op, HOST_TICK_NS);
}

/* Its only task was to end the wait. */
static void host_due(struct loop_op *op, int res)
{
	(void)op;
	(void)res;
}

/* The device's part of a turn, after all callbacks (invariant 2). */
static void host_turn(struct host *host, uint64_t now)
{
	if (!host->events.listening)
		return;
	host_check(host, host->events.error, "event channel");
	host_check(host, host->door->turn(host, now), "serving");
}

/* A timer that would come too late is cancelled: that it ends is a turn in itself. */
static void host_timer(struct host *host, uint64_t due, uint64_t now)
{
	if (due == UINT64_MAX)
		return;
	if (!host->due_op.busy)
		loop_timer(&host->loop, &host->due_op, due > now ? due - now : 1);
	else if (due < host->due_at)
		loop_cancel(&host->loop, &host->due_op);
	host->due_at = due;
}

/* True if there is something to do after a while of looking. What is queued for the
 * kernel does not wait for that. */
static bool host_spin(struct host *host, uint64_t now)
{
	uint64_t window, start, passed = 0;
	bool hit = false;

	if (loop_queued(&host->loop))
		return false;
	window = spin_window(&host->spin, now);
	if (!window)
		return false;
	start = clock_now();
	while (!hit && passed < window) {
		for (int i = 0; i < 16 && !hit; i++)
			hit = host->door->pending(host) || loop_ready(&host->loop);
		passed = clock_now() - start;
	}
	spin_done(&host->spin, passed, hit);
	return hit;
}

/* True if there is nothing to do but to wait: whatever ends that is asked for. */
static bool host_idle(struct host *host, uint64_t now)
{
	uint64_t due, unmask;

	if (!host->events.listening)
		return true;
	due = host->door->due(host);
	if (due <= now || (loop_queued(&host->loop) && spin_eager(&host->spin)) ||
	    host_spin(host, now) || host->door->arm(host))
		return false;
	events_unmask(&host->events, now);
	events_await(&host->events);
	unmask = events_due(&host->events);
	host_timer(host, unmask < due ? unmask : due, now);
	return true;
}

static void host_stop(struct host *host)
{
	host->stopping = true;
	notify_send(&host->notify, "STOPPING=1");
	if (life_stop(&host->life))
		host_end(host, 0, NULL);
}

static int host_serve(struct host *host)
{
	uint64_t now;
	bool wait;

	host_check(host, loop_set_file(&host->loop, LOOP_FILE_KEEPER, host->store->fd),
		   "keeper's socket");
	loop_poll(&host->loop, &host->store_op, LOOP_FILE_KEEPER);
	loop_timer(&host->loop, &host->tick_op, HOST_TICK_NS);
	host_update(host);
	host_show(host);
	while (!host->loop.stop) {
		if (host_told_to_stop && !host->stopping)
			host_stop(host);
		/* Once a turn: on x86 PV reading the clock is a system call. */
		now = clock_now();
		host_turn(host, now);
		wait = host_idle(host, now);
		if (host->shown_state != host->life.state)
			host_show(host);
		if (host->loop.stop)
			break;
		host_check(host, loop_turn(&host->loop, wait), "io_uring");
		spin_turned(&host->spin, host->loop.called);
		if (doors_changed(&host->doors))
			host_update(host);
	}
	doors_close(&host->doors);
	return host->result;
}

/* -- Start ---------------------------------------------------------------- */

int host_seal(struct host *host)
{
	int r = loop_seal(&host->loop);

	return r ? r : doors_seal(&host->doors, host->mixes);
}

static void host_init(struct host *host, const char *name,
		      const struct host_class *class, void *device)
{
	*host = (struct host){.class = class, .device = device};
	log_init(&host->log, name);
	host->store_op.done = host_store_ready;
	host->rest_op.done = host_rested;
	host->tick_op.done = host_tick;
	host->due_op.done = host_due;
	life_init(&host->life, &host_life_ops);
}

static void host_policy_errors(struct host *host, const struct policy_errors *errors)
{
	for (unsigned i = 0; i < errors->count && i < POLICY_ERRORS_MAX; i++)
		log_line(&host->log, LOG_LEVEL_ERROR, "%s.policy:%u: %s; allowed: %s",
			 host->log.who, errors->error[i].line, errors->error[i].what,
			 errors->error[i].allowed);
}

int host_read_section(struct host *host, const struct host_section *section, void *out)
{
	static struct policy_errors errors;

	errors.count = 0;
	if (!policy_parse_section(host->text, host->text_len, section->name,
				  section->keys, out, &errors))
		section->fit(&host->policy, out, &errors);
	host_policy_errors(host, &errors);
	return errors.count ? -EINVAL : 0;
}

static int host_policy(struct host *host, const char *name)
{
	static struct policy_errors errors;

	if (policy_parse(name, host->text, host->text_len, &host->policy, &errors)) {
		host_policy_errors(host, &errors);
		return -EINVAL;
	}
	if (host->policy.class != host->class->class) {
		log_line(&host->log, LOG_LEVEL_ERROR,
			 "Class is %s: this program serves %s; start xdd-%s@%s",
			 class_info(host->policy.class, host->policy.door)->name,
			 host->class->name,
			 class_info(host->policy.class, host->policy.door)->name, name);
		return -EINVAL;
	}
	if (!host->doors.inner && host->policy.isolation == POLICY_DOMAIN) {
		log_line(
			&host->log, LOG_LEVEL_ERROR,
			"Isolation = domain has neither keeper nor xdd-enter: start it "
			"through its unit, xdd-%s-domain@%s",
			host->class->name, name);
		return -EINVAL;
	}
	if (host->doors.inner)
		log_line(&host->log, LOG_LEVEL_WARNING,
			 "Isolation = domain: no keeper stands between this process "
			 "and the client's grants");
	return 0;
}

static int host_adopt(struct host *host, const struct domain_who *who)
{
	int r = doors_adopt(&host->doors, who, host->text, sizeof(host->text));

	if (r >= 0) {
		host->text_len = (size_t)r;
		r = host_policy(host, who->name);
		if (r) {
			host->result = HOST_CONFIG;
			return r;
		}
		r = doors_open(&host->doors);
	}
	if (r < 0) {
		if (host->doors.domain.unfit)
			host->result = HOST_CONFIG;
		log_line(&host->log, LOG_LEVEL_ERROR, "%s", host->doors.why);
		return r;
	}
	host->grants = &host->doors.grants.grants;
	host->evtchn = &host->doors.evtchn.evtchn;
	host->store = &host->doors.store.store;
	return 0;
}

static void host_signals(void)
{
	struct sigaction stop = {.sa_handler = host_on_signal};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGHUP, &ignore, NULL);
}

static int host_start(struct host *host, const struct domain_who *who)
{
	const struct host_class *class = host->class;
	int r = host_adopt(host, who);

	if (r)
		return r;
	events_init(&host->events, &host->loop, host->policy.events, clock_now());
	r = loop_init(&host->loop, HOST_ENTRIES);
	if (r) {
		log_line(&host->log, LOG_LEVEL_ERROR,
			 "io_uring: %s; it needs Linux 6.1 and "
			 "kernel.io_uring_disabled=0",
			 strerror(-r));
		return r;
	}
	host->door = class->door[host->policy.door];
	r = class->open(host);
	if (r)
		return r;
	r = stats_open(&host->stats);
	if (r)
		log_line(&host->log, LOG_LEVEL_WARNING, "no statistics: %s",
			 strerror(-r));
	notify_open(&host->notify);
	host_signals();
	prctl(PR_SET_DUMPABLE, 0);
	r = host_seal(host);
	if (r)
		log_line(&host->log, LOG_LEVEL_ERROR, "sealing: %s", strerror(-r));
	return r;
}

int host_main(int argc, char **argv, const struct host_class *class, void *device)
{
	static struct host host;
	struct domain_who who = {.class = class->name, .policy_dir = "/etc/xdd"};
	bool elsewhere = argc == 4 && !strcmp(argv[2], "--policy-dir");

	if ((argc != 2 && !elsewhere) || !policy_name_ok(argv[1])) {
		fprintf(stderr,
			"usage: xdd-%s NAME [--policy-dir DIR]\n"
			"Serves /etc/xdd/NAME.policy; started by its unit (see "
			"xdd-%s(8)).\n",
			class->name, class->name);
		return HOST_CONFIG;
	}
	who.name = argv[1];
	if (elsewhere)
		who.policy_dir = argv[3];
	host_init(&host, who.name, class, device);
	if (host_start(&host, &who))
		return host.result ? host.result : 1;
	notify_send(&host.notify, "READY=1");
	return host_serve(&host);
}
