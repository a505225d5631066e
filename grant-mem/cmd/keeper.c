/* SPDX-License-Identifier: MIT */
/* The process of one keeper, and its loop: see keeper.h and xdd-keeper(8). */
#include <errno.h>
#include <fcntl.h>
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
#include "common/number.h"
#include "grant-mem/cmd/keeper.h"
#include "grant-mem/ledger.h"

#define RETRY_NS    CLOCK_SECOND
#define EXIT_CONFIG 2

enum { POLICY_DIR, LEDGER_DIR, RUN_DIR, LOG_DIR, RELEASE_SECONDS, OPTIONS };
enum { SIGNALS, LISTEN, XENBUS, PEER, DEATH, RELEASES, POLLS };

static struct option {
	const char *name, *variable, *otherwise;
	char value[128];
} options[OPTIONS] = {
	[POLICY_DIR] = {"--policy-dir", NULL, "/etc/xdd", ""},
	[LEDGER_DIR] = {"--ledger-dir", NULL, "/run/xdd-ledger", ""},
	[RUN_DIR] = {"--run-dir", "RUNTIME_DIRECTORY", "/run/xdd/", ""},
	[LOG_DIR] = {"--log-dir", "LOGS_DIRECTORY", "/var/log/xdd/", ""},
	[RELEASE_SECONDS] = {"--release-seconds", NULL, "5", ""},
};

static struct keeper keeper;
static struct pollfd polls[POLLS];

/* A default that ends with a slash goes on with the instance's name. */
static bool read_options(int argc, char **argv, uint64_t *seconds)
{
	if (argc % 2 || !policy_name_ok(argv[1]))
		return false;
	for (struct option *o = options; o < options + OPTIONS; o++) {
		const char *value = o->variable ? getenv(o->variable) : NULL;
		bool named = !value && o->otherwise[strlen(o->otherwise) - 1] == '/';

		snprintf(o->value, sizeof(o->value), "%s%s",
			 value ? value : o->otherwise, named ? argv[1] : "");
	}
	for (int i = 2; i < argc; i += 2) {
		struct option *o = options;

		while (o < options + OPTIONS && strcmp(o->name, argv[i]))
			o++;
		if (o == options + OPTIONS || strlen(argv[i + 1]) >= sizeof(o->value))
			return false;
		strcpy(o->value, argv[i + 1]);
	}
	return number_parse(options[RELEASE_SECONDS].value,
			    strlen(options[RELEASE_SECONDS].value), 600, seconds);
}

/* An earlier keeper died, and systemd kept what it stored: when its back end is
 * dead, and not before, what that held is free. The units bind it to die with
 * its keeper; this makes sure. */
static void bury(int pidfd, int wait_ms)
{
	struct pollfd dead = {.fd = pidfd, .events = POLLIN};

	if (poll(&dead, 1, wait_ms) == 1)
		return;
	pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	poll(&dead, 1, wait_ms);
}

static void inherit(int wait_ms)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(1, &names);

	for (int i = 0; i < n; i++) {
		if (!strcmp(names[i], "backend-0"))
			bury(SD_LISTEN_FDS_START + i, wait_ms);
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
	umask(0177);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 4))
		return -errno;
	umask(0007); /* the ledger is its client's instances' */
	return fd;
}

static void audit_start(struct keeper *k)
{
	char self[65] = "", program[65] = "", boot[37] = "", digest[65], path[256];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (read(fd, boot, 36) != 36)
		boot[0] = '\0';
	close(fd);
	snprintf(path, sizeof(path), XDD_LIBEXEC "/xdd-%s", k->class->name);
	SHA256File("/proc/self/exe", self);
	SHA256File(path, program);
	for (int i = 0; i < 32; i++)
		snprintf(digest + 2 * i, 3, "%02x", k->digest[i]);
	audit_line(&k->audit, "start",
		   "\"instance\":\"%s\",\"class\":\"%s\",\"policy\":\"%s\",\"keeper\":"
		   "\"%s\","
		   "\"program\":\"%s\",\"boot\":\"%s\"",
		   k->name, k->class->name, digest, self, program, boot);
}

static void reload(struct keeper *k)
{
	char line[64];

	snprintf(line, sizeof(line), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 k->now / 1000);
	sd_notify(0, line);
	if (keeper_policy_load(k, true)) {
		keeper_event(k, LOG_LEVEL_ERROR, "reload",
			     "the old policy stays in force");
	} else {
		keeper_event(k, LOG_LEVEL_NOTICE, "reload",
			     "the new policy is in force");
		audit_start(k);
		k->peer.status_due = true;
		if (k->device.seen.present)
			keeper_share(k, k->device.seen.frontend);
	}
	sd_notify(0, "READY=1");
}

static void xenbus_close(struct keeper *k, const char *why)
{
	if (why)
		keeper_event(k, LOG_LEVEL_WARNING, "xenstore", "%s: connecting anew",
			     why);
	close(k->xenbus);
	k->xenbus = -1;
	k->xenbus_at = why ? k->now + RETRY_NS + k->now % RETRY_NS : k->now;
	k->device.answered = false;
	xs_reset(&k->xs);
	keeper_status(k);
}

static void xenbus_turn(struct keeper *k)
{
	int err;

	if (k->xenbus >= 0 && k->device.astray)
		xenbus_close(k, NULL);
	if (k->xenbus < 0 && k->now >= k->xenbus_at) {
		k->xenbus_at = k->now + RETRY_NS;
		k->xenbus = xs_open();
		device_reconnect(k);
	}
	if (k->xenbus < 0)
		return;
	err = xs_turn(&k->xs, k->xenbus, k->now);
	polls[XENBUS].events = err == 1 ? POLLIN | POLLOUT : POLLIN;
	if (err < 0 || xs_stuck(&k->xs, k->now))
		xenbus_close(k, err < 0 ? strerror(-err) : "no answer for 30 s");
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
	fd = polls[LISTEN].revents ? accept4(polls[LISTEN].fd, NULL, NULL,
					     SOCK_NONBLOCK | SOCK_CLOEXEC)
				   : -1;
	if (fd >= 0)
		peer_connect(k, fd);
	return true;
}

static void run(struct keeper *k)
{
	uint64_t watchdog = 0, fed = 0, next;

	sd_watchdog_enabled(0, &watchdog);
	watchdog = watchdog ? watchdog * 500 : UINT64_MAX / 2; /* us to ns, halved */
	do {
		xenbus_turn(k);
		next = keeper_turn(k);
		xenbus_turn(k); /* what that asked goes out now */
		if (k->now - fed >= watchdog) {
			sd_notify(0, "WATCHDOG=1");
			fed = k->now;
		}
		if (fed + watchdog < next)
			next = fed + watchdog;
		wait_until(k, next < k->now + RETRY_NS ? next : k->now + RETRY_NS);
	} while (serve(k));
}

static int set_up(struct keeper *k, uint64_t seconds)
{
	sigset_t signals;
	int err;

	prctl(PR_SET_DUMPABLE, 0);
	for (unsigned i = 0; i < POLLS; i++)
		polls[i] = (struct pollfd){.fd = -1, .events = POLLIN};
	k->policy_dir = options[POLICY_DIR].value;
	k->ledger_dir = options[LEDGER_DIR].value;
	keeper_init(k, &registrar_xen, seconds * CLOCK_SECOND);
	if (keeper_policy_load(k, false))
		return EXIT_CONFIG;
	inherit((int)seconds * 1000);
	err = audit_open(&k->audit, options[LOG_DIR].value, AUDIT_FILE_BYTES,
			 k->policy.audit_full == POLICY_FULL_STOP);
	if (err)
		log_line(&k->log, LOG_LEVEL_ERROR, "audit log in %s: %s",
			 options[LOG_DIR].value, strerror(-err));
	audit_start(k);
	device_init(k);
	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	polls[SIGNALS].fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	polls[LISTEN].fd = listen_at(options[RUN_DIR].value);
	err = polls[LISTEN].fd < 0 ? polls[LISTEN].fd : calls_init(k);
	if (err)
		log_line(&k->log, LOG_LEVEL_ERROR, "socket in %s, or copy area: %s",
			 options[RUN_DIR].value, strerror(-err));
	return err ? EXIT_FAILURE : 0;
}

int main(int argc, char **argv)
{
	struct keeper *k = &keeper;
	uint64_t seconds;
	int err;

	if (!read_options(argc, argv, &seconds)) {
		fprintf(stderr,
			"usage: xdd-keeper NAME [--policy-dir DIR] [--ledger-dir DIR] "
			"[--run-dir DIR] [--log-dir DIR] [--release-seconds N]\n");
		return EXIT_CONFIG;
	}
	k->name = argv[1];
	err = set_up(k, seconds);
	if (err)
		return err;
	sd_notify(0, "READY=1");
	keeper_status(k);
	run(k);
	sd_notify(0, "STOPPING=1");
	audit_line(&k->audit, "stop", "\"connected\":%u", k->peer.pidfd >= 0);
	k->device.status = "dead";
	keeper_turn(k);
	xenbus_turn(k); /* best effort: nobody waits for it */
	return 0;
}
