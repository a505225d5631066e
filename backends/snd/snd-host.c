/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "backends/snd/snd-host.h"
#include "backends/snd/snd-resource.h"

int snd_host_open(struct snd_host **out, const struct snd_host_conf *conf)
{
	switch (snd_resource_of(conf->resource)) {
	case SND_RESOURCE_ALSA:
		return snd_host_alsa_open(out, conf);
	case SND_RESOURCE_FILE:
		return snd_host_file_open(out, conf);
	case SND_RESOURCE_NULL:
		return snd_host_null_open(out, conf);
	case SND_RESOURCE_NONE:
		break;
	}
	return -EINVAL;
}

void snd_host_close(struct snd_host *host)
{
	host->ops->close(host);
}
