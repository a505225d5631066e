/* SPDX-License-Identifier: MIT */
/*
 * The wire of Xen's PV block protocol (xen/io/blkif.h), decoded.
 *
 * Pure: bytes that were copied off the ring go in, a checked request comes
 * out. It knows no ring, no grant and no disk: whether a range is on the disk
 * is the core's question.
 *
 * Invariants:
 *  1. what decodes as BLKIF_GOOD is complete: op is one that is served, each
 *     segment lies in its page, sectors is their sum;
 *  2. whatever the verdict, id and operation are those to echo in the answer;
 *  3. the layout is the client's (its ABI), never that of this machine.
 *
 * Layouts: 64-bit clients (x86_64, Arm of both widths) align 64-bit fields to
 * 8 bytes, 32-bit x86 clients to 4. A unit test holds the offsets below
 * against Xen's own header.
 */
#ifndef XDD_BLKIF_H
#define XDD_BLKIF_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/ids.h"

#define BLKIF_SEGMENTS_MAX 11  /* of a direct request */
#define BLKIF_INDIRECT_MAX 256 /* of an indirect one, as far as we offer */
#define BLKIF_SECTOR	   512u
#define BLKIF_PAGE_SECTORS 8u
#define BLKIF_ENTRY_MAX	   112 /* bytes of a request, largest ABI */
#define BLKIF_RESPONSE_MAX 16
#define BLKIF_SEGMENT	   8 /* bytes of one segment, in every ABI */

/* BLKIF_OP_* and BLKIF_RSP_* */
enum blkif_op {
	BLKIF_READ = 0,
	BLKIF_WRITE = 1,
	BLKIF_WRITE_BARRIER = 2,
	BLKIF_FLUSH = 3,
	BLKIF_RESERVED_1 = 4,
	BLKIF_DISCARD = 5,
	BLKIF_INDIRECT = 6,
};

enum blkif_rsp { BLKIF_OKAY = 0, BLKIF_ERROR = -1, BLKIF_EOPNOTSUPP = -2 };

enum blkif_abi { BLKIF_ABI_64, BLKIF_ABI_X86_32 };

enum blkif_verdict {
	BLKIF_GOOD,
	BLKIF_BAD,	   /* answer BLKIF_ERROR */
	BLKIF_UNSUPPORTED, /* answer BLKIF_EOPNOTSUPP */
};

/* Offsets in bytes from the start of an entry. */
struct blkif_layout {
	uint8_t entry;	  /* bytes of a ring entry (the largest request) */
	uint8_t response; /* bytes of a response, padding included */
	/* READ, WRITE, WRITE_BARRIER, FLUSH; operation is 0, nr_segments 1 */
	uint8_t id, sector, segments;
	/* DISCARD: id and sector as above */
	uint8_t discard_sectors;
	/* INDIRECT: indirect_op is 1, nr_segments (16 bits) 2 */
	uint8_t indirect_refs;
	/* response: id is 0 */
	uint8_t rsp_operation, rsp_status;
};

extern const struct blkif_layout blkif_layouts[];

struct blkif_segment {
	struct gref ref;
	uint8_t first, last; /* sectors of the page, inclusive */
};

struct blkif_request {
	uint64_t id;
	uint8_t operation; /* to echo; of an INDIRECT the one inside */
	enum blkif_op op;  /* READ, WRITE, WRITE_BARRIER, FLUSH or DISCARD */
	uint64_t sector;
	uint64_t sectors;
	bool indirect;	   /* seg[] is still to be read from @table */
	struct gref table; /* page of the segment table */
	uint16_t segments;
	struct blkif_segment seg[BLKIF_INDIRECT_MAX];
};

/* The front end's "protocol" key; NULL: absent, this machine's own. False for
 * a word that is none of xen/io/protocols.h. */
bool blkif_abi_parse(const char *protocol, enum blkif_abi *out);

/* Decode @entry (blkif_layouts[abi].entry private bytes). An indirect request
 * with more than @indirect_max segments is bad; 0: none are offered. For a
 * good indirect one, blkif_decode_table() must follow. */
enum blkif_verdict blkif_decode(enum blkif_abi abi, const uint8_t *entry,
				unsigned indirect_max, struct blkif_request *out);

/* Decode @rq->segments entries of a segment table, private bytes. */
enum blkif_verdict blkif_decode_table(const uint8_t *table, struct blkif_request *rq);

/* Write the answer to @rq into @out (BLKIF_RESPONSE_MAX bytes), padding
 * zeroed; returns its size. */
unsigned blkif_encode(enum blkif_abi abi, const struct blkif_request *rq,
		      enum blkif_rsp status, uint8_t *out);

#endif
