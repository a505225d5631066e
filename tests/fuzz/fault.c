/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "grant-mem/grants.h"
#include "tests/fuzz/fault.h"

void fuzz_fault(struct loopxen *x, uint8_t verb, uint8_t n, uint8_t how)
{
	static const int results[] = {-EIO, -ENOMEM, GRANTS_REFUSED, GRANTS_BAD,
				      GRANTS_BUSY};

	verb %= LOOPXEN_POLL;
	how %= 5;
	if (verb == LOOPXEN_COPY_SEG)
		how = 2 + how % 3;
	else if (verb != LOOPXEN_MAP && verb != LOOPXEN_MAP_RING)
		how %= 2;
	loopxen_fail(x, verb, n, results[how]);
}
