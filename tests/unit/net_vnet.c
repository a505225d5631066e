/* SPDX-License-Identifier: MIT */
/* backends/net/net-vnet.h: both ways, and what contradicts itself. */
#include <endian.h>
#include <linux/virtio_net.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "backends/net/net-vnet.h"

#define START  34 /* of TCP in an IPv4 frame */
#define SUM    16
#define UDP_L4 5

static uint8_t frame[200];
static struct net_vnet_header header;
static struct net_offload got;
static bool validated;

/* A frame that is to be cut, and all about it is right. */
static int set_up(void **state)
{
	(void)state;
	memset(frame, 0, sizeof(frame));
	frame[START + 12] = 8 << 4;
	header = (struct net_vnet_header){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = htole16(1),
		.gso_size = htole16(100),
		.csum_start = htole16(START),
		.csum_offset = htole16(SUM),
	};
	got = (struct net_offload){.start = 7};
	validated = false;
	return 0;
}

static bool take(uint32_t size)
{
	return net_vnet_take(&header, frame, size, &got, &validated);
}

static void refused(uint32_t size)
{
	assert_false(take(size));
	assert_int_equal(got.start, 7);
	assert_false(validated);
}

static void nothing_to_do(void **state)
{
	const struct net_offload none = {0};

	(void)state;
	memset(&header, 0xff, sizeof(header));
	net_vnet_put(&none, false, &header);
	for (unsigned i = 0; i < sizeof(header); i++)
		assert_int_equal(((uint8_t *)&header)[i], 0);
	assert_true(take(NET_HEADER));
	assert_false(got.sum);
	assert_int_equal(got.start, 0);
	assert_int_equal(got.gso, NET_GSO_NONE);
	assert_false(validated);
	header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	assert_true(take(NET_HEADER));
	assert_true(validated);
	/* And the other way; a sum that is to be made says so alone. */
	memset(&header, 0xff, sizeof(header));
	net_vnet_put(&none, true, &header);
	assert_int_equal(header.flags, VIRTIO_NET_HDR_F_DATA_VALID);
	header.gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN;
	assert_false(net_vnet_read(&header, &got));
}

static void put(void **state)
{
	static const uint8_t types[] = {
		[NET_GSO_TCPV4] = VIRTIO_NET_HDR_GSO_TCPV4,
		[NET_GSO_TCPV6] = VIRTIO_NET_HDR_GSO_TCPV6,
		[NET_GSO_UDP] = UDP_L4,
	};
	struct net_offload offload = {true, 0x102, 0x304, NET_GSO_NONE, 0x506, 0x708};
	static const uint8_t sum[10] = {1, 0, 0, 0, 0, 0, 0x02, 0x01, 0x04, 0x03};

	(void)state;
	net_vnet_put(&offload, true, &header);
	assert_memory_equal(&header, sum, sizeof(sum));
	for (unsigned gso = NET_GSO_TCPV4; gso <= NET_GSO_UDP; gso++) {
		const uint8_t cut[10] = {1,    types[gso], 0x08, 0x07, 0x06,
					 0x05, 0x02,	   0x01, 0x04, 0x03};

		offload.gso = gso;
		net_vnet_put(&offload, true, &header);
		assert_memory_equal(&header, cut, sizeof(cut));
	}
}

static void taken(void **state)
{
	(void)state;
	assert_true(take(sizeof(frame)));
	assert_true(got.sum);
	assert_true(validated);
	assert_int_equal(got.start, START);
	assert_int_equal(got.offset, SUM);
	assert_int_equal(got.gso, NET_GSO_TCPV4);
	assert_int_equal(got.gso_size, 100);
	assert_int_equal(got.header, START + 32); /* not what the header says */
	header.gso_type = VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN;
	assert_true(take(sizeof(frame)));
	assert_int_equal(got.gso, NET_GSO_TCPV6);
}

/* Its header is of eight bytes, and its sum at the sixth. */
static void udp_is_cut(void **state)
{
	(void)state;
	header.gso_type = UDP_L4;
	refused(sizeof(frame)); /* a sum at TCP's place */
	header.csum_offset = htole16(6);
	refused(START + 8); /* no payload */
	header.gso_size = 0;
	refused(sizeof(frame));
	header.gso_size = htole16(100);
	assert_true(take(START + 9));
	assert_true(take(sizeof(frame)));
	assert_int_equal(got.gso, NET_GSO_UDP);
	assert_int_equal(got.gso_size, 100);
	assert_int_equal(got.header, START + 8);
}

static void nothing_else_is_cut(void **state)
{
	(void)state;
	for (unsigned type = 1; type < 256; type++) {
		unsigned base = type & ~VIRTIO_NET_HDR_GSO_ECN;

		if (base == VIRTIO_NET_HDR_GSO_NONE ||
		    base == VIRTIO_NET_HDR_GSO_TCPV4 ||
		    base == VIRTIO_NET_HDR_GSO_TCPV6 || base == UDP_L4)
			continue;
		header.gso_type = (uint8_t)type;
		refused(sizeof(frame));
	}
}

/* Each size, and each place of a sum. */
static void sums_lie_in_the_frame(void **state)
{
	(void)state;
	header.gso_type = 0;
	for (unsigned start = 0; start < 64; start++) {
		for (unsigned size = NET_HEADER; size < 100; size++) {
			bool good = start >= NET_HEADER && start + SUM + 2 <= size;

			header.csum_start = htole16((uint16_t)start);
			assert_int_equal(take(size), good);
		}
	}
	set_up(NULL);
	header.gso_type = 0;
	header.csum_offset = htole16(0xffff);
	refused(sizeof(frame));
	header.csum_start = htole16(0xffff);
	refused(sizeof(frame));
}

static void cuts_that_contradict(void **state)
{
	(void)state;
	header.gso_size = 0;
	refused(sizeof(frame));
	set_up(NULL);
	header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	refused(sizeof(frame));
	set_up(NULL);
	header.csum_offset = htole16(6);
	refused(sizeof(frame));
	set_up(NULL);
	frame[START + 12] = 4 << 4; /* shorter than TCP's header is */
	refused(sizeof(frame));
	set_up(NULL);
	refused(START + 32); /* nothing behind it */
	assert_true(take(START + 33));
}

/* Of a header that lies at the end nothing behind it is read. */
static void tcp_headers_that_are_cut_short(void **state)
{
	uint8_t *bytes = test_malloc(START + 20);

	(void)state;
	memset(bytes, 0xff, START + 20);
	for (unsigned size = START + SUM + 2; size <= START + 20; size++)
		assert_false(net_vnet_take(&header, bytes, size, &got, &validated));
	test_free(bytes);
}

/* That its headers are that long, a header's field could not say. */
static void headers_end_where_16_bits_do(void **state)
{
	static uint8_t large[70000];

	(void)state;
	header.csum_start = htole16(65510);
	large[65510 + 12] = 6 << 4;
	assert_true(net_vnet_take(&header, large, sizeof(large), &got, &validated));
	assert_int_equal(got.header, 65534);
	large[65510 + 12] = 7 << 4;
	assert_false(net_vnet_take(&header, large, sizeof(large), &got, &validated));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_to_do, set_up),
		cmocka_unit_test_setup(put, set_up),
		cmocka_unit_test_setup(taken, set_up),
		cmocka_unit_test_setup(udp_is_cut, set_up),
		cmocka_unit_test_setup(nothing_else_is_cut, set_up),
		cmocka_unit_test_setup(sums_lie_in_the_frame, set_up),
		cmocka_unit_test_setup(cuts_that_contradict, set_up),
		cmocka_unit_test_setup(tcp_headers_that_are_cut_short, set_up),
		cmocka_unit_test_setup(headers_end_where_16_bits_do, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
