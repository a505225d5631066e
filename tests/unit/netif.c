/* SPDX-License-Identifier: MIT */
/* backends/net/netif-decode.c: packets of the transmit ring, entry by entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xen/xen.h>

#include <xen/io/netif.h>

#include "backends/net/netif.h"

#define MORE	 NETIF_TX_MORE_DATA
#define EXTRA	 NETIF_TX_EXTRA_INFO
#define ANSWERED 4096

/* The wire of one test, and what was said of its entries. */
struct wire {
	struct netif_reader reader;
	uint16_t id;	   /* of the next request */
	int due[ANSWERED]; /* ids of entries that no verdict was of yet; -1: an extra */
	unsigned dues;
};

static enum netif_verdict feed(struct wire *wire, const void *entry, int due)
{
	enum netif_verdict verdict = netif_read(&wire->reader, entry);
	const struct netif_packet *packet = &wire->reader.packet;

	assert_true(wire->dues < ANSWERED);
	wire->due[wire->dues++] = due;
	if (verdict == NETIF_MORE)
		return verdict;
	/* Invariant 2: all that is due, and no other. */
	assert_int_equal(packet->entries, wire->dues);
	for (unsigned i = 0; i < wire->dues; i++) {
		assert_int_equal(packet->entry[i].extra, wire->due[i] < 0);
		if (!packet->entry[i].extra)
			assert_int_equal(packet->entry[i].id, wire->due[i]);
	}
	wire->dues = 0;
	return verdict;
}

static enum netif_verdict request(struct wire *wire, uint16_t offset, uint16_t size,
				  uint16_t flags)
{
	const netif_tx_request_t rq = {
		.gref = 100u + wire->id,
		.offset = offset,
		.flags = flags,
		.id = wire->id,
		.size = size,
	};

	wire->id++;
	return feed(wire, &rq, rq.id);
}

static enum netif_verdict extra(struct wire *wire, uint8_t type, bool more,
				const uint8_t *six)
{
	uint8_t entry[NETIF_TX_ENTRY] = {type, more};

	if (six)
		memcpy(entry + 2, six, 6);
	return feed(wire, entry, -1);
}

static enum netif_verdict gso(struct wire *wire, uint8_t type, uint16_t size, bool more)
{
	const netif_extra_info_t info = {.u.gso = {.size = size, .type = type}};

	return extra(wire, XEN_NETIF_EXTRA_TYPE_GSO, more, (const uint8_t *)&info.u);
}

static const struct netif_packet *packet(const struct wire *wire)
{
	return &wire->reader.packet;
}

/* After whatever came, the next packet is a packet. */
static void goes_on(struct wire *wire)
{
	assert_int_equal(wire->dues, 0);
	assert_int_equal(request(wire, 8, 60, 0), NETIF_WHOLE);
	assert_int_equal(packet(wire)->pieces, 1);
	assert_int_equal(packet(wire)->size, 60);
}

/* -- Good packets -------------------------------------------------------------------
 */

static void as_xen_has_it(void **state)
{
	uint8_t out[NETIF_RX_ENTRY];
	const netif_rx_request_t posted = {.id = 7, .gref = 0x12345};
	struct gref ref;
	uint16_t id;

	(void)state;
	assert_int_equal(sizeof(netif_tx_request_t), NETIF_TX_ENTRY);
	assert_int_equal(sizeof(union netif_tx_sring_entry), NETIF_TX_ENTRY);
	assert_int_equal(sizeof(union netif_rx_sring_entry), NETIF_RX_ENTRY);
	assert_int_equal(sizeof(netif_tx_response_t), NETIF_TX_RESPONSE);
	assert_int_equal(XEN_NETIF_NR_SLOTS_MIN, NETIF_SLOTS_MAX);
	assert_int_equal(XEN_NETIF_EXTRA_TYPE_MAX - 1, NETIF_EXTRAS_MAX);

	netif_encode_tx(3, NETIF_DROPPED, out);
	assert_int_equal(((netif_tx_response_t *)out)->id, 3);
	assert_int_equal(((netif_tx_response_t *)out)->status, NETIF_RSP_DROPPED);
	netif_encode_null(out);
	assert_int_equal(((netif_tx_response_t *)out)->status, NETIF_RSP_NULL);
	netif_decode_rx((const uint8_t *)&posted, &id, &ref);
	assert_int_equal(id, 7);
	assert_int_equal(ref.v, 0x12345);
	netif_encode_rx(9, 2, NETIF_RX_CSUM_BLANK, 1500, out);
	assert_int_equal(((netif_rx_response_t *)out)->id, 9);
	assert_int_equal(((netif_rx_response_t *)out)->offset, 2);
	assert_int_equal(((netif_rx_response_t *)out)->flags, NETRXF_csum_blank);
	assert_int_equal(((netif_rx_response_t *)out)->status, 1500);
	netif_encode_gso(NETIF_GSO_TCPV6, 1440, false, out);
	assert_int_equal(((netif_extra_info_t *)out)->type, XEN_NETIF_EXTRA_TYPE_GSO);
	assert_int_equal(((netif_extra_info_t *)out)->flags, 0);
	assert_int_equal(((netif_extra_info_t *)out)->u.gso.size, 1440);
	assert_int_equal(((netif_extra_info_t *)out)->u.gso.type,
			 XEN_NETIF_GSO_TYPE_TCPV6);
	netif_encode_gso(NETIF_GSO_TCPV4, 1440, true, out);
	assert_int_equal(((netif_extra_info_t *)out)->flags, XEN_NETIF_EXTRA_FLAG_MORE);
	netif_encode_hash(3, 1, 0x01020304, out);
	assert_int_equal(((netif_extra_info_t *)out)->type, XEN_NETIF_EXTRA_TYPE_HASH);
	assert_int_equal(((netif_extra_info_t *)out)->flags, 0);
	assert_int_equal(((netif_extra_info_t *)out)->u.hash.type,
			 _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP);
	assert_int_equal(((netif_extra_info_t *)out)->u.hash.algorithm,
			 XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ);
	/* The least first. */
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(((netif_extra_info_t *)out)->u.hash.value[i], 4 - i);
}

static void one_request(void **state)
{
	struct wire wire = {.id = 5};

	(void)state;
	assert_int_equal(request(&wire, 100, 1500, NETTXF_csum_blank), NETIF_WHOLE);
	assert_int_equal(packet(&wire)->pieces, 1);
	assert_int_equal(packet(&wire)->piece[0].ref.v, 105);
	assert_int_equal(packet(&wire)->piece[0].offset, 100);
	assert_int_equal(packet(&wire)->piece[0].size, 1500);
	assert_int_equal(packet(&wire)->size, 1500);
	assert_true(packet(&wire)->csum_blank);
	assert_int_equal(packet(&wire)->gso, NETIF_GSO_NONE);
	assert_int_equal(packet(&wire)->order, 0);
	goes_on(&wire);
	assert_false(packet(&wire)->csum_blank);
}

/* What the first page has of a packet is what the others leave. */
static void pieces(void **state)
{
	struct wire wire = {0};

	(void)state;
	assert_int_equal(request(&wire, 10, 300, MORE), NETIF_MORE);
	assert_int_equal(request(&wire, 20, 150, MORE), NETIF_MORE);
	assert_int_equal(request(&wire, 30, 50, 0), NETIF_WHOLE);
	assert_int_equal(packet(&wire)->pieces, 3);
	for (unsigned i = 0; i < 3; i++) {
		static const uint16_t sizes[] = {100, 150, 50};

		assert_int_equal(packet(&wire)->piece[i].ref.v, 100 + i);
		assert_int_equal(packet(&wire)->piece[i].offset, 10 * (i + 1));
		assert_int_equal(packet(&wire)->piece[i].size, sizes[i]);
	}
	goes_on(&wire);
}

static void as_many_as_there_may_be(void **state)
{
	struct wire wire = {0};

	(void)state;
	assert_int_equal(request(&wire, 0, 18, MORE | EXTRA), NETIF_MORE);
	assert_int_equal(gso(&wire, NETIF_GSO_TCPV4, 1448, true), NETIF_MORE);
	assert_int_equal(extra(&wire, NETIF_EXTRA_HASH, false, NULL), NETIF_MORE);
	for (unsigned i = 1; i < NETIF_SLOTS_MAX - 1; i++)
		assert_int_equal(request(&wire, 4095, 1, MORE), NETIF_MORE);
	assert_int_equal(request(&wire, 4095, 1, 0), NETIF_WHOLE);
	assert_int_equal(packet(&wire)->pieces, NETIF_SLOTS_MAX);
	assert_int_equal(packet(&wire)->entries, NETIF_SLOTS_MAX + 2);
	assert_int_equal(packet(&wire)->gso, NETIF_GSO_TCPV4);
	assert_int_equal(packet(&wire)->gso_size, 1448);
	goes_on(&wire);
	assert_int_equal(packet(&wire)->gso_size, 0);
}

/* XSA-448: at each place, one or several. */
static void empty_pieces(void **state)
{
	(void)state;
	for (uint32_t empty = 0; empty < 1u << 6; empty++) {
		struct wire wire = {0};
		uint16_t total = 0, sizes[6];
		unsigned full = 0;

		for (unsigned i = 0; i < 6; i++) {
			sizes[i] = empty >> i & 1 ? 0 : (uint16_t)(20 + i);
			total = (uint16_t)(total + sizes[i]);
		}
		for (unsigned i = 0; i < 6; i++) {
			enum netif_verdict verdict = request(
				&wire, 0, i ? sizes[i] : total, i < 5 ? MORE : 0);

			if (i < 5)
				assert_int_equal(verdict, NETIF_MORE);
			else
				assert_int_equal(verdict,
						 total ? NETIF_WHOLE : NETIF_BAD);
		}
		for (unsigned i = 0; total && i < 6; i++) {
			if (!sizes[i])
				continue;
			assert_int_equal(packet(&wire)->piece[full].ref.v, 100 + i);
			assert_int_equal(packet(&wire)->piece[full++].size, sizes[i]);
		}
		if (total)
			assert_int_equal(packet(&wire)->pieces, full);
		goes_on(&wire);
	}
}

static void orders(void **state)
{
	static const uint8_t group[6] = {0x33, 0x33, 0, 0, 0, 1};
	static const uint8_t station[6] = {0x02, 0x33, 0, 0, 0, 1};
	struct wire wire = {0};

	(void)state;
	for (uint8_t type = NETIF_EXTRA_MCAST_ADD; type <= NETIF_EXTRA_MCAST_DEL;
	     type++) {
		assert_int_equal(request(&wire, 0, 0, EXTRA), NETIF_MORE);
		assert_int_equal(extra(&wire, type, false, group), NETIF_ORDER);
		assert_int_equal(packet(&wire)->order, type);
		assert_memory_equal(packet(&wire)->mac, group, 6);
		goes_on(&wire);
		assert_int_equal(request(&wire, 0, 60, EXTRA), NETIF_MORE);
		assert_int_equal(extra(&wire, type, false, station), NETIF_BAD);
		goes_on(&wire);
		/* It is no packet, and has no second page. */
		assert_int_equal(request(&wire, 0, 60, EXTRA | MORE), NETIF_MORE);
		assert_int_equal(extra(&wire, type, false, group), NETIF_MORE);
		assert_int_equal(request(&wire, 0, 20, 0), NETIF_BAD);
		goes_on(&wire);
	}
	assert_int_equal(request(&wire, 0, 60, EXTRA), NETIF_MORE);
	assert_int_equal(extra(&wire, NETIF_EXTRA_MCAST_ADD, true, group), NETIF_MORE);
	assert_int_equal(extra(&wire, NETIF_EXTRA_MCAST_DEL, false, group), NETIF_BAD);
	goes_on(&wire);
}

/* -- Bad ones -----------------------------------------------------------------------
 */

static void sizes(void **state)
{
	static const struct {
		uint16_t offset, size;
		enum netif_verdict verdict;
	} rows[] = {
		{0, 0, NETIF_BAD},	{0, 13, NETIF_BAD},
		{0, 14, NETIF_WHOLE},	{4082, 14, NETIF_WHOLE},
		{4083, 14, NETIF_BAD},	{4096, 14, NETIF_BAD},
		{0, 4096, NETIF_WHOLE}, {1, 4096, NETIF_BAD},
		{0, 4097, NETIF_BAD},	{65535, 14, NETIF_BAD},
		{0, 65535, NETIF_BAD},	{65535, 65535, NETIF_BAD},
	};
	struct wire wire = {0};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(request(&wire, rows[i].offset, rows[i].size, 0),
				 rows[i].verdict);
		goes_on(&wire);
	}
}

/* The second of two, and the first's part where these two do not fit. */
static void parts(void **state)
{
	static const struct {
		uint16_t total, offset, size;
		enum netif_verdict verdict;
	} rows[] = {
		{100, 0, 100, NETIF_WHOLE},   {100, 0, 101, NETIF_BAD},
		{4196, 0, 100, NETIF_WHOLE},  {4197, 0, 100, NETIF_BAD},
		{100, 4096, 0, NETIF_WHOLE},  {100, 4097, 0, NETIF_BAD},
		{100, 4095, 1, NETIF_WHOLE},  {100, 4095, 2, NETIF_BAD},
		{8192, 0, 4096, NETIF_WHOLE}, {65535, 0, 65535, NETIF_BAD},
	};
	struct wire wire = {0};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(request(&wire, 0, rows[i].total, MORE), NETIF_MORE);
		assert_int_equal(request(&wire, rows[i].offset, rows[i].size, 0),
				 rows[i].verdict);
		goes_on(&wire);
	}
}

/* A sum of 16 bits would come round. */
static void sum_that_comes_round(void **state)
{
	struct wire wire = {0};

	(void)state;
	assert_int_equal(request(&wire, 0, 65535, MORE), NETIF_MORE);
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(request(&wire, 0, 4096, MORE), NETIF_MORE);
	assert_int_equal(request(&wire, 0, 4096, MORE), NETIF_BAD);
	assert_int_equal(request(&wire, 0, 95, 0), NETIF_BAD);
	goes_on(&wire);
}

static void chain_without_end(void **state)
{
	struct netif_reader before;
	struct wire wire = {0};

	(void)state;
	assert_int_equal(request(&wire, 0, 1000, MORE), NETIF_MORE);
	for (unsigned i = 1; i < NETIF_SLOTS_MAX; i++)
		assert_int_equal(request(&wire, 0, 1, MORE), NETIF_MORE);
	assert_int_equal(request(&wire, 0, 1, MORE), NETIF_BAD);
	/* Invariant 4: what is counted would come round, and find room for a piece. */
	before = wire.reader;
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(request(&wire, 0, 1, MORE), NETIF_BAD);
	assert_int_equal(wire.reader.requests, before.requests);
	assert_int_equal(wire.reader.others, before.others);
	assert_int_equal(packet(&wire)->pieces, before.packet.pieces);
	assert_int_equal(request(&wire, 0, 1, 0), NETIF_BAD);
	goes_on(&wire);
}

/* With all of its slots and extras, and then one more of either. */
static void one_too_many(void **state)
{
	(void)state;
	for (int last = 0; last < 2; last++) {
		struct wire wire = {0};

		assert_int_equal(request(&wire, 0, 1000, MORE | EXTRA), NETIF_MORE);
		assert_int_equal(gso(&wire, NETIF_GSO_TCPV4, 1448, true), NETIF_MORE);
		assert_int_equal(extra(&wire, NETIF_EXTRA_HASH, last, NULL),
				 NETIF_MORE);
		if (last) {
			assert_int_equal(extra(&wire, NETIF_EXTRA_HASH, false, NULL),
					 NETIF_BAD);
			assert_int_equal(request(&wire, 0, 1, 0), NETIF_BAD);
			goes_on(&wire);
			continue;
		}
		for (unsigned i = 1; i < NETIF_SLOTS_MAX; i++)
			assert_int_equal(request(&wire, 0, 1, MORE), NETIF_MORE);
		assert_int_equal(request(&wire, 0, 1, 0), NETIF_BAD);
		goes_on(&wire);
	}
}

static void extras_that_cannot_be(void **state)
{
	struct wire wire = {0};

	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		if (type >= NETIF_EXTRA_GSO && type <= NETIF_EXTRA_HASH)
			continue;
		assert_int_equal(request(&wire, 0, 60, EXTRA), NETIF_MORE);
		assert_int_equal(extra(&wire, (uint8_t)type, false, NULL), NETIF_BAD);
		goes_on(&wire);
	}
	for (unsigned type = 0; type < 256; type++) {
		bool good = type == NETIF_GSO_TCPV4 || type == NETIF_GSO_TCPV6;

		assert_int_equal(request(&wire, 0, 60, EXTRA), NETIF_MORE);
		assert_int_equal(gso(&wire, (uint8_t)type, 1, false),
				 good ? NETIF_WHOLE : NETIF_BAD);
		goes_on(&wire);
	}
	assert_int_equal(request(&wire, 0, 60, EXTRA), NETIF_MORE);
	assert_int_equal(gso(&wire, NETIF_GSO_TCPV4, 0, false), NETIF_BAD);
	goes_on(&wire);
	/* Announced by a request that is not the first. */
	assert_int_equal(request(&wire, 0, 60, MORE), NETIF_MORE);
	assert_int_equal(request(&wire, 0, 20, EXTRA), NETIF_BAD);
	goes_on(&wire);
}

static void extras_without_end(void **state)
{
	struct wire wire = {0};

	(void)state;
	assert_int_equal(request(&wire, 0, 60, EXTRA), NETIF_MORE);
	assert_int_equal(extra(&wire, NETIF_EXTRA_HASH, true, NULL), NETIF_MORE);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(extra(&wire, NETIF_EXTRA_HASH, true, NULL), NETIF_BAD);
	assert_int_equal(extra(&wire, NETIF_EXTRA_HASH, false, NULL), NETIF_BAD);
	goes_on(&wire);
}

/* -- Any ----------------------------------------------------------------------------
 */

/* A whole chain, judged with all of it in sight. */
static enum netif_verdict judge(const netif_tx_request_t *rq, unsigned n)
{
	uint32_t others = 0;

	if (n > NETIF_SLOTS_MAX || rq[0].size < NET_HEADER)
		return NETIF_BAD;
	for (unsigned i = 1; i < n; i++) {
		if (rq[i].offset + rq[i].size > 4096)
			return NETIF_BAD;
		others += rq[i].size;
	}
	if (others > rq[0].size || rq[0].offset + rq[0].size - others > 4096)
		return NETIF_BAD;
	return NETIF_WHOLE;
}

static void any_chain(void **state)
{
	static netif_tx_request_t rq[24];
	unsigned whole = 0;
	struct wire wire = {0};

	(void)state;
	srand(7);
	for (unsigned round = 0; round < 200000; round++) {
		unsigned n = 1u + (unsigned)rand() % 20;
		enum netif_verdict verdict = NETIF_MORE, wanted;
		uint16_t total = 0;

		for (unsigned i = 0; i < n; i++) {
			rq[i].size =
				(uint16_t)(rand() % 4 ? rand() % 300 : rand() % 4100);
			rq[i].offset =
				(uint16_t)(rand() % 8 ? rand() % 3700 : rand() % 4200);
			total = (uint16_t)(total + rq[i].size);
		}
		rq[0].size = (uint16_t)(total + (rand() % 8 ? 0 : rand() % 9 - 4));
		wanted = judge(rq, n);
		for (unsigned i = 0; i < n; i++)
			verdict = request(&wire, rq[i].offset, rq[i].size,
					  i < n - 1 ? MORE : 0);
		assert_int_equal(verdict, wanted);
		whole += verdict == NETIF_WHOLE;
	}
	assert_in_range(whole, 20000, 180000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_xen_has_it),
		cmocka_unit_test(one_request),
		cmocka_unit_test(pieces),
		cmocka_unit_test(as_many_as_there_may_be),
		cmocka_unit_test(empty_pieces),
		cmocka_unit_test(orders),
		cmocka_unit_test(sizes),
		cmocka_unit_test(parts),
		cmocka_unit_test(sum_that_comes_round),
		cmocka_unit_test(chain_without_end),
		cmocka_unit_test(one_too_many),
		cmocka_unit_test(extras_that_cannot_be),
		cmocka_unit_test(extras_without_end),
		cmocka_unit_test(any_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
