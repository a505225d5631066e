/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "backends/blk/blk-store.h"
#include "common/number.h"

static bool store_size(const char *text, uint64_t *out)
{
	static const char units[] = "kMG";
	size_t len = strlen(text);
	const char *unit = len ? strchr(units, text[len - 1]) : NULL;
	uint64_t factor = 1, n;

	if (unit) {
		len--;
		for (const char *u = units; u <= unit; u++)
			factor *= 1000;
	}
	if (!number_parse(text, len, (uint64_t)INT64_MAX / factor, &n))
		return false;
	*out = n * factor;
	return true;
}

int blk_store_open(union blk_store_any *any, const char *resource,
		   const struct blk_store_conf *conf, struct loop *loop)
{
	static const char memory[] = "memory:", null[] = "null:";
	uint64_t size;

	if (!strncmp(resource, memory, strlen(memory))) {
		if (!store_size(resource + strlen(memory), &size))
			return -EINVAL;
		return blk_store_memory_open(&any->memory, size, conf);
	}
	if (!strncmp(resource, null, strlen(null))) {
		if (!store_size(resource + strlen(null), &size))
			return -EINVAL;
		return blk_store_null_open(&any->null, size, conf);
	}
	if (resource[0] != '/')
		return -EINVAL;
	return blk_store_file_open(&any->file, resource, conf, loop);
}
