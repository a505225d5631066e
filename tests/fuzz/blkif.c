/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: a ring entry and a segment table of any bytes.
 *
 * One byte picks the ABI, two the offered maximum, then the entry, then the
 * table. Whatever comes in, blkif.h's invariants hold.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/blk/blkif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_segments(const struct blkif_request *rq)
{
	uint64_t sectors = 0;

	for (unsigned i = 0; i < rq->segments; i++) {
		must(rq->seg[i].first <= rq->seg[i].last && rq->seg[i].last <= 7);
		sectors += rq->seg[i].last - rq->seg[i].first + 1u;
	}
	must(rq->sectors == sectors);
}

static void check_good(const struct blkif_request *rq, unsigned max)
{
	switch (rq->op) {
	case BLKIF_READ:
	case BLKIF_WRITE:
		must(rq->operation == rq->op);
		must(rq->segments >= 1);
		must(rq->segments <= (rq->indirect ? max : BLKIF_SEGMENTS_MAX));
		must(rq->segments <= BLKIF_INDIRECT_MAX);
		if (!rq->indirect)
			check_segments(rq);
		return;
	case BLKIF_FLUSH:
		must(!rq->indirect && !rq->segments);
		return;
	case BLKIF_DISCARD:
		must(!rq->indirect && rq->sectors);
		return;
	case BLKIF_WRITE_BARRIER:
		must(!rq->indirect && rq->segments <= BLKIF_SEGMENTS_MAX);
		check_segments(rq);
		return;
	case BLKIF_RESERVED_1:
	case BLKIF_INDIRECT:
		break;
	}
	abort();
}

static void check_answer(enum blkif_abi abi, const uint8_t *entry,
			 const struct blkif_request *rq)
{
	const struct blkif_layout *at = &blkif_layouts[abi];
	uint8_t out[BLKIF_RESPONSE_MAX];

	memset(out, 0xa5, sizeof(out));
	must(blkif_encode(abi, rq, BLKIF_ERROR, out) == at->response);
	must(!memcmp(out, entry + at->id, 8));
	must(out[at->rsp_operation] == entry[entry[0] == BLKIF_INDIRECT ? 1 : 0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t table[BLKIF_INDIRECT_MAX * BLKIF_SEGMENT];
	uint8_t entry[BLKIF_ENTRY_MAX] = {0};
	static struct blkif_request rq;
	enum blkif_abi abi;
	unsigned max;
	size_t n;

	if (size < 3)
		return 0;
	abi = data[0] & 1 ? BLKIF_ABI_X86_32 : BLKIF_ABI_64;
	max = data[1] | (unsigned)data[2] << 8;
	data += 3;
	size -= 3;
	n = size < sizeof(entry) ? size : sizeof(entry);
	memcpy(entry, data, n);
	memset(table, 0, sizeof(table));
	if (size > n)
		memcpy(table, data + n,
		       size - n < sizeof(table) ? size - n : sizeof(table));

	memset(&rq, 0xa5, sizeof(rq));
	if (blkif_decode(abi, entry, max, &rq) == BLKIF_GOOD) {
		check_good(&rq, max);
		if (rq.indirect && blkif_decode_table(table, &rq) == BLKIF_GOOD)
			check_segments(&rq);
	}
	check_answer(abi, entry, &rq);
	return 0;
}
