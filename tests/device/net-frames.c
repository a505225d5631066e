/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tests/device/net-frames.h"

static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
static const uint8_t ipv4[2][4] = {{192, 0, 2, 2}, {192, 0, 2, 1}};
static const uint8_t ipv6[2][16] = {
	{0x20, 1, 0x0d, 0xb8, [15] = 2},
	{0x20, 1, 0x0d, 0xb8, [15] = 1},
};

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void fill(uint8_t *at, uint32_t bytes, unsigned seed)
{
	uint32_t x = seed * 2654435761u + 12345;

	for (uint32_t i = 0; i < bytes; i++) {
		x = x * 1664525u + 1013904223u;
		at[i] = (uint8_t)(x >> 24);
	}
}

uint32_t net_frames_plain(uint8_t *out, uint32_t size, unsigned seed)
{
	memcpy(out, macs, sizeof(macs));
	put16(out + 12, 0x88b5);
	fill(out + 14, size - 14, seed);
	return size;
}

/* Up to the header of @protocol; where that begins. */
static uint32_t put_ip(uint8_t *out, bool six, uint8_t protocol, uint32_t bytes)
{
	uint8_t *ip = out + 14;

	memcpy(out, macs, sizeof(macs));
	put16(out + 12, six ? 0x86dd : 0x0800);
	memset(ip, 0, 40);
	if (six) {
		ip[0] = 0x60;
		put16(ip + 4, bytes);
		ip[6] = protocol;
		ip[7] = 64;
		memcpy(ip + 8, ipv6[0], 16);
		memcpy(ip + 24, ipv6[1], 16);
		return 14 + 40;
	}
	ip[0] = 0x45;
	put16(ip + 2, 20 + bytes);
	ip[8] = 64;
	ip[9] = protocol;
	memcpy(ip + 12, ipv4[0], 4);
	memcpy(ip + 16, ipv4[1], 4);
	return 14 + 20;
}

uint32_t net_frames_tcp(uint8_t *out, bool six, uint32_t payload, unsigned seed)
{
	uint32_t at = put_ip(out, six, 6, 20 + payload);

	fill(out + at, 20 + payload, seed);
	out[at + 12] = 0x50;
	return at + 20 + payload;
}

uint32_t net_frames_udp(uint8_t *out, bool six, uint32_t payload, unsigned seed)
{
	uint32_t at = put_ip(out, six, 17, 8 + payload);

	fill(out + at, 8 + payload, seed);
	put16(out + at + 4, 8 + payload);
	return at + 8 + payload;
}

uint32_t net_frames_tag(uint8_t *out, uint32_t size, uint16_t type, uint16_t vlan)
{
	memmove(out + 16, out + 12, size - 12);
	put16(out + 12, type);
	put16(out + 14, vlan);
	return size + 4;
}

void net_frames_turn(uint8_t *frame)
{
	memcpy(frame, macs + 6, 6);
	memcpy(frame + 6, macs, 6);
}

void net_frames_to_group(uint8_t *frame, uint8_t group)
{
	static const uint8_t mac[5] = {1, 0, 0x5e, 0, 0};

	memcpy(frame, mac, sizeof(mac));
	frame[5] = group;
}

void net_frames_to_all(uint8_t *frame)
{
	memset(frame, 0xff, 6);
}
