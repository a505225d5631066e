/* SPDX-License-Identifier: MIT */
/* backends/blk/blkif-decode.c: the wire as Xen's header has it, and every
 * malformed shape of T-BLK-1 refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/blkif.h>

/* Our names for what Xen's header calls otherwise. */
#define blkif_request xdd_request
#define blkif_segment xdd_segment
#include "backends/blk/blkif.h"
#undef blkif_request
#undef blkif_segment

#define SAME(type, field, at)                                                          \
	_Static_assert(offsetof(struct type, field) == (at), #field)

_Static_assert(sizeof(struct blkif_request) == BLKIF_ENTRY_MAX, "entry");
_Static_assert(sizeof(struct blkif_response) == BLKIF_RESPONSE_MAX, "response");
_Static_assert(sizeof(struct blkif_request_segment) == BLKIF_SEGMENT, "segment");
SAME(blkif_request, operation, 0);
SAME(blkif_request, nr_segments, 1);
SAME(blkif_request, id, 8);
SAME(blkif_request, sector_number, 16);
SAME(blkif_request, seg, 24);
SAME(blkif_request_segment, gref, 0);
SAME(blkif_request_segment, first_sect, 4);
SAME(blkif_request_segment, last_sect, 5);
SAME(blkif_request_discard, id, 8);
SAME(blkif_request_discard, sector_number, 16);
SAME(blkif_request_discard, nr_sectors, 24);
SAME(blkif_request_indirect, indirect_op, 1);
SAME(blkif_request_indirect, nr_segments, 2);
SAME(blkif_request_indirect, id, 8);
SAME(blkif_request_indirect, sector_number, 16);
SAME(blkif_request_indirect, indirect_grefs, 28);
SAME(blkif_response, id, 0);
SAME(blkif_response, operation, 8);
SAME(blkif_response, status, 10);
_Static_assert(BLKIF_OP_READ == BLKIF_READ && BLKIF_OP_WRITE == BLKIF_WRITE, "op");
_Static_assert((int)BLKIF_OP_FLUSH_DISKCACHE == (int)BLKIF_FLUSH, "op");
_Static_assert((int)BLKIF_OP_DISCARD == (int)BLKIF_DISCARD, "op");
_Static_assert((int)BLKIF_OP_INDIRECT == (int)BLKIF_INDIRECT, "op");
_Static_assert((int)BLKIF_RSP_ERROR == (int)BLKIF_ERROR, "rsp");
_Static_assert((int)BLKIF_RSP_EOPNOTSUPP == (int)BLKIF_EOPNOTSUPP, "rsp");
_Static_assert(BLKIF_MAX_SEGMENTS_PER_REQUEST == BLKIF_SEGMENTS_MAX, "segments");

static struct xdd_request out;

static enum blkif_verdict decode(const void *entry, unsigned max)
{
	memset(&out, 0xa5, sizeof(out));
	return blkif_decode(BLKIF_ABI_64, entry, max, &out);
}

static struct blkif_request direct(uint8_t op, uint8_t n)
{
	struct blkif_request rq = {
		.operation = op,
		.nr_segments = n,
		.id = 0x1122334455667788,
		.sector_number = 0x8000000000000001,
	};

	for (unsigned i = 0; i < 11; i++)
		rq.seg[i] = (struct blkif_request_segment){100 + i, 0, 7};
	return rq;
}

static void reads_and_writes(void **state)
{
	struct blkif_request rq = direct(BLKIF_OP_WRITE, 11);

	(void)state;
	rq.seg[10].first_sect = 3;
	rq.seg[10].last_sect = 3;
	assert_int_equal(decode(&rq, 0), BLKIF_GOOD);
	assert_int_equal(out.op, BLKIF_WRITE);
	assert_int_equal(out.operation, BLKIF_OP_WRITE);
	assert_true(out.id == 0x1122334455667788 && out.sector == 0x8000000000000001);
	assert_int_equal(out.sectors, 81);
	assert_int_equal(out.segments, 11);
	assert_int_equal(out.seg[10].ref.v, 110);
	assert_false(out.indirect);
	rq.operation = BLKIF_OP_READ;
	assert_int_equal(decode(&rq, 0), BLKIF_GOOD);
	assert_int_equal(out.op, BLKIF_READ);
}

static void x86_32_is_packed(void **state)
{
	uint8_t e[BLKIF_ENTRY_MAX] = {BLKIF_READ, 1};
	const uint64_t id = 7, sector = 9;
	const uint32_t ref = 55;

	(void)state;
	memcpy(e + 4, &id, 8);
	memcpy(e + 12, &sector, 8);
	memcpy(e + 20, &ref, 4);
	e[24] = 1;
	e[25] = 2;
	assert_int_equal(blkif_decode(BLKIF_ABI_X86_32, e, 0, &out), BLKIF_GOOD);
	assert_true(out.id == 7 && out.sector == 9 && out.seg[0].ref.v == 55);
	assert_int_equal(out.sectors, 2);
}

static void bad_segments(void **state)
{
	struct blkif_request rq;

	(void)state;
	for (unsigned n = 0; n < 256; n++) {
		rq = direct(BLKIF_OP_READ, (uint8_t)n);
		assert_int_equal(decode(&rq, 256),
				 n >= 1 && n <= 11 ? BLKIF_GOOD : BLKIF_BAD);
		assert_true(out.id == rq.id && out.operation == BLKIF_OP_READ);
	}
	for (unsigned first = 0; first < 256; first++) {
		for (unsigned last = 0; last < 256; last++) {
			bool good = first <= last && last <= 7;

			rq = direct(BLKIF_OP_READ, 2);
			rq.seg[1].first_sect = (uint8_t)first;
			rq.seg[1].last_sect = (uint8_t)last;
			assert_int_equal(decode(&rq, 0), good ? BLKIF_GOOD : BLKIF_BAD);
		}
	}
}

static void operations(void **state)
{
	(void)state;
	for (unsigned op = 0; op < 256; op++) {
		struct blkif_request rq = direct((uint8_t)op, 1);
		enum blkif_verdict want = BLKIF_UNSUPPORTED;

		if (op == BLKIF_OP_DISCARD) /* the segment count is its flags */
			rq.nr_segments = 0;
		if (op == BLKIF_OP_READ || op == BLKIF_OP_WRITE ||
		    op == BLKIF_OP_WRITE_BARRIER || op == BLKIF_OP_DISCARD)
			want = BLKIF_GOOD;
		if (op == BLKIF_OP_FLUSH_DISKCACHE) /* with data */
			want = BLKIF_BAD;
		assert_int_equal(decode(&rq, 0), want);
		assert_true(out.id == rq.id);
		if (op != BLKIF_OP_INDIRECT)
			assert_int_equal(out.operation, op);
	}
}

static void barrier(void **state)
{
	struct blkif_request rq = direct(BLKIF_OP_WRITE_BARRIER, 0);

	(void)state;
	assert_int_equal(decode(&rq, 0), BLKIF_GOOD);
	assert_int_equal(out.op, BLKIF_WRITE_BARRIER);
	assert_int_equal(out.sectors, 0);
	rq = direct(BLKIF_OP_WRITE_BARRIER, 11);
	assert_int_equal(decode(&rq, 0), BLKIF_GOOD);
	assert_int_equal(out.segments, 11);
	rq.nr_segments = 12;
	assert_int_equal(decode(&rq, 0), BLKIF_BAD);
}

static void flush_and_discard(void **state)
{
	struct blkif_request rq = direct(BLKIF_OP_FLUSH_DISKCACHE, 0);
	struct blkif_request_discard d = {
		.operation = BLKIF_OP_DISCARD,
		.id = 3,
		.sector_number = 8,
		.nr_sectors = 1ull << 63,
	};

	(void)state;
	assert_int_equal(decode(&rq, 0), BLKIF_GOOD);
	assert_int_equal(out.op, BLKIF_FLUSH);
	memcpy(&rq, &d, sizeof(d));
	assert_int_equal(decode(&rq, 0), BLKIF_GOOD);
	assert_true(out.sector == 8 && out.sectors == 1ull << 63);
	/* Not offered: to drop what was to be erased would be a lie. */
	d.flag = BLKIF_DISCARD_SECURE;
	memcpy(&rq, &d, sizeof(d));
	assert_int_equal(decode(&rq, 0), BLKIF_UNSUPPORTED);
	d.flag = 0xfe;
	memcpy(&rq, &d, sizeof(d));
	assert_int_equal(decode(&rq, 0), BLKIF_GOOD);
	d.nr_sectors = 0;
	memcpy(&rq, &d, sizeof(d));
	assert_int_equal(decode(&rq, 0), BLKIF_BAD);
}

static enum blkif_verdict indirect(uint8_t op, uint16_t n, unsigned max)
{
	struct blkif_request_indirect i = {
		.operation = BLKIF_OP_INDIRECT,
		.indirect_op = op,
		.nr_segments = n,
		.id = 77,
		.sector_number = 5,
		.indirect_grefs = {4242},
	};
	struct blkif_request rq = {0};

	memcpy(&rq, &i, sizeof(i));
	return decode(&rq, max);
}

static void indirect_requests(void **state)
{
	uint8_t table[BLKIF_INDIRECT_MAX * BLKIF_SEGMENT] = {0};

	(void)state;
	assert_int_equal(indirect(BLKIF_OP_WRITE, 256, 256), BLKIF_GOOD);
	assert_true(out.indirect && out.op == BLKIF_WRITE && out.table.v == 4242);
	assert_true(out.id == 77 && out.operation == BLKIF_OP_WRITE);
	assert_int_equal(out.segments, 256);
	for (unsigned i = 0; i < 256; i++)
		table[i * 8 + 5] = 7;
	assert_int_equal(blkif_decode_table(table, &out), BLKIF_GOOD);
	assert_int_equal(out.sectors, 2048);
	table[255 * 8 + 5] = 8;
	assert_int_equal(blkif_decode_table(table, &out), BLKIF_BAD);

	assert_int_equal(indirect(BLKIF_OP_READ, 1, 256), BLKIF_GOOD);
	assert_int_equal(indirect(BLKIF_OP_READ, 0, 256), BLKIF_BAD);
	assert_int_equal(indirect(BLKIF_OP_READ, 257, 256), BLKIF_BAD);
	assert_int_equal(indirect(BLKIF_OP_READ, 65535, 65535), BLKIF_BAD);
	assert_int_equal(indirect(BLKIF_OP_READ, 33, 32), BLKIF_BAD);
	assert_int_equal(indirect(BLKIF_OP_READ, 32, 0), BLKIF_UNSUPPORTED);
	assert_int_equal(indirect(BLKIF_OP_INDIRECT, 2, 256), BLKIF_BAD);
	assert_int_equal(indirect(BLKIF_OP_DISCARD, 2, 256), BLKIF_BAD);
	assert_int_equal(indirect(BLKIF_OP_FLUSH_DISKCACHE, 2, 256), BLKIF_BAD);
}

static void answers(void **state)
{
	uint8_t bytes[BLKIF_RESPONSE_MAX];
	struct blkif_response rsp;
	static const uint8_t wire32[12] = {9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0xfe, 0xff};

	(void)state;
	out.id = 9;
	out.operation = BLKIF_OP_WRITE;
	memset(bytes, 0xa5, sizeof(bytes));
	assert_int_equal(blkif_encode(BLKIF_ABI_64, &out, BLKIF_ERROR, bytes), 16);
	memcpy(&rsp, bytes, sizeof(rsp));
	assert_true(rsp.id == 9 && rsp.operation == BLKIF_OP_WRITE && rsp.status == -1);
	assert_int_equal(bytes[9], 0);
	assert_memory_equal(bytes + 12, "\0\0\0\0", 4);
	assert_int_equal(blkif_encode(BLKIF_ABI_X86_32, &out, BLKIF_EOPNOTSUPP, bytes),
			 12);
	assert_memory_equal(bytes, wire32, sizeof(wire32));
}

static void protocols(void **state)
{
	enum blkif_abi abi;

	(void)state;
	assert_true(blkif_abi_parse(NULL, &abi) && abi == BLKIF_ABI_64);
	assert_true(blkif_abi_parse("x86_64-abi", &abi) && abi == BLKIF_ABI_64);
	assert_true(blkif_abi_parse("arm-abi", &abi) && abi == BLKIF_ABI_64);
	assert_true(blkif_abi_parse("x86_32-abi", &abi) && abi == BLKIF_ABI_X86_32);
	assert_false(blkif_abi_parse("", &abi));
	assert_false(blkif_abi_parse("x86_64-abi ", &abi));
	assert_false(blkif_abi_parse("%s%n", &abi));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes),
		cmocka_unit_test(x86_32_is_packed),
		cmocka_unit_test(bad_segments),
		cmocka_unit_test(operations),
		cmocka_unit_test(barrier),
		cmocka_unit_test(flush_and_discard),
		cmocka_unit_test(indirect_requests),
		cmocka_unit_test(answers),
		cmocka_unit_test(protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
