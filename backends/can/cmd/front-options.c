/* SPDX-License-Identifier: MIT */
#include "backends/can/cmd/front-options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"
#include "policy/ids.h"

#define DEVICE_MAX     65535
#define RESTART_MS_MAX 3600000

const char front_options_help[] =
	"usage: xdd-canfront [OPTION...] DEVICE INTERFACE   (or DEVICE:INTERFACE)\n"
	"\n"
	"Makes the PV CAN device DEVICE of this client (device/vcan/DEVICE in its "
	"part\n"
	"of xenstore) the CAN interface INTERFACE, for all programs:\n"
	"\n"
	"  ip link add dev vcan0 type vcan\n"
	"  ip link set vcan0 mtu 72 up\n"
	"  xdd-canfront 0 vcan0\n"
	"\n"
	"  --backends LIST   accept these domains as back end alone: 1,3,5-7 (any "
	"that\n"
	"                    the toolstack names)\n"
	"  --late-ack        have a frame answered when it was on the wire, not when\n"
	"                    the back end's host took it\n"
	"  --restart-ms N    after bus-off, start again after N ms (100); 0: never\n"
	"  --ring-pages N    pages of each ring: 1, 2, 4, 8, or auto, as many as the\n"
	"                    back end maps (2)\n"
	"  --verbose         say more\n"
	"\n"
	"SIGUSR1: print counters. Exit status: 0 ended by SIGTERM or SIGINT, 1 it "
	"could\n"
	"not be done, 2 the command is wrong.\n";

/* "3" or "5-7". */
static bool read_range(const char *text, size_t len, struct front_options *out)
{
	const char *dash = memchr(text, '-', len);
	size_t first_len = dash ? (size_t)(dash - text) : len;
	uint64_t first, last;

	if (out->backends == FRONT_BACKENDS_MAX ||
	    !number_parse(text, first_len, DOMID_LIMIT - 1, &first))
		return false;
	last = first;
	if (dash &&
	    !number_parse(dash + 1, len - first_len - 1, DOMID_LIMIT - 1, &last))
		return false;
	if (last < first)
		return false;
	out->backend[out->backends].first = (uint16_t)first;
	out->backend[out->backends++].last = (uint16_t)last;
	return true;
}

static const char *set_backends(struct front_options *out, const char *text)
{
	out->backends = 0;
	for (;;) {
		size_t len = strcspn(text, ",");

		if (!read_range(text, len, out))
			return "domain numbers and ranges, at most 32: 1,3,5-7";
		if (!text[len])
			return NULL;
		text += len + 1;
	}
}

static const char *set_ring_pages(struct front_options *out, const char *text)
{
	uint64_t n = FRONT_PAGES_AUTO;

	if (strcmp(text, "auto") &&
	    (!number_parse(text, strlen(text), 8, &n) || !n || (n & (n - 1))))
		return "1, 2, 4, 8 or auto";
	out->ring_pages = (uint32_t)n;
	return NULL;
}

static const char *set_restart_ms(struct front_options *out, const char *text)
{
	uint64_t n;

	if (!number_parse(text, strlen(text), RESTART_MS_MAX, &n))
		return "milliseconds, 0 to 3600000";
	out->restart_ms = (uint32_t)n;
	return NULL;
}

static const char *set_late_ack(struct front_options *out, const char *text)
{
	(void)text;
	out->late_ack = true;
	return NULL;
}

static const char *set_verbose(struct front_options *out, const char *text)
{
	(void)text;
	out->verbose = true;
	return NULL;
}

static const char *set_help(struct front_options *out, const char *text)
{
	(void)text;
	out->help = true;
	return NULL;
}

/* What is allowed, if it is not. */
static const struct {
	const char *name;
	int argument;
	const char *(*set)(struct front_options *out, const char *text);
} rows[] = {
	{"backends", required_argument, set_backends},
	{"help", no_argument, set_help},
	{"late-ack", no_argument, set_late_ack},
	{"restart-ms", required_argument, set_restart_ms},
	{"ring-pages", required_argument, set_ring_pages},
	{"verbose", no_argument, set_verbose},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool read_device(const char *text, size_t len, struct front_options *out)
{
	uint64_t n;

	if (!number_parse(text, len, DEVICE_MAX, &n))
		return false;
	out->device = (unsigned)n;
	return true;
}

/* "0 vcan0", or "0:vcan0": what systemd can say. */
static bool read_names(int n, char **args, struct front_options *out, char *why,
		       size_t size)
{
	size_t len = n ? strcspn(args[0], n == 1 ? ":" : "") : 0;
	const char *interface = NULL;

	if (n == 2)
		interface = args[1];
	else if (n == 1 && args[0][len])
		interface = args[0] + len + 1;
	if (!interface) {
		snprintf(why, size,
			 "it takes DEVICE and INTERFACE: xdd-canfront 0 vcan0; see "
			 "xdd-canfront --help");
		return false;
	}
	if (!read_device(args[0], n == 1 ? len : strlen(args[0]), out)) {
		snprintf(why, size, "device \"%.40s\": a number, 0 to %u", args[0],
			 DEVICE_MAX);
		return false;
	}
	if (!interface[0] || strlen(interface) >= sizeof(out->interface) ||
	    strpbrk(interface, "/ :")) {
		snprintf(why, size,
			 "interface \"%.40s\": a name of 1 to %zu characters",
			 interface, sizeof(out->interface) - 1);
		return false;
	}
	strcpy(out->interface, interface);
	return true;
}

bool front_options_read(int argc, char **argv, struct front_options *out, char *why,
			size_t size)
{
	struct option list[ROWS + 1] = {{0}};
	struct front_options options = {.ring_pages = 2, .restart_ms = 100};
	int c, at = 0;

	for (unsigned i = 0; i < ROWS; i++)
		list[i] = (struct option){rows[i].name, rows[i].argument, NULL, 0};
	opterr = 0;
	optind = 0; /* from the beginning, whoever was here before */
	while ((c = getopt_long(argc, argv, ":h", list, &at)) != -1) {
		const char *allowed = NULL;

		if (c == ':' || c == '?') {
			snprintf(why, size, "%.60s: %s; see xdd-canfront --help",
				 argv[optind - 1],
				 c == ':' ? "it takes a value" : "no such option");
			return false;
		}
		if (c == 'h')
			options.help = true;
		else
			allowed = rows[at].set(&options, optarg);
		if (allowed) {
			snprintf(why, size, "--%s \"%.60s\": %s", rows[at].name, optarg,
				 allowed);
			return false;
		}
	}
	if (!options.help &&
	    !read_names(argc - optind, argv + optind, &options, why, size))
		return false;
	*out = options;
	return true;
}

bool front_options_allow(const struct front_options *options, uint16_t domain)
{
	for (unsigned i = 0; i < options->backends; i++) {
		if (domain >= options->backend[i].first &&
		    domain <= options->backend[i].last)
			return true;
	}
	return !options->backends;
}
