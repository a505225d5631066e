/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tests/device/snd-host-test.h"

static struct snd_host_test *test_of(struct snd_host *host)
{
	return (struct snd_host_test *)host;
}

static int fault(int *which)
{
	int r = *which;

	*which = 0;
	return r;
}

uint8_t snd_host_test_byte(uint64_t n)
{
	return (uint8_t)(n * 7 + (n >> 8) * 13 + 1);
}

static uint64_t bytes(const struct snd_host_test *test, uint64_t frames)
{
	struct snd_unit unit =
		snd_format_unit(test->host.params.format, test->host.params.channels);

	assert(!(frames % unit.frames));
	return frames / unit.frames * unit.bytes;
}

static void reset(struct snd_host_test *test)
{
	test->running = false;
	test->moved = 0;
}

static int test_set(struct snd_host *host, const struct snd_params *params)
{
	struct snd_host_test *test = test_of(host);
	int r = fault(&test->fail_set);

	assert(!test->running);
	assert(params->step && params->buffer >= 2 * params->step);
	if (r)
		return r;
	host->params = *params;
	test->set = true;
	test->sets++;
	reset(test);
	return 0;
}

static int test_start(struct snd_host *host, uint64_t now)
{
	struct snd_host_test *test = test_of(host);
	int r = fault(&test->fail_start);

	assert(test->set && !test->running && (host->capture || test->moved));
	if (r)
		return r;
	test->running = true;
	test->began = now;
	test->starts++;
	return 0;
}

/* Frames since it was started: 10^9 times a rate fits 64 bits. */
static uint64_t elapsed(const struct snd_host_test *test, uint64_t now)
{
	uint64_t ns = now - test->began, rate = test->host.params.rate;

	return ns / CLOCK_SECOND * rate + ns % CLOCK_SECOND * rate / CLOCK_SECOND;
}

static int test_room(struct snd_host *host, uint64_t now, uint32_t *out)
{
	struct snd_host_test *test = test_of(host);
	uint64_t passed, buffer = host->params.buffer;
	int r = fault(&test->fail_room);

	assert(test->set);
	if (r)
		return r;
	passed = test->running ? elapsed(test, now) : 0;
	passed = test->deaf ? 0 : passed;
	passed -= test->tick ? passed % test->tick : 0;
	if (host->capture ? passed - test->moved > buffer : passed > test->moved) {
		test->empty++;
		reset(test);
		return -EPIPE;
	}
	*out = (uint32_t)(host->capture ? passed - test->moved
					: buffer - (test->moved - passed));
	return 0;
}

static int test_move(struct snd_host *host, uint8_t *data, uint32_t frames)
{
	struct snd_host_test *test = test_of(host);
	uint64_t n = bytes(test, frames);
	int r = fault(&test->fail_move);

	assert(test->set && frames);
	if (r)
		return r;
	for (uint64_t i = 0; host->capture && i < n; i++)
		data[i] = snd_host_test_byte(test->recorded++);
	if (!host->capture && test->nheard + n <= SND_HOST_HEARD)
		memcpy(test->heard + test->nheard, data, n);
	test->nheard += host->capture ? 0 : n;
	test->moved += frames;
	return (int)frames;
}

static void test_stop(struct snd_host *host)
{
	struct snd_host_test *test = test_of(host);

	test->stops++;
	reset(test);
}

static void test_close(struct snd_host *host)
{
	(void)host;
}

static const struct snd_host_ops test_ops = {
	.set = test_set,
	.start = test_start,
	.room = test_room,
	.move = test_move,
	.stop = test_stop,
	.close = test_close,
};

void snd_host_test_open(struct snd_host_test *test, bool capture)
{
	*test = (struct snd_host_test){
		.host = {.ops = &test_ops,
			 .capture = capture,
			 .caps = {SND_FORMATS_ALL, {5512, 192000}, {1, 8}}},
		.heard = malloc(SND_HOST_HEARD),
	};
	assert(test->heard);
}

void snd_host_test_free(struct snd_host_test *test)
{
	free(test->heard);
}

void snd_host_test_fail(struct snd_host_test *test, uint8_t verb, uint8_t how)
{
	static const int errors[] = {-EIO, -EPIPE, -ENODEV, -EINVAL};
	int error = errors[how % 4];

	switch (verb % 5) {
	case 0:
		/* set() knows no such one. */
		test->fail_set = error == -EPIPE ? -EIO : error;
		break;
	case 1:
		test->fail_start = error;
		break;
	case 2:
		test->fail_room = error;
		break;
	case 3:
		test->fail_move = error;
		break;
	default:
		test->deaf = !test->deaf;
	}
}

void snd_host_test_mend(struct snd_host_test *test)
{
	test->deaf = false;
	test->fail_set = test->fail_start = test->fail_room = test->fail_move = 0;
}
