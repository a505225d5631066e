/* SPDX-License-Identifier: MIT */
/* The process of one keeper, and its loop: see keeper.h and xdd-keeper(8). */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sha2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/clock.h"
#include "grant-mem/cmd/keeper.h"
#include "grant-mem/ledger.h"

#define RELEASE_NS  (5 * CLOCK_SECOND) /* from "let go" to SIGKILL */
#define RETRY_NS    CLOCK_SECOND
#define EXIT_CONFIG 2

enum { SIGNALS, LISTEN, XENBUS, PEER, DEATH, RELEASES, POLLS };

static struct keeper keeper;
static struct pollfd polls[POLLS];

/* The instance's own directory: what the unit says, or where xdd(7) puts it. */
static const char *own_directory(const char *name, const char *parent, char path[128])
{
	const char *given = getenv(name);

	snprintf(path, 128, "%s%s", given ? given : parent, given ? "" : keeper.name);
	return path;
}

/* An earlier keeper died, and systemd kept what it stored: when its back end is
 * dead, and not before, what that held is free. The units bind it to die with
 * its keeper; this makes sure. */
static void inherit(int wait_ms)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(1, &names);

	for (int i = 0; i < n; i++) {
		struct pollfd dead = {.fd = SD_LISTEN_FDS_START + i, .events = POLLIN};

		if (strcmp(names[i], "backend-0"))
			continue;
		pidfd_send_signal(dead.fd, SIGKILL, NULL, 0);
		poll(&dead, 1, wait_ms);
	}
	for (int i = 0; i < n; i++) {
		unsigned number = 0;
		bool ledger = sscanf(names[i], "ledger-%u", &number) == 1;

		if (ledger)
			ledger_unlock_all(SD_LISTEN_FDS_START + i);
		keeper_store(ledger ? "ledger" : "backend", number, -1);
		close(SD_LISTEN_FDS_START + i);
	}
}

/* A restarted keeper finds the name of the one before: it is not in use, since
 * the directory is this instance's alone. */
static int listen_at(const char *dir)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (snprintf(at.sun_path, sizeof(at.sun_path), "%s/keeper", dir) >=
	    (int)sizeof(at.sun_path))
		return -ENAMETOOLONG;
	unlink(at.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    chmod(at.sun_path, 0600) || listen(fd, 4))
		return -errno;
	return fd;
}

static void audit_start(struct keeper *k)
{
	char self[65] = "", program[65] = "", digest[65], path[256];
	const char *boot = getenv("XDD_BOOT_ID"); /* /proc/sys is out of sight */

	snprintf(path, sizeof(path), XDD_LIBEXEC "/xdd-%s", k->class->name);
	SHA256File("/proc/self/exe", self);
	SHA256File(path, program);
	for (int i = 0; i < 32; i++)
		snprintf(digest + 2 * i, 3, "%02x", k->digest[i]);
	audit_line(&k->audit, "start",
		   "\"instance\":\"%s\",\"class\":\"%s\",\"policy\":\"%s\","
		   "\"keeper\":\"%s\",\"program\":\"%s\",\"boot\":\"%s\"",
		   k->name, k->class->name, digest, self, program, boot ? boot : "");
}

static void reload(struct keeper *k)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, k->now / 1000);
	if (keeper_policy_load(k, true)) {
		keeper_event(k, LOG_LEVEL_ERROR, "reload",
			     "the old policy stays in force");
	} else {
		keeper_event(k, LOG_LEVEL_NOTICE, "reload",
			     "the new policy is in force");
		audit_start(k);
		k->peer.status_due = true;
	}
	sd_notify(0, "READY=1");
}

static void wait_until(struct keeper *k, uint64_t next)
{
	uint64_t now = clock_now(), ns = next > now ? next - now : 0;
	struct timespec ts = {(time_t)(ns / CLOCK_SECOND), (long)(ns % CLOCK_SECOND)};

	polls[XENBUS].fd = k->xenbus;
	polls[PEER].fd = k->peer.waits ? -1 : k->peer.fd;
	polls[DEATH].fd = k->peer.pidfd;
	polls[RELEASES].fd = k->registrar.releases;
	if (ppoll(polls, POLLS, &ts, NULL) < 0)
		for (unsigned i = 0; i < POLLS; i++)
			polls[i].revents = 0;
	k->now = clock_now();
}

/* What became ready. False: it is time to end. */
static bool serve(struct keeper *k)
{
	struct signalfd_siginfo signal;
	int fd;

	if (polls[SIGNALS].revents &&
	    read(polls[SIGNALS].fd, &signal, sizeof(signal)) == sizeof(signal)) {
		if (signal.ssi_signo != SIGHUP)
			return false;
		reload(k);
	}
	if (polls[RELEASES].revents)
		maps_confirm(&k->maps);
	if (polls[DEATH].revents)
		peer_dead(k);
	else if (polls[PEER].revents)
		peer_read(k);
	if (polls[LISTEN].revents) {
		fd = accept4(polls[LISTEN].fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			peer_connect(k, fd);
	}
	return true;
}

static void run(struct keeper *k)
{
	uint64_t watchdog = 0, fed = 0, next;

	sd_watchdog_enabled(0, &watchdog);
	watchdog = watchdog ? watchdog * 500 : UINT64_MAX / 2; /* us to ns, halved */
	do {
		keeper_xenbus(k);
		next = keeper_turn(k);
		/* What that asked goes out now. */
		polls[XENBUS].events = keeper_xenbus(k);
		if (k->now - fed >= watchdog) {
			sd_notify(0, "WATCHDOG=1");
			fed = k->now;
		}
		if (fed + watchdog < next)
			next = fed + watchdog;
		wait_until(k, next < k->now + RETRY_NS ? next : k->now + RETRY_NS);
	} while (serve(k));
}

static int set_up(struct keeper *k)
{
	char path[128];
	sigset_t signals;
	int err;

	prctl(PR_SET_DUMPABLE, 0);
	for (unsigned i = 0; i < POLLS; i++)
		polls[i] = (struct pollfd){.fd = -1, .events = POLLIN};
	keeper_init(k, RELEASE_NS);
	keeper_journal(k);
	if (keeper_policy_load(k, false))
		return EXIT_CONFIG;
	inherit(RELEASE_NS / CLOCK_MS);
	err = audit_open(&k->audit,
			 own_directory("LOGS_DIRECTORY", "/var/log/xdd/", path),
			 AUDIT_FILE_BYTES, k->policy.audit_full == POLICY_FULL_STOP);
	if (err)
		log_line(&k->log, LOG_LEVEL_ERROR, "audit log in %s: %s", path,
			 strerror(-err));
	audit_start(k);
	device_init(k);
	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	polls[SIGNALS].fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	polls[LISTEN].fd =
		listen_at(own_directory("RUNTIME_DIRECTORY", "/run/xdd/", path));
	err = polls[LISTEN].fd < 0 ? polls[LISTEN].fd : calls_init(k);
	if (err)
		log_line(&k->log, LOG_LEVEL_ERROR, "socket in %s, or copy area: %s",
			 path, strerror(-err));
	return err ? EXIT_FAILURE : 0;
}

int main(int argc, char **argv)
{
	struct keeper *k = &keeper;
	bool elsewhere = argc == 4 && !strcmp(argv[2], "--policy-dir");
	int err;

	if ((argc != 2 && !elsewhere) || !policy_name_ok(argv[1])) {
		fprintf(stderr, "usage: xdd-keeper NAME [--policy-dir DIR]\n");
		return EXIT_CONFIG;
	}
	k->name = argv[1];
	k->policy_dir = elsewhere ? argv[3] : "/etc/xdd";
	k->ledger_dir = "/run/xdd-ledger";
	err = set_up(k);
	if (err)
		return err;
	sd_notify(0, "READY=1");
	keeper_status(k);
	run(k);
	sd_notify(0, "STOPPING=1");
	audit_tick(&k->audit, UINT64_MAX); /* the sums, due or not */
	audit_line(&k->audit, "stop", "\"connected\":%u", k->peer.pidfd >= 0);
	k->device.status = "dead";
	keeper_turn(k);
	keeper_xenbus(k); /* best effort: nobody waits for it */
	return 0;
}
