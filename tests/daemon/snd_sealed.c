/* SPDX-License-Identifier: MIT */
/*
 * A PCM that converts, behind both doors: what alsa-lib needs for that it has by then.
 * Each configuration is one that it was not opened with.
 */
#include <errno.h>

#include "grant-mem/seal.h"
#include "tests/unit/snd_alsa_scene.h"

static int failed(const char *what, int r)
{
	fprintf(stderr, "%s: %d\n", what, r);
	return 1;
}

static int serve(struct snd_host *host, const struct snd_params *params)
{
	static uint8_t data[65536];
	uint32_t n;
	int r = snd_host_set(host, params);

	if (r)
		return r;
	r = snd_host_room(host, 0, &n);
	if (r)
		return r;
	r = snd_host_move(host, data, 64);
	if (r != 64)
		return r < 0 ? r : -EPIPE;
	r = snd_host_start(host, 0);
	snd_host_stop(host);
	return r;
}

int main(void)
{
	static const uint32_t rates[] = {11025, 22050, 48000, 96000};
	struct snd_host *host;
	int r;

	scene_init();
	r = scene_open(&host, "plugged", false);
	scene_fini();
	if (r)
		return failed("it does not open", r);
	r = seal_first();
	if (!r)
		r = seal_last();
	if (r)
		return failed("it cannot be sealed", r);
	for (unsigned f = 0; f < SND_FORMATS; f++) {
		for (unsigned i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
			const struct snd_params params = {(enum snd_format)f, 1 + i,
							  rates[i], 4096, 256};

			if (!(host->caps.formats >> f & 1))
				continue;
			r = serve(host, &params);
			if (r)
				return failed(snd_format_info(params.format)->name, r);
		}
	}
	return 0;
}
