/* SPDX-License-Identifier: MIT */
#include "backends/blk/blk-rights.h"

#include <string.h>

int blk_rights(const struct keys *k, struct blk *blk)
{
	char value[STORE_VALUE_MAX + 1];
	bool read_only = false, discard = true;
	int r = keys_read(k, STORE_BACK, "mode", value);

	if (r < 0)
		return r;
	/* "w" and "w!" are writable; what is not known is read-only. */
	if (r)
		read_only = value[0] != 'w';
	r = keys_read(k, STORE_BACK, "discard-enable", value);
	if (r < 0)
		return r;
	if (r)
		discard = strcmp(value, "0") != 0;
	blk_restrict(blk, read_only, discard);
	return 0;
}
