/* SPDX-License-Identifier: MIT */
#include "common/number.h"

bool number_parse(const char *text, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!len || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned char)text[i] - '0';

		if (digit > 9 || digit > max || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}
