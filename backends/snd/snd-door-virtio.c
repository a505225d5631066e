/* SPDX-License-Identifier: MIT */
/* The virtio door in xdd-snd: see snd-door.h. */
#include "backends/host-forward.h"
#include "backends/host-virtio.h"
#include "backends/snd/snd-door.h"

static struct snd_virtio *virtio_of(const struct host *host)
{
	return &sounder_of(host)->virtio;
}

static struct snd_card *card_of(const struct host *host)
{
	return &sounder_of(host)->card;
}

HOST_FORWARD(snd_virtio, virtio_of)
HOST_FORWARD_TURNS(snd_card, card_of, snd_virtio, virtio_of)
HOST_TOLD_DETACHED(snd_virtio)

static int virtio_open(struct host *host)
{
	struct sounder *s = sounder_of(host);
	struct snd_virtio_conf conf = {
		.policy = &host->policy,
		.snd_policy = &s->policy,
		.card = &s->card,
		.keys = s->keys,
		.owner = host,
		.detached = told_detached,
	};

	host->virtio = &s->virtio.door;
	return snd_virtio_init(&s->virtio, &conf);
}

static void virtio_count(struct host *host)
{
	const struct snd_virtio_stats *door = &virtio_of(host)->stats;
	const struct stats_named counters[] = {
		{"requests", &door->buffers},
		{"errors", &door->errors},
		{"orders", &door->orders},
		{"malformed", &door->malformed},
		{"refused", &door->refused},
		{"flushed", &door->flushed},
		{"read_bytes", &door->read_bytes},
		{"written_bytes", &door->written_bytes},
		{"overruns", &door->overruns},
		{"events", &door->events},
		{"undelivered", &door->undelivered},
	};

	STATS_COUNTERS(&host->stats, counters);
	host_virtio_count(host);
	stats_latency(&host->stats, "samples", &door->latency);
}

static int virtio_connect(struct host *host, bool attach)
{
	struct snd_virtio *v = virtio_of(host);

	return host_virtio_connected(host, snd_virtio_connect(v, attach, clock_now()));
}

static int virtio_tick(struct host *host, uint64_t now)
{
	(void)now;
	return host->virtio->error;
}

const struct host_door snd_door_virtio = {
	.open = virtio_open,
	.count = virtio_count,
	HOST_FORWARDED,
	.connect = virtio_connect,
	HOST_FORWARDED_TURNS,
	.tick = virtio_tick,
};
