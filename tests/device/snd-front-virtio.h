/* SPDX-License-Identifier: MIT */
/*
 * A virtio-snd driver in a loopxen domain: vfront.h's way to DRIVER_OK, and the
 * messages of virtio 1.4, 5.14. Written from the specification: it shares no line with
 * what it is set against.
 */
#ifndef XDD_TEST_SND_FRONT_VIRTIO_H
#define XDD_TEST_SND_FRONT_VIRTIO_H

#include "tests/device/vchain.h"

#define SND_VFRONT_F_CTLS DRIVER_FEATURE(0)

enum {
	SND_VFRONT_CONTROL,
	SND_VFRONT_EVENT,
	SND_VFRONT_TX,
	SND_VFRONT_RX,
	SND_VFRONT_QUEUES,
};

enum {
	SND_VFRONT_JACK_INFO = 0x001,
	SND_VFRONT_JACK_REMAP,
	SND_VFRONT_PCM_INFO = 0x100,
	SND_VFRONT_SET_PARAMS,
	SND_VFRONT_PREPARE,
	SND_VFRONT_RELEASE,
	SND_VFRONT_START,
	SND_VFRONT_STOP,
	SND_VFRONT_CHMAP_INFO = 0x200,
	SND_VFRONT_CTL_INFO = 0x300,
	SND_VFRONT_CTL_ENUM_ITEMS,
	SND_VFRONT_CTL_READ,
	SND_VFRONT_CTL_WRITE,
	SND_VFRONT_CTL_TLV_READ,
	SND_VFRONT_CTL_TLV_WRITE,
	SND_VFRONT_CTL_TLV_COMMAND,
	SND_VFRONT_XRUN = 0x1101,
	SND_VFRONT_OK = 0x8000,
	SND_VFRONT_BAD_MSG,
	SND_VFRONT_NOT_SUPP,
	SND_VFRONT_IO_ERR,
};

#define SND_VFRONT_XFER	    4
#define SND_VFRONT_STATUS   8
#define SND_VFRONT_PARAMS   24
#define SND_VFRONT_F_XRUNS  16u
#define SND_VFRONT_S16	    5
#define SND_VFRONT_HZ_48000 7

struct snd_front_virtio {
	struct vfront v;
	uint64_t refuses; /* features, before connect() */
	unsigned pages;	  /* of the pool, before connect(); 0: as vfront.h has it */
	bool again;	  /* as vfront.h has it */
	struct vchains chains;
};

void snd_vfront_connect(struct snd_front_virtio *f, struct loopxen *x,
			const struct loopxen_device *dev, bool grant);
/* All that is out is forgotten: the device was reset. */
void snd_vfront_forget(struct snd_front_virtio *f);

/* Any bytes as a chain of @queue, and @room behind them, published. False: no room. */
bool snd_vfront_put(struct snd_front_virtio *f, unsigned queue, uint16_t id,
		    const void *bytes, uint32_t readable, uint32_t room);
/* As vchain_back() has it. */
bool snd_vfront_back(struct snd_front_virtio *f, unsigned queue, uint16_t *id,
		     uint8_t *out, uint32_t room, uint32_t *len);

#endif
