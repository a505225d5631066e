/* SPDX-License-Identifier: MIT */
/* What a run does to the back end's own calls, whatever its door. */
#ifndef XDD_TEST_FUZZ_FAULT_H
#define XDD_TEST_FUZZ_FAULT_H

#include <stdint.h>

#include "tests/loopxen/loopxen.h"

/* The call that comes after @n more of a verb fails. @verb and @how are any bytes: what
 * a verb's contract does not know, no implementation says. */
void fuzz_fault(struct loopxen *x, uint8_t verb, uint8_t n, uint8_t how);

#endif
