/* SPDX-License-Identifier: MIT */
#include "tests/device/snd-front-virtio.h"

#define SIZE 64 /* of a queue */

void snd_vfront_connect(struct snd_front_virtio *f, struct loopxen *x,
			const struct loopxen_device *dev, bool grant)
{
	const struct vfront_conf conf = {
		.grant = grant,
		.pages = f->pages,
		.size = SIZE,
		.queues = SND_VFRONT_QUEUES,
		.refuses = f->refuses,
		.again = f->again,
	};

	vfront_connect(&f->v, x, dev, &conf);
	snd_vfront_forget(f);
}

void snd_vfront_forget(struct snd_front_virtio *f)
{
	f->chains = (struct vchains){0};
}

bool snd_vfront_put(struct snd_front_virtio *f, unsigned queue, uint16_t id,
		    const void *bytes, uint32_t readable, uint32_t room)
{
	if (!vchain_put(&f->chains, &f->v, queue, id, bytes, readable, room, 0))
		return false;
	vfront_push(&f->v);
	return true;
}

bool snd_vfront_back(struct snd_front_virtio *f, unsigned queue, uint16_t *id,
		     uint8_t *out, uint32_t room, uint32_t *len)
{
	return vchain_back(&f->chains, &f->v, queue, id, out, room, len);
}
