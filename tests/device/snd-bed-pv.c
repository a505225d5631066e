/* SPDX-License-Identifier: MIT */
/* The PV door on the bed: see snd-bed.h. */
#include <errno.h>

#include "tests/device/snd-bed.h"

static void left(struct snd_pv *pv)
{
	struct snd_bed *bed = pv->conf.owner;

	bed->detached++;
}

static void broken(struct snd_pv *pv, const char *why)
{
	struct snd_bed *bed = pv->conf.owner;

	bed->broken++;
	bed->why = why;
	snd_pv_detach(pv);
}

static int pv_init(struct snd_bed *bed, const struct keys *keys)
{
	const struct snd_pv_conf conf = {
		.policy = &bed->policy,
		.snd_policy = &bed->snd_policy,
		.card = &bed->card,
		.keys = *keys,
		.owner = bed,
		.broken = broken,
		.detached = left,
	};

	return snd_pv_init(&bed->pv, &conf);
}

static void pv_fini(struct snd_bed *bed)
{
	snd_pv_fini(&bed->pv);
}

static int pv_offer(struct snd_bed *bed)
{
	return snd_pv_offer(&bed->pv);
}

static int pv_connect(struct snd_bed *bed, bool attach, uint64_t now)
{
	return snd_pv_connect(&bed->pv, attach, now);
}

static void pv_detach(struct snd_bed *bed)
{
	snd_pv_detach(&bed->pv);
}

static int pv_turn(struct snd_bed *bed, uint64_t now)
{
	return snd_pv_turn(&bed->pv, now);
}

static uint64_t pv_due(const struct snd_bed *bed)
{
	return snd_pv_due(&bed->pv);
}

static bool pv_arm(struct snd_bed *bed)
{
	return snd_pv_arm(&bed->pv);
}

static bool pv_is_down(const struct snd_bed *bed)
{
	return bed->pv.state == SND_PV_DOWN;
}

static void pv_died(struct snd_bed *bed)
{
	bed->pv.error = -EIO;
}

static void pv_front_connect(struct snd_bed *bed)
{
	snd_front_connect(&bed->front);
}

static bool pv_front_ready(struct snd_bed *bed)
{
	snd_front_key(&bed->front, "state", "4");
	return true;
}

static bool pv_front_disconnect(struct snd_bed *bed)
{
	return snd_front_disconnect(&bed->front);
}

const struct snd_bed_door snd_bed_pv = {
	.init = pv_init,
	.fini = pv_fini,
	.offer = pv_offer,
	.connect = pv_connect,
	.detach = pv_detach,
	.turn = pv_turn,
	.due = pv_due,
	.arm = pv_arm,
	.is_down = pv_is_down,
	.died = pv_died,
	.front_connect = pv_front_connect,
	.front_ready = pv_front_ready,
	.front_disconnect = pv_front_disconnect,
};
