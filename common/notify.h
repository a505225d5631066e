/* SPDX-License-Identifier: MIT */
/*
 * What a daemon tells systemd (sd_notify(3)): READY=1, STATUS=, WATCHDOG=1.
 *
 * Not libsystemd's sd_notify(): that one opens a socket each time and uses
 * sendmsg, and a sealed back end may do neither. Connected once, before the
 * doors shut; afterwards only send() is used. It never waits: a line that
 * systemd's socket does not take is lost.
 */
#ifndef XDD_NOTIFY_H
#define XDD_NOTIFY_H

struct notify {
	int fd; /* -1: nobody listens */
};

/* Connect to $NOTIFY_SOCKET. Not started by systemd: 0, and notify_send()
 * does nothing. Negative errno if the socket cannot be reached. */
int notify_open(struct notify *n);
void notify_close(struct notify *n);
/* @text: lines "NAME=value", as sd_notify(3) has them. */
void notify_send(const struct notify *n, const char *text);

#endif
