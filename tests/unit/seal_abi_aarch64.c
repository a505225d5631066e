/* SPDX-License-Identifier: MIT */
/* 32-bit calls come from 32-bit programs alone. */
#include "tests/unit/seal_abi.h"

const bool seal_abi_exists = false;

void seal_abi_32bit(void)
{
}

void seal_abi_other_numbers(void)
{
}
