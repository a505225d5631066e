/* SPDX-License-Identifier: MIT */
/*
 * Xen's own blkif.h as a 32-bit x86 client compiles it (64-bit fields aligned
 * to 4 bytes), held against our offsets. It compiles or it does not.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma pack(push, 4)
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/blkif.h>
#pragma pack(pop)

#define SAME(type, field, at)                                                          \
	_Static_assert(offsetof(struct type, field) == (at), #field)

_Static_assert(sizeof(struct blkif_request) == 108, "entry");
_Static_assert(sizeof(struct blkif_response) == 12, "response");
SAME(blkif_request, operation, 0);
SAME(blkif_request, nr_segments, 1);
SAME(blkif_request, id, 4);
SAME(blkif_request, sector_number, 12);
SAME(blkif_request, seg, 20);
SAME(blkif_request_discard, id, 4);
SAME(blkif_request_discard, sector_number, 12);
SAME(blkif_request_discard, nr_sectors, 20);
SAME(blkif_request_indirect, indirect_op, 1);
SAME(blkif_request_indirect, nr_segments, 2);
SAME(blkif_request_indirect, id, 4);
SAME(blkif_request_indirect, sector_number, 12);
SAME(blkif_request_indirect, indirect_grefs, 24);
SAME(blkif_response, id, 0);
SAME(blkif_response, operation, 8);
SAME(blkif_response, status, 10);
