/* SPDX-License-Identifier: MIT */
/* backends/net/netif-control.c: requests of the control ring, and hashes. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xen/xen.h>

#define XEN_NETIF_DEFINE_TOEPLITZ
#include <xen/io/netif.h>

#include "backends/net/netif-control.h"
#include "common/bytes.h"
#include "tests/device/net-frames.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct netif_hash hash;
static uint8_t page[4096];

/* One request; what of the page it needs is there. */
static enum netif_control_status ask(uint16_t type, uint32_t d0, uint32_t d1,
				     uint32_t d2, uint32_t *data)
{
	const struct netif_control request = {1, type, {d0, d1, d2}};
	uint32_t needs = 0;
	enum netif_control_status status;

	assert_true(netif_hash_is_asked(&request));
	status = netif_hash_ask(&hash, &request, data, &needs);
	assert_true(needs <= sizeof(page));
	if (status == NETIF_CONTROL_SUCCESS && needs)
		status = netif_hash_take(&hash, &request, page);
	return status;
}

static enum netif_control_status set(uint16_t type, uint32_t d0, uint32_t d1,
				     uint32_t d2)
{
	uint32_t data = 1;
	enum netif_control_status status = ask(type, d0, d1, d2, &data);

	assert_int_equal(data, 0);
	return status;
}

static void toeplitz(uint32_t flags)
{
	assert_int_equal(set(NETIF_SET_HASH_ALGORITHM, NETIF_HASH_TOEPLITZ, 0, 0), 0);
	assert_int_equal(set(NETIF_SET_HASH_FLAGS, flags, 0, 0), 0);
}

/* -- The wire --------------------------------------------------------------- */

static void the_wire_is_xens(void **state)
{
	const struct xen_netif_ctrl_request in = {7, 3, {0x01020304, 5, 0xffffffff}};
	struct xen_netif_ctrl_response out;
	struct xen_netif_gref gref = {0x12345678, 1, 0x4321};
	struct netif_control request;
	struct netif_gref decoded;

	(void)state;
	assert_int_equal(sizeof(in), NETIF_CONTROL_ENTRY);
	assert_int_equal(sizeof(out), NETIF_CONTROL_RESPONSE);
	assert_int_equal(sizeof(gref), NETIF_GREF);
	netif_control_decode((const uint8_t *)&in, &request);
	assert_int_equal(request.id, 7);
	assert_int_equal(request.type, 3);
	assert_memory_equal(request.data, in.data, sizeof(in.data));
	netif_control_encode(&request, NETIF_CONTROL_OVERFLOW, 9, (uint8_t *)&out);
	assert_int_equal(out.id, 7);
	assert_int_equal(out.type, 3);
	assert_int_equal(out.status, XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW);
	assert_int_equal(out.data, 9);
	netif_gref_decode((const uint8_t *)&gref, &decoded);
	assert_int_equal(decoded.ref.v, gref.ref);
	assert_int_equal(decoded.flags, XEN_NETIF_CTRLF_GREF_readonly);
	assert_int_equal(decoded.status, 0x4321);
	memset(&gref, 0, sizeof(gref));
	netif_gref_encode(&decoded, (uint8_t *)&gref);
	assert_int_equal(gref.ref, 0x12345678);
	assert_int_equal(gref.flags, 1);
	assert_int_equal(gref.status, 0x4321);
}

static void names_are_xens(void **state)
{
	const struct {
		unsigned ours, xens;
	} rows[] = {
		{NETIF_GET_HASH_FLAGS, XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS},
		{NETIF_SET_HASH_FLAGS, XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS},
		{NETIF_SET_HASH_KEY, XEN_NETIF_CTRL_TYPE_SET_HASH_KEY},
		{NETIF_GET_HASH_MAPPING_SIZE,
		 XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE},
		{NETIF_SET_HASH_MAPPING_SIZE,
		 XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE},
		{NETIF_SET_HASH_MAPPING, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING},
		{NETIF_SET_HASH_ALGORITHM, XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM},
		{NETIF_GET_GREF_MAPPING_SIZE,
		 XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE},
		{NETIF_ADD_GREF_MAPPING, XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING},
		{NETIF_DEL_GREF_MAPPING, XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING},
		{NETIF_CONTROL_SUCCESS, XEN_NETIF_CTRL_STATUS_SUCCESS},
		{NETIF_CONTROL_NOT_SUPPORTED, XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED},
		{NETIF_CONTROL_INVALID, XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER},
		{NETIF_CONTROL_OVERFLOW, XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW},
		{NETIF_HASH_NONE, XEN_NETIF_CTRL_HASH_ALGORITHM_NONE},
		{NETIF_HASH_TOEPLITZ, XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ},
		{NETIF_HASH_IPV4, _XEN_NETIF_CTRL_HASH_TYPE_IPV4},
		{NETIF_HASH_IPV4_TCP, _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP},
		{NETIF_HASH_IPV6, _XEN_NETIF_CTRL_HASH_TYPE_IPV6},
		{NETIF_HASH_IPV6_TCP, _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++)
		assert_int_equal(rows[i].ours, rows[i].xens);
}

/* -- What is asked ----------------------------------------------------------- */

static void flags_want_an_algorithm(void **state)
{
	uint32_t data = 0;

	(void)state;
	netif_hash_init(&hash, 4);
	assert_int_equal(ask(NETIF_GET_HASH_FLAGS, 0, 0, 0, &data),
			 NETIF_CONTROL_NOT_SUPPORTED);
	assert_int_equal(set(NETIF_SET_HASH_FLAGS, 1, 0, 0),
			 NETIF_CONTROL_NOT_SUPPORTED);
	for (uint32_t i = 2; i; i <<= 1) {
		assert_int_equal(set(NETIF_SET_HASH_ALGORITHM, i, 0, 0),
				 NETIF_CONTROL_INVALID);
		assert_int_equal(hash.algorithm, NETIF_HASH_NONE);
	}
	toeplitz(0);
	assert_int_equal(ask(NETIF_GET_HASH_FLAGS, 0, 0, 0, &data), 0);
	assert_int_equal(data, 15);
	for (uint32_t flags = 0; flags <= 15; flags++)
		assert_int_equal(set(NETIF_SET_HASH_FLAGS, flags, 0, 0), 0);
	for (uint32_t bit = 16; bit; bit <<= 1) {
		assert_int_equal(set(NETIF_SET_HASH_FLAGS, bit | 1, 0, 0),
				 NETIF_CONTROL_INVALID);
		assert_int_equal(hash.flags, 15);
	}
}

static void keys(void **state)
{
	static const uint32_t sizes[] = {41, 4096, 4097, 65536, 0x80000000, UINT32_MAX};

	(void)state;
	netif_hash_init(&hash, 1);
	memset(page, 0xab, sizeof(page));
	for (uint32_t size = 0; size <= NETIF_KEY_MAX; size++) {
		assert_int_equal(set(NETIF_SET_HASH_KEY, 9, size, 0), 0);
		for (uint32_t i = 0; i < NETIF_KEY_MAX; i++)
			assert_int_equal(hash.key[i], i < size ? 0xab : 0);
	}
	/* A shorter one leaves nothing of the longer. */
	assert_int_equal(set(NETIF_SET_HASH_KEY, 9, 2, 0), 0);
	assert_int_equal(hash.key[2], 0);
	for (unsigned i = 0; i < COUNT(sizes); i++) {
		assert_int_equal(set(NETIF_SET_HASH_KEY, 9, sizes[i], 0),
				 NETIF_CONTROL_OVERFLOW);
		assert_int_equal(hash.key[1], 0xab);
	}
	assert_int_equal(set(NETIF_SET_HASH_KEY, 9, 0, 0), 0);
	assert_int_equal(hash.key[0], 0);
}

/* Every range there is, and those that wrap (XSA-270), beside a sum in 64 bits. */
static void ranges_of_the_mapping(void **state)
{
	static const uint32_t far[] = {127,	   128,	       129,	   256,
				       1024,	   0x3fffffff, 0x40000000, 0x7fffffff,
				       0x80000000, 0xc0000000, 0xffffff80, 0xffffffff};
	uint32_t data, number[260 + COUNT(far)], n = 0;

	(void)state;
	for (uint32_t i = 0; i < 260; i++)
		number[n++] = i;
	for (unsigned i = 0; i < COUNT(far); i++)
		number[n++] = far[i];
	memset(page, 0, sizeof(page));
	netif_hash_init(&hash, 4);
	assert_int_equal(ask(NETIF_GET_HASH_MAPPING_SIZE, 0, 0, 0, &data), 0);
	assert_int_equal(data, NETIF_MAPPING_MAX);
	for (uint32_t s = 0; s < n; s++) {
		uint32_t size = number[s];
		bool fits = size <= NETIF_MAPPING_MAX;

		assert_int_equal(set(NETIF_SET_HASH_MAPPING_SIZE, size, 0, 0),
				 fits ? NETIF_CONTROL_SUCCESS : NETIF_CONTROL_INVALID);
		for (uint32_t i = 0; fits && i < n * n; i += size % 16 ? 97 : 1) {
			uint32_t entries = number[i / n], at = number[i % n];
			bool sound = (uint64_t)entries + at <= size;

			assert_int_equal(!set(NETIF_SET_HASH_MAPPING, 9, entries, at),
					 sound);
		}
	}
}

static void entries_are_queues(void **state)
{
	static const uint32_t bad[] = {4, 5, 128, 0x80000000, 0xffffffff};

	(void)state;
	netif_hash_init(&hash, 4);
	assert_int_equal(set(NETIF_SET_HASH_MAPPING_SIZE, 128, 0, 0), 0);
	for (uint32_t i = 0; i < 128; i++)
		bytes_put32(page + 4 * (size_t)i, i % 4);
	assert_int_equal(set(NETIF_SET_HASH_MAPPING, 9, 100, 28), 0);
	for (uint32_t i = 0; i < 128; i++)
		assert_int_equal(hash.mapping[i], i < 28 ? 0 : (i - 28) % 4);
	/* One that is none: nothing changes. */
	for (unsigned b = 0; b < COUNT(bad); b++) {
		for (uint32_t at = 0; at < 128; at++) {
			const struct netif_hash before = hash;

			for (uint32_t i = 0; i < 128; i++)
				bytes_put32(page + 4 * (size_t)i, i == at ? bad[b] : 3);
			assert_int_equal(set(NETIF_SET_HASH_MAPPING, 9, 128, 0),
					 NETIF_CONTROL_INVALID);
			assert_memory_equal(&before, &hash, sizeof(hash));
		}
	}
	/* A new size clears what was there. */
	assert_int_equal(set(NETIF_SET_HASH_MAPPING_SIZE, 5, 0, 0), 0);
	for (uint32_t i = 0; i < 128; i++)
		assert_int_equal(hash.mapping[i], 0);
}

static void what_is_not_about_the_hash(void **state)
{
	(void)state;
	netif_hash_init(&hash, 1);
	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		const struct netif_control request = {.type = (uint16_t)type};
		uint32_t data, needs;

		if (type >= 1 && type <= 7) {
			assert_true(netif_hash_is_asked(&request));
			continue;
		}
		assert_false(netif_hash_is_asked(&request));
		assert_int_equal(netif_hash_ask(&hash, &request, &data, &needs),
				 NETIF_CONTROL_NOT_SUPPORTED);
		assert_int_equal(needs, 0);
	}
}

/* -- Hashes ------------------------------------------------------------------ */

/* The key and the vectors that were published with receive-side scaling. */
static const uint8_t rss_key[NETIF_KEY_MAX] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
	0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
	0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
	0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static const struct {
	int family;
	const char *to, *from;
	uint16_t to_port, from_port;
	uint32_t ip, tcp;
} vectors[] = {
	{AF_INET, "161.142.100.80", "66.9.149.187", 1766, 2794, 0x323e8fc2, 0x51ccc178},
	{AF_INET, "65.69.140.83", "199.92.111.2", 4739, 14230, 0xd718262a, 0xc626b0ea},
	{AF_INET, "12.22.207.184", "24.19.198.95", 38024, 12898, 0xd2d0a5de,
	 0x5c2b394a},
	{AF_INET, "209.142.163.6", "38.27.205.30", 2217, 48228, 0x82989176, 0xafc7327f},
	{AF_INET, "202.188.127.2", "153.39.163.191", 1303, 44251, 0x5d1809c5,
	 0x10e828a2},
	{AF_INET6, "3ffe:2501:200:3::1", "3ffe:2501:200:1fff::7", 1766, 2794,
	 0x2cc18cd5, 0x40207d3d},
	{AF_INET6, "ff02::1", "3ffe:501:8::260:97ff:fe40:efab", 4739, 14230, 0x0f0c461c,
	 0xdde51bbf},
	{AF_INET6, "fe80::200:f8ff:fe21:67cf", "3ffe:1900:4545:3:200:f8ff:fe21:67cf",
	 38024, 44251, 0x4b61e985, 0x02d1feef},
};

static uint8_t bytes[NET_FRAMES_ROOM];

/* A frame of this vector; @tag: with a VLAN's. */
static void frame_of(unsigned v, bool tcp, bool tag, struct net_frame *out)
{
	bool six = vectors[v].family == AF_INET6;
	uint32_t size = tcp ? net_frames_tcp(bytes, six, 50, v)
			    : net_frames_udp(bytes, six, 50, v);
	uint8_t *at = bytes + (six ? 22 : 26), *ports = bytes + (six ? 54 : 34);
	uint16_t from = htons(vectors[v].from_port), to = htons(vectors[v].to_port);

	assert_int_equal(inet_pton(vectors[v].family, vectors[v].from, at), 1);
	assert_int_equal(
		inet_pton(vectors[v].family, vectors[v].to, at + (six ? 16 : 4)), 1);
	memcpy(ports, &from, 2);
	memcpy(ports + 2, &to, 2);
	if (tag)
		size = net_frames_tag(bytes, size, 0x8100, 5);
	net_frame_parse(bytes, size, out);
}

static void hashes(bool is_hashed, enum netif_hash_type type, uint32_t value,
		   const struct net_frame *frame)
{
	enum netif_hash_type got_type = NETIF_HASH_TYPES;
	uint32_t got = 0;

	assert_int_equal(netif_hash_frame(&hash, frame, &got_type, &got), is_hashed);
	if (!is_hashed)
		return;
	assert_int_equal(got_type, type);
	assert_int_equal(got, value);
}

static void published_vectors(void **state)
{
	struct net_frame frame;

	(void)state;
	netif_hash_init(&hash, 1);
	toeplitz(15);
	memcpy(page, rss_key, sizeof(rss_key));
	assert_int_equal(set(NETIF_SET_HASH_KEY, 9, NETIF_KEY_MAX, 0), 0);
	for (unsigned v = 0; v < COUNT(vectors); v++) {
		unsigned ip = vectors[v].family == AF_INET6 ? NETIF_HASH_IPV6
							    : NETIF_HASH_IPV4;

		for (unsigned tag = 0; tag <= 1; tag++) {
			hash.flags = 15;
			frame_of(v, true, tag, &frame);
			hashes(true, ip + 1, vectors[v].tcp, &frame);
			/* Not asked for: that of IP alone. */
			hash.flags = 1u << ip;
			hashes(true, ip, vectors[v].ip, &frame);
			hash.flags = 15 & ~(3u << ip);
			hashes(false, 0, 0, &frame);
			/* What is not TCP has no other. */
			hash.flags = 15;
			frame_of(v, false, tag, &frame);
			hashes(true, ip, vectors[v].ip, &frame);
			hash.flags = 2u << ip;
			hashes(false, 0, 0, &frame);
		}
	}
}

/* As the header's own, of keys and data of any length. */
static void as_xens_own(void **state)
{
	(void)state;
	srand(270);
	for (unsigned round = 0; round < 4000; round++) {
		uint32_t key_size = (uint32_t)rand() % (NETIF_KEY_MAX + 1);
		uint32_t size = (uint32_t)rand() % 61;
		uint8_t key[NETIF_KEY_MAX] = {0}, data[60];

		for (uint32_t i = 0; i < key_size; i++)
			key[i] = (uint8_t)rand();
		for (uint32_t i = 0; i < size; i++)
			data[i] = (uint8_t)rand();
		assert_int_equal(netif_toeplitz(key, data, size),
				 xen_netif_toeplitz_hash(key, key_size, data, size));
	}
}

static void what_has_no_hash(void **state)
{
	struct net_frame frame;

	(void)state;
	netif_hash_init(&hash, 1);
	frame_of(0, true, false, &frame);
	hashes(false, 0, 0, &frame);
	toeplitz(15);
	/* An empty key: the hash is 0. */
	hashes(true, NETIF_HASH_IPV4_TCP, 0, &frame);
	/* A fragment has no ports. */
	bytes[20] = 0x20;
	net_frame_parse(bytes, 104, &frame);
	hashes(true, NETIF_HASH_IPV4, 0, &frame);
	net_frame_parse(bytes, net_frames_plain(bytes, 100, 1), &frame);
	hashes(false, 0, 0, &frame);
	/* A header that is cut short. */
	for (uint32_t size = NET_HEADER; size < 54; size++) {
		uint8_t *cut = malloc(size);

		frame_of(0, true, false, &frame);
		memcpy(cut, bytes, size);
		net_frame_parse(cut, size, &frame);
		hashes(false, 0, 0, &frame);
		free(cut);
	}
	frame_of(0, true, false, &frame);
	assert_int_equal(set(NETIF_SET_HASH_ALGORITHM, NETIF_HASH_NONE, 0, 0), 0);
	hashes(false, 0, 0, &frame);
	/* What was set before waits. */
	assert_int_equal(set(NETIF_SET_HASH_ALGORITHM, NETIF_HASH_TOEPLITZ, 0, 0), 0);
	hashes(true, NETIF_HASH_IPV4_TCP, 0, &frame);
}

static void queues(void **state)
{
	(void)state;
	netif_hash_init(&hash, 3);
	for (uint32_t value = 0; value < 100; value++)
		assert_int_equal(netif_hash_queue(&hash, value), value % 3);
	assert_int_equal(netif_hash_queue(&hash, 0xffffffff), 0);
	assert_int_equal(set(NETIF_SET_HASH_MAPPING_SIZE, 7, 0, 0), 0);
	for (uint32_t i = 0; i < 7; i++)
		bytes_put32(page + 4 * (size_t)i, i % 2 ? 2 : 0);
	assert_int_equal(set(NETIF_SET_HASH_MAPPING, 9, 7, 0), 0);
	for (uint32_t value = 0; value < 100; value++)
		assert_int_equal(netif_hash_queue(&hash, value), value % 7 % 2 ? 2 : 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wire_is_xens),
		cmocka_unit_test(names_are_xens),
		cmocka_unit_test(flags_want_an_algorithm),
		cmocka_unit_test(keys),
		cmocka_unit_test(ranges_of_the_mapping),
		cmocka_unit_test(entries_are_queues),
		cmocka_unit_test(what_is_not_about_the_hash),
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(as_xens_own),
		cmocka_unit_test(what_has_no_hash),
		cmocka_unit_test(queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
