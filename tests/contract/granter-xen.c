/* SPDX-License-Identifier: MIT */
/*
 * A front end on real Xen that does what it is told: the client's end of
 * channel.h. Runs as root in a client VM whose kernel has no driver bound to
 * the device.
 *
 *   xdd-granter KIND DEVICE	"vbd 51728": device/vbd/51728
 *
 * A page that is taken back while it is mapped is "deferred" by the kernel,
 * which tries again every second; user space learns neither from an ioctl. The
 * kernel's log says both, when its debug messages are on.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/evtchn.h>
#include <xen/gntalloc.h>
#include <xenstore.h>

#include "tests/contract/channel.h"

#define PAGE	   4096u
#define MAX_REFS   65536u
#define MAX_PORTS  4096u
#define VALUE_MAX  2048u
#define APPEAR_MS  60000 /* for the toolstack to make the device */
#define IDLE_MS	   60000 /* for a command */
#define DEFERRED_S 5	 /* for the kernel to try again */

#define DEBUG_CONTROL "/proc/dynamic_debug/control"
#define DEBUG_ON      "file drivers/xen/grant-table.c +p\n"

struct page {
	uint8_t *at; /* NULL: not granted */
	uint64_t index;
	bool deferred;
};

static struct {
	struct xs_handle *xs;
	char front[64];
	char *back;
	unsigned backend;
	int gntalloc, evtchn, log;
	struct page page[MAX_REFS];
	bool fired[MAX_PORTS];
	char gives[CHANNEL_LINE];
} us;

static void give(unsigned number)
{
	size_t at = strlen(us.gives);

	snprintf(us.gives + at, sizeof(us.gives) - at, " %u", number);
}

static int grant_one(bool read_only)
{
	struct ioctl_gntalloc_alloc_gref alloc = {
		.domid = (uint16_t)us.backend,
		.flags = read_only ? 0 : GNTALLOC_FLAG_WRITABLE,
		.count = 1,
	};
	uint32_t ref;
	void *at;

	if (ioctl(us.gntalloc, IOCTL_GNTALLOC_ALLOC_GREF, &alloc) < 0)
		return -errno;
	ref = alloc.gref_ids[0];
	if (ref >= MAX_REFS)
		return -ERANGE;
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, us.gntalloc,
		  (off_t)alloc.index);
	if (at == MAP_FAILED)
		return -errno;
	us.page[ref] = (struct page){.at = at, .index = alloc.index};
	give(ref);
	return 0;
}

static int do_grant(const char *args)
{
	unsigned n, read_only;
	int err = 0;

	if (sscanf(args, "%u %u", &n, &read_only) != 2)
		return -EINVAL;
	for (; n && !err; n--)
		err = grant_one(read_only);
	return err;
}

/* A page of the command's first argument, or NULL. */
static struct page *page_of(const char *args, unsigned *ref)
{
	if (sscanf(args, "%u", ref) != 1 || *ref >= MAX_REFS)
		return NULL;
	return us.page[*ref].at || us.page[*ref].deferred ? &us.page[*ref] : NULL;
}

/* Did the kernel say "@what g.e. REF", within @seconds? */
static bool logged(const char *what, unsigned ref, unsigned seconds)
{
	struct timespec tick = {.tv_nsec = 50000000};
	char text[8192], want[64];
	ssize_t n;

	snprintf(want, sizeof(want), "%s g.e. %#x ", what, ref);
	for (unsigned i = 0; i <= seconds * 20; i++) {
		while ((n = read(us.log, text, sizeof(text) - 1)) > 0 ||
		       (n < 0 && errno == EPIPE)) {
			text[n > 0 ? n : 0] = '\0';
			if (strstr(text, want))
				return true;
		}
		if (i < seconds * 20)
			nanosleep(&tick, NULL);
	}
	return false;
}

static int do_revoke(const char *args)
{
	struct ioctl_gntalloc_dealloc_gref dealloc = {.count = 1};
	unsigned ref;
	struct page *page = page_of(args, &ref);

	if (!page)
		return -ENOENT;
	if (page->deferred) {
		page->deferred = !logged("freeing", ref, DEFERRED_S);
		return !page->deferred;
	}
	dealloc.index = page->index;
	if (munmap(page->at, PAGE) < 0 ||
	    ioctl(us.gntalloc, IOCTL_GNTALLOC_DEALLOC_GREF, &dealloc) < 0)
		return -errno;
	page->at = NULL;
	page->deferred = logged("deferring", ref, 0);
	return !page->deferred;
}

/* The bytes that "REF OFFSET LEN BYTE" names, or NULL. */
static uint8_t *bytes_of(const char *args, unsigned *len, unsigned *byte)
{
	unsigned ref, offset;
	const struct page *page = page_of(args, &ref);

	if (!page || !page->at ||
	    sscanf(args, "%*u %u %u %u", &offset, len, byte) != 3 || offset > PAGE ||
	    *len > PAGE - offset)
		return NULL;
	return page->at + offset;
}

static int do_fill(const char *args)
{
	unsigned len, byte;
	uint8_t *at = bytes_of(args, &len, &byte);

	if (!at)
		return -EINVAL;
	memset(at, (int)byte, len);
	return 0;
}

static int do_holds(const char *args)
{
	unsigned len, byte;
	const uint8_t *at = bytes_of(args, &len, &byte);

	if (!at)
		return -EINVAL;
	for (; len; len--) {
		if (*at++ != byte)
			return 0;
	}
	return 1;
}

static int do_port(const char *args)
{
	struct ioctl_evtchn_bind_unbound_port bind = {.remote_domain = us.backend};
	int port = ioctl(us.evtchn, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &bind);

	(void)args;
	if (port < 0)
		return -errno;
	if ((unsigned)port >= MAX_PORTS)
		return -ERANGE;
	us.fired[port] = false;
	give((unsigned)port);
	return 0;
}

static int do_close(const char *args)
{
	struct ioctl_evtchn_unbind unbind = {.port = (unsigned)atoi(args)};

	return ioctl(us.evtchn, IOCTL_EVTCHN_UNBIND, &unbind) < 0 ? -errno : 0;
}

static int do_send(const char *args)
{
	struct ioctl_evtchn_notify notify = {.port = (unsigned)atoi(args)};

	return ioctl(us.evtchn, IOCTL_EVTCHN_NOTIFY, &notify) < 0 ? -errno : 0;
}

static int do_fired(const char *args)
{
	unsigned asked = (unsigned)atoi(args);
	uint32_t port;
	bool fired;

	while (read(us.evtchn, &port, sizeof(port)) == sizeof(port)) {
		us.fired[port % MAX_PORTS] = true;
		if (write(us.evtchn, &port, sizeof(port)) < 0)
			return -errno;
	}
	fired = us.fired[asked % MAX_PORTS];
	us.fired[asked % MAX_PORTS] = false;
	return fired;
}

static int do_key(const char *args)
{
	char key[64], path[sizeof(us.front) + sizeof(key)], value[VALUE_MAX];
	unsigned byte, times, len = 0;
	int used;

	if (sscanf(args, "%63s%n", key, &used) != 1)
		return -EINVAL;
	args += used;
	while (sscanf(args, " %2xx%u%n", &byte, &times, &used) == 2) {
		if (times > VALUE_MAX - len)
			return -E2BIG;
		memset(value + len, (int)byte, times);
		len += times;
		args += used;
	}
	snprintf(path, sizeof(path), "%s/%s", us.front, key);
	return xs_write(us.xs, XBT_NULL, path, value, len) ? 0 : -errno;
}

static int do_remove(const char *args)
{
	char path[sizeof(us.front) + CHANNEL_LINE];

	snprintf(path, sizeof(path), "%s/%s", us.front, args);
	return xs_rm(us.xs, XBT_NULL, path) || errno == ENOENT ? 0 : -errno;
}

static int do_back(const char *args)
{
	char key[64], path[CHANNEL_LINE], *value;
	int used, same;

	if (sscanf(args, "%63s %n", key, &used) != 1)
		return -EINVAL;
	snprintf(path, sizeof(path), "%s/%s", us.back, key);
	value = xs_read(us.xs, XBT_NULL, path, NULL);
	same = value && !strcmp(value, args + used);
	free(value);
	return same;
}

static const struct command {
	const char *name;
	int (*run)(const char *args);
} commands[] = {
	{"grant", do_grant},   {"revoke", do_revoke}, {"fill", do_fill},
	{"holds", do_holds},   {"port", do_port},     {"close", do_close},
	{"send", do_send},     {"fired", do_fired},   {"key", do_key},
	{"remove", do_remove}, {"back", do_back},
};

static int obey(const char *line)
{
	size_t n = strcspn(line, " ");

	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strlen(commands[i].name) == n &&
		    !strncmp(commands[i].name, line, n))
			return commands[i].run(line + n + (line[n] == ' '));
	}
	return -ENOSYS;
}

/* One command, if there is one past @seen. False when it was the last. */
static bool turn(const char *path, unsigned *seen)
{
	char answer[CHANNEL_LINE + 32], key[96], *line;
	unsigned number;
	int at, result = 0;
	bool last;

	line = xs_read(us.xs, XBT_NULL, path, NULL);
	if (!line || sscanf(line, "%u %n", &number, &at) != 1 || number == *seen) {
		free(line);
		return true;
	}
	*seen = number;
	us.gives[0] = '\0';
	last = !strcmp(line + at, "quit");
	if (!last)
		result = obey(line + at);
	if (result < 0)
		fprintf(stderr, "%s: %s\n", line, strerror(-result));
	free(line);
	snprintf(answer, sizeof(answer), "%u %d%s", number, result, us.gives);
	snprintf(key, sizeof(key), "%s/" CHANNEL_ANSWER, us.front);
	return xs_write(us.xs, XBT_NULL, key, answer, (unsigned)strlen(answer)) &&
	       !last;
}

static bool appears(void)
{
	struct timespec tick = {.tv_nsec = 100000000};
	char path[96], *id;

	for (unsigned i = 0; i < APPEAR_MS / 100 && !us.back; i++) {
		snprintf(path, sizeof(path), "%s/backend", us.front);
		us.back = xs_read(us.xs, XBT_NULL, path, NULL);
		if (!us.back)
			nanosleep(&tick, NULL);
	}
	snprintf(path, sizeof(path), "%s/backend-id", us.front);
	id = us.back ? xs_read(us.xs, XBT_NULL, path, NULL) : NULL;
	us.backend = id ? (unsigned)atoi(id) : 0;
	free(id);
	return us.backend;
}

static bool listens_to_the_kernel(void)
{
	int fd = open(DEBUG_CONTROL, O_WRONLY);
	bool on = fd >= 0 && write(fd, DEBUG_ON, strlen(DEBUG_ON)) > 0;

	if (fd >= 0)
		close(fd);
	us.log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	return on && us.log >= 0 && lseek(us.log, 0, SEEK_END) >= 0;
}

static int fail(const char *what)
{
	fprintf(stderr, "xdd-granter: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	char path[CHANNEL_LINE], **event;
	unsigned seen = 0, n;
	struct pollfd pfd;

	if (argc != 3)
		return fail("usage: xdd-granter KIND DEVICE");
	us.xs = xs_open(0);
	us.gntalloc = open("/dev/xen/gntalloc", O_RDWR);
	us.evtchn = open("/dev/xen/evtchn", O_RDWR | O_NONBLOCK);
	if (!us.xs || us.gntalloc < 0 || us.evtchn < 0)
		return fail("xenstore or /dev/xen");
	if (!listens_to_the_kernel())
		return fail(DEBUG_CONTROL " or /dev/kmsg");
	snprintf(us.front, sizeof(us.front), "device/%s/%s", argv[1], argv[2]);
	if (!appears())
		return fail("no such device");
	snprintf(path, sizeof(path), "%s/" CHANNEL_COMMAND, us.back);
	if (!xs_watch(us.xs, path, "command"))
		return fail("watch");
	pfd = (struct pollfd){.fd = xs_fileno(us.xs), .events = POLLIN};
	do {
		if (poll(&pfd, 1, IDLE_MS) <= 0)
			return fail("no command");
		event = xs_read_watch(us.xs, &n);
		free(event);
	} while (turn(path, &seen));
	return 0;
}
