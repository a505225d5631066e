/* SPDX-License-Identifier: MIT */
/* A look at Xen through libxenctrl: see witness-look.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xenctrl.h>
#include <xentoollog.h>

#include "xenbus/cmd/machine-info.h"
#include "xenbus/cmd/witness-look.h"

#define CHUNK 65536u
#define TRIES 3	  /* while others print, too */
#define WAITS 100 /* of TICK, for the end of a dump */
#define TICK  ((struct timespec){.tv_nsec = 100000000})
#define DONE  "gnttab_usage_print_all ] done"

struct look {
	xc_interface *xc;
	xentoollog_logger_stdiostream *log; /* what fails is ours to say */
};

struct text {
	char *at;
	size_t len, room;
};

struct look *look_open(void)
{
	struct look *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return NULL;
	l->log = xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
	if (l->log)
		l->xc = xc_interface_open((xentoollog_logger *)l->log, NULL, 0);
	if (l->xc)
		return l;
	err = errno;
	look_close(l);
	errno = err;
	return NULL;
}

void look_close(struct look *look)
{
	if (look->xc)
		xc_interface_close(look->xc);
	xtl_logger_destroy((xentoollog_logger *)look->log);
	free(look);
}

/* What is new in the ring since @index, at most a chunk, behind @text. -1: it is not to
 * be had. */
static int read_more(struct look *l, struct text *text, uint32_t *index)
{
	unsigned n = CHUNK;
	char *more;

	if (text->room - text->len < CHUNK) {
		more = text->room < LOOK_TEXT
			       ? realloc(text->at, text->room + CHUNK * 4)
			       : NULL;
		if (!more)
			return -1;
		text->at = more;
		text->room += CHUNK * 4;
	}
	if (xc_readconsolering(l->xc, text->at + text->len, &n, 0, 1, index))
		return -1;
	text->len += n;
	return (int)n;
}

/* Up to its end: the dump is what comes after. */
static int skip_old(struct look *l, struct text *text, uint32_t *index)
{
	int n;

	*index = 0;
	do {
		text->len = 0;
		n = read_more(l, text, index);
	} while (n == (int)CHUNK);
	text->len = 0;
	return n;
}

static bool is_done(const struct text *text)
{
	return text->len && memmem(text->at, text->len, DONE, strlen(DONE));
}

static const char *dump(struct look *l, struct text *text)
{
	uint32_t index;
	int n = skip_old(l, text, &index);

	if (n < 0)
		return "Xen's console ring cannot be read; run this as root in the "
		       "control domain";
	if (xc_send_debug_keys(l->xc, "g"))
		return "Xen does not take the debug key 'g'; run this as root in the "
		       "control domain";
	for (unsigned i = 0; n >= 0 && i < WAITS; i++) {
		n = read_more(l, text, &index);
		if (is_done(text))
			return NULL;
		if (n < (int)CHUNK)
			nanosleep(&TICK, NULL);
	}
	return n < 0 ? "Xen's console ring cannot be read to its end" : NULL;
}

static const char *look_grants(struct look *l, struct usage *usage)
{
	const char *why = NULL;

	for (unsigned i = 0; !i || (why && i < TRIES); i++) {
		struct text text = {.at = NULL};

		why = dump(l, &text);
		if (!why)
			why = usage_parse(text.at, text.len, usage);
		free(text.at);
	}
	return why;
}

static struct scene_port port_of(const xc_evtchn_status_t *status)
{
	struct scene_port port = {.port = {status->port}, .state = PORT_OTHER};

	if (status->status == EVTCHNSTAT_unbound) {
		port.state = PORT_UNBOUND;
		port.remote.v = status->u.unbound.dom;
	} else if (status->status == EVTCHNSTAT_interdomain) {
		port.state = PORT_INTERDOMAIN;
		port.remote.v = status->u.interdomain.dom;
		port.remote_port.v = status->u.interdomain.port;
	}
	return port;
}

/* Xen's own are EACCES; past the last there is, EINVAL. */
static const char *look_ports(struct look *l, struct scene *scene)
{
	xc_evtchn_status_t status;
	uint32_t port;

	scene->port = calloc(SCENE_PORTS, sizeof(*scene->port));
	if (!scene->port)
		return "there is no memory for its event channels";
	for (port = 0; port < SCENE_PORTS; port++) {
		status = (xc_evtchn_status_t){.dom = scene->domain.v, .port = port};
		if (!xc_evtchn_status(l->xc, &status)) {
			if (status.status != EVTCHNSTAT_closed)
				scene->port[scene->ports++] = port_of(&status);
		} else if (errno != EACCES) {
			break;
		}
	}
	scene->saw_ports = true;
	return !port || (port < SCENE_PORTS && errno != EINVAL)
		       ? "its event channels cannot be seen"
		       : NULL;
}

const char *look_at(struct look *look, struct scene *scene)
{
	struct machine_domain domain;
	const char *why = NULL;

	if (machine_info(look->xc, scene->domain, &domain))
		return "there is no such domain";
	scene->pins = domain.hvm ? 1 : 2;
	scene->ports = 0;
	why = look_grants(look, &scene->usage);
	if (!why)
		why = look_ports(look, scene);
	if (why)
		look_forget(scene);
	return why;
}
