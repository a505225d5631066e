/* SPDX-License-Identifier: MIT */
/*
 * xdd-snd: one sound device of one client. What it adds to the host skeleton: the
 * [Sound] section, the PCMs that it names, and a line when one of them fails. Behind
 * which front door it stands is the policy's Door (snd-door.h).
 */
#include <errno.h>
#include <string.h>

#include "backends/snd/snd-door.h"

/* What to do about a PCM that does not open. */
static const char *pcm_advice(int err)
{
	switch (-err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return "there is no such PCM: aplay -L has their names, and its module "
		       "must be loaded first";
	case EBUSY:
		return "another program has it: a PCM of hardware has one user, unless "
		       "it "
		       "mixes";
	case EINVAL:
		return "Resource must be alsa:, file:FOLDER or null:, and the name one "
		       "that "
		       "it has";
	case EACCES:
	case EPERM:
		return "its unit must see it: daemon-reload, so that the generator "
		       "does; and a PCM that mixes takes Mixed = yes";
	default:
		return "see dmesg";
	}
}

static int sounder_open_card(struct host *host, struct sounder *s)
{
	uint32_t most = host->policy.door == POLICY_VIRTIO
				? snd_virtio_size_max(&s->policy)
				: snd_pv_size_max(&host->policy, &s->policy);
	uint32_t which = 0;
	int r = snd_card_open(&s->card, &host->policy, &s->policy, most, &host->log,
			      &which);

	if (r < 0)
		log_line(&host->log, LOG_LEVEL_ERROR, "Stream%u = %u/%u %s %s: %s (%s)",
			 which, s->policy.stream[which].pcm,
			 s->policy.stream[which].index,
			 s->policy.stream[which].capture ? "capture" : "playback",
			 s->policy.stream[which].name, strerror(-r), pcm_advice(r));
	return r;
}

/* What stands in the file of numbers (xdd-snd(8)): the door's first, of which two are
 * for people. */
static void sounder_count(struct host *host, struct sounder *s)
{
	const struct snd_stats *stats = &s->card.stats;
	const struct stats_named counters[] = {
		{"frames", &stats->frames},	  {"silence", &stats->silence},
		{"underruns", &stats->underruns}, {"late_bytes", &stats->late},
		{"xruns", &stats->xruns},	  {"failures", &stats->failures},
		{"opens", &stats->opens},	  {"starts", &stats->starts},
		{"wakes", &stats->wakes},
	};

	host->door->count(host);
	STATS_COUNTERS(&host->stats, counters);
}

static int sounder_open(struct host *host)
{
	static const struct host_section section = {"Sound", snd_policy_keys,
						    snd_policy_fit};
	struct sounder *s = sounder_of(host);
	int r;

	s->keys = (struct keys){host->store, host->grants, host->evtchn, &host->log};
	snd_policy_init(&s->policy);
	r = host_read_section(host, &section, &s->policy);
	host->mixes = s->policy.mixed;
	if (!r)
		r = sounder_open_card(host, s);
	if (r < 0)
		return r;
	r = host->door->open(host);
	if (r)
		log_line(&host->log, LOG_LEVEL_ERROR, "%s", strerror(-r));
	else
		sounder_count(host, s);
	return r;
}

static int sounder_tick(struct host *host, uint64_t now)
{
	struct sounder *s = sounder_of(host);

	(void)now;
	if (s->failures == s->card.stats.failures)
		return 0;
	s->failures = s->card.stats.failures;
	for (uint32_t i = 0; i < s->card.streams; i++) {
		if (s->card.stream[i].error)
			log_line(&host->log, LOG_LEVEL_ERROR, "PCM %s failed: %s",
				 s->policy.stream[i].name,
				 strerror(-s->card.stream[i].error));
	}
	return 0;
}

static const struct host_class snd_class = {
	.name = "snd",
	.class = POLICY_SND,
	.door = {&snd_door_pv, &snd_door_virtio},
	.open = sounder_open,
	.tick = sounder_tick,
};

int main(int argc, char **argv)
{
	static struct sounder sounder;

	return host_main(argc, argv, &snd_class, &sounder);
}
