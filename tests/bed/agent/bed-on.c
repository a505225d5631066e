/* SPDX-License-Identifier: MIT */
/*
 * bed-on.c - runs a shell command in another domain.
 *
 * usage: bed-on [-w SECONDS] DOMAIN COMMAND...
 *
 * With -w it first waits for the domain to appear and to listen.
 * What it is: the control domain's end of bed-proto.h. It prints the command's
 * combined output as it comes and returns its exit status (128 + N for signal
 * N), or 255 when the bed itself failed: no such domain, no agent, or the
 * domain went away. Killed itself, it cancels the command.
 * Any number may run at once, on one domain or on several.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

#include "bed-proto.h"

struct call {
	struct xs_handle *xs;
	unsigned int domid;
	char base[96];	    /* the job's directory */
	unsigned int seq;   /* pieces consumed */
	unsigned int acked; /* pieces acknowledged */
};

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
}

static void fail(const char *who, const char *what)
{
	fprintf(stderr, "bed-on: %s: %s\n", who, what);
	exit(BED_BROKEN);
}

static char *node_read(struct call *call, const char *leaf, unsigned int *len)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", call->base, leaf);
	return xs_read(call->xs, XBT_NULL, path, len);
}

static void node_write(struct call *call, const char *leaf, const char *data,
		       size_t len)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", call->base, leaf);
	if (!xs_write(call->xs, XBT_NULL, path, data, (unsigned int)len))
		fail(path, strerror(errno));
}

/* An empty node that the domain may write and need not own. */
static void node_open(struct call *call, const char *leaf)
{
	struct xs_permissions perms[2] = {
		{.id = 0, .perms = XS_PERM_NONE},
		{.id = call->domid, .perms = XS_PERM_READ | XS_PERM_WRITE},
	};
	char path[160];

	node_write(call, leaf, "", 0);
	snprintf(path, sizeof(path), "%s/%s", call->base, leaf);
	if (!xs_set_permissions(call->xs, XBT_NULL, path, perms, 2))
		fail(path, strerror(errno));
}

/* The youngest domain of that name, since an old one may still be dying; or 0. */
static unsigned int find_domain(struct xs_handle *xs, const char *name)
{
	unsigned int count = 0, i, found = 0;
	char **ids = xs_directory(xs, XBT_NULL, "/local/domain", &count);

	for (i = 0; i < count; i++) {
		char path[64], *text;
		unsigned int id = (unsigned int)strtoul(ids[i], NULL, 10);

		snprintf(path, sizeof(path), "/local/domain/%s/name", ids[i]);
		text = xs_read(xs, XBT_NULL, path, NULL);
		if (text && !strcmp(text, name) && id > found)
			found = id;
		free(text);
	}
	free(ids);
	return found;
}

static bool agent_listens(struct xs_handle *xs, unsigned int domid)
{
	char path[64], *text;
	bool ready;

	snprintf(path, sizeof(path), "/local/domain/%u/" BED_READY, domid);
	text = xs_read(xs, XBT_NULL, path, NULL);
	ready = text && !strcmp(text, "ready");
	free(text);
	return ready;
}

static void call_reach(struct call *call, const char *name, unsigned int wait)
{
	time_t end = time(NULL) + wait;

	for (;;) {
		call->domid = find_domain(call->xs, name);
		if (call->domid && agent_listens(call->xs, call->domid))
			return;
		if (caught)
			exit(128 + caught);
		if (time(NULL) >= end)
			fail(name,
			     call->domid ? "its agent is not up" : "no such domain");
		usleep(200000);
	}
}

static char *join(int count, char **words)
{
	size_t size = 1;
	char *text;
	int i;

	for (i = 0; i < count; i++)
		size += strlen(words[i]) + 1;
	text = calloc(1, size);
	if (!text)
		fail("command", strerror(errno));
	for (i = 0; i < count; i++) {
		strcat(text, i ? " " : "");
		strcat(text, words[i]);
	}
	return text;
}

/* What is made below it is readable as it is; init-dom0less leaves it to nobody. */
static void call_open(struct call *call)
{
	struct xs_permissions perms[2] = {
		{.id = 0, .perms = XS_PERM_NONE},
		{.id = call->domid, .perms = XS_PERM_READ},
	};
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u/bed", call->domid);
	if (!xs_mkdir(call->xs, XBT_NULL, path) ||
	    !xs_set_permissions(call->xs, XBT_NULL, path, perms, 2))
		fail(path, strerror(errno));
}

static void call_start(struct call *call, const char *cmd)
{
	size_t len = strlen(cmd), at;
	unsigned int pieces = 0, i;
	char text[32];

	call_open(call);
	snprintf(call->base, sizeof(call->base), "/local/domain/%u/bed/%d", call->domid,
		 (int)getpid());
	for (at = 0; at < len; at += BED_CHUNK, pieces++) {
		snprintf(text, sizeof(text), "cmd/%u", pieces);
		node_write(call, text, cmd + at,
			   len - at < BED_CHUNK ? len - at : BED_CHUNK);
	}
	for (i = 0; i < BED_WINDOW; i++) {
		snprintf(text, sizeof(text), "out/%u", i);
		node_open(call, text);
	}
	node_open(call, "taken");
	node_open(call, "end");
	node_write(call, "ack", "0", 1);
	if (!xs_watch(call->xs, call->base, "call") ||
	    !xs_watch(call->xs, "@releaseDomain", "gone"))
		fail("watch", strerror(errno));
	snprintf(text, sizeof(text), "%u", pieces);
	node_write(call, "go", text, strlen(text));
}

static void put(const char *data, size_t len)
{
	while (len) {
		ssize_t done = write(1, data, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return;
		data += done;
		len -= (size_t)done;
	}
}

/* Consumes one piece. False when the next one has not come yet. */
static bool call_piece(struct call *call)
{
	char leaf[32], *data, *body;
	unsigned int len = 0;
	bool fresh;

	snprintf(leaf, sizeof(leaf), "out/%u", call->seq % BED_WINDOW);
	data = node_read(call, leaf, &len);
	body = data ? memchr(data, ':', len) : NULL;
	fresh = body && strtoul(data, NULL, 10) == call->seq;
	if (fresh) {
		body++;
		put(body, len - (size_t)(body - data));
		call->seq++;
	}
	free(data);
	return fresh;
}

static void call_ack(struct call *call)
{
	char text[16];

	if (call->seq - call->acked < BED_WINDOW / 2)
		return;
	snprintf(text, sizeof(text), "%u", call->seq);
	node_write(call, "ack", text, strlen(text));
	call->acked = call->seq;
}

/* True when the last piece is out; false also while it is still running. */
static bool call_done(struct call *call, int *status)
{
	unsigned int pieces, len = 0;
	char *text = node_read(call, "end", &len);
	bool done;

	if (!text) {
		xs_rm(call->xs, XBT_NULL, call->base);
		fail(call->base, "the domain went away");
	}
	done = len && sscanf(text, "%u %d", &pieces, status) == 2 &&
	       pieces == call->seq;
	free(text);
	return done;
}

static void call_wait(struct call *call)
{
	struct pollfd fd = {.fd = xs_fileno(call->xs), .events = POLLIN};
	char **event;

	if (poll(&fd, 1, -1) < 0 && caught) {
		xs_rm(call->xs, XBT_NULL, call->base);
		exit(128 + caught);
	}
	while ((event = xs_check_watch(call->xs)))
		free(event);
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_handler = on_signal};
	struct call call = {.xs = xs_open(0)};
	unsigned int wait = 0;
	int status;

	if (argc > 2 && !strcmp(argv[1], "-w")) {
		wait = (unsigned int)strtoul(argv[2], NULL, 10);
		argc -= 2;
		argv += 2;
	}
	if (argc < 3)
		fail("usage", "bed-on [-w SECONDS] DOMAIN COMMAND...");
	if (!call.xs)
		fail("xenstore", strerror(errno));
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	call_reach(&call, argv[1], wait);
	call_start(&call, join(argc - 2, argv + 2));
	for (;;) {
		/* End first, pieces after: what came before it is seen. */
		while (call_piece(&call))
			call_ack(&call);
		if (call_done(&call, &status))
			break;
		call_wait(&call);
	}
	xs_rm(call.xs, XBT_NULL, call.base);
	return status;
}
