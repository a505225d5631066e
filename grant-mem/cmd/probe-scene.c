/* SPDX-License-Identifier: MIT */
/* Where xdd-probe stands: what it holds, who is near, whether a client is. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "grant-mem/cmd/probe.h"
#include "policy/class.h"

#define RUN_DIR	  "/run/xdd"
#define STATUS_NS (1 * CLOCK_SECOND) /* for the keeper's first snapshot */
#define MEET_NS	  (5 * CLOCK_SECOND) /* for a front end that we wave to */

static void scene_policy(struct probe *p)
{
	static char text[POLICY_TEXT_MAX];
	static struct policy_errors errors;
	int n = client_policy(&p->client, text, sizeof(text));

	p->policy_known = n > 0 && !policy_parse(p->instance, text, (size_t)n,
						 &p->policy, &errors);
}

/* The first key of @patterns, with 0 for each number. */
static void scene_key(char *key, const char *const *patterns)
{
	snprintf(key, WIRE_KEY_BYTES, "%s", patterns[0]);
	for (char *c = key; *c; c++)
		if (*c == '#')
			*c = '0';
}

static void scene_keeper(struct probe *p)
{
	struct ucred cred = {0};
	struct sockaddr_un addr = {0};
	socklen_t len = sizeof(cred);

	if (!getsockopt(p->client.fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		p->keeper = cred.pid;
	len = sizeof(addr);
	if (!getpeername(p->client.fd, (struct sockaddr *)&addr, &len) &&
	    len > offsetof(struct sockaddr_un, sun_path))
		snprintf(p->socket, sizeof(p->socket), "%.*s",
			 (int)sizeof(addr.sun_path), addr.sun_path);
}

static void scene_others(struct probe *p)
{
	DIR *dir = opendir(RUN_DIR);
	const struct dirent *d;

	while (dir && (d = readdir(dir)) && p->others_count < PROBE_NAMES) {
		if (d->d_name[0] == '.' || !policy_name_ok(d->d_name) ||
		    !strcmp(d->d_name, p->instance))
			continue;
		snprintf(p->others[p->others_count++], PROBE_PATH,
			 RUN_DIR "/%.31s/keeper", d->d_name);
	}
	if (dir)
		closedir(dir);
}

/* Let snapshots come in until @enough says so, or @ns have passed. */
static bool scene_wait(struct probe *p, bool (*enough)(const struct store_status *),
		       uint64_t ns)
{
	uint64_t deadline = clock_now() + ns;
	struct store_status status;

	while (store_poll(&p->store.store, &status) >= 0) {
		struct pollfd pfd = {.fd = p->client.fd, .events = POLLIN};

		if (enough(&status))
			return true;
		if (clock_now() >= deadline)
			return false;
		poll(&pfd, 1, 50);
	}
	return false;
}

static bool is_present(const struct store_status *s)
{
	return s->present;
}

static bool has_spoken(const struct store_status *s)
{
	return s->front >= STORE_INITIALISED && s->front <= STORE_CONNECTED;
}

/* A client is there: wave, as a back end would, so that its keys appear. */
static void scene_meet(struct probe *p)
{
	struct evport port;

	p->present = scene_wait(p, is_present, STATUS_NS);
	if (!p->present || !p->policy_known)
		return;
	store_write(&p->store.store, "state", "2");
	if (scene_wait(p, has_spoken, MEET_NS))
		evtchn_bind(&p->evtchn.evtchn, p->event_key, &port);
}

int probe_scene(struct probe *p)
{
	struct stat st;
	int r = client_adopt(&p->client);

	if (r) {
		p->text = p->client.why ? p->client.why : "cannot begin";
		return r;
	}
	p->instance = getenv(CLIENT_ENV_INSTANCE);
	evtchn_keeper_init(&p->evtchn, &p->client);
	store_keeper_init(&p->store, &p->client);
	scene_policy(p);
	if (p->policy_known) {
		const struct class_info *info =
			class_info(p->policy.class, p->policy.door);

		scene_key(p->ring_key, info->ring_keys);
		scene_key(p->event_key, info->event_keys);
	}
	p->gntdev =
		!fstat(p->client.fds[WIRE_FD_GNTDEV_RW], &st) && S_ISCHR(st.st_mode);
	scene_keeper(p);
	scene_others(p);
	probe_sockets_open(p);
	probe_taps_open(p);
	probe_sound_open(p);
	probe_display_open(p);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, p->pair) < 0 ||
	    write(p->pair[1], "x", 1) != 1) {
		p->text = "cannot make a pair of sockets";
		return -errno;
	}
	p->readable =
		mmap(NULL, XEN_PAGE_BYTES, PROT_READ,
		     p->client.copy_bytes ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS,
		     p->client.copy_bytes ? p->client.fds[WIRE_FD_COPY] : -1, 0);
	if (p->readable == MAP_FAILED) {
		p->text = "cannot map a page for reading";
		return -errno;
	}
	scene_meet(p);
	return 0;
}
