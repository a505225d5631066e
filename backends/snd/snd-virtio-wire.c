/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/snd/snd-virtio-wire.h"

/* -- Orders -------------------------------------------------------------------- */

/* Bytes that an order must have. Others are as long as they are known. */
static uint32_t order_bytes(uint32_t code)
{
	switch ((enum snd_virtio_code)code) {
	case SND_VIRTIO_JACK_INFO:
	case SND_VIRTIO_PCM_INFO:
	case SND_VIRTIO_CHMAP_INFO:
	case SND_VIRTIO_CTL_INFO:
	case SND_VIRTIO_JACK_REMAP:
		return 16;
	case SND_VIRTIO_PCM_SET_PARAMS:
		return 24;
	case SND_VIRTIO_PCM_PREPARE:
	case SND_VIRTIO_PCM_RELEASE:
	case SND_VIRTIO_PCM_START:
	case SND_VIRTIO_PCM_STOP:
	case SND_VIRTIO_CTL_ENUM_ITEMS:
	case SND_VIRTIO_CTL_READ:
	case SND_VIRTIO_CTL_WRITE:
	case SND_VIRTIO_CTL_TLV_READ:
	case SND_VIRTIO_CTL_TLV_WRITE:
	case SND_VIRTIO_CTL_TLV_COMMAND:
		return SND_VIRTIO_ID;
	case SND_VIRTIO_EVT_XRUN:
		break;
	}
	return SND_VIRTIO_HEADER;
}

bool snd_virtio_decode(const uint8_t *bytes, uint32_t n, struct snd_virtio_order *out)
{
	*out = (struct snd_virtio_order){0};
	if (n < SND_VIRTIO_HEADER)
		return false;
	out->code = virtio_le32(bytes);
	if (n < order_bytes(out->code))
		return false;
	if (n >= SND_VIRTIO_ID)
		out->id = out->start = virtio_le32(bytes + 4);
	if (n >= 16) {
		out->buffer = out->count = virtio_le32(bytes + 8);
		out->period = out->size = virtio_le32(bytes + 12);
	}
	if (n >= 24) {
		out->features = virtio_le32(bytes + 16);
		out->channels = bytes[20];
		out->format = bytes[21];
		out->rate = bytes[22];
	}
	return true;
}

/* -- Formats and rates --------------------------------------------------------- */

/* By the wire's number: ours, and one more; 0 is none. */
static const uint8_t formats[] = {
	[0] = SND_FORMAT_IMA_ADPCM + 1, [1] = SND_FORMAT_MU_LAW + 1,
	[2] = SND_FORMAT_A_LAW + 1,	[3] = SND_FORMAT_S8 + 1,
	[4] = SND_FORMAT_U8 + 1,	[5] = SND_FORMAT_S16_LE + 1,
	[6] = SND_FORMAT_U16_LE + 1,	[15] = SND_FORMAT_S24_LE + 1,
	[16] = SND_FORMAT_U24_LE + 1,	[17] = SND_FORMAT_S32_LE + 1,
	[18] = SND_FORMAT_U32_LE + 1,	[19] = SND_FORMAT_F32_LE + 1,
	[20] = SND_FORMAT_F64_LE + 1,	[24] = SND_FORMAT_IEC958_SUBFRAME_LE + 1,
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static const uint32_t rates[] = {
	5512,  8000,  11025, 16000,  22050,  32000,  44100, 48000,
	64000, 88200, 96000, 176400, 192000, 384000, 12000, 24000,
};
#define RATES (sizeof(rates) / sizeof(rates[0]))

bool snd_virtio_format(uint8_t wire, enum snd_format *out)
{
	if (wire >= FORMATS || !formats[wire])
		return false;
	*out = (enum snd_format)(formats[wire] - 1);
	return true;
}

bool snd_virtio_rate(uint8_t wire, uint32_t *out)
{
	if (wire >= RATES)
		return false;
	*out = rates[wire];
	return true;
}

uint64_t snd_virtio_formats(uint64_t ours)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < FORMATS; i++) {
		if (formats[i] && ours & (1ull << (formats[i] - 1)))
			bits |= 1ull << i;
	}
	return bits;
}

uint64_t snd_virtio_rates(struct snd_range rate)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < RATES; i++) {
		if (rates[i] >= rate.min && rates[i] <= rate.max)
			bits |= 1ull << i;
	}
	return bits;
}

/* -- Jacks and PCMs ------------------------------------------------------------ */

/* High Definition Audio, 7.3.3.31 and 7.3.4.9: a line out, or a microphone; what the
 * pin can do. */
#define PIN_LINE_OUT   0x00000010u
#define PIN_MICROPHONE 0x00a00020u
#define PIN_OUTPUT     (1u << 4)
#define PIN_INPUT      (1u << 5)

void snd_virtio_put_jack(bool capture, uint8_t *out)
{
	memset(out, 0, SND_VIRTIO_ITEM_MAX);
	virtio_put32(out + 8, capture ? PIN_MICROPHONE : PIN_LINE_OUT);
	virtio_put32(out + 12, capture ? PIN_INPUT : PIN_OUTPUT);
	out[16] = 1; /* connected */
}

void snd_virtio_put_pcm(bool capture, const struct snd_query *has, uint8_t *out)
{
	memset(out, 0, SND_VIRTIO_ITEM_MAX);
	virtio_put32(out + 4, SND_VIRTIO_PCM_F_EVT_XRUNS);
	virtio_put64(out + 8, snd_virtio_formats(has->formats));
	virtio_put64(out + 16, snd_virtio_rates(has->rate));
	out[24] = capture;
	out[25] = (uint8_t)has->channels.min;
	out[26] = (uint8_t)has->channels.max;
}

/* -- Channel maps -------------------------------------------------------------- */

enum position { MONO = 2, FL, FR, RL, RR, FC, LFE, SL, SR };

static const struct {
	uint8_t channels;
	uint8_t position[SND_CHANNELS_MAX];
} chmaps[SND_VIRTIO_CHMAPS] = {
	{1, {MONO}},
	{2, {FL, FR}},
	{4, {FL, FR, RL, RR}},
	{6, {FL, FR, RL, RR, FC, LFE}},
	{8, {FL, FR, RL, RR, FC, LFE, SL, SR}},
};

uint32_t snd_virtio_chmap_channels(unsigned nth)
{
	return chmaps[nth].channels;
}

void snd_virtio_put_chmap(bool capture, unsigned nth, uint8_t *out)
{
	memset(out, 0, SND_VIRTIO_ITEM_MAX);
	out[4] = capture;
	out[5] = chmaps[nth].channels;
	memcpy(out + 6, chmaps[nth].position, chmaps[nth].channels);
}

/* -- Controls ------------------------------------------------------------------ */

enum control_type { TYPE_BOOLEAN, TYPE_INTEGER };
enum control_access { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_TLV_READ = 16 };

#define ROLE_VOLUME 1
#define NAME	    24
#define NAME_MAX    44
#define RANGE	    68 /* behind the name, where 64 bits are aligned to 32 */
#define RANGE_8	    72
#define ITEM_8	    96

/* A switch has no role: a driver that knew MUTE would take its 1 for silence. */
void snd_virtio_put_control(const struct snd_virtio_control *control, uint32_t size,
			    uint8_t *out)
{
	static const char *const names[2][2] = {
		{"PCM Playback Volume", "PCM Playback Switch"},
		{"PCM Capture Volume", "PCM Capture Switch"},
	};
	const char *name = names[control->capture][control->is_switch];
	uint32_t range = size >= ITEM_8 ? RANGE_8 : RANGE;
	uint32_t access = ACCESS_READ | ACCESS_WRITE;

	memset(out, 0, SND_VIRTIO_ITEM_MAX);
	if (!control->is_switch) {
		virtio_put32(out + 4, ROLE_VOLUME << 1 | control->capture);
		access |= ACCESS_TLV_READ;
	}
	virtio_put32(out + 8, control->is_switch ? TYPE_BOOLEAN : TYPE_INTEGER);
	virtio_put32(out + 12, access);
	virtio_put32(out + 16, control->values);
	_Static_assert(NAME + NAME_MAX == RANGE, "the range is behind the name");
	memcpy(out + NAME, name, strlen(name));
	virtio_put32(out + range + 4, control->max);
	virtio_put32(out + range + 8, 1);
}

/* Steps of a volume: the lowest is silence. */
#define STEPS	  96
#define STEP	  1000
#define TLV_SCALE 1
#define TLV_MUTE  0x10000

void snd_virtio_put_scale(uint8_t *out)
{
	virtio_put32(out, TLV_SCALE);
	virtio_put32(out + 4, SND_VIRTIO_TLV - 8);
	virtio_put32(out + 8, (uint32_t)(-STEPS * STEP / 10));
	virtio_put32(out + 12, TLV_MUTE | STEP / 10);
}

int32_t snd_virtio_millidb(uint32_t value)
{
	if (!value)
		return SND_VOLUME_MIN;
	return value >= STEPS ? 0 : ((int32_t)value - STEPS) * STEP;
}

uint32_t snd_virtio_volume(int32_t millidb)
{
	if (millidb <= -STEPS * STEP)
		return 0;
	/* Rounded down: a ceiling is one. */
	return millidb >= 0 ? STEPS : (uint32_t)(STEPS * STEP + millidb) / STEP;
}
