/* SPDX-License-Identifier: MIT */
/* backends/net/net-frame.c: what a frame says of itself, and what may be left to do. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/net/net-frame.h"

/* A frame under construction. */
struct draft {
	uint8_t byte[2048];
	uint32_t size;
};

static void put(struct draft *draft, const void *bytes, uint32_t n)
{
	memcpy(draft->byte + draft->size, bytes, n);
	draft->size += n;
}

static void put16(struct draft *draft, uint16_t v)
{
	const uint8_t two[] = {(uint8_t)(v >> 8), (uint8_t)v};

	put(draft, two, 2);
}

static void ethernet(struct draft *draft, uint16_t type)
{
	static const uint8_t macs[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

	*draft = (struct draft){0};
	put(draft, macs, sizeof(macs));
	put16(draft, type);
}

static const uint8_t v4_source[4] = {192, 0, 2, 7};
static const uint8_t v6_source[16] = {0x20, 1, 0x0d, 0xb8, [15] = 7};

/* @room bytes follow. */
static void ipv4(struct draft *draft, uint8_t protocol, uint16_t fragment,
		 uint16_t room)
{
	static const uint8_t to[4] = {198, 51, 100, 9};

	put16(draft, 0x4500);
	put16(draft, (uint16_t)(20 + room));
	put16(draft, 1);
	put16(draft, fragment);
	put16(draft, (uint16_t)(64 << 8 | protocol));
	put16(draft, 0);
	put(draft, v4_source, 4);
	put(draft, to, 4);
}

static void ipv6(struct draft *draft, uint8_t next, uint16_t room)
{
	static const uint8_t to[16] = {0x20, 1, 0x0d, 0xb8, [15] = 9};

	put16(draft, 0x6000);
	put16(draft, 0);
	put16(draft, room);
	put16(draft, (uint16_t)(next << 8 | 64));
	put(draft, v6_source, 16);
	put(draft, to, 16);
}

static void tcp(struct draft *draft, unsigned words, uint32_t payload)
{
	uint8_t header[60] = {0x12, 0x34, 0, 80, [12] = (uint8_t)(words << 4)};
	uint8_t fill[1024];

	put(draft, header, words * 4);
	for (uint32_t i = 0; i < payload; i++)
		fill[i] = (uint8_t)(i * 7);
	put(draft, fill, payload);
}

static void udp(struct draft *draft, uint32_t payload)
{
	put16(draft, 4000);
	put16(draft, 53);
	put16(draft, (uint16_t)(8 + payload));
	put16(draft, 0);
	draft->size += payload;
}

/* Of a copy of just that length, so that what reads beyond it is seen. The copy is
 * *@bytes, to be freed. */
static struct net_frame parsed(const struct draft *draft, uint32_t size,
			       uint8_t **bytes)
{
	struct net_frame frame;

	*bytes = malloc(size);
	assert_non_null(*bytes);
	memcpy(*bytes, draft->byte, size);
	net_frame_parse(*bytes, size, &frame);
	return frame;
}

static struct net_frame seen(const struct draft *draft)
{
	uint8_t *bytes;
	struct net_frame frame = parsed(draft, draft->size, &bytes);

	free(bytes);
	return frame;
}

/* -- Parsing ------------------------------------------------------------------------
 */

static void casts(void **state)
{
	struct draft draft;

	(void)state;
	ethernet(&draft, 0x88b5);
	assert_int_equal(seen(&draft).cast, NET_UNICAST);
	draft.byte[0] |= 1;
	assert_int_equal(seen(&draft).cast, NET_MULTICAST);
	memset(draft.byte, 0xff, 6);
	assert_int_equal(seen(&draft).cast, NET_BROADCAST);
	draft.byte[5] = 0xfe;
	assert_int_equal(seen(&draft).cast, NET_MULTICAST);
	assert_int_equal(seen(&draft).protocol, NET_OTHER);
	assert_int_equal(seen(&draft).type, 0x88b5);
	assert_false(seen(&draft).has_source);
}

static void tags(void **state)
{
	struct net_frame frame;
	struct draft draft;

	(void)state;
	ethernet(&draft, 0x8100);
	put16(&draft, 0xa123);
	put16(&draft, 0x0800);
	ipv4(&draft, IPPROTO_UDP, 0, 8);
	udp(&draft, 0);
	frame = seen(&draft);
	assert_true(frame.tagged);
	assert_false(frame.stacked);
	assert_int_equal(frame.vlan, 0x123);
	assert_int_equal(frame.type, 0x0800);
	assert_int_equal(frame.l3, 18);
	assert_int_equal(frame.l4, 38);

	draft.byte[15] = 0; /* a priority tag */
	draft.byte[14] = 0xa0;
	assert_false(seen(&draft).tagged);
	assert_int_equal(seen(&draft).protocol, NET_IPV4);

	draft.byte[12] = 0x88; /* 802.1ad */
	draft.byte[13] = 0xa8;
	frame = seen(&draft);
	assert_true(frame.stacked);
	assert_int_equal(frame.protocol, NET_OTHER);
	assert_false(frame.has_source);

	ethernet(&draft, 0x8100); /* one in another */
	put16(&draft, 5);
	put16(&draft, 0x8100);
	put16(&draft, 6);
	put16(&draft, 0x0800);
	ipv4(&draft, IPPROTO_UDP, 0, 8);
	udp(&draft, 0);
	frame = seen(&draft);
	assert_true(frame.stacked && frame.tagged);
	assert_int_equal(frame.vlan, 5);
	assert_false(frame.has_source);
}

static void sources(void **state)
{
	static const uint8_t arp[] = {0, 1, 8, 0, 6, 4, 0, 1};
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
	struct net_frame frame;
	struct draft draft;

	(void)state;
	ethernet(&draft, 0x0806);
	put(&draft, arp, sizeof(arp));
	put(&draft, mac, 6);
	put(&draft, v4_source, 4);
	draft.size += 10;
	frame = seen(&draft);
	assert_int_equal(frame.protocol, NET_ARP);
	assert_true(frame.has_source && !frame.source.ipv6);
	assert_memory_equal(frame.source.byte, v4_source, 4);
	assert_int_equal(frame.l4, 0);
	draft.byte[18] = 8; /* of addresses that are no Ethernet's */
	assert_int_equal(seen(&draft).protocol, NET_OTHER);

	ethernet(&draft, 0x0800);
	ipv4(&draft, IPPROTO_ICMP, 0, 4);
	draft.size += 4;
	frame = seen(&draft);
	assert_int_equal(frame.protocol, NET_IPV4);
	assert_true(frame.has_source && !frame.source.ipv6);
	assert_memory_equal(frame.source.byte, v4_source, 4);
	assert_int_equal(frame.l4, 0);

	ethernet(&draft, 0x86dd);
	ipv6(&draft, IPPROTO_UDP, 8);
	udp(&draft, 0);
	frame = seen(&draft);
	assert_int_equal(frame.protocol, NET_IPV6);
	assert_true(frame.has_source && frame.source.ipv6);
	assert_memory_equal(frame.source.byte, v6_source, 16);
	assert_int_equal(frame.l4, 54);
	assert_int_equal(frame.l4_protocol, IPPROTO_UDP);
}

/* Whatever is missing at the end, nothing beyond it is read, and a header that is not
 * whole is not taken for one. */
static void cut_short(void **state)
{
	static const struct {
		uint16_t type;
		uint32_t l3, l4; /* bytes with which these are whole */
	} rows[] = {
		{0x0800, 14 + 20 + 28, 14 + 20 + 28},
		{0x86dd, 14 + 40 + 28, 14 + 40 + 28},
		{0x0806, 14 + 28, UINT32_MAX},
	};

	(void)state;
	for (unsigned row = 0; row < 3; row++) {
		struct draft draft;

		ethernet(&draft, rows[row].type);
		if (row == 0)
			ipv4(&draft, IPPROTO_TCP, 0, 28);
		else if (row == 1)
			ipv6(&draft, IPPROTO_TCP, 28);
		else
			put(&draft, "\0\1\10\0\6\4\0\1", 8);
		if (row < 2)
			tcp(&draft, 5, 8);
		else
			draft.size += 20;
		for (uint32_t size = NET_HEADER; size <= draft.size; size++) {
			uint8_t *bytes;
			struct net_frame frame = parsed(&draft, size, &bytes);

			assert_int_equal(frame.has_source, size >= rows[row].l3);
			assert_int_equal(frame.protocol != NET_OTHER,
					 size >= rows[row].l3);
			assert_int_equal(frame.l4 != 0, size >= rows[row].l4);
			free(bytes);
		}
	}
}

/* Lengths that the header claims: below itself, beyond the frame; padding behind it. */
static void lengths(void **state)
{
	struct net_frame frame;
	struct draft draft;

	(void)state;
	ethernet(&draft, 0x0800);
	ipv4(&draft, IPPROTO_UDP, 0, 8);
	udp(&draft, 0);
	draft.size += 18; /* the shortest frame */
	assert_int_equal(seen(&draft).l4, 34);
	for (unsigned ihl = 0; ihl < 16; ihl++) {
		draft.byte[14] = (uint8_t)(0x40 | ihl);
		frame = seen(&draft);
		assert_int_equal(frame.protocol == NET_IPV4, ihl >= 5 && ihl <= 7);
		assert_int_equal(frame.l4 != 0, ihl == 5); /* beyond, UDP has no room */
	}
	draft.byte[14] = 0x45;
	for (unsigned total = 0; total < 100; total++) {
		draft.byte[17] = (uint8_t)total;
		frame = seen(&draft);
		assert_int_equal(frame.protocol == NET_IPV4,
				 total >= 20 && total <= 46);
		assert_int_equal(frame.l4 != 0, total >= 28 && total <= 46);
	}
	draft.byte[14] = 0x65;
	draft.byte[17] = 28;
	assert_int_equal(seen(&draft).protocol, NET_OTHER);
}

static void fragments(void **state)
{
	static const uint16_t words[] = {0x2000, 0x0001, 0x1fff, 0x2001};
	struct draft draft;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		ethernet(&draft, 0x0800);
		ipv4(&draft, IPPROTO_UDP, words[i], 16);
		udp(&draft, 8);
		assert_true(seen(&draft).has_source);
		assert_int_equal(seen(&draft).l4, 0);

		ethernet(&draft, 0x86dd);
		ipv6(&draft, IPPROTO_FRAGMENT, 24);
		put16(&draft, IPPROTO_UDP << 8);
		put16(&draft, (uint16_t)(words[i] == 0x2000 ? 1 : words[i] << 3));
		put(&draft, "abcd", 4);
		udp(&draft, 8);
		assert_true(seen(&draft).has_source);
		assert_int_equal(seen(&draft).l4, 0);
	}
	ethernet(&draft, 0x0800);
	ipv4(&draft, IPPROTO_UDP, 0x4000, 16); /* do not fragment */
	udp(&draft, 8);
	assert_int_equal(seen(&draft).l4, 34);
	/* An atomic fragment is whole (RFC 6946). */
	ethernet(&draft, 0x86dd);
	ipv6(&draft, IPPROTO_FRAGMENT, 24);
	put16(&draft, IPPROTO_UDP << 8);
	put16(&draft, 0);
	put(&draft, "abcd", 4);
	udp(&draft, 8);
	assert_int_equal(seen(&draft).l4, 62);
}

static void extensions(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 12; n++) {
		struct draft draft;

		ethernet(&draft, 0x86dd);
		ipv6(&draft, n ? IPPROTO_DSTOPTS : IPPROTO_TCP, (uint16_t)(n * 8 + 20));
		for (unsigned i = 0; i < n; i++) {
			uint8_t header[8] = {i + 1 < n ? IPPROTO_DSTOPTS : IPPROTO_TCP};

			put(&draft, header, 8);
		}
		tcp(&draft, 5, 0);
		assert_int_equal(seen(&draft).l4, n <= NET_EXTENSIONS ? 54 + n * 8 : 0);
		/* What stands behind them is not known: nor is the rest. */
		assert_int_equal(seen(&draft).has_source, n <= NET_EXTENSIONS);
		/* The last one's length ends beyond the packet. */
		if (!n)
			continue;
		draft.byte[54 + (n - 1) * 8 + 1] = 255;
		assert_int_equal(seen(&draft).l4, 0);
		assert_false(seen(&draft).has_source);
	}
}

/* -- Offloads -----------------------------------------------------------------------
 */

static void tcp_frame(struct draft *draft, bool v6, unsigned words, uint32_t payload)
{
	ethernet(draft, v6 ? 0x86dd : 0x0800);
	if (v6)
		ipv6(draft, IPPROTO_TCP, (uint16_t)(words * 4 + payload));
	else
		ipv4(draft, IPPROTO_TCP, 0, (uint16_t)(words * 4 + payload));
	tcp(draft, words, payload);
}

static void places_of_sums(void **state)
{
	struct net_offload offload = {0};
	struct net_frame frame;
	struct draft draft;

	(void)state;
	tcp_frame(&draft, false, 5, 10);
	frame = seen(&draft);
	assert_true(net_frame_sum_place(&frame, &offload));
	assert_true(offload.sum);
	assert_int_equal(offload.start, 34);
	assert_int_equal(offload.offset, 16);
	ethernet(&draft, 0x86dd);
	ipv6(&draft, IPPROTO_UDP, 8);
	udp(&draft, 0);
	frame = seen(&draft);
	assert_true(net_frame_sum_place(&frame, &offload));
	assert_int_equal(offload.start, 54);
	assert_int_equal(offload.offset, 6);
	ethernet(&draft, 0x0806);
	frame = seen(&draft);
	assert_false(net_frame_sum_place(&frame, &offload));
}

/* Two bytes of the frame, behind the Ethernet header, or it is not sound. */
static void sums_in_the_frame(void **state)
{
	struct net_frame frame;
	struct draft draft;

	(void)state;
	ethernet(&draft, 0x88b5);
	draft.size = 100;
	frame = seen(&draft);
	for (uint32_t start = 0; start < 200; start++) {
		for (uint32_t offset = 0; offset < 200; offset++) {
			struct net_offload offload = {
				.sum = true,
				.start = (uint16_t)start,
				.offset = (uint16_t)offset,
			};

			assert_int_equal(net_offload_check(&frame, &offload),
					 start >= 14 && start + offset <= 98);
		}
	}
	for (unsigned i = 0; i < 3; i++) {
		struct net_offload far = {
			.sum = true,
			.start = i == 1 ? 50 : 65535,
			.offset = i == 0 ? 50 : 65535,
		};

		assert_false(net_offload_check(&frame, &far));
	}
}

static void what_is_cut(void **state)
{
	static const enum net_gso kinds[] = {NET_GSO_TCPV4, NET_GSO_TCPV6, NET_GSO_UDP};

	(void)state;
	for (unsigned is = 0; is < 4; is++) {
		struct net_frame frame;
		struct draft draft;
		uint8_t *bytes;

		if (is < 2) {
			tcp_frame(&draft, is == 1, 8, 500);
		} else {
			ethernet(&draft, is == 2 ? 0x0800 : 0x86dd);
			if (is == 2)
				ipv4(&draft, IPPROTO_UDP, 0, 508);
			else
				ipv6(&draft, IPPROTO_UDP, 508);
			udp(&draft, 500);
		}
		frame = parsed(&draft, draft.size, &bytes);
		for (unsigned kind = 0; kind < 3; kind++) {
			bool fits = is < 2 ? kind == is : kind == 2;
			struct net_offload offload = {.gso = kinds[kind],
						      .gso_size = 100};

			/* Without a sum to be made, it cannot be cut. */
			assert_false(net_offload_check(&frame, &offload));
			assert_true(net_frame_sum_place(&frame, &offload));
			offload.header = 7; /* said by the client */
			assert_int_equal(net_offload_check(&frame, &offload), fits);
			if (fits)
				assert_int_equal(offload.header, draft.size - 500);
			offload.start++;
			assert_false(net_offload_check(&frame, &offload));
			offload.start--;
			offload.gso_size = 0;
			assert_false(net_offload_check(&frame, &offload));
		}
		free(bytes);
	}
}

/* Of each length that TCP's header may claim, with some payload behind it or none. */
static void headers_of_tcp(void **state)
{
	struct net_offload offload = {.gso = NET_GSO_TCPV4, .gso_size = 1};
	struct draft draft;

	(void)state;
	tcp_frame(&draft, false, 10, 0);
	for (unsigned words = 0; words < 16; words++) {
		struct net_frame frame;
		uint8_t *bytes;

		draft.byte[34 + 12] = (uint8_t)(words << 4);
		frame = parsed(&draft, draft.size, &bytes);
		assert_true(net_frame_sum_place(&frame, &offload));
		assert_int_equal(net_offload_check(&frame, &offload),
				 words >= 5 && words < 10);
		free(bytes);
	}
}

static uint32_t sum_of(const uint8_t *at, uint32_t bytes)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < bytes; i++)
		sum += (uint32_t)at[i] << (i % 2 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Who finishes the sum, as RFC 1624 would have him, comes to the one of RFC 793. */
static void sums_of_pseudo_headers(void **state)
{
	(void)state;
	for (unsigned is = 0; is < 2; is++) {
		uint32_t l4 = is ? 54 : 34, bytes = 32 + 333, whole;
		struct draft draft, pseudo = {0};
		struct net_offload offload = {0};
		struct net_frame frame;

		tcp_frame(&draft, is, 8, 333);
		put(&pseudo, draft.byte + (is ? 22 : 26), is ? 32 : 8);
		put16(&pseudo, 0);
		put16(&pseudo, (uint16_t)bytes);
		put16(&pseudo, 0);
		put16(&pseudo, IPPROTO_TCP);
		whole = sum_of(pseudo.byte, pseudo.size) +
			sum_of(draft.byte + l4, bytes); /* its own field is 0 */
		whole = (whole & 0xffff) + (whole >> 16);

		draft.byte[l4 + 16] = 0xab; /* what stood there does not count */
		net_frame_parse(draft.byte, draft.size, &frame);
		assert_true(net_frame_sum_place(&frame, &offload));
		net_frame_sum(&frame, &offload);
		assert_int_equal(sum_of(draft.byte + l4, bytes), whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(casts),
		cmocka_unit_test(tags),
		cmocka_unit_test(sources),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(lengths),
		cmocka_unit_test(fragments),
		cmocka_unit_test(extensions),
		cmocka_unit_test(places_of_sums),
		cmocka_unit_test(sums_in_the_frame),
		cmocka_unit_test(what_is_cut),
		cmocka_unit_test(headers_of_tcp),
		cmocka_unit_test(sums_of_pseudo_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
