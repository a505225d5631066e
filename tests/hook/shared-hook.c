/* SPDX-License-Identifier: MIT */
#include "tests/hook/shared-hook.h"

uint64_t shared_hook_reads;
void (*shared_hook)(uint64_t k, const volatile void *p, size_t len);
void (*shared_hook_after)(uint64_t k, const volatile void *p, size_t len);
void (*shared_hook_before_write)(const volatile void *p, const void *src, size_t len);
