/* SPDX-License-Identifier: MIT */
#include "backends/door/pv-directory.h"
#include "common/shared.h"

static bool named_twice(const struct gref *refs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (refs[i].v == refs[k].v)
				return true;
		}
	}
	return false;
}

/* The first @n of one page of it, and which the next is. */
static int read_page(struct grants *grants, struct gref page, struct gref *refs,
		     uint32_t n, struct gref *next)
{
	struct grants_map map = {0};
	int r = grants_map(grants, &page, 1, false, &map);

	if (r)
		return r;
	next->v = shared_load32(map.addr);
	for (uint32_t i = 0; i < n; i++)
		refs[i].v =
			shared_load32((uint8_t *)map.addr + sizeof(uint32_t) * (1 + i));
	return grants_unmap(grants, &map);
}

int pv_directory_read(struct grants *grants, struct gref first, struct gref *refs,
		      uint32_t n)
{
	struct gref page = first;

	for (uint32_t at = 0; at < n; at += PV_DIRECTORY_REFS) {
		uint32_t left = n - at;
		int r;

		if (at && !page.v)
			return GRANTS_ABSENT;
		r = read_page(grants, page, refs + at,
			      left < PV_DIRECTORY_REFS ? left : PV_DIRECTORY_REFS,
			      &page);
		if (r)
			return r;
	}
	for (uint32_t at = 0; at < n; at += GRANTS_BATCH_MAX) {
		uint32_t left = n - at;

		if (named_twice(refs + at,
				left < GRANTS_BATCH_MAX ? left : GRANTS_BATCH_MAX))
			return GRANTS_ABSENT;
	}
	return GRANTS_OK;
}

const char *pv_directory_why(int status)
{
	switch (status) {
	case GRANTS_REFUSED:
		return "its pages are outside the policy";
	case GRANTS_BUSY:
		return "another device holds its pages";
	case GRANTS_ABSENT:
		return "the list of its pages ends too soon, or has one twice";
	case GRANTS_BAD:
	case GRANTS_LATE:
		return "Xen refused its grant references";
	default:
		return NULL;
	}
}
