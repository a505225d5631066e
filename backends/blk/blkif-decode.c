/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/blk/blkif.h"
#include "common/bytes.h"

/* Indexed by enum blkif_abi. */
const struct blkif_layout blkif_layouts[] = {
	[BLKIF_ABI_64] =
		{
			.entry = 112,
			.response = 16,
			.id = 8,
			.sector = 16,
			.segments = 24,
			.discard_sectors = 24,
			.indirect_refs = 28,
			.rsp_operation = 8,
			.rsp_status = 10,
		},
	[BLKIF_ABI_X86_32] =
		{
			.entry = 108,
			.response = 12,
			.id = 4,
			.sector = 12,
			.segments = 20,
			.discard_sectors = 20,
			.indirect_refs = 24,
			.rsp_operation = 8,
			.rsp_status = 10,
		},
};

#define OFF_OPERATION	      0
#define OFF_SEGMENTS	      1
#define OFF_DISCARD_FLAG      1
#define OFF_INDIRECT_OP	      1
#define OFF_INDIRECT_SEGMENTS 2

#define DISCARD_SECURE 1 /* BLKIF_DISCARD_SECURE */

/* One page must hold the table of the largest indirect request, so that the
 * other seven references of one are never needed. */
_Static_assert(BLKIF_INDIRECT_MAX *BLKIF_SEGMENT <= XEN_PAGE_BYTES, "one table page");

bool blkif_abi_parse(const char *protocol, enum blkif_abi *out)
{
	static const struct {
		const char *word;
		enum blkif_abi abi;
	} words[] = {
		{"x86_64-abi", BLKIF_ABI_64},
		{"arm-abi", BLKIF_ABI_64},
		{"x86_32-abi", BLKIF_ABI_X86_32},
	};

	if (!protocol) {
		*out = BLKIF_ABI_64; /* xdd runs on 64-bit machines alone */
		return true;
	}
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(protocol, words[i].word))
			continue;
		*out = words[i].abi;
		return true;
	}
	return false;
}

static enum blkif_verdict decode_segments(const uint8_t *bytes,
					  struct blkif_request *rq)
{
	rq->sectors = 0;
	for (unsigned i = 0; i < rq->segments; i++, bytes += BLKIF_SEGMENT) {
		struct blkif_segment *seg = &rq->seg[i];

		seg->ref.v = bytes_get32(bytes);
		seg->first = bytes[4];
		seg->last = bytes[5];
		if (seg->first > seg->last || seg->last >= BLKIF_PAGE_SECTORS)
			return BLKIF_BAD;
		rq->sectors += seg->last - seg->first + 1u;
	}
	return BLKIF_GOOD;
}

static enum blkif_verdict decode_direct(const struct blkif_layout *at,
					const uint8_t *entry, struct blkif_request *rq)
{
	rq->segments = entry[OFF_SEGMENTS];
	rq->sector = bytes_get64(entry + at->sector);
	/* A barrier may come without data. */
	if (rq->segments < (rq->op != BLKIF_WRITE_BARRIER) ||
	    rq->segments > BLKIF_SEGMENTS_MAX)
		return BLKIF_BAD;
	return decode_segments(entry + at->segments, rq);
}

static enum blkif_verdict decode_indirect(const struct blkif_layout *at,
					  const uint8_t *entry, unsigned max,
					  struct blkif_request *rq)
{
	rq->operation = entry[OFF_INDIRECT_OP];
	rq->segments = bytes_get16(entry + OFF_INDIRECT_SEGMENTS);
	rq->sector = bytes_get64(entry + at->sector);
	rq->table.v = bytes_get32(entry + at->indirect_refs);
	if (!max)
		return BLKIF_UNSUPPORTED;
	if (rq->operation != BLKIF_READ && rq->operation != BLKIF_WRITE)
		return BLKIF_BAD;
	if (rq->segments < 1 || rq->segments > max || rq->segments > BLKIF_INDIRECT_MAX)
		return BLKIF_BAD;
	rq->op = rq->operation == BLKIF_READ ? BLKIF_READ : BLKIF_WRITE;
	rq->indirect = true;
	return BLKIF_GOOD;
}

enum blkif_verdict blkif_decode(enum blkif_abi abi, const uint8_t *entry,
				unsigned indirect_max, struct blkif_request *rq)
{
	const struct blkif_layout *at = &blkif_layouts[abi];

	rq->operation = entry[OFF_OPERATION];
	rq->id = bytes_get64(entry + at->id);
	rq->sector = 0;
	rq->sectors = 0;
	rq->segments = 0;
	rq->indirect = false;
	switch (rq->operation) {
	case BLKIF_READ:
		rq->op = BLKIF_READ;
		return decode_direct(at, entry, rq);
	case BLKIF_WRITE:
		rq->op = BLKIF_WRITE;
		return decode_direct(at, entry, rq);
	case BLKIF_WRITE_BARRIER:
		rq->op = BLKIF_WRITE_BARRIER;
		return decode_direct(at, entry, rq);
	case BLKIF_FLUSH:
		/* With data it would be a barrier, and those have their own. */
		rq->op = BLKIF_FLUSH;
		return entry[OFF_SEGMENTS] ? BLKIF_BAD : BLKIF_GOOD;
	case BLKIF_DISCARD:
		rq->op = BLKIF_DISCARD;
		rq->sector = bytes_get64(entry + at->sector);
		rq->sectors = bytes_get64(entry + at->discard_sectors);
		/* Not offered; and what was to be erased must not only be dropped. */
		if (entry[OFF_DISCARD_FLAG] & DISCARD_SECURE)
			return BLKIF_UNSUPPORTED;
		return rq->sectors ? BLKIF_GOOD : BLKIF_BAD;
	case BLKIF_INDIRECT:
		return decode_indirect(at, entry, indirect_max, rq);
	default:
		/* RESERVED_1 and what may yet be invented. */
		return BLKIF_UNSUPPORTED;
	}
}

enum blkif_verdict blkif_decode_table(const uint8_t *table, struct blkif_request *rq)
{
	return decode_segments(table, rq);
}

unsigned blkif_encode(enum blkif_abi abi, const struct blkif_request *rq,
		      enum blkif_rsp status, uint8_t *out)
{
	const struct blkif_layout *at = &blkif_layouts[abi];
	int16_t wire = (int16_t)status;

	memset(out, 0, BLKIF_RESPONSE_MAX);
	memcpy(out, &rq->id, sizeof(rq->id));
	out[at->rsp_operation] = rq->operation;
	memcpy(out + at->rsp_status, &wire, sizeof(wire));
	return at->response;
}
