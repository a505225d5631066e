/* SPDX-License-Identifier: MIT */
/* Through the PV door, with persistent grants as blkfront has them: see front.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/blk/blkif.h"
#include "common/shared.h"
#include "tests/bench-parts/front.h"

#define HEADER	   64
#define REQ_PROD   0
#define REQ_EVENT  4
#define RSP_PROD   8
#define RSP_EVENT  12
#define SLOT_PAGES (1 + FRONT_SEGMENTS) /* a request's segment table, its data */

static struct {
	struct scene *scene;
	uint8_t *ring;
	uint32_t req_prod, pushed, rsp_cons;
} pv;

static void pv_begin(struct scene *s)
{
	pv.scene = s;
	pv.ring = scene_page(s, 0);
	pv.req_prod = pv.pushed = pv.rsp_cons = 0;
	shared_store32(pv.ring + REQ_EVENT, 1);
	shared_store32(pv.ring + RSP_EVENT, 1);
}

static void pv_ready(struct scene *s)
{
	(void)s;
}

static void pv_segments(uint8_t *at, unsigned page, unsigned n)
{
	for (unsigned i = 0; i < n; i++, at += BLKIF_SEGMENT) {
		uint32_t ref = SCENE_FIRST_REF + page + i;

		memcpy(at, &ref, sizeof(ref));
		at[4] = 0;
		at[5] = BLKIF_PAGE_SECTORS - 1;
	}
}

static bool pv_add(unsigned slot, const struct front_request *request)
{
	const struct blkif_layout *at = &blkif_layouts[BLKIF_ABI_64];
	uint8_t *e =
		pv.ring + HEADER + (size_t)(pv.req_prod++ % FRONT_DEPTH) * at->entry;
	enum blkif_op op = request->write ? BLKIF_WRITE : BLKIF_READ;
	unsigned n = request->pages, page = 1 + slot * SLOT_PAGES;
	uint64_t id = slot;
	uint16_t n16 = (uint16_t)n;
	uint32_t table = SCENE_FIRST_REF + page;

	memcpy(e + at->id, &id, sizeof(id));
	memcpy(e + at->sector, &request->sector, sizeof(request->sector));
	if (n <= BLKIF_SEGMENTS_MAX) {
		e[0] = (uint8_t)op;
		e[1] = (uint8_t)n;
		pv_segments(e + at->segments, page + 1, n);
	} else {
		e[0] = BLKIF_INDIRECT;
		e[1] = (uint8_t)op;
		memcpy(e + 2, &n16, sizeof(n16));
		memcpy(e + at->indirect_refs, &table, sizeof(table));
		pv_segments(scene_page(pv.scene, page), page + 1, n);
	}
	return true;
}

static void pv_publish(void)
{
	uint32_t old = pv.pushed;

	pv.pushed = pv.req_prod;
	shared_store32_release(pv.ring + REQ_PROD, pv.req_prod);
	shared_full_barrier();
	if (pv.req_prod - shared_load32(pv.ring + REQ_EVENT) < pv.req_prod - old)
		scene_kick(pv.scene);
}

static int pv_take(void)
{
	const struct blkif_layout *at = &blkif_layouts[BLKIF_ABI_64];
	const uint8_t *e = pv.ring + HEADER;
	uint64_t id;
	int16_t status;

	e += (size_t)(pv.rsp_cons++ % FRONT_DEPTH) * at->entry;
	memcpy(&id, e, sizeof(id));
	memcpy(&status, e + at->rsp_status, sizeof(status));
	if (id >= FRONT_DEPTH || status) {
		fprintf(stderr, "bench: request %" PRIu64 " failed: %d\n", id, status);
		exit(1);
	}
	return (int)id;
}

static int pv_answer(void)
{
	if (pv.rsp_cons == shared_load32_acquire(pv.ring + RSP_PROD)) {
		shared_store32(pv.ring + RSP_EVENT, pv.rsp_cons + 1);
		shared_full_barrier();
		if (pv.rsp_cons == shared_load32_acquire(pv.ring + RSP_PROD))
			return FRONT_NONE;
	}
	return pv_take();
}

static const struct scene_key pv_keys[] = {
	{"ring-ref", "8"},
	{"event-channel", "5"},
	{"feature-persistent", "1"},
	{NULL, NULL},
};

const struct front front_pv = {
	.name = "pv",
	.kind = "vbd",
	.door = "",
	.memory = "DataPages = 1056\n",
	.keys = pv_keys,
	.begin = pv_begin,
	.ready = pv_ready,
	.add = pv_add,
	.publish = pv_publish,
	.answer = pv_answer,
};
