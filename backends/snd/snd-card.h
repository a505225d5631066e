/* SPDX-License-Identifier: MIT */
/*
 * All streams of one sound device: what [Sound] names, each with its PCM of the host.
 * For the doors a set of streams by number, and one turn for all of them.
 */
#ifndef XDD_SND_CARD_H
#define XDD_SND_CARD_H

#include "backends/snd/snd.h"

struct snd_card {
	struct snd stream[SND_STREAMS_MAX];
	uint32_t streams;
	struct snd_stats stats; /* of all of them */
};

/* Before sealing: opens the PCMs. 0, or the negative errno of the one that did not
 * open:
 * *@which is its number, and nothing is open. @size_max: as in struct snd_conf. */
int snd_card_open(struct snd_card *card, const struct policy *policy,
		  const struct snd_policy *snd, uint32_t size_max, struct log *log,
		  uint32_t *which);
void snd_card_close(struct snd_card *card);

/* Of all of them, as snd.h's. 0: a PCM that fails is its stream's affair. */
int snd_card_turn(struct snd_card *card, uint64_t now);
uint64_t snd_card_due(const struct snd_card *card);
void snd_card_cut(struct snd_card *card);
/* Does any PCM run? */
bool snd_card_on(const struct snd_card *card);

#endif
