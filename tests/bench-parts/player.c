/* SPDX-License-Identifier: MIT */
/*
 * bench-player - plays to a PCM of ALSA's as aplay does, and says what it saw.
 *
 * usage: bench-player play PCM SECONDS FRAMES PERIODS
 *        bench-player spent COMMAND...
 *
 * play: silence, 48 kHz, stereo, 16 bits, in periods of FRAMES, with a buffer of
 * PERIODS of these. One line: "frames periods xruns", jitter and a write, each as
 * its "p50 p99 p99.9" in us, "drift span".
 *  - jitter: how much later than the earliest of all a period is told of, by this
 *    machine's clock;
 *  - a write: of one period, into a buffer that has room for it;
 *  - drift: how far the position has run ahead of this clock (or fallen behind:
 *    less than 0) from the span's first tenth to its last, in frames;
 *  - the span: what was played since the last xrun, in s. A stream that begins anew
 *    begins its position anew.
 * A loop's position moves by the kernel's ticks; that is in it.
 *
 * spent: runs the command; "sleeps us", of it and its children.
 */
#include <alsa/asoundlib.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

#define RATE	   48000u
#define CHANNELS   2u
#define FRAMES_MAX 65536u
#define LOOKS_MAX  400000u /* half an hour of 5 ms */
#define TENTH	   10
#define WAIT_MS	   10000

/* When a position was seen that has passed a period. */
struct look {
	uint64_t at;	   /* ns */
	uint64_t position; /* frames */
};

static struct player {
	snd_pcm_t *pcm;
	snd_pcm_uframes_t period, buffer;
	uint64_t written; /* frames, since the last xrun */
	uint64_t frames, periods, xruns;
	struct look look[LOOKS_MAX]; /* since the last xrun */
	uint32_t looks;
	uint64_t took[LOOKS_MAX]; /* ns, of each write */
	uint32_t writes;
} player;

static void die(const char *what, int error)
{
	fprintf(stderr, "bench-player: %s: %s\n", what, snd_strerror(error));
	exit(1);
}

static void good(const char *what, int r)
{
	if (r < 0)
		die(what, r);
}

/* -- The PCM --------------------------------------------------------------- */

static void set_hardware(struct player *p)
{
	snd_pcm_hw_params_t *hw;

	good("memory", snd_pcm_hw_params_malloc(&hw));
	good("any", snd_pcm_hw_params_any(p->pcm, hw));
	good("access",
	     snd_pcm_hw_params_set_access(p->pcm, hw, SND_PCM_ACCESS_RW_INTERLEAVED));
	good("format", snd_pcm_hw_params_set_format(p->pcm, hw, SND_PCM_FORMAT_S16_LE));
	good("channels", snd_pcm_hw_params_set_channels(p->pcm, hw, CHANNELS));
	good("rate", snd_pcm_hw_params_set_rate(p->pcm, hw, RATE, 0));
	good("period", snd_pcm_hw_params_set_period_size(p->pcm, hw, p->period, 0));
	good("buffer", snd_pcm_hw_params_set_buffer_size(p->pcm, hw, p->buffer));
	good("hardware", snd_pcm_hw_params(p->pcm, hw));
	snd_pcm_hw_params_free(hw);
}

/* Started when it is full, stopped when it is empty, as aplay has it. */
static void set_software(struct player *p)
{
	snd_pcm_sw_params_t *sw;

	good("memory", snd_pcm_sw_params_malloc(&sw));
	good("current", snd_pcm_sw_params_current(p->pcm, sw));
	good("start", snd_pcm_sw_params_set_start_threshold(p->pcm, sw, p->buffer));
	good("stop", snd_pcm_sw_params_set_stop_threshold(p->pcm, sw, p->buffer));
	good("avail", snd_pcm_sw_params_set_avail_min(p->pcm, sw, p->period));
	good("software", snd_pcm_sw_params(p->pcm, sw));
	snd_pcm_sw_params_free(sw);
}

static void xrun(struct player *p, const char *what, int r)
{
	if (r != -EPIPE)
		die(what, r);
	p->xruns++;
	p->written = 0;
	p->looks = p->writes = 0;
	good("prepare", snd_pcm_prepare(p->pcm));
}

/* -- Playing --------------------------------------------------------------- */

static void look(struct player *p, snd_pcm_uframes_t room)
{
	uint64_t position = p->written + room;
	const struct look *last = &p->look[p->looks ? p->looks - 1 : 0];

	/* What is in the buffer is yet to be played. */
	if (position < p->buffer)
		return;
	position -= p->buffer;
	if (p->looks == LOOKS_MAX ||
	    (p->looks && position / p->period == last->position / p->period))
		return;
	p->look[p->looks++] = (struct look){clock_now(), position};
}

static void write_period(struct player *p)
{
	static const int16_t silence[FRAMES_MAX * CHANNELS];
	uint64_t since = clock_now();
	snd_pcm_sframes_t n = snd_pcm_writei(p->pcm, silence, p->period);

	if (n < 0) {
		xrun(p, "write", (int)n);
		return;
	}
	if (p->writes < LOOKS_MAX)
		p->took[p->writes++] = clock_now() - since;
	p->written += (uint64_t)n;
	p->frames += (uint64_t)n;
	p->periods++;
}

/* Until there is room for a period; how much there is. */
static snd_pcm_uframes_t wait_room(struct player *p)
{
	snd_pcm_sframes_t room = snd_pcm_avail_update(p->pcm);
	int r;

	if (room >= 0 && (snd_pcm_uframes_t)room < p->period) {
		r = snd_pcm_wait(p->pcm, WAIT_MS);
		if (!r)
			die("nothing moves", -ETIMEDOUT);
		room = r < 0 ? r : snd_pcm_avail_update(p->pcm);
	}
	if (room >= 0)
		return (snd_pcm_uframes_t)room;
	xrun(p, "wait", (int)room);
	return p->buffer;
}

static void play(struct player *p, uint64_t frames)
{
	while (p->frames < frames) {
		snd_pcm_uframes_t room = wait_room(p);

		if (snd_pcm_state(p->pcm) == SND_PCM_STATE_RUNNING)
			look(p, room);
		if (room >= p->period)
			write_period(p);
	}
	snd_pcm_drain(p->pcm);
}

/* -- What it saw ----------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double part(const double *sorted, uint32_t n, double of)
{
	uint32_t at = (uint32_t)(of * n);

	return n ? sorted[at < n ? at : n - 1] : 0;
}

static double ns_of(uint64_t frames)
{
	return (double)frames * CLOCK_SECOND / RATE;
}

/* Time since the first look, and what the PCM's clock made of it: less than 0 if the
 * PCM is ahead, ns. */
static double behind(const struct player *p, uint32_t i, uint64_t position)
{
	double passed = (double)(p->look[i].at - p->look[0].at);

	return passed - (ns_of(position) - ns_of(p->look[0].position));
}

static void say_jitter(const struct player *p)
{
	static double late[LOOKS_MAX];

	/* Against the period's boundary, which the position has passed. */
	for (uint32_t i = 0; i < p->looks; i++)
		late[i] = behind(p, i, p->look[i].position / p->period * p->period);
	qsort(late, p->looks, sizeof(late[0]), by_size);
	for (unsigned i = 0; i < 3; i++)
		printf(" %.1f", (part(late, p->looks, (double[]){0.5, 0.99, 0.999}[i]) -
				 late[0]) /
					1e3);
}

static void say_writes(const struct player *p)
{
	static double took[LOOKS_MAX];

	for (uint32_t i = 0; i < p->writes; i++)
		took[i] = (double)p->took[i];
	qsort(took, p->writes, sizeof(took[0]), by_size);
	for (unsigned i = 0; i < 3; i++)
		printf(" %.1f",
		       part(took, p->writes, (double[]){0.5, 0.99, 0.999}[i]) / 1e3);
}

/* The median of that tenth: no single look decides. */
static double tenth(const struct player *p, uint32_t which)
{
	static double some[LOOKS_MAX];
	uint32_t n = p->looks / TENTH;

	for (uint32_t i = 0; i < n; i++)
		some[i] = behind(p, which * n + i, p->look[which * n + i].position);
	qsort(some, n, sizeof(some[0]), by_size);
	return part(some, n, 0.5);
}

static void say_drift(const struct player *p)
{
	double drift = tenth(p, 0) - tenth(p, TENTH - 1), span = 0;

	if (p->looks)
		span = (double)(p->look[p->looks - 1].at - p->look[0].at) /
		       CLOCK_SECOND;
	printf(" %.1f %.1f\n", drift * RATE / CLOCK_SECOND, span);
}

/* -- The commands ---------------------------------------------------------- */

static int do_play(char **argv)
{
	unsigned long seconds = strtoul(argv[1], NULL, 10);
	struct player *p = &player;

	p->period = strtoul(argv[2], NULL, 10);
	p->buffer = p->period * strtoul(argv[3], NULL, 10);
	if (!seconds || !p->period || p->period > FRAMES_MAX || !p->buffer)
		return 2;
	good(argv[0], snd_pcm_open(&p->pcm, argv[0], SND_PCM_STREAM_PLAYBACK, 0));
	set_hardware(p);
	set_software(p);
	play(p, (uint64_t)seconds * RATE);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64, p->frames, p->periods, p->xruns);
	say_jitter(p);
	say_writes(p);
	say_drift(p);
	snd_pcm_close(p->pcm);
	return 0;
}

static long micros(struct timeval tv)
{
	return tv.tv_sec * 1000000L + tv.tv_usec;
}

static int do_spent(char **argv)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		die(argv[0], -errno);
	printf("%ld %ld\n", usage.ru_nvcsw,
	       micros(usage.ru_utime) + micros(usage.ru_stime));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	int r = 2;

	if (argc == 6 && !strcmp(argv[1], "play"))
		r = do_play(argv + 2);
	else if (argc > 2 && !strcmp(argv[1], "spent"))
		return do_spent(argv + 2);
	if (r == 2)
		fprintf(stderr, "usage: bench-player play PCM SECONDS FRAMES PERIODS\n"
				"       bench-player spent COMMAND...\n");
	return r;
}
