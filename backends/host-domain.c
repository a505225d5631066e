/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <sha2.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "backends/host-domain.h"
#include "common/clock.h"
#include "grant-mem/cmd/keeper.h"

#define DOMAIN_LEDGER	  "/run/xdd-ledger"
#define DOMAIN_RELEASE_NS (5 * CLOCK_SECOND) /* as xdd-keeper's */
#define DOMAIN_TURN_NS	  CLOCK_SECOND	     /* at the latest */
#define DOMAIN_BUSY_NS	  (10 * CLOCK_MS)    /* /dev/xen/xenbus says no POLLOUT */

/* The host tells systemd what it serves. */
void keeper_status(struct keeper *k)
{
	(void)k;
}

/* Invariant 3: nothing is to outlive this process. */
void keeper_store(const char *name, unsigned number, int fd)
{
	(void)name;
	(void)number;
	(void)fd;
}

/* What closes leaves by itself; what is there already (EEXIST) is the rule. */
static void domain_watch(const struct domain *d, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (fd >= 0)
		epoll_ctl(d->fd, EPOLL_CTL_ADD, fd, &event);
}

static void domain_alarm(const struct domain *d, uint64_t at)
{
	struct itimerspec spec = {
		.it_value = {(time_t)(at / CLOCK_SECOND), (long)(at % CLOCK_SECOND)},
	};

	/* Setting it also takes back that it had expired. */
	timerfd_settime(d->timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

void domain_turn(struct domain *d)
{
	struct keeper *k = d->keeper;
	uint64_t next, last;

	k->now = clock_now();
	last = k->now + DOMAIN_TURN_NS;
	maps_confirm(&k->maps);
	keeper_xenbus(k);
	next = keeper_turn(k);
	if (keeper_xenbus(k) & POLLOUT) /* what that asked goes out now */
		last = k->now + DOMAIN_BUSY_NS;
	domain_watch(d, k->xenbus);
	domain_alarm(d, next < last ? next : last);
}

/* A request was sent. Most are answered on the spot; those that name keys wait
 * for xenstored, and writes are queued for it. */
static void domain_answer(struct client_inner *inner, uint64_t until)
{
	struct domain *d =
		(struct domain *)((char *)inner - offsetof(struct domain, inner));
	struct keeper *k = d->keeper;
	struct pollfd ready = {.fd = d->fd, .events = POLLIN};

	k->now = clock_now();
	peer_read(k);
	if (!k->peer.waits && !k->device.writes)
		return;
	domain_turn(d);
	if (k->peer.waits && k->now < until)
		poll(&ready, 1, (int)((until - k->now) / CLOCK_MS) + 1);
}

static int domain_files(struct domain *d)
{
	d->fd = epoll_create1(EPOLL_CLOEXEC);
	d->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (d->fd < 0 || d->timer < 0)
		return -errno;
	domain_watch(d, d->timer);
	return 0;
}

/* The keeper's end: as peer_connect() leaves it, but for the process that it
 * could kill. What stands for that one never says that it is dead. */
static int domain_peer(struct keeper *k, int fd)
{
	struct peer *p = &k->peer;
	int r;

	p->fd = fd;
	p->pidfd = eventfd(0, EFD_CLOEXEC);
	if (p->pidfd < 0)
		return -errno;
	r = registrar_open(&k->registrar);
	if (r)
		keeper_event(k, LOG_LEVEL_ERROR, "failed", "gntdev or evtchn: %s",
			     strerror(-r));
	return r;
}

int domain_connect(struct domain *d, struct client *c, struct keeper *k,
		   const char *class)
{
	int pair[2], r;

	*d = (struct domain){.inner = {domain_answer}, .keeper = k};
	r = domain_files(d);
	if (!r &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair))
		r = -errno;
	if (r)
		return r;
	client_init(c, pair[0]);
	c->inner = &d->inner;
	r = domain_peer(k, pair[1]);
	if (r) {
		c->why = "the Xen devices cannot be opened: see the line before";
		return r;
	}
	domain_watch(d, c->fd);
	domain_watch(d, k->registrar.releases);
	r = client_hello(c, class);
	if (r > 0) {
		c->why = "the policy is of another class: see the line before";
		d->unfit = true;
		return -EINVAL;
	}
	return r ? r : client_begin(c);
}

static void domain_audit(struct keeper *k)
{
	char self[65] = "", digest[65], path[256];
	const char *boot = getenv("XDD_BOOT_ID"), *dir = getenv("LOGS_DIRECTORY");
	int r;

	snprintf(path, sizeof(path), "%s%s", dir ? dir : "/var/log/xdd/",
		 dir ? "" : k->name);
	r = audit_open(&k->audit, path, AUDIT_FILE_BYTES,
		       k->policy.audit_full == POLICY_FULL_STOP);
	if (r)
		log_line(&k->log, LOG_LEVEL_ERROR, "audit log in %s: %s", path,
			 strerror(-r));
	SHA256File("/proc/self/exe", self);
	for (int i = 0; i < 32; i++)
		snprintf(digest + 2 * i, 3, "%02x", k->digest[i]);
	audit_line(&k->audit, "start",
		   "\"instance\":\"%s\",\"class\":\"%s\",\"isolation\":\"domain\","
		   "\"policy\":\"%s\",\"program\":\"%s\",\"boot\":\"%s\"",
		   k->name, k->class->name, digest, self, boot ? boot : "");
}

int domain_open(struct domain *d, struct client *c, const struct domain_who *who)
{
	static struct keeper keeper;
	static char why[160];
	struct keeper *k = &keeper;
	int r;

	client_init(c, -1);
	k->name = who->name;
	k->policy_dir = who->policy_dir;
	k->ledger_dir = DOMAIN_LEDGER;
	k->isolation = POLICY_DOMAIN;
	keeper_init(k, DOMAIN_RELEASE_NS);
	if (keeper_policy_load(k, false)) {
		snprintf(why, sizeof(why),
			 "not started by xdd-enter, and no policy that does without "
			 "it: start it through its unit, xdd-%s@%s",
			 who->class, who->name);
		c->why = why;
		d->unfit = true;
		return -EINVAL;
	}
	domain_audit(k);
	device_init(k);
	r = calls_init(k);
	return r ? r : domain_connect(d, c, k, who->class);
}

void domain_close(struct domain *d)
{
	struct keeper *k = d->keeper;

	audit_tick(&k->audit, UINT64_MAX); /* the sums, due or not */
	audit_line(&k->audit, "stop", "\"connected\":%u", k->peer.fd >= 0);
	k->device.status = "dead";
	domain_turn(d); /* best effort: nobody waits for xenstored */
}
