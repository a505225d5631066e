/* SPDX-License-Identifier: MIT */
/* backends/net/net-cut.c: segments against what the RFCs say of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "backends/net/net-cut.h"

#define FIN 0x01
#define PSH 0x08
#define ACK 0x10
#define CWR 0x80

static uint8_t frame[70000], before[70000];
static struct net_offload offload;
static uint32_t l3, l4;

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t sum(const uint8_t *at, uint32_t n, uint32_t start)
{
	uint64_t sum = start;

	for (uint32_t i = 0; i < n; i++)
		sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)sum;
}

/* TCP with so many bytes of options and payload; all headers are checked ones. */
static uint32_t make(bool ipv6, bool tagged, uint32_t options, uint32_t payload)
{
	uint32_t size, ip;
	struct net_frame parsed;

	for (uint32_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 13 + (i >> 8));
	frame[0] = 2;
	l3 = tagged ? 18 : 14;
	if (tagged) {
		put16(frame + 12, 0x8100);
		put16(frame + 14, 7);
	}
	put16(frame + l3 - 2, ipv6 ? 0x86dd : 0x0800);
	ip = ipv6 ? 40 : 24; /* with an option */
	l4 = l3 + ip;
	size = l4 + 20 + options + payload;
	if (ipv6) {
		frame[l3] = 0x60;
		put16(frame + l3 + 4, size - l4);
		frame[l3 + 6] = 6;
	} else {
		frame[l3] = 0x46;
		put16(frame + l3 + 2, size - l3);
		put16(frame + l3 + 4, 0xfffe); /* an id that runs over */
		put16(frame + l3 + 6, 0x4000);
		frame[l3 + 9] = 6;
	}
	put16(frame + l4 + 4, 0xffff); /* a sequence that does */
	put16(frame + l4 + 6, 0xff00);
	frame[l4 + 12] = (uint8_t)((20 + options) / 4 << 4);
	frame[l4 + 13] = FIN | PSH | ACK | CWR;
	net_frame_parse(frame, size, &parsed);
	offload = (struct net_offload){
		.gso = ipv6 ? NET_GSO_TCPV6 : NET_GSO_TCPV4,
		.gso_size = 1000,
	};
	assert_true(net_frame_sum_place(&parsed, &offload));
	assert_true(net_offload_check(&parsed, &offload));
	memcpy(before, frame, sizeof(frame));
	return size;
}

static void is_segment(const struct net_cut *cut, uint32_t i, uint32_t at, bool last,
		       bool ipv6)
{
	const uint8_t *head = cut->head;
	uint32_t bytes = offload.header - l3 + cut->payload_size, pseudo, whole;
	uint8_t segment[70000];

	assert_memory_equal(head, frame, l3);
	assert_ptr_equal(cut->payload, frame + offload.header + at);
	if (ipv6) {
		assert_int_equal(get16(head + l3 + 4), bytes - 40);
		assert_memory_equal(head + l3 + 6, frame + l3 + 6, 34);
		pseudo = sum(head + l3 + 8, 32, 0);
	} else {
		assert_int_equal(get16(head + l3 + 2), bytes);
		assert_int_equal(get16(head + l3 + 4), (0xfffe + i) & 0xffff);
		assert_int_equal(sum(head + l3, 24, 0), 0xffff);
		assert_memory_equal(head + l3 + 12, frame + l3 + 12, 12);
		pseudo = sum(head + l3 + 12, 8, 0);
	}
	whole = (get16(head + l4 + 4) << 16 | get16(head + l4 + 6)) - 0xffffff00;
	assert_int_equal(whole, at);
	assert_int_equal(head[l4 + 13], ACK | (last ? FIN | PSH : 0) | (i ? 0 : CWR));
	assert_memory_equal(head + l4 + 14, frame + l4 + 14, 2);
	assert_memory_equal(head + l4 + 18, frame + l4 + 18, offload.header - l4 - 18);
	/* The sum, made as who takes the segment makes it. */
	bytes = offload.header - l4 + cut->payload_size;
	memcpy(segment, head + l4, offload.header - l4);
	memcpy(segment + offload.header - l4, cut->payload, cut->payload_size);
	put16(segment + 16, net_cut_sum(head + l4, offload.header - l4, cut->payload,
					cut->payload_size));
	assert_int_equal(sum(segment, bytes, pseudo + 6 + bytes), 0xffff);
}

static void any_frame(void **state)
{
	static const uint32_t payloads[] = {1,	  999,	1000,  1001, 1999,
					    2000, 2001, 59999, 65000};
	struct net_cut cut;

	(void)state;
	for (unsigned kind = 0; kind < 8; kind++) {
		for (unsigned p = 0; p < sizeof(payloads) / sizeof(payloads[0]); p++) {
			bool ipv6 = kind & 1;
			uint32_t size = make(ipv6, kind & 2, kind & 4 ? 40 : 0,
					     payloads[p]),
				 i = 0, at = 0;

			assert_true(net_cut_begin(&cut, frame, size, &offload));
			while (net_cut_next(&cut)) {
				bool last = at + cut.payload_size == payloads[p];

				assert_int_equal(cut.payload_size,
						 last ? payloads[p] - at : 1000);
				is_segment(&cut, i++, at, last, ipv6);
				at += cut.payload_size;
			}
			assert_int_equal(at, payloads[p]);
			assert_int_equal(i, (payloads[p] + 999) / 1000);
			assert_memory_equal(frame, before, sizeof(frame));
		}
	}
}

static void too_many(void **state)
{
	struct net_cut cut;
	uint32_t size = make(false, false, 0, 25600), n = 0;

	(void)state;
	offload.gso_size = 100;
	assert_true(net_cut_begin(&cut, frame, size, &offload));
	while (net_cut_next(&cut))
		n++;
	assert_int_equal(n, NET_CUT_MOST);
	assert_false(net_cut_begin(&cut, frame, size + 1, &offload));
	offload.gso_size = 1;
	assert_false(net_cut_begin(&cut, frame, size, &offload));
	offload.gso_size = 1000;
	offload.gso = NET_GSO_UDP;
	assert_false(net_cut_begin(&cut, frame, size, &offload));
	offload.gso = NET_GSO_TCPV6;
	offload.header = NET_CUT_HEAD + 1;
	assert_false(net_cut_begin(&cut, frame, size, &offload));
}

/* Known ones, and that none is 0. */
static void sums(void **state)
{
	static const uint8_t rfc1071[] = {0x00, 0x01, 0xf2, 0x03,
					  0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(net_cut_sum(rfc1071, 8, NULL, 0), 0x220d);
	assert_int_equal(net_cut_sum(rfc1071, 4, rfc1071 + 4, 4), 0x220d);
	assert_int_equal(net_cut_sum(rfc1071, 7, NULL, 0), 0x2304);
	assert_int_equal(net_cut_sum((const uint8_t *)"\xff\xff", 2, NULL, 0), 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_frame),
		cmocka_unit_test(too_many),
		cmocka_unit_test(sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
