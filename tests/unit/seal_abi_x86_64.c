/* SPDX-License-Identifier: MIT */
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/seal_abi.h"

#define I386_GETPID 20
#define X32_BIT	    0x40000000L

const bool seal_abi_exists = true;

void seal_abi_32bit(void)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(I386_GETPID) : "memory");
}

void seal_abi_other_numbers(void)
{
	syscall(X32_BIT | SYS_getpid);
}
