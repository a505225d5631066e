/* SPDX-License-Identifier: MIT */
#include "backends/snd/snd-card.h"

void snd_card_close(struct snd_card *card)
{
	snd_card_cut(card);
	while (card->streams) {
		struct snd *s = &card->stream[--card->streams];
		struct snd_host *host = s->conf.host;

		host->ops->close(host);
		snd_fini(s);
	}
}

int snd_card_turn(struct snd_card *card, uint64_t now)
{
	for (uint32_t i = 0; i < card->streams; i++)
		snd_turn(&card->stream[i], now);
	return 0;
}

uint64_t snd_card_due(const struct snd_card *card)
{
	uint64_t due = UINT64_MAX;

	for (uint32_t i = 0; i < card->streams; i++) {
		if (snd_due(&card->stream[i]) < due)
			due = snd_due(&card->stream[i]);
	}
	return due;
}

void snd_card_cut(struct snd_card *card)
{
	for (uint32_t i = 0; i < card->streams; i++)
		snd_cut(&card->stream[i]);
}

bool snd_card_on(const struct snd_card *card)
{
	for (uint32_t i = 0; i < card->streams; i++) {
		if (card->stream[i].on)
			return true;
	}
	return false;
}
