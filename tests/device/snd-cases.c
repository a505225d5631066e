/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tests/device/snd-cases.h"

struct snd_bed bed;

const struct snd_config plain = {SND_FORMAT_S16_LE, 2, 48000, SIZE, PERIOD};

uint8_t snd_client_byte(uint64_t n)
{
	return (uint8_t)(n % 251 + 1);
}

void snd_client_open(struct snd_client *client, uint32_t stream,
		     const struct snd_config *config)
{
	*client = (struct snd_client){.stream = stream, .config = *config};
	snd_front_buffer(&bed.front, snd_bed_stream(&bed, stream),
			 (config->size + 4095) / 4096, false);
	assert_int_equal(snd_bed_open(&bed, stream, config), 0);
}

void snd_client_close(struct snd_client *client)
{
	assert_int_equal(snd_bed_simple(&bed, client->stream, XENSND_OP_CLOSE), 0);
	assert_true(
		snd_front_unbuffer(&bed.front, snd_bed_stream(&bed, client->stream)));
}

void snd_client_write(struct snd_client *client, uint32_t len)
{
	uint8_t *buffer = snd_bed_stream(&bed, client->stream)->buffer;
	uint32_t at = (uint32_t)(client->appl % client->config.size);

	for (uint32_t i = 0; i < len; i++)
		buffer[at + i] = snd_client_byte(client->sent + i);
	assert_int_equal(snd_bed_rw(&bed, client->stream, XENSND_OP_WRITE, at, len), 0);
	client->appl += len;
	client->sent += len;
}

static void fill(struct snd_client *client)
{
	uint32_t period = client->config.period;

	while (client->appl + period <= client->hw + client->config.size)
		snd_client_write(client, period);
}

void snd_client_start(struct snd_client *client)
{
	fill(client);
	assert_int_equal(snd_bed_trigger(&bed, client->stream, XENSND_OP_TRIGGER_START),
			 0);
}

void snd_playing(struct snd_client *client)
{
	snd_bed_up(&bed, &(struct snd_bed_conf){0});
	snd_client_open(client, 0, &plain);
	snd_client_start(client);
}

void snd_done(struct snd_client *client)
{
	snd_client_close(client);
	assert_int_equal(snd_bed_down(&bed), 0);
}

/* As handle_cur_pos() there. */
static void events(struct snd_client *client)
{
	struct xensnd_evt event;

	while (snd_front_event(snd_bed_stream(&bed, client->stream), &event)) {
		uint64_t delta = event.op.cur_pos.position - client->position;

		assert_int_equal(event.type, XENSND_EVT_CUR_POS);
		assert_true(event.op.cur_pos.position >= client->position);
		/* It counts modulo its ring. */
		assert_true(delta < client->config.size);
		client->position = event.op.cur_pos.position;
		client->hw += delta;
		client->gathered += delta;
		if (client->gathered > client->config.period) {
			client->gathered %= client->config.period;
			client->elapsed++;
		}
	}
	client->xruns += client->hw > client->appl;
}

void snd_client_turn(struct snd_client *client)
{
	events(client);
	fill(client);
}

void snd_client_play(struct snd_client *client, uint64_t ns)
{
	for (uint64_t i = 0; i < ns; i += CLOCK_MS / 2) {
		assert_int_equal(snd_bed_pass(&bed, CLOCK_MS / 2), 0);
		snd_client_turn(client);
	}
}

void snd_client_stop(struct snd_client *client)
{
	assert_int_equal(snd_bed_trigger(&bed, client->stream, XENSND_OP_TRIGGER_STOP),
			 0);
	events(client);
	/* The driver's pointer is where events have brought it; the prepare sets the
	 * application's to 0, and works if that is 0, too. */
	assert_int_equal(client->hw % client->config.size, 0);
	client->hw = client->appl = client->gathered = 0;
}

void assert_heard(uint32_t stream, uint64_t at, uint64_t from, uint64_t n)
{
	const struct snd_host_test *host = &bed.host[stream];

	assert_true(at + n <= host->nheard);
	for (uint64_t i = 0; i < n; i++) {
		if (host->heard[at + i] != snd_client_byte(from + i))
			fail_msg("byte %llu is not %llu of what was played",
				 (unsigned long long)(at + i),
				 (unsigned long long)(from + i));
	}
}

void assert_silent(uint32_t stream, uint64_t at)
{
	const struct snd_host_test *host = &bed.host[stream];

	for (; at < host->nheard; at++) {
		if (host->heard[at])
			fail_msg("byte %llu is not silent", (unsigned long long)at);
	}
}
