/* SPDX-License-Identifier: MIT */
/* The xenstore wire protocol on /dev/xen/xenbus: see xs.h. */
#include "xenbus/xs.h"

#include <errno.h>
#include <fcntl.h>
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

int xs_open(void)
{
	int fd = open("/dev/xen/xenbus", O_RDWR | O_NONBLOCK | O_CLOEXEC);

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
