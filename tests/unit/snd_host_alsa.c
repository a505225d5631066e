/* SPDX-License-Identifier: MIT */
/*
 * backends/snd/snd-host-alsa.c on alsa-lib's PCMs that need no card. What only a card
 * does, to run empty, to be suspended or pulled out, is put between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <alsa/asoundlib.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "tests/front/descriptors.h"
#include "tests/unit/snd_alsa_scene.h"

static const struct snd_params s16 = {SND_FORMAT_S16_LE, 2, 48000, 4096, 512};

static struct {
	snd_pcm_sframes_t avail; /* that is told, if not 0 */
	int written, started;	 /* the same */
	unsigned prepared;
	bool threads; /* who opens makes one */
	snd_pcm_uframes_t start, stop, boundary, silence;
	unsigned sets;
	unsigned rates[8], n_rates; /* that were set, each once */
} fake;

int __real_snd_pcm_hw_params_set_rate(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
				      unsigned rate, int dir);
int __wrap_snd_pcm_hw_params_set_rate(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
				      unsigned rate, int dir);
snd_pcm_sframes_t __real_snd_pcm_avail(snd_pcm_t *pcm);
snd_pcm_sframes_t __wrap_snd_pcm_avail(snd_pcm_t *pcm);
snd_pcm_sframes_t __real_snd_pcm_writei(snd_pcm_t *pcm, const void *data,
					snd_pcm_uframes_t frames);
snd_pcm_sframes_t __wrap_snd_pcm_writei(snd_pcm_t *pcm, const void *data,
					snd_pcm_uframes_t frames);
int __real_snd_pcm_start(snd_pcm_t *pcm);
int __wrap_snd_pcm_start(snd_pcm_t *pcm);
int __real_snd_pcm_prepare(snd_pcm_t *pcm);
int __wrap_snd_pcm_prepare(snd_pcm_t *pcm);
int __real_snd_pcm_sw_params(snd_pcm_t *pcm, snd_pcm_sw_params_t *sw);
int __wrap_snd_pcm_sw_params(snd_pcm_t *pcm, snd_pcm_sw_params_t *sw);
int __real_snd_pcm_open(snd_pcm_t **pcm, const char *name, snd_pcm_stream_t stream,
			int mode);
int __wrap_snd_pcm_open(snd_pcm_t **pcm, const char *name, snd_pcm_stream_t stream,
			int mode);

int __wrap_snd_pcm_hw_params_set_rate(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
				      unsigned rate, int dir)
{
	unsigned i = 0;

	assert_int_equal(dir, 0);
	while (i < fake.n_rates && fake.rates[i] != rate)
		i++;
	if (i == fake.n_rates && i < sizeof(fake.rates) / sizeof(fake.rates[0]))
		fake.rates[fake.n_rates++] = rate;
	return __real_snd_pcm_hw_params_set_rate(pcm, hw, rate, dir);
}

snd_pcm_sframes_t __wrap_snd_pcm_avail(snd_pcm_t *pcm)
{
	return fake.avail ? fake.avail : __real_snd_pcm_avail(pcm);
}

snd_pcm_sframes_t __wrap_snd_pcm_writei(snd_pcm_t *pcm, const void *data,
					snd_pcm_uframes_t frames)
{
	return fake.written ? fake.written : __real_snd_pcm_writei(pcm, data, frames);
}

int __wrap_snd_pcm_start(snd_pcm_t *pcm)
{
	return fake.started ? fake.started : __real_snd_pcm_start(pcm);
}

int __wrap_snd_pcm_prepare(snd_pcm_t *pcm)
{
	fake.prepared++;
	return __real_snd_pcm_prepare(pcm);
}

int __wrap_snd_pcm_sw_params(snd_pcm_t *pcm, snd_pcm_sw_params_t *sw)
{
	fake.sets++;
	snd_pcm_sw_params_get_start_threshold(sw, &fake.start);
	snd_pcm_sw_params_get_stop_threshold(sw, &fake.stop);
	snd_pcm_sw_params_get_boundary(sw, &fake.boundary);
	snd_pcm_sw_params_get_silence_size(sw, &fake.silence);
	return __real_snd_pcm_sw_params(pcm, sw);
}

static void *idle(void *arg)
{
	pause();
	return arg;
}

int __wrap_snd_pcm_open(snd_pcm_t **pcm, const char *name, snd_pcm_stream_t stream,
			int mode)
{
	pthread_t thread;

	assert_int_equal(mode, SND_PCM_NONBLOCK);
	if (fake.threads) {
		assert_int_equal(pthread_create(&thread, NULL, idle, NULL), 0);
		assert_int_equal(pthread_detach(thread), 0);
	}
	return __real_snd_pcm_open(pcm, name, stream, mode);
}

static struct snd_host *open_host(const char *name, bool capture)
{
	struct snd_host *host = NULL;

	assert_int_equal(scene_open(&host, name, capture), 0);
	return host;
}

static int room_of(struct snd_host *host)
{
	uint32_t n = 0;
	int r = snd_host_room(host, 0, &n);

	return r ? r : (int)n;
}

/* -- What it can do -----------------------------------------------------------------
 */

static void caps(void **state)
{
	struct snd_host *host = open_host("none", false);

	(void)state;
	/* One of them alsa-lib 1.2.8 denies to each of its PCMs. */
	assert_int_equal(host->caps.formats | 1u << SND_FORMAT_IEC958_SUBFRAME_BE,
			 SND_FORMATS_ALL);
	assert_int_equal(host->caps.rate.min, SND_RATE_MIN);
	assert_int_equal(host->caps.rate.max, SND_RATE_MAX);
	assert_int_equal(host->caps.channels.min, 1);
	assert_int_equal(host->caps.channels.max, SND_CHANNELS_MAX);
	snd_host_close(host);

	host = open_host("linear", true);
	for (unsigned i = 0; i < SND_FORMATS; i++) {
		enum snd_format format = (enum snd_format)i;

		assert_int_equal(host->caps.formats >> i & 1,
				 snd_format_is_linear(format) &&
					 !snd_format_info(format)->is_float);
	}
	snd_host_close(host);
}

static void set(void **state)
{
	const struct snd_params law = {SND_FORMAT_MU_LAW, 2, 48000, 4096, 512};
	const struct snd_params fast = {SND_FORMAT_U8, 2, SND_RATE_MAX + 1, 4096, 512};
	const struct snd_params wide = {SND_FORMAT_U8, 9, 48000, 4096, 512};
	const struct snd_params step = {SND_FORMAT_U8, 2, 48000, 512, 512};
	struct snd_host *host = open_host("linear", false);

	(void)state;
	assert_int_equal(room_of(host), -EBADFD);
	assert_int_equal(snd_host_start(host, 0), -EBADFD);
	fake.sets = 0;
	assert_int_equal(snd_host_set(host, &s16), 0);
	assert_int_equal(fake.sets, 1);
	assert_int_equal(host->params.buffer, 4096);
	assert_int_equal(host->params.rate, 48000);
	/* It starts when it is told, and stops when it has run empty. */
	assert_true(fake.boundary > 4096 && fake.start == fake.boundary);
	assert_int_equal(fake.stop, 4096);
	/* Nothing is heard twice, however late it is stopped. */
	assert_int_equal(fake.silence, fake.boundary);
	assert_int_equal(room_of(host), 4096);
	assert_int_equal(snd_host_set(host, &step), 0);
	assert_int_equal(host->params.buffer, 1024);

	assert_int_equal(snd_host_set(host, &law), -EINVAL);
	assert_int_equal(room_of(host), -EBADFD);
	assert_int_equal(snd_host_set(host, &fast), -EINVAL);
	assert_int_equal(snd_host_set(host, &wide), -EINVAL);
	assert_int_equal(snd_host_set(host, &s16), 0);
	snd_host_close(host);
}

/* Whatever the PCM's own rate is, one was another: what converts them is loaded. */
static void rehearses(void **state)
{
	struct snd_host *host;

	(void)state;
	fake.sets = fake.n_rates = 0;
	host = open_host("none", false);
	assert_true(fake.n_rates >= 2);
	assert_int_equal(fake.sets, fake.n_rates);
	assert_int_equal(room_of(host), -EBADFD);
	snd_host_close(host);
}

/* The whole of them, in their order, and only what was moved. */
static void frames_arrive(void **state)
{
	struct snd_host *host = open_host("raw", false);
	uint8_t in[2048 * 4], out[sizeof(in) + 1];
	int fd;

	(void)state;
	for (unsigned i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(snd_host_set(host, &s16), 0);
	assert_int_equal(snd_host_move(host, in, 0), 0);
	assert_int_equal(snd_host_move(host, in, 1500), 1500);
	assert_int_equal(snd_host_start(host, 0), 0);
	assert_int_equal(snd_host_move(host, in + 1500 * 4, 548), 548);
	snd_host_close(host);
	fd = open(scene_raw, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, out, sizeof(out)), sizeof(in));
	assert_memory_equal(in, out, sizeof(in));
	close(fd);
}

static void records(void **state)
{
	struct snd_host *host = open_host("none", true);
	uint8_t data[512 * 4];

	(void)state;
	memset(data, 0xee, sizeof(data));
	assert_int_equal(snd_host_set(host, &s16), 0);
	assert_int_equal(snd_host_start(host, 0), 0);
	assert_int_equal(room_of(host), 4096);
	assert_int_equal(snd_host_move(host, data, 512), 512);
	for (unsigned i = 0; i < sizeof(data); i++)
		assert_int_equal(data[i], 0);
	snd_host_stop(host);
	assert_int_equal(snd_host_set(host, &s16), 0);
	snd_host_close(host);
}

/* -- What a card does ---------------------------------------------------------------
 */

static void again(void **state)
{
	static const int errors[] = {-EPIPE, -ESTRPIPE};
	struct snd_host *host = open_host("none", false);
	uint8_t data[512 * 4] = {0};

	(void)state;
	assert_int_equal(snd_host_set(host, &s16), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(snd_host_move(host, data, 512), 512);
		fake.prepared = 0;
		fake.avail = errors[i];
		assert_int_equal(room_of(host), -EPIPE);
		fake.avail = 0;
		assert_int_equal(fake.prepared, 1);
		assert_int_equal(room_of(host), 4096);
		fake.written = errors[i];
		assert_int_equal(snd_host_move(host, data, 512), -EPIPE);
		fake.written = 0;
		fake.started = errors[i];
		assert_int_equal(snd_host_start(host, 0), -EPIPE);
		fake.started = 0;
		assert_int_equal(fake.prepared, 3);
	}
	snd_host_close(host);
}

static void other_errors(void **state)
{
	struct snd_host *host = open_host("none", false);
	uint8_t data[4] = {0};

	(void)state;
	assert_int_equal(snd_host_set(host, &s16), 0);
	fake.prepared = 0;
	fake.avail = -ENODEV;
	assert_int_equal(room_of(host), -ENODEV);
	fake.avail = -500000; /* a number of alsa-lib's own */
	assert_int_equal(room_of(host), -EIO);
	fake.avail = 1 << 30;
	assert_int_equal(room_of(host), 4096);
	fake.avail = 0;
	fake.written = -EAGAIN;
	assert_int_equal(snd_host_move(host, data, 1), 0);
	fake.written = 0;
	assert_int_equal(fake.prepared, 0);
	snd_host_close(host);
}

/* As set() left it. */
static void stops(void **state)
{
	struct snd_host *host = open_host("none", false);
	uint8_t data[512 * 4] = {0};

	(void)state;
	assert_int_equal(snd_host_set(host, &s16), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(snd_host_move(host, data, 512), 512);
		assert_int_equal(snd_host_start(host, 0), 0);
		snd_host_stop(host);
		assert_int_equal(room_of(host), 4096);
	}
	snd_host_close(host);
}

/* -- What does not open -------------------------------------------------------------
 */

/* What goes to standard error while it is opened, and how that ends. */
static int opened(const char *name, char *said, size_t size)
{
	struct snd_host *host;
	int out = open(scene_dir, O_TMPFILE | O_RDWR, 0600), err = dup(2), r;
	ssize_t n;

	assert_true(out >= 0 && err >= 0);
	dup2(out, 2);
	r = scene_open(&host, name, false);
	dup2(err, 2);
	n = pread(out, said, size - 1, 0);
	assert_true(n >= 0);
	said[n] = '\0';
	close(out);
	close(err);
	return r;
}

static void no_such(void **state)
{
	unsigned before = descriptors();
	char said[4096];

	(void)state;
	assert_int_equal(opened("hw:31", said, sizeof(said)), -ENOENT);
	assert_int_equal(strncmp(said, "<4>test: ALSA, snd_", 19), 0);
	for (const char *line = said; *line; line = strchr(line, '\n') + 1)
		assert_int_equal(strncmp(line, "<4>test: ", 9), 0);
	assert_int_equal(descriptors(), before);
}

static void threads_are_refused(void **state)
{
	unsigned before = descriptors();
	char said[4096];

	(void)state;
	log_init(&scene_log, "test");
	fake.threads = true;
	assert_int_equal(opened("none", said, sizeof(said)), -EOPNOTSUPP);
	fake.threads = false;
	assert_non_null(strstr(said, "<3>test: the PCM none makes threads"));
	assert_int_equal(descriptors(), before);
	assert_int_equal(opened("nothing", said, sizeof(said)), -ENOENT);
}

static int setup(void **state)
{
	(void)state;
	scene_init();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scene_fini();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caps),		cmocka_unit_test(set),
		cmocka_unit_test(rehearses),	cmocka_unit_test(frames_arrive),
		cmocka_unit_test(records),	cmocka_unit_test(again),
		cmocka_unit_test(other_errors), cmocka_unit_test(stops),
		cmocka_unit_test(no_such),	cmocka_unit_test(threads_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
