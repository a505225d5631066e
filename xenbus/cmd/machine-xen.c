/* SPDX-License-Identifier: MIT */
/* The machine through libxenctrl: see machine.h. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xentoollog.h>

#include "xenbus/cmd/machine-info.h"

struct machine_xen {
	struct machine machine;
	xc_interface *xc;
	xentoollog_logger_stdiostream *log; /* what fails is ours to say */
};

static struct machine_xen *xen_of(struct machine *m)
{
	return (struct machine_xen *)((char *)m -
				      offsetof(struct machine_xen, machine));
}

static int xen_domain(struct machine *m, struct domid id, struct machine_domain *out)
{
	xc_interface *xc = xen_of(m)->xc;
	struct machine_domain domain = {.id = id};
	struct gnttab_query_size size = {.dom = id.v};
	int r = machine_info(xc, id, &domain);

	if (r)
		return r;
	if (!xc_gnttab_query_size(xc, &size) && size.status == GNTST_okay)
		domain.grant_frames = size.max_nr_frames;
	domain.grant_version = xc_gnttab_get_version(xc, id.v) == 2 ? 2 : 1;
	*out = domain;
	return 0;
}

/* What the last of the words "@key..." in @line goes on with, or NULL. */
static const char *last_word(const char *line, const char *key)
{
	const char *found = NULL;

	for (const char *at = line; (at = strstr(at, key)); at += strlen(key)) {
		if (at == line || at[-1] == ' ')
			found = at + strlen(key);
	}
	return found;
}

/* Xen does not tell which module it runs; SILO is its default on Arm
 * (xen/common/Kconfig). */
static bool xen_silo(struct machine *m)
{
	xc_interface *xc = xen_of(m)->xc;
	xen_commandline_t line = "";
	xen_capabilities_info_t capabilities = "";
	const char *module;

	if (xc_version(xc, XENVER_commandline, line) < 0 ||
	    xc_version(xc, XENVER_capabilities, capabilities) < 0)
		return false;
	line[sizeof(line) - 1] = capabilities[sizeof(capabilities) - 1] = '\0';
	module = last_word(line, "xsm=");
	if (module)
		return !strncmp(module, "silo", 4);
	return strstr(capabilities, "aarch64") || strstr(capabilities, "armv7");
}

static void xen_close(struct machine *m)
{
	struct machine_xen *x = xen_of(m);

	if (x->xc)
		xc_interface_close(x->xc);
	xtl_logger_destroy((xentoollog_logger *)x->log);
	free(x);
}

static const struct machine_ops xen_ops = {
	.domain = xen_domain, .silo = xen_silo, .close = xen_close};

struct machine *machine_open(void)
{
	struct machine_xen *x = calloc(1, sizeof(*x));
	int err;

	if (!x)
		return NULL;
	x->machine.ops = &xen_ops;
	x->log = xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
	if (x->log)
		x->xc = xc_interface_open((xentoollog_logger *)x->log, NULL, 0);
	if (x->xc)
		return &x->machine;
	err = errno;
	xen_close(&x->machine);
	errno = err;
	return NULL;
}
