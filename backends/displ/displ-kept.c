/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backends/displ/displ-kept.h"
#include "common/number.h"

void displ_kept_text(const uint64_t *numbers, uint32_t n, char out[DISPL_KEPT_MAX])
{
	size_t at = 0;

	if (!n)
		strcpy(out, "none");
	for (uint32_t i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, DISPL_KEPT_MAX - at, "%s%" PRIu64,
				       i ? " " : "", numbers[i]);
}

bool displ_kept_parse(const char *text, uint32_t n, uint64_t *out)
{
	uint64_t numbers[DISPL_KEPT_NUMBERS];

	for (uint32_t i = 0; i < n; i++) {
		size_t len = strcspn(text, " ");
		bool last = i == n - 1;

		if (last != !text[len] ||
		    !number_parse(text, len, UINT64_MAX, &numbers[i]))
			return false;
		text += len + !last;
	}
	memcpy(out, numbers, n * sizeof(*out));
	return true;
}

static void key_of(char key[KEYS_QUEUE], const char *name, uint32_t index)
{
	snprintf(key, KEYS_QUEUE, "%s-%u", name, index);
}

int displ_keep(const struct keys *keys, const char *name, uint32_t index,
	       const uint64_t *numbers, uint32_t n)
{
	char text[DISPL_KEPT_MAX], key[KEYS_QUEUE];

	displ_kept_text(numbers, n, text);
	key_of(key, name, index);
	return keys_write(keys, key, text);
}

int displ_kept_read(const struct keys *keys, const char *name, uint32_t index,
		    uint32_t n, uint64_t *out)
{
	char value[STORE_VALUE_MAX + 1], key[KEYS_QUEUE];
	int r;

	key_of(key, name, index);
	r = keys_read(keys, STORE_BACK, key, value);
	if (r <= 0)
		return r;
	return displ_kept_parse(value, n, out);
}
