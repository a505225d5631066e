/* SPDX-License-Identifier: MIT */
/*
 * Plays a file of samples (s16_le, 48 kHz, stereo) by alsa-lib and pauses in the middle
 * of it for a second: aplay pauses for who sits before a terminal alone.
 *
 *	xdd-alsa-pause PCM FILE
 */
#include <alsa/asoundlib.h>
#include <stdio.h>
#include <time.h>

#define RATE	48000
#define FRAME	4
#define LATENCY 300000 /* us */

static int check(int r, const char *what)
{
	if (r < 0)
		fprintf(stderr, "%s: %s\n", what, snd_strerror(r));
	return r;
}

static int play(snd_pcm_t *pcm, const char *data, size_t frames)
{
	while (frames) {
		snd_pcm_sframes_t n = snd_pcm_writei(pcm, data, frames);

		if (check((int)n, "write") < 0)
			return (int)n;
		data += n * FRAME;
		frames -= (size_t)n;
	}
	return 0;
}

static int pause_and_resume(snd_pcm_t *pcm)
{
	int r = check(snd_pcm_pause(pcm, 1), "pause");

	if (r < 0)
		return r;
	nanosleep(&(struct timespec){1, 0}, NULL);
	return check(snd_pcm_pause(pcm, 0), "resume");
}

/* To a whole period behind @frames, as aplay does: virtio_snd sends no part of one. */
static int fill_up(snd_pcm_t *pcm, size_t frames)
{
	static const char silence[1 << 20];
	snd_pcm_uframes_t buffer, period;
	int r = check(snd_pcm_get_params(pcm, &buffer, &period), "period");
	size_t rest = r < 0 ? 0 : frames % period;

	return rest ? play(pcm, silence, period - rest) : r;
}

int main(int argc, char **argv)
{
	static char data[4 << 20];
	FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;
	size_t frames, half;
	snd_pcm_t *pcm;
	int r;

	if (!file) {
		fprintf(stderr, "usage: xdd-alsa-pause PCM FILE\n");
		return 2;
	}
	frames = fread(data, FRAME, sizeof(data) / FRAME, file);
	half = frames / 2;
	fclose(file);
	if (check(snd_pcm_open(&pcm, argv[1], SND_PCM_STREAM_PLAYBACK, 0), "open") < 0)
		return 1;
	r = check(snd_pcm_set_params(pcm, SND_PCM_FORMAT_S16_LE,
				     SND_PCM_ACCESS_RW_INTERLEAVED, 2, RATE, 0,
				     LATENCY),
		  "set");
	if (!r)
		r = play(pcm, data, half);
	if (!r)
		r = pause_and_resume(pcm);
	if (!r)
		r = play(pcm, data + half * FRAME, frames - half);
	if (!r)
		r = fill_up(pcm, frames);
	if (!r)
		r = check(snd_pcm_drain(pcm), "drain");
	snd_pcm_close(pcm);
	return r < 0;
}
