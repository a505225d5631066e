/* SPDX-License-Identifier: MIT */
/*
 * xdd-displ: one display device of one client. What it adds to the host skeleton: the
 * [Display] section, the card and its connectors, what they show and tell while there
 * is no client, and a line when the card fails. Behind which front door it stands is
 * the policy's Door (displ-door.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "backends/displ/displ-door.h"
#include "backends/displ/displ-edid.h"
#include "backends/displ/displ-lease.h"
#include "backends/displ/displ-png.h"
#include "common/clock.h"

/* -- The card -------------------------------------------------------------- */

static void card_ready(struct loop_op *op, int res)
{
	struct shower *s =
		(struct shower *)((char *)op - offsetof(struct shower, ready_op));

	(void)res;
	s->scan->ready = true;
}

void shower_listen(struct host *host)
{
	struct shower *s = shower_of(host);

	if (s->scan->fd >= 0 && displ_flies(&s->displ) && !s->ready_op.busy)
		loop_poll(&host->loop, &s->ready_op, LOOP_FILE_RESOURCE);
}

/* Of a Resource that does not open: the card has said what it misses. */
static const char *card_advice(int err)
{
	switch (-err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return "there is no such card: its module must be loaded first";
	case EBUSY:
		return "another program masters it: a card has one, and displays "
		       "share it by lease:";
	case EACCES:
	case EPERM:
		return "its unit must see it: daemon-reload, so that the generator "
		       "does; and nobody else may be its master";
	default:
		return "see the lines before, and dmesg";
	}
}

static int open_card(struct host *host, struct shower *s)
{
	char lease[DISPL_LEASE_PATH];
	const struct displ_scan_conf conf = {
		.lease = lease,
		.resource = host->policy.resource,
		.policy = &s->policy,
		.canvases = displ_policy_canvases(&s->policy, host->policy.door),
		.log = &host->log,
	};
	int r = displ_lease_path(DISPL_LEASE_FOLDER, host->policy.name, lease);

	if (!r)
		r = displ_scan_open(&s->scan, &conf);
	if (!r && s->scan->fd >= 0)
		r = loop_set_file(&host->loop, LOOP_FILE_RESOURCE, s->scan->fd);
	if (r < 0)
		log_line(&host->log, LOG_LEVEL_ERROR, "%s: %s (%s)",
			 host->policy.resource, strerror(-r), card_advice(r));
	s->ready_op.done = card_ready;
	return r;
}

/* -- What stands in files -------------------------------------------------- */

/* The heads show it, or black, from here on. */
static int open_displ(struct host *host, struct shower *s)
{
	const struct displ_conf conf = {
		.policy = &s->policy, .scan = s->scan, .owner = host};
	struct displ_pixels pixels = {0};
	struct displ_picture gone = {.format = DISPL_ARGB8888,
				     .read = displ_read_private};
	char why[DISPL_PNG_WHY];
	int r = 0;

	if (s->policy.gone[0])
		r = displ_png_read(s->policy.gone, s->policy.alpha, &pixels, why);
	if (r < 0) {
		log_line(&host->log, LOG_LEVEL_ERROR, "Gone = %s: %s", s->policy.gone,
			 why);
		return r;
	}
	gone.size = pixels.size;
	gone.stride = pixels.size.width * DISPL_PIXEL;
	gone.of = pixels.pixel;
	r = displ_init(&s->displ, &conf, pixels.pixel ? &gone : NULL, clock_now());
	displ_pixels_free(&pixels);
	return r;
}

/* 0; or a negative errno: -EINVAL if it is no EDID. */
static int read_edid(const char *path, struct shower_edid *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, out->data, sizeof(out->data));
	close(fd);
	if (n < 0 || !displ_edid_ok(out->data, (size_t)n))
		return -EINVAL;
	out->bytes = (uint32_t)n;
	return 0;
}

/* The file that the policy names, of all connectors; or one made for each, if its size
 * can be said. */
static int open_edid(struct host *host, struct shower *s)
{
	const struct displ_policy *policy = &s->policy;
	int r = 0;

	for (uint32_t i = 0; !r && i < policy->heads; i++) {
		struct shower_edid *edid = &s->edid[i];

		if (policy->edid[0])
			r = read_edid(policy->edid, edid);
		else if (displ_edid_make(policy->head[i].size, host->policy.name,
					 edid->data))
			edid->bytes = DISPL_EDID_BLOCK;
	}
	if (r < 0)
		log_line(&host->log, LOG_LEVEL_ERROR, "Edid = %s: %s", policy->edid,
			 r == -EINVAL ? "it is no EDID: whole blocks of 128 bytes, as "
					"many as it says, with their checksums"
				      : strerror(-r));
	return r;
}

/* -- The program ----------------------------------------------------------- */

/* What stands in the file of numbers (xdd-displ(8)): the door's first, of which two are
 * for people. */
static void shower_count(struct host *host, struct shower *s)
{
	const struct displ_stats *stats = &s->displ.stats;
	const struct stats_named counters[] = {
		{"frames", &stats->frames},	{"copied_bytes", &stats->copied},
		{"lost", &stats->lost},		{"failures", &stats->failures},
		{"darkened", &stats->darkened},
	};

	host->door->count(host);
	STATS_COUNTERS(&host->stats, counters);
}

static int shower_open(struct host *host)
{
	static const struct host_section section = {"Display", displ_policy_keys,
						    displ_policy_fit};
	struct shower *s = shower_of(host);
	int r;

	s->keys = (struct keys){host->store, host->grants, host->evtchn, &host->log};
	displ_policy_init(&s->policy);
	r = host_read_section(host, &section, &s->policy);
	if (!r)
		r = open_edid(host, s);
	if (!r)
		r = open_card(host, s);
	if (!r)
		r = open_displ(host, s);
	if (r < 0)
		return r;
	r = host->door->open(host);
	if (r)
		log_line(&host->log, LOG_LEVEL_ERROR, "%s", strerror(-r));
	else
		shower_count(host, s);
	return r;
}

/* While there is no client this is all the turns that there are. */
static int shower_tick(struct host *host, uint64_t now)
{
	struct shower *s = shower_of(host);

	displ_turn(&s->displ, now);
	shower_listen(host);
	if (s->failures == s->displ.stats.failures)
		return 0;
	s->failures = s->displ.stats.failures;
	log_line(&host->log, LOG_LEVEL_ERROR, "%s failed: %s", host->policy.resource,
		 strerror(-s->displ.error));
	return 0;
}

static const struct host_class displ_class = {
	.name = "displ",
	.class = POLICY_DISPL,
	.door = {&displ_door_pv, &displ_door_virtio},
	.open = shower_open,
	.tick = shower_tick,
};

int main(int argc, char **argv)
{
	static struct shower shower;

	return host_main(argc, argv, &displ_class, &shower);
}
