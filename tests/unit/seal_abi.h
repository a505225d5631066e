/* SPDX-License-Identifier: MIT */
/* System calls by another ABI of the same processor: one file for each
 * architecture. Both return only if the process survived. */
#ifndef XDD_TEST_SEAL_ABI_H
#define XDD_TEST_SEAL_ABI_H

#include <stdbool.h>

extern const bool seal_abi_exists;
void seal_abi_32bit(void);
void seal_abi_other_numbers(void);

#endif
