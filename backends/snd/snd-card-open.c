/* SPDX-License-Identifier: MIT */
/* The one part of a card that opens something: see snd-card.h. */
#include "backends/snd/snd-card.h"

static int card_open_stream(struct snd_card *card, struct snd_conf *conf,
			    const struct snd_host_conf *with)
{
	int r = snd_host_open(&conf->host, with);

	if (r < 0)
		return r;
	r = snd_init(&card->stream[card->streams], conf);
	if (r < 0)
		snd_host_close(conf->host);
	return r;
}

int snd_card_open(struct snd_card *card, const struct policy *policy,
		  const struct snd_policy *snd, uint32_t size_max, struct log *log,
		  uint32_t *which)
{
	*card = (struct snd_card){0};
	for (; card->streams < snd->streams; card->streams++) {
		const struct snd_policy_stream *stream = &snd->stream[card->streams];
		const struct snd_host_conf with = {policy->resource, stream->name,
						   stream->capture, log};
		struct snd_conf conf = {snd, stream, NULL, &card->stats, size_max};
		int r = card_open_stream(card, &conf, &with);

		if (r < 0) {
			*which = card->streams;
			snd_card_close(card);
			return r;
		}
	}
	return 0;
}
