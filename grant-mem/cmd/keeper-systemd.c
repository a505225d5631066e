/* SPDX-License-Identifier: MIT */
/* What a keeper's process tells and gives to systemd: see keeper.h. */
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include "grant-mem/cmd/keeper.h"

static int journal_fd = -1;

void keeper_status(struct keeper *k)
{
	const struct device *d = &k->device;
	bool serves = k->peer.stage == PEER_SERVING;
	const char *what = serves ? "serving" : "waiting for the back end of";

	if (!d->answered)
		sd_notify(0, "STATUS=waiting for xenstore");
	else if (!d->seen.present)
		sd_notifyf(0, "STATUS=waiting for the device in %s", d->root);
	else
		sd_notifyf(0, "STATUS=%s d%u %s, generation %u", what,
			   d->seen.frontend.v, k->policy.device, d->generation);
}

void keeper_store(const char *name, unsigned number, int fd)
{
	char line[96];

	snprintf(line, sizeof(line), "%s\nFDNAME=%s-%u%s",
		 fd < 0 ? "FDSTOREREMOVE=1" : "FDSTORE=1", name, number,
		 fd < 0 ? "" : "\nFDPOLL=0");
	sd_pid_notify_with_fds(0, 0, line, &fd, fd >= 0);
}

/* The journal's own protocol, since libsystemd's would wait for a journal that hangs. A
 * field is a line: nothing in a text may end one. */
static bool send_to_journal(const struct log *log, enum log_level level,
			    const char *text)
{
	static const struct sockaddr_un journal = {AF_UNIX,
						   "/run/systemd/journal/socket"};
	char id[SHA256_DIGEST_STRING_LENGTH], out[768];
	int n;

	if (!log->event)
		return false;
	SHA256Data((const uint8_t *)log->event, strlen(log->event), id);
	n = snprintf(out, sizeof(out),
		     "PRIORITY=%d\nMESSAGE_ID=%.32s\nXDD_EVENT=%s\n%sMESSAGE=", level,
		     id, log->event, log->fields);
	for (; *text && n < (int)sizeof(out) - 1; text++)
		out[n++] = *text >= ' ' && *text <= '~' ? *text : '?';
	out[n++] = '\n';
	return sendto(journal_fd, out, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL,
		      (const void *)&journal, sizeof(journal)) == n;
}

void keeper_journal(struct keeper *k)
{
	if (!getenv("JOURNAL_STREAM"))
		return;
	journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	k->log.send = journal_fd < 0 ? NULL : send_to_journal;
}
