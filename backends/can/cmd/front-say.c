/* SPDX-License-Identifier: MIT */
#include "backends/can/cmd/front-say.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backends/can/cmd/front.h"

bool front_say_failed(struct log *log, const char *what, int err)
{
	log_line(log, LOG_LEVEL_ERROR, "%s: %s", what, strerror(-err));
	return false;
}

bool front_say_node(struct log *log, const char *node, int err)
{
	static const struct {
		const char *node, *missing;
	} rows[] = {
		{"/dev/xen/gntalloc", "modprobe xen-gntalloc"},
		{"/dev/xen/evtchn", "modprobe xen-evtchn"},
		{"/dev/xen/xenbus", "modprobe xenfs, or a kernel with "
				    "CONFIG_XEN_XENBUS_FRONTEND"},
	};
	const char *missing = "";

	if (!node)
		return front_say_failed(log, "Xen's devices cannot be used", err);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!strcmp(rows[i].node, node))
			missing = rows[i].missing;
	}
	if (err == -ENOENT || err == -ENODEV || err == -ENXIO)
		log_line(log, LOG_LEVEL_ERROR, "no %s: %s (is this a Xen guest?)", node,
			 missing);
	else if (err == -EACCES || err == -EPERM)
		log_line(log, LOG_LEVEL_ERROR,
			 "%s: permission denied; be in its group: adduser USER xdd, "
			 "with the udev rule of xdd-canfront(8)",
			 node);
	else
		return front_say_failed(log, node, err);
	return false;
}

bool front_say_socket(struct log *log, int err)
{
	if (err != -EAFNOSUPPORT && err != -EPROTONOSUPPORT)
		return front_say_failed(log, "a CAN socket cannot be opened", err);
	log_line(log, LOG_LEVEL_ERROR,
		 "this kernel has no CAN sockets: modprobe can-raw");
	return false;
}

void front_say_grant(struct log *log, int err, uint16_t domain)
{
	if (err == -ENOSPC)
		log_line(log, LOG_LEVEL_ERROR,
			 "no page left to grant: raise the parameter \"limit\" of "
			 "xen-gntalloc, or Xen's max_grant_frames for this domain");
	else
		log_line(log, LOG_LEVEL_ERROR,
			 "rings cannot be granted to domain %u: %s", domain,
			 strerror(-err));
}

void front_say_link(struct log *log, const struct front_link *link)
{
	const char *name = link->name;

	switch (link->state) {
	case FRONT_LINK_ABSENT:
		log_line(log, LOG_LEVEL_ERROR,
			 "there is no interface %s: ip link add dev %s type vcan && "
			 "ip link set %s mtu 72 up",
			 name, name, name);
		return;
	case FRONT_LINK_FOREIGN:
		log_line(log, LOG_LEVEL_ERROR,
			 "%s is no CAN interface; choose another name: ip link add dev "
			 "vcan0 type vcan && ip link set vcan0 mtu 72 up",
			 name);
		return;
	case FRONT_LINK_DOWN:
		log_line(log, LOG_LEVEL_NOTICE,
			 "%s is down, the controller is stopped: ip link set %s up",
			 name, name);
		return;
	case FRONT_LINK_UP:
		log_line(log, LOG_LEVEL_NOTICE, "%s is up", name);
		return;
	}
}

static void rate_text(uint32_t rate, const char *what, char *out, size_t size)
{
	out[0] = '\0';
	if (rate)
		snprintf(out, size, ", %" PRIu32 " bit/s%s", rate, what);
}

void front_say_connected(struct front *f)
{
	const struct front_offer *offer = &f->store.offered;
	char rate[40], data_rate[40];
	const char *fd = "classic frames alone";

	if (offer->fd)
		fd = f->link.fd_frames ? "classic and FD frames"
				       : "classic frames alone, for that is the "
					 "interface's MTU";
	rate_text(offer->bitrate, "", rate, sizeof(rate));
	rate_text(offer->data_bitrate, " of data", data_rate, sizeof(data_rate));
	log_line(&f->log, LOG_LEVEL_NOTICE,
		 "connected to domain %u: %s%s%s%s; may send: %.60s; hears: %.60s",
		 f->life.look.backend, fd, rate, data_rate,
		 offer->listens ? ", it only listens" : "",
		 offer->transmit_ids[0] ? offer->transmit_ids : "not said",
		 offer->receive_ids[0] ? offer->receive_ids : "not said");
}

/* Empty: it has been said, or is not worth a line. */
static void waiting_text(const struct front *f, char *out, size_t size)
{
	unsigned backend = f->life.look.backend;

	out[0] = '\0';
	if (f->store.fd < 0 && f->store.err == -EAGAIN) {
		snprintf(out, size,
			 "waiting for xenstore: this domain was started "
			 "before it");
	} else if (f->store.fd < 0 && f->store.err) {
		snprintf(out, size, "waiting for xenstore: %s",
			 strerror(-f->store.err));
	} else if (!f->looked || f->ending) {
		return;
	} else if (f->life.phase == FRONT_ABSENT) {
		snprintf(out, size,
			 "waiting for %s: the toolstack, or xdd-attach in "
			 "the control domain, attaches it",
			 f->store.front);
	} else if (f->life.phase == FRONT_WAITING && !f->life.look.allowed) {
		snprintf(out, size,
			 "domain %u is named as back end, and --backends "
			 "does not allow it",
			 backend);
	} else if (f->life.phase == FRONT_WAITING) {
		snprintf(out, size, "waiting for the back end in domain %u", backend);
	} else if (f->life.phase == FRONT_OFFERED && f->options->verbose) {
		snprintf(out, size, "waiting for domain %u to map the rings", backend);
	}
}

void front_say_waiting(struct front *f)
{
	char text[FRONT_SAID_MAX], status[FRONT_SAID_MAX + 16];

	waiting_text(f, text, sizeof(text));
	if (!strcmp(text, f->said))
		return;
	strcpy(f->said, text);
	if (text[0])
		log_line(&f->log, LOG_LEVEL_NOTICE, "%s", text);
	snprintf(status, sizeof(status), "STATUS=%s",
		 text[0]			    ? text
		 : f->life.phase == FRONT_CONNECTED ? "connected"
						    : "");
	notify_send(&f->notify, status);
}
