/* SPDX-License-Identifier: MIT */
/* What the device has: jacks, streams, channel maps, and controls with their values.
 * See snd-virtio.h. */
#include <string.h>

#include "backends/snd/snd-virtio.h"

static bool is_capture(const struct snd_virtio *v, uint32_t stream)
{
	return v->stream[stream].capture;
}

static void query(const struct snd *s, struct snd_query *out)
{
	*out = (struct snd_query){
		.formats = SND_FORMATS_ALL,
		.rate = {1, UINT32_MAX},
		.channels = {1, SND_CHANNELS_MAX},
		.buffer = {1, UINT32_MAX},
		.period = {1, UINT32_MAX},
	};
	/* What can be had in no way has no formats. */
	if (snd_query(s, out) != SND_OK)
		*out = (struct snd_query){.channels = {1, 1}, .rate = {1, 0}};
}

/* -- Channel maps ------------------------------------------------------------------ */

/* The @nth of all that streams have; false: there are not so many. */
static bool chmap_at(const struct snd_virtio *v, uint32_t nth, uint32_t *stream,
		     unsigned *layout)
{
	struct snd_query has;

	for (*stream = 0; *stream < v->streams; ++*stream) {
		query(v->stream[*stream].snd, &has);
		for (*layout = 0; *layout < SND_VIRTIO_CHMAPS; ++*layout) {
			uint32_t channels = snd_virtio_chmap_channels(*layout);

			if (channels >= has.channels.min &&
			    channels <= has.channels.max && !nth--)
				return true;
		}
	}
	return false;
}

uint32_t snd_virtio_chmap_count(const struct snd_virtio *v)
{
	uint32_t n = 0, stream;
	unsigned layout;

	while (chmap_at(v, n, &stream, &layout))
		n++;
	return n;
}

/* -- Controls ---------------------------------------------------------------------- */

/* Of each stream a volume, then a switch. */
static struct snd_virtio_control control_at(const struct snd_virtio *v, uint32_t id)
{
	const struct snd_virtio_stream *st = &v->stream[id / 2];
	struct snd_virtio_control control = {st->capture, id % 2, 1, 1};
	struct snd_query has;

	query(st->snd, &has);
	control.values = has.channels.max;
	if (!control.is_switch)
		control.max = snd_virtio_volume(v->conf.snd_policy->volume);
	return control;
}

static uint32_t value_at(const struct snd_virtio_control *control,
			 const struct snd_levels *levels, uint32_t channel)
{
	uint32_t volume = snd_virtio_volume(levels->volume[channel]);

	if (control->is_switch)
		return !levels->muted[channel];
	return volume < control->max ? volume : control->max;
}

static void read_values(const struct snd_virtio_control *control,
			const struct snd_levels *levels, uint8_t *out)
{
	for (uint32_t i = 0; i < control->values; i++)
		virtio_put32(out + SND_VIRTIO_WORD * i, value_at(control, levels, i));
}

/* All of them, or none. */
static bool write_values(const struct snd_virtio_control *control,
			 const struct virtio_parts *parts, struct snd_levels *levels)
{
	struct snd_levels wanted = *levels;

	for (uint32_t i = 0; i < control->values; i++) {
		uint8_t word[SND_VIRTIO_WORD];
		uint32_t value;

		virtio_parts_read(parts, SND_VIRTIO_ID + SND_VIRTIO_WORD * (uint64_t)i,
				  word, sizeof(word));
		value = virtio_le32(word);
		if (value > control->max)
			return false;
		if (control->is_switch)
			wanted.muted[i] = !value;
		else
			wanted.volume[i] = snd_virtio_millidb(value);
	}
	*levels = wanted;
	return true;
}

static enum snd_virtio_answer control_read(const struct snd_virtio_control *control,
					   struct snd_virtio_stream *st,
					   const struct virtio_parts *parts,
					   uint8_t *out, uint32_t *n)
{
	*n = SND_VIRTIO_WORD * control->values;
	if (virtio_parts_room(parts) - SND_VIRTIO_HEADER < *n) {
		*n = 0;
		return SND_VIRTIO_BAD_MSG;
	}
	read_values(control, &st->levels, out);
	return SND_VIRTIO_OK;
}

static enum snd_virtio_answer control_write(const struct snd_virtio_control *control,
					    struct snd_virtio_stream *st,
					    const struct virtio_parts *parts)
{
	uint32_t bytes = SND_VIRTIO_WORD * control->values;

	if (virtio_parts_readable(parts) - SND_VIRTIO_ID < bytes ||
	    !write_values(control, parts, &st->levels))
		return SND_VIRTIO_BAD_MSG;
	snd_set_levels(st->snd, &st->levels);
	return SND_VIRTIO_OK;
}

/* "if there is not enough space [...], write as much": 5.14.6.10.3. */
static enum snd_virtio_answer control_scale(const struct snd_virtio_control *control,
					    const struct virtio_parts *parts,
					    uint8_t *out, uint32_t *n)
{
	uint64_t room = virtio_parts_room(parts) - SND_VIRTIO_HEADER;

	if (control->is_switch)
		return SND_VIRTIO_NOT_SUPP;
	snd_virtio_put_scale(out);
	*n = room < SND_VIRTIO_TLV ? (uint32_t)room : SND_VIRTIO_TLV;
	return SND_VIRTIO_OK;
}

enum snd_virtio_answer snd_virtio_control(struct snd_virtio *v,
					  const struct snd_virtio_request *r,
					  uint8_t *out, uint32_t *n)
{
	const struct virtio_parts *parts = &r->slot->parts;
	struct snd_virtio_control control;
	struct snd_virtio_stream *st;

	if (!(v->door.device.features & SND_VIRTIO_F_CTLS))
		return SND_VIRTIO_NOT_SUPP;
	if (r->order.id >= 2 * v->streams)
		return SND_VIRTIO_BAD_MSG;
	control = control_at(v, r->order.id);
	st = &v->stream[r->order.id / 2];
	if (r->order.code == SND_VIRTIO_CTL_READ)
		return control_read(&control, st, parts, out, n);
	if (r->order.code == SND_VIRTIO_CTL_WRITE)
		return control_write(&control, st, parts);
	return control_scale(&control, parts, out, n);
}

/* -- Items ------------------------------------------------------------------------- */

static void put_jack(const struct snd_virtio *v, uint32_t id, uint32_t size,
		     uint8_t *out)
{
	(void)size;
	snd_virtio_put_jack(is_capture(v, id), out);
}

static void put_pcm(const struct snd_virtio *v, uint32_t id, uint32_t size,
		    uint8_t *out)
{
	struct snd_query has;

	(void)size;
	query(v->stream[id].snd, &has);
	snd_virtio_put_pcm(is_capture(v, id), &has, out);
}

static void put_chmap(const struct snd_virtio *v, uint32_t id, uint32_t size,
		      uint8_t *out)
{
	uint32_t stream;
	unsigned layout;

	(void)size;
	if (chmap_at(v, id, &stream, &layout))
		snd_virtio_put_chmap(is_capture(v, stream), layout, out);
}

static void put_control(const struct snd_virtio *v, uint32_t id, uint32_t size,
			uint8_t *out)
{
	struct snd_virtio_control control = control_at(v, id);

	snd_virtio_put_control(&control, size, out);
}

static const struct kind {
	uint32_t code;
	uint32_t config; /* where the driver reads how many there are */
	uint64_t feature;
	void (*put)(const struct snd_virtio *v, uint32_t id, uint32_t size,
		    uint8_t *out);
} kinds[] = {
	{SND_VIRTIO_JACK_INFO, SND_VIRTIO_CONFIG_JACKS, 0, put_jack},
	{SND_VIRTIO_PCM_INFO, SND_VIRTIO_CONFIG_STREAMS, 0, put_pcm},
	{SND_VIRTIO_CHMAP_INFO, SND_VIRTIO_CONFIG_CHMAPS, 0, put_chmap},
	{SND_VIRTIO_CTL_INFO, SND_VIRTIO_CONFIG_CONTROLS, SND_VIRTIO_F_CTLS,
	 put_control},
};

static const struct kind *kind_of(uint32_t code)
{
	const struct kind *kind = kinds;

	while (kind->code != code)
		kind++;
	return kind;
}

enum snd_virtio_answer snd_virtio_items(struct snd_virtio *v,
					const struct snd_virtio_request *r,
					uint8_t *out, uint32_t *n)
{
	const struct snd_virtio_order *o = &r->order;
	const struct kind *kind = kind_of(o->code);
	uint32_t have = virtio_le32(v->door.device.config + kind->config);
	uint64_t room = virtio_parts_room(&r->slot->parts) - SND_VIRTIO_HEADER;
	uint8_t item[SND_VIRTIO_ITEM_MAX] = {0};

	if (kind->feature & ~v->door.device.features)
		return SND_VIRTIO_NOT_SUPP;
	if (o->start > have || o->count > have - o->start || !o->size ||
	    o->size > SND_VIRTIO_ITEM_MAX || (uint64_t)o->count * o->size > room)
		return SND_VIRTIO_BAD_MSG;
	for (uint32_t i = 0; i < o->count; i++) {
		kind->put(v, o->start + i, o->size, item);
		memcpy(out + (size_t)i * o->size, item, o->size);
	}
	*n = o->count * o->size;
	return SND_VIRTIO_OK;
}
