/* SPDX-License-Identifier: MIT */
/* What the contract's cases of guest memory say again and again. */
#ifndef XDD_CONTRACT_PARTS_H
#define XDD_CONTRACT_PARTS_H

#include <stdio.h>
#include <string.h>

#include "tests/contract/contract.h"

#define PAGE 4096u

static inline int grant(struct contract *c, uint32_t n, bool read_only,
			struct gref *refs)
{
	return c->granter->ops->grant(c->granter, n, read_only, refs);
}

static inline int fill(struct contract *c, struct gref ref, uint32_t offset,
		       uint32_t len, uint8_t byte)
{
	return c->granter->ops->fill(c->granter, ref, offset, len, byte);
}

static inline bool holds(struct contract *c, struct gref ref, uint32_t offset,
			 uint32_t len, uint8_t byte)
{
	return c->granter->ops->holds(c->granter, ref, offset, len, byte) == 1;
}

/* All can be taken back, so none is mapped. */
static inline bool taken_back(struct contract *c, const struct gref *refs, uint32_t n)
{
	bool all = true;

	for (uint32_t i = 0; i < n; i++)
		all &= c->granter->ops->revoke(c->granter, refs[i]) == 1;
	return all;
}

static inline int key(struct contract *c, const char *name, const char *value)
{
	return c->granter->ops->key(c->granter, name, value, value ? strlen(value) : 0);
}

static inline int key_number(struct contract *c, const char *name, uint32_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	return key(c, name, text);
}

#endif
