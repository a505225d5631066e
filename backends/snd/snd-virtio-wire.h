/* SPDX-License-Identifier: MIT */
/*
 * virtio-snd on the wire (virtio 1.4, 5.14, "Sound Device"): its numbers, what orders
 * say, and what items look like. Pure; all of it is little-endian.
 *
 * Not what an order does (snd-virtio-order.c). Formats and rates that the wire has and
 * ALSA's PCMs here do not (18 and 20 bits, 24 in three bytes, DSD) have no place in
 * snd-format.h and are never offered.
 */
#ifndef XDD_SND_VIRTIO_WIRE_H
#define XDD_SND_VIRTIO_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/door/virtio.h"
#include "backends/snd/snd.h"

#define SND_VIRTIO_F_CTLS VIRTIO_BIT(0)

/* Its configuration: le32 each, controls if SND_VIRTIO_F_CTLS was negotiated. */
#define SND_VIRTIO_CONFIG_JACKS	   0
#define SND_VIRTIO_CONFIG_STREAMS  4
#define SND_VIRTIO_CONFIG_CHMAPS   8
#define SND_VIRTIO_CONFIG_CONTROLS 12
#define SND_VIRTIO_CONFIG_BYTES	   16

enum snd_virtio_code {
	SND_VIRTIO_JACK_INFO = 0x0001,
	SND_VIRTIO_JACK_REMAP = 0x0002,
	SND_VIRTIO_PCM_INFO = 0x0100,
	SND_VIRTIO_PCM_SET_PARAMS = 0x0101,
	SND_VIRTIO_PCM_PREPARE = 0x0102,
	SND_VIRTIO_PCM_RELEASE = 0x0103,
	SND_VIRTIO_PCM_START = 0x0104,
	SND_VIRTIO_PCM_STOP = 0x0105,
	SND_VIRTIO_CHMAP_INFO = 0x0200,
	SND_VIRTIO_CTL_INFO = 0x0300,
	SND_VIRTIO_CTL_ENUM_ITEMS = 0x0301,
	SND_VIRTIO_CTL_READ = 0x0302,
	SND_VIRTIO_CTL_WRITE = 0x0303,
	SND_VIRTIO_CTL_TLV_READ = 0x0304,
	SND_VIRTIO_CTL_TLV_WRITE = 0x0305,
	SND_VIRTIO_CTL_TLV_COMMAND = 0x0306,

	SND_VIRTIO_EVT_XRUN = 0x1101,
};

enum snd_virtio_answer {
	SND_VIRTIO_OK = 0x8000,
	SND_VIRTIO_BAD_MSG,
	SND_VIRTIO_NOT_SUPP,
	SND_VIRTIO_IO_ERR,
};

/* Of a stream, bits: what SET_PARAMS may choose. The shared-memory ones must not be
 * chosen (5.14.6.6.3), and a queue here says itself when it needs an event. */
#define SND_VIRTIO_PCM_F_EVT_XRUNS (1u << 4)

/* le32 code, or an answer; le32 code and le32 id of a stream or control. */
#define SND_VIRTIO_HEADER      4
#define SND_VIRTIO_ID	       8
#define SND_VIRTIO_EVENT_BYTES 8
/* Samples: le32 stream before; le32 answer, le32 latency in bytes behind. */
#define SND_VIRTIO_XFER	  4
#define SND_VIRTIO_STATUS 8
/* The longest order, but for a control's values behind its id. */
#define SND_VIRTIO_ORDER_MAX 24
/* The most that a driver may take an item for. */
#define SND_VIRTIO_ITEM_MAX 256
#define SND_VIRTIO_WORD	    4 /* a control's value */

struct snd_virtio_order {
	uint32_t code;
	uint32_t id;		     /* of a stream or control */
	uint32_t start, count, size; /* JACK_, PCM_, CHMAP_ and CTL_INFO */
	uint32_t buffer, period;     /* SET_PARAMS: bytes */
	uint32_t features;
	uint8_t channels, format, rate; /* the wire's numbers */
};

/* @n bytes, at most SND_VIRTIO_ORDER_MAX, of what was to be read. False: it is shorter
 * than its code says; then only the code is known, if that was there. */
bool snd_virtio_decode(const uint8_t *bytes, uint32_t n, struct snd_virtio_order *out);

/* False: there is none such here. */
bool snd_virtio_format(uint8_t wire, enum snd_format *out);
bool snd_virtio_rate(uint8_t wire, uint32_t *out);
/* As bits of the wire. */
uint64_t snd_virtio_formats(uint64_t formats);
uint64_t snd_virtio_rates(struct snd_range rate);

/* -- Items: SND_VIRTIO_ITEM_MAX bytes, of which a driver gets as many as it takes one
 * for. */

void snd_virtio_put_jack(bool capture, uint8_t *out);
void snd_virtio_put_pcm(bool capture, const struct snd_query *has, uint8_t *out);

/* Layouts for a number of channels, as ALSA has them. */
#define SND_VIRTIO_CHMAPS 5
/* Of the @nth. */
uint32_t snd_virtio_chmap_channels(unsigned nth);
void snd_virtio_put_chmap(bool capture, unsigned nth, uint8_t *out);

/* A volume has 1 dB steps: 0 is silence, @max the most; a switch is 1 for sound. Where
 * the value's range lies depends on how the driver's compiler aligns 64 bits: it says
 * so by the item's @size (92 bytes, or 96). */
struct snd_virtio_control {
	bool capture, is_switch;
	uint32_t values; /* channels */
	uint32_t max;
};
void snd_virtio_put_control(const struct snd_virtio_control *control, uint32_t size,
			    uint8_t *out);
/* The volume's scale, as ALSA's TLV has it: its bytes. */
#define SND_VIRTIO_TLV 16
void snd_virtio_put_scale(uint8_t *out);
/* Thousandths of a dB, as SND_VOLUME_MIN counts, and back. */
int32_t snd_virtio_millidb(uint32_t value);
uint32_t snd_virtio_volume(int32_t millidb);

#endif
