/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tests/device/snd-virtio-cases.h"

const struct vsnd_params vsnd_plain = {SIZE, PERIOD,	     SND_VFRONT_F_XRUNS,
				       2,    SND_VFRONT_S16, SND_VFRONT_HZ_48000};

void vsnd_up(const struct snd_bed_conf *conf)
{
	struct snd_bed_conf c = *conf;

	c.door = POLICY_VIRTIO;
	snd_bed_up(&bed, &c);
}

void vsnd_down(void)
{
	assert_int_equal(snd_bed_down(&bed), 0);
}

/* -- Orders ---------------------------------------------------------------------- */

static bool answered(uint8_t *out, uint32_t room, uint32_t *len)
{
	uint16_t id;
	bool got;

	snd_bed_run(&bed);
	got = snd_vfront_back(&bed.vfront, SND_VFRONT_CONTROL, &id, out, room, len);
	assert_true(!got || id == 0x77);
	return got;
}

uint32_t vsnd_ask(const void *bytes, uint32_t n, uint32_t room, struct vsnd_answer *out)
{
	struct vsnd_answer own;
	bool got = false;

	out = out ? out : &own;
	assert_true(room <= VSND_ANSWER_MAX);
	assert_true(
		snd_vfront_put(&bed.vfront, SND_VFRONT_CONTROL, 0x77, bytes, n, room));
	for (unsigned i = 0; !(got = answered(out->bytes, room, &out->len)) && i < 3000;
	     i++)
		snd_bed_pass(&bed, CLOCK_MS);
	assert_true(got);
	out->code = (uint32_t)le_get(out->bytes, 4);
	assert_true(out->len >= 4);
	return out->code;
}

uint32_t vsnd_order(uint32_t code, uint32_t id)
{
	uint8_t bytes[8];

	le_put(bytes, 4, code);
	le_put(bytes + 4, 4, id);
	return vsnd_ask(bytes, sizeof(bytes), 4, NULL);
}

uint32_t vsnd_info(uint32_t code, uint32_t start, uint32_t count, uint32_t size,
		   uint32_t room, struct vsnd_answer *out)
{
	uint8_t bytes[16];

	le_put(bytes, 4, code);
	le_put(bytes + 4, 4, start);
	le_put(bytes + 8, 4, count);
	le_put(bytes + 12, 4, size);
	return vsnd_ask(bytes, sizeof(bytes), room, out);
}

uint32_t vsnd_set(uint32_t stream, const struct vsnd_params *params)
{
	uint8_t bytes[SND_VFRONT_PARAMS] = {0};

	le_put(bytes, 4, SND_VFRONT_SET_PARAMS);
	le_put(bytes + 4, 4, stream);
	le_put(bytes + 8, 4, params->buffer);
	le_put(bytes + 12, 4, params->period);
	le_put(bytes + 16, 4, params->features);
	bytes[20] = params->channels;
	bytes[21] = params->format;
	bytes[22] = params->rate;
	return vsnd_ask(bytes, sizeof(bytes), 4, NULL);
}

/* -- Samples ---------------------------------------------------------------------- */

static bool records(const struct vsnd_client *client)
{
	return client->stream % 2;
}

void vsnd_open(struct vsnd_client *client, uint32_t stream,
	       const struct vsnd_params *params)
{
	*client = (struct vsnd_client){.stream = stream, .params = *params};
	assert_int_equal(vsnd_set(stream, params), SND_VFRONT_OK);
	assert_int_equal(vsnd_order(SND_VFRONT_PREPARE, stream), SND_VFRONT_OK);
}

void vsnd_send(struct vsnd_client *client, uint32_t bytes)
{
	static uint8_t data[SND_VFRONT_XFER + SND_BUFFER_MAX];
	uint32_t room = records(client) ? bytes : 0;

	le_put(data, SND_VFRONT_XFER, client->stream);
	for (uint32_t i = 0; !room && i < bytes; i++)
		data[SND_VFRONT_XFER + i] = snd_client_byte(client->bytes + i);
	assert_true(snd_vfront_put(
		&bed.vfront, records(client) ? SND_VFRONT_RX : SND_VFRONT_TX,
		(uint16_t)client->sent, data, SND_VFRONT_XFER + bytes - room,
		SND_VFRONT_STATUS + room));
	client->bytes += bytes;
	client->sent++;
	client->out++;
}

static void judge(struct vsnd_client *client, const uint8_t *at, uint32_t len)
{
	uint32_t room = records(client) ? client->params.period : 0;
	uint32_t status = (uint32_t)le_get(at + room, 4);

	assert_true(status == SND_VFRONT_OK || status == SND_VFRONT_IO_ERR);
	client->failed += status != SND_VFRONT_OK;
	/* Of one that failed nothing is said to be written but, alone, its status. */
	if (status != SND_VFRONT_OK) {
		assert_true(len == 0 || !room);
		return;
	}
	assert_int_equal(len, room + SND_VFRONT_STATUS);
	client->latency = (uint32_t)le_get(at + room + 4, 4);
	if (client->latency > client->latency_most)
		client->latency_most = client->latency;
	for (uint32_t i = 0; i < room; i++)
		client->wrong += at[i] != snd_host_test_byte(client->recorded++);
}

void vsnd_collect(struct vsnd_client *client)
{
	static uint8_t bytes[SND_BUFFER_MAX + SND_VFRONT_STATUS];
	unsigned queue = records(client) ? SND_VFRONT_RX : SND_VFRONT_TX;
	uint32_t len;
	uint16_t id;

	while (snd_vfront_back(&bed.vfront, queue, &id, bytes, sizeof(bytes), &len)) {
		assert_int_equal(id, (uint16_t)client->back);
		judge(client, bytes, len);
		client->back++;
		client->out--;
	}
}

static void fill(struct vsnd_client *client)
{
	const struct vsnd_params *p = &client->params;

	while ((client->out + 1) * p->period <= p->buffer)
		vsnd_send(client, p->period);
}

void vsnd_start(struct vsnd_client *client)
{
	fill(client);
	assert_int_equal(vsnd_order(SND_VFRONT_START, client->stream), SND_VFRONT_OK);
}

void vsnd_play(struct vsnd_client *client, uint64_t ns)
{
	for (uint64_t i = 0; i < ns; i += CLOCK_MS / 2) {
		assert_int_equal(snd_bed_pass(&bed, CLOCK_MS / 2), 0);
		vsnd_collect(client);
		fill(client);
	}
	snd_bed_run(&bed);
}

void vsnd_stop(struct vsnd_client *client)
{
	assert_int_equal(vsnd_order(SND_VFRONT_STOP, client->stream), SND_VFRONT_OK);
	assert_int_equal(vsnd_order(SND_VFRONT_RELEASE, client->stream), SND_VFRONT_OK);
	vsnd_collect(client);
	assert_int_equal(client->out, 0);
}

void vsnd_playing(struct vsnd_client *client, uint32_t stream, bool grant)
{
	vsnd_up(&(struct snd_bed_conf){.grant = grant});
	vsnd_open(client, stream, &vsnd_plain);
	vsnd_start(client);
}

/* -- Events ----------------------------------------------------------------------- */

void vsnd_post_event(void)
{
	assert_true(snd_vfront_put(&bed.vfront, SND_VFRONT_EVENT, 0x55, "", 0, 8));
	snd_bed_run(&bed);
}

bool vsnd_event(uint32_t *code, uint32_t *data)
{
	uint8_t bytes[8];
	uint32_t len;
	uint16_t id;

	if (!snd_vfront_back(&bed.vfront, SND_VFRONT_EVENT, &id, bytes, sizeof(bytes),
			     &len))
		return false;
	assert_int_equal(len, 8);
	*code = (uint32_t)le_get(bytes, 4);
	*data = (uint32_t)le_get(bytes + 4, 4);
	return true;
}
