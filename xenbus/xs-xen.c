/* SPDX-License-Identifier: MIT */
/* The xenstore wire protocol on /dev/xen/xenbus: see xs.h. */
#include "xenbus/xs.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#define READS_A_TURN 16 /* a storm of watch events does not hold the loop */

_Static_assert((int)XS_TYPE_DIRECTORY == (int)XS_DIRECTORY &&
		       (int)XS_TYPE_READ == (int)XS_READ &&
		       (int)XS_TYPE_WATCH == (int)XS_WATCH &&
		       (int)XS_TYPE_WRITE == (int)XS_WRITE &&
		       (int)XS_TYPE_RM == (int)XS_RM &&
		       (int)XS_TYPE_EVENT == (int)XS_WATCH_EVENT &&
		       (int)XS_TYPE_ERROR == (int)XS_ERROR,
	       "xs.h repeats the values of xs_wire.h");
_Static_assert(sizeof(struct xs_header) == sizeof(struct xsd_sockmsg), "one header");

/*
 * A domain without a toolstack may run long before its xenstore. Until then Linux
 * holds an interrupt of this name, and takes any request for the sign that it has
 * come: it maps the page that it was not told, and crashes (xenbus_probe_thread(),
 * seen with 6.1). Where there is no such interrupt to be seen, xenstore is there.
 */
static bool store_is_late(void)
{
	bool late = false;
	char user[32];
	glob_t irqs;

	if (glob("/sys/kernel/irq/*/actions", GLOB_NOSORT, NULL, &irqs))
		return false;
	for (size_t i = 0; i < irqs.gl_pathc && !late; i++) {
		FILE *f = fopen(irqs.gl_pathv[i], "re");

		late = f && fgets(user, sizeof(user), f) &&
		       !strcmp(user, "xenstore_late_init\n");
		if (f)
			fclose(f);
	}
	globfree(&irqs);
	return late;
}

int xs_open(void)
{
	int fd;

	if (store_is_late())
		return -EAGAIN;
	fd = open("/dev/xen/xenbus", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int xs_turn(struct xs *xs, int fd, uint64_t now)
{
	char bytes[XS_PAYLOAD_MAX];
	const char *out;
	ssize_t n = 1;

	for (unsigned i = 0; i < READS_A_TURN && n > 0; i++) {
		n = read(fd, bytes, sizeof(bytes));
		if (!n || (n < 0 && errno != EAGAIN && errno != EINTR))
			return n ? -errno : -EPIPE;
		if (n > 0 && xs_input(xs, bytes, (size_t)n))
			return -EBADMSG;
	}
	for (size_t len; (len = xs_output(xs, now, &out));) {
		n = write(fd, out, len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 1;
		xs_wrote(xs, n < 0 ? -errno : n);
	}
	return 0;
}
