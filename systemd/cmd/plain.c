/* SPDX-License-Identifier: MIT */
#include "systemd/cmd/plain.h"

void plain(char *out, size_t size, const char *text, size_t len)
{
	size_t n = 0;

	for (; n + 1 < size && n < len && text[n]; n++)
		out[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	out[n] = '\0';
}
